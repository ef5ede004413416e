//! `/v1/agreements/{id}/bundles` and `/v1/bundles`: what catch-up would bring, for a file.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use crate::api::blocking::blocking;
use crate::api::extract::{Read, Segment, Why, Write};
use crate::api::idempotency::{Recorded, once};
use crate::api::json::bundle::{Begun, BundleIn, PartDone, PartIn, PartOut};
use crate::api::problem::Problem;
use crate::api::state::Shared;
use crate::desk::{BundlePlace, Desk};

/// Begin a bundle of an agreement: all that there is, or what came since an earlier one.
#[utoipa::path(
    post, path = "/v1/agreements/{id}/bundles", tag = "bundles", operation_id = "begin_bundle",
    params(("id" = String, Path, description = "The agreement's id, or the beginning of it, at least 8 digits.")),
    request_body = BundleIn,
    responses((status = 200, description = "It is begun; its parts are to be asked for.", body = Begun))
)]
pub(crate) async fn begin(
    State(api): State<Shared>,
    Segment(id): Segment,
    write: Write<BundleIn>,
) -> Result<Recorded, Problem> {
    let begin = move |desk: &Desk, input: BundleIn, _| {
        let place = desk.begin_bundle(&id, input.since, input.to.as_deref())?;
        Ok((StatusCode::OK, Begun { number: place.number(), place: place.write() }))
    };
    once(&api, write, begin).await
}

/// A part of a bundle that was begun.
#[utoipa::path(
    get, path = "/v1/agreements/{id}/bundles/{place}", tag = "bundles", operation_id = "bundle_part",
    params(
        ("id" = String, Path, description = "The agreement's id, or the beginning of it, at least 8 digits."),
        ("place" = String, Path, description = "The `place` of a bundle that was begun, or the `next` of a part."),
        Why,
    ),
    responses((status = 200, description = "The part, sealed for its readers.", body = PartOut))
)]
pub(crate) async fn part(
    State(api): State<Shared>,
    path: Result<Path<(String, String)>, PathRejection>,
    _: Read<Why>,
) -> Result<Json<PartOut>, Problem> {
    let Path((id, place)) = path.map_err(|_| Problem::invalid("path", "it is not percent-encoded UTF-8"))?;
    let place = BundlePlace::read(&place);
    let place =
        place.ok_or_else(|| Problem::invalid("place", "it is the `place` of a bundle, or the `next` of a part"))?;
    blocking(&api, move |desk| desk.export_bundle(&id, place)).await.map(|page| Json(page.into()))
}

/// Take a part of a bundle that another node made. What is known already is passed over.
#[utoipa::path(
    post, path = "/v1/bundles", tag = "bundles", operation_id = "take_part", request_body = PartIn,
    responses((status = 200, description = "It was verified like anything that a connection brings.", body = PartDone))
)]
pub(crate) async fn take(State(api): State<Shared>, write: Write<PartIn>) -> Result<Recorded, Problem> {
    once(&api, write, |desk, input, _| {
        let (head, part) = input.read()?;
        let taken = desk.import_part(&head, &part)?;
        Ok((StatusCode::OK, PartDone::of(&desk.book(), taken)))
    })
    .await
}
