//! What operators look at: status, readiness, partners, quarantine, metrics.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use entente_node::api::{ApiState, Connections, ConnectionsView, hash_token, router};
use entente_node::clock;
use entente_node::store::{Item, Record, RecordId, RecordState};
use entente_protocol::id::{LogId, ReportId};
use serde_json::json;
use tower::ServiceExt;

use crate::support::{ADDRESS, TOKEN, network, pair, report};

#[tokio::test]
async fn the_status_counts_what_is_there() {
    let (a, _b, agreement) = pair().await;
    a.post("/v1/reports", &report(ADDRESS)).await.is(201);
    let status = a.get("/v1/status?reason=rounds").await.is(200);
    assert_eq!(status["agency"]["name"], "Cyber Unit A");
    assert_eq!(status["agency"]["mode"], "exercise");
    assert_eq!((&status["outbox"], &status["agreements"]["in_force"]), (&json!(1), &json!(1)));
    assert_eq!((&status["ready"], &status["store"]["healthy"]), (&json!(true), &json!(true)));
    assert_eq!(status["network"]["partners"], 1);
    a.desk.compared(agreement).unwrap();
    let status = a.get("/v1/status").await.is(200);
    assert_eq!((&status["outbox"], &status["store"]["reports"]), (&json!(0), &json!(1)));
    assert_eq!(a.get("/readyz").await.is(200), json!({ "ready": true }));
}

#[tokio::test]
async fn a_node_that_does_not_listen_is_not_ready() {
    let (a, _b, _) = pair().await;
    let state =
        ApiState::new(Arc::clone(&a.desk), ConnectionsView::new(Connections::default), hash_token(TOKEN), false);
    let answer = router(state).oneshot(Request::get("/readyz").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["retry-after"], "1");
    let body = axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap();
    assert!(String::from_utf8_lossy(&body).contains("the network does not listen"));
}

#[tokio::test]
async fn partners_are_shown_with_their_connection_and_agreements() {
    let (a, b, agreement) = pair().await;
    let peers = a.get("/v1/peers").await.is(200);
    let peer = &peers["items"][0];
    assert_eq!((&peer["agency"]["name"], &peer["connected"]), (&json!("FIU B"), &json!(false)));
    assert_eq!(peer["agreements"][0]["id"], agreement.to_string());
    assert_eq!(peer["agreements"][0]["silent"], true);

    let state = ApiState::new(Arc::clone(&a.desk), network(&[b.agency()]), hash_token(TOKEN), false);
    let request = Request::get("/v1/peers").header("authorization", format!("bearer {TOKEN}"));
    let answer = router(state).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let body = axum::body::to_bytes(answer.into_body(), 100_000).await.unwrap();
    let peers: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(peers["items"][0]["connected"], true);
    assert!(peers["items"][0]["since"].is_string());
}

#[tokio::test]
async fn the_quarantine_tells_reasons() {
    let (a, b, agreement) = pair().await;
    let record = |report: u8, seq, state| {
        let log = LogId { agreement, author: b.agency(), writer: 1, generation: 0 };
        let report = ReportId::from_bytes([report; 16]);
        let id = RecordId { originator: b.agency(), report, revision: 0, log, seq, leaf: 0 };
        Item::Record(Record { id, indicator: Vec::new(), received: clock::now().ms(), state, statement: vec![1] })
    };
    let rows =
        vec![record(9, 0, RecordState::Quarantined { reason: 70 }), record(0, 1, RecordState::Held { reason: 32 })];
    a.desk.store().commit(rows).unwrap();
    let listed = a.get("/v1/quarantine").await.is(200);
    let mut found: Vec<_> = listed["items"].as_array().unwrap().clone();
    found.sort_by_key(|row| row["log"]["seq"].as_u64());
    assert_eq!((&found[0]["reason"], &found[0]["state"]), (&json!("marking-ceiling"), &json!("refused")));
    assert_eq!(found[0]["report"], "09".repeat(16));
    assert_eq!((&found[1]["reason"], &found[1]["state"]), (&json!("newer-statement"), &json!("held")));
    assert!(found[1].get("report").is_none());
    assert_eq!(found[0]["author"]["name"], "FIU B");
    let first = a.get("/v1/quarantine?limit=1").await.is(200);
    let next = first["next"].as_str().unwrap();
    let second = a.get(&format!("/v1/quarantine?limit=1&after={next}")).await.is(200);
    assert_ne!(first["items"][0], second["items"][0]);
}

/// The rules that `promtool check metrics` applies.
#[tokio::test]
async fn the_metrics_keep_the_rules_of_prometheus() {
    let (a, _b, _) = pair().await;
    a.get("/v1/status").await.is(200);
    a.get("/nowhere").await.problem(404, "not-found");
    let answer = a.get("/metrics").await;
    assert_eq!(
        (answer.status, answer.headers["content-type"].to_str().unwrap()),
        (200, "text/plain; version=0.0.4; charset=utf-8")
    );
    let page = answer.text();
    let (mut families, mut samples) = (BTreeSet::new(), BTreeSet::new());
    let mut family = (String::new(), String::new());
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').unwrap();
            assert!(help.ends_with('.'), "{line}");
            let kind = lines.next().unwrap().strip_prefix(&format!("# TYPE {name} ")).unwrap();
            assert!(families.insert(name.to_owned()), "{name} twice");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
            assert!(name.starts_with("entente_") && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
            family = (name.to_owned(), kind.to_owned());
            continue;
        }
        let (sample, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().unwrap() >= 0.0, "{line}");
        assert!(samples.insert(sample.to_owned()), "{sample} twice");
        let name = sample.split('{').next().unwrap();
        let stem = if family.1 == "histogram" {
            ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap()
        } else {
            name
        };
        assert_eq!(stem, family.0);
    }
    for line in [
        "entente_network_gossip_in_total 7",
        "entente_api_requests_total{status=\"4xx\"} 1",
        "entente_agreements_in_force 1",
        "entente_store_healthy 1",
    ] {
        assert!(page.lines().any(|other| other == line), "{line}\n{page}");
    }
}

#[tokio::test]
async fn the_metrics_can_be_opened() {
    let (a, _b, _) = pair().await;
    let plain = || Request::get("/metrics").body(Body::empty()).unwrap();
    a.raw(plain()).await.problem(401, "unauthorized");
    let state = ApiState::new(Arc::clone(&a.desk), network(&[]), hash_token(TOKEN), true);
    assert_eq!(router(state).oneshot(plain()).await.unwrap().status(), 200);
}

#[tokio::test]
async fn every_metric_that_the_alerts_name_is_there() {
    let (a, ..) = pair().await;
    let page = a.get("/metrics").await.text();
    let rules = include_str!("../../../deploy/alerts.yml");
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let expressions = rules.lines().filter_map(|line| line.trim().strip_prefix("expr: "));
    let named = expressions.flat_map(|line| line.split(|c| !word(c))).filter(|name| name.starts_with("entente_"));
    let named: BTreeSet<&str> = named.collect();
    assert!(named.len() > 8, "{named:?}");
    for name in named {
        let begins = |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{']));
        assert!(page.lines().any(begins), "{name} is not among the node's metrics");
    }
}
