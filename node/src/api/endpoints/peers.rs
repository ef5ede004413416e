//! `GET /v1/peers`: partners, and how far each is.

use axum::Json;
use axum::extract::State;

use crate::api::blocking::blocking;
use crate::api::extract::{Paging, Read};
use crate::api::json::Page;
use crate::api::json::peer::Peer;
use crate::api::problem::Problem;
use crate::api::state::Shared;

/// All partners by id: connection, lag and last receipt under each agreement.
#[utoipa::path(
    get, path = "/v1/peers", tag = "node", operation_id = "peers", params(Paging),
    responses((status = 200, description = "A page of partners.", body = Page<Peer>))
)]
pub(crate) async fn peers(State(api): State<Shared>, Read(paging): Read<Paging>) -> Result<Json<Page<Peer>>, Problem> {
    let views = blocking(&api, |desk| Ok::<_, Problem>(desk.partners())).await?;
    let (book, connections) = (api.desk.book(), api.connections.now());
    let peers = views.into_iter().map(|view| Peer::of(&book, &connections, view)).collect();
    Ok(Json(Page::cut(peers, &paging, |peer| &peer.agency.id)))
}
