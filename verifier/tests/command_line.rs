//! The built binary: previews from files and lines, catalogs in and out, the service started and stopped.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use checkout_preview::{Catalog, Clock, Json, billing_schedule, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use support::{CATALOG, REQUEST, date, instant, new_database, parse};
use tempfile::TempDir;

const AS_OF: &str = "2026-11-22";
const NOW: &str = "2026-11-22T12:00:00Z";

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_checkout-verifier"));
    command.args(arguments).current_dir(folder).env_clear();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).stdin(Stdio::null()).output().unwrap()
}

#[track_caller]
fn ended(output: &Output, code: i32) -> (&str, &str) {
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| std::str::from_utf8(bytes).unwrap());
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    (out, err)
}

fn folder(request: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("request.json"), request).unwrap();
    std::fs::write(folder.path().join("catalog.json"), CATALOG).unwrap();
    folder
}

fn engine(request: &str) -> Result<String, String> {
    let catalog = Catalog::load(parse(CATALOG)).unwrap();
    let clock = Clock { as_of: date(AS_OF), now: instant(NOW) };
    let request = parse(request);
    let preview = checkout_preview::preview(&request, &catalog, clock);
    preview.map(|preview| json::to_text(&preview)).map_err(|problems| json::to_text(&problems))
}

fn schedule(request: &str, count: u8) -> String {
    let catalog = Catalog::load(parse(CATALOG)).unwrap();
    let clock = Clock { as_of: date(AS_OF), now: instant(NOW) };
    json::to_text(&billing_schedule(&parse(request), &catalog, clock, Ok(count)).unwrap())
}

const FROM_FILES: [&str; 5] = ["preview", "--request", "request.json", "--catalog", "catalog.json"];

#[test]
fn a_preview_is_printed_as_the_engine_prints_it() {
    let folder = folder(REQUEST);
    let given = [&FROM_FILES[..], &["--as-of", AS_OF, "--now", NOW]].concat();
    let output = run(folder.path(), &given);
    let compact = engine(REQUEST).unwrap();
    assert_eq!(ended(&output, 0), (format!("{compact}\n").as_str(), ""));

    let output = run(folder.path(), &[&given[..], &["--pretty"]].concat());
    let (pretty, _) = ended(&output, 0);
    assert!(pretty.lines().count() > 50 && pretty.contains("\n  \"currency\": \"USD\",\n"), "{pretty}");
    assert_eq!(json::to_text(&parse(pretty)), compact);

    // The system's clock; its date is that of New York.
    let output = run(folder.path(), &FROM_FILES);
    assert!(ended(&output, 0).0.contains(r#""as_of":"20"#));
    let output = run(folder.path(), &[&FROM_FILES[..], &["--now", "2026-03-01T02:00:00Z"]].concat());
    assert!(ended(&output, 0).0.contains(r#""as_of":"2026-02-28""#));
}

#[test]
fn a_billing_schedule_is_printed_as_the_engine_prints_it() {
    let folder = folder(REQUEST);
    for count in [1, 120] {
        let number = count.to_string();
        let given = [&FROM_FILES[..], &["--as-of", AS_OF, "--now", NOW, "--schedule", &number]].concat();
        let output = run(folder.path(), &given);
        assert_eq!(ended(&output, 0), (format!("{}\n", schedule(REQUEST, count)).as_str(), ""));

        let output = run(folder.path(), &[&given[..], &["--pretty"]].concat());
        let (pretty, _) = ended(&output, 0);
        assert!(pretty.contains("\n  \"currency\": \"USD\",\n"), "{pretty}");
        assert_eq!(json::to_text(&parse(pretty)), schedule(REQUEST, count));
    }
    for number in ["0", "121", "1000", "x", "", "1.5"] {
        let output = run(folder.path(), &[&FROM_FILES[..], &["--schedule", number]].concat());
        let (out, err) = ended(&output, 2);
        let said = format!("'{number}' for '--schedule <N>': expected a whole number from 1 to 120");
        assert!(out.is_empty() && err.contains(&said), "{number}: {err}");
    }
}

#[test]
fn problems_are_told_to_people() {
    let folder = folder(r#"{"plan_id":"nope","customer_id":"cus_1"}"#);
    let output = run(folder.path(), &FROM_FILES);
    let (out, err) = ended(&output, 1);
    assert_eq!(out, "");
    assert!(err.starts_with("/plan_id: ") && err.contains("`nope`") && err.contains("\n  help: "), "{err}");

    let output = run(folder.path(), &[&FROM_FILES[..], &["--as-of", "tomorrow"]].concat());
    assert!(ended(&output, 1).1.starts_with("/as_of: "));
    let output = run(folder.path(), &[&FROM_FILES[..], &["--now", AS_OF]].concat());
    assert!(ended(&output, 1).1.starts_with("/now: "));
}

const NOBODY: &str = "01890000-0000-7000-8000-000000000000";
const NOTHING: &str = "there is nothing with this id";

#[test]
fn what_cannot_be_read_or_was_not_meant_exits_with_2() {
    let folder = folder("{");
    for (arguments, said) in [
        (&FROM_FILES[..], "request.json is not JSON"),
        (&["preview", "--request", "none.json", "--catalog", "catalog.json"], "cannot read none.json"),
        (&["preview"], "--request"),
        (&["preview", "--jsonl", "--pretty"], "--jsonl"),
        (&["preview", "--jsonl", "--schedule", "3"], "--jsonl"),
        (&["catalog", "check", "none.json"], "cannot read none.json"),
        (&["catalog", "import", "request.json"], "--organisation"),
        (&["catalog", "export"], "--organisation"),
        (&["catalog", "export", "--organisation", "default"], "--organisation"),
        (&["catalog", "export", "--organisation", NOBODY], NOTHING),
        (&["catalog", "import", "request.json", "--organisation", NOBODY], NOTHING),
        (&["organisation", "create"], "<NAME>"),
        (&["organisation", "update", "--organisation", NOBODY], NOTHING),
        (&["organisation", "update", "--organisation", NOBODY, "--allow-origin", "shop.example"], "no origin"),
        (&["organisation", "update", "--organisation", NOBODY, "--allow-origin", "https://a.example/b"], "no origin"),
        (&["organisation", "update", "--organisation", NOBODY, "--allow-origin", "null"], "no origin"),
        (&["organisation", "update", "--organisation", NOBODY, "--allow-origin", "*"], "no origin"),
        (&["organisation", "update", "--organisation", NOBODY, "--allow-origin", "https://*.example"], "no origin"),
        (&["organisation", "update", "--organisation", NOBODY, "--allow-origin", "https://*"], "no origin"),
        (&["organisation", "create", ""], "1 to 200 characters"),
        (&["organisation", "create", "  "], "1 to 200 characters"),
        (&["organisation", "create", &"ü".repeat(201)], "1 to 200 characters"),
        (&["webhook", "create", "--organisation", NOBODY, "--url", "https://example.com:0/"], "port 0"),
        (&["key", "create", "--organisation", NOBODY, "--kind", "secret"], NOTHING),
        (&["key", "create", "--organisation", NOBODY, "--kind", "session"], "--kind"),
        (&["key", "list", "--organisation", NOBODY], NOTHING),
        (&["key", "revoke", NOBODY], NOTHING),
        (&["key", "revoke", "sk_1"], "KEY_ID"),
        (&["migrate", "--database", "mysql://localhost/x"], "write sqlite:FILE or postgres://"),
        (&["migrate", "--database", "sqlite::memory:"], "sqlite:FILE"),
        (&["migrate", "--database", "sqlite:no/such/folder/x.db"], "cannot open"),
        (&["serve", "--listen", "nowhere"], "cannot listen on nowhere"),
        (&["serve", "--www", "nowhere"], "there is no folder nowhere"),
        (&["fly"], "unrecognized"),
    ] {
        let output = run(folder.path(), arguments);
        let (out, err) = ended(&output, 2);
        assert_eq!(out, "");
        assert!(err.contains(said), "{arguments:?}: {err}");
    }
}

#[test]
fn a_setting_that_is_yes_or_no_is_nothing_else() {
    let folder = folder(REQUEST);
    let (database, created) = organisation(&folder);
    let id = text(&created, "organisation");
    let create = ["webhook", "create", "--organisation", &id, "--url", "http://127.0.0.1:9/", "--database", &database];
    let with = |word: &str| command(folder.path(), &create).env("WEBHOOKS_ALLOW_PRIVATE", word).output().unwrap();
    for word in ["maybe", "tru", "2", "-1", "", " "] {
        let output = with(word);
        let (_, told) = ended(&output, 2);
        assert!(told.contains("--webhooks-allow-private") && told.contains("true or false"), "{word}: {told}");
        let serve = command(folder.path(), &["serve"]).env("WEBHOOKS_ALLOW_PRIVATE", word).output().unwrap();
        ended(&serve, 2);
    }
    for word in ["0", "false", "no", "off", "FALSE"] {
        let output = with(word);
        assert!(ended(&output, 2).1.contains("https"), "{word}");
    }
    for word in ["1", "true", "yes", "on", "True"] {
        ended(&with(word), 0);
    }
    let confirms = ["organisation", "update", "--organisation", &id, "--database", &database, "--client-confirms"];
    for word in ["maybe", "", "2"] {
        ended(&run(folder.path(), &[&confirms[..], &[word]].concat()), 2);
    }
    for (word, confirms_now) in [("yes", true), ("off", false), ("true", true), ("0", false)] {
        let output = run(folder.path(), &[&confirms[..], &[word]].concat());
        assert!(ended(&output, 0).0.contains(&format!(r#""client_confirms":{confirms_now}"#)), "{word}");
    }
}

/// A database, and an organisation on it: what `organisation create` prints.
fn organisation(folder: &TempDir) -> (String, Json) {
    let database = tokio::runtime::Runtime::new().unwrap().block_on(new_database(folder));
    let output = run(folder.path(), &["organisation", "create", "Ternwell", "--database", &database]);
    let (out, err) = ended(&output, 0);
    assert_eq!((out.lines().count(), err), (1, ""));
    (database, parse(out))
}

fn text(json: &Json, field: &str) -> String {
    match json.get(field) {
        Some(Json::String(text)) => text.clone(),
        other => panic!("{field} is {other:?}"),
    }
}

#[test]
fn catalogs_are_checked_imported_and_exported() {
    let folder = folder(REQUEST);
    let output = run(folder.path(), &["catalog", "check", "catalog.json"]);
    assert_eq!(ended(&output, 0).0, "catalog.json is a valid catalog, version 2026-11-01.3\n");
    let (database, created) = organisation(&folder);
    let database = ["--database", &database, "--organisation", &text(&created, "organisation")];
    let of_it = |arguments: &[&str]| run(folder.path(), &[arguments, &database].concat());
    assert_eq!(ended(&run(folder.path(), &[&["migrate"], &database[..2]].concat()), 0), ("", ""));
    assert!(ended(&of_it(&["catalog", "export"]), 2).1.starts_with("error: there is no catalog of "));

    let output = of_it(&["catalog", "import", "catalog.json"]);
    assert!(ended(&output, 0).0.contains(r#""catalog_version":"2026-11-01.3""#));
    assert_eq!(ended(&of_it(&["catalog", "export"]), 0), (CATALOG, ""));

    std::fs::write(folder.path().join("wrong.json"), CATALOG.replace("Asia/Tokyo", "Asia/Edo")).unwrap();
    for output in [run(folder.path(), &["catalog", "check", "wrong.json"]), of_it(&["catalog", "import", "wrong.json"])]
    {
        let (out, err) = ended(&output, 1);
        assert_eq!(out, "");
        assert!(err.starts_with("/catalog/business_entities/1/time_zone: ") && err.contains("Asia/Edo"), "{err}");
    }
    std::fs::write(folder.path().join("wrong.json"), "{").unwrap();
    assert!(ended(&of_it(&["catalog", "import", "wrong.json"]), 2).1.contains("wrong.json is not JSON"));
    assert_eq!(ended(&of_it(&["catalog", "export"]), 0).0, CATALOG);
}

#[test]
fn organisations_are_made_listed_and_changed() {
    let folder = folder(REQUEST);
    let (database, created) = organisation(&folder);
    let Json::Object(fields) = &created else { panic!() };
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["organisation", "secret_key", "publishable_key"]);
    assert!(text(&created, "secret_key").starts_with("sk_") && text(&created, "publishable_key").starts_with("pk_"));
    let id = text(&created, "organisation");
    let with = |arguments: &[&str]| run(folder.path(), &[arguments, &["--database", &database]].concat());
    let update = |arguments: &[&str]| with(&[&["organisation", "update", "--organisation", &id], arguments].concat());

    let settings = |origins: &str, confirms: bool| {
        format!(
            r#"{{"organisation":"{id}","name":"Ternwell","allowed_origins":[{origins}],"client_confirms":{confirms}}}"#
        ) + "\n"
    };
    assert_eq!(ended(&with(&["organisation", "list"]), 0), (settings("", false).as_str(), ""));
    for (arguments, settings) in [
        (&["--client-confirms", "true"][..], settings("", true)),
        (
            &["--allow-origin", "https://shop.example/", "--allow-origin", "http://localhost:3000"],
            settings(r#""https://shop.example","http://localhost:3000""#, true),
        ),
        (&["--client-confirms", "false"], settings(r#""https://shop.example","http://localhost:3000""#, false)),
        (&[], settings(r#""https://shop.example","http://localhost:3000""#, false)),
        (&["--allow-no-origin"], settings("", false)),
    ] {
        assert_eq!(ended(&update(arguments), 0), (settings.as_str(), ""), "{arguments:?}");
        assert_eq!(ended(&with(&["organisation", "list"]), 0).0, settings);
    }
    ended(&update(&["--allow-no-origin", "--allow-origin", "https://a.example"]), 2);
    ended(&with(&["organisation", "create", &"ü".repeat(200)]), 0);
    assert_eq!(ended(&with(&["organisation", "create", "Another"]), 0).0.lines().count(), 1);
    let output = with(&["organisation", "list"]);
    let (all, _) = ended(&output, 0);
    assert!(all.starts_with(&settings("", false)) && all.lines().nth(2).unwrap().contains("Another"), "{all}");
    // Keys are shown once.
    assert!(!all.contains("sk_") && !all.contains("pk_"), "{all}");
}

#[test]
fn keys_are_made_listed_and_revoked() {
    let folder = folder(REQUEST);
    let (database, created) = organisation(&folder);
    let id = text(&created, "organisation");
    let with = |arguments: &[&str]| run(folder.path(), &[arguments, &["--database", &database]].concat());
    let keys = || {
        let output = with(&["key", "list", "--organisation", &id]);
        let (out, _) = ended(&output, 0);
        assert!(!out.contains("k_"), "{out}");
        let key = |line| (text(&parse(line), "kind"), parse(line).get("is_revoked") == Some(&Json::Bool(true)));
        let mut keys: Vec<(String, bool)> = out.lines().map(key).collect();
        keys.sort();
        keys
    };
    let key = |kind: &str, is_revoked| (kind.to_owned(), is_revoked);
    assert_eq!(keys(), [key("publishable", false), key("secret", false)]);
    let mut made = Vec::new();
    for (kind, prefix) in [("secret", "sk_"), ("publishable", "pk_")] {
        let output = with(&["key", "create", "--organisation", &id, "--kind", kind]);
        let new = parse(ended(&output, 0).0);
        assert!(text(&new, "key").starts_with(prefix), "{kind}");
        assert!(![text(&created, "secret_key"), text(&created, "publishable_key")].contains(&text(&new, "key")));
        made.push(text(&new, "key_id"));
    }
    assert_eq!(keys().len(), 4);
    // Once more is not wrong.
    for _ in 0..2 {
        assert_eq!(ended(&with(&["key", "revoke", &made[0]]), 0), ("", ""));
        let all = [key("publishable", false), key("publishable", false), key("secret", false), key("secret", true)];
        assert_eq!(keys(), all);
    }
}

#[test]
fn a_databases_password_is_never_printed() {
    let folder = folder(REQUEST);
    let databases = [
        "postgres://ada:hunter2@127.0.0.1:1/x",
        "postgres://ada:hunter2@127.0.0.1:1,127.0.0.1:2/x",
        "postgres://127.0.0.1:1/x?user=ada&password=hunter2",
        "postgres://127.0.0.1:1/x?user=ada&password=a@hunter2",
        "postgres://ada:a?b@hunter2@127.0.0.1:1/x",
        "postgres://ada:hunter2@127.0.0.1:port/x",
        "postgres:ada:hunter2@127.0.0.1/x",
        "mysql://ada:hunter2@127.0.0.1/x",
        "mysql:ada:hunter2@127.0.0.1/x",
    ];
    std::thread::scope(|scope| {
        for database in databases {
            let folder = folder.path();
            scope.spawn(move || {
                let output = command(folder, &["organisation", "list"]).env("DATABASE_URL", database).output().unwrap();
                let (out, err) = ended(&output, 2);
                assert!(out.is_empty() && err.starts_with("error: "), "{out}{err}");
                assert!(!err.contains("hunter2"), "{err}");
            });
        }
    });
    for arguments in [&["serve", "--help"][..], &["organisation", "list", "--help"], &["migrate", "-h"]] {
        let output = command(folder.path(), arguments).env("DATABASE_URL", databases[0]).output().unwrap();
        let (help, _) = ended(&output, 0);
        assert!(help.contains("DATABASE_URL") && !help.contains("hunter2"), "{help}");
    }
}

/// `request` on one line already.
fn line(request: &str) -> String {
    let catalog = json::to_text(&parse(CATALOG));
    format!(r#"{{"request":{request},"catalog":{catalog},"as_of":"{AS_OF}","now":"{NOW}"}}"#)
}

#[test]
fn every_line_is_answered_by_a_line() {
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let nested =
        |levels| format!(r#"{{"plan_id":"team","customer_id":"cus_1","customer_data":{{"deep":{}}}}}"#, deep(levels));
    let ok = |request: &str| format!(r#"{{"status":"ok","preview":{}}}"#, engine(request).unwrap());
    let rejected = |request: &str| format!(r#"{{"status":"rejected","problems":{}}}"#, engine(request).unwrap_err());
    let malformed = r#"{"status":"rejected","problems":[{"code":"invalid_type","path":"","message":"the line "#;
    let (good, wrong) = (line(REQUEST), line(r#"{"plan_id":"nope"}"#));

    let mut input = Vec::new();
    let mut expected = Vec::new();
    let mut add = |line: &[u8], answer: String| {
        input.extend_from_slice(line);
        input.push(b'\n');
        expected.push(answer);
    };
    add(good.as_bytes(), ok(REQUEST));
    add(b"", malformed.into());
    add(b"   \r", malformed.into());
    add(b"{", malformed.into());
    add(b"null", malformed.into());
    add(b"[{},{},null,null]", malformed.into());
    add(b"\xff\xfe", malformed.into());
    add(good.replace("team", "\u{fffd}").replace('\u{fffd}', "te\0am").as_bytes(), malformed.into());
    add(&[good.as_bytes(), b" {}"].concat(), malformed.into());
    add(deep(100_000).as_bytes(), malformed.into());
    add(&vec![b'x'; 65 * 1024 * 1024], malformed.into());
    add(wrong.as_bytes(), rejected(r#"{"plan_id":"nope"}"#));
    add(line(&nested(60)).as_bytes(), ok(&nested(60)));
    add(line(&nested(62)).as_bytes(), ok(&nested(62)));
    add(line(&nested(63)).as_bytes(), rejected(&nested(63)));
    add(format!("{} \r", good.replace(r#"{"request""#, r#"{"note":[1e400],"request""#)).as_bytes(), ok(REQUEST));
    let scheduled = |number: &str| good.replacen('{', &format!(r#"{{"schedule":{number},"#), 1);
    add(scheduled("7").as_bytes(), format!(r#"{{"status":"ok","schedule":{}}}"#, schedule(REQUEST, 7)));
    add(scheduled("null").as_bytes(), ok(REQUEST));
    let not_counted =
        |rest: &str| format!(r#"{{"status":"rejected","problems":[{rest}{{"code":"invalid_type","path":"/schedule""#);
    for number in ["0", "121", "1.5", "\"7\"", "[]"] {
        add(scheduled(number).as_bytes(), not_counted(""));
    }
    add(
        scheduled("0").replace(REQUEST, r#"{"plan_id":"nope","customer_id":"cus_1"}"#).as_bytes(),
        r#"{"status":"rejected","problems":[{"code":"plan_not_found","path":"/plan_id""#.into(),
    );
    let all_wrong = good.replace(AS_OF, "today").replace(NOW, "now");
    let not_an_instant = r#"{"status":"rejected","problems":[{"code":"invalid_instant","path":"/now""#;
    add(all_wrong.as_bytes(), not_an_instant.into());
    add(b"{}", r#"{"status":"rejected","problems":[{"code":"catalog_invalid","path":"/catalog""#.into());
    input.extend_from_slice(good.as_bytes());
    expected.push(ok(REQUEST));

    let folder = tempfile::tempdir().unwrap();
    let mut child = command(folder.path(), &["preview", "--jsonl"]).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let (out, err) = ended(&output, 0);
    assert_eq!(err, "");
    let answers: Vec<&str> = out.lines().collect();
    assert_eq!(answers.len(), expected.len());
    for (number, (answer, expected)) in answers.iter().zip(expected).enumerate() {
        assert!(answer.starts_with(&expected), "line {number}: {answer}\nexpected: {expected}");
    }
    for paths in [["/now", "/as_of"], ["/plan_id", "/schedule"]] {
        let places = |answer: &&&str| paths.map(|path| answer.find(&format!("\"path\":\"{path}\"")));
        let told = |places: [Option<usize>; 2]| places.is_sorted() && !places.contains(&None);
        assert!(answers.iter().any(|answer| told(places(&answer))), "{paths:?} are told together, in this order");
    }
}

#[test]
fn a_line_is_answered_before_the_next_one_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = command(folder.path(), &["preview", "--jsonl"]).spawn().unwrap();
    let (mut stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (sender, answers) = mpsc::channel();
    std::thread::spawn(move || BufReader::new(stdout).lines().try_for_each(|line| sender.send(line.unwrap())));
    for _ in 0..3 {
        stdin.write_all(line(REQUEST).as_bytes()).unwrap();
        // Half of the next line is no reason to wait.
        stdin.write_all(b"\n{\"request\":").unwrap();
        let answer = answers.recv_timeout(Duration::from_secs(20)).unwrap();
        assert!(answer.starts_with(r#"{"status":"ok","#), "{answer}");
        stdin.write_all(b"\n").unwrap();
        let answer = answers.recv_timeout(Duration::from_secs(20)).unwrap();
        assert!(answer.starts_with(r#"{"status":"rejected","#), "{answer}");
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_reader_who_leaves_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = command(folder.path(), &["preview", "--jsonl"]).spawn().unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    let _ = stdin.write_all(format!("{}\n", line(REQUEST)).repeat(3).as_bytes());
    drop(stdin);
    assert_eq!(ended(&child.wait_with_output().unwrap(), 0), ("", ""));
}

#[cfg(unix)]
#[test]
fn the_service_says_where_it_listens_and_stops_when_asked() {
    let folder = folder(REQUEST);
    std::fs::write(folder.path().join("index.html"), "<!doctype html>").unwrap();
    let (database, created) = organisation(&folder);
    let (id, key) = (text(&created, "organisation"), text(&created, "secret_key"));
    let import = ["catalog", "import", "catalog.json", "--organisation", &id, "--database", &database];
    ended(&run(folder.path(), &import), 0);
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--www", ".", "--database", &database];
    let mut child = Running(command(folder.path(), &arguments).stdin(Stdio::null()).spawn().unwrap());
    let mut said = String::new();
    let mut stdout = BufReader::new(child.0.stdout.take().unwrap());
    stdout.read_line(&mut said).unwrap();
    let address = said.trim_end().strip_prefix("listening on http://").unwrap();

    let ask = |request: String| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let answer = ask("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".into());
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("<!doctype html>"), "{answer}");
    let guest = r#"{"plan_id":"team","business_entity_id":"be_us","customer_data":{"name":"Grace Hopper"}}"#;
    let preview = || {
        ask(format!(
            "POST /checkouts/preview?email=grace@example.com HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
             content-type: application/json\r\norganisation: {id}\r\nx-api-key: {key}\r\ncontent-length: {}\r\n\r\n{guest}",
            guest.len()
        ))
    };
    let answer = preview();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    // A key revoked by another program is one here, too, in a moment.
    let listed = run(folder.path(), &["key", "list", "--organisation", &id, "--database", &database]);
    for line in ended(&listed, 0).0.lines().filter(|line| line.contains(r#""secret""#)) {
        ended(&run(folder.path(), &["key", "revoke", &text(&parse(line), "key_id"), "--database", &database]), 0);
    }
    let deadline = Instant::now() + Duration::from_secs(20);
    while preview().starts_with("HTTP/1.1 200") {
        assert!(Instant::now() < deadline, "a revoked key still opens");
    }
    assert!(preview().starts_with("HTTP/1.1 401 Unauthorized\r\n"));
    // An idle connection does not keep the service from stopping.
    let idle = TcpStream::connect(address).unwrap();

    assert!(Command::new("kill").arg(child.0.id().to_string()).status().unwrap().success());
    assert!(child.0.wait().unwrap().success());
    drop(idle);
    let mut log = String::new();
    child.0.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(log.contains(r#""route":"/checkouts/preview""#) && log.contains(r#""status":200"#), "{log}");
    assert!(log.lines().all(|line| json::parse(line.as_bytes()).is_ok()), "{log}");
    assert!(!log.to_lowercase().contains("grace"), "{log}");
}

/// Killed when a test fails before it has stopped it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

/// Writes another version's number or text into what the database says was done to its tables.
async fn pretend(folder: &Path, change: &'static str) {
    sqlx::any::install_default_drivers();
    let url = format!("sqlite:{}", folder.join("checkout.db").display());
    let database = sqlx::AnyPool::connect(&url).await.unwrap();
    assert_eq!(sqlx::query(change).execute(&database).await.unwrap().rows_affected(), 1, "{change}");
    database.close().await;
}

#[tokio::test]
async fn a_database_of_another_version_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let migrate = || run(folder.path(), &["migrate"]);
    ended(&migrate(), 0);
    pretend(
        folder.path(),
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, '', TRUE, x'00', 0)",
    )
    .await;
    let newer = "error: cannot bring sqlite:checkout.db up to date: its tables were made by a newer version of this \
                 program: run that one\n";
    assert_eq!(ended(&migrate(), 2).1, newer);

    pretend(folder.path(), "DELETE FROM _sqlx_migrations WHERE version = 9999").await;
    pretend(folder.path(), "UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 1").await;
    let unreleased = "error: cannot bring sqlite:checkout.db up to date: its tables were made by a version of this \
                      program that was never released: delete it, or name another one with --database\n";
    assert_eq!(ended(&migrate(), 2).1, unreleased);
}

#[test]
fn the_manual_lists_every_setting() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["serve", "--help"]);
    let (help, _) = ended(&output, 0);
    for setting in [
        "LISTEN",
        "METRICS_LISTEN",
        "DATABASE_URL",
        "DATABASE_CONNECTIONS",
        "CONNECTIONS",
        "RATE_LIMIT",
        "BODY_LIMIT",
        "CATALOG_LIMIT",
        "REQUEST_TIME",
        "HEADER_TIME",
        "SWEEP_INTERVAL",
        "WWW",
        "PKG",
        "LOG_LEVEL",
        "127.0.0.1:8787",
        "sqlite:checkout.db",
    ] {
        assert!(help.contains(setting), "{setting} is not in\n{help}");
    }
    let files: Vec<PathBuf> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.is_empty(), "{files:?}");
}
