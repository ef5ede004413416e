//! Stand-alone objects that arrive: cards, agreements and answers, key descriptors, retractions, receipts, proofs.
//!
//! Each is verified against what is known (`learning`), then kept and passed on as the bytes that came. The book and
//! the ledger change once they are durable.

use entente_protocol::fork::ForkError;
use entente_protocol::id::{AgencyId, AgreementId, Hash};
use entente_protocol::identity::IdentityError;
use entente_protocol::wire::attest::ObjectError;

use super::learning::{Learning, Lesson, Objects};
use super::ledger::{Ledger, local};
use super::{Book, Desk, DeskError, scope};
use crate::store::Item;

/// What became of a page of objects.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Taken {
    /// Kept now.
    pub new: usize,
    /// To be asked for again: what they refer to is not here yet.
    pub held: usize,
    /// Never to be believed.
    pub refused: usize,
}

/// Why an object was not kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("what it refers to is not known here yet")]
    Held,
    #[error("it does not belong into this feed")]
    Misplaced,
    #[error("it is known already, or something newer is")]
    Known,
    #[error("{0}")]
    Object(#[from] ObjectError),
    #[error("{0}")]
    Identity(#[from] IdentityError),
    #[error("{0}")]
    Fork(#[from] ForkError),
}

impl Fault {
    pub(super) fn is_held(&self) -> bool {
        match self {
            Fault::Held => true,
            Fault::Object(error) => error.is_held(),
            Fault::Identity(error) | Fault::Fork(ForkError::Identity(error)) => {
                error.is_held() || matches!(error, IdentityError::UnknownAgency(_) | IdentityError::UnknownCard { .. })
            }
            Fault::Misplaced | Fault::Known | Fault::Fork(_) => false,
        }
    }
}

impl Desk {
    /// Which of these objects of a feed are not held: what is worth asking for.
    pub fn lacking(&self, names: &[Hash]) -> Result<Vec<Hash>, DeskError> {
        let mut lacking = Vec::new();
        for name in names {
            if self.store.object(name)?.is_none() {
                lacking.push(*name);
            }
        }
        Ok(lacking)
    }

    /// Takes a page of objects of a feed.
    pub fn take_objects(&self, from: AgencyId, scope: Hash, objects: Vec<(u8, Vec<u8>)>) -> Result<Taken, DeskError> {
        let mut ledger = self.turn();
        let mut book = (*self.book()).clone();
        let known_scope = scope == scope::CONTACT || book.scope(scope).is_some();
        let total = objects.len();
        let mut objects = objects;
        objects.extend(ledger.held_objects.remove(&scope).unwrap_or_default());
        let Lesson { mut items, taken, held, learned } =
            Learning::new(self, &mut book, &ledger, scope, Some(from)).all(objects);
        ledger.hold(scope, held);
        if items.is_empty() {
            return Ok(taken);
        }
        if !known_scope {
            items.push(Item::Local { key: local::scope(scope), value: Some(Vec::new()) });
        }
        self.store.commit(items)?;
        tracing::debug!(%from, new = taken.new, of = total, "objects were taken");
        let forked = learned.into_ledger(&mut ledger, AgreementId(scope));
        self.replace_book(book);
        self.signals.tell(|news| {
            news.feed(scope, false);
            news.topology = true;
            news.forked.extend(forked);
        });
        let book = self.book();
        if book.scope(scope).is_some() {
            self.open_waiting(&mut ledger, &book, AgreementId(scope))?;
        }
        Ok(taken)
    }

    /// Puts stored objects back into the book and the ledger.
    pub(super) fn learn(&self, book: &mut Book, ledger: &mut Ledger, scope: Hash, objects: Objects) {
        let Lesson { taken, learned, .. } = Learning::new(self, book, ledger, scope, None).all(objects);
        if taken.held + taken.refused > 0 {
            tracing::warn!(%scope, held = taken.held, refused = taken.refused, "stored objects do not verify");
        }
        learned.into_ledger(ledger, AgreementId(scope));
    }
}
