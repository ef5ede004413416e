//! The way to the node when it is slow, busy, gone, or asked for much.

use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::node::{Canned, Node, TOKEN, write_token};
use tempfile::TempDir;

fn entente(data: &Path, args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_entente"))
        .args(args)
        .env_clear()
        .env("ENTENTE_DATA", data)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_busy_node_is_asked_again_with_the_same_key() {
    let busy = Canned {
        request: "POST /v1/agreements".to_owned(),
        status: 503,
        headers: "content-type: application/problem+json\r\nretry-after: 1\r\n".to_owned(),
        body: r#"{"type":"urn:entente:problem:busy","title":"busy","status":503}"#.to_owned(),
    };
    let done = Canned {
        status: 201,
        headers: String::new(),
        body: r#"{"id":"1a","version":"1a"}"#.to_owned(),
        ..busy.clone()
    };
    let node = Node::start(vec![busy.clone(), done]);
    let dir = TempDir::new().unwrap();
    node.write_to(dir.path());
    let propose = ["agreement", "propose", "-", "--json"];
    let terms = "title = \"x\"\npurpose = \"x\"\nlegal_basis = \"x\"\nvalid_from = 2026-12-01\nvalid_until = 2027-12-01\n\
        retention_days = 1\nmarking_ceiling = \"amber\"\nstatement_kinds = [\"report\"]\ntypologies = []\n\
        [[party]]\nagency = \"A\"\n[[party]]\nagency = \"B\"\n";
    let output = entente(dir.path(), &propose, terms);
    assert!(output.status.success(), "{}", stderr(&output));
    let key = |headers: &str| {
        let line = headers.lines().find(|line| line.starts_with("idempotency-key: "));
        line.expect("a write carries a key").to_owned()
    };
    let seen = node.take_seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(key(&seen[0].headers), key(&seen[1].headers));
    assert_eq!(seen[0].body, seen[1].body);

    let node = Node::start(vec![busy]);
    node.write_to(dir.path());
    let output = entente(dir.path(), &[&propose[..], &["--timeout", "1"]].concat(), terms);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stderr(&output), "error: busy\nhint: repeat it a little later\n");
    let again = node.take_seen();
    assert_eq!(again.len(), 2, "the timeout bounds the waiting");
    assert_ne!(key(&seen[0].headers), key(&again[0].headers), "each write has its own key");
}

#[test]
fn a_node_that_does_not_answer_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("api"), address.to_string()).unwrap();
    write_token(dir.path(), TOKEN);
    let output = entente(dir.path(), &["status", "--timeout", "1"], "");
    assert_eq!(output.status.code(), Some(3));
    assert!(
        stderr(&output).starts_with(&format!("error: the node at http://{address}/ did not answer within 1 s\nhint: "))
    );

    let hanging_up = std::thread::spawn(move || drop(listener.accept().unwrap()));
    let output = entente(dir.path(), &["status"], "");
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    hanging_up.join().unwrap();
    let output = entente(dir.path(), &["status"], "");
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).starts_with(&format!("error: no node answers at http://{address}/\n")));
}

#[test]
fn a_long_file_is_looked_up_in_chunks_in_its_order() {
    let answer = |n: usize| {
        format!(
            "{{\"input\":\"a{n}\",\"outcome\":\"invalid\",\"address\":null,\"reports\":[],\"distinct_originators\":0,\"retracted\":0,\"error\":\"none\"}}\n"
        )
    };
    let chunk = |from: usize, to: usize| Canned {
        request: "POST /v1/lookups".to_owned(),
        status: 200,
        headers: "content-type: application/x-ndjson\r\n".to_owned(),
        body: (from..to).map(answer).collect(),
    };
    let node = Node::start(vec![chunk(0, 1000), chunk(1000, 2000), chunk(2000, 2500)]);
    let dir = TempDir::new().unwrap();
    node.write_to(dir.path());
    let input: String = (0..2500).flat_map(|n| ["a".to_owned(), n.to_string(), "\n".to_owned()]).collect();
    let output = entente(dir.path(), &["lookup", "--file", "-", "--json", "--case", "7"], &input);
    assert!(output.status.success(), "{}", stderr(&output));
    let counts = "{\"lookups\":2500,\"known\":0,\"unknown\":0,\"ambiguous\":0,\"invalid\":2500}\n";
    let expected = (0..2500).map(answer).collect::<String>() + counts;
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    let sizes: Vec<_> = node
        .take_seen()
        .iter()
        .map(|seen| {
            let body: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
            assert_eq!(body["case"], "7");
            body["addresses"].as_array().unwrap().len()
        })
        .collect();
    assert_eq!(sizes, [1000, 1000, 500]);
}
