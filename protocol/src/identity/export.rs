//! The card file: all that introduces an agency, armoured so that it survives e-mail.
//!
//! ```text
//! -----BEGIN ENTENTE CARD-----
//! Name: Cyber Unit A               lines for people: nobody has signed them,
//! Fingerprint: …                   and they are passed over when the file is read
//!
//! ogBYl4…                          base64 of the map below
//! -----END ENTENTE CARD-----
//! ```
//!
//! | key | value |
//! |---|---|
//! | 0 | inception document, as signed |
//! | 1 | cards, as signed, oldest first, each the next after the one before; the newest alone suffices |
//! | 2 | address records, as signed, at most one of each node; may be absent |
//!
//! All of it is verified before any is returned. The file as a whole is not signed: that it leaves out a newer card
//! cannot be seen from it, and catch-up makes up for that. Text around the block is passed over; a second block is
//! refused, since a person might look at one and the program at the other.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minicbor::Decoder;

use crate::limits;
use crate::wire::codec::{CodecError, MapWriter, read_array, read_bytes, read_object, write_array, write_bytes};

use super::{Fingerprint, IdentityError, SignedAddressRecord, SignedCard, SignedInception};

const BEGIN: &str = "-----BEGIN ENTENTE CARD-----";
const END: &str = "-----END ENTENTE CARD-----";

/// Characters of base64 in a line (RFC 7468).
const LINE: usize = 64;

/// Why a text holds no card.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ArmourError {
    /// The file is larger than any card file.
    #[error("a card file has at most {} bytes, this has {found}", limits::CARD_FILE_BYTES)]
    TooLong {
        /// Bytes found.
        found: usize,
    },
    /// There is no line that begins a card.
    #[error("there is no line {BEGIN}")]
    NoBegin,
    /// No empty line separates the lines for people from the card.
    #[error("there is no empty line before the card's letters")]
    NoBlank,
    /// The card breaks off.
    #[error("there is no line {END}: the file breaks off")]
    NoEnd,
    /// There is more than one card.
    #[error("the file holds more than one card")]
    SecondBlock,
    /// What stands between the lines is not base64.
    #[error("what stands between the lines is not base64 (RFC 4648)")]
    Base64,
}

/// What a card file holds, verified.
#[derive(Clone, Debug)]
pub struct CardExport {
    inception: SignedInception,
    cards: Vec<SignedCard>,
    addresses: Vec<SignedAddressRecord>,
}

impl CardExport {
    /// Puts together a file: `cards` oldest first, at least one; `addresses` at most one of each node.
    pub fn new(
        inception: SignedInception,
        cards: Vec<SignedCard>,
        addresses: Vec<SignedAddressRecord>,
    ) -> Result<CardExport, IdentityError> {
        let newest = cards.last().ok_or(CodecError::Missing(1))?;
        if newest.agency() != inception.agency() {
            return Err(IdentityError::OtherAgency { expected: inception.agency(), found: newest.agency() });
        }
        for pair in cards.windows(2) {
            pair[1].succeeds(&pair[0])?;
        }
        for (at, address) in addresses.iter().enumerate() {
            let record = address.record();
            if record.agency != inception.agency() {
                return Err(IdentityError::OtherAgency { expected: inception.agency(), found: record.agency });
            }
            if addresses[..at].iter().any(|other| other.record().writer == record.writer) {
                return Err(IdentityError::RecordTwice { writer: record.writer });
            }
        }
        Ok(CardExport { inception, cards, addresses })
    }

    /// The inception document.
    pub const fn inception(&self) -> &SignedInception {
        &self.inception
    }

    /// The newest card.
    pub fn card(&self) -> &SignedCard {
        self.cards.last().expect("an export holds at least one card")
    }

    /// All cards, oldest first.
    pub fn cards(&self) -> &[SignedCard] {
        &self.cards
    }

    /// The address records.
    pub fn addresses(&self) -> &[SignedAddressRecord] {
        &self.addresses
    }

    /// The inception document, the cards and the address records.
    pub fn into_parts(self) -> (SignedInception, Vec<SignedCard>, Vec<SignedAddressRecord>) {
        (self.inception, self.cards, self.addresses)
    }

    /// The file.
    pub fn to_armour(&self) -> Result<String, ArmourError> {
        let cards: Vec<&[u8]> = self.cards.iter().map(SignedCard::bytes).collect();
        let addresses: Vec<&[u8]> = self.addresses.iter().map(SignedAddressRecord::bytes).collect();
        let map = MapWriter::new().put_bytes(0, self.inception.bytes()).put_with(1, |out| write_objects(out, &cards));
        let map = if addresses.is_empty() { map } else { map.put_with(2, |out| write_objects(out, &addresses)) };
        let letters = STANDARD.encode(map.finish());

        let card = self.card().card();
        let agency = self.inception.agency();
        let mut text = format!(
            "{BEGIN}\nName: {}\nCountry: {}\nAgency: {agency}\nFingerprint: {}\n\n",
            card.name,
            card.country,
            Fingerprint::of(agency),
        );
        for line in letters.as_bytes().chunks(LINE) {
            text.push_str(std::str::from_utf8(line).expect("base64 is ASCII"));
            text.push('\n');
        }
        text.push_str(END);
        text.push('\n');
        if text.len() > limits::CARD_FILE_BYTES { Err(ArmourError::TooLong { found: text.len() }) } else { Ok(text) }
    }

    /// Reads a file and verifies all of it.
    pub fn from_armour(file: &[u8]) -> Result<CardExport, IdentityError> {
        let bytes = unarmour(file)?;
        let (inception, cards, addresses) = read_object(&bytes, |map| {
            let inception = map.bytes(0, limits::OBJECT_BYTES)?.ok_or(CodecError::Missing(0))?.to_vec();
            let cards = map.take_with(1, |d| read_objects(d, 1, limits::CARDS_PER_FILE))?;
            let addresses = map.take_with(2, |d| read_objects(d, 2, limits::NODES_PER_CARD))?;
            Ok((inception, cards.ok_or(CodecError::Missing(1))?, addresses.unwrap_or_default()))
        })?;
        let inception = SignedInception::parse(&inception)?;
        let cards =
            cards.iter().map(|bytes| SignedCard::parse_for(&inception, bytes)).collect::<Result<Vec<_>, _>>()?;
        let newest = cards.last().ok_or(CodecError::Missing(1))?;
        let addresses = addresses
            .iter()
            .map(|bytes| SignedAddressRecord::parse_for(newest, bytes))
            .collect::<Result<Vec<_>, _>>()?;
        CardExport::new(inception, cards, addresses)
    }
}

fn write_objects(out: &mut Vec<u8>, objects: &[&[u8]]) {
    write_array(out, objects.len());
    for object in objects {
        write_bytes(out, object);
    }
}

fn read_objects(d: &mut Decoder<'_>, key: u64, max: usize) -> Result<Vec<Vec<u8>>, CodecError> {
    let count = read_array(d, key, 1, max)?;
    (0..count).map(|_| read_bytes(d, key, limits::OBJECT_BYTES).map(<[u8]>::to_vec)).collect()
}

/// The bytes inside the armour.
fn unarmour(file: &[u8]) -> Result<Vec<u8>, ArmourError> {
    if file.len() > limits::CARD_FILE_BYTES {
        return Err(ArmourError::TooLong { found: file.len() });
    }
    let file = file.strip_prefix("\u{feff}".as_bytes()).unwrap_or(file);
    let mut lines = file.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines.find(|line| *line == BEGIN.as_bytes()).ok_or(ArmourError::NoBegin)?;
    for line in lines.by_ref() {
        match line {
            [] => break,
            line if line == BEGIN.as_bytes() => return Err(ArmourError::SecondBlock),
            line if line == END.as_bytes() => return Err(ArmourError::NoBlank),
            _ => {}
        }
    }
    let mut letters = Vec::new();
    loop {
        match lines.next() {
            Some(line) if line == END.as_bytes() => break,
            Some(line) => letters.extend_from_slice(line),
            None => return Err(ArmourError::NoEnd),
        }
    }
    if lines.any(|line| line == BEGIN.as_bytes()) {
        return Err(ArmourError::SecondBlock);
    }
    STANDARD.decode(letters).map_err(|_| ArmourError::Base64)
}
