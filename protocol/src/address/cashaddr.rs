//! CashAddr: five-bit letters with a forty-bit BCH code, of Bitcoin Cash (its own specification), Kaspa and Conflux.
//!
//! The network's name stands before a colon, and may be left out: it is part of the checksum either way.

use super::bitcoin::is_private_key;
use super::reading::Read;
use super::text::Text;
use super::{Fault, base58};

/// An alphabet of 32 letters.
type Letters = [u8; 32];

const LETTERS: &Letters = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// Conflux' alphabet (CIP-37).
const CONFLUX: &Letters = b"abcdefghjkmnprstuvwxyz0123456789";

/// Generators of the code. Source: the CashAddr specification.
const GENERATORS: [u64; 5] = [0x98_f2bc_8e61, 0x79_b76d_99e2, 0xf3_3e5f_b3c4, 0xae_2eab_e2a8, 0x1e_4f43_e470];

/// Letters of the checksum.
const CHECKSUM: usize = 8;

/// Bitcoin Cash: CashAddr, and the older forms of Bitcoin and of BitPay.
pub(super) fn read_bitcoin_cash(test: bool, text: &Text<'_>) -> Result<Read, Fault> {
    let prefix = if test { "bchtest" } else { "bitcoincash" };
    if !text.written.contains(':') && text.written.len() < 41
        || text.written.chars().all(base58::is_base58) && text.base58check().is_ok()
    {
        return read_legacy(test, prefix, text);
    }
    let bytes = decode(prefix, LETTERS, text.written)?;
    let (version, hash) = bytes.split_first().ok_or(Fault::Checksum)?;
    let (kind, form) = match version >> 3 {
        0 => (0, "P2PKH"),
        1 => (1, "P2SH"),
        2 => (0, "P2PKH, for tokens"),
        3 => (1, "P2SH, for tokens"),
        _ => return Err(Fault::Version { version: (*version).into() }),
    };
    let length = [20, 24, 28, 32, 40, 48, 56, 64][usize::from(version & 7)];
    if hash.len() != length || !matches!(length, 20 | 32) {
        return Err(Fault::Length { unit: "bytes of hash", found: hash.len(), expected: "20 or 32" });
    }
    Ok(Read::new(encode(prefix, kind << 3 | version & 7, hash), form))
}

fn read_legacy(test: bool, prefix: &str, text: &Text<'_>) -> Result<Read, Fault> {
    let payload = text.base58check()?;
    if is_private_key(payload) {
        return Err(Fault::PrivateKey);
    }
    let (version, hash) = (payload[0], &payload[1..]);
    if hash.len() != 20 {
        return Err(Fault::Length { unit: "bytes after the version", found: hash.len(), expected: "20" });
    }
    let (kind, form) = match (test, version) {
        (false, 0) | (true, 111) => (0, "P2PKH, legacy"),
        (false, 5) | (true, 196) => (1, "P2SH, legacy"),
        (false, 28) => (0, "P2PKH, BitPay"),
        (false, 40) => (1, "P2SH, BitPay"),
        _ => return Err(Fault::Version { version: version.into() }),
    };
    Ok(Read::new(encode(prefix, kind << 3, hash), form))
}

/// Kaspa: a Schnorr key, an ECDSA key or a script.
pub(super) fn read_kaspa(test: bool, text: &str) -> Result<Read, Fault> {
    let prefix = if test { "kaspatest" } else { "kaspa" };
    let bytes = decode(prefix, LETTERS, text)?;
    let (form, length) = match bytes.first() {
        Some(0) => ("public key", 33),
        Some(1) => ("public key, ECDSA", 34),
        Some(8) => ("script", 33),
        version => return Err(Fault::Version { version: version.copied().unwrap_or_default().into() }),
    };
    if bytes.len() != length {
        return Err(Fault::Length { unit: "bytes", found: bytes.len(), expected: "33 or 34" });
    }
    Ok(Read::new(encode(prefix, bytes[0], &bytes[1..]), form))
}

/// Conflux (CIP-37): an account, a contract or a built-in contract by its first bits. Between the prefix and the letters
/// may stand what kind it is.
pub(super) fn read_conflux(test: bool, text: &str) -> Result<Read, Fault> {
    let prefix = if test { "cfxtest" } else { "cfx" };
    let mut parts: Vec<&str> = text.split(':').collect();
    let letters = parts.pop().unwrap_or_default();
    let kind = parts.pop_if(|part| part.contains('.'));
    if !(parts.is_empty() || parts.len() == 1 && parts[0].eq_ignore_ascii_case(prefix)) {
        return Err(Fault::Prefix);
    }
    let bytes = decode(prefix, CONFLUX, letters)?;
    let (version, account) = bytes.split_first().ok_or(Fault::Checksum)?;
    if *version != 0 {
        return Err(Fault::Version { version: (*version).into() });
    }
    if account.len() != 20 {
        return Err(Fault::Length { unit: "bytes", found: account.len(), expected: "20" });
    }
    let (form, word) = match account[0] >> 4 {
        1 => ("account", "type.user"),
        8 => ("contract", "type.contract"),
        0 if *account == [0; 20] => ("null", "type.null"),
        0 => ("built-in contract", "type.builtin"),
        _ => return Err(Fault::Rule("its first bits are of no kind of account")),
    };
    if kind.is_some_and(|kind| !kind.eq_ignore_ascii_case(word)) {
        return Err(Fault::Rule("it is not of the kind that it says"));
    }
    Ok(Read::new(letters.to_ascii_lowercase(), form))
}

/// The bytes of a text with or without its prefix.
fn decode(prefix: &str, letters: &Letters, text: &str) -> Result<Vec<u8>, Fault> {
    let data = match text.rsplit_once(':') {
        Some((found, data)) if found.eq_ignore_ascii_case(prefix) => data,
        Some(_) => return Err(Fault::Prefix),
        None => text,
    };
    if data.bytes().any(|byte| byte.is_ascii_lowercase()) && data.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(Fault::MixedCase);
    }
    let value = |(index, found): (usize, char)| {
        let lower = found.to_ascii_lowercase();
        let at = letters.iter().position(|letter| char::from(*letter) == lower);
        let fives = at.map(|at| u8::try_from(at).expect("below 32"));
        fives.ok_or(Fault::Character { position: text.len() - data.len() + index + 1, found })
    };
    let fives = data.chars().enumerate().map(value).collect::<Result<Vec<u8>, Fault>>()?;
    if !(CHECKSUM + 1..=112).contains(&fives.len()) {
        return Err(Fault::Length { unit: "characters", found: fives.len(), expected: "42 to 70" });
    }
    if remainder(prefix, fives.iter().copied()) != 0 {
        return Err(Fault::Checksum);
    }
    let mut bytes = Vec::new();
    let (mut bits, mut value) = (0, 0_u16);
    for five in &fives[..fives.len() - CHECKSUM] {
        value = value << 5 | u16::from(*five);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((value >> bits).to_be_bytes()[1]);
            value &= (1 << bits) - 1;
        }
    }
    if bits >= 5 || value != 0 { Err(Fault::Padding) } else { Ok(bytes) }
}

/// The letters of a version byte and what it is the version of, with their checksum and without the prefix.
fn encode(prefix: &str, version: u8, hash: &[u8]) -> String {
    let mut fives = Vec::new();
    let (mut bits, mut value) = (0, 0_u32);
    for byte in std::iter::once(&version).chain(hash) {
        value = (value << 8 | u32::from(*byte)) & 0xffff;
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            fives.push((value >> bits).to_be_bytes()[3] & 31);
        }
    }
    if bits > 0 {
        fives.push((value << (5 - bits)).to_be_bytes()[3] & 31);
    }
    let checksum = remainder(prefix, fives.iter().copied().chain([0; CHECKSUM]));
    let checksum = (0..CHECKSUM).rev().map(|at| (checksum >> (5 * at)).to_be_bytes()[7] & 31);
    fives.iter().copied().chain(checksum).map(|five| char::from(LETTERS[usize::from(five)])).collect()
}

/// The remainder of prefix and letters in the code; zero where the checksum is right.
fn remainder(prefix: &str, fives: impl Iterator<Item = u8>) -> u64 {
    let prefix = prefix.bytes().map(|byte| byte & 31).chain([0]);
    let step = |value: u64, five: u8| {
        let top = value >> 35;
        let value = (value & 0x07_ffff_ffff) << 5 ^ u64::from(five);
        let chosen = GENERATORS.iter().enumerate().filter(|(bit, _)| top >> bit & 1 == 1);
        chosen.fold(value, |value, (_, generator)| value ^ generator)
    };
    prefix.chain(fives).fold(1, step) ^ 1
}
