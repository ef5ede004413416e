//! Reports as a STIX 2.1 bundle: of each an indicator with a pattern, and where STIX or a known extension has one, the
//! observable that it is based on.
//!
//! Ids follow from what they name (UUIDv5), so that the same report has the same id in every export. Wallets are
//! written as OpenCTI reads them. What STIX has no place for stands in an extension of our own, with all gradings as
//! they were made; `confidence` is set from the standard's table where the grading is on the Admiralty scale, and
//! nowhere else.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{EXTENSION, NAMESPACE, TLP, WALLET};
use crate::report::Report;

/// STIX's namespace of deterministic ids of observables (STIX 2.1, section 2.9).
const SCO_NAMESPACE: Uuid = uuid::uuid!("00abedb4-aa42-466c-9c01-fed23315a9b7");

/// The extensions by which others made bank accounts, telephone numbers and transactions observables.
const BANK: &str = "extension-definition--f19f3291-6a84-5674-b311-d75a925d5bd9";
const PHONE: &str = "extension-definition--14a97ee2-e666-5ada-a6bd-b7177f79e211";
const TRANSACTION: &str = "extension-definition--151d042d-4dcf-5e44-843f-1024440318e5";

/// When our identity and extension were made; nothing of them changes.
const MADE: &str = "2026-11-01T00:00:00.000Z";

/// Writes reports as one bundle. `when` is now, RFC 3339.
pub fn bundle(reports: &[Report], when: &str) -> Value {
    let mut seen = BTreeSet::new();
    let mut objects = Vec::new();
    let mut add = |object: Value| {
        let id = object["id"].as_str().unwrap_or_default().to_owned();
        if seen.insert(id) {
            objects.push(object);
        }
    };
    for object in frame() {
        add(object);
    }
    for report in reports {
        add(tlp(&report.marking));
        add(originator(report));
        let observable = observable(report);
        let indicator = indicator(report);
        if let Some(observable) = observable {
            add(relationship(report, &indicator, &observable));
            add(observable);
        }
        add(indicator);
    }
    let names: Vec<&str> = reports.iter().map(|report| report.id.as_str()).collect();
    let id = Uuid::new_v5(&NAMESPACE, format!("bundle {when} {}", names.join(" ")).as_bytes());
    json!({ "type": "bundle", "id": format!("bundle--{id}"), "objects": objects })
}

fn id(kind: &str, name: &str) -> String {
    format!("{kind}--{}", Uuid::new_v5(&NAMESPACE, format!("{kind} {name}").as_bytes()))
}

/// Who made the extension, and what it is.
fn frame() -> [Value; 2] {
    let author = id("identity", "entente");
    [
        json!({
            "type": "identity", "spec_version": "2.1", "id": author, "created": MADE, "modified": MADE,
            "name": "Entente", "identity_class": "system",
        }),
        json!({
            "type": "extension-definition", "spec_version": "2.1", "id": EXTENSION, "created_by_ref": author,
            "created": MADE, "modified": MADE, "name": "Entente report", "version": "1.0.0",
            "description": "What a report says beyond STIX: originator, number and revision, grading in its scheme, \
                handling codes, typology, role, amounts, evidence by hash, the chain of an address (CAIP-2).",
            "schema": "urn:entente:stix:report:1", "extension_types": ["property-extension"],
        }),
    ]
}

fn tlp(marking: &str) -> Value {
    let (word, uuid) = TLP.iter().find(|(word, _)| *word == marking).unwrap_or(&TLP[4]);
    json!({
        "type": "marking-definition", "spec_version": "2.1", "id": format!("marking-definition--{uuid}"),
        "created": "2022-10-01T00:00:00.000Z", "name": format!("TLP:{}", word.to_uppercase()),
        "extensions": { "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d": {
            "extension_type": "property-extension", "tlp_2_0": word,
        } },
    })
}

fn tlp_ref(report: &Report) -> String {
    tlp(&report.marking)["id"].as_str().unwrap_or_default().to_owned()
}

fn originator(report: &Report) -> Value {
    json!({
        "type": "identity", "spec_version": "2.1", "id": id("identity", &report.originator.id),
        "created": MADE, "modified": MADE, "name": report.originator.name, "identity_class": "organization",
    })
}

/// The type and contributing properties of the observable, and the extension that makes it one.
fn parts(report: &Report) -> Option<(&'static str, Value, Option<&'static str>)> {
    let indicator = &report.indicator;
    let value = || json!({ "value": indicator.canonical });
    let two = || indicator.canonical.split_once(':');
    Some(match indicator.kind.as_str() {
        "address" => ("cryptocurrency-wallet", value(), Some(WALLET)),
        "transaction" => {
            let hash = indicator.canonical.rsplit(':').next()?;
            (
                "cryptocurrency-transaction",
                json!({ "symbol": symbol(indicator.chain.as_deref()), "value": hash }),
                Some(TRANSACTION),
            )
        }
        "domain" => ("domain-name", value(), None),
        "url" => ("url", value(), None),
        "ip" if indicator.canonical.contains(':') => ("ipv6-addr", value(), None),
        "ip" => ("ipv4-addr", value(), None),
        "email" => ("email-addr", value(), None),
        "phone" => ("phone-number", value(), Some(PHONE)),
        "handle" => {
            let (platform, name) = two()?;
            match ACCOUNT_TYPES.iter().find(|(ours, _)| *ours == platform) {
                Some((_, theirs)) => ("user-account", json!({ "account_type": theirs, "account_login": name }), None),
                None => ("user-account", json!({ "account_login": indicator.canonical }), None),
            }
        }
        "exchange-account" => ("user-account", json!({ "user_id": indicator.canonical }), None),
        "bank-account" if !indicator.canonical.contains(':') => {
            ("bank-account", json!({ "iban": indicator.canonical }), Some(BANK))
        }
        "file-hash" => {
            let (algorithm, digits) = two()?;
            ("file", json!({ "hashes": { hash_name(algorithm)?: digits } }), None)
        }
        _ => return None,
    })
}

/// Platforms that STIX's vocabulary of account types has.
const ACCOUNT_TYPES: [(&str, &str); 3] = [("facebook", "facebook"), ("skype", "skype"), ("x", "twitter")];

/// What the extension for transactions wants to be told of the chain: the ticker of its coin, or its CAIP-2 id.
fn symbol(chain: Option<&str>) -> &str {
    match chain.unwrap_or_default() {
        "bip122:000000000019d6689c085ae165831e93" => "BTC",
        "eip155:1" => "ETH",
        "tron:728126428" => "TRX",
        other => other,
    }
}

/// A hash algorithm as STIX's vocabulary names it.
fn hash_name(algorithm: &str) -> Option<&'static str> {
    Some(match algorithm {
        "md5" => "MD5",
        "sha1" => "SHA-1",
        "sha256" => "SHA-256",
        "sha512" => "SHA-512",
        "ssdeep" => "SSDEEP",
        "tlsh" => "TLSH",
        _ => return None,
    })
}

fn observable(report: &Report) -> Option<Value> {
    let (kind, properties, extension) = parts(report)?;
    // Contributing properties in canonical JSON: keys in order, no spaces. `serde_json` sorts keys.
    let name = serde_json::to_string(&properties).ok()?;
    let mut object = json!({
        "type": kind, "spec_version": "2.1", "id": format!("{kind}--{}", Uuid::new_v5(&SCO_NAMESPACE, name.as_bytes())),
    });
    for (key, value) in properties.as_object()? {
        object[key] = value.clone();
    }
    if let Some(extension) = extension {
        object["extensions"] = json!({ extension: { "extension_type": "new-sco" } });
    }
    Some(object)
}

/// The pattern that the observable, or the indicator where STIX has none, fits.
fn pattern(report: &Report) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
    let Some((kind, properties, _)) = parts(report) else {
        return format!("[x-entente-indicator:value = {}]", quoted(&report.indicator.text));
    };
    let comparisons = properties.as_object().into_iter().flatten().map(|(key, value)| match value {
        Value::Object(hashes) => {
            let (name, digits) =
                hashes.iter().next().map(|(name, digits)| (name.as_str(), digits.as_str())).unwrap_or_default();
            format!("{kind}:{key}.{} = {}", quoted(name), quoted(digits.unwrap_or_default()))
        }
        other => format!("{kind}:{key} = {}", quoted(other.as_str().unwrap_or_default())),
    });
    format!("[{}]", comparisons.collect::<Vec<_>>().join(" AND "))
}

fn indicator(report: &Report) -> Value {
    let description = report.description.clone().unwrap_or_else(|| report.title());
    let from = report.observed_from.as_deref().unwrap_or(&report.created);
    let mut object = json!({
        "type": "indicator", "spec_version": "2.1",
        "id": id("indicator", &format!("{}/{}", report.originator.id, report.id)),
        "created_by_ref": id("identity", &report.originator.id),
        "created": report.created, "modified": report.created,
        "name": report.title(), "description": description,
        "indicator_types": ["malicious-activity"],
        "pattern": pattern(report), "pattern_type": "stix", "pattern_version": "2.1",
        "valid_from": from,
        "labels": [report.typology],
        "object_marking_refs": [tlp_ref(report)],
        "extensions": { EXTENSION: extension(report) },
    });
    if let Some(confidence) = confidence(&report.grading) {
        object["confidence"] = confidence.into();
    }
    if let Some(reference) = &report.reference {
        let name = report.source.as_deref().unwrap_or("reference");
        // A `url` is to come with a hash of what it shows, which nobody has here.
        let is_url = reference.starts_with("http://") || reference.starts_with("https://");
        let key = if is_url { "description" } else { "external_id" };
        object["external_references"] = json!([{ "source_name": name, key: reference }]);
    }
    object
}

/// The value that STIX 2.1's appendix A gives to the credibility of the Admiralty scale; 6 has none.
fn confidence(grading: &str) -> Option<u8> {
    match grading.strip_prefix("admiralty:")?.chars().last()? {
        '1' => Some(90),
        '2' => Some(70),
        '3' => Some(50),
        '4' => Some(30),
        '5' => Some(10),
        _ => None,
    }
}

fn extension(report: &Report) -> Value {
    let mut said = json!({
        "extension_type": "property-extension",
        "originator": report.originator.id,
        "report": report.id,
        "revision": report.revision,
        "kind": report.indicator.kind,
        "text": report.indicator.text,
        "typology": report.typology,
        "grading": report.grading,
        "marking": report.marking,
    });
    let optional = [
        ("chain", &report.indicator.chain),
        ("case", &report.case),
        ("source", &report.source),
        ("reference", &report.reference),
        ("role", &report.role),
        ("pap", &report.pap),
        ("observed_from", &report.observed_from),
        ("observed_until", &report.observed_until),
    ];
    for (key, value) in optional {
        if let Some(value) = value {
            said[key] = value.as_str().into();
        }
    }
    if !report.precedence.is_empty() {
        said["precedence"] = report.precedence.as_str().into();
    }
    let lists = [
        ("handling", report.handling_codes()),
        ("amounts", report.amounts.clone()),
        ("evidence", report.evidence.clone()),
        ("terms", report.terms.clone()),
    ];
    for (key, list) in lists {
        if !list.is_empty() {
            said[key] = list.into();
        }
    }
    if let Some(victims) = report.victims {
        said["victims"] = victims.into();
    }
    if let Some(sub) = &report.sub_account {
        said["sub_account"] = json!({ "kind": sub.kind, "value": sub.value });
    }
    said
}

fn relationship(report: &Report, indicator: &Value, observable: &Value) -> Value {
    json!({
        "type": "relationship", "spec_version": "2.1",
        "id": id("relationship", &format!("{}/{}", report.originator.id, report.id)),
        "created_by_ref": id("identity", &report.originator.id),
        "created": report.created, "modified": report.created,
        "relationship_type": "based-on",
        "source_ref": indicator["id"], "target_ref": observable["id"],
        "object_marking_refs": [tlp_ref(report)],
    })
}
