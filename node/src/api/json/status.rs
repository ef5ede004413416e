//! How the node is.

use serde::Serialize;
use utoipa::ToSchema;

use super::time;
use crate::api::state::{ApiState, Connections};
use crate::clock;
use crate::desk::{AgencyView, StatusView};
use crate::store::Health;

/// How the node is.
#[derive(Serialize, ToSchema)]
pub(crate) struct Status {
    /// Whose node it is.
    agency: Ourselves,
    /// The version of the software.
    version: &'static str,
    /// When it started.
    started: String,
    /// For how long it has run, seconds.
    uptime_s: u64,
    /// What it holds.
    store: StoreStatus,
    /// With whom it speaks.
    network: NetworkStatus,
    /// Batches that wait until logs were compared with a party.
    outbox: usize,
    /// Agreements.
    agreements: AgreementCounts,
    /// Whether it can do all of its work.
    ready: bool,
}

/// Whose node it is.
#[derive(Serialize, ToSchema)]
struct Ourselves {
    /// The agency's id.
    id: String,
    /// Its name.
    name: String,
    /// ISO 3166-1 alpha-2.
    country: String,
    /// `police`, `fiu`, …
    kind: String,
    /// `live` or `exercise`.
    mode: String,
}

/// What the store holds.
#[derive(Serialize, ToSchema)]
struct StoreStatus {
    /// Whether it takes what comes.
    healthy: bool,
    /// Why it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Admitted reports: one for each originator, report and agreement.
    reports: u64,
    /// Entries of logs.
    entries: u64,
    /// Stand-alone objects.
    objects: u64,
    /// Statements that were refused or are held.
    quarantined: u64,
    /// Bytes of the federation journal.
    disk_bytes: u64,
}

/// With whom the node speaks.
#[derive(Serialize, ToSchema)]
struct NetworkStatus {
    /// Where it listens for partners.
    listening: Vec<String>,
    /// Partners that are connected.
    connected: usize,
    /// Partners that there are.
    partners: usize,
}

/// How many agreements there are.
#[derive(Serialize, ToSchema)]
struct AgreementCounts {
    /// In force.
    in_force: usize,
    /// Not in force.
    proposed: usize,
}

/// That the node can do all of its work.
#[derive(Serialize, ToSchema)]
pub(crate) struct Ready {
    /// True.
    pub(crate) ready: bool,
}

/// Why the node cannot do all of its work, where it cannot.
pub(crate) fn not_ready(health: &Health, connections: &Connections) -> Option<String> {
    match health {
        Health::Failed { because } => Some(format!("the store takes no commits: {because}")),
        Health::Ok if connections.listening.is_empty() => Some("the network does not listen for partners".to_owned()),
        Health::Ok => None,
    }
}

impl Status {
    pub(crate) fn of(api: &ApiState, us: AgencyView, view: &StatusView, partners: usize) -> Self {
        let connections = api.connections.now();
        let reason = match &view.health {
            Health::Ok => None,
            Health::Failed { because } => Some(because.to_string()),
        };
        Self {
            agency: Ourselves {
                id: us.agency.to_string(),
                name: us.name,
                country: us.country,
                kind: us.kind,
                mode: us.mode.to_string(),
            },
            version: env!("CARGO_PKG_VERSION"),
            started: time(api.started),
            uptime_s: clock::monotonic().saturating_duration_since(api.began).as_secs(),
            store: StoreStatus {
                healthy: reason.is_none(),
                reason,
                reports: view.counts.records,
                entries: view.counts.entries,
                objects: view.counts.objects,
                quarantined: view.counts.quarantined,
                disk_bytes: view.counts.journal_bytes,
            },
            ready: not_ready(&view.health, &connections).is_none(),
            network: NetworkStatus {
                connected: connections.connected.len(),
                listening: connections.listening,
                partners,
            },
            outbox: view.outbox,
            agreements: AgreementCounts { in_force: view.in_force, proposed: view.proposed },
        }
    }
}
