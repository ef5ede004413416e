//! What handlers take from a request: strictly read, bounded, and with problems that name the field.

use axum::body::Bytes;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::{IntoParams, ToSchema};

use super::idempotency::Mark;
use super::limits;
use super::problem::{Problem, Slug};

/// The body of a write, and what its `Idempotency-Key` comes to.
pub(super) struct Write<T> {
    pub(super) mark: Option<Mark>,
    pub(super) body: T,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Write<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let headers = request.headers().clone();
        let bytes = read_json(&headers, request, state).await?;
        let mark = Mark::of(&headers, method.as_str(), &path, &bytes)?;
        Ok(Self { mark, body: parse(&bytes)? })
    }
}

/// The body of a request that only reads.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let headers = request.headers().clone();
        let bytes = read_json(&headers, request, state).await?;
        Ok(Self(parse(&bytes)?))
    }
}

async fn read_json<S: Send + Sync>(headers: &HeaderMap, request: Request, state: &S) -> Result<Bytes, Problem> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Problem::invalid("Content-Type", "the body is to be application/json"));
    }
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(Slug::TooLarge, format!("the body is larger than {} bytes", limits::BODY_BYTES))
        }
        _ => Problem::invalid("body", "the body ended before it was whole"),
    })
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    match axum::Json::<T>::from_bytes(bytes) {
        Ok(axum::Json(value)) => Ok(value),
        Err(rejection) => {
            let text = match &rejection {
                JsonRejection::JsonDataError(error) => error.body_text(),
                JsonRejection::JsonSyntaxError(error) => error.body_text(),
                other => other.body_text(),
            };
            // Its beginning speaks of types of this program.
            let detail = text.split_once(": ").map_or(text.as_str(), |(_, detail)| detail);
            Err(Problem::new(Slug::Invalid, detail))
        }
    }
}

/// A segment of the path.
pub(super) struct Segment(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(segment)) => Ok(Self(segment)),
            Err(_) => Err(Problem::invalid("path", "it is not percent-encoded UTF-8")),
        }
    }
}

/// Query parameters of a reading call, which all may say for which case and why.
pub(super) trait Reading: DeserializeOwned {
    /// The case and the reason.
    fn why(&self) -> (Option<&str>, Option<&str>);
}

/// The query of a reading call. Why something is read is bounded, and logged at debug level until the audit log
/// requires it.
pub(super) struct Read<T>(pub(super) T);

impl<T: Reading, S: Send + Sync> FromRequestParts<S> for Read<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(query) = Query::<T>::from_request_parts(parts, state).await.map_err(|rejection| {
            let text = rejection.body_text();
            let detail = text.split_once(": ").map_or(text.as_str(), |(_, detail)| detail);
            Problem::new(Slug::Invalid, format!("query: {detail}"))
        })?;
        let (case, reason) = query.why();
        note_reading(case, reason)?;
        Ok(Self(query))
    }
}

/// Checks why something is read, and logs it at debug level.
pub(super) fn note_reading(case: Option<&str>, reason: Option<&str>) -> Result<(), Problem> {
    for (name, text) in [("case", case), ("reason", reason)] {
        let fits = |text: &str| text.chars().count() <= limits::REASON_CHARS && !text.chars().any(char::is_control);
        if !text.is_none_or(fits) {
            let rule = format!("at most {} characters, none of them a control character", limits::REASON_CHARS);
            return Err(Problem::invalid(name, rule));
        }
    }
    if case.is_some() || reason.is_some() {
        tracing::debug!(case, reason, "reading");
    }
    Ok(())
}

/// Nothing but why.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Why {
    /// The own reference of the case that this is read for.
    #[param(max_length = 200)]
    case: Option<String>,
    /// Why this is read.
    #[param(max_length = 200)]
    reason: Option<String>,
}

impl Reading for Why {
    fn why(&self) -> (Option<&str>, Option<&str>) {
        (self.case.as_deref(), self.reason.as_deref())
    }
}

/// One page of a list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// The `next` of the page before.
    #[param(max_length = 1024)]
    pub(super) after: Option<String>,
    /// Items in the page.
    #[serde(default)]
    #[param(inline)]
    pub(super) limit: Limit,
    /// The own reference of the case that this is read for.
    #[param(max_length = 200)]
    case: Option<String>,
    /// Why this is read.
    #[param(max_length = 200)]
    reason: Option<String>,
}

impl Reading for Paging {
    fn why(&self) -> (Option<&str>, Option<&str>) {
        (self.case.as_deref(), self.reason.as_deref())
    }
}

impl Paging {
    /// The cursor, where the list's own cursors are bytes.
    pub(super) fn after_bytes(&self) -> Result<Option<Vec<u8>>, Problem> {
        let Some(after) = &self.after else { return Ok(None) };
        let read = if after.len() <= limits::CURSOR_CHARS { hex::decode(after).ok() } else { None };
        read.map(Some).ok_or_else(|| Problem::invalid("after", "not a `next` of this list"))
    }
}

/// Items in a page: 1 to 500, 100 where nothing is said.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(try_from = "usize")]
#[schema(value_type = usize, minimum = 1, maximum = 500, default = 100)]
pub(super) struct Limit(usize);

impl Limit {
    pub(super) fn items(self) -> usize {
        self.0
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(limits::PAGE_DEFAULT)
    }
}

impl TryFrom<usize> for Limit {
    type Error = String;

    fn try_from(items: usize) -> Result<Self, String> {
        let fits = (1..=limits::PAGE).contains(&items);
        if fits { Ok(Self(items)) } else { Err(format!("{items} is not within 1 to {}", limits::PAGE)) }
    }
}

/// Which report.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WhichReport {
    /// The agency that made it, by id or name, where it is not this one.
    pub(super) originator: Option<String>,
    /// The own reference of the case that this is read for.
    #[param(max_length = 200)]
    case: Option<String>,
    /// Why this is read.
    #[param(max_length = 200)]
    reason: Option<String>,
}

impl Reading for WhichReport {
    fn why(&self) -> (Option<&str>, Option<&str>) {
        (self.case.as_deref(), self.reason.as_deref())
    }
}
