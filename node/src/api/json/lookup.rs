//! What is known of an indicator.

use std::borrow::Cow;

use entente_protocol::indicator::{self, Examined};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::benign::Benign;
use super::report::{Address, Claim, Indicator};
use super::{Named, time};
use crate::desk::{Book, LookupAnswer, ReportView};

/// Addresses and other indicators to look up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LookupsIn {
    /// At most 100,000, in any form: with their chain or kind, or without.
    #[schema(max_items = 100_000)]
    pub(crate) addresses: Vec<String>,
    /// The own reference of the case that this is read for.
    pub(crate) case: Option<String>,
    /// Why this is read.
    pub(crate) reason: Option<String>,
}

/// What is known of an indicator.
#[derive(Serialize, ToSchema)]
pub(crate) struct Lookup {
    /// What was asked; `[redacted]` where it may be a private key.
    input: String,
    /// `known`: there are live reports; `unknown`: there are none; `ambiguous`: there are none, and it may be several
    /// things, all of them looked up; `invalid`: it is nothing that can be looked up.
    outcome: Outcome,
    /// The address; null where the input is none, or may be one on several chains.
    address: Option<Address>,
    /// What was looked up; null where the input is nothing, or may be several things.
    indicator: Option<Indicator>,
    /// Everything that the input may be, the likeliest first, where its text does not tell.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    candidates: Vec<Indicator>,
    /// What was done to the input before it fitted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changed: Vec<String>,
    /// Every live report, newest first.
    reports: Vec<Known>,
    /// How many agencies say so first-hand: reports that name one source count once.
    distinct_originators: usize,
    /// How many reports on it were retracted.
    retracted: usize,
    /// What benign lists say that it is. Lists are not truth.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    benign: Vec<Benign>,
    /// Why the input is nothing that can be looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// What a lookup came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    /// There are live reports.
    Known,
    /// There are none.
    Unknown,
    /// There are none, and it may be several things.
    Ambiguous,
    /// Nothing that can be looked up.
    Invalid,
}

/// The last line of an answer to many lookups: how many there were of each outcome.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub(crate) struct Counts {
    /// Of all.
    lookups: u64,
    known: u64,
    unknown: u64,
    ambiguous: u64,
    invalid: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, outcome: Outcome) {
        self.lookups += 1;
        let count = match outcome {
            Outcome::Known => &mut self.known,
            Outcome::Unknown => &mut self.unknown,
            Outcome::Ambiguous => &mut self.ambiguous,
            Outcome::Invalid => &mut self.invalid,
        };
        *count += 1;
    }
}

/// A report as a lookup shows it.
#[derive(Serialize, ToSchema)]
struct Known {
    /// Who made it.
    originator: Named,
    /// Its id.
    id: String,
    /// What it says.
    #[serde(flatten)]
    #[schema(inline)]
    claim: Claim,
    /// Where it was seen, if on another chain than asked: one key holds an account on all EVM chains.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen_on: Option<Address>,
    /// What it is about, if that is something else than asked, such as a token of the contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<Indicator>,
    /// Ids of the agreements under which it is held.
    agreements: Vec<String>,
    /// When it came; null while it waits in the own outbox.
    received: Option<String>,
}

impl Lookup {
    /// The answer to a text that may be what was looked up.
    pub(crate) fn of(book: &Book, input: String, examined: &Examined, answer: LookupAnswer) -> Self {
        let one = examined.is_one();
        let asked = examined.readings.first().filter(|_| one).map(|reading| &reading.indicator);
        let outcome = match (answer.reports.is_empty(), one) {
            (false, _) => Outcome::Known,
            (true, true) => Outcome::Unknown,
            (true, false) => Outcome::Ambiguous,
        };
        let mut changed: Vec<String> = examined.changed.iter().map(Cow::to_string).collect();
        if one && examined.readings.len() > 1 {
            changed.push("no chain is named: the account is the same on all EVM chains".to_owned());
        }
        Self {
            input,
            outcome,
            address: asked.and_then(indicator::Indicator::address).map(Into::into),
            indicator: asked.map(Into::into),
            candidates: if one {
                Vec::new()
            } else {
                examined.readings.iter().map(|r| (&r.indicator).into()).collect()
            },
            changed,
            reports: answer.reports.into_iter().map(|view| Known::of(book, asked, view)).collect(),
            distinct_originators: answer.distinct_originators,
            retracted: answer.retracted,
            benign: answer.benign.into_iter().map(Benign::from).collect(),
            error: None,
        }
    }

    /// The answer to a text that is nothing that can be looked up.
    pub(crate) fn nothing(input: String, error: &indicator::IndicatorError) -> Self {
        // What opens a wallet is neither kept nor shown again.
        let input = if error.is_secret() { "[redacted]".to_owned() } else { input };
        Self {
            input,
            outcome: Outcome::Invalid,
            address: None,
            indicator: None,
            candidates: Vec::new(),
            changed: Vec::new(),
            reports: Vec::new(),
            distinct_originators: 0,
            retracted: 0,
            benign: Vec::new(),
            error: Some(error.to_string()),
        }
    }

    pub(crate) fn outcome(&self) -> Outcome {
        self.outcome
    }
}

impl Known {
    fn of(book: &Book, asked: Option<&indicator::Indicator>, view: ReportView) -> Self {
        let said = view.report;
        let other = (asked != Some(&said.indicator)).then_some(&said.indicator);
        Self {
            originator: Named::of(book, view.originator),
            id: said.id.to_string(),
            seen_on: other.and_then(indicator::Indicator::address).map(Into::into),
            about: other.filter(|other| other.address().is_none()).map(Into::into),
            agreements: view.agreements.iter().map(ToString::to_string).collect(),
            received: view.received.map(time),
            claim: said.into(),
        }
    }
}
