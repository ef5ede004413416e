//! Reports at the desk: file, revise, show.

use std::collections::BTreeSet;

use entente_protocol::id::{AgencyId, AgreementId, Hash, ReportId};
use entente_protocol::statement::Statement;
use entente_protocol::statement::draft::Draft;
use entente_protocol::statement::report::Report;
use entente_protocol::time::Time;

use super::ledger::Ledger;
use super::lookup::{ReportView, gather};
use super::release::{Filed, FiledUnder, Outlet, Recipients};
use super::retractions::RetractionView;
use super::{Book, Desk, DeskError};
use crate::clock;
use crate::store::Cursor;

/// What filing a report would come to under one agreement: who would receive it, and what would deny it.
pub type Foreseen = (Recipients, Result<(), DeskError>);

/// A report, or what is left of it.
#[derive(Clone, Debug)]
pub struct ReportDetail {
    /// Who made it.
    pub originator: AgencyId,
    /// Its number.
    pub report: ReportId,
    /// The report, unless it was withdrawn.
    pub view: Option<ReportView>,
    /// Its withdrawal.
    pub retraction: Option<RetractionView>,
}

impl Desk {
    /// Files reports under the agreements named, or under the only one in force. Each row is judged on its own; the
    /// good ones are released together. `seed` makes the numbers of the reports, so that filing again with the same
    /// seed finds what was filed. `confirmed` says that they are meant although a benign list names what they are about.
    pub fn file(
        &self,
        rows: &[Draft],
        agreements: &[String],
        seed: Option<[u8; 32]>,
        confirmed: bool,
    ) -> Result<Vec<Result<Filed, DeskError>>, DeskError> {
        let now = clock::now();
        let book = self.book();
        let agreements = choose(&book, agreements, now)?;
        let mut ledger = self.turn();
        let mut outlets = self.outlets(&mut ledger, &book, &agreements, now)?;
        let mut results: Vec<Result<Report, DeskError>> = Vec::with_capacity(rows.len());
        let mut released = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            let id = number(seed, index);
            let known = if seed.is_some() { self.view_of(id)? } else { None };
            if let Some(known) = known {
                results.push(Ok(known));
                continue;
            }
            let judged = self.check_benign(row, confirmed).and_then(|()| new_report(row, id, now));
            let judged = judged.and_then(|report| {
                let bytes = Statement::write_report(&report);
                release_all(&mut outlets, self.me.agency, &report, bytes.len())?;
                Ok((report, bytes))
            });
            results.push(judged.map(|(report, bytes)| {
                released.push((report.clone(), bytes));
                report
            }));
        }
        let recipients: Vec<Recipients> = outlets.iter().map(|outlet| outlet.recipients(self.me.agency)).collect();
        drop(outlets);
        let published = self.publish(&mut ledger, &book, released, &agreements)?;
        let under: Vec<FiledUnder> = recipients
            .into_iter()
            .map(|recipients| FiledUnder {
                published: published.get(&recipients.agreement).copied().unwrap_or(true),
                recipients,
            })
            .collect();
        let filed = |report: Report| Filed {
            report: report.id,
            revision: report.revision,
            created: report.created,
            under: under.clone(),
        };
        Ok(results.into_iter().map(|result| result.map(filed)).collect())
    }

    /// What filing would do: who would receive the report, and which term would deny it.
    pub fn dry_run(&self, row: &Draft, agreements: &[String]) -> Result<Vec<Foreseen>, DeskError> {
        let now = clock::now();
        let book = self.book();
        let agreements = choose(&book, agreements, now)?;
        let report = new_report(row, ReportId::from_bytes([0; 16]), now)?;
        let length = Statement::write_report(&report).len();
        let mut ledger = self.turn();
        let mut answers = Vec::new();
        for mut outlet in self.outlets(&mut ledger, &book, &agreements, now)? {
            let answer = outlet.release(self.me.agency, &report, length);
            answers.push((outlet.recipients(self.me.agency), answer));
        }
        Ok(answers)
    }

    fn outlets<'a>(
        &self,
        ledger: &mut Ledger,
        book: &'a Book,
        agreements: &[AgreementId],
        now: Time,
    ) -> Result<Vec<Outlet<'a>>, DeskError> {
        agreements.iter().map(|agreement| self.outlet(ledger, book, *agreement, now)).collect()
    }

    /// An own report that is already filed, published or waiting.
    pub(super) fn view_of(&self, id: ReportId) -> Result<Option<Report>, DeskError> {
        Ok(self.view_report(self.me.agency, id)?.map(|view| view.report))
    }

    /// Replaces an own report by a newer revision, under every agreement that it was released under.
    pub fn revise(&self, id: ReportId, change: &Draft) -> Result<Filed, DeskError> {
        let mut ledger = self.turn();
        let now = clock::now();
        let view = self.own(&ledger, id)?;
        let book = self.book();
        let report = revised(&view.report, change, now)?;
        let bytes = Statement::write_report(&report);
        let mut outlets = self.outlets(&mut ledger, &book, &view.agreements, now)?;
        release_all(&mut outlets, self.me.agency, &report, bytes.len())?;
        let recipients: Vec<Recipients> = outlets.iter().map(|outlet| outlet.recipients(self.me.agency)).collect();
        drop(outlets);
        let published = self.publish(&mut ledger, &book, vec![(report.clone(), bytes)], &view.agreements)?;
        let under = recipients.into_iter().map(|recipients| FiledUnder {
            published: published.get(&recipients.agreement).copied().unwrap_or(true),
            recipients,
        });
        Ok(Filed { report: id, revision: report.revision, created: report.created, under: under.collect() })
    }

    /// An own report that can be revised or retracted.
    pub(super) fn own(&self, ledger: &Ledger, id: ReportId) -> Result<ReportView, DeskError> {
        if let Some(view) = self.view_report(self.me.agency, id)? {
            return Ok(view);
        }
        if ledger.retracted.contains_key(&(self.me.agency, id)) {
            return Err(DeskError::Retracted(id));
        }
        match self.find_originator(ledger, id)? {
            Some(originator) => Err(DeskError::NotOurs { report: id, originator }),
            None => Err(DeskError::NoReport(id)),
        }
    }

    /// Whose report this is, of all agencies known here.
    fn find_originator(&self, ledger: &Ledger, id: ReportId) -> Result<Option<AgencyId>, DeskError> {
        for (agency, _) in self.book().roll.iter() {
            if !self.store.report(&agency, &id)?.is_empty() {
                return Ok(Some(agency));
            }
        }
        Ok(ledger.retracted.keys().find(|(_, report)| *report == id).map(|(originator, _)| *originator))
    }

    /// A report, or what is left of it; of whoever made it, where no originator is named.
    pub fn report(&self, id: ReportId, originator: Option<AgencyId>) -> Result<ReportDetail, DeskError> {
        let originator = match originator {
            Some(originator) => originator,
            None if self.view_report(self.me.agency, id)?.is_some() => self.me.agency,
            None => self.find_originator(&self.turn(), id)?.ok_or(DeskError::NoReport(id))?,
        };
        let view = self.view_report(originator, id)?;
        let retraction = self.retraction_view(originator, id);
        if view.is_none() && retraction.is_none() {
            return Err(DeskError::NoReport(id));
        }
        Ok(ReportDetail { originator, report: id, view, retraction })
    }

    /// This agency's own reports, in the store's order, from where a list ended.
    pub fn own_reports(
        &self,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<(Vec<ReportView>, Option<Vec<u8>>), DeskError> {
        let after = after.map(Cursor);
        let first = after.is_none();
        let waiting = if first { self.outbox().newest(limit) } else { Vec::new() };
        let page = self.store.reports_of(&self.me.agency, after.as_ref(), limit)?;
        let next = (page.len() == limit).then(|| page.last().map(|(cursor, _)| cursor.0.clone())).flatten();
        let mut reports = gather(page.into_iter().map(|(_, record)| record).collect());
        self.add_waiting(&mut reports, waiting);
        let mut views: Vec<ReportView> = reports.into_values().collect();
        views.sort_by_key(|view| std::cmp::Reverse(view.report.created));
        Ok((views, next))
    }
}

/// The agreements named, or the only one in force.
pub(super) fn choose(book: &Book, named: &[String], now: Time) -> Result<Vec<AgreementId>, DeskError> {
    if named.is_empty() {
        let in_force: Vec<AgreementId> = book.in_force(now).map(|(agreement, _)| agreement.id()).collect();
        return match in_force[..] {
            [only] => Ok(vec![only]),
            _ => Err(DeskError::WhichAgreement { in_force: in_force.len() }),
        };
    }
    let named = named.iter().map(|text| book.find_agreement(text).map(entente_protocol::agreement::Agreement::id));
    let named: BTreeSet<AgreementId> = named.collect::<Result<_, _>>()?;
    Ok(named.into_iter().collect())
}

/// The number of a new report: random, or drawn from the seed of the request.
fn number(seed: Option<[u8; 32]>, index: usize) -> ReportId {
    match seed {
        None => ReportId::from_bytes(clock::random()),
        Some(seed) => {
            let hash = Hash::of(&[b"entente.report-number.v1", &seed, &(index as u64).to_be_bytes()]);
            ReportId::from_bytes(*hash.0.first_chunk().expect("a hash has 32 bytes"))
        }
    }
}

fn release_all(outlets: &mut [Outlet<'_>], me: AgencyId, report: &Report, length: usize) -> Result<(), DeskError> {
    outlets.iter_mut().try_for_each(|outlet| outlet.release(me, report, length))
}

pub(super) fn text(field: &'static str, value: Option<&str>, max: usize) -> Result<Option<String>, DeskError> {
    let clean = |text: &str| text.chars().all(|c| !c.is_control() || c == '\n' || c == '\t');
    match value {
        Some(text) if text.len() > max || !clean(text) => Err(DeskError::Text { field, max }),
        Some("") | None => Ok(None),
        Some(text) => Ok(Some(text.to_owned())),
    }
}

/// A new report.
pub(super) fn new_report(draft: &Draft, id: ReportId, now: Time) -> Result<Report, DeskError> {
    draft.report(id, now, clock::random()).map_err(|lacks| DeskError::Lacks { field: lacks.name() })
}

fn revised(report: &Report, change: &Draft, now: Time) -> Result<Report, DeskError> {
    let new = change.revise(report).ok_or(DeskError::OtherIndicator { report: report.id })?;
    Ok(Report { revision: report.revision + 1, created: now.max(report.created), ..new })
}
