//! Whoever means harm, over a real socket: each gets 4xx, soon, and the store stays as it is.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use checkout_preview::Json;
use checkout_verifier::Settings;
use checkout_verifier::server::ConnectionLimits;
use std::fmt::Write;
use std::time::Duration;
use support::{CATALOG, REQUEST, Served, Server, at};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// None of them is an id, a date, a number or a word that anything takes. As JSON writes them.
const STRINGS: [&str; 12] = [
    "' OR '1'='1",
    "'; DROP TABLE checkouts; --",
    r#"\" OR 1=1 --"#,
    "1); DELETE FROM checkouts; --",
    "a' UNION SELECT hash, 1 FROM api_keys --",
    r"a\u0000b",
    r"\u0000",
    r"\u0001\u001b[2J\u007f",
    "ｃｕｓ＿１",
    r"cus_1\u200b",
    r"cus_1\r\nx-api-key: sk_1",
    "../../ etc/passwd",
];

/// No JSON at all, or none that is taken.
const BODIES: [&str; 14] = [
    "",
    "null",
    "[]",
    "\"x\"",
    // Of two fields of one name the last counts, for every reader.
    "{\"plan_id\":\"team\",\"plan_id\":\"gone\",\"status\":\"initiated\",\"status\":\"gone\"}",
    "{\"plan_id\":\"\\ud800\",\"customer_id\":\"cus_1\"}",
    "{\"plan_id\":\"a\u{0}\",\"customer_id\":\"cus_1\"}",
    "{\"plan_id\":\"team\",\"customer_id\":\"cus_1\",\"count\":1e400,\"ttl_seconds\":1e400,\"status\":-1e400}",
    "{\"plan_id\":\"team\",\"__proto__\":{},\"reference\":{}}",
    "\u{feff}{\"plan_id\":\"team\",\"customer_id\":\"cus_1\"}",
    "{'plan_id':'team'}",
    "{\"plan_id\":\"team\",\"customer_id\":\"cus_1\"}{}",
    "{\"plan_id\":\"team\",\"customer_id\":\"cus_1\",\"x\":NaN}",
    "plan_id=team&customer_id=cus_1",
];

struct Victim {
    server: Server,
    served: Served,
    checkout: String,
}

impl Victim {
    async fn start() -> Victim {
        let settings = Settings { request_limit: Duration::from_secs(2), ..Settings::default() };
        let server = Server::with_settings(settings).await;
        server.put_catalog(CATALOG).await;
        let checkout = server.create(REQUEST).await;
        server.bought(support::GUEST).await;
        let served = server.serve(ConnectionLimits { connections: 64, header_time: Duration::from_millis(500) }).await;
        Victim { server, served, checkout }
    }

    /// All there is to say on one connection; the status of the answer, or `None` if the server hung up. It must do one
    /// of them in time.
    async fn say(&self, bytes: impl AsRef<[u8]>, what: &str) -> (Option<u16>, String) {
        let talk = async {
            let mut stream = TcpStream::connect(self.served.address).await.unwrap();
            let (mut reading, mut writing) = stream.split();
            let mut answer = Vec::new();
            // Who is refused early may not be listened to to the end.
            let (_, _) = tokio::join!(writing.write_all(bytes.as_ref()), reading.read_to_end(&mut answer));
            String::from_utf8_lossy(&answer).into_owned()
        };
        let deadline = Duration::from_secs(20);
        let answer = tokio::time::timeout(deadline, talk).await.unwrap_or_else(|_| panic!("{what}: no end"));
        let status = answer.strip_prefix("HTTP/1.1 ").or_else(|| answer.strip_prefix("HTTP/1.0 "));
        (status.map(|rest| rest[..3].parse().unwrap()), answer)
    }

    /// Says a request with the organisation's secret key, and expects 4xx.
    async fn refused(&self, method: &str, path: &str, headers: &str, body: &str) {
        let key = format!("x-api-key: {}\r\n", self.server.organisation.secret_key);
        self.refused_as(&key, method, path, headers, body).await;
    }

    async fn refused_as(&self, credentials: &str, method: &str, path: &str, headers: &str, body: &str) {
        let organisation = format!("organisation: {}\r\n{credentials}", self.server.organisation.organisation);
        self.refused_plainly(method, path, &format!("{organisation}{headers}"), body).await;
    }

    async fn refused_plainly(&self, method: &str, path: &str, headers: &str, body: &str) {
        let kind = if headers.contains("content-type") { "" } else { "content-type: application/json\r\n" };
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{kind}{headers}content-length: {length}\r\n\r\n"
        );
        let what = format!("{method} {path} {headers} {:.300}", body);
        let (status, answer) = self.say(format!("{head}{body}"), &what).await;
        let status = status.unwrap_or_else(|| panic!("{what}: no answer"));
        assert!((400..500).contains(&status), "{what}: {answer}");
    }

    /// Every row of every table, but for calls with an `Idempotency-Key`.
    async fn store(&self) -> Vec<String> {
        let mut rows = self.server.rows_of_everybody().await;
        rows.retain(|row| !row.starts_with("idempotency_keys "));
        rows
    }
}

/// As an address writes it.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        write!(encoded, "%{byte:02x}").unwrap();
        encoded
    })
}

#[tokio::test]
async fn every_string_is_data_and_no_more() {
    let victim = Victim::start().await;
    let before = victim.store().await;
    let id = victim.checkout.as_str();
    let at = |action: &str| format!("/checkouts/{id}{action}");
    for text in STRINGS {
        for field in [
            "plan_id",
            "contract_id",
            "customer_id",
            "business_entity_id",
            "start_date",
            "end_date",
            "expires_at",
            "success_url",
            "cancel_url",
            "guest_checkout",
            "customer_data",
            "product_overrides",
            "expected_estimates",
        ] {
            let others = [("plan_id", "team"), ("customer_id", "cus_1")].iter().filter(|(name, _)| *name != field);
            let others: String = others.map(|(name, value)| format!(",\"{name}\":\"{value}\"")).collect();
            let body = format!("{{\"{field}\":\"{text}\"{others}}}");
            for path in ["/checkouts", "/checkouts/preview", "/checkouts/schedule"] {
                victim.refused("POST", path, "", &body).await;
            }
            victim.refused("PATCH", &at(""), "", &format!("{{\"{field}\":\"{text}\"}}")).await;
        }
        for field in ["pricing_id", "product_id", "line_item_id", "quantity", "effective_from", "is_enabled"] {
            let body = format!(
                "{{\"plan_id\":\"team\",\"customer_id\":\"cus_1\",\"product_overrides\":[{{\"{field}\":\"{text}\"}}]}}"
            );
            victim.refused("POST", "/checkouts", "", &body).await;
        }
        victim.refused("POST", "/checkouts", "", &format!("{{\"plan_id\":\"team\",\"{text}\":\"{text}\"}}")).await;
        victim.refused("POST", &at("/confirm"), "", &format!("{{\"payment_method_id\":\"{text}\"}}")).await;
        victim.refused("POST", &at("/cancel"), "", &format!("{{\"reason\":\"{}\"}}", text.repeat(501))).await;
        victim.refused("POST", &at("/cancel"), "", &format!("{{\"reason\":\"{text}\",\"{text}\":1}}")).await;
        victim.refused("POST", &at("/payment"), "", &format!("{{\"status\":\"{text}\"}}")).await;
        // It is well formed, and there is no payment to be told of.
        let body = format!("{{\"status\":\"succeeded\",\"reference\":\"{text}\"}}");
        victim.refused("POST", &at("/payment"), "", &body).await;
        victim.refused("POST", "/sessions", "", &format!("{{\"customer_id\":\"{text}\"}}")).await;
        let body = format!("{{\"customer_id\":\"cus_1\",\"ttl_seconds\":\"{text}\"}}");
        victim.refused("POST", "/sessions", "", &body).await;
        victim.refused("PUT", "/catalog", "", &format!("{{\"version\":\"{text}\",\"{text}\":1}}")).await;
        victim.refused("PUT", "/catalog", "", &CATALOG.replace("\"team\"", &format!("\"{text}\""))).await;

        let raw: String = serde_json::from_str(&format!("\"{text}\"")).unwrap();
        let raw = encoded(&raw);
        for path in ["/checkouts", "/contracts"] {
            victim.refused("GET", &format!("{path}/{raw}"), "", "").await;
            victim.refused("GET", &format!("{path}?{raw}={raw}"), "", "").await;
            for parameter in ["limit", "cursor", "customer_id", "contract_id", "checkout_status", "created_after"] {
                victim.refused("GET", &format!("{path}?{parameter}={raw}"), "", "").await;
            }
        }
        let forged = [format!("1 {text}"), format!(" {text}"), format!("{text} {id}"), text.to_owned()];
        for cursor in forged.map(|cursor| BASE64_URL_SAFE_NO_PAD.encode(cursor)) {
            victim.refused("GET", &format!("/checkouts?cursor={cursor}"), "", "").await;
            victim.refused("GET", &format!("/contracts?cursor={cursor}"), "", "").await;
        }
        for header in ["x-api-key", "session-id", "client-secret"] {
            victim.refused_as(&format!("{header}: {text}\r\n"), "GET", &at(""), "", "").await;
        }
        victim
            .refused_plainly("GET", "/checkouts", &format!("organisation: {text}\r\nx-api-key: {text}\r\n"), "")
            .await;
        victim.refused("PUT", "/catalog", &format!("if-match: \"{text}\"\r\n"), CATALOG).await;
        victim.refused("POST", "/checkouts", &format!("content-type: {text}\r\n"), REQUEST).await;
        victim.refused("POST", "/checkouts", &format!("content-encoding: {text}\r\n"), REQUEST).await;
        victim.refused("POST", "/checkouts", &format!("idempotency-key: {text}\r\n"), "{").await;
    }
    assert_eq!(victim.store().await, before);
}

/// What is any text comes back as it was sent, and is no more than text on the way.
#[tokio::test]
async fn what_may_be_any_text_is_kept_as_it_is() {
    let victim = Victim::start().await;
    for text in STRINGS {
        let guest = format!(r#"{{"plan_id":"team","business_entity_id":"be_jp","customer_data":{{"name":"{text}"}}}}"#);
        let created = victim.server.post("/checkouts", guest).await;
        assert_eq!(created.status, 201, "{}", created.text);
        let sent: String = serde_json::from_str(&format!("\"{text}\"")).unwrap();
        assert_eq!(created.string("customer_data/name"), sent);
        let id = created.string("id");
        let confirmed = victim.server.confirmed(&id).await;
        assert_eq!(confirmed.string("customer_data/name"), sent);

        let id = victim.server.create(REQUEST).await;
        let payment = format!("/checkouts/{id}/payment");
        for status in ["initiated", "failed"] {
            let body = format!(r#"{{"status":"{status}","reference":"{text}"}}"#);
            assert_eq!(victim.server.post(&payment, body).await.status, 200);
        }
        let cancelled =
            victim.server.post(&format!("/checkouts/{id}/cancel"), format!(r#"{{"reason":"{text}"}}"#)).await;
        assert_eq!(cancelled.status, 200, "{}", cancelled.text);
        let catalog = CATALOG.replace("2026-11-01.3", text).replace("\"Ada\"", &format!("\"{text}\""));
        assert_eq!(victim.server.put("/catalog", catalog).await.status, 200);
    }
}

#[tokio::test]
async fn another_organisation_is_as_if_it_were_not() {
    let victim = Victim::start().await;
    let other = victim.server.other_organisation().await;
    other.put_catalog(CATALOG).await;
    let theirs = other.post("/checkouts", REQUEST).await;
    let (id, client_secret) = (theirs.string("id"), theirs.string("client_secret"));
    let contract = other.bought(REQUEST).await;
    let session = other.session("cus_1").await;
    let before = victim.store().await;

    let secret = format!("x-api-key: {}\r\n", victim.server.organisation.secret_key);
    let of_checkout = format!("client-secret: {client_secret}\r\n");
    for credentials in [secret, of_checkout] {
        victim.refused_as(&credentials, "GET", &format!("/checkouts/{id}"), "", "").await;
        victim.refused_as(&credentials, "PATCH", &format!("/checkouts/{id}"), "", "{}").await;
        for action in ["confirm", "cancel", "payment"] {
            let path = format!("/checkouts/{id}/{action}");
            victim.refused_as(&credentials, "POST", &path, "", "{\"status\":\"initiated\"}").await;
            victim.refused_as(&credentials, "POST", &path, "", "{}").await;
        }
        victim.refused_as(&credentials, "GET", &format!("/contracts/{contract}"), "", "").await;
    }
    let theirs = [&other.organisation.secret_key, &other.organisation.publishable_key];
    let keys = theirs.map(|key| format!("x-api-key: {key}\r\n"));
    for credentials in keys.into_iter().chain([format!("session-id: {session}\r\n")]) {
        for (method, path) in [("GET", "/catalog"), ("GET", "/checkouts"), ("GET", "/contracts"), ("PUT", "/catalog")] {
            victim.refused_as(&credentials, method, path, "", CATALOG).await;
        }
        victim.refused_as(&credentials, "POST", "/checkouts", "", REQUEST).await;
    }
    let request = format!(
        "{{\"contract_id\":\"{contract}\",\"product_overrides\":[{{\"pricing_id\":\"seats\",\"quantity\":1}}]}}"
    );
    victim.refused("POST", "/checkouts/preview", "", &request).await;
    for path in [format!("/checkouts?contract_id={contract}"), format!("/contracts?customer_id={contract}")] {
        assert_eq!(victim.server.get(&path).await.text, r#"{"data":[],"next_cursor":null}"#);
    }
    assert_eq!(victim.store().await, before);
}

#[tokio::test]
async fn what_is_no_request_is_refused() {
    let victim = Victim::start().await;
    let before = victim.store().await;
    let id = victim.checkout.as_str();
    let calls = [
        ("POST", "/checkouts".to_owned()),
        ("POST", "/checkouts/preview".to_owned()),
        ("POST", "/checkouts/schedule".to_owned()),
        ("POST", "/sessions".to_owned()),
        ("POST", format!("/checkouts/{id}/payment")),
        ("PATCH", format!("/checkouts/{id}")),
        ("PUT", "/catalog".to_owned()),
    ];
    let deep = [format!("{{\"customer_data\":{}", "[".repeat(100_000)), "{\"a\":".repeat(40_000)];
    let large = format!("{{\"plan_id\":\"{}\"}}", "x".repeat(300 * 1024));
    let long =
        format!("{{\"plan_id\":\"team\",\"customer_id\":\"cus_1\",\"count\":{0},\"status\":{0}}}", "9".repeat(5000));
    for (method, path) in &calls {
        for body in BODIES.into_iter().chain(deep.iter().map(String::as_str)).chain([large.as_str(), long.as_str()]) {
            victim.refused(method, path, "", body).await;
        }
        for kind in
            ["text/plain", "application/jsonx", "application/json, text/html", "multipart/form-data; boundary=x"]
        {
            victim.refused(method, path, &format!("content-type: {kind}\r\n"), REQUEST).await;
        }
        let twice = "content-type: application/json\r\ncontent-type: text/plain\r\n";
        victim.refused(method, path, twice, REQUEST).await;
        for encoding in
            ["gzip", "identity, gzip", "br\r\ncontent-encoding: identity", "identity\r\ncontent-encoding: gzip"]
        {
            victim.refused(method, path, &format!("content-encoding: {encoding}\r\n"), REQUEST).await;
        }
    }
    for path in [
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/checkouts/../../catalog/x",
        "//catalog",
        "/docs/..%2f..%2fx",
    ] {
        victim.refused("GET", path, "", "").await;
    }
    for method in ["DELETE", "TRACE", "PURGE", "get"] {
        victim.refused(method, "/checkouts", "", "").await;
    }
    assert_eq!(victim.store().await, before);
}

#[tokio::test]
async fn what_breaks_the_protocol_is_refused_or_hung_up_on() {
    let victim = Victim::start().await;
    let before = victim.store().await;
    let key = format!(
        "organisation: {}\r\nx-api-key: {}\r\n",
        victim.server.organisation.organisation, victim.server.organisation.secret_key
    );
    let post = |headers: &str, body: &str| {
        let kind = "content-type: application/json\r\nconnection: close\r\n";
        format!("POST /checkouts HTTP/1.1\r\nhost: x\r\n{key}{kind}{headers}\r\n{body}")
    };
    let length = REQUEST.len();
    let many: String = (0..200).map(|number| format!("x-{number}: 1\r\n")).collect();
    let refused = [
        ("a long header", post(&format!("x: {}\r\n", "x".repeat(100_000)), "")),
        ("a long line", format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(100_000))),
        ("many headers", post(&many, "")),
        ("NUL in a header", post("x: a\0b\r\n", "")),
        ("a header's name with a space", post("x y: 1\r\n", "")),
        ("a folded header", post("x: a\r\n b\r\n", "")),
        ("two lengths", post(&format!("content-length: {length}\r\ncontent-length: 1\r\n"), REQUEST)),
        ("a negative length", post("content-length: -1\r\n", REQUEST)),
        ("an endless length", post("content-length: 99999999999999999999\r\n", REQUEST)),
        (
            "a length and chunks",
            post(&format!("content-length: {length}\r\ntransfer-encoding: chunked\r\n"), "0\r\n\r\n"),
        ),
        ("chunks and more", post("transfer-encoding: chunked, gzip\r\n", "0\r\n\r\n")),
        ("another encoding", post("transfer-encoding: identity\r\n", REQUEST)),
        ("no size of a chunk", post("transfer-encoding: chunked\r\n", "oops\r\n{}\r\n0\r\n\r\n")),
        ("an endless chunk", post("transfer-encoding: chunked\r\n", "FFFFFFFFFFFFFFFFF\r\n{}\r\n")),
        ("a body that does not come", post("content-length: 1000\r\n", "{\"plan_id\":")),
        ("chunks that do not come", post("transfer-encoding: chunked\r\n", "5\r\n{\"pla\r\n")),
        ("another version", "GET /checkouts HTTP/9.9\r\nhost: x\r\n\r\n".into()),
        ("no path", "GET  HTTP/1.1\r\nhost: x\r\n\r\n".into()),
    ];
    for (what, bytes) in refused {
        let (status, answer) = victim.say(bytes, what).await;
        assert!(status.is_some_and(|status| (400..500).contains(&status)), "{what}: {answer}");
    }
    let hung_up_on = [
        ("half a head", b"GET /checkouts HTTP/1.1\r\nhost".to_vec()),
        ("nothing", Vec::new()),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec()),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
        ("noise", (0..=255).cycle().take(5000).collect()),
    ];
    for (what, bytes) in hung_up_on {
        let (status, answer) = victim.say(bytes, what).await;
        assert!(status.is_none_or(|status| (400..500).contains(&status)), "{what}: {answer}");
    }
    // What stands in the body of a GET is no second request.
    let inner = format!("PUT /catalog HTTP/1.1\r\nhost: x\r\n{key}content-length: 0\r\n\r\n");
    let outer = format!(
        "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{inner}",
        inner.len()
    );
    let (_, answer) = victim.say(outer, "a body of a GET").await;
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    assert_eq!(victim.store().await, before);
}

/// All problems of a large catalog would be many times as long as it is.
#[tokio::test]
async fn of_a_catalog_that_is_wrong_everywhere_the_first_problems_are_told() {
    let server = Server::empty().await;
    let plans = vec!["{}"; 2000].join(",");
    let answer = server.put("/catalog", format!("{{\"plans\":[{plans}]}}")).await;
    answer.refused(422, "rejected");
    let problems: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(problems["problems"].as_array().unwrap().len(), 1000);
    let all = checkout_preview::Catalog::load(support::parse(&format!("{{\"plans\":[{plans}]}}"))).unwrap_err();
    let count = all.as_slice().len();
    assert!(count > 1000);
    assert_eq!(
        answer.string("detail"),
        format!("what was sent breaks rules in {count} places: `problems` are the first 1000")
    );
    assert_eq!(problems["problems"][999]["path"], all.as_slice()[999].path);
}

/// A few bytes that ask for megabytes.
#[tokio::test]
async fn small_requests_have_no_giant_answers() {
    let server = Server::start().await;
    server.put_catalog(&CATALOG.replace("P1M", "P1D")).await;
    let from = |year: &str| format!(r#"{{"start_date":"{year}-01-01",{}"#, &REQUEST[1..]);

    let id = server.create(&from("2016")).await;
    let size = server.get(&format!("/checkouts/{id}")).await.text.len();
    assert!(size > 1024 * 1024, "{size}");
    for year in ["2000", "1970"] {
        for path in ["/checkouts", "/checkouts/preview"] {
            server.post(path, from(year)).await.refused(422, "answer_too_large");
        }
        let changed = server
            .call(
                "PATCH",
                &format!("/checkouts/{id}"),
                &[("content-type", "application/json")],
                format!(r#"{{"start_date":"{year}-01-01"}}"#),
            )
            .await;
        changed.refused(422, "answer_too_large");
    }
    assert_eq!(server.count("checkouts").await, 1);
    assert_eq!(server.confirm(&id).await.status, 200, "what is stored can be confirmed");

    let mut ids = vec![id];
    while ids.len() < 12 {
        ids.push(server.create(&from("2016")).await);
    }
    let (mut listed, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let page = server.get(&format!("/checkouts?limit=100{cursor}")).await;
        assert!(page.text.len() < 9 * 1024 * 1024, "a page of {} bytes", page.text.len());
        let Json::List(entries) = at(&page.json(), "/data") else { panic!() };
        assert!(!entries.is_empty());
        listed.extend(entries.iter().map(|entry| at(entry, "/id")));
        pages += 1;
        match at(&page.json(), "/next_cursor") {
            Json::String(next) => cursor = format!("&cursor={next}"),
            _ => break,
        }
    }
    ids.reverse();
    assert_eq!(listed, ids.into_iter().map(Json::String).collect::<Vec<_>>());
    assert!(pages > 1);

    let ones = vec!["1"; 100_000].join(",");
    let expected =
        format!(r#"{{"expected_estimates":{{"current_invoice":{{"line_items":[{ones}]}}}},{}"#, &REQUEST[1..]);
    let answer = server.post("/checkouts", expected).await;
    answer.refused(409, "preview_mismatch");
    let Json::List(differences) = at(&answer.json(), "/differences") else { panic!() };
    assert_eq!(differences.len(), 1000);

    let unknown: Vec<String> = (0..20_000).map(|number| format!(r#""x{number}":1"#)).collect();
    let answer = server.post("/checkouts/preview", format!("{{{}}}", unknown.join(","))).await;
    answer.refused(422, "rejected");
    let Json::List(problems) = at(&answer.json(), "/problems") else { panic!() };
    assert_eq!(problems.len(), 1000);
    assert!(answer.string("detail").contains("20002 places"), "{}", answer.string("detail"));
}
