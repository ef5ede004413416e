//! Chains of the Cosmos family: bech32 with the chain's own letters, over 20 bytes of an account or 32 of a contract
//! or module.

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
