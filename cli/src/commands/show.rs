//! `entente show`: one report whole.

use clap::Args;

use crate::args::{Globals, Reading};
use crate::client::Client;
use crate::error::CliError;
use crate::output::{Cell, Output};
use crate::text;
use crate::views::{Report, WholeReport};

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
    if report.retracted {
        return out.fields(retracted(&report, out));
    }
    let report: WholeReport = answer.read()?;
    out.fields(fields(&report, out))?;
    if let Some(description) = &report.description {
        out.line("")?;
        out.lines(description)?;
    }
    Ok(())
}

/// All that is set, in the order in which an analyst reads it.
fn fields<'a>(report: &WholeReport, out: &Output) -> Vec<(&'a str, Cell)> {
    let originator = &report.originator;
    let agreement = |titled: &crate::views::Titled| format!("{} ({})", titled.title, text::short(&titled.id));
    let under: Vec<_> = report.agreements.iter().map(agreement).collect();
    let optional = |name, value: &Option<String>| value.clone().map(|value| (name, Cell::from(value)));
    let time = |name, value: &Option<String>| value.as_ref().map(|time| (name, Cell::from(out.when(time))));
    let mut fields: Vec<(&str, Cell)> = vec![
        ("indicator", report.indicator.text.as_str().into()),
        ("originator", format!("{} ({})", originator.name, originator.id).into()),
        ("report", format!("{} revision {}", report.id, report.revision).into()),
        ("typology", report.typology.as_str().into()),
        ("grading", report.grading.as_str().into()),
        ("marking", format!("TLP:{}", report.marking.to_uppercase()).into()),
        ("precedence", report.precedence.as_str().into()),
        ("created", out.when(&report.created).into()),
        ("agreements", under.join(", ").into()),
    ];
    if let Some(sub) = &report.sub_account {
        fields.push(("meant is", format!("{} {}", sub.kind, sub.value).into()));
    }
    fields.extend(report.evidence.iter().map(|evidence| ("evidence", evidence.as_str().into())));
    if !report.handling.is_empty() {
        fields.push(("handling", report.handling.join(" ").into()));
    }
    fields.extend(
        [
            optional("handling note", &report.handling_note),
            optional("case", &report.case),
            optional("role", &report.role),
            optional("source", &report.source),
            optional("reference", &report.reference),
            optional("permissible actions", &report.pap),
            report.victims.map(|victims| ("victims", Cell::from(victims.to_string()))),
            (!report.amounts.is_empty()).then(|| ("amounts", Cell::from(report.amounts.join("; ")))),
            (!report.terms.is_empty()).then(|| ("terms", Cell::from(report.terms.join("; ")))),
            time("observed from", &report.observed_from),
            time("observed until", &report.observed_until),
            time("received", &report.received),
        ]
        .into_iter()
        .flatten(),
    );
    fields
}

/// Who withdrew it, when and why, and who has said that it is gone there too.
fn retracted<'a>(report: &Report, out: &Output) -> Vec<(&'a str, Cell)> {
    let originator = &report.originator;
    let mut fields = vec![
        ("report", report.id.as_str().into()),
        ("retracted by", format!("{} ({})", originator.name, originator.id).into()),
    ];
    let Some(retraction) = &report.retraction else { return fields };
    fields.push(("retracted", Cell::bad(out.when(&retraction.created))));
    fields.extend(retraction.reason.clone().map(|reason| ("reason", reason.into())));
    let confirmed = retraction.confirmed_by.iter();
    fields.extend(confirmed.map(|by| ("confirmed by", Cell::good(format!("{} {}", by.name, out.when(&by.at))))));
    fields.extend(retraction.outstanding.iter().map(|agency| ("not confirmed by", Cell::bad(&agency.name))));
    fields
}
