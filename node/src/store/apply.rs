//! What each fact of the journal does to the index.
//!
//! Taking in the journal's facts in order gives the index; taking in a part of them again changes nothing once its
//! end is reached, so replay needs no transactions. Of a report under one agreement the highest revision wins, of
//! equal ones the first in the journal; a retraction wins over all it covers, whenever they come.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

use entente_protocol::id::{AgencyId, Hash, LogId, ReportId};

use super::error::{IndexFault, Result, StoreError};
use super::frame::{self, Head as FrameHead};
use super::index::Index;
use super::journal::{Journal, Placed};
use super::keys::{self, BodyPlace, EntryPlace, HeldPlace, RecordPlace, Value, e, g, of_report, x};
use super::payload::{Context, Fact, Slot, read_entry, read_record};
use super::seal::Sealer;
use super::segment::Position;
use super::types::{Counts, Head, QuarantineSize, Record, RecordId, RecordState};

/// What is asked for so often, or is so small, that it is kept in memory.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Every log known; `None` while its entry 0 is missing.
    pub(super) heads: BTreeMap<LogId, Option<Head>>,
    pub(super) counts: Counts,
    pub(super) quarantine: BTreeMap<AgencyId, QuarantineSize>,
    /// By segment: what became useless since the store was opened.
    pub(super) waste: BTreeMap<u32, Waste>,
}

/// What is useless in a segment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Waste {
    /// Bytes, about.
    pub(super) bytes: u64,
    /// Whether some of it was erased, and must leave the disk; what was only replaced may stay.
    pub(super) erased: bool,
}

/// The federation journal, its index, and what is kept of it in memory.
pub(super) struct Library {
    pub(super) journal: Journal,
    pub(super) index: Index,
    pub(super) sealer: Sealer,
    pub(super) memory: RwLock<Memory>,
}

impl Library {
    /// Takes in one fact.
    pub(super) fn apply(&self, fact: &Fact, at: Placed) -> Result<()> {
        match fact {
            Fact::Object { scope, hash } => self.add_object(scope, hash, at),
            Fact::DropObject { hash } => self.drop_object(hash),
            Fact::Entry { log, seq, hash } => self.add_entry(log, *seq, *hash, at),
            Fact::Body { log, seq } => self.add_body(log, *seq, at),
            Fact::EraseBody { log, seq } => self.erase_body(log, *seq),
            Fact::Records { context, slots } => slots.iter().try_for_each(|slot| self.add_record(context, slot, at)),
            Fact::EraseReport { originator, report, up_to } => self.erase_report(originator, report, *up_to),
            Fact::EraseRecord(id) => self.erase_record(id),
        }
    }

    /// The sequence of the frame at this place; `None` if its segment is gone.
    pub(super) fn sequence_at(&self, at: Position) -> Result<Option<u64>> {
        let Some(segment) = self.journal.segment(at.segment) else { return Ok(None) };
        let head = FrameHead::parse(&segment.peek(u64::from(at.offset), frame::HEADER)?);
        head.map(|head| Some(head.sequence)).ok_or_else(|| segment.damaged(u64::from(at.offset)))
    }

    /// The record at this place, whoever's it is.
    pub(super) fn record_at(&self, place: &RecordPlace) -> Result<Record> {
        let segment = self.segment(place.frame)?;
        read_record(&self.sealer, &segment, place.frame, place.slot)
    }

    /// The frame at this place.
    pub(super) fn frame_at(&self, at: Position) -> Result<(FrameHead, Vec<u8>)> {
        self.segment(at)?.frame(at.offset)
    }

    pub(super) fn memory(&self) -> RwLockWriteGuard<'_, Memory> {
        self.memory.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what became useless, so that compaction finds it.
    fn bury(&self, at: Position, bytes: usize, erased: bool) {
        let mut memory = self.memory();
        let waste = memory.waste.entry(at.segment).or_default();
        waste.bytes += bytes as u64;
        waste.erased |= erased;
    }

    fn bury_frame(&self, at: Position, erased: bool) -> Result<()> {
        let bytes = self.segment(at)?.peek(u64::from(at.offset), frame::HEADER)?;
        let head = FrameHead::parse(&bytes);
        self.bury(at, head.map_or(0, |head| head.length), erased);
        Ok(())
    }

    fn segment(&self, at: Position) -> Result<std::sync::Arc<super::segment::Segment>> {
        let missing = || StoreError::Damaged { file: self.journal.path(at.segment), offset: u64::from(at.offset) };
        self.journal.segment(at.segment).ok_or_else(missing)
    }

    fn add_object(&self, scope: &Hash, hash: &Hash, at: Placed) -> Result<()> {
        let key = self.index.names.o(hash);
        if self.index.value::<Position>(&key)?.is_some_and(|held| held != at.position) {
            return Ok(());
        }
        let place = at.position.encode();
        self.index.insert(&self.index.names.f(scope, at.sequence), &place)?;
        if self.index.insert(&key, &place)? {
            self.memory().counts.objects += 1;
        }
        Ok(())
    }

    fn drop_object(&self, hash: &Hash) -> Result<()> {
        let key = self.index.names.o(hash);
        let Some(place) = self.index.value::<Position>(&key)? else { return Ok(()) };
        let (head, payload) = self.frame_at(place)?;
        let (_, scope, _, _) =
            super::payload::read_object(&payload).ok_or_else(|| self.index.fail(IndexFault::Lies))?;
        self.index.remove(&self.index.names.f(&scope, head.sequence))?;
        if self.index.remove(&key)? {
            self.bury(place, head.length, false);
            let counts = &mut self.memory().counts;
            counts.objects = counts.objects.saturating_sub(1);
        }
        Ok(())
    }

    fn add_entry(&self, log: &LogId, seq: u64, hash: Hash, at: Placed) -> Result<()> {
        let tag = self.index.names.log(log);
        let key = e(tag, seq);
        if self.index.value::<EntryPlace>(&key)?.is_none() {
            let place = EntryPlace { header: at.position, body: BodyPlace::Missing };
            self.index.insert(&self.index.names.h(&hash), &key[1..])?;
            self.index.insert(&key, &place.encode())?;
            self.memory().counts.entries += 1;
        }
        let head = *self.memory().heads.entry(*log).or_default();
        let next = head.map_or(0, |head| head.seq + 1);
        match seq.cmp(&next) {
            Ordering::Equal => self.advance(log, tag, Head { seq, hash }),
            Ordering::Greater => self.index.insert(&g(tag), &next.encode()).map(drop),
            Ordering::Less => Ok(()),
        }
    }

    /// Moves a log's head to this entry, and on over entries that came before their turn.
    pub(super) fn advance(&self, log: &LogId, tag: keys::LogTag, mut head: Head) -> Result<()> {
        while let Some(place) = self.index.value::<EntryPlace>(&e(tag, head.seq + 1))? {
            let (_, payload) = self.frame_at(place.header)?;
            let (found, seq, hash, _) = read_entry(&payload).ok_or_else(|| self.index.fail(IndexFault::Lies))?;
            if (found, seq) != (*log, head.seq + 1) {
                return Err(self.index.fail(IndexFault::Lies));
            }
            head = Head { seq, hash };
        }
        self.index.insert(&g(tag), &(head.seq + 1).encode())?;
        self.memory().heads.insert(*log, Some(head));
        Ok(())
    }

    fn add_body(&self, log: &LogId, seq: u64, at: Placed) -> Result<()> {
        let key = e(self.index.names.log(log), seq);
        let Some(place) = self.index.value::<EntryPlace>(&key)? else { return Ok(()) };
        let newer = match place.body {
            BodyPlace::Missing => true,
            BodyPlace::Erased => false,
            BodyPlace::At(held) => self.sequence_at(held)?.is_none_or(|held| held < at.sequence),
        };
        if newer {
            // A body gives way to a remnant alone: what it has more was deleted.
            if let BodyPlace::At(held) = place.body {
                self.bury_frame(held, true)?;
            }
            self.index.insert(&key, &EntryPlace { body: BodyPlace::At(at.position), ..place }.encode())?;
        }
        Ok(())
    }

    fn erase_body(&self, log: &LogId, seq: u64) -> Result<()> {
        let key = e(self.index.names.log(log), seq);
        if let Some(place) = self.index.value::<EntryPlace>(&key)? {
            if let BodyPlace::At(held) = place.body {
                self.bury_frame(held, true)?;
            }
            self.index.insert(&key, &EntryPlace { body: BodyPlace::Erased, ..place }.encode())?;
        }
        Ok(())
    }

    fn add_record(&self, context: &Context, slot: &Slot, at: Placed) -> Result<()> {
        let id = context.id(slot);
        if self.retracted(&id.originator, &id.report)?.is_some_and(|up_to| id.revision <= up_to) {
            return Ok(());
        }
        let place = RecordPlace { revision: slot.revision, frame: at.position, slot: slot.at };
        if context.state != RecordState::Admitted {
            return self.hold(&id, HeldPlace { place, received: context.received, bytes: slot.bytes });
        }
        self.release(&id)?;
        let key = self.index.names.r(&id);
        let mut outdated = None;
        if let Some(held) = self.index.value::<RecordPlace>(&key)? {
            let first = held.revision == place.revision
                && held.frame != place.frame
                && self.sequence_at(held.frame)?.is_none_or(|held| held > at.sequence);
            if held == place || held.revision > place.revision || (held.revision == place.revision && !first) {
                return Ok(());
            }
            let old = self.record_at(&held)?;
            self.bury(held.frame, old.statement.len(), false);
            outdated = Some(old.indicator).filter(|indicator| *indicator != slot.indicator);
        } else {
            self.memory().counts.records += 1;
        }
        // Its R comes last: a replay that finds it there takes the rest for done.
        if !slot.indicator.is_empty() {
            self.index.insert(&self.index.names.l(&slot.indicator, &key), b"")?;
        }
        if let Some(outdated) = outdated {
            self.index.remove(&self.index.names.l(&outdated, &key))?;
        }
        self.index.insert(&key, &place.encode())?;
        Ok(())
    }

    /// Lists a record as held or in quarantine, unless it was admitted since.
    fn hold(&self, id: &RecordId, held: HeldPlace) -> Result<()> {
        if let Some(admitted) = self.index.value::<RecordPlace>(&self.index.names.r(id))? {
            let admitted = self.record_at(&admitted)?.id;
            if (admitted.log, admitted.seq, admitted.leaf) == (id.log, id.seq, id.leaf) {
                return Ok(());
            }
        }
        self.release(id)?;
        let key = self.index.names.p(id);
        self.index.insert(&self.index.names.q(id, held.received), &key[1..])?;
        self.index.insert(&key, &held.encode())?;
        let mut memory = self.memory();
        memory.counts.quarantined += 1;
        let size = memory.quarantine.entry(id.log.author).or_default();
        size.records += 1;
        size.bytes += u64::from(held.bytes);
        Ok(())
    }

    /// Takes a record off the list of those held or in quarantine.
    fn release(&self, id: &RecordId) -> Result<()> {
        if !self.memory.read().unwrap_or_else(PoisonError::into_inner).quarantine.contains_key(&id.log.author) {
            return Ok(());
        }
        let key = self.index.names.p(id);
        let Some(held) = self.index.value::<HeldPlace>(&key)? else { return Ok(()) };
        self.index.remove(&self.index.names.q(id, held.received))?;
        self.index.remove(&key)?;
        self.bury(held.place.frame, held.bytes as usize, true);
        let mut memory = self.memory();
        memory.counts.quarantined = memory.counts.quarantined.saturating_sub(1);
        if let Some(size) = memory.quarantine.get_mut(&id.log.author) {
            size.records = size.records.saturating_sub(1);
            size.bytes = size.bytes.saturating_sub(u64::from(held.bytes));
            if size.records == 0 {
                memory.quarantine.remove(&id.log.author);
            }
        }
        Ok(())
    }

    /// Up to which revision a report was retracted.
    pub(super) fn retracted(&self, originator: &AgencyId, report: &ReportId) -> Result<Option<u32>> {
        if self.memory.read().unwrap_or_else(PoisonError::into_inner).counts.retracted == 0 {
            return Ok(None);
        }
        self.index.value(&x(&self.index.names.report(originator, report)))
    }

    fn erase_report(&self, originator: &AgencyId, report: &ReportId, up_to: u32) -> Result<()> {
        let tag = self.index.names.report(originator, report);
        let before = self.index.value::<u32>(&x(&tag))?;
        if before.is_none_or(|before| before < up_to) && self.index.insert(&x(&tag), &up_to.encode())? {
            self.memory().counts.retracted += 1;
        }
        for (key, value) in self.index.scan(&of_report(b'R', &tag), None, usize::MAX)? {
            let place = RecordPlace::decode(&value).ok_or_else(|| self.index.fail(IndexFault::Lies))?;
            if place.revision <= up_to {
                self.unlist(&key, &place)?;
            }
        }
        for (_, value) in self.index.scan(&of_report(b'P', &tag), None, usize::MAX)? {
            let held = HeldPlace::decode(&value).ok_or_else(|| self.index.fail(IndexFault::Lies))?;
            if held.place.revision <= up_to {
                self.release(&self.record_at(&held.place)?.id)?;
            }
        }
        Ok(())
    }

    fn erase_record(&self, id: &RecordId) -> Result<()> {
        let key = self.index.names.r(id);
        if let Some(place) = self.index.value::<RecordPlace>(&key)?.filter(|held| held.revision <= id.revision) {
            self.unlist(&key, &place)?;
        }
        self.release(id)
    }

    /// Removes an admitted record from the index.
    fn unlist(&self, key: &[u8], place: &RecordPlace) -> Result<()> {
        let record = self.record_at(place)?;
        self.bury(place.frame, record.statement.len(), true);
        self.index.remove(&self.index.names.l(&record.indicator, key))?;
        if self.index.remove(key)? {
            let counts = &mut self.memory().counts;
            counts.records = counts.records.saturating_sub(1);
        }
        Ok(())
    }
}
