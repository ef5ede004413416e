//! What ends is gone: from lookups, from bodies, from what catches up later.

use entente_node::clock;
use entente_protocol::entry::body::Content;
use entente_protocol::entry::publish::{NewEntry, Place};
use entente_protocol::id::AgreementId;
use entente_protocol::statement::Statement;
use entente_protocol::statement::batch::{ClaimedBatch, Leaf};

use crate::hostile::{World, batch, good, head_of};
use crate::support::{Agency, address, agree_by_hand, introduce, until};

/// An entry of the world's author that is to be deleted so many milliseconds from now.
fn lasting(world: &World, ms: u64, numbers: &[u8]) -> NewEntry {
    let me = world.hostile.desk().me();
    let reports: Vec<_> = numbers.iter().map(|number| good(*number)).collect();
    let place = Place { delete_after: clock::now().plus_ms(ms), ..world.place(None) };
    world.write(me.agency, &me.signing, &place, vec![batch(me.agency, &me.signing, me.writer, &reports)])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_past_its_date_goes_without_anyones_help() {
    let world = World::new();
    let entry = lasting(&world, 1500, &[1, 2]);
    let head = head_of(&entry.header);
    world.page(world.hostile.id, entry.header.bytes(), &entry.body).unwrap();
    let later = world.entry(Some(head), &[good(3)]);
    world.page(world.hostile.id, later.header.bytes(), &later.body).unwrap();
    world.honest.desk().expire().unwrap();
    assert!((1..=3).all(|number| world.finds(number)), "nothing goes before its time");
    until("it is gone", || {
        world.honest.desk().expire().unwrap();
        !world.finds(1) && !world.finds(2)
    })
    .await;
    assert!(world.finds(3), "what has another date stays");
    let log = world.hostile.log(world.agreement);
    let held = world.honest.desk().store().entries(&log, 0, usize::MAX).unwrap();
    assert_eq!((held.len(), held[0].body.is_none(), held[1].body.is_some()), (2, true, true));
    let deletions = world.honest.desk().deletions(10);
    assert_eq!((deletions.len(), deletions[0].statements, deletions[0].by), (1, 2, world.hostile.id));
    world.honest.desk().expire().unwrap();
    assert_eq!(world.honest.desk().deletions(10).len(), 1, "nothing goes twice");
    // It does not come back, by whatever way it comes.
    world.gossip(entry.header.bytes(), &entry.body);
    let _ = world.page(world.hostile.id, entry.header.bytes(), &entry.body);
    world.honest.desk().expire().unwrap();
    assert!(!world.finds(1) && !world.finds(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_after_its_date_is_not_taken_and_the_log_goes_on() {
    let world = World::new();
    let entry = lasting(&world, 300, &[1]);
    let head = head_of(&entry.header);
    let later = world.entry(Some(head), &[good(2)]);
    let over = entry.header.delete_after;
    until("its date is reached", || clock::now() >= over).await;
    // With its body, and, as an honest holder has it by now, without.
    assert!(world.page(world.hostile.id, entry.header.bytes(), &entry.body).unwrap());
    assert!(world.page(world.hostile.id, later.header.bytes(), &later.body).unwrap());
    assert!(!world.finds(1) && world.finds(2));
}

/// The statements of A's first entry, as another node holds it.
fn statements(holder: &Agency, author: &Agency, agreement: AgreementId) -> (usize, usize) {
    let entry = holder.desk().store().entry(&author.log(agreement), 0).unwrap().unwrap();
    let content = Content::<ClaimedBatch>::open(&entry.body.unwrap(), &key(holder, author, agreement)).unwrap();
    let leaves: Vec<&Leaf> = content.batches.iter().flat_map(|batch| &batch.leaves).collect();
    let left =
        leaves.iter().filter(|leaf| matches!(leaf, Leaf::Statement { bytes, .. } if Statement::read(bytes).is_ok()));
    (left.count(), leaves.len())
}

fn key(holder: &Agency, author: &Agency, agreement: AgreementId) -> entente_protocol::crypto::ContentKey {
    use entente_protocol::keys::Wrap;
    use entente_protocol::wire::attest::Claimed;
    let header = holder.desk().store().entry(&author.log(agreement), 0).unwrap().unwrap().header;
    let header = Claimed::<entente_protocol::entry::header::Header>::parse(&header).unwrap();
    let me = holder.desk().me();
    let wraps = author.desk().wraps_for(agreement, &[header.claim().key_id], me.agency, me.writer);
    Claimed::<Wrap>::parse(&wraps[0]).unwrap().claim().open(&me.encryption).unwrap()
}

fn hand_over(from: &Agency, to: &Agency, author: &Agency, agreement: AgreementId) {
    to.learn(from, agreement);
    let entries = from.desk().store().entries(&author.log(agreement), 0, usize::MAX).unwrap();
    let header =
        entente_protocol::wire::attest::Claimed::<entente_protocol::entry::header::Header>::parse(&entries[0].header);
    let me = to.desk().me();
    let wraps = from.desk().wraps_for(agreement, &[header.unwrap().claim().key_id], me.agency, me.writer);
    to.desk().take_wraps(agreement, &wraps).unwrap();
    let page = entries.into_iter().map(|entry| (entry.header, entry.body)).collect();
    let arrival = to.desk().take_entries(from.id, author.log(agreement), page).unwrap();
    assert!(arrival.stopped.is_none(), "{:?}", arrival.stopped);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_retracted_leaves_the_body_and_the_rest_still_verifies() {
    let [a, b] = ["A", "B"].map(Agency::new);
    introduce(&a, &b);
    let shared = agree_by_hand("Two of us", &a, &b);
    a.desk().compared(shared).unwrap();
    let addresses: Vec<String> = (1..=3).map(address).collect();
    let filed = a.file_all(&addresses, shared);
    assert_eq!(statements(&a, &a, shared), (3, 3));
    a.desk().retract(filed[1].report, "mistaken identity").unwrap();
    a.desk().expire().unwrap();
    assert_eq!(statements(&a, &a, shared), (2, 3), "the text is gone from the body, its hash stays");
    // Who catches up now gets the remnant: verified by commitment and signatures.
    hand_over(&a, &b, &a, shared);
    assert!(b.finds(&address(1), &a) && b.finds(&address(3), &a) && b.lookup(&address(2)).reports.is_empty());
    assert_eq!(statements(&b, &a, shared), (2, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_comes_after_the_retraction_is_blanked_too() {
    let [a, b] = ["A", "B"].map(Agency::new);
    introduce(&a, &b);
    let shared = agree_by_hand("Two of us", &a, &b);
    a.desk().compared(shared).unwrap();
    let filed = a.file_all(&[address(1), address(2)], shared);
    // The body as it was, from a relay that has not heard of the retraction.
    a.desk().retract(filed[0].report, "mistaken identity").unwrap();
    hand_over(&a, &b, &a, shared);
    assert!(b.lookup(&address(1)).reports.is_empty() && b.finds(&address(2), &a));
    assert_eq!(statements(&b, &a, shared), (2, 2));
    b.desk().expire().unwrap();
    assert_eq!(statements(&b, &a, shared), (1, 2));
    assert!(b.finds(&address(2), &a));
}
