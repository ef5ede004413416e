//! The C2SP age testkit against our header scan, length arithmetic and stream reading.
//!
//! Most of its files are for X25519 recipients, which the public functions refuse at once; here the
//! same code opens them with age's own identity, so that the rest of each file is reached. The files
//! for passphrases and hybrid keys are tested through the public functions, in `tests/crypto_vectors.rs`.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::age_file::{self, OpenError, Shape};
use super::pack::{self, Compression};

const SHAPE: Shape = Shape { tag: "X25519", grease: true };

/// The longest plaintext in the kit: 257 chunks of 64 KiB.
const LONGEST: usize = 257 << 16;

/// The kit's cases for X25519: name, what the kit expects, identity, file, payload hash.
struct Case {
    name: String,
    expect: String,
    identity: age::x25519::Identity,
    file: Vec<u8>,
    payload: String,
}

fn cases() -> Vec<Case> {
    let kit: Vec<Value> = serde_json::from_str(include_str!("../../tests/vectors/age_testkit.json")).unwrap();
    let of = |case: &Value| {
        let text = |key: &str| case[key].as_str().unwrap_or_default().to_owned();
        let mut file = BASE64_STANDARD.decode(text("body")).unwrap();
        if case["zstd"] == true {
            file = pack::decompress(Compression::Zstd, &file, LONGEST + (1 << 20)).unwrap();
        }
        let identity = text("identity").parse().ok()?;
        Some(Case { name: text("name"), expect: text("expect"), identity, file, payload: text("payload") })
    };
    kit.iter().filter_map(of).collect()
}

#[test]
fn x25519_files_end_as_the_testkit_says() {
    // Good age files that ours never are: in ASCII armour, or with stanzas that nobody here writes.
    const STRICTER: [(&str, OpenError); 4] = [
        ("armor_crlf", OpenError::HeaderMalformed),
        ("stanza_empty_last_line", OpenError::ForeignStanza),
        ("stanza_valid_characters", OpenError::ForeignStanza),
        ("x25519_grease", OpenError::ForeignStanza),
    ];
    let (mut opened, mut refused) = (0, 0);
    for case in cases() {
        let name = case.name.as_str();
        let outcome = age_file::open(&case.identity, SHAPE, &case.file, LONGEST);
        let stricter = STRICTER.iter().find(|(stricter, _)| *stricter == name);
        let expected = match (stricter, case.expect.as_str()) {
            (Some((_, fault)), "success") => *fault,
            (None, "success") => {
                assert_eq!(hex::encode(Sha256::digest(&*outcome.unwrap())), case.payload, "{name}");
                opened += 1;
                continue;
            }
            (_, "HMAC failure") => OpenError::HeaderAltered,
            (_, "payload failure") => OpenError::BodyDamaged,
            (_, "header failure") if name.starts_with("stanza_") => OpenError::ForeignStanza,
            (_, "header failure" | "armor failure") => OpenError::HeaderMalformed,
            (_, other) => panic!("{name}: {other}"),
        };
        assert_eq!(outcome, Err(expected), "{name}");
        refused += 1;
    }
    assert_eq!((opened, refused), (2, 37));
}

/// The malformed stanzas again, as grease: past our scan, age's own parser has to refuse them.
#[test]
fn malformed_stanzas_are_refused_as_grease_too() {
    let mut reached = 0;
    for case in cases().iter().filter(|case| case.name.starts_with("stanza_") && case.expect == "header failure") {
        let stanza = b"-> stanza".as_slice();
        let Some(at) = case.file.windows(stanza.len()).position(|window| window == stanza) else {
            continue;
        };
        let renamed = [&case.file[..at], b"-> x-grease", &case.file[at + stanza.len()..]].concat();
        let outcome = age_file::open(&case.identity, SHAPE, &renamed, LONGEST);
        assert_eq!(outcome, Err(OpenError::HeaderMalformed), "{}", case.name);
        reached += 1;
    }
    assert_eq!(reached, 6);
}
