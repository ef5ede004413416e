//! Cards and agreements: imported, proposed, shown, signed, rejected.

use entente_protocol::identity::Fingerprint;
use serde_json::{Value, json};

use crate::support::{Node, pair, terms};

#[tokio::test]
async fn the_own_card_is_what_partners_import() {
    let (a, b) = (Node::new("Cyber Unit A", 1), Node::new("FIU B", 2));
    let own = a.get("/v1/card").await.is(200);
    let words = Fingerprint::of(a.agency()).to_string();
    assert_eq!(own["agency"]["trust"], "self");
    assert_eq!(own["agency"]["fingerprint"], words);
    assert_eq!(own["agency"]["nodes"][0]["writer"], 1);
    assert!(own["agency"]["nodes"][0]["peer_id"].as_str().unwrap().starts_with("12D3KooW"));

    let import = |fingerprint: Value| json!({ "card": own["export"], "fingerprint": fingerprint, "vouched": false });
    let wrong = Fingerprint::of(b.agency()).to_string();
    for fingerprint in [Value::Null, json!(wrong), json!("abandon"), json!("")] {
        let refused = b.post("/v1/cards", &import(fingerprint)).await;
        refused.problem(422, "refused");
        assert!(refused.json()["hint"].is_string());
    }
    b.get(&format!("/v1/agencies/{}", a.agency())).await.problem(404, "not-found");
    let mut vouched = import(json!(words));
    vouched["vouched"] = json!(true);
    b.post("/v1/cards", &vouched).await.problem(422, "refused");
    b.post("/v1/cards", &json!({ "card": "-----BEGIN", "fingerprint": words })).await.problem(422, "refused");

    let pinned = b.post("/v1/cards", &import(json!(words))).await.is(200);
    assert_eq!(pinned["id"], a.agency().to_string());
    assert_eq!(pinned["agency"]["trust"], "pinned");
    assert_eq!(b.get("/v1/agencies/Cyber%20Unit%20A").await.is(200)["id"], pinned["id"]);
}

#[tokio::test]
async fn agencies_are_listed_in_pages() {
    let a = Node::new("Cyber Unit A", 1);
    for (name, seed) in [("B", 2), ("C", 3)] {
        a.pin(&Node::new(name, seed)).await;
    }
    let all = a.get("/v1/agencies").await.is(200);
    assert_eq!((all["items"].as_array().unwrap().len(), &all["next"]), (3, &Value::Null));
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = a.get(&format!("/v1/agencies?limit=1{after}")).await.is(200);
        seen.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(json!(seen), all["items"]);
    for limit in ["0", "501", "-1", "many"] {
        let detail = a.get(&format!("/v1/agencies?limit={limit}")).await.problem(400, "invalid");
        assert!(detail.contains("limit"), "{detail}");
    }
}

#[tokio::test]
async fn an_agreement_comes_into_force_when_all_have_signed() {
    let (a, b) = (Node::new("Cyber Unit A", 1), Node::new("FIU B", 2));
    a.post("/v1/agreements", &terms(&[&a, &b])).await.problem(404, "not-found");
    a.pin(&b).await;
    b.pin(&a).await;
    let proposed = a.post("/v1/agreements", &terms(&[&a, &b])).await.is(201);
    let id = proposed["id"].as_str().unwrap().to_owned();
    let shown = a.get(&format!("/v1/agreements/{}", &id[..8])).await.is(200);
    assert_eq!(shown, proposed["agreement"]);
    assert_eq!((&shown["state"], &shown["missing"]), (&json!("proposed"), &json!([b.agency().to_string()])));
    assert_eq!(shown["valid_until"], "2098-12-31T23:00:00.000Z");
    assert_eq!((&shown["marking_ceiling"], &shown["onward"]), (&json!("amber"), &json!("never")));
    assert_eq!((&shown["handling"], &shown["statement_kinds"]), (&json!(["H1"]), &json!(["report", "revision"])));
    for unknown in [&id[..7], "00000000"] {
        a.get(&format!("/v1/agreements/{unknown}")).await.problem(404, "not-found");
    }

    b.learn(&a, id.parse().unwrap());
    let path = format!("/v1/agreements/{id}/signature");
    b.post(&path, &json!({ "really": true })).await.problem(400, "invalid");
    let signed = b.post(&path, &json!({})).await.is(200);
    assert_eq!(signed["state"], "in_force");
    assert_eq!(b.post(&path, &json!({})).await.is(200), signed, "signing again changes nothing");
    let reject = json!({ "reason": "changed our mind" });
    b.post(&format!("/v1/agreements/{id}/rejection"), &reject).await.problem(422, "refused");

    a.learn(&b, id.parse().unwrap());
    let listed = a.get("/v1/agreements").await.is(200);
    assert_eq!(listed["items"][0]["state"], "in_force");
    let answers: Vec<_> =
        listed["items"][0]["parties"].as_array().unwrap().iter().map(|party| &party["answer"]).collect();
    assert_eq!(answers, ["signed", "signed"]);
}

#[tokio::test]
async fn a_rejection_carries_its_reason() {
    let (a, b, _) = pair().await;
    let proposed = a.post("/v1/agreements", &terms(&[&a, &b])).await.is(201);
    let id = proposed["id"].as_str().unwrap();
    b.learn(&a, id.parse().unwrap());
    let path = format!("/v1/agreements/{id}/rejection");
    b.post(&path, &json!({ "reason": "" })).await.problem(400, "invalid");
    assert_eq!(b.post(&path, &json!({ "reason": "too long" })).await.is(200)["state"], "rejected");
    a.learn(&b, id.parse().unwrap());
    let shown = a.get(&format!("/v1/agreements/{id}")).await.is(200);
    let b_party = shown["parties"].as_array().unwrap().iter().find(|party| party["name"] == "FIU B").unwrap();
    assert_eq!((&b_party["answer"], &b_party["reason"]), (&json!("rejected"), &json!("too long")));
    assert_eq!(shown["state"], "rejected");
}

#[tokio::test]
async fn terms_that_make_no_agreement_are_refused_by_name() {
    let (a, b, _) = pair().await;
    let cases = [
        ("valid_from", json!("yesterday"), "valid_from"),
        ("valid_until", json!("2019-01-01"), "valid"),
        ("retention_days", json!(0), "retention"),
        ("retention_days", json!("365"), "retention_days"),
        ("marking_ceiling", json!("white"), "marking"),
        ("statement_kinds", json!(["rumour"]), "statement_kinds"),
        ("statement_kinds", json!([]), "statement kind"),
        ("typologies", json!(["ransomwear"]), "typology"),
        ("required_grading", json!("5x5x5"), "required_grading"),
        ("onward", json!("always"), "onward"),
        ("handling", json!(["H9"]), "handling"),
        ("parent", json!("1234"), "parent"),
        ("colour", json!("red"), "colour"),
        ("party", json!([]), "parties"),
    ];
    for (key, value, named) in cases {
        let mut terms = terms(&[&a, &b]);
        terms[key] = value;
        let detail = a.post("/v1/agreements", &terms).await.problem(400, "invalid");
        assert!(detail.contains(named), "{key}: {detail}");
    }
}
