//! The ladder from end to end, with real keys: what is permitted, and each reason why an entry or a statement is not.
//!
//! Every refusal is compared whole, and with its short name, since receipts and people see that.

#![expect(clippy::unwrap_used, reason = "the tests' helpers stand outside the functions that are marked as tests")]

mod world;

use entente_protocol::agreement::{Act, Agreement, NotInForce, Signature, Terms, Version, Withdrawal};
use entente_protocol::crypto::content_key::{self, ContentKey};
use entente_protocol::crypto::pack::{self, PackError};
use entente_protocol::crypto::sign::{self, SignError};
use entente_protocol::crypto::{OpenError, merkle};
use entente_protocol::entry::body::{self, Content};
use entente_protocol::entry::header::Header;
use entente_protocol::entry::ladder::{Envelope, Head, Judged, KnownRevision, Verified, View};
use entente_protocol::entry::opening::{Opening, Stand};
use entente_protocol::entry::publish::{NewEntry, Place};
use entente_protocol::entry::refusal::{Disposition, Refusal};
use entente_protocol::grading::{Grading, GradingScheme};
use entente_protocol::id::{AgencyId, Hash, KeyId, Mode, ReportId, VersionHash};
use entente_protocol::identity::{Card, SignedCard};
use entente_protocol::keys::KeyDescriptor;
use entente_protocol::limits;
use entente_protocol::marking::Marking;
use entente_protocol::rules::{Term, Usage};
use entente_protocol::statement::batch::{Batch, BatchError, BatchRoot, Leaf, SignedBatch};
use entente_protocol::statement::report::Report;
use entente_protocol::time::Time;
use entente_protocol::typology::Typology;
use entente_protocol::wire::attest::{Attested, Claimed, ObjectError, Payload};
use entente_protocol::wire::codec::{self, CodecError, MapWriter};
use entente_protocol::wire::object::ObjectKind;
use world::{MODE, World, at, content_key, key, on, report, signing, statement, terms};

const NOW: u64 = 20;

impl World {
    /// What a node knows at an hour.
    fn view(&self, hour: u64) -> View<'_> {
        View { roll: &self.roll, agreement: &self.agreement, now: at(hour) }
    }
}

fn nothing_known(_: AgencyId, _: ReportId, _: u32) -> KnownRevision {
    KnownRevision { same_revision: None, indicator: None }
}

fn verify(world: &World, header: &[u8], head: Option<&Head>) -> Result<Verified, Refusal> {
    Envelope::parse(header)?.verify(&world.view(NOW), head)
}

/// All rungs, by one who knows no report yet and whose log has used nothing.
fn climb(world: &World, entry: &NewEntry, head: Option<&Head>) -> Result<Judged, Refusal> {
    let verified = verify(world, entry.header.bytes(), head)?;
    let author = world.ids.iter().position(|id| *id == entry.header.author).unwrap();
    let opened = verified.open(&entry.body, &content_key(), &world.descriptor(author), &world.view(NOW))?;
    Ok(opened.judge(&world.view(NOW), Usage::default(), &mut nothing_known))
}

/// Why an entry as a whole does not climb.
fn refused(world: &World, entry: &NewEntry, head: Option<&Head>, slug: &str) -> Refusal {
    let refusal = climb(world, entry, head).err().unwrap();
    assert_eq!(refusal.reason().slug, slug);
    refusal
}

/// Why the one statement of an entry is not admitted.
fn denied(world: &World, statement: Vec<u8>, slug: &str) -> Refusal {
    let judged = climb(world, &world.entry(0, None, 12, &[statement]), None).unwrap();
    assert!(judged.admitted.is_empty());
    let [not_admitted] = judged.not_admitted.as_slice() else { panic!("one statement, one answer") };
    assert_eq!(not_admitted.refusal.reason().slug, slug);
    not_admitted.refusal.clone()
}

fn denied_report(change: impl FnOnce(&mut Report), slug: &str) -> Refusal {
    let mut changed = report(1);
    change(&mut changed);
    denied(&World::new(terms()), statement(&changed), slug)
}

/// The same entry with another header, signed by its author.
fn with_header(entry: &NewEntry, signer: usize, change: impl FnOnce(&mut Header)) -> NewEntry {
    let mut header = entry.header.payload().clone();
    change(&mut header);
    NewEntry { header: Attested::sign(header, MODE, &signing(signer)), body: entry.body.clone() }
}

/// The same entry with another body, which its header names.
fn with_body(entry: &NewEntry, file: Vec<u8>) -> NewEntry {
    let named = with_header(entry, 0, |header| {
        header.body_length = u32::try_from(file.len()).unwrap();
        header.body_hash = Hash::of(&[&file]);
    });
    NewEntry { body: file, ..named }
}

/// A body with this content: its length, the content, zeros.
fn sealed(content: &[u8]) -> Vec<u8> {
    let mut plain = u32::try_from(content.len()).unwrap().to_be_bytes().to_vec();
    plain.extend_from_slice(content);
    plain.resize(pack::padded_len(plain.len()), 0);
    content_key::seal(&content_key(), &plain).unwrap()
}

/// The content of a body with these frames: compression, length claimed, bytes.
fn content_of(frames: &[(u64, u64, Vec<u8>)]) -> Vec<u8> {
    let write = |out: &mut Vec<u8>| {
        codec::write_array(out, frames.len());
        for (how, length, packed) in frames {
            codec::write_array(out, 3);
            codec::write_uint(out, *how);
            codec::write_uint(out, *length);
            codec::write_bytes(out, packed);
        }
    };
    MapWriter::new().put(0, &[5_u8; 16]).put_with(1, write).finish()
}

fn with_frames(world: &World, frames: &[(u64, u64, Vec<u8>)]) -> NewEntry {
    with_body(&simple(world), sealed(&content_of(frames)))
}

fn simple(world: &World) -> NewEntry {
    world.entry(0, None, 12, &[statement(&report(1))])
}

/// Entries 0 and 1 of a log.
fn two(world: &World) -> (NewEntry, Head, NewEntry) {
    let first = simple(world);
    let head = climb(world, &first, None).unwrap().verified.head();
    let second = world.entry(0, Some(head), 13, &[statement(&report(2))]);
    (first, head, second)
}

#[test]
fn what_the_agreement_permits_is_admitted_as_it_was_signed() {
    let world = World::new(terms());
    let (_, head, second) = two(&world);
    let judged = climb(&world, &second, Some(&head)).unwrap();
    assert!(judged.not_admitted.is_empty() && !judged.remnant && judged.opening.is_none());
    let [admitted] = judged.admitted.as_slice() else { panic!("one report") };
    assert_eq!((admitted.originator, admitted.leaf), (world.ids[0], 0));
    assert_eq!(admitted.bytes, statement(&report(2)));
    assert_eq!(admitted.report, report(2));
    let bytes = statement(&report(2)).len() as u64;
    assert_eq!(judged.usage, Usage { day: at(13).day(), statements: 1, bytes });
    let head = judged.verified.head();
    assert_eq!((head.seq, head.hash, head.version_depth), (1, second.header.hash(), 0));
}

#[test]
fn a_header_is_well_formed() {
    let world = World::new(terms());
    let entry = simple(&world);
    let parse = |payload: &[u8], typ: &str| Envelope::parse(&sign::sign(&signing(0), typ, payload)).err().unwrap();
    let typ = ObjectKind::Header.typ(MODE);
    let check = |refusal: Refusal, error: ObjectError, slug| {
        assert_eq!(refusal.reason().slug, slug);
        assert_eq!(refusal, Refusal::Header(error));
    };
    let write = |change: fn(&mut Header)| {
        let mut header = entry.header.payload().clone();
        change(&mut header);
        header.write()
    };
    let bounds = |key| ObjectError::Codec(CodecError::Bounds(key));
    let cases: [(u64, fn(&mut Header)); 4] = [
        (6, |header| header.previous = Some(Hash::default())),
        (6, |header| header.seq = 1),
        (8, |header| header.body_length = u32::try_from(limits::BODY_BYTES).unwrap() + 1),
        (12, |header| header.delete_after = header.created),
    ];
    for (key, change) in cases {
        check(parse(&write(change), typ), bounds(key), "malformed-header");
    }
    let good = entry.header.payload().write();
    let card = ObjectKind::Card;
    let other = ObjectError::OtherKind { expected: ObjectKind::Header, found: card };
    check(parse(&good, card.typ(MODE)), other, "malformed-header");
    check(parse(&good, "entente.header.v2.exercise"), ObjectError::UnknownTyp, "newer-header");
    let mut newer = good.clone();
    newer[0] += 1;
    newer.extend_from_slice(&[13, 0]);
    check(parse(&newer, typ), ObjectError::Codec(CodecError::UnknownCritical(13)), "newer-header");
    let mut ignorable = good;
    ignorable[0] += 1;
    ignorable.extend_from_slice(&[0x18, 64, 0]);
    assert!(Envelope::parse(&sign::sign(&signing(0), typ, &ignorable)).is_ok());
}

#[test]
fn a_header_is_signed_by_the_key_of_its_author() {
    let world = World::new(terms());
    let entry = simple(&world);
    let mut tampered = entry.header.bytes().to_vec();
    *tampered.last_mut().unwrap() ^= 1;
    let bad = Refusal::Header(ObjectError::Sign(SignError::BadSignature));
    assert_eq!(verify(&world, &tampered, None).unwrap_err(), bad);
    assert_eq!(bad.reason().slug, "signature");
    assert_eq!(refused(&world, &with_header(&entry, 1, |_| ()), None, "signature"), bad);
    let (a, b) = (world.ids[0], world.ids[1]);
    let posing = with_header(&entry, 0, |header| header.author = b);
    assert_eq!(refused(&world, &posing, None, "signature"), bad);

    let unknown = with_header(&entry, 0, |header| header.card_serial = 2);
    assert_eq!(refused(&world, &unknown, None, "unknown-card"), Refusal::UnknownCard { agency: a, serial: 2 });
    let no_key = |serial, writer| Refusal::NoKey { agency: a, serial, writer };
    let no_node = with_header(&entry, 0, |header| header.writer = 7);
    assert_eq!(refused(&world, &no_node, None, "no-key"), no_key(1, 7));
    let too_early = with_header(&entry, 0, |header| header.created = Time::default());
    assert_eq!(refused(&world, &too_early, None, "no-key"), no_key(1, 0));

    let mut world = world;
    let (inception, first) = world::agency(0);
    let card = first.card();
    let nodes = Vec::new();
    let revoked = vec![*signing(0).public().as_bytes()];
    let card = Card { serial: 2, predecessor: Some(first.hash()), issued: at(11), nodes, revoked, ..card.clone() };
    world.roll.add_card(SignedCard::issue(&inception, &card, &key(0, 1)).unwrap()).unwrap();
    assert_eq!(refused(&world, &entry, None, "no-key"), no_key(1, 0));
}

#[test]
fn an_entry_is_made_by_a_party_in_the_mode_of_the_agreement() {
    let world = World::new(terms());
    let entry = simple(&world);
    let outsider = with_header(&entry, 3, |header| header.author = world.ids[3]);
    assert_eq!(refused(&world, &outsider, None, "not-a-party"), Refusal::NotAParty(world.ids[3]));
    let live = Attested::sign(entry.header.payload().clone(), Mode::Live, &signing(0));
    assert_eq!(verify(&world, live.bytes(), None).unwrap_err(), Refusal::Mode);
    assert_eq!(Refusal::Mode.reason().slug, "mode");
    let receiver = with_header(&entry, 2, |header| header.author = world.ids[2]);
    let judged = climb(&world, &receiver, None).unwrap();
    let term = Term::DoesNotContribute { author: world.ids[2] };
    assert_eq!(judged.not_admitted[0].refusal, Refusal::Term(term));
}

#[test]
fn an_entry_names_a_version_in_force_at_its_time() {
    let world = World::new(terms());
    let entry = simple(&world);
    let version = VersionHash(Hash([1; 32]));
    let unknown = with_header(&entry, 0, |header| header.version = version);
    assert_eq!(refused(&world, &unknown, None, "unknown-version"), Refusal::UnknownVersion(version));

    let early = with_header(&entry, 0, |header| header.created = at(9));
    let not_yet = NotInForce::NotYet { from: at(10), at: at(9) };
    assert_eq!(refused(&world, &early, None, "not-in-force"), Refusal::NotInForce(not_yet));
    let ended = NotInForce::Ended { ended: at(10_000), at: at(10_000) };
    let late = with_header(&entry, 0, |header| {
        header.created = at(10_000);
        header.delete_after = at(10_001);
    });
    assert_eq!(refused(&world, &late, None, "not-in-force"), Refusal::NotInForce(ended));

    let mut unsigned = World::new(terms());
    unsigned.agreement = Agreement::new(world.agreement.id(), MODE);
    unsigned.agreement.feed(Act::Version(world.version.clone())).unwrap();
    for party in 0..2 {
        unsigned.sign(&world.version, party, 2);
    }
    let missing = NotInForce::NotAgreed { missing: vec![world.ids[2]] };
    let refusal = refused(&unsigned, &entry, None, "not-yet-in-force");
    assert_eq!(refusal, Refusal::NotInForce(missing));
    assert_eq!(refusal.disposition(), Disposition::Held);
    unsigned.sign(&world.version, 2, 2);
    assert!(climb(&unsigned, &entry, None).is_ok());
}

#[test]
fn who_has_left_publishes_nothing_later() {
    let mut world = World::new(terms());
    let made = |hour| world.entry(0, None, hour, &[statement(&report(1))]);
    let (before, after) = (made(12), made(14));
    let (agency, left) = (world.ids[0], at(13));
    let withdrawal = Withdrawal {
        agreement: world.agreement.id(),
        version: world.version.name(),
        agency,
        card_serial: 1,
        at: left,
        reason: "reorganised".to_owned(),
    };
    world.agreement.feed(Act::Withdrawal(Attested::sign(withdrawal, MODE, &key(0, 3)))).unwrap();
    assert!(climb(&world, &before, None).is_ok());
    let refusal = NotInForce::Left { agency, left, at: at(14) };
    assert_eq!(refused(&world, &after, None, "not-in-force"), Refusal::NotInForce(refusal));
}

/// A child of the first version, signed by all, in force from hour 14.
fn with_child(world: &mut World) -> VersionHash {
    let child = Version {
        agreement: Some(world.agreement.id()),
        parent: Some(world.version.name()),
        effective_from: Some(at(14)),
        created: at(11),
        nonce: [8; 16],
        ..world.version.payload().clone()
    };
    let child = child.propose(MODE, &key(0, 3)).unwrap();
    world.agreement.feed(Act::Version(child.clone())).unwrap();
    for party in 0..3 {
        world.sign(&child, party, 12);
    }
    child.name()
}

#[test]
fn versions_never_fall_along_a_log_and_a_replaced_one_closes() {
    let mut world = World::new(terms());
    let (parent, child) = (world.version.name(), with_child(&mut world));
    let place = |head, hour, version| Place { version, ..world.place(head, hour) };
    let entry = |place| world.entry_of(0, &place, Vec::new(), None);
    let under_parent = climb(&world, &entry(place(None, 15, parent)), None).unwrap().verified.head();
    let under_child = climb(&world, &entry(place(Some(under_parent), 16, child)), Some(&under_parent)).unwrap();
    let head = under_child.verified.head();
    assert_eq!(head.version_depth, 1);
    let back = entry(place(Some(head), 17, parent));
    assert_eq!(refused(&world, &back, Some(&head), "version-falls"), Refusal::VersionFalls);

    let closed = NotInForce::Closed { closed: at(14 + 24), at: at(14 + 24) };
    let after_grace = entry(place(None, 14 + 24, parent));
    assert_eq!(refused(&world, &after_grace, None, "not-in-force"), Refusal::NotInForce(closed));
}

#[test]
fn an_entry_dated_more_than_600_s_ahead_is_held() {
    let world = World::new(terms());
    let limit = at(NOW).plus_ms(limits::CLOCK_AHEAD_MS);
    let dated = |created| with_header(&simple(&world), 0, |header| header.created = created);
    assert!(climb(&world, &dated(limit), None).is_ok());
    let created = limit.plus_ms(1);
    let refusal = refused(&world, &dated(created), None, "future-dated");
    assert_eq!(refusal, Refusal::FutureDated { created, now: at(NOW) });
    assert_eq!(refusal.disposition(), Disposition::Held);
}

#[test]
fn an_entry_continues_its_log() {
    let world = World::new(terms());
    let (first, head, second) = two(&world);
    let gap = refused(&world, &second, None, "gap");
    assert_eq!(gap, Refusal::Gap { expected: 0, found: 1 });
    assert_eq!(gap.disposition(), Disposition::Early);
    assert_eq!(refused(&world, &first, Some(&head), "taken"), Refusal::Taken(0));
    let found = Hash([1; 32]);
    let astray = with_header(&second, 0, |header| header.previous = Some(found));
    let expected = Refusal::OtherBranch { expected: head.hash, found };
    assert_eq!(refused(&world, &astray, Some(&head), "fork"), expected);
    let earlier = with_header(&second, 0, |header| header.created = at(11));
    let falls = Refusal::CreatedFalls { head: at(12), found: at(11) };
    assert_eq!(refused(&world, &earlier, Some(&head), "created-falls"), falls);
    let same_time = with_header(&second, 0, |header| header.created = at(12));
    assert!(climb(&world, &same_time, Some(&head)).is_ok());
}

#[test]
fn a_body_is_the_one_that_its_header_names() {
    let world = World::new(terms());
    let entry = simple(&world);
    let expected = entry.body.len();
    let longer = NewEntry { body: [entry.body.as_slice(), &[0]].concat(), ..entry.clone() };
    let refusal = Refusal::BodyLength { expected, found: expected + 1 };
    assert_eq!(refused(&world, &longer, None, "body-length"), refusal);
    let mut altered = entry.clone();
    *altered.body.last_mut().unwrap() ^= 1;
    assert_eq!(refused(&world, &altered, None, "body-hash"), Refusal::BodyHash);
    let other = world.entry(0, None, 12, &[statement(&report(2))]);
    let exchanged = NewEntry { body: other.body.clone(), ..entry.clone() };
    assert_eq!(refused(&world, &exchanged, None, "commitment"), Refusal::Commitment);
    assert_eq!(refused(&world, &with_body(&entry, other.body), None, "commitment"), Refusal::Commitment);
}

#[test]
fn a_body_opens_under_the_key_of_its_log() {
    let world = World::new(terms());
    let entry = simple(&world);
    let open = |key: &ContentKey, descriptor: &KeyDescriptor| {
        let verified = verify(&world, entry.header.bytes(), None).unwrap();
        verified.open(&entry.body, key, descriptor, &world.view(NOW)).err().unwrap()
    };
    let own = world.descriptor(0);
    let mut foreign = own.clone();
    foreign.agreement.0.0[0] ^= 1;
    let mut renamed = own.clone();
    renamed.key_id = KeyId(Hash([1; 32]));
    for descriptor in [world.descriptor(1), foreign, renamed] {
        assert_eq!(open(&content_key(), &descriptor), Refusal::ForeignContentKey);
    }
    assert_eq!(open(&ContentKey::from_bytes(&[1; 32]), &own), Refusal::ForeignContentKey);
    assert_eq!(Refusal::ForeignContentKey.reason().slug, "foreign-content-key");

    let file = content_key::seal(&ContentKey::from_bytes(&[1; 32]), &[0; 512]).unwrap();
    let refusal = Refusal::Sealed(OpenError::WrongKey);
    assert_eq!(refused(&world, &with_body(&entry, file), None, "sealed"), refusal);
    let file = b"no age file".to_vec();
    let refusal = Refusal::Sealed(OpenError::HeaderMalformed);
    assert_eq!(refused(&world, &with_body(&entry, file), None, "sealed"), refusal);
}

#[test]
fn a_body_is_padded_with_zeros_and_holds_a_map() {
    let world = World::new(terms());
    let entry = simple(&world);
    let file = |plain: &[u8]| content_key::seal(&content_key(), plain).unwrap();
    let not_zero = [&[0, 0, 0, 1, 0xa0], [1_u8; 8].as_slice()].concat();
    for plain in [&[0, 0, 0][..], &[0, 0, 0, 9, 1], &not_zero] {
        assert_eq!(refused(&world, &with_body(&entry, file(plain)), None, "padding"), Refusal::Padding);
    }
    let refusal = |content: &[u8], slug| refused(&world, &with_body(&entry, sealed(content)), None, slug);
    assert_eq!(refusal(&[0xa0], "malformed-body"), Refusal::Content(CodecError::Missing(0)));
    let newer = MapWriter::new().put(0, &[5_u8; 16]).put_with(1, |out| codec::write_array(out, 0)).put(3, &0_u64);
    assert_eq!(refusal(&newer.finish(), "newer-body"), Refusal::Content(CodecError::UnknownCritical(3)));
    let compression = content_of(&[(2, 1, vec![0])]);
    let unknown = CodecError::UnknownValue { key: 1, value: 2 };
    assert_eq!(refusal(&compression, "newer-body"), Refusal::Content(unknown));
}

#[test]
fn a_bomb_costs_no_more_than_it_may() {
    let world = World::new(terms());
    let zeros = vec![0; 64 << 20];
    let (how, bomb) = pack::compress(&zeros);
    assert!(bomb.len() < 8192);
    let how = u64::from(how.code());
    let max = limits::UNPACKED_BYTES;
    let refusal = |frames: &[(u64, u64, Vec<u8>)]| refused(&world, &with_frames(&world, frames), None, "unpacked");
    assert_eq!(refusal(&[(how, 1000, bomb.clone())]), Refusal::Packed(PackError::TooLarge { max: 1000 }));
    assert_eq!(refusal(&[(how, max as u64, bomb.clone())]), Refusal::Packed(PackError::TooLarge { max }));
    assert_eq!(refusal(&[(how, max as u64 + 1, bomb)]), Refusal::Unpacked);
    assert_eq!(refusal(&[(0, 3, vec![0; 2])]), Refusal::Unpacked);
    assert_eq!(refusal(&[(0, 1, vec![0; 2])]), Refusal::Packed(PackError::TooLarge { max: 1 }));
    assert_eq!(refusal(&[(1, 9, b"no zstd".to_vec())]), Refusal::Packed(PackError::Malformed));
    let batch = world.batch(0, &[statement(&report(1))]).write();
    let length = batch.len() as u64;
    assert_eq!(refusal(&[(0, length, batch), (0, max as u64 + 1 - length, Vec::new())]), Refusal::Unpacked);
    let frames = vec![(0, 0, Vec::new()); limits::BATCHES_PER_ENTRY + 1];
    let too_many = refused(&world, &with_frames(&world, &frames), None, "malformed-body");
    assert_eq!(too_many, Refusal::Content(CodecError::Bounds(1)));
}

/// A batch of leaves as its originator would have signed them.
fn batch_of(world: &World, leaves: Vec<Leaf>) -> SignedBatch {
    let root = Hash(merkle::root(&leaves.iter().map(Leaf::hash).collect::<Vec<_>>()));
    let root = BatchRoot { originator: world.ids[0], root, card_serial: 1, writer: 0 };
    Batch { root: Attested::sign(root, MODE, &signing(0)), leaves }
}

#[test]
fn an_entry_holds_at_most_4096_statements() {
    let world = World::new(terms());
    let leaves = |count: usize| batch_of(&world, vec![Leaf::Deleted(Hash([3; 32])); count]);
    let full = limits::STATEMENTS_PER_ENTRY;
    let entry = |batches| world.entry_of(0, &world.place(None, 12), batches, None);
    assert!(climb(&world, &entry(vec![leaves(full - 1), leaves(1)]), None).is_ok());
    let refusal = refused(&world, &entry(vec![leaves(full), leaves(1)]), None, "too-many-statements");
    assert_eq!(refusal, Refusal::TooManyStatements { found: full + 1 });
}

#[test]
fn an_opening_stands_in_entry_0_of_later_generations_and_nowhere_else() {
    let world = World::new(terms());
    let (_, head, _) = two(&world);
    let day = at(12).day();
    let opening = |generation| Opening {
        stands: vec![Stand { generation, head: Some((0, Hash([2; 32]))) }],
        quota_day: day,
        statements: 7,
        bytes: 0,
    };
    let entry = |generation, head, opening| {
        let batches = vec![world.batch(0, &[statement(&report(1)), statement(&report(2))])];
        let place = Place { generation, ..world.place(head, 12) };
        world.entry_of(0, &place, batches, opening)
    };
    let wrong = [
        (entry(1, None, None), None),
        (entry(0, None, Some(opening(0))), None),
        (entry(1, Some(head), Some(opening(0))), Some(head)),
        (entry(1, None, Some(opening(1))), None),
    ];
    for (entry, head) in &wrong {
        assert_eq!(refused(&world, entry, head.as_ref(), "opening"), Refusal::Opening);
    }
    let judged = climb(&world, &entry(1, None, Some(opening(0))), None).unwrap();
    assert_eq!(judged.opening, Some(opening(0)));
    assert_eq!(judged.admitted.len(), 1, "seven of eight statements were used up before");
    let used_up = Refusal::Term(Term::QuotaStatements { quota: 8 });
    assert_eq!(judged.not_admitted[0].refusal, used_up);
    let mut unsorted = opening(0);
    unsorted.stands.push(unsorted.stands[0]);
    let refusal = refused(&world, &entry(1, None, Some(unsorted)), None, "malformed-body");
    assert_eq!(refusal, Refusal::Content(CodecError::Bounds(2)));
}

#[test]
fn a_batch_is_signed_by_its_originator() {
    let world = World::new(terms());
    let good = world.batch(0, &[statement(&report(1))]);
    let entry = |batch| world.entry_of(0, &world.place(None, 12), vec![batch], None);
    let signed = |root: BatchRoot, mode, signer| {
        let root = Attested::sign(root, mode, &signing(signer));
        entry(Batch { root, leaves: good.leaves.clone() })
    };
    let root = *good.root.payload();
    let bad = Refusal::Batch(BatchError::Object(ObjectError::Sign(SignError::BadSignature)));
    assert_eq!(refused(&world, &signed(root, MODE, 1), None, "batch"), bad);
    assert_eq!(refused(&world, &signed(root, Mode::Live, 0), None, "mode"), Refusal::Mode);
    let stranger = BatchRoot { originator: AgencyId(Hash([1; 32])), ..root };
    let unknown = Refusal::UnknownCard { agency: stranger.originator, serial: 1 };
    assert_eq!(refused(&world, &signed(stranger, MODE, 0), None, "unknown-card"), unknown);
    let no_key = Refusal::NoKey { agency: world.ids[0], serial: 1, writer: 3 };
    assert_eq!(refused(&world, &signed(BatchRoot { writer: 3, ..root }, MODE, 0), None, "no-key"), no_key);
    let astray = BatchRoot { root: Hash([1; 32]), ..root };
    assert_eq!(refused(&world, &signed(astray, MODE, 0), None, "batch"), Refusal::Batch(BatchError::Root));

    let leaves = |out: &mut Vec<u8>| codec::write_array(out, 0);
    let frame = MapWriter::new().put_bytes(0, good.root.bytes()).put_with(1, leaves).finish();
    let empty = with_frames(&world, &[(0, frame.len() as u64, frame)]);
    let bounds = Refusal::Batch(BatchError::Codec(CodecError::Bounds(1)));
    assert_eq!(refused(&world, &empty, None, "batch"), bounds);
    let mut newer = good.write();
    newer[0] += 1;
    newer.extend_from_slice(&[2, 0]);
    let newer = refused(&world, &with_frames(&world, &[(0, newer.len() as u64, newer)]), None, "newer-body");
    assert_eq!(newer, Refusal::Batch(BatchError::Codec(CodecError::UnknownCritical(2))));
    assert_eq!(newer.disposition(), Disposition::Held);
}

#[test]
fn another_agencys_report_is_held() {
    let world = World::new(terms());
    let entry = world.entry_of(0, &world.place(None, 12), vec![world.batch(1, &[statement(&report(1))])], None);
    let judged = climb(&world, &entry, None).unwrap();
    let [held] = judged.not_admitted.as_slice() else { panic!("one statement") };
    assert_eq!(held.refusal, Refusal::ForeignOriginator(world.ids[1]));
    assert_eq!((held.refusal.reason().slug, held.refusal.disposition()), ("foreign-originator", Disposition::Held));
    assert_eq!((held.originator, held.report), (world.ids[1], Some(report(1).id)));
}

#[test]
fn a_report_id_and_revision_is_used_once() {
    let world = World::new(terms());
    let entry = simple(&world);
    let judge = |entry: &NewEntry, same_revision: Option<Vec<u8>>, indicator: Option<Vec<u8>>| {
        let verified = verify(&world, entry.header.bytes(), None).unwrap();
        let opened = verified.open(&entry.body, &content_key(), &world.descriptor(0), &world.view(NOW)).unwrap();
        let mut known = |originator: AgencyId, id: ReportId, _: u32| {
            assert_eq!((originator, id), (world.ids[0], report(1).id));
            KnownRevision { same_revision: same_revision.clone(), indicator: indicator.clone() }
        };
        let judged = opened.judge(&world.view(NOW), Usage::default(), &mut known);
        judged.not_admitted.into_iter().map(|not| not.refusal).collect::<Vec<_>>()
    };
    let indicator = report(1).indicator.lookup_key();
    assert_eq!(judge(&entry, Some(statement(&report(1))), Some(indicator.clone())), []);
    assert_eq!(judge(&entry, Some(statement(&report(2))), Some(indicator)), [Refusal::ReportIdReused]);
    let other = report(2).indicator.lookup_key();
    assert_eq!(judge(&entry, None, Some(other)), [Refusal::IndicatorChanged]);

    let twice = world.entry(0, None, 12, &[statement(&report(1)), statement(&report(1))]);
    assert_eq!(judge(&twice, None, None), [Refusal::ReportIdReused]);
    let revision = Report { revision: 1, indicator: on("eip155:1", 2), ..report(1) };
    let astray = world.entry(0, None, 12, &[statement(&report(1)), statement(&revision)]);
    assert_eq!(judge(&astray, None, None), [Refusal::IndicatorChanged]);
    assert_eq!(Refusal::ReportIdReused.reason().slug, "report-id-reused");
    assert_eq!(Refusal::IndicatorChanged.reason().slug, "indicator-changed");
}

#[test]
fn a_statement_is_understood_well_formed_and_not_dated_after_its_entry() {
    let world = World::new(terms());
    let refusal = denied_report(|report| report.created = at(12).plus_ms(1), "dated-after-entry");
    let expected = Refusal::DatedAfterEntry { statement: at(12).plus_ms(1), entry: at(12) };
    assert_eq!(refusal, expected);
    let malformed = denied(&world, vec![0xff], "malformed-statement");
    assert!(matches!(malformed, Refusal::Statement(CodecError::NotCanonical { .. })));
    let of_kind = |kind: u64| MapWriter::new().put(0, &kind).put(1, &0_u64).finish();
    assert_eq!(denied(&world, of_kind(3), "newer-statement"), Refusal::UnknownStatement);
    assert_eq!(denied(&world, of_kind(4), "statement-kind"), Refusal::Term(Term::StatementKind { kind: 4 }));

    let mut newer = MapWriter::new().put(0, &1_u64);
    let good = statement(&report(1));
    newer = newer.put_with(1, |out| {
        out.push(good[4] + 1);
        out.extend_from_slice(&good[5..]);
        out.extend_from_slice(&[15, 0]);
    });
    let refusal = denied(&world, newer.finish(), "newer-statement");
    assert_eq!(refusal, Refusal::UnknownStatement);
    assert_eq!(refusal.disposition(), Disposition::Held);
}

#[test]
fn each_term_of_the_agreement_is_kept() {
    let phishing = Typology::from_wire("urn:other", "phishing").unwrap();
    let term = denied_report(|report| report.typology = phishing.clone(), "typology");
    assert_eq!(term, Refusal::Term(Term::Typology { typology: Some(phishing.clone()) }));
    let term = denied_report(|report| report.indicator = on("eip155:137", 1), "chain");
    assert_eq!(term, Refusal::Term(Term::Chain { chain: "eip155:137".to_owned() }));
    let term = denied_report(|report| report.marking = Marking::AmberStrict, "marking-ceiling");
    let marking = Some(Marking::AmberStrict);
    assert_eq!(term, Refusal::Term(Term::MarkingCeiling { marking, ceiling: Marking::Amber }));
    let admiralty = Grading::parse("admiralty:B2").unwrap();
    let term = denied_report(|report| report.grading = admiralty, "required-grading");
    let (grading, required) = (Some(GradingScheme::Admiralty), GradingScheme::FourByFour);
    assert_eq!(term, Refusal::Term(Term::RequiredGrading { grading, required }));
    let revision = Report { revision: 1, ..report(1) };
    let only_reports = World::new(Terms { kinds: vec![1], ..terms() });
    let term = denied(&only_reports, statement(&revision), "statement-kind");
    assert_eq!(term, Refusal::Term(Term::StatementKind { kind: 2 }));
}

#[test]
fn retention_and_quotas_are_kept() {
    let world = World::new(terms());
    let delete_after = at(12 + 24 * 100).plus_ms(1);
    let kept_on = with_header(&simple(&world), 0, |header| header.delete_after = delete_after);
    let judged = climb(&world, &kept_on, None).unwrap();
    let term = Term::Retention { delete_after, created: at(12), days: 100 };
    assert_eq!(judged.not_admitted[0].refusal, Refusal::Term(term));

    let statements: Vec<_> = (1..10).map(|id| statement(&report(id))).collect();
    let entry = world.entry(0, None, 12, &statements);
    let judged = climb(&world, &entry, None).unwrap();
    assert_eq!((judged.admitted.len(), judged.not_admitted.len()), (8, 1));
    assert_eq!(judged.not_admitted[0].refusal, Refusal::Term(Term::QuotaStatements { quota: 8 }));
    let head = judged.verified.head();
    let next_day = world.entry(0, Some(head), 12 + 12, &statements[..1]);
    let verified = Envelope::parse(next_day.header.bytes()).unwrap().verify(&world.view(24), Some(&head)).unwrap();
    let opened = verified.open(&next_day.body, &content_key(), &world.descriptor(0), &world.view(24)).unwrap();
    assert_eq!(opened.judge(&world.view(24), judged.usage, &mut nothing_known).admitted.len(), 1);

    let bytes = statements[0].len() as u64;
    let narrow = World::new(Terms { bytes_per_day: 2 * bytes - 1, ..terms() });
    let judged = climb(&narrow, &narrow.entry(0, None, 12, &statements[..2]), None).unwrap();
    let term = Term::QuotaBytes { bytes, used: bytes, quota: 2 * bytes - 1 };
    assert_eq!(judged.not_admitted[0].refusal, Refusal::Term(term));
}

#[test]
fn a_remnant_passes_with_what_is_left() {
    let world = World::new(terms());
    let batch = world.batch(0, &[statement(&report(1)), statement(&report(2))]);
    let entry = world.entry_of(0, &world.place(None, 12), vec![batch.clone()], None);
    let mut rest = batch;
    rest.leaves[0] = Leaf::Deleted(Hash(rest.leaves[0].hash()));
    let content = Content { salt: [5; 16], opening: None, batches: vec![rest.clone()] };
    let remnant = NewEntry { body: content.seal(&content_key()).unwrap().file, ..entry.clone() };
    let judged = climb(&world, &remnant, None).unwrap();
    assert!(judged.remnant);
    assert_eq!((judged.deleted, judged.admitted.len()), (1, 1));
    assert_eq!((judged.admitted[0].leaf, &judged.admitted[0].bytes), (1, &statement(&report(2))));

    let other_salt = Content { salt: [6; 16], opening: None, batches: vec![rest.clone()] };
    let body = other_salt.seal(&content_key()).unwrap().file;
    assert_eq!(refused(&world, &NewEntry { body, ..entry.clone() }, None, "commitment"), Refusal::Commitment);
    rest.leaves[1] = Leaf::Statement { salt: [2; 16], bytes: statement(&report(3)) };
    let changed = Content { salt: [5; 16], opening: None, batches: vec![rest] };
    let body = changed.seal(&content_key()).unwrap().file;
    assert!(matches!(
        climb(&world, &NewEntry { body, ..entry }, None),
        Err(Refusal::BodyHash | Refusal::BodyLength { .. })
    ));
}

#[test]
fn what_does_not_fit_is_not_published() {
    let world = World::new(terms());
    let noise = |seed: u8| -> Vec<u8> {
        (0..40_000_u32).flat_map(|i| Hash::of(&[&[seed], &i.to_be_bytes()]).0).take(60_000).collect()
    };
    let batch = |count: u8| world.batch(0, &(0..count).map(noise).collect::<Vec<_>>());
    let salt = [5; 16];
    let seal = |count| Content { salt, opening: None, batches: vec![batch(count)] }.seal(&content_key());
    let sealed = seal(16).unwrap();
    assert!(sealed.file.len() <= limits::BODY_BYTES);
    assert_eq!(sealed.content, body::commitment(&salt, None, [(world.ids[0], batch(16).root.root)].into_iter()));
    assert!(seal(18).is_none());
}

#[test]
fn a_signature_is_no_header_whatever_it_says() {
    let world = World::new(terms());
    let signature = Signature {
        version: world.version.name(),
        agency: world.ids[0],
        card_serial: 1,
        at: at(2),
        relies_on: Vec::new(),
    };
    let signature = Attested::sign(signature, MODE, &key(0, 3));
    let expected = ObjectError::OtherKind { expected: ObjectKind::Header, found: ObjectKind::Signature };
    assert_eq!(Envelope::parse(signature.bytes()).err().unwrap(), Refusal::Header(expected));
    assert!(Claimed::<Signature>::parse(signature.bytes()).is_ok());
}
