//! Stacks: `S`, a letter for version and network, and a hash with its checksum in Crockford's base32 (SIP-005); a
//! contract's name may follow a dot.

use sha2::{Digest, Sha256};

use super::Fault;
use super::reading::Read;

const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Versions of one key and of several, on the main network and on test networks.
const MAIN: [u8; 2] = [22, 20];
const TEST: [u8; 2] = [26, 21];

pub(super) fn read(test: bool, text: &str) -> Result<Read, Fault> {
    let (account, contract) = match text.split_once('.') {
        Some((account, name)) => (account, Some(name)),
        None => (text, None),
    };
    // Crockford's letters that look like others are read as these.
    let account = account.to_ascii_uppercase().replace('O', "0").replace(['L', 'I'], "1");
    let rest = account.strip_prefix('S').ok_or(Fault::Prefix)?;
    let value = |(index, found): (usize, char)| {
        let at = LETTERS.iter().position(|letter| char::from(*letter) == found);
        at.ok_or(Fault::Character { position: index + 2, found }).map(|at| u8::try_from(at).expect("below 32"))
    };
    let fives = rest.chars().enumerate().map(value).collect::<Result<Vec<u8>, Fault>>()?;
    let Some((version, fives)) = fives.split_first().filter(|(_, fives)| (24..=39).contains(&fives.len())) else {
        return Err(Fault::Length { unit: "characters", found: text.len(), expected: "38 to 41" });
    };
    let bytes = decode(fives).ok_or(Fault::Padding)?;
    let (hash, checksum) = bytes.split_last_chunk::<4>().expect("24 bytes");
    let expected = Sha256::digest(Sha256::digest([&[*version], hash].concat()));
    if expected[..4] != *checksum {
        return Err(Fault::Checksum);
    }
    let (own, other) = if test { (TEST, MAIN) } else { (MAIN, TEST) };
    if !own.contains(version) {
        return Err(if other.contains(version) {
            Fault::Prefix
        } else {
            Fault::Version { version: (*version).into() }
        });
    }
    match contract {
        None => Ok(Read::new(account, if *version == own[0] { "account" } else { "account of several keys" })),
        Some(name) if is_contract_name(name) => Ok(Read::new(format!("{account}.{name}"), "contract")),
        Some(_) => Err(Fault::Rule("what follows the dot is no name of a contract")),
    }
}

/// Twenty-four bytes, written as one number without the zeros it begins with, but a zero for each byte of them.
fn decode(fives: &[u8]) -> Option<[u8; 24]> {
    let zeros = fives.iter().take_while(|five| **five == 0).count();
    let mut bytes = [0; 24];
    let (mut at, mut bits, mut value) = (24, 0, 0_u32);
    for five in fives[zeros..].iter().rev() {
        value |= u32::from(*five) << bits;
        bits += 5;
        if bits >= 8 {
            at = usize::checked_sub(at, 1)?;
            bytes[at] = value.to_be_bytes()[3];
            value >>= 8;
            bits -= 8;
        }
    }
    if value > 0 {
        at = usize::checked_sub(at, 1)?;
        bytes[at] = value.to_be_bytes()[3];
    }
    let leading = bytes.iter().take_while(|byte| **byte == 0).count();
    (leading == zeros).then_some(bytes)
}

fn is_contract_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    name.len() <= 40 && name.bytes().all(fits) && name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
}
