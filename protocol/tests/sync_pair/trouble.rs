//! A store that fails is no answer: what it could not tell or keep is asked for again.

use entente_protocol::sync::{Output, limits};

use crate::room::Room;
use crate::side::{self, Failing, agency, log, make_log, scope};

/// Objects in a feed: more than one request asks for.
const OBJECTS: usize = 600;

#[test]
fn a_feed_that_could_not_be_looked_through_or_kept_is_read_again() {
    for at in [Failing::Lacking, Failing::Take] {
        let mut room = Room::of(2);
        room.share(scope(1), &[0, 1]);
        room.write_objects(0, scope(1), OBJECTS);
        room.failing(1, at);
        room.connect(0, 1);
        room.pass(limits::FEED_REST_MS - 1);
        assert!(room.side(1).objects(scope(1)).len() < OBJECTS, "{at:?}");
        assert!(room.side(1).cursors.is_empty(), "no cursor stands for what was not kept: {at:?}");
        room.pass(3 * limits::FEED_REST_MS);
        assert_eq!(room.side(1).objects(scope(1)), room.side(0).objects(scope(1)), "{at:?}");
        assert_eq!(room.side(1).cursors.len(), 1);
    }
}

#[test]
fn a_position_that_could_not_be_compared_is_compared_with_the_next_list() {
    let mut room = Room::of(2);
    room.share(scope(1), &[0, 1]);
    let forked = log(1, 50, 0);
    let trunk = make_log(forked, 0, &[10; 3]);
    for (side, length) in [(0, 6), (1, 1)] {
        let mut entries = trunk.clone();
        entries.extend(side::branch(forked, &trunk, u8::try_from(side).unwrap() + 1, length));
        room.give(side, forked, entries);
    }
    room.failing(0, Failing::Check);
    room.connect(0, 1);
    let noticed =
        |room: &Room| room.told(0).any(|output| matches!(output, Output::Diverged { from, .. } if *from == agency(1)));
    room.pass(limits::HEADS_EVERY_MS);
    assert!(!noticed(&room), "it could not compare");
    room.pass(limits::HELLO_EVERY_MS + limits::HEADS_EVERY_MS);
    assert!(noticed(&room));
}

#[test]
fn a_node_whose_own_log_forked_is_compared_only_once_the_evidence_is_judged() {
    let mut room = Room::of(2);
    room.share(scope(1), &[0, 1]);
    let own = log(1, 0, 0);
    let trunk = make_log(own, 0, &[10; 3]);
    for side in [0, 1] {
        let mut entries = trunk.clone();
        entries.extend(side::branch(own, &trunk, u8::try_from(side).unwrap() + 1, 2));
        room.give(side, own, entries);
    }
    room.connect(0, 1);
    room.settle();
    let told: Vec<&str> = room
        .told(0)
        .filter_map(|output| match output {
            Output::Diverged { .. } => Some("diverged"),
            Output::Evidence { .. } => Some("evidence"),
            Output::Compared { .. } => Some("compared"),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["diverged", "evidence", "compared"]);
}
