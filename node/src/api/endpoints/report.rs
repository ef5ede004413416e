//! `GET /v1/reports/{id}`: one report whole.

use axum::Json;
use axum::extract::State;

use crate::api::blocking::blocking;
use crate::api::extract::{Read, Segment, WhichReport};
use crate::api::json::report::Report;
use crate::api::problem::Problem;
use crate::api::state::Shared;
use crate::desk::DeskError;

use super::revise::report_id;

/// One report whole, or what is left of one that was retracted.
#[utoipa::path(
    get, path = "/v1/reports/{id}", tag = "reports", operation_id = "report",
    params(("id" = String, Path, description = "The report's id, 32 hexadecimal digits."), WhichReport),
    responses((status = 200, description = "The report.", body = Report))
)]
pub(crate) async fn report(
    State(api): State<Shared>,
    Segment(id): Segment,
    Read(which): Read<WhichReport>,
) -> Result<Json<Report>, Problem> {
    let id = report_id(&id)?;
    let detail = blocking(&api, move |desk| {
        let originator = which.originator.map(|text| desk.book().find_agency(&text)).transpose()?;
        Ok::<_, DeskError>(Report::of(&desk.book(), desk.report(id, originator)?))
    });
    Ok(Json(detail.await?))
}
