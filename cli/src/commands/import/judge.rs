//! What becomes of each row: accepted, repaired, refused, or a duplicate; told as it is found, and counted.

use std::collections::{BTreeMap, HashMap, HashSet};

use entente_formats::Opened;
use entente_formats::row::{Item, Place, Refused, Row};
use entente_protocol::id::Hash;
use entente_protocol::statement::draft::Draft;
use serde::Serialize;

use super::request::Written;
use super::send::Outcome;
use crate::error::CliError;
use crate::output::Output;

/// What is told while rows are judged.
#[derive(Clone, Copy)]
pub(crate) struct Told {
    /// Every row, in JSON.
    pub(crate) rows: bool,
    /// Rows that would not be filed, and what is guessed.
    pub(crate) problems: bool,
}

/// How many rows there were of each kind.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Counts {
    pub(crate) rows: u64,
    pub(crate) accepted: u64,
    pub(crate) repaired: u64,
    pub(crate) refused: u64,
    pub(crate) duplicates: u64,
}

impl Counts {
    pub(crate) fn sentence(self) -> String {
        let Counts { rows, accepted, repaired, refused, duplicates } = self;
        format!("{rows} rows: {accepted} accepted, {repaired} repaired, {refused} refused, {duplicates} duplicates")
    }
}

/// A row that is fit to be filed.
pub(crate) struct Verdict {
    /// What tells it apart from other rows of its source.
    pub(crate) key: String,
    pub(crate) draft: Draft,
    place: Place,
    repaired: Vec<String>,
    guessed: Vec<String>,
}

/// Judges the rows of one file. Of every row a hash is kept, to know it again.
pub(crate) struct Judge {
    counts: Counts,
    told: Told,
    seen: HashSet<u128>,
    /// How many rows there were about each indicator.
    times: HashMap<u128, u32>,
    mapped: BTreeMap<(String, String), u64>,
    repairs: BTreeMap<String, u64>,
    guesses: BTreeMap<String, u64>,
    beside: BTreeMap<String, u64>,
    /// The first reports, for people to look at.
    first: Vec<Written>,
}

/// A row as it is told in JSON.
#[derive(Serialize)]
struct RowTold<'a> {
    status: &'static str,
    line: u64,
    column: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    repaired: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    guessed: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<Written>,
}

/// The last line.
#[derive(Serialize)]
struct End<'a> {
    #[serde(flatten)]
    counts: Counts,
    #[serde(flatten)]
    outcome: Option<&'a Outcome>,
}

/// Reports that are shown before filing.
const SHOWN: usize = 5;

/// The most kinds of repairs that are told apart.
const KINDS: usize = 40;

impl Judge {
    pub(crate) fn new(told: Told) -> Self {
        Self {
            counts: Counts::default(),
            told,
            seen: HashSet::new(),
            times: HashMap::new(),
            mapped: BTreeMap::new(),
            repairs: BTreeMap::new(),
            guesses: BTreeMap::new(),
            beside: BTreeMap::new(),
            first: Vec::new(),
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// Notes what the file holds beside rows.
    pub(crate) fn beside(&mut self, beside: &BTreeMap<String, u64>) {
        self.beside.clone_from(beside);
    }

    /// A row that is fit, if it is; all others are told and counted here.
    pub(crate) fn row(&mut self, item: Item, out: &Output) -> Result<Option<Verdict>, CliError> {
        self.counts.rows += 1;
        let row = match item {
            Ok(row) => row,
            Err(refused) => {
                self.counts.refused += 1;
                self.tell_refused(&refused, out)?;
                return Ok(None);
            }
        };
        if let Some(origin) = &row.origin {
            self.counts.duplicates += 1;
            let reason = format!("it is report {} of {}, not filed anew", origin.report, origin.originator);
            self.tell(&row.place, "duplicate", Some(&reason), out)?;
            return Ok(None);
        }
        let Row { place, id, draft, repaired, guessed, mapped, .. } = row;
        let content = short_hash(format!("{draft:?}").as_bytes());
        let about = draft.indicator.as_ref().map(|(indicator, sub)| format!("{indicator} {sub:?}")).unwrap_or_default();
        if !self.seen.insert(content) {
            self.counts.duplicates += 1;
            self.tell(&place, "duplicate", Some("an earlier row says the same"), out)?;
            return Ok(None);
        }
        let times = self.times.entry(short_hash(about.as_bytes())).or_default();
        let key = match id {
            Some(id) => format!("{:032x}", short_hash(format!("{id}\n{about}").as_bytes())),
            None => format!("{:032x}", short_hash(format!("{about}\n{times}").as_bytes())),
        };
        *times += 1;
        for pair in mapped {
            *self.mapped.entry(pair).or_default() += 1;
        }
        Ok(Some(Verdict { key, draft, place, repaired, guessed }))
    }

    /// Counts and tells a row that is filed, or would be.
    pub(crate) fn fit(&mut self, verdict: &Verdict, out: &Output) -> Result<(), CliError> {
        let status = if verdict.repaired.is_empty() { "accepted" } else { "repaired" };
        if verdict.repaired.is_empty() {
            self.counts.accepted += 1;
        } else {
            self.counts.repaired += 1;
        }
        for (list, counted) in [(&verdict.repaired, &mut self.repairs), (&verdict.guessed, &mut self.guesses)] {
            for how in list {
                if counted.len() < KINDS || counted.contains_key(how) {
                    *counted.entry(how.clone()).or_default() += 1;
                }
            }
        }
        if self.told.problems && self.first.len() < SHOWN {
            self.first.push(Written::of(&verdict.draft));
        }
        if self.told.rows && out.is_json() {
            return out.value(&RowTold {
                status,
                line: verdict.place.line,
                column: &verdict.place.column,
                value: None,
                reason: None,
                repaired: &verdict.repaired,
                guessed: &verdict.guessed,
                report: Some(Written::of(&verdict.draft)),
            });
        }
        Ok(())
    }

    /// Counts and tells a row that the node does not take.
    pub(crate) fn denied(&mut self, verdict: Verdict, reason: &str, out: &Output) -> Result<(), CliError> {
        self.counts.refused += 1;
        let value = verdict.draft.indicator.map(|(indicator, _)| indicator.to_string()).unwrap_or_default();
        self.tell_refused(&Refused { place: verdict.place, value, reason: reason.to_owned() }, out)
    }

    fn tell_refused(&self, refused: &Refused, out: &Output) -> Result<(), CliError> {
        let Refused { place, value, reason } = refused;
        if out.is_json() {
            return out.value(&RowTold {
                status: "refused",
                line: place.line,
                column: &place.column,
                value: Some(value),
                reason: Some(reason),
                repaired: &[],
                guessed: &[],
                report: None,
            });
        }
        if self.told.problems {
            let column = if place.column.is_empty() { String::new() } else { format!(", {}", place.column) };
            out.line(&format!("line {}{column}: {value:?}: {reason}", place.line))?;
        }
        Ok(())
    }

    fn tell(&self, place: &Place, status: &'static str, reason: Option<&str>, out: &Output) -> Result<(), CliError> {
        if self.told.rows && out.is_json() {
            let (line, column) = (place.line, place.column.as_str());
            return out.value(&RowTold {
                status,
                line,
                column,
                value: None,
                reason,
                repaired: &[],
                guessed: &[],
                report: None,
            });
        }
        Ok(())
    }

    /// Shows what the first rows become, so that a wrong column is seen.
    pub(crate) fn show_first(&self, out: &Output) {
        if !self.first.is_empty() && !out.is_json() {
            out.note("the first of what would be filed:");
            out.note_table(&Written::HEADER, self.first.iter().map(Written::cells).collect());
        }
    }

    /// Tells what was guessed and repaired, and the counts, last.
    pub(crate) fn end(self, outcome: Option<&Outcome>, out: &Output) -> Result<(), CliError> {
        for ((theirs, ours), rows) in &self.mapped {
            out.note(&format!("{theirs:?} was taken as {ours} in {rows} rows; the word itself is kept as a term"));
        }
        for (how, rows) in &self.guesses {
            out.note(&format!("guessed in {rows} rows: {how}"));
        }
        for (how, rows) in &self.repairs {
            out.note(&format!("repaired in {rows} rows: {how}"));
        }
        for (what, number) in &self.beside {
            out.note(&format!("left out: {number} {what}"));
        }
        if out.is_json() {
            return out.value(&End { counts: self.counts, outcome });
        }
        out.heading(&self.counts.sentence())?;
        if let Some(Outcome { filed, revised, shared, unchanged, retracted, .. }) = outcome {
            out.line(&format!(
                "{filed} filed, {revised} revised, {shared} shared further, {unchanged} unchanged, {retracted} retracted"
            ))?;
        }
        Ok(())
    }
}

/// Half of a SHA-256: rows of hostile files cannot be made to fall together.
fn short_hash(bytes: &[u8]) -> u128 {
    let hash = Hash::of(&[bytes]).0;
    u128::from_be_bytes(*hash.first_chunk().expect("a hash has 32 bytes"))
}

/// Which column was taken for what.
pub(crate) fn show_columns(opened: &Opened<'_>, out: &Output) {
    out.note(&format!("read as {}", opened.format));
    let Some(columns) = &opened.columns else { return };
    let how = if columns.guessed { "guessed from header and content" } else { "told, the rest guessed" };
    let told: Vec<String> =
        columns.columns.iter().map(|(header, column)| format!("{header} = {}", column.name())).collect();
    out.note(&format!("columns ({how}): {}", told.join(", ")));
}
