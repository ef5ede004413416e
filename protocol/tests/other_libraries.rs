//! What we sign, read by libraries that are not ours: `pycose` and `cbor2`. Without them it is skipped, with a word; where
//! `ENTENTE_CI` is set, it then fails.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

use std::io::Write;
use std::process::{Command, Stdio};

use entente_protocol::crypto::sign::SigningKey;
use serde_json::{Value, json};

#[expect(dead_code, reason = "only its keys are of use here")]
mod world;

/// The signed objects among the golden vectors, each with the key that signed it.
fn objects() -> Vec<Value> {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("vectors/wire.json")).unwrap();
    let signed = ["header", "retraction", "receipt", "key descriptor", "wrap"];
    let good = vectors.iter().filter(|case| case["hash"].is_string() && signed.contains(&case["of"].as_str().unwrap()));
    let public = hex::encode(world::signing(0).public().as_bytes());
    let mut objects: Vec<Value> = good.map(|case| json!({ "object": case["hex"], "public": public })).collect();
    let one: Value = serde_json::from_str(include_str!("vectors/cose_sign1.json")).unwrap();
    let seed: [u8; 32] = hex::decode(one["seed"].as_str().unwrap()).unwrap().try_into().unwrap();
    let public = hex::encode(SigningKey::from_seed(&seed).public().as_bytes());
    objects.push(json!({ "object": one["object"], "public": public }));
    objects
}

#[test]
fn an_independent_cose_library_verifies_what_we_sign_and_nothing_else() {
    let objects = objects();
    assert!(objects.len() > 5, "{}", objects.len());
    let python = std::env::var("ENTENTE_COSE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let there = Command::new(&python).args(["-c", "import cbor2, pycose"]).output().is_ok_and(|it| it.status.success());
    if !there {
        assert!(std::env::var_os("ENTENTE_CI").is_none(), "{python} has no pycose");
        eprintln!("skipped: {python} has no pycose");
        return;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cose_check.py");
    let mut check = Command::new(&python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = check.stdin.take().unwrap();
    for object in &objects {
        writeln!(input, "{object}").unwrap();
    }
    drop(input);
    let output = check.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), objects.len().to_string());
}
