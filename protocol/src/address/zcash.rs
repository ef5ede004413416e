//! Zcash: transparent addresses in base58check with two version bytes, Sapling in bech32, unified in bech32m over
//! scrambled receivers (ZIP 316), and TEX (ZIP 320), which names a transparent account and asks for transparent funds.
//!
//! A unified address is an account of its own: it hides which receivers belong together, and a sender cannot be
//! observed to use one of them. It is longer than CAIP-10 permits; it stands whole all the same.

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Bech32m, Checksum};

use super::bitcoin::{has_hrp, is_private_key, one_case};
use super::reading::Read;
use super::text::Text;
use super::{Fault, base58};

/// How a network writes addresses. Source: the protocol specification, section 5.6.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Network {
    p2pkh: [u8; 2],
    p2sh: [u8; 2],
    sprout: [u8; 2],
    sapling: &'static str,
    unified: &'static str,
    tex: &'static str,
}

pub(super) static MAIN: Network =
    Network { p2pkh: [0x1c, 0xb8], p2sh: [0x1c, 0xbd], sprout: [0x16, 0x9a], sapling: "zs", unified: "u", tex: "tex" };

pub(super) static TEST: Network = Network {
    p2pkh: [0x1d, 0x25],
    p2sh: [0x1c, 0xba],
    sprout: [0x16, 0xb6],
    sapling: "ztestsapling",
    unified: "utest",
    tex: "textest",
};

/// Receivers of a unified address by their type codes: P2PKH, P2SH, Sapling, Orchard.
const RECEIVERS: [(u64, usize); 4] = [(0, 20), (1, 20), (2, 43), (3, 43)];

pub(super) fn read(network: &Network, text: &Text<'_>) -> Result<Read, Fault> {
    let written = text.written;
    if has_hrp(written, network.unified) {
        let bytes = bech32_bytes::<Bech32m>(network.unified, written)?;
        check_unified(network.unified, &bytes)?;
        return Ok(Read::new(written.to_ascii_lowercase(), "unified"));
    }
    if has_hrp(written, network.sapling) {
        let bytes = bech32_bytes::<Bech32>(network.sapling, written)?;
        return match bytes.len() {
            43 => Ok(Read::new(written.to_ascii_lowercase(), "Sapling")),
            found => Err(Fault::Length { unit: "bytes", found, expected: "43" }),
        };
    }
    if has_hrp(written, network.tex) {
        let bytes = bech32_bytes::<Bech32m>(network.tex, written)?;
        if bytes.len() != 20 {
            return Err(Fault::Length { unit: "bytes", found: bytes.len(), expected: "20" });
        }
        let canonical = base58::encode_check(&[&network.p2pkh[..], &bytes].concat());
        return Ok(Read::new(canonical, "P2PKH, transparent funds only"));
    }
    let payload = text.base58check()?;
    if is_private_key(payload) {
        return Err(Fault::PrivateKey);
    }
    let (version, rest) = payload.split_first_chunk::<2>().ok_or(Fault::Checksum)?;
    let (form, length) = match version {
        version if *version == network.p2pkh => ("P2PKH", 20),
        version if *version == network.p2sh => ("P2SH", 20),
        version if *version == network.sprout => ("Sprout", 64),
        version => return Err(Fault::Version { version: u16::from_be_bytes(*version) }),
    };
    if rest.len() != length {
        return Err(Fault::Length {
            unit: "bytes after the version",
            found: rest.len(),
            expected: "20, or 64 for Sprout",
        });
    }
    Ok(Read::new(written, form))
}

/// The bytes of a bech32 text, its checksum and padding verified.
pub(super) fn bech32_bytes<C: Checksum>(hrp: &str, text: &str) -> Result<Vec<u8>, Fault> {
    let text = one_case(hrp, text)?;
    let data = CheckedHrpstring::new::<C>(&text).map_err(|_| Fault::Checksum)?;
    data.validate_segwit_padding().map_err(|_| Fault::Padding)?;
    Ok(data.byte_iter().collect())
}

/// ZIP 316: unscrambled, the receivers stand in the order of their types, each once, one of them shielded, and the
/// padding names the network.
fn check_unified(hrp: &str, scrambled: &[u8]) -> Result<(), Fault> {
    let bytes = f4jumble::f4jumble_inv(scrambled).map_err(|_| Fault::Length {
        unit: "bytes",
        found: scrambled.len(),
        expected: "at least 48",
    })?;
    let (mut items, padding) = bytes.split_last_chunk::<16>().ok_or(Fault::Checksum)?;
    if padding[..hrp.len()] != *hrp.as_bytes() || padding[hrp.len()..].iter().any(|byte| *byte != 0) {
        return Err(Fault::Checksum);
    }
    let broken = Fault::Rule("its receivers are not written as ZIP 316 asks");
    let (mut last, mut shielded) = (None, false);
    while let [kind, length, rest @ ..] = items {
        // Types and lengths below 253 take one byte, and all that are defined are below.
        let (kind, length) = (u64::from(*kind), usize::from(*length));
        if kind >= 253 || length >= 253 || last.is_some_and(|last| kind <= last) {
            return Err(broken);
        }
        let defined = RECEIVERS.iter().find(|(defined, _)| *defined == kind);
        if defined.is_some_and(|(_, expected)| *expected != length) {
            return Err(broken);
        }
        shielded |= kind >= 2;
        last = Some(kind);
        items = rest.get(length..).ok_or(broken)?;
    }
    if !items.is_empty() || !shielded { Err(broken) } else { Ok(()) }
}
