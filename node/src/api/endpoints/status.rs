//! `GET /v1/status`: how the node is.

use axum::Json;
use axum::extract::State;

use crate::api::blocking::blocking;
use crate::api::extract::{Read, Why};
use crate::api::json::status::Status;
use crate::api::problem::Problem;
use crate::api::state::Shared;
use crate::desk::DeskError;

/// How the node is.
#[utoipa::path(
    get, path = "/v1/status", tag = "node", operation_id = "status", params(Why),
    responses((status = 200, description = "How the node is.", body = Status))
)]
pub(crate) async fn status(State(api): State<Shared>, _: Read<Why>) -> Result<Json<Status>, Problem> {
    let (us, view, partners) = blocking(&api, |desk| {
        Ok::<_, DeskError>((desk.agency_view(desk.me().agency)?, desk.status(), desk.book().partners().len()))
    })
    .await?;
    Ok(Json(Status::of(&api, us, &view, partners)))
}
