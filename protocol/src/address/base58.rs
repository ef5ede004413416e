//! Base58 and base58check, as Bitcoin, TRON, Solana and SS58 share them.
//!
//! Decoding base58 takes time that grows with the square of the length, so the length is bounded first.

use super::Fault;

/// More characters than any address or private key in base58 has (SS58 has at most 50, a private key 52).
const MAX_CHARACTERS: usize = 64;

/// Decodes base58.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, Fault> {
    let unfit = text.chars().enumerate().find(|(_, found)| !is_base58(*found));
    if let Some((index, found)) = unfit {
        return Err(Fault::Character { position: index + 1, found });
    }
    if text.len() > MAX_CHARACTERS {
        return Err(Fault::Length { unit: "characters", found: text.len(), expected: "at most 64" });
    }
    Ok(bs58::decode(text).into_vec().expect("only base58 characters"))
}

/// Decodes base58check: the version byte and what follows it, the checksum (four bytes of a double SHA-256) verified.
pub(super) fn decode_check(text: &str) -> Result<(u8, Vec<u8>), Fault> {
    let bytes = decode(text)?;
    if bytes.len() < 5 {
        return Err(Fault::Length { unit: "bytes", found: bytes.len(), expected: "25" });
    }
    let mut payload = bs58::decode(text).with_check(None).into_vec().map_err(|_| Fault::Checksum)?;
    let version = payload.remove(0);
    Ok((version, payload))
}

fn is_base58(found: char) -> bool {
    found.is_ascii_alphanumeric() && !matches!(found, '0' | 'O' | 'I' | 'l')
}
