//! What the swarm does with a connection: the doors first, then what is behind them.
//!
//! The order matters: the doors come first, so that nothing behind them hears of a connection that is refused.
//! There is no identify protocol: it would tell each partner our addresses, software and protocol names, and
//! nothing here needs it; partners' addresses come signed with their cards.

use libp2p::swarm::NetworkBehaviour;
use libp2p::{connection_limits, ping};

use super::allow::{self, AllowList};
use super::exchange::{self, Exchange};
use super::gate::Gate;
use super::limits::PING_INTERVAL;

#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    pub(super) allow: AllowList,
    limits: connection_limits::Behaviour,
    /// Tells living connections from dead ones; QUIC would notice by itself, TCP behind a dead path would not.
    ping: ping::Behaviour,
    pub(super) exchange: Exchange,
    pub(super) gate: Gate,
}

impl Behaviour {
    pub(super) fn new() -> Self {
        let ping = ping::Config::new().with_interval(PING_INTERVAL).with_timeout(PING_INTERVAL);
        Self {
            allow: AllowList::default(),
            limits: allow::limits(),
            ping: ping::Behaviour::new(ping),
            exchange: exchange::behaviour(),
            gate: Gate::default(),
        }
    }
}
