//! What can go wrong in the store, by whose fault it is; every error compares equal to its like.

use std::io;
use std::path::{Path, PathBuf};

use entente_protocol::id::{Hash, LogId};

/// Why the store did not do what it was asked.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the data directory.
    #[error("another node has {} open", .dir.display())]
    Locked {
        /// The data directory.
        dir: PathBuf,
    },
    /// A later version of the software wrote this store.
    #[error("the store has layout {found}, this program knows layouts up to {known}")]
    Future {
        /// The layout of the store.
        found: u32,
        /// The latest layout this program knows.
        known: u32,
    },
    /// An earlier version of the software wrote this store, which would find less in it than it holds.
    #[error("the store has layout {found}, this program reads layout {known}")]
    Past {
        /// The layout of the store.
        found: u32,
        /// The layout this program reads.
        known: u32,
    },
    /// A file that says how the store is laid out does not read as one.
    #[error("{} is not a file of this store", .file.display())]
    Foreign {
        /// The file.
        file: PathBuf,
    },
    /// The keys are not those the store was made with.
    #[error("the storage keys are not those of this store")]
    WrongKeys,
    /// The operating system refused.
    #[error("cannot {doing} {}: {kind}", .path.display())]
    Io {
        /// What was tried, as a verb.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said; `StorageFull` and `ReadOnlyFilesystem` are the ones to expect.
        kind: io::ErrorKind,
    },
    /// An earlier error ended this handle; opening the store again recovers.
    #[error("the store stopped after an error: {because}")]
    Failed {
        /// The first error.
        because: Box<StoreError>,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// The index does not work; nothing is lost, and the next open builds it anew.
    #[error("the index does not work and is built anew at the next start: {0}")]
    Index(IndexFault),
    /// A journal does not read at this place; the next open salvages what surrounds it.
    #[error("{} is damaged at byte {offset}", .file.display())]
    Damaged {
        /// The journal file.
        file: PathBuf,
        /// Where in the file, in bytes.
        offset: u64,
    },
    /// Another entry stands at this position of the log.
    #[error("entry {seq} of this log is held with hash {held}")]
    Conflict {
        /// The log.
        log: Box<LogId>,
        /// The position.
        seq: u64,
        /// The hash of the entry held.
        held: Hash,
    },
    /// A body came for an entry that is not held.
    #[error("entry {seq} of this log is not held")]
    NoEntry {
        /// The log.
        log: Box<LogId>,
        /// The position.
        seq: u64,
    },
    /// An item, or a whole commit, is larger than the journal takes.
    #[error("{bytes} bytes are more than the {limit} bytes that one write may hold")]
    TooLarge {
        /// The size, in bytes.
        bytes: u64,
        /// The bound, in bytes.
        limit: u64,
    },
    /// The operating system gave no randomness.
    #[error("the operating system gives no randomness")]
    NoRandomness,
}

/// How the index failed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum IndexFault {
    /// The engine panicked.
    #[error("its engine panicked")]
    Panicked,
    /// The engine found its file damaged, or met a fault of its own.
    #[error("its file is damaged")]
    Corrupt,
    /// The engine could not read or write its file.
    #[error("its file cannot be read or written: {0}")]
    Io(io::ErrorKind),
    /// It points to something else than it says.
    #[error("it points to the wrong place")]
    Lies,
}

/// The result of the store's operations.
pub type Result<T> = std::result::Result<T, StoreError>;

impl StoreError {
    /// Wraps what the operating system said.
    pub(super) fn io(doing: &'static str, path: &Path, error: &io::Error) -> Self {
        StoreError::Io { doing, path: path.to_path_buf(), kind: error.kind() }
    }
}

/// Names the deed and the file of an [`io::Error`].
pub(super) trait Doing<T> {
    /// Turns the error into a [`StoreError::Io`].
    fn doing(self, verb: &'static str, path: &Path) -> Result<T>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, verb: &'static str, path: &Path) -> Result<T> {
        self.map_err(|error| StoreError::io(verb, path, &error))
    }
}
