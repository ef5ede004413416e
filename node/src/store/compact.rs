//! Compaction: erased bodies, records and objects leave the disk.
//!
//! A segment that holds anything erased is written anew under the next number, synced and renamed into the journal;
//! from then on it counts in the old one's place (its header says so, which is the mark that a crash leaves). Then
//! the index is pointed to it, entry by entry and only where it still pointed to the old one; then the index is made
//! durable; then the old file goes. A crash at any step leaves both or one of them, and opening goes on from there.
//! Headers of entries stay, and so do the frames by which things were erased.
//!
//! What became useless is noted by segment as it happens ([`Waste`](super::apply::Waste)), so that a retraction costs the
//! rewriting of one segment, and not a walk through all of them.

use std::sync::{Arc, PoisonError};

use super::Store;
use super::apply::{Library, Waste};
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

/// A segment of which this part is useless is worth rewriting, though nothing in it has to go: a quarter.
const WORTH: u64 = 4;

/// The segment being written is ended for the sake of what was only replaced once it has this many bytes.
const TAIL_BYTES: u64 = 16 << 20;

impl Store {
    /// Rewrites segments that hold something erased, or much that was replaced, at most so many; says how many bytes
    /// that freed. What was erased since the store was opened is known; segments written before are looked through
    /// once, some at each call. With `roll`, what was erased in the segment being written goes, too, which ends it.
    ///
    /// To be called from time to time; ends early, between two segments, when the store is closed.
    pub fn compact_due(&self, roll: bool, limit: usize) -> Result<u64> {
        let _one_at_a_time = self.compaction.lock().unwrap_or_else(PoisonError::into_inner);
        let mut freed = 0;
        self.usable()?;
        if roll {
            self.roll_if_due()?;
        }
        for _ in 0..limit {
            self.usable()?;
            let Some((segment, end, known)) = self.next_due() else { break };
            let before = self.library.journal.bytes();
            let worth = |loss: Waste| known || loss.erased || loss.bytes.saturating_mul(WORTH) >= length_of(&segment);
            self.compact_one(&segment, end, &worth, &mut || {})?;
            freed += before.saturating_sub(self.library.journal.bytes());
        }
        Ok(freed)
    }

    /// Ends the segment being written, where something in it has to go. What became useless in it before this start is
    /// looked for once.
    fn roll_if_due(&self) -> Result<()> {
        let _turn = self.turn()?;
        let number = self.library.journal.tail_number();
        let unlooked = {
            let mut unlooked = self.unlooked.lock().unwrap_or_else(PoisonError::into_inner);
            let before = unlooked.len();
            unlooked.retain(|other| *other != number);
            unlooked.len() < before
        };
        if let Some(tail) = self.library.journal.segment(number).filter(|_| unlooked) {
            let (_, loss) = self.loss(&tail)?;
            self.library.memory().waste.insert(number, loss);
        }
        if self.is_due(number, true) { self.library.journal.roll() } else { Ok(()) }
    }

    /// The segment to be rewritten or looked through next, where the one after it begins, and whether something in
    /// it is known to be worth it.
    fn next_due(&self) -> Option<(Arc<Segment>, u64, bool)> {
        let segments = self.library.journal.segments();
        let mut ended = segments.windows(2).map(|pair| (&pair[0], pair[1].header.base));
        if let Some((segment, end)) = ended.find(|(segment, _)| self.is_due(segment.header.number, false)) {
            return Some((Arc::clone(segment), end, true));
        }
        let mut unlooked = self.unlooked.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(number) = unlooked.pop() {
            let pair = segments.windows(2).find(|pair| pair[0].header.number == number);
            if let Some([segment, next]) = pair {
                return Some((Arc::clone(segment), next.header.base, false));
            }
        }
        None
    }

    fn is_due(&self, number: u32, tail: bool) -> bool {
        let Some(segment) = self.library.journal.segment(number) else { return false };
        let memory = self.library.memory.read().unwrap_or_else(PoisonError::into_inner);
        let waste = memory.waste.get(&number).copied().unwrap_or_default();
        let much = waste.bytes.saturating_mul(WORTH) >= length_of(&segment) && waste.bytes > 0;
        waste.erased || much && (!tail || length_of(&segment) >= TAIL_BYTES)
    }

    /// Rewrites every segment that holds something erased; says how many bytes that freed.
    pub fn compact(&self, progress: &mut dyn FnMut(Progress)) -> Result<u64> {
        self.usable()?;
        let _one_at_a_time = self.compaction.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.library.journal.bytes();
        self.compact_segments(progress)?;
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
            let any = |_: Waste| true;
            let tell = &mut || progress(Progress { step: Step::Compact, done, total });
            done += self.compact_one(segment, end, &any, tell)?;
        }
        progress(Progress { step: Step::Compact, done: total, total });
        Ok(())
    }

    /// Rewrites one segment if that frees anything, and is worth it; says how long it was.
    fn compact_one(
        &self,
        old: &Arc<Segment>,
        end: u64,
        worth: &dyn Fn(Waste) -> bool,
        tell: &mut dyn FnMut(),
    ) -> Result<u64> {
        // What becomes useless from now on is noted anew, and belongs to the segment that takes this one's place.
        self.library.memory().waste.remove(&old.header.number);
        let (length, loss) = self.loss(old)?;
        if loss.bytes == 0 || !worth(loss) {
            return Ok(length);
        }
        let rewritten = self.rewritten(old, end, tell);
        let number = *rewritten.as_ref().unwrap_or(&old.header.number);
        let mut memory = self.library.memory();
        let meanwhile = memory.waste.remove(&old.header.number).unwrap_or_default();
        let lost = if rewritten.is_err() { loss } else { Waste::default() };
        let (bytes, erased) = (meanwhile.bytes + lost.bytes, meanwhile.erased || lost.erased);
        memory.waste.insert(number, Waste { bytes, erased });
        drop(memory);
        rewritten?;
        tell();
        Ok(length)
    }

    /// How long a segment is, and what in it is useless.
    fn loss(&self, segment: &Segment) -> Result<(u64, Waste)> {
        let mut loss = Waste::default();
        let length = self.each(segment, &mut |fact, at, payload| {
            let left = match self.library.fate(fact, at.position, payload)? {
                Fate::Stays => return Ok(()),
                Fate::Goes => 0,
                Fate::Shrinks(left) => left.len(),
            };
            loss.bytes += payload.len().saturating_sub(left) as u64;
            loss.erased |= !matches!(fact, Fact::Object { .. });
            Ok(())
        })?;
        Ok((length, loss))
    }

    /// Writes what is left of a segment, and puts it in its place; says its number. Before it is there, nothing is
    /// changed: a full disk costs no more than the attempt.
    fn rewritten(&self, old: &Arc<Segment>, end: u64, tell: &mut dyn FnMut()) -> Result<u32> {
        let mut rewrite = self.library.journal.rewrite(old.header.number, old.header.base, end, false)?;
        self.each(old, &mut |fact, at, payload| match self.library.fate(fact, at.position, payload)? {
            Fate::Stays => rewrite.push(at.sequence, fact.kind(), payload),
            Fate::Shrinks(payload) => rewrite.push(at.sequence, fact.kind(), &payload),
            Fate::Goes => Ok(()),
        })?;
        tell();
        let new = rewrite.finish()?.header.number;
        tell();
        self.take_place(old.header.number, new).map_err(|error| self.failed_by(error))?;
        Ok(new)
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
        self.failed_by(error)
    }
}

/// Bytes of a segment's file; 0 where they cannot be told, which makes it worth a look.
fn length_of(segment: &Segment) -> u64 {
    segment.file.length().unwrap_or_default()
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
