//! Where a node can be dialled: signed by the node, so that the card, signed offline, need not change with it.
//!
//! | key | value |
//! |---|---|
//! | 0 | agency id |
//! | 1 | writer |
//! | 2 | serial: the highest counts; a restored node goes on above what partners know |
//! | 3 | addresses: multiaddr texts, the preferred one first; none when the node accepts no connections |
//! | 4 | created |
//!
//! An address is only bounded text here: the network parses it, and dials it only to meet a transport key of the card.

use crate::crypto::sign::{PublicKey, Signed, SigningKey, sign};
use crate::id::{AgencyId, Hash, Mode};
use crate::limits;
use crate::time::Time;
use crate::wire::codec::{
    CodecError, MapReader, MapWriter, read_array, read_object, read_text, write_array, write_text,
};
use crate::wire::object::ObjectKind;

use super::{IdentityError, SignedCard, parse_signed};

/// What an address record says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AddressRecord {
    /// The agency.
    pub agency: AgencyId,
    /// Which of its nodes.
    pub writer: u32,
    /// The record's number; the highest counts.
    pub serial: u64,
    /// Multiaddresses, the preferred one first.
    pub addresses: Vec<String>,
    /// When the record was signed.
    pub created: Time,
}

/// An address record that a node's signing key has signed.
#[derive(Clone, Debug)]
pub struct SignedAddressRecord {
    signed: Signed,
    record: AddressRecord,
    signer: PublicKey,
}

/// A record that is well formed; who signed it is not yet known.
pub(super) struct UnverifiedAddressRecord {
    signed: Signed,
    mode: Mode,
    record: AddressRecord,
}

impl SignedAddressRecord {
    /// Signs a record with the signing key that the card gives the node.
    pub fn issue(
        card: &SignedCard,
        record: &AddressRecord,
        key: &SigningKey,
    ) -> Result<SignedAddressRecord, IdentityError> {
        Self::parse_for(card, &sign(key, ObjectKind::AddressRecord.typ(card.mode()), &record.payload()))
    }

    /// Reads a record and verifies it against the agency's newest card.
    pub fn parse_for(card: &SignedCard, bytes: &[u8]) -> Result<SignedAddressRecord, IdentityError> {
        UnverifiedAddressRecord::parse(bytes)?.verify(card)
    }

    /// What the record says.
    pub const fn record(&self) -> &AddressRecord {
        &self.record
    }

    /// The hash of the signed object.
    pub fn hash(&self) -> Hash {
        Hash(self.signed.hash())
    }

    /// The signed bytes.
    pub fn bytes(&self) -> &[u8] {
        self.signed.bytes()
    }

    /// The key that signed the record.
    pub const fn signer(&self) -> &PublicKey {
        &self.signer
    }

    /// Whether this card, too, gives the node the key that signed the record.
    pub(super) fn stands_on(&self, card: &SignedCard) -> bool {
        card.signing_key(self.record.writer, self.record.created).is_ok_and(|key| *key == self.signer)
    }
}

impl UnverifiedAddressRecord {
    pub(super) fn parse(bytes: &[u8]) -> Result<UnverifiedAddressRecord, IdentityError> {
        let (signed, mode) = parse_signed(bytes, ObjectKind::AddressRecord)?;
        let record = read_object(signed.payload(), read)?;
        Ok(UnverifiedAddressRecord { signed, mode, record })
    }

    pub(super) const fn agency(&self) -> AgencyId {
        self.record.agency
    }

    pub(super) fn verify(self, card: &SignedCard) -> Result<SignedAddressRecord, IdentityError> {
        let UnverifiedAddressRecord { signed, mode, record } = self;
        if record.agency != card.agency() {
            return Err(IdentityError::OtherAgency { expected: card.agency(), found: record.agency });
        }
        if mode != card.mode() {
            return Err(IdentityError::Mode { expected: card.mode(), found: mode });
        }
        let signer = *card.signing_key(record.writer, record.created)?;
        signed.verify(&signer)?;
        record.check()?;
        Ok(SignedAddressRecord { signed, record, signer })
    }
}

impl AddressRecord {
    fn payload(&self) -> Vec<u8> {
        let map = MapWriter::new().put(0, &self.agency).put(1, &self.writer).put(2, &self.serial);
        let map =
            if self.addresses.is_empty() { map } else { map.put_with(3, |out| write_texts(out, &self.addresses)) };
        map.put(4, &self.created).finish()
    }

    fn check(&self) -> Result<(), IdentityError> {
        for (at, address) in self.addresses.iter().enumerate() {
            if !address.starts_with('/') || !address.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(IdentityError::Address);
            }
            if self.addresses[..at].contains(address) {
                return Err(IdentityError::AddressTwice);
            }
        }
        Ok(())
    }
}

fn write_texts(out: &mut Vec<u8>, texts: &[String]) {
    write_array(out, texts.len());
    for text in texts {
        write_text(out, text);
    }
}

fn read(map: &mut MapReader<'_, '_>) -> Result<AddressRecord, CodecError> {
    Ok(AddressRecord {
        agency: map.need(0)?,
        writer: map.need(1)?,
        serial: map.need(2)?,
        addresses: map
            .take_with(3, |d| {
                let count = read_array(d, 3, 1, limits::ADDRESSES_PER_NODE)?;
                (0..count).map(|_| read_text(d, 3, 1, limits::ADDRESS_BYTES)).collect()
            })?
            .unwrap_or_default(),
        created: map.need(4)?,
    })
}
