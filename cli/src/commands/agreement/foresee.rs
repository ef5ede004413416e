//! What an agreement says in words, and what a report would come to under it.

use std::path::Path;

use serde_json::{Value, json};

use super::super::read_text;
use super::print_changes;
use crate::args::Reading;
use crate::client::Client;
use crate::error::CliError;
use crate::output::{Cell, Output};
use crate::views::{Agreement, DryRun, Reached};

/// One report is far below it.
const REPORT_BYTES: u64 = 1 << 20;

pub(super) fn explain(id: &str, reading: &Reading, client: &Client, out: &Output) -> Result<(), CliError> {
    let agreement: Agreement = client.get(&["v1", "agreements", id], &reading.query())?.read()?;
    if out.is_json() {
        let changes: Vec<Value> = agreement.changes.iter().map(|change| json!(change)).collect();
        return out.raw(&json!({ "id": agreement.id, "words": agreement.words, "changes": changes }).to_string());
    }
    agreement.words.iter().try_for_each(|line| out.line(line))?;
    print_changes(&agreement.changes, out)
}

/// Tells and succeeds whether the report would pass or not: what was asked is answered.
pub(super) fn dry_run(id: &str, report: &str, client: &Client, out: &Output) -> Result<(), CliError> {
    let is_id = report.len() == 32 && report.bytes().all(|byte| byte.is_ascii_hexdigit());
    let request = if is_id {
        json!({ "report": report })
    } else {
        let draft: Value = serde_json::from_str(&read_text(Path::new(report), REPORT_BYTES)?)?;
        json!({ "draft": draft })
    };
    let answer = client.write(&["v1", "agreements", id, "dry-run"], &request)?;
    if out.is_json() {
        return out.raw(&answer.0);
    }
    let judged: DryRun = answer.read()?;
    let title = &judged.agreement.title;
    out.line(&match (&judged.term, &judged.detail) {
        (Some(term), Some(detail)) => format!("refused under \"{title}\" by the term {term}: {detail}"),
        _ => format!("permitted under \"{title}\""),
    })?;
    out.line("")?;
    let row = |party: &Reached| -> Vec<Cell> {
        let receives = if party.receives { Cell::good("yes") } else { "no".into() };
        vec![party.agency.name.as_str().into(), receives, party.why.as_str().into()]
    };
    out.table(&["PARTY", "RECEIVES", "BECAUSE"], judged.parties.iter().map(row).collect())
}
