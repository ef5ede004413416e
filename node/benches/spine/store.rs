//! Lookups in process, idle and while reports come in; the disk; the index built anew.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use entente_node::desk::Desk;
use entente_node::store::{Options, Store, StoreKeys};
use entente_protocol::indicator::Indicator;

use crate::apis::Node;
use crate::world::{World, address};
use crate::{line, now, per_second, percentiles, timed};

/// Lookups for one figure.
const LOOKUPS: usize = 20_000;

/// Looks addresses up that are known, or that are not, in no order.
fn look_up(world: &World, desk: &Desk, hit: bool, go_on: impl Fn(usize) -> bool) -> Vec<Duration> {
    let mut took = Vec::new();
    let mut n = 0;
    while go_on(n) {
        let known = n.wrapping_mul(7919) % world.reports;
        let address = Indicator::parse(&address(if hit { known } else { known + world.reports * 10 })).unwrap();
        let begun = now();
        let found = desk.lookup(&address).unwrap();
        took.push(begun.elapsed());
        assert_eq!(found.reports.len(), usize::from(hit));
        n += 1;
    }
    took
}

fn show(what: &str, took: Vec<Duration>) {
    let lookups = took.len();
    let (p50, p99) = percentiles(took);
    line(what, &format!("p50 {p50:.1}, p99 {p99:.1} us"), &format!("{lookups} lookups"));
}

pub(crate) fn measure(world: World) {
    show("lookup, hit, idle", look_up(&world, &world.b.desk, true, |n| n < LOOKUPS));
    show("lookup, miss, idle", look_up(&world, &world.b.desk, false, |n| n < LOOKUPS));
    let mut more = world.more().peekable();
    for (what, hit) in [("lookup, hit, while reports come in", true), ("lookup, miss, while reports come in", false)] {
        let over = AtomicBool::new(false);
        let took = thread::scope(|scope| {
            let looking = scope.spawn(|| look_up(&world, &world.a.desk, hit, |_| !over.load(Ordering::Relaxed)));
            let named = [world.agreement.to_string()];
            for batch in more.by_ref().take(world.reports / crate::world::TOGETHER / 2) {
                world.a.desk.file(&batch, &named, None, false).unwrap();
            }
            over.store(true, Ordering::Relaxed);
            looking.join().unwrap()
        });
        show(what, took);
    }
    drop(more);
    let (reports, b) = (world.reports, world.b);
    let Node { desk, state, api, _dir: dir } = b;
    desk.store().close().unwrap();
    drop((desk, state, api));
    #[expect(clippy::cast_precision_loss, reason = "a size of some gigabytes")]
    let each = bytes_in(dir.path()) as f64 / reports as f64;
    line("disk, everything", &format!("{each:.0} B a report"), "");
    std::fs::remove_dir_all(dir.path().join("index")).unwrap();
    let keys = StoreKeys { index: [2; 32], records: [3; 32] };
    let (store, took) = timed(|| Store::open(dir.path(), &keys, Options::default(), &mut |_| {}).unwrap());
    assert_eq!(store.counts().records, reports as u64);
    line("index built anew", &format!("{:.0} reports/s", per_second(reports, took)), "");
}

fn bytes_in(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).unwrap().map(Result::unwrap);
    entries
        .map(|entry| if entry.path().is_dir() { bytes_in(&entry.path()) } else { entry.metadata().unwrap().len() })
        .sum()
}
