//! SS58, the form of Polkadot, Kusama and other Substrate networks: base58 of a network prefix, a 32-byte account and
//! two bytes of checksum.
//!
//! One account has another text on every network. Only the text with the prefix of the chain named is accepted: it
//! says on which network it was seen, and an account moved silently to another network would be another claim.
//! Shorter accounts (indices) are refused, since they are positions that change hands.

use blake2::digest::consts::U64;
use blake2::{Blake2b, Digest};

use super::Fault;
use super::reading::Read;
use super::text::Text;

/// Networks often seen, by prefix. Source: paritytech/ss58-registry.
const NETWORKS: &[(u16, &str)] = &[
    (0, "Polkadot"),
    (2, "Kusama"),
    (5, "Astar"),
    (6, "Bifrost"),
    (7, "Edgeware"),
    (8, "Karura"),
    (10, "Acala"),
    (30, "Phala"),
    (31, "Litentry"),
    (36, "Centrifuge"),
    (38, "KILT Spiritnet"),
    (42, "any Substrate network"),
    (63, "Hydration"),
    (66, "Crust"),
    (136, "Altair"),
    (172, "Parallel"),
];

pub(super) fn read(prefix: u16, text: &Text<'_>) -> Result<Read, Fault> {
    let bytes = text.base58()?;
    let (found, prefix_bytes) = read_prefix(bytes)?;
    if bytes.len() != prefix_bytes + 32 + 2 {
        return Err(Fault::Length { unit: "bytes", found: bytes.len(), expected: "35 or 36" });
    }
    let (checked, checksum) = bytes.split_at(prefix_bytes + 32);
    let hash = Blake2b::<U64>::new().chain_update(b"SS58PRE").chain_update(checked).finalize();
    if checksum != &hash[..2] {
        return Err(Fault::Checksum);
    }
    if found != prefix {
        let name = NETWORKS.iter().find(|(known, _)| *known == found).map(|(_, name)| *name);
        return Err(name.map_or(Fault::Version { version: found }, |name| Fault::OtherNetwork { name, prefix: found }));
    }
    Ok(Read::new(text.written, "account"))
}

/// The network prefix and its length: one byte below 64, two bytes with the upper bits moved about up to 16,383.
fn read_prefix(bytes: &[u8]) -> Result<(u16, usize), Fault> {
    match *bytes {
        [first @ ..64, ..] => Ok((first.into(), 1)),
        [first @ ..128, second, ..] => {
            let low = (first & 0b0011_1111) << 2 | second >> 6;
            let high = second & 0b0011_1111;
            match u16::from_le_bytes([low, high]) {
                prefix @ 64.. => Ok((prefix, 2)),
                short => Err(Fault::Version { version: short }),
            }
        }
        [first, _, ..] => Err(Fault::Version { version: first.into() }),
        _ => Err(Fault::Length { unit: "bytes", found: bytes.len(), expected: "35 or 36" }),
    }
}
