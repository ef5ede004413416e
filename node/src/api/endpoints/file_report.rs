//! `POST /v1/reports`: file a report, or ask what filing it would come to.

use axum::extract::State;
use axum::http::StatusCode;

use crate::api::extract::Write;
use crate::api::idempotency::{Recorded, once};
use crate::api::json::filing::{Filing, ReportIn};
use crate::api::problem::Problem;
use crate::api::state::Shared;
use crate::clock;
use crate::desk::ReportInput;

/// File a report to the parties of agreements, or, with `dry_run`, tell who would receive it.
#[utoipa::path(
    post, path = "/v1/reports", tag = "reports", operation_id = "file_report", request_body = ReportIn,
    responses(
        (status = 201, description = "It is filed: signed, durable, and on its way or waiting for contact.", body = Filing),
        (status = 200, description = "A dry run: nothing was filed.", body = Filing),
    )
)]
pub(crate) async fn file_report(State(api): State<Shared>, write: Write<ReportIn>) -> Result<Recorded, Problem> {
    once(&api, write, |desk, mut report, seed| {
        let agreements = std::mem::take(&mut report.agreements);
        let dry_run = report.dry_run;
        let input = ReportInput::try_from(report)?;
        if dry_run {
            let answers = desk.dry_run(&input, &agreements)?;
            return Ok((StatusCode::OK, Filing::dry(&desk.book(), clock::now(), answers)));
        }
        let filed = desk.file(&[input], &agreements, seed)?.pop().expect("one report has one result")?;
        Ok((StatusCode::CREATED, Filing::of(&desk.book(), &filed)))
    })
    .await
}
