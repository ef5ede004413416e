//! Solana: base58 of 32 bytes, with no checksum. A key pair is 64 bytes of the same.

use super::Fault;
use super::reading::Read;
use super::text::Text;

pub(super) fn read(text: &Text<'_>) -> Result<Read, Fault> {
    match text.base58()?.len() {
        32 => Ok(Read::new(text.written, "account")),
        64 => Err(Fault::PrivateKey),
        found => Err(Fault::Length { unit: "bytes", found, expected: "32" }),
    }
}
