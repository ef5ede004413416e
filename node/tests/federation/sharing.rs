//! A report reaches the parties of its agreement, and nobody else.

use entente_node::desk::Trust;
use entente_protocol::id::{AgreementId, Hash};
use entente_protocol::wire::attest::Claimed;

use crate::support::{Agency, address, agree, introduce, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_report_reaches_the_parties_and_leaves_no_trace_at_another_partner() {
    let [mut a, mut b, mut c, mut d] = ["A", "B", "C", "D"].map(Agency::new);
    for (one, other) in [(&a, &b), (&a, &c), (&b, &c), (&a, &d)] {
        introduce(one, other);
    }
    for agency in [&mut a, &mut b, &mut c, &mut d] {
        agency.connect().await;
    }
    let shared = agree("Three of us", &[&a, &b, &c]).await;
    let other = agree("Two of us", &[&a, &d]).await;

    a.file(&address(1), shared);
    b.file(&address(2), shared);
    a.file(&address(3), other);
    for party in [&b, &c] {
        until("the report of A is found", || party.finds(&address(1), &a)).await;
    }
    until("the report of B is found", || a.finds(&address(2), &b) && c.finds(&address(2), &b)).await;
    until("the outsider finds what is for it", || d.finds(&address(3), &a)).await;
    assert!(d.lookup(&address(1)).reports.is_empty() && d.lookup(&address(2)).reports.is_empty());
    assert!(b.lookup(&address(3)).reports.is_empty());

    // What the outsider must not have is found at a party by the same search.
    until("every trace is found at a party", || traces(&a, &b, shared).iter().all(|trace| seen(&c, trace))).await;
    for trace in traces(&a, &b, shared) {
        assert!(!seen(&d, &trace), "the outsider got {}", String::from_utf8_lossy(&trace));
    }
    assert!(traces(&a, &a, other).iter().all(|trace| seen(&d, trace)));
}

/// What travels under an agreement: its id, the name of its gossip protocol, and headers of two authors.
fn traces(a: &Agency, b: &Agency, agreement: AgreementId) -> Vec<Vec<u8>> {
    let name = Hash::of(&[b"entente.gossip.v1", agreement.as_bytes()]).to_string();
    let mut traces = vec![agreement.as_bytes().to_vec(), format!("/entente/gossip/{}/1", &name[..16]).into_bytes()];
    for author in [a, b] {
        let header = author.desk().store().entry(&author.log(agreement), 0).unwrap().unwrap().header;
        let header = Claimed::<entente_protocol::entry::header::Header>::parse(&header).unwrap();
        traces.push(header.claim().key_id.as_bytes().to_vec());
        traces.push(header.claim().body_hash.as_bytes().to_vec());
    }
    traces
}

fn seen(agency: &Agency, trace: &[u8]) -> bool {
    agency.tap().iter().any(|stream| stream.windows(trace.len()).any(|window| window == trace))
}

#[tokio::test(flavor = "multi_thread")]
async fn parties_that_a_partner_vouched_for_talk_to_each_other() {
    let [mut a, mut b, mut c] = ["A", "B", "C"].map(Agency::new);
    introduce(&a, &b);
    introduce(&a, &c);
    for agency in [&mut a, &mut b, &mut c] {
        agency.connect().await;
    }
    let shared = agree("Three of us", &[&a, &b, &c]).await;
    assert_eq!(b.desk().agency_view(c.id).unwrap().trust, Trust::Vouched([a.id].into()));
    assert_eq!(c.desk().agency_view(b.id).unwrap().trust, Trust::Vouched([a.id].into()));

    // Without A in the middle, whatever arrives came from one to the other.
    a.stop().await;
    b.file(&address(1), shared);
    until("C finds the report of B", || c.finds(&address(1), &b)).await;
    c.file(&address(2), shared);
    until("B finds the report of C", || b.finds(&address(2), &c)).await;
}
