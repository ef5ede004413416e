//! How a party answers: it signs a version, rejects it, or leaves the agreement.
//!
//! | object | keys |
//! |---|---|
//! | signature | 0 version, 1 agency, 2 card serial, 3 at, 4 [{0 version, 1 rejection}] |
//! | rejection | 0 version, 1 agency, 2 card serial, 3 at, 4 reason |
//! | withdrawal | 0 agreement, 1 version known in force, 2 agency, 3 card serial, 4 at, 5 reason |
//!
//! Each is signed by the party's agreement-signing key. Key 4 of a signature names, for each other child of the same
//! parent that the party has signed before, the rejection that it holds of that child. So two signatures on two
//! children, neither of which relies on a rejection of the other, are by themselves the proof of a party that said
//! yes twice; without key 4, nobody could show that no rejection had been there.

use minicbor::Decoder;

use crate::id::{AgencyId, AgreementId, Hash, VersionHash};
use crate::limits;
use crate::time::Time;
use crate::wire::attest::Payload;
use crate::wire::codec::{CodecError, MapReader, MapWriter, Value};
use crate::wire::object::ObjectKind;

use super::version::need_text;

/// A party's consent to a version.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signature {
    /// The version.
    pub version: VersionHash,
    /// Who signs.
    pub agency: AgencyId,
    /// The serial of its card that holds the agreement-signing key.
    pub card_serial: u32,
    /// When it signed.
    pub at: Time,
    /// The rejections that free the party from its earlier signatures, by ascending version.
    pub relies_on: Vec<Reliance>,
}

/// A rejection that a signature relies on.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Reliance {
    /// Another child of the same parent, which the party had signed.
    pub version: VersionHash,
    /// The hash of a rejection of it.
    pub rejection: Hash,
}

/// A party's refusal of a version.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rejection {
    /// The version.
    pub version: VersionHash,
    /// Who refuses.
    pub agency: AgencyId,
    /// The serial of its card that holds the agreement-signing key.
    pub card_serial: u32,
    /// When it refused.
    pub at: Time,
    /// Why, in words.
    pub reason: String,
}

/// A party leaves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Withdrawal {
    /// The agreement.
    pub agreement: AgreementId,
    /// The version that the party knew to be in force.
    pub version: VersionHash,
    /// Who leaves.
    pub agency: AgencyId,
    /// The serial of its card that holds the agreement-signing key.
    pub card_serial: u32,
    /// When it left: not before its last entry, and the first moment after which it publishes none.
    pub at: Time,
    /// Why, in words.
    pub reason: String,
}

impl Payload for Signature {
    const KIND: ObjectKind = ObjectKind::Signature;
    const MAX_BYTES: usize = limits::OBJECT_BYTES;

    fn write(&self) -> Vec<u8> {
        MapWriter::new()
            .put(0, &self.version)
            .put(1, &self.agency)
            .put(2, &self.card_serial)
            .put(3, &self.at)
            .put_list(4, &self.relies_on)
            .finish()
    }

    fn read(map: &mut MapReader<'_, '_>) -> Result<Self, CodecError> {
        let signature = Self {
            version: map.need(0)?,
            agency: map.need(1)?,
            card_serial: map.need(2)?,
            at: map.need(3)?,
            relies_on: map.list(4, limits::RELIANCES)?,
        };
        let ascends = signature.relies_on.is_sorted_by(|a, b| a.version < b.version);
        if ascends { Ok(signature) } else { Err(CodecError::Bounds(4)) }
    }
}

impl Value for Reliance {
    fn write(&self, out: &mut Vec<u8>) {
        MapWriter::new().put(0, &self.version).put(1, &self.rejection).finish_into(out);
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        let mut map = MapReader::new(d, key)?;
        let reliance = Self { version: map.need(0)?, rejection: map.need(1)? };
        map.end()?;
        Ok(reliance)
    }
}

impl Payload for Rejection {
    const KIND: ObjectKind = ObjectKind::Rejection;
    const MAX_BYTES: usize = limits::OBJECT_BYTES;

    fn write(&self) -> Vec<u8> {
        MapWriter::new()
            .put(0, &self.version)
            .put(1, &self.agency)
            .put(2, &self.card_serial)
            .put(3, &self.at)
            .put_text(4, &self.reason)
            .finish()
    }

    fn read(map: &mut MapReader<'_, '_>) -> Result<Self, CodecError> {
        Ok(Self {
            version: map.need(0)?,
            agency: map.need(1)?,
            card_serial: map.need(2)?,
            at: map.need(3)?,
            reason: need_text(map, 4, limits::LONG_TEXT_BYTES)?,
        })
    }
}

impl Payload for Withdrawal {
    const KIND: ObjectKind = ObjectKind::Withdrawal;
    const MAX_BYTES: usize = limits::OBJECT_BYTES;

    fn write(&self) -> Vec<u8> {
        MapWriter::new()
            .put(0, &self.agreement)
            .put(1, &self.version)
            .put(2, &self.agency)
            .put(3, &self.card_serial)
            .put(4, &self.at)
            .put_text(5, &self.reason)
            .finish()
    }

    fn read(map: &mut MapReader<'_, '_>) -> Result<Self, CodecError> {
        Ok(Self {
            agreement: map.need(0)?,
            version: map.need(1)?,
            agency: map.need(2)?,
            card_serial: map.need(3)?,
            at: map.need(4)?,
            reason: need_text(map, 5, limits::LONG_TEXT_BYTES)?,
        })
    }
}
