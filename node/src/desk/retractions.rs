//! Retractions at the desk: this agency's own, and what carrying one out means.

use std::collections::BTreeSet;

use entente_protocol::announcement::Announcement;
use entente_protocol::id::{AgencyId, AgreementId, ReportId};
use entente_protocol::limits;
use entente_protocol::retraction::{self, Retraction};
use entente_protocol::statement::Statement;
use entente_protocol::time::Time;
use entente_protocol::wire::attest::Attested;
use entente_protocol::wire::object::ObjectKind;

use super::ledger::local;
use super::reports::text;
use super::{Book, Desk, DeskError, scope};
use crate::clock;
use crate::store::Item;

/// What came of a retraction.
#[derive(Clone, Debug)]
pub struct Retracted {
    /// The report.
    pub report: ReportId,
    /// The last revision that is withdrawn.
    pub up_to_revision: u32,
    /// Who holds it and will confirm.
    pub holders: Vec<AgencyId>,
}

/// A retraction as it is shown.
#[derive(Clone, Debug)]
pub struct RetractionView {
    /// When the report was withdrawn.
    pub created: Time,
    /// Why, where this node could read it.
    pub reason: Option<String>,
    /// Who confirmed, and when.
    pub confirmed: Vec<(AgencyId, Time)>,
    /// Who has not.
    pub outstanding: Vec<AgencyId>,
}

impl Desk {
    /// Withdraws an own report everywhere.
    pub fn retract(&self, id: ReportId, reason: &str) -> Result<Retracted, DeskError> {
        text("reason", Some(reason), limits::LONG_TEXT_BYTES)?;
        let mut ledger = self.turn();
        let now = clock::now();
        let view = self.own(&ledger, id)?;
        let book = self.book();
        let up_to_revision = view.report.revision;
        let retraction = Retraction {
            originator: self.me.agency,
            card_serial: self.me.card_serial,
            writer: self.me.writer,
            report: id,
            up_to_revision,
            delete_after: self.delete_after(id, now)?,
            created: now,
            sealed_reason: retraction::seal_reason(&view.report.holder_secret, id, up_to_revision, reason),
        };
        let retraction = Attested::sign(retraction, self.me.mode, &self.me.signing);
        let place = |agreement: &AgreementId| scope::of_agreement(*agreement);
        let feeds = view.agreements.iter().map(place);
        let object = |feed| scope::item(feed, ObjectKind::Retraction, retraction.hash(), retraction.bytes());
        let mut items: Vec<Item> = feeds.map(object).collect();
        items.extend(self.carry_out(&retraction));
        // What still waits in the outbox never leaves it.
        let left = self.outbox().without(id);
        items.extend(left.iter().map(|(number, left)| match left {
            Some(left) => left.item(),
            None => Item::Local { key: local::outbox(*number), value: None },
        }));
        self.store.commit(items)?;
        let mut outbox = self.outbox_mut();
        for (number, left) in left {
            match left {
                Some(left) => outbox.put(left),
                None => outbox.remove(number),
            }
        }
        drop(outbox);
        view.agreements.iter().for_each(|agreement| ledger.carried_out(*agreement, &retraction));
        let announcement = Announcement::of_object(ObjectKind::Retraction, retraction.bytes()).map(|a| a.write());
        self.signals.tell(|news| {
            for agreement in &view.agreements {
                news.feed(place(agreement), true);
                news.announcements.extend(announcement.clone().map(|message| (*agreement, message)));
            }
        });
        let holders: BTreeSet<AgencyId> =
            view.agreements.iter().flat_map(|agreement| self.holders(&book, *agreement)).collect();
        Ok(Retracted { report: id, up_to_revision, holders: holders.into_iter().collect() })
    }

    /// The latest date at which any copy would have been deleted anyway.
    fn delete_after(&self, id: ReportId, now: Time) -> Result<Time, DeskError> {
        let mut latest = now.plus_days(limits::RETENTION_DAYS);
        let records = self.store.report(&self.me.agency, &id)?;
        let mut dates = Vec::with_capacity(records.len());
        for record in &records {
            dates.extend(self.header(&record.id.log, record.id.seq)?.map(|header| header.delete_after));
        }
        // Earlier revisions may lie in entries with later dates, where the terms were shortened: the maximum that any
        // agreement allows bounds them all, and is kept where a header is missing.
        if dates.len() == records.len() && !dates.is_empty() {
            latest = dates.into_iter().max().unwrap_or(latest);
        }
        Ok(latest)
    }

    fn holders(&self, book: &Book, agreement: AgreementId) -> Vec<AgencyId> {
        let Some(agreement) = book.agreements.get(&agreement) else { return Vec::new() };
        // Whoever received under any version may still hold it, whether it has left since or not.
        let parties = agreement.versions().flat_map(|version| &version.parties).filter(|party| party.receive);
        let readers: BTreeSet<AgencyId> = parties.map(|party| party.agency).collect();
        readers.into_iter().filter(|agency| *agency != self.me.agency).collect()
    }

    pub(super) fn retraction_view(&self, originator: AgencyId, id: ReportId) -> Option<RetractionView> {
        let book = self.book();
        let ledger = self.turn();
        let known = ledger.retracted.get(&(originator, id))?;
        let reason = self.store.local(&local::reason(originator, id)).and_then(|text| String::from_utf8(text).ok());
        let (mut confirmed, mut outstanding) = (Vec::new(), BTreeSet::new());
        if originator == self.me.agency {
            for agreement in &known.agreements {
                let holders = self.holders(&book, *agreement);
                let (yes, no) = Desk::confirmations(&ledger, *agreement, &known.hash, &holders);
                confirmed.extend(yes);
                outstanding.extend(no);
            }
        }
        confirmed.sort();
        confirmed.dedup_by_key(|(agency, _)| *agency);
        Some(RetractionView {
            created: known.retraction.created,
            reason,
            confirmed,
            outstanding: outstanding.into_iter().collect(),
        })
    }

    /// What carrying out a retraction means here: the report goes. What is kept of it is the reason of its
    /// retraction, and a keyed hash of what it was about, so that a lookup can say that something was withdrawn.
    /// Both are read while the report is still here.
    pub(super) fn carry_out(&self, retraction: &Retraction) -> Vec<Item> {
        let (originator, report) = (retraction.originator, retraction.report);
        let mut items = vec![Item::EraseReport { originator, report, up_to_revision: retraction.up_to_revision }];
        let held = self.store.report(&originator, &report).unwrap_or_default();
        let bodies = held.iter().map(|record| local::blank(&record.id.log, record.id.seq));
        items.extend(bodies.map(|key| Item::Local { key, value: Some(Vec::new()) }));
        let read = held.iter().find_map(|record| match Statement::read(&record.statement) {
            Ok(Statement::Report(report)) => Some(report),
            _ => None,
        });
        let Some(held) = read else { return items };
        let gone = local::gone(&self.me.mark, &held.indicator.lookup_key());
        let gone = [gone.as_slice(), originator.as_bytes(), report.as_bytes()].concat();
        items.push(Item::Local { key: gone, value: Some(Vec::new()) });
        let reason = retraction::open_reason(&held.holder_secret, retraction).map(String::into_bytes);
        items.extend(reason.map(|reason| Item::Local { key: local::reason(originator, report), value: Some(reason) }));
        items
    }
}
