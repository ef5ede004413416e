//! Who is connected, kept by the federation task for others to look at.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use entente_protocol::id::AgencyId;
use entente_protocol::time::Time;

use crate::clock;
use crate::network::Stats;

/// Who is connected, and where this node listens: for people to look at.
#[derive(Debug, Default)]
pub struct Connections {
    connected: Mutex<BTreeMap<AgencyId, Time>>,
    last_seen: Mutex<BTreeMap<AgencyId, Time>>,
    listening: Mutex<Vec<String>>,
}

impl Connections {
    pub(super) fn came(&self, agency: AgencyId) {
        lock(&self.connected).insert(agency, clock::now());
    }

    pub(super) fn went(&self, agency: AgencyId) {
        lock(&self.connected).remove(&agency);
        lock(&self.last_seen).insert(agency, clock::now());
    }

    pub(super) fn listen(&self, addresses: &[String]) {
        addresses.clone_into(&mut lock(&self.listening));
    }

    /// The network as it is now, for the local API.
    pub fn view(&self, stats: &Stats) -> crate::api::Connections {
        let connected = lock(&self.connected).clone();
        let now = clock::now();
        let mut last_seen = lock(&self.last_seen).clone();
        last_seen.extend(connected.keys().map(|agency| (*agency, now)));
        let listening = lock(&self.listening).clone();
        crate::api::Connections { connected, last_seen, listening, counters: stats.all() }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
