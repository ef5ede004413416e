//! `POST /v1/reports/batch`: file many reports, each judged on its own.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use entente_protocol::id::Hash;

use crate::api::extract::Write;
use crate::api::idempotency::{Recorded, once};
use crate::api::json::filing::{BatchIn, BatchResult, BatchResults};
use crate::api::limits;
use crate::api::problem::{Problem, Slug};
use crate::api::state::Shared;
use crate::desk::{Desk, Filed, ReportInput};

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
        Ok((StatusCode::OK, BatchResults { results: file(desk, batch, seed) }))
    })
    .await
}

fn file(desk: &Desk, batch: BatchIn, seed: Option<[u8; 32]>) -> Vec<BatchResult> {
    let mut results: Vec<Option<Result<Filed, Problem>>> = batch.reports.iter().map(|_| None).collect();
    let mut groups: BTreeMap<Vec<String>, Vec<(usize, ReportInput)>> = BTreeMap::new();
    for (row, mut report) in batch.reports.into_iter().enumerate() {
        if report.dry_run {
            results[row] = Some(Err(Problem::invalid("dry_run", "a batch is filed; ask for single reports")));
            continue;
        }
        let named = std::mem::take(&mut report.agreements);
        let agreements = if named.is_empty() { batch.agreements.clone() } else { named };
        match ReportInput::try_from(report) {
            Ok(input) => groups.entry(agreements).or_default().push((row, input)),
            Err(problem) => results[row] = Some(Err(problem)),
        }
    }
    for (agreements, group) in groups {
        let (rows, inputs): (Vec<usize>, Vec<ReportInput>) = group.into_iter().unzip();
        // Numbers follow from the seed and the place in the group, so each group has a seed of its own.
        let seed = seed.map(|seed| Hash::of(&[&seed, &(rows[0] as u64).to_be_bytes()]).0);
        match desk.file(&inputs, &agreements, seed) {
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
            Ok(filed) => BatchResult::Filed { id: filed.report.to_string() },
            Err(problem) => BatchResult::Not { problem },
        }
    }
}
