//! Reports: filed, listed, shown, revised, retracted, looked up; and the same write twice.

use serde_json::{Value, json};

use crate::support::{ADDRESS, Answer, Node, OTHER, agree, pair, report};

fn id(answer: &Value) -> String {
    answer["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_report_is_filed_found_revised_and_retracted() {
    let (a, b, agreement) = pair().await;
    let mut input = report(ADDRESS);
    for (key, value) in [
        ("case", "2026-118"),
        ("description", "ransom note\nof 3 May"),
        ("source", "victim"),
        ("observed_from", "2026-05-03"),
        ("precedence", "priority"),
        ("handling_note", "ask first"),
    ] {
        input[key] = json!(value);
    }
    input["handling"] = json!(["H1", "H3"]);
    let filed = a.post("/v1/reports", &input).await.is(201);
    assert_eq!(filed["revision"], 0);
    assert_eq!(filed["agreements"][0]["state"], "waiting");
    assert_eq!(filed["agreements"][0]["recipients"], json!([{ "id": b.agency().to_string(), "name": "FIU B" }]));

    let path = format!("/v1/reports/{}", id(&filed));
    let waiting = a.get(&path).await.is(200);
    assert_eq!(waiting["received"], Value::Null);
    a.desk.compared(agreement).unwrap();
    let shown = a.get(&format!("{path}?case=2026-118&reason=a+%26+b")).await.is(200);
    assert_eq!(shown["originator"], json!({ "id": a.agency().to_string(), "name": "Cyber Unit A" }));
    assert_eq!(
        shown["address"],
        json!({
            "chain": "bip122:000000000019d6689c085ae165831e93", "canonical": "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
            "caip10": "bip122:000000000019d6689c085ae165831e93:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        })
    );
    assert_eq!((&shown["handling"], &shown["handling_note"]), (&json!(["H1", "H3"]), &json!("ask first")));
    assert_eq!((&shown["marking"], &shown["precedence"]), (&json!("amber"), &json!("priority")));
    assert_eq!(shown["observed_from"], "2026-05-03T00:00:00.000Z");
    assert_eq!(shown["agreements"], json!([{ "id": agreement.to_string(), "title": "Ransomware addresses" }]));
    assert_eq!(shown["retracted"], false);
    assert!(shown["received"].is_string());
    assert_eq!(a.get("/v1/reports").await.is(200)["items"], json!([shown]));

    let revisions = format!("{path}/revisions");
    a.post(&revisions, &json!({ "agreements": [] })).await.problem(400, "invalid");
    a.post(&revisions, &json!({ "address": OTHER })).await.problem(400, "invalid");
    let revised = a.post(&revisions, &json!({ "grading": "A1", "handling": [] })).await.is(200);
    assert_eq!(revised, json!({ "id": id(&filed), "revision": 1 }));
    let found = a.get(&format!("/v1/addresses/{ADDRESS}")).await.is(200);
    assert_eq!((&found["distinct_originators"], &found["retracted"]), (&json!(1), &json!(0)));
    assert_eq!((&found["reports"][0]["grading"], &found["reports"][0]["revision"]), (&json!("A1"), &json!(1)));
    assert_eq!(found["reports"][0]["agreements"], json!([agreement.to_string()]));

    let retraction = format!("{path}/retraction");
    a.post(&retraction, &json!({})).await.problem(400, "invalid");
    let retracted = a.post(&retraction, &json!({ "reason": "an exchange" })).await.is(200);
    assert_eq!(retracted["up_to_revision"], 1);
    assert_eq!(retracted["holders"], json!([{ "id": b.agency().to_string(), "name": "FIU B" }]));
    let left = a.get(&path).await.is(200);
    assert_eq!((&left["retracted"], &left["retraction"]["reason"]), (&json!(true), &json!("an exchange")));
    assert_eq!(left["retraction"]["outstanding"], retracted["holders"]);
    assert!(left.get("description").is_none(), "its content is gone");
    let found = a.get(&format!("/v1/addresses/{ADDRESS}")).await.is(200);
    assert_eq!((&found["reports"], &found["retracted"]), (&json!([]), &json!(1)));
    a.post(&revisions, &json!({ "grading": "A2" })).await.problem(422, "refused");
}

#[tokio::test]
async fn a_dry_run_tells_recipients_and_denials_and_files_nothing() {
    let (a, b, agreement) = pair().await;
    let mut input = report(ADDRESS);
    input["dry_run"] = json!(true);
    let would = a.post("/v1/reports", &input).await.is(200);
    assert_eq!((&would["id"], &would["denied"]), (&Value::Null, &json!([])));
    assert_eq!(would["agreements"][0]["recipients"][0]["id"], b.agency().to_string());

    input["marking"] = json!("red");
    let would = a.post("/v1/reports", &input).await.is(200);
    assert_eq!(would["agreements"], json!([]));
    assert_eq!(would["denied"][0]["agreement"], agreement.to_string());
    assert_eq!(would["denied"][0]["term"], "marking-ceiling");
    assert_eq!(a.get("/v1/reports").await.is(200)["items"], json!([]));

    input["dry_run"] = json!(false);
    let refused = a.post("/v1/reports", &input).await;
    refused.problem(422, "refused");
    assert_eq!(refused.json()["term"], "marking-ceiling");
}

#[tokio::test]
async fn a_field_that_cannot_be_read_is_named() {
    let (a, _b, _) = pair().await;
    let cases = [
        ("address", json!("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"), "address"),
        ("address", json!("bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"), "address"),
        ("address", json!("dogecoin:D8vFz4p1L37jdg47HXKtSHA5uYLYxbGgPD"), "address"),
        ("typology", json!("jaywalking"), "typology"),
        ("grading", json!("Z9"), "grading"),
        ("marking", json!("white"), "marking"),
        ("handling", json!(["H7"]), "handling"),
        ("handling", json!("H1"), "handling"),
        ("handling_note", json!("to what?"), "handling_note"),
        ("description", json!("x".repeat(20_000)), "description"),
        ("observed_until", json!("2026-05-03T00:00:00"), "observed_until"),
        ("precedence", json!("urgent"), "precedence"),
        ("tlp", json!("amber"), "tlp"),
    ];
    for (key, value, named) in cases {
        let mut input = report(ADDRESS);
        input[key] = value;
        let detail = a.post("/v1/reports", &input).await.problem(400, "invalid");
        assert!(detail.contains(named), "{key}: {detail}");
    }
    let mut input = report(ADDRESS);
    input["agreements"] = json!(["0123456789"]);
    a.post("/v1/reports", &input).await.problem(404, "not-found");
    for path in ["/v1/reports/xyz", "/v1/reports/0123"] {
        a.get(path).await.problem(400, "invalid");
    }
    let unknown = format!("/v1/reports/{}", "00".repeat(16));
    a.get(&unknown).await.problem(404, "not-found");
    a.get(&format!("{unknown}?originator=Nobody")).await.problem(404, "not-found");
    a.post(&format!("{unknown}/revisions"), &json!({ "grading": "A1" })).await.problem(404, "not-found");
    a.post(&format!("{unknown}/retraction"), &json!({ "reason": "x" })).await.problem(404, "not-found");
}

#[tokio::test]
async fn the_agreement_is_named_where_several_are_in_force() {
    let alone = Node::new("Alone", 7);
    alone.post("/v1/reports", &report(ADDRESS)).await.problem(400, "invalid");
    let (a, b, first) = pair().await;
    let second = agree(&a, &b).await;
    let detail = a.post("/v1/reports", &report(ADDRESS)).await.problem(400, "invalid");
    assert!(detail.contains("2 are in force"), "{detail}");
    let mut input = report(ADDRESS);
    input["agreements"] = json!([&first.to_string()[..8], second.to_string()]);
    let filed = a.post("/v1/reports", &input).await.is(201);
    assert_eq!(filed["agreements"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_batch_judges_each_row_on_its_own() {
    let (a, b, first) = pair().await;
    let second = agree(&a, &b).await;
    let mut red = report(ADDRESS);
    red["marking"] = json!("red");
    let mut elsewhere = report(OTHER);
    elsewhere["agreements"] = json!([second.to_string()]);
    let mut lost = report(ADDRESS);
    lost["agreements"] = json!(["ffffffff"]);
    let mut dry = report(ADDRESS);
    dry["dry_run"] = json!(true);
    let rows = [report(ADDRESS), red, elsewhere, report("nowhere:x"), lost, dry, report(OTHER)];
    let batch = json!({ "reports": rows, "agreements": [first.to_string()] });
    let answer = a.post_with("/v1/reports/batch", &batch, &[("idempotency-key", "import-1")]).await;
    let results = answer.is(200)["results"].as_array().unwrap().clone();
    let slugs: Vec<_> = results
        .iter()
        .map(|result| result["problem"]["type"].as_str().map_or("filed", |kind| kind.rsplit(':').next().unwrap()))
        .collect();
    assert_eq!(slugs, ["filed", "refused", "filed", "invalid", "not-found", "invalid", "filed"]);
    let ids: std::collections::BTreeSet<_> = results.iter().filter_map(|result| result["id"].as_str()).collect();
    assert_eq!(ids.len(), 3, "each has a number of its own");

    let again = a.restarted();
    let repeated = again.post_with("/v1/reports/batch", &batch, &[("idempotency-key", "import-1")]).await.is(200);
    let repeated_ids: std::collections::BTreeSet<_> =
        repeated["results"].as_array().unwrap().iter().filter_map(|result| result["id"].as_str()).collect();
    assert_eq!(repeated_ids, ids);
    assert_eq!(again.get("/v1/reports").await.is(200)["items"].as_array().unwrap().len(), 3);

    let listed = json!({ "reports": [["bitcoin:x", "scam", "B2", "red"]] });
    let detail = again.post("/v1/reports/batch", &listed).await.problem(400, "invalid");
    assert!(detail.starts_with("reports[0]: invalid type: sequence"), "{detail}");
    let many: Vec<_> = (0..501).map(|_| report(ADDRESS)).collect();
    again.post("/v1/reports/batch", &json!({ "reports": many })).await.problem(413, "too-large");
}

#[tokio::test]
async fn a_write_that_is_repeated_is_done_once() {
    let (a, _b, _) = pair().await;
    let key = [("idempotency-key", "k-1")];
    let first = a.post_with("/v1/reports", &report(ADDRESS), &key).await.is(201);
    assert_eq!(a.post_with("/v1/reports", &report(ADDRESS), &key).await.is(201), first);
    a.post_with("/v1/reports", &report(OTHER), &key).await.problem(409, "conflict");
    let retraction = format!("/v1/reports/{}/retraction", id(&first));
    a.post_with(&retraction, &json!({ "reason": "x" }), &key).await.problem(409, "conflict");

    let a = a.restarted();
    let after = a.post_with("/v1/reports", &report(ADDRESS), &key).await.is(201);
    assert_eq!(id(&after), id(&first), "a filing survives a restart");
    assert_eq!(a.get("/v1/reports").await.is(200)["items"].as_array().unwrap().len(), 1);
    let other = a.post_with("/v1/reports", &report(ADDRESS), &[("idempotency-key", "k-2")]).await.is(201);
    assert_ne!(id(&other), id(&first));

    let long = "x".repeat(65);
    for bad in ["", "a b", &long] {
        a.post_with("/v1/reports", &report(ADDRESS), &[("idempotency-key", bad)]).await.problem(400, "invalid");
    }
    let twice = [("idempotency-key", "a"), ("idempotency-key", "b")];
    a.post_with("/v1/reports", &report(ADDRESS), &twice).await.problem(400, "invalid");
    // What was refused changed nothing, and may be tried again under its key.
    let key = [("idempotency-key", "k-3")];
    let mut input = report(ADDRESS);
    input["marking"] = json!("red");
    a.post_with("/v1/reports", &input, &key).await.problem(422, "refused");
    a.post_with("/v1/reports", &report(ADDRESS), &key).await.is(201);
}

#[tokio::test]
async fn own_reports_come_in_pages() {
    let (a, _b, agreement) = pair().await;
    a.desk.compared(agreement).unwrap();
    let rows: Vec<_> = (0..7).map(|_| report(ADDRESS)).collect();
    a.post("/v1/reports/batch", &json!({ "reports": rows })).await.is(200);
    let (mut seen, mut after, mut pages) = (std::collections::BTreeSet::new(), String::new(), 0);
    loop {
        let page = a.get(&format!("/v1/reports?limit=3{after}")).await.is(200);
        seen.extend(page["items"].as_array().unwrap().iter().map(id));
        pages += 1;
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!((seen.len(), pages), (7, 3));
    let long = "00".repeat(600);
    for after in ["zz", &long] {
        a.get(&format!("/v1/reports?after={after}")).await.problem(400, "invalid");
    }
}

fn lines(answer: &Answer) -> Vec<Value> {
    assert_eq!((answer.status, &answer.headers["content-type"]), (200, &"application/x-ndjson".parse().unwrap()));
    answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn lookups_answer_one_a_line_in_order() {
    let (a, _b, agreement) = pair().await;
    a.desk.compared(agreement).unwrap();
    a.post("/v1/reports", &report(ADDRESS)).await.is(201);
    let nothing = a.get(&format!("/v1/addresses/{OTHER}")).await.is(200);
    assert_eq!((&nothing["reports"], &nothing["distinct_originators"]), (&json!([]), &json!(0)));
    assert_eq!(nothing["input"], OTHER);
    let detail = a.get("/v1/addresses/bitcoin:nonsense").await.problem(400, "invalid");
    assert!(detail.starts_with("address: "), "{detail}");
    a.get("/v1/addresses/%ff").await.problem(400, "invalid");

    let addresses: Vec<_> = (0..600).map(|row| [ADDRESS, OTHER, "bitcoin:nonsense"][row % 3]).collect();
    let found = lines(&a.post("/v1/lookups", &json!({ "addresses": addresses, "case": "2026-118" })).await);
    let counts = json!({ "lookups": 600, "known": 200, "unknown": 200, "ambiguous": 0, "invalid": 200 });
    assert_eq!((found.len(), &found[600]), (601, &counts));
    for (row, line) in found[..600].iter().enumerate() {
        assert_eq!(line["input"], addresses[row]);
        assert_eq!(line["reports"].as_array().unwrap().len(), usize::from(row % 3 == 0));
        assert_eq!(line["address"].is_null(), row % 3 == 2);
        assert_eq!(line["error"].is_string(), row % 3 == 2);
    }
    let none = lines(&a.post("/v1/lookups", &json!({ "addresses": [] })).await);
    assert_eq!(none, [json!({ "lookups": 0, "known": 0, "unknown": 0, "ambiguous": 0, "invalid": 0 })]);
    let many = json!({ "addresses": vec!["a"; 100_001] });
    a.post("/v1/lookups", &many).await.problem(413, "too-large");
    let detail = a.post("/v1/lookups", &json!({ "addresses": [], "case": "x".repeat(201) })).await;
    assert!(detail.problem(400, "invalid").starts_with("case"));
}
