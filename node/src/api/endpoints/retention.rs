//! `GET /v1/retention`: what was deleted, when, and on whose word.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::blocking::blocking;
use crate::api::extract::{Paging, Read};
use crate::api::json::{Named, Titled, time};
use crate::api::problem::Problem;
use crate::api::state::Shared;
use crate::desk::{Book, Deletion, DeskError};

/// Deletions, the latest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct Deletions {
    items: Vec<Deleted>,
}

/// Something that was deleted.
#[derive(Serialize, ToSchema)]
struct Deleted {
    /// When.
    at: String,
    /// `retention`: its date was reached; `retraction`: its originator withdrew it.
    why: &'static str,
    /// On whose word: who dated the entry, or the originator.
    by: Named,
    /// The agreement, where it is under one alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    agreement: Option<Titled>,
    /// The report that was withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<String>,
    /// Statements that went; of a withdrawn report, revisions at most.
    statements: u64,
}

impl Deleted {
    fn of(book: &Book, deletion: &Deletion) -> Self {
        Self {
            at: time(deletion.at),
            why: if deletion.report.is_some() { "retraction" } else { "retention" },
            by: Named::of(book, deletion.by),
            agreement: deletion.agreement.map(|agreement| Titled::of(book, agreement)),
            report: deletion.report.map(|report| report.to_string()),
            statements: deletion.statements,
        }
    }
}

/// What was deleted here, the latest first.
#[utoipa::path(
    get, path = "/v1/retention", tag = "reports", operation_id = "retention", params(Paging),
    responses((status = 200, description = "Deletions, at most `limit`.", body = Deletions))
)]
pub(crate) async fn retention(
    State(api): State<Shared>,
    Read(paging): Read<Paging>,
) -> Result<Json<Deletions>, Problem> {
    let limit = paging.limit.items();
    let deletions = blocking(&api, move |desk| Ok::<_, DeskError>(desk.deletions(limit))).await?;
    let book = api.desk.book();
    Ok(Json(Deletions { items: deletions.into_iter().map(|deletion| Deleted::of(&book, &deletion)).collect() }))
}
