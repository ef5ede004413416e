//! Two nodes that share reports, and of which one or the other is killed at random moments, again and again: nothing
//! that was acknowledged is lost, nothing is there twice or by half.
//!
//! `ENTENTE_KILL_ROUNDS` sets how often; without it, often enough to meet every phase of publishing and admitting.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::agency::{Agency, TOGETHER, ally, machine, until};

/// How often a node is killed.
const ROUNDS: u64 = 50;

/// Between two batches, so that others may come in between.
const PAUSE: Duration = Duration::from_millis(1);

/// A sequence of numbers that look random, and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// Tells the publisher to end, also when the test fails.
struct Over(AtomicBool);

struct AtTheEnd<'a>(&'a Over);

impl Over {
    fn at_the_end(&self) -> AtTheEnd<'_> {
        AtTheEnd(self)
    }
}

impl Drop for AtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn nodes_that_are_killed_at_any_moment_lose_nothing_and_keep_nothing_by_half() {
    let rounds = std::env::var("ENTENTE_KILL_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let _machine = machine();
    let [mut a, mut b] = ["Unit A", "Unit B"].map(Agency::found);
    ally(&[&a, &b]);
    let desk = a.desk();
    let over = Over(AtomicBool::new(false));
    // Whoever holds it knows that no batch is under way.
    let filed: Mutex<Vec<Vec<String>>> = Mutex::new(Vec::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.0.load(Ordering::SeqCst) {
                let mut filed = filed.lock().unwrap();
                let ids = desk.file(filed.len());
                filed.push(ids);
                drop(filed);
                thread::sleep(PAUSE);
            }
        });
        let _over = over.at_the_end();
        let mut dice = Dice(rounds);
        for round in 0..rounds {
            thread::sleep(Duration::from_millis(dice.below(120)));
            let victim = if dice.below(3) == 0 { &mut b } else { &mut a };
            victim.kill();
            victim.start();
            let filed = filed.lock().unwrap();
            let count = (filed.len() * TOGETHER) as u64;
            // What is acknowledged after a start waits in the outbox until the partner was asked.
            let held = until(&format!("round {round}: {count} reports"), || {
                Some(a.holds("reports")).filter(|held| *held >= count)
            });
            assert_eq!(held, count, "round {round}: what was acknowledged, once each");
        }
    });
    let filed = filed.into_inner().unwrap();

    let count = (filed.len() * TOGETHER) as u64;
    until("all of it is at the partner", || (b.holds("reports") == count).then_some(()));
    for agency in [&a, &b] {
        assert_eq!(agency.holds("quarantined"), 0);
        for (number, ids) in filed.iter().enumerate() {
            for (n, id) in ids.iter().enumerate() {
                assert_eq!(agency.finds(number * TOGETHER + n), std::slice::from_ref(id));
            }
        }
    }
    println!("{rounds} kills, {count} reports");
    a.stop_sound();
    b.stop_sound();
}
