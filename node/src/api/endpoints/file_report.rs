//! `POST /v1/reports`: file a report, or ask what filing it would come to.

use axum::extract::State;
use axum::http::StatusCode;
use entente_protocol::statement::draft::Draft;

use crate::api::extract::Write;
use crate::api::idempotency::{Recorded, once};
use crate::api::json::filing::{Filing, ReportIn};
use crate::api::problem::Problem;
use crate::api::state::Shared;
use crate::clock;

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
        let (dry_run, confirmed) = (report.dry_run, report.confirm_benign);
        if report.row.is_some() {
            return Err(Problem::invalid("row", "it belongs to a batch that names an import"));
        }
        let draft = Draft::try_from(report)?;
        if dry_run {
            let answers = desk.dry_run(&draft, &agreements)?;
            let benign = draft.indicator.as_ref().map(|(indicator, _)| desk.benign(indicator)).unwrap_or_default();
            return Ok((StatusCode::OK, Filing::dry(&desk.book(), clock::now(), answers, benign)));
        }
        let filed = desk.file(&[draft], &agreements, seed, confirmed)?.pop().expect("one report has one result")?;
        Ok((StatusCode::CREATED, Filing::of(&desk.book(), &filed)))
    })
    .await
}
