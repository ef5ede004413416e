//! A journal: append-only segments, written one commit after the other, each durable before it is acknowledged.
//!
//! What a journal promises: a commit is there as a whole or not at all. What it does at open: a tail that was
//! never acknowledged is cut back to the last whole commit, and told; damage that has acknowledged frames behind
//! it is *salvaged*: all commits that are still whole are copied into a new segment, the damaged file is kept
//! beside it as `NNNNNNNN.damaged`, and what is missing is told. A journal knows nothing of what its frames mean.
//!
//! One writer at a time is the caller's care; readers need no lock but the short one on the table of segments.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::disk::{Disk, make_dir};
use super::error::{Doing, Result};
use super::frame::{Draft, Head, Kind};
use super::salvage::{salvage_walk, was_acknowledged};
use super::segment::{self, Header, Position, Segment, Stride, Walk, file_name};
use super::types::{Damage, Torn};

/// Where a frame came to lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    /// Its place.
    pub(super) position: Position,
    /// Its number in the journal.
    pub(super) sequence: u64,
}

/// What a journal met when it was opened.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// A tail that was cut.
    pub(super) torn: Option<Torn>,
    /// What was salvaged, and what was lost by it.
    pub(super) damage: Vec<Damage>,
    /// Pairs of segments (old, new) of which the new one takes the old one's place.
    pub(super) replaced: Vec<(u32, u32)>,
}

/// Where reading a journal from end to end stopped.
pub(super) enum Fault {
    /// The segment with this number does not read.
    At(u32),
    /// Frames are missing between two segments.
    Missing {
        /// The first sequence that is missing.
        from: u64,
        /// The sequence after the last.
        to: u64,
    },
}

/// What is done with each frame: its head, its place, its payload.
pub(super) type Visit<'a> = dyn FnMut(&Head, Position, &[u8]) -> Result<()> + 'a;

/// See the module.
pub(super) struct Journal {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    id: u8,
    segment_bytes: u64,
    table: RwLock<BTreeMap<u32, Arc<Segment>>>,
    tail: Mutex<Tail>,
}

struct Tail {
    segment: Arc<Segment>,
    length: u64,
    next_sequence: u64,
    next_number: u32,
}

impl Journal {
    /// Opens the journal in this directory, or begins it.
    pub(super) fn open(disk: Arc<dyn Disk>, dir: &Path, id: u8, segment_bytes: u64) -> Result<(Journal, Found)> {
        make_dir(dir).doing("create", dir)?;
        let mut found = Found::default();
        let listing = list(disk.as_ref(), dir)?;
        let mut table = BTreeMap::new();
        let mut unsound = Vec::new();
        for number in &listing.segments {
            let (segment, sound) = Segment::open(disk.as_ref(), &dir.join(file_name(*number)), id, *number)?;
            if !sound {
                unsound.push(*number);
            }
            table.insert(*number, Arc::new(segment));
        }
        drop_superseded_snapshots(disk.as_ref(), dir, &mut table)?;
        for (old, new) in replacements(&table) {
            if reads(&table[&old])? {
                found.replaced.push((old, new));
            } else {
                // A salvage was interrupted before the damaged file was put aside: it begins again.
                let path = dir.join(file_name(new));
                disk.remove(&path).doing("remove", &path)?;
                table.remove(&new);
                unsound.push(old);
            }
        }
        let header = Header { journal: id, number: 0, replaces: 0, base: 1, end: 0, snapshot: false };
        let placeholder = match table.values().next() {
            Some(any) => Arc::clone(any),
            None => create(disk.as_ref(), dir, Header { number: listing.next_number, ..header })?,
        };
        let next_number = listing.next_number.max(placeholder.header.number + 1);
        table.insert(placeholder.header.number, Arc::clone(&placeholder));
        let tail = Mutex::new(Tail { segment: placeholder, length: 0, next_sequence: 1, next_number });
        let journal = Journal { disk, dir: dir.to_path_buf(), id, segment_bytes, table: RwLock::new(table), tail };
        for number in unsound {
            found.damage.push(journal.salvage(number)?);
        }
        journal.find_end(&mut found)?;
        Ok((journal, found))
    }

    /// The sequence that the next frame will have.
    pub(super) fn next_sequence(&self) -> u64 {
        self.tail().next_sequence
    }

    /// Makes the next frame have at least this sequence, in a segment of its own.
    pub(super) fn skip_to(&self, sequence: u64) -> Result<()> {
        let mut tail = self.tail();
        if tail.next_sequence < sequence {
            tail.next_sequence = sequence;
            self.roll_over(&mut tail)?;
        }
        Ok(())
    }

    /// Writes these commits with one write and one sync. After an error the journal must be opened anew.
    pub(super) fn append(&self, commits: &[&[Draft]]) -> Result<Vec<Vec<Placed>>> {
        let mut tail = self.tail();
        let bytes: u64 = commits.iter().flat_map(|c| c.iter()).map(Draft::frame_length).sum();
        if tail.length > segment::HEADER && tail.length + bytes > self.segment_bytes {
            self.roll_over(&mut tail)?;
        }
        let mut run = Vec::with_capacity(usize::try_from(bytes).expect("commits are bounded"));
        let (start, mut back) = (tail.length, 0);
        let mut placed = Vec::with_capacity(commits.len());
        for commit in commits {
            let mut commit_at = Vec::with_capacity(commit.len());
            for (i, draft) in commit.iter().enumerate() {
                let offset = u32::try_from(start + run.len() as u64).expect("segments are below 4 GiB");
                let position = Position { segment: tail.segment.header.number, offset };
                let sequence = tail.next_sequence + u64::from(back);
                Head::within(sequence, back, draft.kind, i == 0, i + 1 == commit.len()).write(&draft.payload, &mut run);
                commit_at.push(Placed { position, sequence });
                back += 1;
            }
            placed.push(commit_at);
        }
        let segment = &tail.segment;
        segment.file.write_all_at(&run, start).doing("write", &segment.path)?;
        segment.file.sync().doing("sync", &segment.path)?;
        tail.length += run.len() as u64;
        tail.next_sequence += u64::from(back);
        Ok(placed)
    }

    /// The segment with this number, if it is still there.
    pub(super) fn segment(&self, number: u32) -> Option<Arc<Segment>> {
        self.table.read().unwrap_or_else(PoisonError::into_inner).get(&number).cloned()
    }

    /// The segments that count, in the journal's order.
    pub(super) fn segments(&self) -> Vec<Arc<Segment>> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let replaced: BTreeSet<u32> = table.values().map(|s| s.header.replaces).collect();
        let mut live: Vec<_> = table.values().filter(|s| !replaced.contains(&s.header.number)).cloned().collect();
        live.sort_by_key(|s| (s.header.base, s.header.number));
        live
    }

    /// The number of the newest segment that took the place of another; 0 where there is none. With `alone`, of those
    /// whose other is gone.
    pub(super) fn newest_rewritten(&self, alone: bool) -> u32 {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let rewritten = table.values().map(|segment| segment.header).filter(Header::rewritten);
        let counts = rewritten.filter(|header| !alone || !table.contains_key(&header.replaces));
        counts.map(|header| header.number).max().unwrap_or(0)
    }

    /// Bytes of all segments.
    pub(super) fn bytes(&self) -> u64 {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.values().filter_map(|s| s.file.length().ok()).sum()
    }

    /// Where this journal's file of this number lies, whether it exists or not.
    pub(super) fn path(&self, number: u32) -> PathBuf {
        self.dir.join(file_name(number))
    }

    /// Visits every frame with this sequence or a later one, in order. `Ok(Err(..))` is a fault in the journal.
    pub(super) fn scan(&self, from: u64, visit: &mut Visit<'_>) -> Result<std::result::Result<(), Fault>> {
        let segments = self.segments();
        let mut reached = None;
        for (i, segment) in segments.iter().enumerate() {
            let base = segment.header.base;
            if let Some(reached) = reached.filter(|reached| *reached < base && from < base) {
                return Ok(Err(Fault::Missing { from: reached, to: base }));
            }
            let next_base = segments.get(i + 1).map_or(u64::MAX, |next| next.header.base);
            if next_base <= from {
                continue;
            }
            let mut walk = Walk::new(segment)?;
            loop {
                match walk.next()? {
                    Stride::Frame(head, position) if head.sequence >= from => visit(&head, position, walk.payload())?,
                    Stride::Frame(..) => {}
                    Stride::Fault(_) => return Ok(Err(Fault::At(segment.header.number))),
                    Stride::End => break,
                }
            }
            reached = Some(walk.expected.max(segment.header.end));
        }
        Ok(Ok(()))
    }

    /// Ends the segment being written, unless it is empty, so that all there is can be rewritten.
    pub(super) fn roll(&self) -> Result<()> {
        let mut tail = self.tail();
        if tail.length > segment::HEADER { self.roll_over(&mut tail) } else { Ok(()) }
    }

    /// Number of the segment being written.
    pub(super) fn tail_number(&self) -> u32 {
        self.tail().segment.header.number
    }

    /// Begins a segment that takes the place of others.
    pub(super) fn rewrite(&self, replaces: u32, base: u64, end: u64, snapshot: bool) -> Result<Rewrite<'_>> {
        let number = {
            let mut tail = self.tail();
            tail.next_number += 1;
            tail.next_number - 1
        };
        let header = Header { journal: self.id, number, replaces, base, end, snapshot };
        let segment = Segment::create(self.disk.as_ref(), &self.dir, header)?;
        Ok(Rewrite { journal: self, segment: Some(segment), length: segment::HEADER, buffer: Vec::new() })
    }

    /// Removes a segment whose place another one has taken.
    pub(super) fn retire(&self, number: u32) -> Result<()> {
        let path = self.path(number);
        self.table.write().unwrap_or_else(PoisonError::into_inner).remove(&number);
        self.disk.remove(&path).doing("remove", &path)?;
        self.disk.sync_dir(&self.dir).doing("sync", &self.dir)
    }

    /// Cuts the last segment back to the end of the commit before this sequence.
    pub(super) fn cut_from(&self, sequence: u64) -> Result<()> {
        let mut tail = self.tail();
        let segment = Arc::clone(&tail.segment);
        let mut walk = Walk::new(&segment)?;
        while let Stride::Frame(head, position) = walk.next()? {
            if head.sequence >= sequence {
                tail.length = u64::from(position.offset);
                tail.next_sequence = head.sequence;
                return segment.file.cut(tail.length).doing("cut", &segment.path);
            }
        }
        Ok(())
    }

    /// Copies all whole commits of a damaged segment into a new one, and keeps the damaged file aside.
    pub(super) fn salvage(&self, number: u32) -> Result<Damage> {
        let damaged = self.segment(number).expect("a segment is salvaged only after it was opened");
        let next_base = self.segments().iter().map(|s| s.header.base).filter(|b| *b > damaged.header.base).min();
        let mut commits = Vec::new();
        let mut loss = salvage_walk(&damaged, &mut commits)?;
        let first = commits.first().map(|(head, _): &(Head, Vec<u8>)| head.sequence);
        let base = if damaged.header.base == 0 { first.unwrap_or(1) } else { damaged.header.base };
        let last = commits.last().map_or(base, |(head, _)| head.sequence + 1);
        let end = next_base.unwrap_or(damaged.header.end).max(last);
        if damaged.header.base == 0 {
            loss.from_sequence = loss.from_sequence.max(base);
        }
        loss.to_sequence = loss.to_sequence.or(Some(end));
        let mut rewrite = self.rewrite(number, base, end, damaged.header.snapshot)?;
        for (head, payload) in &commits {
            rewrite.push(head.sequence, head.kind, payload)?;
        }
        rewrite.finish()?;
        let aside = damaged.path.with_extension("damaged");
        self.disk.rename(&damaged.path, &aside).doing("rename", &damaged.path)?;
        self.disk.sync_dir(&self.dir).doing("sync", &self.dir)?;
        self.table.write().unwrap_or_else(PoisonError::into_inner).remove(&number);
        Ok(loss.into_damage(aside))
    }

    /// Finds the end of the journal: cuts a torn tail, salvages a damaged one, begins a segment if none is open.
    fn find_end(&self, found: &mut Found) -> Result<()> {
        let last = self.segments().pop().expect("a journal has a segment");
        let mut next_sequence = last.header.end;
        if !last.header.rewritten() {
            let mut walk = Walk::new(&last)?;
            let (mut whole, mut sequence) = (segment::HEADER, last.header.base);
            let stop = loop {
                match walk.next()? {
                    Stride::Frame(head, _) if head.last => (whole, sequence) = (walk.offset, head.sequence + 1),
                    Stride::Frame(..) => {}
                    Stride::Fault(offset) => break Some(offset),
                    Stride::End => break None,
                }
            };
            if stop.is_some() && was_acknowledged(&mut walk)? {
                found.damage.push(self.salvage(last.header.number)?);
                return self.find_end(found);
            }
            let length = last.file.length().doing("read", &last.path)?;
            if whole < length {
                found.torn = Some(Torn { file: last.path.clone(), offset: whole, bytes: length - whole });
                last.file.cut(whole).doing("cut", &last.path)?;
            }
            let mut tail = self.tail();
            (tail.segment, tail.length, tail.next_sequence) = (last, whole, sequence);
            return Ok(());
        }
        let mut tail = self.tail();
        next_sequence = next_sequence.max(last.header.base);
        tail.next_sequence = next_sequence;
        self.roll_over(&mut tail)
    }

    fn roll_over(&self, tail: &mut Tail) -> Result<()> {
        let (number, base) = (tail.next_number, tail.next_sequence);
        let header = Header { journal: self.id, number, replaces: 0, base, end: 0, snapshot: false };
        let segment = create(self.disk.as_ref(), &self.dir, header)?;
        self.table.write().unwrap_or_else(PoisonError::into_inner).insert(number, Arc::clone(&segment));
        (tail.segment, tail.length, tail.next_number) = (segment, segment::HEADER, number + 1);
        Ok(())
    }

    fn tail(&self) -> std::sync::MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A segment being rewritten.
pub(super) struct Rewrite<'a> {
    journal: &'a Journal,
    /// Until it is part of the journal.
    segment: Option<Segment>,
    length: u64,
    buffer: Vec<u8>,
}

impl Drop for Rewrite<'_> {
    /// What was not finished is not needed; where it cannot be removed now, the next start does.
    fn drop(&mut self) {
        if let Some(segment) = self.segment.take() {
            let _left = self.journal.disk.remove(&segment.path);
        }
    }
}

impl Rewrite<'_> {
    /// Adds a frame under its old sequence; sequences must rise.
    pub(super) fn push(&mut self, sequence: u64, kind: Kind, payload: &[u8]) -> Result<()> {
        Head::alone(sequence, kind).write(payload, &mut self.buffer);
        if self.buffer.len() >= 1 << 20 { self.flush() } else { Ok(()) }
    }

    /// Makes the segment durable, and part of the journal.
    pub(super) fn finish(mut self) -> Result<Arc<Segment>> {
        self.flush()?;
        let mut segment = self.segment.take().expect("a segment is finished once");
        segment.publish(self.journal.disk.as_ref(), &self.journal.dir)?;
        let segment = Arc::new(segment);
        let mut table = self.journal.table.write().unwrap_or_else(PoisonError::into_inner);
        table.insert(segment.header.number, Arc::clone(&segment));
        Ok(segment)
    }

    fn flush(&mut self) -> Result<()> {
        let segment = self.segment.as_ref().expect("nothing is written once it is finished");
        segment.file.write_all_at(&self.buffer, self.length).doing("write", &segment.path)?;
        self.length += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

fn create(disk: &dyn Disk, dir: &Path, header: Header) -> Result<Arc<Segment>> {
    let mut segment = Segment::create(disk, dir, header)?;
    segment.publish(disk, dir)?;
    Ok(Arc::new(segment))
}

struct Listing {
    segments: BTreeSet<u32>,
    next_number: u32,
}

/// The segments in a directory; removes those that were never finished.
fn list(disk: &dyn Disk, dir: &Path) -> Result<Listing> {
    let mut listing = Listing { segments: BTreeSet::new(), next_number: 1 };
    for entry in fs::read_dir(dir).doing("read", dir)? {
        let path = entry.doing("read", dir)?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<u32>().ok());
        let (Some(number), Some(extension)) = (number, path.extension().and_then(|e| e.to_str())) else { continue };
        match extension {
            "new" => disk.remove(&path).doing("remove", &path)?,
            "seg" => drop(listing.segments.insert(number)),
            _ => {}
        }
        listing.next_number = listing.next_number.max(number.saturating_add(1));
    }
    Ok(listing)
}

/// Removes what the newest snapshot has summed up.
fn drop_superseded_snapshots(disk: &dyn Disk, dir: &Path, table: &mut BTreeMap<u32, Arc<Segment>>) -> Result<()> {
    let newest = table.values().filter(|s| s.header.snapshot).map(|s| (s.header.end, s.header.number)).max();
    let Some((end, number)) = newest else { return Ok(()) };
    let old: Vec<u32> =
        table.values().filter(|s| s.header.number != number && s.header.base < end).map(|s| s.header.number).collect();
    for number in old {
        table.remove(&number);
        let path = dir.join(file_name(number));
        disk.remove(&path).doing("remove", &path)?;
    }
    Ok(())
}

/// Pairs of segments (old, new) of which the new one takes the old one's place.
fn replacements(table: &BTreeMap<u32, Arc<Segment>>) -> Vec<(u32, u32)> {
    let pairs = table.values().map(|segment| (segment.header.replaces, segment.header.number));
    pairs.filter(|(old, _)| table.contains_key(old)).collect()
}

/// Whether a segment reads from end to end.
fn reads(segment: &Segment) -> Result<bool> {
    let mut walk = Walk::new(segment)?;
    loop {
        match walk.next()? {
            Stride::Frame(..) => {}
            Stride::Fault(_) => return Ok(false),
            Stride::End => return Ok(true),
        }
    }
}
