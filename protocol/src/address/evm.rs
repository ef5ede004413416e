//! EVM chains: 20 bytes in hexadecimal, with the EIP-55 checksum in the case of the letters.
//!
//! All lower and all upper case carry no checksum and are accepted. The checksum says nothing of the chain: EIP-1191,
//! which mixes the chain number in, is used on RSK alone and is refused as a wrong checksum.

use sha3::{Digest, Keccak256};

use super::Fault;

pub(super) fn read(text: &str) -> Result<String, Fault> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let skipped = text.len() - digits.len();
    check_hex(digits, skipped)?;
    if digits.len() != 40 {
        return Err(Fault::Length { unit: "hexadecimal digits", found: digits.len(), expected: "40" });
    }
    let lower = digits.to_ascii_lowercase();
    let one_case = digits == lower || digits == digits.to_ascii_uppercase();
    if !one_case && digits != with_checksum(&lower) {
        return Err(Fault::Checksum);
    }
    Ok(format!("0x{lower}"))
}

/// Refuses what is no hexadecimal digit; `skipped` characters stand before `digits`.
pub(super) fn check_hex(digits: &str, skipped: usize) -> Result<(), Fault> {
    match digits.chars().enumerate().find(|(_, found)| !found.is_ascii_hexdigit()) {
        Some((index, found)) => Err(Fault::Character { position: skipped + index + 1, found }),
        None => Ok(()),
    }
}

/// EIP-55: a letter is upper case where the Keccak-256 of the lower-case digits has a nibble of 8 or more.
fn with_checksum(lower: &str) -> String {
    let hash = Keccak256::digest(lower.as_bytes());
    let nibbles = hash.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    lower
        .chars()
        .zip(nibbles)
        .map(|(digit, nibble)| if nibble < 8 { digit } else { digit.to_ascii_uppercase() })
        .collect()
}
