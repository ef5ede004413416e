//! `entente lookup`: what is known about addresses.
//!
//! Addresses go to the node in chunks, and each answer is printed as it comes, so that a file of any length
//! takes little memory. A line that is no address is answered by its error and does not stop the others; only
//! where a single address was asked for, and it is none, there is nothing to answer, and the command fails.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::{next_line, open};
use crate::args::{Globals, Reading};
use crate::client::{Answer, Client};
use crate::error::CliError;
use crate::output::Output;
use crate::text;
use crate::views::{Known, Lookup};

/// Addresses in one request: a few hundred kilobytes of answers, and a tenth of the node's maximum.
const CHUNK: usize = 1000;
/// No address is longer; what is longer is not a list of addresses.
const LINE_BYTES: usize = 4096;

const EXAMPLE: &str = "\
Examples:
  entente lookup bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa --case 2026-118 --reason \"wallet of a suspect\"
  entente lookup --file addresses.txt --json > found.jsonl
  cut -d, -f3 export.csv | entente lookup --file - --json | jq 'select(.distinct_originators > 1)'";

/// Look addresses up in all that this agency and its partners reported.
///
/// An address is written as CHAIN:ADDRESS or as CAIP-10. A file holds one a line; blank lines and lines that
/// begin with # are skipped. With --json each address is answered by one object on one line, in their order.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLE)]
pub(crate) struct LookupArgs {
    /// What to look up
    #[arg(value_name = "ADDRESS", required_unless_present = "file", conflicts_with = "file")]
    addresses: Vec<String>,
    /// Look up every line of this file, or of standard input for `-`
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
}

#[derive(Serialize)]
struct Request<'a> {
    addresses: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

pub(crate) fn run(args: &LookupArgs, globals: &Globals, out: &Output) -> Result<(), CliError> {
    let client = Client::find(globals, out)?;
    let look_up = |chunk: &[String]| look_up(chunk, args, &client, out);
    let Some(path) = &args.file else {
        return args.addresses.chunks(CHUNK).try_for_each(look_up);
    };
    let mut lines = AddressLines::open(path)?;
    loop {
        let chunk = lines.by_ref().take(CHUNK).collect::<Result<Vec<_>, _>>()?;
        if chunk.is_empty() {
            return Ok(());
        }
        look_up(&chunk)?;
    }
}

fn look_up(chunk: &[String], args: &LookupArgs, client: &Client, out: &Output) -> Result<(), CliError> {
    let request =
        Request { addresses: chunk, case: args.reading.case.as_deref(), reason: args.reading.reason.as_deref() };
    let mut answered = 0;
    for answer in client.stream(&["v1", "lookups"], &request)? {
        let answer = answer?;
        let lookup: Lookup = answer.read()?;
        let alone = args.file.is_none() && args.addresses.len() == 1;
        print(&answer, &lookup, alone, out)?;
        answered += 1;
    }
    if answered == chunk.len() { Ok(()) } else { Err(CliError::Incomplete { answered, asked: chunk.len() }) }
}

fn print(answer: &Answer, lookup: &Lookup, alone: bool, out: &Output) -> Result<(), CliError> {
    if out.is_json() {
        out.raw(&answer.0)?;
    }
    match &lookup.error {
        Some(why) if alone => Err(CliError::NotAnAddress { input: lookup.input.clone(), why: why.clone() }),
        _ if out.is_json() => Ok(()),
        Some(why) => out.line(&format!("{}: not an address: {why}", lookup.input)),
        None => show(lookup, out),
    }
}

/// The address, who says so first-hand, and the reports.
fn show(lookup: &Lookup, out: &Output) -> Result<(), CliError> {
    let address = lookup.address.as_ref().map_or_else(|| lookup.input.clone(), crate::views::Address::short);
    let retracted = match lookup.retracted {
        0 => String::new(),
        n => format!(", {n} retracted"),
    };
    if lookup.reports.is_empty() {
        return out.line(&format!("{address}: nothing is known{retracted}"));
    }
    let reports = text::count(lookup.reports.len(), "report");
    let by = lookup.distinct_originators;
    out.heading(&format!("{address}: {reports} by {by} distinct {}{retracted}", originators(by)))?;
    let rows = lookup.reports.iter().map(|report| row(report, out)).collect();
    out.table(
        &["ORIGINATOR", "TYPOLOGY", "GRADING", "TLP", "HANDLING", "CREATED", "CASE", "AGREEMENTS", "REPORT"],
        rows,
    )?;
    for report in &lookup.reports {
        if let Some(sub) = &report.sub_account {
            let (by, id) = (&report.originator.name, text::short(&report.id));
            out.line(&format!("{by} ({id}): meant is {} {}", sub.kind, sub.value))?;
        }
        if let Some(seen_on) = &report.seen_on {
            let (by, id) = (&report.originator.name, text::short(&report.id));
            out.line(&format!("{by} ({id}): the account was seen as {}", seen_on.short()))?;
        }
        if let Some(description) = &report.description {
            out.line(&format!("{} ({}): {description}", report.originator.name, text::short(&report.id)))?;
        }
    }
    Ok(())
}

fn row(report: &Known, out: &Output) -> Vec<crate::output::Cell> {
    let agreements: Vec<_> = report.agreements.iter().map(|id| text::short(id)).collect();
    vec![
        report.originator.name.as_str().into(),
        report.typology.as_str().into(),
        report.grading.as_str().into(),
        report.marking.as_str().into(),
        report.handling.join(" ").into(),
        out.when(&report.created).into(),
        report.case.clone().unwrap_or_default().into(),
        agreements.join(" ").into(),
        report.id.as_str().into(),
    ]
}

fn originators(n: u64) -> &'static str {
    if n == 1 { "originator" } else { "originators" }
}

/// The addresses of a file, line by line.
struct AddressLines {
    reader: Box<dyn BufRead>,
    path: PathBuf,
    line: usize,
}

impl AddressLines {
    fn open(path: &Path) -> Result<Self, CliError> {
        let reader = open(path)?;
        Ok(Self { reader, path: path.to_owned(), line: 0 })
    }

    /// The next line, whatever it holds.
    fn read_line(&mut self) -> Result<Option<String>, CliError> {
        let mut bytes = Vec::new();
        let more = next_line(&mut self.reader, LINE_BYTES, &mut bytes);
        let more = more.map_err(|source| CliError::Read { path: self.path.clone(), source })?;
        self.line += 1;
        if bytes.len() > LINE_BYTES {
            return Err(CliError::LineTooLong { path: self.path.clone(), line: self.line, limit: LINE_BYTES });
        }
        let text = String::from_utf8_lossy(&bytes);
        let text = if self.line == 1 { text.trim_start_matches('\u{feff}') } else { &text };
        Ok(more.then(|| text.trim().to_owned()))
    }
}

impl Iterator for AddressLines {
    type Item = Result<String, CliError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.read_line().transpose()? {
                Ok(line) if line.is_empty() || line.starts_with('#') => {}
                other => return Some(other),
            }
        }
    }
}
