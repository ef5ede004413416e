//! Who may connect: pinned peers alone, and not too often.
//!
//! Both checks come before any protocol is spoken: a stranger proves its key in the handshake and is gone. A
//! stranger can hold handshakes open, so their number is bounded too. A peer that is no longer pinned loses its
//! connections at once. Not limited is the number of partners, which the administrator set.

use std::collections::HashSet;

use libp2p::PeerId;
use libp2p::allow_block_list::{self, AllowedPeers};
use libp2p::connection_limits::{self, ConnectionLimits};

use super::limits::{CONNECTIONS_PER_PEER, HANDSHAKES};

pub(super) type AllowList = allow_block_list::Behaviour<AllowedPeers>;

/// Makes exactly these peers the allowed ones.
pub(super) fn set(list: &mut AllowList, wanted: &HashSet<PeerId>) {
    let dropped: Vec<PeerId> = list.allowed_peers().difference(wanted).copied().collect();
    for peer in dropped {
        list.disallow_peer(peer);
    }
    for peer in wanted {
        list.allow_peer(*peer);
    }
}

pub(super) fn limits() -> connection_limits::Behaviour {
    let limits = ConnectionLimits::default()
        .with_max_pending_incoming(Some(HANDSHAKES))
        .with_max_established_per_peer(Some(CONNECTIONS_PER_PEER));
    connection_limits::Behaviour::new(limits)
}
