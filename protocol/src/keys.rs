//! Content keys between parties: who may have a key, and the key itself on its way to one node.
//!
//! A [`KeyDescriptor`] is the author's signed word on who reads under a key. A [`Wrap`] carries the key to one node
//! of one recipient, encrypted to that node's post-quantum key. Wraps are pairwise and lie beside the logs, so the
//! cost of an entry does not grow with the number of parties; any holder may wrap again for a listed recipient.

use crate::crypto::content_key::ContentKey;
use crate::crypto::wrap::{self, EncryptionKey, EncryptionSecret};
use crate::crypto::{OpenError, SealError};
use crate::id::{AgencyId, AgreementId, Hash, KeyId};
use crate::limits;
use crate::time::Time;
use crate::wire::attest::Payload;
use crate::wire::codec::{CodecError, MapReader, MapWriter};
use crate::wire::object::ObjectKind;

/// The author's word on who reads under a content key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyDescriptor {
    /// The agreement whose entries the key seals.
    pub agreement: AgreementId,
    /// The author whose entries it seals.
    pub author: AgencyId,
    /// The serial of the author's card that holds the signing key.
    pub card_serial: u32,
    /// Which of the author's nodes signs.
    pub writer: u32,
    /// The key's name: a hash commitment to it.
    pub key_id: KeyId,
    /// Who may read, sorted, each once; the author is among them.
    pub recipients: Vec<AgencyId>,
    /// When the key was made.
    pub created: Time,
}

impl Payload for KeyDescriptor {
    const KIND: ObjectKind = ObjectKind::KeyDescriptor;
    const MAX_BYTES: usize = limits::OBJECT_BYTES;

    fn write(&self) -> Vec<u8> {
        MapWriter::new()
            .put(0, &self.agreement)
            .put(1, &self.author)
            .put(2, &self.card_serial)
            .put(3, &self.writer)
            .put(4, &self.key_id)
            .put_list(5, &self.recipients)
            .put(6, &self.created)
            .finish()
    }

    fn read(map: &mut MapReader<'_, '_>) -> Result<Self, CodecError> {
        let descriptor = Self {
            agreement: map.need(0)?,
            author: map.need(1)?,
            card_serial: map.need(2)?,
            writer: map.need(3)?,
            key_id: map.need(4)?,
            recipients: map.list(5, limits::PARTIES)?,
            created: map.need(6)?,
        };
        let sorted = descriptor.recipients.is_sorted_by(|a, b| a < b);
        if sorted && descriptor.recipients.contains(&descriptor.author) {
            Ok(descriptor)
        } else {
            Err(CodecError::Bounds(5))
        }
    }
}

/// A content key, encrypted to one node of a recipient.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wrap {
    /// The hash of the key's descriptor.
    pub descriptor: Hash,
    /// The key's name.
    pub key_id: KeyId,
    /// The agency that it is for.
    pub recipient: AgencyId,
    /// The node of that agency.
    pub recipient_writer: u32,
    /// The holder who wrapped it.
    pub wrapped_by: AgencyId,
    /// The serial of that holder's card.
    pub card_serial: u32,
    /// Which of that holder's nodes signs.
    pub writer: u32,
    /// The age file with the 32 bytes of the key.
    pub file: Vec<u8>,
}

impl Wrap {
    /// Opens the key, and checks that it is the one that was promised.
    pub fn open(&self, secret: &EncryptionSecret) -> Result<ContentKey, KeyError> {
        let plain = wrap::unwrap(secret, &self.file, 32)?;
        let bytes: [u8; 32] = plain.as_slice().try_into().map_err(|_| KeyError::OtherKey)?;
        let key = ContentKey::from_bytes(&bytes);
        if KeyId::from_bytes(key.id()) == self.key_id { Ok(key) } else { Err(KeyError::OtherKey) }
    }

    /// Encrypts a key to a node: the age file of a wrap.
    pub fn seal(key: &ContentKey, to: &EncryptionKey) -> Result<Vec<u8>, SealError> {
        wrap::wrap(to, key.as_bytes())
    }
}

impl Payload for Wrap {
    const KIND: ObjectKind = ObjectKind::Wrap;
    const MAX_BYTES: usize = limits::WRAP_BYTES;

    fn write(&self) -> Vec<u8> {
        MapWriter::new()
            .put(0, &self.descriptor)
            .put(1, &self.key_id)
            .put(2, &self.recipient)
            .put(3, &self.recipient_writer)
            .put(4, &self.wrapped_by)
            .put(5, &self.card_serial)
            .put(6, &self.writer)
            .put_bytes(7, &self.file)
            .finish()
    }

    fn read(map: &mut MapReader<'_, '_>) -> Result<Self, CodecError> {
        Ok(Self {
            descriptor: map.need(0)?,
            key_id: map.need(1)?,
            recipient: map.need(2)?,
            recipient_writer: map.need(3)?,
            wrapped_by: map.need(4)?,
            card_serial: map.need(5)?,
            writer: map.need(6)?,
            file: map.bytes(7, limits::WRAP_BYTES)?.ok_or(CodecError::Missing(7))?.to_vec(),
        })
    }
}

/// Why a wrap yields no key.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyError {
    /// The age file cannot be opened with this node's secret.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The file holds another key than the one that the wrap names.
    #[error("the wrapped key is not the one that its id commits to")]
    OtherKey,
}
