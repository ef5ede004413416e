//! What is known of an address.

use entente_protocol::address;
use entente_protocol::statement::report::Indicator;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::report::{Address, SubAccount, codes, note};
use super::{Named, time};
use crate::desk::{Book, LookupAnswer, ReportView};

/// Addresses to look up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LookupsIn {
    /// At most 10,000, each as CAIP-10 or chain and address.
    #[schema(max_items = 10000)]
    pub(crate) addresses: Vec<String>,
    /// The own reference of the case that this is read for.
    pub(crate) case: Option<String>,
    /// Why this is read.
    pub(crate) reason: Option<String>,
}

/// What is known of an address.
#[derive(Serialize, ToSchema)]
pub(crate) struct Lookup {
    /// What was asked.
    input: String,
    /// The address; null where the input is none.
    address: Option<Address>,
    /// Every live report, newest first.
    reports: Vec<Known>,
    /// How many agencies say so first-hand: reports that name one source count once.
    distinct_originators: usize,
    /// How many reports on it were retracted.
    retracted: usize,
    /// Why the input is no address.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// A report as a lookup shows it.
#[derive(Serialize, ToSchema)]
struct Known {
    /// Who made it.
    originator: Named,
    /// Its id.
    id: String,
    /// 0 for the report, counted up by each revision.
    revision: u32,
    /// Who is meant at the address, where many share it.
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_account: Option<SubAccount>,
    /// The crime.
    typology: String,
    /// How reliable and credible.
    grading: String,
    /// `red`, `amber+strict`, `amber`, `green` or `clear`.
    marking: String,
    /// Handling codes.
    handling: Vec<String>,
    /// The words of H3.
    #[serde(skip_serializing_if = "Option::is_none")]
    handling_note: Option<String>,
    /// The originator's case reference.
    case: Option<String>,
    /// Where it was seen, if on another chain than asked: one key holds an account on all EVM chains.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen_on: Option<Address>,
    /// When this revision was made.
    created: String,
    /// Ids of the agreements under which it is held.
    agreements: Vec<String>,
    /// What is known, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// Where the originator has it from.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// When it came; null while it waits in the own outbox.
    received: Option<String>,
}

impl Lookup {
    pub(crate) fn of(book: &Book, input: String, address: &address::Address, answer: LookupAnswer) -> Self {
        Self {
            input,
            address: Some(address.into()),
            reports: answer.reports.into_iter().map(|view| Known::of(book, address, view)).collect(),
            distinct_originators: answer.distinct_originators,
            retracted: answer.retracted,
            error: None,
        }
    }

    pub(crate) fn no_address(input: String, error: &address::AddressError) -> Self {
        // What opens a wallet is neither kept nor shown again.
        let input = if error.is_secret() { "[redacted]".to_owned() } else { input };
        let error = Some(error.to_string());
        Self { input, address: None, reports: Vec::new(), distinct_originators: 0, retracted: 0, error }
    }
}

impl Known {
    fn of(book: &Book, asked: &address::Address, view: ReportView) -> Self {
        let said = view.report;
        let Indicator::Address(seen) = &said.indicator;
        Self {
            originator: Named::of(book, view.originator),
            id: said.id.to_string(),
            revision: said.revision,
            sub_account: said.sub_account.as_ref().map(Into::into),
            typology: said.typology.to_string(),
            grading: said.grading.to_string(),
            marking: said.marking.word().to_lowercase(),
            handling: codes(&said.handling),
            handling_note: note(&said),
            seen_on: (seen != asked).then(|| seen.into()),
            created: time(said.created),
            agreements: view.agreements.iter().map(ToString::to_string).collect(),
            received: view.received.map(time),
            case: said.case,
            description: said.description,
            source: said.source,
        }
    }
}
