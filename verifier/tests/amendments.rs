//! Amendments over HTTP, without a socket: contracts of the catalog and of this server changed, once per version.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use checkout_preview::json;
use checkout_verifier::http::Assets;
use sqlx::AssertSqlSafe;
use std::sync::Arc;
use support::{Answer, CONTRACT, GUEST, REQUEST, Server, catalog, parse, seats};

impl Server {
    /// How many checkouts, contracts, versions and customers there are.
    async fn rows(&self) -> [i64; 4] {
        let mut rows = [0; 4];
        for (count, table) in rows.iter_mut().zip(["checkouts", "contracts", "contract_versions", "customers"]) {
            *count = self.count(table).await;
        }
        rows
    }

    async fn run(&self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&self.db).await.unwrap();
    }
}

/// The preview's contract, one version on: what is stored where no line is new.
fn one_version_on(preview: &Answer) -> String {
    let version = preview.at("/contract/version");
    let next: u32 = version.parse::<u32>().unwrap() + 1;
    let before = preview.at("/contract");
    let after = before.replacen(&format!(r#""version":{version},"#), &format!(r#""version":{next},"#), 1);
    assert_ne!(before, after);
    after
}

#[tokio::test]
async fn a_contract_made_here_is_amended_and_amended_again() {
    let server = Server::with(&[]).await;
    let id = server.bought(REQUEST).await;
    let line = server.contract(&id).await.at("/phases/0/lines/0/line_item_id");
    server.set_now("2026-12-02T12:00:00Z");

    // Ten days of thirty are gone: 20/30 of 4 more seats, then of 6 more.
    for (quantity, version, total) in [("14", "2", "32.00"), ("20", "3", "48.00")] {
        let request = seats(&id, quantity);
        let known = catalog(&[&server.contract(&id).await.text]);
        let preview = server.post("/checkouts/preview", request.clone()).await;
        assert_eq!(preview.text, server.engine_on(&known, &request, "2026-12-02"));
        assert_eq!(preview.string("checkout_type"), "quantity_update");
        assert_eq!(preview.at("/estimates/current_invoice/total"), format!("\"{total}\""));

        let checkout_id = server.create(&request).await;
        let pending = server.get(&format!("/checkouts/{checkout_id}")).await;
        assert_eq!((pending.string("contract_id"), pending.string("source_contract_id")), (id.clone(), id.clone()));
        assert_eq!(pending.at("/contract"), preview.at("/contract"));

        let confirmed = server.confirmed(&checkout_id).await;
        assert_eq!((confirmed.string("contract_id"), confirmed.string("source_contract_id")), (id.clone(), id.clone()));
        assert_eq!(confirmed.string("customer_id"), "cus_1");
        let contract = server.contract(&id).await;
        assert_eq!(contract.text, one_version_on(&preview));
        assert_eq!(contract.text, confirmed.at("/contract"));
        assert_eq!(contract.at("/version"), version);
        assert_eq!(contract.at("/phases/0/lines/0/line_item_id"), line);
        server.confirm(&checkout_id).await.refused(409, "checkout_not_confirmable");
    }
    assert_eq!(server.rows().await, [3, 1, 3, 0]);

    // A session shows what it made, not what became of that.
    let server = server.restart().await;
    let first: String = sqlx::query_scalar("SELECT checkout_id FROM contract_versions WHERE version = 1")
        .fetch_one(&server.db)
        .await
        .unwrap();
    let first = server.get(&format!("/checkouts/{first}")).await;
    assert_eq!((first.at("/contract/version"), first.at("/source_contract_id")), ("1".into(), "null".into()));
    assert_eq!(server.contract(&id).await.at("/version"), "3");
}

#[tokio::test]
async fn a_contract_of_the_catalog_is_amended() {
    let server = Server::with(&[CONTRACT]).await;
    assert_eq!(server.contract("con_1").await.text, json::to_text(&parse(CONTRACT)));
    let request = seats("con_1", "14");
    let preview = server.post("/checkouts/preview", request.clone()).await;
    assert_eq!(preview.text, server.engine_on(&catalog(&[CONTRACT]), &request, "2026-11-22"));
    let id = server.create(&request).await;
    let confirmed = server.confirmed(&id).await;
    assert_eq!(confirmed.string("contract_id"), "con_1");
    assert_eq!(server.contract("con_1").await.text, one_version_on(&preview));
    assert_eq!(confirmed.at("/contract/version"), "4");
    assert_eq!(server.rows().await, [1, 1, 1, 0]);

    // The next change starts from it, and stands in its place in the catalog.
    let request = seats("con_1", "20");
    let known = catalog(&[&server.contract("con_1").await.text]);
    let preview = server.post("/checkouts/preview", request.clone()).await;
    assert_eq!(preview.text, server.engine_on(&known, &request, "2026-11-22"));
    let id = server.create(&request).await;
    assert_eq!(server.confirmed(&id).await.at("/contract/version"), "5");
}

#[tokio::test]
async fn a_contract_may_have_any_id_of_the_catalog() {
    for (id, in_json, in_path) in [
        ("a/b?c&d=%25#e", "a/b?c&d=%25#e", "a%2Fb%3Fc%26d%3D%2525%23e"),
        (r#"say"no\"#, r#"say\"no\\"#, "say%22no%5C"),
        (
            "01890000-0000-7000-8000-00000000000A",
            "01890000-0000-7000-8000-00000000000A",
            "01890000-0000-7000-8000-00000000000A",
        ),
        ("..", "..", "%2e%2e"),
    ] {
        let server = Server::with(&[&CONTRACT.replacen("con_1", in_json, 1)]).await;
        assert_eq!(server.contract(in_path).await.at("/version"), "3");
        let checkout_id = server.create(&seats(in_json, "14")).await;
        assert_eq!(server.confirmed(&checkout_id).await.string("contract_id"), id);
        assert_eq!(server.contract(in_path).await.at("/version"), "4");
    }
}

#[tokio::test]
async fn another_plan_brings_new_lines_and_keeps_the_old() {
    let server = Server::with(&[]).await;
    let id = server.bought(REQUEST).await;
    let line = server.contract(&id).await.at("/phases/0/lines/0/line_item_id");
    server.set_now("2026-12-02T12:00:00Z");
    let checkout_id = server.create(&format!(r#"{{"plan_id":"plus","contract_id":"{id}"}}"#)).await;
    let preview = server.get(&format!("/checkouts/{checkout_id}")).await;
    for line in [0, 1] {
        assert_eq!(preview.at(&format!("/contract/phases/1/lines/{line}/line_item_id")), "null");
    }
    let confirmed = server.confirmed(&checkout_id).await;
    assert_eq!((confirmed.string("checkout_type"), confirmed.string("plan_id")), ("plan_change".into(), "plus".into()));
    assert_eq!((confirmed.at("/contract/version"), confirmed.string("contract_id")), ("2".into(), id.clone()));

    let contract = server.contract(&id).await;
    assert_eq!(contract.at("/phases/0/end_date"), r#""2026-12-01""#);
    assert_eq!(contract.at("/phases/0/lines/0/line_item_id"), line);
    let new = [0, 1].map(|line| contract.at(&format!("/phases/1/lines/{line}/line_item_id")));
    for id in &new {
        assert_eq!(uuid(id).get_version_num(), 7);
    }
    assert!(new[0] != new[1] && !new.contains(&line), "{new:?}");

    // The new lines can be named from now on; `null` was only what they were called before they had an id.
    let request =
        format!(r#"{{"contract_id":"{id}","product_overrides":[{{"line_item_id":{},"quantity":"12"}}]}}"#, new[0]);
    let checkout_id = server.create(&request).await;
    assert_eq!(server.confirmed(&checkout_id).await.at("/contract/version"), "3");
}

fn uuid(quoted: &str) -> uuid::Uuid {
    quoted.trim_matches('"').parse().unwrap()
}

#[tokio::test]
async fn of_two_amendments_of_one_version_the_second_is_refused() {
    let server = Server::with(&[CONTRACT]).await;
    let made_here = server.bought(REQUEST).await;
    for id in ["con_1", &made_here] {
        let version: u32 = server.contract(id).await.at("/version").parse().unwrap();
        let slow = server.create(&seats(id, "14")).await;
        let quick = server.create(&format!(r#"{{"plan_id":"plus","contract_id":"{id}"}}"#)).await;
        let before = server.get(&format!("/checkouts/{slow}")).await.text;
        server.confirmed(&quick).await;
        let contract = server.contract(id).await.text;
        let rows = server.rows().await;

        // Not `estimates_not_reproducible`: the estimates are still right for the version they were made on.
        let refused = server.confirm(&slow).await;
        refused.refused(409, "contract_changed");
        assert!(refused.string("detail").contains("make a new preview"), "{}", refused.text);
        assert_eq!(server.get(&format!("/checkouts/{slow}")).await.text, before);
        assert_eq!((server.contract(id).await.text, server.rows().await), (contract, rows));

        // A new preview starts from what the contract has become.
        let again = server.create(&format!(r#"{{"plan_id":"team","contract_id":"{id}"}}"#)).await;
        assert_eq!(server.confirmed(&again).await.at("/contract/version"), (version + 2).to_string());
        server.confirm(&slow).await.refused(409, "contract_changed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_amendments_at_once_one_is_confirmed() {
    let server = Arc::new(Server::with(&[CONTRACT]).await);
    let replica = Arc::new(server.beside(Assets::default()).await);
    let made_here = server.bought(REQUEST).await;
    for id in ["con_1", &made_here] {
        // Twice: a contract of the catalog is stored by the first round, and amended as stored in the second.
        for round in 0..2 {
            let version: u32 = server.contract(id).await.at("/version").parse().unwrap();
            let mut sessions = Vec::new();
            for racer in 0..16 {
                sessions.push(server.create(&seats(id, &format!("{}", 20 + racer + 16 * round))).await);
            }
            let mut running = tokio::task::JoinSet::new();
            // Each session is confirmed by two at once, on either of two replicas.
            for (checkout_id, server) in sessions.iter().flat_map(|id| [(id, &server), (id, &replica)]) {
                let (checkout_id, server) = (checkout_id.clone(), server.clone());
                running.spawn(async move { (server.confirm(&checkout_id).await, checkout_id) });
            }
            let answers = running.join_all().await;
            let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|(answer, _)| answer.status == 200);
            assert_eq!((won.len(), lost.len()), (1, 31));
            for (answer, checkout_id) in lost {
                let code = if *checkout_id == won[0].1 { "checkout_not_confirmable" } else { "contract_changed" };
                answer.refused(409, code);
            }
            let contract = server.contract(id).await;
            assert_eq!(contract.text, won[0].0.at("/contract"));
            assert_eq!(contract.at("/version"), (version + 1).to_string());
        }
    }
    assert_eq!(server.rows().await, [65, 2, 5, 0]);
}

#[tokio::test]
async fn a_contract_that_the_catalog_changed_since_is_not_amended() {
    let changed = CONTRACT.replace("\"value\": \"10\"", "\"value\": \"11\"");
    let raised = CONTRACT.replace("\"version\": 3", "\"version\": 4");
    for contracts in [&[changed.as_str()][..], &[&raised], &[]] {
        let server = Server::with(&[CONTRACT]).await;
        let id = server.create(&seats("con_1", "14")).await;
        let before = server.get(&format!("/checkouts/{id}")).await.text;
        server.put_catalog(&catalog(contracts)).await;
        server.confirm(&id).await.refused(409, "contract_changed");
        assert_eq!(server.get(&format!("/checkouts/{id}")).await.text, before);
        assert_eq!(server.rows().await, [1, 0, 0, 0]);
        // As it was: so it may be confirmed after all.
        server.put_catalog(&catalog(&[CONTRACT])).await;
        server.confirmed(&id).await;
    }
}

#[tokio::test]
async fn a_contract_that_stayed_the_same_is_amended_though_the_catalog_changed() {
    let server = Server::with(&[CONTRACT]).await;
    let made_here = server.bought(REQUEST).await;
    let ids = [server.create(&seats("con_1", "14")).await, server.create(&seats(&made_here, "14")).await];
    // The same contract with its fields in another order, behind another one, at other prices for whoever buys now.
    let same = format!("{{\"version\": 3, {}", &CONTRACT.replace(", \"version\": 3", "")[1..]);
    let other = CONTRACT.replace("con_1", "con_0").replace("li_1", "li_0");
    server.put_catalog(&catalog(&[&other, &same]).replace("15.00", "99.00")).await;
    let server = server.restart().await;
    for id in ids {
        let pending = server.get(&format!("/checkouts/{id}")).await;
        let confirmed = server.confirmed(&id).await;
        assert_eq!(confirmed.at("/estimates"), pending.at("/estimates"));
    }
}

#[tokio::test]
async fn a_higher_version_in_the_catalog_is_the_contract() {
    let listed = |version: u32, quantity: &str| {
        let listed = CONTRACT.replace("\"version\": 3", &format!("\"version\": {version}"));
        catalog(&[&listed.replace("\"value\": \"10\"", &format!("\"value\": \"{quantity}\""))])
    };
    let server = Server::with(&[CONTRACT]).await;
    let id = server.create(&seats("con_1", "14")).await;
    server.confirmed(&id).await;
    let here = server.contract("con_1").await.text;
    let amended_here = server.create(&seats("con_1", "15")).await;

    // A tie: what was confirmed here.
    server.put_catalog(&listed(4, "70")).await;
    assert_eq!(server.contract("con_1").await.text, here);
    assert_eq!(server.get("/contracts").await.at("/data"), format!("[{here}]"));
    assert_eq!(server.post("/checkouts/preview", seats("con_1", "20")).await.at("/contract/version"), "4");

    server.put_catalog(&listed(5, "70")).await;
    let contract = server.contract("con_1").await;
    assert_eq!(contract.at("/version"), "5");
    assert_eq!(server.get("/contracts").await.at("/data"), format!("[{}]", contract.text));
    let request = seats("con_1", "20");
    let preview = server.post("/checkouts/preview", request.clone()).await;
    assert_eq!(preview.text, server.engine_on(&listed(5, "70"), &request, "2026-11-22"));
    server.confirm(&amended_here).await.refused(409, "contract_changed");

    let [first, second] = [server.create(&request).await, server.create(&request).await];
    assert_eq!(server.confirmed(&first).await.at("/contract/version"), "6");
    server.confirm(&second).await.refused(409, "contract_changed");
    server.confirm(&amended_here).await.refused(409, "contract_changed");
    assert_eq!(server.contract("con_1").await.text, one_version_on(&preview));
    assert_eq!(server.rows().await, [4, 1, 2, 0]);
}

#[tokio::test]
async fn a_version_that_cannot_rise_is_not_amended() {
    let server = Server::with(&[&CONTRACT.replacen("\"version\": 3", "\"version\": 4294967295", 1)]).await;
    let id = server.create(&seats("con_1", "14")).await;
    let rows = server.rows().await;
    server.confirm(&id).await.refused(422, "rejected");
    assert_eq!(server.rows().await, rows);
    assert_eq!(server.get(&format!("/checkouts/{id}")).await.string("checkout_status"), "pending");
}

#[tokio::test]
async fn a_former_guest_amends() {
    let server = Server::with(&[]).await;
    let id = server.bought(GUEST).await;
    let customer_id = server.contract(&id).await.string("customer_id");
    server.set_now("2026-12-22T20:00:00Z");
    // In Tokyo it is the 23rd, the first day of the second period: all of it is charged anew, with the tax there.
    let preview = server.post("/checkouts/preview", seats(&id, "11")).await;
    assert_eq!(preview.string("as_of"), "2026-12-23");
    assert_eq!((preview.string("customer_id"), preview.at("/guest_checkout")), (customer_id.clone(), "false".into()));
    assert_eq!(preview.at("/estimates/current_invoice/total"), r#""12.77""#);
    for customer_id in [r#""cus_1""#, r#""nobody""#] {
        let wrong = format!(r#"{{"customer_id":{customer_id},{}"#, &seats(&id, "11")[1..]);
        let answer = server.post("/checkouts", wrong).await;
        answer.refused(422, "rejected");
    }
    let request = format!(r#"{{"customer_id":"{customer_id}",{}"#, &seats(&id, "11")[1..]);
    for request in [request, format!(r#"{{"plan_id":"plus","contract_id":"{id}"}}"#)] {
        let checkout_id = server.create(&request).await;
        assert_eq!(server.confirmed(&checkout_id).await.string("customer_id"), customer_id);
    }
    assert_eq!(server.contract(&id).await.string("customer_id"), customer_id);
    assert_eq!(server.rows().await, [3, 1, 3, 1]);
}

#[tokio::test]
async fn a_contract_without_a_customer_gets_none() {
    let server = Server::with(&[&CONTRACT.replace("\"customer_id\": \"cus_1\", ", "")]).await;
    let id = server.create(&seats("con_1", "14")).await;
    assert_eq!(server.confirmed(&id).await.at("/customer_id"), "null");
    assert_eq!(server.rows().await, [1, 1, 1, 0]);
}

#[tokio::test]
async fn what_is_wrong_is_told_together_and_nothing_is_stored() {
    let ended = CONTRACT.replace("con_1", "ended").replace("li_1", "li_2").replacen(
        "\"anchor",
        "\"end_date\": \"2026-11-10\", \"anchor",
        1,
    );
    let draft = CONTRACT.replace("con_1", "draft").replace("li_1", "li_3").replacen(
        "\"anchor",
        "\"status\": \"draft\", \"anchor",
        1,
    );
    let contracts = [CONTRACT, &ended, &draft];
    let server = Server::with(&contracts).await;
    let rows = server.rows().await;
    for request in [
        seats("con_9", "14"),
        seats("ended", "14"),
        seats("draft", "14"),
        seats("con_1", "10"),
        r#"{"contract_id":"con_1"}"#.into(),
        r#"{"contract_id":"con_1","customer_id":"cus_9","end_date":"2027-01-01","guest_checkout":true,
            "product_overrides":[{"pricing_id":"seats","quantity":"1"},{"line_item_id":"li_1","quantity":"2"},
            {"line_item_id":"li_9","quantity":"1"},{"pricing_id":"seats","effective_from":"2026-11-01","quantity":"-1"}]}"#
            .into(),
        r#"{"contract_id":"con_1","plan_id":"team"}"#.into(),
        r#"{"contract_id":"con_1","plan_id":"plus","start_date":"2026-10-31"}"#.into(),
    ] {
        let problems = server.engine_on(&catalog(&contracts), &request, "2026-11-22");
        for path in ["/checkouts/preview", "/checkouts", "/checkouts/schedule"] {
            let answer = server.post(path, request.clone()).await;
            answer.refused(422, "rejected");
            assert!(answer.text.contains(&format!(r#""problems":{problems}"#)), "{}\n{problems}", answer.text);
        }
    }
    assert_eq!(server.rows().await, rows);
}

#[tokio::test]
async fn a_contract_whose_plan_left_the_catalog_is_refused_where_it_stands() {
    let server = Server::with(&[CONTRACT]).await;
    let id = server.bought(REQUEST).await;
    let without = catalog(&[]).replace(r#"{"id":"team""#, r#"{"id":"squad""#);
    server.put_catalog(&without).await;
    let answer = server.post("/checkouts/preview", seats(&id, "14")).await;
    answer.refused(422, "rejected");
    assert_eq!(answer.at("/problems/0/path"), r#""/catalog/contracts/0/plan_id""#);
    let other = server.post("/checkouts/preview", r#"{"plan_id":"plus","customer_id":"cus_1"}"#).await;
    assert_eq!(other.status, 200, "{}", other.text);
}

#[tokio::test]
async fn other_estimates_of_an_amendment_are_told_apart() {
    let server = Server::with(&[CONTRACT]).await;
    let request = seats("con_1", "14");
    let preview = server.post("/checkouts/preview", request.clone()).await;
    let expecting = format!(r#"{},"expected_estimates":{}}}"#, &request[..request.len() - 1], preview.at("/estimates"));
    // Somebody else was quicker, and the change is another one now.
    let quick = server.create(&seats("con_1", "12")).await;
    let slow = server.create(&expecting).await;
    server.confirmed(&quick).await;
    server.confirm(&slow).await.refused(409, "contract_changed");
    let rows = server.rows().await;
    let answer = server.post("/checkouts", expecting).await;
    answer.refused(409, "preview_mismatch");
    assert_eq!(answer.at("/preview"), server.post("/checkouts/preview", request).await.text);
    let differences = answer.at("/differences");
    let total = r#"{"path":"/estimates/current_invoice/total","expected":"14.40","actual":"7.20"}"#;
    assert!(differences.contains(total), "{differences}");
    assert_eq!(server.rows().await, rows);
}

#[tokio::test]
async fn an_amendment_expires() {
    let server = Server::with(&[CONTRACT]).await;
    let id = server.create(&seats("con_1", "14")).await;
    server.set_now("2026-11-23T12:00:00Z");
    let late = server.confirm(&id).await;
    late.refused(409, "checkout_not_confirmable");
    assert_eq!(late.string("current_status"), "expired");
    assert_eq!(server.rows().await, [1, 0, 0, 0]);
}

#[tokio::test]
async fn an_amendment_that_does_not_come_out_again_is_not_confirmed() {
    let server = Server::with(&[]).await;
    let id = server.bought(REQUEST).await;
    let checkout_id = server.create(&seats(&id, "14")).await;
    // Another engine, or somebody with a hand in the database.
    server.run("UPDATE contract_versions SET body = replace(body, '12.00', '13.00')").await;
    let server = server.restart().await;
    server.confirm(&checkout_id).await.refused(409, "estimates_not_reproducible");
    server.run("UPDATE contract_versions SET body = replace(body, '13.00', '12.00')").await;
    let server = server.restart().await;
    server.confirmed(&checkout_id).await;
}

#[tokio::test]
async fn an_amendment_that_fails_midway_leaves_nothing() {
    let server = Server::with(&[CONTRACT]).await;
    let made_here = server.bought(REQUEST).await;
    for id in ["con_1", &made_here] {
        let checkout_id = server.create(&seats(id, "14")).await;
        let before = (server.contract(id).await.text, server.get(&format!("/checkouts/{checkout_id}")).await.text);
        let rows = server.rows().await;
        for table in ["contract_versions", "events"] {
            server.run(&format!("ALTER TABLE {table} RENAME TO elsewhere")).await;
            server.confirm(&checkout_id).await.refused(500, "internal_server_error");
            server.run(&format!("ALTER TABLE elsewhere RENAME TO {table}")).await;
            let after = (server.contract(id).await.text, server.get(&format!("/checkouts/{checkout_id}")).await.text);
            assert_eq!((&before, rows), (&after, server.rows().await));
        }
        server.confirmed(&checkout_id).await;
    }
}

/// Another verifier remembers for a moment which catalog is the current one.
#[tokio::test]
async fn what_was_put_at_another_verifier_counts_for_a_confirmation() {
    let server = Server::with(&[CONTRACT]).await;
    let replica = server.beside(Assets::default()).await;
    for round in 4..8 {
        let id = server.create(&seats("con_1", "20")).await;
        assert_eq!(replica.get(&format!("/checkouts/{id}")).await.status, 200);
        let newer = CONTRACT.replace(r#""version": 3"#, &format!(r#""version": {round}"#));
        server.put_catalog(&catalog(&[&newer])).await;
        replica.confirm(&id).await.refused(409, "contract_changed");
        assert_eq!(server.contract("con_1").await.at("/version"), round.to_string());
    }
}
