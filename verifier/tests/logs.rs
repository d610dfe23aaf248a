//! What the service says of its work: never a key, a token, a client secret or anything of a customer's.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![cfg(unix)]

mod support;

use checkout_preview::{Json, json};
use sqlx::{AssertSqlSafe, Connection, Executor};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;
use support::{CATALOG, at, new_database, parse};
use tempfile::TempDir;

/// The built binary while it serves, and its log.
struct Service {
    process: Child,
    address: String,
    _output: BufReader<ChildStdout>,
    log: JoinHandle<String>,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
    }
}

fn command(folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_checkout-verifier"));
    command.args(arguments).current_dir(folder.path()).env_clear();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn printed(folder: &TempDir, arguments: &[&str]) -> String {
    let output = command(folder, arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

impl Service {
    fn start(mut command: Command) -> Service {
        let mut process = command.spawn().unwrap();
        let mut stderr = process.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            stderr.read_to_string(&mut log).unwrap();
            log
        });
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut said = String::new();
        output.read_line(&mut said).unwrap();
        let address = said.trim_end().strip_prefix("listening on http://").unwrap().to_owned();
        Service { process, address, _output: output, log }
    }

    fn stop(mut self) -> String {
        assert!(Command::new("kill").arg(self.process.id().to_string()).status().unwrap().success());
        assert!(self.process.wait().unwrap().success());
        let log = std::mem::replace(&mut self.log, std::thread::spawn(String::new));
        log.join().unwrap()
    }
}

/// An answer: its first line and headers, and its body.
fn ask(address: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (String, String) {
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{request}content-length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

fn text(body: &str, field: &str) -> String {
    match at(&parse(body), &format!("/{field}")) {
        Json::String(text) => text,
        other => panic!("{field} is {other:?}"),
    }
}

#[test]
fn no_secret_and_nothing_of_a_customers_is_logged_counted_or_told() {
    for level in ["debug", "trace"] {
        whole_story(level);
    }
}

fn whole_story(level: &str) {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(new_database(&folder));
    let created = printed(&folder, &["organisation", "create", "Ternwell", "--database", &database]);
    let [id, sk, pk] = ["organisation", "secret_key", "publishable_key"].map(|field| text(&created, field));
    let update =
        ["organisation", "update", "--organisation", &id, "--client-confirms", "true", "--database", &database];
    printed(&folder, &update);
    let metrics = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut serve = command(&folder, &["serve", "--listen", "127.0.0.1:0", "--metrics-listen", &metrics]);
    serve.env("DATABASE_URL", &database).env("LOG_LEVEL", level).env("SWEEP_INTERVAL", "1");
    let service = Service::start(serve);

    let call = |credential: (&str, &str), method: &str, path: &str, key: &str, body: &str| {
        let mut headers = vec![("organisation", id.as_str()), credential, ("content-type", "application/json")];
        if !key.is_empty() {
            headers.push(("idempotency-key", key));
        }
        ask(&service.address, method, path, &headers, body)
    };
    let done = |(head, body): (String, String)| {
        assert!(head.starts_with("HTTP/1.1 20"), "{head}\n{body}");
        body
    };
    let mut errors = Vec::new();
    let mut refused = |status: u16, (head, body): (String, String)| {
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}\n{body}");
        errors.push(format!("{head}\n{body}"));
    };
    let secret_key = ("x-api-key", sk.as_str());
    let catalog = CATALOG.replace("Ada", "Canary Ada");
    done(call(secret_key, "PUT", "/catalog", "", &catalog));
    let session = done(call(secret_key, "POST", "/sessions", "canary-key-1", r#"{"customer_id":"cus_1"}"#));
    let token = text(&session, "session_token");
    let guest = r#"{"plan_id":"team","business_entity_id":"be_us","success_url":"https://shop.example/?canary=url",
        "customer_data":{"name":"Canary Grace","email":"canary@example.com","card":"4242424242424242"}}"#;
    let preview = done(call(("x-api-key", &pk), "POST", "/checkouts/preview?canary=query", "canary-key-2", guest));
    let estimates = json::to_text(&at(&parse(&preview), "/estimates"));
    let seen = format!("{},\"expected_estimates\":{estimates}}}", guest.strip_suffix('}').unwrap());
    let checkout = done(call(("x-api-key", &pk), "POST", "/checkouts", "canary-key-3", &seen));
    let [checkout_id, client_secret] = ["id", "client_secret"].map(|field| text(&checkout, field));
    let path = format!("/checkouts/{checkout_id}");
    let client = ("client-secret", client_secret.as_str());
    done(call(client, "GET", &path, "", ""));
    done(call(client, "PATCH", &path, "", r#"{"cancel_url":"https://shop.example/canary"}"#));
    done(call(
        secret_key,
        "POST",
        &format!("{path}/payment"),
        "",
        r#"{"status":"initiated","reference":"canary-ref"}"#,
    ));
    done(call(
        secret_key,
        "POST",
        &format!("{path}/payment"),
        "",
        r#"{"status":"succeeded","reference":"canary-ref"}"#,
    ));
    let confirm = r#"{"payment_method_id":"pm_canary"}"#;
    let bought = done(call(client, "POST", &format!("{path}/confirm"), "canary-key-4", confirm));
    done(call(client, "POST", &format!("{path}/confirm"), "canary-key-4", confirm));
    done(call(secret_key, "GET", &format!("/contracts?customer_id={}", text(&bought, "customer_id")), "", ""));
    done(call(("session-id", &token), "GET", "/catalog", "", ""));
    let other = done(call(secret_key, "POST", "/checkouts", "", guest));
    let [other_id, other_secret] = ["id", "client_secret"].map(|field| text(&other, field));
    let cancel = format!("/checkouts/{other_id}/cancel");
    done(call(secret_key, "POST", &cancel, "", r#"{"reason":"canary reason"}"#));

    // Everything that can be refused, by everyone.
    for credential in [secret_key, ("x-api-key", &pk), ("session-id", &token), client] {
        let wrong = (credential.0, &credential.1[..credential.1.len() - 1]);
        refused(if credential == client { 404 } else { 401 }, call(wrong, "GET", &path, "", ""));
        refused(401, call(("x-api-key", &format!("{}x", credential.1)), "GET", &path, "", ""));
        refused(401, ask(&service.address, "GET", "/catalog", &[credential], ""));
        let is_checkouts = credential == secret_key || credential == client;
        let by_secret = call(credential, "GET", &format!("/checkouts/{}", credential.1), "", "");
        refused(if is_checkouts { 404 } else { 403 }, by_secret);
        refused(404, call(credential, "GET", "/canary", "", ""));
        refused(405, call(credential, "DELETE", &path, "", ""));
    }
    refused(403, call(("x-api-key", &pk), "GET", "/checkouts", "", ""));
    refused(409, call(client, "POST", &format!("{path}/confirm"), "", confirm));
    refused(409, call(("client-secret", &other_secret), "POST", &cancel, "canary-key-5", "{}"));
    refused(409, call(("client-secret", &other_secret), "POST", &cancel, "canary-key-5", "{}"));
    refused(422, call(secret_key, "POST", "/sessions", "canary-key-4", r#"{"customer_id":"cus_1"}"#));
    refused(400, call(secret_key, "POST", "/checkouts", "", r#"{"customer_data": canary"#));
    refused(428, call(("session-id", &token), "POST", "/checkouts", "", guest));
    refused(409, call(("x-api-key", &pk), "POST", "/checkouts", "", &seen.replace("120.00", "119.00")));
    refused(413, call(secret_key, "POST", "/checkouts", "", &"canary".repeat(50_000)));
    // Also when the database fails while it holds all that.
    let run = |sql: &str| {
        sqlx::any::install_default_drivers();
        runtime.block_on(async {
            let mut connection = sqlx::AnyConnection::connect(&database).await.unwrap();
            connection.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
            connection.close().await.unwrap();
        });
    };
    run("ALTER TABLE events RENAME TO elsewhere");
    refused(500, call(secret_key, "POST", "/checkouts", "canary-key-6", guest));
    run("ALTER TABLE elsewhere RENAME TO events");

    let (_, metrics) = ask(&metrics, "GET", "/metrics", &[], "");
    assert!(metrics.contains(r#"route="/checkouts/{id}/confirm""#), "{metrics}");
    let log = service.stop();
    let lines: Vec<Json> = log.lines().map(parse).collect();
    let of_level = |level: &str| lines.iter().filter(|line| at(line, "/level") == Json::String(level.into())).count();
    assert!(of_level("INFO") > 40 && of_level("ERROR") > 0 && of_level("DEBUG") > 0, "{log}");

    // Every answer that is an error has its code there, also where it is given again, and that it is.
    let answers: Vec<Json> =
        lines.iter().filter_map(|line| line.get("fields")?.get("route").map(|_| at(line, "/fields"))).collect();
    let status = |answer: &Json| match answer.get("status") {
        Some(Json::Number(status)) => status.as_str().parse::<u16>().unwrap(),
        other => panic!("{other:?}"),
    };
    for answer in &answers {
        assert_eq!(answer.get("code").is_some(), status(answer) >= 400, "{answer:?}");
    }
    let replayed: Vec<&Json> =
        answers.iter().filter(|answer| answer.get("replayed") == Some(&Json::Bool(true))).collect();
    let [again, refused_again] = replayed[..] else { panic!("{replayed:?}") };
    assert_eq!((status(again), again.get("code")), (200, None));
    assert_eq!(refused_again.get("code"), Some(&Json::String("checkout_not_cancellable".into())));

    let secret = |text: &str| text[text.len() - 40..].to_owned();
    let mut secrets: Vec<String> = [&sk, &pk, &token, &client_secret, &other_secret].map(|text| secret(text)).to_vec();
    for error in &errors {
        for secret in &secrets {
            assert!(!error.contains(&secret[..secret.len() - 1]), "{error}");
        }
    }
    secrets.extend(["canary", "4242424242424242", "grace", "shop.example"].map(str::to_owned));
    for (what, text) in [("the log", log.to_lowercase()), ("the metrics", metrics.to_lowercase())] {
        for secret in &secrets {
            let secret = secret.to_lowercase();
            let line = text.lines().find(|line| line.contains(&secret[..secret.len() - 1]));
            assert_eq!(line, None, "`{secret}` is in {what}");
        }
    }
}
