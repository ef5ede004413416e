//! What goes into the store and what comes out of it.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use entente_protocol::id::{AgencyId, Hash, LogId, ReportId};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::disk::{Disk, RealDisk};
use super::error::StoreError;

/// The keys of a store; both stay on this machine.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct StoreKeys {
    /// HMAC-SHA-256 key under which the index names things.
    pub index: [u8; 32],
    /// XChaCha20-Poly1305 key that seals records and local values.
    pub records: [u8; 32],
}

/// What an operator may tune.
#[derive(Clone)]
pub struct Options {
    /// Bytes after which a journal begins a new segment; at most 1 GiB.
    pub segment_bytes: u64,
    /// Bytes of memory that the index may use as cache.
    pub cache_bytes: u64,
    /// Bytes of journal after which the index is made durable: what a crash makes the next start replay.
    pub checkpoint_bytes: u64,
    /// Milliseconds to wait for the lock of a process that is just ending.
    pub lock_wait_ms: u64,
    /// The file system under the journals.
    pub disk: Arc<dyn Disk>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            segment_bytes: 64 << 20,
            cache_bytes: 256 << 20,
            checkpoint_bytes: 64 << 20,
            lock_wait_ms: 5_000,
            disk: Arc::new(RealDisk),
        }
    }
}

/// One part of a commit.
#[derive(Clone, Debug)]
pub enum Item {
    /// A stand-alone signed object; one that is held already is passed over.
    Object {
        /// The agreement it belongs to, or a fixed id for what belongs to the whole node.
        scope: Hash,
        /// What it is, in the caller's numbering.
        kind: u8,
        /// Its hash.
        hash: Hash,
        /// The exact bytes.
        bytes: Vec<u8>,
    },
    /// An entry; one that is held already only adds what was missing.
    Entry {
        /// Its log.
        log: LogId,
        /// Its position, from 0.
        seq: u64,
        /// Hash of its header.
        hash: Hash,
        /// The exact header.
        header: Vec<u8>,
        /// The exact body, if it came along.
        body: Option<Vec<u8>>,
        /// Its statements, sealed for local reading.
        records: Vec<Record>,
    },
    /// A body that came later than its entry, or a remnant that takes its place.
    Body {
        /// The log of the entry.
        log: LogId,
        /// The position of the entry.
        seq: u64,
        /// The exact body or remnant.
        body: Vec<u8>,
        /// Its statements.
        records: Vec<Record>,
    },
    /// A record whose state changed, or that was made later.
    Record(Record),
    /// A retraction: every record of the report up to this revision goes, and none comes back.
    EraseReport {
        /// Whose report.
        originator: AgencyId,
        /// Which report.
        report: ReportId,
        /// The last revision that goes.
        up_to_revision: u32,
    },
    /// Retention: the body of an entry goes, its header stays. Its records go by [`Item::EraseRecord`].
    EraseBody {
        /// The log of the entry.
        log: LogId,
        /// The position of the entry.
        seq: u64,
    },
    /// Retention, or a full quarantine: a record goes, and older revisions of it under the same agreement.
    EraseRecord(RecordId),
    /// An object that a later one made useless goes.
    DropObject {
        /// Its hash.
        hash: Hash,
    },
    /// A value of this node alone; `None` removes it.
    Local {
        /// Its name.
        key: Vec<u8>,
        /// Its content.
        value: Option<Vec<u8>>,
    },
}

/// Which record.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct RecordId {
    /// Whose report.
    pub originator: AgencyId,
    /// Which report.
    pub report: ReportId,
    /// Which revision of it.
    pub revision: u32,
    /// The log it came in, which names the agreement.
    pub log: LogId,
    /// The entry it came in.
    pub seq: u64,
    /// Its place in the entry.
    pub leaf: u32,
}

/// One statement, for local reading.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    /// Which record.
    pub id: RecordId,
    /// What a lookup finds it by; empty if it cannot be looked up. At most 65,535 bytes.
    pub indicator: Vec<u8>,
    /// When it arrived, in milliseconds since the Unix epoch.
    pub received: u64,
    /// Whether it may be used.
    pub state: RecordState,
    /// The plaintext, as the caller encodes it.
    pub statement: Vec<u8>,
}

/// Whether a record may be used. Admission is final but for erasure: a later other state does not undo it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum RecordState {
    /// The agreement permits it.
    Admitted,
    /// The agreement forbids it.
    Quarantined {
        /// Why, in the caller's numbering.
        reason: u16,
    },
    /// It cannot be judged yet.
    Held {
        /// Why, in the caller's numbering.
        reason: u16,
    },
}

/// The last entry of the unbroken run of a log that begins at entry 0.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Head {
    /// Its position.
    pub seq: u64,
    /// Its hash.
    pub hash: Hash,
}

/// Entries that are missing from a log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Gap {
    /// The log.
    pub log: LogId,
    /// The positions.
    pub seqs: Range<u64>,
}

/// An entry as it came.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredEntry {
    /// Its log.
    pub log: LogId,
    /// Its position.
    pub seq: u64,
    /// Hash of its header.
    pub hash: Hash,
    /// The exact header.
    pub header: Vec<u8>,
    /// The exact body or remnant, unless it is missing or was erased.
    pub body: Option<Vec<u8>>,
}

/// A stand-alone object as it came.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredObject {
    /// Its position in the feed of its scope.
    pub position: u64,
    /// What it belongs to.
    pub scope: Hash,
    /// What it is.
    pub kind: u8,
    /// Its hash.
    pub hash: Hash,
    /// The exact bytes.
    pub bytes: Vec<u8>,
}

/// A place to go on from in a list; means nothing outside the store.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Cursor(pub Vec<u8>);

impl Cursor {
    /// Whether this place in a list of reports is of the same report as another: it has one for each agreement.
    pub fn is_of_same_report(&self, other: &[u8]) -> bool {
        const REPORT: usize = 1 + size_of::<super::keys::ReportTag>();
        self.0.len() > REPORT && self.0.get(..REPORT) == other.get(..REPORT)
    }
}

/// What is in quarantine or held of one author.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct QuarantineSize {
    /// Records.
    pub records: u64,
    /// Bytes of their statements.
    pub bytes: u64,
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Entries.
    pub entries: u64,
    /// Stand-alone objects.
    pub objects: u64,
    /// Admitted records: one for each originator, report and agreement.
    pub records: u64,
    /// Records held or in quarantine.
    pub quarantined: u64,
    /// Reports that were retracted.
    pub retracted: u64,
    /// Bytes of the federation journal.
    pub journal_bytes: u64,
}

/// Whether the store takes commits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Health {
    /// It does.
    Ok,
    /// It takes no commits until it is opened again.
    Failed {
        /// The first error.
        because: StoreError,
    },
}

/// What opening met.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct OpenReport {
    /// Tails that were never acknowledged, and were cut.
    pub torn: Vec<Torn>,
    /// Acknowledged data that no longer reads.
    pub damage: Vec<Damage>,
    /// Why the index was built anew, if it was.
    pub rebuilt: Option<Rebuilt>,
    /// Frames that the index had not seen.
    pub replayed: u64,
}

/// A tail that was cut.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Torn {
    /// The journal file.
    pub file: PathBuf,
    /// Where it was cut.
    pub offset: u64,
    /// How many bytes went.
    pub bytes: u64,
}

/// Acknowledged data that no longer reads. What surrounds it was saved; the store works on without it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Damage {
    /// The damaged file, kept aside.
    pub file: PathBuf,
    /// The first byte that does not read.
    pub offset: u64,
    /// From there to the last such byte.
    pub bytes: u64,
    /// The frames of the journal that were lost; a few between them may have been saved.
    pub sequences: Range<u64>,
    /// What partners can give again: entries known to be missing. Besides these, the newest entries of a log, and
    /// stand-alone objects, may be missing; comparing heads and feeds with partners brings them back, because heads
    /// fall back to what is held, and the feeds' incarnation changes.
    pub resupply: Vec<Gap>,
}

/// Why the index was built anew.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rebuilt {
    /// There was none.
    Missing,
    /// The machine stopped while it was open.
    UncleanStop,
    /// It did not work, or pointed to the wrong places; it lies beside the new one.
    Damaged,
    /// It was of another store, of other keys, or ahead of the journal.
    Foreign,
    /// A journal was damaged, or the operator asked for it.
    Asked,
}

/// How far a long operation has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Progress {
    /// What is being done.
    pub step: Step,
    /// Bytes done, of a federation journal.
    pub done: u64,
    /// Bytes there are.
    pub total: u64,
}

/// A long operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// The index is built anew from the journal.
    Rebuild,
    /// The index takes in what it had not seen.
    Replay,
    /// Segments are rewritten without what was erased.
    Compact,
    /// Every frame is read and checked.
    Check,
}
