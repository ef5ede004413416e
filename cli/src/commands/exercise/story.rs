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
use crate::output::Output;

/// Under the number of its step.
const INDENT: &str = "   ";

/// Columns of a paragraph: what fits beside the indent on most terminals, and is still read with ease.
const WIDTH: usize = 96;

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
        wrapped(text, WIDTH).iter().try_for_each(|line| self.line(line))
    }

    fn line(&self, line: &str) -> Result<(), CliError> {
        let line = format!("{INDENT}{line}");
        if self.out.is_json() {
            self.out.note(&line);
            return Ok(());
        }
        self.out.line(&line)
    }

    /// Says in which step it failed, and what the nodes said last.
    pub(super) fn failed(&self, error: &ExerciseError, agencies: &[Agency]) {
        if matches!(error, ExerciseError::Interrupted | ExerciseError::Print(_)) {
            return;
        }
        self.out.note(&format!("\nstep {}, \"{}\", failed", self.step, self.heading));
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
        self.line("")?;
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
            self.line(&format!("  {command}"))?;
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

/// The text in lines of at most `width` columns; a longer word stands alone.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a last line");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn paragraphs_are_wrapped_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("a verylongword b", 5), ["a", "verylongword", "b"]);
        assert_eq!(wrapped("", 5), [""]);
    }
}
