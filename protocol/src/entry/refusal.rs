//! Why an entry, or a statement in it, does not climb the next rung.
//!
//! Each reason has a number, which receipts carry, and says what becomes of the entry: **refused** for good, **held**
//! until something that is missing arrives, or **early**: the entry itself is fine, but what stands before it in its
//! log has to be fetched first.

use crate::agreement::NotInForce;
use crate::crypto::{OpenError, PackError};
use crate::id::{AgencyId, Hash, VersionHash};
use crate::rules::Term;
use crate::statement::batch::BatchError;
use crate::time::Time;
use crate::wire::attest::ObjectError;
use crate::wire::codec::CodecError;

/// What becomes of an entry or a statement that did not climb.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Disposition {
    /// Never to be believed; told to the author in the receipt.
    Refused,
    /// To be judged again when more is known.
    Held,
    /// What stands before it must come first.
    Early,
}

/// A reason. Variants are rules of the specification.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The header is no signed object of ours, or its signature is wrong.
    #[error("header: {0}")]
    Header(ObjectError),
    /// The content of the body is not what the specification gives.
    #[error("body: {0}")]
    Content(#[from] CodecError),
    /// Live and exercise do not mix.
    #[error("the entry and the agreement are not both live or both exercise")]
    Mode,
    /// The version is not known here yet.
    #[error("agreement version {0} is not known here")]
    UnknownVersion(VersionHash),
    /// The author is no party of the version.
    #[error("{0} is no party of the agreement version")]
    NotAParty(AgencyId),
    /// The card that should verify the signature is not known here yet.
    #[error("card {serial} of {agency} is not known here")]
    UnknownCard {
        /// Whose card.
        agency: AgencyId,
        /// Which.
        serial: u32,
    },
    /// The key was revoked since, and no later generation of the log vouches for the entry yet.
    #[error(
        "the key of writer {writer} on card {serial} of {agency} was revoked, and no later generation vouches for the entry"
    )]
    RevokedKey {
        /// Whose card.
        agency: AgencyId,
        /// Which.
        serial: u32,
        /// Which node.
        writer: u32,
    },
    /// The card has no such node, or its key was out of date.
    #[error("card {serial} of {agency} gives writer {writer} no valid signing key at that time")]
    NoKey {
        /// Whose card.
        agency: AgencyId,
        /// Which.
        serial: u32,
        /// Which node.
        writer: u32,
    },
    /// The version was not in force when the entry was made.
    #[error("the agreement version is not in force at the time of the entry: {0}")]
    NotInForce(NotInForce),
    /// Dated ahead of our clock.
    #[error("dated {created}, more than 600 s ahead of our clock at {now}")]
    FutureDated {
        /// The date of the entry.
        created: Time,
        /// Our clock.
        now: Time,
    },
    /// Entries before this one are missing.
    #[error("entry {found} of the log came before entry {expected}")]
    Gap {
        /// The next number here.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// The position is taken already: the same entry again, or a fork.
    #[error("the log already has an entry {0}")]
    Taken(u64),
    /// The entry does not name the head of the log as the one before it.
    #[error("the entry continues {found}, but the log stands at {expected}")]
    OtherBranch {
        /// The head here.
        expected: Hash,
        /// What the entry names.
        found: Hash,
    },
    /// The log was continued in a later generation, which disowned this entry.
    #[error("a later generation of the log disowns entries after {0:?}")]
    Disowned(Option<u64>),
    /// Time runs backwards in the log.
    #[error("dated {found}, before the entry that it follows at {head}")]
    CreatedFalls {
        /// The date of the head.
        head: Time,
        /// The date of the entry.
        found: Time,
    },
    /// The entry names an older version than the one before it.
    #[error("the entry names an older agreement version than the one before it")]
    VersionFalls,
    /// The body has another length than the header says.
    #[error("the body has {found} bytes, the header says {expected}")]
    BodyLength {
        /// What the header says.
        expected: usize,
        /// What came.
        found: usize,
    },
    /// The body is not the one that the header names.
    #[error("the body is not the one that the header names")]
    BodyHash,
    /// The content key has not arrived, or is not for us.
    #[error("the content key is not held here")]
    NoContentKey,
    /// The key is meant for somebody who does not receive under the version.
    #[error("the content key is meant for {0}, who does not receive under the agreement version")]
    Recipient(AgencyId),
    /// The key is another author's, or of another agreement.
    #[error("the content key does not belong to this log")]
    ForeignContentKey,
    /// The age file cannot be opened under the key.
    #[error("body: {0}")]
    Sealed(#[from] OpenError),
    /// A frame cannot be unpacked within its bounds.
    #[error("body: {0}")]
    Packed(#[from] PackError),
    /// More than 4 MiB, or another length than the frame says.
    #[error("the body unpacks to another length than it says, or to more than 4 MiB")]
    Unpacked,
    /// The padding is not zeros.
    #[error("the padding of the body is not what it should be")]
    Padding,
    /// Too many statements in one entry.
    #[error("the entry holds {found} statements, at most 4096 are allowed")]
    TooManyStatements {
        /// How many.
        found: usize,
    },
    /// The body is not what the header commits to.
    #[error("the body holds other statements than the header commits to")]
    Commitment,
    /// Entry 0 of a later generation must say where the earlier ones stand, and no other entry may.
    #[error("an opening stands in entry 0 of generations above 0 and nowhere else, and names every earlier generation")]
    Opening,
    /// A batch is malformed, does not add up, or is not signed by its originator.
    #[error("batch: {0}")]
    Batch(#[from] BatchError),
    /// A statement is malformed.
    #[error("statement: {0}")]
    Statement(CodecError),
    /// A statement of a kind that this version does not understand.
    #[error("a statement of a kind that this version does not understand")]
    UnknownStatement,
    /// A report made by another agency than the author; held until onward use is understood here.
    #[error("{0} made this report, and passing it on is not understood by this version")]
    ForeignOriginator(AgencyId),
    /// The originator used a report's id and revision for something else.
    #[error("the originator already used this report id and revision for another statement")]
    ReportIdReused,
    /// A revision speaks of another indicator than the report it revises.
    #[error("a revision may not change the indicator of its report")]
    IndicatorChanged,
    /// The statement is dated after the entry that carries it.
    #[error("the statement is dated {statement}, after its entry at {entry}")]
    DatedAfterEntry {
        /// The date of the statement.
        statement: Time,
        /// The date of the entry.
        entry: Time,
    },
    /// A term of the agreement denies it.
    #[error("{0}")]
    Term(Term),
}

impl Refusal {
    /// The reason's number on the wire, its short name, and what becomes of the entry.
    pub fn reason(&self) -> Reason {
        use Disposition::{Early, Held, Refused};
        let (number, slug, disposition) = match self {
            Refusal::Header(error) if error.is_held() => (2, "newer-header", Held),
            Refusal::Header(ObjectError::Sign(_)) => (3, "signature", Refused),
            Refusal::Header(_) => (1, "malformed-header", Refused),
            Refusal::Content(error) if error.is_held() => (5, "newer-body", Held),
            Refusal::Batch(error) if error.is_held() => (5, "newer-body", Held),
            Refusal::Content(_) => (4, "malformed-body", Refused),
            Refusal::Mode => (6, "mode", Refused),
            Refusal::UnknownVersion(_) => (7, "unknown-version", Held),
            Refusal::NotAParty(_) => (8, "not-a-party", Refused),
            Refusal::UnknownCard { .. } => (9, "unknown-card", Held),
            Refusal::NoKey { .. } => (10, "no-key", Refused),
            Refusal::NotInForce(error) if error.is_held() => (12, "not-yet-in-force", Held),
            Refusal::NotInForce(_) => (11, "not-in-force", Refused),
            Refusal::FutureDated { .. } => (13, "future-dated", Held),
            Refusal::Gap { .. } => (14, "gap", Early),
            Refusal::Taken(_) => (15, "taken", Refused),
            Refusal::OtherBranch { .. } => (16, "fork", Refused),
            Refusal::Disowned(_) => (17, "disowned", Refused),
            Refusal::CreatedFalls { .. } => (18, "created-falls", Refused),
            Refusal::VersionFalls => (19, "version-falls", Refused),
            Refusal::BodyLength { .. } => (20, "body-length", Refused),
            Refusal::BodyHash => (21, "body-hash", Refused),
            Refusal::NoContentKey => (22, "no-content-key", Held),
            Refusal::ForeignContentKey => (23, "foreign-content-key", Refused),
            Refusal::Sealed(_) => (24, "sealed", Refused),
            Refusal::Packed(_) | Refusal::Unpacked => (25, "unpacked", Refused),
            Refusal::Padding => (26, "padding", Refused),
            Refusal::TooManyStatements { .. } => (27, "too-many-statements", Refused),
            Refusal::Commitment => (28, "commitment", Refused),
            Refusal::Opening => (29, "opening", Refused),
            Refusal::Batch(_) => (30, "batch", Refused),
            Refusal::Statement(_) => (31, "malformed-statement", Refused),
            Refusal::UnknownStatement => (32, "newer-statement", Held),
            Refusal::ForeignOriginator(_) => (33, "foreign-originator", Held),
            Refusal::ReportIdReused => (34, "report-id-reused", Refused),
            Refusal::IndicatorChanged => (35, "indicator-changed", Refused),
            Refusal::DatedAfterEntry { .. } => (36, "dated-after-entry", Refused),
            Refusal::RevokedKey { .. } => (37, "revoked-key", Held),
            Refusal::Recipient(_) => (38, "recipient", Refused),
            Refusal::Term(term) => (term_number(term), term.slug(), Refused),
        };
        Reason { number, slug, disposition }
    }

    /// What becomes of the entry or statement.
    pub fn disposition(&self) -> Disposition {
        self.reason().disposition
    }
}

/// The numbers of terms follow those of the protocol's own reasons, from 64 on.
const fn term_number(term: &Term) -> u32 {
    match term {
        Term::NotAParty { .. } => 64,
        Term::DoesNotContribute { .. } => 65,
        Term::Validity { .. } => 66,
        Term::StatementKind { .. } => 67,
        Term::Typology { .. } => 68,
        Term::Chain { .. } => 69,
        Term::MarkingCeiling { .. } => 70,
        Term::RequiredGrading { .. } => 71,
        Term::Retention { .. } => 72,
        Term::QuotaStatements { .. } => 73,
        Term::QuotaBytes { .. } => 74,
    }
}

/// A refusal as receipts and people see it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reason {
    /// The number on the wire.
    pub number: u32,
    /// The short name.
    pub slug: &'static str,
    /// What becomes of the entry or statement.
    pub disposition: Disposition,
}
