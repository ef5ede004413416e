//! Publishing and admitting, against the same bytes through the journal and the index without cryptography.

use std::time::Duration;

use entente_node::store::{Item, Options, Record, RecordId, RecordState, Store, StoreKeys};
use entente_protocol::id::ReportId;

use crate::world::World;
use crate::{line, per_second, timed};

/// Bytes of entries handed over together, as catch-up does.
const PAGE_BYTES: usize = 1 << 20;

/// Files all reports; how long that took.
pub(crate) fn publish(world: &World) -> Duration {
    let named = [world.agreement.to_string()];
    let mut took = Duration::ZERO;
    for batch in world.batches() {
        let (filed, part) = timed(|| world.a.desk.file(&batch, &named, None, false).unwrap());
        assert!(filed.iter().all(Result::is_ok));
        took += part;
    }
    took
}

/// The same bytes, by the store alone.
pub(crate) fn floor(world: &World) -> Duration {
    let dir = tempfile::tempdir().unwrap();
    let keys = StoreKeys { index: [1; 32], records: [2; 32] };
    let store = Store::open(dir.path(), &keys, Options::default(), &mut |_| {}).unwrap();
    let (source, log) = (world.a.desk.store(), world.log());
    let sample = source.reports_of(&log.author, None, 1).unwrap().remove(0).1;
    let (mut took, mut number) = (Duration::ZERO, 0_u128);
    for (seq, batch) in (0..).zip(world.batches()) {
        let entry = source.entry(&log, seq).unwrap().unwrap();
        let records = (0..).zip(&batch).map(|(leaf, _)| {
            number += 1;
            let report = ReportId::from_bytes(number.to_be_bytes());
            let id = RecordId { originator: log.author, report, revision: 0, log, seq, leaf };
            let indicator = [sample.indicator.as_slice(), &number.to_be_bytes()].concat();
            let statement = sample.statement.clone();
            Record { id, indicator, received: 1, state: RecordState::Admitted, statement }
        });
        let (hash, header, body) = (entry.hash, entry.header, entry.body);
        let item = Item::Entry { log, seq, hash, header, body, records: records.collect() };
        took += timed(|| store.commit(vec![item]).unwrap()).1;
    }
    took
}

/// Hands everything to the partner, and prints what all three took.
pub(crate) fn admit(world: &World, published: Duration, floor: Duration) {
    world.share_keys();
    let (source, log) = (world.a.desk.store(), world.log());
    let (mut next, mut took) = (0, Duration::ZERO);
    loop {
        let page = source.entries(&log, next, PAGE_BYTES).unwrap();
        let Some(last) = page.last() else { break };
        next = last.seq + 1;
        let page = page.into_iter().map(|entry| (entry.header, entry.body)).collect();
        let (arrival, part) = timed(|| world.b.desk.take_entries(log.author, log, page).unwrap());
        assert!(arrival.advanced && arrival.stopped.is_none(), "{arrival:?}");
        took += part;
    }
    assert_eq!(world.b.desk.store().counts().records, world.reports as u64);
    let rate = |took| per_second(world.reports, took);
    let against = |took: Duration| format!("{:.2} of journal + index", floor.as_secs_f64() / took.as_secs_f64());
    line("journal + index, the same bytes", &format!("{:.0} reports/s", rate(floor)), "");
    line("publish", &format!("{:.0} reports/s", rate(published)), &against(published));
    line("admit", &format!("{:.0} reports/s", rate(took)), &against(took));
}
