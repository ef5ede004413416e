//! Bundles: what catch-up would bring, in a file, for nodes that no network joins (an air gap, a diode, a courier).
//!
//! ```text
//! file  = "entente-bundle-v1\n" || frame(head) || frame(part)...      frame(x) = length (4 bytes, big-endian) || x
//! head  = [wrap of the bundle's key for one node]...                  each an age file, as in a wrap object (9)
//! part  = age file under the bundle's key, as a body, of a signed bundle part (15)
//! ```
//!
//! | key | value of a bundle part |
//! |---|---|
//! | 0 | agreement |
//! | 1, 2, 3 | who made the bundle, serial of its card, writer |
//! | 4 | created |
//! | 5 | the bundle's number, 16 random bytes, the same in all its parts |
//! | 6 | which part, from 0 |
//! | 7? | true: the last part |
//! | 8? | stand-alone objects of the agreement's feed: `[number, bytes]` |
//! | 9? | wraps of content keys, for the nodes of parties |
//! | 10? | entries, of each log in order: `[header]` or `[header, body or remnant]` |
//! | 11? | in the last part: where the maker's logs stand, as in a receipt |
//!
//! The maker's signature says who hands this over, as a connection would; nothing in the bundle is believed for it. The
//! file names neither agreement nor parties to those whom it is not for. Parts may come in any order and repeatedly: what
//! is known is passed over, and what waits for an earlier part is taken when it comes again after that.

use minicbor::Decoder;

use crate::id::{AgencyId, AgreementId};
use crate::limits;
use crate::receipt::LogPosition;
use crate::sync::message::EntryBytes;
use crate::time::Time;
use crate::wire::attest::Payload;
use crate::wire::codec::{self, CodecError, MapReader, MapWriter, Value};
use crate::wire::object::ObjectKind;

/// How a bundle file begins.
pub const MAGIC: &[u8] = b"entente-bundle-v1\n";

/// The content of a part that its maker aims at, bytes; one entry may pass it.
pub const PART_BYTES: usize = 1 << 20;

/// The longest sealed part in a file, bytes.
pub const MAX_SEALED_BYTES: usize = limits::BUNDLE_PART_BYTES + (64 << 10);

/// A stand-alone object as it came.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BundledObject {
    /// The number of its kind.
    pub kind: u8,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A part of a bundle.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Part {
    /// The agreement.
    pub agreement: AgreementId,
    /// Who made the bundle.
    pub maker: AgencyId,
    /// The serial of its card.
    pub card_serial: u32,
    /// Its node.
    pub writer: u32,
    /// When it was made.
    pub created: Time,
    /// The bundle's number.
    pub bundle: [u8; 16],
    /// Which part, from 0.
    pub index: u64,
    /// Whether it is the last.
    pub last: bool,
    /// Objects of the feed.
    pub objects: Vec<BundledObject>,
    /// Wraps of content keys.
    pub wraps: Vec<Vec<u8>>,
    /// Entries, of each log in order.
    pub entries: Vec<EntryBytes>,
    /// Where the maker's logs stand; in the last part.
    pub positions: Vec<LogPosition>,
}

impl Part {
    /// Whether it brings nothing.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.entries.is_empty()
    }
}

impl Value for BundledObject {
    fn write(&self, out: &mut Vec<u8>) {
        codec::write_array(out, 2);
        codec::write_uint(out, self.kind.into());
        codec::write_bytes(out, &self.bytes);
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        codec::read_array(d, key, 2, 2)?;
        let kind = u64::read(d, key)?.try_into().map_err(|_| CodecError::Bounds(key))?;
        Ok(Self { kind, bytes: codec::read_bytes(d, key, limits::RECEIPT_BYTES)?.to_vec() })
    }
}

/// The bytes of a signed wrap.
struct WrapBytes(Vec<u8>);

impl Value for WrapBytes {
    fn write(&self, out: &mut Vec<u8>) {
        codec::write_bytes(out, &self.0);
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        Ok(Self(codec::read_bytes(d, key, limits::WRAP_BYTES)?.to_vec()))
    }
}

impl Payload for Part {
    const KIND: ObjectKind = ObjectKind::BundlePart;
    const MAX_BYTES: usize = limits::BUNDLE_PART_BYTES;

    fn write(&self) -> Vec<u8> {
        let wraps: Vec<WrapBytes> = self.wraps.iter().cloned().map(WrapBytes).collect();
        MapWriter::new()
            .put(0, &self.agreement)
            .put(1, &self.maker)
            .put(2, &self.card_serial)
            .put(3, &self.writer)
            .put(4, &self.created)
            .put_bytes(5, &self.bundle)
            .put(6, &self.index)
            .put_some(7, self.last.then_some(&true))
            .put_list(8, &self.objects)
            .put_list(9, &wraps)
            .put_list(10, &self.entries)
            .put_list(11, &self.positions)
            .finish()
    }

    fn read(map: &mut MapReader<'_, '_>) -> Result<Self, CodecError> {
        let part = Self {
            agreement: map.need(0)?,
            maker: map.need(1)?,
            card_serial: map.need(2)?,
            writer: map.need(3)?,
            created: map.need(4)?,
            bundle: {
                let bytes = map.bytes(5, 16)?.ok_or(CodecError::Missing(5))?;
                bytes.try_into().map_err(|_| CodecError::Bounds(5))?
            },
            index: map.need(6)?,
            last: match map.take::<bool>(7)? {
                None => false,
                Some(true) => true,
                Some(false) => return Err(CodecError::Bounds(7)),
            },
            objects: map.list(8, limits::BUNDLED)?,
            wraps: map.list::<WrapBytes>(9, limits::BUNDLED)?.into_iter().map(|wrap| wrap.0).collect(),
            entries: map.list(10, limits::BUNDLED)?,
            positions: map.list(11, limits::BUNDLED)?,
        };
        let ascends = part.positions.is_sorted_by(|a, b| a < b);
        if ascends && (part.last || part.positions.is_empty()) { Ok(part) } else { Err(CodecError::Bounds(11)) }
    }
}

/// Writes the head of a bundle: its key, wrapped for each node that may read it.
pub fn write_head(wraps: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    codec::write_array(&mut out, wraps.len());
    for wrap in wraps {
        codec::write_bytes(&mut out, wrap);
    }
    out
}

/// Reads the head of a bundle.
pub fn read_head(bytes: &[u8]) -> Result<Vec<Vec<u8>>, CodecError> {
    codec::check(bytes)?;
    let mut d = Decoder::new(bytes);
    let wraps = codec::read_list::<WrapBytes>(&mut d, 0, 1, limits::BUNDLED)?;
    Ok(wraps.into_iter().map(|wrap| wrap.0).collect())
}
