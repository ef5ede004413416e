//! Many clients look up while a partner sends without a pause and another one comes late to all of it: no error, no
//! stall, memory that grows with the reports held and with nothing else.
//!
//! `ENTENTE_LOAD_SECONDS` sets for how long, `ENTENTE_LOAD_REPORTS` how many reports are there when the third comes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::agency::{Agency, ally, lookup_path, machine, now, until};

/// Clients at a time.
const CLIENTS: usize = 64;

/// What a client does between two lookups: 64 of them ask some thousand times a second.
const THINKING: Duration = Duration::from_millis(10);

/// Reports that the partner files together, ten times a second.
const TOGETHER: usize = 100;
const EVERY: Duration = Duration::from_millis(100);

/// Reports filed together before.
const BACKLOG_TOGETHER: usize = 500;

/// A node that answers nothing, or admits nothing, for this long stands still. How fast it is, is printed.
const STALL: Duration = Duration::from_secs(5);

/// Memory that comes and goes, MB.
const SLACK_MB: u64 = 100;

/// Seconds between two lines that tell how it goes.
const TELL_EVERY: usize = 10;

fn setting(name: &str, otherwise: usize) -> usize {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn lookups_go_on_while_reports_pour_in_and_a_partner_catches_up() {
    let _machine = machine();
    let span = Duration::from_secs(setting("ENTENTE_LOAD_SECONDS", 10) as u64);
    let backlog = setting("ENTENTE_LOAD_REPORTS", 20_000);
    let [mut a, mut b, mut c] = ["Unit A", "Unit B", "Unit C"].map(Agency::found);
    ally(&[&a, &b, &c]);
    c.stop();
    println!("resident with nothing in it: {} MB", b.resident_mb());
    for first in (0..backlog).step_by(BACKLOG_TOGETHER) {
        a.file_rows(first, BACKLOG_TOGETHER);
    }
    until("the backlog is at the partner", || (b.holds("reports") == backlog as u64).then_some(()));

    let begun = now();
    let over = Arc::new(AtomicBool::new(false));
    let (filed, took, resident) = thread::scope(|scope| {
        let desk = a.desk();
        let sending = scope.spawn(move || send(&desk, backlog, begun, span));
        let looking = scope.spawn(|| look_up(&b, backlog, begun + span));
        let watching = scope.spawn(|| watch(&b, &over, begun));
        c.start();
        until("the third partner has what was there", || (c.holds("reports") >= backlog as u64).then_some(()));
        let late = begun.elapsed();
        println!("{backlog} reports caught up within {late:.1?}");
        let filed = sending.join().unwrap();
        let took = looking.join().unwrap();
        over.store(true, Ordering::SeqCst);
        (filed, took, watching.join().unwrap())
    });
    let count = (backlog + filed) as u64;
    println!("{filed} reports sent in {:.1?}", begun.elapsed());
    for agency in [&mut b, &mut c] {
        until("all of it has come", || (agency.holds("reports") == count).then_some(()));
        assert_eq!(agency.holds("quarantined"), 0);
    }
    let (lookups, p50, p99, longest) = figures(took);
    println!("{lookups} lookups by {CLIENTS} clients: p50 {p50:.1?}, p99 {p99:.1?}, longest {longest:.1?}");
    grows_with_reports_alone(&resident);
    assert!(longest < STALL, "a lookup took {longest:.1?}");
    for agency in [&mut a, &mut b, &mut c] {
        println!("resident at the end: {} MB", agency.resident_mb());
        agency.stop_sound();
    }
}

/// A thousand reports a second; how many there were.
fn send(desk: &Agency, first: usize, begun: Instant, span: Duration) -> usize {
    let mut rounds = 0_u32;
    while begun.elapsed() < span {
        desk.file_rows(first + rounds as usize * TOGETHER, TOGETHER);
        rounds += 1;
        thread::sleep((EVERY * rounds).saturating_sub(begun.elapsed()));
    }
    rounds as usize * TOGETHER
}

/// Looks whether the reports keep coming; how many there were and what memory, MB, once a second.
fn watch(b: &Agency, over: &AtomicBool, begun: Instant) -> Vec<(u64, u64)> {
    let (mut last, mut since) = (b.holds("reports"), now());
    let mut resident = Vec::new();
    while !over.load(Ordering::SeqCst) {
        thread::sleep(Duration::from_millis(50));
        let held = b.holds("reports");
        if held > last {
            (last, since) = (held, now());
        }
        assert!(since.elapsed() < STALL, "no report came for {:.1?}", since.elapsed());
        if begun.elapsed().as_secs() >= resident.len() as u64 {
            resident.push((held, b.resident_mb()));
            if resident.len() % TELL_EVERY == 1 {
                println!("{:>5} s: {held} reports, {} MB", resident.len() - 1, b.resident_mb());
            }
        }
    }
    resident
}

/// What the index keeps in memory of a report, bytes: sled holds the places of all its pages, whatever its cache.
const OF_A_REPORT: u64 = 800;

/// Memory grows with the reports that are held, and with nothing else: not with lookups, and not with time.
fn grows_with_reports_alone(resident: &[(u64, u64)]) {
    let [(first_held, first), (last_held, last)] = [resident.len() / 2, resident.len() - 1].map(|at| resident[at]);
    println!("resident: {first} MB at {first_held} reports, {last} MB at {last_held}");
    let allowed = (last_held - first_held) * OF_A_REPORT / 1_000_000 + SLACK_MB;
    assert!(last <= first + allowed, "{resident:?}");
}

/// All clients, until a moment; how long each lookup took.
fn look_up(b: &Agency, known: usize, until: Instant) -> Vec<Duration> {
    let base = b.url("").unwrap();
    let token = b.token();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let client = reqwest::Client::new();
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| tokio::spawn(one_client(client.clone(), base.clone(), token.clone(), number, known, until)))
            .collect();
        let mut took = Vec::new();
        for client in clients {
            took.extend(client.await.unwrap());
        }
        took
    })
}

/// Known and unknown addresses by turns.
async fn one_client(
    client: reqwest::Client,
    base: String,
    token: String,
    number: usize,
    known: usize,
    until: Instant,
) -> Vec<Duration> {
    let mut took = Vec::new();
    let mut n = number;
    while now() < until {
        let hit = n.is_multiple_of(2);
        let number = if hit { n.wrapping_mul(7919) % known } else { usize::MAX / 2 + n };
        let begun = now();
        let answer = client.get(format!("{base}{}", lookup_path(number))).bearer_auth(&token).send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
        let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        took.push(begun.elapsed());
        assert_eq!(answer["reports"].as_array().unwrap().len(), usize::from(hit), "{answer}");
        n += CLIENTS + 1;
        tokio::time::sleep(THINKING).await;
    }
    took
}

/// How many, the median, the 99th percentile, and the longest.
fn figures(mut took: Vec<Duration>) -> (usize, Duration, Duration, Duration) {
    took.sort_unstable();
    let at = |share: usize| took[took.len() * share / 100];
    (took.len(), at(50), at(99), *took.last().unwrap())
}
