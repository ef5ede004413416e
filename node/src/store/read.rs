//! Reading: from the index to the journal, verifying on the way that the place is what the index said.
//!
//! Readers never wait for a writer. A compaction may remove a segment under a reader, whose place is then gone: it
//! asks the index again, which has the new place by then.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use entente_protocol::id::{AgencyId, Hash, LogId, ReportId};

use super::Store;
use super::apply::Memory;
use super::error::{IndexFault, Result, StoreError};
use super::keys::{BodyPlace, EntryPlace, HeldPlace, RecordPlace, Value, e, e_prefix, last_number, of_report};
use super::payload::{read_body, read_entry, read_object};
use super::segment::Position;
use super::types::{Counts, Cursor, Gap, Head, QuarantineSize, Record, StoredEntry, StoredObject};

/// How often a reader asks anew before it takes a place that does not read for damage.
const READ_TRIES: u32 = 3;

impl Store {
    /// The newest revision of every admitted report on this indicator: one for each originator, report, agreement.
    pub fn lookup(&self, indicator: &[u8]) -> Result<Vec<Record>> {
        let index = &self.library.index;
        let prefix = index.names.l_prefix(indicator);
        self.reading(|| {
            let mut records = Vec::new();
            for (key, _) in index.scan(&prefix, None, usize::MAX)? {
                let r = [b"R", &key[prefix.len()..]].concat();
                let Some(place) = index.value::<RecordPlace>(&r)? else { continue };
                let record = self.record(&r, &place)?;
                if record.indicator == indicator {
                    records.push(record);
                }
            }
            Ok(records)
        })
    }

    /// The newest revision of a report, under every agreement it came in.
    pub fn report(&self, originator: &AgencyId, report: &ReportId) -> Result<Vec<Record>> {
        let index = &self.library.index;
        let prefix = of_report(b'R', &index.names.report(originator, report));
        self.reading(|| {
            let found = index.scan(&prefix, None, usize::MAX)?;
            found.iter().map(|(key, value)| self.record(key, &self.decoded(value)?)).collect()
        })
    }

    /// Admitted reports of an originator, in an order of the store's own.
    pub fn reports_of(
        &self,
        originator: &AgencyId,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Vec<(Cursor, Record)>> {
        let index = &self.library.index;
        let prefix = [b"R".as_slice(), &index.names.agency(originator)].concat();
        self.reading(|| {
            let found = index.scan(&prefix, after.map(|c| c.0.as_slice()), limit)?;
            let records = found.into_iter().map(|(key, value)| {
                let record = self.record(&key, &self.decoded(&value)?)?;
                Ok((Cursor(key), record))
            });
            records.collect()
        })
    }

    /// Records held or in quarantine: by author, the oldest first.
    pub fn quarantine(&self, after: Option<&Cursor>, limit: usize) -> Result<Vec<(Cursor, Record)>> {
        self.held(b"Q", after, limit)
    }

    /// Records of this author held or in quarantine, the oldest first: what to erase when there are too many.
    pub fn quarantine_of(
        &self,
        author: &AgencyId,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Vec<(Cursor, Record)>> {
        self.held(&[b"Q".as_slice(), &self.library.index.names.agency(author)].concat(), after, limit)
    }

    /// How much is held or in quarantine, by author.
    pub fn quarantine_sizes(&self) -> BTreeMap<AgencyId, QuarantineSize> {
        self.remembered(|memory| memory.quarantine.clone())
    }

    /// Up to which revision a report was retracted.
    pub fn retracted(&self, originator: &AgencyId, report: &ReportId) -> Result<Option<u32>> {
        self.library.retracted(originator, report)
    }

    /// The head of every log that has one.
    pub fn heads(&self) -> BTreeMap<LogId, Head> {
        self.remembered(|memory| memory.heads.iter().filter_map(|(log, head)| Some((*log, (*head)?))).collect())
    }

    /// The head of one log.
    pub fn head(&self, log: &LogId) -> Option<Head> {
        self.remembered(|memory| memory.heads.get(log).copied().flatten())
    }

    /// Entries known to be missing: those before an entry that is held.
    pub fn gaps(&self) -> Result<Vec<Gap>> {
        let heads = self.remembered(|memory| memory.heads.clone());
        let mut gaps = Vec::new();
        for (log, head) in heads {
            let tag = self.library.index.names.log(&log);
            let mut next = head.map_or(0, |head| head.seq + 1);
            let last = self.library.index.last(&e_prefix(tag))?.and_then(|key| last_number(&key));
            if last.is_none_or(|last| last < next) {
                continue;
            }
            for (key, _) in self.library.index.scan(&e_prefix(tag), Some(&e(tag, next)), usize::MAX)? {
                let Some(seq) = last_number(&key) else { continue };
                if seq > next {
                    gaps.push(Gap { log, seqs: next..seq });
                }
                next = seq + 1;
            }
        }
        Ok(gaps)
    }

    /// One entry.
    pub fn entry(&self, log: &LogId, seq: u64) -> Result<Option<StoredEntry>> {
        let key = e(self.library.index.names.log(log), seq);
        self.reading(|| {
            let place = self.library.index.value::<EntryPlace>(&key)?;
            place.map(|place| self.stored_entry(log, seq, &place)).transpose()
        })
    }

    /// An unbroken run of entries from this position: as many as fit `max_bytes`, and at least one if it is held.
    pub fn entries(&self, log: &LogId, from_seq: u64, max_bytes: usize) -> Result<Vec<StoredEntry>> {
        let (mut entries, mut bytes) = (Vec::new(), 0);
        for seq in from_seq.. {
            let Some(entry) = self.entry(log, seq)? else { break };
            bytes += entry.header.len() + entry.body.as_ref().map_or(0, Vec::len);
            if bytes > max_bytes && !entries.is_empty() {
                break;
            }
            entries.push(entry);
        }
        Ok(entries)
    }

    /// The hash of the entry at this position.
    pub fn header_at(&self, log: &LogId, seq: u64) -> Result<Option<Hash>> {
        let key = e(self.library.index.names.log(log), seq);
        self.reading(|| {
            let Some(place) = self.library.index.value::<EntryPlace>(&key)? else { return Ok(None) };
            Ok(Some(self.header(log, seq, &place)?.0))
        })
    }

    /// The entry whose header has this hash.
    pub fn entry_by_hash(&self, hash: &Hash) -> Result<Option<StoredEntry>> {
        let index = &self.library.index;
        self.reading(|| {
            let Some(EntryKey(suffix)) = index.value(&index.names.h(hash))? else { return Ok(None) };
            let key = [b"E".as_slice(), &suffix].concat();
            let Some(place) = index.value::<EntryPlace>(&key)? else { return Err(index.fail(IndexFault::Lies)) };
            let (_, payload) = self.library.frame_at(place.header)?;
            let (log, seq, found, _) = read_entry(&payload).ok_or_else(|| index.fail(IndexFault::Lies))?;
            if found != *hash {
                return Err(index.fail(IndexFault::Lies));
            }
            self.stored_entry(&log, seq, &place).map(Some)
        })
    }

    /// One stand-alone object.
    pub fn object(&self, hash: &Hash) -> Result<Option<StoredObject>> {
        let index = &self.library.index;
        self.reading(|| {
            let Some(place) = index.value::<Position>(&index.names.o(hash))? else { return Ok(None) };
            let object = self.stored_object(place)?;
            if object.hash == *hash { Ok(Some(object)) } else { Err(index.fail(IndexFault::Lies)) }
        })
    }

    /// Objects of a scope that arrived after this position of its feed (0: all), in the order of arrival: position,
    /// kind, hash. Positions only rise; they hold as long as [`Store::incarnation`] stays the same.
    pub fn objects(&self, scope: &Hash, after: u64, limit: usize) -> Result<Vec<(u64, u8, Hash)>> {
        let index = &self.library.index;
        self.reading(|| {
            let after = index.names.f(scope, after);
            let found = index.scan(&index.names.f_prefix(scope), Some(&after), limit)?;
            let objects = found.into_iter().map(|(_, value)| {
                let object = self.stored_object(self.decoded(&value)?)?;
                Ok((object.position, object.kind, object.hash))
            });
            objects.collect()
        })
    }

    /// The position of the newest object of a scope; 0 if there is none.
    pub fn feed_end(&self, scope: &Hash) -> Result<u64> {
        let last = self.library.index.last(&self.library.index.names.f_prefix(scope))?;
        Ok(last.and_then(|key| last_number(&key)).unwrap_or(0))
    }

    /// A value of this node alone.
    pub fn local(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.local.value(key)
    }

    /// All values of this node alone whose keys begin with this, in order.
    pub fn local_prefix(&self, prefix: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.local.prefix(prefix)
    }

    /// How much there is.
    pub fn counts(&self) -> Counts {
        let counts = self.remembered(|memory| memory.counts);
        Counts { journal_bytes: self.library.journal.bytes(), ..counts }
    }

    fn held(&self, prefix: &[u8], after: Option<&Cursor>, limit: usize) -> Result<Vec<(Cursor, Record)>> {
        let index = &self.library.index;
        self.reading(|| {
            let mut records = Vec::new();
            for (key, suffix) in index.scan(prefix, after.map(|c| c.0.as_slice()), limit)? {
                let p = [b"P".as_slice(), &suffix].concat();
                let Some(held) = index.value::<HeldPlace>(&p)? else { continue };
                let record = self.library.record_at(&held.place)?;
                if index.names.p(&record.id) != p {
                    return Err(index.fail(IndexFault::Lies));
                }
                records.push((Cursor(key), record));
            }
            Ok(records)
        })
    }

    fn record(&self, r: &[u8], place: &RecordPlace) -> Result<Record> {
        let record = self.library.record_at(place)?;
        let index = &self.library.index;
        if index.names.r(&record.id) == r { Ok(record) } else { Err(index.fail(IndexFault::Lies)) }
    }

    fn header(&self, log: &LogId, seq: u64, place: &EntryPlace) -> Result<(Hash, Vec<u8>)> {
        let (_, payload) = self.library.frame_at(place.header)?;
        match read_entry(&payload) {
            Some((found, at, hash, header)) if (&found, at) == (log, seq) => Ok((hash, header.to_vec())),
            _ => Err(self.library.index.fail(IndexFault::Lies)),
        }
    }

    fn stored_entry(&self, log: &LogId, seq: u64, place: &EntryPlace) -> Result<StoredEntry> {
        let (hash, header) = self.header(log, seq, place)?;
        let mut entry = StoredEntry { log: *log, seq, hash, header, body: None };
        if let BodyPlace::At(at) = place.body {
            let (_, payload) = self.library.frame_at(at)?;
            match read_body(&payload) {
                Some((found, at, body)) if (&found, at) == (log, seq) => entry.body = Some(body.to_vec()),
                _ => return Err(self.library.index.fail(IndexFault::Lies)),
            }
        }
        Ok(entry)
    }

    fn stored_object(&self, place: Position) -> Result<StoredObject> {
        let (head, payload) = self.library.frame_at(place)?;
        let Some((kind, scope, hash, bytes)) = read_object(&payload) else {
            return Err(self.library.index.fail(IndexFault::Lies));
        };
        Ok(StoredObject { position: head.sequence, scope, kind, hash, bytes: bytes.to_vec() })
    }

    fn decoded<T: Value>(&self, value: &[u8]) -> Result<T> {
        T::decode(value).ok_or_else(|| self.library.index.fail(IndexFault::Lies))
    }

    fn remembered<T>(&self, look: impl FnOnce(&Memory) -> T) -> T {
        look(&self.library.memory.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads again when a place was gone; what stays unreadable is damage, or the index is wrong: either way the
    /// next open goes through the whole journal.
    fn reading<T>(&self, read: impl Fn() -> Result<T>) -> Result<T> {
        for _ in 1..READ_TRIES {
            match read() {
                Err(StoreError::Damaged { .. }) => {}
                done => return done,
            }
        }
        let done = read();
        if let Err(StoreError::Damaged { file, offset }) = &done {
            tracing::error!(file = %file.display(), offset, "a place in the journal does not read");
            super::index::mark_for_rebuild(&self.dir.join(super::INDEX_DIR));
        }
        done
    }
}

/// The end of an entry's key, as its hash leads to it.
struct EntryKey(Vec<u8>);

impl Value for EntryKey {
    fn encode(&self) -> Vec<u8> {
        self.0.clone()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == 16).then(|| EntryKey(bytes.to_vec()))
    }
}
