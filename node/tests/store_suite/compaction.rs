//! What was erased leaves the disk; what was not stays found, also when the machine stops in between.

use std::fs;
use std::path::Path;

use entente_node::store::{Item, Record, Store, doctor};
use entente_protocol::id::{Hash, LogId};

use crate::support::*;

/// A store of which every third report was retracted, and some bodies and objects erased.
fn thinned(dir: &Path) -> (Store, LogId) {
    let a = log(1, 1);
    let store = open(dir).unwrap();
    for seq in 0..24 {
        store.commit(vec![entry(a, seq, &[(seq, 1), (seq + 24, 1)]), object(1, u8::try_from(seq).unwrap())]).unwrap();
    }
    for n in (0..24).step_by(3) {
        let erase = Item::EraseReport { originator: agency(1), report: report(n), up_to_revision: 1 };
        let remnant = Item::Body { log: a, seq: n, body: b"REMNANT".to_vec(), records: vec![] };
        store.commit(vec![erase, remnant]).unwrap();
        store.commit(vec![Item::EraseBody { log: a, seq: n + 1 }]).unwrap();
        store.commit(vec![Item::DropObject { hash: Hash::from_bytes([u8::try_from(n).unwrap(); 32]) }]).unwrap();
    }
    let newer: Vec<Record> = (30..35).map(|n| record(a, n, 0, n, 2)).collect();
    store.commit(newer.into_iter().map(Item::Record).collect()).unwrap();
    (store, a)
}

#[test]
fn erased_bytes_leave_the_disk_and_answers_stay() {
    let dir = tempfile::tempdir().unwrap();
    let (store, a) = thinned(dir.path());
    let before = answers(&store, &[a]);
    for erased in [&body(3)[..], &body(4), b"OBJECT-003"] {
        assert!(found_in(dir.path(), erased));
    }
    assert!(store.compact(&mut |_| {}).unwrap() > 0);
    assert_eq!(answers(&store, &[a]), before);
    for erased in [&body(3)[..], &body(4), b"OBJECT-003"] {
        assert!(!found_in(dir.path(), erased));
    }
    assert!(found_in(dir.path(), &body(2)) && found_in(dir.path(), b"header 3"));
    assert_eq!(store.compact(&mut |_| {}).unwrap(), 0, "nothing more to gain");
    store.commit(vec![entry(a, 24, &[(49, 1)])]).unwrap();
    let before = answers(&store, &[a]);
    store.close().unwrap();
    drop(store);
    assert!(doctor(dir.path(), &keys(), &options(), false, &mut |_| {}).unwrap().is_sound());
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    assert_eq!(answers(&open(dir.path()).unwrap(), &[a]), before);
}

#[test]
fn a_crash_at_any_step_of_a_compaction_changes_no_answer() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (store, a) = thinned(&data);
    let before = answers(&store, &[a]);
    let mut steps = 0;
    store
        .compact(&mut |_| {
            copy(&data, &dir.path().join(format!("step-{steps}")));
            steps += 1;
        })
        .unwrap();
    assert!(steps > 8, "{steps} steps");
    for step in 0..steps {
        let stopped = dir.path().join(format!("step-{step}"));
        let lost_index = dir.path().join(format!("step-{step}-without-index"));
        copy(&stopped, &lost_index);
        fs::remove_dir_all(lost_index.join("index")).unwrap();
        for dir in [stopped, lost_index] {
            let store = open(&dir).unwrap();
            assert_eq!(answers(&store, &[a]), before, "step {step}");
            assert_eq!(store.open_report().damage, []);
            store.compact(&mut |_| {}).unwrap();
            assert_eq!(answers(&store, &[a]), before, "step {step}, compacted again");
            assert!(!found_in(&dir.join("federation"), &body(3)));
            store.close().unwrap();
            drop(store);
            assert!(doctor(&dir, &keys(), &options(), false, &mut |_| {}).unwrap().is_sound());
        }
    }
}

#[test]
fn readers_and_writers_go_on_during_a_compaction() {
    let dir = tempfile::tempdir().unwrap();
    let (store, a) = thinned(dir.path());
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            for _ in 0..200 {
                assert_eq!(store.lookup(&indicator(2)).unwrap().len(), 1);
                assert!(store.entry(&a, 2).unwrap().unwrap().body.is_some());
            }
        });
        let writer = scope.spawn(|| {
            for seq in 24..60 {
                store.commit(vec![entry(a, seq, &[(seq, 3)])]).unwrap();
                store.commit(vec![Item::EraseBody { log: a, seq: seq - 8 }]).unwrap();
            }
        });
        for _ in 0..4 {
            store.compact(&mut |_| {}).unwrap();
        }
        reader.join().unwrap();
        writer.join().unwrap();
    });
    let before = answers(&store, &[a]);
    store.compact(&mut |_| {}).unwrap();
    assert_eq!(answers(&store, &[a]), before);
    drop(store);
    assert!(doctor(dir.path(), &keys(), &options(), false, &mut |_| {}).unwrap().is_sound());
}

#[test]
fn what_was_erased_is_found_without_looking_everywhere() {
    let dir = tempfile::tempdir().unwrap();
    let (store, a) = thinned(dir.path());
    let before = answers(&store, &[a]);
    while store.compact_due(false, 1).unwrap() > 0 {}
    assert_eq!(answers(&store, &[a]), before);
    for erased in [&body(3)[..], &body(4)] {
        assert!(!found_in(dir.path(), erased));
    }
    let segments = || fs::read_dir(dir.path().join("federation")).unwrap().map(|file| file.unwrap().file_name());
    let names: std::collections::BTreeSet<_> = segments().collect();
    assert_eq!(store.compact_due(false, 100).unwrap(), 0);
    assert_eq!(segments().collect::<std::collections::BTreeSet<_>>(), names, "nothing is rewritten for nothing");

    // What was erased in the segment being written goes once that is ended.
    store.commit(vec![entry(a, 24, &[(40, 1)])]).unwrap();
    store.commit(vec![Item::EraseBody { log: a, seq: 24 }]).unwrap();
    store.compact_due(false, 100).unwrap();
    assert!(found_in(dir.path(), &body(24)));
    assert!(store.compact_due(true, 100).unwrap() > 0);
    assert!(!found_in(dir.path(), &body(24)));
}

#[test]
fn what_was_erased_before_a_start_is_found_by_and_by() {
    let dir = tempfile::tempdir().unwrap();
    let (store, a) = thinned(dir.path());
    let before = answers(&store, &[a]);
    store.close().unwrap();
    assert!(store.compact_due(true, 100).is_err(), "a closed store is left alone");
    drop(store);
    let store = open(dir.path()).unwrap();
    assert!(found_in(dir.path(), &body(3)));
    assert!(store.compact_due(false, 100).unwrap() > 0);
    assert!(!found_in(dir.path(), &body(3)));
    assert_eq!(answers(&store, &[a]), before);

    // Also in the segment that was being written when the store was closed.
    store.commit(vec![entry(a, 24, &[(40, 1)])]).unwrap();
    store.commit(vec![Item::EraseBody { log: a, seq: 24 }]).unwrap();
    store.close().unwrap();
    drop(store);
    let store = open(dir.path()).unwrap();
    store.compact_due(true, 100).unwrap();
    assert!(!found_in(dir.path(), &body(24)));
}
