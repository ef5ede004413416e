//! Algorand: base32 of a public key and the last four bytes of its SHA-512/256. Test networks write addresses alike.

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha512_256};

use super::Fault;
use super::reading::Read;

pub(super) fn read(text: &str) -> Result<Read, Fault> {
    let unfit = text.chars().enumerate().find(|(_, found)| !matches!(found, 'A'..='Z' | 'a'..='z' | '2'..='7'));
    if let Some((index, found)) = unfit {
        return Err(Fault::Character { position: index + 1, found });
    }
    if text.len() != 58 {
        return Err(Fault::Length { unit: "characters", found: text.len(), expected: "58" });
    }
    let upper = text.to_ascii_uppercase();
    let bytes = BASE32_NOPAD.decode(upper.as_bytes()).map_err(|_| Fault::Padding)?;
    let (key, checksum) = bytes.split_last_chunk::<4>().expect("36 bytes");
    if Sha512_256::digest(key)[28..] != *checksum {
        return Err(Fault::Checksum);
    }
    Ok(Read::new(upper, "account"))
}
