//! The terms of a proposal, with the keys of `terms.toml`.

use entente_protocol::id::VersionHash;
use serde::Deserialize;
use utoipa::ToSchema;

use super::read_time;
use crate::api::problem::Problem;
use crate::api::strict::objects;
use crate::desk::TermsInput;

/// The terms of a proposal.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Terms {
    /// What people call the agreement.
    title: String,
    /// What the statements may be used for.
    purpose: String,
    /// The law or treaty that allows the sharing.
    legal_basis: String,
    /// The first moment of validity: a time with its offset, or a day.
    valid_from: String,
    /// The end of validity, exclusive.
    valid_until: String,
    /// How long a statement may be kept, days.
    retention_days: u32,
    /// The strictest marking that may be shared, such as `amber`.
    marking_ceiling: String,
    /// The kinds of statements, such as `report` and `revision`.
    statement_kinds: Vec<String>,
    /// The typologies; none means all.
    typologies: Vec<String>,
    /// Who shares; the proposer is one of them.
    #[serde(deserialize_with = "objects")]
    party: Vec<PartyTerms>,
    /// The version that this one replaces, 64 hexadecimal digits.
    parent: Option<String>,
    /// When it replaces it.
    effective_from: Option<String>,
    /// How long entries under the parent are still admitted, hours.
    grace_hours: Option<u64>,
    /// The chains, by name or CAIP-2; none means all.
    chains: Option<Vec<String>>,
    /// `4x4`, `admiralty` or `uk3x5x2`; absent: any.
    required_grading: Option<String>,
    /// Handling codes of statements that carry none.
    handling: Option<Vec<String>>,
    /// Passing on under another agreement: `never`, `consent` or `purpose`.
    onward: Option<String>,
    /// Whether who joins receives what was shared before.
    history: Option<bool>,
    /// Statements that one log may carry in one UTC day.
    statements_per_day: Option<u64>,
    /// Bytes of statements that one log may carry in one UTC day.
    bytes_per_day: Option<u64>,
    /// How long retractions still pass after the end, days.
    run_off_days: Option<u32>,
    /// Whether this version ends the agreement; only where it replaces one.
    #[serde(default)]
    ends: bool,
    /// Only tell what it would say, and change.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// A party of a proposal.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PartyTerms {
    /// The agency's id, or a name that only one known agency has.
    agency: String,
    /// Whether it may publish.
    #[serde(default = "yes")]
    contribute: bool,
    /// Whether it is told.
    #[serde(default = "yes")]
    receive: bool,
}

const fn yes() -> bool {
    true
}

impl TryFrom<Terms> for TermsInput {
    type Error = Problem;

    fn try_from(terms: Terms) -> Result<Self, Problem> {
        let parent =
            terms.parent.map(|parent| parent.parse::<VersionHash>().map_err(|error| Problem::invalid("parent", error)));
        let effective_from = terms.effective_from.map(|text| read_time("effective_from", &text));
        Ok(Self {
            valid_from: read_time("valid_from", &terms.valid_from)?,
            valid_until: read_time("valid_until", &terms.valid_until)?,
            title: terms.title,
            purpose: terms.purpose,
            legal_basis: terms.legal_basis,
            retention_days: terms.retention_days,
            marking_ceiling: terms.marking_ceiling,
            statement_kinds: terms.statement_kinds,
            typologies: terms.typologies,
            parties: terms.party.into_iter().map(|party| (party.agency, party.contribute, party.receive)).collect(),
            parent: parent.transpose()?,
            effective_from: effective_from.transpose()?,
            grace_hours: terms.grace_hours,
            chains: terms.chains.unwrap_or_default(),
            required_grading: terms.required_grading,
            handling: terms.handling.unwrap_or_default(),
            onward: terms.onward,
            history: terms.history,
            statements_per_day: terms.statements_per_day,
            bytes_per_day: terms.bytes_per_day,
            run_off_days: terms.run_off_days,
            ends: terms.ends,
        })
    }
}
