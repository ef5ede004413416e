//! `GET /v1/agreements`: all agreements, proposed ones included.

use axum::Json;
use axum::extract::State;

use crate::api::blocking::blocking;
use crate::api::extract::{Paging, Read};
use crate::api::json::Page;
use crate::api::json::agreement::Agreement;
use crate::api::problem::Problem;
use crate::api::state::Shared;

/// All agreements, proposed ones included, by id.
#[utoipa::path(
    get, path = "/v1/agreements", tag = "agreements", operation_id = "agreements", params(Paging),
    responses((status = 200, description = "A page of agreements.", body = Page<Agreement>))
)]
pub(crate) async fn agreements(
    State(api): State<Shared>,
    Read(paging): Read<Paging>,
) -> Result<Json<Page<Agreement>>, Problem> {
    let views = blocking(&api, |desk| Ok::<_, Problem>(desk.agreements())).await?;
    let agreements = views.into_iter().map(Agreement::from).collect();
    Ok(Json(Page::cut(agreements, &paging, |agreement| &agreement.id)))
}
