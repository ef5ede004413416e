//! `entente revise`: replace an own report by a newer revision.

use clap::Args;
use serde::Serialize;

use super::report::Details;
use crate::args::Globals;
use crate::client::Client;
use crate::error::CliError;
use crate::output::Output;
use crate::prompt;
use crate::text;
use crate::views::{Agreement, Report, Revised, WholeReport};

const EXAMPLE: &str = "\
Example:
  entente revise 6f0c2d2a9f0e4c5fb1f1a3c0de5f7a11 --grading A1 --description \"confirmed by the exchange\"";

/// Replace an own report with a newer revision.
///
/// What is not given stays as it was. The revision goes to those who received the report.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLE)]
pub(crate) struct ReviseArgs {
    /// The report's id
    id: String,
    #[command(flatten)]
    changes: Changes,
    /// Do not ask before sending
    #[arg(long, short)]
    yes: bool,
}

#[derive(Args, Debug, Serialize)]
struct Changes {
    /// The crime, for example ransomware
    #[arg(long, value_name = "TYPOLOGY")]
    #[serde(skip_serializing_if = "Option::is_none")]
    typology: Option<String>,
    /// Reliability of the source and credibility of the information, for example B2
    #[arg(long, value_name = "GRADING")]
    #[serde(skip_serializing_if = "Option::is_none")]
    grading: Option<String>,
    /// Traffic-light marking: red, amber+strict, amber, green or clear
    #[arg(long, value_name = "MARKING")]
    #[serde(skip_serializing_if = "Option::is_none", rename = "marking")]
    tlp: Option<String>,
    #[command(flatten)]
    #[serde(flatten)]
    details: Details,
}

pub(crate) fn run(args: &ReviseArgs, globals: &Globals, out: &Output) -> Result<(), CliError> {
    let changes = &args.changes;
    let assessment = [&changes.typology, &changes.grading, &changes.tlp];
    if assessment.iter().all(|change| change.is_none()) && changes.details.is_empty() {
        return Err(CliError::NothingToChange);
    }
    let client = Client::find(globals, out)?;
    let report = own_report(&client, &args.id)?;
    show_recipients(&client, &report, out)?;
    prompt::confirm("revise it?", args.yes)?;
    let answer = client.write(&["v1", "reports", &report.id, "revisions"], changes)?;
    if out.is_json() {
        return out.raw(&answer.0);
    }
    let revised: Revised = answer.read()?;
    out.line(&format!("revised {}, now revision {}", revised.id, revised.revision))
}

/// The own report that is to be changed, unless it was retracted.
pub(super) fn own_report(client: &Client, id: &str) -> Result<WholeReport, CliError> {
    let answer = client.get(&["v1", "reports", id], &[])?;
    let report: Report = answer.read()?;
    if report.retracted { Err(CliError::Retracted { id: report.id }) } else { answer.read() }
}

/// Those who receive under the agreements of the report, as these stand now.
pub(super) fn show_recipients(client: &Client, report: &WholeReport, out: &Output) -> Result<(), CliError> {
    out.note(&format!(
        "{} {} {} TLP:{}, revision {}",
        report.indicator.text,
        report.typology,
        report.grading,
        report.marking.to_uppercase(),
        report.revision
    ));
    let mut rows = Vec::new();
    for titled in &report.agreements {
        let agreement: Agreement = client.get(&["v1", "agreements", &titled.id], &[])?.read()?;
        let receives = |party: &&crate::views::Party| party.receive && party.agency != report.originator.id;
        rows.extend(agreement.parties.iter().filter(receives).map(|party| {
            vec![party.name.as_str().into(), agreement.title.as_str().into(), text::short(&agreement.id).into()]
        }));
    }
    out.note_table(&["RECIPIENT", "BECAUSE IT RECEIVES UNDER", "AGREEMENT"], rows);
    Ok(())
}
