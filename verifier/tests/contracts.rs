//! Contracts over HTTP, without a socket: all that a merchant has, a page at a time, also from before there were versions.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use axum::body::Body;
use checkout_preview::{Json, json};
use support::{CONTRACT, GUEST, REQUEST, Server, at, catalog, parse, seats};

fn listed(id: &str, customer_id: &str) -> String {
    let contract = CONTRACT.replace("con_1", id).replace("li_1", &format!("line_of_{id}"));
    contract.replace("cus_1", customer_id)
}

/// The ids of every contract under an address, page after page; `between` is done after each.
async fn ids(server: &Server, path: &str, between: impl AsyncFn(&str)) -> Vec<String> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = server.get(&format!("{path}{cursor}")).await;
        assert_eq!(page.status, 200, "{}", page.text);
        let Json::List(data) = at(&page.json(), "/data") else { panic!("{}", page.text) };
        assert!(!data.is_empty() || found.is_empty(), "an empty page: {}", page.text);
        for contract in data {
            let Json::String(id) = at(&contract, "/id") else { panic!("{}", page.text) };
            assert!(!found.contains(&id), "{id} is listed twice");
            between(&id).await;
            found.push(id);
        }
        match at(&page.json(), "/next_cursor") {
            Json::String(next) => cursor = format!("&cursor={next}"),
            _ => return found,
        }
    }
}

async fn amend(server: &Server, id: &str) {
    let version: u32 = server.contract(&id.replace('/', "%2F")).await.at("/version").parse().unwrap();
    let checkout_id = server.create(&seats(id, &format!("{}", 20 + version))).await;
    server.confirmed(&checkout_id).await;
}

#[tokio::test]
async fn every_contract_is_listed_once_whatever_is_amended_between_pages() {
    let contracts: Vec<String> = ["z", "A", "m/n", "con_1"].iter().map(|id| listed(id, "cus_1")).collect();
    let contracts: Vec<&str> = contracts.iter().map(String::as_str).collect();
    let server = Server::with(&contracts).await;
    let mut all = Vec::new();
    // Three at one instant, two later.
    for now in ["12:00:00", "12:00:00", "12:00:00", "12:00:01", "12:00:02"] {
        server.set_now(&format!("2026-11-22T{now}Z"));
        all.insert(0, server.bought(REQUEST).await);
    }
    all.extend(["A", "con_1", "m/n", "z"].map(str::to_owned));

    for limit in 1..=10 {
        let path = format!("/contracts?limit={limit}");
        assert_eq!(ids(&server, &path, async |_| ()).await, all);
    }
    assert_eq!(ids(&server, "/contracts?", async |_| ()).await, all);
    for limit in [1, 2, 4] {
        let path = format!("/contracts?limit={limit}");
        let amended = ids(&server, &path, async |id| {
            // The one just read, and one that is still to come or has been: of the catalog and made here.
            for id in [id, "con_1", &all[2]] {
                amend(&server, id).await;
            }
        });
        assert_eq!(amended.await, all);
    }
    let page = server.get("/contracts").await;
    for (index, id) in all.iter().enumerate() {
        assert_eq!(page.at(&format!("/data/{index}")), server.contract(&id.replace('/', "%2F")).await.text);
    }
    assert_eq!(server.count("contracts").await, 9);
}

#[tokio::test]
async fn contracts_are_filtered_by_customer() {
    let contracts = [listed("a", "cus_1"), listed("b", "cus_2"), listed("c", "cus_1")];
    let two = |catalog: &str| catalog.replace(r#""customers":["#, r#""customers":[{"id":"cus_2"},"#);
    let server = Server::empty().await;
    server.put_catalog(&two(&catalog(&[&contracts[0], &contracts[1], &contracts[2]]))).await;
    let guest = server.bought(GUEST).await;
    let grace = server.contract(&guest).await.string("customer_id");
    let bought = [server.bought(REQUEST).await, server.bought(REQUEST).await];
    amend(&server, "b").await;
    amend(&server, &guest).await;
    for (customer_id, wanted) in [
        ("cus_1", vec![bought[1].as_str(), &bought[0], "a", "c"]),
        ("cus_2", vec!["b"]),
        (&grace, vec![&guest]),
        ("nobody", vec![]),
    ] {
        for limit in [1, 2, 100] {
            let path = format!("/contracts?customer_id={customer_id}&limit={limit}");
            assert_eq!(ids(&server, &path, async |_| ()).await, wanted);
        }
    }
    // A contract whose customer the catalog changed is the new one's with the new version only.
    let moved = |version: u32| {
        let b = listed("b", "cus_1").replace("\"version\": 3", &format!("\"version\": {version}"));
        two(&catalog(&[&b]))
    };
    server.put_catalog(&moved(4)).await;
    assert_eq!(ids(&server, "/contracts?customer_id=cus_2", async |_| ()).await, ["b"]);
    server.put_catalog(&moved(5)).await;
    assert_eq!(ids(&server, "/contracts?customer_id=cus_2", async |_| ()).await, [] as [&str; 0]);
    assert_eq!(ids(&server, "/contracts?customer_id=cus_1", async |_| ()).await, [&bought[1], &bought[0], "b"]);
}

#[tokio::test]
async fn a_contract_that_left_the_catalog_is_listed_if_it_was_amended_here() {
    let server = Server::with(&[&listed("a", "cus_1"), &listed("b", "cus_1")]).await;
    amend(&server, "a").await;
    let amended = server.contract("a").await.text;
    server.put_catalog(&catalog(&[])).await;
    assert_eq!(ids(&server, "/contracts?limit=1", async |_| ()).await, ["a"]);
    assert_eq!(server.contract("a").await.text, amended);
    server.get("/contracts/b").await.refused(404, "not_found");
    // It is amended as what it was confirmed to be.
    amend(&server, "a").await;
    assert_eq!(server.contract("a").await.at("/version"), "5");
}

#[tokio::test]
async fn more_contracts_than_are_read_at_a_time() {
    let contracts: Vec<String> = (0..250).map(|number| listed(&format!("c{number:03}"), "cus_1")).collect();
    let server = Server::with(&contracts.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut all: Vec<String> = (0..250).map(|number| format!("c{number:03}")).collect();
    assert_eq!(ids(&server, "/contracts?limit=100", async |_| ()).await, all);
    // As if 250 had been bought; then the catalog lists the 120 newest of them.
    let bought = server.bought(REQUEST).await;
    let organisation = &server.organisation.organisation;
    let body = json::to_text(&parse(CONTRACT));
    for number in 0..250 {
        let (id, body) = (format!("h{number:03}"), body.replace("con_1", &format!("h{number:03}")));
        let bought = format!(
            "INSERT INTO checkouts SELECT organisation_id, '{id}', revision, checkout_status, client_secret, customer_id, '{id}',
             catalog_id, contract_version, as_of, previewed_at, request, preview, expires_at, payment_method_id, {number},
             updated_at FROM checkouts WHERE contract_id = '{bought}';
             INSERT INTO contracts VALUES ('{organisation}', '{id}', 3, 'cus_1', {number});
             INSERT INTO contract_versions VALUES ('{organisation}', '{id}', 3, '{id}', '{body}', {number})"
        );
        server.sql(bought).await;
    }
    let mut here = vec![bought.clone()];
    here.extend((0..250).rev().map(|number| format!("h{number:03}")));
    assert_eq!(ids(&server, "/contracts?limit=100", async |_| ()).await, [&here[..], &all].concat());
    let exported: Vec<String> = here.drain(1..=120).map(|id| listed(&id, "cus_1")).collect();
    server.put_catalog(&catalog(&exported.iter().map(String::as_str).collect::<Vec<_>>())).await;
    all = (130..250).map(|number| format!("h{number:03}")).collect();
    assert_eq!(ids(&server, "/contracts?limit=100", async |_| ()).await, [here, all].concat());
}

#[tokio::test]
async fn wrong_parameters_are_told_together() {
    let server = Server::with(&[CONTRACT]).await;
    for (query, found) in [
        ("limit=0", "invalid_type /limit"),
        ("limit=101", "invalid_type /limit"),
        ("limit=", "invalid_type /limit"),
        ("limit=1.0", "invalid_type /limit"),
        ("cursor=", "invalid_type /cursor"),
        ("cursor=01890000-0000-7000-8000-000000000000", "invalid_type /cursor"),
        ("customer_id=", "invalid_id /customer_id"),
        ("customer_id=a+b", "invalid_id /customer_id"),
        ("limit=2&limit=2", "conflicting_fields /limit"),
        ("limit=2&limit=3&limit=4", "conflicting_fields /limit"),
        ("x=1&x=2", "unknown_field /x"),
        ("page", "unknown_field /page"),
        ("%ff", "unknown_field /\u{fffd}"),
        (
            "z=1&customer_id=%C3%A9&a%2Fb=2&cursor=x&limit=many&limit=2",
            "invalid_type /limit, conflicting_fields /limit, invalid_type /cursor, invalid_id /customer_id, \
             unknown_field /a~1b, unknown_field /z",
        ),
    ] {
        let answer = server.get(&format!("/contracts?{query}")).await;
        answer.refused(422, "rejected");
        let Json::List(problems) = at(&answer.json(), "/problems") else { panic!("{}", answer.text) };
        let text = |problem: &Json, field| json::to_text(problem.get(field).unwrap()).replace('"', "");
        let told: Vec<_> = problems.iter().map(|one| format!("{} {}", text(one, "code"), text(one, "path"))).collect();
        assert_eq!(told.join(", "), found, "{query}");
    }
    for query in ["", "limit=1&customer_id=cus_1", "limit=100"] {
        assert_eq!(server.call("GET", &format!("/contracts?{query}"), &[], Body::empty()).await.status, 200, "{query}");
    }
}

/// A merchant should archive what has been sold; where it is taken away, the customers go on buying what there is.
#[tokio::test]
async fn a_contract_whose_plan_was_taken_away_takes_nothing_else_with_it() {
    let server = Server::with(&[]).await;
    let id = server.bought(REQUEST).await;
    let token = server.session("cus_1").await;
    let whole = server.call_in_session(&token, "GET", "/catalog", "").await;
    assert!(whole.text.contains(&id), "{}", whole.text);
    let without = |list: &str, id: &str| {
        let mut catalog = parse(&catalog(&[]));
        let Json::Object(fields) = &mut catalog else { panic!() };
        for (name, value) in fields {
            if let (true, Json::List(items)) = (name == list, value) {
                items.retain(|item| at(item, "/id") != Json::String(id.into()));
            }
        }
        json::to_text(&catalog)
    };
    for (list, taken) in [("plans", "team"), ("customers", "cus_1")] {
        server.put_catalog(&without(list, taken)).await;
        let seen = server.call_in_session(&token, "GET", "/catalog", "").await;
        checkout_preview::Catalog::load(parse(&seen.text)).unwrap();
        assert!(!seen.text.contains(&id), "{}", seen.text);
        let buys = r#"{"plan_id": "plus", "customer_id": "cus_1"}"#;
        let bought = server.call_in_session(&token, "POST", "/checkouts/preview", buys).await;
        let wanted = if list == "plans" { 200 } else { 422 };
        assert_eq!(bought.status, wanted, "{}", bought.text);
        let moved = server.post("/checkouts/preview", format!(r#"{{"contract_id":"{id}","plan_id":"plus"}}"#)).await;
        moved.refused(422, "rejected");
        assert!(moved.text.contains(&format!("`{taken}` is not in the catalog")), "{}", moved.text);
        let listed = server.call_in_session(&token, "GET", "/contracts", "").await;
        assert_eq!(listed.at("/data/0/id"), format!("\"{id}\""));
    }
    let archived = catalog(&[]).replacen(r#""id":"team","#, r#""id":"team","status":"archived","#, 1);
    server.put_catalog(&archived).await;
    assert_eq!(server.call_in_session(&token, "GET", "/catalog", "").await.at("/contracts/0/id"), format!("\"{id}\""));
    let moved = server.post("/checkouts/preview", format!(r#"{{"contract_id":"{id}","plan_id":"plus"}}"#)).await;
    assert_eq!(moved.status, 200, "{}", moved.text);
}
