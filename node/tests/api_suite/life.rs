//! The life of an agreement beyond its first version: looked at before it is signed, explained, changed, left.

use serde_json::{Value, json};

use crate::support::{ADDRESS, pair, report, terms};

#[tokio::test]
async fn a_proposal_says_what_it_would_change_and_is_not_signed() {
    let (a, b, agreement) = pair().await;
    let shown = a.get(&format!("/v1/agreements/{agreement}")).await.is(200);
    assert_eq!(shown["changes"], json!([]));
    let words = shown["words"].as_array().unwrap();
    assert!(words.iter().any(|line| line.as_str().unwrap().contains("365 days")), "{words:?}");

    let mut next = terms(&[&a, &b]);
    next["parent"] = shown["version"].clone();
    next["effective_from"] = json!("2098-01-01");
    next["retention_days"] = json!(30);
    next["party"][1]["contribute"] = json!(false);
    next["dry_run"] = json!(true);
    let foretold = a.post("/v1/agreements", &next).await.is(200);
    assert_eq!(
        foretold["changes"],
        json!([
            { "term": "party FIU B", "before": "contributes and receives", "after": "receives" },
            { "term": "retention_days", "before": "365", "after": "30" },
        ])
    );
    assert_eq!(a.get(&format!("/v1/agreements/{agreement}")).await.is(200)["open"], json!([]), "nothing was proposed");
    next["effective_from"] = json!("2020-01-01");
    a.post("/v1/agreements", &next).await.problem(400, "invalid");

    next["effective_from"] = json!("2098-01-01");
    next["dry_run"] = json!(false);
    let proposed = a.post("/v1/agreements", &next).await.is(201);
    assert_eq!(proposed["agreement"]["changes"], foretold["changes"]);
    let mut end = next.clone();
    end["ends"] = json!(true);
    end["dry_run"] = json!(true);
    let foretold = a.post("/v1/agreements", &end).await.is(200);
    assert!(foretold["words"][0].as_str().unwrap().contains("ends the agreement"), "{foretold}");
    let mut first = terms(&[&a, &b]);
    first["ends"] = json!(true);
    a.post("/v1/agreements", &first).await.problem(400, "invalid");
}

#[tokio::test]
async fn a_report_is_judged_under_an_agreement_party_by_party() {
    let (a, b, agreement) = pair().await;
    a.desk.compared(agreement).unwrap();
    let path = format!("/v1/agreements/{agreement}/dry-run");
    let judged = a.post(&path, &json!({ "draft": report(ADDRESS) })).await.is(200);
    assert_eq!((&judged["permitted"], &judged["agreement"]["title"]), (&json!(true), &json!("Ransomware addresses")));
    let receives = |judged: &Value, name: &str| {
        let parties = judged["parties"].as_array().unwrap().clone();
        parties.into_iter().find(|party| party["agency"]["name"] == name).unwrap()["receives"].clone()
    };
    assert_eq!((receives(&judged, "FIU B"), receives(&judged, "Cyber Unit A")), (json!(true), json!(false)));

    let mut red = report(ADDRESS);
    red["marking"] = json!("red");
    let judged = a.post(&path, &json!({ "draft": red })).await.is(200);
    assert_eq!((&judged["permitted"], &judged["term"]), (&json!(false), &json!("marking-ceiling")));
    assert_eq!(receives(&judged, "FIU B"), json!(false));

    let filed = a.post("/v1/reports", &report(ADDRESS)).await.is(201);
    let judged = a.post(&path, &json!({ "report": filed["id"] })).await.is(200);
    assert_eq!(judged["permitted"], true);
    for wrong in [json!({}), json!({ "report": "xyz" }), json!({ "report": filed["id"], "draft": report(ADDRESS) })] {
        a.post(&path, &wrong).await.problem(400, "invalid");
    }
    a.post(&path, &json!({ "report": "0".repeat(32) })).await.problem(404, "not-found");
    assert_eq!(b.get("/v1/held").await.is(200)["items"], json!([]), "nothing was filed by asking");
}

#[tokio::test]
async fn who_leaves_publishes_no_more_and_the_others_know() {
    let (a, b, agreement) = pair().await;
    a.desk.compared(agreement).unwrap();
    let path = format!("/v1/agreements/{agreement}/withdrawal");
    a.post(&path, &json!({ "reason": "" })).await.problem(400, "invalid");
    a.post(&path, &json!({ "reason": "the unit was dissolved" })).await.is(200);
    a.post(&path, &json!({ "reason": "once more" })).await.is(200);
    b.learn(&a, agreement);
    // Fewer than two parties are left: the agreement has ended for both.
    for node in [&a, &b] {
        let shown = node.get(&format!("/v1/agreements/{agreement}")).await.is(200);
        assert_eq!(shown["state"], "ended", "{shown}");
    }
    assert!(a.get(&format!("/v1/agreements/{agreement}")).await.is(200)["left"].is_string());
    let mut input = report(ADDRESS);
    input["agreements"] = json!([agreement.to_string()]);
    let refused = a.post("/v1/reports", &input).await;
    assert!(refused.status == 422 || refused.status == 409, "{}", refused.text());
}
