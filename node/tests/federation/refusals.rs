//! What the desk makes of entries that break the rules: of who may write, of what the terms say, of one log.

use entente_node::desk::{GossipJudgement, scope};
use entente_protocol::entry::publish::Place;
use entente_protocol::id::{Hash, VersionHash};
use entente_protocol::marking::Marking;
use entente_protocol::receipt::RefusalNote;
use entente_protocol::statement::report::Report;
use entente_protocol::typology::Typology;
use entente_protocol::wire::object::ObjectKind;

use crate::hostile::{World, batch, good, head_of, slug};
use crate::support::address;

/// The numbers of reasons that receipts carry (`protocol/README.md`).
const TYPOLOGY: u32 = 68;
const MARKING_CEILING: u32 = 70;
const FOREIGN_ORIGINATOR: u16 = 33;

#[test]
fn a_tampered_entry_is_refused_and_the_true_one_still_taken() {
    let world = World::new();
    let entry = world.entry(None, &[good(1)]);
    let (header, body) = (entry.header.bytes(), &entry.body);
    let flipped = |bytes: &[u8], at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1;
        bytes
    };
    // The signature stands at the end of the header; the dates before it.
    let signature = flipped(header, header.len() - 1);
    assert_eq!(world.gossip(&signature, body), GossipJudgement::Reject);
    assert_eq!(slug(world.page(world.hostile.id, &signature, body)), "signature");
    for at in (0..header.len()).step_by(7) {
        let tampered = flipped(header, at);
        assert_ne!(world.gossip(&tampered, body), GossipJudgement::Accept, "byte {at}");
        assert!(world.page(world.hostile.id, &tampered, body).is_err(), "byte {at}");
    }
    let other_body = flipped(body, body.len() / 2);
    assert_eq!(world.gossip(header, &other_body), GossipJudgement::Reject);
    assert_eq!(slug(world.page(world.hostile.id, header, &other_body)), "body-hash");
    let longer = [body.as_slice(), b"x"].concat();
    assert_eq!(slug(world.page(world.hostile.id, header, &longer)), "body-length");
    assert!(world.is_untouched());
    assert_eq!(world.refused(), []);

    assert_eq!(world.gossip(header, body), GossipJudgement::Accept);
    assert!(world.finds(1) && world.reasons().is_empty());
    assert_eq!(world.gossip(header, body), GossipJudgement::Ignore, "once is enough");
}

#[test]
fn nobody_writes_in_the_name_of_another() {
    let world = World::new();
    let (h, v, x) = (world.hostile.desk().me(), world.honest.desk().me(), world.third.desk().me());
    let statements = || vec![batch(h.agency, &h.signing, h.writer, &[good(1)])];
    // The honest party's name under the hostile one's key.
    let forged = world.write(v.agency, &h.signing, &world.place(None), statements());
    assert_eq!(world.gossip(forged.header.bytes(), &forged.body), GossipJudgement::Reject);
    assert_eq!(slug(world.page(v.agency, forged.header.bytes(), &forged.body)), "signature");
    // A true agency that is no party.
    let outside = world.write(x.agency, &x.signing, &world.place(None), statements());
    assert_eq!(world.gossip(outside.header.bytes(), &outside.body), GossipJudgement::Reject);
    assert_eq!(slug(world.page(x.agency, outside.header.bytes(), &outside.body)), "not-a-party");
    // A true entry, handed over as if it belonged into another's log.
    let own = world.entry(None, &[good(1)]);
    assert!(world.page(v.agency, own.header.bytes(), &own.body).is_err());
    assert!(world.is_untouched());
    assert_eq!(world.refused(), []);
}

#[test]
fn what_the_terms_deny_is_quarantined_and_told() {
    let world = World::new();
    let red = Report { marking: Marking::Red, ..good(1) };
    let outside = Report { typology: Typology::parse("scam").unwrap(), ..good(2) };
    let first = world.entry(None, &[red, outside, good(3)]);
    assert_eq!(world.gossip(first.header.bytes(), &first.body), GossipJudgement::Accept);
    let second = world.entry(Some(head_of(&first.header)), &[Report { marking: Marking::Red, ..good(4) }]);
    assert_eq!(world.page(world.hostile.id, second.header.bytes(), &second.body), Ok(true));

    // The entries are true and stay in the log; of their statements only the permitted one is found.
    assert_eq!(world.head().map(|head| (head.seq, head.hash)), Some((1, second.header.hash())));
    assert!(world.finds(3));
    for number in [1, 2, 4] {
        assert!(world.honest.lookup(&address(number)).reports.is_empty());
    }
    let mut reasons: Vec<u32> = world.reasons().into_iter().map(u32::from).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, [TYPOLOGY, MARKING_CEILING, MARKING_CEILING]);
    let note = |entry: Hash, reason: u32| RefusalNote { entry, reason, statements: 1 };
    let (one, two) = (first.header.hash(), second.header.hash());
    let mut told = vec![note(one, TYPOLOGY), note(one, MARKING_CEILING), note(two, MARKING_CEILING)];
    told.sort();
    assert_eq!(world.refused(), told);
}

#[test]
fn another_agencys_statements_are_held_not_admitted() {
    let world = World::new();
    let entry = world.entry_of(None, &world.third, &[good(1)]);
    assert_eq!(world.gossip(entry.header.bytes(), &entry.body), GossipJudgement::Accept);
    assert_eq!(world.head().map(|head| head.seq), Some(0));
    assert_eq!(world.reasons(), [FOREIGN_ORIGINATOR]);
    assert!(world.honest.lookup(&address(1)).reports.is_empty());
    assert_eq!(world.refused(), [], "what is held is not refused");
}

#[test]
fn an_unknown_version_is_waited_for() {
    let world = World::new();
    let h = world.hostile.desk().me();
    let place = Place { version: VersionHash::from_bytes([9; 32]), ..world.place(None) };
    let entry = world.write(h.agency, &h.signing, &place, vec![batch(h.agency, &h.signing, h.writer, &[good(1)])]);
    assert_eq!(world.gossip(entry.header.bytes(), &entry.body), GossipJudgement::Ignore);
    assert_eq!(slug(world.page(h.agency, entry.header.bytes(), &entry.body)), "unknown-version");
    assert!(world.is_untouched());
    assert_eq!(world.refused(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_is_proven_and_stops_the_log() {
    let mut world = World::new();
    let first = world.entry(None, &[good(1)]);
    let other = world.entry(None, &[good(2)]);
    assert_eq!(world.gossip(first.header.bytes(), &first.body), GossipJudgement::Accept);
    assert_eq!(world.gossip(other.header.bytes(), &other.body), GossipJudgement::Ignore);
    assert_eq!(slug(world.page(world.hostile.id, other.header.bytes(), &other.body)), "taken");

    let log = world.hostile.log(world.agreement);
    let third = world.entry(Some(head_of(&first.header)), &[good(3)]);
    let stopped = |world: &World| {
        assert!(world.honest.desk().forked().contains(&log));
        assert_eq!(slug(world.page(world.hostile.id, third.header.bytes(), &third.body)), "taken");
        assert_eq!(world.head().map(|head| (head.seq, head.hash)), Some((0, first.header.hash())));
        assert!(world.finds(1), "what was said before stays readable");
        assert!(!world.finds(2) && !world.finds(3));
        let feed = world.honest.desk().feed_after(&scope::of_agreement(world.agreement), 0, 1000).unwrap();
        assert_eq!(feed.iter().filter(|(_, kind, _)| *kind == ObjectKind::ForkProof.number()).count(), 1);
    };
    stopped(&world);
    world.honest.stop().await;
    world.honest.open();
    stopped(&world);
}

#[test]
fn a_branch_that_continues_elsewhere_proves_a_fork_too() {
    let world = World::new();
    let (first, other) = (world.entry(None, &[good(1)]), world.entry(None, &[good(2)]));
    assert_eq!(world.page(world.hostile.id, first.header.bytes(), &first.body), Ok(true));
    let next = world.entry(Some(head_of(&other.header)), &[good(3)]);
    assert_eq!(world.gossip(next.header.bytes(), &next.body), GossipJudgement::Reject);
    assert_eq!(slug(world.page(world.hostile.id, next.header.bytes(), &next.body)), "fork");
    assert_eq!(world.head().map(|head| head.hash), Some(first.header.hash()));
    assert!(world.finds(1) && !world.finds(3));
}
