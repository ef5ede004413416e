//! `entente lookup`: what is known about addresses.
//!
//! What is asked goes to the node in chunks, and each answer is printed as it comes, so that a file of any length
//! takes little memory. Every line of a file is answered, whatever it holds, and at the end stands how many there were
//! of each outcome. A line that is nothing is answered by its error and does not stop the others; only where a single
//! one was asked for, and it is none, there is nothing to answer, and the command fails.

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
use crate::views::{Benign, Known, Lookup};

/// Addresses in one request: a few hundred kilobytes of answers, and a tenth of the node's maximum.
const CHUNK: usize = 1000;
/// Nothing that can be looked up is longer; of a longer line only this much is asked, and refused.
const LINE_BYTES: usize = 4096;

const EXAMPLE: &str = "\
Examples:
  entente lookup bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa --case 2026-118 --reason \"wallet of a suspect\"
  entente lookup --file addresses.txt --json > found.jsonl
  cut -d, -f3 export.csv | entente lookup --file - --json | jq 'select(.distinct_originators > 1)'";

/// Look addresses and other indicators up in all that this agency and its partners reported.
///
/// An address is written in any form, best as CHAIN:ADDRESS; where the chain is not named, every one that fits is
/// looked up. Another indicator is written as KIND:VALUE (domain:evil.example, tx:bitcoin:4a5e…, telegram:@name), or
/// plainly where it can be nothing else: a URL, an e-mail address, an IBAN, a telephone number with +. A file holds one
/// a line, and every line is answered. With --json each is answered by one object on one line, in their order; of a
/// file, the last line has the counts.
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

/// How many there were of each outcome.
#[derive(Default, Serialize)]
struct Counts {
    lookups: u64,
    known: u64,
    unknown: u64,
    ambiguous: u64,
    invalid: u64,
}

impl Counts {
    fn add(&mut self, lookup: &Lookup) {
        self.lookups += 1;
        let count = match lookup.outcome.as_str() {
            "known" => &mut self.known,
            "ambiguous" => &mut self.ambiguous,
            "invalid" => &mut self.invalid,
            _ => &mut self.unknown,
        };
        *count += 1;
    }
}

pub(crate) fn run(args: &LookupArgs, globals: &Globals, out: &Output) -> Result<(), CliError> {
    let client = Client::find(globals, out)?;
    let mut counts = Counts::default();
    let Some(path) = &args.file else {
        let mut chunks = args.addresses.chunks(CHUNK);
        return chunks.try_for_each(|chunk| look_up(chunk, args, &client, out, &mut counts));
    };
    let mut lines = FileLines::open(path)?;
    loop {
        let chunk = lines.by_ref().take(CHUNK).collect::<Result<Vec<_>, _>>()?;
        if chunk.is_empty() {
            break;
        }
        look_up(&chunk, args, &client, out, &mut counts)?;
    }
    if out.is_json() {
        return out.value(&counts);
    }
    let Counts { lookups, known, unknown, ambiguous, invalid } = counts;
    out.heading(&format!(
        "{lookups} looked up: {known} known, {unknown} unknown, {ambiguous} ambiguous, {invalid} invalid"
    ))
}

fn look_up(
    chunk: &[String],
    args: &LookupArgs,
    client: &Client,
    out: &Output,
    counts: &mut Counts,
) -> Result<(), CliError> {
    let request =
        Request { addresses: chunk, case: args.reading.case.as_deref(), reason: args.reading.reason.as_deref() };
    let mut answered = 0;
    for answer in client.stream(&["v1", "lookups"], &request)? {
        let answer = answer?;
        if answered == chunk.len() {
            // The counts of the node, which end a whole answer; ours are of all chunks.
            break;
        }
        let lookup: Lookup = answer.read()?;
        let alone = args.file.is_none() && args.addresses.len() == 1;
        print(&answer, &lookup, alone, out)?;
        counts.add(&lookup);
        answered += 1;
    }
    if answered == chunk.len() { Ok(()) } else { Err(CliError::Incomplete { answered, asked: chunk.len() }) }
}

fn print(answer: &Answer, lookup: &Lookup, alone: bool, out: &Output) -> Result<(), CliError> {
    if out.is_json() {
        out.raw(&answer.0)?;
    }
    match &lookup.error {
        Some(why) if alone => Err(CliError::NothingToLookUp { input: lookup.input.clone(), why: why.clone() }),
        _ if out.is_json() => Ok(()),
        Some(why) => out.line(&format!("{}: {why}", lookup.input)),
        None => show(lookup, out),
    }
}

/// What it is, who says so first-hand, and the reports.
fn show(lookup: &Lookup, out: &Output) -> Result<(), CliError> {
    let meant = lookup.indicator.as_ref().map_or_else(|| lookup.input.clone(), |indicator| indicator.text.clone());
    let retracted = match lookup.retracted {
        0 => String::new(),
        n => format!(", {n} retracted"),
    };
    if lookup.reports.is_empty() {
        out.line(&format!("{meant}: nothing is known{retracted}"))?;
    } else {
        let reports = text::count(lookup.reports.len(), "report");
        let by = lookup.distinct_originators;
        out.heading(&format!("{meant}: {reports} by {by} distinct {}{retracted}", originators(by)))?;
        let rows = lookup.reports.iter().map(|report| row(report, out)).collect();
        out.table(
            &["ORIGINATOR", "TYPOLOGY", "GRADING", "TLP", "HANDLING", "CREATED", "CASE", "AGREEMENTS", "REPORT"],
            rows,
        )?;
    }
    if !lookup.candidates.is_empty() {
        let all: Vec<&str> = lookup.candidates.iter().map(|candidate| candidate.text.as_str()).collect();
        out.line(&format!("  the text does not tell which is meant; looked up: {}", all.join(", ")))?;
    }
    for change in &lookup.changed {
        out.line(&format!("  {change}"))?;
    }
    for benign in &lookup.benign {
        let Benign { label, list, source, date, indicator } = benign;
        let date = out.when(date);
        out.line(&format!("  LISTED as {label}, {indicator}: list {list} of {date}, from {source}"))?;
    }
    lookup.reports.iter().try_for_each(|report| show_more(report, out))
}

/// What has no column.
fn show_more(report: &Known, out: &Output) -> Result<(), CliError> {
    let by = format!("{} ({})", report.originator.name, text::short(&report.id));
    if let Some(sub) = &report.sub_account {
        out.line(&format!("{by}: meant is {} {}", sub.kind, sub.value))?;
    }
    if let Some(seen_on) = &report.seen_on {
        out.line(&format!("{by}: the account was seen as {}", seen_on.short()))?;
    }
    if let Some(about) = &report.about {
        out.line(&format!("{by}: it is about {}", about.text))?;
    }
    if let Some(role) = &report.role {
        out.line(&format!("{by}: role {role}"))?;
    }
    for (what, list) in [("amounts", &report.amounts), ("terms", &report.terms)] {
        if !list.is_empty() {
            out.line(&format!("{by}: {what} {}", list.join("; ")))?;
        }
    }
    if let Some(victims) = report.victims {
        out.line(&format!("{by}: {victims} harmed"))?;
    }
    if let Some(reference) = &report.reference {
        out.line(&format!("{by}: see {reference}"))?;
    }
    report.description.iter().try_for_each(|description| out.line(&format!("{by}: {description}")))
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

/// The lines of a file, whatever they hold.
struct FileLines {
    reader: Box<dyn BufRead>,
    path: PathBuf,
    first: bool,
}

impl FileLines {
    fn open(path: &Path) -> Result<Self, CliError> {
        let reader = open(path)?;
        Ok(Self { reader, path: path.to_owned(), first: true })
    }

    fn read_line(&mut self) -> Result<Option<String>, CliError> {
        let mut bytes = Vec::new();
        let more = next_line(&mut self.reader, LINE_BYTES, &mut bytes);
        let more = more.map_err(|source| CliError::Read { path: self.path.clone(), source })?;
        let text = String::from_utf8_lossy(&bytes);
        let text = if std::mem::take(&mut self.first) { text.trim_start_matches('\u{feff}') } else { &text };
        Ok(more.then(|| text.trim().to_owned()))
    }
}

impl Iterator for FileLines {
    type Item = Result<String, CliError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read_line().transpose()
    }
}
