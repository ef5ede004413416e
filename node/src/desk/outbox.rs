//! The outbox: batches that wait until their agreement's logs were compared with a party.
//!
//! What waits is visible to us at once, so lookups read it; they wait for an insertion at most, and never for the
//! writer's turn. Whoever holds the turn changes it, after its commit. Who reads it and the store reads it first: a
//! batch is taken out when its entry is in the store, so that it is seen twice at times, and never not at all.

use std::collections::{BTreeMap, BTreeSet};

use entente_protocol::id::{AgreementId, ReportId};
use entente_protocol::statement::Statement;
use entente_protocol::statement::batch::{ClaimedBatch, Leaf};
use entente_protocol::statement::report::Report;

use super::ledger::local;
use crate::store::Item;

/// A batch that waits.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    /// Its number, which orders the outbox.
    pub(super) number: u64,
    /// Under which agreement it goes out.
    pub(super) agreement: AgreementId,
    /// The batch.
    pub(super) batch: Vec<u8>,
    /// What it reports, for those who look it up meanwhile.
    pub(super) reports: Vec<Report>,
}

impl Waiting {
    /// A batch as it comes from the store, or goes there.
    pub(super) fn new(number: u64, agreement: AgreementId, batch: Vec<u8>) -> Waiting {
        let leaves = ClaimedBatch::parse(&batch).map(|batch| batch.leaves).unwrap_or_default();
        let report = |leaf: &Leaf| match leaf {
            Leaf::Statement { bytes, .. } => report_in(bytes),
            Leaf::Deleted(_) => None,
        };
        let reports = leaves.iter().filter_map(report).collect();
        Waiting { number, agreement, batch, reports }
    }

    /// What the store keeps of it.
    pub(super) fn item(&self) -> Item {
        let value = [self.agreement.as_bytes().as_slice(), &self.batch].concat();
        Item::Local { key: local::outbox(self.number), value: Some(value) }
    }

    /// The batch without a report: its leaf hash takes its place, so that the others still verify. `None` where
    /// nothing else is in it.
    fn without(&self, id: ReportId) -> Option<Waiting> {
        let mut batch = ClaimedBatch::parse(&self.batch).ok()?;
        let left = batch.delete(|statement| report_in(statement).is_some_and(|report| report.id == id));
        (left > 0).then(|| Waiting::new(self.number, self.agreement, batch.write()))
    }
}

/// All batches that wait.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    batches: BTreeMap<u64, Waiting>,
    by_indicator: BTreeMap<Vec<u8>, BTreeSet<u64>>,
    by_report: BTreeMap<ReportId, BTreeSet<u64>>,
}

impl Outbox {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.batches.len()
    }

    /// The number of the next one.
    pub(super) fn next_number(&self) -> u64 {
        self.batches.last_key_value().map_or(0, |(number, _)| number + 1)
    }

    /// The first that waits for an agreement.
    pub(super) fn first_of(&self, agreement: AgreementId) -> Option<&Waiting> {
        self.batches.values().find(|waiting| waiting.agreement == agreement)
    }

    /// Puts one in, in the place of the one with its number.
    pub(super) fn put(&mut self, waiting: Waiting) {
        self.remove(waiting.number);
        for report in &waiting.reports {
            self.by_indicator.entry(report.indicator.lookup_key()).or_default().insert(waiting.number);
            self.by_report.entry(report.id).or_default().insert(waiting.number);
        }
        self.batches.insert(waiting.number, waiting);
    }

    /// Takes one out.
    pub(super) fn remove(&mut self, number: u64) {
        let Some(waiting) = self.batches.remove(&number) else { return };
        for report in &waiting.reports {
            drop_from(&mut self.by_indicator, &report.indicator.lookup_key(), number);
            drop_from(&mut self.by_report, &report.id, number);
        }
    }

    /// What remains of those that hold a report when it is withdrawn, by number.
    pub(super) fn without(&self, id: ReportId) -> Vec<(u64, Option<Waiting>)> {
        let numbers = self.by_report.get(&id).into_iter().flatten();
        let waiting = numbers.filter_map(|number| self.batches.get(number));
        waiting.map(|waiting| (waiting.number, waiting.without(id))).collect()
    }

    /// What waits on an indicator, by its lookup key, with the agreement it waits for.
    pub(super) fn on(&self, indicator: &[u8]) -> Vec<(AgreementId, Report)> {
        self.reports_of(self.by_indicator.get(indicator), |report| report.indicator.lookup_key() == indicator)
    }

    /// What waits of one report.
    pub(super) fn of(&self, id: ReportId) -> Vec<(AgreementId, Report)> {
        self.reports_of(self.by_report.get(&id), |report| report.id == id)
    }

    /// What waits, the newest first, up to a number.
    pub(super) fn newest(&self, limit: usize) -> Vec<(AgreementId, Report)> {
        let waiting = self.batches.values().rev();
        let reports =
            waiting.flat_map(|waiting| waiting.reports.iter().rev().map(|report| (waiting.agreement, report)));
        reports.take(limit).map(|(agreement, report)| (agreement, report.clone())).collect()
    }

    fn reports_of(
        &self,
        numbers: Option<&BTreeSet<u64>>,
        wanted: impl Fn(&Report) -> bool,
    ) -> Vec<(AgreementId, Report)> {
        let mut reports = Vec::new();
        for waiting in numbers.into_iter().flatten().filter_map(|number| self.batches.get(number)) {
            let wanted = waiting.reports.iter().filter(|report| wanted(report));
            reports.extend(wanted.map(|report| (waiting.agreement, report.clone())));
        }
        reports
    }
}

fn drop_from<K: Ord>(index: &mut BTreeMap<K, BTreeSet<u64>>, key: &K, number: u64) {
    if let Some(numbers) = index.get_mut(key) {
        numbers.remove(&number);
        if numbers.is_empty() {
            index.remove(key);
        }
    }
}

fn report_in(statement: &[u8]) -> Option<Report> {
    match Statement::read(statement) {
        Ok(Statement::Report(report)) => Some(*report),
        _ => None,
    }
}
