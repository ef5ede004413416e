//! The OpenAPI 3.1 document, made from the handlers: what each says of itself, and here what all have in common.

use axum::Extension;
use axum::body::Bytes;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use utoipa::OpenApi;

use super::idempotency;
use super::problem::Problem;

/// Paths that need no token.
const OPEN: [&str; 3] = ["/healthz", "/readyz", "/v1/openapi.json"];
/// The one post that only reads.
const READING_POST: &str = "/v1/lookups";

/// What the document says of the API as a whole.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Entente local API",
        description = "What the people and programs of one agency may ask of their own node. Times are RFC 3339 in \
            UTC with milliseconds. Every refusal is a problem (RFC 9457) of the type `urn:entente:problem:` and one \
            of: unauthorized, not-found, not-allowed, invalid, refused, conflict, too-large, busy, failed, not-ready.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(Problem))
)]
struct Frame;

/// The document before the endpoints.
pub(super) fn frame() -> utoipa::openapi::OpenApi {
    Frame::openapi()
}

/// The document as it is served.
#[derive(Clone)]
pub(super) struct Document(Bytes);

impl Document {
    /// Adds to every operation what all have in common: problems, the token, the key of a write.
    pub(super) fn of(api: utoipa::openapi::OpenApi) -> Self {
        let mut document = serde_json::to_value(api).expect("the document is text, lists and maps only");
        document["components"]["securitySchemes"] = json!({
            "token": { "type": "http", "scheme": "bearer", "description": "The token in the file `token` of the data directory." }
        });
        document["security"] = json!([{ "token": [] }]);
        let paths = document["paths"].as_object_mut().into_iter().flatten();
        for (path, item) in paths {
            for (method, operation) in item.as_object_mut().into_iter().flatten() {
                complete(path, method, operation);
            }
        }
        Self(serde_json::to_vec(&document).expect("a JSON value can be written").into())
    }
}

fn complete(path: &str, method: &str, operation: &mut Value) {
    operation["responses"]["default"] = json!({
        "description": "Anything else is a problem (RFC 9457).",
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } }
    });
    if OPEN.contains(&path) {
        operation["security"] = json!([]);
    }
    if method == "post" && path != READING_POST {
        let key = json!({
            "name": "Idempotency-Key",
            "in": "header",
            "required": false,
            "description": "The same key with the same request within 24 hours gets the first answer; with another \
                request, a conflict. What a restart forgets, and why a filing survives it, the node's README says.",
            "schema": { "type": "string", "minLength": 1, "maxLength": idempotency::KEY_CHARS }
        });
        match operation["parameters"].as_array_mut() {
            Some(parameters) => parameters.push(key),
            None => operation["parameters"] = json!([key]),
        }
    }
}

/// This document.
#[utoipa::path(
    get, path = "/v1/openapi.json", tag = "node", operation_id = "openapi",
    responses((status = 200, description = "The OpenAPI document.", content_type = "application/json", body = Object))
)]
pub(super) async fn document(Extension(Document(bytes)): Extension<Document>) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], bytes).into_response()
}
