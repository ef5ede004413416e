//! Segments: the files of a journal.
//!
//! ```text
//! magic 8 | layout u32 | journal u8 | flags u8 | number u32 | replaces u32 | base u64 | end u64 | crc32c u32 | frames
//! ```
//!
//! A segment written by appending holds every frame from `base` on (`end` is 0). A *rewritten* one took the place
//! of segment `replaces` when that was compacted, salvaged or summed up; it may lack frames between `base` and
//! `end`. Segments of a journal are ordered by `base`; numbers are never used again, so a position names the same
//! bytes for ever, or nothing.

use std::path::{Path, PathBuf};

use super::disk::{Disk, DiskFile, read_full};
use super::error::{Doing, Result, StoreError};
use super::frame::{self, Head, MAX_PAYLOAD};

/// Version of the layout of everything in the data directory that this program writes.
pub(super) const LAYOUT: u32 = 2;

/// Bytes before the first frame.
pub(super) const HEADER: u64 = HEADER_BYTES as u64;

const HEADER_BYTES: usize = 42;

const MAGIC: &[u8; 8] = b"EntJrnl\n";
const REWRITTEN: u8 = 1;
const SNAPSHOT: u8 = 2;

/// Bytes read from the disk at a time when a segment is read from end to end.
const CHUNK: usize = 1 << 20;

/// A place in a journal.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Position {
    /// Number of the segment.
    pub(super) segment: u32,
    /// Byte in the segment at which the frame begins.
    pub(super) offset: u32,
}

/// What a segment says of itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Header {
    /// Which journal it belongs to.
    pub(super) journal: u8,
    /// Its number, never used again.
    pub(super) number: u32,
    /// The segment whose place it took; 0 for none.
    pub(super) replaces: u32,
    /// Sequence of the first frame.
    pub(super) base: u64,
    /// For a rewritten segment: the sequence after its last; otherwise 0.
    pub(super) end: u64,
    /// Whether it holds all that the journal held before `end`.
    pub(super) snapshot: bool,
}

impl Header {
    /// Whether frames may be missing, and none may be appended.
    pub(super) fn rewritten(&self) -> bool {
        self.end != 0
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&LAYOUT.to_le_bytes());
        out.push(self.journal);
        out.push(if self.rewritten() { REWRITTEN } else { 0 } | if self.snapshot { SNAPSHOT } else { 0 });
        out.extend_from_slice(&self.number.to_le_bytes());
        out.extend_from_slice(&self.replaces.to_le_bytes());
        out.extend_from_slice(&self.base.to_le_bytes());
        out.extend_from_slice(&self.end.to_le_bytes());
        let crc = crc32c::crc32c(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        debug_assert_eq!(out.len() as u64, HEADER);
        out
    }

    /// Reads a header; `Ok(None)` if it is damaged.
    fn parse(bytes: &[u8]) -> Result<Option<Header>> {
        let Some(bytes) = bytes.first_chunk::<HEADER_BYTES>() else { return Ok(None) };
        let u32_at = |at: usize| u32::from_le_bytes(*bytes[at..].first_chunk().expect("within the header"));
        let u64_at = |at: usize| u64::from_le_bytes(*bytes[at..].first_chunk().expect("within the header"));
        if &bytes[..8] != MAGIC {
            return Ok(None);
        }
        if u32_at(8) > LAYOUT {
            return Err(StoreError::Future { found: u32_at(8), known: LAYOUT });
        }
        if crc32c::crc32c(&bytes[..38]) != u32_at(38) {
            return Ok(None);
        }
        Ok(Some(Header {
            journal: bytes[12],
            number: u32_at(14),
            replaces: u32_at(18),
            base: u64_at(22),
            end: u64_at(30),
            snapshot: bytes[13] & SNAPSHOT != 0,
        }))
    }
}

/// An open segment.
pub(super) struct Segment {
    /// What it says of itself.
    pub(super) header: Header,
    /// Where it lies.
    pub(super) path: PathBuf,
    /// Its file.
    pub(super) file: Box<dyn DiskFile>,
}

impl Segment {
    /// Makes a segment under a provisional name; [`Segment::publish`] gives it its own.
    pub(super) fn create(disk: &dyn Disk, dir: &Path, header: Header) -> Result<Segment> {
        let path = dir.join(file_name(header.number)).with_extension("new");
        let file = disk.create(&path).doing("create", &path)?;
        file.write_all_at(&header.encode(), 0).doing("write", &path)?;
        Ok(Segment { header, path, file })
    }

    /// Makes the content durable, then the name.
    pub(super) fn publish(&mut self, disk: &dyn Disk, dir: &Path) -> Result<()> {
        self.file.sync().doing("sync", &self.path)?;
        let path = dir.join(file_name(self.header.number));
        disk.rename(&self.path, &path).doing("rename", &self.path)?;
        self.path = path;
        disk.sync_dir(dir).doing("sync", dir)
    }

    /// Opens a segment; with a damaged header, `sound` is false and the number comes from the file's name.
    pub(super) fn open(disk: &dyn Disk, path: &Path, journal: u8, number: u32) -> Result<(Segment, bool)> {
        let file = disk.open(path).doing("open", path)?;
        let mut bytes = [0; HEADER_BYTES];
        let read = read_full(file.as_ref(), &mut bytes, 0).doing("read", path)?;
        let found = Header::parse(&bytes[..read])?.filter(|h| h.number == number && h.journal == journal);
        let header = Header { journal, number, replaces: 0, base: 0, end: 0, snapshot: false };
        let mut segment = Segment { header: found.unwrap_or(header), path: path.to_path_buf(), file };
        if found.is_none() {
            let first = segment.peek(HEADER, frame::HEADER)?;
            segment.header.base = Head::parse(&first).map_or(0, |head| head.sequence);
        }
        Ok((segment, found.is_some()))
    }

    /// The frame at this byte, checked.
    pub(super) fn frame(&self, offset: u32) -> Result<(Head, Vec<u8>)> {
        let offset = u64::from(offset);
        let mut bytes = vec![0; 4096];
        let read = read_full(self.file.as_ref(), &mut bytes, offset).doing("read", &self.path)?;
        bytes.truncate(read);
        let head = Head::parse(&bytes).ok_or_else(|| self.damaged(offset))?;
        let whole = frame::HEADER + head.length;
        if whole > bytes.len() {
            let have = bytes.len();
            bytes.resize(whole, 0);
            read_full(self.file.as_ref(), &mut bytes[have..], offset + have as u64).doing("read", &self.path)?;
        }
        bytes.truncate(whole);
        bytes.drain(..frame::HEADER);
        if head.covers(&bytes) { Ok((head, bytes)) } else { Err(self.damaged(offset)) }
    }

    /// Bytes at a place, unchecked and perhaps fewer than asked: who reads so authenticates them otherwise.
    pub(super) fn peek(&self, offset: u64, length: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; length.min(MAX_PAYLOAD)];
        let read = read_full(self.file.as_ref(), &mut bytes, offset).doing("read", &self.path)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    /// The error that names a place in this segment.
    pub(super) fn damaged(&self, offset: u64) -> StoreError {
        StoreError::Damaged { file: self.path.clone(), offset }
    }
}

/// The name of a segment's file.
pub(super) fn file_name(number: u32) -> String {
    format!("{number:08}.seg")
}

/// What a [`Walk`] came to.
pub(super) enum Stride {
    /// A frame that is whole and in its place.
    Frame(Head, Position),
    /// From this byte on nothing sound follows; sequence and commit are as far as they got.
    Fault(u64),
    /// The end of the segment.
    End,
}

/// Reads a segment frame by frame, checking the order of the sequence and the marks of the commits.
pub(super) struct Walk<'a> {
    segment: &'a Segment,
    /// The byte at which the next frame begins.
    pub(super) offset: u64,
    /// The sequence that the next frame has (in a rewritten segment: at least).
    pub(super) expected: u64,
    /// Whether a commit has begun and not ended.
    pub(super) within: bool,
    length: u64,
    window: Vec<u8>,
    window_at: u64,
    payload: std::ops::Range<usize>,
}

impl<'a> Walk<'a> {
    /// Starts at the first frame.
    pub(super) fn new(segment: &'a Segment) -> Result<Walk<'a>> {
        Ok(Walk {
            segment,
            offset: HEADER,
            expected: segment.header.base,
            within: false,
            length: segment.file.length().doing("read", &segment.path)?,
            window: Vec::new(),
            window_at: HEADER,
            payload: 0..0,
        })
    }

    /// Bytes of the segment.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The payload of the frame last come to.
    pub(super) fn payload(&self) -> &[u8] {
        &self.window[self.payload.clone()]
    }

    /// Goes to the next frame.
    pub(super) fn next(&mut self) -> Result<Stride> {
        if self.offset >= self.length {
            return Ok(Stride::End);
        }
        let Some(head) = Head::parse(self.bytes(self.offset, frame::HEADER)?) else {
            return Ok(Stride::Fault(self.offset));
        };
        let whole = frame::HEADER + head.length;
        let found = self.bytes(self.offset, whole)?;
        let sound = found.len() == whole && head.covers(&found[frame::HEADER..]);
        if !sound || !self.fits(&head) {
            return Ok(Stride::Fault(self.offset));
        }
        let Ok(offset) = u32::try_from(self.offset) else { return Ok(Stride::Fault(self.offset)) };
        let from = usize::try_from(self.offset - self.window_at).expect("within the window") + frame::HEADER;
        self.payload = from..from + head.length;
        self.offset += head.frame_length();
        self.expected = head.sequence + 1;
        self.within = !head.last;
        Ok(Stride::Frame(head, Position { segment: self.segment.header.number, offset }))
    }

    /// After a fault: looks for the next sound frame that comes later in the sequence, and says where it is.
    pub(super) fn resync(&mut self) -> Result<Option<(u64, Head)>> {
        let rest = usize::try_from(self.length - self.offset).unwrap_or(usize::MAX);
        let mut bytes = vec![0; rest];
        let read = read_full(self.segment.file.as_ref(), &mut bytes, self.offset).doing("read", &self.segment.path)?;
        bytes.truncate(read);
        for at in 1..bytes.len() {
            let Some(head) = Head::parse(&bytes[at..]) else { continue };
            let payload = bytes.get(at + frame::HEADER..at + frame::HEADER + head.length);
            if head.sequence >= self.expected && payload.is_some_and(|payload| head.covers(payload)) {
                return Ok(Some((self.offset + at as u64, head)));
            }
        }
        Ok(None)
    }

    /// Goes on from a place that [`Walk::resync`] found.
    pub(super) fn skip_to(&mut self, offset: u64, head: &Head) {
        self.offset = offset;
        self.expected = head.sequence;
        self.within = !head.first;
    }

    fn fits(&self, head: &Head) -> bool {
        let in_order = if self.segment.header.rewritten() {
            head.sequence >= self.expected && head.sequence < self.segment.header.end
        } else {
            head.sequence == self.expected
        };
        in_order && head.first != self.within
    }

    fn bytes(&mut self, offset: u64, length: usize) -> Result<&[u8]> {
        let held = self.window_at + self.window.len() as u64;
        if offset < self.window_at || offset + length as u64 > held {
            self.window.resize(length.max(CHUNK), 0);
            let read =
                read_full(self.segment.file.as_ref(), &mut self.window, offset).doing("read", &self.segment.path)?;
            self.window.truncate(read);
            self.window_at = offset;
        }
        let from = usize::try_from(offset - self.window_at).expect("within the window");
        let to = self.window.len().min(from + length);
        Ok(&self.window[from..to])
    }
}
