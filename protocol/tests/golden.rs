//! Golden vectors: the bytes of what entries are made of, good and bad, and that `README.md` names what the code has.
//!
//! `vectors/wire.json` names each case, its bytes in hexadecimal, and what a reader says: the hash where it is good,
//! the rule that it breaks where it is bad, or that it is held. `ENTENTE_REGENERATE=1` writes the file anew after a
//! change of the wire. All but bodies and wraps, which age draws randomness for, are made again and compared.

#![expect(clippy::unwrap_used, reason = "the tests' helpers stand outside the functions that are marked as tests")]

#[path = "golden/make.rs"]
mod make;
#[path = "golden/readme.rs"]
mod readme;
mod world;

use entente_protocol::announcement::Announcement;
use entente_protocol::entry::body::Content;
use entente_protocol::entry::header::Header;
use entente_protocol::fork::ForkProof;
use entente_protocol::id::Hash;
use entente_protocol::keys::{KeyDescriptor, Wrap};
use entente_protocol::receipt::Receipt;
use entente_protocol::retraction::{self, Retraction};
use entente_protocol::statement::Statement;
use entente_protocol::statement::batch::ClaimedBatch;
use entente_protocol::wire::attest::{Attested, Claimed, Payload};
use make::Case;
use serde_json::{Value, json};
use world::{World, content_key, encryption, signing};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/wire.json");

/// What a reader who knows all keys says of bytes: a hash, or why not.
fn read(world: &World, of: &str, bytes: &[u8]) -> Result<Hash, String> {
    match of {
        "statement" => match Statement::read(bytes) {
            Ok(Statement::Report(_)) => Ok(Hash::of(&[bytes])),
            Ok(Statement::Unknown(kind)) => Err(format!("held: kind {kind}, or something in it, is not known")),
            Err(error) => Err(error.to_string()),
        },
        "batch" => {
            let batch = ClaimedBatch::parse(bytes).map_err(|error| error.to_string())?;
            batch.root.attest(&signing(0).public()).map(|root| root.hash()).map_err(|error| error.to_string())
        }
        "header" => signed::<Header>(bytes).map(|header| header.hash()),
        "retraction" => signed::<Retraction>(bytes).map(|retraction| retraction.hash()),
        "receipt" => signed::<Receipt>(bytes).map(|receipt| receipt.hash()),
        "key descriptor" => signed::<KeyDescriptor>(bytes).map(|descriptor| descriptor.hash()),
        "wrap" => {
            let wrap = signed::<Wrap>(bytes)?;
            wrap.open(&encryption(1)).map(|_| wrap.hash()).map_err(|error| error.to_string())
        }
        "body" => match Content::open(bytes, &content_key()) {
            Ok(content) => Ok(content.commitment()),
            Err(refusal) => Err(refusal.to_string()),
        },
        "fork proof" => {
            let proof = ForkProof::read(bytes).map_err(|error| error.to_string())?;
            let verified = proof.verify(&world.roll, Some(&world.agreement));
            verified.map(|_| proof.hash()).map_err(|error| error.to_string())
        }
        "announcement" => match Announcement::read(bytes) {
            Ok(announcement) => Ok(Hash::of(&[&announcement.write()])),
            Err(error) => Err(error.to_string()),
        },
        other => panic!("{other} is no kind of vector"),
    }
}

fn signed<P: Payload>(bytes: &[u8]) -> Result<Attested<P>, String> {
    let claimed = Claimed::<P>::parse(bytes).map_err(|error| error.to_string())?;
    claimed.attest(&signing(0).public()).map_err(|error| error.to_string())
}

fn verdict(world: &World, case: &Case) -> Value {
    let (of, why, bytes) = (case.of, &case.why, hex::encode(&case.bytes));
    match read(world, of, &case.bytes) {
        Ok(hash) => json!({ "of": of, "why": why, "hex": bytes, "hash": hash.to_string() }),
        Err(error) => json!({ "of": of, "why": why, "hex": bytes, "error": error }),
    }
}

#[test]
fn every_vector_is_read_as_it_says() {
    let world = make::world();
    let made = make::cases(&world);
    if std::env::var_os("ENTENTE_REGENERATE").is_some() {
        let lines: Vec<String> = made.iter().map(|case| verdict(&world, case).to_string()).collect();
        std::fs::write(FILE, format!("[\n{}\n]\n", lines.join(",\n"))).unwrap();
    }
    let file: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap();
    assert_eq!(file.len(), made.len());
    for (of_file, made) in file.iter().zip(&made) {
        let random = matches!(made.of, "body" | "wrap");
        let bytes = hex::decode(of_file["hex"].as_str().unwrap()).unwrap();
        assert!(random || bytes == made.bytes, "{}: {}", made.of, made.why);
        let case = Case { bytes, why: made.why.clone(), of: made.of, good: made.good };
        assert_eq!(verdict(&world, &case), *of_file);
        assert_eq!(of_file["hash"].is_string(), made.good, "{}: {}", made.of, made.why);
    }
}

#[test]
fn the_reason_of_a_retraction_opens_for_holders_of_the_report_alone() {
    let world = make::world();
    let retraction = make::retraction(&world);
    let secret = world::report(1).holder_secret;
    assert_eq!(retraction::open_reason(&secret, &retraction).as_deref(), Some("mistaken identity"));
    assert_eq!(retraction::open_reason(&[0; 16], &retraction), None);
    let escape = retraction::seal_reason(&secret, retraction.report, retraction.up_to_revision, "\u{1b}[2J");
    let escape = Retraction { sealed_reason: escape, ..retraction };
    assert_eq!(retraction::open_reason(&secret, &escape), None);
}
