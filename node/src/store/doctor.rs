//! The doctor: reads every frame of a closed store, and compares the index with one built from nothing.

use std::path::Path;
use std::sync::{Arc, RwLock};

use super::apply::Library;
use super::error::{Doing, Result, StoreError};
use super::index::{Index, REBUILD_MARK, mark_for_rebuild};
use super::journal::Journal;
use super::keys::{CHECKPOINT, COUNTS};
use super::open::{FEDERATION, LOCAL, replay};
use super::seal::Sealer;
use super::segment::{Segment, Stride, Walk, file_name};
use super::types::{Damage, OpenReport, Options, Progress, Step, StoreKeys};
use super::{FEDERATION_DIR, INDEX_DIR, LOCAL_DIR, Store, layout};

/// Where the doctor builds an index to compare with.
const TRIAL_DIR: &str = "index.trial";

/// Pairs compared at a time.
const PAGE: usize = 4096;

/// What the doctor found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Diagnosis {
    /// Frames that read as they were written.
    pub frames: u64,
    /// Places that do not read; nothing was changed. Opening the store salvages what surrounds them.
    pub unsound: Vec<StoreError>,
    /// Pairs of the index that are missing, too many or wrong; 0 if the journals are unsound.
    pub index_differences: u64,
    /// What opening the store met, which it does only if the journals are sound.
    pub opened: Option<OpenReport>,
}

impl Diagnosis {
    /// Whether all is as it should be.
    pub fn is_sound(&self) -> bool {
        let damage: &[Damage] = self.opened.as_ref().map_or(&[], |report| &report.damage);
        self.unsound.is_empty() && damage.is_empty() && self.index_differences == 0
    }
}

/// Examines the store in this directory, which must not be open; with `rebuild`, builds its index anew first.
pub fn doctor(
    dir: &Path,
    keys: &StoreKeys,
    options: &Options,
    rebuild: bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<Diagnosis> {
    let mut diagnosis = Diagnosis::default();
    let lock = layout::lock(dir, options.lock_wait_ms)?;
    for (name, id) in [(FEDERATION_DIR, FEDERATION), (LOCAL_DIR, LOCAL)] {
        check_journal(options, &dir.join(name), id, &mut diagnosis, progress)?;
    }
    if !diagnosis.unsound.is_empty() {
        return Ok(diagnosis);
    }
    if rebuild {
        let mark = dir.join(REBUILD_MARK);
        std::fs::write(&mark, b"asked").doing("write", &mark)?;
    }
    drop(lock);
    let store = Store::open(dir, keys, options.clone(), progress)?;
    diagnosis.opened = Some(store.open_report().clone());
    store.close()?;
    drop(store);
    diagnosis.index_differences = compare(dir, keys, options, progress)?;
    if diagnosis.index_differences > 0 {
        mark_for_rebuild(&dir.join(INDEX_DIR));
    }
    Ok(diagnosis)
}

/// Reads every frame: its CRC, its place in the sequence, the marks of its commit.
fn check_journal(
    options: &Options,
    dir: &Path,
    id: u8,
    diagnosis: &mut Diagnosis,
    progress: &mut dyn FnMut(Progress),
) -> Result<()> {
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(dir).doing("read", dir)? {
        let path = entry.doing("read", dir)?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<u32>().ok());
        numbers.extend(number.filter(|_| path.extension().is_some_and(|extension| extension == "seg")));
    }
    let total = numbers.len() as u64;
    for (done, number) in (1..).zip(numbers) {
        let (segment, sound) = Segment::open(options.disk.as_ref(), &dir.join(file_name(number)), id, number)?;
        if !sound {
            diagnosis.unsound.push(segment.damaged(0));
        }
        let mut walk = Walk::new(&segment)?;
        loop {
            match walk.next()? {
                Stride::Frame(..) => diagnosis.frames += 1,
                Stride::End => break,
                Stride::Fault(offset) => {
                    diagnosis.unsound.push(segment.damaged(offset));
                    let Some((offset, head)) = walk.resync()? else { break };
                    walk.skip_to(offset, &head);
                }
            }
        }
        progress(Progress { step: Step::Check, done, total });
    }
    Ok(())
}

/// Builds an index from nothing beside the one there is, and counts the pairs in which they differ.
fn compare(dir: &Path, keys: &StoreKeys, options: &Options, progress: &mut dyn FnMut(Progress)) -> Result<u64> {
    let _lock = layout::lock(dir, options.lock_wait_ms)?;
    let trial_dir = dir.join(TRIAL_DIR);
    if trial_dir.exists() {
        std::fs::remove_dir_all(&trial_dir).doing("remove", &trial_dir)?;
    }
    let disk = Arc::clone(&options.disk);
    let (journal, _) = Journal::open(disk, &dir.join(FEDERATION_DIR), FEDERATION, options.segment_bytes)?;
    let trial = Library {
        journal,
        index: Index::open(&trial_dir, &keys.index, options.cache_bytes)?,
        sealer: Sealer::new(&keys.records),
        memory: RwLock::default(),
    };
    if replay(&trial, 1, Step::Check, progress)?.is_err() {
        return Ok(0);
    }
    let index = Index::open(&dir.join(INDEX_DIR), &keys.index, options.cache_bytes)?;
    let differences = missing_in(&trial.index, &index)? + missing_in(&index, &trial.index)?;
    drop(trial);
    std::fs::remove_dir_all(&trial_dir).doing("remove", &trial_dir)?;
    Ok(differences)
}

/// How many pairs of the one are not in the other as they are here.
fn missing_in(one: &Index, other: &Index) -> Result<u64> {
    let (mut missing, mut after): (u64, Option<Vec<u8>>) = (0, None);
    loop {
        let pairs = one.scan(b"", after.as_deref(), PAGE)?;
        let Some((last, _)) = pairs.last() else { return Ok(missing) };
        after = Some(last.clone());
        for (key, value) in pairs.iter().filter(|(key, _)| key != CHECKPOINT && key != COUNTS) {
            missing += u64::from(!other.holds(key, value)?);
        }
    }
}
