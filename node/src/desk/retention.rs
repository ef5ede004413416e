//! What ends: entries past their date go, and what was retracted leaves the bodies that brought it.
//!
//! An entry past its date needs nobody's word: its statements and its body go, its header stays, since the log hangs
//! together by headers. A body of which one statement was retracted is sealed again without it, as the remnant, and
//! those who catch up later get that. Both are done every hour, beside everything else.

use std::sync::atomic::Ordering;

use entente_protocol::crypto::ContentKey;
use entente_protocol::entry::body::Content;
use entente_protocol::entry::header::Header;
use entente_protocol::id::{AgencyId, AgreementId, LogId, ReportId};
use entente_protocol::statement::Statement;
use entente_protocol::statement::batch::{ClaimedBatch, Leaf};
use entente_protocol::time::Time;
use entente_protocol::wire::attest::Claimed;

use super::ledger::local;
use super::{Desk, DeskError};
use crate::clock;
use crate::store::{Item, RecordId, StoredEntry};

/// Entries looked at before others may change something.
const TOGETHER: usize = 64;

/// What was deleted, when, and on whose word.
#[derive(Clone, Debug)]
pub struct Deletion {
    /// When.
    pub at: Time,
    /// Under which agreement; a retraction is under all of them.
    pub agreement: Option<AgreementId>,
    /// On whose word: the author's, who dated the entry, or the originator's, who retracted the report.
    pub by: AgencyId,
    /// The report that was retracted.
    pub report: Option<ReportId>,
    /// Statements that went.
    pub statements: u64,
}

impl Desk {
    /// Deletes what is past its date, and blanks what was retracted. To be called every hour.
    pub fn expire(&self) -> Result<(), DeskError> {
        let now = clock::now();
        if self.due.load(Ordering::Relaxed) <= now.ms() {
            // Whatever comes while this looks lowers it again.
            self.due.store(u64::MAX, Ordering::Relaxed);
            for (log, head) in self.heads() {
                if let Err(error) = self.expire_log(log, head.seq, now) {
                    // Looked at again in an hour.
                    self.due.store(0, Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
        self.blank()
    }

    fn expire_log(&self, log: LogId, last: u64, now: Time) -> Result<(), DeskError> {
        let over =
            self.store.local(&local::over(&log)).and_then(|bytes| Some(u64::from_be_bytes(bytes.try_into().ok()?)));
        let mut from = over.unwrap_or(0);
        let (mut unbroken, mut at) = (true, from);
        while at <= last {
            let mut items = Vec::new();
            let mut gone = 0;
            let turn = self.turn();
            let keys = &turn.keys.held;
            for seq in (at..=last).take(TOGETHER) {
                at = seq + 1;
                let Some(entry) = self.store.entry(&log, seq)? else { continue };
                let Ok(header) = Claimed::<Header>::parse(&entry.header) else { continue };
                let header = header.claim();
                if header.delete_after > now {
                    self.due.fetch_min(header.delete_after.ms(), Ordering::Relaxed);
                    unbroken = false;
                    continue;
                }
                let (count, more) = expired(&log, &entry, header, keys.get(&header.key_id));
                gone += count;
                items.extend(more);
                if unbroken {
                    from = seq + 1;
                }
            }
            if unbroken && over != Some(from) {
                items.push(Item::Local { key: local::over(&log), value: Some(from.to_be_bytes().to_vec()) });
            }
            if gone > 0 {
                let key = local::deleted(now.ms(), &log, at);
                items.push(Item::Local { key, value: Some(gone.to_be_bytes().to_vec()) });
                tracing::info!(author = %log.author, statements = gone, "statements past their date were deleted");
            }
            if !items.is_empty() {
                self.store.commit(items)?;
            }
            drop(turn);
        }
        Ok(())
    }

    /// Seals bodies again without what was retracted.
    fn blank(&self) -> Result<(), DeskError> {
        for (key, _) in self.store.local_prefix(local::BLANK) {
            let Some((log, seq)) = local::entry_of(&key) else { continue };
            let turn = self.turn();
            let mut items = vec![Item::Local { key, value: None }];
            if let Some(entry) = self.store.entry(&log, seq)?
                && let Some(body) = entry.body
                && let Ok(header) = Claimed::<Header>::parse(&entry.header)
                && let Some(key) = turn.keys.held.get(&header.claim().key_id)
                && let Ok(content) = Content::open(&body, key)
            {
                let gone = |originator: AgencyId, statement: &[u8]| match Statement::read(statement) {
                    Ok(Statement::Report(report)) => {
                        let known = turn.retracted.get(&(originator, report.id));
                        known.is_some_and(|known| report.revision <= known.retraction.up_to_revision)
                    }
                    _ => false,
                };
                let remnant = content.remnant(gone, key);
                items.extend(remnant.map(|body| Item::Body { log, seq, body, records: Vec::new() }));
            }
            self.store.commit(items)?;
            drop(turn);
        }
        Ok(())
    }

    /// What was deleted here, the latest first: at most so many of each kind.
    pub fn deletions(&self, limit: usize) -> Vec<Deletion> {
        let past = |(key, value): (Vec<u8>, Vec<u8>)| {
            let at = key.get(local::DELETED.len()..)?.first_chunk()?;
            let (log, _) = local::entry_of(&key)?;
            Some(Deletion {
                at: Time::from_ms(u64::from_be_bytes(*at))?,
                agreement: Some(log.agreement),
                by: log.author,
                report: None,
                statements: u64::from_be_bytes(value.try_into().ok()?),
            })
        };
        let mut deletions: Vec<Deletion> =
            self.store.local_prefix(local::DELETED).into_iter().filter_map(past).collect();
        let turn = self.turn();
        deletions.extend(turn.retracted.iter().map(|((originator, report), known)| Deletion {
            at: known.retraction.created,
            agreement: None,
            by: *originator,
            report: Some(*report),
            statements: u64::from(known.retraction.up_to_revision) + 1,
        }));
        drop(turn);
        deletions.sort_by_key(|deletion| std::cmp::Reverse(deletion.at));
        deletions.truncate(limit);
        deletions
    }
}

/// What takes an entry past its date away: how many statements, and the items.
fn expired(log: &LogId, entry: &StoredEntry, header: &Header, key: Option<&ContentKey>) -> (u64, Vec<Item>) {
    let (log, seq) = (*log, header.seq);
    let Some(body) = &entry.body else { return (0, Vec::new()) };
    let content = key.and_then(|key| Content::open(body, key).ok());
    let Some(content) = content else {
        // Whoever cannot read it holds no statement of it.
        return (0, vec![Item::EraseBody { log, seq }]);
    };
    let ids = records(&content, log, seq);
    let count = ids.len() as u64;
    let mut items: Vec<Item> = ids.into_iter().map(Item::EraseRecord).collect();
    let opens = content.opening.is_some();
    match key.and_then(|key| content.remnant(|_, _| true, key)) {
        // What an opening says of earlier generations is needed as long as there is a log.
        Some(body) if opens => items.push(Item::Body { log, seq, body, records: Vec::new() }),
        None if opens => {}
        _ => items.push(Item::EraseBody { log, seq }),
    }
    (count, items)
}

/// The records that may have come of an entry.
fn records(content: &Content<ClaimedBatch>, log: LogId, seq: u64) -> Vec<RecordId> {
    let mut leaf = 0;
    let mut ids = Vec::new();
    for batch in &content.batches {
        let originator = batch.root.claim().originator;
        for found in &batch.leaves {
            let place = leaf;
            leaf += 1;
            let Leaf::Statement { bytes, .. } = found else { continue };
            if let Ok(Statement::Report(report)) = Statement::read(bytes) {
                ids.push(RecordId { originator, report: report.id, revision: report.revision, log, seq, leaf: place });
            }
        }
    }
    ids
}
