//! Tezos: base58check with three version bytes. Test networks write addresses alike.

use super::Fault;
use super::reading::Read;
use super::text::Text;

/// What each form begins with, and how many bytes follow. Source: `base58.ml` of octez.
const FORMS: [([u8; 3], &str, usize); 6] = [
    ([6, 161, 159], "account, Ed25519", 20),
    ([6, 161, 161], "account, secp256k1", 20),
    ([6, 161, 164], "account, P-256", 20),
    ([6, 161, 166], "account, BLS", 20),
    ([2, 90, 121], "contract", 20),
    ([6, 124, 117], "smart rollup", 20),
];

/// What keys that must stay secret begin with: `edsk` (seed, then expanded), `spsk`, `p2sk`.
const SECRETS: [&[u8]; 4] = [&[13, 15, 58, 7], &[43, 246, 78, 7], &[17, 162, 224, 201], &[16, 81, 238, 189]];

pub(super) fn read(text: &Text<'_>) -> Result<Read, Fault> {
    let payload = text.base58check()?;
    if SECRETS.iter().any(|secret| payload.starts_with(secret)) {
        return Err(Fault::PrivateKey);
    }
    let found = FORMS.iter().find(|(start, ..)| payload.starts_with(start));
    let (start, form, length) = found.ok_or(Fault::Version { version: payload[0].into() })?;
    if payload.len() != start.len() + length {
        return Err(Fault::Length { unit: "bytes", found: payload.len() - start.len(), expected: "20" });
    }
    Ok(Read::new(text.written, form))
}
