//! `POST /v1/reports/{id}/revisions`: replace an own report by a newer revision.

use axum::extract::State;
use axum::http::StatusCode;
use entente_protocol::id::ReportId;
use entente_protocol::statement::draft::Draft;

use crate::api::extract::{Segment, Write};
use crate::api::idempotency::{Recorded, once};
use crate::api::json::filing::{Revised, RevisionIn};
use crate::api::problem::Problem;
use crate::api::state::Shared;

/// Replace an own report by a newer revision, under every agreement that it was filed under.
#[utoipa::path(
    post, path = "/v1/reports/{id}/revisions", tag = "reports", operation_id = "revise",
    params(("id" = String, Path, description = "The report's id, 32 hexadecimal digits.")),
    request_body = RevisionIn,
    responses((status = 200, description = "It is revised.", body = Revised))
)]
pub(crate) async fn revise(
    State(api): State<Shared>,
    Segment(id): Segment,
    write: Write<RevisionIn>,
) -> Result<Recorded, Problem> {
    let id = report_id(&id)?;
    once(&api, write, move |desk, change, _| {
        let filed = desk.revise(id, &Draft::try_from(change)?)?;
        Ok((StatusCode::OK, Revised::from(filed)))
    })
    .await
}

/// The report that a path names.
pub(super) fn report_id(text: &str) -> Result<ReportId, Problem> {
    text.parse().map_err(|error| Problem::invalid("id", error))
}
