//! `entente agreement`: the whole life of sharing agreements.

mod answer;
mod draft;
mod foresee;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::args::{Globals, Reading};
use crate::client::Client;
use crate::error::CliError;
use crate::output::{Cell, Output};
use crate::text;
use crate::views::{Agreement, Change, Party};

const PROPOSE_EXAMPLE: &str = "\
Example of terms.toml:
  title = \"Ransomware addresses\"
  purpose = \"to find the payments of victims\"
  legal_basis = \"EU 2016/680 Art. 8\"
  valid_from = 2026-12-01
  valid_until = 2028-11-30
  retention_days = 365
  marking_ceiling = \"amber\"
  statement_kinds = [\"report\", \"revision\"]
  typologies = [\"ransomware\"]        # [] is all

  [[party]]
  agency = \"agency1q…\"               # or the name of a known agency
  [[party]]
  agency = \"FIU B\"
  contribute = false                 # receives only

Optional keys: parent, effective_from, grace_hours, chains, required_grading, handling, onward, history,
statements_per_day, bytes_per_day, run_off_days, ends.

  entente agreement template bilateral > terms.toml
  entente agreement check terms.toml
  entente agreement propose terms.toml";

/// What to do with agreements.
#[derive(Debug, Subcommand)]
pub(crate) enum AgreementCommand {
    /// Print terms to start from: bilateral, multilateral, receive-only or exercise
    #[command(after_long_help = "Example:\n  entente agreement template bilateral > terms.toml")]
    Template {
        /// Which; without it, all are listed
        #[arg(value_enum)]
        name: Option<draft::Template>,
    },
    /// Tell what the terms of a file would say, and change, and sign nothing
    #[command(after_long_help = "Example:\n  entente agreement check terms.toml")]
    Check {
        /// The terms, as terms.toml, or `-` for standard input
        terms: PathBuf,
    },
    /// Print the terms of the version in force, to be changed and proposed as its next version
    #[command(after_long_help = "Example:\n  entente agreement amend 1a2b3c4d > terms.toml")]
    Amend {
        /// The agreement's id, or the first 8 digits or more of it
        id: String,
    },
    /// Propose an agreement, or its next version, on the terms of a file, and sign it for this agency
    #[command(after_long_help = PROPOSE_EXAMPLE)]
    Propose {
        /// The terms, as terms.toml, or `-` for standard input
        terms: PathBuf,
    },
    /// List the agreements that this agency is or was asked to be a party of
    #[command(
        after_long_help = "Example:\n  entente agreement list --json | jq 'select(.state == \"in_force\") | .id'"
    )]
    List {
        #[command(flatten)]
        reading: Reading,
    },
    /// Show an agreement's terms, its parties and their answers
    #[command(after_long_help = "Example:\n  entente agreement show 1a2b3c4d")]
    Show {
        /// The agreement's id, or a version's hash; or the first 8 digits or more of one
        id: String,
        #[command(flatten)]
        reading: Reading,
    },
    /// Say in plain words what an agreement says, and what a new version changes
    #[command(after_long_help = "Example:\n  entente agreement explain 1a2b3c4d")]
    Explain {
        /// The agreement's id, or a version's hash; or the first 8 digits or more of one
        id: String,
        #[command(flatten)]
        reading: Reading,
    },
    /// Tell who would receive a report under an agreement, who would not, and which term decides
    #[command(
        after_long_help = "Examples:\n  entente agreement dry-run 1a2b3c4d 0f1e2d3c4b5a69788796a5b4c3d2e1f0\n  entente agreement dry-run 1a2b3c4d report.json"
    )]
    DryRun {
        /// The agreement's id, or the first 8 digits or more of it
        id: String,
        /// The id of an own report; or a file with a report as the API takes it, or `-` for standard input
        report: String,
    },
    /// Sign an agreement for this agency, after its terms were shown
    #[command(after_long_help = "Example:\n  entente agreement sign 1a2b3c4d")]
    Sign(SignArgs),
    /// Reject a proposed agreement, which ends the proposal for all
    #[command(after_long_help = "Example:\n  entente agreement reject 1a2b3c4d --reason \"retention is too long\"")]
    Reject {
        /// The agreement's id, or a version's hash; or the first 8 digits or more of one
        id: String,
        /// Why, in words; the other parties read it
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Leave an agreement: nothing more is published or received under it; needs nobody's consent
    #[command(after_long_help = "Example:\n  entente agreement withdraw 1a2b3c4d --reason \"the unit was dissolved\"")]
    Withdraw(LeaveArgs),
    /// Propose that an agreement ends, which all parties have to sign
    #[command(after_long_help = "Example:\n  entente agreement end 1a2b3c4d --from 2027-06-30")]
    End(EndArgs),
}

#[derive(Args, Debug)]
pub(crate) struct LeaveArgs {
    /// The agreement's id, or the first 8 digits or more of it
    id: String,
    /// Why, in words; the other parties read it
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Do not ask before leaving
    #[arg(long, short)]
    yes: bool,
}

#[derive(Args, Debug)]
pub(crate) struct EndArgs {
    /// The agreement's id, or the first 8 digits or more of it
    id: String,
    /// When it ends: a day, or a time with its offset
    #[arg(long, value_name = "TIME")]
    from: String,
    /// Do not ask before signing
    #[arg(long, short)]
    yes: bool,
}

#[derive(Args, Debug)]
pub(crate) struct SignArgs {
    /// The agreement's id, or a version's hash; or the first 8 digits or more of one
    id: String,
    /// Do not ask before signing
    #[arg(long, short)]
    yes: bool,
}

pub(crate) fn run(command: &AgreementCommand, globals: &Globals, out: &Output) -> Result<(), CliError> {
    match command {
        AgreementCommand::Template { name } => draft::template(*name, out),
        AgreementCommand::Check { terms } => draft::check(terms, globals, out),
        AgreementCommand::Amend { id } => draft::amend(id, &Client::find(globals, out)?, out),
        AgreementCommand::Propose { terms } => draft::propose(terms, globals, out),
        AgreementCommand::End(args) => draft::end(args, &Client::find(globals, out)?, out),
        AgreementCommand::List { reading } => list(reading, &Client::find(globals, out)?, out),
        AgreementCommand::Show { id, reading } => show(id, reading, &Client::find(globals, out)?, out),
        AgreementCommand::Explain { id, reading } => foresee::explain(id, reading, &Client::find(globals, out)?, out),
        AgreementCommand::DryRun { id, report } => foresee::dry_run(id, report, &Client::find(globals, out)?, out),
        AgreementCommand::Sign(args) => answer::sign(args, &Client::find(globals, out)?, out),
        AgreementCommand::Reject { id, reason } => answer::reject(id, reason, &Client::find(globals, out)?, out),
        AgreementCommand::Withdraw(args) => answer::withdraw(args, &Client::find(globals, out)?, out),
    }
}

fn list(reading: &Reading, client: &Client, out: &Output) -> Result<(), CliError> {
    let items = client.list(&["v1", "agreements"], &reading.query(), usize::MAX)?;
    if out.is_json() {
        return out.raw_items(&items);
    }
    let agreements = items.read::<Agreement>()?;
    if agreements.is_empty() {
        return out.line("no agreements");
    }
    let rows = agreements.iter().map(|agreement| {
        vec![
            text::short(&agreement.id).into(),
            agreement.title.as_str().into(),
            state(&agreement.state),
            text::count(agreement.parties.len(), "party").into(),
            agreement.missing.len().to_string().into(),
            out.when(&agreement.valid_until).into(),
            agreement.mode.as_str().into(),
        ]
    });
    out.table(&["ID", "TITLE", "STATE", "PARTIES", "UNSIGNED", "VALID UNTIL", "MODE"], rows.collect())
}

fn show(id: &str, reading: &Reading, client: &Client, out: &Output) -> Result<(), CliError> {
    let answer = client.get(&["v1", "agreements", id], &reading.query())?;
    if out.is_json() { out.raw(&answer.0) } else { print(&answer.read()?, out) }
}

fn print(agreement: &Agreement, out: &Output) -> Result<(), CliError> {
    let or = |list: &[String], otherwise: &str| {
        if list.is_empty() { otherwise.to_owned() } else { list.join(", ") }
    };
    let daily = format!("{} statements, {} bytes", agreement.statements_per_day, agreement.bytes_per_day);
    out.fields(vec![
        ("title", agreement.title.as_str().into()),
        ("id", agreement.id.as_str().into()),
        ("version", agreement.version.as_str().into()),
        ("state", state(&agreement.state)),
        ("mode", agreement.mode.as_str().into()),
        ("proposed by", agreement.proposer.as_str().into()),
        ("purpose", agreement.purpose.as_str().into()),
        ("legal basis", agreement.legal_basis.as_str().into()),
        ("valid from", out.when(&agreement.valid_from).into()),
        ("valid until", out.when(&agreement.valid_until).into()),
        ("in force from", out.when(&agreement.effective_from).into()),
        ("retention", format!("{} days", agreement.retention_days).into()),
        ("marking ceiling", format!("TLP:{}", agreement.marking_ceiling.to_uppercase()).into()),
        ("statements", or(&agreement.statement_kinds, "none").into()),
        ("typologies", or(&agreement.typologies, "all").into()),
        ("chains", or(&agreement.chains, "all").into()),
        ("grading", agreement.required_grading.clone().unwrap_or_else(|| "any".to_owned()).into()),
        ("handling", or(&agreement.handling, "none").into()),
        ("onward use", agreement.onward.as_str().into()),
        ("history for joiners", if agreement.history { "yes" } else { "no" }.into()),
        ("at most a day", daily.into()),
        ("run-off", format!("{} days", agreement.run_off_days).into()),
    ])?;
    if let Some(left) = &agreement.left {
        out.line(&format!("this agency left it {}", out.when(left)))?;
    }
    if agreement.ends {
        out.line("this version ends the agreement")?;
    }
    print_changes(&agreement.changes, out)?;
    let others = agreement.open.iter().filter(|version| **version != agreement.version);
    for version in others {
        out.line(&format!("another version waits for your answer: entente agreement show {}", text::short(version)))?;
    }
    out.line("")?;
    let rows = agreement.parties.iter().map(|party| row(party, out)).collect();
    out.table(&["PARTY", "ROLE", "TRUST", "ANSWER", "AT", "REASON", "ID"], rows)
}

/// What a version changes of the one that it replaces.
fn print_changes(changes: &[Change], out: &Output) -> Result<(), CliError> {
    if changes.is_empty() {
        return Ok(());
    }
    out.line("")?;
    let row = |change: &Change| -> Vec<Cell> {
        vec![change.term.as_str().into(), change.before.as_str().into(), change.after.as_str().into()]
    };
    out.table(&["CHANGES", "BEFORE", "AFTER"], changes.iter().map(row).collect())
}

fn row(party: &Party, out: &Output) -> Vec<Cell> {
    let role = match (party.contribute, party.receive) {
        (true, true) => "contributes, receives",
        (true, false) => "contributes",
        (false, true) => "receives",
        (false, false) => "observes",
    };
    let answer = match party.answer.as_str() {
        "signed" => Cell::good("signed"),
        "rejected" => Cell::bad("rejected"),
        other => other.into(),
    };
    vec![
        party.name.as_str().into(),
        role.into(),
        party.trust.as_str().into(),
        answer,
        out.when_or(party.answered_at.as_deref(), "").into(),
        party.reason.clone().unwrap_or_default().into(),
        party.agency.as_str().into(),
    ]
}

fn state(state: &str) -> Cell {
    match state {
        "in_force" => Cell::good(words(state)),
        "rejected" | "lapsed" | "ended" => Cell::bad(state),
        _ => state.into(),
    }
}

fn words(state: &str) -> String {
    state.replace('_', " ")
}
