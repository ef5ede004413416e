//! What gossip carries: a signed header, with its sealed body where that is small, or a stand-alone object.
//!
//! Gossip is a hint that saves time. Whatever it loses, catch-up delivers.

use crate::limits;
use crate::wire::codec::{self, CodecError, MapReader, MapWriter};
use crate::wire::object::ObjectKind;

/// A gossip message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Announcement {
    /// An entry: {0 header, 1 body}. The body is absent where it is larger than 32 KiB.
    Entry {
        /// The signed header.
        header: Vec<u8>,
        /// The sealed body.
        body: Option<Vec<u8>>,
    },
    /// A stand-alone object: {2 kind, 3 object}.
    Object {
        /// Its kind.
        kind: ObjectKind,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

impl Announcement {
    /// An announcement of an entry, with the body where it may travel inline.
    pub fn of_entry(header: &[u8], body: &[u8]) -> Self {
        let inline = body.len() <= limits::INLINE_BODY_BYTES;
        Announcement::Entry { header: header.to_vec(), body: inline.then(|| body.to_vec()) }
    }

    /// An announcement of an object; `None` where it is too large to be gossiped.
    pub fn of_object(kind: ObjectKind, bytes: &[u8]) -> Option<Self> {
        (bytes.len() <= limits::INLINE_BODY_BYTES).then(|| Announcement::Object { kind, bytes: bytes.to_vec() })
    }

    /// The message as bytes.
    pub fn write(&self) -> Vec<u8> {
        match self {
            Announcement::Entry { header, body } => {
                let map = MapWriter::new().put_bytes(0, header);
                match body {
                    Some(body) => map.put_bytes(1, body).finish(),
                    None => map.finish(),
                }
            }
            Announcement::Object { kind, bytes } => {
                MapWriter::new().put(2, &u64::from(kind.number())).put_bytes(3, bytes).finish()
            }
        }
    }

    /// Reads a message; what it carries is not looked into.
    pub fn read(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::read_object(bytes, read)
    }
}

fn read(map: &mut MapReader<'_, '_>) -> Result<Announcement, CodecError> {
    if let Some(header) = map.bytes(0, limits::HEADER_BYTES)? {
        let header = header.to_vec();
        let body = map.bytes(1, limits::INLINE_BODY_BYTES)?.map(<[u8]>::to_vec);
        return Ok(Announcement::Entry { header, body });
    }
    let number = map.need::<u64>(2)?;
    let kind = u8::try_from(number).ok().and_then(ObjectKind::of_number);
    let kind = kind.ok_or(CodecError::UnknownValue { key: 2, value: number })?;
    let bytes = map.bytes(3, limits::INLINE_BODY_BYTES)?.ok_or(CodecError::Missing(3))?.to_vec();
    Ok(Announcement::Object { kind, bytes })
}
