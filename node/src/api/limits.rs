//! How much one client may ask of the API, and what surrounds every request: headers, a deadline, a place among few.

use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use super::problem::{Problem, Slug};
use super::state::Shared;
use crate::clock;

/// A request's body: 500 reports with long narratives, or 100,000 addresses.
pub(super) const BODY_BYTES: usize = 16 << 20;
/// Connections at a time; further ones wait to be accepted.
pub(super) const CONNECTIONS: usize = 512;
/// How long a connection may stand still, longer than any request may take.
pub(super) const IDLE: Duration = Duration::from_secs(90);
/// Requests at a time: half of the threads that tokio keeps for work that waits.
pub(super) const REQUESTS: usize = 256;
/// Lists of lookups that are answered at a time; each holds up to 100,000 addresses.
pub(super) const LISTS: usize = 16;
/// How long a request may take, before its answer begins.
pub(super) const REQUEST: Duration = Duration::from_mins(1);
/// How long requests under way may take once the node stops.
pub(super) const DRAIN: Duration = Duration::from_secs(10);
/// Items in one page of a list.
pub(super) const PAGE: usize = 500;
/// Items in a page where the client says nothing.
pub(super) const PAGE_DEFAULT: usize = 100;
/// A cursor, characters: the names of the largest things that are listed.
pub(super) const CURSOR_CHARS: usize = 1024;
/// A case or reason of a reading call, characters.
pub(super) const REASON_CHARS: usize = 200;
/// Reports in one batch.
pub(super) const REPORTS: usize = 500;
/// Addresses in one list of lookups.
pub(super) const LOOKUPS: usize = 100_000;
/// The name of an import source, or of a row of it, bytes.
pub(super) const SOURCE_BYTES: usize = 512;
/// Entries in one part of a benign list.
pub(super) const BENIGN: usize = 5000;

/// Nothing of the API is to be cached, sniffed, framed, or run.
const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

/// Adds the headers that every answer has.
pub(super) async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, value);
    }
    response
}

/// Counts and logs a request by its route, which names no address and no report.
pub(super) async fn watch(State(api): State<Shared>, request: Request, next: Next) -> Response {
    let began = clock::monotonic();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let took = clock::monotonic().saturating_duration_since(began);
    let status = response.status().as_u16();
    api.counted.add(status, took);
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    tracing::debug!(%method, route, status, took_us = took.as_micros(), "answered");
    response
}

/// Gives a request its place, and an end.
pub(super) async fn bound(State(api): State<Shared>, request: Request, next: Next) -> Result<Response, Problem> {
    let Ok(_place) = api.requests.try_acquire() else {
        return Err(Problem::new(Slug::Busy, format!("{REQUESTS} requests are under way")));
    };
    tokio::time::timeout(REQUEST, next.run(request)).await.map_err(|_| {
        let seconds = REQUEST.as_secs();
        Problem::new(Slug::Busy, format!("no answer within {seconds} s; what was asked may still be done"))
            .hint("repeat it with the same Idempotency-Key")
    })
}
