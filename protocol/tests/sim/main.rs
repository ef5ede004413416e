//! The federation, simulated: the catch-up machine over the real ladder, with real keys, under everything that goes
//! wrong. There is no gossip here but hints that are lost half of the time, so what is delivered, catch-up delivers.
//!
//! A run has three parts. Agreements are proposed and signed, and come into force. Then there are twenty minutes of
//! publishing under loss, delay, duplicates, reordering, partitions, restarts, restores and liars. Then the lines
//! heal, and after a while the promises of the design are checked.

#![expect(clippy::unwrap_used, reason = "the tests' helpers stand outside the functions that are marked as tests")]

mod deeds;
mod liar;
mod node;
mod people;
mod publish;
mod random;
mod store;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use entente_protocol::id::{Hash, LogId};

use deeds::Deed;
use liar::Lie;
use people::at;
use world::{Weather, World};

const MINUTE: u64 = 60_000;
/// When the agreements come into force.
const FORCE: u64 = 10 * MINUTE;
/// When the disorder ends.
const CALM: u64 = 30 * MINUTE;
/// When everything must have arrived.
const END: u64 = 60 * MINUTE;

/// A federation to be made.
struct Plan {
    agencies: usize,
    /// How many parties each agreement has.
    agreements: &'static [usize],
    liars: usize,
    /// Reports that each party files under each agreement.
    reports: u64,
    weather: Weather,
}

const SMALL: Plan = Plan {
    agencies: 12,
    agreements: &[9, 6, 4, 2],
    liars: 3,
    reports: 6,
    weather: Weather { loss: 8, doubles: 5, delay: 800 },
};

const LARGE: Plan = Plan {
    agencies: 56,
    agreements: &[24, 14, 10, 8, 5, 3, 2, 2],
    liars: 6,
    reports: 8,
    weather: Weather { loss: 4, doubles: 3, delay: 400 },
};

#[test]
fn fifty_six_agencies_keep_the_promises() {
    assert!(check(&simulate(1, &LARGE)) > 0, "some forked, and were caught");
}

#[test]
fn twelve_agencies_keep_the_promises_under_every_lie() {
    let (mut forks, mut own_ahead) = (0, 0);
    for seed in 10..22 {
        let world = simulate(seed, &SMALL);
        forks += check(&world);
        own_ahead += world.own_ahead;
    }
    assert!(forks > 0, "some forked, and were caught");
    assert!(own_ahead > 0, "some restored node learnt of its own entries from others");
}

#[test]
fn a_storm_delays_and_loses_nothing() {
    let weather = Weather { loss: 30, doubles: 20, delay: 4_000 };
    check(&simulate(40, &Plan { liars: 0, weather, ..SMALL }));
}

#[test]
fn one_seed_is_one_run() {
    let [first, again, other] = [7, 7, 8].map(|seed| simulate(seed, &SMALL).trace());
    assert_eq!(first, again);
    assert_ne!(first, other);
}

fn simulate(seed: u64, plan: &Plan) -> World {
    let mut world = World::new(seed, plan.agencies, plan.weather);
    let proposals = agree(&mut world, plan);
    world.open(proposals);
    world.run(FORCE);
    for (scope, parties) in world.agreements.clone() {
        for party in parties {
            assert!(
                world.nodes[party].as_ref().unwrap().in_force(scope, at(FORCE)),
                "seed {seed}: agreement {scope} is not in force at {party}"
            );
        }
    }
    trouble(&mut world, plan);
    world.run(END);
    world
}

/// Chooses liars and parties, and draws lines: a ring of the honest parties of each agreement, and chords to anyone.
fn agree(world: &mut World, plan: &Plan) -> Vec<(entente_protocol::agreement::SignedVersion, Vec<usize>)> {
    let mut numbers: Vec<usize> = (0..plan.agencies).collect();
    world.random().shuffle(&mut numbers);
    let first = world.random().index(Lie::ALL.len());
    for (number, lie) in numbers.iter().take(plan.liars).zip(Lie::ALL.iter().cycle().skip(first)) {
        world.lies.insert(*number, *lie);
    }
    let mut proposals = Vec::new();
    for (nonce, size) in (1_u8..).zip(plan.agreements) {
        world.random().shuffle(&mut numbers);
        let mut parties: Vec<usize> = numbers.iter().copied().take(*size).collect();
        if let Some(honest) = parties.iter().position(|party| world.is_honest(*party)) {
            parties.swap(0, honest);
        }
        let honest: Vec<usize> = parties.iter().copied().filter(|party| world.is_honest(*party)).collect();
        for (index, party) in honest.iter().enumerate() {
            world.link(*party, honest[(index + 1) % honest.len()]);
        }
        for party in &parties {
            for _ in 0..3 {
                let other = parties[world.random().index(parties.len())];
                world.link(*party, other);
            }
        }
        proposals.push((world.people.proposal(nonce, &parties, at(FORCE)), parties));
    }
    proposals
}

fn trouble(world: &mut World, plan: &Plan) {
    let agreements: Vec<(Hash, Vec<usize>)> = world.agreements.clone().into_iter().collect();
    let mut number = 0;
    for (scope, parties) in &agreements {
        for party in parties {
            for _ in 0..plan.reports {
                number += 1;
                let when = FORCE + 1 + world.random().below(CALM - FORCE - 2 * MINUTE);
                world.plan(when, Deed::File { agency: *party, scope: *scope, number });
            }
        }
    }
    world.plan(FORCE + 2 * MINUTE, Deed::Turn);
    let honest: Vec<usize> = (0..plan.agencies).filter(|node| world.is_honest(*node)).collect();
    let mut unlucky = honest.clone();
    world.random().shuffle(&mut unlucky);
    let (restarted, rest) = unlucky.split_at(honest.len() / 4);
    for node in restarted {
        let stop = FORCE + MINUTE + world.random().below(15 * MINUTE);
        let down = MINUTE / 10 + world.random().below(4 * MINUTE);
        world.plan(stop, Deed::Stop(*node));
        world.plan((stop + down).min(CALM), Deed::Start(*node));
    }
    for node in &rest[..honest.len() / 5] {
        let backup = FORCE + 1 + world.random().below(5 * MINUTE);
        let stop = backup + MINUTE + world.random().below(9 * MINUTE);
        world.plan(backup, Deed::Backup(*node));
        world.plan(stop, Deed::Stop(*node));
        world.plan(stop + MINUTE / 2, Deed::Restore(*node));
    }
    for start in [FORCE + 3 * MINUTE, FORCE + 10 * MINUTE] {
        let apart: BTreeSet<usize> = (0..plan.agencies).filter(|_| world.random().chance(40)).collect();
        world.plan(start, Deed::Cut(apart));
        world.plan(start + 4 * MINUTE, Deed::Heal);
    }
}

/// The promises; how many forks there were.
fn check(world: &World) -> usize {
    only_parties_hold_anything(world);
    let logs: BTreeSet<LogId> = world
        .agreements
        .keys()
        .flat_map(|scope| world.honest_parties(*scope))
        .flat_map(|node| node.store.logs.keys().copied())
        .collect();
    let mut forks = 0;
    for log in &logs {
        forks += usize::from(the_log_is_everywhere(world, log));
    }
    for (log, seq, hash) in &world.acknowledged {
        for node in world.honest_parties(log.agreement.0) {
            let held = node.store.entry(log, *seq).map(|kept| kept.head.hash);
            assert_eq!(held, Some(*hash), "{} lacks acknowledged entry {seq} of {log:?}", node.number);
        }
    }
    everything_filed_was_appended(world);
    let liars: BTreeSet<_> = world.lies.keys().map(|number| world.people.ids[*number]).collect();
    assert!(world.accused.is_subset(&liars), "only liars are accused");
    println!(
        "{} logs, {} entries acknowledged, {forks} forks, {} messages, own log ahead {} times, at {} ms",
        logs.len(),
        world.acknowledged.len(),
        world.messages,
        world.own_ahead,
        world.now()
    );
    forks
}

fn only_parties_hold_anything(world: &World) {
    for node in world.nodes.iter().flatten() {
        let scopes = node.store.logs.keys().map(|log| log.agreement.0).chain(node.store.feeds.keys().copied());
        for scope in scopes {
            let parties = &world.agreements[&scope];
            assert!(parties.contains(&node.number), "{} holds something of {scope}", node.number);
        }
    }
}

/// All honest parties hold the same log, opened; where it is forked, up to the fork, and they all know. Whether it is.
fn the_log_is_everywhere(world: &World, log: &LogId) -> bool {
    let parties = world.honest_parties(log.agreement.0);
    let mut branches: BTreeMap<u64, BTreeSet<Hash>> = BTreeMap::new();
    for node in &parties {
        for kept in node.store.logs.get(log).into_iter().flatten() {
            branches.entry(kept.head.seq).or_default().insert(kept.head.hash);
        }
    }
    let fork = branches.iter().find(|(_, hashes)| hashes.len() > 1).map(|(seq, _)| *seq);
    let common = fork.unwrap_or(branches.len() as u64);
    let known = parties.iter().any(|node| node.store.forked.contains(log));
    assert!(known || fork.is_none(), "nobody noticed the fork of {log:?}");
    assert!(!known || !world.is_honest(world.people.number(log.author)), "only liars fork: {log:?}");
    for node in &parties {
        let length = node.store.logs.get(log).map_or(0, |log| log.len() as u64);
        assert!(length >= common, "{} holds {length} of {common} entries of {log:?}", node.number);
        assert_eq!(node.store.forked.contains(log), known, "{} on the fork of {log:?}", node.number);
        let opened = |seq| node.store.entry(log, seq).and_then(|kept| kept.admitted) == Some(1);
        let author = world.people.number(log.author);
        // A liar may have kept its content key from some.
        assert!(
            !world.is_honest(author) || (0..common).all(opened),
            "{} could not open all of {log:?} by {author}",
            node.number
        );
    }
    known
}

fn everything_filed_was_appended(world: &World) {
    for node in world.nodes.iter().flatten().filter(|node| !world.lies.contains_key(&node.number)) {
        // Who has no honest partner under an agreement may find nobody to compare with.
        let answered = node.store.outbox.iter().filter(|(scope, _)| world.honest_parties(**scope).len() > 1);
        let waiting: usize = answered.map(|(_, reports)| reports.len()).sum();
        assert_eq!(waiting, 0, "{} still waits to append", node.number);
    }
}
