//! `/v1/benign`: the lists that say who an address is anyway.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use entente_protocol::indicator::{Indicator, examine};

use crate::api::blocking::blocking;
use crate::api::extract::{Read, Segment, Why, Write};
use crate::api::idempotency::{Recorded, once};
use crate::api::json::benign::{BenignIn, BenignTaken, EntryIn, List, Lists};
use crate::api::json::read_time;
use crate::api::limits;
use crate::api::problem::{Problem, Slug};
use crate::api::state::Shared;
use crate::desk::BenignPart;

/// The lists that are kept.
#[utoipa::path(
    get, path = "/v1/benign", tag = "benign", operation_id = "benign_lists", params(Why),
    responses((status = 200, description = "All lists.", body = Lists))
)]
pub(crate) async fn lists(State(api): State<Shared>, _: Read<Why>) -> Json<Lists> {
    Json(Lists { items: api.desk.benign_lists().into_iter().map(List::from).collect() })
}

/// Load a list, part by part; it takes effect, in the place of one of its name, with the last part.
#[utoipa::path(
    post, path = "/v1/benign", tag = "benign", operation_id = "load_benign", request_body = BenignIn,
    responses((status = 200, description = "The part is kept.", body = BenignTaken))
)]
pub(crate) async fn load(State(api): State<Shared>, write: Write<BenignIn>) -> Result<Recorded, Problem> {
    once(&api, write, |desk, part, _| {
        if part.entries.len() > limits::BENIGN {
            let detail = format!("{} entries, at most {} are taken at once", part.entries.len(), limits::BENIGN);
            return Err(Problem::new(Slug::TooLarge, detail));
        }
        let entries = part.entries.into_iter().enumerate().map(|(place, entry)| self::entry(place, entry));
        let part = BenignPart {
            entries: entries.collect::<Result<_, _>>()?,
            date: part.date.as_deref().map(|date| read_time("date", date)).transpose()?,
            name: part.name,
            source: part.source,
            edition: part.edition,
            last: part.last,
        };
        Ok((StatusCode::OK, BenignTaken { entries: desk.load_benign(&part)? }))
    })
    .await
}

/// Of what may be on several chains, the likeliest is taken: a list is no claim, and a lookup shows as what it was listed.
fn entry(place: usize, entry: EntryIn) -> Result<(Indicator, String), Problem> {
    let examined = examine(&entry.indicator);
    match (examined.refused, examined.readings.into_iter().next()) {
        (None, Some(reading)) => Ok((reading.indicator, entry.label)),
        (Some(error), _) => Err(Problem::invalid(&format!("entries[{place}].indicator"), error)),
        (None, None) => Err(Problem::invalid(&format!("entries[{place}].indicator"), "nothing is given")),
    }
}

/// Forget a list.
#[utoipa::path(
    delete, path = "/v1/benign/{name}", tag = "benign", operation_id = "remove_benign",
    params(("name" = String, Path, description = "The list's name.")),
    responses((status = 200, description = "It is gone; this is what it was.", body = List))
)]
pub(crate) async fn remove(State(api): State<Shared>, Segment(name): Segment) -> Result<Json<List>, Problem> {
    blocking(&api, move |desk| desk.remove_benign(&name)).await.map(|list| Json(list.into()))
}
