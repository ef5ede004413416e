//! Statements: what one agency says to others, one plaintext item each.
//!
//! A statement is a canonical map {0 kind, 1 content}. This version understands reports and revisions; all other
//! kinds are [`Statement::Unknown`], kept as they came and held until a version understands them.

pub mod batch;
pub mod details;
pub mod draft;
pub mod kind;
pub mod report;

use crate::address::Chain;
use crate::agreement::Version;
use crate::id::AgencyId;
use crate::limits;
use crate::rules::{self, StatementFacts, Unsettled, Usage, Verdict};
use crate::time::Time;
use crate::wire::codec::{self, CodecError, MapReader, MapWriter};
use kind::StatementKind;
use report::Report;

/// A statement, read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Statement {
    /// A report (revision 0) or its revision (from 1 on).
    Report(Box<Report>),
    /// Something that a later version understands: the number of its kind.
    Unknown(u64),
}

impl Statement {
    /// Reads a statement. What is malformed is an error; what is merely newer than this version is `Unknown`.
    pub fn read(bytes: &[u8]) -> Result<Statement, CodecError> {
        if bytes.len() > limits::STATEMENT_BYTES {
            return Err(CodecError::Bounds(1));
        }
        let mut kind = 0;
        let read = codec::read_object(bytes, |map| {
            kind = map.need(0)?;
            read_content(map, kind)
        });
        match read {
            Err(error) if error.is_held() => Ok(Statement::Unknown(kind)),
            read => read,
        }
    }

    /// The number of its kind.
    pub fn kind(&self) -> u64 {
        match self {
            Statement::Report(report) if report.revision == 0 => StatementKind::Report.number(),
            Statement::Report(_) => StatementKind::Revision.number(),
            Statement::Unknown(number) => *number,
        }
    }

    /// What the rules say of it, in an entry with this header's values, after what the log has carried so far.
    pub fn release(&self, cover: &Cover<'_>, originator: AgencyId, bytes: u64, usage: Usage) -> Verdict {
        let report = match self {
            Statement::Report(report) => Some(report),
            // A report or revision with more in it than this version understands cannot be judged by it.
            Statement::Unknown(1 | 2) => return Verdict::Hold(Unsettled::Kind(self.kind())),
            Statement::Unknown(_) => None,
        };
        let chain = report.and_then(|report| report.indicator.chain()).map(Chain::caip2);
        let facts = StatementFacts {
            kind: self.kind(),
            originator,
            typology: report.map(|report| &report.typology),
            chain: chain.as_deref(),
            marking: report.map(|report| report.marking),
            grading: report.map(|report| report.grading.scheme()),
            bytes,
            delete_after: cover.delete_after,
        };
        rules::release(&facts, cover.version, cover.author, cover.created, usage)
    }

    /// Writes a report or revision.
    pub fn write_report(report: &Report) -> Vec<u8> {
        let kind = if report.revision == 0 { StatementKind::Report } else { StatementKind::Revision };
        MapWriter::new().put(0, &kind.number()).put_with(1, |out| report.write(out)).finish()
    }
}

/// What the entry around a statement says, as far as the rules look at it.
#[derive(Clone, Copy, Debug)]
pub struct Cover<'a> {
    /// The agreement version that the entry names.
    pub version: &'a Version,
    /// Who publishes it.
    pub author: AgencyId,
    /// When the entry was made.
    pub created: Time,
    /// When its statements are to be deleted.
    pub delete_after: Time,
}

fn read_content(map: &mut MapReader<'_, '_>, number: u64) -> Result<Statement, CodecError> {
    match StatementKind::of_number(number) {
        Some(kind @ (StatementKind::Report | StatementKind::Revision)) => {
            let report = map.take_with(1, |d| Report::read(d, 1))?.ok_or(CodecError::Missing(1))?;
            if (kind == StatementKind::Report) == (report.revision == 0) {
                Ok(Statement::Report(Box::new(report)))
            } else {
                Err(CodecError::Bounds(1))
            }
        }
        _ => Err(CodecError::UnknownValue { key: 0, value: number }),
    }
}
