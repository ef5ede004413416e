//! STIX objects as rows.

use std::collections::{BTreeMap, BTreeSet};

use entente_protocol::indicator::Kind;
use entente_protocol::statement::draft::Field;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{EXTENSION, TLP, TLP_1, pattern};
use crate::open::Settings;
use crate::row::{Beside, FileError, Item, Making, Origin};
use crate::text::Lines;

type Object = Map<String, Value>;

/// What of a file other objects refer to.
#[derive(Default)]
struct Context {
    /// Names of identities, threats and others.
    names: BTreeMap<String, String>,
    /// Marking definitions.
    markings: BTreeMap<String, Object>,
    /// From the source's id: kind of relationship, target.
    relationships: BTreeMap<String, Vec<(String, String)>>,
    /// Observables that an indicator is based on.
    based_on: BTreeSet<String>,
}

/// Observables' types and properties, with the kind of indicator that each is.
const OBSERVABLES: &[(&str, &str, Option<Kind>)] = &[
    ("cryptocurrency-wallet", "value", None),
    ("cryptocurrency-wallet", "address", None),
    ("cryptocurrency-transaction", "value", Some(Kind::Transaction)),
    ("domain-name", "value", Some(Kind::Domain)),
    ("hostname", "value", Some(Kind::Domain)),
    ("url", "value", Some(Kind::Url)),
    ("ipv4-addr", "value", Some(Kind::Ip)),
    ("ipv6-addr", "value", Some(Kind::Ip)),
    ("email-addr", "value", Some(Kind::Email)),
    ("phone-number", "value", Some(Kind::Phone)),
    ("phone-number", "number", Some(Kind::Phone)),
    ("bank-account", "iban", Some(Kind::BankAccount)),
    ("bank-account", "iban_number", Some(Kind::BankAccount)),
    ("user-account", "account_login", Some(Kind::Handle)),
    ("user-account", "user_id", Some(Kind::Handle)),
    // What this software exports and STIX has no observable for.
    ("x-entente-indicator", "value", None),
];

fn text<'o>(object: &'o Object, key: &str) -> &'o str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn texts<'o>(object: &'o Object, key: &str) -> impl Iterator<Item = &'o str> {
    object.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

pub(crate) fn read(document: &str, settings: &Settings, beside: &mut Beside) -> Result<Vec<Item>, FileError> {
    let no_stix = |error: serde_json::Error| FileError::Format(format!("it is no STIX: {error}"));
    let raws: Vec<&RawValue> = if let Ok(list) = serde_json::from_str::<Vec<&RawValue>>(document) {
        list
    } else {
        let bundle: BTreeMap<String, &RawValue> = serde_json::from_str(document).map_err(no_stix)?;
        match bundle.get("objects") {
            Some(objects) => serde_json::from_str(objects.get()).map_err(no_stix)?,
            None => vec![serde_json::from_str(document).map_err(no_stix)?],
        }
    };
    let mut lines = Lines::new(document);
    let objects = raws.iter().map(|raw| Ok((lines.of(raw.get()), serde_json::from_str(raw.get())?)));
    let objects: Vec<(u64, Object)> = objects.collect::<Result<_, _>>().map_err(no_stix)?;
    let context = Context::of(&objects);
    let mut items = Vec::new();
    for (line, object) in &objects {
        match text(object, "type") {
            "indicator" => items.extend(of_indicator(*line, object, &context, settings)),
            kind if is_observable(kind) => {
                if !context.based_on.contains(text(object, "id")) {
                    items.extend(of_observable(*line, object, &context, settings));
                }
            }
            "identity" | "marking-definition" | "relationship" | "extension-definition" | "bundle" => {}
            other => {
                *beside.entry(format!("objects of the type {other}, which is no indicator here")).or_default() += 1;
            }
        }
    }
    Ok(items)
}

fn is_observable(kind: &str) -> bool {
    kind == "file" || OBSERVABLES.iter().any(|(known, ..)| *known == kind)
}

impl Context {
    fn of(objects: &[(u64, Object)]) -> Context {
        let mut context = Context::default();
        for (_, object) in objects {
            let id = text(object, "id").to_owned();
            match text(object, "type") {
                "marking-definition" => drop(context.markings.insert(id, object.clone())),
                "relationship" => {
                    let (kind, target) = (text(object, "relationship_type"), text(object, "target_ref"));
                    if kind == "based-on" {
                        context.based_on.insert(target.to_owned());
                    }
                    let from = context.relationships.entry(text(object, "source_ref").to_owned()).or_default();
                    from.push((kind.to_owned(), target.to_owned()));
                }
                _ => {
                    if !text(object, "name").is_empty() {
                        context.names.insert(id, text(object, "name").to_owned());
                    }
                }
            }
        }
        context
    }

    /// The marking, handling and grading that marking definitions say.
    fn mark(&self, making: &mut Making<'_>, object: &Object) {
        let mut handling = Vec::new();
        let (mut reliability, mut credibility) = (None, None);
        for id in texts(object, "object_marking_refs") {
            let uuid = id.strip_prefix("marking-definition--").unwrap_or(id);
            if let Some((word, _)) = TLP.iter().chain(&TLP_1).find(|(_, known)| *known == uuid) {
                making.set(Field::Marking, "object_marking_refs", word);
                continue;
            }
            let Some(definition) = self.markings.get(id) else { continue };
            let of_extensions = definition.get("extensions").and_then(Value::as_object).into_iter().flatten();
            for (_, extension) in of_extensions {
                let said = |key: &str| extension.get(key).and_then(Value::as_str);
                if let Some(word) = said("tlp_2_0") {
                    making.set(Field::Marking, "object_marking_refs", word);
                }
                reliability = reliability.or(said("admiralty_source_reliability"));
                credibility = credibility.or(said("admiralty_information_credibility"));
            }
            let inner = definition.get("definition").and_then(Value::as_object);
            if let Some(word) = inner.and_then(|inner| inner.get("tlp")).and_then(Value::as_str) {
                making.set(Field::Marking, "object_marking_refs", if word == "white" { "clear" } else { word });
            }
            if let Some(statement) = inner.and_then(|inner| inner.get("statement")).and_then(Value::as_str) {
                handling.push(statement.to_owned());
            }
        }
        if let (Some(reliability), Some(credibility)) = (reliability, credibility) {
            let digit = credibility.chars().find(char::is_ascii_digit).map(String::from).unwrap_or_default();
            making.set(Field::Grading, "object_marking_refs", &format!("admiralty:{reliability}{digit}"));
        }
        if !handling.is_empty() {
            let words = handling.join("; ").replace(char::is_control, " ");
            let words = crate::text::bounded(&words, entente_protocol::limits::SHORT_TEXT_BYTES);
            making.set(Field::Handling, "object_marking_refs", &format!("H3: {words}"));
        }
    }
}

/// What indicators and observables say alike.
fn common(making: &mut Making<'_>, object: &Object, context: &Context) {
    context.mark(making, object);
    if let Some(author) = context.names.get(text(object, "created_by_ref")) {
        making.set(Field::Source, "created_by_ref", author);
    }
    making.note(text(object, "name"));
    making.note(text(object, "description"));
    for label in texts(object, "labels").chain(texts(object, "indicator_types")) {
        making.typology("urn:oasis:stix:2.1:label", label);
    }
    if let Some(confidence) = object.get("confidence").and_then(Value::as_u64) {
        making.term("urn:oasis:stix:2.1:confidence", &confidence.to_string());
    }
    for (kind, target) in context.relationships.get(text(object, "id")).into_iter().flatten() {
        if let Some(name) = context.names.get(target).filter(|_| kind != "based-on") {
            making.typology("urn:oasis:stix:2.1:related", name);
            making.note(&format!("{kind}: {name}"));
        }
    }
    let references = object.get("external_references").and_then(Value::as_array).into_iter().flatten();
    let url = references.clone().find_map(|reference| reference.get("url")?.as_str());
    let id = || references.clone().find_map(|reference| reference.get("external_id")?.as_str());
    if let Some(reference) = url.or_else(id) {
        making.set(Field::Reference, "external_references", reference);
    }
    ours(making, object);
}

/// What our own extension keeps.
fn ours(making: &mut Making<'_>, object: &Object) {
    let extension =
        object.get("extensions").and_then(|extensions| extensions.get(EXTENSION)).and_then(Value::as_object);
    let Some(extension) = extension else { return };
    if !text(extension, "text").is_empty() {
        making.written("text", text(extension, "text"));
    }
    for field in Field::ALL.iter().copied().filter(|field| !matches!(field, Field::Indicator | Field::Description)) {
        match extension.get(field.name()) {
            Some(Value::String(said)) => making.set(field, field.name(), said),
            Some(Value::Number(said)) => making.set(field, field.name(), &said.to_string()),
            Some(Value::Array(list)) => {
                let list: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
                making.set(field, field.name(), &list.join("; "));
            }
            _ => {}
        }
    }
    if !text(extension, "report").is_empty() {
        making.origin = Some(Origin {
            originator: text(extension, "originator").to_owned(),
            report: text(extension, "report").to_owned(),
            revision: extension.get("revision").and_then(Value::as_u64).and_then(|n| n.try_into().ok()).unwrap_or(0),
        });
    }
}

fn of_indicator(line: u64, object: &Object, context: &Context, settings: &Settings) -> Vec<Item> {
    let id = text(object, "id");
    let refuse = |value: &str, reason: String| {
        let mut making = Making::new(&settings.defaults, line, id);
        making.fail("pattern", value, reason);
        vec![making.finish()]
    };
    if object.get("revoked") == Some(&Value::Bool(true)) {
        return refuse(id, "its author revoked it".to_owned());
    }
    let pattern_type = text(object, "pattern_type");
    let written = text(object, "pattern");
    if !matches!(pattern_type, "stix" | "") {
        return refuse(pattern_type, "its pattern is of another language than STIX".to_owned());
    }
    let comparisons = match pattern::comparisons(written) {
        Ok(comparisons) => comparisons,
        Err(reason) => return refuse(written, reason),
    };
    let mut items = Vec::new();
    for (number, (kind, value)) in comparisons.iter().flat_map(about).enumerate() {
        let mut making = Making::new(&settings.defaults, line, id);
        if let Some(kind) = kind {
            making.kind(kind);
        }
        making.indicator("pattern", &value);
        making.id =
            Some(if number == 0 { id.to_owned() } else { format!("{id}/{number}") }).filter(|id| !id.is_empty());
        making.time(Field::ObservedFrom, "valid_from", text(object, "valid_from"));
        common(&mut making, object, context);
        items.push(making.finish());
    }
    if items.is_empty() {
        let paths: Vec<String> = comparisons.iter().map(|found| format!("{}:{}", found.object, found.path)).collect();
        return refuse(written, format!("no indicator here: it compares {}", paths.join(", ")));
    }
    items
}

/// The indicators that a comparison names.
fn about(comparison: &pattern::Comparison) -> Vec<(Option<Kind>, String)> {
    let algorithm = comparison.path.strip_prefix("hashes.").filter(|_| comparison.object == "file");
    let algorithm = algorithm.map(|name| name.to_ascii_lowercase().replace('-', ""));
    let listed = OBSERVABLES.iter().find(|(object, path, _)| *object == comparison.object && *path == comparison.path);
    let values = comparison.values.iter();
    match (algorithm, listed) {
        (Some(algorithm), _) => values.map(|value| (Some(Kind::FileHash), format!("{algorithm}:{value}"))).collect(),
        (None, Some((_, _, kind))) => values.map(|value| (*kind, value.clone())).collect(),
        (None, None) => Vec::new(),
    }
}

fn of_observable(line: u64, object: &Object, context: &Context, settings: &Settings) -> Vec<Item> {
    let (id, kind) = (text(object, "id"), text(object, "type"));
    let mut about: Vec<(Option<Kind>, String, &str)> = Vec::new();
    if kind == "file" {
        let hashes = object.get("hashes").and_then(Value::as_object).into_iter().flatten();
        // One file has many hashes: the strongest names it.
        let mut hashes: Vec<(String, &str)> = hashes
            .filter_map(|(name, value)| Some((name.to_ascii_lowercase().replace('-', ""), value.as_str()?)))
            .collect();
        hashes.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
        about.extend(hashes.first().map(|(name, value)| (Some(Kind::FileHash), format!("{name}:{value}"), "hashes")));
    } else {
        let known = OBSERVABLES.iter().filter(|(known, ..)| *known == kind);
        let found = known.filter_map(|(_, path, kind)| Some((*kind, object.get(*path)?.as_str()?, *path)));
        let first = found.map(|(kind, value, path)| (kind, value.to_owned(), path)).next();
        about.extend(first.map(|(found, value, path)| match text(object, "account_type") {
            platform if found == Some(Kind::Handle) && !platform.is_empty() => {
                (found, format!("{platform}:{value}"), path)
            }
            _ => (found, value, path),
        }));
    }
    let mut making = Making::new(&settings.defaults, line, id);
    making.id = Some(id.to_owned()).filter(|id| !id.is_empty());
    match about.pop() {
        Some((kind, value, path)) => {
            if let Some(kind) = kind {
                making.kind(kind);
            }
            making.indicator(path, &value);
        }
        None => making.fail(id, kind, "it has no property that an indicator here is made of".to_owned()),
    }
    for key in ["currency", "symbol", "currency_code"] {
        if kind.starts_with("cryptocurrency") {
            making.chain(text(object, key));
        }
    }
    making.note(text(object, "x_opencti_description"));
    for label in texts(object, "x_opencti_labels") {
        making.typology("urn:oasis:stix:2.1:label", label);
    }
    common(&mut making, object, context);
    vec![making.finish()]
}
