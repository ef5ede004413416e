//! What is to be committed, and what follows once it is: the ledger changes only after the journal is synced.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use entente_protocol::crypto::ContentKey;
use entente_protocol::entry::refusal::Refusal;
use entente_protocol::entry::vouch::{Stands, Vouched};
use entente_protocol::id::{AgencyId, AgreementId, Hash, KeyId, LogId, ReportId};
use entente_protocol::keys::KeyDescriptor;
use entente_protocol::receipt::RefusalNote;
use entente_protocol::wire::attest::Attested;

use super::ledger::{Ledger, LogState, Standing, local};
use super::outbox::Waiting;
use super::signals::KeyWanted;
use super::{Desk, DeskError, scope};
use crate::store::{Head, Item};

/// What is to be committed, and what follows once it is.
#[derive(Default)]
pub(super) struct Staged {
    pub(super) items: Vec<Item>,
    pub(super) announcements: Vec<(AgreementId, Vec<u8>)>,
    /// Batches that go into the outbox.
    pub(super) waiting: Vec<Waiting>,
    /// The number of a batch that leaves it.
    pub(super) sent: Option<u64>,
    pub(super) reopened: Vec<AgreementId>,
    pub(super) logs: BTreeMap<LogId, LogState>,
    /// Content keys that this node made.
    pub(super) keys: BTreeMap<KeyId, (Attested<KeyDescriptor>, ContentKey)>,
    pub(super) fresh: BTreeMap<(AgencyId, ReportId), BTreeMap<u32, Vec<u8>>>,
    pub(super) wanted: BTreeSet<KeyWanted>,
    pub(super) refused: Vec<(AgreementId, RefusalNote)>,
    pub(super) bytes: usize,
}

impl Staged {
    pub(super) fn put(&mut self, log: LogId, state: LogState) {
        self.logs.insert(log, state);
    }

    pub(super) fn refuse(&mut self, agreement: AgreementId, entry: Hash, refusal: &Refusal) {
        self.refused.push((agreement, note(entry, refusal, 0)));
    }

    /// A content key's descriptor.
    pub(super) fn descriptor<'a>(&'a self, ledger: &'a Ledger, id: &KeyId) -> Option<&'a Attested<KeyDescriptor>> {
        self.keys.get(id).map(|(descriptor, _)| descriptor).or_else(|| ledger.keys.descriptors.get(id))
    }

    /// A content key.
    pub(super) fn key<'a>(&'a self, ledger: &'a Ledger, id: &KeyId) -> Option<&'a ContentKey> {
        self.keys.get(id).map(|(_, key)| key).or_else(|| ledger.keys.held.get(id))
    }

    pub(super) fn log(&self, ledger: &Ledger, log: LogId) -> LogState {
        self.logs.get(&log).or_else(|| ledger.logs.get(&log)).copied().unwrap_or_default()
    }
}

impl Desk {
    /// Commits what is staged; then it counts.
    pub(super) fn settle(&self, ledger: &mut Ledger, mut stage: Staged) -> Result<(), DeskError> {
        if stage.items.is_empty() && stage.wanted.is_empty() && stage.logs.is_empty() {
            return Ok(());
        }
        let feeds: BTreeSet<Hash> = stage
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Object { scope, .. } if *scope != scope::wraps() => Some(*scope),
                _ => None,
            })
            .collect();
        for (log, state) in &stage.logs {
            let before = ledger.logs.get(log).copied().unwrap_or_default().decided();
            let decided = Some(state.decided()).filter(|decided| *decided != before);
            stage.items.extend(decided.map(|value| Item::Local { key: local::decided(log), value: Some(value) }));
        }
        for (agreement, note) in &stage.refused {
            let value = Some(note.statements.to_be_bytes().to_vec());
            stage.items.push(Item::Local { key: local::refused(*agreement, note), value });
        }
        if !stage.items.is_empty() {
            self.store.commit(stage.items)?;
        }
        let (mut heads, mut forked) = (BTreeMap::new(), BTreeSet::new());
        let reached = self.note_stands(&stage.logs)?;
        for (log, state) in stage.logs {
            if state.forked.is_some() {
                forked.insert(log);
            }
            if let Some(head) = state.head {
                heads.insert(log, Head { seq: head.seq, hash: head.hash });
            }
            ledger.receipts.due.insert(log.agreement);
            ledger.logs.insert(log, state);
        }
        for (id, (descriptor, key)) in stage.keys {
            ledger.keys.own.insert(descriptor.agreement, id);
            ledger.keys.descriptors.insert(id, descriptor);
            ledger.keys.held.insert(id, key);
        }
        for (agreement, note) in stage.refused {
            ledger.receipts.refused.entry(agreement).or_default().insert(note);
        }
        if !stage.waiting.is_empty() || stage.sent.is_some() {
            let mut outbox = self.outbox_mut();
            if let Some(number) = stage.sent {
                outbox.remove(number);
            }
            for waiting in stage.waiting {
                outbox.put(waiting);
            }
        }
        for agreement in stage.reopened {
            ledger.reopen.remove(&agreement);
        }
        self.signals.tell(|news| {
            news.heads.extend(heads);
            news.forked.extend(forked);
            for feed in feeds {
                news.feed(feed, true);
            }
            news.announcements.extend(stage.announcements);
            news.keys_wanted.extend(stage.wanted);
        });
        let book = self.book();
        reached.into_iter().try_for_each(|agreement| self.open_waiting(ledger, &book, agreement))
    }

    /// What later generations vouch for in these logs.
    pub(super) fn stands(&self, logs: &BTreeMap<LogId, LogState>) -> Result<Stands, DeskError> {
        let mut stands = Stands::new();
        for (log, state) in logs {
            if let Standing::UpTo(Some((seq, hash))) = state.standing {
                let reached = self.store.header_at(log, seq)? == Some(hash);
                stands.insert(*log, Vouched { seq, hash, reached });
            }
        }
        Ok(stands)
    }

    /// Tells the ladder up to where later generations let logs stand; says under which agreements more can be opened.
    fn note_stands(&self, logs: &BTreeMap<LogId, LogState>) -> Result<BTreeSet<AgreementId>, DeskError> {
        let mut book = (*self.book()).clone();
        let mut stands = self.stands(logs)?;
        stands.retain(|log, vouched| book.stands.get(log) != Some(vouched));
        if stands.is_empty() {
            return Ok(BTreeSet::new());
        }
        let reached = stands.iter().filter(|(_, vouched)| vouched.reached).map(|(log, _)| log.agreement).collect();
        Arc::make_mut(&mut book.stands).extend(stands);
        self.replace_book(book);
        Ok(reached)
    }
}

pub(super) fn note(entry: Hash, refusal: &Refusal, statements: u32) -> RefusalNote {
    RefusalNote { entry, reason: refusal.reason().number, statements }
}
