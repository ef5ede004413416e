//! `POST /v1/reports/{id}/retraction`: withdraw an own report from everyone who holds it.

use axum::extract::State;
use axum::http::StatusCode;

use super::revise::report_id;
use crate::api::extract::{Segment, Write};
use crate::api::idempotency::{Recorded, once};
use crate::api::json::agreement::ReasonInput;
use crate::api::json::filing::Withdrawn;
use crate::api::problem::Problem;
use crate::api::state::Shared;

/// Withdraw an own report from everyone who holds it; the holders read the reason. This cannot be undone.
#[utoipa::path(
    post, path = "/v1/reports/{id}/retraction", tag = "reports", operation_id = "retract",
    params(("id" = String, Path, description = "The report's id, 32 hexadecimal digits.")),
    request_body = ReasonInput,
    responses((status = 200, description = "It is withdrawn; holders confirm in their receipts.", body = Withdrawn))
)]
pub(crate) async fn retract(
    State(api): State<Shared>,
    Segment(id): Segment,
    write: Write<ReasonInput>,
) -> Result<Recorded, Problem> {
    let id = report_id(&id)?;
    once(&api, write, move |desk, input, _| {
        let retracted = desk.retract(id, &input.reason)?;
        Ok((StatusCode::OK, Withdrawn::of(&desk.book(), &retracted)))
    })
    .await
}
