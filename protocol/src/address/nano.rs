//! Nano: base32 of a public key in an alphabet of its own, and five bytes of BLAKE2b, backwards. It began as `xrb_`.

use blake2::digest::consts::U5;
use blake2::{Blake2b, Digest};

use super::Fault;
use super::reading::Read;

const LETTERS: &[u8; 32] = b"13456789abcdefghijkmnopqrstuwxyz";

pub(super) fn read(text: &str) -> Result<Read, Fault> {
    let text = text.to_ascii_lowercase();
    let (rest, form) = match (text.strip_prefix("nano_"), text.strip_prefix("xrb_")) {
        (Some(rest), _) => (rest, "account"),
        (_, Some(rest)) => (rest, "account, xrb"),
        _ => return Err(Fault::Prefix),
    };
    let value = |(index, found): (usize, char)| {
        let at = LETTERS.iter().position(|letter| char::from(*letter) == found);
        let position = text.len() - rest.len() + index + 1;
        at.ok_or(Fault::Character { position, found }).map(|at| u8::try_from(at).expect("below 32"))
    };
    let fives = rest.chars().enumerate().map(value).collect::<Result<Vec<u8>, Fault>>()?;
    let Some((key, checksum)) = fives.split_at_checked(52).filter(|(_, checksum)| checksum.len() == 8) else {
        return Err(Fault::Length { unit: "characters", found: fives.len(), expected: "60 after the underscore" });
    };
    // 260 bits, of which the first four fill up.
    if key[0] > 1 {
        return Err(Fault::Padding);
    }
    let hash = Blake2b::<U5>::digest(bytes(key));
    let backwards: Vec<u8> = hash.iter().rev().copied().collect();
    if backwards != bytes(checksum) {
        return Err(Fault::Checksum);
    }
    Ok(Read::new(format!("nano_{rest}"), form))
}

/// Five bits each, as bytes that end with the last bit.
fn bytes(fives: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut bits, mut value) = (0, 0_u32);
    for five in fives.iter().rev() {
        value |= u32::from(*five) << bits;
        bits += 5;
        if bits >= 8 {
            bytes.push(value.to_be_bytes()[3]);
            value >>= 8;
            bits -= 8;
        }
    }
    bytes.reverse();
    bytes
}
