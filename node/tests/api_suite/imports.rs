//! What files bring and take: rows of an import, benign lists, all reports that are held, other indicators.

use serde_json::{Value, json};

use crate::support::{ADDRESS, Node, OTHER, pair, report};

fn row(key: &str, address: &str) -> Value {
    let mut row = report(address);
    row["row"] = json!(key);
    row
}

async fn import(node: &Node, rows: &[Value], dry_run: bool) -> Value {
    let batch = json!({ "import": "victims.csv", "reports": rows, "dry_run": dry_run });
    node.post("/v1/reports/batch", &batch).await.is(200)
}

fn outcomes(answer: &Value) -> Vec<&str> {
    let results = answer["results"].as_array().unwrap().iter();
    results
        .map(|result| result["outcome"].as_str().unwrap_or_else(|| result["problem"]["title"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn the_same_row_is_the_same_report() {
    let (a, b, agreement) = pair().await;
    a.desk.compared(agreement).unwrap();
    let rows = [row("1", ADDRESS), row("2", OTHER)];
    let would = import(&a, &rows, true).await;
    assert_eq!(would["agreements"][0]["recipients"][0]["id"], b.agency().to_string());
    assert_eq!(a.get("/v1/held").await.is(200)["items"], json!([]), "a dry run files nothing");

    let filed = import(&a, &rows, false).await;
    assert_eq!(outcomes(&filed), ["filed", "filed"]);
    assert_eq!(would["results"][0]["id"], filed["results"][0]["id"], "a dry run tells the ids");
    assert_eq!(outcomes(&import(&a, &rows, false).await), ["unchanged", "unchanged"]);
    let mut better = row("2", OTHER);
    better["grading"] = json!("A1");
    let again = import(&a, &[row("1", ADDRESS), better], false).await;
    assert_eq!(outcomes(&again), ["unchanged", "revised"]);
    assert_eq!(again["results"][1]["id"], filed["results"][1]["id"]);

    let mut unnamed = row("3", ADDRESS);
    unnamed.as_object_mut().unwrap().remove("row");
    let mut elsewhere = row("4", ADDRESS);
    elsewhere["agreements"] = json!([agreement.to_string()]);
    let answer = import(&a, &[unnamed, elsewhere, row("5", "nowhere:x"), row("6", ADDRESS)], false).await;
    let details: Vec<_> =
        answer["results"].as_array().unwrap().iter().map(|result| result["problem"]["detail"].as_str()).collect();
    assert!(details[0].unwrap().starts_with("row: ") && details[1].unwrap().starts_with("agreements: "), "{details:?}");
    assert!(details[2].unwrap().starts_with("address: ") && details[3].is_none(), "{details:?}");
    let nameless = json!({ "import": " ", "reports": [row("1", ADDRESS)] });
    a.post("/v1/reports/batch", &nameless).await.problem(400, "invalid");
}

#[tokio::test]
async fn all_that_is_held_is_found_by_what_is_asked() {
    let (a, _b, agreement) = pair().await;
    a.desk.compared(agreement).unwrap();
    import(&a, &[row("1", ADDRESS), row("2", OTHER)], false).await;
    let mut domain = report("");
    domain.as_object_mut().unwrap().remove("address");
    domain["indicator"] = json!("domain:evil.example");
    domain["typology"] = json!("phishing");
    domain["case"] = json!("2026/17");
    a.post("/v1/reports", &domain).await.is(201);
    for (query, count) in [
        ("", 3),
        ("originator=Cyber+Unit+A", 3),
        (&format!("agreement={agreement}"), 3),
        ("typology=phishing", 1),
        ("chain=bitcoin", 1),
        ("kind=domain", 1),
        ("kind=address", 2),
        ("of_case=2026%2F17", 1),
        ("import=victims.csv", 2),
        ("import=other.csv", 0),
        ("since=2020-01-01", 3),
        ("until=2020-01-01", 0),
    ] {
        let page = a.get(&format!("/v1/held?{query}")).await.is(200);
        assert_eq!(page["items"].as_array().unwrap().len(), count, "{query}: {page}");
    }
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let page = a.get(&format!("/v1/held?limit=1{after}")).await.is(200);
        found.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(found.len(), 3, "pages hold all, each once");
    for (query, field) in [
        ("originator=nobody", "not-found"),
        ("typology=%00", "typology"),
        ("chain=usdt", "chain"),
        ("kind=thing", "kind"),
        ("since=yesterday", "since"),
        ("after=xyz", "after"),
    ] {
        let answer = a.get(&format!("/v1/held?{query}")).await;
        assert!(matches!(answer.status, 400 | 404), "{query}: {}", answer.text());
        assert!(answer.text().contains(field), "{query}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_benign_list_warns_whoever_reports_and_whoever_looks_up() {
    let (a, _b, agreement) = pair().await;
    a.desk.compared(agreement).unwrap();
    let part = |edition: u64, entries: Value, last: bool| {
        json!({
            "name": "exchanges", "source": "a list", "date": "2026-05-01", "edition": edition, "entries": entries, "last": last,
        })
    };
    let entry = |indicator: &str, label: &str| json!({ "indicator": indicator, "label": label });
    let first = part(1, json!([entry(ADDRESS, "hot wallet")]), false);
    assert_eq!(a.post("/v1/benign", &first).await.is(200)["entries"], 1);
    assert_eq!(a.get("/v1/benign").await.is(200)["items"], json!([]), "it takes effect whole");
    let last = part(1, json!([entry("domain:bank.example", "a bank")]), true);
    assert_eq!(a.post("/v1/benign", &last).await.is(200)["entries"], 2);
    let lists = a.get("/v1/benign").await.is(200);
    assert_eq!((&lists["items"][0]["name"], &lists["items"][0]["entries"]), (&json!("exchanges"), &json!(2)));

    let warned = a.post("/v1/reports", &report(ADDRESS)).await;
    assert!(warned.text().contains("hot wallet"), "{}", warned.text());
    assert_eq!(warned.status, 422);
    let row = json!({ "import": "x", "reports": [row("1", ADDRESS)] });
    let refused = a.post("/v1/reports/batch", &row).await.is(200);
    assert!(refused["results"][0]["problem"]["detail"].as_str().unwrap().contains("hot wallet"), "{refused}");
    let mut meant = report(ADDRESS);
    meant["confirm_benign"] = json!(true);
    a.post("/v1/reports", &meant).await.is(201);
    let found = a.get(&format!("/v1/addresses/{ADDRESS}")).await.is(200);
    assert_eq!((&found["benign"][0]["label"], found["reports"].as_array().unwrap().len()), (&json!("hot wallet"), 1));

    // A newer loading takes the place of all of the list; an older one is none.
    a.post("/v1/benign", &part(2, json!([entry(OTHER, "a bridge")]), true)).await.is(200);
    assert_eq!(a.get(&format!("/v1/addresses/{ADDRESS}")).await.is(200).get("benign"), None);
    assert_eq!(a.get(&format!("/v1/addresses/{OTHER}")).await.is(200)["benign"][0]["label"], "a bridge");
    let bad = part(3, json!([entry("nowhere:x", "?")]), true);
    assert!(a.post("/v1/benign", &bad).await.problem(400, "invalid").starts_with("entries[0].indicator"));

    let remove =
        || crate::support::request("DELETE", "/v1/benign/exchanges", &[]).body(axum::body::Body::empty()).unwrap();
    assert_eq!(a.raw(remove()).await.is(200)["entries"], 1);
    assert_eq!(a.get(&format!("/v1/addresses/{OTHER}")).await.is(200).get("benign"), None);
    a.raw(remove()).await.problem(404, "not-found");
}

#[tokio::test]
async fn whatever_is_no_address_is_looked_up_alike() {
    let (a, _b, agreement) = pair().await;
    a.desk.compared(agreement).unwrap();
    let mut input = report("");
    input.as_object_mut().unwrap().remove("address");
    input["indicator"] = json!("hxxps://Evil[.]example/login");
    a.post("/v1/reports", &input).await.is(201);
    for written in ["https%3A%2F%2Fevil.example%2Flogin", "url%3Ahttps%3A%2F%2Fevil.example%2Flogin"] {
        let found = a.get(&format!("/v1/indicators/{written}")).await.is(200);
        assert_eq!(found["reports"].as_array().unwrap().len(), 1, "{written}: {found}");
        assert_eq!(found["indicator"]["kind"], "url");
    }
    a.get("/v1/indicators/iban%3ADE00").await.problem(400, "invalid");
    // A key that was pasted by mistake is not said again.
    let key = "5Kd3NBUAdUnhyzenEwVLy9pBKxSwXvE9FMPyR4UKZvpe6E3AgLr";
    let refused = a.get(&format!("/v1/indicators/{key}")).await;
    assert!(refused.problem(400, "invalid").contains("PRIVATE KEY") && !refused.text().contains(key));

    let words = a.get("/v1/vocabularies").await.is(200);
    let named = |name: &str| words["items"].as_array().unwrap().iter().any(|vocabulary| vocabulary["name"] == name);
    assert!(["typology", "role", "marking", "grading"].into_iter().all(named), "{words}");
}

#[tokio::test]
async fn the_sub_account_is_kept_and_is_no_identity() {
    let (a, _b, agreement) = pair().await;
    a.desk.compared(agreement).unwrap();
    let account = "xrpl:0:rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpf";
    let mut tagged = report(account);
    tagged["sub_account"] = json!({ "kind": "destination tag", "value": "7" });
    a.post("/v1/reports", &tagged).await.is(201);
    let found = a.get(&format!("/v1/addresses/{account}")).await.is(200);
    assert_eq!(found["reports"][0]["sub_account"], json!({ "kind": "destination tag", "value": "7" }));
    tagged["sub_account"] = json!({ "kind": "destination tag", "value": "seven" });
    let detail = a.post("/v1/reports", &tagged).await.problem(400, "invalid");
    assert!(detail.starts_with("sub_account"), "{detail}");
}
