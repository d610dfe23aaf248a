//! Checkouts over HTTP, without a socket: previewed, created, read, confirmed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use checkout_preview::{Catalog, Json};
use support::{CATALOG, GUEST, REQUEST, Server, at, parse};

fn with_estimates(request: &str, estimates: &str) -> String {
    format!(r#"{},"expected_estimates":{estimates}}}"#, request.trim_end().strip_suffix('}').unwrap())
}

#[tokio::test]
async fn a_preview_is_the_engines_bytes_and_stores_nothing() {
    let server = Server::start().await;
    for request in [REQUEST, GUEST] {
        let answer = server.post("/checkouts/preview", request).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.headers["content-type"], "application/json");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.text, server.engine(request, "2026-11-22"));
    }
    assert_eq!(server.post("/checkouts/preview", REQUEST).await.at("/estimates/current_invoice/total"), r#""120.00""#);
    assert_eq!(server.count("checkouts").await, 0);
}

#[tokio::test]
async fn today_is_the_date_where_the_business_is() {
    let server = Server::start().await;
    server.set_now("2026-03-01T02:00:00Z");
    assert_eq!(server.post("/checkouts/preview", REQUEST).await.string("as_of"), "2026-02-28");
    server.set_now("2026-02-28T20:00:00Z");
    assert_eq!(server.post("/checkouts/preview", GUEST).await.string("as_of"), "2026-03-01");
}

#[tokio::test]
async fn problems_are_the_engines_bytes() {
    let server = Server::start().await;
    let wrong = [
        "[]",
        "null",
        r#""text""#,
        r#"{"plan_id":"nope","customer_id":7,"plan":"team","start_date":"2026-02-30"}"#,
        r#"{"plan_id":"team","customer_id":"cus_1","product_overrides":[{"pricing_id":"seats","quantity":1e400}]}"#,
        r#"{"plan_id":"team","customer_id":"cus_1","product_overrides":[{"pricing_id":"seats","quantity":"12,50"}]}"#,
        r#"{"plan_id":"team","customer_id":"cus_1","expected_estimate":{}}"#,
        r#"{"plan_id":"team","customer_id":"cus_\u0000"}"#,
        r#"{"plan_id":"team","contract_id":"con_\u0000"}"#,
        r#"{"plan_id":"team","customer_id":"' OR 1=1 --","contract_id":"\ud83d\ude00"}"#,
    ];
    for request in wrong {
        let problems = server.engine(request, "2026-11-22");
        for path in ["/checkouts/preview", "/checkouts"] {
            let answer = server.post(path, request).await;
            answer.refused(422, "rejected");
            assert!(answer.text.contains(&format!(r#""problems":{problems}"#)), "{}\n{problems}", answer.text);
        }
    }
    assert_eq!(server.count("checkouts").await, 0);
}

#[tokio::test]
async fn a_checkout_is_created_with_the_estimates_the_buyer_saw() {
    let server = Server::start().await;
    let preview = server.post("/checkouts/preview", GUEST).await;
    let created = server.post("/checkouts", with_estimates(GUEST, &preview.at("/estimates"))).await;
    assert_eq!(created.status, 201, "{}", created.text);

    let id = created.string("id");
    assert_eq!(created.headers["location"], format!("/checkouts/{id}"));
    assert_eq!(created.string("checkout_status"), "pending");
    assert_eq!(created.string("organisation_id"), server.organisation.organisation);
    assert_eq!(created.string("created_at"), "2026-11-22T12:00:00Z");
    assert_eq!(created.string("expires_at"), "2026-11-23T12:00:00Z");
    assert_eq!(created.at("/customer_data"), r#"{"name":"Grace","email":"grace@example.com","score":5}"#);
    for field in ["estimates", "contract", "catalog_version", "engine_version", "as_of", "checkout_type", "end_date"] {
        let pointer = format!("/{field}");
        assert_eq!(created.at(&pointer), preview.at(&pointer));
    }
    let Json::Object(fields) = created.json() else { panic!("{}", created.text) };
    assert_eq!(
        fields.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" "),
        "id organisation_id checkout_status checkout_type client_secret plan_id contract_id source_contract_id start_date end_date \
         customer_id business_entity_id guest_checkout customer_data estimates contract expires_at success_url \
         cancel_url product_overrides payment_method_id catalog_version engine_version as_of created_at updated_at"
    );
    let read = server.get(&format!("/checkouts/{id}")).await;
    let secret = format!(r#""client_secret":"{}","#, created.string("client_secret"));
    assert_eq!((read.status.as_u16(), read.text), (200, created.text.replace(&secret, "")));
}

#[tokio::test]
async fn expected_estimates_may_be_left_out_or_null() {
    let server = Server::start().await;
    server.create(REQUEST).await;
    server.create(&with_estimates(REQUEST, "null")).await;
    assert_eq!(server.count("checkouts").await, 2);
}

#[tokio::test]
async fn expected_estimates_are_an_object() {
    let server = Server::start().await;
    for sent in ["7", r#""120.00""#, "[]"] {
        let answer = server.post("/checkouts", with_estimates(REQUEST, sent)).await;
        answer.refused(422, "rejected");
        assert!(answer.text.contains(r#""code":"invalid_type","path":"/expected_estimates""#), "{}", answer.text);
    }
    assert_eq!(server.count("checkouts").await, 0);
}

#[tokio::test]
async fn other_estimates_are_told_apart_and_nothing_is_stored() {
    let server = Server::start().await;
    let preview = server.post("/checkouts/preview", REQUEST).await;
    let seen = preview.at("/estimates").replacen(r#""total":"120.00""#, r#""total":"119.00""#, 1);
    let answer = server.post("/checkouts", with_estimates(REQUEST, &seen)).await;
    answer.refused(409, "preview_mismatch");
    assert_eq!(
        answer.at("/differences"),
        r#"[{"path":"/estimates/current_invoice/total","expected":"119.00","actual":"120.00"}]"#
    );
    assert_eq!(answer.at("/preview"), preview.text);

    server.post("/checkouts", with_estimates(REQUEST, "{}")).await.refused(409, "preview_mismatch");
    assert_eq!(server.count("checkouts").await, 0);
}

#[tokio::test]
async fn confirming_makes_the_contract() {
    let server = Server::start().await;
    let id = server.create(REQUEST).await;
    server.set_now("2026-11-22T13:00:00Z");
    let path = format!("/checkouts/{id}/confirm");
    let confirmed = server.post(&path, r#"{"payment_method_id":"pm_1"}"#).await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.text);
    assert_eq!(confirmed.string("checkout_status"), "contract_created");
    assert_eq!(confirmed.string("payment_method_id"), "pm_1");
    assert_eq!(confirmed.string("updated_at"), "2026-11-22T13:00:00Z");
    assert_eq!(confirmed.string("customer_id"), "cus_1");

    let contract_id = confirmed.string("contract_id");
    let contract = server.get(&format!("/contracts/{contract_id}")).await;
    assert_eq!(contract.status, 200);
    assert_eq!(contract.text, confirmed.at("/contract"));
    assert_eq!(contract.string("id"), contract_id);
    assert_eq!(contract.at("/version"), "1");
    assert_eq!(contract.at("/phases/0/lines/0/line_item_id").len(), 38);
    assert_eq!(contract.at("/phases/0/lines/0/pricing_data/unit_amount"), r#""12.00""#);
    assert_eq!(server.get("/contracts").await.text, format!(r#"{{"data":[{}],"next_cursor":null}}"#, contract.text));
    assert_eq!(server.get(&format!("/checkouts/{id}")).await.text, confirmed.text);
    assert_eq!(server.count("customers").await, 0);

    // What was stored is a contract that the engine reads.
    let mut catalog = parse(CATALOG);
    let Json::Object(fields) = &mut catalog else { panic!() };
    fields.push(("contracts".into(), Json::List(vec![contract.json()])));
    Catalog::load(catalog).unwrap();
}

#[tokio::test]
async fn a_checkout_is_confirmed_once() {
    let server = Server::start().await;
    let id = server.create(REQUEST).await;
    assert_eq!(server.confirm(&id).await.status, 200);
    let again = server.confirm(&id).await;
    again.refused(409, "checkout_not_confirmable");
    assert_eq!(again.string("current_status"), "contract_created");
    assert_eq!(again.at("/valid_statuses"), r#"["pending","payment_succeeded"]"#);
    assert_eq!(server.count("contracts").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_confirmations_at_once_make_one_contract() {
    let server = std::sync::Arc::new(Server::start().await);
    let id = server.create(GUEST).await;
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let (server, id) = (server.clone(), id.clone());
        running.spawn(async move { server.confirm(&id).await });
    }
    let answers = running.join_all().await;
    let (done, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!((done.len(), refused.len()), (1, 31));
    for answer in refused {
        answer.refused(409, "checkout_not_confirmable");
        assert_eq!(answer.string("current_status"), "contract_created");
    }
    assert_eq!((server.count("contracts").await, server.count("customers").await), (1, 1));
}

#[tokio::test]
async fn a_checkout_expires_at_the_very_instant() {
    let server = Server::start().await;
    let first = server.create(REQUEST).await;
    let second = server.create(REQUEST).await;
    server.set_now("2026-11-23T11:59:59.999999Z");
    assert_eq!(server.confirm(&first).await.status, 200);
    server.set_now("2026-11-23T12:00:00Z");
    let late = server.confirm(&second).await;
    late.refused(409, "checkout_not_confirmable");
    assert_eq!(late.string("current_status"), "expired");
    assert_eq!(server.get(&format!("/checkouts/{second}")).await.string("checkout_status"), "expired");
    assert_eq!(server.get(&format!("/checkouts/{first}")).await.string("checkout_status"), "contract_created");
    assert_eq!(server.count("contracts").await, 1);
}

#[tokio::test]
async fn a_guest_becomes_a_customer_who_may_come_back() {
    let server = Server::start().await;
    let id = server.create(GUEST).await;
    assert_eq!(server.get(&format!("/checkouts/{id}")).await.at("/customer_id"), "null");
    let confirmed = server.confirm(&id).await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.text);
    let customer_id = confirmed.string("customer_id");
    assert_eq!(at(&confirmed.json(), "/contract/customer_id"), Json::String(customer_id.clone()));
    let (body, data): (String, String) =
        sqlx::query_as("SELECT body, customer_data FROM customers").fetch_one(&server.db).await.unwrap();
    assert_eq!(body, format!(r#"{{"id":"{customer_id}","name":"Grace","business_entity_id":"be_jp"}}"#));
    assert_eq!(data, r#"{"name":"Grace","email":"grace@example.com","score":5}"#);

    // The business entity is that of the guest: its time zone and its taxes.
    let request = format!(r#"{{"plan_id":"team","customer_id":"{customer_id}"}}"#);
    let back = server.post("/checkouts", request.clone()).await;
    assert_eq!(back.status, 201, "{}", back.text);
    assert_eq!(back.string("business_entity_id"), "be_jp");
    assert_eq!(back.at("/estimates/current_invoice/total"), r#""132.00""#);

    // Still so after another catalog and a restart: what is pinned reproduces.
    assert_eq!(server.put("/catalog", CATALOG.replace("12.00", "13.00")).await.status, 200);
    let server = server.restart().await;
    let confirmed = server.confirm(&back.string("id")).await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.text);
    assert_eq!(confirmed.string("customer_id"), customer_id);
    assert_eq!(server.count("customers").await, 1);

    // A catalog that knows the customer itself is believed.
    let known = format!(r#""customers": [{{"id": "{customer_id}", "business_entity_id": "be_us"}}, "#);
    let known = server.put("/catalog", CATALOG.replace(r#""customers": ["#, &known)).await;
    assert_eq!(known.status, 200, "{}", known.text);
    let preview = server.post("/checkouts/preview", request).await;
    assert_eq!(preview.string("business_entity_id"), "be_us", "{}", preview.text);
}

#[tokio::test]
async fn what_was_pinned_is_confirmed_after_the_prices_changed() {
    let server = Server::start().await;
    let id = server.create(REQUEST).await;
    assert_eq!(server.put("/catalog", CATALOG.replace("12.00", "99.00")).await.status, 200);
    let server = server.restart().await;
    server.set_now("2026-11-23T00:00:00Z");
    let confirmed = server.confirm(&id).await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.text);
    assert_eq!(confirmed.at("/contract/phases/0/lines/0/pricing_data/unit_amount"), r#""12.00""#);
    assert_eq!(confirmed.at("/estimates/current_invoice/total"), r#""120.00""#);
}

#[tokio::test]
async fn estimates_that_do_not_come_out_again_are_not_confirmed() {
    let server = Server::start().await;
    let id = server.create(GUEST).await;
    for (change, undo) in [
        ("preview = replace(preview, '120.00', '120.01')", "preview = replace(preview, '120.01', '120.00')"),
        ("as_of = '2026-11-21'", "as_of = '2026-11-22'"),
        ("previewed_at = previewed_at + 1", "previewed_at = previewed_at - 1"),
        ("request = replace(request, 'team', 'gone')", "request = replace(request, 'gone', 'team')"),
    ] {
        server.sql(format!("UPDATE checkouts SET {change}")).await;
        server.confirm(&id).await.refused(409, "estimates_not_reproducible");
        assert_eq!(server.get(&format!("/checkouts/{id}")).await.string("checkout_status"), "pending");
        assert_eq!((server.count("contracts").await, server.count("customers").await), (0, 0));
        server.sql(format!("UPDATE checkouts SET {undo}")).await;
    }
    assert_eq!(server.confirm(&id).await.status, 200);
}

#[tokio::test]
async fn a_confirmation_that_fails_midway_leaves_nothing() {
    let server = Server::start().await;
    let id = server.create(GUEST).await;
    let before = server.get(&format!("/checkouts/{id}")).await.text;
    for table in ["customers", "contracts", "events"] {
        server.sql(format!("ALTER TABLE {table} RENAME TO a_secret_of_the_server")).await;
        let failed = server.confirm(&id).await;
        failed.refused(500, "internal_server_error");
        assert!(!failed.text.contains("secret") && !failed.text.contains(table), "{}", failed.text);
        server.sql(format!("ALTER TABLE a_secret_of_the_server RENAME TO {table}")).await;
        assert_eq!(server.get(&format!("/checkouts/{id}")).await.text, before);
        for table in ["customers", "contracts", "contract_versions"] {
            assert_eq!(server.count(table).await, 0);
        }
        assert_eq!(server.count("events").await, 1);
    }
    assert_eq!(server.confirm(&id).await.status, 200);
}

#[tokio::test]
async fn a_confirmation_has_one_field() {
    let server = Server::start().await;
    let id = server.create(REQUEST).await;
    let path = format!("/checkouts/{id}/confirm");
    for (body, problems) in [
        (r#"[]"#, "invalid_type "),
        (r#"{"payment_method_id":7}"#, "invalid_type /payment_method_id"),
        (r#"{"payment_method_id":"a b"}"#, "invalid_id /payment_method_id"),
        (
            r#"{"z":1,"a/b":null,"payment_method_id":""}"#,
            "invalid_id /payment_method_id, unknown_field /a~1b, unknown_field /z",
        ),
    ] {
        let answer = server.post(&path, body).await;
        answer.refused(422, "rejected");
        let Json::List(found) = at(&answer.json(), "/problems") else { panic!("{}", answer.text) };
        let text = |problem: &Json, field| match problem.get(field) {
            Some(Json::String(text)) => text.clone(),
            _ => panic!("{}", answer.text),
        };
        let found: Vec<_> = found.iter().map(|one| format!("{} {}", text(one, "code"), text(one, "path"))).collect();
        assert_eq!(found.join(", "), problems);
    }
    server.call("POST", &path, &[("content-type", "text/plain")], "{}").await.refused(415, "unsupported_media_type");
    assert_eq!(server.post(&path, r#"{"payment_method_id":null}"#).await.status, 200);
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let server = Server::start().await;
    let pending = server.create(REQUEST).await;
    let confirmed = server.create(REQUEST).await;
    server.confirm(&confirmed).await;
    let paths = ["/catalog", "/contracts", &format!("/checkouts/{pending}"), &format!("/checkouts/{confirmed}")];
    let mut before = Vec::new();
    for path in paths {
        before.push(server.get(path).await.text);
    }
    let server = server.restart().await;
    for (path, before) in paths.iter().zip(before) {
        assert_eq!(server.get(path).await.text, before);
    }
    server.confirm(&confirmed).await.refused(409, "checkout_not_confirmable");
    assert_eq!(server.confirm(&pending).await.status, 200);
}

#[tokio::test]
async fn contracts_are_listed_newest_first_a_page_at_a_time() {
    let server = Server::start().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        let id = server.create(REQUEST).await;
        ids.insert(0, server.confirm(&id).await.string("contract_id"));
    }
    let mut found = Vec::new();
    let mut path = "/contracts?limit=2".to_owned();
    loop {
        let page = server.get(&path).await;
        let Json::List(data) = at(&page.json(), "/data") else { panic!("{}", page.text) };
        found.extend(data.iter().map(|contract| at(contract, "/id")));
        assert!(found.len() <= ids.len(), "a page was repeated: {found:?}");
        match at(&page.json(), "/next_cursor") {
            Json::String(cursor) => path = format!("/contracts?limit=2&cursor={cursor}"),
            end => {
                assert_eq!((end, data.len()), (Json::Null, 1));
                break;
            }
        }
    }
    assert_eq!(found, ids.into_iter().map(Json::String).collect::<Vec<_>>());
    for path in ["/contracts?limit=0", "/contracts?limit=101", "/contracts?limit=x", "/contracts?cursor=x"] {
        server.get(path).await.refused(422, "rejected");
    }
}

#[tokio::test]
async fn what_another_organisation_has_is_not_found() {
    let server = Server::start().await;
    let id = server.create(REQUEST).await;
    let contract_id = server.confirm(&id).await.string("contract_id");
    let pending = server.create(REQUEST).await;
    let other = server.other_organisation().await;
    other.get(&format!("/checkouts/{id}")).await.refused(404, "not_found");
    other.confirm(&pending).await.refused(404, "not_found");
    other.get(&format!("/contracts/{contract_id}")).await.refused(404, "not_found");
    other.get("/catalog").await.refused(404, "not_found");
    for list in ["/contracts", "/checkouts"] {
        assert_eq!(other.get(list).await.text, r#"{"data":[],"next_cursor":null}"#);
    }
    other.post("/checkouts/preview", REQUEST).await.refused(409, "catalog_missing");
    assert_eq!(server.confirm(&pending).await.status, 200);
}
