//! `POST /v1/lookups`: many lookups, answered as they are made, one a line.
//!
//! The answer is made piece by piece while the client reads it, so that neither a list of 10,000 addresses nor a slow
//! reader costs more memory than the list and one piece.

use axum::body::{Body as Stream, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use entente_protocol::address::Address;
use futures::stream;
use std::sync::Arc;

use crate::api::blocking::blocking;
use crate::api::extract::{Body, note_reading};
use crate::api::json::lookup::{Lookup, LookupsIn};
use crate::api::limits;
use crate::api::problem::{Problem, Slug};
use crate::api::state::Shared;
use crate::desk::{Desk, DeskError};

/// Addresses answered in one piece: long enough to pay for the change of thread, short enough to be soon.
const PIECE: usize = 256;

/// Look up at most 10,000 addresses: one answer a line, in their order.
#[utoipa::path(
    post, path = "/v1/lookups", tag = "lookups", operation_id = "lookups", request_body = LookupsIn,
    responses((
        status = 200, description = "One JSON object a line, in the order of the addresses. An answer that ends \
            early was broken off by a failure.",
        content_type = "application/x-ndjson", body = Lookup
    ))
)]
pub(crate) async fn lookups(State(api): State<Shared>, Body(list): Body<LookupsIn>) -> Result<Response, Problem> {
    note_reading(list.case.as_deref(), list.reason.as_deref())?;
    if list.addresses.len() > limits::LOOKUPS {
        let detail = format!("{} addresses, at most {} are taken at once", list.addresses.len(), limits::LOOKUPS);
        return Err(Problem::new(Slug::TooLarge, detail));
    }
    let place = Arc::clone(&api.lists)
        .try_acquire_owned()
        .map_err(|_| Problem::new(Slug::Busy, format!("{} lists are being looked up", limits::LISTS)))?;
    // The first piece comes before the status, so that a store that does not work is told as a problem.
    let mut rest = list.addresses;
    let first = piece(&api, &mut rest).await?;
    let more = stream::try_unfold((api, rest, place), |(api, mut rest, place)| async move {
        if rest.is_empty() {
            return Ok::<_, BrokenOff>(None);
        }
        let bytes = piece(&api, &mut rest).await.map_err(|_| BrokenOff)?;
        Ok(Some((bytes, (api, rest, place))))
    });
    let first = stream::iter([Ok(first)]);
    let body = Stream::from_stream(futures::StreamExt::chain(first, more));
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"))], body).into_response())
}

/// The rest of an answer cannot be made; the connection is closed, so that its end is not taken for the whole.
#[derive(Debug, thiserror::Error)]
#[error("a lookup failed in the middle of an answer")]
struct BrokenOff;

/// Answers the next addresses.
async fn piece(api: &Shared, rest: &mut Vec<String>) -> Result<Bytes, Problem> {
    let later = rest.split_off(PIECE.min(rest.len()));
    let now = std::mem::replace(rest, later);
    blocking(api, move |desk| look_up(desk, now)).await
}

fn look_up(desk: &Desk, inputs: Vec<String>) -> Result<Bytes, DeskError> {
    let book = desk.book();
    let mut lines = Vec::new();
    for input in inputs {
        let answer = match Address::parse(&input) {
            Ok(address) => Lookup::of(&book, input, &address, desk.lookup(&address)?),
            Err(error) => Lookup::no_address(input, &error),
        };
        serde_json::to_writer(&mut lines, &answer).expect("answers have text, numbers and lists only");
        lines.push(b'\n');
    }
    Ok(lines.into())
}
