//! The index: sled behind a guard; no other file names it.
//!
//! sled 0.34 is fast and compact enough, and trusted with nothing: its flush is no fsync, it may panic on a damaged
//! file, and it may open empty without a word. So every call is guarded, the first fault ends the index until it
//! is built anew, and its checkpoint counts only after its file was synced by ourselves. Writes are single inserts:
//! readers wait behind its batches.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use super::disk::make_dir;
use super::error::{Doing, IndexFault, Result, StoreError};
use super::keys::{CHECKPOINT, COUNTS, Checkpoint, Names, Value};
use super::types::Counts;

/// A mark beside the index: build it anew at the next open.
pub(super) const REBUILD_MARK: &str = "index.rebuild";

/// How often to ask for sled's own lock, 50 ms apart: its threads may outlive its handle a little.
const LOCK_TRIES: u32 = 60;

/// See the module.
pub(super) struct Index {
    db: sled::Db,
    dir: PathBuf,
    fault: OnceLock<IndexFault>,
    /// How many changes are left until the process is as good as dead.
    #[cfg(test)]
    pub(super) fuse: std::sync::atomic::AtomicU64,
    /// Makes its keys.
    pub(super) names: Names,
}

impl Index {
    /// Opens or begins the index in this directory.
    pub(super) fn open(dir: &Path, key: &[u8; 32], cache_bytes: u64) -> Result<Index> {
        make_dir(dir).doing("create", dir)?;
        let config =
            sled::Config::new().path(dir).cache_capacity(cache_bytes).use_compression(false).flush_every_ms(None);
        let mut tries = 0;
        let db = loop {
            tries += 1;
            match catch_unwind(AssertUnwindSafe(|| config.open())) {
                Ok(Ok(db)) => break db,
                Ok(Err(sled::Error::Io(error))) if error.kind() == io::ErrorKind::Other && tries < LOCK_TRIES => {
                    thread::sleep(Duration::from_millis(50));
                }
                Ok(Err(error)) => return Err(StoreError::Index(fault_of(&error))),
                Err(_) => return Err(StoreError::Index(IndexFault::Panicked)),
            }
        };
        let index = Index {
            db,
            dir: dir.to_path_buf(),
            fault: OnceLock::new(),
            #[cfg(test)]
            fuse: u64::MAX.into(),
            names: Names::new(key),
        };
        index.keep_private()?;
        Ok(index)
    }

    /// The value under a key.
    pub(super) fn value<T: Value>(&self, key: &[u8]) -> Result<Option<T>> {
        let found = self.guard(|| self.db.get(key))?;
        found.map(|bytes| T::decode(&bytes).ok_or_else(|| self.fail(IndexFault::Lies))).transpose()
    }

    /// Whether the key has exactly this value.
    pub(super) fn holds(&self, key: &[u8], value: &[u8]) -> Result<bool> {
        Ok(self.guard(|| self.db.get(key))?.is_some_and(|held| held == value))
    }

    /// Sets a value; says whether the key is new.
    pub(super) fn insert(&self, key: &[u8], value: &[u8]) -> Result<bool> {
        #[cfg(test)]
        self.burn()?;
        Ok(self.guard(|| self.db.insert(key, value))?.is_none())
    }

    /// Removes a key; says whether it was there.
    pub(super) fn remove(&self, key: &[u8]) -> Result<bool> {
        #[cfg(test)]
        self.burn()?;
        Ok(self.guard(|| self.db.remove(key))?.is_some())
    }

    /// Fails from the change on that a test has chosen, as if the process had died before it.
    #[cfg(test)]
    fn burn(&self) -> Result<()> {
        use std::sync::atomic::Ordering::SeqCst;
        let left = self.fuse.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        left.map(drop).map_err(|_| StoreError::Index(IndexFault::Io(io::ErrorKind::Interrupted)))
    }

    /// Up to `limit` pairs whose keys begin with `prefix`, after the key `after`, in order.
    pub(super) fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        self.guard(|| {
            let from = after.filter(|after| *after >= prefix).unwrap_or(prefix);
            let pairs = self.db.range(from..).filter(|pair| !matches!((pair, after), (Ok((k, _)), Some(a)) if k == a));
            let within = pairs.take_while(|pair| pair.as_ref().map_or(true, |(key, _)| key.starts_with(prefix)));
            within.take(limit).map(|pair| pair.map(|(k, v)| (k.to_vec(), v.to_vec()))).collect()
        })
    }

    /// How many keys begin with `prefix`.
    pub(super) fn count(&self, prefix: &[u8]) -> Result<u64> {
        self.guard(|| self.db.scan_prefix(prefix).try_fold(0, |count, pair| pair.map(|_| count + 1)))
    }

    /// The last key that begins with `prefix`.
    pub(super) fn last(&self, prefix: &[u8]) -> Result<Option<Vec<u8>>> {
        let pair = self.guard(|| self.db.scan_prefix(prefix).next_back().transpose())?;
        Ok(pair.map(|(key, _)| key.to_vec()))
    }

    /// Makes the index durable up to this checkpoint. The journal must be durable as far already.
    pub(super) fn checkpoint(&self, checkpoint: &Checkpoint, counts: &Counts) -> Result<()> {
        self.insert(COUNTS, &counts.encode())?;
        self.sync()?;
        self.insert(CHECKPOINT, &checkpoint.encode())?;
        self.sync()?;
        self.keep_private()
    }

    /// Notes a fault, and has the index built anew at the next open.
    pub(super) fn fail(&self, fault: IndexFault) -> StoreError {
        if self.fault.set(fault.clone()).is_ok() {
            tracing::error!(%fault, "the index failed; it is built anew at the next start");
            mark_for_rebuild(&self.dir);
        }
        StoreError::Index(fault)
    }

    fn sync(&self) -> Result<()> {
        self.guard(|| self.db.flush())?;
        let synced = File::open(self.dir.join("db")).and_then(|db| db.sync_all());
        synced.and_then(|()| File::open(&self.dir)?.sync_all()).map_err(|e| self.fail(IndexFault::Io(e.kind())))
    }

    /// sled makes its files by the process's umask; they are ours alone.
    fn keep_private(&self) -> Result<()> {
        for entry in fs::read_dir(&self.dir).doing("read", &self.dir)? {
            let path = entry.doing("read", &self.dir)?.path();
            let mode = if path.is_dir() { 0o700 } else { 0o600 };
            match fs::set_permissions(&path, Permissions::from_mode(mode)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(StoreError::io("protect", &path, &error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn guard<T>(&self, call: impl FnOnce() -> sled::Result<T>) -> Result<T> {
        if let Some(fault) = self.fault.get() {
            return Err(StoreError::Index(fault.clone()));
        }
        match catch_unwind(AssertUnwindSafe(call)) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.fail(fault_of(&error))),
            Err(_) => Err(self.fail(IndexFault::Panicked)),
        }
    }
}

/// Has the index in this directory built anew at the next open; a full disk may prevent it, and the unclean stop
/// that follows then does the same.
pub(super) fn mark_for_rebuild(index: &Path) {
    if let Err(error) = fs::write(index.with_file_name(REBUILD_MARK), b"") {
        tracing::warn!(%error, "cannot mark the index to be built anew");
    }
}

fn fault_of(error: &sled::Error) -> IndexFault {
    match error {
        sled::Error::Io(error) => IndexFault::Io(error.kind()),
        _ => IndexFault::Corrupt,
    }
}
