//! `POST /v1/reports/batch`: file many reports, each judged on its own.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use entente_protocol::id::Hash;
use entente_protocol::statement::draft::Draft;

use crate::api::extract::Write;
use crate::api::idempotency::{Recorded, once};
use crate::api::json::filing::{BatchIn, BatchResult, BatchResults, ReportIn, Under};
use crate::api::limits;
use crate::api::problem::{Problem, Slug};
use crate::api::state::Shared;
use crate::desk::{Desk, Filed, RowFiled, RowOutcome, SourceRow};

/// File at most 500 reports. Each is judged on its own; the good ones of one agreement are released together.
#[utoipa::path(
    post, path = "/v1/reports/batch", tag = "reports", operation_id = "file_reports", request_body = BatchIn,
    responses((status = 200, description = "An id or a problem for each, in their order.", body = BatchResults))
)]
pub(crate) async fn file_reports(State(api): State<Shared>, write: Write<BatchIn>) -> Result<Recorded, Problem> {
    once(&api, write, |desk, batch, seed| {
        if batch.reports.len() > limits::REPORTS {
            let detail = format!("{} reports, at most {} are taken at once", batch.reports.len(), limits::REPORTS);
            return Err(Problem::new(Slug::TooLarge, detail));
        }
        let results = match batch.import.clone() {
            Some(source) => file_rows(desk, &source, batch)?,
            None if batch.dry_run => return Err(Problem::invalid("dry_run", "a batch without an import is filed")),
            None => BatchResults { results: file(desk, batch, seed), agreements: None },
        };
        Ok((StatusCode::OK, results))
    })
    .await
}

/// Rows that go under the same agreements, and are confirmed alike, with their places.
type Groups = BTreeMap<(Vec<String>, bool), Vec<(usize, Draft)>>;

/// Files rows of a source: the same row is the same report.
fn file_rows(desk: &Desk, source: &str, batch: BatchIn) -> Result<BatchResults, Problem> {
    if source.trim().is_empty() || source.len() > limits::SOURCE_BYTES {
        return Err(Problem::invalid("import", format!("its name has 1 to {} bytes", limits::SOURCE_BYTES)));
    }
    let mut results: Vec<Option<Result<RowFiled, Problem>>> = Vec::with_capacity(batch.reports.len());
    let mut rows = Vec::with_capacity(batch.reports.len());
    for mut report in batch.reports {
        match source_row(&mut report).and_then(|(key, confirmed)| Ok((key, confirmed, Draft::try_from(report)?))) {
            Ok((key, confirmed, draft)) => {
                rows.push(SourceRow { key, draft, confirmed });
                results.push(None);
            }
            Err(problem) => results.push(Some(Err(problem))),
        }
    }
    let (agreements, filed) = if batch.dry_run {
        let (recipients, filed) = desk.try_rows(source, &rows, &batch.agreements)?;
        let book = desk.book();
        (Some(recipients.iter().map(|recipients| Under::of(&book, recipients, "unsent")).collect()), filed)
    } else {
        (None, desk.file_rows(source, &rows, &batch.agreements)?)
    };
    let mut filed = filed.into_iter();
    let results = results.into_iter().map(|result| match result {
        Some(result) => BatchResult::from(result),
        None => BatchResult::from(filed.next().expect("every row has a result").map_err(Problem::from)),
    });
    Ok(BatchResults { results: results.collect(), agreements })
}

/// What tells a row apart, and whether it is meant although a benign list names it.
fn source_row(report: &mut ReportIn) -> Result<(String, bool), Problem> {
    if report.dry_run || !report.agreements.is_empty() {
        return Err(Problem::invalid("agreements", "rows of an import go where the batch says"));
    }
    let row = report.row.take().filter(|row| !row.is_empty() && row.len() <= limits::SOURCE_BYTES);
    let row = row.ok_or_else(|| Problem::invalid("row", format!("1 to {} bytes are needed", limits::SOURCE_BYTES)))?;
    Ok((row, report.confirm_benign))
}

fn file(desk: &Desk, batch: BatchIn, seed: Option<[u8; 32]>) -> Vec<BatchResult> {
    let mut results: Vec<Option<Result<Filed, Problem>>> = batch.reports.iter().map(|_| None).collect();
    let mut groups = Groups::new();
    for (row, mut report) in batch.reports.into_iter().enumerate() {
        if report.dry_run {
            results[row] = Some(Err(Problem::invalid("dry_run", "a batch is filed; ask for single reports")));
            continue;
        }
        let named = std::mem::take(&mut report.agreements);
        let agreements = if named.is_empty() { batch.agreements.clone() } else { named };
        if report.row.is_some() {
            results[row] = Some(Err(Problem::invalid("row", "it belongs to a batch that names an import")));
            continue;
        }
        let confirmed = report.confirm_benign;
        match Draft::try_from(report) {
            Ok(input) => groups.entry((agreements, confirmed)).or_default().push((row, input)),
            Err(problem) => results[row] = Some(Err(problem)),
        }
    }
    for ((agreements, confirmed), group) in groups {
        let (rows, inputs): (Vec<usize>, Vec<Draft>) = group.into_iter().unzip();
        // Numbers follow from the seed and the place in the group, so each group has a seed of its own.
        let seed = seed.map(|seed| Hash::of(&[&seed, &(rows[0] as u64).to_be_bytes()]).0);
        match desk.file(&inputs, &agreements, seed, confirmed) {
            Ok(filed) => {
                for (row, filed) in rows.into_iter().zip(filed) {
                    results[row] = Some(filed.map_err(Problem::from));
                }
            }
            Err(error) => {
                let problem = Problem::from(error);
                for row in rows {
                    results[row] = Some(Err(problem.clone()));
                }
            }
        }
    }
    let results = results.into_iter().map(|result| result.expect("every row is in a group or has a problem"));
    results.map(BatchResult::from).collect()
}

impl From<Result<Filed, Problem>> for BatchResult {
    fn from(result: Result<Filed, Problem>) -> Self {
        match result {
            Ok(filed) => BatchResult::Filed { id: filed.report.to_string(), outcome: None },
            Err(problem) => BatchResult::Not { problem },
        }
    }
}

impl From<Result<RowFiled, Problem>> for BatchResult {
    fn from(result: Result<RowFiled, Problem>) -> Self {
        let outcome = |outcome| match outcome {
            RowOutcome::Filed => "filed",
            RowOutcome::Revised => "revised",
            RowOutcome::Shared => "shared",
            RowOutcome::Unchanged => "unchanged",
        };
        match result {
            Ok(filed) => BatchResult::Filed { id: filed.report.to_string(), outcome: Some(outcome(filed.outcome)) },
            Err(problem) => BatchResult::Not { problem },
        }
    }
}
