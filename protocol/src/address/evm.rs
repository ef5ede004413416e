//! EVM chains: 20 bytes in hexadecimal, with the EIP-55 checksum in the case of the letters.
//!
//! All lower and all upper case carry no checksum and are accepted. The checksum says nothing of the chain: EIP-1191,
//! which mixes the chain number in, is used on RSK alone and is refused as a wrong checksum elsewhere. XDC writes `xdc`
//! for `0x`, and Harmony writes the same 20 bytes in bech32, too.

use bech32::Bech32;
use sha3::{Digest, Keccak256};

use super::Fault;
use super::reading::Read;
use super::text::{check_hex, without_0x};

/// The chain numbers of XDC and its test network, which write `xdc` for `0x`.
pub(super) const XDC: [u64; 2] = [50, 51];

/// The chain numbers of Harmony's first shard and its test network, which write `one1…`, too.
pub(super) const HARMONY: [u64; 2] = [1_666_600_000, 1_666_700_000];

/// The chain numbers of RSK, which mix themselves into the checksum (EIP-1191).
const RSK: [u64; 2] = [30, 31];

/// Whether a chain reads what others do not.
pub(super) fn has_own_form(chain: u64) -> bool {
    XDC.contains(&chain) || HARMONY.contains(&chain) || RSK.contains(&chain)
}

pub(super) fn read(chain: u64, text: &str) -> Result<Read, Fault> {
    if HARMONY.contains(&chain) && super::bitcoin::has_hrp(text, "one") {
        let bytes = super::zcash::bech32_bytes::<Bech32>("one", text)?;
        return match bytes.len() {
            20 => Ok(Read::new(format!("0x{}", hex::encode(bytes)), "account, bech32")),
            found => Err(Fault::Length { unit: "bytes", found, expected: "20" }),
        };
    }
    let (digits, skipped, form) = match text.get(..3) {
        Some(start) if XDC.contains(&chain) && start.eq_ignore_ascii_case("xdc") => (&text[3..], 3, "account, xdc"),
        _ => {
            let (digits, skipped) = without_0x(text);
            (digits, skipped, "account")
        }
    };
    check_hex(digits, skipped)?;
    if digits.len() == 64 {
        return Err(Fault::PrivateKey);
    }
    if digits.len() != 40 {
        return Err(Fault::Length { unit: "hexadecimal digits", found: digits.len(), expected: "40" });
    }
    let lower = digits.to_ascii_lowercase();
    let one_case = digits == lower || digits == digits.to_ascii_uppercase();
    let of_rsk = || RSK.contains(&chain) && digits == with_checksum(&lower, &format!("{chain}0x"));
    if !one_case && digits != with_checksum(&lower, "") && !of_rsk() {
        return Err(Fault::Checksum);
    }
    Ok(Read::new(format!("0x{lower}"), form))
}

/// EIP-55: a letter is upper case where the Keccak-256 of the lower-case digits has a nibble of 8 or more. EIP-1191
/// hashes the chain's number before them.
fn with_checksum(lower: &str, before: &str) -> String {
    let hash = Keccak256::new().chain_update(before).chain_update(lower).finalize();
    let nibbles = hash.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let cased = |(digit, nibble): (char, u8)| if nibble < 8 { digit } else { digit.to_ascii_uppercase() };
    lower.chars().zip(nibbles).map(cased).collect()
}
