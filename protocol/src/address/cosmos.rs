//! Chains of the Cosmos family: bech32 with the chain's own letters, over 20 bytes of an account or 32 of a contract
//! or module; and MultiversX, which writes 32 bytes likewise.

use bech32::Bech32;

use super::Fault;
use super::bitcoin::has_hrp;
use super::reading::Read;
use super::zcash::bech32_bytes;

pub(super) fn read(hrp: &str, text: &str) -> Result<Read, Fault> {
    if !has_hrp(text, hrp) {
        return Err(if text.contains('1') { Fault::Prefix } else { Fault::Checksum });
    }
    match bech32_bytes::<Bech32>(hrp, text)?.len() {
        20 => Ok(Read::new(text.to_ascii_lowercase(), "account")),
        32 => Ok(Read::new(text.to_ascii_lowercase(), "contract or module")),
        found => Err(Fault::Length { unit: "bytes", found, expected: "20 or 32" }),
    }
}

/// MultiversX: an account, or a contract, which begins with eight zero bytes.
pub(super) fn read_multiversx(text: &str) -> Result<Read, Fault> {
    const LETTERS: &str = "erd";
    if !has_hrp(text, LETTERS) {
        return Err(if text.contains('1') { Fault::Prefix } else { Fault::Checksum });
    }
    let bytes = bech32_bytes::<Bech32>(LETTERS, text)?;
    if bytes.len() != 32 {
        return Err(Fault::Length { unit: "bytes", found: bytes.len(), expected: "32" });
    }
    let form = if bytes.starts_with(&[0; 8]) { "contract" } else { "account" };
    Ok(Read::new(text.to_ascii_lowercase(), form))
}
