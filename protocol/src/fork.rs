//! A fork proof: two signed objects of one agency that contradict each other.
//!
//! It needs no signature of its own: whoever can verify the two objects sees the contradiction. It is a canonical map
//! {0 first, 1 second}, the objects in the order of the SHA-256 of their bytes, so that two objects are one proof
//! whoever finds them. What contradicts:
//!
//! | objects | contradict where they differ, and |
//! |---|---|
//! | headers | author, writer, generation and number are one, and the versions belong to one agreement; two of number 0 only where the card serial is one, too |
//! | cards | the serial is one, or the next one names another predecessor |
//! | receipts | agreement, party, writer, generation and counter are one |
//! | signatures, rejections, or one of each | agency and version are one |
//! | signatures on two children of one parent | neither relies on a rejection of the other |
//!
//! [`ForkProof::is_contradiction`] compares what the objects say; that the agency signed both, and what only the
//! cards or the tree of versions tells, [`ForkProof::verify`] finds.

use crate::agreement::{Agreement, Rejection, Signature};
use crate::crypto::sign::{PublicKey, Signed};
use crate::entry::header::Header;
use crate::id::{AgencyId, AgreementId, Hash, LogId, Mode, VersionHash};
use crate::identity::{CardConflict, IdentityError, Roll};
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

    /// Whether the objects, which the caller knows to be of one agreement, could not both be signed by an honest
    /// agency, as far as they alone tell it: of cards, and of signatures on two versions, they do not.
    pub fn is_contradiction(&self) -> bool {
        match (Claim::read(&self.first), Claim::read(&self.second)) {
            (Ok(first), Ok(second)) => contradict(&first, &second).is_some(),
            _ => false,
        }
    }

    /// The log that two headers fork, and the number of the entry from which on; `None` where the contradiction is of
    /// another kind, which forks no log. `agreement` is the one in which the proof travels.
    pub fn forks(&self, agreement: AgreementId) -> Option<(LogId, u64)> {
        match Claim::read(&self.first) {
            Ok(Claim::Header(claimed)) => Some((claimed.claim().log(agreement), claimed.claim().seq)),
            _ => None,
        }
    }

    /// The agency that signed both, once that is verified. `agreement` is the one in which the proof travels; cards
    /// contradict each other outside any.
    pub fn verify(&self, roll: &Roll, agreement: Option<&Agreement>) -> Result<AgencyId, ForkError> {
        let (first, second) = (Claim::read(&self.first)?, Claim::read(&self.second)?);
        if let (Claim::Card(first), Claim::Card(second)) = (&first, &second) {
            let (first, second) = (roll.read_card(first.bytes())?, roll.read_card(second.bytes())?);
            let conflict = CardConflict::between(&first, &second).ok_or(ForkError::NoContradiction)?;
            return Ok(conflict.first().agency());
        }
        let together = first.version() == second.version()
            || agreement.is_some_and(|agreement| go_together(&first, &second, agreement));
        let of_signatures = || two_children(&first, &second, agreement?);
        let agency = contradict(&first, &second).filter(|_| together).or_else(of_signatures);
        let agency = agency.ok_or(ForkError::NoContradiction)?;
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

    /// The version under which a header was signed, where that decides of which agreement it is.
    fn version(&self) -> Option<VersionHash> {
        match self {
            Claim::Header(claimed) => Some(claimed.claim().version),
            _ => None,
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
            // Of two entries 0 the one with the newer card counts: that is how a generation changes hands.
            let card = |header: &Header| (header.seq == 0).then_some(header.card_serial);
            let place = |header: &Header| (header.author, header.writer, header.generation, header.seq, card(header));
            let differ = one.hash() != other.hash();
            (differ && place(one.claim()) == place(other.claim())).then(|| one.claim().author)
        }
        (Claim::Receipt(one), Claim::Receipt(other)) => {
            let place = |receipt: &Receipt| (receipt.agreement, receipt.party, receipt.writer, receipt.order());
            let differ = one.hash() != other.hash();
            (differ && place(one.claim()) == place(other.claim())).then(|| one.claim().party)
        }
        _ => {
            let (one, other) = (Answer::of(first)?, Answer::of(second)?);
            let same = (one.agency, one.version) == (other.agency, other.version);
            (same && one.hash != other.hash).then_some(one.agency)
        }
    }
}

/// Whether headers that name two versions belong to one agreement.
fn go_together(first: &Claim, second: &Claim, agreement: &Agreement) -> bool {
    let known = |claim: &Claim| claim.version().is_some_and(|version| agreement.version(version).is_some());
    known(first) && known(second)
}

/// Whose signatures on two children of one parent these are, where neither relies on a rejection of the other.
fn two_children(first: &Claim, second: &Claim, agreement: &Agreement) -> Option<AgencyId> {
    let (Claim::Signature(one), Claim::Signature(other)) = (first, second) else { return None };
    let (one, other) = (one.claim(), other.claim());
    let parent = |signature: &Signature| agreement.version(signature.version).and_then(|version| version.parent);
    let relies = |by: &Signature, on: VersionHash| by.relies_on.iter().any(|reliance| reliance.version == on);
    let siblings = one.version != other.version && parent(one).is_some() && parent(one) == parent(other);
    let free = relies(one, other.version) || relies(other, one.version);
    let same_mode = first.mode() == second.mode();
    (same_mode && one.agency == other.agency && siblings && !free).then_some(one.agency)
}

/// What a signature and a rejection have in common.
struct Answer {
    agency: AgencyId,
    version: VersionHash,
    hash: Hash,
}

impl Answer {
    fn of(claim: &Claim) -> Option<Answer> {
        let (agency, version, hash) = match claim {
            Claim::Signature(claimed) => (claimed.claim().agency, claimed.claim().version, claimed.hash()),
            Claim::Rejection(claimed) => (claimed.claim().agency, claimed.claim().version, claimed.hash()),
            _ => return None,
        };
        Some(Answer { agency, version, hash })
    }
}
