//! How the exercise is told, and how it ends: by people who try things out, by Ctrl-C, or by what went wrong.
//!
//! The story stands on standard output, except with `--json`: then that carries the result alone, and the story goes to
//! standard error.

use super::agency::Agency;
use super::error::ExerciseError;
use super::plan::Party;
use super::process::{Child, Interrupt, Site, tail};
use super::report::Outcome;
use crate::error::CliError;
use crate::output::{Cell, Output};

/// Under the number of its step.
const INDENT: &str = "   ";

/// The narrator.
pub(super) struct Story<'a> {
    pub(super) out: &'a Output,
    step: u32,
    heading: &'static str,
}

impl<'a> Story<'a> {
    pub(super) fn new(out: &'a Output) -> Self {
        Self { out, step: 0, heading: "getting ready" }
    }

    /// Begins the next step.
    pub(super) fn step(&mut self, heading: &'static str) -> Result<(), CliError> {
        self.step += 1;
        self.heading = heading;
        let line = format!("{}. {heading}", self.step);
        if self.out.is_json() {
            self.out.note(&line);
            return Ok(());
        }
        if self.step > 1 {
            self.out.line("")?;
        }
        self.out.heading(&line)
    }

    /// A paragraph of the step.
    pub(super) fn tell(&self, text: &str) -> Result<(), CliError> {
        let text = format!("{INDENT}{text}");
        if self.out.is_json() {
            self.out.note(&text);
            return Ok(());
        }
        self.out.line(&text)
    }

    pub(super) fn table(&self, header: &[&str], rows: Vec<Vec<Cell>>) -> Result<(), CliError> {
        if self.out.is_json() {
            self.out.note_table(header, rows);
            return Ok(());
        }
        self.out.table(header, rows)
    }

    /// Says in which step it failed, and what the nodes said last.
    pub(super) fn failed(&self, error: &ExerciseError, agencies: &[Agency]) {
        self.out.note(&format!("\nstep {}, \"{}\", failed", self.step, self.heading));
        if matches!(error, ExerciseError::Interrupted | ExerciseError::Print(_)) {
            return;
        }
        let guilty = |agency: &&Agency| error.party().is_none_or(|party| party == agency.party);
        for agency in agencies.iter().filter(guilty) {
            self.out.note(&format!(
                "\nthe last lines of {}, the log of {}:",
                agency.log().display(),
                agency.party.name()
            ));
            self.out.note(&tail(&agency.log()));
        }
    }

    /// Stays up for people to try things out, until Ctrl-C.
    pub(super) fn explore(
        &self,
        agencies: &[Agency],
        site: &Site,
        outcome: &Outcome,
        interrupt: &Interrupt,
    ) -> Result<(), CliError> {
        let program = site.program.display();
        let data = |party: Party| agencies[party as usize].data.display();
        let Some(corroborated) = outcome.lookups.first().map(|lookup| &lookup.address) else { return Ok(()) };
        let (a, b, d) = (data(Party::A), data(Party::B), data(Party::D));
        self.tell("")?;
        self.tell("The four nodes stay up until Ctrl-C. Try, in another terminal:")?;
        for command in [
            format!("{program} lookup {corroborated} --data {a}"),
            format!("{program} lookup {corroborated} --data {d}"),
            format!("{program} agreement list --data {b}"),
            format!("{program} reports --data {a}"),
            format!("{program} peers --data {b}"),
            format!("{program} status --data {b}"),
            format!(
                "curl -H \"Authorization: Bearer $(cat {b}/token)\" http://$(cat {b}/api)/v1/addresses/{corroborated}"
            ),
            format!("curl http://$(cat {b}/api)/v1/openapi.json"),
        ] {
            self.tell(&format!("  {command}"))?;
        }
        interrupt.wait();
        Ok(())
    }

    /// Ends all nodes as an operator would: asks them all, then waits for each.
    pub(super) fn stop(&self, agencies: &mut [Agency]) -> Result<(), ExerciseError> {
        let nodes: Vec<(Party, Child)> =
            agencies.iter_mut().filter_map(|agency| Some((agency.party, agency.take_node()?))).collect();
        for (_, node) in &nodes {
            node.ask_to_end()?;
        }
        for (party, node) in nodes {
            if !node.end() {
                self.out.warn(&format!("the node of {} did not end well when asked to", party.name()));
            }
        }
        Ok(())
    }
}
