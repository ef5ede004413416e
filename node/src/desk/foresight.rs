//! What a report would come to under an agreement: who would receive it, who would not, and which term decides.

use entente_protocol::agreement::{Agreement, Party};
use entente_protocol::id::{AgencyId, AgreementId, ReportId};
use entente_protocol::statement::Statement;
use entente_protocol::statement::draft::Draft;
use entente_protocol::statement::report::Report;
use entente_protocol::time::Time;

use super::reports::new_report;
use super::{Book, Desk, DeskError};
use crate::clock;

/// The report that is asked about.
#[derive(Clone, Debug)]
pub enum Asked {
    /// One that this agency made.
    Own(ReportId),
    /// One that is not filed.
    Draft(Box<Draft>),
}

/// What it would come to.
#[derive(Debug)]
pub struct Foresight {
    /// The agreement.
    pub agreement: AgreementId,
    /// Its title.
    pub title: String,
    /// Whether the rules let it pass.
    pub answer: Result<(), DeskError>,
    /// Everyone who is, or was, a party, and whether it would be told.
    pub parties: Vec<(AgencyId, Reach)>,
}

/// Whether a party would receive a report, and why.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// It receives under the agreement.
    Receives,
    /// It makes the report.
    Author,
    /// Its role is only to contribute.
    ContributesOnly,
    /// It left.
    Left(Time),
    /// Nobody receives what a term denies.
    Denied,
}

impl Reach {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Reach::Receives => "it receives under the agreement",
            Reach::Author => "it is this agency itself",
            Reach::ContributesOnly => "its role is only to contribute",
            Reach::Left(_) => "it left the agreement",
            Reach::Denied => "a term denies the report",
        }
    }
}

impl Desk {
    /// Judges a report under one agreement, and files nothing.
    pub fn foresee(&self, agreement: &str, asked: &Asked) -> Result<Foresight, DeskError> {
        let now = clock::now();
        let book = self.book();
        let (agreement, _) = book.find_version(agreement, now)?;
        let mut ledger = self.turn();
        let report = self.asked(&ledger, asked, now)?;
        let length = Statement::write_report(&report).len();
        let mut outlet = self.outlet(&mut ledger, &book, agreement.id(), now)?;
        let answer = outlet.release(self.me.agency, &report, length);
        let passes = answer.is_ok();
        let parties =
            outlet.version.parties.iter().map(|party| (party.agency, reach(&book, agreement, party, passes, now)));
        Ok(Foresight {
            agreement: agreement.id(),
            title: outlet.version.title.clone(),
            parties: parties.collect(),
            answer,
        })
    }

    fn asked(&self, ledger: &super::ledger::Ledger, asked: &Asked, now: Time) -> Result<Report, DeskError> {
        match asked {
            Asked::Own(id) => self.own(ledger, *id).map(|view| view.report),
            Asked::Draft(draft) => new_report(draft, ReportId::from_bytes([0; 16]), now),
        }
    }
}

fn reach(book: &Book, agreement: &Agreement, party: &Party, passes: bool, now: Time) -> Reach {
    match agreement.left(party.agency, now) {
        _ if party.agency == book.me => Reach::Author,
        Some(left) => Reach::Left(left),
        None if !party.receive => Reach::ContributesOnly,
        None if !passes => Reach::Denied,
        None => Reach::Receives,
    }
}
