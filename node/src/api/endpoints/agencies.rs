//! `GET /v1/agencies`: all agencies that are known here.

use axum::Json;
use axum::extract::State;

use crate::api::blocking::blocking;
use crate::api::extract::{Paging, Read};
use crate::api::json::Page;
use crate::api::json::agency::Agency;
use crate::api::problem::Problem;
use crate::api::state::Shared;

/// All agencies that are known here, by id.
#[utoipa::path(
    get, path = "/v1/agencies", tag = "agencies", operation_id = "agencies", params(Paging),
    responses((status = 200, description = "A page of agencies.", body = Page<Agency>))
)]
pub(crate) async fn agencies(
    State(api): State<Shared>,
    Read(paging): Read<Paging>,
) -> Result<Json<Page<Agency>>, Problem> {
    let views = blocking(&api, |desk| Ok::<_, Problem>(desk.agencies())).await?;
    let agencies = views.into_iter().map(Agency::from).collect();
    Ok(Json(Page::cut(agencies, &paging, |agency| &agency.id)))
}
