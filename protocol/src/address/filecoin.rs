//! Filecoin: a letter for the network, a digit for the kind, and a number or base32 with four bytes of BLAKE2b.

use blake2::digest::consts::U4;
use blake2::{Blake2b, Digest};
use data_encoding::{BASE32_NOPAD, Encoding};

use super::Fault;
use super::reading::Read;

pub(super) fn read(test: bool, text: &str) -> Result<Read, Fault> {
    let text = text.to_ascii_lowercase();
    let mut letters = text.chars();
    match letters.next() {
        Some('f') if !test => {}
        Some('t') if test => {}
        _ => return Err(Fault::Prefix),
    }
    let (kind, rest) = (letters.next(), letters.as_str());
    match kind {
        Some('0') => {
            let canonical = !rest.is_empty() && rest.len() <= 20 && (rest == "0" || !rest.starts_with('0'));
            let is_number = canonical && rest.bytes().all(|byte| byte.is_ascii_digit());
            if is_number { Ok(Read::new(text, "id")) } else { Err(Fault::Rule("an id is a number")) }
        }
        Some('1') => checked(&text, 1, &[], rest, 20, "account, secp256k1"),
        Some('2') => checked(&text, 2, &[], rest, 20, "actor"),
        Some('3') => checked(&text, 3, &[], rest, 48, "account, BLS"),
        Some('4') => {
            let (space, rest) = rest.split_once('f').ok_or(Fault::Rule("a delegated address has a second f"))?;
            let number: u64 = space.parse().map_err(|_| Fault::Rule("the namespace is a number"))?;
            let length = if number == 10 { 20 } else { 0 };
            checked(
                &text,
                4,
                &leb128(number),
                rest,
                length,
                if number == 10 { "account of the EVM" } else { "delegated" },
            )
        }
        _ => Err(Fault::Rule("the second character is a digit from 0 to 4")),
    }
}

/// Verifies the checksum over kind, namespace and payload; a length of 0 stands for any up to 54.
fn checked(text: &str, kind: u8, space: &[u8], rest: &str, length: usize, form: &'static str) -> Result<Read, Fault> {
    let skipped = text.len() - rest.len();
    let unfit = rest.chars().enumerate().find(|(_, found)| !matches!(found, 'a'..='z' | '2'..='7'));
    if let Some((index, found)) = unfit {
        return Err(Fault::Character { position: skipped + index + 1, found });
    }
    let letters: &Encoding = &BASE32_NOPAD;
    let bytes = letters.decode(rest.to_ascii_uppercase().as_bytes()).map_err(|_| Fault::Padding)?;
    let broken = Fault::Length { unit: "bytes", found: bytes.len(), expected: "24 or 52" };
    let (payload, checksum) = bytes.split_last_chunk::<4>().ok_or(broken)?;
    if (length > 0 && payload.len() != length) || payload.is_empty() || payload.len() > 54 {
        return Err(broken);
    }
    let hash = Blake2b::<U4>::new().chain_update([kind]).chain_update(space).chain_update(payload).finalize();
    if hash[..] == *checksum { Ok(Read::new(text, form)) } else { Err(Fault::Checksum) }
}

fn leb128(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let [.., low] = number.to_be_bytes();
        number >>= 7;
        bytes.push(low & 0x7f | if number > 0 { 0x80 } else { 0 });
        if number == 0 {
            return bytes;
        }
    }
}
