//! `entente reports`: what this agency itself has filed.

use clap::Args;

use crate::args::{Globals, Reading};
use crate::client::Client;
use crate::error::CliError;
use crate::output::Output;
use crate::views::WholeReport;

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
    let reports = items.read::<WholeReport>()?;
    if reports.is_empty() {
        return out.line("no reports were filed here");
    }
    let rows = reports.into_iter().map(|report| {
        vec![
            out.when(&report.created).into(),
            report.indicator.text.into(),
            report.typology.into(),
            report.grading.into(),
            report.marking.into(),
            report.case.unwrap_or_default().into(),
            report.revision.to_string().into(),
            report.id.into(),
        ]
    });
    out.table(&["CREATED", "INDICATOR", "TYPOLOGY", "GRADING", "TLP", "CASE", "REVISION", "ID"], rows.collect())
}
