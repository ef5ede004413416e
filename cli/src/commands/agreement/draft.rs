//! Terms on their way to a version: templates, what a file would say, the next version of what is in force.

use std::path::Path;

use clap::ValueEnum;
use serde_json::{Map, Value, json};

use super::super::read_text;
use super::{EndArgs, print, print_changes};
use crate::args::Globals;
use crate::client::Client;
use crate::error::CliError;
use crate::output::Output;
use crate::prompt;
use crate::terms;
use crate::views::{Agreement, Foretold, Proposed};

/// Terms of a thousand parties are far below it.
const TERMS_BYTES: u64 = 1 << 20;

/// Terms to start from.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Template {
    /// Two agencies, who both report and receive
    Bilateral,
    /// Many agencies, with quotas and one grading scheme
    Multilateral,
    /// An exchange that receives and reports nothing
    ReceiveOnly,
    /// Wide terms and a short life, for exercise agencies
    Exercise,
}

impl Template {
    const fn text(self) -> &'static str {
        match self {
            Template::Bilateral => include_str!("../../../../config/agreements/bilateral.toml"),
            Template::Multilateral => include_str!("../../../../config/agreements/multilateral.toml"),
            Template::ReceiveOnly => include_str!("../../../../config/agreements/receive-only.toml"),
            Template::Exercise => include_str!("../../../../config/agreements/exercise.toml"),
        }
    }
}

pub(super) fn template(name: Option<Template>, out: &Output) -> Result<(), CliError> {
    if let Some(name) = name {
        return out.lines(name.text());
    }
    let row = |template: &Template| {
        let value = template.to_possible_value().expect("no template is hidden");
        let help = value.get_help().map(ToString::to_string).unwrap_or_default();
        vec![value.get_name().into(), help.into()]
    };
    out.table(&["TEMPLATE", "FOR"], Template::value_variants().iter().map(row).collect())
}

/// The file is judged before the node is looked for.
pub(super) fn check(path: &Path, globals: &Globals, out: &Output) -> Result<(), CliError> {
    let terms = terms::parse(path, &read_text(path, TERMS_BYTES)?)?;
    let mut request = serde_json::to_value(&terms)?;
    request["dry_run"] = true.into();
    foretell(&request, &Client::find(globals, out)?, out)
}

fn foretell(request: &Value, client: &Client, out: &Output) -> Result<(), CliError> {
    let answer = client.write(&["v1", "agreements"], request)?;
    if out.is_json() {
        return out.raw(&answer.0);
    }
    let foretold: Foretold = answer.read()?;
    foretold.words.iter().try_for_each(|line| out.line(line))?;
    print_changes(&foretold.changes, out)
}

/// The file is judged before the node is looked for.
pub(super) fn propose(path: &Path, globals: &Globals, out: &Output) -> Result<(), CliError> {
    let terms = terms::parse(path, &read_text(path, TERMS_BYTES)?)?;
    proposed(&serde_json::to_value(&terms)?, &Client::find(globals, out)?, out)
}

fn proposed(request: &Value, client: &Client, out: &Output) -> Result<(), CliError> {
    let answer = client.write(&["v1", "agreements"], request)?;
    if out.is_json() {
        return out.raw(&answer.0);
    }
    let proposed: Proposed = answer.read()?;
    out.line(&format!("proposed {}", proposed.agreement.id))?;
    print(&proposed.agreement, out)
}

pub(super) fn amend(id: &str, client: &Client, out: &Output) -> Result<(), CliError> {
    let agreement: Agreement = client.get(&["v1", "agreements", id], &[])?.read()?;
    let terms = next_version(&agreement);
    if out.is_json() {
        return out.raw(&Value::Object(terms).to_string());
    }
    out.line(&format!(
        "# The terms of \"{}\" as they are. Change what is to change; set effective_from; then:",
        agreement.title
    ))?;
    out.line("#   entente agreement check FILE")?;
    out.line("#   entente agreement propose FILE")?;
    for party in &agreement.parties {
        out.line(&format!("# {} is {}", party.agency, party.name))?;
    }
    out.line("# When it takes effect; all have to sign before: effective_from = 2027-06-30")?;
    out.line("")?;
    out.lines(&toml::to_string_pretty(&terms).expect("text, numbers, lists and tables"))
}

pub(super) fn end(args: &EndArgs, client: &Client, out: &Output) -> Result<(), CliError> {
    let agreement: Agreement = client.get(&["v1", "agreements", &args.id], &[])?.read()?;
    let mut terms = next_version(&agreement);
    terms.insert("effective_from".to_owned(), json!(args.from));
    terms.insert("ends".to_owned(), json!(true));
    let mut terms = Value::Object(terms);
    if !out.is_json() {
        terms["dry_run"] = true.into();
        foretell(&terms, client, out)?;
        terms["dry_run"] = false.into();
    }
    prompt::confirm("propose it, and sign it for this agency?", args.yes)?;
    proposed(&terms, client, out)
}

/// The terms of a version, as those of the one that replaces it.
fn next_version(agreement: &Agreement) -> Map<String, Value> {
    let party = |party: &crate::views::Party| json!({ "agency": party.agency, "contribute": party.contribute, "receive": party.receive });
    let terms = json!({
        "parent": agreement.version,
        "title": agreement.title,
        "purpose": agreement.purpose,
        "legal_basis": agreement.legal_basis,
        "valid_from": agreement.valid_from,
        "valid_until": agreement.valid_until,
        "retention_days": agreement.retention_days,
        "marking_ceiling": agreement.marking_ceiling,
        "statement_kinds": agreement.statement_kinds,
        "typologies": agreement.typologies,
        "chains": agreement.chains,
        "handling": agreement.handling,
        "onward": agreement.onward,
        "history": agreement.history,
        "statements_per_day": agreement.statements_per_day,
        "bytes_per_day": agreement.bytes_per_day,
        "grace_hours": agreement.grace_hours,
        "run_off_days": agreement.run_off_days,
        "party": agreement.parties.iter().map(party).collect::<Vec<_>>(),
    });
    let Value::Object(mut terms) = terms else { unreachable!("it is an object") };
    if let Some(grading) = &agreement.required_grading {
        terms.insert("required_grading".to_owned(), json!(grading));
    }
    terms
}
