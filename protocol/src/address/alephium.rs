//! Alephium: base58 of a byte for the kind and a hash of 32 bytes, or several of them (Alephium's documentation,
//! "Address format"). Without a checksum. Its groups are shards of one chain, and follow from the address.

use super::Fault;
use super::reading::Read;
use super::text::Text;

const HASH: usize = 32;

pub(super) fn read(text: &Text<'_>) -> Result<Read, Fault> {
    let bytes = text.base58()?;
    let wrong =
        Fault::Length { unit: "bytes", found: bytes.len(), expected: "33, or 3 and 32 for each of several keys" };
    let (kind, rest) = bytes.split_first().ok_or(Fault::Empty)?;
    let form = match (kind, rest) {
        (0, rest) if rest.len() == HASH => "P2PKH",
        (2, rest) if rest.len() == HASH => "P2SH",
        (3, rest) if rest.len() == HASH => "contract",
        // The number of keys, their hashes, and how many of them must sign; numbers below 64 take one byte.
        (1, [keys @ 1..64, hashes @ .., needed]) if hashes.len() == usize::from(*keys) * HASH => {
            if !(1..=*keys).contains(needed) {
                return Err(Fault::Rule("more keys must sign than it has"));
            }
            "P2MPKH"
        }
        (0..=3, _) => return Err(wrong),
        _ => return Err(Fault::Version { version: (*kind).into() }),
    };
    Ok(Read::new(text.written, form))
}
