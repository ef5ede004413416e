//! `GET /v1/vocabularies`: the words that reports may use, and where they come from.

use axum::Json;
use entente_protocol::vocabulary;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::extract::{Read, Why};

/// All vocabularies.
#[derive(Serialize, ToSchema)]
pub(crate) struct Vocabularies {
    /// One for each key of a report that takes words.
    items: Vec<Vocabulary>,
}

/// A vocabulary.
#[derive(Serialize, ToSchema)]
struct Vocabulary {
    /// The key of a report that takes its words.
    name: &'static str,
    /// The scheme URI.
    scheme: &'static str,
    /// Its version; a version only adds.
    version: &'static str,
    /// Where its words come from.
    source: &'static str,
    /// Its words.
    terms: Vec<Term>,
}

/// A word.
#[derive(Serialize, ToSchema)]
struct Term {
    /// As it is written in a report.
    id: String,
    /// Its name or meaning.
    name: String,
}

/// The words that reports may use. A partner's unknown term is kept and shown as it came.
#[utoipa::path(
    get, path = "/v1/vocabularies", tag = "reports", operation_id = "vocabularies", params(Why),
    responses((status = 200, description = "All vocabularies.", body = Vocabularies))
)]
pub(crate) async fn vocabularies(_: Read<Why>) -> Json<Vocabularies> {
    let term = |term: vocabulary::Term| Term { id: term.id, name: term.name };
    let items = vocabulary::all().into_iter().map(|vocabulary| Vocabulary {
        name: vocabulary.name,
        scheme: vocabulary.scheme,
        version: vocabulary.version,
        source: vocabulary.source,
        terms: vocabulary.terms.into_iter().map(term).collect(),
    });
    Json(Vocabularies { items: items.collect() })
}
