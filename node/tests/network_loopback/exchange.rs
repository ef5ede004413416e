//! Connections, requests and responses between nodes on loopback.

use crate::support::{Node, QUIC, TCP, exchange, group, pair};
use entente_node::network::{
    Command, Event, Partner, REQUEST_BYTES, RESPONSE_BYTES, RequestFailure, UnreachableReason,
};

#[tokio::test]
async fn partners_ask_and_answer_over_quic_and_over_tcp() {
    for (listen, word) in [(QUIC, "/quic-v1"), (TCP, "/tcp/")] {
        let (mut near, mut far) = pair(&[listen], |_, _| Vec::new()).await;
        assert!(far.addresses[0].contains(word));
        let large = vec![9; REQUEST_BYTES];
        for request in [b"heads?".as_slice(), b"", &large] {
            let (response, heard) = exchange(&mut near, &mut far, request).await;
            assert_eq!(heard, request);
            assert_eq!(response, Ok(request.iter().rev().copied().collect()));
        }
        let (response, _) = exchange(&mut far, &mut near, b"back").await;
        assert_eq!(response, Ok(b"kcab".to_vec()), "the side that was dialled asks as well");
    }
}

#[tokio::test]
async fn whoever_is_not_pinned_is_turned_away_whichever_side_dials() {
    for listen in [QUIC, TCP] {
        let (mut near, far) = (Node::start(1, &[]).await, Node::start(2, &[listen]).await);
        near.know(&[far.partner()], &[]).await;
        let reason = near
            .until(|event| match event {
                Event::Unreachable { reason, .. } => Some(reason),
                Event::Connected { .. } => panic!("connected to a node that has not pinned us"),
                _ => None,
            })
            .await;
        assert_eq!(reason, UnreachableReason::TurnedAway);
        assert_eq!(near.ask(far.agency, b"x").await, Err(RequestFailure::NotConnected));
        assert!(far.handle.stats().connections_refused.read() > 0);
        assert_eq!(far.handle.stats().connections.read(), 0);

        // The other way round: somebody unknown answers where a partner is expected.
        let expected = Node::start(3, &[]).await;
        let moved = Partner { addresses: far.addresses.clone(), ..expected.partner() };
        near.know(&[moved], &[]).await;
        let reason = near
            .until(|event| match event {
                Event::Unreachable { agency, reason } if agency == expected.agency => Some(reason),
                _ => None,
            })
            .await;
        assert_eq!(reason, UnreachableReason::Stranger);
    }
}

#[tokio::test]
async fn a_partner_that_is_no_longer_pinned_is_disconnected_at_once() {
    let (mut near, mut far) = pair(&[QUIC], |_, _| Vec::new()).await;
    far.know(&[], &[]).await;
    near.disconnected(far.agency).await;
    far.disconnected(near.agency).await;
}

#[tokio::test]
async fn what_is_too_large_or_refused_fails_with_its_reason() {
    let (mut near, mut far) = pair(&[QUIC], |_, _| Vec::new()).await;
    let too_large = vec![0; REQUEST_BYTES + 1];
    assert_eq!(near.ask(far.agency, &too_large).await, Err(RequestFailure::TooLarge));
    let agency = far.agency;
    let tickets = async {
        for too_large in [true, false] {
            let ticket = far
                .until(|event| match event {
                    Event::Request { ticket, .. } => Some(ticket),
                    _ => None,
                })
                .await;
            let bytes = vec![0; RESPONSE_BYTES + 1];
            let answer = if too_large { Command::Respond { ticket, bytes } } else { Command::Refuse { ticket } };
            far.send(answer).await;
        }
    };
    let asks = async {
        for _ in 0..2 {
            assert_eq!(near.ask(agency, b"x").await, Err(RequestFailure::Refused));
        }
    };
    tokio::join!(tickets, asks);
    let (full, ()) = tokio::join!(near.ask(agency, b"full page"), async {
        let ticket = far
            .until(|event| match event {
                Event::Request { ticket, .. } => Some(ticket),
                _ => None,
            })
            .await;
        far.send(Command::Respond { ticket, bytes: vec![5; RESPONSE_BYTES] }).await;
    });
    assert_eq!(full.map(|bytes| bytes.len()), Ok(RESPONSE_BYTES));
}

#[tokio::test]
async fn a_slow_desk_costs_its_partners_an_answer_and_itself_no_memory() {
    let (mut near, mut far) = pair(&[QUIC], |near, far| vec![group(1, &[near, far])]).await;
    let group = group(1, &[&near, &far]);
    near.joined(&group, far.agency).await;
    // The far desk takes nothing; the near one publishes until the far channel overflows, and asks.
    let mut n = 0_u64;
    while far.handle.stats().gossip_dropped.read() == 0 {
        n += 1;
        near.publish(&group, &n.to_be_bytes()).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(near.ask(far.agency, b"x").await, Err(RequestFailure::Busy));
    assert_eq!(far.handle.stats().requests_refused.read(), 1);
    let waiting = far.events.len();
    assert!(waiting <= 256, "{waiting} events wait");

    // It wakes up, and is as good as new once it has taken what was under way.
    let (near_agency, far_agency) = (near.agency, far.agency);
    let asking = async {
        loop {
            match near.ask(far_agency, b"ab").await {
                Err(RequestFailure::Busy) => tokio::task::yield_now().await,
                answer => return answer,
            }
        }
    };
    let (response, _) = tokio::join!(asking, far.answer(near_agency));
    assert_eq!(response, Ok(b"ba".to_vec()));
}

#[tokio::test]
async fn a_partner_that_restarts_on_its_address_is_reconnected() {
    for listen in [QUIC, TCP] {
        let (mut near, far) = pair(&[listen], |_, _| Vec::new()).await;
        let (agency, address) = (far.agency, far.addresses[0].clone());
        far.stop().await;
        near.disconnected(agency).await;
        let mut far = Node::start(2, &[&address]).await;
        far.know(&[near.silent_partner()], &[]).await;
        near.connected(agency).await;
        far.connected(near.agency).await;
        let (response, _) = exchange(&mut near, &mut far, b"ab").await;
        assert_eq!(response, Ok(b"ba".to_vec()));
    }
}

#[tokio::test]
async fn both_sides_may_dial_at_once() {
    let (mut near, mut far) = (Node::start(1, &[QUIC, TCP]).await, Node::start(2, &[QUIC, TCP]).await);
    let (near_partner, far_partner) = ([near.partner()], [far.partner()]);
    tokio::join!(near.know(&far_partner, &[]), far.know(&near_partner, &[]));
    let (near_agency, far_agency) = (near.agency, far.agency);
    tokio::join!(near.connected(far_agency), far.connected(near_agency));
    for _ in 0..4 {
        let (there, _) = exchange(&mut near, &mut far, b"ab").await;
        let (back, _) = exchange(&mut far, &mut near, b"cd").await;
        assert_eq!((there, back), (Ok(b"ba".to_vec()), Ok(b"dc".to_vec())));
    }
}

#[tokio::test]
async fn quic_comes_first_and_tcp_where_udp_is_blocked() {
    let (mut near, mut far) = (Node::start(1, &[]).await, Node::start(2, &[TCP, QUIC]).await);
    far.know(&[near.silent_partner()], &[]).await;
    near.know(&[far.partner()], &[]).await;
    assert!(near.connected(far.agency).await.contains("/quic-v1"));
    far.connected(near.agency).await;

    near.know(&[], &[]).await;
    near.disconnected(far.agency).await;
    let blocked = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port where nobody answers");
    let port = blocked.local_addr().expect("bound").port();
    let mut partner = far.partner();
    for address in partner.addresses.iter_mut().filter(|address| address.contains("/quic-v1")) {
        *address = format!("/ip4/127.0.0.1/udp/{port}/quic-v1");
    }
    near.know(&[partner], &[]).await;
    assert!(near.connected(far.agency).await.contains("/tcp/"));
}
