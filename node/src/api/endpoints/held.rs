//! `GET /v1/held`: all reports that are held, own and partners', as a query asks; what exports are made of.

use axum::Json;
use axum::extract::State;
use entente_protocol::address::Chain;
use entente_protocol::indicator::Kind;
use entente_protocol::typology::Typology;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::blocking::blocking;
use crate::api::extract::{Limit, Read, Reading};
use crate::api::json::report::Report;
use crate::api::json::{Page, read_time};
use crate::api::problem::Problem;
use crate::api::state::Shared;
use crate::desk::{Book, HeldCursor, HeldQuery};

/// Which reports, and where to go on.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Query {
    /// Of this originator: an agency's id, or a name that one agency alone has.
    originator: Option<String>,
    /// Held under this agreement: its id, or its first digits.
    agreement: Option<String>,
    /// Of this typology.
    typology: Option<String>,
    /// On this chain: CAIP-2 or a name.
    chain: Option<String>,
    /// About this kind of indicator, such as `address` or `domain`.
    kind: Option<String>,
    /// With this case reference of the originator.
    of_case: Option<String>,
    /// Own reports from this import source.
    import: Option<String>,
    /// Made at this time or later.
    since: Option<String>,
    /// Made before this time.
    until: Option<String>,
    /// Items on a page.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// Where the last page ended.
    after: Option<String>,
    /// The own reference of the case that this is read for.
    case: Option<String>,
    /// Why this is read.
    reason: Option<String>,
}

impl Reading for Query {
    fn why(&self) -> (Option<&str>, Option<&str>) {
        (self.case.as_deref(), self.reason.as_deref())
    }
}

/// Reports that are held, page after page. A page may be short, and even empty, before the end.
#[utoipa::path(
    get, path = "/v1/held", tag = "reports", operation_id = "held", params(Query),
    responses((status = 200, description = "A page of reports.", body = Page<Report>))
)]
pub(crate) async fn held(State(api): State<Shared>, Read(asked): Read<Query>) -> Result<Json<Page<Report>>, Problem> {
    let after = match asked.after.as_deref() {
        None => None,
        Some(after) => Some(
            hex::decode(after)
                .ok()
                .and_then(|bytes| HeldCursor::read(&bytes))
                .ok_or_else(|| Problem::invalid("after", "it is the `next` of a page before"))?,
        ),
    };
    let limit = asked.limit.items();
    let query = query(&api.desk.book(), asked)?;
    let (views, next) = blocking(&api, move |desk| desk.held(&query, after, limit)).await?;
    let book = api.desk.book();
    let items = views.into_iter().map(|view| Report::live(&book, view)).collect();
    Ok(Json(Page { items, next: next.map(|next| hex::encode(next.write())) }))
}

fn query(book: &Book, asked: Query) -> Result<HeldQuery, Problem> {
    let kind = asked.kind.map(|word| match Kind::parse(&word) {
        Some(kind) => Ok(kind.word().to_owned()),
        None if word == "address" => Ok(word),
        None => Err(Problem::invalid("kind", "no kind of indicator is called that: see /v1/vocabularies")),
    });
    let invalid = |field: &'static str| move |error: String| Problem::invalid(field, error);
    let typology = asked.typology.map(|text| Typology::parse(&text).map(|typology| typology.to_string()));
    Ok(HeldQuery {
        originator: asked.originator.map(|name| book.find_agency(&name)).transpose()?,
        agreement: asked
            .agreement
            .map(|id| book.find_agreement(&id).map(entente_protocol::agreement::Agreement::id))
            .transpose()?,
        typology: typology.transpose().map_err(|error| invalid("typology")(error.to_string()))?,
        chain: asked
            .chain
            .map(|text| Chain::parse(&text))
            .transpose()
            .map_err(|error| invalid("chain")(error.to_string()))?,
        kind: kind.transpose()?,
        case: asked.of_case,
        import: asked.import,
        since: asked.since.map(|text| read_time("since", &text)).transpose()?,
        until: asked.until.map(|text| read_time("until", &text)).transpose()?,
    })
}
