//! Opening: the journals first, for they are the truth; then the index, as far as it can be trusted; then what the
//! index has not seen. Whatever is wrong with the index, it is built anew; whatever is wrong with a journal is cut
//! or salvaged, and told.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock, RwLock};

use super::apply::{Library, Memory};
use super::commit::Writer;
use super::disk::make_dir;
use super::error::{Doing, IndexFault, Result, StoreError};
use super::index::{Index, REBUILD_MARK};
use super::journal::{Fault, Found, Journal, Placed};
use super::keys::{CHECKPOINT, COUNTS, Checkpoint, EntryPlace, HeldPlace, Value, e, e_prefix};
use super::layout::{self, Layout};
use super::local::Local;
use super::payload::{decode, read_entry};
use super::seal::Sealer;
use super::types::{Counts, Damage, Head, OpenReport, Options, Progress, Rebuilt, Step, StoreKeys};
use super::{FEDERATION_DIR, INDEX_DIR, LOCAL_DIR, Store};

/// Which journal a segment belongs to: this one.
pub(super) const FEDERATION: u8 = 1;
/// Or this one.
pub(super) const LOCAL: u8 = 2;

/// Segments are addressed by 32 bits, and hold at least one commit more than this.
const LARGEST_SEGMENT: u64 = 1 << 30;

impl Store {
    /// Opens the store in this directory, or makes one.
    pub fn open(dir: &Path, keys: &StoreKeys, options: Options, progress: &mut dyn FnMut(Progress)) -> Result<Store> {
        make_dir(dir).doing("create", dir)?;
        let lock = layout::lock(dir, options.lock_wait_ms)?;
        let sealer = Sealer::new(&keys.records);
        let disk = options.disk.as_ref();
        let mut layout = Layout::load(disk, dir, sealer.key_check())?;
        let mut report = OpenReport::default();
        let segment_bytes = options.segment_bytes.min(LARGEST_SEGMENT);
        let open = |name, id| Journal::open(Arc::clone(&options.disk), &dir.join(name), id, segment_bytes);

        let (journal, found) = open(FEDERATION_DIR, FEDERATION)?;
        let replaced = found.replaced.clone();
        report.note(found);
        let stopped = layout::mark_open(disk, dir)?;
        let mut opening = Opening { dir, keys, options: &options, layout: &mut layout, report: &mut report, progress };
        let library = opening.library(journal, sealer, stopped)?;
        let end = report.damage.is_empty().then(|| library.journal.next_sequence());

        let (mut journal, found) = open(LOCAL_DIR, LOCAL)?;
        report.note(found);
        let local = loop {
            match Local::load(journal, &library.sealer, end)? {
                Ok(local) => break local,
                Err((damaged, fault)) => {
                    report.damage.push(repair(&damaged, &fault)?);
                    journal = damaged;
                }
            }
        };
        for damage in &report.damage {
            let Damage { file, offset, bytes, .. } = damage;
            tracing::error!(file = %file.display(), offset, bytes, "a journal is damaged; what surrounds it was saved");
        }
        let unlooked = library.journal.segments().iter().map(|segment| segment.header.number).collect();
        let store = Store {
            dir: dir.to_path_buf(),
            options,
            library,
            local,
            writer: Writer::default(),
            compaction: Mutex::new(()),
            unlooked: Mutex::new(unlooked),
            layout: RwLock::new(layout),
            failed: OnceLock::new(),
            closed: AtomicBool::new(false),
            report,
            _lock: lock,
        };
        store.settle(&replaced)
    }

    /// Finishes what a crash interrupted, and makes the index durable as it now is.
    fn settle(mut self, replaced: &[(u32, u32)]) -> Result<Store> {
        for (old, new) in replaced.iter().filter(|(old, _)| self.library.journal.segment(*old).is_some()) {
            self.take_place(*old, *new)?;
        }
        let gaps = self.gaps()?;
        for damage in &mut self.report.damage {
            damage.resupply.clone_from(&gaps);
        }
        let mut turn = self.turn()?;
        self.checkpoint(&mut turn)?;
        drop(turn);
        Ok(self)
    }
}

impl OpenReport {
    fn note(&mut self, found: Found) {
        if let Some(torn) = &found.torn {
            let (file, offset, bytes) = (torn.file.display(), torn.offset, torn.bytes);
            tracing::warn!(%file, offset, bytes, "cut a tail that was never acknowledged");
        }
        self.torn.extend(found.torn);
        self.damage.extend(found.damage);
    }
}

/// What opening the index needs to know.
struct Opening<'a> {
    dir: &'a Path,
    keys: &'a StoreKeys,
    options: &'a Options,
    layout: &'a mut Layout,
    report: &'a mut OpenReport,
    progress: &'a mut dyn FnMut(Progress),
}

impl Opening<'_> {
    fn library(&mut self, mut journal: Journal, sealer: Sealer, stopped: bool) -> Result<Library> {
        let mut sealer = Some(sealer);
        let mut reason = self.distrust(stopped)?;
        if !self.report.damage.is_empty() {
            self.renew()?;
            reason = Some(Rebuilt::Asked);
        }
        loop {
            if let Some(reason) = reason {
                self.set_aside(reason)?;
            }
            let opened = match self.index(&journal) {
                Ok(opened) => opened,
                Err(why) if reason.is_none() => {
                    reason = Some(why?);
                    continue;
                }
                Err(why) => return Err(why.err().unwrap_or(StoreError::Index(IndexFault::Corrupt))),
            };
            let (index, from) = opened;
            let sealed_by = sealer.take().expect("put back below");
            let library = Library { journal, index, sealer: sealed_by, memory: RwLock::new(Memory::default()) };
            match self.take_in(&library, from) {
                Ok(Ok(replayed)) => {
                    if replayed > 0 && reason.is_none() {
                        recount(&library)?;
                    }
                    self.report.replayed = replayed;
                    let reason = reason.or((from == 0).then_some(Rebuilt::Missing));
                    self.report.rebuilt = reason.filter(|_| library.journal.next_sequence() > 1);
                    return Ok(library);
                }
                Ok(Err(fault)) => {
                    self.report.damage.push(repair(&library.journal, &fault)?);
                    self.renew()?;
                    reason = Some(Rebuilt::Asked);
                }
                Err(StoreError::Index(_) | StoreError::Damaged { .. }) if reason.is_none() => {
                    reason = Some(Rebuilt::Damaged);
                }
                Err(error) => return Err(error),
            }
            (journal, sealer) = (library.journal, Some(library.sealer));
        }
    }

    /// What speaks against the index before it is opened.
    fn distrust(&self, stopped: bool) -> Result<Option<Rebuilt>> {
        if !self.dir.join(INDEX_DIR).exists() {
            return Ok(Some(Rebuilt::Missing));
        }
        let mark = self.dir.join(REBUILD_MARK);
        if mark.try_exists().doing("read", &mark)? {
            return Ok(Some(if fs::read(&mark).is_ok_and(|why| why == b"asked") {
                Rebuilt::Asked
            } else {
                Rebuilt::Damaged
            }));
        }
        Ok(stopped.then_some(Rebuilt::UncleanStop))
    }

    /// Removes the index, or keeps it beside if it may tell somebody what went wrong.
    fn set_aside(&self, reason: Rebuilt) -> Result<()> {
        let index = self.dir.join(INDEX_DIR);
        if index.exists() {
            if reason == Rebuilt::Damaged {
                let aside =
                    (1..=u32::MAX).map(|n| self.dir.join(format!("{INDEX_DIR}.damaged-{n}"))).find(|p| !p.exists());
                let aside = aside.expect("numbers do not run out");
                fs::rename(&index, &aside).doing("rename", &index)?;
                tracing::error!(aside = %aside.display(), "the index is damaged and is built anew");
            } else {
                fs::remove_dir_all(&index).doing("remove", &index)?;
            }
        }
        let mark = self.dir.join(REBUILD_MARK);
        if mark.exists() {
            fs::remove_file(&mark).doing("remove", &mark)?;
        }
        Ok(())
    }

    /// The index and the sequence from which it has to take in the journal; else `Err(Ok(why it must go))`.
    fn index(&self, journal: &Journal) -> std::result::Result<(Index, u64), Result<Rebuilt>> {
        let opened = Index::open(&self.dir.join(INDEX_DIR), &self.keys.index, self.options.cache_bytes);
        let index = match opened {
            Ok(index) => index,
            Err(StoreError::Index(IndexFault::Io(kind))) if is_of_the_disk(kind) => {
                return Err(Err(StoreError::Index(IndexFault::Io(kind))));
            }
            Err(StoreError::Index(_)) => return Err(Ok(Rebuilt::Damaged)),
            Err(error) => return Err(Err(error)),
        };
        match index.value::<Checkpoint>(CHECKPOINT) {
            Ok(Some(at)) if !self.fits(&at, &index, journal) => Err(Ok(Rebuilt::Foreign)),
            Ok(Some(at)) => Ok((index, at.next)),
            Ok(None) if index.last(b"").is_ok_and(|key| key.is_some()) => Err(Ok(Rebuilt::Damaged)),
            Ok(None) => Ok((index, 0)),
            Err(_) => Err(Ok(Rebuilt::Damaged)),
        }
    }

    fn fits(&self, at: &Checkpoint, index: &Index, journal: &Journal) -> bool {
        at.incarnation == self.layout.incarnation
            && at.key_check == index.names.key_check()
            && at.next <= journal.next_sequence()
            && journal.newest_rewritten(true) <= at.rewritten
    }

    fn renew(&mut self) -> Result<()> {
        *self.layout = self.layout.renewed()?;
        self.layout.store(self.options.disk.as_ref(), self.dir)
    }

    fn take_in(&mut self, library: &Library, from: u64) -> Result<std::result::Result<u64, Fault>> {
        remember(library)?;
        let step = if from == 0 { Step::Rebuild } else { Step::Replay };
        replay(library, from, step, self.progress)
    }
}

/// Takes the journal into the index from this sequence on; says how many frames that were.
pub(super) fn replay(
    library: &Library,
    from: u64,
    step: Step,
    progress: &mut dyn FnMut(Progress),
) -> Result<std::result::Result<u64, Fault>> {
    const TELL_EVERY: u64 = 4 << 20;
    let (mut frames, mut done, mut told, total) = (0, 0, 0, library.journal.bytes());
    let scanned = library.journal.scan(from, &mut |head, position, payload| {
        let unreadable =
            || StoreError::Damaged { file: library.journal.path(position.segment), offset: position.offset.into() };
        let fact = decode(&library.sealer, head.kind, payload).ok_or_else(unreadable)?;
        library.apply(&fact, Placed { position, sequence: head.sequence })?;
        frames += 1;
        done += head.frame_length();
        if done - told >= TELL_EVERY {
            told = done;
            progress(Progress { step, done, total });
        }
        Ok(())
    })?;
    Ok(scanned.map(|()| frames))
}

/// Salvages a segment, or closes the hole that a missing one left.
fn repair(journal: &Journal, fault: &Fault) -> Result<Damage> {
    match *fault {
        Fault::At(segment) => journal.salvage(segment),
        Fault::Missing { from, to } => {
            let placeholder = journal.rewrite(0, from, to, false)?.finish()?;
            let file = placeholder.path.clone();
            Ok(Damage { file, offset: 0, bytes: 0, sequences: from..to, resupply: Vec::new() })
        }
    }
}

/// Faults that a new index would meet as well.
fn is_of_the_disk(kind: std::io::ErrorKind) -> bool {
    use std::io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(kind, PermissionDenied | QuotaExceeded | ReadOnlyFilesystem | StorageFull)
}

/// Fills the memory from the index as it is.
fn remember(library: &Library) -> Result<()> {
    let index = &library.index;
    let lies = || index.fail(IndexFault::Lies);
    library.memory().counts = index.value::<Counts>(COUNTS)?.unwrap_or_default();
    for (key, value) in index.scan(b"G", None, usize::MAX)? {
        let tag = *key[1..].first_chunk().ok_or_else(lies)?;
        let next = u64::decode(&value).ok_or_else(lies)?;
        let at = match next.checked_sub(1) {
            Some(last) => index.value::<EntryPlace>(&e(tag, last))?,
            None => index.scan(&e_prefix(tag), None, 1)?.pop().and_then(|(_, place)| EntryPlace::decode(&place)),
        };
        let (_, payload) = library.frame_at(at.ok_or_else(lies)?.header)?;
        let (log, seq, hash, _) = read_entry(&payload).ok_or_else(lies)?;
        if index.names.log(&log) != tag || next.checked_sub(1).is_some_and(|last| last != seq) {
            return Err(lies());
        }
        library.memory().heads.insert(log, None);
        if next > 0 {
            library.advance(&log, tag, Head { seq, hash })?;
        }
    }
    for (_, value) in index.scan(b"P", None, usize::MAX)? {
        let held = HeldPlace::decode(&value).ok_or_else(lies)?;
        let author = library.record_at(&held.place)?.id.log.author;
        let mut memory = library.memory();
        let size = memory.quarantine.entry(author).or_default();
        size.records += 1;
        size.bytes += u64::from(held.bytes);
    }
    if index.last(b"X")?.is_some() {
        let counts = &mut library.memory().counts;
        counts.retracted = counts.retracted.max(1);
    }
    Ok(())
}

/// Counts anew: after a crash the index may have been ahead of the counts.
fn recount(library: &Library) -> Result<()> {
    let count = |space: &[u8]| library.index.count(space);
    let (entries, objects, records) = (count(b"E")?, count(b"O")?, count(b"R")?);
    let (quarantined, retracted) = (count(b"P")?, count(b"X")?);
    library.memory().counts = Counts { entries, objects, records, quarantined, retracted, journal_bytes: 0 };
    Ok(())
}
