//! Reports that come from a file: the same row of the same source is the same report, however often the file comes.
//!
//! A report's number follows from the source's name and the row's key, under a secret of this node: its first 6 bytes
//! are the source's, the rest the row's. So nothing about a file needs to be kept, and a partner cannot tell from a
//! number what was reported. A row that was retracted and comes back is a new report, with the next number.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use entente_protocol::id::{AgreementId, Hash, ReportId};
use entente_protocol::statement::Statement;
use entente_protocol::statement::draft::Draft;
use entente_protocol::statement::report::Report;
use entente_protocol::time::Time;

use super::ledger::Ledger;
use super::lookup::ReportView;
use super::release::{Outlet, Recipients};
use super::reports::{choose, new_report};
use super::{Book, Desk, DeskError};
use crate::clock;

/// Bytes of a report's number that are its source's.
const SOURCE_BYTES: usize = 6;

/// How often a row may be retracted and come back.
const COMEBACKS: u32 = 1000;

/// A row of a source.
#[derive(Clone, Debug)]
pub struct SourceRow {
    /// What tells it apart from the source's other rows, whatever else it says.
    pub key: String,
    /// What it says.
    pub draft: Draft,
    /// Whether it is meant although it is on a benign list.
    pub confirmed: bool,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RowOutcome {
    /// It was new, and is filed.
    Filed,
    /// It says something else than before: a newer revision.
    Revised,
    /// It was filed before, and goes out under a further agreement now.
    Shared,
    /// It was filed before, as it is.
    Unchanged,
}

/// A row's report, and what became of it.
#[derive(Clone, Copy, Debug)]
pub struct RowFiled {
    /// The report's number.
    pub report: ReportId,
    /// What became of it.
    pub outcome: RowOutcome,
}

/// What rows would come to: who would receive them, and for each its report or why it is not taken.
pub type Tried = (Vec<Recipients>, Vec<Result<RowFiled, DeskError>>);

/// A report that is to go out, in bytes, and the agreements under which.
type Release = (Vec<AgreementId>, Report, Vec<u8>);

/// One request's rows on their way through the rules.
struct Judging<'a> {
    desk: &'a Desk,
    book: &'a Book,
    source: &'a str,
    agreements: Vec<AgreementId>,
    now: Time,
    /// Those that were opened.
    outlets: BTreeMap<AgreementId, Outlet<'a>>,
}

impl<'a> Judging<'a> {
    fn new(desk: &'a Desk, book: &'a Book, source: &'a str, agreements: &[String]) -> Result<Self, DeskError> {
        let now = clock::now();
        let agreements = choose(book, agreements, now)?;
        Ok(Self { desk, book, source, agreements, now, outlets: BTreeMap::new() })
    }

    fn row(&mut self, ledger: &mut Ledger, row: &SourceRow) -> Result<(RowFiled, Option<Release>), DeskError> {
        let (id, known) = self.desk.row_report(ledger, self.source, &row.key)?;
        let (report, under, outcome) = match known {
            None => {
                self.desk.check_benign(&row.draft, row.confirmed)?;
                (new_report(&row.draft, id, self.now)?, self.agreements.clone(), RowOutcome::Filed)
            }
            Some(view) => {
                let further = self.agreements.iter().filter(|agreement| !view.agreements.contains(agreement));
                let further: Vec<AgreementId> = further.copied().collect();
                match renewed(&view, &row.draft, self.now)? {
                    Some(report) => (report, view.agreements, RowOutcome::Revised),
                    None if further.is_empty() => {
                        return Ok((RowFiled { report: id, outcome: RowOutcome::Unchanged }, None));
                    }
                    None => (view.report, further, RowOutcome::Shared),
                }
            }
        };
        let (bytes, me) = (Statement::write_report(&report), self.desk.me.agency);
        for agreement in &under {
            self.open(ledger, *agreement)?.release(me, &report, bytes.len())?;
        }
        Ok((RowFiled { report: id, outcome }, Some((under, report, bytes))))
    }

    fn open(&mut self, ledger: &mut Ledger, agreement: AgreementId) -> Result<&mut Outlet<'a>, DeskError> {
        match self.outlets.entry(agreement) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => Ok(entry.insert(self.desk.outlet(ledger, self.book, agreement, self.now)?)),
        }
    }
}

impl Desk {
    /// Files what a source's rows say that was not filed yet. Each row is judged on its own; what goes out under the
    /// same agreements is released together.
    pub fn file_rows(
        &self,
        source: &str,
        rows: &[SourceRow],
        agreements: &[String],
    ) -> Result<Vec<Result<RowFiled, DeskError>>, DeskError> {
        let book = self.book();
        let mut judging = Judging::new(self, &book, source, agreements)?;
        let mut ledger = self.turn();
        let mut groups: BTreeMap<Vec<AgreementId>, Vec<(Report, Vec<u8>)>> = BTreeMap::new();
        let mut taken: BTreeSet<ReportId> = BTreeSet::new();
        let mut results = Vec::with_capacity(rows.len());
        for row in rows {
            let judged = judging.row(&mut ledger, row);
            results.push(judged.map(|(filed, release)| {
                // The same row twice in one request is one report.
                if !taken.insert(filed.report) {
                    return RowFiled { outcome: RowOutcome::Unchanged, ..filed };
                }
                if let Some((under, report, bytes)) = release {
                    groups.entry(under).or_default().push((report, bytes));
                }
                filed
            }));
        }
        drop(judging);
        for (under, reports) in groups {
            self.publish(&mut ledger, &book, reports, &under)?;
        }
        Ok(results)
    }

    /// What filing rows would come to, without filing.
    pub fn try_rows(&self, source: &str, rows: &[SourceRow], agreements: &[String]) -> Result<Tried, DeskError> {
        let book = self.book();
        let mut judging = Judging::new(self, &book, source, agreements)?;
        let mut ledger = self.turn();
        let mut recipients = Vec::new();
        for agreement in judging.agreements.clone() {
            recipients.push(judging.open(&mut ledger, agreement)?.recipients(self.me.agency));
        }
        let results = rows.iter().map(|row| judging.row(&mut ledger, row).map(|(filed, _)| filed));
        Ok((recipients, results.collect()))
    }

    /// A row's report as it stands, and the number that it has or would have.
    fn row_report(
        &self,
        ledger: &Ledger,
        source: &str,
        key: &str,
    ) -> Result<(ReportId, Option<ReportView>), DeskError> {
        for comeback in 0..COMEBACKS {
            let id = self.row_number(source, key, comeback);
            if ledger.retracted.contains_key(&(self.me.agency, id)) {
                continue;
            }
            return Ok((id, self.view_report(self.me.agency, id)?));
        }
        Err(DeskError::Lacks { field: "row" })
    }

    fn row_number(&self, source: &str, key: &str, comeback: u32) -> ReportId {
        let of_row = Hash::of(&[
            b"entente.import-row.v1",
            &self.me.mark,
            source.as_bytes(),
            &[0],
            key.as_bytes(),
            &comeback.to_be_bytes(),
        ]);
        let mut id = [0; 16];
        id[..SOURCE_BYTES].copy_from_slice(&self.source_mark(source));
        id[SOURCE_BYTES..].copy_from_slice(&of_row.0[..16 - SOURCE_BYTES]);
        ReportId::from_bytes(id)
    }

    fn source_mark(&self, source: &str) -> [u8; SOURCE_BYTES] {
        let hash = Hash::of(&[b"entente.import-source.v1", &self.me.mark, source.as_bytes()]);
        *hash.0.first_chunk().expect("a hash has 32 bytes")
    }

    /// Whether an own report came from this source.
    pub fn is_of_source(&self, source: &str, report: ReportId) -> bool {
        report.as_bytes().starts_with(&self.source_mark(source))
    }
}

/// The next revision of a report, if the row says something else than it.
fn renewed(view: &ReportView, draft: &Draft, now: Time) -> Result<Option<Report>, DeskError> {
    let known = &view.report;
    let told = Report {
        holder_secret: known.holder_secret,
        revision: known.revision,
        ..new_report(draft, known.id, known.created)?
    };
    if told == *known {
        return Ok(None);
    }
    if told.indicator != known.indicator {
        return Err(DeskError::OtherIndicator { report: known.id });
    }
    Ok(Some(Report { revision: known.revision + 1, created: now.max(known.created), ..told }))
}
