//! What catch-up says: one request, one response, each one canonical map whose key 0 tells which.
//!
//! | key 0 | request | response |
//! |---|---|---|
//! | 0 | hello: {1 mode, 2 scopes} | the same from the other side |
//! | 1 | heads: {1 scope, 2 after} | {1 positions, 2 more} |
//! | 2 | feed: {1 scope, 2 incarnation, 3 after} | {1 incarnation, 2 items, 3 more} |
//! | 3 | objects: {1 scope, 2 hashes} | {1 objects} |
//! | 4 | wraps: {1 scope, 2 key ids, 3 writer} | {1 wraps} |
//! | 5 | entries: {1 scope, 2 author, 3 writer, 4 generation, 5 from, 6 until} | {1 entries} |
//! | 6 | | refused: {1 reason} |
//!
//! A message is read into bounded lists; what the objects and headers inside say is not looked into here.

use minicbor::Decoder;

use crate::id::{AgencyId, AgreementId, Hash, KeyId, LogId, Mode};
use crate::limits as wire;
use crate::receipt::LogPosition;
use crate::wire::codec::{self, CodecError, MapReader, MapWriter};

use super::limits;

mod parts;

/// Names one making of a node's store: positions in feeds of another incarnation mean nothing.
pub type Incarnation = [u8; 16];

/// The scope of what partners tell each other before any agreement: inception, card, address record.
pub const CONTACT: Hash = Hash([0; 32]);

/// What one side has in one scope.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ScopeState {
    /// The agreement's id, or [`CONTACT`].
    pub scope: Hash,
    /// [`heads_digest`] of the scope's logs.
    pub heads_digest: Hash,
    /// Which making of the store the feed belongs to.
    pub incarnation: Incarnation,
    /// The position of the latest object of the feed; 0 while it is empty.
    pub feed_length: u64,
}

/// What one side has in the scopes that it shares with the other. A scope that is not listed is not spoken of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hello {
    /// Live or exercise.
    pub mode: Mode,
    /// At most [`limits::SCOPES_PER_HELLO`], ascending by scope.
    pub scopes: Vec<ScopeState>,
}

/// A log within its scope.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct LogName {
    /// Whose log.
    pub author: AgencyId,
    /// Of which node.
    pub writer: u32,
    /// Of which generation.
    pub generation: u32,
}

/// A question.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Request {
    /// Here is what I have; what have you?
    Hello(Hello),
    /// Where do your logs stand?
    Heads {
        /// In which scope.
        scope: Hash,
        /// Continue after this log.
        after: Option<LogName>,
    },
    /// Which stand-alone objects do you hold, in the order in which you stored them?
    Feed {
        /// In which scope.
        scope: Hash,
        /// The incarnation that `after` belongs to; of another one the responder starts from 0.
        incarnation: Incarnation,
        /// Continue after this position.
        after: u64,
    },
    /// Give me these objects.
    Objects {
        /// In which scope.
        scope: Hash,
        /// 1 to [`limits::OBJECTS_PER_REQUEST`] hashes.
        hashes: Vec<Hash>,
    },
    /// Wrap these content keys for my node.
    Wraps {
        /// In which scope.
        scope: Hash,
        /// 1 to [`limits::KEYS_PER_REQUEST`] keys.
        key_ids: Vec<KeyId>,
        /// The asker's node.
        writer: u32,
    },
    /// Give me these entries of a log.
    Entries {
        /// Of which log; the scope is its agreement.
        log: LogId,
        /// The first wanted.
        from_seq: u64,
        /// The last wanted.
        until_seq: u64,
    },
}

/// An object of a feed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FeedItem {
    /// Its place in the feed, from 1.
    pub position: u64,
    /// Its kind's number; kinds that this version does not know may occur.
    pub kind: u8,
    /// Its hash.
    pub hash: Hash,
}

/// A page of a feed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FeedPage {
    /// Which making of the responder's store the positions belong to.
    pub incarnation: Incarnation,
    /// Ascending by position, at most [`limits::FEED_ITEMS`].
    pub items: Vec<FeedItem>,
    /// Whether objects follow; never after an empty page.
    pub more: bool,
}

/// An object that was asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ObjectAt {
    /// Which of the hashes asked for, from 0.
    pub index: u32,
    /// Its kind's number.
    pub kind: u8,
    /// Its exact bytes.
    pub bytes: Vec<u8>,
}

/// An entry as it lies on the wire.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EntryBytes {
    /// The signed header.
    pub header: Vec<u8>,
    /// The sealed body, or the remnant; absent where the responder has deleted it.
    pub body: Option<Vec<u8>>,
}

/// An answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Response {
    /// What the other side has.
    Hello(Hello),
    /// Where its logs stand.
    Heads {
        /// Ascending by log, each once, at most [`limits::HEADS_PER_PAGE`].
        positions: Vec<LogPosition>,
        /// Whether logs follow; never after an empty page.
        more: bool,
    },
    /// A page of its feed.
    Feed(FeedPage),
    /// Those of the objects that it holds, in the order asked, until the page was full; ask again for what stands
    /// behind the last. None at all: it holds none of them.
    Objects(Vec<ObjectAt>),
    /// Those of the wraps that it has or may make.
    Wraps(Vec<Vec<u8>>),
    /// The entries from the first one asked on, without a gap, until the page was full.
    Entries(Vec<EntryBytes>),
    /// No.
    Refused(Reason),
}

/// Why not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// The scope is unknown, or the asker is no party of it: the same answer, so that asking tells nothing.
    NotForYou,
    /// Ask later.
    Busy,
    /// The request breaks the form.
    Malformed,
    /// One side is live, the other exercise.
    OtherMode,
}

impl Reason {
    const fn number(self) -> u64 {
        match self {
            Reason::NotForYou => 1,
            Reason::Busy => 2,
            Reason::Malformed => 3,
            Reason::OtherMode => 4,
        }
    }

    const fn of_number(number: u64) -> Option<Reason> {
        match number {
            1 => Some(Reason::NotForYou),
            2 => Some(Reason::Busy),
            3 => Some(Reason::Malformed),
            4 => Some(Reason::OtherMode),
            _ => None,
        }
    }
}

/// SHA-256("entente.heads.v1" || canonical array of the positions, ascending by log).
pub fn heads_digest(positions: &[LogPosition]) -> Hash {
    let mut list = Vec::with_capacity(9 + positions.len() * 96);
    codec::write_list(&mut list, positions);
    Hash::of(&[b"entente.heads.v1", &list])
}

/// What still fits into a page: the first item always, a further one while the sum stays within the bound.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    left: u64,
    first: bool,
}

impl Budget {
    /// An empty page of at most `bytes`.
    pub const fn new(bytes: u64) -> Self {
        Self { left: bytes, first: true }
    }

    /// Whether an item of this length still fits; it then counts as added.
    pub fn take(&mut self, bytes: usize) -> bool {
        let fits = self.first || bytes as u64 <= self.left;
        self.first = false;
        self.left = self.left.saturating_sub(bytes as u64);
        fits
    }
}

impl Request {
    /// The scope that the request speaks of; a hello speaks of several.
    pub const fn scope(&self) -> Option<Hash> {
        match self {
            Request::Hello(_) => None,
            Request::Heads { scope, .. }
            | Request::Feed { scope, .. }
            | Request::Objects { scope, .. }
            | Request::Wraps { scope, .. } => Some(*scope),
            Request::Entries { log, .. } => Some(log.agreement.0),
        }
    }

    /// The request as bytes.
    pub fn write(&self) -> Vec<u8> {
        match self {
            Request::Hello(hello) => write_hello(hello),
            Request::Heads { scope, after } => {
                MapWriter::new().put(0, &1_u64).put(1, scope).put_some(2, after.as_ref()).finish()
            }
            Request::Feed { scope, incarnation, after } => {
                MapWriter::new().put(0, &2_u64).put(1, scope).put(2, incarnation).put(3, after).finish()
            }
            Request::Objects { scope, hashes } => {
                MapWriter::new().put(0, &3_u64).put(1, scope).put_list(2, hashes).finish()
            }
            Request::Wraps { scope, key_ids, writer } => {
                MapWriter::new().put(0, &4_u64).put(1, scope).put_list(2, key_ids).put(3, writer).finish()
            }
            Request::Entries { log, from_seq, until_seq } => MapWriter::new()
                .put(0, &5_u64)
                .put(1, &log.agreement)
                .put(2, &log.author)
                .put(3, &log.writer)
                .put(4, &log.generation)
                .put(5, from_seq)
                .put(6, until_seq)
                .finish(),
        }
    }

    /// Reads a request.
    pub fn read(bytes: &[u8]) -> Result<Self, CodecError> {
        if bytes.len() > limits::REQUEST_BYTES {
            return Err(CodecError::Bounds(0));
        }
        codec::read_object(bytes, |map| match map.need::<u64>(0)? {
            0 => read_hello(map).map(Request::Hello),
            1 => Ok(Request::Heads { scope: map.need(1)?, after: map.take(2)? }),
            2 => Ok(Request::Feed { scope: map.need(1)?, incarnation: map.need(2)?, after: map.need(3)? }),
            3 => {
                let (scope, hashes) = (map.need(1)?, map.list(2, limits::OBJECTS_PER_REQUEST)?);
                if hashes.is_empty() { Err(CodecError::Missing(2)) } else { Ok(Request::Objects { scope, hashes }) }
            }
            4 => {
                let (scope, key_ids) = (map.need(1)?, map.list(2, limits::KEYS_PER_REQUEST)?);
                let writer = map.need(3)?;
                let none = key_ids.is_empty();
                if none { Err(CodecError::Missing(2)) } else { Ok(Request::Wraps { scope, key_ids, writer }) }
            }
            5 => read_entries_request(map),
            value => Err(CodecError::UnknownValue { key: 0, value }),
        })
    }
}

fn read_entries_request(map: &mut MapReader<'_, '_>) -> Result<Request, CodecError> {
    let agreement: AgreementId = map.need(1)?;
    let log = LogId { agreement, author: map.need(2)?, writer: map.need(3)?, generation: map.need(4)? };
    let (from_seq, until_seq) = (map.need(5)?, map.need(6)?);
    if from_seq <= until_seq { Ok(Request::Entries { log, from_seq, until_seq }) } else { Err(CodecError::Bounds(6)) }
}

impl Response {
    /// The response as bytes.
    pub fn write(&self) -> Vec<u8> {
        match self {
            Response::Hello(hello) => write_hello(hello),
            Response::Heads { positions, more } => {
                MapWriter::new().put(0, &1_u64).put_list(1, positions).put(2, more).finish()
            }
            Response::Feed(page) => MapWriter::new()
                .put(0, &2_u64)
                .put(1, &page.incarnation)
                .put_list(2, &page.items)
                .put(3, &page.more)
                .finish(),
            Response::Objects(objects) => MapWriter::new().put(0, &3_u64).put_list(1, objects).finish(),
            Response::Wraps(wraps) => {
                let map = MapWriter::new().put(0, &4_u64);
                if wraps.is_empty() { map.finish() } else { map.put_with(1, |out| write_wraps(out, wraps)).finish() }
            }
            Response::Entries(entries) => MapWriter::new().put(0, &5_u64).put_list(1, entries).finish(),
            Response::Refused(reason) => MapWriter::new().put(0, &6_u64).put(1, &reason.number()).finish(),
        }
    }

    /// Reads a response.
    pub fn read(bytes: &[u8]) -> Result<Self, CodecError> {
        if bytes.len() > limits::RESPONSE_BYTES {
            return Err(CodecError::Bounds(0));
        }
        codec::read_object(bytes, |map| match map.need::<u64>(0)? {
            0 => read_hello(map).map(Response::Hello),
            1 => {
                let positions: Vec<LogPosition> = map.list(1, limits::HEADS_PER_PAGE)?;
                let more = map.need(2)?;
                let sorted = positions.is_sorted_by(|a, b| LogName::of(a) < LogName::of(b));
                if !sorted || (more && positions.is_empty()) {
                    return Err(CodecError::Bounds(1));
                }
                Ok(Response::Heads { positions, more })
            }
            2 => {
                let incarnation = map.need(1)?;
                let items: Vec<FeedItem> = map.list(2, limits::FEED_ITEMS)?;
                let more = map.need(3)?;
                let sorted = items.is_sorted_by(|a, b| a.position < b.position);
                if !sorted || (more && items.is_empty()) {
                    return Err(CodecError::Bounds(2));
                }
                Ok(Response::Feed(FeedPage { incarnation, items, more }))
            }
            3 => {
                let objects: Vec<ObjectAt> = map.list(1, limits::OBJECTS_PER_REQUEST)?;
                let sorted = objects.is_sorted_by(|a, b| a.index < b.index);
                if sorted { Ok(Response::Objects(objects)) } else { Err(CodecError::Bounds(1)) }
            }
            4 => Ok(Response::Wraps(map.take_with(1, read_wraps)?.unwrap_or_default())),
            5 => Ok(Response::Entries(map.list(1, limits::ENTRIES_PER_PAGE)?)),
            6 => {
                let value = map.need(1)?;
                Reason::of_number(value).map(Response::Refused).ok_or(CodecError::UnknownValue { key: 1, value })
            }
            value => Err(CodecError::UnknownValue { key: 0, value }),
        })
    }
}

fn write_hello(hello: &Hello) -> Vec<u8> {
    let mode = u64::from(hello.mode == Mode::Exercise);
    MapWriter::new().put(0, &0_u64).put(1, &mode).put_list(2, &hello.scopes).finish()
}

fn read_hello(map: &mut MapReader<'_, '_>) -> Result<Hello, CodecError> {
    let mode = match map.need::<u64>(1)? {
        0 => Mode::Live,
        1 => Mode::Exercise,
        value => return Err(CodecError::UnknownValue { key: 1, value }),
    };
    let scopes: Vec<ScopeState> = map.list(2, limits::SCOPES_PER_HELLO)?;
    let sorted = scopes.is_sorted_by(|a, b| a.scope < b.scope);
    if sorted { Ok(Hello { mode, scopes }) } else { Err(CodecError::Bounds(2)) }
}

fn write_wraps(out: &mut Vec<u8>, wraps: &[Vec<u8>]) {
    codec::write_array(out, wraps.len());
    for wrap in wraps {
        codec::write_bytes(out, wrap);
    }
}

fn read_wraps(d: &mut Decoder<'_>) -> Result<Vec<Vec<u8>>, CodecError> {
    let count = codec::read_array(d, 1, 1, limits::KEYS_PER_REQUEST)?;
    (0..count).map(|_| codec::read_bytes(d, 1, wire::WRAP_BYTES).map(<[u8]>::to_vec)).collect()
}

impl LogName {
    /// The log that a position speaks of.
    pub const fn of(position: &LogPosition) -> Self {
        Self { author: position.author, writer: position.writer, generation: position.generation }
    }
}
