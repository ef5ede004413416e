//! A receipt: a party's latest signed word on what it holds, refused and deleted under one agreement.
//!
//! Receipts of one node are numbered; the latest wins. An originator reads from them who has which entry, and who has
//! carried out a retraction; a partner silent for longer than a day is shown as such.

use crate::id::{AgencyId, AgreementId, Hash, VersionHash};
use crate::limits;
use crate::time::Time;
use crate::wire::attest::Payload;
use crate::wire::codec::{CodecError, MapReader, MapWriter, Value};
use crate::wire::object::ObjectKind;

/// Up to where a log is held, without a gap.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct LogPosition {
    /// Whose log.
    pub author: AgencyId,
    /// Of which node.
    pub writer: u32,
    /// Of which generation.
    pub generation: u32,
    /// The number of the last entry held.
    pub seq: u64,
    /// The hash of that entry's header.
    pub hash: Hash,
}

impl Value for LogPosition {
    fn write(&self, out: &mut Vec<u8>) {
        MapWriter::new()
            .put(0, &self.author)
            .put(1, &self.writer)
            .put(2, &self.generation)
            .put(3, &self.seq)
            .put(4, &self.hash)
            .finish_into(out);
    }

    fn read(d: &mut minicbor::Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        let mut map = MapReader::new(d, key)?;
        let position = Self {
            author: map.need(0)?,
            writer: map.need(1)?,
            generation: map.need(2)?,
            seq: map.need(3)?,
            hash: map.need(4)?,
        };
        map.end()?;
        Ok(position)
    }
}

/// An entry of which something was refused.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct RefusalNote {
    /// The hash of the entry's header.
    pub entry: Hash,
    /// The number of the reason (`protocol/README.md`, "Reasons").
    pub reason: u32,
    /// How many of the entry's statements the reason hit; 0 stands for the whole entry.
    pub statements: u32,
}

impl Value for RefusalNote {
    fn write(&self, out: &mut Vec<u8>) {
        MapWriter::new().put(0, &self.entry).put(1, &self.reason).put(2, &self.statements).finish_into(out);
    }

    fn read(d: &mut minicbor::Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        let mut map = MapReader::new(d, key)?;
        let note = Self { entry: map.need(0)?, reason: map.need(1)?, statements: map.need(2)? };
        map.end()?;
        Ok(note)
    }
}

/// The serial of an agency's card, as far as the party knows.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct CardSerial {
    /// The agency.
    pub agency: AgencyId,
    /// The serial of its newest card.
    pub serial: u32,
}

impl Value for CardSerial {
    fn write(&self, out: &mut Vec<u8>) {
        MapWriter::new().put(0, &self.agency).put(1, &self.serial).finish_into(out);
    }

    fn read(d: &mut minicbor::Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        let mut map = MapReader::new(d, key)?;
        let serial = Self { agency: map.need(0)?, serial: map.need(1)? };
        map.end()?;
        Ok(serial)
    }
}

/// A party's latest word under one agreement.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Receipt {
    /// The agreement.
    pub agreement: AgreementId,
    /// The party that speaks.
    pub party: AgencyId,
    /// The serial of its card that holds the signing key.
    pub card_serial: u32,
    /// Which of its nodes speaks.
    pub writer: u32,
    /// The generation of its receipts; begun at every start of the node, higher than all before.
    pub generation: u32,
    /// The number of this receipt; the latest wins.
    pub counter: u64,
    /// When it was made.
    pub created: Time,
    /// The version that the party knows to be in force.
    pub version: Option<VersionHash>,
    /// The newest cards it knows, sorted by agency, one of each.
    pub cards: Vec<CardSerial>,
    /// What it holds, sorted by log, each once.
    pub logs: Vec<LogPosition>,
    /// The retractions it has carried out (hashes of the objects), sorted.
    pub retractions: Vec<Hash>,
    /// What it refused, sorted each once.
    pub refused: Vec<RefusalNote>,
    /// Copies passed onward of which deletion is not yet confirmed.
    pub onward_pending: u64,
    /// The latest checkpoint of the party's audit log.
    pub audit_checkpoint: Option<Hash>,
}

impl Payload for Receipt {
    const KIND: ObjectKind = ObjectKind::Receipt;
    const MAX_BYTES: usize = limits::RECEIPT_BYTES;

    fn write(&self) -> Vec<u8> {
        MapWriter::new()
            .put(0, &self.agreement)
            .put(1, &self.party)
            .put(2, &self.card_serial)
            .put(3, &self.writer)
            .put(4, &self.generation)
            .put(5, &self.counter)
            .put(6, &self.created)
            .put_some(7, self.version.as_ref())
            .put_list(8, &self.cards)
            .put_list(9, &self.logs)
            .put_list(10, &self.retractions)
            .put_list(11, &self.refused)
            .put(12, &self.onward_pending)
            .put_some(13, self.audit_checkpoint.as_ref())
            .finish()
    }

    fn read(map: &mut MapReader<'_, '_>) -> Result<Self, CodecError> {
        Ok(Self {
            agreement: map.need(0)?,
            party: map.need(1)?,
            card_serial: map.need(2)?,
            writer: map.need(3)?,
            generation: map.need(4)?,
            counter: map.need(5)?,
            created: map.need(6)?,
            version: map.take(7)?,
            cards: sorted(map.list(8, limits::PARTIES)?, 8, |card: &CardSerial| card.agency)?,
            logs: sorted(map.list(9, limits::LOGS_PER_RECEIPT)?, 9, LogPosition::log)?,
            retractions: sorted(map.list(10, limits::RETRACTIONS_PER_RECEIPT)?, 10, |hash: &Hash| *hash)?,
            refused: sorted(map.list(11, limits::REFUSALS_PER_RECEIPT)?, 11, |note: &RefusalNote| *note)?,
            onward_pending: map.need(12)?,
            audit_checkpoint: map.take(13)?,
        })
    }
}

/// Ascending by what each item speaks of, so that nothing is spoken of twice.
fn sorted<T, K: Ord>(items: Vec<T>, key: u64, of: impl Fn(&T) -> K) -> Result<Vec<T>, CodecError> {
    if items.is_sorted_by(|a, b| of(a) < of(b)) { Ok(items) } else { Err(CodecError::Bounds(key)) }
}

impl LogPosition {
    fn log(&self) -> (AgencyId, u32, u32) {
        (self.author, self.writer, self.generation)
    }
}

impl Receipt {
    /// What orders the receipts of one node: the latest wins.
    pub fn order(&self) -> (u32, u64) {
        (self.generation, self.counter)
    }

    /// Whether the party says that it has carried out this retraction.
    pub fn confirms(&self, retraction: &Hash) -> bool {
        self.retractions.binary_search(retraction).is_ok()
    }
}
