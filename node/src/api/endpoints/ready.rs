//! `GET /readyz`: the node can do all of its work.

use axum::Json;
use axum::extract::State;

use crate::api::json::status::{Ready, not_ready};
use crate::api::problem::{Problem, Slug};
use crate::api::state::Shared;

/// The node can do all of its work, or what is not ready.
#[utoipa::path(
    get, path = "/readyz", tag = "node", operation_id = "readyz",
    responses(
        (status = 200, description = "The node is ready.", body = Ready),
        (status = 503, description = "What is not ready.", content_type = "application/problem+json", body = Problem),
    )
)]
pub(crate) async fn ready(State(api): State<Shared>) -> Result<Json<Ready>, Problem> {
    match not_ready(&api.desk.store().health(), &api.connections.now()) {
        None => Ok(Json(Ready { ready: true })),
        Some(what) => Err(Problem::new(Slug::NotReady, what)),
    }
}
