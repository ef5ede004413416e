//! Frames: what a journal segment is made of.
//!
//! ```text
//! crc32c u32 | length u32 | sequence u64 | back u32 | kind u8 | flags u8 | payload (length bytes)
//! ```
//!
//! Integers are little-endian; the CRC covers all that follows it. `sequence` counts the frames of a journal from
//! 1 and is never used again. `back` says how many frames before this one its *write* began: two frames of one
//! write became durable by one sync, so a hole with later frames of the same write behind it was never
//! acknowledged, and a hole with frames of a later write behind it is damage. `flags` mark the first and the last
//! frame of a commit.

/// Bytes before the payload.
pub(super) const HEADER: usize = 22;

/// The longest payload, in bytes: four times the largest object on the wire, so that nothing lawful meets it.
pub(super) const MAX_PAYLOAD: usize = 16 << 20;

const FIRST: u8 = 1;
const LAST: u8 = 2;

/// What a payload is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// A stand-alone signed object.
    Object = 1,
    /// The header of an entry.
    Entry = 2,
    /// The body of an entry.
    Body = 3,
    /// Sealed statements of one entry.
    Records = 4,
    /// A report goes, everywhere.
    EraseReport = 5,
    /// The body of an entry goes.
    EraseBody = 6,
    /// One record goes.
    EraseRecord = 7,
    /// An object goes.
    DropObject = 8,
    /// A value of this node alone.
    Local = 9,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Kind> {
        use Kind::{Body, DropObject, Entry, EraseBody, EraseRecord, EraseReport, Local, Object, Records};
        [Object, Entry, Body, Records, EraseReport, EraseBody, EraseRecord, DropObject, Local]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

/// A payload on its way into a journal.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    /// What it is.
    pub(super) kind: Kind,
    /// Its bytes, at most [`MAX_PAYLOAD`].
    pub(super) payload: Vec<u8>,
}

impl Draft {
    /// Bytes of the whole frame.
    pub(super) fn frame_length(&self) -> u64 {
        (HEADER + self.payload.len()) as u64
    }
}

/// What stands before a payload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Head {
    /// Number of the frame in its journal, from 1.
    pub(super) sequence: u64,
    /// How many frames before this one its write began.
    pub(super) back: u32,
    /// What the payload is.
    pub(super) kind: Kind,
    /// Whether a commit begins here.
    pub(super) first: bool,
    /// Whether a commit ends here.
    pub(super) last: bool,
    /// Bytes of payload.
    pub(super) length: usize,
    crc: u32,
}

impl Head {
    /// The head of a frame alone in its commit, as rewritten segments hold them.
    pub(super) fn alone(sequence: u64, kind: Kind) -> Head {
        Head { sequence, back: 0, kind, first: true, last: true, length: 0, crc: 0 }
    }

    /// The head of a frame in a commit.
    pub(super) fn within(sequence: u64, back: u32, kind: Kind, first: bool, last: bool) -> Head {
        Head { sequence, back, kind, first, last, length: 0, crc: 0 }
    }

    /// Reads a head; `None` if these bytes cannot be one.
    pub(super) fn parse(bytes: &[u8]) -> Option<Head> {
        let bytes: &[u8; HEADER] = bytes.first_chunk()?;
        let length = u32::from_le_bytes(*bytes[4..].first_chunk()?) as usize;
        let flags = bytes[21];
        if length > MAX_PAYLOAD || flags & !(FIRST | LAST) != 0 {
            return None;
        }
        Some(Head {
            crc: u32::from_le_bytes(*bytes.first_chunk()?),
            length,
            sequence: u64::from_le_bytes(*bytes[8..].first_chunk()?),
            back: u32::from_le_bytes(*bytes[16..].first_chunk()?),
            kind: Kind::from_byte(bytes[20])?,
            first: flags & FIRST != 0,
            last: flags & LAST != 0,
        })
    }

    /// Whether head and payload arrived as they were written.
    pub(super) fn covers(&self, payload: &[u8]) -> bool {
        payload.len() == self.length && crc(&self.after_crc(payload.len()), payload) == self.crc
    }

    /// Bytes of the whole frame.
    pub(super) fn frame_length(&self) -> u64 {
        (HEADER + self.length) as u64
    }

    /// Appends the frame of this payload.
    pub(super) fn write(&self, payload: &[u8], out: &mut Vec<u8>) {
        let rest = self.after_crc(payload.len());
        out.extend_from_slice(&crc(&rest, payload).to_le_bytes());
        out.extend_from_slice(&rest);
        out.extend_from_slice(payload);
    }

    fn after_crc(&self, length: usize) -> [u8; HEADER - 4] {
        let mut rest = [0; HEADER - 4];
        let length = u32::try_from(length).expect("a payload is bounded by MAX_PAYLOAD");
        rest[..4].copy_from_slice(&length.to_le_bytes());
        rest[4..12].copy_from_slice(&self.sequence.to_le_bytes());
        rest[12..16].copy_from_slice(&self.back.to_le_bytes());
        rest[16] = self.kind as u8;
        rest[17] = if self.first { FIRST } else { 0 } | if self.last { LAST } else { 0 };
        rest
    }
}

fn crc(head: &[u8], payload: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(head), payload)
}
