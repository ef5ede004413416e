//! `POST /v1/agreements`: propose an agreement, or a new version of one.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use crate::api::extract::Write;
use crate::api::idempotency::{Recorded, once};
use crate::api::json::agreement::{Foretold, Proposed};
use crate::api::json::terms::Terms;
use crate::api::problem::Problem;
use crate::api::state::Shared;
use crate::desk::TermsInput;

/// Propose an agreement, or a new version of one; this also signs it for this agency. With `dry_run`, tell what it would
/// say.
#[utoipa::path(
    post, path = "/v1/agreements", tag = "agreements", operation_id = "propose", request_body = Terms,
    responses(
        (status = 201, description = "It is proposed, and sent to its parties.", body = Proposed),
        (status = 200, description = "A dry run: nothing was signed.", body = Foretold),
    )
)]
pub(crate) async fn propose(State(api): State<Shared>, write: Write<Terms>) -> Result<Recorded, Problem> {
    once(&api, write, |desk, terms, _| {
        if terms.dry_run {
            let foretold = desk.foretell(&TermsInput::try_from(terms)?)?;
            return Ok((StatusCode::OK, Either::Dry(Foretold::from(foretold))));
        }
        let view = desk.propose(&TermsInput::try_from(terms)?)?;
        Ok((StatusCode::CREATED, Either::Done(Box::new(Proposed::from(view)))))
    })
    .await
}

#[derive(Serialize)]
#[serde(untagged)]
enum Either {
    Done(Box<Proposed>),
    Dry(Foretold),
}
