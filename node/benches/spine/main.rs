//! What the spine costs, as ratios against a floor from the same run.
//!
//! `cargo bench --workspace --bench spine` measures all; `-- desk http` only these parts. `ENTENTE_BENCH_REPORTS` sets
//! how many reports there are (100,000 without it). Figures of a busy machine are worth their ratios.

#![expect(clippy::unwrap_used, reason = "a measure that cannot go on fails there")]

#[expect(dead_code, reason = "the tests use the rest of it")]
#[path = "../../tests/api_suite/support.rs"]
mod apis;
mod bare;
mod desk;
mod federation;
mod http;
mod seal;
mod store;
#[expect(dead_code, reason = "the tests use the rest of it")]
#[path = "../../tests/federation/support.rs"]
mod support;
#[expect(dead_code, reason = "the tests use the rest of it")]
#[path = "../../tests/federation/wire.rs"]
mod wire;
mod world;

use std::time::{Duration, Instant};

use world::World;

/// Prints one line of the table.
fn line(what: &str, figure: &str, against: &str) {
    println!("{what:<52} {figure:>22}   {against}");
}

/// How long something takes.
fn timed<T>(act: impl FnOnce() -> T) -> (T, Duration) {
    let begun = now();
    let done = act();
    (done, begun.elapsed())
}

#[expect(clippy::disallowed_methods, reason = "a measure reads the clock")]
fn now() -> Instant {
    Instant::now()
}

fn per_second(count: usize, took: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of a measure are far below 2^52")]
    let count = count as f64;
    count / took.as_secs_f64()
}

/// The p50 and p99 of some durations, microseconds.
fn percentiles(mut all: Vec<Duration>) -> (f64, f64) {
    all.sort_unstable();
    let at = |percent: usize| all[(all.len() * percent / 100).min(all.len() - 1)].as_secs_f64() * 1e6;
    (at(50), at(99))
}

/// Megabytes of memory that the process has resident now.
fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0 kB");
    line.split_whitespace().next().and_then(|kb| kb.parse::<f64>().ok()).unwrap_or_default() / 1024.0
}

fn main() {
    let chosen: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let wanted = |part: &str| chosen.is_empty() || chosen.iter().any(|name| name == part);
    let reports = std::env::var("ENTENTE_BENCH_REPORTS").map_or(100_000, |reports| reports.parse().unwrap());
    println!("{reports} reports, in batches of {}", world::TOGETHER);
    println!("resident before: {:.0} MB", resident_mb());
    if wanted("seal") {
        seal::measure();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if wanted("latency") {
        runtime.block_on(federation::latency());
    }
    if wanted("catch-up") {
        runtime.block_on(federation::catch_up(reports));
    }
    if !["http", "store", "desk"].into_iter().any(wanted) {
        return;
    }
    let world = runtime.block_on(World::new(reports));
    let published = desk::publish(&world);
    let floor = desk::floor(&world);
    desk::admit(&world, published, floor);
    println!("resident with the reports of both sides: {:.0} MB", resident_mb());
    if wanted("http") {
        runtime.block_on(http::measure(&world));
    }
    if wanted("store") {
        store::measure(world);
    }
}
