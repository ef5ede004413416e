//! The parts of a card: country, kind of agency, and keys with their validity.
//!
//! | map | keys |
//! |---|---|
//! | agreement key | 0 public key, 1 from, 2 until (optional) |
//! | node | 0 writer, 1 signing key, 2 encryption key, 3 transport keys (1 or 2), 4 from, 5 until (optional) |
//!
//! Absent on purpose: a list of countries. Codes come and go, and some that are needed (XK, EU) are on no official list.

use std::fmt;
use std::str::FromStr;

use minicbor::Decoder;

use crate::crypto::sign::PublicKey;
use crate::crypto::wrap::EncryptionKey;
use crate::id::Mode;
use crate::limits;
use crate::time::Time;
use crate::wire::codec::{CodecError, MapReader, MapWriter, Value, read_text, write_text, write_uint};

/// A country: two upper-case letters, as ISO 3166-1 alpha-2 gives them.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Country([u8; 2]);

/// The text is not two upper-case letters.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a country is two upper-case letters, as ISO 3166-1 gives them")]
pub struct CountryError;

impl FromStr for Country {
    type Err = CountryError;

    fn from_str(text: &str) -> Result<Country, CountryError> {
        match text.as_bytes() {
            [a, b] if a.is_ascii_uppercase() && b.is_ascii_uppercase() => Ok(Country([*a, *b])),
            _ => Err(CountryError),
        }
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.0).expect("a country is two ASCII letters"))
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Country({self})")
    }
}

/// What an agency is, in one word: lower-case letters, digits and dashes. Unknown words are read and shown as they are.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Kind(String);

/// The text is not a kind of agency.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a kind of agency is a word of at most {} lower-case letters, digits and dashes", limits::KIND_BYTES)]
pub struct KindError;

impl Kind {
    /// The words that this version knows.
    pub const KNOWN: &[&str] = &["police", "fiu", "prosecutor", "exchange", "other"];

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this version knows the word.
    pub fn is_known(&self) -> bool {
        Self::KNOWN.contains(&self.as_str())
    }
}

impl FromStr for Kind {
    type Err = KindError;

    fn from_str(text: &str) -> Result<Kind, KindError> {
        let begins = text.starts_with(|c: char| c.is_ascii_lowercase());
        let clean = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if begins && clean && text.len() <= limits::KIND_BYTES { Ok(Kind(text.to_owned())) } else { Err(KindError) }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// When a key is valid: from a time, and where `until` is given, before it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Validity {
    /// The first moment.
    pub from: Time,
    /// The first moment after.
    pub until: Option<Time>,
}

impl Validity {
    /// Valid from a time on.
    pub const fn starting(from: Time) -> Validity {
        Validity { from, until: None }
    }

    /// Whether the time lies within.
    pub fn contains(self, at: Time) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }

    /// Whether it contains no time at all.
    pub(super) fn is_empty(self) -> bool {
        self.until.is_some_and(|until| until <= self.from)
    }

    /// Whether some time lies within both.
    pub(super) fn overlaps(self, other: Validity) -> bool {
        self.until.is_none_or(|until| other.from < until) && other.until.is_none_or(|until| self.from < until)
    }
}

/// A key with which an agency signs agreements.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AgreementKey {
    /// The public key.
    pub key: PublicKey,
    /// When it is valid.
    pub validity: Validity,
}

/// A node that the card certifies, with its keys.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NodeKeys {
    /// The node's number within the agency.
    pub writer: u32,
    /// Signs entries, batches, retractions, receipts and address records.
    pub signing: PublicKey,
    /// Content keys are wrapped for it.
    pub encryption: EncryptionKey,
    /// The node's libp2p identities: one, or two while it changes from one to the other.
    pub transport: Vec<PublicKey>,
    /// When the node's keys are valid.
    pub validity: Validity,
}

impl Value for Country {
    fn write(&self, out: &mut Vec<u8>) {
        write_text(out, &self.to_string());
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        read_text(d, key, 2, 2)?.parse().map_err(|_| CodecError::Bounds(key))
    }
}

impl Value for Kind {
    fn write(&self, out: &mut Vec<u8>) {
        write_text(out, &self.0);
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        read_text(d, key, 1, limits::KIND_BYTES)?.parse().map_err(|_| CodecError::Bounds(key))
    }
}

impl Value for Mode {
    fn write(&self, out: &mut Vec<u8>) {
        write_uint(
            out,
            match self {
                Mode::Live => 0,
                Mode::Exercise => 1,
            },
        );
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        match u64::read(d, key)? {
            0 => Ok(Mode::Live),
            1 => Ok(Mode::Exercise),
            value => Err(CodecError::UnknownValue { key, value }),
        }
    }
}

impl Value for PublicKey {
    fn write(&self, out: &mut Vec<u8>) {
        self.as_bytes().write(out);
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        PublicKey::from_bytes(&<[u8; 32]>::read(d, key)?).map_err(|_| CodecError::WeakKey(key))
    }
}

impl Value for EncryptionKey {
    fn write(&self, out: &mut Vec<u8>) {
        self.as_bytes().write(out);
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        EncryptionKey::from_bytes(&<[u8; 1216]>::read(d, key)?).map_err(|_| CodecError::WeakKey(key))
    }
}

impl Value for AgreementKey {
    fn write(&self, out: &mut Vec<u8>) {
        MapWriter::new()
            .put(0, &self.key)
            .put(1, &self.validity.from)
            .put_some(2, self.validity.until.as_ref())
            .finish_into(out);
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        let mut map = MapReader::new(d, key)?;
        let value = AgreementKey { key: map.need(0)?, validity: Validity { from: map.need(1)?, until: map.take(2)? } };
        map.end()?;
        Ok(value)
    }
}

impl Value for NodeKeys {
    fn write(&self, out: &mut Vec<u8>) {
        MapWriter::new()
            .put(0, &self.writer)
            .put(1, &self.signing)
            .put(2, &self.encryption)
            .put_list(3, &self.transport)
            .put(4, &self.validity.from)
            .put_some(5, self.validity.until.as_ref())
            .finish_into(out);
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        let mut map = MapReader::new(d, key)?;
        let value = NodeKeys {
            writer: map.need(0)?,
            signing: map.need(1)?,
            encryption: map.need(2)?,
            transport: map.list(3, limits::TRANSPORT_KEYS_PER_NODE)?,
            validity: Validity { from: map.need(4)?, until: map.take(5)? },
        };
        if value.transport.is_empty() {
            return Err(CodecError::Missing(3));
        }
        map.end()?;
        Ok(value)
    }
}
