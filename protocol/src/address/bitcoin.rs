//! Bitcoin: base58check with a version byte for P2PKH and P2SH; segwit with bech32 for witness version 0 (BIP-173) and
//! bech32m from version 1 on (BIP-350).
//!
//! Main network and testnet are told apart by version byte and human-readable part. Signet and testnet4 write
//! addresses as testnet does, and cannot be told from it.

use bech32::primitives::decode::{CheckedHrpstring, PaddingError};
use bech32::{Bech32, Bech32m, Fe32};

use super::{Fault, base58};

/// Which of Bitcoin's networks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Network {
    Main,
    Test,
}

impl Network {
    /// Version bytes of P2PKH and P2SH.
    const fn versions(self) -> [u8; 2] {
        match self {
            Network::Main => [0, 5],
            Network::Test => [111, 196],
        }
    }

    /// The human-readable part of segwit addresses.
    const fn hrp(self) -> &'static str {
        match self {
            Network::Main => "bc",
            Network::Test => "tb",
        }
    }
}

/// Version bytes of private keys in wallet import format, main network and testnet.
const PRIVATE_KEYS: [u8; 2] = [128, 239];

/// Longest segwit address, in characters (BIP-173).
const MAX_SEGWIT: usize = 90;

pub(super) fn read(network: Network, text: &str) -> Result<String, Fault> {
    let is_segwit =
        |hrp: &str| text.get(..=hrp.len()).is_some_and(|start| start.eq_ignore_ascii_case(&format!("{hrp}1")));
    if is_segwit(network.hrp()) {
        return read_segwit(network, text);
    }
    match read_base58(network, text) {
        Err(Fault::Character { .. }) if has_bech32_checksum(text) => Err(Fault::Prefix),
        read => read,
    }
}

fn has_bech32_checksum(text: &str) -> bool {
    CheckedHrpstring::new::<Bech32>(text).is_ok() || CheckedHrpstring::new::<Bech32m>(text).is_ok()
}

fn read_base58(network: Network, text: &str) -> Result<String, Fault> {
    let (version, payload) = base58::decode_check(text)?;
    if PRIVATE_KEYS.contains(&version) && matches!(payload.len(), 32 | 33) {
        return Err(Fault::PrivateKey);
    }
    if !network.versions().contains(&version) {
        return Err(Fault::Version { version: version.into() });
    }
    if payload.len() != 20 {
        return Err(Fault::Length { unit: "bytes after the version", found: payload.len(), expected: "20" });
    }
    Ok(text.to_owned())
}

fn read_segwit(network: Network, text: &str) -> Result<String, Fault> {
    let data_start = network.hrp().len() + 1;
    let unfit = text.chars().enumerate().skip(data_start).find(|(_, found)| !is_bech32(*found));
    if let Some((index, found)) = unfit {
        return Err(Fault::Character { position: index + 1, found });
    }
    if text.bytes().any(|byte| byte.is_ascii_lowercase()) && text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(Fault::MixedCase);
    }
    if text.len() > MAX_SEGWIT {
        return Err(Fault::Length { unit: "characters", found: text.len(), expected: "at most 90" });
    }
    let text = text.to_ascii_lowercase();
    let with_bech32 = CheckedHrpstring::new::<Bech32>(&text);
    let with_bech32m = CheckedHrpstring::new::<Bech32m>(&text);
    let is_bech32m = with_bech32m.is_ok();
    let mut data = with_bech32.or(with_bech32m).map_err(|_| Fault::Checksum)?;
    let empty = Fault::Length { unit: "bytes of witness program", found: 0, expected: "2 to 40" };
    let first = *data.data_part_ascii_no_checksum().first().ok_or(empty)?;
    let version = Fe32::from_char(first.into()).expect("a bech32 character").to_u8();
    if data.remove_witness_version().is_none() {
        return Err(Fault::WitnessVersion { version });
    }
    if is_bech32m != (version > 0) {
        return Err(Fault::ChecksumKind { version });
    }
    data.validate_segwit_padding().map_err(|_: PaddingError| Fault::Padding)?;
    let length = data.byte_iter().len();
    if version == 0 && !matches!(length, 20 | 32) {
        return Err(Fault::Length { unit: "bytes of witness program", found: length, expected: "20 or 32" });
    }
    if !(2..=40).contains(&length) {
        return Err(Fault::Length { unit: "bytes of witness program", found: length, expected: "2 to 40" });
    }
    Ok(text)
}

fn is_bech32(found: char) -> bool {
    found.is_ascii_alphanumeric() && !matches!(found.to_ascii_lowercase(), '1' | 'b' | 'i' | 'o')
}
