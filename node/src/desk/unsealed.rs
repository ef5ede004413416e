//! Entries that were kept sealed, because their key had not come: they are opened in the order of their log.

use entente_protocol::entry::ladder::{Envelope, Head, View};
use entente_protocol::entry::refusal::{Disposition, Refusal};
use entente_protocol::id::{AgreementId, LogId};

use super::climb::{Opening, follow_opening, note_retracted};
use super::ledger::{Ledger, local};
use super::stage::Staged;
use super::{Book, Desk, DeskError};
use crate::clock;
use crate::store::Item;

/// Entries opened before they are committed.
const OPENED_TOGETHER: usize = 16;

impl Desk {
    /// Opens what waits under an agreement, as far as the keys that are held reach.
    pub(super) fn open_waiting(
        &self,
        ledger: &mut Ledger,
        book: &Book,
        agreement: AgreementId,
    ) -> Result<(), DeskError> {
        let behind = |(log, state): (&LogId, &super::ledger::LogState)| {
            (log.agreement == agreement && state.next_to_open < state.next_seq()).then_some(*log)
        };
        let logs: Vec<LogId> = ledger.logs.iter().filter_map(behind).collect();
        for log in logs {
            while self.open_some(ledger, book, log)? {}
        }
        Ok(())
    }

    /// Opens the next few entries of a log; whether there may be more to open.
    fn open_some(&self, ledger: &mut Ledger, book: &Book, log: LogId) -> Result<bool, DeskError> {
        let view = View {
            roll: &book.roll,
            stands: &book.stands,
            agreement: book.agreement(log.agreement)?,
            now: clock::now(),
        };
        let mut stage = Staged::default();
        let mut more = true;
        for _ in 0..OPENED_TOGETHER {
            let state = stage.log(ledger, log);
            if state.next_to_open >= state.next_seq() || !self.open_next(ledger, &view, log, &mut stage)? {
                more = false;
                break;
            }
        }
        let state = stage.log(ledger, log);
        if state.next_to_open > ledger.log(log).next_to_open {
            let done = state.next_to_open >= state.next_seq();
            let value = (!done).then(|| state.next_to_open.to_be_bytes().to_vec());
            stage.items.push(Item::Local { key: local::unopened(&log), value });
        }
        self.settle(ledger, stage)?;
        Ok(more)
    }

    fn open_next(
        &self,
        ledger: &mut Ledger,
        view: &View<'_>,
        log: LogId,
        stage: &mut Staged,
    ) -> Result<bool, DeskError> {
        let mut state = stage.log(ledger, log);
        let seq = state.next_to_open;
        let Some(entry) = self.store.entry(&log, seq)? else { return Ok(false) };
        let Some(body) = entry.body else {
            // Its body was refused or erased when it came; nothing is left to open.
            state.next_to_open += 1;
            stage.put(log, state);
            return Ok(true);
        };
        let before = match seq.checked_sub(1) {
            Some(seq) => self.header(&log, seq)?.zip(self.store.header_at(&log, seq)?),
            None => None,
        };
        let head = before.map(|(header, hash)| Head {
            seq: header.seq,
            hash,
            created: header.created,
            version_depth: view.agreement.depth(header.version).unwrap_or_default(),
        });
        let verified = match Envelope::parse(&entry.header).and_then(|envelope| envelope.verify(view, head.as_ref())) {
            Ok(verified) => verified,
            Err(refusal) if refusal.disposition() != Disposition::Refused => return Ok(false),
            Err(refusal) => return self.skip(log, seq, &refusal, stage, ledger),
        };
        match self.try_open(ledger, view, verified, Some(&body), None, stage)? {
            Opening::Opened(judged) => {
                state.next_to_open += 1;
                state.usage = Some(judged.usage);
                stage.put(log, state);
                follow_opening(ledger, &judged, stage);
                note_retracted(ledger, &judged, log, seq, stage);
                let records = self.records(log, seq, entry.hash, &judged, stage);
                stage.items.push(Item::Body { log, seq, body, records });
                Ok(true)
            }
            Opening::Later => Ok(false),
            Opening::NotForUs { .. } => {
                state.next_to_open += 1;
                stage.put(log, state);
                Ok(true)
            }
            Opening::Refused(refusal) | Opening::BadBody(refusal) => self.skip(log, seq, &refusal, stage, ledger),
        }
    }

    fn skip(
        &self,
        log: LogId,
        seq: u64,
        refusal: &Refusal,
        stage: &mut Staged,
        ledger: &Ledger,
    ) -> Result<bool, DeskError> {
        let mut state = stage.log(ledger, log);
        state.next_to_open = seq + 1;
        stage.put(log, state);
        if let Some(hash) = self.store.header_at(&log, seq)? {
            stage.refuse(log.agreement, hash, refusal);
        }
        stage.items.push(Item::EraseBody { log, seq });
        tracing::warn!(author = %log.author, seq, %refusal, "an entry was refused when its key came");
        Ok(true)
    }
}
