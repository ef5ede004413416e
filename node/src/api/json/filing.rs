//! Reports on their way in: to be filed or revised, one or many, and what came of it.

use entente_protocol::address::SubAccount;
use entente_protocol::statement::draft::{Draft, DraftError, Field};
use entente_protocol::time::Time;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::benign::Benign;
use super::{Named, time};
use crate::api::problem::Problem;
use crate::api::strict::objects;
use crate::desk::{BenignEntry, Book, DeskError, Filed, Foreseen, Recipients, Retracted};

/// A report to be filed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportIn {
    /// What it is about, where that is an address: CAIP-10, chain and address, or any form that fits one chain alone.
    address: Option<String>,
    /// What it is about: an address, or `kind:value`, such as `domain:evil.example`. Either this or `address`.
    indicator: Option<String>,
    /// Who is meant at the address, where many share it and its text does not say.
    sub_account: Option<SubAccountIn>,
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
    /// Where it can be read up there: a page, a file, a number of theirs.
    reference: Option<String>,
    /// When the activity was first seen.
    observed_from: Option<String>,
    /// When it was last seen.
    observed_until: Option<String>,
    /// `routine`, `priority`, `immediate` or `flash`.
    precedence: Option<String>,
    /// `perpetrator`, `victim`, `intermediary` or `service`.
    role: Option<String>,
    /// What was lost, such as `0.25 BTC`.
    amounts: Option<Vec<String>>,
    /// How many were harmed.
    victims: Option<u64>,
    /// Hashes of evidence and what it is called, such as `sha256:9f86… chat.pdf`.
    evidence: Option<Vec<String>>,
    /// Terms of other vocabularies: scheme URI, `#`, id.
    terms: Option<Vec<String>>,
    /// Permissible actions: `red`, `amber`, `green` or `clear`.
    pap: Option<String>,
    /// Ids of agreements, or their beginnings of at least 8 digits; absent where exactly one is in force.
    #[serde(default)]
    pub(crate) agreements: Vec<String>,
    /// It is meant although a benign list names the address.
    #[serde(default)]
    pub(crate) confirm_benign: bool,
    /// What tells the row apart from others of its source; in a batch that names an `import` only.
    pub(crate) row: Option<String>,
    /// Only tell who would receive it, and what would deny it.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// Who is meant at an address that many share.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SubAccountIn {
    /// `destination tag`, `payment id`, `muxed id` or `memo`.
    kind: String,
    /// As its chain writes it.
    value: String,
}

/// A revision: what is absent stays as it was, and what is empty is taken back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevisionIn {
    /// The report's address; it cannot be changed.
    address: Option<String>,
    /// The report's indicator; it cannot be changed.
    indicator: Option<String>,
    /// The crime, such as `ransomware`.
    typology: Option<String>,
    /// Such as `B2`.
    grading: Option<String>,
    /// `red`, `amber+strict`, `amber`, `green` or `clear`.
    marking: Option<String>,
    /// Handling codes; none to take them back.
    handling: Option<Vec<String>>,
    /// The words of H3.
    handling_note: Option<String>,
    /// The own case reference; empty to take it back.
    case: Option<String>,
    /// What is known, in words; empty to take it back.
    description: Option<String>,
    /// Where it comes from; empty to take it back.
    source: Option<String>,
    /// Where it can be read up there; empty to take it back.
    reference: Option<String>,
    /// When the activity was first seen.
    observed_from: Option<String>,
    /// When it was last seen.
    observed_until: Option<String>,
    /// `routine`, `priority`, `immediate` or `flash`.
    precedence: Option<String>,
    /// The part in the crime; empty to take it back.
    role: Option<String>,
    /// What was lost; none to take it back.
    amounts: Option<Vec<String>>,
    /// How many were harmed.
    victims: Option<u64>,
    /// Hashes of evidence; none to take them back.
    evidence: Option<Vec<String>>,
    /// Terms of other vocabularies; none to take them back.
    terms: Option<Vec<String>>,
    /// Permissible actions; empty to take them back.
    pap: Option<String>,
}

/// Reports to be filed together.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchIn {
    /// At most 500; each is judged on its own.
    #[schema(max_items = 500)]
    #[serde(deserialize_with = "objects")]
    pub(crate) reports: Vec<ReportIn>,
    /// The agreements of reports that name none.
    #[serde(default)]
    pub(crate) agreements: Vec<String>,
    /// The name of the source whose rows these are: each then has a `row`, and the same row is the same report.
    pub(crate) import: Option<String>,
    /// Only tell what would become of each row; in a batch that names an `import` only.
    #[serde(default)]
    pub(crate) dry_run: bool,
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
    /// What benign lists say of the address.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    benign: Vec<Benign>,
}

/// One agreement that a report goes out under.
#[derive(Serialize, ToSchema)]
pub(crate) struct Under {
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
    /// Who would receive them; of a dry run only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) agreements: Option<Vec<Under>>,
}

/// What came of one report.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum BatchResult {
    /// It was filed.
    Filed {
        /// The report's id.
        id: String,
        /// Of a row of a source: `filed`, `revised`, `shared` or `unchanged`.
        #[serde(skip_serializing_if = "Option::is_none")]
        outcome: Option<&'static str>,
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

impl TryFrom<ReportIn> for Draft {
    type Error = Problem;

    fn try_from(report: ReportIn) -> Result<Self, Problem> {
        let sub_account = report.sub_account;
        let revision = RevisionIn {
            address: report.address,
            indicator: report.indicator,
            typology: Some(report.typology),
            grading: Some(report.grading),
            marking: Some(report.marking),
            handling: report.handling,
            handling_note: report.handling_note,
            case: report.case,
            description: report.description,
            source: report.source,
            reference: report.reference,
            observed_from: report.observed_from,
            observed_until: report.observed_until,
            precedence: report.precedence,
            role: report.role,
            amounts: report.amounts,
            victims: report.victims,
            evidence: report.evidence,
            terms: report.terms,
            pap: report.pap,
        };
        let mut draft = Draft::try_from(revision)?;
        if let (Some(given), Some((_, meant))) = (sub_account, &mut draft.indicator) {
            let read = SubAccount::read(&given.kind, &given.value);
            let rule = "its kind is destination tag, payment id, muxed id or memo, its value as the chain writes it";
            *meant = Some(read.ok_or_else(|| Problem::invalid("sub_account", rule))?);
        }
        Ok(draft)
    }
}

impl TryFrom<RevisionIn> for Draft {
    type Error = Problem;

    fn try_from(given: RevisionIn) -> Result<Self, Problem> {
        let mut draft = Draft::default();
        let about = match (given.address, given.indicator) {
            (Some(_), Some(_)) => return Err(Problem::invalid("address", "give it or indicator, not both")),
            (None, other) => other,
            // A bare address names no kind; what is said to be one is read as nothing else.
            (Some(address), None) => Some(format!("address:{address}")),
        };
        for (field, text) in [
            (Field::Indicator, about),
            (Field::Typology, given.typology),
            (Field::Grading, given.grading),
            (Field::Marking, given.marking),
            (Field::Case, given.case),
            (Field::Description, given.description),
            (Field::Source, given.source),
            (Field::Reference, given.reference),
            (Field::ObservedFrom, given.observed_from),
            (Field::ObservedUntil, given.observed_until),
            (Field::Precedence, given.precedence),
            (Field::Role, given.role),
            (Field::Victims, given.victims.map(|number| number.to_string())),
            (Field::Pap, given.pap),
        ] {
            text.map(|text| draft.set(field, &text)).transpose()?;
        }
        for (field, list) in [
            (Field::Handling, handling(given.handling, given.handling_note)?),
            (Field::Amounts, given.amounts),
            (Field::Evidence, given.evidence),
            (Field::Terms, given.terms),
        ] {
            list.map(|list| draft.set_list(field, &list)).transpose()?;
        }
        Ok(draft)
    }
}

impl From<DraftError> for Problem {
    fn from(error: DraftError) -> Self {
        DeskError::from(error).into()
    }
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
    pub(crate) fn of(book: &Book, recipients: &Recipients, state: &'static str) -> Self {
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
            benign: Vec::new(),
        }
    }

    /// What filing would come to.
    pub(crate) fn dry(book: &Book, now: Time, answers: Vec<Foreseen>, benign: Vec<BenignEntry>) -> Self {
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
        Self {
            id: None,
            revision: 0,
            created: time(now),
            agreements,
            denied: Some(denied),
            benign: benign.into_iter().map(Benign::from).collect(),
        }
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
