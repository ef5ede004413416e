//! Bitcoin and the chains that write addresses as it does: base58check with a version byte for P2PKH and P2SH; segwit
//! with bech32 for witness version 0 (BIP-173) and bech32m from version 1 on (BIP-350).
//!
//! Networks are told apart by version byte and human-readable part. Signet and testnet4 write addresses as testnet
//! does, and cannot be told from it. Litecoin and DigiByte once wrote P2SH with Bitcoin's version byte; such a text is
//! read where the chain is named, and written in today's form.

use bech32::primitives::decode::{CheckedHrpstring, PaddingError};
use bech32::{Bech32, Bech32m, Fe32};

use super::reading::Read;
use super::text::Text;
use super::{Fault, base58};

/// How a network writes addresses. Its version bytes: today's first, then those that are only read.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Network {
    p2pkh: u8,
    p2sh: &'static [u8],
    /// The human-readable part of segwit addresses, and that of MWEB.
    segwit: Option<&'static str>,
    mweb: Option<&'static str>,
}

const fn network(p2pkh: u8, p2sh: &'static [u8], segwit: Option<&'static str>) -> Network {
    Network { p2pkh, p2sh, segwit, mweb: None }
}

// Source of all numbers: `chainparams.cpp` of each chain's node.
pub(super) static BITCOIN: Network = network(0, &[5], Some("bc"));
pub(super) static BITCOIN_TEST: Network = network(111, &[196], Some("tb"));
pub(super) static BITCOIN_SV: Network = network(0, &[5], None);
pub(super) static BITCOIN_GOLD: Network = network(38, &[23], Some("btg"));
pub(super) static LITECOIN: Network = Network { mweb: Some("ltcmweb"), ..network(48, &[50, 5], Some("ltc")) };
pub(super) static LITECOIN_TEST: Network = Network { mweb: Some("tmweb"), ..network(111, &[58, 196], Some("tltc")) };
pub(super) static DOGECOIN: Network = network(30, &[22], None);
pub(super) static DOGECOIN_TEST: Network = network(113, &[196], None);
pub(super) static DASH: Network = network(76, &[16], None);
pub(super) static DASH_TEST: Network = network(140, &[19], None);
pub(super) static DIGIBYTE: Network = network(30, &[63, 5], Some("dgb"));
pub(super) static DIGIBYTE_TEST: Network = network(126, &[140], Some("dgbt"));
pub(super) static RAVENCOIN: Network = network(60, &[122], None);
pub(super) static RAVENCOIN_TEST: Network = network(111, &[196], None);

impl Network {
    /// Whether a text begins with the letters of its segwit addresses.
    pub(super) fn may_be(&self, text: &str) -> bool {
        [self.segwit, self.mweb].into_iter().flatten().any(|hrp| has_hrp(text, hrp))
    }
}

/// Longest segwit address, in characters (BIP-173).
const MAX_SEGWIT: usize = 90;

pub(super) fn read(network: &Network, text: &Text<'_>) -> Result<Read, Fault> {
    if let Some(hrp) = network.segwit.filter(|hrp| has_hrp(text.written, hrp)) {
        return read_segwit(hrp, text.written);
    }
    if let Some(hrp) = network.mweb.filter(|hrp| has_hrp(text.written, hrp)) {
        return read_mweb(hrp, text.written);
    }
    match read_base58(network, text) {
        Err(Fault::Character { .. }) if has_bech32_checksum(text.written) => Err(Fault::Prefix),
        read => read,
    }
}

/// Whether a bech32 text begins with these letters, in either case.
pub(super) fn has_hrp(text: &str, hrp: &str) -> bool {
    let start = text.as_bytes().get(..=hrp.len());
    start.is_some_and(|start| start[hrp.len()] == b'1' && start[..hrp.len()].eq_ignore_ascii_case(hrp.as_bytes()))
}

fn has_bech32_checksum(text: &str) -> bool {
    CheckedHrpstring::new::<Bech32>(text).is_ok() || CheckedHrpstring::new::<Bech32m>(text).is_ok()
}

fn read_base58(network: &Network, text: &Text<'_>) -> Result<Read, Fault> {
    let payload = text.base58check()?;
    let (version, hash) = payload.split_first().expect("base58check has a byte before its checksum");
    if is_private_key(payload) {
        return Err(Fault::PrivateKey);
    }
    let (form, written) = if *version == network.p2pkh {
        ("P2PKH", *version)
    } else if network.p2sh.contains(version) {
        ("P2SH", network.p2sh[0])
    } else {
        return Err(Fault::Version { version: (*version).into() });
    };
    let found = hash.len();
    let hash: &[u8; 20] =
        hash.try_into().map_err(|_| Fault::Length { unit: "bytes after the version", found, expected: "20" })?;
    if written == *version {
        return Ok(Read::new(text.written, form));
    }
    Ok(Read::new(base58::encode_check(&[&[written], &hash[..]].concat()), "P2SH, old version"))
}

/// A private key in wallet import format, of any chain: a version from 128 on, 32 bytes, and a mark if compressed.
pub(super) fn is_private_key(payload: &[u8]) -> bool {
    payload[0] >= 128 && (payload.len() == 33 || payload.len() == 34 && payload[33] == 1)
}

fn read_segwit(hrp: &str, text: &str) -> Result<Read, Fault> {
    let text = one_case(hrp, text)?;
    if text.len() > MAX_SEGWIT {
        return Err(Fault::Length { unit: "characters", found: text.len(), expected: "at most 90" });
    }
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
    let form = match (version, length) {
        (0, 20) => "P2WPKH",
        (0, _) => "P2WSH",
        (1, 32) => "P2TR",
        _ => "segwit",
    };
    Ok(Read::new(text, form))
}

/// Litecoin's MimbleWimble extension blocks (LIP-0004): two public keys under version 0.
fn read_mweb(hrp: &str, text: &str) -> Result<Read, Fault> {
    let text = one_case(hrp, text)?;
    let mut data = CheckedHrpstring::new::<Bech32>(&text).map_err(|_| Fault::Checksum)?;
    if data.remove_witness_version().is_none_or(|version| version.to_u8() != 0) {
        return Err(Fault::Rule("an MWEB address of a version other than 0"));
    }
    match data.byte_iter().len() {
        66 => Ok(Read::new(text, "MWEB")),
        found => Err(Fault::Length { unit: "bytes", found, expected: "66" }),
    }
}

/// A bech32 text in lower case; its letters must be of the alphabet, and of one case.
pub(super) fn one_case(hrp: &str, text: &str) -> Result<String, Fault> {
    let unfit = text.chars().enumerate().skip(hrp.len() + 1).find(|(_, found)| !is_bech32(*found));
    if let Some((index, found)) = unfit {
        return Err(Fault::Character { position: index + 1, found });
    }
    if text.bytes().any(|byte| byte.is_ascii_lowercase()) && text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(Fault::MixedCase);
    }
    Ok(text.to_ascii_lowercase())
}

fn is_bech32(found: char) -> bool {
    found.is_ascii_alphanumeric() && !matches!(found.to_ascii_lowercase(), '1' | 'b' | 'i' | 'o')
}
