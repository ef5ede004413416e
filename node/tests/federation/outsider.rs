//! A partner that asks for what is not for it, with requests of its own making.

use entente_protocol::id::{AgreementId, Hash, KeyId};
use entente_protocol::sync::message::{Reason, Request, Response};

use crate::support::{Agency, address, agree, introduce, until};
use crate::wire::Wire;

/// Everything that can be asked about an agreement.
fn questions(a: &Agency, agreement: AgreementId, object: Hash, key: KeyId) -> [Request; 5] {
    let scope = Hash(*agreement.as_bytes());
    [
        Request::Heads { scope, after: None },
        Request::Feed { scope, incarnation: a.desk().store().incarnation(), after: 0 },
        Request::Objects { scope, hashes: vec![object] },
        Request::Wraps { scope, key_ids: vec![key], writer: 1 },
        Request::Entries { log: a.log(agreement), from_seq: 0, until_seq: 9 },
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_is_no_party_is_told_nothing() {
    let [mut a, mut b, mut c, mut d] = ["A", "B", "C", "D"].map(Agency::new);
    for (one, other) in [(&a, &b), (&a, &c), (&b, &c), (&a, &d)] {
        introduce(one, other);
    }
    for agency in [&mut a, &mut b, &mut c, &mut d] {
        agency.connect().await;
    }
    let shared = agree("Three of us", &[&a, &b, &c]).await;
    let own = agree("Two of us", &[&a, &d]).await;
    a.file(&address(1), shared);
    a.file(&address(2), own);
    until("both reports arrived", || c.finds(&address(1), &a) && d.finds(&address(2), &a)).await;
    d.stop().await;

    let mut wire = Wire::connect(&d, &a).await;
    let refused = Response::Refused(Reason::NotForYou);
    let unknown = AgreementId::from_bytes([7; 32]);
    for agreement in [shared, unknown] {
        let (object, key) = names(&a, shared);
        for question in questions(&a, agreement, object, key) {
            assert_eq!(wire.ask(&question).await, refused, "{question:?}");
        }
    }
    // The same questions about its own agreement are answered, and names from elsewhere find nothing there.
    let (object, key) = names(&a, own);
    for question in questions(&a, own, object, key) {
        let answer = wire.ask(&question).await;
        let empty = matches!(&answer, Response::Objects(none) if none.is_empty())
            || matches!(&answer, Response::Wraps(none) if none.is_empty())
            || matches!(&answer, Response::Entries(none) if none.is_empty());
        assert!(answer != refused && !empty, "{question:?}");
    }
    let (object, key) = names(&a, shared);
    let scope = Hash(*own.as_bytes());
    let objects = wire.ask(&Request::Objects { scope, hashes: vec![object] }).await;
    assert_eq!(objects, Response::Objects(Vec::new()));
    let wraps = wire.ask(&Request::Wraps { scope, key_ids: vec![key], writer: 1 }).await;
    assert_eq!(wraps, Response::Wraps(Vec::new()));
}

/// An object of an agreement's feed, and the content key of A's entries under it.
fn names(a: &Agency, agreement: AgreementId) -> (Hash, KeyId) {
    let feed = a.desk().feed_after(&Hash(*agreement.as_bytes()), 0, 1).unwrap();
    let header = a.desk().store().entry(&a.log(agreement), 0).unwrap().unwrap().header;
    let header = entente_protocol::wire::attest::Claimed::<entente_protocol::entry::header::Header>::parse(&header);
    (feed[0].2, header.unwrap().claim().key_id)
}
