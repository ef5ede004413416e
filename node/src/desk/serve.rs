//! What partners ask for: entries and objects, as the bytes that came. Whether they may have it, the catch-up machine
//! has decided: every asker is a party of the scope it asks about.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use entente_protocol::agreement::Agreement;
use entente_protocol::id::{AgencyId, AgreementId, Hash, LogId};
use entente_protocol::sync::{Cursor, ScopeInfo};
use entente_protocol::time::Time;

use super::ledger::local;
use super::{Desk, DeskError, access, scope};
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

    /// An object of a feed by name; what another feed holds is not given out.
    pub fn object(&self, scope: &Hash, name: &Hash) -> Result<Option<(u8, Vec<u8>)>, DeskError> {
        let object = self.store.object(name)?.filter(|object| object.scope == *scope);
        Ok(object.map(|object| (object.kind, object.bytes)))
    }

    /// How far partners' feeds have been read.
    pub fn cursors(&self) -> BTreeMap<(AgencyId, Hash), Cursor> {
        let read = |(key, value): (Vec<u8>, Vec<u8>)| {
            let (agency, scope) = key[local::CURSORS.len()..].split_first_chunk::<32>()?;
            let (incarnation, position) = value.split_first_chunk::<16>()?;
            let position = u64::from_be_bytes(position.try_into().ok()?);
            let scope = Hash::from_bytes(scope.try_into().ok()?);
            Some(((AgencyId::from_bytes(*agency), scope), Cursor { incarnation: *incarnation, position }))
        };
        self.store.local_prefix(local::CURSORS).into_iter().filter_map(read).collect()
    }

    /// Keeps how far a partner's feed has been read.
    pub fn keep_cursor(&self, from: AgencyId, scope: Hash, cursor: Cursor) -> Result<(), DeskError> {
        let value = [cursor.incarnation.as_slice(), &cursor.position.to_be_bytes()].concat();
        self.store.commit(vec![Item::Local { key: local::cursor(from, scope), value: Some(value) }])?;
        Ok(())
    }

    /// Logs of which a fork proof is held.
    pub fn forked(&self) -> BTreeSet<LogId> {
        self.turn().logs.iter().filter(|(_, state)| state.forked.is_some()).map(|(log, _)| *log).collect()
    }

    /// Whether our entry at a position is the one with this hash; `None` where we have none there.
    pub fn same_entry(&self, log: &LogId, seq: u64, hash: &Hash) -> Result<Option<bool>, DeskError> {
        Ok(self.store.header_at(log, seq)?.map(|held| held == *hash))
    }

    /// A partner holds more of this node's own log than this node does: it was restored from an older state. What is
    /// missing is fetched like any other's; the next own entry opens a generation.
    pub fn restored(&self, agreement: AgreementId) -> Result<(), DeskError> {
        let mut ledger = self.turn();
        if !ledger.reopen.contains(&agreement) {
            tracing::warn!(%agreement, "a partner holds entries of ours that we lack: our next entry opens a generation");
            self.store.commit(vec![Item::Local { key: local::reopen(agreement), value: Some(Vec::new()) }])?;
            ledger.reopen.insert(agreement);
        }
        Ok(())
    }

    /// Who may know what of each agreement now.
    pub fn scopes(&self, now: Time) -> BTreeMap<Hash, ScopeInfo> {
        let book = self.book();
        let of_agreement =
            |agreement: &Arc<Agreement>| (scope::of_agreement(agreement.id()), access::to_agreement(agreement, now));
        book.agreements.values().map(of_agreement).collect()
    }
}
