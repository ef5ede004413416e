//! Partners: who is connected, and how far each is.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Named, time};
use crate::api::state::Connections;
use crate::desk::{Book, PartnerAgreement, PartnerView};

/// A partner.
#[derive(Serialize, ToSchema)]
pub(crate) struct Peer {
    /// Which agency.
    pub(crate) agency: Named,
    /// `pinned` or `vouched`.
    trust: &'static str,
    /// Whether one of its nodes is connected.
    connected: bool,
    /// Since when it is connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    /// Where it can be dialled.
    addresses: Vec<String>,
    /// When a connection was last seen open, since this node started.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen: Option<String>,
    /// What is shared with it.
    agreements: Vec<Shared>,
}

/// How far a partner is under one agreement.
#[derive(Serialize, ToSchema)]
struct Shared {
    /// The agreement's id.
    id: String,
    /// Its title.
    title: String,
    /// Entries that this node holds and the partner has not confirmed.
    lag: u64,
    /// Entries that the partner has told of and this node lacks.
    behind: u64,
    /// When it last gave a receipt.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_receipt: Option<String>,
    /// Whether it gave none for more than 24 hours.
    silent: bool,
}

impl Peer {
    pub(crate) fn of(book: &Book, connections: &Connections, view: PartnerView) -> Self {
        let since = connections.connected.get(&view.agency);
        Self {
            agency: Named::of(book, view.agency),
            trust: view.trust.word(),
            connected: since.is_some(),
            since: since.copied().map(time),
            addresses: view.addresses,
            last_seen: connections.last_seen.get(&view.agency).copied().map(time),
            agreements: view.agreements.into_iter().map(Shared::from).collect(),
        }
    }
}

impl From<PartnerAgreement> for Shared {
    fn from(view: PartnerAgreement) -> Self {
        Self {
            id: view.agreement.to_string(),
            title: view.title,
            lag: view.lag,
            behind: view.behind,
            last_receipt: view.last_receipt.map(time),
            silent: view.silent,
        }
    }
}
