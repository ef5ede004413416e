//! What partners ask for: entries and objects, as the bytes that came. Whether they may have it, the catch-up machine
//! has decided: every asker is a party of the scope it asks about.

use std::collections::{BTreeMap, BTreeSet};

use entente_protocol::agreement::Agreement;
use entente_protocol::id::{AgencyId, AgreementId, Hash, LogId};

use super::ledger::local;
use super::{Desk, DeskError, scope};
use crate::store::{Item, StoredEntry};

impl Desk {
    /// Entries of a log, from a position on, up to a page.
    pub fn entries(
        &self,
        log: &LogId,
        from_seq: u64,
        until_seq: u64,
        max_bytes: usize,
    ) -> Result<Vec<StoredEntry>, DeskError> {
        let mut entries = self.store.entries(log, from_seq, max_bytes)?;
        entries.retain(|entry| entry.seq <= until_seq);
        Ok(entries)
    }

    /// Names of a feed's objects, after a position.
    pub fn feed_after(&self, scope: &Hash, after: u64, limit: usize) -> Result<Vec<(u64, u8, Hash)>, DeskError> {
        Ok(self.store.objects(scope, after, limit)?)
    }

    /// Objects of a feed by name, up to a page; what another feed holds is not among them.
    pub fn objects(
        &self,
        scope: &Hash,
        names: &[Hash],
        max_bytes: usize,
    ) -> Result<Vec<(u8, Vec<u8>)>, DeskError> {
        let mut objects = Vec::new();
        let mut room = max_bytes;
        for name in names {
            let Some(object) = self.store.object(name)? else { continue };
            if object.scope != *scope {
                continue;
            }
            let Some(left) = room.checked_sub(object.bytes.len()) else { break };
            room = left;
            objects.push((object.kind, object.bytes));
        }
        Ok(objects)
    }

    /// Whether our entry at a position is the one with this hash; `None` where we have none there.
    pub fn same_entry(&self, log: &LogId, seq: u64, hash: &Hash) -> Result<Option<bool>, DeskError> {
        Ok(self.store.header_at(log, seq)?.map(|held| held == *hash))
    }

    /// A partner holds more of this node's own log than this node does: it was restored from an older state. What is
    /// missing is fetched like any other's; the next own entry opens a generation.
    pub fn restored(&self, agreement: AgreementId) -> Result<(), DeskError> {
        let mut ledger = self.turn();
        if ledger.reopen.insert(agreement) {
            tracing::warn!(%agreement, "a partner holds entries of ours that we lack: our next entry opens a generation");
            self.store.commit(vec![Item::Local { key: local::reopen(agreement), value: Some(Vec::new()) }])?;
        }
        Ok(())
    }

    /// All scopes that a partner may ask about, with who is party to each.
    pub fn scopes(&self) -> BTreeMap<Hash, BTreeSet<AgencyId>> {
        let book = self.book();
        let of_agreement = |agreement: &Agreement| (scope::of_agreement(agreement.id()), book.parties_ever(agreement));
        let mut scopes: BTreeMap<_, _> = book.agreements.values().map(of_agreement).collect();
        scopes.insert(scope::CONTACT, book.partners());
        scopes
    }
}
