//! `entente agreement`: propose, read, sign and reject sharing agreements.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use super::read_text;
use crate::args::{Globals, Reading};
use crate::client::Client;
use crate::error::CliError;
use crate::output::{Cell, Output};
use crate::prompt;
use crate::terms;
use crate::text;
use crate::views::{Agreement, Answered, Party, Proposed};

/// Terms of a thousand parties are far below it.
const TERMS_BYTES: u64 = 1 << 20;

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
statements_per_day, bytes_per_day, run_off_days.

  entente agreement propose terms.toml";

/// What to do with agreements.
#[derive(Debug, Subcommand)]
pub(crate) enum AgreementCommand {
    /// Propose an agreement on the terms of a file, and sign it for this agency
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
        AgreementCommand::Propose { terms } => propose(terms, globals, out),
        AgreementCommand::List { reading } => list(reading, &Client::find(globals, out)?, out),
        AgreementCommand::Show { id, reading } => show(id, reading, &Client::find(globals, out)?, out),
        AgreementCommand::Sign(args) => sign(args, &Client::find(globals, out)?, out),
        AgreementCommand::Reject { id, reason } => reject(id, reason, &Client::find(globals, out)?, out),
    }
}

/// The file is judged before the node is looked for.
fn propose(path: &Path, globals: &Globals, out: &Output) -> Result<(), CliError> {
    let terms = terms::parse(path, &read_text(path, TERMS_BYTES)?)?;
    let answer = Client::find(globals, out)?.write(&["v1", "agreements"], &terms)?;
    if out.is_json() {
        return out.raw(&answer.0);
    }
    let proposed: Proposed = answer.read()?;
    out.line(&format!("proposed {}", proposed.agreement.id))?;
    print(&proposed.agreement, out)
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

fn sign(args: &SignArgs, client: &Client, out: &Output) -> Result<(), CliError> {
    let agreement = answerable(&args.id, client)?;
    if !out.is_json() {
        print(&agreement, out)?;
    }
    prompt::confirm("sign it for this agency?", args.yes)?;
    let named = json!({ "version": agreement.version });
    let answer = client.write(&["v1", "agreements", &agreement.id, "signature"], &named)?;
    if out.is_json() {
        return out.raw(&answer.0);
    }
    let signed: Answered = answer.read()?;
    out.line(&format!("signed {}, which is now {}", signed.id, words(&signed.state)))
}

/// The version that waits for an answer, so that what is answered is what was shown. Of several one has to be named.
fn answerable(id: &str, client: &Client) -> Result<Agreement, CliError> {
    let agreement: Agreement = client.get(&["v1", "agreements", id], &[])?.read()?;
    match &agreement.open[..] {
        [only] if *only != agreement.version => Ok(client.get(&["v1", "agreements", only], &[])?.read()?),
        [_, _, ..] if !agreement.open.contains(&agreement.version) => {
            Err(CliError::SeveralVersions { open: agreement.open })
        }
        _ => Ok(agreement),
    }
}

fn reject(id: &str, reason: &str, client: &Client, out: &Output) -> Result<(), CliError> {
    let agreement = answerable(id, client)?;
    let named = json!({ "version": agreement.version, "reason": reason });
    let answer = client.write(&["v1", "agreements", &agreement.id, "rejection"], &named)?;
    if out.is_json() {
        return out.raw(&answer.0);
    }
    let rejected: Answered = answer.read()?;
    out.line(&format!("rejected {}, which is now {}", rejected.id, words(&rejected.state)))
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
    ])?;
    let others = agreement.open.iter().filter(|version| **version != agreement.version);
    for version in others {
        out.line(&format!("another version waits for your answer: entente agreement show {}", text::short(version)))?;
    }
    out.line("")?;
    let rows = agreement.parties.iter().map(|party| row(party, out)).collect();
    out.table(&["PARTY", "ROLE", "TRUST", "ANSWER", "AT", "REASON", "ID"], rows)
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
