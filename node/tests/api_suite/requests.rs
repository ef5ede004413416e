//! What holds for every request: the token, strict bodies, problems, headers, limits.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use crate::support::{ADDRESS, Node, TOKEN, request};

#[tokio::test]
async fn only_the_token_opens() {
    let a = Node::new("Cyber Unit A", 1);
    let wrong = [
        None,
        Some("Bearer ".to_owned()),
        Some("Bearer another".to_owned()),
        Some(format!("Bearer {TOKEN}x")),
        Some(format!("Basic {TOKEN}")),
        Some(TOKEN.to_owned()),
        Some(format!("Bearer {}", entente_node_hash())),
    ];
    for value in wrong {
        let mut request = Request::get("/v1/status");
        if let Some(value) = &value {
            request = request.header("authorization", value);
        }
        let answer = a.raw(request.body(Body::empty()).unwrap()).await;
        answer.problem(401, "unauthorized");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
    let right = Request::get("/v1/status").header("authorization", format!("bearer {TOKEN}"));
    a.raw(right.body(Body::empty()).unwrap()).await.is(200);
}

/// The hash that is kept opens nothing.
fn entente_node_hash() -> String {
    hex::encode(entente_node::api::hash_token(TOKEN))
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let a = Node::new("Cyber Unit A", 1);
    for path in ["/", "/v1", "/v1/nothing", "/v1/status/", "/v2/status", "/v1/reports/..%2Fstatus/x"] {
        a.get(path).await.problem(404, "not-found");
    }
    a.get("/v1/reports/..%2Fstatus").await.problem(400, "invalid");
    let answer = a.raw(request("DELETE", "/v1/reports", &[]).body(Body::empty()).unwrap()).await;
    answer.problem(405, "not-allowed");
    assert!(answer.headers["allow"].to_str().unwrap().contains("POST"));
    a.raw(request("GET", "/v1/cards", &[]).body(Body::empty()).unwrap()).await.problem(405, "not-allowed");
}

#[tokio::test]
async fn every_answer_has_the_headers() {
    let a = Node::new("Cyber Unit A", 1);
    for path in ["/healthz", "/v1/status", "/nowhere", "/v1/openapi.json"] {
        let headers = a.get(path).await.headers;
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert!(headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    }
    assert_eq!(a.get("/healthz").await.text(), "ok");
}

#[tokio::test]
async fn a_body_is_json_and_nothing_else() {
    let a = Node::new("Cyber Unit A", 1);
    let send = async |kind: Option<&str>, body: &str| {
        let headers: Vec<_> = kind.into_iter().map(|kind| ("content-type", kind)).collect();
        a.raw(request("POST", "/v1/lookups", &headers).body(Body::from(body.to_owned())).unwrap()).await
    };
    let good = json!({ "addresses": [ADDRESS] }).to_string();
    assert_eq!(send(Some("application/json; charset=utf-8"), &good).await.status, 200);
    for kind in [None, Some("text/plain"), Some("application/x-www-form-urlencoded")] {
        assert!(send(kind, &good).await.problem(400, "invalid").contains("Content-Type"));
    }
    for (body, named) in [
        ("", "EOF"),
        ("{", "EOF"),
        ("[]", "sequence, expected an object"),
        (r#"[["a"],null,null]"#, "sequence, expected an object"),
        ("{}", "addresses"),
        (r#"{"addresses":["a",7]}"#, "addresses[1]"),
        (r#"{"addresses":[],"addresses":[]}"#, "duplicate field"),
        (r#"{"addresses":[],"extra":1}"#, "extra"),
        (r#"{"addresses":[]} {}"#, "trailing"),
    ] {
        let detail = send(Some("application/json"), body).await.problem(400, "invalid");
        assert!(detail.contains(named), "{body}: {detail}");
    }
    let deep = "[".repeat(100_000);
    send(Some("application/json"), &deep).await.problem(400, "invalid");
    let large = " ".repeat((16 << 20) + 1);
    send(Some("application/json"), &large).await.problem(413, "too-large");
}

#[tokio::test]
async fn a_query_is_strict_and_why_is_bounded() {
    let a = Node::new("Cyber Unit A", 1);
    a.get("/v1/status?case=2026-118&reason=rounds").await.is(200);
    let long = format!("/v1/status?reason={}", "x".repeat(201));
    for (path, named) in [
        ("/v1/status?verbose=1", "verbose"),
        ("/v1/status?case=a&case=b", "case"),
        ("/v1/status?case=a%0Ab", "case"),
        (&long, "reason"),
        ("/v1/agencies?limit=1&colour=red", "colour"),
    ] {
        let detail = a.get(path).await.problem(400, "invalid");
        assert!(detail.contains(named), "{path}: {detail}");
    }
}
