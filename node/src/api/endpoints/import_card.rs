//! `POST /v1/cards`: import a partner's card, and pin its agency.

use axum::extract::State;
use axum::http::StatusCode;

use crate::api::extract::Write;
use crate::api::idempotency::{Recorded, once};
use crate::api::json::agency::{CardInput, Imported};
use crate::api::problem::{Problem, Slug};
use crate::api::state::Shared;

/// Import a partner's card file, and pin its agency.
///
/// The fingerprint is what the agency read out over a phone number known from elsewhere; without it, or where it is
/// another, nothing is imported.
#[utoipa::path(
    post, path = "/v1/cards", tag = "agencies", operation_id = "import_card", request_body = CardInput,
    responses((status = 200, description = "The agency is pinned.", body = Imported))
)]
pub(crate) async fn import_card(State(api): State<Shared>, write: Write<CardInput>) -> Result<Recorded, Problem> {
    once(&api, write, |desk, input, _| {
        if input.vouched {
            return Err(Problem::new(
                Slug::Refused,
                "an agency is vouched for by a partner's proposal, not by its card",
            ));
        }
        let Some(fingerprint) = input.fingerprint else {
            return Err(Problem::new(
                Slug::Refused,
                "a card is imported only with the fingerprint that its agency told",
            )
            .hint("call the agency on a number known from elsewhere, and give the words that it reads out"));
        };
        let agency = desk.import_card(&input.card, &fingerprint)?;
        Ok((StatusCode::OK, Imported { id: agency.agency.to_string(), agency: agency.into() }))
    })
    .await
}
