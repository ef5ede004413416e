//! All reports that are held, page after page, as a query asks: what exports and lists are made of.

use entente_protocol::address::Chain;
use entente_protocol::id::{AgencyId, AgreementId, ReportId};
use entente_protocol::statement::Statement;
use entente_protocol::time::Time;

use super::lookup::ReportView;
use super::{Desk, DeskError};
use crate::store::{Cursor, Record};

/// Records looked through for one page at most, so that a query that fits nothing does not take for ever.
const LOOKED_THROUGH: usize = 20_000;

/// Records read from the store at a time.
const PAGE: usize = 500;

/// Which reports are wanted; what is absent does not matter.
#[derive(Clone, Debug, Default)]
pub struct HeldQuery {
    /// Of this originator.
    pub originator: Option<AgencyId>,
    /// Held under this agreement.
    pub agreement: Option<AgreementId>,
    /// Of this typology, as it is shown.
    pub typology: Option<String>,
    /// On this chain.
    pub chain: Option<Chain>,
    /// About this kind of indicator.
    pub kind: Option<String>,
    /// With this case reference.
    pub case: Option<String>,
    /// From this import source of our own.
    pub import: Option<String>,
    /// Made at this time or later.
    pub since: Option<Time>,
    /// Made before this time.
    pub until: Option<Time>,
}

/// Where a list goes on: the place of the agency among those known, and of the record.
#[derive(Clone, Debug, Default)]
pub struct HeldCursor {
    agency: Option<AgencyId>,
    record: Option<Vec<u8>>,
}

impl HeldCursor {
    /// As it is handed to a client.
    pub fn write(&self) -> Vec<u8> {
        let agency = self.agency.map(|agency| agency.as_bytes().to_vec()).unwrap_or_default();
        [agency, self.record.clone().unwrap_or_default()].concat()
    }

    /// As a client hands it back; nothing if it is none of ours.
    pub fn read(bytes: &[u8]) -> Option<HeldCursor> {
        let (agency, record) = bytes.split_first_chunk()?;
        let record = (!record.is_empty()).then(|| record.to_vec());
        Some(HeldCursor { agency: Some(AgencyId::from_bytes(*agency)), record })
    }
}

impl Desk {
    /// The next reports of a query, and where to go on; the list is at its end where there is no such place. A page may
    /// be short, and even empty, before the end.
    pub fn held(
        &self,
        query: &HeldQuery,
        after: Option<HeldCursor>,
        limit: usize,
    ) -> Result<(Vec<ReportView>, Option<HeldCursor>), DeskError> {
        let mut found = Vec::new();
        let mut looked = 0;
        let mut at = match after {
            Some(at) => at,
            None => HeldCursor { agency: self.next_agency(query, None), record: None },
        };
        while let Some(agency) = at.agency {
            if at.record.is_none() && agency == self.me.agency {
                found.extend(self.waiting_only(query)?);
            }
            let page = self.store.reports_of(&agency, at.record.clone().map(Cursor).as_ref(), PAGE)?;
            let ended = page.len() < PAGE;
            for (cursor, record) in page {
                // A report has a record for each agreement, one behind the other: the first speaks for all.
                let again = at.record.as_ref().is_some_and(|last| cursor.is_of_same_report(last));
                at.record = Some(cursor.0);
                looked += 1;
                if again {
                    continue;
                }
                if let Some(view) = self.wanted(query, agency, &record)? {
                    found.push(view);
                }
                if found.len() >= limit || looked >= LOOKED_THROUGH {
                    return Ok((found, Some(at)));
                }
            }
            if ended {
                at = HeldCursor { agency: self.next_agency(query, Some(agency)), record: None };
            }
        }
        Ok((found, None))
    }

    /// The agency whose reports come after those of another.
    fn next_agency(&self, query: &HeldQuery, after: Option<AgencyId>) -> Option<AgencyId> {
        let book = self.book();
        let known = book.roll.iter().map(|(agency, _)| agency);
        let wanted = known.filter(|agency| query.originator.is_none_or(|wanted| wanted == *agency));
        let wanted = wanted.filter(|agency| query.import.is_none() || *agency == self.me.agency);
        wanted.filter(|agency| after.is_none_or(|after| *agency > after)).min()
    }

    fn wanted(&self, query: &HeldQuery, agency: AgencyId, record: &Record) -> Result<Option<ReportView>, DeskError> {
        let id = record.id.report;
        if query.import.as_ref().is_some_and(|source| !self.is_of_source(source, id)) {
            return Ok(None);
        }
        let Ok(Statement::Report(report)) = Statement::read(&record.statement) else { return Ok(None) };
        // What cannot change between revisions is looked at before the report is read whole.
        let (kind, chain) = (report.indicator.kind_word(), report.indicator.chain());
        if query.kind.as_ref().is_some_and(|wanted| wanted != kind)
            || query.chain.is_some_and(|wanted| chain != Some(wanted))
        {
            return Ok(None);
        }
        let view = self.view_report(agency, id)?;
        Ok(view.filter(|view| query.takes(view)))
    }

    /// What waits in the outbox and is nowhere else.
    fn waiting_only(&self, query: &HeldQuery) -> Result<Vec<ReportView>, DeskError> {
        let mut ids: Vec<ReportId> =
            self.outbox().newest(usize::MAX).into_iter().map(|(_, report)| report.id).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut views = Vec::new();
        for id in ids {
            if query.import.as_ref().is_some_and(|source| !self.is_of_source(source, id)) {
                continue;
            }
            if self.store.report(&self.me.agency, &id)?.is_empty() {
                views.extend(self.view_report(self.me.agency, id)?.filter(|view| query.takes(view)));
            }
        }
        Ok(views)
    }
}

impl HeldQuery {
    fn takes(&self, view: &ReportView) -> bool {
        let said = &view.report;
        self.agreement.is_none_or(|agreement| view.agreements.contains(&agreement))
            && self.typology.as_ref().is_none_or(|typology| said.typology.to_string() == *typology)
            && self.chain.is_none_or(|chain| said.indicator.chain() == Some(chain))
            && self.kind.as_ref().is_none_or(|kind| said.indicator.kind_word() == kind)
            && self.case.as_ref().is_none_or(|case| said.case.as_ref() == Some(case))
            && self.since.is_none_or(|since| said.created >= since)
            && self.until.is_none_or(|until| said.created < until)
    }
}
