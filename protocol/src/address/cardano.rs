//! Cardano: bech32 over a header byte and one or two hashes (CIP-19), and the older Byron form, base58 of CBOR with a
//! CRC-32.
//!
//! A base address names its payment part and its stake part; each pair is an account. The human-readable part and the
//! network in the header must agree.

use bech32::Bech32;
use crc::{CRC_32_ISO_HDLC, Crc};
use minicbor::Decoder;
use minicbor::data::{Tag, Type};

use super::Fault;
use super::bitcoin::has_hrp;
use super::reading::Read;
use super::text::Text;
use super::zcash::bech32_bytes;

const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// The tag of CBOR in CBOR (RFC 8949).
const ENCODED: Tag = Tag::new(24);

pub(super) fn read(test: bool, text: &Text<'_>) -> Result<Read, Fault> {
    let (payment, stake) = if test { ("addr_test", "stake_test") } else { ("addr", "stake") };
    if has_hrp(text.written, payment) {
        return read_shelley(test, payment, text.written);
    }
    if has_hrp(text.written, stake) {
        return read_shelley(test, stake, text.written);
    }
    let bytes = text.base58()?;
    let broken = Fault::Rule("not the CBOR of a Byron address");
    match read_byron(bytes) {
        Some((true, of_test)) if of_test == test => Ok(Read::new(text.written, "Byron")),
        Some((true, _)) => Err(Fault::Prefix),
        Some((false, _)) => Err(Fault::Checksum),
        None => Err(broken),
    }
}

fn read_shelley(test: bool, hrp: &str, text: &str) -> Result<Read, Fault> {
    let bytes = bech32_bytes::<Bech32>(hrp, text)?;
    let header = *bytes.first().ok_or(Fault::Checksum)?;
    let (kind, network) = (header >> 4, header & 15);
    if network != u8::from(!test) {
        return Err(Fault::Prefix);
    }
    let is_stake = hrp.starts_with("stake");
    let (form, fits) = match (is_stake, kind) {
        (false, 0..=3) => ("base", bytes.len() == 57),
        (false, 4 | 5) => ("pointer", is_pointer(bytes.get(29..).unwrap_or_default())),
        (false, 6 | 7) => ("payment", bytes.len() == 29),
        (true, 14 | 15) => ("stake", bytes.len() == 29),
        _ => return Err(Fault::Version { version: header.into() }),
    };
    if !fits {
        return Err(Fault::Length { unit: "bytes", found: bytes.len(), expected: "29 or 57" });
    }
    Ok(Read::new(text.to_ascii_lowercase(), form))
}

/// Three numbers of seven bits a byte, the last byte of each below 128.
fn is_pointer(bytes: &[u8]) -> bool {
    let ends = bytes.iter().filter(|byte| **byte < 128).count();
    bytes.len() <= 30 && ends == 3 && bytes.last().is_some_and(|last| *last < 128)
}

/// `[24(bytes of [root, attributes, type]), CRC-32]`: whether the checksum is right, and whether the attributes name a
/// network magic, which only test networks do. Nothing if it is no such CBOR.
fn read_byron(bytes: &[u8]) -> Option<(bool, bool)> {
    let mut outer = Decoder::new(bytes);
    if outer.array().ok()? != Some(2) || outer.tag().ok()? != ENCODED {
        return None;
    }
    let payload = outer.bytes().ok()?;
    let checksum = outer.u32().ok()?;
    if outer.position() != bytes.len() {
        return None;
    }
    let mut inner = Decoder::new(payload);
    if inner.array().ok()? != Some(3) || inner.bytes().ok()?.len() != 28 {
        return None;
    }
    let mut of_test = false;
    for _ in 0..inner.map().ok()?? {
        let key = inner.u8().ok()?;
        if inner.datatype().ok()? != Type::Bytes {
            return None;
        }
        inner.bytes().ok()?;
        of_test |= key == 2;
    }
    inner.u8().ok()?;
    (inner.position() == payload.len()).then_some((CRC.checksum(payload) == checksum, of_test))
}
