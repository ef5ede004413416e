//! Aptos and Sui: 32 bytes in hexadecimal, leading zeros often left out; and Starknet, a field element in the same form
//! with a checksum in the case of its letters. None of Aptos' and Sui's has a checksum.

use sha3::{Digest, Keccak256};

use super::Fault;
use super::reading::Read;
use super::text::{padded_hex, without_0x};

/// The least length, digits, of what is taken for an address where no chain is named: of a hash, two digits in a
/// thousand begin with more zeros.
const UNNAMED_DIGITS: usize = 60;

pub(super) fn read(text: &str) -> Result<Read, Fault> {
    Ok(Read::new(padded_hex(text)?, "account"))
}

/// Whether a text is long enough to be an address of these chains without being named so.
pub(super) fn speaks_for_itself(text: &str) -> bool {
    let (digits, skipped) = without_0x(text);
    skipped > 0 && (UNNAMED_DIGITS..=64).contains(&digits.len())
}

/// The prime of Starknet's field is 2^251 + 17 * 2^192 + 1; an address is below 2^251.
pub(super) fn read_starknet(text: &str) -> Result<Read, Fault> {
    let canonical = padded_hex(text)?;
    let digits = &canonical[2..];
    if digits.as_bytes()[0] > b'0' || digits.as_bytes()[1] > b'7' {
        return Err(Fault::Rule("more than a field element of Starknet can be"));
    }
    let (written, _) = without_0x(text);
    let one_case = !written.bytes().any(|byte| byte.is_ascii_lowercase())
        || !written.bytes().any(|byte| byte.is_ascii_uppercase());
    let expected = with_starknet_checksum(digits);
    if !one_case && !expected.ends_with(written) {
        return Err(Fault::Checksum);
    }
    Ok(Read::new(canonical, "account"))
}

/// A letter is upper case where the Keccak-256 of the number, cut to 250 bits, has a nibble of 8 or more.
fn with_starknet_checksum(digits: &str) -> String {
    let number = hex::decode(digits).expect("64 hexadecimal digits");
    let start = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    let mut hash = Keccak256::digest(&number[start..]);
    hash[0] &= 3;
    let nibbles = hash.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let cased = |(digit, nibble): (char, u8)| if nibble < 8 { digit } else { digit.to_ascii_uppercase() };
    digits.chars().zip(nibbles).map(cased).collect()
}
