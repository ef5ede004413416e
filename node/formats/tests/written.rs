//! Reports of every kind, written and read back: nothing is lost, and others' software reads them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

use std::io::Cursor;
use std::process::Command;

use entente_formats::report::{Kept, Report};
use entente_formats::row::Row;
use entente_formats::{Settings, flat, misp, open, stix};
use entente_protocol::statement::details::Role;
use serde_json::{Value, json};

const NOW: &str = "2026-11-27T18:00:00.000Z";

/// One indicator of each kind, and several of some.
const TEXTS: &[(&str, &str, Option<&str>)] = &[
    ("address", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", Some("bip122:000000000019d6689c085ae165831e93")),
    ("address", "0xdac17f958d2ee523a2206206994597c13d831ec7", Some("eip155:137")),
    (
        "address",
        "44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A",
        Some("monero:418015bb9ae982a1975da7d79277c270"),
    ),
    ("transaction", "eip155:1:0x4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b", Some("eip155:1")),
    ("token", "eip155:1/erc20:0x6b175474e89094c44da98b954eedeac495271d0f", Some("eip155:1")),
    ("domain", "xn--80ak6aa92e.com", None),
    ("url", "https://evil.example/it's?a=1&b=%5C", None),
    ("ip", "198.51.100.3", None),
    ("ip", "2001:db8::1", None),
    ("email", "help@evil.example", None),
    ("phone", "+442079460018", None),
    ("handle", "telegram:helpdesk", None),
    ("bank-account", "GB33BUKB20201555555555", None),
    ("bank-account", "US:021000021-1234567", None),
    ("exchange-account", "binance:123456789", None),
    ("file-hash", "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", None),
    ("app", "google-play:com.example.app", None),
    ("media-fingerprint", "phash:d1d1b0b04a4a2f2f", None),
];

fn report(number: usize) -> Report {
    let (kind, canonical, chain) = TEXTS[number];
    let text = match (kind, chain) {
        ("address", Some(chain)) => format!("{chain}:{canonical}"),
        _ => format!("{kind}:{canonical}"),
    };
    let grading = ["admiralty:B2", "A1", "uk3x5x2:2CP", "admiralty:F6"][number % 4];
    serde_json::from_value(json!({
        "originator": { "id": "agency1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0jqxuzx4z", "name": "Unit A" },
        "id": format!("{number:032x}"), "revision": 2,
        "indicator": { "kind": kind, "text": text, "canonical": canonical, "chain": chain },
        "typology": "pig_butchering", "typology_name": "Pig butchering",
        "grading": grading, "marking": "amber+strict",
        "handling": ["H1", "H3"], "handling_note": "ask first; then, ask again",
        "case": "2026/17", "description": "=cmd|' /C calc'!A0, said \"x\"\nand more", "source": "a bank",
        "reference": "https://example.org/7", "role": "perpetrator", "amounts": ["0.25 slip44:0", "7 ticker:USDT"],
        "victims": 3, "evidence": [format!("sha256:{} chat.pdf", "ab".repeat(32))],
        "terms": ["https://example.org/abuses#hack"], "pap": "amber", "precedence": "priority",
        "created": "2026-11-20T10:00:00.000Z", "observed_from": "2026-11-01T00:00:00.000Z",
        "observed_until": "2026-11-19T00:00:00.000Z",
    }))
    .unwrap()
}

fn all() -> Vec<Report> {
    (0..TEXTS.len()).map(report).collect()
}

fn read(text: &str, name: &str) -> Vec<Row> {
    let settings = Settings::default();
    let opened = open(Box::new(Cursor::new(text.as_bytes())), name, None, &settings).unwrap();
    opened.map(|item| item.unwrap().unwrap_or_else(|refused| panic!("{name}: {refused:?}"))).collect()
}

/// Runs others' software, where `.ci/run` installed it.
fn others(variable: &str, args: &[&str], document: &Value) {
    let Some(program) = std::env::var_os(variable) else {
        assert!(std::env::var_os("ENTENTE_CI").is_none(), "{variable} is not set");
        eprintln!("skipped: {variable} is not set");
        return;
    };
    let path = std::env::temp_dir().join(format!("entente-{}-{variable}.json", std::process::id()));
    std::fs::write(&path, document.to_string()).unwrap();
    let output = Command::new(program).args(args).arg(&path).output().unwrap();
    std::fs::remove_file(&path).unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

#[test]
fn stix_is_valid_and_comes_back_whole() {
    let reports = all();
    let bundle = stix::bundle(&reports, NOW);
    others("ENTENTE_STIX_VALIDATOR", &["--version", "2.1", "--strict", "-d", "103,202,303"], &bundle);
    comes_back(&read(&bundle.to_string(), "x.json"), &reports);
    let wallet = bundle["objects"].as_array().unwrap().iter().find(|object| object["type"] == "cryptocurrency-wallet");
    // The id by STIX 2.1, section 2.9, over {"value":"1A1z…"}.
    assert_eq!(wallet.unwrap()["id"], "cryptocurrency-wallet--bfa4b8d0-956b-5468-b03d-be19bb5163dd");
    let confidences: Vec<&Value> =
        bundle["objects"].as_array().unwrap().iter().map(|object| &object["confidence"]).collect();
    assert_eq!(confidences.iter().filter(|confidence| **confidence == 70).count(), TEXTS.len().div_ceil(4));
    assert_eq!(confidences.iter().filter(|confidence| !confidence.is_null()).count(), TEXTS.len().div_ceil(4));
}

#[test]
fn misp_loads_and_comes_back_whole() {
    let reports = all();
    let event = misp::event(&reports, "title", NOW);
    let load = "import sys; from pymisp import MISPEvent; e = MISPEvent(); e.load_file(sys.argv[1]); assert len(e.objects) == 3 and len(e.attributes) == 15, e";
    others("ENTENTE_MISP_PYTHON", &["-c", load], &event);
    let rows = read(&event.to_string(), "x.json");
    // Wallets' objects come after attributes.
    let order = |report: &&Report| report.indicator.kind == "address";
    let (wallets, others): (Vec<Report>, Vec<Report>) = reports.into_iter().partition(|report| order(&report));
    comes_back(&rows, &[others, wallets].concat());
}

#[test]
fn tables_and_lines_come_back_whole() {
    let reports = all();
    let mut table = Vec::new();
    let mut csv = flat::Csv::new(&mut table).unwrap();
    for report in &reports {
        csv.write(report).unwrap();
    }
    csv.finish().unwrap();
    let table = String::from_utf8(table).unwrap();
    assert!(table.contains("\"'=cmd|'") && table.contains(",+442079460018,"), "no spreadsheet runs a cell");
    comes_back(&read(&table, "x.csv"), &reports);
    let lines: Vec<String> = reports.iter().map(|report| serde_json::to_string(report).unwrap()).collect();
    comes_back(&read(&lines.join("\n"), "x.jsonl"), &reports);
}

fn comes_back(rows: &[Row], reports: &[Report]) {
    assert_eq!(rows.len(), reports.len());
    for (row, report) in rows.iter().zip(reports) {
        let (draft, about) = (&row.draft, row.draft.indicator.as_ref().unwrap().0.to_string());
        assert_eq!(about, report.indicator.text);
        let origin = row.origin.as_ref().unwrap_or_else(|| panic!("{about}: {row:?}"));
        assert_eq!((origin.report.as_str(), origin.revision), (report.id.as_str(), 2));
        assert_eq!(origin.originator, report.originator.id);
        assert_eq!(draft.grading.unwrap().to_string(), report.grading, "{about}");
        assert_eq!(draft.marking.unwrap().word().to_lowercase(), report.marking);
        assert_eq!(draft.typology.as_ref().unwrap().to_string(), "pig_butchering");
        let handling: Vec<String> = draft.handling.as_ref().unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(handling, ["H1", "H3: ask first; then, ask again"], "{about}");
        assert_eq!((draft.case.as_deref(), draft.source.as_deref()), (Some("2026/17"), Some("a bank")));
        assert_eq!(draft.reference.as_deref(), Some("https://example.org/7"));
        assert_eq!((draft.victims, draft.role.flatten().map(Role::word)), (Some(Some(3)), Some("perpetrator")));
        let amounts: Vec<String> = draft.amounts.iter().flatten().map(ToString::to_string).collect();
        assert_eq!(amounts, report.amounts);
        let evidence: Vec<String> = draft.evidence.iter().flatten().map(ToString::to_string).collect();
        assert_eq!(evidence, report.evidence);
        assert!(draft.terms.iter().flatten().any(|term| term.id() == "hack"), "{:?}", draft.terms);
        assert_eq!(draft.observed_from.unwrap().rfc3339(), report.observed_from.clone().unwrap());
        assert_eq!(draft.observed_until.unwrap().rfc3339(), report.observed_until.clone().unwrap());
        assert!(draft.description.as_ref().unwrap().contains("and more"));
    }
}

#[test]
fn what_handling_forbids_to_leave_stays() {
    let kept = |change: Value| {
        let mut report = serde_json::to_value(report(5)).unwrap();
        report["handling"] = json!([]);
        report.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let report: Report = serde_json::from_value(report).unwrap();
        assert_eq!(report.kept(&report.originator.id), None, "the originator is not bound");
        report.kept("agency1other")
    };
    assert_eq!(kept(json!({})), None);
    assert_eq!(kept(json!({ "handling": ["H0", "H1"] })), None);
    assert_eq!(kept(json!({ "handling": ["H2"] })), Some(Kept::NoDissemination));
    assert_eq!(kept(json!({ "handling": ["H3"] })), Some(Kept::Words));
    assert_eq!(kept(json!({ "marking": "red" })), Some(Kept::Red));
}
