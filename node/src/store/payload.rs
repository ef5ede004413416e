//! What frames of the federation journal mean: payloads to [`Fact`]s and back.
//!
//! Signed objects, headers and bodies lie there as they came (bodies are encrypted already). What only this node
//! knows in clear, the records and which of them were erased, is sealed; see [`super::seal`].
//!
//! ```text
//! object        kind u8 | scope 32 | hash 32 | bytes
//! entry         log 72 | seq u64 | hash 32 | header
//! body          log 72 | seq u64 | bytes
//! records       salt 16 | sealed context 139 | { ordinal u16 | length u32 | sealed record } *
//! erase body    log 72 | seq u64
//! drop object   hash 32
//! erase report, erase record   salt 16 | sealed
//! ```
//!
//! The context (log, seq, originator, received, state) is shared by the records of a frame and is the associated
//! data of each; part 0 of the salt seals it, part `ordinal` (from 1) a record. Removing a record leaves the rest.

use entente_protocol::id::{AgencyId, AgreementId, Hash, LogId, ReportId};

use super::error::{Result, StoreError};
use super::frame::{self, Draft, Head, Kind, MAX_PAYLOAD};
use super::seal::{SALT, Salt, Sealer, TAG, salt};
use super::segment::{Position, Segment};
use super::types::{Record, RecordId, RecordState};

const CONTEXT: usize = 123;
const SEALED_CONTEXT: usize = CONTEXT + TAG;
const SLOT: usize = 6;

/// Where the first record of a frame begins, in the payload.
const FIRST_SLOT: usize = SALT + SEALED_CONTEXT;

/// Bytes read at once for one record; longer ones take a second read.
const USUAL_RECORD: usize = 1024;

/// What a frame says.
#[derive(Clone, Debug)]
pub(super) enum Fact {
    /// A stand-alone object is held.
    Object { scope: Hash, hash: Hash },
    /// An entry is held.
    Entry { log: LogId, seq: u64, hash: Hash },
    /// The body of an entry is held.
    Body { log: LogId, seq: u64 },
    /// Records of one entry and originator are held.
    Records { context: Context, slots: Vec<Slot> },
    /// A report goes.
    EraseReport { originator: AgencyId, report: ReportId, up_to: u32 },
    /// A body goes.
    EraseBody { log: LogId, seq: u64 },
    /// A record goes.
    EraseRecord(RecordId),
    /// An object goes.
    DropObject { hash: Hash },
}

impl Fact {
    /// The kind of frame that says this.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Fact::Object { .. } => Kind::Object,
            Fact::Entry { .. } => Kind::Entry,
            Fact::Body { .. } => Kind::Body,
            Fact::Records { .. } => Kind::Records,
            Fact::EraseReport { .. } => Kind::EraseReport,
            Fact::EraseBody { .. } => Kind::EraseBody,
            Fact::EraseRecord(_) => Kind::EraseRecord,
            Fact::DropObject { .. } => Kind::DropObject,
        }
    }
}

/// What the records of a frame have in common.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Context {
    pub(super) log: LogId,
    pub(super) seq: u64,
    pub(super) originator: AgencyId,
    pub(super) received: u64,
    pub(super) state: RecordState,
}

/// A record in a frame, less its statement.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    /// Where in the payload it begins.
    pub(super) at: u32,
    pub(super) report: ReportId,
    pub(super) revision: u32,
    pub(super) leaf: u32,
    pub(super) indicator: Vec<u8>,
    /// Bytes of the statement.
    pub(super) bytes: u32,
}

impl Context {
    /// The whole id of a record of this frame.
    pub(super) fn id(&self, slot: &Slot) -> RecordId {
        let Slot { report, revision, leaf, .. } = *slot;
        RecordId { originator: self.originator, report, revision, log: self.log, seq: self.seq, leaf }
    }

    fn of(record: &Record) -> Context {
        let RecordId { log, seq, originator, .. } = record.id;
        Context { log, seq, originator, received: record.received, state: record.state }
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(CONTEXT);
        put_log(&mut out, &self.log, self.seq);
        out.extend_from_slice(self.originator.as_bytes());
        out.extend_from_slice(&self.received.to_le_bytes());
        let (state, reason) = match self.state {
            RecordState::Admitted => (0, 0),
            RecordState::Quarantined { reason } => (1, reason),
            RecordState::Held { reason } => (2, reason),
        };
        out.push(state);
        out.extend_from_slice(&u16::to_le_bytes(reason));
        out
    }

    fn decode(bytes: &[u8]) -> Option<Context> {
        let mut take = Take(bytes);
        let (log, seq) = take.log()?;
        let originator = AgencyId::from_bytes(take.array()?);
        let received = take.u64()?;
        let (state, reason) = (take.array::<1>()?[0], u16::from_le_bytes(take.array()?));
        let state = match state {
            0 => RecordState::Admitted,
            1 => RecordState::Quarantined { reason },
            2 => RecordState::Held { reason },
            _ => return None,
        };
        Some(Context { log, seq, originator, received, state })
    }
}

/// The frame of a stand-alone object.
pub(super) fn object(scope: Hash, kind: u8, hash: Hash, bytes: &[u8]) -> (Draft, Fact) {
    let payload = [&[kind], scope.as_bytes().as_slice(), hash.as_bytes(), bytes].concat();
    (Draft { kind: Kind::Object, payload }, Fact::Object { scope, hash })
}

/// The parts of an object's payload: kind, scope, hash, bytes.
pub(super) fn read_object(payload: &[u8]) -> Option<(u8, Hash, Hash, &[u8])> {
    let mut take = Take(payload);
    Some((take.array::<1>()?[0], Hash(take.array()?), Hash(take.array()?), take.0))
}

/// The frame of an entry's header.
pub(super) fn entry(log: LogId, seq: u64, hash: Hash, header: &[u8]) -> (Draft, Fact) {
    let mut payload = Vec::with_capacity(112 + header.len());
    put_log(&mut payload, &log, seq);
    payload.extend_from_slice(hash.as_bytes());
    payload.extend_from_slice(header);
    (Draft { kind: Kind::Entry, payload }, Fact::Entry { log, seq, hash })
}

/// The parts of an entry's payload: log, seq, hash, header.
pub(super) fn read_entry(payload: &[u8]) -> Option<(LogId, u64, Hash, &[u8])> {
    let mut take = Take(payload);
    let (log, seq) = take.log()?;
    Some((log, seq, Hash(take.array()?), take.0))
}

/// The frame of an entry's body.
pub(super) fn body(log: LogId, seq: u64, bytes: &[u8]) -> (Draft, Fact) {
    let mut payload = Vec::with_capacity(80 + bytes.len());
    put_log(&mut payload, &log, seq);
    payload.extend_from_slice(bytes);
    (Draft { kind: Kind::Body, payload }, Fact::Body { log, seq })
}

/// The parts of a body's payload: log, seq, bytes.
pub(super) fn read_body(payload: &[u8]) -> Option<(LogId, u64, &[u8])> {
    let mut take = Take(payload);
    let (log, seq) = take.log()?;
    Some((log, seq, take.0))
}

/// The frame by which an entry's body goes.
pub(super) fn erase_body(log: LogId, seq: u64) -> (Draft, Fact) {
    let mut payload = Vec::with_capacity(80);
    put_log(&mut payload, &log, seq);
    (Draft { kind: Kind::EraseBody, payload }, Fact::EraseBody { log, seq })
}

/// The frame by which an object goes.
pub(super) fn drop_object(hash: Hash) -> (Draft, Fact) {
    (Draft { kind: Kind::DropObject, payload: hash.as_bytes().to_vec() }, Fact::DropObject { hash })
}

/// The frame by which a report goes.
pub(super) fn erase_report(
    sealer: &Sealer,
    originator: AgencyId,
    report: ReportId,
    up_to: u32,
) -> Result<(Draft, Fact)> {
    let plain = [originator.as_bytes().as_slice(), report.as_bytes(), &up_to.to_le_bytes()].concat();
    let payload = seal_small(sealer, Kind::EraseReport, &plain)?;
    Ok((Draft { kind: Kind::EraseReport, payload }, Fact::EraseReport { originator, report, up_to }))
}

/// The frame by which a record goes.
pub(super) fn erase_record(sealer: &Sealer, id: RecordId) -> Result<(Draft, Fact)> {
    let mut plain = Vec::with_capacity(136);
    put_log(&mut plain, &id.log, id.seq);
    plain.extend_from_slice(id.originator.as_bytes());
    plain.extend_from_slice(id.report.as_bytes());
    plain.extend_from_slice(&id.revision.to_le_bytes());
    plain.extend_from_slice(&id.leaf.to_le_bytes());
    let payload = seal_small(sealer, Kind::EraseRecord, &plain)?;
    Ok((Draft { kind: Kind::EraseRecord, payload }, Fact::EraseRecord(id)))
}

/// The frames of these records: one for each run that shares its context and fits.
pub(super) fn records(sealer: &Sealer, records: &[Record]) -> Result<Vec<(Draft, Fact)>> {
    const RUN_BYTES: usize = MAX_PAYLOAD / 4;
    let mut frames = Vec::new();
    let mut rest = records;
    while let Some(first) = rest.first() {
        let context = Context::of(first);
        let (aad, salt) = (context.encode(), salt()?);
        let mut payload = salt.to_vec();
        payload.extend_from_slice(&sealer.seal(&salt, 0, b"context", &aad));
        let mut slots = Vec::new();
        while let Some(record) = rest.first() {
            if Context::of(record) != context || payload.len() > RUN_BYTES || slots.len() == usize::from(u16::MAX) {
                break;
            }
            let at = u32::try_from(payload.len()).expect("a run is bounded");
            let ordinal = u16::try_from(slots.len() + 1).expect("a run is bounded");
            let part = sealer.seal(&salt, u64::from(ordinal), &aad, &record_plain(record)?);
            let length = u32::try_from(part.len()).map_err(|_| too_large(part.len()))?;
            payload.extend_from_slice(&ordinal.to_le_bytes());
            payload.extend_from_slice(&length.to_le_bytes());
            payload.extend_from_slice(&part);
            let RecordId { report, revision, leaf, .. } = record.id;
            let bytes = u32::try_from(record.statement.len()).map_err(|_| too_large(record.statement.len()))?;
            slots.push(Slot { at, report, revision, leaf, indicator: record.indicator.clone(), bytes });
            rest = &rest[1..];
        }
        frames.push((Draft { kind: Kind::Records, payload }, Fact::Records { context, slots }));
    }
    Ok(frames)
}

/// What a frame says; `None` if it does not read, or was sealed under another key.
pub(super) fn decode(sealer: &Sealer, kind: Kind, payload: &[u8]) -> Option<Fact> {
    match kind {
        Kind::Object => read_object(payload).map(|(_, scope, hash, _)| Fact::Object { scope, hash }),
        Kind::Entry => read_entry(payload).map(|(log, seq, hash, _)| Fact::Entry { log, seq, hash }),
        Kind::Body => read_body(payload).map(|(log, seq, _)| Fact::Body { log, seq }),
        Kind::EraseBody => Take(payload).log().map(|(log, seq)| Fact::EraseBody { log, seq }),
        Kind::DropObject => Take(payload).array().map(|hash| Fact::DropObject { hash: Hash(hash) }),
        Kind::EraseReport => {
            let plain = open_small(sealer, kind, payload)?;
            let mut take = Take(&plain);
            let originator = AgencyId::from_bytes(take.array()?);
            let report = ReportId::from_bytes(take.array()?);
            Some(Fact::EraseReport { originator, report, up_to: take.u32()? })
        }
        Kind::EraseRecord => {
            let plain = open_small(sealer, kind, payload)?;
            let mut take = Take(&plain);
            let (log, seq) = take.log()?;
            let originator = AgencyId::from_bytes(take.array()?);
            let report = ReportId::from_bytes(take.array()?);
            let (revision, leaf) = (take.u32()?, take.u32()?);
            Some(Fact::EraseRecord(RecordId { originator, report, revision, log, seq, leaf }))
        }
        Kind::Records => decode_records(sealer, payload),
        Kind::Local => None,
    }
}

/// A records payload without the slots that `keep` turns down, and where the kept ones now begin; `None` if none is.
pub(super) fn without(payload: &[u8], slots: &[Slot], keep: &mut dyn FnMut(&Slot) -> bool) -> Option<Vec<u8>> {
    let mut out = payload.get(..FIRST_SLOT)?.to_vec();
    for slot in slots.iter().filter(|slot| keep(slot)) {
        let at = slot.at as usize;
        let length = u32::from_le_bytes(*payload.get(at + 2..)?.first_chunk()?) as usize;
        out.extend_from_slice(payload.get(at..at + SLOT + length)?);
    }
    (out.len() > FIRST_SLOT).then_some(out)
}

/// Reads and opens one record, and nothing else of its frame.
pub(super) fn read_record(sealer: &Sealer, segment: &Segment, at: Position, slot: u32) -> Result<Record> {
    let start = u64::from(at.offset);
    let damaged = || segment.damaged(start);
    let front = segment.peek(start, frame::HEADER + FIRST_SLOT)?;
    let head = Head::parse(&front).filter(|head| head.kind == Kind::Records).ok_or_else(damaged)?;
    let front = front.get(frame::HEADER..).filter(|front| front.len() == FIRST_SLOT).ok_or_else(damaged)?;
    let salt: &Salt = front.first_chunk().expect("the front holds a salt");
    let aad = sealer.open(salt, 0, b"context", &front[SALT..]).ok_or_else(damaged)?;
    let context = Context::decode(&aad).ok_or_else(damaged)?;

    let slot_at = start + frame::HEADER as u64 + u64::from(slot);
    let mut bytes = segment.peek(slot_at, USUAL_RECORD)?;
    let (ordinal, length) = slot_head(&bytes).ok_or_else(damaged)?;
    if slot as usize + SLOT + length > head.length {
        return Err(damaged());
    }
    if SLOT + length > bytes.len() {
        bytes = segment.peek(slot_at, SLOT + length)?;
    }
    let part = bytes.get(SLOT..SLOT + length).ok_or_else(damaged)?;
    let plain = sealer.open(salt, u64::from(ordinal), &aad, part).ok_or_else(damaged)?;
    let (slot, statement) = parse_record(&plain, slot).ok_or_else(damaged)?;
    let (id, statement) = (context.id(&slot), statement.to_vec());
    Ok(Record { id, indicator: slot.indicator, received: context.received, state: context.state, statement })
}

fn decode_records(sealer: &Sealer, payload: &[u8]) -> Option<Fact> {
    let salt: &Salt = payload.first_chunk()?;
    let aad = sealer.open(salt, 0, b"context", payload.get(SALT..FIRST_SLOT)?)?;
    let context = Context::decode(&aad)?;
    let (mut slots, mut at) = (Vec::new(), FIRST_SLOT);
    while at < payload.len() {
        let (ordinal, length) = slot_head(&payload[at..])?;
        let part = payload.get(at + SLOT..at + SLOT + length)?;
        let plain = sealer.open(salt, u64::from(ordinal), &aad, part)?;
        slots.push(parse_record(&plain, u32::try_from(at).ok()?)?.0);
        at += SLOT + length;
    }
    Some(Fact::Records { context, slots })
}

fn slot_head(bytes: &[u8]) -> Option<(u16, usize)> {
    let mut take = Take(bytes);
    Some((u16::from_le_bytes(take.array()?), take.u32()? as usize))
}

fn record_plain(record: &Record) -> Result<Vec<u8>> {
    let indicator = u16::try_from(record.indicator.len()).map_err(|_| too_large(record.indicator.len()))?;
    let mut out = Vec::with_capacity(26 + record.indicator.len() + record.statement.len());
    out.extend_from_slice(record.id.report.as_bytes());
    out.extend_from_slice(&record.id.revision.to_le_bytes());
    out.extend_from_slice(&record.id.leaf.to_le_bytes());
    out.extend_from_slice(&indicator.to_le_bytes());
    out.extend_from_slice(&record.indicator);
    out.extend_from_slice(&record.statement);
    Ok(out)
}

fn parse_record(plain: &[u8], at: u32) -> Option<(Slot, &[u8])> {
    let mut take = Take(plain);
    let report = ReportId::from_bytes(take.array()?);
    let (revision, leaf) = (take.u32()?, take.u32()?);
    let indicator = usize::from(u16::from_le_bytes(take.array()?));
    let (indicator, statement) = take.0.split_at_checked(indicator)?;
    let bytes = u32::try_from(statement.len()).ok()?;
    Some((Slot { at, report, revision, leaf, indicator: indicator.to_vec(), bytes }, statement))
}

fn seal_small(sealer: &Sealer, kind: Kind, plain: &[u8]) -> Result<Vec<u8>> {
    let salt = salt()?;
    Ok([salt.as_slice(), &sealer.seal(&salt, 0, &[kind as u8], plain)].concat())
}

fn open_small(sealer: &Sealer, kind: Kind, payload: &[u8]) -> Option<Vec<u8>> {
    let (salt, part) = payload.split_first_chunk()?;
    sealer.open(salt, 0, &[kind as u8], part)
}

fn too_large(bytes: usize) -> StoreError {
    StoreError::TooLarge { bytes: bytes as u64, limit: MAX_PAYLOAD as u64 }
}

fn put_log(out: &mut Vec<u8>, log: &LogId, seq: u64) {
    out.extend_from_slice(&log_bytes(log));
    out.extend_from_slice(&seq.to_le_bytes());
}

/// The 72 bytes of a log's id.
pub(super) fn log_bytes(log: &LogId) -> [u8; 72] {
    let mut out = [0; 72];
    out[..32].copy_from_slice(log.agreement.as_bytes());
    out[32..64].copy_from_slice(log.author.as_bytes());
    out[64..68].copy_from_slice(&log.writer.to_le_bytes());
    out[68..].copy_from_slice(&log.generation.to_le_bytes());
    out
}

/// Reads from the front; `None` when there is too little.
pub(super) struct Take<'a>(pub(super) &'a [u8]);

impl Take<'_> {
    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (front, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*front)
    }

    /// The next four bytes as a number, little-endian.
    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// The next eight bytes as a number, little-endian.
    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn log(&mut self) -> Option<(LogId, u64)> {
        let agreement = AgreementId::from_bytes(self.array()?);
        let author = AgencyId::from_bytes(self.array()?);
        let (writer, generation) = (self.u32()?, self.u32()?);
        Some((LogId { agreement, author, writer, generation }, self.u64()?))
    }
}
