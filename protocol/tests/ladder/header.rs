//! The first two rungs: form, signature, membership, version, clock, chain.

use entente_protocol::agreement::{Act, Agreement, NotInForce, Signature, Version, Withdrawal};
use entente_protocol::crypto::sign::{self, SignError};
use entente_protocol::entry::header::Header;
use entente_protocol::entry::ladder::Envelope;
use entente_protocol::entry::publish::Place;
use entente_protocol::entry::refusal::{Disposition, Refusal};
use entente_protocol::entry::vouch::Vouched;
use entente_protocol::id::{Hash, Mode, VersionHash};
use entente_protocol::identity::{Card, SignedCard};
use entente_protocol::limits;
use entente_protocol::rules::Term;
use entente_protocol::time::Time;
use entente_protocol::wire::attest::{Attested, Claimed, ObjectError, Payload};
use entente_protocol::wire::codec::CodecError;
use entente_protocol::wire::object::ObjectKind;

use super::{NOW, climb, refused, simple, two, verify, with_header};
use crate::world::{MODE, World, agency, at, key, report, signing, statement, terms};

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
    let malformed = |key, change| check(parse(&write(change), typ), bounds(key), "malformed-header");
    malformed(6, |header| header.previous = Some(Hash::default()));
    malformed(6, |header| header.seq = 1);
    malformed(8, |header| header.body_length = u32::try_from(limits::BODY_BYTES).unwrap() + 1);
    malformed(12, |header| header.delete_after = header.created);
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
}

/// A card of the first agency that revokes its signing key.
fn revoke(world: &mut World) {
    let (inception, first) = agency(0);
    let card = first.card();
    let revoked = vec![*signing(0).public().as_bytes()];
    let (predecessor, nodes) = (Some(first.hash()), Vec::new());
    let card = Card { serial: 2, predecessor, issued: at(11), nodes, revoked, ..card.clone() };
    world.roll.add_card(SignedCard::issue(&inception, &card, &key(0, 1)).unwrap()).unwrap();
}

#[test]
fn what_a_key_signed_that_was_revoked_since_waits_until_a_later_generation_vouches_for_it() {
    let mut world = World::new(terms());
    let (first, head, second) = two(&world);
    let third = world.entry(0, Some(climb(&world, &second, Some(&head)).unwrap().verified.head()), 13, &[]);
    let (hash, log) = (second.header.hash(), second.header.log(world.agreement.id()));
    revoke(&mut world);
    let held = Refusal::RevokedKey { agency: world.ids[0], serial: 1, writer: 0 };
    assert_eq!(refused(&world, &first, None, "revoked-key"), held);
    assert_eq!(held.disposition(), Disposition::Held);

    // An opening says that the log stands up to entry 1: the chain may be kept, and is not read before it is there.
    world.stands.insert(log, Vouched { seq: 1, hash, reached: false });
    assert!(verify(&world, first.header.bytes(), None).is_ok());
    assert_eq!(refused(&world, &first, None, "revoked-key"), held);
    let thief = world.entry(0, Some(head), 13, &[statement(&report(9))]);
    let other = Refusal::OtherBranch { expected: hash, found: thief.header.hash() };
    assert_eq!(refused(&world, &thief, Some(&head), "fork"), other);

    world.stands.insert(log, Vouched { seq: 1, hash, reached: true });
    assert_eq!(climb(&world, &first, None).unwrap().admitted.len(), 1);
    assert_eq!(climb(&world, &second, Some(&head)).unwrap().admitted.len(), 1);
    let beyond = verify(&world, second.header.bytes(), Some(&head)).unwrap().head();
    assert_eq!(refused(&world, &third, Some(&beyond), "revoked-key"), held);
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
