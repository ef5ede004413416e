//! `entente retention`: what was deleted here, when, and on whose word.

use clap::{Args, Subcommand};
use serde::Deserialize;

use crate::args::{Globals, Reading};
use crate::client::Client;
use crate::error::CliError;
use crate::output::{Cell, Output};
use crate::views::{Named, Titled};

/// What to do with retention.
#[derive(Debug, Subcommand)]
pub(crate) enum RetentionCommand {
    /// Show what was deleted, when, and on whose word
    #[command(after_long_help = "Example:\n  entente retention report --limit 20")]
    Report(ReportArgs),
}

#[derive(Args, Debug)]
pub(crate) struct ReportArgs {
    /// At most so many, the latest first
    #[arg(long, value_name = "NUMBER", default_value = "100")]
    limit: usize,
    #[command(flatten)]
    reading: Reading,
}

#[derive(Deserialize)]
struct Deletions {
    items: Vec<Deleted>,
}

#[derive(Deserialize)]
struct Deleted {
    at: String,
    why: String,
    by: Named,
    agreement: Option<Titled>,
    report: Option<String>,
    statements: u64,
}

pub(crate) fn run(command: &RetentionCommand, globals: &Globals, out: &Output) -> Result<(), CliError> {
    let RetentionCommand::Report(args) = command;
    let limit = args.limit.to_string();
    let mut query = args.reading.query();
    query.push(("limit", &limit));
    let answer = Client::find(globals, out)?.get(&["v1", "retention"], &query)?;
    if out.is_json() {
        return out.raw(&answer.0);
    }
    let deletions: Deletions = answer.read()?;
    if deletions.items.is_empty() {
        return out.line("nothing was deleted yet");
    }
    let row = |deleted: Deleted| -> Vec<Cell> {
        let what = match (&deleted.report, &deleted.agreement) {
            (Some(report), _) => format!("report {report}"),
            (None, Some(agreement)) => format!("{} statements under {}", deleted.statements, agreement.title),
            (None, None) => format!("{} statements", deleted.statements),
        };
        let word = match deleted.why.as_str() {
            "retention" => "its date was reached, as its author set it",
            "retraction" => "its originator withdrew it",
            other => other,
        };
        vec![out.when(&deleted.at).into(), what.into(), word.into(), deleted.by.name.into()]
    };
    out.table(&["AT", "WHAT", "BECAUSE", "ON THE WORD OF"], deletions.items.into_iter().map(row).collect())
}
