//! TRON: base58check with version byte 0x41, so that every address begins with `T`.
//!
//! Nodes and some tools print the same 21 bytes in hexadecimal, `41…`. That form has no checksum, and is read because
//! its first byte must fit. TRON's test networks write addresses alike.

use super::reading::Read;
use super::text::{Text, check_hex, without_0x};
use super::{Fault, base58};

/// The version byte of every TRON address.
const VERSION: u8 = 0x41;

pub(super) fn read(text: &Text<'_>) -> Result<Read, Fault> {
    let (digits, skipped) = without_0x(text.written);
    if digits.len() == 42 && digits.starts_with("41") {
        check_hex(digits, skipped)?;
        let bytes = hex::decode(digits).expect("an even number of hexadecimal digits");
        return Ok(Read::new(base58::encode_check(&bytes), "account, hexadecimal"));
    }
    let payload = text.base58check()?;
    if super::bitcoin::is_private_key(payload) {
        return Err(Fault::PrivateKey);
    }
    if payload[0] != VERSION {
        return Err(Fault::Version { version: payload[0].into() });
    }
    if payload.len() != 21 {
        return Err(Fault::Length { unit: "bytes after the version", found: payload.len() - 1, expected: "20" });
    }
    Ok(Read::new(text.written, "account"))
}
