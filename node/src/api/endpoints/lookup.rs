//! `GET /v1/addresses/{address}`: what is known of an address. The hottest path of the API.
//!
//! A lookup is two or three reads of some 10 us, about what handing it to another thread and back would cost, and waits
//! for no writer. So it runs where the request is. What a cold page of the journal costs, the other workers of the
//! runtime bear.

use axum::Json;
use axum::extract::State;
use entente_protocol::address::Address;

use crate::api::extract::{Read, Segment, Why};
use crate::api::json::lookup::Lookup;
use crate::api::problem::Problem;
use crate::api::state::Shared;

/// What all partners, and this agency, say of an address.
#[utoipa::path(
    get, path = "/v1/addresses/{address}", tag = "lookups", operation_id = "lookup",
    params(("address" = String, Path, description = "CAIP-10, or chain and address with a colon; percent-encoded."), Why),
    responses((status = 200, description = "What is known; an empty list where nothing is.", body = Lookup))
)]
pub(crate) async fn lookup(
    State(api): State<Shared>,
    Segment(input): Segment,
    _: Read<Why>,
) -> Result<Json<Lookup>, Problem> {
    let address = Address::parse(&input).map_err(|error| Problem::invalid("address", error))?;
    let answer = api.desk.lookup(&address)?;
    Ok(Json(Lookup::of(&api.desk.book(), input, &address, answer)))
}
