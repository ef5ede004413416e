//! TRON: base58check with version byte 0x41, so that every address begins with `T`.
//!
//! Nodes and some tools print the same 21 bytes in hexadecimal, `41…`. That form has no checksum, and is read because
//! the chain is named and its first byte must fit. TRON's test networks write addresses alike.

use super::{Fault, base58, evm};

/// The version byte of every TRON address.
const VERSION: u8 = 0x41;

pub(super) fn read(text: &str) -> Result<String, Fault> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    if digits.len() == 42 && digits.starts_with("41") {
        return read_hex(digits, text.len() - digits.len());
    }
    let (version, payload) = base58::decode_check(text)?;
    if version != VERSION {
        return Err(Fault::Version { version: version.into() });
    }
    if payload.len() != 20 {
        return Err(Fault::Length { unit: "bytes after the version", found: payload.len(), expected: "20" });
    }
    Ok(text.to_owned())
}

fn read_hex(digits: &str, skipped: usize) -> Result<String, Fault> {
    evm::check_hex(digits, skipped)?;
    let bytes = hex::decode(digits).expect("an even number of hexadecimal digits");
    Ok(bs58::encode(bytes).with_check().into_string())
}
