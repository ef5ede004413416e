//! What the desk makes of entries and objects that no honest node ever wrote: bombs, bytes missing or beside the
//! point, keys for others, dates to come, others' reports. Each is told apart, and leaves all as it was.

use entente_node::desk::{GossipJudgement, LookupAnswer, scope};
use entente_protocol::crypto::content_key::{self, ContentKey};
use entente_protocol::crypto::pack::{self, Compression};
use entente_protocol::entry::header::Header;
use entente_protocol::entry::publish::Place;
use entente_protocol::id::{AgencyId, Hash, KeyId};
use entente_protocol::limits;
use entente_protocol::receipt::RefusalNote;
use entente_protocol::retraction::{self, Retraction};
use entente_protocol::statement::report::Report;
use entente_protocol::time::Time;
use entente_protocol::typology::Typology;
use entente_protocol::wire::attest::{Attested, Payload};
use entente_protocol::wire::codec::{self, CodecError, MapReader, MapWriter};
use entente_protocol::wire::object::ObjectKind;

use crate::hostile::{MODE, World, batch, good, head_of, slug};
use crate::support::{address, day};

use GossipJudgement::{Ignore, Reject};

impl World {
    /// What a hostile author writes when nothing stops it.
    fn header_over(&self, body: &[u8]) -> Header {
        let h = self.hostile.desk().me();
        Header {
            version: self.version,
            author: h.agency,
            card_serial: h.card_serial,
            writer: h.writer,
            generation: 0,
            seq: 0,
            previous: None,
            key_id: KeyId::from_bytes(self.key.id()),
            body_length: u32::try_from(body.len()).unwrap(),
            body_hash: Hash::of(&[body]),
            content: Hash::of(&[b"whatever"]),
            created: day(0),
            delete_after: day(50),
        }
    }

    fn sign(&self, header: Header) -> Attested<Header> {
        Attested::sign(header, MODE, &self.hostile.desk().me().signing)
    }

    /// A signed entry over a sealed plaintext.
    fn over(&self, key: &ContentKey, plain: &[u8]) -> (Attested<Header>, Vec<u8>) {
        let body = content_key::seal(key, plain).unwrap();
        (self.sign(self.header_over(&body)), body)
    }

    /// A signed entry whose content is made of these frames: a compression, the length it claims, the packed bytes.
    fn framed(&self, frames: &[(u64, usize, &[u8])]) -> (Attested<Header>, Vec<u8>) {
        let content = MapWriter::new().put(0, &[7_u8; 16]).put_with(1, |out| {
            codec::write_array(out, frames.len());
            for (how, length, packed) in frames {
                codec::write_array(out, 3);
                codec::write_uint(out, *how);
                codec::write_uint(out, *length as u64);
                codec::write_bytes(out, packed);
            }
        });
        let content = content.finish();
        self.over(&self.key, &[&u32::try_from(content.len()).unwrap().to_be_bytes(), content.as_slice()].concat())
    }
}

/// A header with one critical key more than this version knows.
struct Newer(Header);

impl Payload for Newer {
    const KIND: ObjectKind = ObjectKind::Header;
    const MAX_BYTES: usize = limits::HEADER_BYTES;

    fn write(&self) -> Vec<u8> {
        let mut known = self.0.write();
        // A map of 12 pairs; one more comes at its end.
        assert_eq!(known[0], 0xac);
        known[0] += 1;
        codec::write_uint(&mut known, 13);
        codec::write_uint(&mut known, 1);
        known
    }

    fn read(_: &mut MapReader<'_, '_>) -> Result<Self, CodecError> {
        unreachable!("it is written only")
    }
}

/// What it is, the header and the body, why it goes no further, and the verdict on gossip.
type NoEntry<'a> = (&'a str, &'a [u8], &'a [u8], &'a str, GossipJudgement);

/// What it is, how it is made, and the number of the reason.
type Unreadable<'a> = (&'a str, &'a dyn Fn(&World) -> (Attested<Header>, Vec<u8>), u32);

#[test]
fn what_is_no_entry_leaves_nothing() {
    let world = World::new();
    let h = world.hostile.desk().me();
    let entry = world.entry(None, &[good(1)]);
    let (header, body) = (entry.header.bytes(), entry.body.as_slice());
    let long = vec![0; limits::BODY_BYTES + 1];
    let over_long = world.sign(world.header_over(&long));
    let ahead = Time::from_ms(day(0).ms() + limits::CLOCK_AHEAD_MS + 60_000).unwrap();
    let future = Place { created: ahead, ..world.place(None) };
    let future = world.write(h.agency, &h.signing, &future, vec![batch(h.agency, &h.signing, h.writer, &[good(1)])]);
    let newer = Attested::sign(Newer(world.header_over(body)), MODE, &h.signing);
    let cases: [NoEntry<'_>; 7] = [
        ("header cut", &header[..header.len() - 1], body, "signature", Reject),
        ("body cut", header, &body[..body.len() - 1], "body-length", Reject),
        ("header too long", &[0; limits::HEADER_BYTES + 1], body, "signature", Reject),
        ("body too long", over_long.bytes(), &long, "malformed-header", Reject),
        ("from the future", future.header.bytes(), &future.body, "future-dated", Ignore),
        ("unknown critical key", newer.bytes(), body, "newer-header", Ignore),
        ("the body of another", header, &future.body, "commitment", Reject),
    ];
    for (what, header, body, reason, verdict) in cases {
        assert_eq!(world.gossip(header, body), verdict, "{what}");
        assert_eq!(slug(world.page(world.hostile.id, header, body)), reason, "{what}");
        assert!(world.is_untouched(), "{what}");
    }
    assert_eq!(world.refused(), []);
    assert_eq!(world.page(world.hostile.id, header, body), Ok(true), "the true one is still taken");
}

#[test]
fn a_body_that_cannot_be_read_is_told_and_the_log_goes_on() {
    let (_, bomb) = pack::compress(&vec![0; 64 << 20]);
    let other_key = ContentKey::from_bytes(&[0xc1; 32]);
    let zstd = u64::from(Compression::Zstd.code());
    let cases: [Unreadable<'_>; 7] = [
        ("under another key", &|world| world.over(&other_key, &[0; 1000]), 24),
        ("no content", &|world| world.over(&world.key, &[0xff; 1000]), 26),
        ("no map", &|world| world.over(&world.key, &[0, 0, 0, 1, 0xff]), 4),
        ("a bomb that says what it is", &|world| world.framed(&[(zstd, 64 << 20, &bomb)]), 25),
        ("a bomb that says it is small", &|world| world.framed(&[(zstd, 1000, &bomb)]), 25),
        ("too much together", &|world| world.framed(&[(zstd, 3 << 20, &bomb), (zstd, 3 << 20, &bomb)]), 25),
        ("an unknown compression", &|world| world.framed(&[(9, 10, &[0; 10])]), 5),
    ];
    for (what, forge, reason) in cases {
        let world = World::new();
        let (header, body) = forge(&world);
        // Who has no key could not tell: the header is true, so it is passed on.
        assert_eq!(world.gossip(header.bytes(), &body), GossipJudgement::Accept, "{what}");
        assert_eq!(world.head().map(|head| (head.seq, head.hash)), Some((0, header.hash())), "{what}");
        assert!(world.reasons().is_empty() && !world.finds(1), "{what}");
        // What is only newer than this version is waited for, with all that comes after: none of it is refused.
        let refused = (reason != 5).then_some(RefusalNote { entry: header.hash(), reason, statements: 0 });
        assert_eq!(world.refused(), Vec::from_iter(refused), "{what}");
        let next = world.entry(Some(head_of(&header)), &[good(2)]);
        assert_eq!(world.page(world.hostile.id, next.header.bytes(), &next.body), Ok(true), "{what}");
        assert_eq!(world.finds(2), refused.is_some(), "{what}");
    }
}

#[test]
fn entries_come_in_any_order_and_once() {
    let world = World::new();
    let first = world.entry(None, &[good(1)]);
    let second = world.entry(Some(head_of(&first.header)), &[good(2)]);
    let third = world.entry(Some(head_of(&second.header)), &[good(3)]);
    for late in [&third, &second] {
        // Its header is true, so others may have it; what lies before is asked for.
        assert_eq!(world.gossip(late.header.bytes(), &late.body), GossipJudgement::Accept);
        assert_eq!(slug(world.page(world.hostile.id, late.header.bytes(), &late.body)), "gap");
    }
    assert!(world.is_untouched());
    for entry in [&first, &second, &third] {
        assert_eq!(world.gossip(entry.header.bytes(), &entry.body), GossipJudgement::Accept);
    }
    let before = world.honest.desk().store().counts();
    for entry in [&third, &first, &second] {
        assert_eq!(world.gossip(entry.header.bytes(), &entry.body), Ignore);
        assert_eq!(world.page(world.hostile.id, entry.header.bytes(), &entry.body), Ok(false));
    }
    assert_eq!(world.honest.desk().store().counts(), before);
}

#[test]
fn a_key_for_somebody_outside_admits_nothing() {
    let mut world = World::new();
    world.key = ContentKey::from_bytes(&[0xc2; 32]);
    world.hand_over(&world.key, vec![world.hostile.id, world.honest.id, world.third.id]);
    let entry = world.entry(None, &[good(1)]);
    assert_eq!(world.gossip(entry.header.bytes(), &entry.body), GossipJudgement::Accept, "the header is true");
    assert!(!world.finds(1) && world.reasons().is_empty());
    assert_eq!(world.refused(), [RefusalNote { entry: entry.header.hash(), reason: 38, statements: 0 }]);
}

#[test]
fn a_version_that_nobody_else_signed_admits_nothing() {
    let mut world = World::new();
    let proposed = world.hostile.propose("Mine alone", &[&world.honest]);
    world.honest.learn(&world.hostile, proposed);
    world.agreement = proposed;
    world.version = world.hostile.desk().agreement(&proposed.to_string()).unwrap().version;
    let entry = world.entry(None, &[good(1)]);
    assert_eq!(world.gossip(entry.header.bytes(), &entry.body), Ignore);
    assert_eq!(slug(world.page(world.hostile.id, entry.header.bytes(), &entry.body)), "not-yet-in-force");
    assert!(world.is_untouched());
}

#[test]
fn a_report_id_of_another_agency_is_another_report() {
    let world = World::new();
    let own = world.honest.file(&address(7), world.agreement).report;
    let before = world.honest.lookup(&address(7));
    let squatted = |revision, number| Report { id: own, revision, ..good(number) };
    let entry = world.entry(None, &[squatted(0, 7), squatted(1, 7)]);
    assert_eq!(world.gossip(entry.header.bytes(), &entry.body), GossipJudgement::Accept);
    let after = world.honest.lookup(&address(7));
    let of = |answer: &LookupAnswer, agency| {
        answer
            .reports
            .iter()
            .filter(|report| report.originator == agency)
            .map(|report| report.report.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(of(&after, world.honest.id), of(&before, world.honest.id));
    assert_eq!(of(&after, world.honest.id), [own]);
    assert_eq!(of(&after, world.hostile.id), [own]);
    // Its own id and revision it cannot use for something else, neither again nor for another indicator.
    let reused = [Report { typology: Typology::parse("phishing").unwrap(), ..squatted(1, 7) }, squatted(2, 8)];
    let next = world.entry(Some(head_of(&entry.header)), &reused);
    assert_eq!(world.gossip(next.header.bytes(), &next.body), GossipJudgement::Accept);
    let mut reasons = world.reasons();
    reasons.sort_unstable();
    assert_eq!(reasons, [34, 35]);
    assert!(!world.finds(8));
}

#[test]
fn nobody_withdraws_the_report_of_another() {
    let world = World::new();
    let own = world.honest.file(&address(7), world.agreement).report;
    let (h, v) = (world.hostile.desk().me(), world.honest.desk().me());
    let withdrawn = |originator: AgencyId| {
        let sealed_reason = retraction::seal_reason(&[0; 16], own, u32::MAX, "because");
        let retraction = Retraction {
            originator,
            card_serial: 1,
            writer: h.writer,
            report: own,
            up_to_revision: u32::MAX,
            delete_after: day(50),
            created: day(0),
            sealed_reason,
        };
        let object = Attested::sign(retraction, MODE, &h.signing).bytes().to_vec();
        let objects = vec![(ObjectKind::Retraction.number(), object)];
        world.honest.desk().take_objects(h.agency, scope::of_agreement(world.agreement), objects).unwrap()
    };
    let forged = withdrawn(v.agency);
    assert_eq!((forged.new, forged.held, forged.refused), (0, 0, 1), "not signed by the originator");
    let of_its_own = withdrawn(h.agency);
    assert_eq!(
        (of_its_own.new, of_its_own.refused),
        (1, 0),
        "of the hostile party's report with that id, if it has one"
    );
    assert!(world.honest.finds(&address(7), &world.honest));
    assert_eq!(world.honest.lookup(&address(7)).retracted, 0);
}
