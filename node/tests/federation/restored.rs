//! Nodes that come back from a backup: they ask first, go on in a new generation, and a careless one is caught.

use std::fs;
use std::path::Path;

use entente_protocol::id::{AgreementId, LogId};
use entente_protocol::receipt::Receipt;
use entente_protocol::wire::attest::Claimed;
use entente_protocol::wire::object::ObjectKind;

use entente_node::clock;
use entente_node::desk::scope;
use tempfile::TempDir;

use crate::support::{Agency, address, agree, introduce, until};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Puts the data directory back to what it was.
fn restore(agency: &Agency, backup: &TempDir) {
    for entry in fs::read_dir(agency.dir.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }
    copy(backup.path(), agency.dir.path());
}

/// Two agencies of which the first, after its report 1 was backed up, published report 2, and is then restored.
async fn world() -> (Agency, Agency, AgreementId) {
    let [mut a, mut b] = ["A", "B"].map(Agency::new);
    introduce(&a, &b);
    a.connect().await;
    b.connect().await;
    let shared = agree("Two of us", &[&a, &b]).await;
    a.file(&address(1), shared);
    until("report 1 arrives", || b.finds(&address(1), &a)).await;
    a.stop().await;
    let backup = tempfile::tempdir().unwrap();
    copy(a.dir.path(), backup.path());

    a.connect().await;
    a.file(&address(2), shared);
    until("report 2 arrives", || b.finds(&address(2), &a)).await;
    until("a receipt of A is here", || receipts(&b, &a, shared).len() == 1).await;
    a.stop().await;
    restore(&a, &backup);
    let stopped = clock::now().ms() / 1000;
    until("a second has passed, as it does between a backup and its return", || clock::now().ms() / 1000 > stopped)
        .await;
    a.open();
    assert!(a.finds(&address(1), &a) && a.lookup(&address(2)).reports.is_empty());
    (a, b, shared)
}

/// The receipts of one agency that another holds: generation and counter of each.
fn receipts(holder: &Agency, of: &Agency, agreement: AgreementId) -> Vec<(u32, u64)> {
    let feed = scope::of_agreement(agreement);
    let names = holder.desk().feed_after(&feed, 0, 1000).unwrap();
    let names = names.into_iter().filter(|(_, kind, _)| *kind == ObjectKind::Receipt.number());
    let receipts = names.filter_map(|(_, _, name)| holder.desk().object(&feed, &name).unwrap());
    let claims = receipts.map(|(_, bytes)| Claimed::<Receipt>::parse(&bytes).unwrap().claim().clone());
    claims.filter(|receipt| receipt.party == of.id).map(|receipt| receipt.order()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_node_asks_first_and_goes_on_in_a_new_generation() {
    let (mut a, b, shared) = world().await;
    let before = receipts(&b, &a, shared);
    assert!(a.file(&address(3), shared).under.iter().all(|under| !under.published), "nobody was asked yet");

    a.connect().await;
    until("everything is everywhere", || {
        [&a, &b].into_iter().all(|agency| (1..=3).all(|n| agency.finds(&address(n), &a)))
    })
    .await;
    let first = a.log(shared);
    let second = LogId { generation: 1, ..first };
    for agency in [&a, &b] {
        let head = |log| agency.desk().store().head(&log).map(|head| head.seq);
        assert_eq!((head(first), head(second)), (Some(1), Some(0)));
        assert!(agency.desk().forked().is_empty());
    }
    until("a newer receipt arrives", || receipts(&b, &a, shared) != before).await;
    let now = receipts(&b, &a, shared);
    assert!(now.len() == 1 && now[0].0 > before[0].0, "no counter of a receipt is used twice: {before:?}, {now:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_node_that_did_not_ask_is_caught_and_goes_on_in_a_new_generation() {
    let (mut a, b, shared) = world().await;
    let log = a.log(shared);
    a.desk().compared(shared).unwrap();
    assert!(a.file(&address(3), shared).under.iter().all(|under| under.published), "it claims position 1 again");

    a.connect().await;
    until("both hold the proof", || [&a, &b].into_iter().all(|agency| agency.desk().forked().contains(&log))).await;
    a.file(&address(4), shared);
    until("report 4 arrives", || b.finds(&address(4), &a)).await;
    let second = LogId { generation: 1, ..log };
    for agency in [&a, &b] {
        let head = |log| agency.desk().store().head(&log).map(|head| head.seq);
        assert_eq!((head(log), head(second)), (Some(1), Some(0)), "the forked log grew no more");
        assert!(agency.finds(&address(1), &a));
    }
    assert!(b.finds(&address(2), &a), "what was said on either branch stays readable");
    assert!(a.finds(&address(3), &a));
}
