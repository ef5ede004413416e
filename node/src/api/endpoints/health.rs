//! `GET /healthz`: the process is alive.

/// The process is alive.
#[utoipa::path(
    get, path = "/healthz", tag = "node", operation_id = "healthz",
    responses((status = 200, description = "`ok`.", content_type = "text/plain", body = String))
)]
pub(crate) async fn health() -> &'static str {
    "ok"
}
