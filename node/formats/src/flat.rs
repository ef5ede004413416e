//! Reports as tables and as lines of JSON, in columns that the import of this software knows.

use std::io::{self, Write};

use crate::report::Report;

/// The columns of a table.
pub const COLUMNS: &[&str] = &[
    "indicator",
    "kind",
    "chain",
    "canonical",
    "sub_account",
    "typology",
    "grading",
    "marking",
    "handling",
    "role",
    "case",
    "description",
    "source",
    "reference",
    "observed_from",
    "observed_until",
    "precedence",
    "amounts",
    "victims",
    "evidence",
    "terms",
    "pap",
    "created",
    "originator",
    "originator_name",
    "report",
    "revision",
];

/// The header and rows of a CSV file.
pub struct Csv<W: Write>(csv::Writer<W>);

impl<W: Write> Csv<W> {
    /// Writes the header.
    pub fn new(writer: W) -> io::Result<Self> {
        let mut writer = csv::Writer::from_writer(writer);
        writer.write_record(COLUMNS).map_err(io::Error::other)?;
        Ok(Self(writer))
    }

    /// Writes a report. A cell that a spreadsheet would run as a formula gets an apostrophe.
    pub fn write(&mut self, report: &Report) -> io::Result<()> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let cells = [
            report.indicator.text.clone(),
            report.indicator.kind.clone(),
            text(&report.indicator.chain),
            report.indicator.canonical.clone(),
            report.sub_account.as_ref().map(|sub| sub.value.clone()).unwrap_or_default(),
            report.typology.clone(),
            report.grading.clone(),
            report.marking.clone(),
            report.handling_codes().join("; "),
            text(&report.role),
            text(&report.case),
            text(&report.description),
            text(&report.source),
            text(&report.reference),
            text(&report.observed_from),
            text(&report.observed_until),
            report.precedence.clone(),
            report.amounts.join("; "),
            report.victims.map(|victims| victims.to_string()).unwrap_or_default(),
            report.evidence.join("; "),
            report.terms.join("; "),
            text(&report.pap),
            report.created.clone(),
            report.originator.id.clone(),
            report.originator.name.clone(),
            report.id.clone(),
            report.revision.to_string(),
        ];
        self.0.write_record(cells.map(|cell| harmless(&cell))).map_err(io::Error::other)
    }

    /// Writes what is left.
    pub fn finish(mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A cell that no spreadsheet takes for a formula (CWE-1236). Telephone numbers stay as they are: they hold digits.
fn harmless(cell: &str) -> String {
    let number = cell.strip_prefix('+').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && !number { format!("'{cell}") } else { cell.to_owned() }
}
