//! What operators and administrators look at: partners with lag and receipts, the quarantine, the status.

use entente_protocol::agreement::Agreement;
use entente_protocol::id::{AgencyId, AgreementId, LogId};
use entente_protocol::receipt::Receipt;
use entente_protocol::time::{DAY_MS, Time};
use entente_protocol::wire::attest::Attested;

use super::ledger::Ledger;
use super::receipts::SILENT_MS;
use super::{Book, Desk, DeskError, Trust};
use crate::clock;
use crate::store::{Counts, Cursor, Health, Item, Record};

/// How long what was refused stays in quarantine.
const QUARANTINE_MS: u64 = 30 * DAY_MS;

/// Segments rewritten or looked through at a time: 2 GiB at most.
const SEGMENTS_AT_A_TIME: usize = 32;

/// Records looked through at a time: between two such pages others take their turn.
const TIDY_PAGE: usize = 1000;

/// A partner as it is shown.
#[derive(Clone, Debug)]
pub struct PartnerView {
    /// Which agency.
    pub agency: AgencyId,
    /// How it is known.
    pub trust: Trust,
    /// Where it can be dialled.
    pub addresses: Vec<String>,
    /// What is shared with it.
    pub agreements: Vec<PartnerAgreement>,
}

/// Where a partner stands under one agreement.
#[derive(Clone, Debug)]
pub struct PartnerAgreement {
    /// The agreement.
    pub agreement: AgreementId,
    /// Its title.
    pub title: String,
    /// Entries that we hold and it has not confirmed.
    pub lag: u64,
    /// Entries that it says it holds and we do not.
    pub behind: u64,
    /// When it last gave a receipt.
    pub last_receipt: Option<Time>,
    /// Whether it gave none for more than a day.
    pub silent: bool,
}

/// A row of the quarantine.
#[derive(Clone, Debug)]
pub struct QuarantineRow {
    /// What was not admitted.
    pub record: Record,
    /// The number of the reason.
    pub reason: u16,
}

/// How the node is.
#[derive(Clone, Debug)]
pub struct StatusView {
    /// What the store holds.
    pub counts: Counts,
    /// Whether it takes commits.
    pub health: Health,
    /// Batches that wait in the outbox.
    pub outbox: usize,
    /// Agreements in force.
    pub in_force: usize,
    /// Agreements that are only proposed.
    pub proposed: usize,
}

impl Desk {
    /// All partners.
    pub fn partners(&self) -> Vec<PartnerView> {
        let (book, now) = (self.book(), clock::now());
        let ledger = self.turn();
        let view = |agency: AgencyId| {
            let known = book.roll.agency(agency).ok();
            let records = known.into_iter().flat_map(|known| known.addresses().values());
            let shared = book.in_force(now).filter(|(agreement, _)| book.parties_ever(agreement).contains(&agency));
            PartnerView {
                agency,
                trust: book.trust(agency),
                addresses: records.flat_map(|record| record.record().addresses.clone()).collect(),
                agreements: shared
                    .map(|(agreement, version)| standing(&ledger, agreement, version.title.clone(), agency, now))
                    .collect(),
            }
        };
        book.partners().into_iter().map(view).collect()
    }

    /// What was refused or is held, from where a list ended.
    pub fn quarantine(
        &self,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<(Vec<QuarantineRow>, Option<Vec<u8>>), DeskError> {
        let page = self.store.quarantine(after.map(Cursor).as_ref(), limit)?;
        let next = (page.len() == limit).then(|| page.last().map(|(cursor, _)| cursor.0.clone())).flatten();
        let rows = page.into_iter().map(|(_, record)| QuarantineRow { reason: reason(&record), record });
        Ok((rows.collect(), next))
    }

    /// Lets go of what has been in quarantine for longer than 30 days. To be called every hour.
    pub fn tidy(&self) -> Result<(), DeskError> {
        let old = clock::now().minus_ms(QUARANTINE_MS).ms();
        let mut after = None;
        loop {
            let page = self.store.quarantine(after.as_ref(), TIDY_PAGE)?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(last.clone());
            let expired = page.into_iter().map(|(_, record)| record).filter(|record| record.received < old);
            let items: Vec<Item> = expired.map(|record| Item::EraseRecord(record.id)).collect();
            if !items.is_empty() {
                let _turn = self.turn();
                self.store.commit(items)?;
            }
        }
    }

    /// Takes what was erased off the disk, a bounded part at a time. To be called every hour; with `roll` once a day,
    /// so that what was erased just after it came goes, too.
    pub fn compact(&self, roll: bool) -> Result<(), DeskError> {
        let freed = self.store.compact_due(roll, SEGMENTS_AT_A_TIME)?;
        if freed > 0 {
            tracing::info!(bytes = freed, "what was erased left the disk");
        }
        Ok(())
    }

    /// How the node is.
    pub fn status(&self) -> StatusView {
        let (book, now) = (self.book(), clock::now());
        let in_force = book.in_force(now).count();
        let proposed = book.agreements.values().filter(|agreement| agreement.in_force(now).is_none()).count();
        let counts = self.store.counts();
        StatusView { counts, health: self.store.health(), outbox: self.outbox().len(), in_force, proposed }
    }

    /// The state of every log that is held, for the catch-up machine.
    pub fn heads(&self) -> std::collections::BTreeMap<LogId, crate::store::Head> {
        self.store.heads()
    }
}

fn reason(record: &Record) -> u16 {
    use crate::store::RecordState::{Admitted, Held, Quarantined};
    match record.state {
        Quarantined { reason } | Held { reason } => reason,
        Admitted => 0,
    }
}

fn standing(ledger: &Ledger, agreement: &Agreement, title: String, agency: AgencyId, now: Time) -> PartnerAgreement {
    let id = agreement.id();
    let receipts = ledger.receipts.latest.range((id, agency, 0)..=(id, agency, u32::MAX)).map(|(_, receipt)| receipt);
    let newest = receipts.max_by_key(|receipt| receipt.created);
    let last_receipt = newest.map(|receipt| receipt.created);
    let (lag, behind) = distance(ledger, id, newest.map(Attested::payload));
    PartnerAgreement {
        agreement: id,
        title,
        lag,
        behind,
        last_receipt,
        silent: last_receipt.is_none_or(|at| now.since(at) > SILENT_MS),
    }
}

/// How many entries we hold that the receipt does not confirm, and the other way round.
fn distance(ledger: &Ledger, id: AgreementId, receipt: Option<&Receipt>) -> (u64, u64) {
    let (mut lag, mut behind) = (0, 0);
    let ours = ledger.logs.iter().filter(|(log, _)| log.agreement == id);
    let theirs = receipt.map(|receipt| receipt.logs.as_slice()).unwrap_or_default();
    for (log, state) in ours {
        let confirmed = theirs.iter().find(|position| {
            (position.author, position.writer, position.generation) == (log.author, log.writer, log.generation)
        });
        let confirmed = confirmed.map_or(0, |position| position.seq + 1);
        lag += state.next_seq().saturating_sub(confirmed);
    }
    for position in theirs {
        let log =
            LogId { agreement: id, author: position.author, writer: position.writer, generation: position.generation };
        let held = ledger.logs.get(&log).map_or(0, super::ledger::LogState::next_seq);
        behind += (position.seq + 1).saturating_sub(held);
    }
    (lag, behind)
}

impl Book {
    /// The title of an agreement, for lists.
    pub fn title(&self, id: AgreementId) -> String {
        let agreement = self.agreements.get(&id);
        let version = agreement.and_then(|agreement| self.foremost(agreement, clock::now()));
        version.map(|version| version.title.clone()).unwrap_or_default()
    }
}
