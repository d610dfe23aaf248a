//! The catalog over HTTP: only what the engine accepts, one current version, nobody's change lost.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use axum::body::Body;
use checkout_preview::{Catalog, json};
use support::{CATALOG, REQUEST, Server, parse};

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn a_catalog_comes_back_as_it_was_sent() {
    let server = Server::empty().await;
    server.get("/catalog").await.refused(404, "not_found");
    server.post("/checkouts/preview", REQUEST).await.refused(409, "catalog_missing");

    let stored = server.put("/catalog", CATALOG).await;
    assert_eq!(stored.status, 200, "{}", stored.text);
    assert_eq!(stored.string("catalog_version"), "2026-11-01.3");
    let read = server.get("/catalog").await;
    assert_eq!(read.text, CATALOG);
    assert_eq!(read.headers["etag"], stored.headers["etag"]);
    assert_eq!(read.headers["etag"], format!("\"{}\"", stored.string("catalog_id")));

    let tag = read.headers["etag"].to_str().unwrap();
    for tags in [tag, &format!("W/{tag}"), "*", &format!("\"x\", {tag}")] {
        let same = server.call("GET", "/catalog", &[("if-none-match", tags)], Body::empty()).await;
        assert_eq!((same.status.as_u16(), same.text.as_str()), (304, ""));
        assert_eq!(same.headers["etag"], read.headers["etag"]);
    }
    assert_eq!(server.call("GET", "/catalog", &[("if-none-match", "\"x\"")], Body::empty()).await.status, 200);
}

#[tokio::test]
async fn the_same_catalog_again_is_no_new_version() {
    let server = Server::start().await;
    let tag = server.get("/catalog").await.headers["etag"].clone();
    assert_eq!(server.put("/catalog", CATALOG).await.headers["etag"], tag);
    assert_eq!(server.count("catalogs").await, 1);
    assert_ne!(server.put("/catalog", format!("{CATALOG} ")).await.headers["etag"], tag);
    assert_eq!(server.count("catalogs").await, 2);
}

#[tokio::test]
async fn if_match_guards_the_current_version() {
    let server = Server::empty().await;
    let put = async |tags: &str, body: String| server.call("PUT", "/catalog", &[JSON, ("if-match", tags)], body).await;
    put("*", CATALOG.into()).await.refused(412, "catalog_changed");
    assert_eq!(server.put("/catalog", CATALOG).await.status, 200);
    let first = server.get("/catalog").await.headers["etag"].to_str().unwrap().to_owned();

    let second = put(&format!("\"x\", {first}"), CATALOG.replace("12.00", "13.00")).await;
    assert_eq!(second.status, 200, "{}", second.text);
    put(&first, CATALOG.replace("12.00", "14.00")).await.refused(412, "catalog_changed");
    put("\"x\"", CATALOG.into()).await.refused(412, "catalog_changed");
    put(&format!("W/{}", second.headers["etag"].to_str().unwrap()), CATALOG.into())
        .await
        .refused(412, "catalog_changed");
    assert_eq!(put("*", CATALOG.replace("12.00", "15.00")).await.status, 200);
    assert_eq!(server.count("catalogs").await, 3);
    let preview = server.post("/checkouts/preview", REQUEST).await;
    assert_eq!(preview.at("/estimates/current_invoice/total"), r#""150.00""#);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_writers_with_the_same_if_match_one_wins() {
    let server = std::sync::Arc::new(Server::start().await);
    let tag = server.get("/catalog").await.headers["etag"].to_str().unwrap().to_owned();
    let mut running = tokio::task::JoinSet::new();
    for price in 0..8 {
        let (server, tag) = (server.clone(), tag.clone());
        running.spawn(async move {
            let body = CATALOG.replace("12.00", &format!("{price}.50"));
            server.call("PUT", "/catalog", &[JSON, ("if-match", &tag)], body).await.status.as_u16()
        });
    }
    let mut statuses = running.join_all().await;
    statuses.sort();
    assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412]);
    assert_eq!(server.count("catalogs").await, 2);
}

#[tokio::test]
async fn a_catalog_the_engine_refuses_is_not_stored() {
    let server = Server::start().await;
    let wrong = CATALOG.replace("12.00", "-1").replace(r#""id": "be_jp""#, r#""id": "be_us""#);
    for wrong in [wrong.as_str(), "[]", "null", r#"{"version": 7}"#] {
        let problems = json::to_text(&Catalog::load(parse(wrong)).unwrap_err());
        let answer = server.put("/catalog", wrong.to_owned()).await;
        answer.refused(422, "rejected");
        assert!(answer.text.contains(&format!(r#""problems":{problems}"#)), "{}\n{problems}", answer.text);
    }
    assert_eq!(server.count("catalogs").await, 1);
}

#[tokio::test]
async fn every_time_zone_must_be_known() {
    let server = Server::empty().await;
    let wrong = CATALOG.replace("America/New_York", "America/New_Amsterdam").replace("Asia/Tokyo", "Asia/Edo");
    let answer = server.put("/catalog", wrong).await;
    answer.refused(422, "rejected");
    for (index, name) in [(0, "America/New_Amsterdam"), (1, "Asia/Edo")] {
        assert_eq!(answer.at(&format!("/problems/{index}/code")), r#""catalog_invalid""#);
        let path = answer.at(&format!("/problems/{index}/path"));
        assert_eq!(path, format!(r#""/catalog/business_entities/{index}/time_zone""#));
        assert!(answer.at(&format!("/problems/{index}/message")).contains(name));
    }
    assert_eq!(server.count("catalogs").await, 0);
}
