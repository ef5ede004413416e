//! `POST /v1/agreements/{id}/withdrawal`: leave an agreement.

use axum::extract::State;
use axum::http::StatusCode;

use crate::api::extract::{Segment, Write};
use crate::api::idempotency::{Recorded, once};
use crate::api::json::agreement::{Answer, ReasonInput};
use crate::api::problem::Problem;
use crate::api::state::Shared;
use crate::desk::Desk;

/// Leave an agreement: nothing more is published or received under it here. It needs nobody's consent; repeating it
/// changes nothing.
#[utoipa::path(
    post, path = "/v1/agreements/{id}/withdrawal", tag = "agreements", operation_id = "withdraw",
    params(("id" = String, Path, description = "The agreement's id, or the beginning of it, at least 8 digits.")),
    request_body = ReasonInput,
    responses((status = 200, description = "This agency has left.", body = Answer))
)]
pub(crate) async fn withdraw(
    State(api): State<Shared>,
    Segment(id): Segment,
    write: Write<ReasonInput>,
) -> Result<Recorded, Problem> {
    let withdraw = move |desk: &Desk, input: ReasonInput, _| {
        Ok((StatusCode::OK, Answer::from(desk.withdraw(&id, &input.reason)?)))
    };
    once(&api, write, withdraw).await
}
