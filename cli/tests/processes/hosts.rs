//! Four nodes on hosts of their own, between which the network does what networks do: all converge, and the lag that
//! the nodes show is true.

use std::thread;
use std::time::Duration;

use super::agency::{Agency, TOGETHER, ally, machine, now, until};
use super::internet::{Internet, available};

/// Seconds that a packet travels.
const DELAY: f64 = 0.2;

/// The share that gets lost.
const LOSS: f64 = 0.05;

/// What a host may send in a second: 16 Mbit.
const BYTES_PER_SECOND: f64 = 2e6;

/// How long a partition lasts.
const PARTED: Duration = Duration::from_mins(1);

/// The four by name.
const NAMES: [&str; 4] = ["Unit A", "Unit B", "Unit C", "Unit D"];

/// The four, and how many batches were filed.
struct World {
    agencies: [Agency; 4],
    batches: usize,
}

impl World {
    fn file(&mut self, agency: usize) {
        self.agencies[agency].file(self.batches);
        self.batches += 1;
    }

    fn all_file(&mut self) {
        (0..4).for_each(|agency| self.file(agency));
    }

    /// Waits until some have all reports, each once.
    fn spread(&self, to: &[usize], phase: &str) {
        let count = (self.batches * TOGETHER) as u64;
        for agency in to {
            let agency = &self.agencies[*agency];
            until(&format!("{phase}: {count} reports"), || (agency.holds("reports") == count).then_some(()));
            assert_eq!(agency.holds("quarantined"), 0, "{phase}");
        }
    }

    /// All have everything, and know it of each other.
    fn converge(&self, phase: &str) {
        let begun = now();
        self.spread(&[0, 1, 2, 3], phase);
        let had = begun.elapsed();
        for agency in &self.agencies {
            let confirmed = || agency.partners().iter().all(|(_, lag, behind)| (*lag, *behind) == (0, 0));
            until(&format!("{phase}: all confirmed"), || confirmed().then_some(()));
        }
        println!("{phase}: all have all after {had:.1?}, all know it after {:.1?}", begun.elapsed());
    }

    fn lag_of(&self, shown_by: usize, partner: &str) -> u64 {
        let partners = self.agencies[shown_by].partners();
        partners.iter().find(|(name, ..)| name == partner).unwrap().1
    }
}

#[test]
fn nodes_converge_whatever_the_network_between_them_does() {
    if !available() {
        return;
    }
    let _machine = machine();
    let internet = Internet::between(4);
    internet.worsen(DELAY, LOSS, BYTES_PER_SECOND);
    let agency = |number: usize| Agency::found_at(NAMES[number], internet.hosts()[number].clone());
    let agencies = [agency(0), agency(1), agency(2), agency(3)];
    ally(&agencies.each_ref());
    let mut world = World { agencies, batches: 0 };
    world.all_file();
    world.converge("far and lossy");

    parted(&mut world, &internet, "parted", &[(0, 1), (1, 0), (2, 3), (3, 2)]);
    parted(&mut world, &internet, "cut one way", &[(0, 1)]);
    one_is_alone(&mut world, &internet);

    internet.block_udp(&internet.hosts()[2]);
    world.all_file();
    world.converge("without UDP");
    internet.allow_udp(&internet.hosts()[2]);

    one_moves(&mut world, &internet);
    world.agencies.iter_mut().for_each(Agency::stop_sound);
}

/// For a minute, what some file reaches the others by way of third parties.
fn parted(world: &mut World, internet: &Internet, phase: &str, ways: &[(usize, usize)]) {
    let begun = now();
    internet.cut(ways);
    world.all_file();
    world.spread(&[0, 1, 2, 3], phase);
    println!("{phase}: by way of others after {:.1?}", begun.elapsed());
    thread::sleep(PARTED.saturating_sub(begun.elapsed()));
    world.all_file();
    internet.mend(ways);
    world.converge(phase);
}

/// What the others show of the one who hears nothing is what it lacks.
fn one_is_alone(world: &mut World, internet: &Internet) {
    let ways = [(0, 3), (3, 0), (1, 3), (3, 1), (2, 3), (3, 2)];
    internet.cut(&ways);
    (0..3).for_each(|agency| world.file(agency));
    world.spread(&[0, 1, 2], "one is alone");
    let lacking = world.agencies[0].holds("entries") - world.agencies[3].holds("entries");
    assert!(lacking >= 3, "{lacking} entries");
    for shown_by in 0..3 {
        assert_eq!(world.lag_of(shown_by, NAMES[3]), lacking);
    }
    internet.mend(&ways);
    world.converge("alone, and back");
}

/// It finds the others again, also one that starts anew and knows only where it was; then that one is told.
fn one_moves(world: &mut World, internet: &Internet) {
    let host = &internet.hosts()[1];
    internet.live_at(host, 1);
    world.all_file();
    world.converge("moved");
    world.agencies[0].stop();
    world.agencies[0].start();
    world.all_file();
    world.converge("moved, and another one started anew");
    world.agencies[1].announce(&host.address(0), &host.address(1));
    world.all_file();
    world.converge("moved, and told");
    assert!(world.agencies[0].addresses_of(NAMES[1]).contains(&host.address(1)));
}
