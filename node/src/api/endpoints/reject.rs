//! `POST /v1/agreements/{id}/rejection`: reject an agreement.

use axum::extract::State;
use axum::http::StatusCode;

use crate::api::extract::{Segment, Write};
use crate::api::idempotency::{Recorded, once};
use crate::api::json::agreement::{Answer, ReasonInput};
use crate::api::problem::Problem;
use crate::api::state::Shared;

/// Reject the newest version of an agreement that can still be answered; its parties read the reason.
#[utoipa::path(
    post, path = "/v1/agreements/{id}/rejection", tag = "agreements", operation_id = "reject",
    params(("id" = String, Path, description = "The agreement's id, or the beginning of it, at least 8 digits.")),
    request_body = ReasonInput,
    responses((status = 200, description = "It is rejected.", body = Answer))
)]
pub(crate) async fn reject(
    State(api): State<Shared>,
    Segment(id): Segment,
    write: Write<ReasonInput>,
) -> Result<Recorded, Problem> {
    once(&api, write, move |desk, input, _| Ok((StatusCode::OK, Answer::from(desk.reject(&id, &input.reason)?)))).await
}
