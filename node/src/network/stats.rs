//! Counters of the network, for the metrics page. They only grow, except the gauge of connections.

use std::sync::atomic::{AtomicU64, Ordering};

/// One number that many may read while the driver writes it.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// The present value.
    pub fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(super) fn set(&self, n: usize) {
        self.0.store(n as u64, Ordering::Relaxed);
    }
}

/// What the network did since it started.
#[derive(Debug, Default)]
pub struct Stats {
    /// Open connections with partners, now.
    pub connections: Counter,
    /// Connections turned away: strangers, or above a limit.
    pub connections_refused: Counter,
    /// Gossip messages handed to the desk.
    pub gossip_in: Counter,
    /// Gossip messages published by the desk.
    pub gossip_out: Counter,
    /// Gossip messages received and dropped: above the sender's rate, or the desk was too slow.
    pub gossip_dropped: Counter,
    /// Gossip messages that the desk rejected as false.
    pub gossip_rejected: Counter,
    /// Gossip messages that found no subscriber or a full queue; catch-up delivers them.
    pub gossip_unsent: Counter,
    /// Requests handed to the desk.
    pub requests_in: Counter,
    /// Requests sent for the desk.
    pub requests_out: Counter,
    /// Partners' requests answered with "busy": above the sender's rate, or the desk was too slow.
    pub requests_refused: Counter,
    /// Own requests that failed.
    pub requests_failed: Counter,
}

impl Stats {
    /// All numbers, each with its name and meaning, for the metrics page.
    pub fn all(&self) -> Vec<(&'static str, &'static str, u64)> {
        vec![
            ("connections", "Open connections with partners", self.connections.read()),
            ("connections_refused", "Connections turned away", self.connections_refused.read()),
            ("gossip_in", "Gossip messages handed to the desk", self.gossip_in.read()),
            ("gossip_out", "Gossip messages published", self.gossip_out.read()),
            ("gossip_dropped", "Gossip messages received and dropped", self.gossip_dropped.read()),
            ("gossip_rejected", "Gossip messages rejected as false", self.gossip_rejected.read()),
            ("gossip_unsent", "Gossip messages that found no subscriber or a full queue", self.gossip_unsent.read()),
            ("requests_in", "Requests of partners handed to the desk", self.requests_in.read()),
            ("requests_out", "Requests sent to partners", self.requests_out.read()),
            ("requests_refused", "Requests of partners answered with busy", self.requests_refused.read()),
            ("requests_failed", "Own requests that failed", self.requests_failed.read()),
        ]
    }
}
