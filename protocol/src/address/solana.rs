//! Solana: base58 of a 32-byte public key or program-derived address.
//!
//! There is no checksum: a mistyped character is caught only where it changes the length or the alphabet.

use super::{Fault, base58};

pub(super) fn read(text: &str) -> Result<String, Fault> {
    let bytes = base58::decode(text)?;
    if bytes.len() != 32 {
        return Err(Fault::Length { unit: "bytes", found: bytes.len(), expected: "32" });
    }
    Ok(text.to_owned())
}
