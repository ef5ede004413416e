//! Who leaves an agreement, and who is asked to join: what they are told, and what they are not.

use entente_node::clock;
use entente_node::desk::{DeskError, TermsInput};
use entente_protocol::agreement::NotInForce;
use entente_protocol::entry::header::Header;
use entente_protocol::id::{AgreementId, Hash};
use entente_protocol::sync::message::{Reason, Request, Response};
use entente_protocol::wire::attest::Claimed;
use entente_protocol::wire::object::ObjectKind;

use crate::support::{Agency, address, agree, introduce, terms, until};
use crate::wire::Wire;

/// What only who holds an entry of an agency can know: the key and the body that its header names.
fn traces(author: &Agency, agreement: AgreementId, seq: u64) -> [Vec<u8>; 2] {
    let header = author.desk().store().entry(&author.log(agreement), seq).unwrap().unwrap().header;
    let header = Claimed::<Header>::parse(&header).unwrap();
    [header.claim().key_id.as_bytes().to_vec(), header.claim().body_hash.as_bytes().to_vec()]
}

fn seen(agency: &Agency, trace: &[u8]) -> bool {
    agency.tap().iter().any(|stream| stream.windows(trace.len()).any(|window| window == trace))
}

fn knows_departure(agency: &Agency, of: &Agency, agreement: AgreementId) -> bool {
    agency.desk().book().agreement(agreement).unwrap().left(of.id, clock::now()).is_some()
}

/// The kinds of objects that an agency tells another of.
async fn told(wire: &mut Wire, of: &Agency, agreement: AgreementId) -> Vec<ObjectKind> {
    let scope = Hash(*agreement.as_bytes());
    let request = Request::Feed { scope, incarnation: of.desk().store().incarnation(), after: 0 };
    let Response::Feed(page) = wire.ask(&request).await else { panic!("no feed") };
    page.items.iter().map(|item| ObjectKind::of_number(item.kind).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_left_receives_retractions_and_nothing_else() {
    let [mut a, mut b, mut c] = ["A", "B", "C"].map(Agency::new);
    for (one, other) in [(&a, &b), (&a, &c), (&b, &c)] {
        introduce(one, other);
    }
    for agency in [&mut a, &mut b, &mut c] {
        agency.connect().await;
    }
    let shared = agree("Three of us", &[&a, &b, &c]).await;
    let first = a.file(&address(1), shared);
    until("the report arrives", || c.finds(&address(1), &a) && b.finds(&address(1), &a)).await;

    c.desk().withdraw(&shared.to_string(), "the unit was dissolved").unwrap();
    c.desk().withdraw(&shared.to_string(), "again").unwrap();
    let refused = c.desk().file(&[crate::support::report(&address(9))], &[shared.to_string()], None, false);
    assert!(matches!(refused, Err(DeskError::NotInForce { why: NotInForce::Left { .. }, .. })), "{refused:?}");
    until("the others know", || [&a, &b].iter().all(|party| knows_departure(party, &c, shared))).await;

    let second = a.file(&address(2), shared);
    let recipients = &second.under[0].recipients.agencies;
    assert_eq!(recipients[..], [b.id], "who left is no recipient");
    until("the other party finds it", || b.finds(&address(2), &a)).await;
    assert!(traces(&a, shared, 1).iter().all(|trace| seen(&b, trace)));

    // What was shared before is still withdrawn where it lies, and who left confirms it.
    a.desk().retract(first.report, "an exchange").unwrap();
    until("it is gone at both", || !c.finds(&address(1), &a) && !b.finds(&address(1), &a)).await;
    until("both confirm it", || {
        let view = a.desk().report(first.report, None).unwrap().retraction.unwrap();
        view.outstanding.is_empty() && view.confirmed.len() == 2
    })
    .await;
    assert!(!c.finds(&address(2), &a));
    for trace in traces(&a, shared, 1) {
        assert!(!seen(&c, &trace), "who left was sent what was published after");
    }
    assert_ne!(traces(&a, shared, 0)[0], traces(&a, shared, 1)[0], "the content key was turned");

    // What it asks for itself, it is not given either.
    c.stop().await;
    let mut wire = Wire::connect(&c, &a).await;
    let scope = Hash(*shared.as_bytes());
    let heads = wire.ask(&Request::Heads { scope, after: None }).await;
    assert_eq!(heads, Response::Heads { positions: Vec::new(), more: false });
    let refused = Response::Refused(Reason::NotForYou);
    assert_eq!(wire.ask(&Request::Entries { log: a.log(shared), from_seq: 0, until_seq: 9 }).await, refused);
    let key = entente_protocol::id::KeyId::from_bytes(traces(&a, shared, 1)[0][..].try_into().unwrap());
    assert_eq!(wire.ask(&Request::Wraps { scope, key_ids: vec![key], writer: 1 }).await, refused);
    let kinds = told(&mut wire, &a, shared).await;
    let passes = |kind: &ObjectKind| {
        matches!(kind, ObjectKind::Retraction | ObjectKind::Receipt | ObjectKind::Card | ObjectKind::Inception)
    };
    assert!(kinds.iter().all(passes) && kinds.contains(&ObjectKind::Retraction), "{kinds:?}");
    let names = a.desk().feed_after(&scope, 0, 1000).unwrap();
    let descriptor = names.iter().find(|(_, kind, _)| *kind == ObjectKind::KeyDescriptor.number()).unwrap().2;
    let objects = wire.ask(&Request::Objects { scope, hashes: vec![descriptor] }).await;
    assert_eq!(objects, Response::Objects(Vec::new()), "by its name it is not given either");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_asked_to_join_reads_the_proposal_and_nothing_else() {
    let [mut a, mut b, mut d] = ["A", "B", "D"].map(Agency::new);
    for (one, other) in [(&a, &b), (&a, &d), (&b, &d)] {
        introduce(one, other);
    }
    for agency in [&mut a, &mut b, &mut d] {
        agency.connect().await;
    }
    let shared = agree("Two of us", &[&a, &b]).await;
    a.file(&address(1), shared);
    until("the report arrives", || b.finds(&address(1), &a)).await;
    let shown = a.desk().agreement(&shared.to_string()).unwrap();
    let wider = TermsInput {
        parent: Some(shown.version),
        effective_from: Some(clock::now().plus_ms(8_000)),
        ..terms("Three of us", [a.id, b.id, d.id].into_iter())
    };
    let foretold = a.desk().foretell(&wider).unwrap();
    let changes: Vec<&str> = foretold.changes.iter().map(|change| change.term.as_str()).collect();
    assert_eq!(changes[..2], ["title", "party D"], "{foretold:?}");
    let proposed = a.desk().propose(&wider).unwrap().version.to_string();
    until("the invited reads it", || d.desk().agreement(&proposed).is_ok()).await;
    assert!(traces(&a, shared, 0).iter().all(|trace| !seen(&d, trace)), "nothing of what was shared before");
    for party in [&b, &d] {
        until("it signs", || party.desk().sign(&proposed, None).is_ok()).await;
    }
    until("all are parties", || [&a, &b, &d].iter().all(|party| party.in_force_as(&proposed))).await;
    a.file(&address(2), shared);
    until("who joined finds what comes then", || d.finds(&address(2), &a)).await;
    assert!(d.lookup(&address(1)).reports.is_empty(), "history was not agreed on");
}
