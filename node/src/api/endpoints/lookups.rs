//! `POST /v1/lookups`: many lookups, answered as they are made, one a line.
//!
//! The answer is made piece by piece while the client reads it, so that neither a list of 100,000 addresses nor a slow
//! reader costs more memory than the list and one piece.

use axum::body::{Body as Stream, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use entente_protocol::indicator::examine;
use futures::stream;
use serde::Serialize;
use std::sync::Arc;
use std::vec::IntoIter;

use crate::api::blocking::blocking;
use crate::api::extract::{Body, note_reading};
use crate::api::json::lookup::{Counts, Lookup, LookupsIn, Outcome};
use crate::api::limits;
use crate::api::problem::{Problem, Slug};
use crate::api::state::Shared;
use crate::desk::{Desk, DeskError};

/// Addresses answered in one piece: long enough to pay for the change of thread, short enough to be soon.
const PIECE: usize = 256;

/// Look up at most 100,000 addresses and other indicators: one answer a line, in their order.
#[utoipa::path(
    post, path = "/v1/lookups", tag = "lookups", operation_id = "lookups", request_body = LookupsIn,
    responses((
        status = 200, description = "One JSON object a line, in the order of the addresses, and at the end one with \
            the counts of their outcomes (`lookups`, `known`, `unknown`, `ambiguous`, `invalid`). An answer without \
            it was broken off by a failure.",
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
    let mut rest = list.addresses.into_iter();
    let mut counts = Counts::default();
    let first = piece(&api, &mut rest, &mut counts).await?;
    let more = stream::try_unfold(Some((api, rest, counts, place)), |state| async move {
        let Some((api, mut rest, mut counts, place)) = state else { return Ok::<_, BrokenOff>(None) };
        if rest.len() == 0 {
            return Ok(Some((line(&counts), None)));
        }
        let bytes = piece(&api, &mut rest, &mut counts).await.map_err(|_| BrokenOff)?;
        Ok(Some((bytes, Some((api, rest, counts, place)))))
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
async fn piece(api: &Shared, rest: &mut IntoIter<String>, counts: &mut Counts) -> Result<Bytes, Problem> {
    let now: Vec<String> = rest.take(PIECE).collect();
    let (bytes, outcomes) = blocking(api, move |desk| look_up(desk, now)).await?;
    for outcome in outcomes {
        counts.add(outcome);
    }
    Ok(bytes)
}

fn look_up(desk: &Desk, inputs: Vec<String>) -> Result<(Bytes, Vec<Outcome>), DeskError> {
    let book = desk.book();
    let mut lines = Vec::new();
    let mut outcomes = Vec::with_capacity(inputs.len());
    for input in inputs {
        let examined = examine(&input);
        let answer = if let Some(error) = &examined.refused {
            Lookup::nothing(input, error)
        } else {
            let answer = desk.lookup_any(examined.readings.iter().map(|reading| &reading.indicator))?;
            Lookup::of(&book, input, &examined, answer)
        };
        outcomes.push(answer.outcome());
        lines.extend_from_slice(&line(&answer));
    }
    Ok((lines.into(), outcomes))
}

fn line(value: &impl Serialize) -> Bytes {
    let mut line = serde_json::to_vec(value).expect("answers have text, numbers and lists only");
    line.push(b'\n');
    line.into()
}
