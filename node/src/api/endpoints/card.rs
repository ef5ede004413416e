//! `GET /v1/card`: the own card.

use axum::Json;
use axum::extract::State;

use crate::api::blocking::blocking;
use crate::api::extract::{Read, Why};
use crate::api::json::agency::OwnCard;
use crate::api::problem::Problem;
use crate::api::state::Shared;
use crate::desk::DeskError;

/// The own card, and its file for partners.
#[utoipa::path(
    get, path = "/v1/card", tag = "agencies", operation_id = "card", params(Why),
    responses((status = 200, description = "The own card.", body = OwnCard))
)]
pub(crate) async fn card(State(api): State<Shared>, _: Read<Why>) -> Result<Json<OwnCard>, Problem> {
    let (view, export) =
        blocking(&api, |desk| Ok::<_, DeskError>((desk.agency_view(desk.me().agency)?, desk.own_export()?))).await?;
    Ok(Json(OwnCard { agency: view.into(), export }))
}
