//! The parts of the node's answers that tables show. What `--json` prints does not pass here.

use entente_protocol::identity::{CardExport, Fingerprint};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// An agency, or another thing with a name.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Named {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// An agreement as others refer to it.
#[derive(Debug, Deserialize)]
pub(crate) struct Titled {
    pub(crate) id: String,
    pub(crate) title: String,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Agency {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) country: String,
    pub(crate) kind: String,
    pub(crate) contact: String,
    pub(crate) mode: String,
    pub(crate) serial: u64,
    pub(crate) fingerprint: String,
    pub(crate) qr: String,
    pub(crate) trust: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) valid_until: Option<String>,
    #[serde(default)]
    pub(crate) addresses: Vec<String>,
}

impl Agency {
    /// What a card's file says, where no node is asked.
    pub(crate) fn of(export: &CardExport, trust: &str) -> Self {
        let card = export.card().card();
        let fingerprint = Fingerprint::of(card.agency);
        Self {
            id: card.agency.to_string(),
            name: card.name.clone(),
            country: card.country.to_string(),
            kind: card.kind.to_string(),
            contact: card.contact.clone(),
            mode: export.card().mode().to_string(),
            serial: card.serial.into(),
            fingerprint: fingerprint.to_string(),
            qr: fingerprint.qr_payload(),
            trust: trust.to_owned(),
            valid_until: None,
            addresses: export.addresses().iter().flat_map(|signed| signed.record().addresses.clone()).collect(),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Card {
    pub(crate) agency: Agency,
    pub(crate) export: String,
}

/// The own card, with what it says as the node wrote it.
#[derive(Debug, Deserialize)]
pub(crate) struct CardAsWritten<'a> {
    #[serde(borrow)]
    pub(crate) agency: &'a RawValue,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Imported {
    pub(crate) agency: Agency,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Agreement {
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) title: String,
    pub(crate) purpose: String,
    pub(crate) legal_basis: String,
    pub(crate) state: String,
    pub(crate) valid_from: String,
    pub(crate) valid_until: String,
    pub(crate) effective_from: String,
    pub(crate) retention_days: u64,
    pub(crate) marking_ceiling: String,
    pub(crate) statement_kinds: Vec<String>,
    pub(crate) typologies: Vec<String>,
    pub(crate) chains: Vec<String>,
    pub(crate) required_grading: Option<String>,
    pub(crate) handling: Vec<String>,
    pub(crate) onward: String,
    pub(crate) history: bool,
    pub(crate) statements_per_day: u64,
    pub(crate) bytes_per_day: u64,
    pub(crate) parties: Vec<Party>,
    pub(crate) missing: Vec<String>,
    #[serde(default)]
    pub(crate) open: Vec<String>,
    pub(crate) mode: String,
    pub(crate) proposer: String,
    pub(crate) grace_hours: u64,
    pub(crate) run_off_days: u64,
    pub(crate) ends: bool,
    pub(crate) left: Option<String>,
    pub(crate) words: Vec<String>,
    pub(crate) changes: Vec<Change>,
}

/// A term that a version changes.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Change {
    pub(crate) term: String,
    pub(crate) before: String,
    pub(crate) after: String,
}

/// What a proposal would say.
#[derive(Debug, Deserialize)]
pub(crate) struct Foretold {
    pub(crate) words: Vec<String>,
    pub(crate) changes: Vec<Change>,
}

/// What a report would come to under an agreement.
#[derive(Debug, Deserialize)]
pub(crate) struct DryRun {
    pub(crate) agreement: Titled,
    pub(crate) term: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) parties: Vec<Reached>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Reached {
    pub(crate) agency: Named,
    pub(crate) receives: bool,
    pub(crate) why: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Party {
    pub(crate) agency: String,
    pub(crate) name: String,
    pub(crate) trust: String,
    pub(crate) contribute: bool,
    pub(crate) receive: bool,
    pub(crate) answer: String,
    pub(crate) answered_at: Option<String>,
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Proposed {
    pub(crate) agreement: Agreement,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Answered {
    pub(crate) id: String,
    pub(crate) state: String,
}

/// A report that was filed, or would be.
#[derive(Debug, Deserialize)]
pub(crate) struct Filing {
    pub(crate) id: Option<String>,
    pub(crate) agreements: Vec<FiledUnder>,
    #[serde(default)]
    pub(crate) denied: Vec<Denied>,
    #[serde(default)]
    pub(crate) benign: Vec<Benign>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct FiledUnder {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) recipients: Vec<Named>,
    pub(crate) state: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Denied {
    pub(crate) agreement: String,
    pub(crate) term: String,
    pub(crate) detail: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Revised {
    pub(crate) id: String,
    pub(crate) revision: u64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Retracted {
    pub(crate) id: String,
    pub(crate) up_to_revision: u64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Address {
    pub(crate) chain: String,
    pub(crate) canonical: String,
}

impl Address {
    pub(crate) fn short(&self) -> String {
        format!("{}:{}", self.chain, self.canonical)
    }
}

/// A report that was not retracted.
#[derive(Debug, Deserialize)]
pub(crate) struct WholeReport {
    pub(crate) originator: Named,
    pub(crate) id: String,
    pub(crate) revision: u64,
    pub(crate) indicator: Indicator,
    pub(crate) sub_account: Option<SubAccount>,
    pub(crate) typology: String,
    pub(crate) grading: String,
    pub(crate) marking: String,
    #[serde(default)]
    pub(crate) handling: Vec<String>,
    pub(crate) handling_note: Option<String>,
    pub(crate) case: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) role: Option<String>,
    #[serde(default)]
    pub(crate) amounts: Vec<String>,
    pub(crate) victims: Option<u64>,
    #[serde(default)]
    pub(crate) evidence: Vec<String>,
    #[serde(default)]
    pub(crate) terms: Vec<String>,
    pub(crate) pap: Option<String>,
    pub(crate) precedence: String,
    pub(crate) created: String,
    pub(crate) observed_from: Option<String>,
    pub(crate) observed_until: Option<String>,
    pub(crate) received: Option<String>,
    #[serde(default)]
    pub(crate) agreements: Vec<Titled>,
}

/// What is told of every report; of a retracted one it is all that is left.
#[derive(Debug, Deserialize)]
pub(crate) struct Report {
    pub(crate) originator: Named,
    pub(crate) id: String,
    pub(crate) retracted: bool,
    pub(crate) retraction: Option<Retraction>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Retraction {
    pub(crate) created: String,
    pub(crate) reason: Option<String>,
    #[serde(default)]
    pub(crate) confirmed_by: Vec<Confirmation>,
    #[serde(default)]
    pub(crate) outstanding: Vec<Named>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Confirmation {
    pub(crate) name: String,
    pub(crate) at: String,
}

/// An indicator, as it is written where one is asked for.
#[derive(Debug, Deserialize)]
pub(crate) struct Indicator {
    pub(crate) text: String,
}

/// What a benign list says.
#[derive(Debug, Deserialize)]
pub(crate) struct Benign {
    pub(crate) label: String,
    pub(crate) list: String,
    pub(crate) source: String,
    pub(crate) date: String,
    pub(crate) indicator: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Lookup {
    pub(crate) input: String,
    #[serde(default)]
    pub(crate) outcome: String,
    pub(crate) indicator: Option<Indicator>,
    #[serde(default)]
    pub(crate) candidates: Vec<Indicator>,
    #[serde(default)]
    pub(crate) changed: Vec<String>,
    #[serde(default)]
    pub(crate) benign: Vec<Benign>,
    pub(crate) reports: Vec<Known>,
    pub(crate) distinct_originators: u64,
    pub(crate) retracted: u64,
    pub(crate) error: Option<String>,
}

/// A report as a lookup shows it.
#[derive(Debug, Deserialize)]
pub(crate) struct SubAccount {
    pub(crate) kind: String,
    pub(crate) value: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Known {
    pub(crate) originator: Named,
    pub(crate) id: String,
    pub(crate) typology: String,
    pub(crate) grading: String,
    pub(crate) marking: String,
    #[serde(default)]
    pub(crate) handling: Vec<String>,
    pub(crate) case: Option<String>,
    pub(crate) sub_account: Option<SubAccount>,
    pub(crate) seen_on: Option<Address>,
    pub(crate) about: Option<Indicator>,
    pub(crate) role: Option<String>,
    #[serde(default)]
    pub(crate) amounts: Vec<String>,
    #[serde(default)]
    pub(crate) terms: Vec<String>,
    pub(crate) victims: Option<u64>,
    pub(crate) reference: Option<String>,
    pub(crate) created: String,
    #[serde(default)]
    pub(crate) agreements: Vec<String>,
    pub(crate) description: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Peer {
    pub(crate) agency: Named,
    pub(crate) trust: String,
    pub(crate) connected: bool,
    pub(crate) last_seen: Option<String>,
    #[serde(default)]
    pub(crate) agreements: Vec<Shared>,
}

/// How far a partner is under one agreement.
#[derive(Debug, Deserialize)]
pub(crate) struct Shared {
    pub(crate) title: String,
    /// Entries that the partner has not confirmed.
    pub(crate) lag: u64,
    /// Entries of the partner that we lack.
    pub(crate) behind: u64,
    pub(crate) last_receipt: Option<String>,
    pub(crate) silent: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Quarantined {
    pub(crate) author: Named,
    pub(crate) agreement: String,
    pub(crate) report: Option<String>,
    pub(crate) reason: String,
    pub(crate) detail: String,
    pub(crate) received: String,
    pub(crate) state: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Status {
    pub(crate) agency: StatusAgency,
    pub(crate) version: String,
    pub(crate) started: String,
    pub(crate) store: StatusStore,
    pub(crate) network: StatusNetwork,
    pub(crate) outbox: u64,
    pub(crate) agreements: StatusAgreements,
    pub(crate) ready: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct StatusAgency {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) country: String,
    pub(crate) kind: String,
    pub(crate) mode: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct StatusStore {
    pub(crate) healthy: bool,
    pub(crate) reason: Option<String>,
    pub(crate) reports: u64,
    pub(crate) entries: u64,
    pub(crate) objects: u64,
    pub(crate) quarantined: u64,
    pub(crate) disk_bytes: u64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct StatusNetwork {
    pub(crate) listening: Vec<String>,
    pub(crate) connected: u64,
    pub(crate) partners: u64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct StatusAgreements {
    pub(crate) in_force: u64,
    pub(crate) proposed: u64,
}
