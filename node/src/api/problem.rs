//! Problem details (RFC 9457): how every refusal and failure of this API looks.
//!
//! The type of a problem is `urn:entente:problem:` and one of few slugs, each with its status, so that a client can
//! decide by the slug alone. The detail says what is the case, the hint what to do about it.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::desk::DeskError;
use crate::store::StoreError;

/// Seconds after which a busy node is worth asking again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// What kind of problem.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Slug {
    /// No token, or a wrong one.
    Unauthorized,
    /// There is no such thing here.
    NotFound,
    /// The path exists, and does not take this method.
    NotAllowed,
    /// A field cannot be read; the detail names it.
    Invalid,
    /// Understood, and against the rules or the state of things.
    Refused,
    /// Contradicts an earlier request.
    Conflict,
    /// More bytes than are taken.
    TooLarge,
    /// To be asked again later.
    Busy,
    /// Not the caller's fault.
    Failed,
    /// The node cannot work yet, or any more.
    NotReady,
}

impl Slug {
    /// The slug, its title and its status.
    const fn row(self) -> (&'static str, &'static str, StatusCode) {
        match self {
            Slug::Unauthorized => ("unauthorized", "unauthorized", StatusCode::UNAUTHORIZED),
            Slug::NotFound => ("not-found", "not found", StatusCode::NOT_FOUND),
            Slug::NotAllowed => ("not-allowed", "method not allowed", StatusCode::METHOD_NOT_ALLOWED),
            Slug::Invalid => ("invalid", "invalid request", StatusCode::BAD_REQUEST),
            Slug::Refused => ("refused", "refused", StatusCode::UNPROCESSABLE_ENTITY),
            Slug::Conflict => ("conflict", "conflict", StatusCode::CONFLICT),
            Slug::TooLarge => ("too-large", "too large", StatusCode::PAYLOAD_TOO_LARGE),
            Slug::Busy => ("busy", "busy", StatusCode::SERVICE_UNAVAILABLE),
            Slug::Failed => ("failed", "failed", StatusCode::INTERNAL_SERVER_ERROR),
            Slug::NotReady => ("not-ready", "not ready", StatusCode::SERVICE_UNAVAILABLE),
        }
    }
}

/// A problem.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// `urn:entente:problem:` and the slug.
    #[serde(rename = "type")]
    kind: String,
    /// The slug in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is the case, with the values that decide.
    detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'static str>,
    /// The term of the agreement that denies it.
    #[serde(skip_serializing_if = "Option::is_none")]
    term: Option<&'static str>,
    #[serde(skip)]
    slug: Slug,
}

impl Problem {
    pub(crate) fn new(slug: Slug, detail: impl Into<String>) -> Self {
        let (name, title, status) = slug.row();
        Self {
            kind: format!("urn:entente:problem:{name}"),
            title,
            status: status.as_u16(),
            detail: detail.into(),
            hint: None,
            term: None,
            slug,
        }
    }

    /// A field that cannot be read.
    pub(crate) fn invalid(field: &str, why: impl std::fmt::Display) -> Self {
        Self::new(Slug::Invalid, format!("{field}: {why}"))
    }

    pub(crate) fn hint(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }

    /// A panic, in a handler or on the thread that works for it.
    pub(crate) fn panicked() -> Self {
        Self::new(Slug::Failed, "an invariant of the node is broken; what was asked may have been done")
            .hint("look before you repeat it, and tell the operator: the log says more")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).expect("a problem has text and numbers only");
        let status = self.slug.row().2;
        let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))];
        let mut response = (status, kind, body).into_response();
        match self.slug {
            Slug::Unauthorized => {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Slug::Busy | Slug::NotReady => {
                response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
            }
            _ => {}
        }
        response
    }
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        let slug = slug(&error);
        let term = match &error {
            DeskError::Denied { term, .. } => Some(term.slug()),
            _ => None,
        };
        if slug == Slug::Failed {
            tracing::error!(%error, "a use-case failed");
        }
        Self { hint: error.hint(), term, ..Self::new(slug, error.to_string()) }
    }
}

fn slug(error: &DeskError) -> Slug {
    match error {
        DeskError::Draft(_)
        | DeskError::Chain(_)
        | DeskError::Lacks { .. }
        | DeskError::OtherIndicator { .. }
        | DeskError::Benign(_)
        | DeskError::Typology(_)
        | DeskError::Grading(_)
        | DeskError::Marking(_)
        | DeskError::Handling(_)
        | DeskError::Text { .. }
        | DeskError::Field { .. }
        | DeskError::WhichAgreement { .. }
        | DeskError::WhichVersion { .. }
        | DeskError::Ambiguous(_)
        | DeskError::Version(_) => Slug::Invalid,
        DeskError::NoAgreement(_)
        | DeskError::NoAgency(_)
        | DeskError::NoReport(_)
        | DeskError::NoList(_)
        | DeskError::NoBundle { .. } => Slug::NotFound,
        DeskError::Retracted(_)
        | DeskError::NotOurs { .. }
        | DeskError::Denied { .. }
        | DeskError::Listed { .. }
        | DeskError::Unsettled(_)
        | DeskError::NotInForce { .. }
        | DeskError::NotABundle(_)
        | DeskError::NotForThem { .. }
        | DeskError::MayNot(_)
        | DeskError::Identity(_)
        | DeskError::Fingerprint(_)
        | DeskError::Mode { .. } => Slug::Refused,
        DeskError::TooLarge => Slug::TooLarge,
        DeskError::Store(StoreError::Failed { .. } | StoreError::Closed) => Slug::NotReady,
        DeskError::Store(_) => Slug::Failed,
    }
}
