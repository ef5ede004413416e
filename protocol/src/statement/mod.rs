//! Statements: what one agency says to others, one plaintext item each.
//!
//! A statement is a canonical map {0 kind, 1 content}. This version understands reports and revisions; all other
//! kinds are [`Statement::Unknown`], kept as they came and held until a version understands them.

pub mod batch;
pub mod kind;
pub mod report;

use crate::limits;
use crate::wire::codec::{self, CodecError, MapReader, MapWriter};
use kind::StatementKind;
use report::Report;

/// A statement, read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Statement {
    /// A report (revision 0) or its revision (from 1 on).
    Report(Box<Report>),
    /// Something that a later version understands; the number of its kind where that could be read.
    Unknown(Option<u64>),
}

impl Statement {
    /// Reads a statement. What is malformed is an error; what is merely newer than this version is `Unknown`.
    pub fn read(bytes: &[u8]) -> Result<Statement, CodecError> {
        if bytes.len() > limits::STATEMENT_BYTES {
            return Err(CodecError::Bounds(1));
        }
        let mut kind = None;
        let read = codec::read_object(bytes, |map| {
            let number = map.need::<u64>(0)?;
            kind = Some(number);
            read_content(map, number)
        });
        match read {
            Ok(statement) => Ok(statement),
            Err(error) if error.is_held() => Ok(Statement::Unknown(kind)),
            Err(error) => Err(error),
        }
    }

    /// The kind, where this version knows it.
    pub fn kind(&self) -> Option<StatementKind> {
        match self {
            Statement::Report(report) if report.revision == 0 => Some(StatementKind::Report),
            Statement::Report(_) => Some(StatementKind::Revision),
            Statement::Unknown(number) => number.and_then(StatementKind::of_number),
        }
    }

    /// Writes a report or revision.
    pub fn write_report(report: &Report) -> Vec<u8> {
        let kind = if report.revision == 0 { StatementKind::Report } else { StatementKind::Revision };
        MapWriter::new().put(0, &kind.number()).put_with(1, |out| report.write(out)).finish()
    }
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
