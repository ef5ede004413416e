//! Reports on their way in: to be filed or revised, one or many, and what came of it.

use entente_protocol::time::Time;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Named, read_time, time};
use crate::api::problem::Problem;
use crate::desk::{Book, DeskError, Filed, Recipients, ReportInput, Retracted};

/// A report to be filed. For a revision all keys are optional, and what is absent stays as it was.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportIn {
    /// CAIP-10, or chain and address with a colon between them.
    address: String,
    /// The crime, such as `ransomware`.
    typology: String,
    /// Such as `B2` (4x4), `admiralty:B2` or `uk3x5x2:2CP`.
    grading: String,
    /// `red`, `amber+strict`, `amber`, `green` or `clear`.
    marking: String,
    /// Handling codes `H0` to `H3`.
    handling: Option<Vec<String>>,
    /// The words of H3.
    handling_note: Option<String>,
    /// The own case reference.
    case: Option<String>,
    /// What is known, in words.
    description: Option<String>,
    /// Where it comes from; reports that name the same source count once.
    source: Option<String>,
    /// When the activity was first seen.
    observed_from: Option<String>,
    /// When it was last seen.
    observed_until: Option<String>,
    /// `routine`, `priority`, `immediate` or `flash`.
    precedence: Option<String>,
    /// Ids of agreements, or their beginnings of at least 8 digits; absent where exactly one is in force.
    #[serde(default)]
    pub(crate) agreements: Vec<String>,
    /// Only tell who would receive it, and what would deny it.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// A revision: what is absent stays as it was.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevisionIn {
    /// The report's address; it cannot be changed.
    address: Option<String>,
    /// The crime, such as `ransomware`.
    typology: Option<String>,
    /// Such as `B2`.
    grading: Option<String>,
    /// `red`, `amber+strict`, `amber`, `green` or `clear`.
    marking: Option<String>,
    /// Handling codes `H0` to `H3`; none to take them back.
    handling: Option<Vec<String>>,
    /// The words of H3.
    handling_note: Option<String>,
    /// The own case reference; empty to take it back.
    case: Option<String>,
    /// What is known, in words; empty to take it back.
    description: Option<String>,
    /// Where it comes from; empty to take it back.
    source: Option<String>,
    /// When the activity was first seen.
    observed_from: Option<String>,
    /// When it was last seen.
    observed_until: Option<String>,
    /// `routine`, `priority`, `immediate` or `flash`.
    precedence: Option<String>,
}

/// Reports to be filed together.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchIn {
    /// At most 500; each is judged on its own.
    #[schema(max_items = 500)]
    pub(crate) reports: Vec<ReportIn>,
    /// The agreements of reports that name none.
    #[serde(default)]
    pub(crate) agreements: Vec<String>,
}

/// A report that was filed, or would be.
#[derive(Serialize, ToSchema)]
pub(crate) struct Filing {
    /// The report's id; null where it was not filed.
    id: Option<String>,
    /// Its revision.
    revision: u32,
    /// When it was made.
    created: String,
    /// Under which agreements it goes out, and to whom.
    agreements: Vec<Under>,
    /// What the agreements would deny; only where it was not filed.
    #[serde(skip_serializing_if = "Option::is_none")]
    denied: Option<Vec<Denied>>,
}

/// One agreement that a report goes out under.
#[derive(Serialize, ToSchema)]
struct Under {
    /// The agreement's id.
    id: String,
    /// Its title.
    title: String,
    /// Who receives it.
    recipients: Vec<Named>,
    /// `published`; `waiting` until logs were compared with a party; `unsent` where it was not filed.
    state: &'static str,
}

/// One agreement that would deny a report.
#[derive(Serialize, ToSchema)]
struct Denied {
    /// The agreement's id.
    agreement: String,
    /// Which term.
    term: &'static str,
    /// Why, with the values that decide.
    detail: String,
}

/// What came of each report, in their order.
#[derive(Serialize, ToSchema)]
pub(crate) struct BatchResults {
    /// An id or a problem for each.
    pub(crate) results: Vec<BatchResult>,
}

/// What came of one report.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum BatchResult {
    /// It was filed.
    Filed {
        /// The report's id.
        id: String,
    },
    /// It was not.
    Not {
        /// Why.
        problem: Problem,
    },
}

/// A report that was revised.
#[derive(Serialize, ToSchema)]
pub(crate) struct Revised {
    /// The report's id.
    id: String,
    /// The new revision.
    revision: u32,
}

/// A report that was withdrawn.
#[derive(Serialize, ToSchema)]
pub(crate) struct Withdrawn {
    /// The report's id.
    id: String,
    /// The last revision that is withdrawn.
    up_to_revision: u32,
    /// Who holds it and will confirm.
    holders: Vec<Named>,
}

impl TryFrom<ReportIn> for ReportInput {
    type Error = Problem;

    fn try_from(report: ReportIn) -> Result<Self, Problem> {
        let revision = RevisionIn {
            address: Some(report.address),
            typology: Some(report.typology),
            grading: Some(report.grading),
            marking: Some(report.marking),
            handling: report.handling,
            handling_note: report.handling_note,
            case: report.case,
            description: report.description,
            source: report.source,
            observed_from: report.observed_from,
            observed_until: report.observed_until,
            precedence: report.precedence,
        };
        revision.try_into()
    }
}

impl TryFrom<RevisionIn> for ReportInput {
    type Error = Problem;

    fn try_from(report: RevisionIn) -> Result<Self, Problem> {
        Ok(Self {
            address: report.address,
            typology: report.typology,
            grading: report.grading,
            marking: report.marking,
            handling: handling(report.handling, report.handling_note)?,
            case: report.case,
            description: report.description,
            source: report.source,
            observed_from: optional("observed_from", report.observed_from.as_deref())?,
            observed_until: optional("observed_until", report.observed_until.as_deref())?,
            precedence: report.precedence,
        })
    }
}

fn optional(field: &str, text: Option<&str>) -> Result<Option<Time>, Problem> {
    text.map(|text| read_time(field, text)).transpose()
}

/// Puts the words of H3 to their code: `H3` and a note say the same as `H3: note`.
fn handling(codes: Option<Vec<String>>, note: Option<String>) -> Result<Option<Vec<String>>, Problem> {
    let Some(note) = note else { return Ok(codes) };
    let mut codes = codes.unwrap_or_default();
    let bare: Vec<usize> = (0..codes.len()).filter(|index| codes[*index].trim().eq_ignore_ascii_case("H3")).collect();
    let [index] = bare[..] else {
        return Err(Problem::invalid(
            "handling_note",
            "it holds the words of the handling code H3, which is not given",
        ));
    };
    codes[index] = format!("H3: {note}");
    Ok(Some(codes))
}

impl Under {
    fn of(book: &Book, recipients: &Recipients, state: &'static str) -> Self {
        Self {
            id: recipients.agreement.to_string(),
            title: recipients.title.clone(),
            recipients: recipients.agencies.iter().map(|agency| Named::of(book, *agency)).collect(),
            state,
        }
    }
}

impl Filing {
    pub(crate) fn of(book: &Book, filed: &Filed) -> Self {
        let state = |published| if published { "published" } else { "waiting" };
        let under = filed.under.iter().map(|under| Under::of(book, &under.recipients, state(under.published)));
        Self {
            id: Some(filed.report.to_string()),
            revision: filed.revision,
            created: time(filed.created),
            agreements: under.collect(),
            denied: None,
        }
    }

    /// What filing would come to.
    pub(crate) fn dry(book: &Book, now: Time, answers: Vec<(Recipients, Result<(), DeskError>)>) -> Self {
        let (mut agreements, mut denied) = (Vec::new(), Vec::new());
        for (recipients, answer) in answers {
            let Err(error) = answer else {
                agreements.push(Under::of(book, &recipients, "unsent"));
                continue;
            };
            let (term, detail) = match &error {
                DeskError::Denied { term, .. } => (term.slug(), term.to_string()),
                other => ("unsettled", other.to_string()),
            };
            denied.push(Denied { agreement: recipients.agreement.to_string(), term, detail });
        }
        Self { id: None, revision: 0, created: time(now), agreements, denied: Some(denied) }
    }
}

impl From<Filed> for Revised {
    fn from(filed: Filed) -> Self {
        Self { id: filed.report.to_string(), revision: filed.revision }
    }
}

impl Withdrawn {
    pub(crate) fn of(book: &Book, retracted: &Retracted) -> Self {
        Self {
            id: retracted.report.to_string(),
            up_to_revision: retracted.up_to_revision,
            holders: retracted.holders.iter().map(|agency| Named::of(book, *agency)).collect(),
        }
    }
}
