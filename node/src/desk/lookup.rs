//! Lookups: what all partners, and we, say of an indicator. The hottest path: no lock that a writer holds for long.

use std::collections::{BTreeMap, BTreeSet};

use entente_protocol::id::{AgencyId, AgreementId, ReportId};
use entente_protocol::statement::Statement;
use entente_protocol::statement::report::{Indicator, Report};
use entente_protocol::time::Time;

use super::benign::BenignEntry;
use super::ledger::local;
use super::{Desk, DeskError};
use crate::store::{Record, RecordState};

/// A report as it is shown.
#[derive(Clone, Debug)]
pub struct ReportView {
    /// Who made it.
    pub originator: AgencyId,
    /// What it says, in its newest revision.
    pub report: Report,
    /// Under which agreements it is held.
    pub agreements: Vec<AgreementId>,
    /// When it came; `None` while it waits in our own outbox.
    pub received: Option<Time>,
    /// Whether it is ours and not yet published under some agreement.
    pub waiting: bool,
}

/// The answer of a lookup.
#[derive(Clone, Debug, Default)]
pub struct LookupAnswer {
    /// Every live report, newest first.
    pub reports: Vec<ReportView>,
    /// How many agencies say so first-hand: reports that declare one source count once.
    pub distinct_originators: usize,
    /// How many reports on it were retracted.
    pub retracted: usize,
    /// What the agency's benign lists say it is.
    pub benign: Vec<BenignEntry>,
}

impl Desk {
    /// What is known of an indicator.
    pub fn lookup(&self, indicator: &Indicator) -> Result<LookupAnswer, DeskError> {
        self.lookup_any([indicator])
    }

    /// What is known of any of several, which one text may mean; those that are looked up alike are asked once.
    pub fn lookup_any<'a>(
        &self,
        indicators: impl IntoIterator<Item = &'a Indicator>,
    ) -> Result<LookupAnswer, DeskError> {
        let mut keys: Vec<Vec<u8>> = Vec::new();
        let mut answer = LookupAnswer::default();
        let mut reports = BTreeMap::new();
        for indicator in indicators {
            let key = indicator.lookup_key();
            if keys.contains(&key) {
                continue;
            }
            let waiting = self.outbox().on(&key);
            reports.append(&mut gather(self.store.lookup(&key)?));
            self.add_waiting(&mut reports, waiting);
            answer.retracted += self.retracted_on(&key);
            answer.benign.extend(self.benign(indicator));
            keys.push(key);
        }
        answer.reports = reports.into_values().collect();
        answer.reports.sort_by_key(|view| std::cmp::Reverse((view.report.created, view.report.id)));
        answer.distinct_originators = distinct_originators(&answer.reports);
        Ok(answer)
    }

    /// How many reports on an indicator were retracted. What they were about is kept as a keyed hash alone.
    fn retracted_on(&self, key: &[u8]) -> usize {
        self.store.local_prefix(&local::gone(&self.me.mark, key)).len()
    }

    /// A report by its originator and number.
    pub(super) fn view_report(&self, originator: AgencyId, id: ReportId) -> Result<Option<ReportView>, DeskError> {
        let waiting = if originator == self.me.agency { self.outbox().of(id) } else { Vec::new() };
        let mut reports = gather(self.store.report(&originator, &id)?);
        self.add_waiting(&mut reports, waiting);
        Ok(reports.remove(&(originator, id)))
    }

    /// Adds what waits in the outbox: it is ours, and visible to us at once.
    pub(super) fn add_waiting(
        &self,
        reports: &mut BTreeMap<(AgencyId, ReportId), ReportView>,
        waiting: Vec<(AgreementId, Report)>,
    ) {
        for (agreement, report) in waiting {
            let view = reports.entry((self.me.agency, report.id)).or_insert_with(|| ReportView {
                originator: self.me.agency,
                report: report.clone(),
                agreements: Vec::new(),
                received: None,
                waiting: true,
            });
            view.waiting = true;
            if report.revision > view.report.revision {
                view.report = report;
            }
            if !view.agreements.contains(&agreement) {
                view.agreements.push(agreement);
            }
        }
    }
}

/// Brings together the records of one report under several agreements; the newest revision speaks.
pub(super) fn gather(records: Vec<Record>) -> BTreeMap<(AgencyId, ReportId), ReportView> {
    let mut reports: BTreeMap<(AgencyId, ReportId), ReportView> = BTreeMap::new();
    for record in records.into_iter().filter(|record| record.state == RecordState::Admitted) {
        let Ok(Statement::Report(report)) = Statement::read(&record.statement) else { continue };
        let received = Time::from_ms(record.received);
        let agreement = record.id.log.agreement;
        match reports.entry((record.id.originator, record.id.report)) {
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(ReportView {
                    originator: record.id.originator,
                    report: *report,
                    agreements: vec![agreement],
                    received,
                    waiting: false,
                });
            }
            std::collections::btree_map::Entry::Occupied(mut entry) => {
                let view = entry.get_mut();
                view.agreements.push(agreement);
                if report.revision > view.report.revision {
                    view.report = *report;
                    view.received = received;
                }
            }
        }
    }
    reports
}

/// How many agencies say so first-hand. Agencies that name a common source are one voice.
fn distinct_originators(reports: &[ReportView]) -> usize {
    let mut voices: Vec<(BTreeSet<AgencyId>, BTreeSet<&str>)> = Vec::new();
    let mut by_agency: BTreeMap<AgencyId, BTreeSet<&str>> = BTreeMap::new();
    let mut first_hand: BTreeSet<AgencyId> = BTreeSet::new();
    for view in reports {
        match view.report.source.as_deref() {
            Some(source) => {
                by_agency.entry(view.originator).or_default().insert(source);
            }
            None => {
                first_hand.insert(view.originator);
            }
        }
    }
    // Who has it from nobody speaks for itself, whatever else it repeats.
    by_agency.retain(|agency, _| !first_hand.contains(agency));
    for (agency, sources) in by_agency {
        let mut voice = (BTreeSet::from([agency]), sources);
        voices.retain(|other| {
            let common = other.1.intersection(&voice.1).next().is_some();
            if common {
                voice.0.extend(&other.0);
                voice.1.extend(&other.1);
            }
            !common
        });
        voices.push(voice);
    }
    first_hand.len() + voices.len()
}
