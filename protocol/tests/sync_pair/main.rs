//! Two and three ends of catch-up, message by message, over stores in memory.
//!
//! The entries are stand-ins whose header names its log, number and predecessor; what the machine is told of them is
//! exactly what the ladder would say. `tests/sim` runs the same machine over the real ladder.

#![expect(clippy::unwrap_used, reason = "the tests' helpers stand outside the functions that are marked as tests")]

mod room;
mod side;
mod trouble;

use std::collections::BTreeSet;

use entente_protocol::id::{AgencyId, AgreementId, Hash, KeyId, LogId, Mode};
use entente_protocol::sync::message::{Hello, Reason, Request, Response};
use entente_protocol::sync::{
    CONTACT, Failed, Input, Machine, Misbehaviour, Output, Own, PageOutcome, Snapshot, limits,
};
use proptest::prelude::*;

use room::Room;
use side::{Fault, agency, log, make_log, scope};

#[test]
fn a_partner_ten_thousand_entries_behind_catches_up_exactly() {
    let mut room = Room::of(2);
    room.share(scope(1), &[0, 1]);
    room.write(0, log(1, 0, 0), 10_000);
    room.connect(0, 1);
    room.settle();
    assert_eq!(room.side(1).held(), room.side(0).held());
    let asked: Vec<(u64, u64)> = room.asked(1).filter_map(|request| entries_asked(&request)).collect();
    assert!(asked.is_sorted_by(|a, b| a.1 < b.0 || a.0 < b.0), "no entry is asked for twice: {asked:?}");
    assert!(asked.len() < 20, "pages carry many entries: {}", asked.len());
    assert_eq!(room.asked(0).filter_map(|request| entries_asked(&request)).count(), 0);
}

#[test]
fn large_bodies_come_in_pages_of_a_mebibyte() {
    let mut room = Room::of(2);
    room.share(scope(1), &[0, 1]);
    room.write_bodies(0, log(1, 0, 0), &[1 << 20; 5]);
    room.connect(0, 1);
    room.settle();
    assert_eq!(room.side(1).held(), room.side(0).held());
    assert_eq!(room.asked(1).filter_map(|request| entries_asked(&request)).count(), 5);
}

#[test]
fn logs_are_spread_over_the_partners_that_have_them() {
    let mut room = Room::of(4);
    room.share(scope(1), &[0, 1, 2, 3]);
    for author in 0..12 {
        for side in 0..3 {
            room.give(side, log(1, 40 + author, 0), make_log(log(1, 40 + author, 0), 0, &[100; 20]));
        }
    }
    for side in 0..3 {
        room.connect(3, side);
    }
    room.settle();
    assert_eq!(room.side(3).held(), room.side(0).held());
    let asked: Vec<usize> =
        (0..3).map(|to| room.asked_of(3, to).filter_map(|request| entries_asked(&request)).count()).collect();
    assert_eq!(asked.iter().sum::<usize>(), 12, "each log is asked for once: {asked:?}");
    assert!(asked.iter().all(|count| *count >= 2), "everyone gives some: {asked:?}");
}

#[test]
fn what_is_new_is_told_within_two_seconds_and_nothing_is_said_in_between() {
    let mut room = Room::of(2);
    room.share(scope(1), &[0, 1]);
    room.connect(0, 1);
    room.settle();
    let quiet = room.messages;
    room.pass(50_000);
    assert_eq!(room.messages, quiet, "nothing happens, nothing is said within a minute");
    room.write(0, log(1, 0, 0), 3);
    room.pass(2_000);
    assert_eq!(room.side(1).held(), room.side(0).held());
    let after = room.messages;
    room.pass(130_000);
    assert!((2..=8).contains(&(room.messages - after)), "a hello a minute: {}", room.messages - after);
}

#[test]
fn objects_come_by_the_feed_and_a_restart_goes_on_at_the_cursor() {
    let mut room = Room::of(2);
    room.share(scope(1), &[0, 1]);
    room.write_objects(0, scope(1), 9_000);
    room.write_objects(0, CONTACT, 3);
    room.connect(0, 1);
    room.settle();
    assert_eq!(room.side(1).objects(scope(1)), room.side(0).objects(scope(1)));
    assert_eq!(room.side(1).objects(CONTACT), room.side(0).objects(CONTACT));
    let before = room.asked(1).count();
    room.restart(1);
    room.connect(0, 1);
    room.settle();
    let again: Vec<Request> = room.asked(1).skip(before).collect();
    assert!(
        !again.iter().any(|request| matches!(request, Request::Feed { .. } | Request::Objects { .. })),
        "nothing new, nothing asked: {again:?}"
    );
    room.write_objects(0, scope(1), 1);
    room.pass(2_000);
    assert_eq!(room.side(1).objects(scope(1)), room.side(0).objects(scope(1)));
    let fed = room.asked(1).skip(before).find(|request| matches!(request, Request::Feed { .. }));
    assert!(matches!(fed, Some(Request::Feed { after: 9_000, .. })), "from the cursor on: {fed:?}");
}

#[test]
fn objects_that_do_not_fit_into_one_page_come_in_several() {
    let mut room = Room::of(2);
    room.share(scope(1), &[0, 1]);
    room.write_objects_of(0, scope(1), &[300_000; 20]);
    room.write_objects_of(0, scope(1), &[900_000, 10, 900_000]);
    room.connect(0, 1);
    room.settle();
    assert_eq!(room.side(1).objects(scope(1)), room.side(0).objects(scope(1)));
    let asked: Vec<usize> = room
        .asked(1)
        .filter_map(|request| if let Request::Objects { hashes, .. } = request { Some(hashes.len()) } else { None })
        .collect();
    assert_eq!(asked, [23, 20, 17, 14, 11, 8, 5, 3, 1], "nothing is asked for again that has come");
}

#[test]
fn a_new_incarnation_is_read_from_its_start() {
    let mut room = Room::of(2);
    room.share(scope(1), &[0, 1]);
    room.write_objects(0, scope(1), 20);
    room.connect(0, 1);
    room.settle();
    room.restore_feed(0, scope(1), 5);
    room.write_objects(0, scope(1), 2);
    room.connect(0, 1);
    room.settle();
    assert_eq!(room.side(1).objects(scope(1)).len(), 22, "the 20 it had, and the 2 made since");
}

#[test]
fn an_unknown_scope_in_a_hello_is_a_proposal_and_its_feed_is_read() {
    let mut room = Room::of(2);
    room.share_at(0, scope(7), &[0, 1], false);
    room.write_objects(0, scope(7), 2);
    room.connect(0, 1);
    room.settle();
    assert_eq!(room.side(1).objects(scope(7)), room.side(0).objects(scope(7)));
}

#[test]
fn who_is_no_party_learns_nothing_and_is_told_nothing() {
    let mut room = Room::of(3);
    room.share(scope(1), &[0, 1]);
    room.write(0, log(1, 0, 0), 5);
    room.write_objects(0, scope(1), 5);
    room.connect(0, 1);
    room.connect(0, 2);
    room.settle();
    assert!(room.side(2).logs.is_empty());
    assert!(room.side(2).objects(scope(1)).is_empty());
    for hello in room.asked_of(0, 2) {
        let Request::Hello(hello) = hello else { continue };
        assert!(hello.scopes.iter().all(|state| state.scope == CONTACT), "{hello:?}");
    }
    let asked = log(1, 0, 0);
    for request in [
        Request::Heads { scope: scope(1), after: None },
        Request::Feed { scope: scope(1), incarnation: [0; 16], after: 0 },
        Request::Objects { scope: scope(1), hashes: vec![Hash::of(&[b"x"])] },
        Request::Wraps { scope: scope(1), key_ids: vec![KeyId(Hash::of(&[b"k"]))], writer: 0 },
        Request::Entries { log: asked, from_seq: 0, until_seq: 9 },
    ] {
        let refused = room.put(2, 0, &request.write());
        assert_eq!(refused, Response::Refused(Reason::NotForYou), "{request:?}");
    }
    let unknown = room.put(2, 0, &Request::Heads { scope: scope(99), after: None }.write());
    assert_eq!(unknown, Response::Refused(Reason::NotForYou), "the same as of a scope that does not exist");
}

#[test]
fn a_malformed_request_is_refused_and_told() {
    let mut room = Room::of(2);
    room.connect(0, 1);
    room.settle();
    assert_eq!(room.put(1, 0, &[0xff]), Response::Refused(Reason::Malformed));
    assert_eq!(room.put(1, 0, &vec![0; limits::REQUEST_BYTES + 1]), Response::Refused(Reason::Malformed));
    assert_eq!(room.misbehaved(0), 2);
    let other = Request::Hello(Hello { mode: Mode::Live, scopes: Vec::new() });
    assert_eq!(room.put(1, 0, &other.write()), Response::Refused(Reason::OtherMode));
    assert_eq!(room.misbehaved(0), 3);
}

#[test]
fn equal_forks_are_noticed_with_evidence() {
    forks_are_noticed(5, 5, 3);
}

#[test]
fn a_fork_is_noticed_whichever_branch_is_longer() {
    forks_are_noticed(5, 9, 3);
    forks_are_noticed(9, 5, 3);
    forks_are_noticed(1, 9, 0);
}

fn forks_are_noticed(first: usize, second: usize, common: usize) {
    let mut room = Room::of(2);
    room.share(scope(1), &[0, 1]);
    let forked = log(1, 50, 0);
    let trunk = make_log(forked, 0, &vec![10; common]);
    for (side, length) in [(0, first), (1, second)] {
        let mut entries = trunk.clone();
        entries.extend(side::branch(forked, &trunk, u8::try_from(side).unwrap() + 1, length - common));
        room.give(side, forked, entries);
    }
    room.connect(0, 1);
    room.settle();
    for side in [0, 1] {
        assert!(room.told(side).any(|output| matches!(output, Output::Diverged { log, .. } if *log == forked)));
        let evidence = room.told(side).find_map(|output| match output {
            Output::Evidence { log, seq, entry, .. } if *log == forked => Some((*seq, entry.clone())),
            _ => None,
        });
        let (seq, entry) = evidence.expect("the other branch's entry comes along");
        let ours = &room.side(side).logs[&forked][usize::try_from(seq).unwrap()];
        assert_ne!(ours.header, entry.header);
        assert_eq!(side::number(&entry.header), Some((forked, seq)));
    }
    let before = room.messages;
    room.pass(300_000);
    assert!(room.messages - before < 40, "the fork is not fought over: {}", room.messages - before);
}

#[test]
fn a_fork_is_noticed_after_the_shorter_side_has_caught_up_elsewhere() {
    // 1 shows a position of its branch while 0 has nothing yet; 0 gets the other branch from 2 and overtakes it.
    let mut room = Room::of(3);
    room.share(scope(1), &[0, 1, 2]);
    let forked = log(1, 50, 0);
    room.give(1, forked, side::branch(forked, &[], 1, 4));
    room.give(2, forked, side::branch(forked, &[], 2, 30));
    room.fault(1, Fault::NoEntries);
    room.connect(0, 1);
    // Long enough for the request that 1 never answers to be given up.
    room.pass(limits::PATIENCE_MS + 1);
    room.connect(0, 2);
    room.settle();
    assert_eq!(room.side(0).held(), room.side(2).held());
    assert!(room.told(0).any(|output| matches!(output, Output::Diverged { from, .. } if *from == agency(1))));
}

#[test]
fn a_restored_node_learns_of_its_own_entries_before_it_is_compared() {
    let mut room = Room::of(2);
    room.share(scope(1), &[0, 1]);
    let own = log(1, 0, 0);
    room.write(0, own, 12);
    room.connect(0, 1);
    room.settle();
    room.roll_back(0, own, 4);
    room.connect(0, 1);
    room.settle();
    assert_eq!(room.side(0).held(), room.side(1).held());
    let told: Vec<&Output> = room.told(0).collect();
    let ahead =
        told.iter().position(|output| matches!(output, Output::OwnLogAhead { position, .. } if position.seq == 11));
    let compared = told.iter().position(|output| matches!(output, Output::Compared { .. }));
    assert!(ahead.expect("it is told") < compared.expect("and compared"), "{told:?}");
    assert_eq!(room.heads_when_compared(0), Some(11), "only when all of it is here again");
}

#[test]
fn a_partner_that_boasts_of_our_own_log_is_not_believed() {
    let mut room = Room::of(3);
    room.share(scope(1), &[0, 1, 2]);
    room.write(0, log(1, 0, 0), 4);
    room.connect(0, 1);
    room.settle();
    room.restart(0);
    // Something that no ladder takes, so that the two never hold the same.
    room.give(1, log(1, 40, 0), make_log(log(1, 41, 0), 0, &[10; 2]));
    room.fault(1, Fault::Boasts);
    room.connect(0, 1);
    room.pass(600_000);
    assert!(!room.told(0).any(|output| matches!(output, Output::OwnLogAhead { .. })));
    assert_eq!(room.heads_when_compared(0), None, "whether it speaks the truth is not known");
    room.connect(0, 2);
    room.settle();
    assert_eq!(room.heads_when_compared(0), Some(3), "another partner will do");
}

#[test]
fn a_node_whose_own_log_diverges_is_told_and_then_compared() {
    let mut room = Room::of(2);
    room.share(scope(1), &[0, 1]);
    let own = log(1, 0, 0);
    room.give(0, own, side::branch(own, &[], 1, 3));
    room.give(1, own, side::branch(own, &[], 2, 6));
    room.connect(0, 1);
    room.settle();
    let told: Vec<&Output> = room.told(0).collect();
    let diverged = told.iter().position(|output| matches!(output, Output::Diverged { .. }));
    let compared = told.iter().position(|output| matches!(output, Output::Compared { .. }));
    assert!(diverged.unwrap() < compared.unwrap(), "{told:?}");
}

#[test]
fn another_partner_is_asked_where_one_lies() {
    for fault in [Fault::NoEntries, Fault::Garbage, Fault::WrongEntries, Fault::Silent, Fault::SameEntries] {
        let mut room = Room::of(3);
        room.share(scope(1), &[0, 1, 2]);
        for author in 0..5 {
            let theirs = log(1, 40 + author, 0);
            let entries = make_log(theirs, 0, &[100; 30]);
            room.give(0, theirs, entries.clone());
            room.give(1, theirs, entries);
        }
        room.fault(0, fault);
        room.connect(2, 0);
        room.connect(2, 1);
        room.settle();
        room.pass(120_000);
        assert_eq!(room.side(2).held(), room.side(1).held(), "{fault:?}");
        let before = room.asked_of(2, 0).count();
        room.pass(600_000);
        let rate = room.asked_of(2, 0).count() - before;
        assert!(rate < 200, "a liar is asked ever more rarely: {rate} in ten minutes, {fault:?}");
    }
}

#[test]
fn a_liar_that_has_a_log_without_end_is_asked_ever_more_rarely() {
    let mut room = Room::of(2);
    room.share(scope(1), &[0, 1]);
    room.give(0, log(1, 40, 0), make_log(log(1, 40, 0), 0, &[10; 5]));
    room.fault(0, Fault::Boasts);
    room.connect(1, 0);
    room.settle();
    room.pass(3_600_000);
    let asked = room.asked_of(1, 0).filter_map(|request| entries_asked(&request)).count();
    assert!(asked < 40, "{asked} requests in an hour");
    assert_eq!(room.side(1).logs[&log(1, 40, 0)].len(), 5);
}

#[test]
fn a_wanted_key_is_asked_of_its_author_first_and_then_of_others() {
    let mut room = Room::of(3);
    room.share(scope(1), &[0, 1, 2]);
    let key_id = KeyId(Hash::of(&[b"key"]));
    room.give_wrap(1, key_id);
    room.connect(2, 0);
    room.connect(2, 1);
    room.settle();
    room.input(2, Input::KeyWanted { from: Some(agency(0)), scope: scope(1), key_id });
    room.settle();
    let asked: Vec<usize> =
        [0, 1].map(|to| room.asked_of(2, to).filter(|r| matches!(r, Request::Wraps { .. })).count()).to_vec();
    assert_eq!(asked, [1, 1], "the author, who has none, and the other, who has");
    assert!(room.side(2).wraps.contains(&key_id));
    room.pass(3_600_000);
    let later = room.asked(2).filter(|request| matches!(request, Request::Wraps { .. })).count();
    assert_eq!(later, 2, "a key that has come is not asked for again");
}

#[test]
fn a_gap_that_gossip_shows_is_fetched_at_once() {
    let mut room = Room::of(2);
    room.share(scope(1), &[0, 1]);
    room.connect(0, 1);
    room.settle();
    room.give(0, log(1, 40, 0), make_log(log(1, 40, 0), 0, &[10; 8]));
    room.input(1, Input::GapSeen { from: agency(0), log: log(1, 40, 0), seq: 7 });
    room.deliver();
    assert_eq!(room.side(1).held(), room.side(0).held());
}

#[test]
fn more_scopes_than_fit_into_a_hello_are_told_in_turns() {
    let mut room = Room::of(2);
    let scopes: BTreeSet<Hash> = (0..1200).map(scope).collect();
    for scope in &scopes {
        room.share(*scope, &[0, 1]);
        room.write_objects(0, *scope, 1);
    }
    room.connect(0, 1);
    room.settle();
    room.pass(180_000);
    assert!(scopes.iter().all(|scope| room.side(1).objects(*scope).len() == 1));
}

#[test]
fn what_a_stranger_makes_a_machine_remember_is_bounded() {
    let own = Own { agency: agency(0), writer: 0, mode: Mode::Exercise, incarnation: [1; 16] };
    let mut machine = Machine::new(own, Snapshot::default());
    let now = entente_protocol::time::Time::from_ms(1_000_000).unwrap();
    machine.handle(Input::Scopes(side::scopes_of(&[(scope(1), vec![0, 1])])), now);
    machine.handle(Input::PeerUp(agency(1)), now);
    let mut asked = 0;
    for seq in 0..20_000_u32 {
        let log = LogId { generation: seq, ..log(1, 40, 0) };
        let out = machine.handle(Input::GapSeen { from: agency(1), log, seq: 5 }, now);
        asked += out.iter().filter(|output| matches!(output, Output::Send { .. })).count();
    }
    assert!(asked <= limits::REQUESTS_PER_PEER);
    let size = format!("{machine:?}").matches("Offer {").count();
    assert!(size <= limits::OFFERS_PER_PEER, "{size} offers are kept");
}

#[test]
fn answers_that_nobody_asked_for_change_nothing() {
    let mut room = Room::of(2);
    room.share(scope(1), &[0, 1]);
    room.connect(0, 1);
    room.settle();
    let id = entente_protocol::sync::RequestId(77);
    for result in [Err(Failed::Lost), Ok(vec![0xff]), Ok(Response::Entries(Vec::new()).write())] {
        room.input(0, Input::Answer { from: agency(1), id, result });
    }
    let log = log(1, 9, 0);
    room.input(0, Input::PageDone { from: agency(1), log, outcome: PageOutcome::Advanced });
    room.input(0, Input::Fetch { from: agency(1), scope: scope(1), hashes: vec![Hash::of(&[b"x"])] });
    assert_eq!(room.deliver(), 0);
    assert!(!room.told(0).any(|output| matches!(output, Output::Misbehaved { why: Misbehaviour::Unasked, .. })));
}

fn entries_asked(request: &Request) -> Option<(u64, u64)> {
    match request {
        Request::Entries { from_seq, until_seq, .. } => Some((*from_seq, *until_seq)),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_interleaving_converges(
        seed in any::<u64>(),
        lengths in proptest::collection::vec((0_usize..4, 0_usize..60), 1..12),
        objects in proptest::collection::vec((0_usize..4, 0_usize..20), 0..4),
        loss in 0_u64..30,
    ) {
        let mut room = Room::of(4);
        room.disorder(seed, loss);
        room.share(scope(1), &[0, 1, 2, 3]);
        for (index, (holder, length)) in lengths.iter().enumerate() {
            let id = LogId { agreement: AgreementId(scope(1)), ..log(1, 40 + u8::try_from(index).unwrap() % 5, u32::try_from(index).unwrap()) };
            room.give(*holder, id, make_log(id, 0, &vec![50; *length]));
            // Someone else has the first part of it already.
            room.give((*holder + 1) % 4, id, make_log(id, 0, &vec![50; *length / 2]));
        }
        for (holder, count) in objects {
            room.write_objects(holder, scope(1), count);
        }
        for (a, b) in [(0, 1), (1, 2), (2, 3)] {
            room.connect(a, b);
        }
        room.pass(3_600_000);
        for side in 1..4 {
            prop_assert_eq!(room.side(side).held(), room.side(0).held());
            prop_assert_eq!(room.side(side).objects(scope(1)), room.side(0).objects(scope(1)));
        }
        let nobody: BTreeSet<AgencyId> = BTreeSet::new();
        prop_assert_eq!(room.accused(), nobody);
    }
}
