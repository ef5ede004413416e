//! The body of an entry: one or more batches, compressed each on its own, padded together, and sealed.
//!
//! ```text
//!   sealed  = age file under the content key
//!   plain   = length of content (4 bytes, big endian) || content || zeros up to the bucket
//!   content = {0 salt, 1 frames: [[compression, unpacked length, packed batch]], 2 opening}
//!   commitment (in the header) =
//!     SHA-256("entente.content.v1" || salt || SHA-256(opening, or nothing) || for each batch: originator || root)
//! ```
//!
//! Each batch is a frame of its own, because one originator's text must not be compressed together with another's:
//! lengths would tell of the secret what the other can guess. A holder who deletes statements seals the rest again
//! under the same key, the **remnant**: its hash is no longer the header's, but the commitment and the batch
//! signatures still hold.

use minicbor::Decoder;

use crate::crypto::content_key::{self, ContentKey};
use crate::crypto::pack::{self, Compression};
use crate::entry::opening::Opening;
use crate::id::{AgencyId, Hash};
use crate::limits;
use crate::statement::batch::{ClaimedBatch, SignedBatch};
use crate::wire::codec::{self, CodecError, MapWriter};

use super::refusal::Refusal;

/// The content of a body.
#[derive(Clone, Debug)]
pub struct Content<B> {
    /// Keeps the commitment in the header from confirming a guess.
    pub salt: [u8; 16],
    /// What entry 0 of a later generation says of the earlier ones.
    pub opening: Option<Opening>,
    /// The batches, in their order.
    pub batches: Vec<B>,
}

/// A body made ready for its header.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// The age file.
    pub file: Vec<u8>,
    /// The commitment for the header.
    pub content: Hash,
}

/// The commitment to the roots of a body.
pub fn commitment(salt: &[u8; 16], opening: Option<&Opening>, roots: impl Iterator<Item = (AgencyId, Hash)>) -> Hash {
    let opening = opening.map(Opening::to_bytes).unwrap_or_default();
    let mut parts = [b"entente.content.v1".as_slice(), salt, Hash::of(&[&opening]).as_bytes()].concat();
    for (originator, root) in roots {
        parts.extend_from_slice(originator.as_bytes());
        parts.extend_from_slice(root.as_bytes());
    }
    Hash::of(&[&parts])
}

impl Content<SignedBatch> {
    /// Packs, pads and seals. `None` where the result would not fit on the wire.
    pub fn seal(&self, key: &ContentKey) -> Option<Sealed> {
        let file = sealed(&self.salt, self.batches.iter().map(SignedBatch::write), self.opening.as_ref(), key)?;
        let roots = self.batches.iter().map(|batch| (batch.root.originator, batch.root.root));
        Some(Sealed { file, content: commitment(&self.salt, self.opening.as_ref(), roots) })
    }
}

/// Packs, pads and seals batches. `None` where the result would not fit on the wire.
fn sealed(
    salt: &[u8; 16],
    batches: impl Iterator<Item = Vec<u8>>,
    opening: Option<&Opening>,
    key: &ContentKey,
) -> Option<Vec<u8>> {
    let mut unpacked = 0;
    let frames = batches.map(|bytes| {
        unpacked += bytes.len();
        let (how, packed) = pack::compress(&bytes);
        (how, bytes.len(), packed)
    });
    let frames: Vec<Frame> = frames.collect();
    let content = MapWriter::new()
        .put(0, salt)
        .put_with(1, |out| {
            codec::write_array(out, frames.len());
            for (how, length, packed) in &frames {
                codec::write_array(out, 3);
                codec::write_uint(out, u64::from(how.code()));
                codec::write_uint(out, *length as u64);
                codec::write_bytes(out, packed);
            }
        })
        .put_some(2, opening)
        .finish();
    if unpacked > limits::UNPACKED_BYTES || content.len() > limits::BODY_BYTES {
        return None;
    }
    let file = content_key::seal(key, &pad(&content)).expect("sealing to memory cannot fail");
    (file.len() <= limits::BODY_BYTES).then_some(file)
}

impl Content<ClaimedBatch> {
    /// Opens a sealed body within bounds. Every batch's root is recomputed; no signature is verified yet.
    pub fn open(file: &[u8], key: &ContentKey) -> Result<Self, Refusal> {
        let plain = content_key::open(key, file, limits::BODY_BYTES)?;
        let content = unpad(&plain).ok_or(Refusal::Padding)?;
        let (salt, frames, opening) = codec::read_object(content, |map| {
            let salt = map.need(0)?;
            let frames = map.take_with(1, read_frames)?.ok_or(CodecError::Missing(1))?;
            Ok((salt, frames, map.take(2)?))
        })?;
        let mut left = limits::UNPACKED_BYTES;
        let mut batches = Vec::with_capacity(frames.len());
        let mut statements = 0;
        for (how, length, packed) in frames {
            left = left.checked_sub(length).ok_or(Refusal::Unpacked)?;
            let bytes = pack::decompress(how, &packed, length)?;
            if bytes.len() != length {
                return Err(Refusal::Unpacked);
            }
            let batch = ClaimedBatch::parse(&bytes)?;
            statements += batch.leaves.len();
            batches.push(batch);
        }
        if statements > limits::STATEMENTS_PER_ENTRY {
            return Err(Refusal::TooManyStatements { found: statements });
        }
        Ok(Self { salt, opening, batches })
    }

    /// Deletes statements of every batch and seals the rest again under the same key: the remnant. `None` where nothing is
    /// to be deleted, or where it would not fit on the wire.
    pub fn remnant(mut self, gone: impl Fn(AgencyId, &[u8]) -> bool, key: &ContentKey) -> Option<Vec<u8>> {
        let mut deleted = false;
        for batch in &mut self.batches {
            let originator = batch.root.claim().originator;
            batch.delete(|statement| {
                let gone = gone(originator, statement);
                deleted |= gone;
                gone
            });
        }
        deleted.then(|| sealed(&self.salt, self.batches.iter().map(ClaimedBatch::write), self.opening.as_ref(), key))?
    }

    /// The commitment that the header must carry.
    pub fn commitment(&self) -> Hash {
        let roots = self.batches.iter().map(|batch| (batch.root.claim().originator, batch.root.claim().root));
        commitment(&self.salt, self.opening.as_ref(), roots)
    }
}

fn pad(content: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(pack::padded_len(content.len() + 4));
    plain.extend_from_slice(&u32::try_from(content.len()).expect("content is below 4 MiB").to_be_bytes());
    plain.extend_from_slice(content);
    plain.resize(pack::padded_len(plain.len()).min(limits::BODY_BYTES).max(plain.len()), 0);
    plain
}

fn unpad(plain: &[u8]) -> Option<&[u8]> {
    let (length, rest) = plain.split_first_chunk::<4>()?;
    let (content, padding) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    padding.iter().all(|byte| *byte == 0).then_some(content)
}

type Frame = (Compression, usize, Vec<u8>);

fn read_frames(d: &mut Decoder<'_>) -> Result<Vec<Frame>, CodecError> {
    let count = codec::read_array(d, 1, 0, limits::BATCHES_PER_ENTRY)?;
    (0..count)
        .map(|_| {
            codec::read_array(d, 1, 3, 3)?;
            let code = codec::Value::read(d, 1)?;
            let how = Compression::from_code(code).ok_or(CodecError::UnknownValue { key: 1, value: code })?;
            let length: u32 = codec::Value::read(d, 1)?;
            Ok((how, length as usize, codec::read_bytes(d, 1, limits::BODY_BYTES)?.to_vec()))
        })
        .collect()
}
