//! Compaction: erased bodies, records and objects leave the disk.
//!
//! A segment that holds anything erased is written anew under the next number, synced and renamed into the journal;
//! from then on it counts in the old one's place (its header says so, which is the mark that a crash leaves). Then
//! the index is pointed to it, entry by entry and only where it still pointed to the old one; then the index is made
//! durable; then the old file goes. A crash at any step leaves both or one of them, and opening goes on from there.
//! Headers of entries stay, and so do the frames by which things were erased.

use std::sync::{Arc, PoisonError};

use super::Store;
use super::apply::Library;
use super::error::{Result, StoreError};
use super::journal::Placed;
use super::keys::{BodyPlace, EntryPlace, HeldPlace, RecordPlace, Value, e};
use super::payload::{Context, Fact, Slot, decode, without};
use super::segment::{Position, Segment, Stride, Walk};
use super::types::{Progress, RecordState, Step};

/// What a frame becomes.
enum Fate {
    Stays,
    Goes,
    Shrinks(Vec<u8>),
}

/// What is done with each fact: itself, its place, its payload.
type VisitFact<'a> = dyn FnMut(&Fact, Placed, &[u8]) -> Result<()> + 'a;

impl Store {
    /// Rewrites every segment that holds something erased; says how many bytes that freed.
    pub fn compact(&self, progress: &mut dyn FnMut(Progress)) -> Result<u64> {
        self.usable()?;
        let _one_at_a_time = self.compaction.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.library.journal.bytes();
        self.compact_segments(progress).map_err(|error| self.failed_by(error))?;
        Ok(before.saturating_sub(self.library.journal.bytes()))
    }

    fn compact_segments(&self, progress: &mut dyn FnMut(Progress)) -> Result<()> {
        let turn = self.turn()?;
        self.library.journal.roll()?;
        self.local.tidy(&self.library.sealer, true)?;
        drop(turn);
        let mut segments = self.library.journal.segments();
        let tail = segments.pop().map_or(0, |tail| tail.header.base);
        let (mut done, total) = (0, self.library.journal.bytes());
        for (i, segment) in segments.iter().enumerate() {
            let end = segments.get(i + 1).map_or(tail, |next| next.header.base);
            progress(Progress { step: Step::Compact, done, total });
            done += self.compact_one(segment, end, &mut || progress(Progress { step: Step::Compact, done, total }))?;
        }
        progress(Progress { step: Step::Compact, done: total, total });
        Ok(())
    }

    /// Rewrites one segment if that frees anything; says how long it was.
    fn compact_one(&self, old: &Arc<Segment>, end: u64, tell: &mut dyn FnMut()) -> Result<u64> {
        let mut frees = false;
        let length = self.each(old, &mut |fact, at, payload| {
            frees = frees || !matches!(self.library.fate(fact, at.position, payload)?, Fate::Stays);
            Ok(())
        })?;
        if !frees {
            return Ok(length);
        }
        let journal = &self.library.journal;
        let mut rewrite = journal.rewrite(old.header.number, old.header.base, end, false)?;
        self.each(old, &mut |fact, at, payload| match self.library.fate(fact, at.position, payload)? {
            Fate::Stays => rewrite.push(at.sequence, fact.kind(), payload),
            Fate::Shrinks(payload) => rewrite.push(at.sequence, fact.kind(), &payload),
            Fate::Goes => Ok(()),
        })?;
        tell();
        let new = rewrite.finish()?.header.number;
        tell();
        self.take_place(old.header.number, new)?;
        tell();
        Ok(length)
    }

    /// Points the index from an old segment to the one that takes its place, and removes the old one.
    pub(super) fn take_place(&self, old: u32, new: u32) -> Result<()> {
        let Some(segment) = self.library.journal.segment(new) else { return Ok(()) };
        self.each(&segment, &mut |fact, at, _| {
            let _turn = self.turn()?;
            self.library.repoint(fact, at, old)
        })?;
        let mut turn = self.turn()?;
        self.checkpoint(&mut turn)?;
        self.library.journal.retire(old)
    }

    /// Visits every fact of a segment; says how long it is.
    fn each(&self, segment: &Segment, visit: &mut VisitFact<'_>) -> Result<u64> {
        let mut walk = Walk::new(segment)?;
        loop {
            match walk.next()? {
                Stride::Frame(head, position) => {
                    let fact = decode(&self.library.sealer, head.kind, walk.payload());
                    let fact = fact.ok_or_else(|| segment.damaged(position.offset.into()))?;
                    visit(&fact, Placed { position, sequence: head.sequence }, walk.payload())?;
                }
                Stride::Fault(offset) => return Err(self.unreadable(segment.damaged(offset))),
                Stride::End => return Ok(walk.length()),
            }
        }
    }

    fn unreadable(&self, error: StoreError) -> StoreError {
        super::index::mark_for_rebuild(&self.dir.join(super::INDEX_DIR));
        error
    }
}

impl Library {
    /// What becomes of a frame: only what the index still points to stays.
    fn fate(&self, fact: &Fact, at: Position, payload: &[u8]) -> Result<Fate> {
        let stays = match fact {
            Fact::Object { hash, .. } => self.index.value::<Position>(&self.index.names.o(hash))? == Some(at),
            Fact::Body { log, seq } => {
                let place = self.index.value::<EntryPlace>(&e(self.index.names.log(log), *seq))?;
                place.is_some_and(|place| place.body == BodyPlace::At(at))
            }
            Fact::Records { context, slots } => return self.fate_of_records(context, slots, at, payload),
            _ => true,
        };
        Ok(if stays { Fate::Stays } else { Fate::Goes })
    }

    fn fate_of_records(&self, context: &Context, slots: &[Slot], at: Position, payload: &[u8]) -> Result<Fate> {
        let mut live = Vec::with_capacity(slots.len());
        for slot in slots {
            let held = self.place_of(context, slot)?;
            live.push(held.is_some_and(|held| held.frame == at && held.slot == slot.at));
        }
        if live.iter().all(|live| *live) {
            return Ok(Fate::Stays);
        }
        let mut alive = live.iter();
        let left = without(payload, slots, &mut |_| alive.next().copied().unwrap_or(false));
        Ok(left.map_or(Fate::Goes, Fate::Shrinks))
    }

    /// Where the index has this record, in the list that its state belongs to.
    fn place_of(&self, context: &Context, slot: &Slot) -> Result<Option<RecordPlace>> {
        let id = context.id(slot);
        if context.state == RecordState::Admitted {
            return self.index.value(&self.index.names.r(&id));
        }
        Ok(self.index.value::<HeldPlace>(&self.index.names.p(&id))?.map(|held| held.place))
    }

    /// Points the index to where a frame now is, where it still points to where the frame was.
    fn repoint(&self, fact: &Fact, at: Placed, old: u32) -> Result<()> {
        match fact {
            Fact::Object { scope, hash } => {
                let key = self.index.names.o(hash);
                if self.was_here(self.index.value::<Position>(&key)?, at, old)? {
                    self.index.insert(&self.index.names.f(scope, at.sequence), &at.position.encode())?;
                    self.index.insert(&key, &at.position.encode())?;
                }
            }
            Fact::Entry { log, seq, .. } => {
                let key = e(self.index.names.log(log), *seq);
                let place = self.index.value::<EntryPlace>(&key)?;
                if let Some(place) = place.filter(|place| place.header.segment == old) {
                    self.index.insert(&key, &EntryPlace { header: at.position, ..place }.encode())?;
                }
            }
            Fact::Body { log, seq } => {
                let key = e(self.index.names.log(log), *seq);
                let Some(place) = self.index.value::<EntryPlace>(&key)? else { return Ok(()) };
                let BodyPlace::At(held) = place.body else { return Ok(()) };
                if self.was_here(Some(held), at, old)? {
                    let body = BodyPlace::At(at.position);
                    self.index.insert(&key, &EntryPlace { body, ..place }.encode())?;
                }
            }
            Fact::Records { context, slots } => {
                for slot in slots {
                    self.repoint_record(context, slot, at, old)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn repoint_record(&self, context: &Context, slot: &Slot, at: Placed, old: u32) -> Result<()> {
        let Some(held) = self.place_of(context, slot)? else { return Ok(()) };
        if held.revision != slot.revision || !self.was_here(Some(held.frame), at, old)? {
            return Ok(());
        }
        let place = RecordPlace { frame: at.position, slot: slot.at, ..held };
        let id = context.id(slot);
        if context.state == RecordState::Admitted {
            return self.index.insert(&self.index.names.r(&id), &place.encode()).map(drop);
        }
        let held = HeldPlace { place, received: context.received, bytes: slot.bytes };
        self.index.insert(&self.index.names.p(&id), &held.encode()).map(drop)
    }

    fn was_here(&self, held: Option<Position>, at: Placed, old: u32) -> Result<bool> {
        match held.filter(|held| held.segment == old) {
            Some(held) => Ok(self.sequence_at(held)? == Some(at.sequence)),
            None => Ok(false),
        }
    }
}
