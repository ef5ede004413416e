//! The local API: what this machine's people and programs may ask of the desk, over HTTP on loopback.
//!
//! ```text
//!   connection ─▶ headers, log ─▶ panic ─▶ place, deadline ─▶ route ─▶ token ─▶ handler ─▶ desk
//! ```
//!
//! The router below is a table without logic; each endpoint has one file under `endpoints/`, and the OpenAPI document
//! is made from the same table. This folder alone names axum and utoipa.
//!
//! Deliberately absent: TLS and users. Whoever needs either puts the agency's own proxy before it.

mod auth;
mod blocking;
mod connection;
mod endpoints;
mod extract;
mod idempotency;
mod json;
mod limits;
mod metrics;
mod openapi;
mod problem;
mod state;
mod strict;

use std::io;
use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse;
use axum::{Extension, Router};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use auth::hash_token;
pub use state::{ApiState, Connections, ConnectionsView};

use endpoints::{
    agencies, agency, agreement, agreements, benign, bundles, card, dry_run, file_report, file_reports, health, held,
    import_card, lookup, lookups, own_reports, peers, propose, quarantine, ready, reject, report, retention, retract,
    revise, sign, status, vocabularies, withdraw,
};
use problem::{Problem, Slug};
use state::Shared;

/// Endpoints that need no token.
fn open() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(health::health))
        .routes(routes!(ready::ready))
        .routes(routes!(openapi::document))
}

/// The metrics, which need one unless configured otherwise.
fn metered() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(metrics::metrics))
}

/// Endpoints that need a token.
fn guarded() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(status::status))
        .routes(routes!(card::card))
        .routes(routes!(import_card::import_card))
        .routes(routes!(agencies::agencies))
        .routes(routes!(agency::agency))
        .routes(routes!(agreements::agreements, propose::propose))
        .routes(routes!(agreement::agreement))
        .routes(routes!(sign::sign))
        .routes(routes!(reject::reject))
        .routes(routes!(withdraw::withdraw))
        .routes(routes!(dry_run::dry_run))
        .routes(routes!(bundles::begin))
        .routes(routes!(bundles::part))
        .routes(routes!(bundles::take))
        .routes(routes!(own_reports::own_reports, file_report::file_report))
        .routes(routes!(file_reports::file_reports))
        .routes(routes!(report::report))
        .routes(routes!(revise::revise))
        .routes(routes!(retract::retract))
        .routes(routes!(lookup::lookup))
        .routes(routes!(lookup::lookup_indicator))
        .routes(routes!(held::held))
        .routes(routes!(benign::lists, benign::load))
        .routes(routes!(benign::remove))
        .routes(routes!(vocabularies::vocabularies))
        .routes(routes!(lookups::lookups))
        .routes(routes!(peers::peers))
        .routes(routes!(quarantine::quarantine))
        .routes(routes!(retention::retention))
}

/// The whole API.
pub fn router(state: Arc<ApiState>) -> Router {
    let guard = from_fn_with_state(Arc::clone(&state), auth::require_token);
    let meter = from_fn_with_state(Arc::clone(&state), auth::guard_metrics);
    let (routes, document) = OpenApiRouter::with_openapi(openapi::frame())
        .merge(open())
        .merge(metered().route_layer(meter))
        .merge(guarded().route_layer(guard))
        .split_for_parts();
    routes
        .fallback(async || Problem::new(Slug::NotFound, "there is no such path"))
        .method_not_allowed_fallback(async || Problem::new(Slug::NotAllowed, "this path does not take this method"))
        .layer(DefaultBodyLimit::max(limits::BODY_BYTES))
        .layer(Extension(openapi::Document::of(document)))
        .layer(from_fn_with_state(Arc::clone(&state), limits::bound))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(Arc::clone(&state), limits::watch))
        .layer(from_fn(limits::harden))
        .with_state(state)
}

/// Serves the API until `stop` is cancelled; requests under way are then given a moment to end.
pub async fn serve(listener: TcpListener, state: Arc<ApiState>, stop: CancellationToken) -> io::Result<()> {
    let server = axum::serve(connection::Door::new(listener), router(state))
        .with_graceful_shutdown(stop.clone().cancelled_owned());
    let late = async {
        stop.cancelled().await;
        tokio::time::sleep(limits::DRAIN).await;
    };
    tokio::select! {
        ended = server => ended,
        () = late => {
            tracing::warn!("requests were cut off at the end of the time to finish them");
            Ok(())
        }
    }
}

/// The panic itself was told by the panic hook; it may name what must not be logged here.
fn panicked(_: Box<dyn std::any::Any + Send>) -> axum::response::Response {
    Problem::panicked().into_response()
}
