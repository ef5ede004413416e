//! Agencies and their cards.

use entente_protocol::id::AgencyId;
use entente_protocol::identity::Fingerprint;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::desk::{AgencyView, Trust};
use crate::network::peer_id_text;

/// An agency, as its newest card says.
#[derive(Serialize, ToSchema)]
pub(crate) struct Agency {
    /// Its id, `agency1…`.
    pub(crate) id: String,
    /// Its name.
    name: String,
    /// ISO 3166-1 alpha-2.
    country: String,
    /// `police`, `fiu`, `prosecutor`, `exchange`, `other`, or another word.
    kind: String,
    /// How people reach people there.
    contact: String,
    /// `live` or `exercise`.
    mode: String,
    /// The serial of the card.
    serial: u32,
    /// Eleven words to compare over the phone.
    fingerprint: String,
    /// The same, to be held up as a QR code.
    qr: String,
    /// `self`, `pinned` (the fingerprint was compared) or `vouched`.
    trust: &'static str,
    /// Ids of the agencies that vouched for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    vouched_by: Option<Vec<String>>,
    /// Its nodes.
    nodes: Vec<Node>,
    /// Where its nodes can be dialled, as multiaddresses.
    addresses: Vec<String>,
}

/// A node of an agency.
#[derive(Serialize, ToSchema)]
struct Node {
    /// Its number within the agency.
    writer: u32,
    /// Its libp2p peer id.
    peer_id: String,
}

/// The own card.
#[derive(Serialize, ToSchema)]
pub(crate) struct OwnCard {
    /// What it says.
    pub(crate) agency: Agency,
    /// The card file, for partners.
    pub(crate) export: String,
}

/// A card file to import.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CardInput {
    /// The card file.
    pub(crate) card: String,
    /// The words that the agency read out, its id, or the content of its QR code.
    pub(crate) fingerprint: Option<String>,
    /// False: an agency is vouched for in a proposal, never by its card file.
    #[serde(default)]
    pub(crate) vouched: bool,
}

/// A card that was imported.
#[derive(Serialize, ToSchema)]
pub(crate) struct Imported {
    /// The agency's id.
    pub(crate) id: String,
    /// The agency, now pinned.
    pub(crate) agency: Agency,
}

impl From<AgencyView> for Agency {
    fn from(view: AgencyView) -> Self {
        let fingerprint = Fingerprint::of(view.agency);
        let trust = view.trust.word();
        let vouched_by = match view.trust {
            Trust::Vouched(by) => Some(by.iter().map(AgencyId::to_string).collect()),
            Trust::Ourselves | Trust::Pinned => None,
        };
        let node = |(writer, key): (u32, [u8; 32])| Node { writer, peer_id: peer_id_text(&key) };
        Self {
            id: view.agency.to_string(),
            name: view.name,
            country: view.country,
            kind: view.kind,
            contact: view.contact,
            mode: view.mode.to_string(),
            serial: view.serial,
            fingerprint: fingerprint.to_string(),
            qr: fingerprint.qr_payload(),
            trust,
            vouched_by,
            nodes: view.nodes.into_iter().map(node).collect(),
            addresses: view.addresses,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_id_is_the_one_that_libp2p_shows() {
        // The Ed25519 vector of the libp2p specs, peer-ids: the public key less its protobuf head.
        let key = hex::decode("1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e").unwrap();
        let text = peer_id_text(&key.try_into().unwrap());
        assert!(text.starts_with("12D3KooW") && text.len() == 52, "{text}");
    }
}
