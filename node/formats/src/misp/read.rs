//! Attributes and objects of MISP events as rows.

use entente_protocol::indicator::Kind;
use entente_protocol::statement::draft::Field;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::OURS;
use crate::open::Settings;
use crate::row::{Beside, FileError, Item, Making, Origin};
use crate::text::Lines;

#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(rename = "Event", borrow)]
    event: Event<'a>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(default)]
    info: String,
    #[serde(default)]
    uuid: String,
    #[serde(rename = "Orgc", default)]
    orgc: Option<Named>,
    #[serde(rename = "Tag", default)]
    tags: Vec<Named>,
    #[serde(rename = "Attribute", default, borrow)]
    attributes: Vec<&'a RawValue>,
    #[serde(rename = "Object", default, borrow)]
    objects: Vec<Object<'a>>,
}

#[derive(Deserialize)]
struct Object<'a> {
    #[serde(default)]
    name: String,
    #[serde(default)]
    comment: String,
    #[serde(default)]
    deleted: Value,
    #[serde(rename = "Attribute", default, borrow)]
    attributes: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    name: String,
}

#[derive(Clone, Deserialize)]
struct Attribute {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    value: Value,
    #[serde(default)]
    uuid: String,
    #[serde(default)]
    comment: Option<String>,
    #[serde(default)]
    object_relation: Option<String>,
    #[serde(default)]
    first_seen: Option<String>,
    #[serde(default)]
    last_seen: Option<String>,
    #[serde(default)]
    deleted: Value,
    #[serde(rename = "Tag", default)]
    tags: Vec<TagOf>,
}

#[derive(Clone, Deserialize)]
struct TagOf {
    #[serde(default)]
    name: String,
}

/// Attributes' types that name an indicator; of two joined by a bar, the part that is read.
const TYPES: &[(&str, Option<Kind>, usize)] = &[
    ("btc", None, 0),
    ("dash", None, 0),
    ("xmr", None, 0),
    ("domain", Some(Kind::Domain), 0),
    ("hostname", Some(Kind::Domain), 0),
    ("domain|ip", Some(Kind::Domain), 0),
    ("hostname|port", Some(Kind::Domain), 0),
    ("url", Some(Kind::Url), 0),
    ("uri", Some(Kind::Url), 0),
    ("ip-src", Some(Kind::Ip), 0),
    ("ip-dst", Some(Kind::Ip), 0),
    ("ip-src|port", Some(Kind::Ip), 0),
    ("ip-dst|port", Some(Kind::Ip), 0),
    ("email", Some(Kind::Email), 0),
    ("email-src", Some(Kind::Email), 0),
    ("email-dst", Some(Kind::Email), 0),
    ("email-reply-to", Some(Kind::Email), 0),
    ("whois-registrant-email", Some(Kind::Email), 0),
    ("phone-number", Some(Kind::Phone), 0),
    ("iban", Some(Kind::BankAccount), 0),
    ("md5", Some(Kind::FileHash), 0),
    ("sha1", Some(Kind::FileHash), 0),
    ("sha224", Some(Kind::FileHash), 0),
    ("sha256", Some(Kind::FileHash), 0),
    ("sha384", Some(Kind::FileHash), 0),
    ("sha512", Some(Kind::FileHash), 0),
    ("ssdeep", Some(Kind::FileHash), 0),
    ("tlsh", Some(Kind::FileHash), 0),
    ("filename|md5", Some(Kind::FileHash), 1),
    ("filename|sha1", Some(Kind::FileHash), 1),
    ("filename|sha256", Some(Kind::FileHash), 1),
    ("filename|sha512", Some(Kind::FileHash), 1),
    ("github-username", Some(Kind::Handle), 0),
    ("twitter-id", Some(Kind::Handle), 0),
    ("jabber-id", Some(Kind::Handle), 0),
];

/// Texts of objects that name an indicator: object, relation, kind.
const RELATIONS: &[(&str, &str, Option<Kind>)] = &[
    ("coin-address", "address-crypto", None),
    ("cryptocurrency-transaction", "transaction-number", Some(Kind::Transaction)),
    ("btc-transaction", "transaction-number", Some(Kind::Transaction)),
    ("telegram-account", "username", Some(Kind::Handle)),
    ("telegram-account", "phone", Some(Kind::Phone)),
    ("bank-account", "account", Some(Kind::BankAccount)),
    ("twitter-account", "name", Some(Kind::Handle)),
    ("user-account", "username", Some(Kind::Handle)),
];

/// Reads an event, a list of them, or an answer of MISP's API.
pub(crate) fn read(document: &str, settings: &Settings, beside: &mut Beside) -> Result<Vec<Item>, FileError> {
    #[derive(Deserialize)]
    struct Response<'a> {
        #[serde(borrow)]
        response: Vec<Wrapped<'a>>,
    }
    let events: Vec<Wrapped<'_>> = if let Ok(one) = serde_json::from_str::<Wrapped<'_>>(document) {
        vec![one]
    } else if let Ok(response) = serde_json::from_str::<Response<'_>>(document) {
        response.response
    } else {
        serde_json::from_str(document).map_err(|error| FileError::Format(format!("it is no MISP event: {error}")))?
    };
    let mut reading = Reading { settings, lines: Lines::new(document), beside, items: Vec::new() };
    for Wrapped { event } in &events {
        reading.event(event);
    }
    Ok(reading.items)
}

struct Reading<'a, 'b> {
    settings: &'a Settings,
    lines: Lines<'a>,
    beside: &'b mut Beside,
    items: Vec<Item>,
}

impl Reading<'_, '_> {
    fn event(&mut self, event: &Event<'_>) {
        for raw in &event.attributes {
            if let Some(attribute) = self.attribute(raw) {
                self.row(raw, &attribute, event, None, &[]);
            }
        }
        for object in event.objects.iter().filter(|object| !is_true(&object.deleted)) {
            let attributes: Vec<(&RawValue, Attribute)> =
                object.attributes.iter().filter_map(|raw| Some((*raw, self.attribute(raw)?))).collect();
            let all: Vec<Attribute> = attributes.iter().map(|(_, attribute)| attribute.clone()).collect();
            for (raw, attribute) in &attributes {
                self.row(raw, attribute, event, Some(object), &all);
            }
        }
    }

    fn attribute(&mut self, raw: &RawValue) -> Option<Attribute> {
        let attribute: Option<Attribute> = serde_json::from_str(raw.get()).ok();
        match attribute {
            Some(attribute) if is_true(&attribute.deleted) => None,
            Some(attribute) => Some(attribute),
            None => {
                let mut making = Making::new(&self.settings.defaults, self.lines.of(raw.get()), "");
                making.fail("Attribute", raw.get(), "it is no attribute of MISP".to_owned());
                self.items.push(making.finish());
                None
            }
        }
    }

    fn row(
        &mut self,
        raw: &RawValue,
        attribute: &Attribute,
        event: &Event<'_>,
        object: Option<&Object<'_>>,
        all: &[Attribute],
    ) {
        let value = match &attribute.value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        // What this software exported says itself what it is about.
        let ours = attribute.tags.iter().find_map(|tag| tag.name.strip_prefix(OURS)?.strip_prefix("indicator="));
        let ours = ours.map(|text| (None, text.trim_matches('"').to_owned()));
        let Some((kind, text)) = ours.or_else(|| about(attribute, object, &value)) else {
            let what = format!("attributes of the type {}, which names no indicator here", attribute.kind);
            *self.beside.entry(what).or_default() += 1;
            return;
        };
        let mut making = Making::new(&self.settings.defaults, self.lines.of(raw.get()), &attribute.uuid);
        if let Some(kind) = kind {
            making.kind(kind);
        }
        making.indicator("value", &text);
        making.id = Some(attribute.uuid.clone()).filter(|id| !id.is_empty());
        chain(&mut making, attribute, object, all);
        for said in attribute.comment.iter().chain(object.map(|object| &object.comment)) {
            making.note(said);
        }
        for beside in all.iter().filter(|beside| beside.object_relation.as_deref() == Some("text")) {
            making.note(beside.value.as_str().unwrap_or_default());
        }
        making.note(&event.info);
        if let Some(orgc) = &event.orgc {
            making.set(Field::Source, "Orgc", &orgc.name);
        }
        if !event.uuid.is_empty() {
            making.set(Field::Reference, "uuid", &format!("MISP event {}", event.uuid));
        }
        let seen = |relation: &str| {
            let found = all.iter().find(|beside| beside.object_relation.as_deref() == Some(relation));
            found.and_then(|found| found.value.as_str()).map(str::to_owned)
        };
        let first = attribute.first_seen.clone().or_else(|| seen("first-seen"));
        let last = attribute.last_seen.clone().or_else(|| seen("last-seen"));
        making.time(Field::ObservedFrom, "first_seen", &first.unwrap_or_default());
        making.time(Field::ObservedUntil, "last_seen", &last.unwrap_or_default());
        // What the attribute says of itself counts before what its event says of all.
        let own = attribute.tags.iter().map(|tag| tag.name.as_str());
        let of_event = event.tags.iter().map(|tag| tag.name.as_str());
        tags(&mut making, &own.chain(of_event).collect::<Vec<_>>());
        self.items.push(making.finish());
    }
}

fn is_true(value: &Value) -> bool {
    matches!(value, Value::Bool(true)) || matches!(value.as_str(), Some("1" | "true")) || value.as_i64() == Some(1)
}

/// The kind and text of the indicator that an attribute names.
fn about(attribute: &Attribute, object: Option<&Object<'_>>, value: &str) -> Option<(Option<Kind>, String)> {
    let relation = attribute.object_relation.as_deref().unwrap_or_default();
    let of_object = object.and_then(|object| RELATIONS.iter().find(|row| row.0 == object.name && row.1 == relation));
    let (kind, part) = match of_object {
        Some((.., kind)) => (*kind, 0),
        // A serial number or address of money sent to is told by its type alone.
        None => TYPES.iter().find(|(known, ..)| *known == attribute.kind).map(|(_, kind, part)| (*kind, *part))?,
    };
    let text = if attribute.kind.contains('|') { value.split('|').nth(part)? } else { value };
    Some((
        kind,
        match (kind, object.map(|object| object.name.as_str())) {
            (Some(Kind::Handle), Some("telegram-account")) => format!("telegram:{text}"),
            (Some(Kind::Handle), Some("twitter-account")) => format!("x:{text}"),
            (Some(Kind::Handle), Some("user-account")) if !text.contains(':') => return None,
            (Some(Kind::Handle), _) => match attribute.kind.as_str() {
                "github-username" => format!("github:{text}"),
                "twitter-id" => format!("x:{text}"),
                "jabber-id" => format!("xmpp:{text}"),
                _ => text.to_owned(),
            },
            (Some(Kind::FileHash), _) => {
                let algorithm = attribute.kind.rsplit('|').next().unwrap_or_default();
                format!("{algorithm}:{text}")
            }
            (Some(Kind::BankAccount), Some("bank-account"))
                if attribute.kind == "bank-account-nr" && !text.contains(':') =>
            {
                // The country is not told: only an IBAN says it itself.
                text.to_owned()
            }
            _ => text.to_owned(),
        },
    ))
}

/// The chain: of the attribute's type, or the symbol beside it.
fn chain(making: &mut Making<'_>, attribute: &Attribute, object: Option<&Object<'_>>, all: &[Attribute]) {
    let symbol = all.iter().find(|beside| beside.object_relation.as_deref() == Some("symbol"));
    let symbol = symbol.and_then(|symbol| symbol.value.as_str()).unwrap_or_default();
    let name = object.map(|object| object.name.as_str()).unwrap_or_default();
    match attribute.kind.as_str() {
        "dash" => making.chain("dash"),
        "xmr" => making.chain("monero"),
        // Older events put addresses of any chain into the type for Bitcoin, and the symbol beside it.
        "btc" => making.chain(if symbol.is_empty() { "bitcoin" } else { symbol }),
        _ if name == "btc-transaction" => making.chain("bitcoin"),
        _ if name == "coin-address" || name == "cryptocurrency-transaction" => making.chain(symbol),
        _ => {}
    }
    for beside in all.iter().filter(|_| name == "coin-address") {
        if let Some(caip2) = beside.value.as_str().and_then(|said| said.strip_prefix("chain ")) {
            making.chain(caip2);
        }
    }
}

fn tags(making: &mut Making<'_>, tags: &[&str]) {
    let (mut reliability, mut credibility) = (None, None);
    let (mut marked, mut pap) = (false, false);
    for tag in tags {
        let lower = tag.to_ascii_lowercase();
        let quoted = || tag.split_once('=').map(|(_, value)| value.trim_matches('"'));
        if let Some(ours) = tag.strip_prefix(OURS) {
            our_tag(making, ours);
        } else if let Some(word) = lower.strip_prefix("tlp:") {
            if !std::mem::replace(&mut marked, true) {
                making.set(Field::Marking, "Tag", if word == "white" { "clear" } else { word });
            }
        } else if let Some(word) = lower.strip_prefix("pap:") {
            if !std::mem::replace(&mut pap, true) {
                making.set(Field::Pap, "Tag", word);
            }
        } else if lower.starts_with("admiralty-scale:source-reliability") {
            reliability = reliability.or_else(quoted);
        } else if lower.starts_with("admiralty-scale:information-credibility") {
            credibility = credibility.or_else(quoted);
        } else {
            // `galaxy="Pig Butchering Scam"`: the word is the value, or what stands behind the last colon.
            let word = quoted().or_else(|| tag.rsplit_once(':').map(|(_, word)| word)).unwrap_or(tag);
            let scheme = tag.split_once(['=', '"']).map_or_else(
                || tag.rsplit_once(':').map_or("urn:misp:tag", |(scheme, _)| scheme),
                |(scheme, _)| scheme,
            );
            let scheme = scheme.replace(char::is_whitespace, "_");
            making.typology(&if scheme.starts_with("urn:") { scheme } else { format!("urn:misp:{scheme}") }, word);
        }
    }
    if let (Some(reliability), Some(credibility)) = (reliability, credibility) {
        making.set(Field::Grading, "Tag", &format!("admiralty:{}{credibility}", reliability.to_uppercase()));
    }
}

/// What our own export says in tags: `entente:report="agency1…/id/revision"`, `entente:grading="4x4:B2"`.
fn our_tag(making: &mut Making<'_>, tag: &str) {
    let Some((name, value)) = tag.split_once('=') else { return };
    let value = value.trim_matches('"');
    if name == "indicator" {
        return making.written("Tag", value);
    }
    if name == "report" {
        let mut parts = value.split('/');
        if let (Some(originator), Some(report)) = (parts.next(), parts.next()) {
            making.origin = Some(Origin {
                originator: originator.to_owned(),
                report: report.to_owned(),
                revision: parts.next().and_then(|number| number.parse().ok()).unwrap_or(0),
            });
        }
        return;
    }
    if let Some(field) = Field::ALL.iter().find(|field| field.name() == name) {
        making.set(*field, "Tag", value);
    }
}
