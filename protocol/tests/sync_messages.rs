//! The messages of catch-up as bytes: good ones read and write back the same, bad ones are refused with their rule.

use entente_protocol::id::{AgencyId, AgreementId, Hash, KeyId, LogId, Mode};
use entente_protocol::receipt::LogPosition;
use entente_protocol::sync::limits;
use entente_protocol::sync::message::{
    Budget, EntryBytes, FeedItem, FeedPage, Hello, LogName, ObjectAt, Reason, Request, Response, ScopeState,
    heads_digest,
};
use entente_protocol::wire::codec::{CodecError, MapWriter, Rule};
use proptest::prelude::*;

const SCOPE: Hash = Hash([0x11; 32]);
const AUTHOR: AgencyId = AgencyId::from_bytes([0x22; 32]);
const LOG: LogId = LogId { agreement: AgreementId(SCOPE), author: AUTHOR, writer: 3, generation: 4 };

fn h11() -> String {
    format!("5820{}", "11".repeat(32))
}

fn h22() -> String {
    format!("5820{}", "22".repeat(32))
}

fn h33() -> String {
    format!("5820{}", "33".repeat(32))
}

fn hello() -> Hello {
    let state = ScopeState { scope: SCOPE, heads_digest: Hash([0x33; 32]), incarnation: [0x44; 16], feed_length: 300 };
    Hello { mode: Mode::Exercise, scopes: vec![state] }
}

fn position() -> LogPosition {
    LogPosition { author: AUTHOR, writer: 3, generation: 4, seq: 5, hash: Hash([0x33; 32]) }
}

#[test]
fn requests_are_these_bytes() {
    let i44 = "44".repeat(16);
    let cases = [
        (Request::Hello(hello()), format!("a300000101028184{}{}50{i44}19012c", h11(), h33())),
        (Request::Hello(Hello { mode: Mode::Live, scopes: Vec::new() }), "a200000100".to_owned()),
        (Request::Heads { scope: SCOPE, after: None }, format!("a2000101{}", h11())),
        (
            Request::Heads { scope: SCOPE, after: Some(LogName { author: AUTHOR, writer: 3, generation: 4 }) },
            format!("a3000101{}0283{}0304", h11(), h22()),
        ),
        (Request::Feed { scope: SCOPE, incarnation: [0x44; 16], after: 7 }, format!("a4000201{}0250{i44}0307", h11())),
        (Request::Objects { scope: SCOPE, hashes: vec![Hash([0x33; 32])] }, format!("a3000301{}0281{}", h11(), h33())),
        (
            Request::Wraps { scope: SCOPE, key_ids: vec![KeyId(Hash([0x33; 32]))], writer: 2 },
            format!("a4000401{}0281{}0302", h11(), h33()),
        ),
        (
            Request::Entries { log: LOG, from_seq: 5, until_seq: 600 },
            format!("a7000501{}02{}03030404050506190258", h11(), h22()),
        ),
    ];
    for (request, hex) in cases {
        assert_eq!(hex::encode(request.write()), hex, "{request:?}");
        assert_eq!(Request::read(&request.write()), Ok(request));
    }
}

#[test]
fn responses_are_these_bytes() {
    let i44 = "44".repeat(16);
    let items = vec![FeedItem { position: 9, kind: 5, hash: Hash([0x33; 32]) }];
    let entries =
        vec![EntryBytes { header: vec![1], body: Some(vec![2, 3]) }, EntryBytes { header: vec![4], body: None }];
    let cases = [
        (Response::Hello(hello()), format!("a300000101028184{}{}50{i44}19012c", h11(), h33())),
        (
            Response::Heads { positions: vec![position()], more: true },
            format!("a300010181a500{}01030204030504{}02f5", h22(), h33()).replace(' ', ""),
        ),
        (Response::Heads { positions: Vec::new(), more: false }, "a2000102f4".to_owned()),
        (
            Response::Feed(FeedPage { incarnation: [0x44; 16], items, more: false }),
            format!("a400020150{i44}0281830905{}03f4", h33()),
        ),
        (
            Response::Objects(vec![ObjectAt { index: 2, kind: 4, bytes: vec![7, 8] }]),
            "a2000301818302044 20708".replace(' ', ""),
        ),
        (Response::Objects(Vec::new()), "a10003".to_owned()),
        (Response::Wraps(vec![vec![9]]), "a2000401814109".to_owned()),
        (Response::Wraps(Vec::new()), "a10004".to_owned()),
        (Response::Entries(entries), "a2000501828241014202038141 04".replace(' ', "")),
        (Response::Refused(Reason::NotForYou), "a200060101".to_owned()),
        (Response::Refused(Reason::Busy), "a200060102".to_owned()),
        (Response::Refused(Reason::Malformed), "a200060103".to_owned()),
        (Response::Refused(Reason::OtherMode), "a200060104".to_owned()),
    ];
    for (response, hex) in cases {
        assert_eq!(hex::encode(response.write()), hex, "{response:?}");
        assert_eq!(Response::read(&response.write()), Ok(response));
    }
}

#[test]
fn bad_requests_are_refused_with_their_rule() {
    let bad = |hex: String| Request::read(&hex::decode(hex).unwrap());
    let i44 = "44".repeat(16);
    let state = format!("84{}{}50{i44}00", h11(), h33());
    let scoped = |tag: &str, rest: &str| format!("{tag}01{}{rest}", h11());
    assert_eq!(bad("a10007".into()), Err(CodecError::UnknownValue { key: 0, value: 7 }));
    assert_eq!(bad("a10000".into()), Err(CodecError::Missing(1)));
    assert_eq!(bad("a200000102".into()), Err(CodecError::UnknownValue { key: 1, value: 2 }));
    assert_eq!(bad("a2000001 0000".replace(' ', "")), Err(canonical(5, Rule::Trailing)));
    assert_eq!(bad(format!("a30000010102 82{state}{state}").replace(' ', "")), Err(CodecError::Bounds(2)), "twice");
    assert_eq!(bad("a300000101028 0".replace(' ', "")), Err(CodecError::Bounds(2)), "an empty list is not written");
    assert_eq!(bad(scoped("a20003", "")), Err(CodecError::Missing(2)), "no hashes");
    assert_eq!(bad(scoped("a30004", "0300")), Err(CodecError::Missing(2)), "no keys");
    assert_eq!(
        bad(scoped("a7000 5", &format!("02{}03030404050706 06", h22())).replace(' ', "")),
        Err(CodecError::Bounds(6)),
        "until before from"
    );
    assert_eq!(bad(scoped("a30001", "0300")), Err(CodecError::UnknownCritical(3)), "a key of a later version");
    let hashes = vec![Hash([1; 32]); limits::OBJECTS_PER_REQUEST + 1];
    assert_eq!(Request::read(&Request::Objects { scope: SCOPE, hashes }.write()), Err(CodecError::Bounds(2)));
    let key_ids = vec![KeyId(Hash([1; 32])); limits::KEYS_PER_REQUEST + 1];
    assert_eq!(Request::read(&Request::Wraps { scope: SCOPE, key_ids, writer: 0 }.write()), Err(CodecError::Bounds(2)));
    assert_eq!(Request::read(&vec![0; limits::REQUEST_BYTES + 1]), Err(CodecError::Bounds(0)));
}

#[test]
fn bad_responses_are_refused_with_their_rule() {
    let read = |response: &Response| Response::read(&response.write());
    let page = |items, more| Response::Feed(FeedPage { incarnation: [0; 16], items, more });
    let item = FeedItem { position: 9, kind: 5, hash: SCOPE };
    let object = ObjectAt { index: 0, kind: 4, bytes: Vec::new() };
    assert_eq!(read(&Response::Heads { positions: Vec::new(), more: true }), Err(CodecError::Bounds(1)));
    assert_eq!(read(&Response::Heads { positions: vec![position(); 2], more: false }), Err(CodecError::Bounds(1)));
    assert_eq!(read(&page(Vec::new(), true)), Err(CodecError::Bounds(2)), "a feed that goes on for ever");
    assert_eq!(read(&page(vec![item; 2], false)), Err(CodecError::Bounds(2)));
    assert_eq!(read(&Response::Objects(vec![object.clone(), object])), Err(CodecError::Bounds(1)));
    let large = EntryBytes { header: vec![0; 1025], body: None };
    assert_eq!(read(&Response::Entries(vec![large])), Err(CodecError::Bounds(1)));
    let large = EntryBytes { header: Vec::new(), body: Some(vec![0; (1 << 20) + 1]) };
    assert_eq!(read(&Response::Entries(vec![large])), Err(CodecError::Bounds(1)));
    assert_eq!(read(&Response::Wraps(vec![vec![0; 8193]])), Err(CodecError::Bounds(1)));
    let kind =
        MapWriter::new().put(0, &3_u64).put_with(1, |out| out.extend([0x81, 0x83, 0, 0x19, 1, 0, 0x40])).finish();
    assert_eq!(Response::read(&kind), Err(CodecError::Bounds(1)), "a kind is one byte");
    let reason = MapWriter::new().put(0, &6_u64).put(1, &9_u64).finish();
    assert_eq!(Response::read(&reason), Err(CodecError::UnknownValue { key: 1, value: 9 }));
    assert_eq!(Response::read(&vec![0; limits::RESPONSE_BYTES + 1]), Err(CodecError::Bounds(0)));
}

const fn canonical(at: usize, rule: Rule) -> CodecError {
    CodecError::NotCanonical { at, rule }
}

#[test]
fn the_largest_messages_fit() {
    let state = |n: usize| {
        let mut scope = [0xff; 32];
        scope[..8].copy_from_slice(&(n as u64).to_be_bytes());
        ScopeState { scope: Hash(scope), heads_digest: SCOPE, incarnation: [0xff; 16], feed_length: u64::MAX }
    };
    let hello = Hello { mode: Mode::Live, scopes: (0..limits::SCOPES_PER_HELLO).map(state).collect() };
    assert!(Request::Hello(hello).write().len() <= limits::REQUEST_BYTES);
    let hashes = vec![SCOPE; limits::OBJECTS_PER_REQUEST];
    assert!(Request::Objects { scope: SCOPE, hashes }.write().len() <= limits::REQUEST_BYTES);
    let far = LogPosition { seq: u64::MAX, writer: u32::MAX, generation: u32::MAX, ..position() };
    let heads = Response::Heads { positions: vec![far; limits::HEADS_PER_PAGE], more: true };
    assert!(heads.write().len() <= limits::RESPONSE_BYTES);
    let item = FeedItem { position: u64::MAX, kind: 255, hash: SCOPE };
    let feed = FeedPage { incarnation: [0; 16], items: vec![item; limits::FEED_ITEMS], more: true };
    assert!(Response::Feed(feed).write().len() <= limits::RESPONSE_BYTES);
    assert!(Response::Wraps(vec![vec![0; 8192]; limits::KEYS_PER_REQUEST]).write().len() <= limits::RESPONSE_BYTES);
    let body = usize::try_from(limits::PAGE_BYTES).unwrap();
    let one = vec![EntryBytes { header: vec![0; 1024], body: Some(vec![0; body]) }];
    assert!(Response::Entries(one).write().len() <= limits::RESPONSE_BYTES);
    let small = body / limits::ENTRIES_PER_PAGE;
    let many =
        vec![EntryBytes { header: vec![0; small / 2], body: Some(vec![0; small / 2]) }; limits::ENTRIES_PER_PAGE];
    assert!(Response::Entries(many).write().len() <= limits::RESPONSE_BYTES);
}

#[test]
fn a_page_takes_its_first_item_always() {
    let mut page = Budget::new(10);
    assert_eq!([page.take(4), page.take(6), page.take(1)], [true, true, false]);
    let mut page = Budget::new(10);
    assert_eq!([page.take(40), page.take(0), page.take(1)], [true, true, false]);
}

#[test]
fn the_digest_of_heads_is_over_their_canonical_list() {
    let empty = Hash::of(&[b"entente.heads.v1\x80"]);
    assert_eq!(heads_digest(&[]), empty);
    let one = format!("81a500{}01030204030504{}", h22(), h33());
    assert_eq!(heads_digest(&[position()]), Hash::of(&[b"entente.heads.v1", &hex::decode(one).unwrap()]));
}

proptest! {
    #[test]
    fn what_reads_writes_back_the_same(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(request) = Request::read(&bytes) {
            prop_assert_eq!(Request::read(&request.write()), Ok(request));
        }
        if let Ok(response) = Response::read(&bytes) {
            prop_assert_eq!(Response::read(&response.write()), Ok(response));
        }
    }

    #[test]
    fn a_damaged_message_reads_as_another_or_not_at_all(at in 0_usize..200, with in any::<u8>()) {
        let good = Response::Heads { positions: vec![position()], more: false };
        let mut bytes = good.write();
        let at = at % bytes.len();
        let same = bytes[at] == with;
        bytes[at] = with;
        prop_assert_eq!(Response::read(&bytes).is_ok_and(|response| response == good), same);
    }
}
