//! What is wrong with the index heals; what is wrong with a journal is told, and all around it is saved.

use std::fs;
use std::path::Path;

use entente_node::store::{Rebuilt, Store, StoreError, StoreKeys, doctor};
use entente_protocol::id::LogId;

use crate::support::*;

/// A closed store with 30 entries in several segments.
fn filled(dir: &Path) -> (LogId, Answers) {
    let a = log(1, 1);
    let store = open(dir).unwrap();
    for seq in 0..30 {
        store.commit(vec![entry(a, seq, &[(seq, 1)]), object(1, u8::try_from(seq).unwrap())]).unwrap();
    }
    store.close().unwrap();
    (a, answers(&store, &[a]))
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 0x40;
    fs::write(path, bytes).unwrap();
}

#[test]
fn an_index_that_is_gone_garbled_or_of_other_keys_is_built_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (data, other) = (dir.path().join("data"), dir.path().join("other"));
    let (a, before) = filled(&data);
    drop(open(&other).unwrap());
    let index = data.join("index");
    let check = |expected: Rebuilt| {
        let store = open(&data).unwrap();
        assert_eq!(store.open_report().rebuilt, Some(expected));
        assert_eq!(answers(&store, &[a]), before);
        store.close().unwrap();
    };
    fs::remove_dir_all(&index).unwrap();
    check(Rebuilt::Missing);
    fs::remove_dir_all(&index).unwrap();
    copy(&other.join("index"), &index);
    check(Rebuilt::Foreign);
    let keys = StoreKeys { index: [1; 32], ..keys() };
    let store = Store::open(&data, &keys, options(), &mut |_| {}).unwrap();
    assert_eq!(store.open_report().rebuilt, Some(Rebuilt::Foreign));
    assert_eq!(answers(&store, &[a]), before);
    store.close().unwrap();
    drop(store);
    check(Rebuilt::Foreign);
}

#[test]
fn an_index_with_garbage_in_its_file_never_gives_another_answer() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (a, before) = filled(&data);
    let length = usize::try_from(fs::metadata(data.join("index/db")).unwrap().len()).unwrap();
    for at in (0..length).step_by(length / 12) {
        let hurt = dir.path().join(format!("hurt-{at}"));
        copy(&data, &hurt);
        let mut bytes = fs::read(hurt.join("index/db")).unwrap();
        let end = (at + 3000).min(bytes.len());
        bytes[at..end].fill(0xa5);
        fs::write(hurt.join("index/db"), bytes).unwrap();
        let store = open(&hurt).unwrap();
        let asked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| answers(&store, &[a])));
        let right = asked.is_ok_and(|answers| answers == before);
        drop(store);
        if !right {
            let diagnosis = doctor(&hurt, &keys(), &options(), false, &mut |_| {}).unwrap();
            assert!(diagnosis.opened.unwrap().rebuilt.is_some() || diagnosis.index_differences > 0, "garbage at {at}");
        }
        let store = open(&hurt).unwrap();
        assert_eq!(answers(&store, &[a]), before, "garbage at {at}");
    }
}

#[test]
fn an_index_that_points_to_the_wrong_places_is_found_out_and_built_anew() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (a, before) = filled(&data);
    // The same store with its entries in another order has the same incarnation, and an index that does not fit.
    let twin = dir.path().join("twin");
    fs::create_dir(&twin).unwrap();
    let store = open(&twin).unwrap();
    store.commit(vec![]).unwrap();
    store.close().unwrap();
    drop(store);
    fs::copy(data.join("layout"), twin.join("layout")).unwrap();
    let store = open(&twin).unwrap();
    for seq in 0..29 {
        store.commit(vec![object(1, u8::try_from(seq).unwrap()), entry(a, seq, &[(seq, 1)])]).unwrap();
    }
    store.close().unwrap();
    drop(store);
    fs::remove_dir_all(data.join("index")).unwrap();
    copy(&twin.join("index"), &data.join("index"));
    let store = open(&data).unwrap();
    assert_eq!(store.open_report().rebuilt, Some(Rebuilt::Damaged));
    assert!(data.join("index.damaged-1").exists(), "kept aside");
    assert_eq!(answers(&store, &[a]), before);
}

#[test]
fn damage_in_the_middle_is_named_and_costs_only_what_it_hit() {
    for which in [0, 1, usize::MAX] {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let (a, before) = filled(&data);
        let files = segments(&data.join("federation"));
        let hurt = &files[which.min(files.len() - 2)];
        let at = usize::try_from(fs::metadata(hurt).unwrap().len()).unwrap() / 2;
        flip(hurt, at);
        let diagnosis = doctor(&data, &keys(), &options(), false, &mut |_| {}).unwrap();
        assert!(matches!(&diagnosis.unsound[..], [StoreError::Damaged { file, .. }] if file == hurt), "{diagnosis:?}");
        let diagnosis = doctor(&data, &keys(), &options(), true, &mut |_| {}).unwrap();
        assert!(!diagnosis.is_sound(), "the doctor changes no journal");

        fs::remove_dir_all(data.join("index")).unwrap();
        let store = open(&data).unwrap();
        let [damage] = &store.open_report().damage[..] else { panic!("one damage: {:?}", store.open_report()) };
        assert_eq!(damage.file, hurt.with_extension("damaged"));
        assert!(damage.offset <= at as u64 && at as u64 <= damage.offset + damage.bytes, "{damage:?} holds {at}");
        let [gap] = &damage.resupply[..] else { panic!("one gap: {damage:?}") };
        assert_eq!((gap.log, gap.seqs.end - gap.seqs.start), (a, 1));
        assert_eq!(store.gaps().unwrap(), damage.resupply);
        let lost = gap.seqs.start;
        assert_eq!(store.head(&a).map(|head| head.seq), lost.checked_sub(1), "catch-up asks from here");
        let kept: Vec<_> = before.entries.iter().filter(|entry| entry.seq != lost).cloned().collect();
        assert_eq!(answers(&store, &[a]).entries, kept);

        store.commit(vec![entry(a, lost, &[(lost, 1)]), object(1, u8::try_from(lost).unwrap())]).unwrap();
        let healed = answers(&store, &[a]);
        assert_eq!((healed.entries, healed.lookups), (before.entries, before.lookups));
        assert_eq!(store.head(&a).unwrap().seq, 29);
        store.close().unwrap();
        drop(store);
        assert!(doctor(&data, &keys(), &options(), false, &mut |_| {}).unwrap().is_sound());
    }
}

#[test]
fn damage_in_the_last_segment_is_no_torn_tail_when_later_writes_follow() {
    let dir = tempfile::tempdir().unwrap();
    let a = log(1, 1);
    let whole = entente_node::store::Options { segment_bytes: 1 << 20, ..options() };
    let store = open_with(dir.path(), whole.clone()).unwrap();
    let incarnation = store.incarnation();
    for seq in 0..5 {
        store.commit(vec![entry(a, seq, &[(seq, 1)])]).unwrap();
    }
    drop(store);
    flip(&segments(&dir.path().join("federation"))[0], 60);
    let store = open_with(dir.path(), whole).unwrap();
    assert_eq!((store.open_report().torn.len(), store.open_report().damage.len()), (0, 1));
    assert_ne!(store.incarnation(), incarnation);
    assert_eq!(store.gaps().unwrap()[0].seqs, 0..1);
    assert_eq!(store.entries(&a, 1, 1 << 20).unwrap().len(), 4);
}

#[test]
fn a_missing_or_headless_segment_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (a, before) = filled(&data);
    let headless = dir.path().join("headless");
    copy(&data, &headless);
    flip(&segments(&headless.join("federation"))[1], 20);
    let store = open(&headless).unwrap();
    assert_eq!(store.open_report().damage.len(), 1);
    assert_eq!(answers(&store, &[a]), before, "the frames are all there");

    fs::remove_file(&segments(&data.join("federation"))[1]).unwrap();
    fs::remove_dir_all(data.join("index")).unwrap();
    let store = open(&data).unwrap();
    assert_eq!(store.open_report().damage.len(), 1);
    assert!(!store.gaps().unwrap().is_empty());
    drop(store);
    assert_eq!(open(&data).unwrap().open_report().damage, []);
}

#[test]
fn a_place_that_does_not_read_at_run_time_is_an_error_and_salvaged_at_the_next_open() {
    let dir = tempfile::tempdir().unwrap();
    let (a, _) = filled(dir.path());
    let store = open(dir.path()).unwrap();
    let file = segments(&dir.path().join("federation"))[0].clone();
    flip(&file, 60);
    let error = StoreError::Damaged { file, offset: 42 };
    assert_eq!(store.entry(&a, 0), Err(error));
    assert!(store.entry(&a, 1).unwrap().is_some());
    drop(store);
    assert_eq!(open(dir.path()).unwrap().open_report().damage.len(), 1);
}

#[test]
fn a_salvage_that_was_interrupted_begins_again() {
    let dir = tempfile::tempdir().unwrap();
    let (data, stopped) = (dir.path().join("data"), dir.path().join("stopped"));
    let (a, _) = filled(&data);
    let hurt = segments(&data.join("federation"))[1].clone();
    flip(&hurt, 60);
    copy(&data, &stopped);
    fs::remove_dir_all(data.join("index")).unwrap();
    let store = open(&data).unwrap();
    let told = store.open_report().damage[0].resupply.clone();
    let salvaged = segments(&data.join("federation")).into_iter().find(|path| {
        let header = fs::read(path).unwrap();
        header[18..22] == 2u32.to_le_bytes()
    });
    let salvaged = salvaged.unwrap();
    fs::copy(&salvaged, stopped.join("federation").join(salvaged.file_name().unwrap())).unwrap();
    let again = open(&stopped).unwrap();
    assert_eq!(again.open_report().damage[0].resupply, told);
    assert_eq!(answers(&again, &[a]).entries, answers(&store, &[a]).entries);
}
