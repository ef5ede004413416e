//! Ergo: base58 of a byte for network and kind, what the kind holds, and 4 bytes of BLAKE2b-256 (Ergo's documentation,
//! "Address encoding").

use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest};

use super::Fault;
use super::reading::Read;
use super::text::Text;

pub(super) fn read(test: bool, text: &Text<'_>) -> Result<Read, Fault> {
    let bytes = text.base58()?;
    let Some((checked, checksum)) = bytes.split_last_chunk::<4>().filter(|(checked, _)| !checked.is_empty()) else {
        return Err(Fault::Length { unit: "bytes", found: bytes.len(), expected: "29 or more" });
    };
    if Blake2b::<U32>::digest(checked)[..4] != *checksum {
        return Err(Fault::Checksum);
    }
    let (network, kind, found) = (checked[0] & 0xf0, checked[0] & 0x0f, checked.len() - 1);
    if network != if test { 0x10 } else { 0 } {
        return Err(Fault::Prefix);
    }
    let (form, expected) = match kind {
        1 => ("P2PK", 33),
        2 => ("P2SH", 24),
        3 => ("P2S", found.max(1)),
        _ => return Err(Fault::Version { version: checked[0].into() }),
    };
    if found != expected {
        return Err(Fault::Length { unit: "bytes after the kind", found, expected: "33 or 24" });
    }
    Ok(Read::new(text.written, form))
}
