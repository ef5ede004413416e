//! Files that come in and go out: the same file twice, a newer one, one that lost rows; exports that others read, and
//! that are known again when they come back; lists that say who somebody is.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::agency::{Agency, ally, machine, until};

/// An address that a benign list names.
const LISTED: &str = "0x28c6c06298d514db089934071355e5743bf21d60";

/// The objects that a command prints, one a line.
fn lines(agency: &Agency, args: &[&str]) -> Vec<Value> {
    let printed = agency.run(&[args, &["--json"]].concat());
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The last line of an import.
fn counts(agency: &Agency, args: &[&str]) -> Value {
    lines(agency, &[&["import"], args].concat()).pop().unwrap()
}

fn numbers(counts: &Value, names: &[&str]) -> Vec<u64> {
    names.iter().map(|name| counts[*name].as_u64().unwrap()).collect()
}

const TABLE: &str = "Wallet,Coin,Scam type,Comment
1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa,BTC,phish-hack,first
TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t,USDT,ransomware,second
0xDAC17F958D2EE523A2206206994597C13D831EC7,ETH,pig butchering,third
 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa ,BTC,phish-hack,first
1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb,BTC,scam,mistyped
https://evil.example/login,,phishing,a page
";

#[test]
fn files_come_in_once_and_go_out_whole() {
    let _machine = machine();
    let [mut a, mut b] = ["Unit A", "Unit B"].map(Agency::found);
    ally(&[&a, &b]);
    let agreement = agreement(&a);
    let folder = tempfile::TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let first = file("victims.csv", TABLE);
    let kinds = ["rows", "accepted", "repaired", "refused", "duplicates"];
    let outcomes = ["filed", "revised", "unchanged", "retracted"];

    // Without a node, and without an agreement, the rows alone are checked.
    let dry = counts(&a, &[&first, "--dry-run"]);
    assert_eq!(numbers(&dry, &kinds), [6, 4, 0, 1, 1], "{dry}");
    assert_eq!(dry.as_object().unwrap().len(), 5, "{dry}");
    let import =
        |agency: &Agency, path: &str| counts(agency, &[path, "--agreement", &agreement, "--source", "victims"]);
    let filed = import(&a, &first);
    assert_eq!(numbers(&filed, &kinds), [6, 4, 0, 1, 1], "{filed}");
    assert_eq!(numbers(&filed, &outcomes), [4, 0, 0, 0], "{filed}");
    until("the partner has them", || (b.holds("reports") == 4).then_some(()));
    let told = lines(&b, &["lookup", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"]).remove(0);
    let report = &told["reports"][0];
    assert_eq!((&told["outcome"], &report["typology"]), (&"known".into(), &"phishing".into()), "{told}");
    assert_eq!(report["terms"][0], "urn:entente:import:scam_type#phish-hack", "{report}");
    assert_eq!(report["source"], "victims", "{report}");

    // The same again is nothing new; a newer one is its differences; what is gone is retracted when asked.
    let again = import(&a, &first);
    assert_eq!(numbers(&again, &outcomes), [0, 0, 4, 0], "{again}");
    let newer = TABLE
        .replace("second", "second, seen again")
        .replace("https://evil.example/login,,phishing,a page\n", "domain:evil.example,,phishing,a domain\n");
    let second =
        file("victims2.csv", &newer.replace("seen again", "seen again\"").replace("second, seen", "\"second, seen"));
    let changed =
        counts(&a, &[&second, "--agreement", &agreement, "--source", "victims", "--retract-missing", "--yes"]);
    assert_eq!(numbers(&changed, &outcomes), [1, 1, 2, 1], "{changed}");
    until("the partner follows", || {
        let answer = b.answer("/v1/indicators/https:%2F%2Fevil.example%2Flogin");
        (answer["reports"].as_array().unwrap().is_empty() && answer["retracted"] == 1).then_some(())
    });
    assert_eq!(b.answer("/v1/indicators/domain:evil.example")["distinct_originators"], 1);

    exports(&a, &b, folder.path(), &agreement);
    benign(&a, &file("exchanges.csv", &format!("address,chain,label\n{LISTED},ethereum,Binance 14\n")), &agreement);
    dry_run_beside_no_node(&mut a, &first, &agreement);
    a.stop_sound();
    b.stop_sound();
}

fn agreement(agency: &Agency) -> String {
    agency.value(&["agreement", "list"])["id"].as_str().unwrap()[..8].to_owned()
}

/// Every format is written, read by others' software where it is there, and known again.
fn exports(a: &Agency, b: &Agency, folder: &Path, agreement: &str) {
    for format in ["stix", "misp", "csv", "jsonl"] {
        let path = folder.join(format!("export.{}", if format == "csv" { "csv" } else { "json" }));
        let path = path.to_str().unwrap();
        b.run(&["export", "--format", format, "--out", path]);
        let back = counts(b, &[path, "--agreement", agreement, "--source", "copy"]);
        assert_eq!(numbers(&back, &["rows", "duplicates", "filed"]), [4, 4, 0], "{format}: {back}");
        let back = counts(a, &[path, "--agreement", agreement, "--source", "copy"]);
        assert_eq!(numbers(&back, &["duplicates", "filed"]), [4, 0], "{format}: {back}");
        others_read(format, path);
    }
    // What handling forbids to leave is left out; the originator's own is not.
    let report =
        ["report", "domain:kept.example", "--typology", "phishing", "--grading", "admiralty:B2", "--tlp", "green"];
    a.run(&[&report[..], &["--handling", "H2", "--agreement", agreement, "--yes"]].concat());
    until("the partner has it", || (b.holds("reports") == 5).then_some(()));
    let exported = |agency: &Agency| agency.run(&["export", "--format", "jsonl"]).lines().count();
    assert_eq!((exported(a), exported(b)), (5, 4));
    let one = a.run(&["export", "domain:kept.example", "--format", "stix"]);
    let bundle: Value = serde_json::from_str(&one).unwrap();
    let indicator = bundle["objects"].as_array().unwrap().iter().find(|object| object["type"] == "indicator").unwrap();
    assert_eq!(
        (&indicator["confidence"], &indicator["pattern"]),
        (&70.into(), &"[domain-name:value = 'kept.example']".into())
    );
}

/// The validators that `.ci/run` installs; without them this is passed over with a word.
fn others_read(format: &str, path: &str) {
    let (variable, args): (_, &[&str]) = match format {
        "stix" => ("ENTENTE_STIX_VALIDATOR", &["--version", "2.1", "--strict", "-d", "103,202,303", path]),
        "misp" => ("ENTENTE_MISP_PYTHON", &["-c", PYMISP, path]),
        _ => return,
    };
    let Some(program) = std::env::var_os(variable) else {
        assert!(std::env::var_os("ENTENTE_CI").is_none(), "{variable} is not set");
        eprintln!("skipped: {variable} is not set, {format} is not read by others");
        return;
    };
    let output = Command::new(program).args(args).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{format}: {said}");
}

const PYMISP: &str = "
import sys
from pymisp import MISPEvent
event = MISPEvent()
event.load_file(sys.argv[1])
wallets = [o for o in event.objects if o.name == 'coin-address']
assert len(wallets) == 3, event.objects
assert all(o.template_uuid == 'd0e6997e-78da-4815-a6a1-cfc1c1cb8a46' for o in wallets)
assert [a.value for a in event.attributes] == ['evil.example'], event.attributes
assert all(any(t.name == 'tlp:amber' for t in o.attributes[0].tags) for o in wallets)
";

/// A report on what a list names is filed only by who says that it is meant.
fn benign(a: &Agency, list: &str, agreement: &str) {
    let loaded = a.value(&["benign", "import", list, "--name", "exchanges", "--from", "the test"]);
    assert_eq!((&loaded["entries"], &loaded["refused"]), (&1.into(), &0.into()), "{loaded}");
    let told = a.answer(&format!("/v1/addresses/eip155:56:{LISTED}"));
    assert_eq!((&told["benign"][0]["label"], &told["benign"][0]["list"]), (&"Binance 14".into(), &"exchanges".into()));
    let address = format!("ethereum:{LISTED}");
    let report = [
        "report",
        &address,
        "--typology",
        "scam",
        "--grading",
        "B2",
        "--tlp",
        "amber",
        "--agreement",
        agreement,
        "--yes",
    ];
    let refused = a.command(&report).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("Binance 14"), "{said}");
    a.run(&[&report[..], &["--confirm-benign"]].concat());
    let removed = a.value(&["benign", "remove", "exchanges", "--yes"]);
    assert_eq!(removed["entries"], 1);
    assert!(a.answer(&format!("/v1/addresses/{address}"))["benign"].is_null());
}

/// Rows of a file that is being imported while something is killed.
const MANY: usize = 6000;

#[test]
fn an_import_that_was_killed_goes_on_where_it_was() {
    let _machine = machine();
    let [mut a, mut b] = ["Unit A", "Unit B"].map(Agency::found);
    ally(&[&a, &b]);
    let agreement = agreement(&a);
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("many.csv");
    let rows: Vec<String> = (0..MANY).map(|n| format!("0x{:040x},ethereum,{n}", n + 1)).collect();
    fs::write(&path, format!("address,chain,label\n{}\n", rows.join("\n"))).unwrap();
    let import = ["import", path.to_str().unwrap(), "--agreement", &agreement, "--source", "many", "--yes"];
    let begin = |agency: &Agency| agency.command(&import).stdout(std::process::Stdio::null()).spawn().unwrap();
    // First the program that reads, then the node that takes.
    let mut reading = begin(&a);
    until("rows arrive", || (a.holds("reports") > 0).then_some(()));
    reading.kill().unwrap();
    reading.wait().unwrap();
    let mut reading = begin(&a);
    a.kill();
    assert!(!reading.wait().unwrap().success());
    a.start();
    let ended = counts(&a, &import[1..]);
    let [filed, unchanged] = numbers(&ended, &["filed", "unchanged"])[..] else { panic!("{ended}") };
    assert_eq!((filed + unchanged, a.holds("reports")), (MANY as u64, MANY as u64), "{ended}");
    until("the partner has each once", || (b.holds("reports") == MANY as u64).then_some(()));
    for agency in [&mut a, &mut b] {
        agency.stop_sound();
    }
}

/// The recipients are named from the data directory.
fn dry_run_beside_no_node(a: &mut Agency, file: &str, agreement: &str) {
    a.stop();
    let output =
        a.command(&["import", file, "--dry-run", "--agreement", agreement, "--source", "new"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.contains("Unit B"), "{said}");
    a.start();
}
