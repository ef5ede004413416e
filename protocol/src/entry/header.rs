//! The header of an entry: all that a party who cannot read the body knows of it.
//!
//! It tells neither how many statements there are nor of which kind. Its hash links the next entry to it.

use crate::id::{AgencyId, AgreementId, Hash, KeyId, LogId, VersionHash};
use crate::limits;
use crate::time::Time;
use crate::wire::attest::Payload;
use crate::wire::codec::{CodecError, MapReader, MapWriter};
use crate::wire::object::ObjectKind;

/// The signed header of one element of a log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Header {
    /// The agreement version under which the author released the entry.
    pub version: VersionHash,
    /// Whose log.
    pub author: AgencyId,
    /// The serial of the author's card that holds the signing key.
    pub card_serial: u32,
    /// Which of the author's nodes.
    pub writer: u32,
    /// Which of that node's generations.
    pub generation: u32,
    /// The number in the log, from 0.
    pub seq: u64,
    /// The hash of the header before this one; absent exactly in entry 0.
    pub previous: Option<Hash>,
    /// The content key that seals the body.
    pub key_id: KeyId,
    /// The length of the sealed body, bytes.
    pub body_length: u32,
    /// SHA-256 of the sealed body.
    pub body_hash: Hash,
    /// What the body contains, by salted hash: see `entry/body.rs`.
    pub content: Hash,
    /// When the entry was made; never falls along a log.
    pub created: Time,
    /// When its statements are to be deleted.
    pub delete_after: Time,
}

impl Header {
    /// The log that the entry belongs to, in the agreement that its version belongs to.
    pub fn log(&self, agreement: AgreementId) -> LogId {
        LogId { agreement, author: self.author, writer: self.writer, generation: self.generation }
    }
}

impl Payload for Header {
    const KIND: ObjectKind = ObjectKind::Header;
    const MAX_BYTES: usize = limits::HEADER_BYTES;

    fn write(&self) -> Vec<u8> {
        MapWriter::new()
            .put(0, &self.version)
            .put(1, &self.author)
            .put(2, &self.card_serial)
            .put(3, &self.writer)
            .put(4, &self.generation)
            .put(5, &self.seq)
            .put_some(6, self.previous.as_ref())
            .put(7, &self.key_id)
            .put(8, &self.body_length)
            .put(9, &self.body_hash)
            .put(10, &self.content)
            .put(11, &self.created)
            .put(12, &self.delete_after)
            .finish()
    }

    fn read(map: &mut MapReader<'_, '_>) -> Result<Self, CodecError> {
        let header = Self {
            version: map.need(0)?,
            author: map.need(1)?,
            card_serial: map.need(2)?,
            writer: map.need(3)?,
            generation: map.need(4)?,
            seq: map.need(5)?,
            previous: map.take(6)?,
            key_id: map.need(7)?,
            body_length: map.need(8)?,
            body_hash: map.need(9)?,
            content: map.need(10)?,
            created: map.need(11)?,
            delete_after: map.need(12)?,
        };
        if header.previous.is_some() != (header.seq > 0) {
            return Err(CodecError::Bounds(6));
        }
        if header.body_length as usize > limits::BODY_BYTES {
            return Err(CodecError::Bounds(8));
        }
        if header.delete_after <= header.created {
            return Err(CodecError::Bounds(12));
        }
        Ok(header)
    }
}
