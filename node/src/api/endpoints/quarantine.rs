//! `GET /v1/quarantine`: what came in and was not admitted.

use axum::Json;
use axum::extract::State;

use crate::api::blocking::blocking;
use crate::api::extract::{Paging, Read};
use crate::api::json::Page;
use crate::api::json::quarantine::Quarantined;
use crate::api::problem::Problem;
use crate::api::state::Shared;

/// What was refused, or is held until more is known; no lookup finds it.
#[utoipa::path(
    get, path = "/v1/quarantine", tag = "node", operation_id = "quarantine", params(Paging),
    responses((status = 200, description = "A page of statements that were not admitted.", body = Page<Quarantined>))
)]
pub(crate) async fn quarantine(
    State(api): State<Shared>,
    Read(paging): Read<Paging>,
) -> Result<Json<Page<Quarantined>>, Problem> {
    let after = paging.after_bytes()?;
    let limit = paging.limit.items();
    let (rows, next) = blocking(&api, move |desk| desk.quarantine(after, limit)).await?;
    let book = api.desk.book();
    let items = rows.iter().map(|row| Quarantined::of(&book, row)).collect();
    Ok(Json(Page { items, next: next.map(hex::encode) }))
}
