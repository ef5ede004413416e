//! From libp2p's words to ours and back. Nothing above this folder knows libp2p's.

use libp2p::request_response::OutboundFailure;
use libp2p::swarm::DialError;
use libp2p::{Multiaddr, PeerId};

use super::limits::ADDRESS_BYTES;
use super::partners::Pinned;
use super::{Partner, RequestFailure, UnreachableReason};

/// The peer id of an Ed25519 key: its libp2p protobuf in an identity multihash (libp2p specs, peer-ids).
pub(super) fn peer_id(public: &[u8; 32]) -> PeerId {
    const HEAD: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];
    PeerId::from_bytes(&[HEAD.as_slice(), public].concat()).expect("36 bytes under an identity multihash")
}

/// A partner with its addresses parsed; those that are none are left out, because a partner wrote them.
pub(super) fn pinned(partner: Partner) -> Pinned {
    let Partner { agency, peers, addresses } = partner;
    let parse = |text: String| {
        let parsed = address(&text);
        if parsed.is_none() {
            tracing::warn!(%agency, "a partner's address is none that this node understands");
        }
        parsed
    };
    Pinned {
        agency,
        peers: peers.iter().map(peer_id).collect(),
        addresses: addresses.into_iter().filter_map(parse).collect(),
    }
}

/// A multiaddress within bounds.
pub(super) fn address(text: &str) -> Option<Multiaddr> {
    (text.len() <= ADDRESS_BYTES).then(|| text.parse().ok()).flatten()
}

/// Why a partner was not reached.
pub(super) fn unreachable(error: &DialError) -> UnreachableReason {
    match error {
        DialError::WrongPeerId { .. } | DialError::LocalPeerId { .. } => UnreachableReason::Stranger,
        DialError::Denied { .. } => UnreachableReason::Limit,
        _ => UnreachableReason::NoAnswer,
    }
}

/// The address at which somebody else answered.
pub(super) fn stranger(error: &DialError) -> Option<&Multiaddr> {
    match error {
        DialError::WrongPeerId { address, .. } | DialError::LocalPeerId { address } => Some(address),
        _ => None,
    }
}

/// Why a request has no response.
pub(super) fn failure(error: &OutboundFailure) -> RequestFailure {
    match error {
        OutboundFailure::Timeout => RequestFailure::Timeout,
        OutboundFailure::DialFailure | OutboundFailure::ConnectionClosed => RequestFailure::Disconnected,
        OutboundFailure::UnsupportedProtocols => RequestFailure::Unsupported,
        OutboundFailure::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => RequestFailure::Malformed,
        OutboundFailure::Io(_) => RequestFailure::Cut,
    }
}
