//! The keys and values of the index. It does not erase what is removed, so nothing in clear goes into it.
//!
//! Tags are HMAC-SHA-256 under the index key, with a byte for their domain, cut short: 16 bytes where strangers
//! choose what is named (indicators, hashes), fewer where only known things are.
//!
//! ```text
//! L indicator 16 | report key 22                      -> nothing             a report on an indicator
//! R report key: originator 6 | report 10 | agreement 6 -> revision, place    its newest admitted record
//! X originator 6 | report 10                          -> up to revision      its retraction
//! P originator 6 | report 10 | log 8 | seq | leaf     -> place, ...          a record held or in quarantine
//! Q author 6 | received | log 8 | seq | leaf          -> key of its P        the same, oldest first
//! E log 8 | seq                                       -> header, body        an entry
//! H hash 16                                           -> log 8 | seq         the same, by hash
//! G log 8                                             -> next seq            how far a log is unbroken
//! O hash 16                                           -> place               a stand-alone object
//! F scope 8 | position                                -> place               the same, in the order of arrival
//! C                                                   -> checkpoint
//! N                                                   -> counts
//! ```
//!
//! Numbers in keys are big-endian, so that they sort; in values little-endian.

use entente_protocol::id::{AgencyId, Hash, LogId, ReportId};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::payload::{Take, log_bytes};
use super::segment::Position;
use super::types::{Counts, RecordId};

/// Key of the checkpoint.
pub(super) const CHECKPOINT: &[u8] = b"C";

/// Key of the counts.
pub(super) const COUNTS: &[u8] = b"N";

/// The tag of a report of an originator.
pub(super) type ReportTag = [u8; 16];

/// A log, as the index names it.
pub(super) type LogTag = [u8; 8];

/// Makes the names of the index.
#[derive(Clone)]
pub(super) struct Names {
    mac: Hmac<Sha256>,
}

impl Names {
    /// Under this key.
    pub(super) fn new(key: &[u8; 32]) -> Names {
        Names { mac: Hmac::new_from_slice(key).expect("HMAC takes keys of any length") }
    }

    /// Tells index keys apart.
    pub(super) fn key_check(&self) -> [u8; 16] {
        self.tag(b'k', &[])
    }

    pub(super) fn log(&self, log: &LogId) -> LogTag {
        self.tag(b'l', &[&log_bytes(log)])
    }

    /// Begins with the originator, so that an originator's reports lie together.
    pub(super) fn report(&self, originator: &AgencyId, report: &ReportId) -> ReportTag {
        let mut tag = [0; 16];
        tag[..6].copy_from_slice(&self.agency(originator));
        tag[6..].copy_from_slice(&self.tag::<10>(b'r', &[originator.as_bytes(), report.as_bytes()]));
        tag
    }

    pub(super) fn agency(&self, agency: &AgencyId) -> [u8; 6] {
        self.tag(b'a', &[agency.as_bytes()])
    }

    pub(super) fn r(&self, id: &RecordId) -> Vec<u8> {
        let agreement = self.tag::<6>(b'g', &[id.log.agreement.as_bytes()]);
        [b"R".as_slice(), &self.report(&id.originator, &id.report), &agreement].concat()
    }

    /// All reports on an indicator.
    pub(super) fn l_prefix(&self, indicator: &[u8]) -> Vec<u8> {
        [b"L".as_slice(), &self.tag::<16>(b'i', &[indicator])].concat()
    }

    /// One report on an indicator, from its R key.
    pub(super) fn l(&self, indicator: &[u8], r: &[u8]) -> Vec<u8> {
        [&self.l_prefix(indicator), &r[1..]].concat()
    }

    pub(super) fn p(&self, id: &RecordId) -> Vec<u8> {
        let report = self.report(&id.originator, &id.report);
        [b"P".as_slice(), &report, &self.log(&id.log), &id.seq.to_be_bytes(), &id.leaf.to_be_bytes()].concat()
    }

    pub(super) fn q(&self, id: &RecordId, received: u64) -> Vec<u8> {
        let (author, log) = (self.agency(&id.log.author), self.log(&id.log));
        [b"Q".as_slice(), &author, &received.to_be_bytes(), &log, &id.seq.to_be_bytes(), &id.leaf.to_be_bytes()]
            .concat()
    }

    pub(super) fn h(&self, hash: &Hash) -> Vec<u8> {
        [b"H".as_slice(), &self.tag::<16>(b'h', &[hash.as_bytes()])].concat()
    }

    pub(super) fn o(&self, hash: &Hash) -> Vec<u8> {
        [b"O".as_slice(), &self.tag::<16>(b'o', &[hash.as_bytes()])].concat()
    }

    /// All objects of a scope.
    pub(super) fn f_prefix(&self, scope: &Hash) -> Vec<u8> {
        [b"F".as_slice(), &self.tag::<8>(b'f', &[scope.as_bytes()])].concat()
    }

    pub(super) fn f(&self, scope: &Hash, position: u64) -> Vec<u8> {
        [&self.f_prefix(scope), position.to_be_bytes().as_slice()].concat()
    }

    fn tag<const N: usize>(&self, domain: u8, parts: &[&[u8]]) -> [u8; N] {
        let mut mac = self.mac.clone();
        mac.update(&[domain]);
        for part in parts {
            mac.update(part);
        }
        *mac.finalize().into_bytes().first_chunk().expect("tags are at most 32 bytes")
    }
}

/// Key of the mark up to which a report was retracted.
pub(super) fn x(report: &ReportTag) -> Vec<u8> {
    [b"X".as_slice(), report].concat()
}

/// All records of a report: admitted (`R`), or held and in quarantine (`P`).
pub(super) fn of_report(space: u8, report: &ReportTag) -> Vec<u8> {
    [[space].as_slice(), report].concat()
}

/// All entries of a log.
pub(super) fn e_prefix(log: LogTag) -> Vec<u8> {
    [b"E".as_slice(), &log].concat()
}

/// One entry.
pub(super) fn e(log: LogTag, seq: u64) -> Vec<u8> {
    [b"E".as_slice(), &log, &seq.to_be_bytes()].concat()
}

/// How far a log is unbroken.
pub(super) fn g(log: LogTag) -> Vec<u8> {
    [b"G".as_slice(), &log].concat()
}

/// The big-endian number that ends a key.
pub(super) fn last_number(key: &[u8]) -> Option<u64> {
    key.last_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

/// A value of the index.
pub(super) trait Value: Sized {
    fn encode(&self) -> Vec<u8>;
    /// `None` if the bytes are no such value.
    fn decode(bytes: &[u8]) -> Option<Self>;
}

/// Where a record lies (`R`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct RecordPlace {
    pub(super) revision: u32,
    pub(super) frame: Position,
    /// Where in the frame's payload.
    pub(super) slot: u32,
}

/// Where a record lies that is held or in quarantine (`P`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct HeldPlace {
    pub(super) place: RecordPlace,
    pub(super) received: u64,
    /// Bytes of the statement.
    pub(super) bytes: u32,
}

/// Where an entry lies (`E`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct EntryPlace {
    pub(super) header: Position,
    pub(super) body: BodyPlace,
}

/// Where the body of an entry lies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum BodyPlace {
    /// It has not come.
    Missing,
    /// Here.
    At(Position),
    /// It was erased, and does not come back.
    Erased,
}

/// What the index has taken in, and of which journal (`C`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Checkpoint {
    /// Every frame before this sequence is in the index.
    pub(super) next: u64,
    pub(super) incarnation: [u8; 16],
    pub(super) key_check: [u8; 16],
    /// The newest segment of those that took another's place: the index points to it, and not to what it replaced.
    pub(super) rewritten: u32,
}

impl Value for Position {
    fn encode(&self) -> Vec<u8> {
        [self.segment.to_le_bytes(), self.offset.to_le_bytes()].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut take = Take(bytes);
        Some(Position { segment: take.u32()?, offset: take.u32()? })
    }
}

impl Value for RecordPlace {
    fn encode(&self) -> Vec<u8> {
        [&self.revision.to_le_bytes(), self.frame.encode().as_slice(), &self.slot.to_le_bytes()].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut take = Take(bytes);
        let revision = take.u32()?;
        let frame = Position { segment: take.u32()?, offset: take.u32()? };
        Some(RecordPlace { revision, frame, slot: take.u32()? })
    }
}

impl Value for HeldPlace {
    fn encode(&self) -> Vec<u8> {
        [self.place.encode().as_slice(), &self.received.to_le_bytes(), &self.bytes.to_le_bytes()].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let place = RecordPlace::decode(bytes)?;
        let mut take = Take(bytes.get(16..)?);
        Some(HeldPlace { place, received: take.u64()?, bytes: take.u32()? })
    }
}

impl Value for EntryPlace {
    fn encode(&self) -> Vec<u8> {
        let mut out = self.header.encode();
        match self.body {
            BodyPlace::Missing => {}
            BodyPlace::At(position) => out.extend_from_slice(&position.encode()),
            BodyPlace::Erased => out.push(1),
        }
        out
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let body = match bytes.len() {
            8 => BodyPlace::Missing,
            9 => BodyPlace::Erased,
            16 => BodyPlace::At(Position::decode(&bytes[8..])?),
            _ => return None,
        };
        Some(EntryPlace { header: Position::decode(bytes)?, body })
    }
}

impl Value for u64 {
    fn encode(&self) -> Vec<u8> {
        self.to_le_bytes().to_vec()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        Take(bytes).u64()
    }
}

impl Value for u32 {
    fn encode(&self) -> Vec<u8> {
        self.to_le_bytes().to_vec()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        Take(bytes).u32()
    }
}

impl Value for Checkpoint {
    fn encode(&self) -> Vec<u8> {
        let (next, rewritten) = (self.next.to_le_bytes(), self.rewritten.to_le_bytes());
        [next.as_slice(), &self.incarnation, &self.key_check, &rewritten].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut take = Take(bytes);
        let (next, incarnation, key_check) = (take.u64()?, take.array()?, take.array()?);
        Some(Checkpoint { next, incarnation, key_check, rewritten: take.u32()? })
    }
}

impl Value for Counts {
    fn encode(&self) -> Vec<u8> {
        [self.entries, self.objects, self.records, self.quarantined, self.retracted].map(u64::to_le_bytes).concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut take = Take(bytes);
        let mut next = || take.u64();
        let (entries, objects, records) = (next()?, next()?, next()?);
        Some(Counts { entries, objects, records, quarantined: next()?, retracted: next()?, journal_bytes: 0 })
    }
}
