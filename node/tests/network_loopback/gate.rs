//! Gossip between nodes on loopback: it reaches the parties of its agreement, and tells others nothing.

use std::path::Path;

use crate::support::{Node, QUIC, TCP, exchange, group};
use entente_node::network::{Command, Event, Group, Verdict, read_tap};
use entente_protocol::id::{AgreementId, Hash};

/// The name as the wire specification gives it, computed anew.
fn protocol_name(agreement: &AgreementId) -> String {
    let hash = Hash::of(&[b"entente.gossip.v1", agreement.as_bytes()]).to_string();
    format!("/entente/gossip/{}/1", &hash[..16])
}

/// The next gossip message under any agreement, judged.
async fn hear(node: &mut Node, verdict: Verdict) -> (AgreementId, Vec<u8>) {
    let (ticket, heard) = node
        .until(|event| match event {
            Event::Gossip { agreement, ticket, bytes, .. } => Some((ticket, (agreement, bytes))),
            _ => None,
        })
        .await;
    node.send(Command::Verdict { ticket, verdict }).await;
    heard
}

fn saw(tap: &Path, needle: &[u8]) -> bool {
    let streams = read_tap(tap).expect("a tap");
    streams.iter().any(|stream| stream.windows(needle.len()).any(|window| window == needle))
}

#[tokio::test]
async fn an_outsider_learns_neither_name_nor_id_nor_message() {
    for listen in [QUIC, TCP] {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let taps = [directory.path().join("b"), directory.path().join("d")];
        let mut a = Node::start(1, &[listen]).await;
        let mut b = Node::start_tapped(2, &[], Some(taps[0].clone())).await;
        let mut c = Node::start(3, &[]).await;
        let mut d = Node::start_tapped(4, &[], Some(taps[1].clone())).await;
        let (three, two) = (group(10, &[&a, &b, &c]), group(11, &[&a, &d]));
        let others = [b.silent_partner(), c.silent_partner(), d.silent_partner()];
        a.know(&others, &[three.clone(), two.clone()]).await;
        for node in [&b, &c] {
            node.know(&[a.partner()], std::slice::from_ref(&three)).await;
        }
        d.know(&[a.partner()], std::slice::from_ref(&two)).await;
        let mut awaited = vec![(three.agreement, b.agency), (three.agreement, c.agency), (two.agreement, d.agency)];
        a.until(|event| {
            if let Event::Joined { agreement, agency } = event {
                awaited.retain(|pair| *pair != (agreement, agency));
            }
            awaited.is_empty().then_some(())
        })
        .await;

        a.publish(&three, b"the canary of three").await;
        a.publish(&two, b"the canary of two").await;
        assert_eq!(hear(&mut b, Verdict::Accept).await, (three.agreement, b"the canary of three".to_vec()));
        assert_eq!(hear(&mut c, Verdict::Accept).await, (three.agreement, b"the canary of three".to_vec()));
        assert_eq!(hear(&mut d, Verdict::Accept).await, (two.agreement, b"the canary of two".to_vec()));
        // A round trip on D's connection: whatever was sent to it before has arrived.
        let (answered, _) = exchange(&mut d, &mut a, b"ping").await;
        answered.expect("an answer");

        let traces = |group: &Group, canary: &str| {
            let id = group.agreement;
            [protocol_name(&id).into_bytes(), id.as_bytes().to_vec(), id.to_string().into_bytes(), canary.into()]
        };
        let [name, id, id_text, canary] = traces(&three, "the canary of three");
        assert!(saw(&taps[0], &name) && saw(&taps[0], &canary), "a party's tap shows what there is to see");
        for trace in [&name, &id, &id_text, &canary] {
            assert!(!saw(&taps[1], trace), "{:?}", String::from_utf8_lossy(trace));
        }
        let [name, _, _, canary] = traces(&two, "the canary of two");
        assert!(saw(&taps[1], &name) && saw(&taps[1], &canary), "the outsider's tap works");
    }
}

#[tokio::test]
async fn a_new_agreement_goes_live_and_disturbs_no_other_partner() {
    let mut a = Node::start(1, &[QUIC]).await;
    let (mut b, mut c) = (Node::start(2, &[]).await, Node::start(3, &[]).await);
    let (old, new) = (group(20, &[&a, &b]), group(21, &[&a, &c]));
    let others = [b.silent_partner(), c.silent_partner()];
    a.know(&others, std::slice::from_ref(&old)).await;
    b.know(&[a.partner()], std::slice::from_ref(&old)).await;
    c.know(&[a.partner()], &[]).await;
    a.joined(&old, b.agency).await;
    c.connected(a.agency).await;

    a.know(&others, &[old.clone(), new.clone()]).await;
    c.know(&[a.partner()], std::slice::from_ref(&new)).await;
    let b_agency = b.agency;
    a.until(|event| match event {
        Event::Disconnected { agency } if agency == b_agency => {
            panic!("an unaffected partner was disconnected")
        }
        Event::Joined { agreement, agency } if agreement == new.agreement && agency == c.agency => Some(()),
        _ => None,
    })
    .await;
    a.publish(&new, b"new").await;
    assert_eq!(hear(&mut c, Verdict::Accept).await, (new.agreement, b"new".to_vec()));
    a.publish(&old, b"old").await;
    let mut disconnected = false;
    let heard = b
        .until(|event| match event {
            Event::Disconnected { .. } => {
                disconnected = true;
                None
            }
            Event::Gossip { bytes, .. } => Some(bytes),
            _ => None,
        })
        .await;
    assert_eq!((heard, disconnected), (b"old".to_vec(), false));
}

#[tokio::test]
async fn what_a_party_rejects_it_does_not_pass_on() {
    let mut b = Node::start(2, &[QUIC]).await;
    let (mut a, mut c) = (Node::start(1, &[]).await, Node::start(3, &[]).await);
    let group = group(30, &[&a, &b, &c]);
    b.know(&[a.silent_partner(), c.silent_partner()], std::slice::from_ref(&group)).await;
    a.know(&[b.partner(), c.silent_partner()], std::slice::from_ref(&group)).await;
    c.know(&[b.partner(), a.silent_partner()], std::slice::from_ref(&group)).await;
    a.joined(&group, b.agency).await;
    c.joined(&group, b.agency).await;
    a.publish(&group, b"false").await;
    assert_eq!(hear(&mut b, Verdict::Reject).await.1, b"false");
    a.publish(&group, b"true").await;
    assert_eq!(hear(&mut b, Verdict::Accept).await.1, b"true");
    assert_eq!(hear(&mut c, Verdict::Accept).await.1, b"true", "the first that reaches a party beyond");
    assert_eq!(b.handle.stats().gossip_rejected.read(), 1);
}
