//! Golden vectors: the bytes of agreement objects, good and bad, made from fixed seeds.
//!
//! `vectors/agreements.json` names each case, its signed object, and what a reader says: the hash, or the rule broken.
//! `cargo test -p entente-protocol --test agreements -- --ignored` writes the file anew after a change of the wire.

use entente_protocol::agreement::{Act, Onward, Rejection, Reliance, Signature, Terms, Version, Withdrawal};
use entente_protocol::crypto::sign;
use entente_protocol::grading::GradingScheme;
use entente_protocol::handling::Handling;
use entente_protocol::id::Hash;
use entente_protocol::marking::Marking;
use entente_protocol::typology::Typology;
use entente_protocol::wire::attest::{Claimed, Payload};
use entente_protocol::wire::codec::MapWriter;
use entente_protocol::wire::object::ObjectKind;
use serde_json::{Value, json};

use super::make::{MODE, at, child, first, key, leaves, no, propose, terms, yes, yes_relying};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/agreements.json");

#[test]
fn the_bytes_are_those_of_the_vectors() {
    let file: Value = serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap();
    let made = vectors();
    assert_eq!(file.as_array().unwrap().len(), made.len());
    for (of_file, made) in file.as_array().unwrap().iter().zip(&made) {
        assert_eq!(of_file, made);
    }
}

#[test]
#[ignore = "writes the vectors"]
fn write_the_vectors() {
    let cases: Vec<String> = vectors().iter().map(|case| format!("  {case}")).collect();
    std::fs::write(FILE, format!("[\n{}\n]\n", cases.join(",\n"))).unwrap();
}

fn vectors() -> Vec<Value> {
    let root = propose(first(&[0, 1, 2]));
    let full = Terms {
        kinds: vec![1, 2, 99],
        typologies: vec![Typology::parse("ransomware").unwrap(), Typology::from_wire("urn:other", "x").unwrap()],
        chains: vec!["bip122:000000000019d6689c085ae165831e93".to_owned(), "eip155:1".to_owned()],
        required_grading: Some(GradingScheme::Admiralty),
        handling: vec![Handling::Crime, Handling::parse("H3: ask first").unwrap()],
        onward: Onward::Consent,
        history: true,
        marking_ceiling: Marking::Red,
        ..terms()
    };
    let next = propose(Version { terms: full, ..child(&root, &[0, 1, 2], 100, 1) });
    let end = propose(Version { ends: true, ..child(&root, &[0, 1, 2], 100, 2) });
    let reliance = Reliance { version: next.name(), rejection: Hash([5; 32]) };
    let relying = yes_relying(&end, 1, 60, vec![reliance]);
    let good = [
        ("first version", root.bytes().to_vec()),
        ("child with all terms", next.bytes().to_vec()),
        ("child that ends the agreement", end.bytes().to_vec()),
        ("signature", bytes(&yes(&root, 1, 12))),
        ("signature that relies on a rejection", bytes(&relying)),
        ("rejection", bytes(&no(&next, 2, 50))),
        ("withdrawal", bytes(&leaves(&root, 2, 60))),
    ];
    let good = good.into_iter().map(|(name, bytes)| (name.to_owned(), bytes));
    good.chain(bad_versions()).chain(bad_answers()).map(|(name, bytes)| case(&name, &bytes)).collect()
}

fn case(name: &str, bytes: &[u8]) -> Value {
    match read(bytes) {
        Ok(hash) => json!({ "name": name, "object": hex::encode(bytes), "hash": hash.to_string() }),
        Err(error) => json!({ "name": name, "object": hex::encode(bytes), "error": error }),
    }
}

/// Reads an object of whatever kind its `typ` names.
fn read(bytes: &[u8]) -> Result<Hash, String> {
    fn of_kind<P: Payload>(bytes: &[u8]) -> Result<Hash, String> {
        let claimed = Claimed::<P>::parse(bytes).map_err(|error| error.to_string())?;
        let signed = sign::Signed::parse(bytes, P::MAX_BYTES).map_err(|error| error.to_string())?;
        let of_someone = (0..4).any(|agency| signed.verify(&key(agency).public()).is_ok());
        if of_someone { Ok(claimed.hash()) } else { Err("the signature is nobody's".to_owned()) }
    }
    let signed = sign::Signed::parse(bytes, Version::MAX_BYTES).map_err(|error| error.to_string())?;
    match ObjectKind::of_typ(signed.typ()) {
        Some((ObjectKind::Signature, _)) => of_kind::<Signature>(bytes),
        Some((ObjectKind::Rejection, _)) => of_kind::<Rejection>(bytes),
        Some((ObjectKind::Withdrawal, _)) => of_kind::<Withdrawal>(bytes),
        _ => of_kind::<Version>(bytes),
    }
}

fn bytes(act: &Act) -> Vec<u8> {
    match act {
        Act::Version(act) => act.bytes().to_vec(),
        Act::Signature(act) => act.bytes().to_vec(),
        Act::Rejection(act) => act.bytes().to_vec(),
        Act::Withdrawal(act) => act.bytes().to_vec(),
    }
}

fn object(kind: ObjectKind, payload: &[u8]) -> Vec<u8> {
    sign::sign(&key(0), kind.typ(MODE), payload)
}

fn bad_versions() -> impl Iterator<Item = (String, Vec<u8>)> {
    type Spoil = fn(&mut Version);
    let cases: [(&str, Spoil); 12] = [
        ("first version that ends", |v| v.ends = true),
        ("first version with an effective time", |v| v.effective_from = Some(at(20))),
        ("no title", |v| v.title.clear()),
        ("one party", |v| v.parties.truncate(1)),
        ("parties out of order", |v| v.parties.reverse()),
        ("a party without a role", |v| (v.parties[1].contribute, v.parties[1].receive) = (false, false)),
        ("no statement kind", |v| v.terms.kinds.clear()),
        ("kinds out of order", |v| v.terms.kinds.reverse()),
        ("a chain that is none", |v| v.terms.chains = vec!["bitcoin".to_owned()]),
        ("too long a retention", |v| v.terms.retention_days = 4000),
        ("too long a grace", |v| v.grace_ms = u64::MAX),
        ("empty validity", |v| v.valid_until = v.valid_from),
    ];
    let cases = cases.into_iter().map(|(name, change)| {
        let mut version = first(&[0, 1]);
        change(&mut version);
        (name.to_owned(), object(ObjectKind::AgreementVersion, &version.write()))
    });
    // Written by hand, because no version of ours can say it: rules 2; `ends` false; a key from the future.
    let rules_2 = MapWriter::new().put(2, &2_u64).finish();
    let good = first(&[0, 1]).write();
    let head = usize::from(good[0] & 0x1f);
    let mut with_32 = vec![0xa0 | u8::try_from(head + 1).unwrap()];
    with_32.extend_from_slice(&good[1..]);
    with_32.extend_from_slice(&[0x18, 32, 0]);
    let mut trailing = good.clone();
    trailing.push(0);
    let by_hand = [
        ("rules of the future, held", object(ObjectKind::AgreementVersion, &rules_2)),
        ("critical key of the future, held", object(ObjectKind::AgreementVersion, &with_32)),
        ("bytes after the map", object(ObjectKind::AgreementVersion, &trailing)),
        ("a version signed as a card", object(ObjectKind::Card, &good)),
    ];
    cases.chain(by_hand.map(|(name, bytes)| (name.to_owned(), bytes)))
}

fn bad_answers() -> impl Iterator<Item = (String, Vec<u8>)> {
    let root = propose(first(&[0, 1, 2]));
    let twice = Reliance { version: root.name(), rejection: Hash([5; 32]) };
    let relies_twice = Signature {
        version: root.name(),
        agency: root.proposer,
        card_serial: 1,
        at: at(12),
        relies_on: vec![twice, twice],
    };
    let no_reason =
        MapWriter::new().put(0, &root.name()).put(1, &root.proposer).put(2, &1_u32).put(3, &at(12)).finish();
    let mut forged = bytes(&yes(&root, 1, 12));
    *forged.last_mut().unwrap() ^= 1;
    [
        ("signature that relies twice on one version", object(ObjectKind::Signature, &relies_twice.write())),
        ("rejection without a reason", object(ObjectKind::Rejection, &no_reason)),
        ("signature with a flipped bit", forged),
    ]
    .map(|(name, bytes)| (name.to_owned(), bytes))
    .into_iter()
}
