//! Why a use-case at the desk did not succeed: errors by whose fault they are, with a next step apart.

use entente_protocol::address::ChainError;
use entente_protocol::agreement::{MayNot, NotInForce, VersionFault};
use entente_protocol::grading::GradingError;
use entente_protocol::handling::HandlingError;
use entente_protocol::id::{AgencyId, AgreementId, Mode, ReportId, VersionHash};
use entente_protocol::identity::{FingerprintError, IdentityError};
use entente_protocol::marking::MarkingError;
use entente_protocol::rules::{Term, Unsettled};
use entente_protocol::statement::draft::DraftError;
use entente_protocol::typology::TypologyError;

use crate::store::StoreError;

/// An error of a use-case.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// A part of a report that cannot be read.
    #[error("{0}")]
    Draft(#[from] DraftError),
    /// Not a chain.
    #[error("chain: {0}")]
    Chain(#[from] ChainError),
    /// A part that a report needs.
    #[error("{field}: it is needed")]
    Lacks {
        /// Which part.
        field: &'static str,
    },
    /// A revision is about what its report is about.
    #[error("indicator: report {report} is about another one; retract it and file another instead")]
    OtherIndicator {
        /// The report.
        report: ReportId,
    },
    /// The indicator is on a benign list, and nobody said that it is meant nevertheless.
    #[error("it is on a benign list: {}", listed.join("; "))]
    Listed {
        /// What it is, by which list.
        listed: Vec<String>,
    },
    /// A benign list that cannot be taken.
    #[error("benign list: {0}")]
    Benign(&'static str),
    /// No such list.
    #[error("no benign list is called {0:?}")]
    NoList(String),
    /// Not a typology.
    #[error("typology: {0}")]
    Typology(#[from] TypologyError),
    /// Not a grading.
    #[error("grading: {0}")]
    Grading(#[from] GradingError),
    /// Not a marking.
    #[error("marking: {0}")]
    Marking(#[from] MarkingError),
    /// Not a handling code, or one twice.
    #[error("handling: {0}")]
    Handling(#[from] HandlingError),
    /// A text is longer than the wire allows, or has control characters.
    #[error("{field} has at most {max} bytes and no control characters")]
    Text {
        /// Which field.
        field: &'static str,
        /// How long it may be, bytes.
        max: usize,
    },
    /// A field that cannot be read.
    #[error("{field}: {found:?} is not {expected}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What stood there.
        found: String,
        /// What may stand there.
        expected: &'static str,
    },
    /// No agreement named, and not exactly one in force.
    #[error("name the agreement: {in_force} are in force")]
    WhichAgreement {
        /// How many there are to choose from.
        in_force: usize,
    },
    /// No such agreement here.
    #[error("no agreement here has the id {0}")]
    NoAgreement(String),
    /// The beginning of an id fits several.
    #[error("several agreements begin with {0}")]
    Ambiguous(String),
    /// Several versions of the agreement wait for an answer.
    #[error(
        "{} versions of agreement {agreement} wait for an answer: {}", open.len(),
        open.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    )]
    WhichVersion {
        /// Which agreement.
        agreement: AgreementId,
        /// Its versions.
        open: Vec<VersionHash>,
    },
    /// No such agency here.
    #[error("no agency here has the id or name {0}")]
    NoAgency(String),
    /// No such report here.
    #[error("no report {0} is known here")]
    NoReport(ReportId),
    /// The report was withdrawn.
    #[error("report {0} was retracted")]
    Retracted(ReportId),
    /// The report is another agency's.
    #[error("report {report} was made by {originator}; only its originator can revise or retract it")]
    NotOurs {
        /// The report.
        report: ReportId,
        /// Who made it.
        originator: AgencyId,
    },
    /// A term of the agreement denies it.
    #[error("agreement {agreement}: {term}")]
    Denied {
        /// Which agreement.
        agreement: AgreementId,
        /// Which term, with its values.
        term: Term,
    },
    /// This software cannot judge it.
    #[error("{0}")]
    Unsettled(Unsettled),
    /// The agreement is not in force.
    #[error("agreement {agreement}: {why}")]
    NotInForce {
        /// Which.
        agreement: AgreementId,
        /// Why.
        why: NotInForce,
    },
    /// The version cannot be answered.
    #[error("{0}")]
    MayNot(#[from] MayNot),
    /// The terms do not make a version.
    #[error("{0}")]
    Version(#[from] VersionFault),
    /// A card or card file.
    #[error("{0}")]
    Identity(#[from] IdentityError),
    /// The fingerprint does not match.
    #[error("fingerprint: {0}")]
    Fingerprint(#[from] FingerprintError),
    /// Live and exercise never mix.
    #[error("{agency} is {theirs}, and this agency is {ours}: live and exercise never mix")]
    Mode {
        /// The other agency.
        agency: AgencyId,
        /// Its mode.
        theirs: Mode,
        /// Ours.
        ours: Mode,
    },
    /// A bundle that is none, or not for this node.
    #[error("it cannot be taken from this bundle: {0}")]
    NotABundle(&'static str),
    /// A bundle to continue from that was not made here, or too long ago.
    #[error("bundle {number} of agreement {agreement} is not known here any more")]
    NoBundle {
        /// The agreement.
        agreement: AgreementId,
        /// Its number.
        number: u64,
    },
    /// Who is neither party nor invited nor a former party.
    #[error("{agency} is no party of agreement {agreement}")]
    NotForThem {
        /// Who.
        agency: AgencyId,
        /// The agreement.
        agreement: AgreementId,
    },
    /// A report too large for one entry.
    #[error("the report is too large to be shared")]
    TooLarge,
    /// The store.
    #[error("store: {0}")]
    Store(#[from] StoreError),
}

impl DeskError {
    /// The next step, where there is one to advise.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            DeskError::WhichAgreement { .. } => "list them with `entente agreement list`",
            DeskError::NoAgreement(_) | DeskError::Ambiguous(_) => {
                "give at least 8 digits of the id that `entente agreement list` shows"
            }
            DeskError::WhichVersion { .. } => {
                "read each with `entente agreement show VERSION`, then sign or reject it by its version"
            }
            DeskError::NoAgency(_) => "import the agency's card first: `entente card import FILE`",
            DeskError::Fingerprint(_) => {
                "read the words out to each other over a known phone number, then import with --fingerprint \"...\""
            }
            DeskError::Denied { .. } => "`entente agreement show ID` tells what the agreement allows",
            DeskError::NotInForce { .. } => "`entente agreement show ID` tells whose signature is missing",
            DeskError::Listed { .. } => {
                "if it is meant nevertheless, confirm it: --confirm-benign, or \"confirm_benign\": true"
            }
            DeskError::NoBundle { .. } => "export without --since, which brings everything",
            DeskError::NotABundle(_) => "ask its maker for the file again; what came of other parts is kept",
            DeskError::NoList(_) => "`entente benign list` shows their names",
            DeskError::Store(_) => "see `entente status`, then `entente doctor`",
            _ => return None,
        })
    }
}
