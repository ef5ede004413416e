//! A fork proof: two signed objects of one agency that contradict each other.
//!
//! It needs no signature of its own: whoever can verify the two objects sees the contradiction. It is a canonical map
//! {0 first, 1 second}, the objects in the order of their hashes, so that one contradiction is one proof whoever finds
//! it. What contradicts:
//!
//! | objects | contradict where |
//! |---|---|
//! | headers | author, writer, generation and number are one, and the versions belong to one agreement |
//! | cards | agency and serial are one |
//! | receipts | agreement, party, writer, generation and counter are one |
//! | a signature and a rejection, or two signatures | see [`crate::agreement::Contradiction`] |
//!
//! [`ForkProof::is_contradiction`] compares what the objects say; that the agency signed both,
//! [`ForkProof::verify`] finds.

use crate::agreement::{Rejection, Signature};
use crate::crypto::sign::{PublicKey, Signed};
use crate::entry::header::Header;
use crate::id::{AgencyId, Hash, Mode};
use crate::identity::{IdentityError, Roll};
use crate::limits;
use crate::receipt::Receipt;
use crate::wire::attest::{Claimed, ObjectError, Payload};
use crate::wire::codec::{self, CodecError, MapWriter};
use crate::wire::object::ObjectKind;

/// Two signed objects.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ForkProof {
    first: Vec<u8>,
    second: Vec<u8>,
}

/// Why a proof proves nothing.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ForkError {
    /// The map is malformed.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// One of the objects is malformed, or not signed by its agency.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// No card gives the key that should have signed.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The objects do not contradict each other.
    #[error("the two objects do not contradict each other")]
    NoContradiction,
}

/// What one of the objects claims.
enum Claim {
    Header(Claimed<Header>),
    Receipt(Claimed<Receipt>),
    Signature(Claimed<Signature>),
    Rejection(Claimed<Rejection>),
    Card(Signed),
}

impl ForkProof {
    /// The proof that two objects make, in whatever order they are given.
    pub fn new(one: &[u8], other: &[u8]) -> Self {
        let swap = Hash::of(&[one]) > Hash::of(&[other]);
        let (first, second) = if swap { (other, one) } else { (one, other) };
        Self { first: first.to_vec(), second: second.to_vec() }
    }

    /// The proof as bytes.
    pub fn write(&self) -> Vec<u8> {
        MapWriter::new().put_bytes(0, &self.first).put_bytes(1, &self.second).finish()
    }

    /// Reads a proof; it proves nothing before [`ForkProof::verify`].
    pub fn read(bytes: &[u8]) -> Result<Self, CodecError> {
        let proof = codec::read_object(bytes, |map| {
            let first = map.bytes(0, limits::RECEIPT_BYTES)?.ok_or(CodecError::Missing(0))?.to_vec();
            let second = map.bytes(1, limits::RECEIPT_BYTES)?.ok_or(CodecError::Missing(1))?.to_vec();
            Ok(Self { first, second })
        })?;
        if Self::new(&proof.first, &proof.second) == proof { Ok(proof) } else { Err(CodecError::Bounds(0)) }
    }

    /// The proof's name.
    pub fn hash(&self) -> Hash {
        Hash::of(&[b"entente.fork-proof.v1", &self.write()])
    }

    /// Whether the objects, as they stand, could not both be signed by an honest agency.
    pub fn is_contradiction(&self) -> bool {
        match (Claim::read(&self.first), Claim::read(&self.second)) {
            (Ok(first), Ok(second)) => contradict(&first, &second).is_some(),
            _ => false,
        }
    }

    /// The agency that signed both, once that is verified.
    pub fn verify(&self, roll: &Roll) -> Result<AgencyId, ForkError> {
        let (first, second) = (Claim::read(&self.first)?, Claim::read(&self.second)?);
        let agency = contradict(&first, &second).ok_or(ForkError::NoContradiction)?;
        first.attest(roll)?;
        second.attest(roll)?;
        Ok(agency)
    }
}

impl Claim {
    fn read(bytes: &[u8]) -> Result<Claim, ObjectError> {
        let signed = Signed::parse(bytes, limits::RECEIPT_BYTES)?;
        let (kind, _) = ObjectKind::of_typ(signed.typ()).ok_or(ObjectError::UnknownTyp)?;
        match kind {
            ObjectKind::Header => Claimed::parse(bytes).map(Claim::Header),
            ObjectKind::Receipt => Claimed::parse(bytes).map(Claim::Receipt),
            ObjectKind::Signature => Claimed::parse(bytes).map(Claim::Signature),
            ObjectKind::Rejection => Claimed::parse(bytes).map(Claim::Rejection),
            ObjectKind::Card => Ok(Claim::Card(signed)),
            found => Err(ObjectError::OtherKind { expected: ObjectKind::Header, found }),
        }
    }

    /// The key is the one that the card named had, even where it was revoked since: a fork stays a fork.
    fn attest(self, roll: &Roll) -> Result<(), ForkError> {
        match self {
            Claim::Header(claimed) => {
                let claim = claimed.claim();
                let card = roll.card_at(claim.author, claim.card_serial)?;
                let key = *card.signing_key(claim.writer, claim.created)?;
                attest(claimed, &key)
            }
            Claim::Receipt(claimed) => {
                let claim = claimed.claim();
                let card = roll.card_at(claim.party, claim.card_serial)?;
                let key = *card.signing_key(claim.writer, claim.created)?;
                attest(claimed, &key)
            }
            Claim::Signature(claimed) => {
                let claim = claimed.claim();
                let key = *roll.card_at(claim.agency, claim.card_serial)?.agreement_key(claim.at)?;
                attest(claimed, &key)
            }
            Claim::Rejection(claimed) => {
                let claim = claimed.claim();
                let key = *roll.card_at(claim.agency, claim.card_serial)?.agreement_key(claim.at)?;
                attest(claimed, &key)
            }
            Claim::Card(signed) => Ok(roll.read_card(signed.bytes()).map(|_| ())?),
        }
    }

    fn mode(&self) -> Option<Mode> {
        match self {
            Claim::Header(claimed) => Some(claimed.mode()),
            Claim::Receipt(claimed) => Some(claimed.mode()),
            Claim::Signature(claimed) => Some(claimed.mode()),
            Claim::Rejection(claimed) => Some(claimed.mode()),
            Claim::Card(signed) => ObjectKind::of_typ(signed.typ()).map(|(_, mode)| mode),
        }
    }
}

fn attest<P: Payload>(claimed: Claimed<P>, key: &PublicKey) -> Result<(), ForkError> {
    claimed.attest(key)?;
    Ok(())
}

/// Whose contradiction it is, where it is one.
fn contradict(first: &Claim, second: &Claim) -> Option<AgencyId> {
    if first.mode() != second.mode() {
        return None;
    }
    match (first, second) {
        (Claim::Header(one), Claim::Header(other)) => {
            let place = |header: &Header| (header.version, header.author, header.writer, header.generation, header.seq);
            let differ = one.hash() != other.hash();
            (differ && place(one.claim()) == place(other.claim())).then(|| one.claim().author)
        }
        (Claim::Receipt(one), Claim::Receipt(other)) => {
            let place = |receipt: &Receipt| (receipt.agreement, receipt.party, receipt.writer, receipt.order());
            let differ = one.hash() != other.hash();
            (differ && place(one.claim()) == place(other.claim())).then(|| one.claim().party)
        }
        (Claim::Signature(signed), Claim::Rejection(rejected))
        | (Claim::Rejection(rejected), Claim::Signature(signed)) => {
            let (signed, rejected) = (signed.claim(), rejected.claim());
            let same = (signed.version, signed.agency) == (rejected.version, rejected.agency);
            same.then_some(signed.agency)
        }
        _ => None,
    }
}
