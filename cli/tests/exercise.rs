//! The exercise itself as a test: four processes, real data, and every promise of the result looked at one by one.
//!
//! It runs the built binary as a person would, and reads nothing but what that prints and leaves behind.

#![expect(clippy::unwrap_used, reason = "helpers of a test fail the test where they stand")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Outcome {
    agencies: Vec<Agency>,
    rejected_rows: Vec<Rejected>,
    caught_up: bool,
    retraction_confirmed_by: Vec<String>,
    outsider_saw: u64,
    lookups: Vec<Lookup>,
    visible_ms: Percentiles,
    ok: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Agency {
    name: String,
    data_dir: String,
    api: String,
    reports_filed: u64,
    reports_admitted: u64,
    quarantined: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rejected {
    file: String,
    line: u64,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lookup {
    case: String,
    asked_by: String,
    address: String,
    reports: u64,
    distinct_originators: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Percentiles {
    p50: f64,
    p99: f64,
}

#[test]
fn the_exercise_shows_all_that_it_promises() {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_entente"))
        .args(["exercise", "--once", "--json", "--keep"])
        .arg(dir.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let story = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{story}");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed.lines().count(), 1, "one object and nothing else stands on standard output");
    let outcome: Outcome = serde_json::from_str(&printed).unwrap();

    assert!(outcome.ok, "{story}");
    assert!(outcome.caught_up);
    assert_eq!(outcome.outsider_saw, 0);
    let confirmed: BTreeSet<&str> = outcome.retraction_confirmed_by.iter().map(String::as_str).collect();
    assert_eq!(confirmed, BTreeSet::from(["FIU B", "Prosecutor C"]));
    assert!(0.0 < outcome.visible_ms.p50 && outcome.visible_ms.p50 <= outcome.visible_ms.p99);
    everybody_holds_what_partners_filed(&outcome);
    every_line_is_filed_or_told(&outcome);
    lookups_find_what_they_should(&outcome);
    the_data_is_kept(&outcome, dir.path());
}

fn everybody_holds_what_partners_filed(outcome: &Outcome) {
    let counts: Vec<(&str, u64, u64, u64)> = outcome
        .agencies
        .iter()
        .map(|agency| (agency.name.as_str(), agency.reports_filed, agency.reports_admitted, agency.quarantined))
        .collect();
    // A withdrew one of its reports, which B and C hold no more; D has the twelve that A told it.
    let expected = [
        ("Cyber Unit A", 448, 5932 + 4000 + 193, 0),
        ("FIU B", 5932, 448 + 4000 - 1, 0),
        ("Prosecutor C", 4000, 448 + 5932 - 1, 0),
        ("Cyber Unit D", 193, 12, 0),
    ];
    assert_eq!(counts, expected);
}

fn every_line_is_filed_or_told(outcome: &Outcome) {
    let mut rejected: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    for row in &outcome.rejected_rows {
        assert!(!row.reason.is_empty(), "{}:{}", row.file, row.line);
        assert!(rejected.entry(&row.file).or_default().insert(row.line), "{}:{} is told twice", row.file, row.line);
    }
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/exercise");
    let filed = outcome.agencies.iter().map(|agency| agency.reports_filed).sum::<u64>();
    let mut lines = 0;
    for file in
        ["ofac_sdn", "graphsense_tags", "forta_etherscan_malicious", "forta_phishing", "polkadot_scam_addresses"]
    {
        let name = format!("{file}.csv");
        let rows = fs::read_to_string(data.join(&name)).unwrap().lines().count() as u64 - 1;
        assert!(rejected.remove(name.as_str()).unwrap_or_default().iter().all(|line| (2..=rows + 1).contains(line)));
        lines += rows;
    }
    assert!(rejected.is_empty(), "rows of no file: {rejected:?}");
    assert_eq!(filed + outcome.rejected_rows.len() as u64, lines);
}

fn lookups_find_what_they_should(outcome: &Outcome) {
    let found: Vec<(&str, &str, u64, u64)> = outcome
        .lookups
        .iter()
        .map(|lookup| (lookup.case.as_str(), lookup.asked_by.as_str(), lookup.reports, lookup.distinct_originators))
        .collect();
    let expected = [
        ("corroborated", "Cyber Unit A", 2, 2),
        ("partner-only", "FIU B", 1, 1),
        ("retracted", "FIU B", 0, 0),
        ("outsider", "Cyber Unit D", 0, 0),
    ];
    assert_eq!(found, expected);
    let [corroborated, _, _, outsider] = &outcome.lookups[..] else { unreachable!("there are four") };
    assert_eq!(corroborated.address, outsider.address, "the outsider asks for what the others know");
}

fn the_data_is_kept(outcome: &Outcome, dir: &Path) {
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir.join("passphrase")), 0o600);
    for agency in &outcome.agencies {
        let data = Path::new(&agency.data_dir);
        assert!(data.starts_with(dir.canonicalize().unwrap()), "{}", agency.data_dir);
        assert_eq!(mode(&data.join("token")), 0o600);
        assert!(agency.api.starts_with("http://127.0.0.1:"));
        assert!(!data.join("api").exists(), "{} was stopped, and says so", agency.name);
        let doctor = Command::new(env!("CARGO_BIN_EXE_entente"))
            .args(["doctor", "--data"])
            .arg(data)
            .arg("--passphrase-file")
            .arg(dir.join("passphrase"))
            .output()
            .unwrap();
        assert!(doctor.status.success(), "{}", String::from_utf8_lossy(&doctor.stdout));
    }
}
