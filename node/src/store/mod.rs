//! The store of the node: append-only, fsynced journals are the truth, and an index over them can be built anew.
//!
//! ```text
//! commit ──> federation journal ──fsync──> index ──> visible      lookup ──> index ──> journal, one record
//!        └─> local journal ──────fsync──> map in memory ──> visible
//! ```
//!
//! It knows bytes, hashes and ids, and not what they mean: whoever commits has verified. It reads no clock.
//!
//! In reading order: `types`, `error`; `disk`, `frame`, `segment`, `salvage`, `journal` (durable bytes); `seal`, `payload` (what
//! frames mean); `keys`, `index`, `apply` (finding them again); `local`; `commit`, `read`, `compact`, `open`, `layout`,
//! `doctor` (the use-cases).
//!
//! Nothing in clear leaves memory: signed objects come encrypted where it matters, records and local values are
//! sealed under the records key, and the index holds HMACs and positions.

mod apply;
mod commit;
mod compact;
#[cfg(test)]
mod crash;
mod disk;
mod doctor;
mod error;
mod frame;
mod index;
mod journal;
mod keys;
mod layout;
mod local;
mod open;
mod payload;
mod read;
mod salvage;
mod seal;
mod segment;
mod types;

use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError, RwLock};

pub use disk::{Disk, DiskFile, RealDisk};
pub use doctor::{Diagnosis, doctor};
pub use error::{IndexFault, Result, StoreError};
pub use types::{
    Counts, Cursor, Damage, Gap, Head, Health, Item, OpenReport, Options, Progress, QuarantineSize, Rebuilt, Record,
    RecordId, RecordState, Step, StoreKeys, StoredEntry, StoredObject, Torn,
};

const FEDERATION_DIR: &str = "federation";
const LOCAL_DIR: &str = "local";
const INDEX_DIR: &str = "index";

/// An open store; share it by [`std::sync::Arc`]. One writer at a time, and readers wait for none.
pub struct Store {
    dir: PathBuf,
    options: Options,
    library: apply::Library,
    local: local::Local,
    writer: commit::Writer,
    compaction: Mutex<()>,
    /// Segments from before this start that compaction has not looked through.
    unlooked: Mutex<Vec<u32>>,
    layout: RwLock<layout::Layout>,
    failed: OnceLock<StoreError>,
    closed: AtomicBool,
    report: OpenReport,
    _lock: File,
}

impl Store {
    /// What opening met.
    pub fn open_report(&self) -> &OpenReport {
        &self.report
    }

    /// Random, and another one once the journal no longer is what it was: positions in feeds hold only within one.
    pub fn incarnation(&self) -> [u8; 16] {
        self.layout.read().unwrap_or_else(PoisonError::into_inner).incarnation
    }

    /// Takes a new incarnation: after the directory was restored from a backup.
    pub fn renew_incarnation(&self) -> Result<()> {
        self.usable()?;
        let mut turn = self.turn()?;
        let renewed = self.layout.read().unwrap_or_else(PoisonError::into_inner).renewed()?;
        renewed.store(self.options.disk.as_ref(), &self.dir).map_err(|error| self.failed_by(error))?;
        *self.layout.write().unwrap_or_else(PoisonError::into_inner) = renewed;
        self.checkpoint(&mut turn).map_err(|error| self.failed_by(error))
    }

    /// Whether the store takes commits.
    pub fn health(&self) -> Health {
        self.failed.get().map_or(Health::Ok, |because| Health::Failed { because: because.clone() })
    }

    /// Makes the index durable, so that the next open replays nothing, and takes no commits any more. The directory
    /// is free for others once the last handle is dropped.
    pub fn close(&self) -> Result<()> {
        let mut turn = self.turn()?;
        self.usable()?;
        self.checkpoint(&mut turn).map_err(|error| self.failed_by(error))?;
        self.closed.store(true, Ordering::SeqCst);
        layout::mark_closed(self.options.disk.as_ref(), &self.dir)
    }

    /// Whether commits may still be taken.
    fn usable(&self) -> Result<()> {
        if let Some(because) = self.failed.get() {
            return Err(StoreError::Failed { because: Box::new(because.clone()) });
        }
        if self.closed.load(Ordering::SeqCst) { Err(StoreError::Closed) } else { Ok(()) }
    }

    /// Ends this handle's commits by this error.
    fn failed_by(&self, error: StoreError) -> StoreError {
        if self.failed.set(error.clone()).is_ok() {
            tracing::error!(%error, "the store takes no commits until it is opened again");
        }
        error
    }
}
