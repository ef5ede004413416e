//! `POST /v1/agreements/{id}/dry-run`: who would receive a report under an agreement, and which term decides.

use axum::extract::State;
use axum::http::StatusCode;

use crate::api::extract::{Segment, Write};
use crate::api::idempotency::{Recorded, once};
use crate::api::json::agreement::{DryRun, DryRunInput};
use crate::api::problem::Problem;
use crate::api::state::Shared;
use crate::desk::{Asked, Desk};

/// Judge an own report, or one that is not filed, under an agreement. Nothing is filed.
#[utoipa::path(
    post, path = "/v1/agreements/{id}/dry-run", tag = "agreements", operation_id = "dry_run",
    params(("id" = String, Path, description = "The agreement's id, or the beginning of it, at least 8 digits.")),
    request_body = DryRunInput,
    responses((status = 200, description = "Who would receive it, and why.", body = DryRun))
)]
pub(crate) async fn dry_run(
    State(api): State<Shared>,
    Segment(id): Segment,
    write: Write<DryRunInput>,
) -> Result<Recorded, Problem> {
    let judge = move |desk: &Desk, input: DryRunInput, _| {
        let foresight = desk.foresee(&id, &Asked::try_from(input)?)?;
        Ok((StatusCode::OK, DryRun::of(&desk.book(), foresight)))
    };
    once(&api, write, judge).await
}
