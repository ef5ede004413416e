//! The OpenAPI document: it names every route, and what it says is well formed.

use std::collections::BTreeSet;
use std::process::Command;

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;

use crate::support::{Node, request};

/// Every operation, and whether it needs a token.
const OPERATIONS: [(&str, &str, bool); 36] = [
    ("get", "/healthz", false),
    ("get", "/readyz", false),
    ("get", "/metrics", true),
    ("get", "/v1/openapi.json", false),
    ("get", "/v1/status", true),
    ("get", "/v1/card", true),
    ("post", "/v1/cards", true),
    ("get", "/v1/agencies", true),
    ("get", "/v1/agencies/{id}", true),
    ("get", "/v1/agreements", true),
    ("post", "/v1/agreements", true),
    ("get", "/v1/agreements/{id}", true),
    ("post", "/v1/agreements/{id}/signature", true),
    ("post", "/v1/agreements/{id}/rejection", true),
    ("post", "/v1/agreements/{id}/withdrawal", true),
    ("post", "/v1/agreements/{id}/dry-run", true),
    ("post", "/v1/agreements/{id}/bundles", true),
    ("get", "/v1/agreements/{id}/bundles/{place}", true),
    ("post", "/v1/bundles", true),
    ("get", "/v1/retention", true),
    ("get", "/v1/reports", true),
    ("post", "/v1/reports", true),
    ("post", "/v1/reports/batch", true),
    ("get", "/v1/reports/{id}", true),
    ("post", "/v1/reports/{id}/revisions", true),
    ("post", "/v1/reports/{id}/retraction", true),
    ("get", "/v1/addresses/{address}", true),
    ("get", "/v1/indicators/{indicator}", true),
    ("post", "/v1/lookups", true),
    ("get", "/v1/held", true),
    ("get", "/v1/benign", true),
    ("post", "/v1/benign", true),
    ("delete", "/v1/benign/{name}", true),
    ("get", "/v1/vocabularies", true),
    ("get", "/v1/peers", true),
    ("get", "/v1/quarantine", true),
];

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().iter();
            methods.map(|(method, operation)| (method.clone(), path.clone(), operation.clone())).collect::<Vec<_>>()
        })
        .collect()
}

#[tokio::test]
async fn the_document_names_every_route() {
    let a = Node::new("Cyber Unit A", 1);
    let document = a.get("/v1/openapi.json").await.is(200);
    let named: BTreeSet<_> = operations(&document).into_iter().map(|(method, path, _)| (method, path)).collect();
    let expected: BTreeSet<_> =
        OPERATIONS.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(named, expected);
}

#[tokio::test]
async fn every_route_exists_and_asks_for_the_token_as_the_document_says() {
    let a = Node::new("Cyber Unit A", 1);
    let document = a.get("/v1/openapi.json").await.is(200);
    for (method, path, operation) in operations(&document) {
        let needs = OPERATIONS.iter().find(|(m, p, _)| (*m, *p) == (&method, &path)).unwrap().2;
        assert_eq!(operation["security"].is_null(), needs, "{path}");
        let concrete = path
            .replace("{id}", &"0".repeat(32))
            .replace("{address}", "bitcoin:x")
            .replace("{indicator}", "bitcoin:x")
            .replace("{place}", "1.0.f.0")
            .replace("{name}", "x");
        let method = method.to_uppercase();
        let without = Request::builder().method(method.as_str()).uri(&concrete).body(Body::empty()).unwrap();
        let answer = a.raw(without).await;
        assert_eq!(answer.status == 401, needs, "{method} {path}: {}", answer.status);
        let with = a.raw(request(&method, &concrete, &[]).body(Body::empty()).unwrap()).await;
        assert!(![401, 405, 500].contains(&with.status), "{method} {path}: {}", with.text());
        assert!(!with.text().contains("there is no such path"), "{method} {path}");
    }
}

#[tokio::test]
async fn the_document_is_well_formed() {
    let a = Node::new("Cyber Unit A", 1);
    let document = a.get("/v1/openapi.json").await.is(200);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let place = format!("{method} {path}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{place}");
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{place}");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.contains_key("default"), "{place}");
        for (status, response) in responses {
            assert!(!response["description"].as_str().unwrap().is_empty(), "{place} {status}");
        }
        let parameters: Vec<_> = operation["parameters"].as_array().into_iter().flatten().collect();
        for name in path.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()) {
            let found = parameters.iter().find(|parameter| parameter["name"] == name).unwrap();
            assert_eq!((&found["in"], &found["required"]), (&"path".into(), &true.into()), "{place}");
        }
        let has = |name: &str| parameters.iter().any(|parameter| parameter["name"] == name);
        let reads = method == "get" && path.starts_with("/v1/") && path != "/v1/openapi.json";
        assert_eq!(has("case") && has("reason"), reads, "{place}");
        assert_eq!(has("Idempotency-Key"), method == "post" && path != "/v1/lookups", "{place}");
    }
    resolve(&document, &document);
}

/// Every reference leads somewhere.
fn resolve(document: &Value, value: &Value) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get("$ref") {
                let pointer = reference.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{reference}");
            }
            map.values().for_each(|value| resolve(document, value));
        }
        Value::Array(items) => items.iter().for_each(|value| resolve(document, value)),
        _ => {}
    }
}

/// With the validator of the OpenAPI project's Python users, where it is installed.
#[tokio::test]
async fn an_independent_validator_accepts_the_document() {
    let known = Command::new("openapi-spec-validator").arg("--version").output();
    if !known.is_ok_and(|output| output.status.success()) {
        assert!(std::env::var_os("ENTENTE_CI").is_none(), "openapi-spec-validator is not installed");
        eprintln!("skipped: openapi-spec-validator is not installed (pip install openapi-spec-validator)");
        return;
    }
    let a = Node::new("Cyber Unit A", 1);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("openapi.json");
    std::fs::write(&file, a.get("/v1/openapi.json").await.body).unwrap();
    let output = Command::new("openapi-spec-validator").arg(&file).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
}
