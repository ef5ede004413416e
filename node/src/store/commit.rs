//! Writing: a commit is prepared (sealed) by whoever commits; then one of those who wait leads, writes all commits
//! that wait with one sync, and takes them into the index. So committers share syncs without a thread of their own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use entente_protocol::id::{Hash, LogId};

use super::Store;
use super::error::{IndexFault, Result, StoreError};
use super::frame::{Draft, Kind, MAX_PAYLOAD};
use super::keys::{BodyPlace, Checkpoint, EntryPlace, e};
use super::local;
use super::payload::{self, Fact, read_entry};
use super::segment::Position;
use super::types::{Item, Record};

/// Bytes that one commit may hold: so that a group of commits stays far below what a segment can address.
const COMMIT_BYTES: u64 = 256 << 20;

/// Bytes after which no further commit joins a group.
const GROUP_BYTES: u64 = 16 << 20;

type Change = (Vec<u8>, Option<Vec<u8>>);

/// Commits that wait, and the right to write.
#[derive(Default)]
pub(super) struct Writer {
    queue: Mutex<Vec<Arc<Ticket>>>,
    /// Held by the one who writes: bytes written since the last checkpoint.
    turn: Mutex<u64>,
}

/// A commit that waits.
struct Ticket {
    work: Mutex<Option<Work>>,
    outcome: OnceLock<Result<()>>,
}

/// A commit, sealed.
struct Work {
    parts: Vec<Part>,
    changes: Vec<Change>,
}

struct Part {
    draft: Draft,
    fact: Fact,
    /// Part of an entry that is passed over when the entry's body is held already.
    along: Option<(LogId, u64)>,
}

impl Store {
    /// Makes these items durable, all or none, and visible; returns after both. An entry or object that is held
    /// already is passed over; a record that was retracted is ignored. After [`StoreError::Index`] the items are
    /// durable, and visible after the next open.
    pub fn commit(&self, items: Vec<Item>) -> Result<()> {
        self.usable()?;
        let work = self.prepare(items)?;
        let bytes = work.parts.iter().map(|part| part.draft.frame_length()).sum();
        if bytes > COMMIT_BYTES {
            return Err(StoreError::TooLarge { bytes, limit: COMMIT_BYTES });
        }
        let ticket = Arc::new(Ticket { work: Mutex::new(Some(work)), outcome: OnceLock::new() });
        lock(&self.writer.queue).push(Arc::clone(&ticket));
        let mut since_checkpoint = self.turn()?;
        loop {
            if let Some(outcome) = ticket.outcome.get() {
                return outcome.clone();
            }
            self.write_group(&mut since_checkpoint);
        }
    }

    /// The right to write. A writer that panicked leaves the handle failed.
    pub(super) fn turn(&self) -> Result<MutexGuard<'_, u64>> {
        self.writer.turn.lock().map_err(|_| self.failed_by(StoreError::Index(IndexFault::Panicked)))
    }

    /// Makes the index durable as far as the journal goes.
    pub(super) fn checkpoint(&self, since_checkpoint: &mut u64) -> Result<()> {
        let library = &self.library;
        let checkpoint = Checkpoint {
            next: library.journal.next_sequence(),
            incarnation: self.incarnation(),
            key_check: library.index.names.key_check(),
            rewritten: library.journal.newest_rewritten(false),
        };
        let counts = library.memory().counts;
        library.index.checkpoint(&checkpoint, &counts)?;
        *since_checkpoint = 0;
        Ok(())
    }

    fn prepare(&self, items: Vec<Item>) -> Result<Work> {
        let mut work = Work { parts: Vec::new(), changes: Vec::new() };
        let mut loose = Vec::new();
        for item in items {
            match item {
                Item::Object { scope, kind, hash, bytes } => {
                    work.push(payload::object(scope, kind, hash, &bytes), None)?;
                }
                Item::Entry { log, seq, hash, header, body, records } => {
                    work.push(payload::entry(log, seq, hash, &header), None)?;
                    if let Some(body) = body {
                        work.push(payload::body(log, seq, &body), Some((log, seq)))?;
                    }
                    self.push_records(&mut work, records, Some((log, seq)))?;
                }
                Item::Body { log, seq, body, records } => {
                    work.push(payload::body(log, seq, &body), None)?;
                    self.push_records(&mut work, records, None)?;
                }
                Item::Record(record) => loose.push(record),
                Item::EraseReport { originator, report, up_to_revision } => {
                    let part = payload::erase_report(&self.library.sealer, originator, report, up_to_revision)?;
                    work.push(part, None)?;
                }
                Item::EraseBody { log, seq } => work.push(payload::erase_body(log, seq), None)?,
                Item::EraseRecord(id) => work.push(payload::erase_record(&self.library.sealer, id)?, None)?,
                Item::DropObject { hash } => work.push(payload::drop_object(hash), None)?,
                Item::Local { key, value } => work.changes.push((key, value)),
            }
        }
        self.push_records(&mut work, loose, None)?;
        Ok(work)
    }

    /// Seals what was not retracted.
    fn push_records(&self, work: &mut Work, mut records: Vec<Record>, along: Option<(LogId, u64)>) -> Result<()> {
        let mut failed = None;
        records.retain(|record| match self.library.retracted(&record.id.originator, &record.id.report) {
            Ok(up_to) => up_to.is_none_or(|up_to| record.id.revision > up_to),
            Err(error) => {
                failed = Some(error);
                true
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        payload::records(&self.library.sealer, &records)?.into_iter().try_for_each(|part| work.push(part, along))
    }

    /// Writes commits that wait, the oldest first, and settles them.
    fn write_group(&self, since_checkpoint: &mut u64) {
        let (mut tickets, mut works) = (Vec::new(), Vec::new());
        let (mut bytes, mut entries) = (0, BTreeMap::new());
        while bytes < GROUP_BYTES {
            let next = {
                let mut queue = lock(&self.writer.queue);
                if queue.is_empty() {
                    break;
                }
                queue.remove(0)
            };
            let mut work = lock(&next.work).take().expect("a ticket is in the queue once");
            match self.usable().and_then(|()| self.review(&mut work, &mut entries)) {
                Ok(()) => {
                    bytes += work.parts.iter().map(|part| part.draft.frame_length()).sum::<u64>();
                    works.push(work);
                    tickets.push(next);
                }
                Err(error) => drop(next.outcome.set(Err(error))),
            }
        }
        *since_checkpoint += bytes;
        let mut outcome = self.write(works);
        if outcome.is_ok() && *since_checkpoint >= self.options.checkpoint_bytes {
            outcome = self.checkpoint(since_checkpoint);
        }
        let outcome = outcome.map_err(|error| self.failed_by(error));
        for ticket in tickets {
            drop(ticket.outcome.set(outcome.clone()));
        }
    }

    /// Compares a commit with what is held, now that nobody else writes: refuses what contradicts it, drops what is
    /// held already.
    fn review(&self, work: &mut Work, entries: &mut BTreeMap<(LogId, u64), Hash>) -> Result<()> {
        let mut added = BTreeMap::new();
        let mut complete = BTreeMap::new();
        let mut kept = Vec::with_capacity(work.parts.len());
        for part in work.parts.drain(..) {
            let keep = match &part.fact {
                Fact::Entry { log, seq, hash } => {
                    let pending = entries.get(&(*log, *seq)).or(added.get(&(*log, *seq))).copied();
                    let held = self.held_entry(log, *seq)?;
                    complete.insert((*log, *seq), held.is_some_and(|(_, place)| place.body != BodyPlace::Missing));
                    let known = held.map(|(held, _)| held).or(pending);
                    if let Some(held) = known.filter(|held| held != hash) {
                        return Err(StoreError::Conflict { log: Box::new(*log), seq: *seq, held });
                    }
                    added.insert((*log, *seq), *hash);
                    known.is_none()
                }
                Fact::Body { log, seq } if part.along.is_none() => {
                    let pending = entries.contains_key(&(*log, *seq)) || added.contains_key(&(*log, *seq));
                    if !pending && self.place_of(log, *seq)?.is_none() {
                        return Err(StoreError::NoEntry { log: Box::new(*log), seq: *seq });
                    }
                    true
                }
                Fact::Object { hash, .. } => {
                    self.library.index.value::<Position>(&self.library.index.names.o(hash))?.is_none()
                }
                _ => part.along.is_none_or(|entry| !complete.get(&entry).copied().unwrap_or(false)),
            };
            if keep {
                kept.push(part);
            }
        }
        work.parts = kept;
        entries.append(&mut added);
        Ok(())
    }

    fn place_of(&self, log: &LogId, seq: u64) -> Result<Option<EntryPlace>> {
        self.library.index.value(&e(self.library.index.names.log(log), seq))
    }

    fn held_entry(&self, log: &LogId, seq: u64) -> Result<Option<(Hash, EntryPlace)>> {
        let Some(place) = self.place_of(log, seq)? else { return Ok(None) };
        let (_, payload) = self.library.frame_at(place.header)?;
        let (_, _, hash, _) = read_entry(&payload).ok_or_else(|| self.library.index.fail(IndexFault::Lies))?;
        Ok(Some((hash, place)))
    }

    /// Makes reviewed commits durable, then visible.
    fn write(&self, works: Vec<Work>) -> Result<()> {
        let (mut next, mut locals) = (self.library.journal.next_sequence(), Vec::new());
        let (mut commits, mut facts, mut changes) = (Vec::new(), Vec::new(), Vec::new());
        for work in works {
            next += work.parts.len() as u64;
            let with = if work.parts.is_empty() { 0 } else { next - 1 };
            let drafts = work.changes.iter().map(|(k, v)| local::draft(&self.library.sealer, with, k, v.as_deref()));
            locals.push(drafts.collect::<Result<Vec<Draft>>>()?);
            changes.extend(work.changes);
            let (drafts, said): (Vec<_>, Vec<_>) = work.parts.into_iter().map(|p| (p.draft, p.fact)).unzip();
            commits.push(drafts);
            facts.push(said);
        }
        let filled = |commits: &[Vec<Draft>]| commits.iter().any(|commit| !commit.is_empty());
        if filled(&locals) {
            self.local.append(&slices(&locals))?;
        }
        if filled(&commits) {
            let placed = self.library.journal.append(&slices(&commits))?;
            for (fact, at) in facts.iter().flatten().zip(placed.into_iter().flatten()) {
                self.library.apply(fact, at)?;
            }
        }
        if !changes.is_empty() {
            self.local.take_in(changes);
            self.local.tidy(&self.library.sealer, false)?;
        }
        Ok(())
    }
}

impl Work {
    fn push(&mut self, (draft, fact): (Draft, Fact), along: Option<(LogId, u64)>) -> Result<()> {
        if draft.payload.len() > MAX_PAYLOAD {
            return Err(StoreError::TooLarge { bytes: draft.payload.len() as u64, limit: MAX_PAYLOAD as u64 });
        }
        debug_assert_ne!(draft.kind, Kind::Local, "local values have a journal of their own");
        self.parts.push(Part { draft, fact, along });
        Ok(())
    }
}

fn slices(commits: &[Vec<Draft>]) -> Vec<&[Draft]> {
    commits.iter().map(Vec::as_slice).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
