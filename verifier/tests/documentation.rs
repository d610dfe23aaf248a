//! What is written about the verifier is what it is: its settings, statuses, errors, and who may call what.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use axum::http::StatusCode;
use checkout_verifier::status::Action;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use support::Server;

const MANUAL: &str = include_str!("../../docs/verifier.md");
const README: &str = include_str!("../../README.md");
const ERRORS: &str = include_str!("../src/error.rs");

/// The cells of the table that begins with this line, without its head.
fn table(text: &'static str, head: &str) -> Vec<Vec<&'static str>> {
    let (_, table) = text.split_once(head).unwrap_or_else(|| panic!("no table begins with {head}"));
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// What stands between backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// Flag, environment and default of every setting.
type Settings = BTreeMap<String, (String, String)>;

fn settings_in(text: &'static str, head: &str) -> Settings {
    let one = |cell| quoted(cell).first().copied().unwrap_or_default().to_owned();
    table(text, head).iter().map(|row| (one(row[0]), (one(row[1]), one(row[2])))).collect()
}

fn settings_of_the_program() -> Settings {
    let help =
        Command::new(env!("CARGO_BIN_EXE_checkout-verifier")).args(["serve", "--help"]).env_clear().output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, options) = help.split_once("Options: ").unwrap();
    let after = |text: &str, mark: &str, ends: [char; 2]| {
        let found = text.split_once(mark).map(|(_, rest)| rest.split(ends).next().unwrap().to_owned());
        found.unwrap_or_default()
    };
    let mut settings = Settings::new();
    for option in options.split(" --").map(|option| option.trim_start_matches("--")) {
        let (name, text) = option.split_once(' ').unwrap_or((option, ""));
        // `-h, --help` is none.
        if name != "help" {
            let of = (after(text, "[env: ", ['=', ']']), after(text, "[default: ", [']', ']']));
            settings.insert(format!("--{name}"), of);
        }
    }
    settings
}

#[test]
fn the_settings_are_those_of_the_program() {
    let settings = settings_of_the_program();
    assert!(settings.len() > 10 && settings["--listen"] == ("LISTEN".into(), "127.0.0.1:8787".into()), "{settings:?}");
    assert_eq!(settings_in(MANUAL, "| flag | environment | default | what |"), settings, "docs/verifier.md");
    assert_eq!(settings_in(README, "| flag | environment | default |"), settings, "README.md");
}

#[test]
fn the_help_does_not_show_a_password() {
    let program = Command::new(env!("CARGO_BIN_EXE_checkout-verifier"))
        .args(["serve", "--help"])
        .env("DATABASE_URL", "postgres://user:secret@host/name")
        .output()
        .unwrap();
    let help = String::from_utf8(program.stdout).unwrap();
    assert!(help.contains("DATABASE_URL") && !help.contains("secret@host"), "{help}");
}

#[test]
fn the_statuses_are_those_of_the_program() {
    let actions = [Action::Change, Action::Confirm, Action::Cancel, Action::InitiatePayment, Action::SettlePayment];
    let rows = table(MANUAL, "| to | possible in | becomes | otherwise 409 |");
    let (of_actions, expiry) = rows.split_at(actions.len());
    for (row, action) in of_actions.iter().zip(actions) {
        let possible_from: Vec<&str> = action.possible_from().iter().map(|status| status.as_str()).collect();
        assert_eq!((quoted(row[1]), quoted(row[3])), (possible_from, vec![action.refusal()]), "{row:?}");
    }
    assert_eq!(expiry.len(), 1);
}

/// Status and code of every error that the program makes.
fn errors_of_the_program() -> BTreeSet<(u16, String)> {
    let status_named = |name: &str| {
        (400..600).filter_map(|code| StatusCode::from_u16(code).ok()).find(|status| {
            status.canonical_reason().is_some_and(|reason| reason.to_ascii_uppercase().replace(' ', "_") == name)
        })
    };
    let mut errors = BTreeSet::new();
    for call in ERRORS.split("Problem::new(").skip(1) {
        let call = call.trim_start();
        if let Some((name, rest)) = call.strip_prefix("S::").and_then(|call| call.split_once(',')) {
            let status = status_named(name).unwrap_or_else(|| panic!("{name} is no status"));
            if let Some((code, _)) = rest.trim_start().strip_prefix('"').and_then(|rest| rest.split_once('"')) {
                errors.insert((status.as_u16(), code.to_owned()));
            }
        }
    }
    // What the router, the file server and a status stand for.
    for (status, code) in [(404, "not_found"), (405, "method_not_allowed"), (416, "range_not_satisfiable")] {
        errors.insert((status, code.into()));
    }
    for action in [Action::Change, Action::Confirm, Action::Cancel, Action::InitiatePayment] {
        errors.insert((409, action.refusal().into()));
    }
    errors
}

#[test]
fn the_errors_are_those_of_the_program() {
    let mut written = BTreeSet::new();
    for row in table(MANUAL, "| status | `code` | when | what to do |") {
        for code in quoted(row[1]) {
            assert!(written.insert((row[0].parse().unwrap(), code.to_owned())), "{code} stands there twice");
        }
    }
    let errors = errors_of_the_program();
    assert!(errors.len() > 25, "{errors:?}");
    assert_eq!(written, errors);
}

#[tokio::test]
async fn who_may_call_is_who_may_call() {
    let server = Server::start().await;
    let token = server.session("cus_1").await;
    let credentials = [
        ("x-api-key", server.organisation.secret_key.as_str()),
        ("x-api-key", server.organisation.publishable_key.as_str()),
        ("session-id", token.as_str()),
        ("client-secret", "cs_of_no_checkout"),
    ];
    let rows = table(MANUAL, "| call | secret | publishable | session | client secret |");
    assert_eq!(rows.len(), 14);
    for row in rows {
        let (method, path) = quoted(row[0])[0].split_once(' ').unwrap();
        let path = path.replace("{id}", "01a204fe-86f9-713d-8573-166c3d67d6b7");
        for (credential, cell) in credentials.into_iter().zip(&row[1..]) {
            let answer =
                server.call_as(&[credential], method, &path, &[("content-type", "application/json")], "{}").await;
            assert_ne!(answer.status, 401, "{method} {path} by {}", credential.0);
            assert_ne!(answer.status, 405, "{method} {path}");
            let may = answer.status != StatusCode::FORBIDDEN;
            assert_eq!(may, *cell == "yes", "{method} {path} by {}: {}", credential.0, answer.text);
        }
    }
}
