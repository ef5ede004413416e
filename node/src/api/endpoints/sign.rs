//! `POST /v1/agreements/{id}/signature`: sign an agreement.

use axum::extract::State;
use axum::http::StatusCode;

use crate::api::extract::{Segment, Write};
use crate::api::idempotency::{Recorded, once};
use crate::api::json::agreement::{Answer, SignatureInput};
use crate::api::problem::Problem;
use crate::api::state::Shared;
use crate::desk::Desk;

/// Sign the version named, or the only one that waits for an answer; repeating it changes nothing.
#[utoipa::path(
    post, path = "/v1/agreements/{id}/signature", tag = "agreements", operation_id = "sign",
    params(("id" = String, Path, description = "The agreement's id, or the beginning of it, at least 8 digits.")),
    request_body = SignatureInput,
    responses((status = 200, description = "It is signed.", body = Answer))
)]
pub(crate) async fn sign(
    State(api): State<Shared>,
    Segment(id): Segment,
    write: Write<SignatureInput>,
) -> Result<Recorded, Problem> {
    let sign = move |desk: &Desk, input: SignatureInput, _| {
        Ok((StatusCode::OK, Answer::from(desk.sign(&id, input.version()?)?)))
    };
    once(&api, write, sign).await
}
