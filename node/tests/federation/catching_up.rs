//! Absence: partners that were away, nodes that stop, and reports that wait for company.

use entente_protocol::id::AgreementId;

use crate::support::{Agency, address, agree, agree_by_hand, introduce, until};

/// Reports filed while a partner is away.
const MISSED: usize = 300;

/// Whether two agencies hold the same of all logs of an agreement.
fn level(a: &Agency, b: &Agency, agreement: AgreementId) -> bool {
    let heads = |agency: &Agency| {
        let heads = agency.desk().heads().into_iter();
        heads.filter(|(log, _)| log.agreement == agreement).collect::<Vec<_>>()
    };
    heads(a) == heads(b)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_was_away_catches_up_exactly() {
    let [mut a, mut b, mut c] = ["A", "B", "C"].map(Agency::new);
    for (one, other) in [(&a, &b), (&a, &c), (&b, &c)] {
        introduce(one, other);
    }
    for agency in [&mut a, &mut b, &mut c] {
        agency.connect().await;
    }
    let shared = agree("Three of us", &[&a, &b, &c]).await;
    a.file(&address(0), shared);
    until("C knows the first report", || c.finds(&address(0), &a)).await;
    c.stop().await;

    let addresses: Vec<String> = (1..=MISSED).map(address).collect();
    for (number, some) in addresses.chunks(5).enumerate() {
        let author = if number % 3 == 0 { &b } else { &a };
        author.file_all(some, shared);
    }
    until("A and B have the same", || level(&a, &b, shared)).await;

    c.connect().await;
    until("C has what A has", || level(&a, &c, shared)).await;
    // Entries may come before the keys that open them.
    until("C has opened all of it", || c.desk().store().counts().records == 1 + MISSED as u64).await;
    for (number, some) in addresses.chunks(5).enumerate() {
        let author = if number % 3 == 0 { &b } else { &a };
        for address in some {
            assert!(c.finds(address, author), "{address}");
        }
    }
    assert_eq!(c.desk().store().gaps().unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_starts_again_knows_everything_and_goes_on() {
    let [mut a, mut b] = ["A", "B"].map(Agency::new);
    introduce(&a, &b);
    a.connect().await;
    b.connect().await;
    let shared = agree("Two of us", &[&a, &b]).await;
    a.file(&address(1), shared);
    b.file(&address(2), shared);
    until("both have both", || a.finds(&address(2), &b) && b.finds(&address(1), &a)).await;
    let (heads, cards) = (b.desk().heads(), b.desk().agencies().len());

    b.stop().await;
    b.open();
    assert_eq!(b.desk().heads(), heads);
    assert_eq!(b.desk().agencies().len(), cards);
    assert!(b.in_force(shared));
    assert!(b.finds(&address(1), &a) && b.finds(&address(2), &b));

    a.file(&address(3), shared);
    b.connect().await;
    until("what was filed meanwhile arrives", || b.finds(&address(3), &a)).await;
    b.file(&address(4), shared);
    until("what is filed now arrives", || a.finds(&address(4), &b)).await;
    let own: Vec<_> = a.desk().heads().into_iter().filter(|(log, _)| log.author == b.id).collect();
    let [(log, head)] = own[..] else { panic!("a restart opens no generation: {own:?}") };
    assert_eq!((log, head.seq), (b.log(shared), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_wait_for_the_first_partner() {
    let [mut a, mut b] = ["A", "B"].map(Agency::new);
    introduce(&a, &b);
    let shared = agree_by_hand("Two of us", &a, &b);
    let first = a.file(&address(1), shared);
    a.file(&address(2), shared);
    assert!(first.under.iter().all(|under| !under.published));

    let waits = |a: &Agency| {
        assert_eq!(a.desk().status().outbox, 2);
        assert_eq!(a.desk().store().head(&a.log(shared)), None);
        for n in [1, 2] {
            assert!(a.finds(&address(n), a) && a.lookup(&address(n)).reports[0].waiting);
        }
    };
    waits(&a);
    a.stop().await;
    a.open();
    waits(&a);

    a.connect().await;
    b.connect().await;
    until("the reports arrive", || b.finds(&address(1), &a) && b.finds(&address(2), &a)).await;
    assert_eq!(a.desk().status().outbox, 0);
    assert!(a.finds(&address(1), &a) && !a.lookup(&address(1)).reports[0].waiting);
    assert_eq!(a.desk().store().head(&a.log(shared)).map(|head| head.seq), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_withdrawn_before_it_left_never_leaves() {
    let [mut a, mut b] = ["A", "B"].map(Agency::new);
    introduce(&a, &b);
    let shared = agree_by_hand("Two of us", &a, &b);
    let filed = a.file_all(&[address(1), address(2)], shared);
    a.desk().retract(filed[0].report, "mistaken identity").unwrap();
    let alone = a.file(&address(3), shared);
    a.desk().retract(alone.report, "mistaken identity").unwrap();
    let rest = |a: &Agency| {
        assert_eq!(a.desk().status().outbox, 1, "a batch of which nothing is left does not go out");
        assert!(a.lookup(&address(1)).reports.is_empty() && a.lookup(&address(3)).reports.is_empty());
        assert!(a.finds(&address(2), a));
    };
    rest(&a);
    a.stop().await;
    a.open();
    rest(&a);

    a.connect().await;
    b.connect().await;
    until("what is left arrives", || b.finds(&address(2), &a)).await;
    assert!(b.lookup(&address(1)).reports.is_empty() && b.lookup(&address(3)).reports.is_empty());
    let counts = b.desk().store().counts();
    assert_eq!((counts.records, counts.quarantined, counts.entries), (1, 0, 1));
    let entry = b.desk().store().entry(&a.log(shared), 0).unwrap().unwrap();
    let whole = a.desk().store().entry(&a.log(shared), 0).unwrap().unwrap();
    assert_eq!(entry.body, whole.body, "what went out is what both hold");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_were_wanted_are_wanted_again_after_a_start() {
    let [mut a, mut b] = ["A", "B"].map(Agency::new);
    introduce(&a, &b);
    let shared = agree_by_hand("Two of us", &a, &b);
    a.desk().compared(shared).unwrap();
    a.file(&address(1), shared);
    // B has the entry and the descriptor of its key, and stops before it could ask for the key.
    b.learn(&a, shared);
    let entry = a.desk().store().entry(&a.log(shared), 0).unwrap().unwrap();
    b.desk().take_entries(a.id, a.log(shared), vec![(entry.header, entry.body)]).unwrap();
    assert!(b.lookup(&address(1)).reports.is_empty());
    b.stop().await;
    b.open();
    let news = b.desk().signals().take().expect("the key is asked for");
    assert_eq!(news.keys_wanted.len(), 1);
    b.stop().await;
    a.connect().await;
    b.connect().await;
    until("the key comes", || b.finds(&address(1), &a)).await;
}
