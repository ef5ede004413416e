//! Which format a file is of, and its rows.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead, Read};

use crate::columns::{Column, Columns};
use crate::row::{Beside, Defaults, FileError, Item};
use crate::table::Table;
use crate::{json, list, misp, ofac, stix, table, tagpack};

/// Formats that files are read in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// A table with commas, semicolons or bars between its cells.
    Csv,
    /// A table with tabs between its cells.
    Tsv,
    /// One a line.
    List,
    /// JSON of no standard.
    Json,
    /// A TagPack.
    TagPack,
    /// STIX 2.1.
    Stix,
    /// MISP events.
    Misp,
    /// OFAC's advanced sanctions list.
    Ofac,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 8] = [
        Format::Csv,
        Format::Tsv,
        Format::List,
        Format::Json,
        Format::TagPack,
        Format::Stix,
        Format::Misp,
        Format::Ofac,
    ];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Tsv => "tsv",
            Format::List => "list",
            Format::Json => "json",
            Format::TagPack => "tagpack",
            Format::Stix => "stix",
            Format::Misp => "misp",
            Format::Ofac => "ofac",
        }
    }

    /// The format that a word names.
    pub fn parse(word: &str) -> Option<Format> {
        let word = word.trim().to_ascii_lowercase();
        let word = match word.as_str() {
            "text" | "txt" | "plain" | "lines" => "list",
            "jsonl" | "ndjson" => "json",
            "yaml" | "yml" => "tagpack",
            "stix2" | "stix21" | "stix2.1" => "stix",
            "sdn" | "ofac-sdn" | "sdn-advanced" | "xml" => "ofac",
            other => other,
        };
        Format::ALL.into_iter().find(|format| format.word() == word)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How a file is to be read.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What holds for rows that do not say otherwise.
    pub defaults: Defaults,
    /// Columns as they are told: by header, or by number from 1.
    pub map: BTreeMap<String, Column>,
}

/// A file that is being read.
pub struct Opened<'a> {
    /// Its format.
    pub format: Format,
    /// Its columns, where it has some.
    pub columns: Option<Columns>,
    /// What it holds beside rows, counted; known once all rows were read.
    pub beside: BTreeMap<String, u64>,
    rows: Box<dyn Iterator<Item = Result<Item, FileError>> + 'a>,
}

impl Iterator for Opened<'_> {
    type Item = Result<Item, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next()
    }
}

/// What is read whole at most: a bundle of some 50,000 indicators.
const WHOLE_MIB: u64 = 64;

/// Looked at to tell the format.
const SNIFFED: usize = 8 << 10;

/// Opens a file; `name` helps to tell its format.
pub fn open<'a>(
    mut reader: Box<dyn BufRead + 'a>,
    name: &str,
    format: Option<Format>,
    settings: &'a Settings,
) -> Result<Opened<'a>, FileError> {
    let start = reader.fill_buf()?;
    let start = String::from_utf8_lossy(&start[..start.len().min(SNIFFED)]).into_owned();
    let format = format.unwrap_or_else(|| sniff(&start, name));
    let of = |rows: Box<dyn Iterator<Item = Result<Item, FileError>> + 'a>, columns, beside| Opened {
        format,
        columns,
        beside,
        rows,
    };
    let whole = |items: Vec<Item>| Box::new(items.into_iter().map(Ok));
    Ok(match format {
        Format::Csv | Format::Tsv => {
            let first = start.trim_start_matches('\u{feff}').lines().next().unwrap_or_default();
            let separator = if format == Format::Tsv { b'\t' } else { table::separator(first).unwrap_or(b',') };
            let table = Table::open(reader, separator, settings)?;
            let columns = table.columns().clone();
            of(Box::new(table), Some(columns), Beside::new())
        }
        Format::List => of(Box::new(list::List::open(reader, settings)), None, Beside::new()),
        Format::Ofac => of(Box::new(ofac::Ofac::open(reader, settings)), None, Beside::new()),
        Format::Json => {
            let read = json::read(&read_whole(reader)?, settings)?;
            of(whole(read.items), read.columns, read.beside)
        }
        Format::TagPack | Format::Stix | Format::Misp => {
            let text = read_whole(reader)?;
            let mut beside = Beside::new();
            let items = match format {
                Format::TagPack => tagpack::read(&text, settings, &mut beside),
                Format::Stix => stix::read(&text, settings, &mut beside),
                _ => misp::read(&text, settings, &mut beside),
            }?;
            of(whole(items), None, beside)
        }
    })
}

/// Opens a MISP feed: a directory with `manifest.json` and one file for each event. `event` reads the file of a name
/// that the manifest gives.
pub fn open_directory<'a>(
    manifest: &str,
    event: impl Fn(&str) -> std::io::Result<Vec<u8>> + 'a,
    settings: &'a Settings,
) -> Result<Opened<'a>, FileError> {
    let listed: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(manifest).map_err(|error| FileError::Format(format!("manifest.json: {error}")))?;
    let rows = listed.into_keys().flat_map(move |uuid| -> Vec<Result<Item, FileError>> {
        // A name from outside becomes a path: it is a UUID and nothing else.
        let read = || -> Result<Vec<Item>, FileError> {
            let name: uuid::Uuid =
                uuid.parse().map_err(|_| FileError::Format("manifest.json: a name in it is no UUID".to_owned()))?;
            let bytes = event(&format!("{name}.json"))?;
            let text =
                String::from_utf8(bytes).map_err(|_| FileError::Format(format!("{name}.json is not text in UTF-8")))?;
            misp::read(&text, settings, &mut Beside::new())
        };
        match read() {
            Ok(items) => items.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        }
    });
    Ok(Opened { format: Format::Misp, columns: None, beside: BTreeMap::new(), rows: Box::new(rows) })
}

fn read_whole(reader: Box<dyn BufRead + '_>) -> Result<String, FileError> {
    let mut bytes = Vec::new();
    reader.take((WHOLE_MIB << 20) + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > WHOLE_MIB << 20 {
        return Err(FileError::TooLarge { limit: WHOLE_MIB });
    }
    let text = String::from_utf8(bytes).map_err(|_| FileError::Format("it is not text in UTF-8".to_owned()))?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// The format by the beginning of the file, and its name where that does not tell.
fn sniff(start: &str, name: &str) -> Format {
    let start = start.trim_start_matches('\u{feff}').trim_start();
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default();
    let packed: String = start.chars().filter(|found| !found.is_whitespace()).take(2000).collect();
    if packed.starts_with('<') {
        return Format::Ofac;
    }
    if packed.starts_with('{') || packed.starts_with("[{") || packed.starts_with("[\"") {
        let has = |part: &str| packed.contains(part);
        if has("\"Event\":") || has("\"response\":[{") {
            return Format::Misp;
        }
        let is_stix = has("\"type\":\"bundle\"") || has("\"spec_version\":\"2.") || has("\"objects\":[{\"type\":\"");
        return if is_stix && !has("\"originator\":{") { Format::Stix } else { Format::Json };
    }
    match extension.as_str() {
        "yaml" | "yml" => return Format::TagPack,
        "tsv" | "tab" => return Format::Tsv,
        "csv" => return Format::Csv,
        _ => {}
    }
    if start.lines().any(|line| line.starts_with("tags:")) {
        return Format::TagPack;
    }
    let first = start.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#')).unwrap_or_default();
    match table::separator(first) {
        Some(b'\t') => Format::Tsv,
        // One cell more than a comma in a sentence would make, on several lines alike.
        Some(separator) if is_table(start, separator) => Format::Csv,
        _ => Format::List,
    }
}

fn is_table(start: &str, separator: u8) -> bool {
    let count = |line: &str| line.bytes().filter(|byte| *byte == separator).count();
    let counts: Vec<usize> = start.lines().filter(|line| !line.trim().is_empty()).take(5).map(count).collect();
    counts.first().is_some_and(|first| *first > 0 && counts.iter().skip(1).take(3).all(|other| other >= first))
}
