//! `GET /checkouts`: each that was there once, whatever happens between two pages, and only those that were asked for.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use checkout_preview::{Json, json};
use support::{CONTRACT, GUEST, REQUEST, Server, at, catalog, seats};

/// A page, and the cursor of the next one.
async fn page(server: &Server, path: &str) -> (Vec<Json>, Option<String>) {
    let page = server.get(path).await;
    assert_eq!(page.status, 200, "{path}: {}", page.text);
    let Json::List(data) = at(&page.json(), "/data") else { panic!("{}", page.text) };
    match at(&page.json(), "/next_cursor") {
        Json::String(cursor) => (data, Some(cursor)),
        end => {
            assert_eq!(end, Json::Null);
            (data, None)
        }
    }
}

fn text(session: &Json, field: &str) -> Option<String> {
    match session.get(field) {
        Some(Json::String(text)) => Some(text.clone()),
        Some(Json::Null) => None,
        other => panic!("{field} is {other:?}"),
    }
}

fn id(session: &Json) -> String {
    text(session, "id").unwrap()
}

/// Every session of a query, page after page.
async fn all(server: &Server, query: &str) -> Vec<Json> {
    let mut found: Vec<Json> = Vec::new();
    let mut cursor = String::new();
    loop {
        let (data, next) = page(server, &format!("/checkouts?{query}{cursor}")).await;
        found.extend(data);
        assert!(found.len() < 1000, "the pages of {query} do not end");
        match next {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

/// Twelve checkouts of three instants, of two customers and a guest, in every status.
async fn twelve() -> Server {
    let server = Server::empty().await;
    let two = catalog(&[CONTRACT]).replace(r#""customers":["#, r#""customers":[{"id":"cus_2"},"#);
    server.put_catalog(&two).await;
    for (number, second) in [0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2].into_iter().enumerate() {
        server.set_now(&format!("2026-11-22T12:00:0{second}Z"));
        let request = match number % 4 {
            0 => REQUEST.to_owned(),
            1 => REQUEST.replace("cus_1", "cus_2"),
            2 => GUEST.to_owned(),
            _ => seats("con_1", &format!("{}", 20 + number)),
        };
        let ends = if number == 8 { "2026-11-22T12:00:03Z" } else { "2026-11-23T00:00:00Z" };
        let id = server.create(&format!(r#"{{"expires_at":"{ends}",{}"#, &request[1..])).await;
        let path = format!("/checkouts/{id}");
        let actions: &[(&str, &str)] = match number {
            1..=3 => &[("confirm", "")],
            4 => &[("cancel", "")],
            5 => &[("payment", r#"{"status":"initiated"}"#)],
            6 => &[("payment", r#"{"status":"initiated"}"#), ("payment", r#"{"status":"succeeded"}"#)],
            9 => &[("payment", r#"{"status":"initiated"}"#), ("payment", r#"{"status":"failed"}"#)],
            _ => &[],
        };
        for (action, body) in actions {
            assert_eq!(server.post(&format!("{path}/{action}"), *body).await.status, 200);
        }
    }
    server.set_now("2026-11-22T12:00:03Z");
    server
}

#[tokio::test]
async fn every_filter_gives_what_a_plain_one_gives() {
    let server = twelve().await;
    server.verifier.sweep().await.unwrap();
    let sessions = all(&server, "").await;
    assert_eq!(sessions.len(), 12);
    let order: Vec<_> = sessions.iter().map(|one| (text(one, "created_at"), id(one))).collect();
    assert!(order.is_sorted_by(|one, next| one > next), "{order:?}");
    let known = |field| {
        let mut known: Vec<_> = sessions.iter().filter_map(|one| text(one, field)).collect();
        known.sort();
        known.dedup();
        known
    };
    let instants = ["2026-11-22T12:00:00Z", "2026-11-22T12:00:00.5Z", "2026-11-22T12:00:01Z", "2026-11-22T12:00:02Z"];
    let filters: [(&str, Vec<String>); 5] = [
        ("checkout_status", known("checkout_status")),
        ("customer_id", [known("customer_id"), vec!["nobody".into()]].concat()),
        ("contract_id", [known("contract_id"), vec!["none".into()]].concat()),
        ("created_after", instants.map(str::to_owned).to_vec()),
        ("created_before", instants.map(str::to_owned).to_vec()),
    ];
    assert_eq!(filters[0].1.len(), 7);
    let passes = |session: &Json, (field, value): (&str, &str)| match field {
        "created_after" => support::instant(&text(session, "created_at").unwrap()) > support::instant(value),
        "created_before" => support::instant(&text(session, "created_at").unwrap()) < support::instant(value),
        field => text(session, field).as_deref() == Some(value),
    };
    for (one, values) in &filters {
        for value in values {
            for (other, others) in &filters {
                for another in others {
                    let pair = [(*one, value.as_str()), (*other, another.as_str())];
                    let pair = if one == other { &pair[..1] } else { &pair };
                    let query: Vec<_> = pair.iter().map(|(name, value)| format!("{name}={value}")).collect();
                    let wanted: Vec<_> =
                        sessions.iter().filter(|session| pair.iter().all(|pair| passes(session, *pair))).collect();
                    let found = all(&server, &format!("limit=2&{}", query.join("&"))).await;
                    assert_eq!(found.iter().collect::<Vec<_>>(), wanted, "{query:?}");
                }
            }
        }
    }
    for session in &sessions {
        assert_eq!(server.get(&format!("/checkouts/{}", id(session))).await.text, json::to_text(session));
    }
}

#[tokio::test]
async fn none_is_skipped_or_repeated_whatever_happens_between_pages() {
    for limit in [1, 2, 5, 11, 12, 13] {
        let server = twelve().await;
        let there: Vec<String> = all(&server, "").await.iter().map(id).collect();
        let mut found = Vec::new();
        let mut cursor = String::new();
        for round in 0.. {
            let (data, next) = page(&server, &format!("/checkouts?limit={limit}{cursor}")).await;
            assert!(data.len() <= limit);
            found.extend(data.iter().map(id));
            // One is added, one is confirmed, one cancelled, and in the end all have expired; also by a clock set back.
            server.create(REQUEST).await;
            for (id, action) in [(&there[round % 12], "confirm"), (&there[(round + 6) % 12], "cancel")] {
                server.post(&format!("/checkouts/{id}/{action}"), "").await;
            }
            match round {
                1 => server.set_now("2026-11-22T11:59:59Z"),
                3 => server.set_now("2026-11-23T00:00:00Z"),
                _ => {}
            }
            server.verifier.sweep().await.unwrap();
            match next {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let mut once = found.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), found.len(), "one is repeated");
        assert!(there.iter().all(|id| found.contains(id)), "limit {limit}: one is skipped");
        // Those that came while the pages were read are newer, and so before the first page; or older by their clock.
        found.retain(|id| there.contains(id));
        assert_eq!(found, there);
    }
}

#[tokio::test]
async fn a_page_has_1_to_100() {
    let server = Server::start().await;
    for _ in 0..101 {
        server.create(REQUEST).await;
    }
    for (query, length, more) in
        [("", 20, true), ("limit=1", 1, true), ("limit=100", 100, true), ("limit=20", 20, true)]
    {
        let (data, next) = page(&server, &format!("/checkouts?{query}")).await;
        assert_eq!((data.len(), next.is_some()), (length, more));
    }
    assert_eq!(all(&server, "limit=100").await.len(), 101);
    let (_, next) = page(&server, "/checkouts?limit=100").await;
    let (data, end) = page(&server, &format!("/checkouts?limit=1&cursor={}", next.unwrap())).await;
    assert_eq!((data.len(), end), (1, None));
}

#[tokio::test]
async fn wrong_parameters_are_told_together() {
    let server = Server::start().await;
    for (query, found) in [
        ("limit=0", "invalid_type /limit"),
        ("limit=101", "invalid_type /limit"),
        ("limit=-1", "invalid_type /limit"),
        ("limit=1e1", "invalid_type /limit"),
        ("limit=99999999999999999999", "invalid_type /limit"),
        ("checkout_status=", "invalid_type /checkout_status"),
        ("checkout_status=PENDING", "invalid_type /checkout_status"),
        ("customer_id=%00", "invalid_id /customer_id"),
        ("contract_id=a%20b", "invalid_id /contract_id"),
        ("created_after=2026-11-22", "invalid_instant /created_after"),
        ("created_before=yesterday", "invalid_instant /created_before"),
        ("limit=2&limit=2", "conflicting_fields /limit"),
        ("checkout_status=pending&checkout_status=expired", "conflicting_fields /checkout_status"),
        (
            "customer_id=a&customer_id=b&cursor=x&cursor=y",
            "invalid_type /cursor, conflicting_fields /cursor, conflicting_fields /customer_id",
        ),
        ("status=pending", "unknown_field /status"),
        (
            "z=1&created_before=x&limit=x&checkout_status=x&customer_id=&contract_id=&created_after=x&cursor=x",
            "invalid_type /limit, invalid_type /cursor, invalid_type /checkout_status, invalid_id /customer_id, \
             invalid_id /contract_id, invalid_instant /created_after, invalid_instant /created_before, unknown_field /z",
        ),
    ] {
        let answer = server.get(&format!("/checkouts?{query}")).await;
        answer.refused(422, "rejected");
        let Json::List(problems) = at(&answer.json(), "/problems") else { panic!("{}", answer.text) };
        let told = |one: &Json| format!("{} {}", text(one, "code").unwrap(), text(one, "path").unwrap());
        assert_eq!(problems.iter().map(told).collect::<Vec<_>>().join(", "), found, "{query}");
    }
}

#[tokio::test]
async fn a_forged_cursor_is_refused_or_finds_what_is_there() {
    let server = Server::with(&[CONTRACT]).await;
    for _ in 0..3 {
        server.bought(REQUEST).await;
    }
    let (_, cursor) = page(&server, "/checkouts?limit=1").await;
    let cursor = cursor.unwrap();
    let plain = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(&cursor).unwrap()).unwrap();
    let ids: Vec<String> = all(&server, "").await.iter().map(id).collect();
    let forged = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let mut cursors: Vec<String> = (0..cursor.len()).map(|end| cursor[..end].to_owned()).collect();
    cursors.extend((0..=plain.len()).map(|end| forged(&plain[..end])));
    cursors.extend([
        format!("{cursor}=="),
        forged(&plain.replace(' ', "  ")),
        forged(&plain.replace(' ', "")),
        forged(&plain.replace(' ', "\0")),
        forged(&format!("{plain}\0")),
        forged(&format!("{plain}' OR '1'='1")),
        forged("9223372036854775807 x"),
        forged("9223372036854775808 x"),
        forged("-9223372036854775808 x"),
        forged("1e9 x"),
        forged("NaN x"),
        forged(" "),
        forged("x"),
        forged("\u{e9} \u{e9}"),
        BASE64_URL_SAFE_NO_PAD.encode([0xff, 0xfe, 0x20]),
        "x".repeat(4000),
        "%00".into(),
        "%ff".into(),
        "null".into(),
    ]);
    for digit in ["0", "1", "9"] {
        cursors.push(forged(&plain.replacen(|letter: char| letter.is_ascii_digit(), digit, 1)));
    }
    for cursor in cursors {
        for list in ["/checkouts", "/contracts"] {
            let answer = server.get(&format!("{list}?cursor={cursor}")).await;
            if answer.status != 200 {
                answer.refused(422, "rejected");
                assert_eq!(answer.at("/problems/0/path"), r#""/cursor""#);
                continue;
            }
            let (data, _) = page(&server, &format!("/checkouts?cursor={cursor}")).await;
            let found: Vec<String> = data.iter().map(id).collect();
            assert!(ids.ends_with(&found), "{found:?} is no end of {ids:?}");
        }
    }
}

#[tokio::test]
async fn a_cursor_is_of_one_list() {
    let listed = CONTRACT.replace("con_1", "con_2").replace("li_1", "li_2");
    let server = Server::with(&[CONTRACT, &listed]).await;
    for _ in 0..3 {
        server.bought(REQUEST).await;
    }
    let cursor = async |path: &str| page(&server, path).await.1.unwrap();
    let of_checkouts = cursor("/checkouts?limit=1").await;
    let of_contracts = [cursor("/contracts?limit=1").await, cursor("/contracts?limit=4").await];
    for (list, cursor) in
        [("/contracts", &of_checkouts), ("/checkouts", &of_contracts[0]), ("/checkouts", &of_contracts[1])]
    {
        let answer = server.get(&format!("{list}?cursor={cursor}")).await;
        answer.refused(422, "rejected");
        assert_eq!(answer.at("/problems/0/path"), r#""/cursor""#);
    }
    for cursor in &of_contracts {
        page(&server, &format!("/contracts?cursor={cursor}")).await;
    }
    // With another filter than before it is where it was, among what that one finds.
    let (data, _) = page(&server, &format!("/checkouts?checkout_status=contract_created&cursor={of_checkouts}")).await;
    assert_eq!(data.len(), 2);
}
