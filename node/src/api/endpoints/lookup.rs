//! `GET /v1/addresses/{address}` and `GET /v1/indicators/{indicator}`: what is known of one. The hottest path of the API.
//!
//! A lookup is two or three reads of some 10 us, about what handing it to another thread and back would cost, and waits
//! for no writer. So it runs where the request is. What a cold page of the journal costs, the other workers of the
//! runtime bear.

use axum::Json;
use axum::extract::State;
use entente_protocol::address;
use entente_protocol::indicator::{Examined, examine};

use crate::api::extract::{Read, Segment, Why};
use crate::api::json::lookup::Lookup;
use crate::api::problem::Problem;
use crate::api::state::{ApiState, Shared};

/// What all partners, and this agency, say of an address.
#[utoipa::path(
    get, path = "/v1/addresses/{address}", tag = "lookups", operation_id = "lookup",
    params((
        "address" = String, Path,
        description = "CAIP-10, chain and address with a colon, or any form that a wallet shows; percent-encoded."
    ), Why),
    responses((status = 200, description = "What is known; an empty list where nothing is.", body = Lookup))
)]
pub(crate) async fn lookup(
    State(api): State<Shared>,
    Segment(input): Segment,
    _: Read<Why>,
) -> Result<Json<Lookup>, Problem> {
    let examined = Examined::from(address::examine(&input, None));
    look_up("address", &api, input, &examined)
}

/// What all partners, and this agency, say of an indicator.
#[utoipa::path(
    get, path = "/v1/indicators/{indicator}", tag = "lookups", operation_id = "lookup_indicator",
    params((
        "indicator" = String, Path,
        description = "An address, or `kind:value`, or what can be one thing alone; percent-encoded."
    ), Why),
    responses((status = 200, description = "What is known; an empty list where nothing is.", body = Lookup))
)]
pub(crate) async fn lookup_indicator(
    State(api): State<Shared>,
    Segment(input): Segment,
    _: Read<Why>,
) -> Result<Json<Lookup>, Problem> {
    let examined = examine(&input);
    look_up("indicator", &api, input, &examined)
}

fn look_up(field: &str, api: &ApiState, input: String, examined: &Examined) -> Result<Json<Lookup>, Problem> {
    if let Some(error) = &examined.refused {
        return Err(Problem::invalid(field, error));
    }
    let answer = api.desk.lookup_any(examined.readings.iter().map(|reading| &reading.indicator))?;
    Ok(Json(Lookup::of(&api.desk.book(), input, examined, answer)))
}
