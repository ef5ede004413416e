//! JSON of no standard: a list of objects, one object a line, or lists of plain texts, such as blocklists.
//!
//! The keys of objects are told like the columns of a table. Of an object that holds several lists of texts, those that
//! say what is bad are read, and those that say what is not are left out and told.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::columns::{Columns, SAMPLE};
use crate::open::Settings;
use crate::row::{Beside, FileError, Item, Making, Place, Refused};
use crate::text::Lines;

/// Keys of lists that say what is bad, and what is not.
const BAD: &[&str] =
    &["blacklist", "blocklist", "blocked", "list", "items", "addresses", "domains", "deny", "denylist", "data"];

/// What was read of a file.
pub(crate) struct Read {
    pub(crate) columns: Option<Columns>,
    pub(crate) items: Vec<Item>,
    pub(crate) beside: Beside,
}

/// Reads a document, or one object a line.
pub(crate) fn read(text: &str, settings: &Settings) -> Result<Read, FileError> {
    let mut beside = Beside::new();
    let raws: Vec<&RawValue> = match serde_json::from_str::<&RawValue>(text.trim()) {
        Ok(document) => elements(document, &mut beside)?,
        Err(_) => lines(text)?,
    };
    let mut places = Lines::new(text);
    let values: Vec<(u64, Option<Value>)> =
        raws.iter().map(|raw| (places.of(raw.get()), serde_json::from_str(raw.get()).ok())).collect();
    let sample: Vec<Map<String, Value>> =
        values.iter().filter_map(|(_, value)| value.as_ref()?.as_object().cloned()).take(SAMPLE).map(flat).collect();
    let mut headers: Vec<String> = Vec::new();
    for key in sample.iter().flat_map(Map::keys) {
        if !headers.contains(key) {
            headers.push(key.clone());
        }
    }
    let rows: Vec<Vec<String>> =
        sample.iter().map(|object| headers.iter().map(|key| cell(object.get(key))).collect()).collect();
    let columns = if headers.is_empty() {
        None
    } else {
        let columns = Columns::tell(&headers, &rows, &settings.map).map_err(FileError::Format)?;
        if !columns.has_indicator() {
            return Err(FileError::Format(format!(
                "no key holds addresses or other indicators; there are {}: say which with --map KEY=indicator",
                headers.join(", ")
            )));
        }
        Some(columns)
    };
    let items = values.into_iter().map(|(line, value)| item(line, value, columns.as_ref(), settings)).collect();
    Ok(Read { columns, items, beside })
}

/// The elements of a document: of a list, or of the lists in it that say what is bad.
fn elements<'a>(document: &'a RawValue, beside: &mut Beside) -> Result<Vec<&'a RawValue>, FileError> {
    if let Ok(list) = serde_json::from_str::<Vec<&RawValue>>(document.get()) {
        return Ok(list);
    }
    let object: BTreeMap<String, &RawValue> =
        serde_json::from_str(document.get()).map_err(|error| FileError::Format(format!("it is no JSON: {error}")))?;
    let list = |raw: &&'a RawValue| serde_json::from_str::<Vec<&'a RawValue>>(raw.get()).ok();
    let wanted: Vec<&String> = object.keys().filter(|key| BAD.contains(&key.to_ascii_lowercase().as_str())).collect();
    let only = object.iter().filter(|(_, raw)| list(raw).is_some()).count() == 1;
    let mut found = Vec::new();
    for (key, raw) in &object {
        let Some(list) = list(raw) else { continue };
        if only || wanted.contains(&key) {
            found.extend(list);
        } else {
            beside.insert(format!("entries of the list {key:?}, which is not read"), list.len() as u64);
        }
    }
    if found.is_empty() && !object.values().any(|raw| list(raw).is_some()) {
        return Ok(vec![document]);
    }
    Ok(found)
}

fn lines(text: &str) -> Result<Vec<&RawValue>, FileError> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .enumerate()
        .map(|(place, line)| {
            serde_json::from_str(line)
                .map_err(|error| FileError::Format(format!("object {} is no JSON: {error}", place + 1)))
        })
        .collect()
}

fn item(line: u64, value: Option<Value>, columns: Option<&Columns>, settings: &Settings) -> Item {
    let mut making = Making::new(&settings.defaults, line, "");
    match (value, columns) {
        (Some(Value::String(text)), _) => making.indicator("", &text),
        (Some(Value::Object(object)), Some(columns)) => {
            let object = flat(object);
            let cells: Vec<String> = columns.columns.iter().map(|(key, _)| cell(object.get(key))).collect();
            columns.fill(&mut making, cells.iter().map(String::as_str));
        }
        (other, _) => {
            let value = other.map(|value| value.to_string()).unwrap_or_default();
            let value = crate::text::bounded(&value, 200).to_owned();
            let reason = "neither a text nor an object".to_owned();
            return Err(Refused { place: Place { line, column: String::new() }, value, reason });
        }
    }
    making.finish()
}

/// Objects within an object by their paths, one level deep: `originator.id`. Our own exports nest so.
fn flat(object: Map<String, Value>) -> Map<String, Value> {
    let mut out = Map::new();
    let note = object.get("handling_note").and_then(Value::as_str).map(str::to_owned);
    for (key, value) in object {
        match value {
            // The words of H3 stand beside their code.
            Value::Array(codes) if key == "handling" && note.is_some() => {
                let codes = codes.iter().filter_map(Value::as_str);
                let with_words = |code: &str| match &note {
                    Some(note) if code == "H3" => format!("H3: {note}"),
                    _ => code.to_owned(),
                };
                let codes: Vec<String> = codes.map(with_words).collect();
                out.insert(key, codes.into());
            }
            Value::Object(inner) => {
                // An indicator as our own API writes it.
                if key == "indicator" && inner.contains_key("text") {
                    out.insert(key, inner["text"].clone());
                } else if key == "originator" && inner.contains_key("id") {
                    out.insert(key, inner["id"].clone());
                } else {
                    out.extend(inner.into_iter().map(|(name, value)| (format!("{key}.{name}"), value)));
                }
            }
            value => {
                // The number of a report in our own exports.
                let key =
                    if key == "id" && value.as_str().is_some_and(is_report_id) { "report".to_owned() } else { key };
                out.insert(key, value);
            }
        }
    }
    out
}

fn is_report_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A value as the cell of a table.
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(list)) => list.iter().map(|item| cell(Some(item))).collect::<Vec<_>>().join("; "),
        Some(other) => other.to_string(),
    }
}
