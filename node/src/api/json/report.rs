//! Reports as they are shown whole.

use entente_protocol::address;
use entente_protocol::handling::Handling;
use entente_protocol::indicator;
use entente_protocol::statement::details::{Pap, Role};
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

/// An indicator.
#[derive(Serialize, ToSchema)]
pub(crate) struct Indicator {
    /// `address`, `transaction`, `token`, `domain`, `url`, `ip`, `email`, `phone`, `handle`, `bank-account`,
    /// `exchange-account`, `file-hash`, `app` or `media-fingerprint`.
    kind: &'static str,
    /// As it is written where an indicator is asked for.
    text: String,
    /// The one form of it; of an address without its chain.
    canonical: String,
    /// The chain, CAIP-2, of an address, a transaction or a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    chain: Option<String>,
}

impl From<&indicator::Indicator> for Indicator {
    fn from(indicator: &indicator::Indicator) -> Self {
        Self {
            kind: indicator.kind_word(),
            text: indicator.to_string(),
            canonical: indicator.canonical().to_owned(),
            chain: indicator.chain().map(address::Chain::caip2),
        }
    }
}

/// What a report says.
#[derive(Serialize, ToSchema)]
struct Content {
    /// What it is about, if that is an address.
    address: Option<Address>,
    /// What it is about.
    indicator: Indicator,
    /// What it says of it.
    #[serde(flatten)]
    #[schema(inline)]
    claim: Claim,
    /// When it came; absent while it waits in the own outbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    received: Option<String>,
    /// Under which agreements it is held.
    agreements: Vec<Titled>,
}

/// What a report says of its indicator.
#[derive(Serialize, ToSchema)]
pub(crate) struct Claim {
    /// 0 for the report, counted up by each revision.
    revision: u32,
    /// Who is meant at the address, where many share it.
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_account: Option<SubAccount>,
    /// The crime: an id of our vocabulary, or scheme URI, `#`, id.
    typology: String,
    /// Its name; of another vocabulary the id as it came.
    typology_name: String,
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
    /// Where it can be read up there.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// `perpetrator`, `victim`, `intermediary` or `service`.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    /// What was lost: number and asset.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    amounts: Vec<String>,
    /// How many were harmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    victims: Option<u64>,
    /// Hashes of evidence and what it is called.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<String>,
    /// Terms of other vocabularies, as they came.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    terms: Vec<String>,
    /// Permissible actions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pap: Option<&'static str>,
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
        Self {
            address: view.report.indicator.address().map(Into::into),
            indicator: (&view.report.indicator).into(),
            received: view.received.map(time),
            agreements: view.agreements.iter().map(|agreement| Titled::of(book, *agreement)).collect(),
            claim: view.report.into(),
        }
    }
}

impl From<Said> for Claim {
    fn from(said: Said) -> Self {
        fn texts<T: ToString>(list: &[T]) -> Vec<String> {
            list.iter().map(ToString::to_string).collect()
        }
        Self {
            revision: said.revision,
            sub_account: said.sub_account.as_ref().map(Into::into),
            typology: said.typology.to_string(),
            typology_name: said.typology.name().to_owned(),
            grading: said.grading.to_string(),
            marking: said.marking.word().to_lowercase(),
            handling: codes(&said.handling),
            handling_note: said.handling.iter().find_map(Handling::words).map(str::to_owned),
            role: said.role.map(Role::word),
            amounts: texts(&said.amounts),
            victims: said.victims,
            evidence: texts(&said.evidence),
            terms: said.terms.iter().map(|term| format!("{}#{}", term.scheme(), term.id())).collect(),
            pap: said.pap.map(Pap::word),
            precedence: said.precedence.word().to_lowercase(),
            created: time(said.created),
            observed_from: said.observed_from.map(time),
            observed_until: said.observed_until.map(time),
            case: said.case,
            description: said.description,
            source: said.source,
            reference: said.reference,
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
fn codes(handling: &[Handling]) -> Vec<String> {
    handling.iter().map(|code| format!("H{}", code.to_wire())).collect()
}
