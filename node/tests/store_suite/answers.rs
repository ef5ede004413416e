//! The store answers what was put in, in whatever order it came, before and after it was opened again.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use entente_node::store::{
    Health, Item, OpenReport, Options, Record, RecordState, Store, StoreError, StoreKeys, doctor,
};
use entente_protocol::id::Hash;
use proptest::prelude::*;

use crate::support::*;

#[test]
fn what_was_put_in_comes_out_also_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (log(1, 1), log(2, 1));
    let store = open(dir.path()).unwrap();
    for seq in 0..40 {
        store.commit(vec![entry(a, seq, &[(seq, 1), (seq + 1, 1)]), local("seen", &seq.to_string())]).unwrap();
    }
    store.commit(vec![entry(b, 0, &[(3, 1)]), object(1, 1), object(2, 2), object(1, 3)]).unwrap();

    let found = store.lookup(&indicator(3)).unwrap();
    assert_eq!(found.len(), 2, "one under each agreement");
    assert_eq!(found[0].statement, b"CANARY-STATEMENT 3 revision 1");
    assert_eq!(store.lookup(b"nobody").unwrap(), []);
    assert_eq!(store.head(&a).unwrap().seq, 39);
    assert_eq!(store.entries(&a, 38, 1).unwrap().len(), 1);
    assert_eq!(store.entries(&a, 38, 1 << 20).unwrap().len(), 2);
    assert_eq!(store.header_at(&a, 5).unwrap(), Some(hash(&a, 5)));
    let by_hash = store.entry_by_hash(&hash(&a, 5)).unwrap().unwrap();
    assert_eq!((by_hash.seq, by_hash.body), (5, Some(body(5))));
    let feed = store.objects(&Hash::from_bytes([1; 32]), 0, 10).unwrap();
    assert_eq!(feed.iter().map(|(_, kind, _)| *kind).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(store.objects(&Hash::from_bytes([1; 32]), feed[0].0, 10).unwrap(), feed[1..]);
    assert_eq!(store.feed_end(&Hash::from_bytes([1; 32])).unwrap(), feed[1].0);
    assert_eq!(store.local(b"seen").unwrap(), b"39");

    let (before, incarnation) = (answers(&store, &[a, b]), store.incarnation());
    store.close().unwrap();
    assert_eq!(store.commit(vec![]), Err(StoreError::Closed));
    drop(store);
    let store = open(dir.path()).unwrap();
    assert_eq!(answers(&store, &[a, b]), before);
    assert_eq!(store.incarnation(), incarnation);
    assert_eq!(store.open_report(), &OpenReport::default());
    assert_eq!(store.health(), Health::Ok);
}

#[test]
fn pages_of_an_originators_reports_join_without_a_seam() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let reports: Vec<(u64, u32)> = (0..25).map(|n| (n, 1)).collect();
    store.commit(vec![entry(log(1, 1), 0, &reports), entry(log(1, 2), 0, &[(90, 1)])]).unwrap();
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = store.reports_of(&agency(1), after.as_ref(), 10).unwrap();
        let Some((cursor, _)) = page.last() else { break };
        after = Some(cursor.clone());
        seen.extend(page.into_iter().map(|(_, record)| record.id.report));
    }
    seen.sort();
    assert_eq!(seen, (0..25).map(report).collect::<Vec<_>>());
}

#[test]
fn an_entry_comes_before_its_turn_and_its_body_later() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let a = log(1, 1);
    store.commit(vec![entry(a, 2, &[])]).unwrap();
    assert_eq!(store.head(&a), None);
    assert_eq!(store.gaps().unwrap()[0].seqs, 0..2);
    let header_only = Item::Entry { log: a, seq: 0, hash: hash(&a, 0), header: vec![1], body: None, records: vec![] };
    store.commit(vec![header_only]).unwrap();
    assert_eq!(store.head(&a).unwrap().seq, 0);
    store.commit(vec![entry(a, 1, &[])]).unwrap();
    assert_eq!(store.head(&a).unwrap().seq, 2);
    assert_eq!(store.gaps().unwrap(), []);
    let late = |seq| Item::Body { log: a, seq, body: b"late".to_vec(), records: vec![record(a, seq, 0, 7, 1)] };
    store.commit(vec![late(0)]).unwrap();
    assert_eq!(store.entry(&a, 0).unwrap().unwrap().body.unwrap(), b"late");
    assert_eq!(store.lookup(&indicator(7)).unwrap().len(), 1);
    assert_eq!(store.commit(vec![late(9)]), Err(StoreError::NoEntry { log: Box::new(a), seq: 9 }));
}

#[test]
fn another_entry_in_a_taken_place_is_refused_and_nothing_of_its_commit_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let a = log(1, 1);
    store.commit(vec![entry(a, 0, &[])]).unwrap();
    store.commit(vec![entry(a, 0, &[])]).unwrap();
    let other =
        Item::Entry { log: a, seq: 0, hash: Hash::from_bytes([3; 32]), header: vec![], body: None, records: vec![] };
    let conflict = StoreError::Conflict { log: Box::new(a), seq: 0, held: hash(&a, 0) };
    assert_eq!(store.commit(vec![object(1, 1), local("k", "v"), other]), Err(conflict));
    assert_eq!((store.counts().entries, store.counts().objects, store.local(b"k")), (1, 0, None));
    assert_eq!(store.health(), Health::Ok);
}

#[test]
fn a_retracted_report_does_not_come_back_by_a_late_copy() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let (a, b) = (log(1, 1), log(2, 1));
    store.commit(vec![entry(a, 0, &[(1, 1), (2, 1)])]).unwrap();
    let mut held = record(b, 5, 0, 1, 2);
    held.state = RecordState::Held { reason: 4 };
    store.commit(vec![Item::Record(held)]).unwrap();
    store.commit(vec![Item::EraseReport { originator: agency(1), report: report(1), up_to_revision: 2 }]).unwrap();
    assert_eq!(store.retracted(&agency(1), &report(1)).unwrap(), Some(2));
    assert_eq!(store.quarantine(None, 9).unwrap(), []);
    store.commit(vec![entry(b, 0, &[(1, 2)])]).unwrap();
    let check = |store: &Store| {
        assert_eq!(store.lookup(&indicator(1)).unwrap(), []);
        assert_eq!(store.report(&agency(1), &report(1)).unwrap(), []);
        assert_eq!(store.lookup(&indicator(2)).unwrap().len(), 1);
    };
    check(&store);
    drop(store);
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    check(&open(dir.path()).unwrap());
}

#[test]
fn held_and_quarantined_records_are_listed_until_they_are_admitted_or_erased() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let a = log(1, 1);
    let with = |n: u64, seq: u64, state| Record { state, ..record(a, seq, 0, n, 1) };
    let held = with(1, 4, RecordState::Held { reason: 1 });
    let bad = with(2, 3, RecordState::Quarantined { reason: 2 });
    store.commit(vec![Item::Record(held.clone()), Item::Record(bad.clone())]).unwrap();
    assert_eq!(store.lookup(&indicator(1)).unwrap(), []);
    let listed: Vec<_> = store.quarantine(None, 9).unwrap().into_iter().map(|(_, record)| record).collect();
    assert_eq!(listed, [bad.clone(), held.clone()], "the oldest first");
    assert_eq!(store.quarantine_of(&agency(1), None, 1).unwrap()[0].1, bad);
    let size = store.quarantine_sizes()[&agency(1)];
    assert_eq!((size.records, size.bytes), (2, (bad.statement.len() + held.statement.len()) as u64));
    store.commit(vec![Item::Record(with(1, 4, RecordState::Admitted)), Item::EraseRecord(bad.id)]).unwrap();
    assert_eq!(store.lookup(&indicator(1)).unwrap().len(), 1);
    assert_eq!(store.quarantine(None, 9).unwrap(), []);
    assert!(store.quarantine_sizes().is_empty());
    assert_eq!(store.counts().quarantined, 0);
}

#[test]
fn retention_takes_bodies_and_records_and_leaves_headers() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let a = log(1, 1);
    store.commit(vec![entry(a, 0, &[(1, 1)]), object(1, 1)]).unwrap();
    let gone = vec![
        Item::EraseBody { log: a, seq: 0 },
        Item::EraseRecord(record(a, 0, 0, 1, 1).id),
        Item::DropObject { hash: Hash::from_bytes([1; 32]) },
    ];
    store.commit(gone).unwrap();
    let held = store.entry(&a, 0).unwrap().unwrap();
    assert_eq!((held.header, held.body), (b"header 0".to_vec(), None));
    assert_eq!(store.lookup(&indicator(1)).unwrap(), []);
    assert_eq!(store.object(&Hash::from_bytes([1; 32])).unwrap(), None);
    store.commit(vec![entry(a, 0, &[(1, 1)])]).unwrap();
    assert_eq!(store.entry(&a, 0).unwrap().unwrap().body, None, "a late copy does not bring it back");
    assert_eq!(store.lookup(&indicator(1)).unwrap(), []);
}

#[test]
fn a_second_opener_other_keys_and_another_layout_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    assert_eq!(open(dir.path()).err(), Some(StoreError::Locked { dir: dir.path().to_path_buf() }));
    drop(store);
    let other = StoreKeys { records: [1; 32], ..keys() };
    let opened = Store::open(dir.path(), &other, options(), &mut |_| {});
    assert_eq!(opened.err(), Some(StoreError::WrongKeys));
    let layout = dir.path().join("layout");
    let text = fs::read_to_string(&layout).unwrap();
    let refused = [StoreError::Past { found: 1, known: 2 }, StoreError::Future { found: 7, known: 2 }];
    for (found, refused) in [1, 7].into_iter().zip(refused) {
        fs::write(&layout, text.replace("layout 2", &format!("layout {found}"))).unwrap();
        assert_eq!(open(dir.path()).err(), Some(refused));
    }
    fs::write(&layout, text).unwrap();
    assert!(open(dir.path()).is_ok(), "nothing was changed");
}

#[test]
fn no_file_holds_anything_in_clear_and_all_are_private() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let store = open(&data).unwrap();
    for seq in 0..30 {
        store.commit(vec![entry(log(1, 1), seq, &[(seq, 1)]), local("CANARY-KEY", "CANARY-VALUE")]).unwrap();
    }
    let mut held = record(log(1, 1), 31, 0, 40, 1);
    held.state = RecordState::Quarantined { reason: 1 };
    store.commit(vec![Item::Record(held)]).unwrap();
    store.close().unwrap();
    drop(store);
    assert!(found_in(&data, b"SEALED-BODY"), "the search works");
    assert!(!found_in(&data, b"CANARY"));
    assert!(!found_in(&data, report(3).as_bytes()));
    let mut left = vec![data];
    while let Some(path) = left.pop() {
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
        if path.is_dir() {
            left.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
}

#[test]
fn local_values_survive_many_changes_in_little_space() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_with(dir.path(), Options { segment_bytes: 1 << 18, ..options() }).unwrap();
    let big = "x".repeat(60_000);
    for n in 0..60 {
        store.commit(vec![local("a", &format!("{n}{big}")), local("gone", "1")]).unwrap();
    }
    store.commit(vec![Item::Local { key: b"gone".to_vec(), value: None }]).unwrap();
    drop(store);
    let bytes: u64 = segments(&dir.path().join("local")).iter().map(|s| s.metadata().unwrap().len()).sum();
    assert!(bytes < 1 << 21, "{bytes} bytes");
    let store = open(dir.path()).unwrap();
    assert_eq!(store.local_prefix(b""), [(b"a".to_vec(), format!("59{big}").into_bytes())]);
}

#[test]
fn committers_share_the_journal_and_all_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    std::thread::scope(|scope| {
        for author in 0..8 {
            let store = &store;
            scope.spawn(move || {
                for seq in 0..20 {
                    let n = u64::from(author) * 20 + seq;
                    store.commit(vec![entry(log(1, author), seq, &[(n, 1)])]).unwrap();
                    assert_eq!(store.lookup(&indicator(n)).unwrap().len(), 1);
                }
            });
        }
    });
    assert_eq!((store.counts().entries, store.counts().records), (160, 160));
    drop(store);
    let diagnosis = doctor(dir.path(), &keys(), &options(), false, &mut |_| {}).unwrap();
    assert!(diagnosis.is_sound(), "{diagnosis:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// Revisions in any order, with a retraction somewhere: the highest that is not covered is found, or none.
    #[test]
    fn the_highest_revision_wins_in_any_order(
        order in Just((1..=5u32).collect::<Vec<_>>()).prop_shuffle(),
        retracted in proptest::option::of((0usize..5, 1u32..6)),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path()).unwrap();
        let a = log(1, 1);
        for (at, revision) in order.iter().enumerate() {
            if let Some((_, up_to_revision)) = retracted.filter(|(when, _)| *when == at) {
                let erase = Item::EraseReport { originator: agency(1), report: report(1), up_to_revision };
                store.commit(vec![erase]).unwrap();
            }
            let mut moved = record(a, at as u64, 0, 1, *revision);
            moved.indicator = indicator(u64::from(*revision));
            store.commit(vec![Item::Record(moved)]).unwrap();
        }
        let up_to = retracted.map_or(0, |(_, up_to)| up_to);
        let expected = (up_to < 5).then_some(5);
        let check = |store: &Store| {
            let found: Vec<u32> = store.report(&agency(1), &report(1)).unwrap().iter().map(|r| r.id.revision).collect();
            prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
            for revision in 1..=5 {
                let here = store.lookup(&indicator(u64::from(revision))).unwrap().len();
                prop_assert_eq!(here, usize::from(expected == Some(revision)));
            }
            Ok(())
        };
        check(&store)?;
        store.close().unwrap();
        drop(store);
        let diagnosis = doctor(dir.path(), &keys(), &options(), true, &mut |_| {}).unwrap();
        prop_assert!(diagnosis.is_sound(), "{:?}", diagnosis);
        check(&open(dir.path()).unwrap())?;
    }
}
