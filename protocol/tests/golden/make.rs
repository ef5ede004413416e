//! The cases: one good object of each kind, then each rule broken once.

use entente_protocol::address::SubAccount;
use entente_protocol::agreement::{Act, Rejection, Reliance, Signature, Version};
use entente_protocol::announcement::Announcement;
use entente_protocol::crypto::{content_key as sealing, pack, sign, wrap};
use entente_protocol::entry::header::Header;
use entente_protocol::entry::opening::{Opening, Stand};
use entente_protocol::entry::publish::Place;
use entente_protocol::fork::ForkProof;
use entente_protocol::handling::Handling;
use entente_protocol::id::{AgencyId, Hash, KeyId};
use entente_protocol::identity::{Card, SignedCard};
use entente_protocol::indicator::Indicator;
use entente_protocol::keys::{KeyDescriptor, Wrap};
use entente_protocol::limits;
use entente_protocol::receipt::{CardSerial, LogPosition, Receipt, RefusalNote};
use entente_protocol::retraction::{self, Retraction};
use entente_protocol::statement::batch::BatchRoot;
use entente_protocol::statement::details::{Amount, Evidence, Pap, Role};
use entente_protocol::statement::report::Report;
use entente_protocol::typology::Typology;
use entente_protocol::wire::attest::{Attested, Payload};
use entente_protocol::wire::codec::{self, MapWriter, Value};
use entente_protocol::wire::object::ObjectKind;
use minicbor::Decoder;

use crate::world::{MODE, World, agency, at, content_key, encryption, key, report, signing, statement, terms};

pub(crate) struct Case {
    pub(crate) of: &'static str,
    pub(crate) why: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) good: bool,
}

/// What [`edit`] puts in the place of a value: a type that no key of ours has as its only one.
const FALSE: &[u8] = &[0xf4];

/// The agencies, and two children of the version in force.
pub(crate) fn world() -> World {
    let mut world = World::new(terms());
    for nonce in 1..3 {
        let child = child(&world, nonce);
        world.agreement.feed(Act::Version(child)).unwrap();
    }
    world
}

fn child(world: &World, nonce: u8) -> Attested<Version> {
    let child = Version {
        agreement: Some(world.agreement.id()),
        parent: Some(world.version.name()),
        effective_from: Some(at(100)),
        nonce: [nonce; 16],
        ..world.version.payload().clone()
    };
    child.propose(MODE, &key(0, 3)).unwrap()
}

pub(crate) fn cases(world: &World) -> Vec<Case> {
    let mut cases = Vec::new();
    of_statement(&mut cases);
    of_batch(world, &mut cases);
    of_header(world, &mut cases);
    of_body(world, &mut cases);
    of_descriptor(world, &mut cases);
    of_wrap(world, &mut cases);
    of_retraction(world, &mut cases);
    of_receipt(world, &mut cases);
    of_fork_proof(world, &mut cases);
    of_announcement(&mut cases);
    cases
}

fn good(cases: &mut Vec<Case>, of: &'static str, why: &str, bytes: Vec<u8>) {
    cases.push(Case { of, why: why.to_owned(), bytes, good: true });
}

fn bad(cases: &mut Vec<Case>, of: &'static str, why: impl Into<String>, bytes: Vec<u8>) {
    cases.push(Case { of, why: why.into(), bytes, good: false });
}

/// The pairs of a map.
fn pairs(map: &[u8]) -> Vec<(u64, Vec<u8>)> {
    let mut d = Decoder::new(map);
    let count = d.map().unwrap().unwrap();
    (0..count)
        .map(|_| {
            let key = d.u64().unwrap();
            let start = d.position();
            d.skip().unwrap();
            (key, map[start..d.position()].to_vec())
        })
        .collect()
}

/// The map with another value of a key, with one more key, or with one less.
fn edit(map: &[u8], key: u64, value: Option<&[u8]>) -> Vec<u8> {
    let mut pairs = pairs(map);
    pairs.retain(|(other, _)| *other != key);
    pairs.extend(value.map(|value| (key, value.to_vec())));
    pairs.sort();
    let write = |map: MapWriter, (key, value): (u64, Vec<u8>)| map.put_with(key, |out| out.extend_from_slice(&value));
    pairs.into_iter().fold(MapWriter::new(), write).finish()
}

fn value<V: Value>(value: &V) -> Vec<u8> {
    let mut out = Vec::new();
    value.write(&mut out);
    out
}

fn text(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    codec::write_text(&mut out, text);
    out
}

/// What holds of every map: keys that must be there, their types, keys of the future, canonical form.
fn of_map(cases: &mut Vec<Case>, of: &'static str, map: &[u8], optional: &[u64], wrap: &dyn Fn(&[u8]) -> Vec<u8>) {
    for (key, _) in pairs(map) {
        if !optional.contains(&key) {
            bad(cases, of, format!("key {key} is missing"), wrap(&edit(map, key, None)));
        }
        bad(cases, of, format!("key {key} has another type"), wrap(&edit(map, key, Some(FALSE))));
    }
    bad(cases, of, "critical key of the future, held", wrap(&edit(map, 63, Some(FALSE))));
    good(cases, of, "ignorable key of the future", wrap(&edit(map, 64, Some(FALSE))));
    bad(cases, of, "null", wrap(&edit(map, 64, Some(&[0xf6]))));
    bad(cases, of, "a float", wrap(&edit(map, 64, Some(&[0xf9, 0, 0]))));
    bad(cases, of, "an integer not in its shortest form", wrap(&edit(map, 64, Some(&[0x18, 0]))));
    bad(cases, of, "nested too deeply", wrap(&edit(map, 64, Some(&[&[0x81; 9][..], &[0]].concat()))));
    bad(cases, of, "bytes after the map", wrap(&[map, &[0]].concat()));
    bad(cases, of, "no map", wrap(&[0x80]));
}

/// What holds of every signed object.
fn of_signed<P: Payload>(cases: &mut Vec<Case>, of: &'static str, payload: P, optional: &[u64]) {
    let map = payload.write();
    let bytes = Attested::sign(payload, MODE, &signing(0)).bytes().to_vec();
    good(cases, of, "good", bytes.clone());
    let mut flipped = bytes.clone();
    *flipped.last_mut().unwrap() ^= 1;
    bad(cases, of, "a flipped bit", flipped);
    bad(cases, of, "cut short", bytes[..bytes.len() - 1].to_vec());
    bad(cases, of, "signed by another", sign::sign(&signing(1), P::KIND.typ(MODE), &map));
    bad(cases, of, "typ of another kind", sign::sign(&signing(0), ObjectKind::Inception.typ(MODE), &map));
    bad(cases, of, "typ of the future, held", sign::sign(&signing(0), "entente.future.v1.live", &map));
    of_map(cases, of, &map, optional, &object::<P>);
}

fn object<P: Payload>(map: &[u8]) -> Vec<u8> {
    sign::sign(&signing(0), P::KIND.typ(MODE), map)
}

/// A report with everything in it.
fn full() -> Report {
    Report {
        handling: vec![Handling::Crime, Handling::parse("H3: ask first").unwrap()],
        description: Some("Wallet named in a ransom note.".to_owned()),
        source: Some("victim".to_owned()),
        observed_from: Some(at(1)),
        observed_until: Some(at(2)),
        sub_account: Some(SubAccount::DestinationTag(77)),
        role: Some(Role::Perpetrator),
        amounts: vec![Amount::parse("0.25 BTC").unwrap(), Amount::parse("1200 EUR").unwrap()],
        victims: Some(3),
        evidence: vec![Evidence::parse(&format!("sha256:{} note.pdf", "ab".repeat(32))).unwrap()],
        reference: Some("https://example.org/notes/7".to_owned()),
        terms: vec![Typology::from_wire("https://interpol.example/abuses", "hack").unwrap()],
        pap: Some(Pap::Amber),
        ..report(1)
    }
}

/// Each detail of a report broken.
fn broken_details(cases: &mut Vec<Case>, of: &'static str, inner: &[u8], with: &dyn Fn(&[u8]) -> Vec<u8>) {
    let list = |items: &[Vec<u8>]| [&[0x80 + u8::try_from(items.len()).unwrap()], items.concat().as_slice()].concat();
    let amount = |number: &str, asset: &str| MapWriter::new().put_text(0, number).put_text(1, asset).finish();
    let term = MapWriter::new().put_text(0, "urn:x").put_text(1, "").finish();
    let observable = |kind: u64, canonical: &str| MapWriter::new().put(0, &kind).put_text(2, canonical).finish();
    let broken: &[(u64, &str, Vec<u8>)] = &[
        (3, "domain in upper case", observable(4, "EVIL.example")),
        (3, "domain without its A-labels", observable(4, "\u{440}\u{430}\u{443}\u{440}\u{430}l.example")),
        (3, "telephone number with spaces", observable(8, "+44 20 7946 0018")),
        (3, "IBAN with a wrong check digit", observable(10, "GB34BUKB20201555555555")),
        (3, "transaction on a chain of the future, held", observable(2, &format!("eip999:1:0x{}", "ab".repeat(32)))),
        (3, "transaction in upper case", observable(2, &format!("eip155:1:0x{}", "AB".repeat(32)))),
        (16, "role of the future, held", value(&9_u64)),
        (17, "amount with zeros that say nothing", list(&[amount("0.250", "slip44:0")])),
        (17, "amount of a ticker that has a coin type", list(&[amount("1", "BTC")])),
        (17, "negative amount", list(&[amount("-1", "slip44:0")])),
        (19, "evidence without its algorithm", list(&[MapWriter::new().put_text(0, &"ab".repeat(32)).finish()])),
        (21, "term without an id", list(&[term])),
        (22, "permissible actions of the future, held", value(&5_u64)),
    ];
    for (key, why, bytes) in broken {
        bad(cases, of, *why, with(&edit(inner, *key, Some(bytes))));
    }
}

/// Reports on what is no address.
fn of_indicators(cases: &mut Vec<Case>, of: &'static str) {
    for text in [
        "transaction:eip155:1:0x4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b",
        "token:eip155:1/erc20:0x6b175474e89094c44da98b954eedeac495271d0f",
        "domain:xn--80ak6aa92e.com",
        "phone:+442079460018",
        "bank-account:GB33BUKB20201555555555",
        "handle:telegram:helpdesk",
    ] {
        let indicator = Indicator::parse(text).unwrap();
        good(cases, of, &format!("report on {}", indicator.kind_word()), statement(&Report { indicator, ..report(1) }));
    }
}

fn of_statement(cases: &mut Vec<Case>) {
    let of = "statement";
    let plain = statement(&full());
    good(cases, of, "report", plain.clone());
    good(cases, of, "report with no more than it must have", statement(&Report { case: None, ..report(1) }));
    of_indicators(cases, of);
    good(cases, of, "revision", statement(&Report { revision: 1, ..full() }));
    let inner = pairs(&plain)[1].1.clone();
    let with = |content: &[u8]| edit(&plain, 1, Some(content));
    of_map(cases, of, &plain, &[], &<[u8]>::to_vec);
    of_map(cases, of, &inner, &[7, 8, 9, 10, 11, 12, 15, 16, 17, 18, 19, 20, 21, 22], &with);
    bad(cases, of, "kind of the future, held", edit(&plain, 0, Some(&[9])));
    bad(cases, of, "kind understood later, held", edit(&plain, 0, Some(&[3])));
    bad(cases, of, "report with a revision number", with(&edit(&inner, 1, Some(&[1]))));
    bad(cases, of, "revision without its number", edit(&plain, 0, Some(&[2])));
    let address = |chain: &str, canonical: &str| {
        MapWriter::new().put(0, &1_u64).put_text(1, chain).put_text(2, canonical).finish()
    };
    let canonical = full().indicator.address().unwrap().canonical().to_owned();
    let long = "x".repeat(limits::SHORT_TEXT_BYTES + 1);
    let h = |number: u64, words: Option<&str>| {
        let map = MapWriter::new().put(0, &number);
        match words {
            Some(words) => map.put_text(1, words).finish(),
            None => map.finish(),
        }
    };
    let list = |items: &[Vec<u8>]| [&[0x80 + u8::try_from(items.len()).unwrap()], items.concat().as_slice()].concat();
    let typology = |scheme: &str, id: &str| MapWriter::new().put_text(0, scheme).put_text(1, id).finish();
    let grading = |scheme: u64, codes: &str| MapWriter::new().put(0, &scheme).put_text(1, codes).finish();
    broken_details(cases, of, &inner, &with);
    let broken: &[(u64, &str, Vec<u8>)] = &[
        (0, "id of 15 bytes", value(&[1_u8; 15])),
        (1, "revision above 32 bits", value(&(1_u64 << 32))),
        (2, "time after the year 9999", value(&253_402_300_800_000_u64)),
        (3, "indicator of a type of the future, held", edit(&address("eip155:1", &canonical), 0, Some(&[15]))),
        (3, "domain with a chain", edit(&address("eip155:1", &canonical), 0, Some(&[4]))),
        (3, "chain of the future, held", address("eip999:1", &canonical)),
        (3, "chain by its name", address("ethereum", &canonical)),
        (
            3,
            "address in upper case",
            address("eip155:1", &canonical.to_uppercase().replace('X', "x").replace("0x", "0xA")),
        ),
        (3, "address of another chain", address("tron:728126428", &canonical)),
        (4, "typology with a space", typology("urn:x", "a b")),
        (4, "typology without an id", typology("urn:x", "")),
        (5, "grading scheme of the future, held", grading(3, "B2")),
        (5, "grading codes in lower case", grading(0, "b2")),
        (5, "codes of another scheme", grading(0, "F6")),
        (6, "marking of the future, held", value(&5_u64)),
        (7, "empty list", vec![0x80]),
        (7, "handling code twice", list(&[h(1, None), h(1, None)])),
        (7, "handling codes out of order", list(&[h(1, None), h(0, None)])),
        (7, "H3 without words", list(&[h(3, None)])),
        (7, "H0 with words", list(&[h(0, Some("x"))])),
        (7, "handling code of the future, held", list(&[h(4, None)])),
        (8, "empty text", text("")),
        (8, "text too long", text(&long)),
        (9, "control character", text("a\u{1b}[2Jb")),
        (10, "text that is not UTF-8", vec![0x61, 0xff]),
        (13, "precedence of the future, held", value(&4_u64)),
        (14, "holder secret of 32 bytes", value(&[1_u8; 32])),
    ];
    for (key, why, bytes) in broken {
        bad(cases, of, *why, with(&edit(&inner, *key, Some(bytes))));
    }
}

fn three() -> [Vec<u8>; 3] {
    [statement(&full()), statement(&report(2)), statement(&report(3))]
}

fn of_batch(world: &World, cases: &mut Vec<Case>) {
    let of = "batch";
    let batch = world.batch(0, &three());
    let plain = batch.write();
    good(cases, of, "three statements", plain.clone());
    let leaf = |index: usize| batch.leaves[index].hash();
    let leaves = |salt: &[u8], second: &[u8]| {
        let mut out = Vec::new();
        codec::write_array(&mut out, 3);
        codec::write_bytes(&mut out, &leaf(0));
        codec::write_array(&mut out, 2);
        codec::write_bytes(&mut out, salt);
        codec::write_bytes(&mut out, second);
        codec::write_bytes(&mut out, &leaf(2));
        edit(&plain, 1, Some(&out))
    };
    good(cases, of, "two of three deleted", leaves(&[2; 16], &statement(&report(2))));
    bad(cases, of, "statement altered", leaves(&[2; 16], &statement(&report(4))));
    bad(cases, of, "salt altered", leaves(&[3; 16], &statement(&report(2))));
    bad(cases, of, "salt of 15 bytes", leaves(&[2; 15], &statement(&report(2))));
    bad(cases, of, "no statements", edit(&plain, 1, Some(&[0x80])));
    let with_root = |root: &[u8]| {
        let mut out = Vec::new();
        codec::write_bytes(&mut out, root);
        edit(&plain, 0, Some(&out))
    };
    let payload = *batch.root.payload();
    let astray = Attested::sign(BatchRoot { root: Hash([1; 32]), ..payload }, MODE, &signing(0));
    bad(cases, of, "root of other statements", with_root(astray.bytes()));
    bad(cases, of, "signed by another", with_root(Attested::sign(payload, MODE, &signing(1)).bytes()));
    bad(
        cases,
        of,
        "typ of another kind",
        with_root(&sign::sign(&signing(0), ObjectKind::Card.typ(MODE), &payload.write())),
    );
    of_map(cases, of, &plain, &[], &<[u8]>::to_vec);
    of_map(cases, of, &payload.write(), &[], &|map| with_root(&object::<BatchRoot>(map)));
}

fn of_header(world: &World, cases: &mut Vec<Case>) {
    let of = "header";
    let mut header = world.entry(0, None, 12, &three()).header.payload().clone();
    // The body is sealed with randomness; here it is one byte that never changes.
    (header.body_length, header.body_hash) = (1, Hash::of(&[&[0]]));
    let map = header.write();
    let with = |key, bytes: &[u8]| object::<Header>(&edit(&map, key, Some(bytes)));
    good(cases, of, "entry 1", object::<Header>(&edit(&edit(&map, 5, Some(&[1])), 6, Some(&value(&Hash([1; 32]))))));
    bad(cases, of, "entry 0 with a predecessor", with(6, &value(&Hash([1; 32]))));
    bad(cases, of, "entry 1 without a predecessor", with(5, &[1]));
    bad(cases, of, "body longer than 1 MiB", with(8, &value(&((1_u64 << 20) + 1))));
    bad(cases, of, "deleted when made", with(12, &value(&header.created)));
    bad(cases, of, "writer above 32 bits", with(3, &value(&(1_u64 << 32))));
    bad(cases, of, "created after the year 9999", with(11, &value(&253_402_300_800_000_u64)));
    bad(cases, of, "hash of 31 bytes", with(9, &value(&[0_u8; 31])));
    let mut long = Vec::new();
    codec::write_bytes(&mut long, &[0; limits::HEADER_BYTES]);
    bad(cases, of, "longer than 1 KiB", with(64, &long));
    of_signed(cases, of, header, &[]);
}

fn of_body(world: &World, cases: &mut Vec<Case>) {
    let of = "body";
    let stand = |generation, head| Stand { generation, head };
    let stands = vec![stand(0, Some((3, Hash([2; 32])))), stand(1, None)];
    let opening = Opening { stands, quota_day: at(12).day(), statements: 7, bytes: 99 };
    good(cases, of, "one batch", world.entry(0, None, 12, &three()).body);
    let place = Place { generation: 2, ..world.place(None, 12) };
    let opened = world.entry_of(0, &place, vec![world.batch(0, &three())], Some(opening.clone())).body;
    good(cases, of, "one batch and an opening", opened);
    let seal = |plain: &[u8]| sealing::seal(&content_key(), plain).unwrap();
    let padded = |content: &[u8]| {
        let mut plain = u32::try_from(content.len()).unwrap().to_be_bytes().to_vec();
        plain.extend_from_slice(content);
        plain.resize(pack::padded_len(plain.len()), 0);
        seal(&plain)
    };
    let batch = world.batch(0, &three()).write();
    let frame = |how: u64, length: usize, bytes: &[u8]| {
        let mut out = vec![0x81, 0x83];
        codec::write_uint(&mut out, how);
        codec::write_uint(&mut out, length as u64);
        codec::write_bytes(&mut out, bytes);
        out
    };
    let content = MapWriter::new()
        .put(0, &[5_u8; 16])
        .put_with(1, |out| out.extend_from_slice(&frame(0, batch.len(), &batch)))
        .put(2, &opening)
        .finish();
    good(cases, of, "stored instead of compressed", padded(&content));
    of_map(cases, of, &content, &[2], &padded);
    let with_opening = |map: &[u8]| padded(&edit(&content, 2, Some(map)));
    of_map(cases, of, &opening.to_bytes(), &[], &with_opening);
    let stand = MapWriter::new().put(0, &0_u64).put(1, &3_u64).finish();
    let half = [&[0x81], stand.as_slice()].concat();
    bad(cases, of, "a head without its hash", with_opening(&edit(&opening.to_bytes(), 0, Some(&half))));
    let twice = [&[0x82][..], &[0xa1, 0, 0], &[0xa1, 0, 0]].concat();
    bad(cases, of, "a generation twice", with_opening(&edit(&opening.to_bytes(), 0, Some(&twice))));
    let framed = |frame: &[u8]| padded(&edit(&content, 1, Some(frame)));
    bad(cases, of, "compression of the future, held", framed(&frame(2, 1, &[0])));
    bad(cases, of, "unpacks to less than it says", framed(&frame(0, batch.len() + 1, &batch)));
    bad(cases, of, "unpacks to more than it says", framed(&frame(0, batch.len() - 1, &batch)));
    bad(cases, of, "says that it unpacks to more than 4 MiB", framed(&frame(1, limits::UNPACKED_BYTES + 1, &[])));
    bad(cases, of, "a zstd frame that is none", framed(&frame(1, 9, b"no frame")));
    bad(cases, of, "padding other than zeros", seal(&[&[0, 0, 0, 1, 0xa0], [1_u8; 507].as_slice()].concat()));
    bad(cases, of, "a content longer than the body", seal(&[&[0, 0, 2, 0], [0_u8; 508].as_slice()].concat()));
    let other = sealing::ContentKey::from_bytes(&[1; 32]);
    bad(cases, of, "under another key", sealing::seal(&other, &[0; 512]).unwrap());
    let for_a_node = wrap::wrap(&encryption(0).public(), &[0; 512]).unwrap();
    bad(cases, of, "an age file for a node", for_a_node);
    bad(cases, of, "no age file", vec![0; 512]);
}

fn of_descriptor(world: &World, cases: &mut Vec<Case>) {
    let of = "key descriptor";
    let descriptor = world.descriptor(0);
    let map = descriptor.write();
    let with = |recipients: &[AgencyId]| {
        let mut out = Vec::new();
        codec::write_list(&mut out, recipients);
        object::<KeyDescriptor>(&edit(&map, 5, Some(&out)))
    };
    let mut unsorted = descriptor.recipients.clone();
    unsorted.reverse();
    bad(cases, of, "recipients out of order", with(&unsorted));
    bad(cases, of, "a recipient twice", with(&[world.ids[0], world.ids[0]]));
    bad(cases, of, "the author is no recipient", with(&[world.ids[1]]));
    bad(cases, of, "no recipients", object::<KeyDescriptor>(&edit(&map, 5, None)));
    of_signed(cases, of, descriptor, &[5]);
}

fn of_wrap(world: &World, cases: &mut Vec<Case>) {
    let of = "wrap";
    let made = |secret: &[u8]| Wrap {
        descriptor: Hash([3; 32]),
        key_id: KeyId::from_bytes(content_key().id()),
        recipient: world.ids[1],
        recipient_writer: 0,
        wrapped_by: world.ids[0],
        card_serial: 1,
        writer: 0,
        file: wrap::wrap(&encryption(1).public(), secret).unwrap(),
    };
    let good = made(content_key().as_bytes());
    let map = good.write();
    let with = |file: &[u8]| {
        let mut out = Vec::new();
        codec::write_bytes(&mut out, file);
        object::<Wrap>(&edit(&map, 7, Some(&out)))
    };
    bad(cases, of, "another key than the one named", object::<Wrap>(&made(&[1; 32]).write()));
    bad(cases, of, "a key of 31 bytes", object::<Wrap>(&made(&[1; 31]).write()));
    bad(cases, of, "a key of 33 bytes", object::<Wrap>(&made(&[1; 33]).write()));
    bad(cases, of, "for another node", with(&wrap::wrap(&encryption(2).public(), content_key().as_bytes()).unwrap()));
    bad(cases, of, "under a content key", with(&sealing::seal(&content_key(), &[0; 32]).unwrap()));
    bad(cases, of, "longer than 8 KiB", with(&[0; limits::WRAP_BYTES]));
    of_signed(cases, of, good, &[]);
}

pub(crate) fn retraction(world: &World) -> Retraction {
    let report = report(1);
    let sealed_reason = retraction::seal_reason(&report.holder_secret, report.id, 2, "mistaken identity");
    Retraction {
        originator: world.ids[0],
        card_serial: 1,
        writer: 0,
        report: report.id,
        up_to_revision: 2,
        delete_after: at(2000),
        created: at(20),
        sealed_reason,
    }
}

fn of_retraction(world: &World, cases: &mut Vec<Case>) {
    let of = "retraction";
    let retraction = retraction(world);
    let long = Retraction { sealed_reason: vec![0; limits::LONG_TEXT_BYTES + 17], ..retraction.clone() };
    bad(cases, of, "a reason that is too long", object::<Retraction>(&long.write()));
    of_signed(cases, of, retraction, &[]);
}

fn of_receipt(world: &World, cases: &mut Vec<Case>) {
    let of = "receipt";
    let mut ids = world.ids.clone();
    ids.sort_unstable();
    let position = |author, generation, seq| LogPosition { author, writer: 0, generation, seq, hash: Hash([1; 32]) };
    let note = |reason| RefusalNote { entry: Hash([4; 32]), reason, statements: 1 };
    let receipt = Receipt {
        agreement: world.agreement.id(),
        party: world.ids[0],
        card_serial: 1,
        writer: 0,
        generation: 0,
        counter: 7,
        created: at(20),
        version: Some(world.version.name()),
        cards: ids.iter().map(|agency| CardSerial { agency: *agency, serial: 1 }).collect(),
        logs: vec![position(ids[0], 0, 3), position(ids[0], 1, 0), position(ids[1], 0, 2)],
        retractions: vec![Hash([2; 32]), Hash([3; 32])],
        refused: vec![note(32), note(69)],
        onward_pending: 0,
        audit_checkpoint: Some(Hash([5; 32])),
    };
    let mut twice = receipt.clone();
    twice.cards[1] = CardSerial { serial: 2, ..twice.cards[0] };
    let mut log_twice = receipt.clone();
    log_twice.logs[1] = position(ids[0], 0, 4);
    let mut retractions = receipt.clone();
    retractions.retractions.reverse();
    let mut refused = receipt.clone();
    refused.refused.reverse();
    for (why, receipt) in [
        ("two cards of one agency", twice),
        ("a log twice", log_twice),
        ("retractions out of order", retractions),
        ("refusals out of order", refused),
    ] {
        bad(cases, of, why, object::<Receipt>(&receipt.write()));
    }
    of_signed(cases, of, receipt, &[7, 8, 9, 10, 11, 13]);
}

fn of_fork_proof(world: &World, cases: &mut Vec<Case>) {
    let of = "fork proof";
    let header = {
        let mut header = world.entry(0, None, 12, &three()).header.payload().clone();
        (header.body_length, header.body_hash) = (1, Hash::of(&[&[0]]));
        header
    };
    let head = |body: u8, change: &dyn Fn(&mut Header)| {
        let mut header = header.clone();
        header.body_hash = Hash([body; 32]);
        change(&mut header);
        Attested::sign(header, MODE, &signing(0)).bytes().to_vec()
    };
    let same = |_: &mut entente_protocol::entry::header::Header| ();
    let (one, other) = (head(1, &same), head(2, &same));
    let proof = |one: &[u8], other: &[u8]| ForkProof::new(one, other).write();
    let plain = proof(&one, &other);
    good(cases, of, "two headers at one place", plain.clone());
    let children = [child(world, 1), child(world, 2)];
    let under = |version: usize| head(1, &|header: &mut Header| header.version = children[version].name());
    good(cases, of, "two headers at one place under two versions", proof(&one, &under(0)));
    let card = |name: &str| {
        let (inception, first) = agency(0);
        let (predecessor, name) = (Some(first.hash()), name.to_owned());
        let card = Card { serial: 2, predecessor, name, ..first.card().clone() };
        SignedCard::issue(&inception, &card, &key(0, 1)).unwrap().bytes().to_vec()
    };
    good(cases, of, "two cards of one serial", proof(&card("One"), &card("Other")));
    let signature = |version: usize, relies_on| {
        let version = children[version].name();
        let signature = Signature { version, agency: world.ids[0], card_serial: 1, at: at(50), relies_on };
        Attested::sign(signature, MODE, &key(0, 3)).bytes().to_vec()
    };
    good(cases, of, "signatures on two children", proof(&signature(0, Vec::new()), &signature(1, Vec::new())));
    let rejection = Rejection {
        version: children[0].name(),
        agency: world.ids[0],
        card_serial: 1,
        at: at(51),
        reason: "not now".to_owned(),
    };
    let rejection = Attested::sign(rejection, MODE, &key(0, 3)).bytes().to_vec();
    good(cases, of, "a signature and a rejection", proof(&signature(0, Vec::new()), &rejection));

    let reliance = Reliance { version: children[0].name(), rejection: Hash([1; 32]) };
    let relying = signature(1, vec![reliance]);
    bad(cases, of, "a signature that relies on a rejection", proof(&signature(0, Vec::new()), &relying));
    bad(cases, of, "the same header twice", proof(&one, &one));
    bad(cases, of, "headers at two places", proof(&one, &head(1, &|header: &mut Header| header.writer = 1)));
    let elsewhere = head(1, &|header: &mut Header| header.version.0.0[0] ^= 1);
    bad(cases, of, "headers of two agreements, as far as is known", proof(&one, &elsewhere));
    bad(cases, of, "entries 0 under two cards", proof(&one, &head(1, &|header: &mut Header| header.card_serial = 2)));
    bad(cases, of, "a header and a rejection", proof(&one, &rejection));
    let mut flipped = one.clone();
    *flipped.last_mut().unwrap() ^= 1;
    bad(cases, of, "a header that its author has not signed", proof(&flipped, &other));
    let (first, second) = (pairs(&plain)[0].1.clone(), pairs(&plain)[1].1.clone());
    bad(
        cases,
        of,
        "in the other order",
        MapWriter::new().put_with(0, |out| out.extend(&second)).put_with(1, |out| out.extend(&first)).finish(),
    );
    of_map(cases, of, &plain, &[], &<[u8]>::to_vec);
}

fn of_announcement(cases: &mut Vec<Case>) {
    let of = "announcement";
    let header = MapWriter::new().put_bytes(0, b"header");
    good(cases, of, "a header alone", header.finish());
    let entry = Announcement::Entry { header: b"header".to_vec(), body: Some(b"body".to_vec()) }.write();
    good(cases, of, "an entry", entry.clone());
    let object = Announcement::of_object(ObjectKind::Receipt, b"receipt").unwrap().write();
    good(cases, of, "an object", object.clone());
    of_map(cases, of, &entry, &[1], &<[u8]>::to_vec);
    of_map(cases, of, &object, &[], &<[u8]>::to_vec);
    bad(cases, of, "a kind of the future, held", edit(&object, 2, Some(&[23])));
    bad(cases, of, "an entry and an object", edit(&edit(&entry, 2, Some(&[13])), 3, Some(&value(&[0_u8; 1]))));
    let long = |bytes: usize| {
        let mut out = Vec::new();
        codec::write_bytes(&mut out, &vec![0; bytes]);
        out
    };
    bad(cases, of, "a header longer than 1 KiB", edit(&entry, 0, Some(&long(limits::HEADER_BYTES + 1))));
}
