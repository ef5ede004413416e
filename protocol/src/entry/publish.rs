//! Down the ladder: statements become an entry.
//!
//! What is made here goes through [`super::ladder`] like an entry of anyone else before it is kept.

use crate::crypto::content_key::ContentKey;
use crate::crypto::sign::SigningKey;
use crate::entry::body::Content;
use crate::entry::header::Header;
use crate::entry::ladder::Head;
use crate::entry::opening::Opening;
use crate::id::{AgencyId, Hash, KeyId, Mode, VersionHash};
use crate::statement::batch::SignedBatch;
use crate::time::Time;
use crate::wire::attest::Attested;

/// The node that writes.
#[derive(Clone, Copy, Debug)]
pub struct Author<'a> {
    /// Its agency.
    pub agency: AgencyId,
    /// The serial of the card that certifies it.
    pub card_serial: u32,
    /// Its number on the card.
    pub writer: u32,
    /// Live or exercise.
    pub mode: Mode,
    /// Its signing key.
    pub key: &'a SigningKey,
}

/// What the header of a new entry says beyond the body.
#[derive(Clone, Debug)]
pub struct Place {
    /// The agreement version in force.
    pub version: VersionHash,
    /// The generation of the log.
    pub generation: u32,
    /// The log's head; `None` for entry 0.
    pub head: Option<Head>,
    /// The date; the caller holds it at the head's date where the clock was set back.
    pub created: Time,
    /// When the statements are to be deleted.
    pub delete_after: Time,
}

/// A new entry.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// The signed header.
    pub header: Attested<Header>,
    /// The sealed body.
    pub body: Vec<u8>,
}

/// Seals the batches and signs the header. `None` where they do not fit into one entry.
pub fn entry(
    author: Author<'_>,
    place: &Place,
    batches: Vec<SignedBatch>,
    opening: Option<Opening>,
    salt: [u8; 16],
    key: &ContentKey,
) -> Option<NewEntry> {
    let sealed = Content { salt, opening, batches }.seal(key)?;
    let header = Header {
        version: place.version,
        author: author.agency,
        card_serial: author.card_serial,
        writer: author.writer,
        generation: place.generation,
        seq: place.head.map_or(0, |head| head.seq + 1),
        previous: place.head.map(|head| head.hash),
        key_id: KeyId::from_bytes(key.id()),
        body_length: u32::try_from(sealed.file.len()).expect("a body is at most 1 MiB"),
        body_hash: Hash::of(&[&sealed.file]),
        content: sealed.content,
        created: place.created,
        delete_after: place.delete_after,
    };
    Some(NewEntry { header: Attested::sign(header, author.mode, author.key), body: sealed.file })
}
