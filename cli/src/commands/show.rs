//! `entente show`: one report whole.

use clap::Args;

use crate::args::{Globals, Reading};
use crate::client::Client;
use crate::error::CliError;
use crate::output::{Cell, Output};
use crate::text;
use crate::views::{Content, Report, Retraction};

const EXAMPLE: &str = "\
Example:
  entente show 6f0c2d2a9f0e4c5fb1f1a3c0de5f7a11 --case 2026-118 --reason \"request by the prosecutor\"";

/// Show one report whole: the own one, or that of the agency given as originator.
///
/// Of a retracted report only its retraction is left, and who has confirmed it.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLE)]
pub(crate) struct ShowArgs {
    /// The report's id
    id: String,
    /// The agency that made it, where it is not this one
    #[arg(long, value_name = "AGENCY")]
    originator: Option<String>,
    #[command(flatten)]
    reading: Reading,
}

pub(crate) fn run(args: &ShowArgs, globals: &Globals, out: &Output) -> Result<(), CliError> {
    let client = Client::find(globals, out)?;
    let mut query = args.reading.query();
    query.extend(args.originator.as_deref().map(|agency| ("originator", agency)));
    let answer = client.get(&["v1", "reports", &args.id], &query)?;
    if out.is_json() {
        return out.raw(&answer.0);
    }
    let report: Report = answer.read()?;
    out.fields(fields(&report, out))?;
    if let Some(description) = report.content.as_ref().and_then(|content| content.description.as_ref()) {
        out.line("")?;
        out.lines(description)?;
    }
    Ok(())
}

/// All that is set, in the order in which an analyst reads it.
pub(super) fn fields<'a>(report: &Report, out: &Output) -> Vec<(&'a str, Cell)> {
    let mut fields = match &report.content {
        Some(content) => said(report, content, out),
        None => vec![("originator", originator(report)), ("report", report.id.as_str().into())],
    };
    match &report.retraction {
        Some(retraction) => fields.extend(retracted(retraction, out)),
        None if report.retracted => fields.push(("state", Cell::bad("retracted"))),
        None => {}
    }
    fields
}

fn originator(report: &Report) -> Cell {
    format!("{} ({})", report.originator.name, report.originator.id).into()
}

/// What the report says.
fn said<'a>(report: &Report, content: &Content, out: &Output) -> Vec<(&'a str, Cell)> {
    let agreement = |titled: &crate::views::Titled| format!("{} ({})", titled.title, text::short(&titled.id));
    let under: Vec<_> = content.agreements.iter().map(agreement).collect();
    let optional = |name, value: &Option<String>| value.clone().map(|value| (name, Cell::from(value)));
    let time = |name, value: &Option<String>| value.as_ref().map(|time| (name, Cell::from(out.when(time))));
    let mut fields: Vec<(&str, Cell)> = vec![
        ("address", content.address.short().into()),
        ("CAIP-10", content.address.caip10.as_str().into()),
        ("originator", originator(report)),
        ("report", format!("{} revision {}", report.id, content.revision).into()),
        ("typology", content.typology.as_str().into()),
        ("grading", content.grading.as_str().into()),
        ("marking", format!("TLP:{}", content.marking.to_uppercase()).into()),
        ("precedence", content.precedence.as_str().into()),
        ("created", out.when(&content.created).into()),
        ("agreements", under.join(", ").into()),
    ];
    if !content.handling.is_empty() {
        fields.push(("handling", content.handling.join(" ").into()));
    }
    fields.extend(
        [
            optional("handling note", &content.handling_note),
            optional("case", &content.case),
            optional("source", &content.source),
            time("observed from", &content.observed_from),
            time("observed until", &content.observed_until),
            time("received", &content.received),
        ]
        .into_iter()
        .flatten(),
    );
    fields
}

fn retracted<'a>(retraction: &Retraction, out: &Output) -> Vec<(&'a str, Cell)> {
    let mut fields = vec![("state", Cell::bad(format!("retracted {}", out.when(&retraction.created))))];
    fields.extend(retraction.reason.clone().map(|reason| ("reason", reason.into())));
    let confirmed = retraction.confirmed_by.iter();
    fields.extend(confirmed.map(|by| ("confirmed by", Cell::good(format!("{} {}", by.name, out.when(&by.at))))));
    fields.extend(retraction.outstanding.iter().map(|agency| ("not confirmed by", Cell::bad(&agency.name))));
    fields
}
