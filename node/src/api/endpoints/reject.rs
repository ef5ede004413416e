//! `POST /v1/agreements/{id}/rejection`: reject an agreement.

use axum::extract::State;
use axum::http::StatusCode;

use crate::api::extract::{Segment, Write};
use crate::api::idempotency::{Recorded, once};
use crate::api::json::agreement::{Answer, RejectionInput};
use crate::api::problem::Problem;
use crate::api::state::Shared;
use crate::desk::Desk;

/// Reject the version named, or the only one that waits for an answer; its parties read the reason.
#[utoipa::path(
    post, path = "/v1/agreements/{id}/rejection", tag = "agreements", operation_id = "reject",
    params(("id" = String, Path, description = "The agreement's id, or the beginning of it, at least 8 digits.")),
    request_body = RejectionInput,
    responses((status = 200, description = "It is rejected.", body = Answer))
)]
pub(crate) async fn reject(
    State(api): State<Shared>,
    Segment(id): Segment,
    write: Write<RejectionInput>,
) -> Result<Recorded, Problem> {
    let reject = move |desk: &Desk, input: RejectionInput, _| {
        Ok((StatusCode::OK, Answer::from(desk.reject(&id, input.version()?, &input.reason)?)))
    };
    once(&api, write, reject).await
}
