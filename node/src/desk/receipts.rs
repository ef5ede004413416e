//! Receipts: this agency's word to its partners, and theirs to us.
//!
//! Ours is due when something changed, at most every ten seconds, sooner when a retraction was carried out, and at
//! least twice a day, so that no partner ever has to call us silent.

use entente_protocol::agreement::Agreement;
use entente_protocol::announcement::Announcement;
use entente_protocol::id::{AgencyId, AgreementId, Hash};
use entente_protocol::limits;
use entente_protocol::receipt::{CardSerial, LogPosition, Receipt, RefusalNote};
use entente_protocol::time::{DAY_MS, Time};
use entente_protocol::wire::attest::Attested;
use entente_protocol::wire::object::ObjectKind;

use super::ledger::{Ledger, local};
use super::{Book, Desk, DeskError, access, scope};
use crate::clock;
use crate::store::Item;

/// The least time between two receipts under one agreement, unless a retraction was carried out.
const PAUSE_MS: u64 = 10_000;

/// The longest: twice a day, where the design promises once.
const LIFE_MS: u64 = DAY_MS / 2;

/// After this long without a receipt a partner is shown as silent.
pub(super) const SILENT_MS: u64 = DAY_MS;

/// Whose receipt it is: of these only the latest is kept.
pub(super) fn place(receipt: &Receipt) -> (AgreementId, AgencyId, u32) {
    (receipt.agreement, receipt.party, receipt.writer)
}

impl Desk {
    /// Issues the receipts that are due. To be called every second.
    pub fn issue_receipts(&self) -> Result<(), DeskError> {
        let now = clock::now();
        let book = self.book();
        let mut ledger = self.turn();
        let urgent = std::mem::take(&mut ledger.receipts.urgent);
        let attests = |agreement: &&std::sync::Arc<Agreement>| access::attests(agreement, self.me.agency, now);
        let agreements: Vec<AgreementId> =
            book.agreements.values().filter(attests).map(|agreement| agreement.id()).collect();
        for agreement in agreements {
            let last = ledger.receipts.latest.get(&(agreement, self.me.agency, self.me.writer));
            let age = last.map(|last| now.since(last.created));
            let due = ledger.receipts.due.contains(&agreement);
            let wait = if urgent { 0 } else { PAUSE_MS };
            if age.is_none_or(|age| age >= LIFE_MS || due && age >= wait) {
                self.issue_receipt(&mut ledger, &book, agreement, now)?;
            }
        }
        Ok(())
    }

    fn issue_receipt(
        &self,
        ledger: &mut Ledger,
        book: &Book,
        agreement: AgreementId,
        now: Time,
    ) -> Result<(), DeskError> {
        let (refused, forgotten) = fitting_refusals(ledger, agreement);
        let receipt = self.compose(ledger, book, agreement, refused, now);
        let receipt = Attested::sign(receipt, self.me.mode, &self.me.signing);
        let place = scope::of_agreement(agreement);
        let mut items = vec![scope::item(place, ObjectKind::Receipt, receipt.hash(), receipt.bytes())];
        let old = ledger.receipts.latest.get(&(agreement, self.me.agency, self.me.writer));
        items.extend(old.map(|old| Item::DropObject { hash: scope::name_in(place, old.hash()) }));
        let forget = |note: &RefusalNote| Item::Local { key: local::refused(agreement, note), value: None };
        items.extend(forgotten.iter().map(forget));
        self.store.commit(items)?;
        let announcement = Announcement::of_object(ObjectKind::Receipt, receipt.bytes());
        ledger.receipts.due.remove(&agreement);
        if let Some(refused) = ledger.receipts.refused.get_mut(&agreement) {
            refused.retain(|note| !forgotten.contains(note));
        }
        ledger.receipts.latest.insert((agreement, self.me.agency, self.me.writer), receipt);
        self.signals.tell(|news| {
            news.feed(place, true);
            news.announcements.extend(announcement.map(|message| (agreement, message.write())));
        });
        Ok(())
    }

    fn compose(
        &self,
        ledger: &Ledger,
        book: &Book,
        agreement: AgreementId,
        refused: Vec<RefusalNote>,
        now: Time,
    ) -> Receipt {
        let parties = book.agreements.get(&agreement).map(|known| book.parties_ever(known)).unwrap_or_default();
        let cards = parties.iter().filter_map(|agency| {
            let serial = book.roll.card(*agency).ok()?.serial();
            Some(CardSerial { agency: *agency, serial })
        });
        let logs = ledger.logs.iter().filter(|(log, _)| log.agreement == agreement).filter_map(|(log, state)| {
            let head = state.head?;
            let (author, writer, generation) = (log.author, log.writer, log.generation);
            Some(LogPosition { author, writer, generation, seq: head.seq, hash: head.hash })
        });
        let version = book.agreements.get(&agreement).and_then(|known| known.in_force(now));
        let last = ledger.receipts.latest.get(&(agreement, self.me.agency, self.me.writer));
        let generation = ledger.receipts.generation;
        let counter = last.filter(|last| last.generation == generation).map_or(0, |last| last.counter + 1);
        let retractions = ledger.receipts.retractions.get(&agreement).into_iter().flatten();
        let retractions = retractions.filter(|(_, delete_after)| **delete_after > now).map(|(hash, _)| *hash);
        Receipt {
            agreement,
            party: self.me.agency,
            card_serial: self.me.card_serial,
            writer: self.me.writer,
            generation,
            counter,
            created: now,
            version: version.map(entente_protocol::agreement::SignedVersion::name),
            cards: cards.collect(),
            logs: logs.take(limits::LOGS_PER_RECEIPT).collect(),
            retractions: retractions.take(limits::RETRACTIONS_PER_RECEIPT).collect(),
            refused,
            onward_pending: 0,
            audit_checkpoint: None,
        }
    }

    /// Who among the holders has confirmed a retraction, and when; and who has not.
    pub(super) fn confirmations(
        ledger: &Ledger,
        agreement: AgreementId,
        retraction: &Hash,
        holders: &[AgencyId],
    ) -> (Vec<(AgencyId, Time)>, Vec<AgencyId>) {
        let mut confirmed = Vec::new();
        let mut outstanding = Vec::new();
        for holder in holders {
            let first = (agreement, *holder, 0);
            let receipts = ledger.receipts.latest.range(first..=(agreement, *holder, u32::MAX));
            match receipts.map(|(_, receipt)| receipt).find(|receipt| receipt.confirms(retraction)) {
                Some(receipt) => confirmed.push((*holder, receipt.created)),
                None => outstanding.push(*holder),
            }
        }
        (confirmed, outstanding)
    }
}

/// The refusals that a receipt has room for, and those that it has not: they are told no more.
fn fitting_refusals(ledger: &Ledger, agreement: AgreementId) -> (Vec<RefusalNote>, Vec<RefusalNote>) {
    let mut refused: Vec<RefusalNote> =
        ledger.receipts.refused.get(&agreement).into_iter().flatten().copied().collect();
    let forgotten = refused.drain(..refused.len().saturating_sub(limits::REFUSALS_PER_RECEIPT)).collect();
    (refused, forgotten)
}
