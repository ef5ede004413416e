//! Properties of the tree, over random answers: of liars, in any order, and of honest nodes that hear late.

use std::collections::BTreeMap;

use entente_protocol::agreement::{Act, Agreement, SignedVersion, State, Version};
use entente_protocol::id::VersionHash;
use entente_protocol::time::Time;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, proptest};

use super::make::{MODE, agency, at, child, first, leaves, no, propose, yes, yes_relying};

/// Agencies in play; the last is a party of some versions only.
const AGENCIES: usize = 4;

/// The hours asked about: around every deadline of [`versions`].
const HOURS: [u64; 14] = [0, 10, 30, 60, 99, 100, 119, 120, 123, 124, 144, 200, 224, 10_000];

/// A first version, three rival children, and a grandchild of each of two.
fn versions() -> Vec<SignedVersion> {
    let root = propose(first(&[0, 1, 2]));
    let same = propose(child(&root, &[0, 1, 2], 100, 1));
    let joined = propose(child(&root, &[0, 1, 2, 3], 120, 2));
    let end = propose(Version { ends: true, ..child(&root, &[0, 1, 2], 100, 3) });
    let shrunk = propose(child(&same, &[0, 1], 200, 4));
    let renewed = propose(child(&joined, &[0, 1, 2, 3], 200, 5));
    vec![root, same, joined, end, shrunk, renewed]
}

/// An answer, to be made from three numbers.
fn act(versions: &[SignedVersion], (version, by, what, hour): (usize, usize, u8, u64)) -> Act {
    let version = &versions[version];
    match what {
        0..=9 => yes(version, by, hour),
        10 => no(version, by, hour),
        _ => leaves(version, by, hour),
    }
}

fn answers() -> impl Strategy<Value = Vec<(usize, usize, u8, u64)>> {
    let hours = prop::sample::select(vec![11_u64, 20, 50, 99, 100, 150, 199, 200]);
    prop::collection::vec((0..6_usize, 0..AGENCIES, 0..12_u8, hours), 0..60)
}

/// Everything that an agreement tells.
fn told(agreement: &Agreement, versions: &[SignedVersion]) -> Vec<String> {
    let mut told = vec![format!("{:?}", agreement.contradictions())];
    for now in HOURS.map(at) {
        told.push(format!("{:?} {:?}", agreement.in_force(now).map(SignedVersion::name), agreement.parties_now(now)));
        for version in versions {
            told.push(format!("{:?}", agreement.state_of(version.name(), now)));
        }
        for party in (0..AGENCIES).map(agency) {
            told.push(format!("{:?}", agreement.may_publish(party, now).map(SignedVersion::name)));
            for version in versions.iter().map(SignedVersion::name) {
                told.push(format!("{:?}", agreement.may_sign(party, version, now)));
                told.push(format!("{:?}", agreement.permits_entry(version, party, now).map(SignedVersion::name)));
            }
        }
    }
    told
}

/// Signs by all parties of the first version and of one child, so that random answers meet something in force.
fn usual(versions: &[SignedVersion]) -> Vec<Act> {
    let root = (0..3).map(|by| yes(&versions[0], by, 12));
    root.chain((0..3).map(|by| yes(&versions[1], by, 50))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_arrival_never_matters(
        answers in answers(),
        with_usual in any::<bool>(),
        order in Just((0..80_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let versions = versions();
        let mut acts: Vec<Act> = versions.iter().cloned().map(Act::Version).collect();
        acts.extend(answers.into_iter().map(|answer| act(&versions, answer)));
        if with_usual {
            acts.extend(usual(&versions));
        }
        let mut at_once = Agreement::new(versions[0].agreement(), MODE);
        at_once.feed_all(acts.clone());
        let mut one_by_one = Agreement::new(versions[0].agreement(), MODE);
        for place in order.into_iter().filter(|place| *place < acts.len()) {
            one_by_one.feed(acts[place].clone()).unwrap();
        }
        prop_assert_eq!(told(&at_once, &versions), told(&one_by_one, &versions));
        let before = told(&one_by_one, &versions);
        one_by_one.feed_all(acts);
        prop_assert_eq!(before, told(&one_by_one, &versions), "feeding again changes nothing");
    }

    #[test]
    fn never_more_than_one_version_is_in_force(answers in answers(), with_usual in any::<bool>()) {
        let versions = versions();
        let mut agreement = Agreement::new(versions[0].agreement(), MODE);
        agreement.feed_all(versions.iter().cloned().map(Act::Version));
        agreement.feed_all(answers.into_iter().map(|answer| act(&versions, answer)));
        if with_usual {
            agreement.feed_all(usual(&versions));
        }
        for now in HOURS.map(at) {
            let states = versions.iter().map(|version| (version.name(), agreement.state_of(version.name(), now)));
            let in_force: Vec<VersionHash> =
                states.filter(|(_, state)| matches!(state, Some(State::InForce { .. }))).map(|(name, _)| name).collect();
            prop_assert!(in_force.len() <= 1, "{:?}", in_force);
            prop_assert_eq!(in_force.first().copied(), agreement.in_force(now).map(SignedVersion::name));
        }
    }

    #[test]
    fn what_a_conforming_node_releases_no_conforming_node_refuses(
        steps in prop::collection::vec((0..AGENCIES, 1..6_usize, 0..20_u8, 0..6_u64, any::<u64>()), 0..150),
    ) {
        let (released, everything) = honest_run(&steps);
        let versions = versions();
        let mut judge = Agreement::new(versions[0].agreement(), MODE);
        judge.feed_all(everything);
        for (version, author, created) in released {
            let judged = judge.permits_entry(version, agency(author), created).map(SignedVersion::name);
            prop_assert_eq!(judged, Ok(version));
        }
        prop_assert_eq!(judge.contradictions(), Vec::new());
    }
}

type Released = Vec<(VersionHash, usize, Time)>;

/// Four nodes that keep to the rules, each hearing of others' acts rarely, in part, and out of order. The first version
/// is in force; the rivals to follow it are signed and rejected at random. Agency 2 may leave, so that two are always
/// left.
fn honest_run(steps: &[(usize, usize, u8, u64, u64)]) -> (Released, Vec<Act>) {
    let versions = versions();
    let mut nodes = vec![Agreement::new(versions[0].agreement(), MODE); AGENCIES];
    let mut everything: Vec<Act> = versions.iter().cloned().map(Act::Version).collect();
    everything.extend((0..3).map(|by| yes(&versions[0], by, 11)));
    for node in &mut nodes {
        node.feed_all(everything.clone());
    }
    let mut left = BTreeMap::new();
    let (mut released, mut hour) = (Vec::new(), 11);
    for &(by, version, what, pause, heard) in steps {
        hour += pause;
        let version = &versions[version];
        let node = &mut nodes[by];
        let hears = if heard % 16 == 0 { heard } else { 0 };
        for (bit, act) in everything.iter().rev().take(64).enumerate() {
            if hears >> bit & 1 == 1 {
                node.feed(act.clone()).unwrap();
            }
        }
        let made = match what {
            0..=15 => node
                .may_sign(agency(by), version.name(), at(hour))
                .ok()
                .map(|relies_on| yes_relying(version, by, hour, relies_on)),
            16 => node.may_reject(agency(by), version.name()).ok().map(|()| no(version, by, hour)),
            17 if by == 2 && left.insert(by, hour).is_none() => Some(leaves(&versions[0], by, hour)),
            _ => None,
        };
        if let Some(act) = made {
            node.feed(act.clone()).unwrap();
            everything.push(act);
        }
        if let Ok(version) = node.may_publish(agency(by), at(hour)) {
            released.push((version.name(), by, at(hour)));
        }
    }
    (released, everything)
}
