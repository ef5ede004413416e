//! `entente reports`: what this agency itself has filed.

use clap::Args;

use crate::args::{Globals, Reading};
use crate::client::Client;
use crate::error::CliError;
use crate::output::{Cell, Output};
use crate::views::Report;

const EXAMPLE: &str = "\
Example:
  entente reports --limit 20
  entente reports --limit 100000 --json > own-reports.jsonl";

/// List the own reports.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLE)]
pub(crate) struct ReportsArgs {
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100,
          value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    reading: Reading,
}

pub(crate) fn run(args: &ReportsArgs, globals: &Globals, out: &Output) -> Result<(), CliError> {
    let client = Client::find(globals, out)?;
    let items =
        client.list(&["v1", "reports"], &args.reading.query(), usize::try_from(args.limit).unwrap_or(usize::MAX))?;
    if items.more {
        out.note(&format!("there are more than these {}: see --limit", args.limit));
    }
    if out.is_json() {
        return out.raw_items(&items);
    }
    let reports = items.read::<Report>()?;
    if reports.is_empty() {
        return out.line("no reports were filed here");
    }
    let rows = reports.into_iter().map(|report| row(report, out)).collect();
    out.table(&["CREATED", "ADDRESS", "TYPOLOGY", "GRADING", "TLP", "CASE", "STATE", "ID"], rows)
}

fn row(report: Report, out: &Output) -> Vec<Cell> {
    let Some(content) = report.content else {
        let mut row: Vec<Cell> = vec!["".into(); 6];
        row.extend([Cell::bad("retracted"), report.id.into()]);
        return row;
    };
    let state = if report.retracted { Cell::bad("retracted") } else { format!("revision {}", content.revision).into() };
    vec![
        out.when(&content.created).into(),
        content.address.short().into(),
        content.typology.into(),
        content.grading.into(),
        content.marking.into(),
        content.case.unwrap_or_default().into(),
        state,
        report.id.into(),
    ]
}
