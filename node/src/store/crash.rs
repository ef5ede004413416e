//! The index after a crash in the middle of anything: for each single change of it, the process dies just before, and
//! what the next start makes of it must be the index that the journal says.

use std::path::Path;
use std::sync::atomic::Ordering;

use entente_protocol::id::{AgencyId, AgreementId, Hash, LogId, ReportId};

use super::{Item, Options, Record, RecordId, RecordState, Store, StoreKeys, doctor};

fn keys() -> StoreKeys {
    StoreKeys { index: [7; 32], records: [9; 32] }
}

fn options() -> Options {
    Options { segment_bytes: 4096, lock_wait_ms: 5_000, cache_bytes: 1 << 20, ..Options::default() }
}

fn open(dir: &Path) -> Store {
    Store::open(dir, &keys(), options(), &mut |_| {}).unwrap()
}

fn log(agreement: u8) -> LogId {
    let author = AgencyId::from_bytes([2; 32]);
    LogId { agreement: AgreementId::from_bytes([agreement; 32]), author, writer: 1, generation: 0 }
}

fn record(agreement: u8, seq: u64, report: u8, revision: u32, about: u8, state: RecordState) -> Record {
    let log = log(agreement);
    let report = ReportId::from_bytes([report; 16]);
    Record {
        id: RecordId { originator: log.author, report, revision, log, seq, leaf: 0 },
        indicator: if state == RecordState::Admitted { vec![about] } else { Vec::new() },
        received: seq,
        state,
        statement: vec![report.as_bytes()[0], u8::try_from(revision).unwrap(), about],
    }
}

fn entry(agreement: u8, seq: u64, records: Vec<Record>) -> Item {
    let log = log(agreement);
    let hash = Hash::of(&[&[agreement], &seq.to_be_bytes()]);
    Item::Entry { log, seq, hash, header: vec![agreement; 40], body: Some(vec![1; 200]), records }
}

fn object(number: u8) -> Item {
    Item::Object { scope: Hash([1; 32]), kind: number, hash: Hash([number; 32]), bytes: vec![number; 50] }
}

/// Commits that bring about everything that can happen to the index.
fn commits() -> Vec<Vec<Item>> {
    use RecordState::{Admitted, Held, Quarantined};
    let originator = log(1).author;
    let erase = |report: u8, up_to_revision| Item::EraseReport {
        originator,
        report: ReportId::from_bytes([report; 16]),
        up_to_revision,
    };
    let refused = Quarantined { reason: 70 };
    vec![
        vec![object(1), object(2), entry(1, 0, vec![record(1, 0, 1, 0, 10, Admitted)])],
        vec![entry(1, 1, vec![record(1, 1, 2, 0, 11, Admitted)]), entry(2, 0, vec![record(2, 0, 1, 0, 10, Admitted)])],
        // A revision, one with another indicator, and copies that were refused before and after.
        vec![entry(1, 2, vec![record(1, 2, 1, 1, 10, Admitted)])],
        vec![entry(1, 3, vec![record(1, 3, 2, 1, 12, Admitted)])],
        vec![entry(1, 4, vec![record(1, 4, 2, 0, 11, refused)]), entry(1, 5, vec![record(1, 5, 3, 0, 13, refused)])],
        vec![entry(2, 1, vec![record(2, 1, 3, 0, 13, Held { reason: 33 })])],
        vec![Item::Record(record(2, 1, 3, 0, 13, Admitted))],
        // What goes, and what comes back.
        vec![Item::DropObject { hash: Hash([1; 32]) }, object(3)],
        vec![object(1), erase(1, 1)],
        vec![entry(2, 2, vec![record(2, 2, 1, 0, 10, Admitted), record(2, 2, 4, 0, 14, Admitted)])],
        vec![Item::EraseRecord(record(1, 5, 3, 0, 13, refused).id), Item::EraseBody { log: log(1), seq: 1 }],
        vec![Item::Body { log: log(1), seq: 2, body: vec![3; 150], records: Vec::new() }, erase(4, 0)],
        vec![entry(2, 3, vec![record(2, 3, 4, 1, 14, Admitted)]), Item::DropObject { hash: Hash([3; 32]) }],
    ]
}

/// What lookups and lists answer.
#[derive(Debug, PartialEq)]
struct Answers {
    lookups: Vec<Vec<Record>>,
    quarantine: Vec<Record>,
    objects: Vec<(u64, u8, Hash)>,
}

fn answers(store: &Store) -> Answers {
    let lookups = (10..15).map(|about| store.lookup(&[about]).unwrap()).collect();
    let quarantine = store.quarantine(None, 100).unwrap().into_iter().map(|(_, record)| record).collect();
    Answers { lookups, quarantine, objects: store.objects(&Hash([1; 32]), 0, 100).unwrap() }
}

#[test]
fn the_index_survives_a_crash_before_any_of_its_changes() {
    let whole = tempfile::tempdir().unwrap();
    let store = open(whole.path());
    for items in commits() {
        store.commit(items).unwrap();
    }
    let expected = (answers(&store), store.counts(), store.quarantine_sizes());
    drop(store);

    let mut last = 0;
    for fuse in 0.. {
        let dir = tempfile::tempdir().unwrap();
        let mut store = open(dir.path());
        store.library.index.fuse.store(fuse, Ordering::SeqCst);
        let mut died = false;
        for items in commits() {
            if store.commit(items).is_err() {
                assert!(!died, "a process dies once");
                died = true;
                drop(store);
                store = open(dir.path());
            }
        }
        assert_eq!((answers(&store), store.counts(), store.quarantine_sizes()), expected, "died before change {fuse}");
        drop(store);
        let diagnosis = doctor(dir.path(), &keys(), &options(), false, &mut |_| {}).unwrap();
        assert_eq!(diagnosis.index_differences, 0, "died before change {fuse}");
        if !died {
            last = fuse;
            break;
        }
    }
    assert!(last > 80, "the commits change the index in more than a few ways: {last}");
}

#[test]
fn a_refused_copy_of_an_admitted_report_is_listed() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for items in commits() {
        store.commit(items).unwrap();
    }
    let listed: Vec<_> = store.quarantine(None, 10).unwrap().into_iter().map(|(_, record)| record.id).collect();
    let copy = record(1, 4, 2, 0, 11, RecordState::Quarantined { reason: 70 }).id;
    assert_eq!(listed, [copy], "the report itself was admitted from entry 1");
}
