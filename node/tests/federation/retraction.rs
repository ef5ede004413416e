//! Revisions and retractions: they reach everyone, holders confirm, and nothing comes back.

use entente_protocol::statement::draft::{Draft, Field};

use crate::support::{Agency, address, agree, introduce, until};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_withdrawn_goes_everywhere_and_stays_away() {
    let [mut a, mut b, mut c] = ["A", "B", "C"].map(Agency::new);
    for (one, other) in [(&a, &b), (&a, &c), (&b, &c)] {
        introduce(one, other);
    }
    for agency in [&mut a, &mut b, &mut c] {
        agency.connect().await;
    }
    let shared = agree("Three of us", &[&a, &b, &c]).await;
    let id = a.file(&address(1), shared).report;
    a.file(&address(2), shared);

    let change = Draft::of([(Field::Typology, "phishing")]).unwrap();
    assert_eq!(a.desk().revise(id, &change).unwrap().revision, 1);
    let revised = |agency: &Agency| {
        let found = agency.lookup(&address(1)).reports;
        matches!(&found[..], [only] if only.report.revision == 1 && only.report.typology.id() == "phishing")
    };
    until("the revision is found everywhere", || [&a, &b, &c].into_iter().all(revised)).await;

    let page = a.desk().store().entries(&a.log(shared), 0, usize::MAX).unwrap();
    let page: Vec<_> = page.into_iter().map(|entry| (entry.header, entry.body)).collect();
    assert!(page.iter().all(|(_, body)| body.is_some()));
    let mut holders = a.desk().retract(id, "mistaken identity").unwrap().holders;
    holders.sort();
    let mut others = vec![b.id, c.id];
    others.sort();
    assert_eq!(holders, others);

    let gone = |agency: &Agency| {
        let found = agency.lookup(&address(1));
        found.reports.is_empty() && found.retracted == 1
    };
    until("the report is gone everywhere", || [&a, &b, &c].into_iter().all(gone)).await;
    until("both confirm", || {
        let shown = a.desk().report(id, None).unwrap();
        assert!(shown.view.is_none());
        shown.retraction.is_some_and(|it| it.outstanding.is_empty() && it.confirmed.len() == 2)
    })
    .await;
    let reason = b.desk().report(id, Some(a.id)).unwrap().retraction.unwrap().reason;
    assert_eq!(reason.as_deref(), Some("mistaken identity"));

    // A copy from before the retraction, handed over by a partner after a restart.
    b.stop().await;
    b.open();
    assert!(gone(&b));
    b.desk().take_entries(c.id, a.log(shared), page).unwrap();
    assert!(gone(&b) && b.finds(&address(2), &a));
    assert_eq!(b.desk().report(id, Some(a.id)).unwrap().view.map(|view| view.report.id), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_was_away_never_sees_what_was_withdrawn_meanwhile() {
    let [mut a, mut b] = ["A", "B"].map(Agency::new);
    introduce(&a, &b);
    a.connect().await;
    b.connect().await;
    let shared = agree("Two of us", &[&a, &b]).await;
    a.file(&address(1), shared);
    until("the first report arrives", || b.finds(&address(1), &a)).await;
    b.stop().await;
    let id = a.file(&address(2), shared).report;
    a.desk().retract(id, "mistaken identity").unwrap();
    a.file(&address(3), shared);

    b.connect().await;
    until("the later report arrives", || b.finds(&address(3), &a)).await;
    until("B confirms", || {
        let shown = a.desk().report(id, None).unwrap().retraction.unwrap();
        shown.confirmed.iter().any(|(agency, _)| *agency == b.id)
    })
    .await;
    assert_eq!(b.lookup(&address(2)).reports.len(), 0);
    assert_eq!(a.lookup(&address(2)).reports.len(), 0);
}
