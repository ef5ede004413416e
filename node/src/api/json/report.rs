//! Reports as they are shown whole.

use entente_protocol::address;
use entente_protocol::handling::Handling;
use entente_protocol::statement::report::Report as Said;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Named, Titled, time};
use crate::desk::{Book, ReportDetail, ReportView, RetractionView};

/// An address.
#[derive(Serialize, ToSchema)]
pub(crate) struct Address {
    /// The chain, CAIP-2.
    chain: String,
    /// The one form of the address on its chain.
    canonical: String,
    /// The CAIP-10 account id.
    caip10: String,
}

/// Who is meant at an address that many share.
#[derive(Serialize, ToSchema)]
pub(crate) struct SubAccount {
    /// `destination tag`, `payment id`, `muxed id` or `memo`.
    kind: &'static str,
    /// As its chain writes it.
    value: String,
}

impl From<&address::SubAccount> for SubAccount {
    fn from(sub_account: &address::SubAccount) -> Self {
        Self { kind: sub_account.kind(), value: sub_account.to_string() }
    }
}

impl From<&address::Address> for Address {
    fn from(address: &address::Address) -> Self {
        Self { chain: address.chain().caip2(), canonical: address.canonical().to_owned(), caip10: address.caip10() }
    }
}

/// A report; of one that was retracted, only what identifies it and the retraction.
#[derive(Serialize, ToSchema)]
pub(crate) struct Report {
    /// Who made it.
    originator: Named,
    /// Its id, 32 hexadecimal digits; unique with the originator.
    id: String,
    /// What it says.
    #[serde(flatten)]
    #[schema(inline)]
    content: Option<Content>,
    /// Whether it was withdrawn.
    retracted: bool,
    /// Its withdrawal.
    #[serde(skip_serializing_if = "Option::is_none")]
    retraction: Option<Retraction>,
}

/// What a report says.
#[derive(Serialize, ToSchema)]
struct Content {
    /// 0 for the report, counted up by each revision.
    revision: u32,
    /// What it is about.
    address: Address,
    /// Who is meant at it, where many share it.
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_account: Option<SubAccount>,
    /// The crime.
    typology: String,
    /// How reliable and credible: codes of 4x4, or scheme and codes.
    grading: String,
    /// `red`, `amber+strict`, `amber`, `green` or `clear`.
    marking: String,
    /// Handling codes.
    handling: Vec<String>,
    /// The words of H3.
    #[serde(skip_serializing_if = "Option::is_none")]
    handling_note: Option<String>,
    /// The originator's case reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<String>,
    /// What is known, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// Where the originator has it from.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// `routine`, `priority`, `immediate` or `flash`.
    precedence: String,
    /// When this revision was made.
    created: String,
    /// When the activity was first seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    observed_from: Option<String>,
    /// When it was last seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    observed_until: Option<String>,
    /// When it came; absent while it waits in the own outbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    received: Option<String>,
    /// Under which agreements it is held.
    agreements: Vec<Titled>,
}

/// The withdrawal of a report.
#[derive(Serialize, ToSchema)]
struct Retraction {
    /// When.
    created: String,
    /// Why, where this node could read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Who confirmed it.
    confirmed_by: Vec<Confirmation>,
    /// Who has not.
    outstanding: Vec<Named>,
}

/// A holder that confirmed a withdrawal.
#[derive(Serialize, ToSchema)]
struct Confirmation {
    /// The agency's id.
    id: String,
    /// Its name.
    name: String,
    /// When.
    at: String,
}

impl Report {
    pub(crate) fn live(book: &Book, view: ReportView) -> Self {
        Self {
            originator: Named::of(book, view.originator),
            id: view.report.id.to_string(),
            content: Some(Content::of(book, view)),
            retracted: false,
            retraction: None,
        }
    }

    pub(crate) fn of(book: &Book, detail: ReportDetail) -> Self {
        Self {
            originator: Named::of(book, detail.originator),
            id: detail.report.to_string(),
            content: detail.view.map(|view| Content::of(book, view)),
            retracted: detail.retraction.is_some(),
            retraction: detail.retraction.map(|retraction| Retraction::of(book, retraction)),
        }
    }
}

impl Content {
    fn of(book: &Book, view: ReportView) -> Self {
        let said = view.report;
        let entente_protocol::statement::report::Indicator::Address(address) = &said.indicator;
        Self {
            revision: said.revision,
            address: address.into(),
            sub_account: said.sub_account.as_ref().map(Into::into),
            typology: said.typology.to_string(),
            grading: said.grading.to_string(),
            marking: said.marking.word().to_lowercase(),
            handling: codes(&said.handling),
            handling_note: note(&said),
            precedence: said.precedence.word().to_lowercase(),
            created: time(said.created),
            observed_from: said.observed_from.map(time),
            observed_until: said.observed_until.map(time),
            received: view.received.map(time),
            agreements: view.agreements.iter().map(|agreement| Titled::of(book, *agreement)).collect(),
            case: said.case,
            description: said.description,
            source: said.source,
        }
    }
}

impl Retraction {
    fn of(book: &Book, view: RetractionView) -> Self {
        let confirmed = view.confirmed.into_iter().map(|(agency, at)| {
            let Named { id, name } = Named::of(book, agency);
            Confirmation { id, name, at: time(at) }
        });
        Self {
            created: time(view.created),
            reason: view.reason,
            confirmed_by: confirmed.collect(),
            outstanding: view.outstanding.into_iter().map(|agency| Named::of(book, agency)).collect(),
        }
    }
}

/// The codes without the words of H3.
pub(super) fn codes(handling: &[Handling]) -> Vec<String> {
    handling.iter().map(|code| format!("H{}", code.to_wire())).collect()
}

/// The words of H3.
pub(super) fn note(said: &Said) -> Option<String> {
    said.handling.iter().find_map(Handling::words).map(str::to_owned)
}
