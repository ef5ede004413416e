//! `GET /v1/agencies/{id}`: one agency.

use axum::Json;
use axum::extract::State;

use crate::api::blocking::blocking;
use crate::api::extract::{Read, Segment, Why};
use crate::api::json::agency::Agency;
use crate::api::problem::Problem;
use crate::api::state::Shared;

/// One agency.
#[utoipa::path(
    get, path = "/v1/agencies/{id}", tag = "agencies", operation_id = "agency",
    params(("id" = String, Path, description = "Its id, or a name that only one known agency has."), Why),
    responses((status = 200, description = "The agency.", body = Agency))
)]
pub(crate) async fn agency(
    State(api): State<Shared>,
    Segment(id): Segment,
    _: Read<Why>,
) -> Result<Json<Agency>, Problem> {
    let view = blocking(&api, move |desk| {
        let agency = desk.book().find_agency(&id)?;
        desk.agency_view(agency)
    });
    Ok(Json(view.await.map(Agency::from)?))
}
