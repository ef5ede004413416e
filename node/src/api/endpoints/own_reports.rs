//! `GET /v1/reports`: this agency's own reports.

use axum::Json;
use axum::extract::State;

use crate::api::blocking::blocking;
use crate::api::extract::{Paging, Read};
use crate::api::json::Page;
use crate::api::json::report::Report;
use crate::api::problem::Problem;
use crate::api::state::Shared;

/// This agency's own reports; newest first within a page.
#[utoipa::path(
    get, path = "/v1/reports", tag = "reports", operation_id = "own_reports", params(Paging),
    responses((status = 200, description = "A page of own reports.", body = Page<Report>))
)]
pub(crate) async fn own_reports(
    State(api): State<Shared>,
    Read(paging): Read<Paging>,
) -> Result<Json<Page<Report>>, Problem> {
    let after = paging.after_bytes()?;
    let limit = paging.limit.items();
    let (views, next) = blocking(&api, move |desk| desk.own_reports(after, limit)).await?;
    let book = api.desk.book();
    let items = views.into_iter().map(|view| Report::live(&book, view)).collect();
    Ok(Json(Page { items, next: next.map(hex::encode) }))
}
