//! `GET /v1/agreements/{id}`: one agreement.

use axum::Json;
use axum::extract::State;

use crate::api::blocking::blocking;
use crate::api::extract::{Read, Segment, Why};
use crate::api::json::agreement::Agreement;
use crate::api::problem::Problem;
use crate::api::state::Shared;

/// One version of an agreement: the one named by its hash, or else the one in force, or the newest there is.
#[utoipa::path(
    get, path = "/v1/agreements/{id}", tag = "agreements", operation_id = "agreement",
    params(("id" = String, Path, description = "Its id, or a version's hash, or the beginning of one, at least 8 digits."), Why),
    responses((status = 200, description = "The agreement.", body = Agreement))
)]
pub(crate) async fn agreement(
    State(api): State<Shared>,
    Segment(id): Segment,
    _: Read<Why>,
) -> Result<Json<Agreement>, Problem> {
    Ok(Json(blocking(&api, move |desk| desk.agreement(&id)).await?.into()))
}
