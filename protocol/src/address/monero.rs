//! Monero: base58 in blocks over a network byte, the public spend and view keys and four bytes of Keccak-256.
//!
//! An integrated address is a standard one with a payment id in it: the account is the standard one. A subaddress is
//! an account of its own, since nothing but the owner's keys links it to another.

use sha3::{Digest, Keccak256};

use super::Fault;
use super::reading::{Read, SubAccount};

/// The network bytes of standard, integrated and sub-addresses. Source: `cryptonote_config.h` of monero.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Network([u8; 3]);

pub(super) static MAIN: Network = Network([18, 19, 42]);
pub(super) static TEST: Network = Network([53, 54, 63]);
pub(super) static STAGE: Network = Network([24, 25, 36]);

const STANDARD_CHARACTERS: usize = 95;
const INTEGRATED_CHARACTERS: usize = 106;

pub(super) fn read(network: &Network, text: &str) -> Result<Read, Fault> {
    if !matches!(text.len(), STANDARD_CHARACTERS | INTEGRATED_CHARACTERS) {
        return Err(Fault::Length { unit: "characters", found: text.len(), expected: "95 or 106" });
    }
    if let Some((index, found)) = text.chars().enumerate().find(|(_, found)| !super::base58::is_base58(*found)) {
        return Err(Fault::Character { position: index + 1, found });
    }
    let bytes = base58_monero::decode(text).map_err(|_| Fault::Checksum)?;
    let (payload, checksum) = bytes.split_last_chunk::<4>().ok_or(Fault::Checksum)?;
    if Keccak256::digest(payload)[..4] != *checksum {
        return Err(Fault::Checksum);
    }
    let [standard, integrated, sub] = network.0;
    match (payload[0], payload.len()) {
        (kind, 65) if kind == standard => Ok(Read::new(text, "standard")),
        (kind, 65) if kind == sub => Ok(Read::new(text, "subaddress")),
        (kind, 73) if kind == integrated => {
            let (keys, id) = payload[1..].split_last_chunk::<8>().expect("72 bytes");
            let canonical = encode(&[&[standard], keys].concat());
            Ok(Read::new(canonical, "integrated").at(SubAccount::PaymentId(*id)))
        }
        (kind, _) => Err(Fault::Version { version: kind.into() }),
    }
}

fn encode(payload: &[u8]) -> String {
    let checksum = Keccak256::digest(payload);
    base58_monero::encode(&[payload, &checksum[..4]].concat()).expect("any bytes can be written")
}
