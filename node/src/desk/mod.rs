//! The desk: the use-cases. What a person at the desk can do, and what arriving entries cause.
//!
//! The local API, the console and the network all go through it. It is synchronous: adapters call it from a blocking
//! thread. Lookups share a snapshot and the store's own reads, and never wait for a writer; whoever changes something
//! takes the one writer's turn.
//!
//! In reading order: `error`, `book` (who and what is known), `scope` (where objects lie), `ledger` (the state of logs
//! and keys behind the writer's lock), `outbox`, `load` (all of that at start); then the use-cases: `cards`,
//! `agreements`, `reports`, `imports`, `benign`, `retractions`, `release` (down the ladder); `arrive`, `climb`, `unsealed` (up the ladder),
//! `stage`; `objects`, `learning` (stand-alone objects), `keys`, `receipts`, `serve` (what partners ask for), `lookup`,
//! `held`, `overview`; `signals` tells the federation task what changed.

mod access;
mod agreements;
mod arrive;
mod benign;
mod book;
mod bundles;
mod cards;
mod climb;
mod error;
mod foresight;
mod held;
mod imports;
mod keys;
mod learning;
mod ledger;
mod load;
mod lookup;
mod objects;
mod outbox;
mod overview;
mod proposals;
mod receipts;
mod release;
mod reports;
mod retention;
mod retractions;
pub mod scope;
mod serve;
mod signals;
mod stage;
mod unsealed;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use entente_protocol::crypto::sign::SigningKey;
use entente_protocol::crypto::wrap::EncryptionSecret;
use entente_protocol::entry::publish::Author;
use entente_protocol::id::{AgencyId, Mode};
use entente_protocol::time::Time;

pub use agreements::{AgreementView, Answered, PartyAnswer, PartyView};
pub use arrive::{Arrival, GossipJudgement};
pub use benign::{BenignEntry, BenignList, BenignPart};
pub use book::{Book, Trust};
pub use bundles::{BundlePage, PartTaken, Place as BundlePlace};
pub use cards::AgencyView;
pub use error::DeskError;
pub use foresight::{Asked, Foresight, Reach};
pub use held::{HeldCursor, HeldQuery};
pub use imports::{RowFiled, RowOutcome, SourceRow, Tried};
pub use lookup::{LookupAnswer, ReportView};
pub use objects::Taken;
pub use overview::{PartnerAgreement, PartnerView, QuarantineRow, StatusView};
pub use proposals::{Foretold, TermsInput};
pub use release::{Filed, FiledUnder, Recipients};
pub use reports::{Foreseen, ReportDetail};
pub use retention::Deletion;
pub use retractions::{Retracted, RetractionView};
pub use signals::{KeyWanted, News, Signals};

use crate::store::Store;
use ledger::Ledger;
use outbox::Outbox;

/// Who this node is, and the keys it acts with.
pub struct Me {
    /// The agency.
    pub agency: AgencyId,
    /// Live or exercise.
    pub mode: Mode,
    /// The serial of the card that certifies this node.
    pub card_serial: u32,
    /// This node's number on the card.
    pub writer: u32,
    /// Signs entries and statements.
    pub signing: SigningKey,
    /// Signs agreements.
    pub agreement: SigningKey,
    /// Opens content keys.
    pub encryption: EncryptionSecret,
    /// Names retracted reports by what they were about, without naming it.
    pub mark: [u8; 32],
}

impl Me {
    fn author(&self) -> Author<'_> {
        Author {
            agency: self.agency,
            card_serial: self.card_serial,
            writer: self.writer,
            mode: self.mode,
            key: &self.signing,
        }
    }
}

/// The desk of one node.
pub struct Desk {
    store: Store,
    me: Me,
    book: RwLock<Arc<Book>>,
    ledger: Mutex<Ledger>,
    outbox: RwLock<Outbox>,
    signals: Signals,
    /// When this desk was opened.
    started: Time,
    /// When the next entry is to be deleted, milliseconds; 0 where that was not looked for yet.
    due: AtomicU64,
}

impl Desk {
    /// The snapshot of agencies and agreements.
    pub fn book(&self) -> Arc<Book> {
        self.book.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Who this node is.
    pub fn me(&self) -> &Me {
        &self.me
    }

    /// The store, for reading.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What the federation task listens to.
    pub fn signals(&self) -> &Signals {
        &self.signals
    }

    /// The writer's turn. State behind it changes only after its commit, so a panic leaves it as it was.
    fn turn(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What waits. Never held across a commit.
    fn outbox(&self) -> RwLockReadGuard<'_, Outbox> {
        self.outbox.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be changed by the holder of the writer's turn, after the commit.
    fn outbox_mut(&self) -> RwLockWriteGuard<'_, Outbox> {
        self.outbox.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Swaps the book; to be called by the holder of the writer's turn.
    fn replace_book(&self, book: Book) {
        *self.book.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(book);
    }
}
