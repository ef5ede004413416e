//! Base58 and base58check, as Bitcoin, TRON, Solana, SS58 and others share them.
//!
//! Decoding base58 takes time that grows with the square of the length, so the length is bounded first.

use super::Fault;

/// More characters than any address or private key in base58 has: Cardano's oldest have about 110.
const MAX_CHARACTERS: usize = 128;

/// Decodes base58.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, Fault> {
    decode_with(text, bs58::Alphabet::BITCOIN, is_base58)
}

fn decode_with(text: &str, alphabet: &bs58::Alphabet, fits: fn(char) -> bool) -> Result<Vec<u8>, Fault> {
    let unfit = text.chars().enumerate().find(|(_, found)| !fits(*found));
    if let Some((index, found)) = unfit {
        return Err(Fault::Character { position: index + 1, found });
    }
    if text.len() > MAX_CHARACTERS {
        return Err(Fault::Length { unit: "characters", found: text.len(), expected: "at most 128" });
    }
    Ok(bs58::decode(text).with_alphabet(alphabet).into_vec().expect("only base58 characters"))
}

/// Takes the checksum (four bytes of a double SHA-256) off decoded bytes.
pub(super) fn verify(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    let Some((payload, checksum)) = bytes.split_last_chunk::<4>().filter(|(payload, _)| !payload.is_empty()) else {
        return Err(Fault::Length { unit: "bytes", found: bytes.len(), expected: "25" });
    };
    if *checksum == checksum_of(payload) { Ok(payload.to_vec()) } else { Err(Fault::Checksum) }
}

fn checksum_of(payload: &[u8]) -> [u8; 4] {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(Sha256::digest(payload));
    [hash[0], hash[1], hash[2], hash[3]]
}

/// Writes base58check.
pub(super) fn encode_check(payload: &[u8]) -> String {
    bs58::encode([payload, &checksum_of(payload)].concat()).into_string()
}

/// Decodes base58check in the XRP Ledger's alphabet, the checksum verified.
pub(super) fn decode_ripple(text: &str) -> Result<Vec<u8>, Fault> {
    verify(&decode_with(text, bs58::Alphabet::RIPPLE, is_base58)?)
}

/// Writes base58check in the XRP Ledger's alphabet.
pub(super) fn encode_ripple(payload: &[u8]) -> String {
    let bytes = [payload, &checksum_of(payload)].concat();
    bs58::encode(bytes).with_alphabet(bs58::Alphabet::RIPPLE).into_string()
}

/// The letters and digits that cannot be taken for others; both alphabets have them, in different orders.
pub(super) fn is_base58(found: char) -> bool {
    found.is_ascii_alphanumeric() && !matches!(found, '0' | 'O' | 'I' | 'l')
}
