//! Who may see and do what: two organisations in one database, and everything that can be sent as a credential.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use axum::body::Body;
use checkout_preview::{Json, json};
use support::{Answer, CONTRACT, GUEST, REQUEST, Server, at, catalog, expecting, parse, seats};

const NOBODY: &str = "01890000-0000-7000-8000-000000000000";
const JSON: (&str, &str) = ("content-type", "application/json");

/// A catalog with the customers `cus_1` and `cus_2`, and a contract of each: `con_1`, `con_2`.
fn two_customers() -> String {
    let second = CONTRACT.replace("con_1", "con_2").replace("li_1", "li_2").replace("cus_1", "cus_2");
    catalog(&[CONTRACT, &second]).replace(r#""customers":["#, r#""customers":[{"id":"cus_2","name":"Bob"},"#)
}

/// An organisation with a bit of everything.
struct Merchant {
    server: Server,
    session: String,
    checkout: String,
    client_secret: String,
    contract: String,
}

impl Merchant {
    async fn on(server: Server, catalog: &str) -> Merchant {
        server.put_catalog(catalog).await;
        let contract = server.bought(REQUEST).await;
        let created = server.post("/checkouts", REQUEST).await;
        let [checkout, client_secret] = ["id", "client_secret"].map(|field| created.string(field));
        let session = server.session("cus_1").await;
        Merchant { server, session, checkout, client_secret, contract }
    }

    fn organisation(&self) -> &str {
        &self.server.organisation.organisation
    }

    fn secret_key(&self) -> &str {
        &self.server.organisation.secret_key
    }

    fn publishable_key(&self) -> &str {
        &self.server.organisation.publishable_key
    }

    /// The key, token or client secret of a caller, with its header.
    fn credential(&self, who: &str) -> (&'static str, &str) {
        match who {
            "secret" => ("x-api-key", self.secret_key()),
            "publishable" => ("x-api-key", self.publishable_key()),
            "session" => ("session-id", &self.session),
            "client" => ("client-secret", &self.client_secret),
            other => panic!("{other}"),
        }
    }

    /// A call of [`CALLS`], about this merchant's checkout and contract.
    async fn call(&self, headers: &[(&str, &str)], (method, path, _): (&str, &str, &str)) -> Answer {
        let path = path.replace("{checkout}", &self.checkout).replace("{contract}", &self.contract);
        let body = match (method, path.rsplit('/').next().unwrap()) {
            ("POST", "preview" | "schedule") => GUEST.to_owned(),
            ("POST", "checkouts") => expecting(GUEST, &self.server.post("/checkouts/preview", GUEST).await),
            ("POST", "sessions") => r#"{"customer_id":"cus_1"}"#.into(),
            ("POST", "payment") => r#"{"status":"initiated"}"#.into(),
            ("PUT", _) => two_customers(),
            ("GET", _) => String::new(),
            _ => "{}".into(),
        };
        self.server.call_plainly(method, &path, &[headers, &[JSON]].concat(), body).await
    }

    /// Every row of this organisation.
    async fn rows(&self) -> Vec<String> {
        self.server.rows_of_organisation().await
    }
}

/// Both merchants of one database.
async fn two_merchants() -> (Merchant, Merchant) {
    two_merchants_of(&Server::empty().await).await
}

async fn two_merchants_of(server: &Server) -> (Merchant, Merchant) {
    let [mine, hers] = [server.other_organisation().await, server.other_organisation().await];
    (Merchant::on(mine, &two_customers()).await, Merchant::on(hers, &two_customers().replace("con_", "hers_")).await)
}

/// Every call, and who may make it; confirming comes last, for it ends what the others are about.
const CALLS: [(&str, &str, &str); 15] = [
    ("POST", "/checkouts/preview", "secret publishable session"),
    ("POST", "/checkouts/schedule", "secret publishable session"),
    ("POST", "/checkouts", "secret publishable session"),
    ("GET", "/checkouts/{checkout}", "secret client"),
    ("GET", "/checkouts", "secret"),
    ("PATCH", "/checkouts/{checkout}", "secret client"),
    ("PUT", "/catalog", "secret"),
    ("GET", "/catalog", "secret publishable session"),
    ("HEAD", "/catalog", "secret publishable session"),
    ("GET", "/contracts", "secret session"),
    ("GET", "/contracts/{contract}", "secret session"),
    ("POST", "/sessions", "secret"),
    ("POST", "/checkouts/{checkout}/payment", "secret"),
    ("POST", "/checkouts/{checkout}/cancel", "secret client"),
    ("POST", "/checkouts/{checkout}/confirm", "secret client"),
];

/// An answer without what differs from one request to the next.
fn without_request_id(answer: &Answer) -> (u16, String) {
    let Json::Object(mut fields) = answer.json() else { panic!("{}", answer.text) };
    fields.retain(|(name, _)| name != "request_id");
    (answer.status.as_u16(), json::to_text(&Json::Object(fields)))
}

#[tokio::test]
async fn each_call_is_open_to_those_of_the_table_and_to_no_others() {
    let server = Server::empty().await;
    for who in ["secret", "publishable", "session", "client"] {
        for call @ (method, path, open_to) in CALLS {
            let (mine, other) = two_merchants_of(&server).await;
            mine.server.let_clients_confirm().await;
            let (before, hers) = (mine.rows().await, other.rows().await);
            let answer = mine.call(&[("organisation", mine.organisation()), mine.credential(who)], call).await;
            if open_to.split(' ').any(|open| open == who) {
                assert!(answer.status.is_success(), "{who} {method} {path}: {}", answer.text);
            } else {
                assert_eq!(answer.status, 403, "{who} {method} {path}: {}", answer.text);
                if method != "HEAD" {
                    answer.refused(403, "forbidden");
                }
                assert_eq!(mine.rows().await, before, "{who} {method} {path}");
            }
            assert_eq!(other.rows().await, hers, "{who} {method} {path}");
        }
    }
}

#[tokio::test]
async fn no_credential_and_a_wrong_one_open_nothing() {
    let (mine, other) = two_merchants().await;
    let revoked = mine.server.revoked_key().await;
    let expired = mine.server.post("/sessions", r#"{"customer_id":"cus_1","ttl_seconds":1}"#).await;
    let expired = expired.string("session_token");
    let session = mine.session.clone();
    mine.server.set_now("2026-11-22T12:00:01Z");
    let (sk, pk) = (mine.secret_key(), mine.publishable_key());
    let changed = format!("{}{}", &sk[..sk.len() - 1], if sk.ends_with('A') { 'E' } else { 'A' });
    let (id, _) = sk["sk_".len()..].split_once('_').unwrap();
    let mixed = format!("sk_{id}_{}", pk.rsplit_once('_').unwrap().1);
    let renamed = sk.replacen("sk_", "pk_", 1);
    let long = "x".repeat(8000);
    let my = ("organisation", mine.organisation());
    let hers = ("organisation", other.organisation());
    fn key(key: &str) -> (&str, &str) {
        ("x-api-key", key)
    }
    fn token(token: &str) -> (&str, &str) {
        ("session-id", token)
    }
    let client = ("client-secret", mine.client_secret.as_str());
    let mut wrong = vec![
        // None, or half of one.
        vec![],
        vec![my],
        vec![key(sk)],
        vec![token(&session)],
        vec![client],
        // Of no organisation, or of another.
        vec![("organisation", NOBODY), key(sk)],
        vec![("organisation", "default"), key(sk)],
        vec![("organisation", ""), key(sk)],
        vec![("organisation", "' OR 1=1 --"), key(sk)],
        vec![hers, key(sk)],
        vec![hers, key(pk)],
        vec![hers, token(&session)],
        vec![my, key(other.secret_key())],
        vec![my, key(other.publishable_key())],
        vec![my, token(&other.session)],
        // Malformed, changed, or not any more.
        vec![my, key("")],
        vec![my, key("sk_")],
        vec![my, key("' OR 1=1 --")],
        vec![my, key(&sk[..sk.len() - 1])],
        vec![my, key(&changed)],
        vec![my, key(&mixed)],
        vec![my, key(&renamed)],
        vec![my, key(&long)],
        vec![my, key("sk_\u{e9}")],
        vec![my, key(&revoked)],
        vec![my, token(&expired)],
        // In the place of another.
        vec![my, token(sk)],
        vec![my, token(pk)],
        vec![my, key(&session)],
        vec![my, key(&mine.client_secret)],
        // Two, of which one is wrong.
        vec![my, key(pk), token(&expired)],
        vec![my, key(pk), token(&other.session)],
        vec![my, key(pk), token(sk)],
        vec![my, key(&revoked), token(&session)],
        vec![my, key(other.secret_key()), token(&session)],
        vec![my, key(&changed), client],
    ];
    // A header that is given twice says nothing, though both be right.
    for header in [my, key(sk), key(pk), token(&session), client] {
        wrong.push(if header == my { vec![my, my, key(sk)] } else { vec![my, header, header] });
    }
    wrong.push(vec![my, hers, key(sk)]);
    wrong.push(vec![my, key(sk), key(pk)]);

    let (before, hers) = (mine.rows().await, other.rows().await);
    let told = without_request_id(&mine.call(&[], CALLS[0]).await);
    for headers in &wrong {
        for call @ (method, path, _) in CALLS {
            // Warm, so that nothing wrong is taken for what was right a moment ago.
            assert_eq!(mine.call(&[my, key(sk)], ("GET", "/checkouts/{checkout}", "")).await.status, 200);
            let answer = mine.call(headers, call).await;
            if method == "HEAD" {
                assert_eq!(answer.status, 401);
                continue;
            }
            answer.refused(401, "unauthorized");
            assert_eq!(answer.headers["www-authenticate"], "ApiKey");
            assert_eq!(without_request_id(&answer), told, "{headers:?} {method} {path}");
        }
    }
    assert_eq!((mine.rows().await, other.rows().await), (before, hers));
}

#[tokio::test]
async fn what_is_anothers_is_what_is_not_there() {
    let (mine, other) = two_merchants().await;
    let (before, hers) = (mine.rows().await, other.rows().await);
    let organisation = ("organisation", mine.organisation());
    // One whose ids are all of the other organisation, and one whose ids are of none.
    let copy = |checkout: &str, contract: &str| Merchant {
        server: mine.server.clone(),
        session: mine.session.clone(),
        checkout: checkout.into(),
        client_secret: mine.client_secret.clone(),
        contract: contract.into(),
    };
    let strangers = [
        copy(&other.checkout, &other.contract),
        copy(&other.checkout.to_uppercase(), "hers_1"),
        copy(NOBODY, NOBODY),
        copy("no-id", "nobody"),
    ];
    for call @ (method, path, open_to) in CALLS.into_iter().filter(|(_, path, _)| path.contains('{')) {
        for who in open_to.split(' ') {
            let nothing = strangers[2].call(&[organisation, mine.credential(who)], call).await;
            nothing.refused(404, "not_found");
            for stranger in &strangers {
                let answer = stranger.call(&[organisation, mine.credential(who)], call).await;
                assert_eq!(without_request_id(&answer), without_request_id(&nothing), "{who} {method} {path}");
            }
            // Nor does the other checkout's secret help, here or there.
            if who == "client" {
                for (organisation, secret) in [
                    (mine.organisation(), other.client_secret.as_str()),
                    (mine.organisation(), ""),
                    (other.organisation(), &mine.client_secret),
                    (NOBODY, &mine.client_secret),
                ] {
                    for merchant in [&mine, &strangers[0]] {
                        let headers = [("organisation", organisation), ("client-secret", secret)];
                        let keyed = [&headers[..], &[("idempotency-key", "once")]].concat();
                        for headers in [&headers[..], &keyed] {
                            let answer = merchant.call(headers, call).await;
                            assert_eq!(without_request_id(&answer), without_request_id(&nothing), "{method} {path}");
                        }
                    }
                }
            }
        }
    }
    // Whether there is an organisation is nothing a stranger learns.
    for call in CALLS.into_iter().filter(|(method, _, open_to)| !open_to.contains("client") && *method != "HEAD") {
        let of = |organisation| [("organisation", organisation), ("client-secret", "cs_x")];
        let [there, not_there] = [mine.call(&of(mine.organisation()), call).await, mine.call(&of(NOBODY), call).await];
        assert_eq!(without_request_id(&there), without_request_id(&not_there));
    }
    // In a request, too: as the customer or the contract, for whoever may ask.
    for who in ["secret", "publishable", "session"] {
        for (request, id) in [
            (r#"{"plan_id":"team","customer_id":"ID"}"#, other.contract.as_str()),
            (r#"{"plan_id":"plus","contract_id":"ID"}"#, &other.contract),
            (r#"{"plan_id":"plus","contract_id":"ID"}"#, "hers_1"),
        ] {
            for path in ["/checkouts/preview", "/checkouts/schedule", "/checkouts"] {
                let told = async |id: &str| {
                    let request = format!(r#"{},"expected_estimates":{{}}}}"#, request.trim_end_matches('}'));
                    let request = if path == "/checkouts" {
                        &request
                    } else {
                        &request.replace(r#","expected_estimates":{}"#, "")
                    };
                    let credential = [mine.credential(who)];
                    let answer =
                        mine.server.call_as(&credential, "POST", path, &[JSON], request.replace("ID", id)).await;
                    answer.refused(422, "rejected");
                    without_request_id(&answer).1.replace(id, "ID")
                };
                assert_eq!(told(id).await, told("no-such-id").await);
            }
        }
    }
    for list in ["/checkouts", "/contracts"] {
        for id in [&other.checkout, &other.contract] {
            let page = mine.server.get(&format!("{list}?customer_id={id}")).await;
            assert_eq!(page.text, r#"{"data":[],"next_cursor":null}"#);
        }
    }
    assert_eq!((mine.rows().await, other.rows().await), (before, hers));
}

#[tokio::test]
async fn a_cursor_of_another_organisation_opens_nothing_of_it() {
    let (mine, other) = two_merchants().await;
    for list in ["/checkouts", "/contracts"] {
        let page = other.server.get(&format!("{list}?limit=1")).await;
        let cursor = page.string("next_cursor");
        let page = mine.server.get(&format!("{list}?cursor={cursor}")).await;
        assert_eq!(page.status, 200);
        for id in [&other.checkout, &other.contract, other.organisation(), "hers_"] {
            assert!(!page.text.contains(id), "{}", page.text);
        }
    }
}

#[tokio::test]
async fn a_publishable_key_sees_the_offer_and_nobody() {
    let (mine, _) = two_merchants().await;
    let answer = mine.server.call_publicly("GET", "/catalog", Body::empty()).await;
    let Json::Object(mut offer) = parse(&two_customers()) else { panic!() };
    offer.retain(|(name, _)| name != "customers" && name != "contracts");
    assert_eq!(answer.text, json::to_text(&Json::Object(offer)));
    for (request, code) in [
        (r#"{"plan_id":"team","customer_id":"ID"}"#, "customer_not_found"),
        (r#"{"plan_id":"plus","contract_id":"ID"}"#, "contract_not_found"),
    ] {
        let mut told = Vec::new();
        for id in ["nobody", "cus_1", "con_1", &mine.contract] {
            let preview = mine.server.call_publicly("POST", "/checkouts/preview", request.replace("ID", id)).await;
            preview.refused(422, "rejected");
            assert!(preview.text.contains(code), "{}", preview.text);
            told.push(without_request_id(&preview).1.replace(id, "ID"));
        }
        told.dedup();
        assert_eq!(told.len(), 1, "{told:?}");
    }
    let guest = mine.server.call_publicly("POST", "/checkouts/preview", GUEST).await;
    assert_eq!(guest.text, mine.server.engine_on(&two_customers(), GUEST, "2026-11-22"));
    // A browser says what the buyer was shown.
    let unseen = mine.server.call_publicly("POST", "/checkouts", GUEST).await;
    unseen.refused(428, "expected_estimates_required");
    let created = mine.server.call_publicly("POST", "/checkouts", expecting(GUEST, &guest)).await;
    assert_eq!(created.status, 201, "{}", created.text);
}

#[tokio::test]
async fn a_session_sees_its_customer_and_no_other() {
    let (mine, _) = two_merchants().await;
    let (server, session) = (&mine.server, mine.session.as_str());
    let catalog = server.call_in_session(session, "GET", "/catalog", Body::empty()).await;
    let ids = |list: &str| {
        let Json::List(entries) = at(&catalog.json(), list) else { panic!("{}", catalog.text) };
        entries.iter().map(|entry| json::to_text(&at(entry, "/id")).replace('"', "")).collect::<Vec<_>>()
    };
    assert_eq!(ids("/customers"), ["cus_1"]);
    assert_eq!(ids("/contracts"), ["con_1", &mine.contract]);
    assert!(!catalog.text.contains("cus_2") && !catalog.text.contains("con_2"), "{}", catalog.text);

    let list = server.call_in_session(session, "GET", "/contracts", Body::empty()).await;
    let [made_here, listed] = [server.contract(&mine.contract).await.text, server.contract("con_1").await.text];
    assert_eq!(list.text, format!(r#"{{"data":[{made_here},{listed}],"next_cursor":null}}"#));
    for customer_id in ["cus_2", "nobody"] {
        let path = format!("/contracts?customer_id={customer_id}");
        let page = server.call_in_session(session, "GET", &path, Body::empty()).await;
        assert_eq!(page.text, r#"{"data":[],"next_cursor":null}"#);
    }
    for (id, body) in [("con_1", listed), (mine.contract.as_str(), made_here)] {
        let path = format!("/contracts/{id}");
        assert_eq!(server.call_in_session(session, "GET", &path, Body::empty()).await.text, body);
    }
    server.call_in_session(session, "GET", "/contracts/con_2", Body::empty()).await.refused(404, "not_found");

    for request in [
        REQUEST.to_owned(),
        seats("con_1", "14"),
        seats(&mine.contract, "14"),
        // Wrong, and told where the customer's own catalog has it.
        REQUEST.replace("cus_1", "cus_2"),
        seats("con_2", "14"),
        seats("nobody", "14"),
        format!(r#"{{"customer_id":"cus_2",{}"#, &seats("con_1", "14")[1..]),
    ] {
        let engine = server.engine_on(&catalog.text, &request, "2026-11-22");
        let preview = server.call_in_session(session, "POST", "/checkouts/preview", request.clone()).await;
        if preview.status != 200 {
            preview.refused(422, "rejected");
            assert_eq!(preview.at("/problems"), engine);
            continue;
        }
        assert_eq!(preview.text, engine);
        let unseen = server.call_in_session(session, "POST", "/checkouts", request.clone()).await;
        unseen.refused(428, "expected_estimates_required");
        let created = server.call_in_session(session, "POST", "/checkouts", expecting(&request, &preview)).await;
        assert_eq!(created.status, 201, "{}", created.text);
    }
}

#[tokio::test]
async fn a_session_ends_at_the_very_instant() {
    let server = Server::start().await;
    let token = async |ttl: &str| {
        let answer = server.post("/sessions", format!(r#"{{"customer_id":"cus_1"{ttl}}}"#)).await;
        assert_eq!((answer.status.as_u16(), answer.string("customer_id")), (201, "cus_1".into()), "{}", answer.text);
        assert!(answer.string("session_token").starts_with("st_"));
        (answer.string("session_token"), answer.string("expires_at"))
    };
    let (short, ends) = token(r#","ttl_seconds":60"#).await;
    assert_eq!(ends, "2026-11-22T12:01:00Z");
    assert_eq!(token("").await.1, "2026-11-22T13:00:00Z");
    assert_eq!(token(r#","ttl_seconds":null"#).await.1, "2026-11-22T13:00:00Z");
    assert_eq!(token(r#","ttl_seconds":86400"#).await.1, "2026-11-23T12:00:00Z");
    let read = async || server.call_in_session(&short, "GET", "/contracts", Body::empty()).await;
    server.set_now("2026-11-22T12:00:59.999999Z");
    assert_eq!(read().await.status, 200);
    server.set_now("2026-11-22T12:01:00Z");
    read().await.refused(401, "unauthorized");
    // What is over is deleted, and nothing else.
    server.verifier.sweep().await.unwrap();
    assert_eq!(server.count("sessions").await, 3);

    for (body, code) in [
        ("{}", "customer_id_required"),
        (r#"{"customer_id":null}"#, "customer_id_required"),
        (r#"{"customer_id":7}"#, "invalid_type"),
        (r#"{"customer_id":"a b"}"#, "invalid_id"),
        (r#"{"customer_id":"nobody"}"#, "customer_not_found"),
        (r#"{"customer_id":"cus_1","ttl_seconds":0}"#, "invalid_type"),
        (r#"{"customer_id":"cus_1","ttl_seconds":86401}"#, "invalid_type"),
        (r#"{"customer_id":"cus_1","ttl_seconds":1.5}"#, "invalid_type"),
        (r#"{"customer_id":"cus_1","ttl_seconds":"60"}"#, "invalid_type"),
        (r#"{"customer_id":"cus_1","ttl_seconds":1e400}"#, "invalid_type"),
        (r#"{"customer_id":"cus_1","ttl":60}"#, "unknown_field"),
    ] {
        let answer = server.post("/sessions", body).await;
        answer.refused(422, "rejected");
        assert_eq!(answer.at("/problems/0/code"), format!("\"{code}\""), "{body}");
    }
    assert_eq!(server.count("sessions").await, 3);
}

#[tokio::test]
async fn a_former_guests_contracts_stand_where_its_catalog_has_them() {
    // At 9,999.00 a seat, so that a thousand million seats are too many.
    let dear = |contracts: &[&str], customer: &str| {
        let catalog = catalog(contracts).replace("12.00", "9999.00");
        catalog.replace(r#""customers":["#, &format!(r#""customers":[{customer}"#))
    };
    let server = Server::empty().await;
    server.put_catalog(&dear(&[CONTRACT], "")).await;
    let first = server.bought(GUEST).await;
    let customer_id = server.contract(&first).await.string("customer_id");
    let session = server.session(&customer_id).await;
    server.set_now("2026-11-22T12:00:01Z");
    let request = format!(r#"{{"plan_id":"team","customer_id":"{customer_id}"}}"#);
    let second = server.bought(&request).await;
    let third = server.bought(&request).await;

    let exported = server.contract(&second).await.text;
    // Only stored; and one of them listed in the catalog, behind somebody else's.
    let known = format!(r#"{{"id":"{customer_id}","business_entity_id":"be_jp"}},"#);
    for (contracts, known, order) in [
        (vec![CONTRACT], "", [&first, &second, &third]),
        (vec![CONTRACT, &exported], &known, [&second, &first, &third]),
    ] {
        server.put_catalog(&dear(&contracts, known)).await;
        let catalog = server.call_in_session(&session, "GET", "/catalog", Body::empty()).await;
        for (index, id) in order.into_iter().enumerate() {
            assert_eq!(catalog.string(&format!("contracts/{index}/id")), *id);
            for quantity in ["14", "999999999999"] {
                let request = seats(id, quantity);
                let engine = server.engine_on(&catalog.text, &request, "2026-11-22");
                let preview = server.call_in_session(&session, "POST", "/checkouts/preview", request).await;
                if quantity == "14" {
                    assert_eq!(preview.text, engine);
                } else {
                    preview.refused(422, "rejected");
                    assert_eq!(preview.at("/problems"), engine);
                    assert!(engine.contains(&format!(r#""path":"/catalog/contracts/{index}/"#)), "{engine}");
                }
            }
        }
    }
    // The tag changes with what is seen, and only with that.
    let tag = async || {
        let catalog = server.call_in_session(&session, "GET", "/catalog", Body::empty()).await;
        catalog.headers["etag"].to_str().unwrap().to_owned()
    };
    let before = tag().await;
    let same = [("session-id", session.as_str())];
    let same = server.call_as(&same, "GET", "/catalog", &[("if-none-match", &before)], Body::empty()).await;
    assert_eq!(same.status, 304);
    server.bought(r#"{"plan_id":"team","customer_id":"cus_1"}"#).await;
    assert_eq!(tag().await, before);
    server.bought(&request).await;
    assert_ne!(tag().await, before);
}

#[tokio::test]
async fn a_client_secret_is_shown_once_and_opens_its_own_checkout() {
    let server = Server::with(&[CONTRACT]).await;
    let created = server.post("/checkouts", REQUEST).await;
    let [id, secret] = ["id", "client_secret"].map(|field| created.string(field));
    assert!(secret.starts_with("cs_") && secret.len() > 40, "{secret}");
    let neighbour = server.create(REQUEST).await;
    let path = format!("/checkouts/{id}");
    let by_client = async |method: &str, path: &str, body: &str| {
        server.call_with_secret(&secret, method, path, body.to_owned()).await
    };

    let read = by_client("GET", &path, "").await;
    assert_eq!(read.text, server.get(&path).await.text);
    assert_eq!(read.text, created.text.replace(&format!(r#""client_secret":"{secret}","#), ""));
    let patched = by_client("PATCH", &path, r#"{"success_url":"https://shop.example/a"}"#).await;
    assert_eq!(patched.status, 200, "{}", patched.text);
    for answer in [&server.get("/checkouts").await, &patched, &read] {
        assert!(!answer.text.contains("client_secret") && !answer.text.contains("cs_"), "{}", answer.text);
    }
    for (method, action) in [("GET", ""), ("PATCH", ""), ("POST", "/confirm"), ("POST", "/cancel")] {
        by_client(method, &format!("/checkouts/{neighbour}{action}"), "{}").await.refused(404, "not_found");
    }
    by_client("POST", &format!("{path}/confirm"), "{}").await.refused(403, "forbidden");
    assert_eq!(server.count("contracts").await, 0);
    server.let_clients_confirm().await;
    let confirmed = by_client("POST", &format!("{path}/confirm"), "{}").await;
    assert_eq!((confirmed.status.as_u16(), confirmed.string("checkout_status")), (200, "contract_created".into()));
    assert!(!confirmed.text.contains("client_secret"), "{}", confirmed.text);
}

#[tokio::test]
async fn a_client_secret_changes_nothing_to_another_customers() {
    let server = Server::empty().await;
    server.put_catalog(&two_customers()).await;
    for (request, own) in [(REQUEST, Some("con_1")), (GUEST, None)] {
        let created = server.post("/checkouts", request).await;
        let [id, secret] = ["id", "client_secret"].map(|field| created.string(field));
        let path = format!("/checkouts/{id}");
        let before = server.get(&path).await.text;
        let change = async |body: &str| server.call_with_secret(&secret, "PATCH", &path, body.to_owned()).await;
        let told = async |body: &str, other: &str| {
            let answer = change(&body.replace("ID", other)).await;
            answer.refused(422, "rejected");
            without_request_id(&answer).1.replace(other, "ID")
        };
        for (body, others) in [
            (r#"{"customer_id":"ID"}"#, &["cus_2"][..]),
            (r#"{"contract_id":"ID","customer_id":null,"business_entity_id":null,"plan_id":"plus"}"#, &["con_2"]),
        ] {
            let nobody = told(body, "nobody").await;
            assert!(nobody.contains("_not_found"), "{nobody}");
            for other in others.iter().chain(own.is_none().then_some(&"cus_1")) {
                assert_eq!(told(body, other).await, nobody);
            }
        }
        assert_eq!(server.get(&path).await.text, before);
        if let Some(own) = own {
            let amended = change(&format!(r#"{{"contract_id":"{own}","plan_id":"plus"}}"#)).await;
            assert_eq!(amended.string("source_contract_id"), own);
        }
    }
}
