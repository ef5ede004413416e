//! `entente quarantine`: what came in and was not admitted.

use clap::Args;

use crate::args::{Globals, Reading};
use crate::client::Client;
use crate::error::CliError;
use crate::output::{Cell, Output};
use crate::text;
use crate::views::Quarantined;

const EXAMPLE: &str = "\
Example:
  entente quarantine
  entente quarantine --limit 1000 --json | jq -r .reason | sort | uniq -c";

/// Show what the node refused or holds back, and why.
///
/// What is refused broke a rule, and its author learns so; what is held is not understood or not due yet.
/// Neither is found by a lookup.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLE)]
pub(crate) struct QuarantineArgs {
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100,
          value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    reading: Reading,
}

pub(crate) fn run(args: &QuarantineArgs, globals: &Globals, out: &Output) -> Result<(), CliError> {
    let client = Client::find(globals, out)?;
    let items =
        client.list(&["v1", "quarantine"], &args.reading.query(), usize::try_from(args.limit).unwrap_or(usize::MAX))?;
    if items.more {
        out.note(&format!("there is more than these {}: see --limit", args.limit));
    }
    if out.is_json() {
        return out.raw_items(&items);
    }
    let quarantined = items.read::<Quarantined>()?;
    if quarantined.is_empty() {
        return out.line("nothing is in quarantine");
    }
    let rows = quarantined.into_iter().map(|item| {
        let state: Cell = if item.state == "refused" { Cell::bad(item.state) } else { item.state.into() };
        vec![
            out.when(&item.received).into(),
            item.author.name.into(),
            state,
            item.reason.into(),
            item.detail.into(),
            text::short(&item.agreement).into(),
            item.report.unwrap_or_default().into(),
        ]
    });
    out.table(&["RECEIVED", "AUTHOR", "STATE", "REASON", "DETAIL", "AGREEMENT", "REPORT"], rows.collect())
}
