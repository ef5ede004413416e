//! The desk at start: the book and the ledger, made anew from what the store holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, RwLock};

use entente_protocol::entry::header::Header;
use entente_protocol::entry::ladder::{self, View};
use entente_protocol::id::{AgencyId, AgreementId, Hash, LogId};
use entente_protocol::identity::{CardExport, Roll};
use entente_protocol::keys::KeyDescriptor;
use entente_protocol::rules::Usage;
use entente_protocol::wire::attest::Claimed;

use super::book::Book;
use super::ledger::{Ledger, local};
use super::outbox::{Outbox, Waiting};
use super::{Desk, DeskError, Me, Signals, scope};
use crate::clock;
use crate::store::{Store, StoredObject};

/// Objects read from a feed at a time.
const FEED_PAGE: usize = 1024;

impl Desk {
    /// Opens the desk over a store. `own` is this agency's card file, which `init` wrote.
    pub fn open(store: Store, me: Me, own: CardExport) -> Result<Desk, DeskError> {
        let mut book = Book {
            me: me.agency,
            mode: me.mode,
            roll: Arc::new(Roll::new()),
            stands: Arc::default(),
            pinned: BTreeSet::new(),
            vouched: BTreeMap::new(),
            agreements: BTreeMap::new(),
        };
        book.roll_mut().add_export(own)?;
        let desk = Desk {
            started: clock::now(),
            due: 0.into(),
            store,
            me,
            book: RwLock::new(Arc::new(book.clone())),
            ledger: Mutex::new(Ledger::default()),
            outbox: RwLock::new(Outbox::default()),
            signals: Signals::default(),
        };
        desk.load_trust(&mut book);
        let mut ledger = Ledger::default();
        let scopes = desk.load_objects(&mut book, &mut ledger)?;
        tracing::info!(agencies = book.roll.iter().count(), agreements = scopes, "what is known was read");
        desk.load_keys(&book, &mut ledger)?;
        desk.load_logs(&book, &mut ledger)?;
        desk.load_local(&mut ledger);
        desk.begin_receipts(&mut ledger);
        book.stands = Arc::new(desk.stands(&ledger.logs)?);
        desk.replace_book(book);
        desk.want_keys(&mut ledger)?;
        *desk.turn() = ledger;
        Ok(desk)
    }

    fn load_trust(&self, book: &mut Book) {
        let agency = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).ok().map(AgencyId::from_bytes);
        for (key, _) in self.store.local_prefix(local::PINNED) {
            book.pinned.extend(agency(&key[local::PINNED.len()..]));
        }
        for (key, _) in self.store.local_prefix(local::VOUCHED) {
            let (about, by) = key[local::VOUCHED.len()..].split_at(32.min(key.len() - local::VOUCHED.len()));
            if let (Some(about), Some(by)) = (agency(about), agency(by)) {
                book.vouched.entry(about).or_default().insert(by);
            }
        }
    }

    /// Reads every feed that this node keeps: the objects are verified again, by the same code that took them.
    fn load_objects(&self, book: &mut Book, ledger: &mut Ledger) -> Result<usize, DeskError> {
        let mut scopes = vec![scope::CONTACT, scope::imported()];
        scopes.extend(
            self.store
                .local_prefix(local::SCOPES)
                .iter()
                .filter_map(|(key, _)| <[u8; 32]>::try_from(&key[local::SCOPES.len()..]).ok().map(Hash)),
        );
        for scope in &scopes {
            let mut objects: Vec<(u8, Vec<u8>)> = Vec::new();
            for object in self.feed(*scope)? {
                objects.push((object.kind, object.bytes));
            }
            self.learn(book, ledger, *scope, objects);
        }
        Ok(scopes.len() - 2)
    }

    /// All objects of a feed.
    fn feed(&self, scope: Hash) -> Result<Vec<StoredObject>, DeskError> {
        let mut objects = Vec::new();
        let mut after = 0;
        loop {
            let page = self.store.objects(&scope, after, FEED_PAGE)?;
            let Some((last, _, _)) = page.last() else { return Ok(objects) };
            after = *last;
            for (_, _, name) in &page {
                objects.extend(self.store.object(name)?);
            }
        }
    }

    fn load_keys(&self, book: &Book, ledger: &mut Ledger) -> Result<(), DeskError> {
        for object in self.feed(scope::wraps())? {
            if let Some((wrap, key)) = self.read_wrap(book, &object.bytes) {
                ledger.keys.held.insert(wrap.key_id, key);
            }
        }
        let mut own: BTreeMap<AgreementId, &KeyDescriptor> = BTreeMap::new();
        for (id, descriptor) in &ledger.keys.descriptors {
            let ours = descriptor.author == self.me.agency && descriptor.writer == self.me.writer;
            let newer = own.get(&descriptor.agreement).is_none_or(|known| known.created < descriptor.created);
            if ours && newer && ledger.keys.held.contains_key(id) {
                own.insert(descriptor.agreement, descriptor.payload());
            }
        }
        ledger.keys.own = own.into_iter().map(|(agreement, descriptor)| (agreement, descriptor.key_id)).collect();
        Ok(())
    }

    fn load_logs(&self, book: &Book, ledger: &mut Ledger) -> Result<(), DeskError> {
        for (log, head) in self.store.heads() {
            let Some(entry) = self.store.entry(&log, head.seq)? else { continue };
            let Ok(header) = Claimed::<Header>::parse(&entry.header) else { continue };
            let depth = book.agreements.get(&log.agreement).and_then(|known| known.depth(header.claim().version));
            let state = ledger.log(log);
            state.head = Some(ladder::Head {
                seq: head.seq,
                hash: head.hash,
                created: header.claim().created,
                version_depth: depth.unwrap_or_default(),
            });
            let unopened = self.store.local(&local::unopened(&log));
            let unopened = unopened.and_then(|value| Some(u64::from_be_bytes(value.try_into().ok()?)));
            state.next_to_open = unopened.unwrap_or(head.seq + 1);
            ledger.receipts.due.insert(log.agreement);
        }
        for (key, decided) in self.store.local_prefix(local::DECIDED) {
            if let Some(log) = local::log_of(local::DECIDED, &key) {
                ledger.log(log).decide(&decided);
            }
        }
        Ok(())
    }

    /// Our receipts begin a generation at every start, later than all before: a node that was restored from a backup
    /// does not know which counters it used.
    fn begin_receipts(&self, ledger: &mut Ledger) {
        let own = ledger.receipts.latest.values().filter(|receipt| receipt.party == self.me.agency);
        let last = own.filter(|receipt| receipt.writer == self.me.writer).map(|receipt| receipt.generation).max();
        let now = u32::try_from(clock::now().ms() / 1000).unwrap_or(u32::MAX);
        ledger.receipts.generation = last.map_or(now, |last| now.max(last.saturating_add(1)));
    }

    fn load_local(&self, ledger: &mut Ledger) {
        let mut outbox = self.outbox_mut();
        for (key, value) in self.store.local_prefix(local::OUTBOX) {
            let number = key[local::OUTBOX.len()..].try_into().map(u64::from_be_bytes);
            let Some((agreement, batch)) = value.split_first_chunk::<32>() else { continue };
            if let Ok(number) = number {
                outbox.put(Waiting::new(number, AgreementId::from_bytes(*agreement), batch.to_vec()));
            }
        }
        for (key, statements) in self.store.local_prefix(local::REFUSED) {
            if let Some((agreement, note)) = local::refusal_of(&key, &statements) {
                ledger.receipts.refused.entry(agreement).or_default().insert(note);
            }
        }
        for (key, _) in self.store.local_prefix(local::REOPEN) {
            if let Ok(agreement) = <[u8; 32]>::try_from(&key[local::REOPEN.len()..]) {
                ledger.reopen.insert(AgreementId::from_bytes(agreement));
            }
        }
    }

    /// Opens what waits for a key that is here by now, and asks for the keys that are not.
    fn want_keys(&self, ledger: &mut Ledger) -> Result<(), DeskError> {
        let book = self.book();
        let behind = ledger.logs.iter().filter(|(_, state)| state.next_to_open < state.next_seq());
        let agreements: BTreeSet<AgreementId> = behind.map(|(log, _)| log.agreement).collect();
        agreements.into_iter().try_for_each(|agreement| self.open_waiting(ledger, &book, agreement))
    }

    /// Counts what a log has used on its latest day before a position, by reading that day's entries once more.
    pub(super) fn count_usage(
        &self,
        ledger: &Ledger,
        view: &View<'_>,
        log: LogId,
        end: u64,
    ) -> Result<Usage, DeskError> {
        let Some(state) = ledger.logs.get(&log).copied() else { return Ok(Usage::default()) };
        let end = end.min(state.next_seq());
        let Some(last) = end.checked_sub(1) else { return Ok(Usage::default()) };
        let Some(header) = self.header(&log, last)? else { return Ok(Usage::default()) };
        let day = header.created.day();
        let mut first = last;
        while first > 0 && self.header(&log, first - 1)?.is_some_and(|header| header.created.day() == day) {
            first -= 1;
        }
        let mut usage = Usage { day, statements: 0, bytes: 0 };
        for seq in first..state.next_to_open.min(end) {
            let Some(entry) = self.store.entry(&log, seq)? else { continue };
            let Some(header) = self.header(&log, seq)? else { continue };
            let (Some(body), Some(key)) = (entry.body, ledger.keys.held.get(&header.key_id)) else { continue };
            let Some(descriptor) = ledger.keys.descriptors.get(&header.key_id) else { continue };
            usage = ladder::usage_after(&entry.header, &body, key, descriptor, view, usage).unwrap_or(usage);
        }
        Ok(usage)
    }

    /// The header of an entry that is held.
    pub(super) fn header(&self, log: &LogId, seq: u64) -> Result<Option<Header>, DeskError> {
        let entry = self.store.entry(log, seq)?;
        let header = entry.and_then(|entry| Claimed::<Header>::parse(&entry.header).ok());
        Ok(header.map(|header| header.claim().clone()))
    }
}
