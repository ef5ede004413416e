//! Reports as a MISP event. Wallets are `coin-address` objects, all else attributes; TLP, PAP and the Admiralty scale
//! are tags of MISP's taxonomies, and what MISP has no place for stands in tags of our own (`entente:…`).

use serde_json::{Value, json};
use uuid::Uuid;

use super::COIN_ADDRESS;
use crate::report::Report;
use crate::stix::NAMESPACE;

/// Writes reports as one event. `when` is now, RFC 3339; `title` is the event's info.
pub fn event(reports: &[Report], title: &str, when: &str) -> Value {
    let names: Vec<&str> = reports.iter().map(|report| report.id.as_str()).collect();
    let uuid = Uuid::new_v5(&NAMESPACE, format!("misp {when} {}", names.join(" ")).as_bytes());
    let strictest = ["red", "amber+strict", "amber", "green", "clear"];
    let marking = strictest.into_iter().find(|word| reports.iter().any(|report| report.marking == *word));
    let (mut attributes, mut objects) = (Vec::new(), Vec::new());
    for report in reports {
        if report.indicator.kind == "address" {
            objects.push(coin_address(report));
        } else {
            attributes.push(attribute(report));
        }
    }
    let author = reports.first().map(|report| report.originator.name.clone()).unwrap_or_default();
    let one_author = reports.iter().all(|report| report.originator.name == author);
    let author = if one_author && !author.is_empty() { author } else { "Entente".to_owned() };
    json!({ "Event": {
        "uuid": uuid.to_string(), "info": title, "date": when.get(..10).unwrap_or(when),
        "threat_level_id": "2", "analysis": "1", "distribution": "0", "published": false,
        "Orgc": { "name": author, "uuid": Uuid::new_v5(&NAMESPACE, author.as_bytes()).to_string() },
        "Tag": marking.map_or_else(|| json!([]), |word| json!([{ "name": format!("tlp:{word}") }])),
        "Attribute": attributes, "Object": objects,
    } })
}

fn uuid(report: &Report, what: &str) -> String {
    Uuid::new_v5(&NAMESPACE, format!("misp {what} {}/{}", report.originator.id, report.id).as_bytes()).to_string()
}

fn coin_address(report: &Report) -> Value {
    let (name, template, version) = COIN_ADDRESS;
    let chain = report.indicator.chain.as_deref().unwrap_or_default();
    let (relation, kind, symbol) = match chain {
        "bip122:000000000019d6689c085ae165831e93" => ("address", "btc", Some("BTC")),
        _ if chain.starts_with("monero:") => ("address-xmr", "xmr", Some("XMR")),
        "eip155:1" => ("address-crypto", "text", Some("ETH")),
        "tron:728126428" => ("address-crypto", "text", Some("TRX")),
        _ => ("address-crypto", "text", None),
    };
    let mut address = leaf(report, relation, kind, "Financial fraud", &report.indicator.canonical);
    address["Tag"] = tags(report);
    address["comment"] = comment(report).into();
    seen(&mut address, report);
    let mut attributes = vec![address];
    if let Some(symbol) = symbol {
        attributes.push(leaf(report, "symbol", "text", "Other", symbol));
    }
    json!({
        "name": name, "meta-category": "financial", "template_uuid": template, "template_version": version,
        "description": "An address used in a cryptocurrency", "uuid": uuid(report, "object"), "distribution": "5", "comment": "",
        "Attribute": attributes,
    })
}

/// When the activity was seen, as attributes have it.
fn seen(attribute: &mut Value, report: &Report) {
    for (key, time) in [("first_seen", &report.observed_from), ("last_seen", &report.observed_until)] {
        if let Some(time) = time {
            attribute[key] = time.as_str().into();
        }
    }
}

fn leaf(report: &Report, relation: &str, kind: &str, category: &str, value: &str) -> Value {
    json!({
        "object_relation": relation, "type": kind, "category": category, "value": value, "to_ids": relation != "symbol",
        "uuid": uuid(report, relation), "distribution": "5", "disable_correlation": relation == "symbol",
    })
}

fn attribute(report: &Report) -> Value {
    let indicator = &report.indicator;
    let hash = || indicator.canonical.split_once(':');
    let (kind, category, value) = match indicator.kind.as_str() {
        "domain" => ("domain", "Network activity", indicator.canonical.as_str()),
        "url" => ("url", "Network activity", indicator.canonical.as_str()),
        "ip" if !indicator.canonical.contains('/') => ("ip-dst", "Network activity", indicator.canonical.as_str()),
        "email" => ("email", "Payload delivery", indicator.canonical.as_str()),
        "phone" => ("phone-number", "Financial fraud", indicator.canonical.as_str()),
        "bank-account" if !indicator.canonical.contains(':') => {
            ("iban", "Financial fraud", indicator.canonical.as_str())
        }
        "file-hash" => match hash() {
            Some((
                algorithm @ ("md5" | "sha1" | "sha224" | "sha256" | "sha384" | "sha512" | "ssdeep" | "tlsh"),
                digits,
            )) => (algorithm, "Payload delivery", digits),
            _ => ("text", "Other", indicator.text.as_str()),
        },
        _ => ("text", "Other", indicator.text.as_str()),
    };
    let mut attribute = json!({
        "type": kind, "category": category, "value": value, "to_ids": kind != "text", "comment": comment(report),
        "uuid": uuid(report, "attribute"), "distribution": "5", "Tag": tags(report),
    });
    seen(&mut attribute, report);
    attribute
}

fn comment(report: &Report) -> String {
    report.description.clone().unwrap_or_else(|| report.title())
}

fn tags(report: &Report) -> Value {
    let tag = |name: &str, value: &str| format!("entente:{name}=\"{}\"", value.replace('"', "'"));
    let mut names = vec![
        format!("tlp:{}", report.marking),
        tag("report", &format!("{}/{}/{}", report.originator.id, report.id, report.revision)),
        tag("indicator", &report.indicator.text),
        tag("typology", &report.typology),
        tag("grading", &report.grading),
    ];
    if let Some(codes) = report.grading.strip_prefix("admiralty:")
        && let [source, information] = codes.as_bytes()
    {
        names.push(format!("admiralty-scale:source-reliability=\"{}\"", char::from(*source).to_ascii_lowercase()));
        names.push(format!("admiralty-scale:information-credibility=\"{}\"", char::from(*information)));
    }
    if let Some(pap) = &report.pap {
        names.push(format!("PAP:{}", pap.to_uppercase()));
    }
    let optional = [
        ("case", report.case.clone()),
        ("source", report.source.clone()),
        ("reference", report.reference.clone()),
        ("role", report.role.clone()),
        ("victims", report.victims.map(|victims| victims.to_string())),
        ("handling", Some(report.handling_codes().join("; "))),
        ("amounts", Some(report.amounts.join("; "))),
        ("evidence", Some(report.evidence.join("; "))),
        ("terms", Some(report.terms.join("; "))),
        ("precedence", Some(report.precedence.clone())),
    ];
    for (name, value) in optional {
        names.extend(value.filter(|value| !value.is_empty()).map(|value| tag(name, &value)));
    }
    names.into_iter().map(|name| json!({ "name": name })).collect()
}
