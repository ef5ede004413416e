//! What the handlers share: the desk, a view of the network, the token's hash, and what the API itself counts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use entente_protocol::id::AgencyId;
use entente_protocol::time::Time;
use tokio::sync::Semaphore;

use super::idempotency::Answers;
use super::limits;
use super::metrics::Requests;
use crate::clock;
use crate::desk::Desk;

/// The network as its task last saw it.
#[derive(Clone, Debug, Default)]
pub struct Connections {
    /// Partners that are connected, and since when.
    pub connected: BTreeMap<AgencyId, Time>,
    /// When a connection with each partner was last seen open, since the start.
    pub last_seen: BTreeMap<AgencyId, Time>,
    /// Where the node listens for partners.
    pub listening: Vec<String>,
    /// What the network counts: name, explanation, value. Names are in `snake_case` and end in no `_total`.
    pub counters: Vec<(&'static str, &'static str, u64)>,
}

/// Asks for the network's present state; it is called on every status, so it must not wait.
pub struct ConnectionsView(Box<dyn Fn() -> Connections + Send + Sync>);

impl ConnectionsView {
    /// The view that this function gives.
    pub fn new(view: impl Fn() -> Connections + Send + Sync + 'static) -> Self {
        Self(Box::new(view))
    }

    pub(super) fn now(&self) -> Connections {
        (self.0)()
    }
}

/// What the handlers share.
pub struct ApiState {
    pub(super) desk: Arc<Desk>,
    pub(super) connections: ConnectionsView,
    /// SHA-256 of the token; the token itself is not kept.
    pub(super) token_hash: [u8; 32],
    /// Whether `/metrics` answers without a token.
    pub(super) open_metrics: bool,
    pub(super) started: Time,
    pub(super) began: Instant,
    /// Answers to repeated writes.
    pub(super) answers: Arc<Answers>,
    /// Requests that may be worked on at a time.
    pub(super) requests: Semaphore,
    /// Lists of lookups that may be answered at a time.
    pub(super) lists: Arc<Semaphore>,
    pub(super) counted: Requests,
}

/// The state as handlers hold it.
pub(super) type Shared = Arc<ApiState>;

impl ApiState {
    /// The state of an API that begins now.
    pub fn new(
        desk: Arc<Desk>,
        connections: ConnectionsView,
        token_hash: [u8; 32],
        open_metrics: bool,
    ) -> Arc<ApiState> {
        Arc::new(ApiState {
            desk,
            connections,
            token_hash,
            open_metrics,
            started: clock::now(),
            began: clock::monotonic(),
            answers: Arc::default(),
            requests: Semaphore::new(limits::REQUESTS),
            lists: Arc::new(Semaphore::new(limits::LISTS)),
            counted: Requests::default(),
        })
    }
}
