//! Reports at the desk: file, revise, show.

use std::collections::BTreeSet;

use entente_protocol::address::Reading;
use entente_protocol::grading::Grading;
use entente_protocol::handling::{Handling, Precedence};
use entente_protocol::id::{AgencyId, AgreementId, Hash, ReportId};
use entente_protocol::limits;
use entente_protocol::marking::Marking;
use entente_protocol::statement::Statement;
use entente_protocol::statement::report::{Indicator, Report};
use entente_protocol::time::Time;
use entente_protocol::typology::Typology;

use super::ledger::Ledger;
use super::lookup::{ReportView, gather};
use super::release::{Filed, FiledUnder, Outlet, Recipients};
use super::retractions::RetractionView;
use super::{Book, Desk, DeskError};
use crate::clock;
use crate::store::Cursor;

/// A report as an analyst writes it. In a revision, what is absent stays as it is.
#[derive(Clone, Debug, Default)]
pub struct ReportInput {
    /// CAIP-10, or chain and address.
    pub address: Option<String>,
    /// The typology's id.
    pub typology: Option<String>,
    /// The grading, such as `B2`.
    pub grading: Option<String>,
    /// The marking, such as `amber`.
    pub marking: Option<String>,
    /// Handling codes.
    pub handling: Option<Vec<String>>,
    /// The case reference.
    pub case: Option<String>,
    /// What is known, in words.
    pub description: Option<String>,
    /// Where it comes from.
    pub source: Option<String>,
    /// When the activity was first seen.
    pub observed_from: Option<Time>,
    /// When it was last seen.
    pub observed_until: Option<Time>,
    /// How urgent.
    pub precedence: Option<String>,
}

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
    /// seed finds what was filed.
    pub fn file(
        &self,
        rows: &[ReportInput],
        agreements: &[String],
        seed: Option<[u8; 32]>,
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
            let judged = new_report(row, id, now).and_then(|report| {
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
    pub fn dry_run(&self, row: &ReportInput, agreements: &[String]) -> Result<Vec<Foreseen>, DeskError> {
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
    fn view_of(&self, id: ReportId) -> Result<Option<Report>, DeskError> {
        Ok(self.view_report(self.me.agency, id)?.map(|view| view.report))
    }

    /// Replaces an own report by a newer revision, under every agreement that it was released under.
    pub fn revise(&self, id: ReportId, change: &ReportInput) -> Result<Filed, DeskError> {
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
fn choose(book: &Book, named: &[String], now: Time) -> Result<Vec<AgreementId>, DeskError> {
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

fn need<'a>(field: &'static str, value: Option<&'a String>) -> Result<&'a str, DeskError> {
    value.map(String::as_str).ok_or_else(|| DeskError::Field { field, found: String::new(), expected: "given" })
}

pub(super) fn text(field: &'static str, value: Option<&str>, max: usize) -> Result<Option<String>, DeskError> {
    let clean = |text: &str| text.chars().all(|c| !c.is_control() || c == '\n' || c == '\t');
    match value {
        Some(text) if text.len() > max || !clean(text) => Err(DeskError::Text { field, max }),
        Some("") | None => Ok(None),
        Some(text) => Ok(Some(text.to_owned())),
    }
}

fn handling(codes: &[String]) -> Result<Vec<Handling>, DeskError> {
    let mut handling = codes.iter().map(|code| Handling::parse(code)).collect::<Result<Vec<_>, _>>()?;
    handling.sort();
    handling.dedup_by_key(|code| code.to_wire());
    Ok(handling)
}

fn precedence(word: Option<&String>) -> Result<Option<Precedence>, DeskError> {
    let read = |word: &String| {
        Precedence::parse(word).map_err(|_| DeskError::Field {
            field: "precedence",
            found: word.clone(),
            expected: "routine, priority, immediate or flash",
        })
    };
    word.map(read).transpose()
}

fn new_report(row: &ReportInput, id: ReportId, now: Time) -> Result<Report, DeskError> {
    let Reading { address, sub_account, .. } = Reading::parse(need("address", row.address.as_ref())?)?;
    let report = Report {
        id,
        revision: 0,
        created: now,
        indicator: Indicator::Address(address),
        sub_account,
        typology: Typology::parse(need("typology", row.typology.as_ref())?)?,
        grading: Grading::parse(need("grading", row.grading.as_ref())?)?,
        marking: Marking::parse(need("marking", row.marking.as_ref())?)?,
        handling: handling(row.handling.as_deref().unwrap_or_default())?,
        case: text("case", row.case.as_deref(), limits::SHORT_TEXT_BYTES)?,
        description: text("description", row.description.as_deref(), limits::LONG_TEXT_BYTES)?,
        source: text("source", row.source.as_deref(), limits::SHORT_TEXT_BYTES)?,
        observed_from: row.observed_from,
        observed_until: row.observed_until,
        precedence: precedence(row.precedence.as_ref())?.unwrap_or(Precedence::Routine),
        holder_secret: clock::random(),
    };
    Ok(report)
}

fn revised(report: &Report, change: &ReportInput, now: Time) -> Result<Report, DeskError> {
    let mut new = report.clone();
    if let Some(text) = &change.address {
        let Reading { address, sub_account, .. } = Reading::parse(text)?;
        if Indicator::Address(address) != report.indicator {
            return Err(DeskError::Field {
                field: "address",
                found: text.clone(),
                expected: "the address of the report; retract it and file another instead",
            });
        }
        new.sub_account = sub_account;
    }
    new.revision += 1;
    new.created = now.max(report.created);
    if let Some(typology) = &change.typology {
        new.typology = Typology::parse(typology)?;
    }
    if let Some(grading) = &change.grading {
        new.grading = Grading::parse(grading)?;
    }
    if let Some(marking) = &change.marking {
        new.marking = Marking::parse(marking)?;
    }
    if let Some(codes) = &change.handling {
        new.handling = handling(codes)?;
    }
    new.precedence = precedence(change.precedence.as_ref())?.unwrap_or(report.precedence);
    for (field, value, max, place) in [
        ("case", &change.case, limits::SHORT_TEXT_BYTES, &mut new.case),
        ("description", &change.description, limits::LONG_TEXT_BYTES, &mut new.description),
        ("source", &change.source, limits::SHORT_TEXT_BYTES, &mut new.source),
    ] {
        if value.is_some() {
            *place = text(field, value.as_deref(), max)?;
        }
    }
    new.observed_from = change.observed_from.or(report.observed_from);
    new.observed_until = change.observed_until.or(report.observed_until);
    Ok(new)
}
