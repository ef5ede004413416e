//! `entente export`: reports in the formats of others.
//!
//! What handling forbids to leave the node is left out and counted. Tables and lines are written as reports come; STIX
//! and MISP are one document, for which they are gathered first.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use entente_formats::report::{Kept, Report};
use entente_formats::{flat, misp, stix};
use entente_node::clock;
use serde::Deserialize;
use std::collections::BTreeMap;

use crate::args::{Globals, Reading};
use crate::client::Client;
use crate::error::CliError;
use crate::output::Output;

/// Reports in one document of STIX or MISP: some hundred megabytes.
const DOCUMENT: usize = 100_000;

const EXAMPLE: &str = "\
Examples:
  entente export --format stix --typology ransomware --since 2026-01-01 --out ransomware.json
  entente export bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa --format misp > event.json
  entente export --format csv --originator \"FIU B\" --case 2026-118 --reason \"for the prosecutor\"";

/// Export reports, own and partners', as STIX 2.1, MISP, CSV or JSON lines.
///
/// Without a query, all that is held. A partner's report that its handling (H2, H3) or TLP:RED keeps from leaving is
/// left out; how many is told at the end. Every report keeps its originator, and importing an export again files
/// nothing.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLE)]
pub(crate) struct ExportArgs {
    /// Reports on these alone: addresses or other indicators
    #[arg(value_name = "INDICATOR")]
    indicators: Vec<String>,
    /// In which format
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: ExportFormat,
    /// Where to write it; standard output without it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Of this originator, by id or name
    #[arg(long, value_name = "AGENCY")]
    originator: Option<String>,
    /// Held under this agreement
    #[arg(long, value_name = "ID")]
    agreement: Option<String>,
    /// Of this typology
    #[arg(long, value_name = "TYPOLOGY")]
    typology: Option<String>,
    /// On this chain
    #[arg(long, value_name = "CHAIN")]
    chain: Option<String>,
    /// About this kind of indicator, for example domain
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// With this case reference of the originator
    #[arg(long, value_name = "REF")]
    of_case: Option<String>,
    /// Own reports from this import source
    #[arg(long, value_name = "NAME")]
    import: Option<String>,
    /// Made at this time or later
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Made before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    #[command(flatten)]
    reading: Reading,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum ExportFormat {
    Stix,
    Misp,
    Csv,
    Jsonl,
}

/// Where reports go, one by one.
enum Sink {
    Document(ExportFormat, Box<dyn Write>, Vec<Report>),
    Csv(Box<flat::Csv<Box<dyn Write>>>),
    Lines(Box<dyn Write>),
}

pub(crate) fn run(args: &ExportArgs, globals: &Globals, out: &Output) -> Result<(), CliError> {
    let client = Client::find(globals, out)?;
    let me = own_id(&client)?;
    let path = args.out.clone().unwrap_or_else(|| PathBuf::from("standard output"));
    let failed = |source| CliError::Write { path: path.clone(), source };
    let writer: Box<dyn Write> = match &args.out {
        Some(file) => Box::new(BufWriter::new(File::create(file).map_err(failed)?)),
        None => Box::new(BufWriter::new(io::stdout().lock())),
    };
    let mut sink = match args.format {
        ExportFormat::Csv => Sink::Csv(Box::new(flat::Csv::new(writer).map_err(failed)?)),
        ExportFormat::Jsonl => Sink::Lines(writer),
        format => Sink::Document(format, writer, Vec::new()),
    };
    let mut kept: BTreeMap<Kept, u64> = BTreeMap::new();
    let mut written = 0_u64;
    let mut take = |raw: &str| -> Result<(), CliError> {
        let report: Report = serde_json::from_str(raw)?;
        if let Some(why) = report.kept(&me) {
            *kept.entry(why).or_default() += 1;
            return Ok(());
        }
        written += 1;
        sink.put(report, raw).map_err(failed)
    };
    if args.indicators.is_empty() {
        let query = args.query();
        let query: Vec<(&str, &str)> = query.iter().map(|(key, value)| (*key, value.as_str())).collect();
        client.each(&["v1", "held"], &query, |item| take(item.get()))?;
    } else {
        for id in looked_up(args, &client)? {
            let (originator, report) = id;
            let mut query = args.reading.query();
            query.push(("originator", &originator));
            take(&client.get(&["v1", "reports", &report], &query)?.0)?;
        }
    }
    sink.finish().map_err(failed)?;
    out.note(&format!("{written} reports exported"));
    for (why, number) in &kept {
        out.note(&format!("{number} left out: {}", why.why()));
    }
    Ok(())
}

impl ExportArgs {
    fn query(&self) -> Vec<(&'static str, String)> {
        let optional = [
            ("originator", &self.originator),
            ("agreement", &self.agreement),
            ("typology", &self.typology),
            ("chain", &self.chain),
            ("kind", &self.kind),
            ("of_case", &self.of_case),
            ("import", &self.import),
            ("since", &self.since),
            ("until", &self.until),
            ("case", &self.reading.case),
            ("reason", &self.reading.reason),
        ];
        optional.into_iter().filter_map(|(key, value)| Some((key, value.clone()?))).collect()
    }
}

impl Sink {
    fn put(&mut self, report: Report, raw: &str) -> io::Result<()> {
        match self {
            Sink::Csv(csv) => csv.write(&report),
            Sink::Lines(writer) => writeln!(writer, "{raw}"),
            Sink::Document(_, _, reports) => {
                if reports.len() == DOCUMENT {
                    return Err(io::Error::other(format!(
                        "more than {DOCUMENT} reports are no single document: narrow the query, or use csv or jsonl"
                    )));
                }
                reports.push(report);
                Ok(())
            }
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Sink::Csv(csv) => csv.finish(),
            Sink::Lines(mut writer) => writer.flush(),
            Sink::Document(format, mut writer, reports) => {
                let now = clock::now().rfc3339();
                let document = match format {
                    ExportFormat::Misp => misp::event(&reports, &format!("Entente export of {}", &now[..10]), &now),
                    _ => stix::bundle(&reports, &now),
                };
                serde_json::to_writer_pretty(&mut writer, &document)?;
                writeln!(writer)?;
                writer.flush()
            }
        }
    }
}

fn own_id(client: &Client) -> Result<String, CliError> {
    #[derive(Deserialize)]
    struct Status {
        agency: Agency,
    }
    #[derive(Deserialize)]
    struct Agency {
        id: String,
    }
    Ok(client.get(&["v1", "status"], &[])?.read::<Status>()?.agency.id)
}

/// Originators and ids of the reports on the indicators that were named.
fn looked_up(args: &ExportArgs, client: &Client) -> Result<Vec<(String, String)>, CliError> {
    #[derive(Deserialize)]
    struct Lookup {
        reports: Vec<Known>,
    }
    #[derive(Deserialize)]
    struct Known {
        originator: Originator,
        id: String,
    }
    #[derive(Deserialize)]
    struct Originator {
        id: String,
    }
    let mut found = Vec::new();
    for indicator in &args.indicators {
        let lookup: Lookup = client.get(&["v1", "indicators", indicator], &args.reading.query())?.read()?;
        for known in lookup.reports {
            let id = (known.originator.id, known.id);
            if !found.contains(&id) {
                found.push(id);
            }
        }
    }
    Ok(found)
}
