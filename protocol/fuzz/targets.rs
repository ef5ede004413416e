//! What is fuzzed: every reader of bytes from outside, as a function that must not panic whatever it is given.
//!
//! `cargo fuzz` runs them over what it invents, `tests/mutations.rs` over the golden vectors and what little changes
//! make of them. Beyond not panicking: what was read writes itself so that it reads the same again, and a signed object
//! keeps the very bytes that came.

use entente_protocol::address::{Address, Chain, Reading, examine};
use entente_protocol::agreement::{Rejection, Signature, Version, Withdrawal};
use entente_protocol::announcement::Announcement;
use entente_protocol::crypto::ContentKey;
use entente_protocol::crypto::sign::{Signed, SigningKey};
use entente_protocol::crypto::wrap::EncryptionSecret;
use entente_protocol::entry::body::Content;
use entente_protocol::entry::header::Header;
use entente_protocol::entry::ladder::Envelope;
use entente_protocol::fork::ForkProof;
use entente_protocol::grading::Grading;
use entente_protocol::handling::{Handling, Precedence};
use entente_protocol::id::{AgencyId, AgreementId, Hash, Mode};
use entente_protocol::identity::{CardExport, Fingerprint, SignedInception};
use entente_protocol::keys::{KeyDescriptor, Wrap};
use entente_protocol::limits;
use entente_protocol::marking::Marking;
use entente_protocol::receipt::Receipt;
use entente_protocol::retraction::Retraction;
use entente_protocol::statement::Statement;
use entente_protocol::statement::batch::{BatchRoot, ClaimedBatch};
use entente_protocol::sync::message::{Request, Response};
use entente_protocol::sync::{Failed, Input, Machine, Output, Own, ScopeInfo, Snapshot, Ticket};
use entente_protocol::time::Time;
use entente_protocol::typology::Typology;
use entente_protocol::wire::attest::{Claimed, Payload};
use entente_protocol::wire::codec;

/// The name of a target, and what it does with bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 10] = [
    ("objects", objects),
    ("payloads", payloads),
    ("identity", identity),
    ("statements", statements),
    ("bodies", bodies),
    ("sealed", sealed),
    ("proofs", proofs),
    ("sync", sync),
    ("texts", texts),
    ("machine", machine),
];

/// The key that the golden vectors are sealed under.
pub fn content_key() -> ContentKey {
    ContentKey::from_bytes(&[7; 32])
}

/// What comes of it does not matter here, as long as something does.
fn ignore<T>(_outcome: T) {}

fn object<P: Payload>(bytes: &[u8]) {
    if let Ok(claimed) = Claimed::<P>::parse(bytes) {
        assert_eq!(claimed.bytes(), bytes, "what came is what is kept");
        payload::<P>(&claimed.claim().write());
    }
}

fn payload<P: Payload>(bytes: &[u8]) {
    let Ok(first) = codec::read_object(bytes, P::read) else { return };
    let written = first.write();
    let again = codec::read_object(&written, P::read).expect("what was read is written so that it reads");
    assert_eq!(again.write(), written);
}

/// COSE, and each kind of object in it.
pub fn objects(bytes: &[u8]) {
    if let Ok(signed) = Signed::parse(bytes, limits::RECEIPT_BYTES) {
        assert_eq!(signed.bytes(), bytes);
        ignore(signed.verify(&SigningKey::from_seed(&[1; 32]).public()));
    }
    ignore(Envelope::parse(bytes));
    object::<Version>(bytes);
    object::<Signature>(bytes);
    object::<Rejection>(bytes);
    object::<Withdrawal>(bytes);
    object::<KeyDescriptor>(bytes);
    object::<Wrap>(bytes);
    object::<Header>(bytes);
    object::<BatchRoot>(bytes);
    object::<Retraction>(bytes);
    object::<Receipt>(bytes);
}

/// The same without a signature to get past.
pub fn payloads(bytes: &[u8]) {
    payload::<Version>(bytes);
    payload::<Signature>(bytes);
    payload::<Rejection>(bytes);
    payload::<Withdrawal>(bytes);
    payload::<KeyDescriptor>(bytes);
    payload::<Wrap>(bytes);
    payload::<Header>(bytes);
    payload::<BatchRoot>(bytes);
    payload::<Retraction>(bytes);
    payload::<Receipt>(bytes);
}

/// Inception documents, and card files with the cards and address records in them.
pub fn identity(bytes: &[u8]) {
    ignore(SignedInception::parse(bytes));
    if let Ok(export) = CardExport::from_armour(bytes) {
        let armour = export.to_armour().expect("what was read is written");
        CardExport::from_armour(armour.as_bytes()).expect("and reads again");
    }
}

/// Statements and batches of them.
pub fn statements(bytes: &[u8]) {
    if let Ok(Statement::Report(report)) = Statement::read(bytes) {
        let written = Statement::write_report(&report);
        let Ok(Statement::Report(again)) = Statement::read(&written) else { panic!("what was read is written") };
        assert_eq!(again, report);
    }
    if let Ok(mut batch) = ClaimedBatch::parse(bytes) {
        let (root, leaves) = (batch.root.hash(), batch.leaves.len());
        batch.delete(|_| true);
        let again = ClaimedBatch::parse(&batch.write()).expect("a batch without its statements is one");
        assert_eq!((again.root.hash(), again.leaves.len()), (root, leaves));
    }
}

/// Bodies as they come: age files under a content key.
pub fn bodies(bytes: &[u8]) {
    ignore(Content::open(bytes, &content_key()));
}

/// What a holder of the key may have sealed.
pub fn sealed(bytes: &[u8]) {
    if let Ok(file) = entente_protocol::crypto::content_key::seal(&content_key(), bytes) {
        ignore(Content::open(&file, &content_key()));
    }
    let wrap = Wrap {
        descriptor: Hash::of(&[]),
        key_id: entente_protocol::id::KeyId::from_bytes([1; 32]),
        recipient: AgencyId::from_bytes([1; 32]),
        recipient_writer: 1,
        wrapped_by: AgencyId::from_bytes([2; 32]),
        card_serial: 1,
        writer: 1,
        file: bytes.to_vec(),
    };
    ignore(wrap.open(&EncryptionSecret::from_seed(&[3; 32])));
}

/// Fork proofs and announcements.
pub fn proofs(bytes: &[u8]) {
    if let Ok(proof) = ForkProof::read(bytes) {
        assert_eq!(ForkProof::read(&proof.write()).map(|again| again.hash()), Ok(proof.hash()));
        proof.is_contradiction();
        proof.forks(AgreementId::from_bytes([1; 32]));
    }
    if let Ok(announcement) = Announcement::read(bytes) {
        let written = announcement.write();
        assert_eq!(Announcement::read(&written).map(|again| again.write()), Ok(written));
    }
}

/// What partners ask and answer in catch-up.
pub fn sync(bytes: &[u8]) {
    if let Ok(request) = Request::read(bytes) {
        let written = request.write();
        assert_eq!(Request::read(&written).map(|again| again.write()), Ok(written));
    }
    if let Ok(response) = Response::read(bytes) {
        let written = response.write();
        assert_eq!(Response::read(&written).map(|again| again.write()), Ok(written));
    }
}

/// What people write: addresses, chains, gradings, markings, codes, fingerprints.
pub fn texts(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for Reading { address, .. } in examine(text, None).readings {
        assert_eq!(Address::parse(&address.caip10()), Ok(address), "what may be an address is one where it is named");
    }
    if let Ok(address) = Address::parse(text) {
        let again = Address::from_wire(&address.chain().caip2(), address.canonical());
        assert_eq!(again.as_ref(), Ok(&address), "the canonical form is one on the wire");
        assert_eq!(Address::parse(&address.caip10()), Ok(address));
    }
    if let Some((chain, canonical)) = text.split_once('\n') {
        ignore(Address::from_wire(chain, canonical));
    }
    ignore(Chain::parse(text));
    ignore(Chain::from_wire(text));
    ignore(Grading::parse(text));
    ignore(Marking::parse(text));
    ignore(Handling::parse(text));
    ignore(Precedence::parse(text));
    ignore(Typology::parse(text));
    ignore(text.parse::<AgencyId>());
    ignore(Fingerprint::of(AgencyId::from_bytes([1; 32])).matches(text));
}

/// A partner that says anything: the first byte of each part tells what it is, the second how long.
pub fn machine(bytes: &[u8]) {
    let (us, partner) = (AgencyId::from_bytes([1; 32]), AgencyId::from_bytes([2; 32]));
    let own = Own { agency: us, writer: 1, mode: Mode::Exercise, incarnation: [3; 16] };
    let mut machine = Machine::new(own, Snapshot::default());
    let scope = Hash::of(&[b"scope"]);
    let info = ScopeInfo { parties: [us, partner].into(), has_logs: true, ..ScopeInfo::default() };
    let mut now = Time::from_ms(1_800_000_000_000).expect("a time within bounds");
    let mut asked = Vec::new();
    let tell = |machine: &mut Machine, input, now, asked: &mut Vec<_>| {
        for output in machine.handle(input, now) {
            if let Output::Send { id, bytes, .. } = output {
                assert!(bytes.len() <= entente_protocol::sync::limits::REQUEST_BYTES);
                asked.push(id);
            }
        }
    };
    tell(&mut machine, Input::Scopes([(scope, info)].into()), now, &mut asked);
    tell(&mut machine, Input::PeerUp(partner), now, &mut asked);
    let (mut rest, mut ticket) = (bytes, 0);
    while let [what, length, after @ ..] = rest {
        let (part, after) = after.split_at((usize::from(*length) * 4).min(after.len()));
        rest = after;
        let part = part.to_vec();
        let input = match (what % 6, asked.pop()) {
            (0..=2, Some(id)) => Input::Answer { from: partner, id, result: Ok(part) },
            (3, Some(id)) => Input::Answer { from: partner, id, result: Err(Failed::Lost) },
            (4, _) => Input::Tick,
            _ => {
                ticket += 1;
                Input::Request { from: partner, ticket: Ticket(ticket), bytes: part }
            }
        };
        now = now.plus_ms(u64::from(*what) * 100);
        tell(&mut machine, input, now, &mut asked);
    }
}
