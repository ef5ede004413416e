//! TagPacks (GraphSense), YAML: a tag has the fields of its pack's header where it does not say otherwise.
//!
//! The confidence of a tag is a word of GraphSense's list, kept as such: it is no grading.

use std::collections::BTreeMap;

use entente_protocol::statement::draft::Field;
use serde::Deserialize;
use serde_yaml_ng::Value;

use crate::open::Settings;
use crate::row::{Beside, FileError, Item, Making};
use crate::text::Lines;

type Fields = BTreeMap<String, Value>;

#[derive(Deserialize)]
struct Pack {
    tags: Vec<Fields>,
    #[serde(flatten)]
    header: Fields,
}

const SCHEME: &str = "https://github.com/graphsense/graphsense-tagpack-tool";

/// Fields that have a place of their own, or say nothing to others.
const READ: &[&str] = &[
    "address",
    "currency",
    "network",
    "label",
    "source",
    "abuse",
    "category",
    "concepts",
    "confidence",
    "actor",
    "context",
    "tx_hash",
    "lastmod",
    "creator",
    "title",
    "description",
    "is_cluster_definer",
    "is_public",
    "uri",
    "owner",
    "tags",
];

pub(crate) fn read(text: &str, settings: &Settings, beside: &mut Beside) -> Result<Vec<Item>, FileError> {
    let pack: Pack =
        serde_yaml_ng::from_str(text).map_err(|error| FileError::Format(format!("it is no TagPack: {error}")))?;
    for key in pack.header.keys().filter(|key| !READ.contains(&key.as_str())) {
        *beside.entry(format!("field {key:?} of the header, which is not read")).or_default() += 1;
    }
    let mut lines = Lines::new(text);
    Ok(pack.tags.iter().map(|tag| item(tag, &pack.header, settings, &mut lines)).collect())
}

/// A field as text; lists with semicolons.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Sequence(items) => items.iter().map(text).collect::<Vec<_>>().join(";"),
        Value::Null | Value::Mapping(_) | Value::Tagged(_) => String::new(),
    }
}

fn item(tag: &Fields, header: &Fields, settings: &Settings, lines: &mut Lines<'_>) -> Item {
    let own = |key: &str| tag.get(key).map(text).filter(|text| !text.trim().is_empty());
    let of = |key: &str| own(key).or_else(|| header.get(key).map(text)).unwrap_or_default();
    let address = own("address").or_else(|| own("tx_hash")).unwrap_or_default();
    let mut making = Making::new(&settings.defaults, lines.of_next(&address), "address");
    if own("address").is_none() && own("tx_hash").is_some() {
        making.kind(entente_protocol::indicator::Kind::Transaction);
    }
    making.indicator("address", &address);
    let (network, currency) = (of("network"), of("currency"));
    making.chain(if network.is_empty() { &currency } else { &network });
    making.note(&of("label"));
    if let Some(description) = own("description") {
        making.note(&description);
    }
    making.typology(&format!("{SCHEME}/abuse"), &of("abuse"));
    of("concepts").split([';', ',']).for_each(|concept| {
        if making.has_typology() {
            making.term(&format!("{SCHEME}/concept"), concept);
        } else {
            making.typology(&format!("{SCHEME}/concept"), concept);
        }
    });
    for field in ["category", "confidence", "actor"] {
        making_term(&mut making, field, &of(field));
    }
    let source = of("source");
    making.set(Field::Reference, "source", source.split(';').next().unwrap_or_default());
    making.set(Field::Source, "creator", &of("creator"));
    if let Some(context) = own("context") {
        making.note(&format!("context: {context}"));
    }
    for field in tag.keys().filter(|key| !READ.contains(&key.as_str())) {
        if let Some(text) = own(field) {
            making.note(&format!("{field}: {text}"));
        }
    }
    making.finish()
}

fn making_term(making: &mut Making<'_>, field: &str, word: &str) {
    if !crate::row::is_nothing(word) {
        making.term(&format!("{SCHEME}/{field}"), word);
    }
}
