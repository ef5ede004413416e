//! What a person at a terminal sees and is asked, through a pseudoterminal.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Command, ExitStatus};

use crate::node::{Canned, Node};
use crate::partner;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use tempfile::TempDir;

/// Runs the command at a terminal where a person types `typed`; gives what the terminal showed.
fn at_terminal(node: &Node, args: &[&str], typed: &str, env: &[(&str, &str)]) -> (ExitStatus, String) {
    let dir = TempDir::new().unwrap();
    node.write_to(dir.path());
    std::fs::write(dir.path().join("b.card"), partner::card().0).unwrap();
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&master, size).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    let keyboard = || OpenOptions::new().read(true).write(true).open(&name).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_entente"))
        .args(args)
        .current_dir(dir.path())
        .env_clear()
        .env("ENTENTE_DATA", dir.path())
        .env("TERM", "xterm")
        .envs(env.iter().copied())
        .stdin(keyboard())
        .stdout(keyboard())
        .stderr(keyboard())
        .spawn()
        .unwrap();
    let mut master = File::from(master);
    master.write_all(typed.as_bytes()).unwrap();
    // Reading fails with EIO when the last holder of the other side has gone: that is the end.
    let mut shown = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(n @ 1..) = master.read(&mut buffer) {
        shown.extend_from_slice(&buffer[..n]);
    }
    (child.wait().unwrap(), String::from_utf8(shown).unwrap().replace("\r\n", "\n"))
}

const REPORT: [&str; 8] = ["report", "bitcoin:x", "--typology", "ransomware", "--grading", "B2", "--tlp", "amber"];
const PREVIEW: &str = r#"{"id":null,"agreements":[{"id":"1a2b3c4d5e","title":"Ransomware","recipients":[{"id":"agency1qb","name":"FIU B"}],"state":"published"}]}"#;
const FILED: &str = r#"{"id":"6f0c","agreements":[]}"#;

fn report_node() -> Node {
    Node::start(vec![Canned::json("POST /v1/reports", PREVIEW), Canned::json("POST /v1/reports", FILED)])
}

#[test]
fn a_report_is_filed_only_after_a_yes() {
    for (typed, filed) in [("y\n", true), ("YES\n", true), ("n\n", false), ("\n", false), ("\u{4}", false)] {
        let node = report_node();
        let (status, shown) = at_terminal(&node, &REPORT, typed, &[]);
        assert!(shown.contains("FIU B      Ransomware"), "{shown}");
        assert!(shown.contains("file it? [y/N]"), "{shown}");
        assert_eq!(status.code(), Some(i32::from(!filed)), "{typed:?}: {shown}");
        assert_eq!(shown.contains("filed 6f0c"), filed, "{shown}");
        assert_eq!(shown.contains("error: not confirmed, nothing was done"), !filed, "{shown}");
        let sent: Vec<_> = node.take_seen().iter().map(|seen| seen.body.contains("dry_run")).collect();
        assert_eq!(sent, if filed { vec![true, false] } else { vec![true] });
    }
}

#[test]
fn nothing_is_asked_where_yes_was_given() {
    let (status, shown) = at_terminal(&report_node(), &[&REPORT[..], &["--yes"]].concat(), "", &[]);
    assert!(status.success() && !shown.contains("[y/N]"), "{shown}");
}

#[test]
fn the_words_of_a_card_are_typed_and_judged_by_the_node() {
    let imported = r#"{"id":"agency1qb","agency":{"id":"agency1qb","name":"FIU B","country":"DE","kind":"fiu","contact":"b","mode":"live","serial":1,"fingerprint":"zoo zone zero","qr":"Q","trust":"pinned"}}"#;
    let node = Node::start(vec![Canned::json("POST /v1/cards", imported)]);
    let words = partner::card().1;
    let import = ["card", "import", "b.card"];
    let (status, shown) = at_terminal(&node, &import, &format!("{words}\n"), &[]);
    assert!(status.success(), "{shown}");
    let claims = shown.find("the file claims to be the card of\nname     FIU B\n").expect(&shown);
    let asks = shown.find("type the words they read out\nfingerprint: ").expect(&shown);
    assert!(!shown[claims..asks].contains(&words), "what is to be typed is not shown");
    let sent: serde_json::Value = serde_json::from_str(&node.take_seen()[0].body).unwrap();
    assert_eq!(sent["fingerprint"], *words);

    for (typed, error) in [("\n", "only with the fingerprint"), ("zoo zone\n", "a fingerprint has 11 words")] {
        let (status, shown) = at_terminal(&node, &import, typed, &[]);
        assert_eq!(status.code(), Some(1), "{shown}");
        assert!(shown.contains(error), "{shown}");
        assert!(node.take_seen().is_empty());
    }
}

#[test]
fn colour_and_ages_are_for_terminals_and_no_color_is_respected() {
    let peers = r#"{"items":[{"agency":{"id":"agency1qb","name":"FIU B"},"trust":"pinned","connected":false,"last_seen":"2001-01-01T00:00:00.000Z"}],"next":null}"#;
    let node = Node::start(vec![Canned::json("GET /v1/peers?limit=500", peers)]);
    let (_, shown) = at_terminal(&node, &["peers"], "", &[]);
    assert!(shown.contains("\u{1b}[") && shown.contains("\u{a0}d\u{a0}ago)"), "{shown:?}");
    for plain in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let (_, shown) = at_terminal(&node, &["peers"], "", &[plain]);
        assert!(!shown.contains('\u{1b}') && shown.contains("\u{a0}d\u{a0}ago)"), "{shown:?}");
        assert!(shown.lines().all(|line| line.chars().count() <= 80), "a table fits its terminal: {shown}");
    }
}
