//! Who an agency is: its inception document, its cards, its nodes' addresses, and how people compare it by voice.
//!
//! | module | what | signed by |
//! |---|---|---|
//! | [`inception`] | the document whose hash is the agency's id | the root key |
//! | [`card`] | name and contact, keys by purpose with validity | the root key, later perhaps the recovery root |
//! | [`address_record`] | where a node can be dialled | the node's signing key |
//! | [`fingerprint`] | eleven words, or a QR code, to compare out of band | nobody: people compare it |
//! | [`export`] | the card file that travels by e-mail | its parts |
//! | [`roll`] | all agencies that a node knows, as the ladder asks for them | |
//!
//! Whom to trust is deliberately absent: pinning and vouching are each node's own, local decisions.

pub mod address_record;
pub mod card;
pub mod export;
pub mod fingerprint;
pub mod inception;
pub mod parts;
pub mod roll;

pub use address_record::{AddressRecord, SignedAddressRecord};
pub use card::{Card, CardConflict, FIRST_RECOVERY_SERIAL, SignedCard};
pub use export::{ArmourError, CardExport};
pub use fingerprint::{Fingerprint, FingerprintError};
pub use inception::SignedInception;
pub use parts::{AgreementKey, Country, Kind, NodeKeys, Validity};
pub use roll::{AddressOutcome, CardOutcome, InceptionOutcome, Known, Roll};

use crate::crypto::sign::{SignError, Signed};
use crate::id::{AgencyId, Mode};
use crate::limits;
use crate::wire::codec::CodecError;
use crate::wire::object::ObjectKind;

/// Why an identity object is refused. Each variant is a rule.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum IdentityError {
    /// The signed bytes are not a signed object, or the signature is wrong.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The payload is not the object that its `typ` names.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// The card file is damaged.
    #[error(transparent)]
    Armour(#[from] ArmourError),
    /// The `typ` names no kind that this version knows: the object is held, not refused.
    #[error("the typ of this object is not known to this version")]
    UnknownTyp,
    /// The object is of another kind.
    #[error("a signed object of kind {expected:?} was expected, its typ names another")]
    Type {
        /// The kind expected.
        expected: ObjectKind,
    },
    /// Live and exercise never mix.
    #[error("the object is signed as {found}, its agency is {expected}")]
    Mode {
        /// The agency's mode.
        expected: Mode,
        /// The mode that the object's `typ` names.
        found: Mode,
    },
    /// The root key is its own recovery root, which then recovers nothing.
    #[error("the root key and the recovery root are the same key")]
    RootIsRecovery,
    /// The object is another agency's.
    #[error("the object belongs to {found}, not to {expected}")]
    OtherAgency {
        /// The agency expected.
        expected: AgencyId,
        /// The agency that the object names.
        found: AgencyId,
    },
    /// The key that signs a card is neither the root nor the recovery root.
    #[error("only the agency's root key, or the recovery root that it has committed to, signs cards")]
    NotARoot,
    /// A card's serial is outside the half of its root.
    #[error("serial {serial} is not one that this root may give: the root counts from 1, the recovery root from 2^31")]
    SerialRange {
        /// The serial.
        serial: u32,
    },
    /// Only the first card of all has no predecessor.
    #[error("a card names its predecessor, unless it is the first")]
    Predecessor,
    /// A name or contact point could be shown as something else than it is.
    #[error(
        "a name or contact point is one line, without blanks around it or characters that turn the direction of text"
    )]
    Text,
    /// A key occurs more than once: one key, one purpose.
    #[error("a key occurs more than once on the card")]
    KeyTwice,
    /// A key that the card revokes is also in use on it.
    #[error("a revoked key is still in use on the card")]
    RevokedInUse,
    /// A validity ends before it begins.
    #[error("a validity ends before it begins")]
    EmptyValidity,
    /// Two agreement-signing keys are valid at one time.
    #[error("two agreement-signing keys are valid at one time")]
    OverlappingKeys,
    /// Writers are unsorted or twice there.
    #[error("nodes are listed by ascending writer, each once")]
    WriterOrder,
    /// Revoked keys are unsorted or twice there.
    #[error("revoked keys are listed in ascending order, each once")]
    RevokedOrder,
    /// A card is not the next after the other.
    #[error("card {serial} is not the next after card {older}")]
    NotNext {
        /// The newer card's serial.
        serial: u32,
        /// The older card's serial.
        older: u32,
    },
    /// A card names another predecessor than the other.
    #[error("card {serial} names another predecessor")]
    NotPredecessor {
        /// The newer card's serial.
        serial: u32,
    },
    /// A card was issued before its predecessor.
    #[error("the card is dated before its predecessor")]
    IssuedFell,
    /// A revocation cannot be taken back: each card lists all revoked keys.
    #[error("a key that the predecessor revoked is no longer listed as revoked")]
    RevocationDropped,
    /// A key never changes its purpose.
    #[error("a key has another purpose than on the predecessor")]
    PurposeChanged,
    /// The recovery root has signed; what the old root signs no longer counts.
    #[error("the root key has been replaced by the recovery root")]
    RootReplaced,
    /// The agency's cards take more room than one agency gets.
    #[error("the agency's cards are larger than {} bytes together", limits::CARDS_BYTES_PER_AGENCY)]
    TooManyCards,
    /// An address is not a bounded multiaddress text.
    #[error("an address begins with / and is printable ASCII without spaces")]
    Address,
    /// An address occurs twice in one record.
    #[error("an address occurs twice in the record")]
    AddressTwice,
    /// A node has two address records in one file.
    #[error("two address records of node {writer}")]
    RecordTwice {
        /// The node.
        writer: u32,
    },
    /// The agency is not known here.
    #[error("{0} is not known here")]
    UnknownAgency(AgencyId),
    /// The card is not known here.
    #[error("card {serial} of {agency} is not known here")]
    UnknownCard {
        /// The agency.
        agency: AgencyId,
        /// The card's serial.
        serial: u32,
    },
    /// The card names no such node.
    #[error("the card names no node {writer}")]
    NoSuchNode {
        /// The node.
        writer: u32,
    },
    /// The card has the key, but not for that time; or has none of that purpose.
    #[error("the card gives no key for this purpose at that time")]
    NoKeyThen,
    /// A card revokes the key.
    #[error("the key is revoked by card {by}")]
    Revoked {
        /// The serial of the first known card that does.
        by: u32,
    },
}

impl IdentityError {
    /// Whether a later version may understand what this one does not: such an object is kept, not refused.
    pub const fn is_held(self) -> bool {
        match self {
            IdentityError::UnknownTyp => true,
            IdentityError::Codec(error) => error.is_held(),
            _ => false,
        }
    }
}

/// Parses a signed object of one kind, not yet verified.
fn parse_signed(bytes: &[u8], expected: ObjectKind) -> Result<(Signed, Mode), IdentityError> {
    let signed = Signed::parse(bytes, limits::OBJECT_BYTES)?;
    match ObjectKind::of_typ(signed.typ()) {
        Some((kind, mode)) if kind == expected => Ok((signed, mode)),
        Some(_) => Err(IdentityError::Type { expected }),
        None => Err(IdentityError::UnknownTyp),
    }
}
