//! Agreements as they are shown, and what comes of an answer.

use entente_protocol::agreement::State;
use entente_protocol::grading::GradingScheme;
use entente_protocol::id::{AgencyId, VersionHash};
use entente_protocol::statement::kind::StatementKind;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::filing::ReportIn;
use super::{Named, Titled, time};
use crate::api::problem::Problem;
use crate::desk::{self, AgreementView, Answered, Asked, Book, DeskError, Foresight, PartyAnswer, PartyView, Reach};

/// An agreement: the version asked for, or else the one in force, or the newest there is.
#[derive(Serialize, ToSchema)]
pub(crate) struct Agreement {
    /// Its id, 64 hexadecimal digits.
    pub(crate) id: String,
    /// The version's hash.
    pub(crate) version: String,
    /// The version that it replaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    /// What people call it.
    title: String,
    /// What the statements may be used for.
    purpose: String,
    /// The law or treaty that allows the sharing.
    legal_basis: String,
    /// `proposed`, `signed` (by all, and not yet in force), `in_force`, `rejected`, `lapsed` or `ended`.
    state: &'static str,
    /// The first moment of validity.
    valid_from: String,
    /// The end of validity, exclusive.
    valid_until: String,
    /// When it takes effect, at the earliest.
    effective_from: String,
    /// How long a statement may be kept, days.
    retention_days: u32,
    /// The strictest marking that may be shared.
    marking_ceiling: String,
    /// The kinds of statements that may be shared.
    statement_kinds: Vec<String>,
    /// The typologies; none means all.
    typologies: Vec<String>,
    /// The chains, CAIP-2; none means all.
    chains: Vec<String>,
    /// The scheme in which reports must be graded.
    #[serde(skip_serializing_if = "Option::is_none")]
    required_grading: Option<&'static str>,
    /// Handling codes of statements that carry none.
    handling: Vec<String>,
    /// Passing on under another agreement: `never`, `consent` or `purpose`.
    onward: &'static str,
    /// Whether who joins receives what was shared before.
    history: bool,
    /// Statements that one log may carry in one UTC day.
    statements_per_day: u64,
    /// Bytes of statements that one log may carry in one UTC day.
    bytes_per_day: u64,
    /// Who shares.
    parties: Vec<Party>,
    /// Ids of the agencies whose signature is missing.
    missing: Vec<String>,
    /// Hashes of the agreement's versions that wait for this agency's answer, newest first.
    open: Vec<String>,
    /// `live` or `exercise`.
    mode: String,
    /// The id of the agency that proposed it.
    proposer: String,
    /// How long entries under the version before are still admitted, hours.
    grace_hours: u64,
    /// How long retractions still pass to those who leave, and after the end, days.
    run_off_days: u32,
    /// Whether this version ends the agreement.
    ends: bool,
    /// When this agency left the agreement.
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<String>,
    /// What it says, in plain words.
    words: Vec<String>,
    /// What it changes of the version that it replaces.
    changes: Vec<Change>,
}

/// A term that a version changes.
#[derive(Serialize, ToSchema)]
pub(crate) struct Change {
    /// The key of `terms.toml`, or `party` and the agency's name.
    term: String,
    /// As it was.
    before: String,
    /// As it would be.
    after: String,
}

/// What a proposal would say; nothing was signed.
#[derive(Serialize, ToSchema)]
pub(crate) struct Foretold {
    /// In plain words.
    words: Vec<String>,
    /// What it would change of the version that it replaces.
    changes: Vec<Change>,
}

/// What a report would come to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DryRunInput {
    /// The id of an own report.
    report: Option<String>,
    /// A report that is not filed. Either this or `report`.
    draft: Option<ReportIn>,
}

/// What a report would come to under an agreement.
#[derive(Serialize, ToSchema)]
pub(crate) struct DryRun {
    /// The agreement.
    agreement: Titled,
    /// Whether the agreement lets it pass.
    permitted: bool,
    /// The term that decides, such as `marking-ceiling`.
    #[serde(skip_serializing_if = "Option::is_none")]
    term: Option<&'static str>,
    /// Why, with the values that decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// Every party, and whether it would receive the report.
    parties: Vec<Reached>,
}

/// A party that would receive a report, or not.
#[derive(Serialize, ToSchema)]
struct Reached {
    /// Which.
    agency: Named,
    /// Whether it would.
    receives: bool,
    /// Why.
    why: &'static str,
    /// When it left.
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<String>,
}

impl TryFrom<DryRunInput> for Asked {
    type Error = Problem;

    fn try_from(input: DryRunInput) -> Result<Self, Problem> {
        match (input.report, input.draft) {
            (Some(id), None) => id
                .parse()
                .map(Asked::Own)
                .map_err(|_| Problem::invalid("report", "an id of 32 hexadecimal digits is needed")),
            (None, Some(draft)) => Ok(Asked::Draft(Box::new(draft.try_into()?))),
            _ => Err(Problem::invalid("report", "either this or `draft` is needed")),
        }
    }
}

impl DryRun {
    pub(crate) fn of(book: &Book, foresight: Foresight) -> Self {
        let (term, detail) = match foresight.answer {
            Ok(()) => (None, None),
            Err(DeskError::Denied { term, .. }) => (Some(term.slug()), Some(term.to_string())),
            Err(other) => (Some("unsettled"), Some(other.to_string())),
        };
        let reached = |(agency, reach): (AgencyId, Reach)| Reached {
            agency: Named::of(book, agency),
            receives: reach == Reach::Receives,
            why: reach.words(),
            left: if let Reach::Left(left) = reach { Some(time(left)) } else { None },
        };
        Self {
            agreement: Titled { id: foresight.agreement.to_string(), title: foresight.title },
            permitted: term.is_none(),
            term,
            detail,
            parties: foresight.parties.into_iter().map(reached).collect(),
        }
    }
}

impl From<desk::Foretold> for Foretold {
    fn from(foretold: desk::Foretold) -> Self {
        Self { words: foretold.words, changes: foretold.changes.into_iter().map(Change::from).collect() }
    }
}

impl From<entente_protocol::agreement::compare::Change> for Change {
    fn from(change: entente_protocol::agreement::compare::Change) -> Self {
        Self { term: change.term, before: change.before, after: change.after }
    }
}

/// A party of an agreement.
#[derive(Serialize, ToSchema)]
struct Party {
    /// The agency's id.
    agency: String,
    /// Its name.
    name: String,
    /// `self`, `pinned` or `vouched`.
    trust: &'static str,
    /// Whether it may publish.
    contribute: bool,
    /// Whether it is told.
    receive: bool,
    /// `signed`, `rejected` or `none`.
    answer: &'static str,
    /// When it answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    answered_at: Option<String>,
    /// Why it rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// An agreement that was proposed, and signed for this agency.
#[derive(Serialize, ToSchema)]
pub(crate) struct Proposed {
    /// The agreement's id.
    pub(crate) id: String,
    /// The version's hash.
    pub(crate) version: String,
    /// All of it.
    pub(crate) agreement: Agreement,
}

/// An answer that was given.
#[derive(Serialize, ToSchema)]
pub(crate) struct Answer {
    /// The agreement's id.
    id: String,
    /// The version that was answered.
    version: String,
    /// Its state now.
    state: &'static str,
}

/// What is signed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignatureInput {
    /// The hash of the version; needed where several wait for an answer.
    version: Option<String>,
}

/// What is rejected, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RejectionInput {
    /// The hash of the version; needed where several wait for an answer.
    version: Option<String>,
    /// Why, in words; the other parties read it.
    pub(crate) reason: String,
}

impl SignatureInput {
    pub(crate) fn version(&self) -> Result<Option<VersionHash>, Problem> {
        version(self.version.as_deref())
    }
}

impl RejectionInput {
    pub(crate) fn version(&self) -> Result<Option<VersionHash>, Problem> {
        version(self.version.as_deref())
    }
}

fn version(text: Option<&str>) -> Result<Option<VersionHash>, Problem> {
    let read = |text: &str| {
        text.parse().map(VersionHash).map_err(|_| Problem::invalid("version", "not 64 hexadecimal digits"))
    };
    text.map(read).transpose()
}

/// Why a report is retracted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReasonInput {
    /// Why, in words; those concerned read it.
    pub(crate) reason: String,
}

impl From<AgreementView> for Agreement {
    fn from(view: AgreementView) -> Self {
        let terms = view.payload.terms;
        let missing = match &view.state {
            State::Proposed { missing } => missing.iter().map(AgencyId::to_string).collect(),
            _ => Vec::new(),
        };
        Self {
            id: view.id.to_string(),
            version: view.version.to_string(),
            parent: view.payload.parent.map(|parent| parent.to_string()),
            title: view.payload.title,
            purpose: view.payload.purpose,
            legal_basis: view.payload.legal_basis,
            state: word(&view.state),
            valid_from: time(view.payload.valid_from),
            valid_until: time(view.payload.valid_until),
            effective_from: time(view.payload.effective_from.unwrap_or(view.payload.valid_from)),
            retention_days: terms.retention_days,
            marking_ceiling: terms.marking_ceiling.word().to_lowercase(),
            statement_kinds: terms.kinds.iter().map(|number| kind(*number)).collect(),
            typologies: terms.typologies.iter().map(ToString::to_string).collect(),
            chains: terms.chains,
            required_grading: terms.required_grading.map(GradingScheme::name),
            handling: terms.handling.iter().map(ToString::to_string).collect(),
            onward: terms.onward.word(),
            history: terms.history,
            statements_per_day: terms.statements_per_day,
            bytes_per_day: terms.bytes_per_day,
            parties: view.parties.into_iter().map(Party::from).collect(),
            missing,
            open: view.open.iter().map(ToString::to_string).collect(),
            mode: view.mode.to_string(),
            proposer: view.payload.proposer.to_string(),
            grace_hours: view.payload.grace_ms / (60 * 60 * 1000),
            run_off_days: view.payload.run_off_days,
            ends: view.payload.ends,
            left: view.left.map(time),
            words: view.foretold.words,
            changes: view.foretold.changes.into_iter().map(Change::from).collect(),
        }
    }
}

impl From<PartyView> for Party {
    fn from(view: PartyView) -> Self {
        let (answer, answered_at, reason) = match view.answer {
            None => ("none", None, None),
            Some(PartyAnswer::Signed { at }) => ("signed", Some(time(at)), None),
            Some(PartyAnswer::Rejected { at, reason }) => ("rejected", Some(time(at)), Some(reason)),
        };
        Self {
            agency: view.party.agency.to_string(),
            name: view.name,
            trust: view.trust.word(),
            contribute: view.party.contribute,
            receive: view.party.receive,
            answer,
            answered_at,
            reason,
        }
    }
}

impl From<AgreementView> for Proposed {
    fn from(view: AgreementView) -> Self {
        Self { id: view.id.to_string(), version: view.version.to_string(), agreement: view.into() }
    }
}

impl From<Answered> for Answer {
    fn from(answered: Answered) -> Self {
        Self { id: answered.id.to_string(), version: answered.version.to_string(), state: word(&answered.state) }
    }
}

/// The state in a word. A contested version waits for a rejection like any other that is proposed.
fn word(state: &State) -> &'static str {
    match state {
        State::Proposed { .. } | State::Contested { .. } => "proposed",
        State::Agreed { .. } => "signed",
        State::InForce { .. } => "in_force",
        State::Rejected { .. } => "rejected",
        State::Lapsed => "lapsed",
        State::Closed { .. } | State::Ended { .. } => "ended",
    }
}

fn kind(number: u64) -> String {
    StatementKind::of_number(number).map_or_else(|| number.to_string(), |kind| kind.word().to_owned())
}
