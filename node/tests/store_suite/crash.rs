//! The process is killed, or the machine stops: nothing acknowledged is lost, nothing is half there.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use entente_node::store::{Rebuilt, Torn};

use crate::support::*;

/// Set in the child: where to write.
const CHILD: &str = "ENTENTE_STORE_CRASH_DIR";

#[test]
fn a_torn_tail_at_any_byte_is_cut_and_told() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let a = log(1, 1);
    let store = open(&data).unwrap();
    store.commit(vec![entry(a, 0, &[(0, 1)]), object(1, 1)]).unwrap();
    store.close().unwrap();
    let before = answers(&store, &[a]);
    drop(store);
    let last = |dir: &std::path::Path| segments(&dir.join("federation")).pop().unwrap();
    let whole = fs::metadata(last(&data)).unwrap().len();
    let torn = dir.path().join("torn");
    copy(&data, &torn);
    let store = open(&torn).unwrap();
    store.commit(vec![entry(a, 1, &[(1, 1), (2, 1)]), object(1, 2), local("with", "it")]).unwrap();
    drop(store);
    let long = fs::metadata(last(&torn)).unwrap().len();
    for length in whole..long {
        let cut = dir.path().join("cut");
        copy(&torn, &cut);
        fs::remove_dir_all(cut.join("index")).unwrap();
        copy(&data.join("index"), &cut.join("index"));
        OpenOptions::new().write(true).open(last(&cut)).unwrap().set_len(length).unwrap();
        let store = open(&cut).unwrap();
        assert_eq!(answers(&store, &[a]), before, "cut at {length}");
        let told = Torn { file: last(&cut), offset: whole, bytes: length - whole };
        let expected = if length == whole { vec![] } else { vec![told] };
        assert_eq!((&store.open_report().torn, &store.open_report().damage), (&expected, &vec![]));
        store.commit(vec![entry(a, 1, &[(1, 1)])]).unwrap();
        drop(store);
        fs::remove_dir_all(&cut).unwrap();
    }
}

#[test]
fn after_the_machine_stopped_the_index_is_built_anew() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let store = open(&data).unwrap();
    store.commit(vec![entry(log(1, 1), 0, &[(0, 1)])]).unwrap();
    let before = answers(&store, &[log(1, 1)]);
    let stopped = dir.path().join("stopped");
    copy(&data, &stopped);
    fs::write(stopped.join("index.open"), "another boot").unwrap();
    let store = open(&stopped).unwrap();
    assert_eq!(store.open_report().rebuilt, Some(Rebuilt::UncleanStop));
    assert_eq!(answers(&store, &[log(1, 1)]), before);
}

/// Writes until it is killed, and says on its output what was acknowledged. Run by the test below, in a process of
/// its own; on its own it does nothing.
#[test]
fn child_that_commits() {
    let Some(dir) = std::env::var_os(CHILD) else { return };
    let store = open(dir.as_ref()).unwrap();
    let a = log(1, 1);
    let first = store.head(&a).map_or(0, |head| head.seq + 1);
    for seq in first..first + 100_000 {
        let reports = [(seq % 50, u32::try_from(seq).unwrap()), (seq % 7, u32::try_from(seq).unwrap())];
        store.commit(vec![entry(a, seq, &reports), local("seq", &seq.to_string())]).unwrap();
        println!("acknowledged {seq}");
    }
}

#[test]
fn killed_while_committing_nothing_acknowledged_is_lost_and_nothing_half_applied() {
    let dir = tempfile::tempdir().unwrap();
    let a = log(1, 1);
    for round in 1..=8 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["crash::child_that_commits", "--exact", "--nocapture"])
            .env(CHILD, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut acknowledged = lines.filter_map(|line| line.strip_prefix("acknowledged ")?.parse::<u64>().ok());
        let mut last = acknowledged.nth(round * 13).unwrap();
        child.kill().unwrap();
        last = acknowledged.last().unwrap_or(last);
        child.wait().unwrap();

        let store = open_with(dir.path(), entente_node::store::Options { lock_wait_ms: 5000, ..options() }).unwrap();
        let head = store.head(&a).unwrap().seq;
        assert!(head == last || head == last + 1, "acknowledged {last}, found {head}");
        assert_eq!(store.local(b"seq").unwrap(), head.to_string().as_bytes(), "both journals or neither");
        for seq in head.saturating_sub(5)..=head {
            assert_eq!(store.entry(&a, seq).unwrap().unwrap().body, Some(body(seq)));
            let newest = store.report(&agency(1), &report(seq % 50)).unwrap();
            assert!(u64::from(newest[0].id.revision) >= seq);
        }
        assert_eq!(store.open_report().damage, []);
    }
}
