//! A batch: statements that one originator signed together.
//!
//! ```text
//!   root signature (COSE): {0 originator, 1 Merkle root, 2 card serial, 3 writer}
//!   leaf i               : SHA-256(0x00 || salt_i || statement_i)          RFC 9162 section 2.1.1
//! ```
//!
//! One signature covers any number of statements, and each keeps a proof of its own: statement, salt, path, signed
//! root. The batch names no agreement, log or number, so an onward copy proves its origin and tells nothing else. The
//! random salts keep the leaf of a deleted statement from confirming a guess at its text.

use minicbor::Decoder;
use minicbor::data::Type;

use crate::crypto::merkle;
use crate::crypto::sign::SigningKey;
use crate::id::{AgencyId, Hash, Mode};
use crate::limits;
use crate::wire::attest::{Attested, Claimed, ObjectError, Payload};
use crate::wire::codec::{self, CodecError, MapReader, MapWriter};
use crate::wire::object::ObjectKind;

/// What the originator signs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BatchRoot {
    /// Who made the statements.
    pub originator: AgencyId,
    /// The Merkle root over their leaves.
    pub root: Hash,
    /// The serial of the originator's card that holds the signing key.
    pub card_serial: u32,
    /// Which of the originator's nodes signs.
    pub writer: u32,
}

impl Payload for BatchRoot {
    const KIND: ObjectKind = ObjectKind::Batch;
    const MAX_BYTES: usize = limits::HEADER_BYTES;

    fn write(&self) -> Vec<u8> {
        MapWriter::new()
            .put(0, &self.originator)
            .put(1, &self.root)
            .put(2, &self.card_serial)
            .put(3, &self.writer)
            .finish()
    }

    fn read(map: &mut MapReader<'_, '_>) -> Result<Self, CodecError> {
        Ok(Self { originator: map.need(0)?, root: map.need(1)?, card_serial: map.need(2)?, writer: map.need(3)? })
    }
}

/// One place in a batch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Leaf {
    /// A statement and its salt.
    Statement {
        /// 16 random bytes.
        salt: [u8; 16],
        /// The statement as its originator wrote it.
        bytes: Vec<u8>,
    },
    /// A deleted statement: what is left is its leaf hash.
    Deleted(Hash),
}

impl Leaf {
    /// The leaf's hash in the Merkle tree.
    pub fn hash(&self) -> [u8; 32] {
        match self {
            Leaf::Statement { salt, bytes } => merkle::leaf_hash(&[salt.as_slice(), bytes].concat()),
            Leaf::Deleted(hash) => hash.0,
        }
    }
}

/// A batch as it came: well formed, and its leaves add up to the root that it claims.
#[derive(Clone, Debug)]
pub struct Batch<R> {
    /// The originator's word on the root.
    pub root: R,
    /// The leaves, in their order.
    pub leaves: Vec<Leaf>,
}

/// A batch of which the originator's signature is not yet verified.
pub type ClaimedBatch = Batch<Claimed<BatchRoot>>;

/// A batch that its originator signed.
pub type SignedBatch = Batch<Attested<BatchRoot>>;

/// Why bytes are no batch.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BatchError {
    /// The root's signature object.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The map around it.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// The leaves do not add up to the signed root.
    #[error("the statements do not add up to the signed root")]
    Root,
}

impl BatchError {
    /// Whether a later version may understand what this one does not.
    pub fn is_held(&self) -> bool {
        match self {
            BatchError::Object(error) => error.is_held(),
            BatchError::Codec(error) => error.is_held(),
            BatchError::Root => false,
        }
    }
}

impl SignedBatch {
    /// Signs statements together. Each comes with a salt of 16 random bytes.
    pub fn sign(
        statements: Vec<([u8; 16], Vec<u8>)>,
        originator: AgencyId,
        card_serial: u32,
        writer: u32,
        mode: Mode,
        key: &SigningKey,
    ) -> Self {
        let leaves: Vec<Leaf> = statements.into_iter().map(|(salt, bytes)| Leaf::Statement { salt, bytes }).collect();
        let root = Hash(merkle::root(&leaves.iter().map(Leaf::hash).collect::<Vec<_>>()));
        let payload = BatchRoot { originator, root, card_serial, writer };
        Self { root: Attested::sign(payload, mode, key), leaves }
    }

    /// The batch as bytes: {0 signed root, 1 leaves}, a leaf being [salt, statement] or the hash of a deleted one.
    pub fn write(&self) -> Vec<u8> {
        write(self.root.bytes(), &self.leaves)
    }
}

impl ClaimedBatch {
    /// Reads a batch and recomputes its root.
    pub fn parse(bytes: &[u8]) -> Result<Self, BatchError> {
        let (root, leaves) = codec::read_object(bytes, |map| {
            let root = map.bytes(0, limits::HEADER_BYTES)?.ok_or(CodecError::Missing(0))?.to_vec();
            let leaves = map.take_with(1, read_leaves)?.ok_or(CodecError::Missing(1))?;
            Ok((root, leaves))
        })?;
        let root = Claimed::<BatchRoot>::parse(&root)?;
        let hashes: Vec<[u8; 32]> = leaves.iter().map(Leaf::hash).collect();
        if merkle::root(&hashes) == root.claim().root.0 { Ok(Self { root, leaves }) } else { Err(BatchError::Root) }
    }

    /// Deletes statements: their leaf hashes take their places, so that the others still verify. Says how many
    /// statements are left.
    pub fn delete(&mut self, mut gone: impl FnMut(&[u8]) -> bool) -> usize {
        let mut left = 0;
        for leaf in &mut self.leaves {
            match leaf {
                Leaf::Statement { bytes, .. } if gone(bytes) => *leaf = Leaf::Deleted(Hash(leaf.hash())),
                Leaf::Statement { .. } => left += 1,
                Leaf::Deleted(_) => {}
            }
        }
        left
    }

    /// The batch as bytes, as [`SignedBatch::write`] gives them.
    pub fn write(&self) -> Vec<u8> {
        write(self.root.bytes(), &self.leaves)
    }
}

fn write(root: &[u8], leaves: &[Leaf]) -> Vec<u8> {
    let write_leaves = |out: &mut Vec<u8>| {
        codec::write_array(out, leaves.len());
        for leaf in leaves {
            match leaf {
                Leaf::Statement { salt, bytes } => {
                    codec::write_array(out, 2);
                    codec::write_bytes(out, salt);
                    codec::write_bytes(out, bytes);
                }
                Leaf::Deleted(hash) => codec::write_bytes(out, hash.as_bytes()),
            }
        }
    };
    MapWriter::new().put_bytes(0, root).put_with(1, write_leaves).finish()
}

fn read_leaves(d: &mut Decoder<'_>) -> Result<Vec<Leaf>, CodecError> {
    let count = codec::read_array(d, 1, 1, limits::STATEMENTS_PER_ENTRY)?;
    (0..count)
        .map(|_| {
            if matches!(d.datatype(), Ok(Type::Bytes)) {
                return Ok(Leaf::Deleted(codec::Value::read(d, 1)?));
            }
            codec::read_array(d, 1, 2, 2)?;
            let salt = codec::Value::read(d, 1)?;
            let bytes = codec::read_bytes(d, 1, limits::STATEMENT_BYTES)?.to_vec();
            Ok(Leaf::Statement { salt, bytes })
        })
        .collect()
}
