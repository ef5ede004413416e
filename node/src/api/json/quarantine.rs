//! What came in and was not admitted.

use entente_protocol::id::ReportId;
use entente_protocol::time::Time;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Named, reason, time};
use crate::desk::{Book, QuarantineRow};
use crate::store::RecordState;

/// A statement that was not admitted.
#[derive(Serialize, ToSchema)]
pub(crate) struct Quarantined {
    /// Who sent it.
    author: Named,
    /// Who made it.
    originator: Named,
    /// The id of the agreement under which it came.
    agreement: String,
    /// The entry that it came in.
    log: Place,
    /// The report that it speaks of, where that could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<String>,
    /// The reason, in short.
    reason: String,
    /// The reason, in words.
    detail: String,
    /// When it came.
    received: String,
    /// `refused` for good, or `held` until more is known.
    state: &'static str,
}

/// Where an entry stands.
#[derive(Serialize, ToSchema)]
struct Place {
    /// Which of the author's nodes wrote it.
    writer: u32,
    /// Which of that node's generations.
    generation: u32,
    /// Its position.
    seq: u64,
}

impl Quarantined {
    pub(crate) fn of(book: &Book, row: &QuarantineRow) -> Self {
        let record = &row.record;
        let log = record.id.log;
        let unread = ReportId::from_bytes([0; 16]);
        let (reason, detail) = reason::words(row.reason);
        Self {
            author: Named::of(book, log.author),
            originator: Named::of(book, record.id.originator),
            agreement: log.agreement.to_string(),
            log: Place { writer: log.writer, generation: log.generation, seq: record.id.seq },
            report: (record.id.report != unread).then(|| record.id.report.to_string()),
            reason,
            detail,
            received: time(Time::from_ms(record.received).unwrap_or(Time::MAX)),
            state: if matches!(record.state, RecordState::Held { .. }) { "held" } else { "refused" },
        }
    }
}
