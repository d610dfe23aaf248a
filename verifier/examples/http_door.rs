//! The HTTP door of `cargo xtask prove`: a verifier on a socket, on a database of its own. Reads cases, one a line, and
//! writes an answer for each, one a line, in the form of the command line's.
#![allow(clippy::unwrap_used, clippy::panic, reason = "it is a test, which fails by panicking")]

#[path = "../tests/support/mod.rs"]
mod support;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use checkout_verifier::Settings;
use checkout_verifier::server::ConnectionLimits;
use http_body_util::BodyExt;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::io::{self, BufRead};
use std::num::NonZeroU32;
use std::time::Duration;
use support::{Case, Served, Server};

#[derive(Deserialize)]
struct Refusal {
    code: String,
    problems: Option<Box<RawValue>>,
}

/// After so many cases the next one gets a database of its own, for every catalog is kept.
const CASES: u32 = 5000;

#[tokio::main]
async fn main() {
    let mut door = None;
    let mut asked = 0_u32;
    for line in io::stdin().lock().lines() {
        if asked.is_multiple_of(CASES) {
            door = Some(Door::open().await);
        }
        asked = asked.wrapping_add(1);
        let case: Case = serde_json::from_str(&line.unwrap()).unwrap();
        let answer = door.as_ref().unwrap().answer(case).await;
        println!("{answer}");
    }
}

struct Door {
    server: Server,
    served: Served,
    client: Client<HttpConnector, Body>,
}

impl Door {
    async fn open() -> Door {
        let settings = Settings {
            rate_limit: NonZeroU32::MAX,
            body_limit: 16 * 1024 * 1024,
            request_limit: Duration::from_secs(50),
            ..Settings::default()
        };
        let server = Server::with_settings(settings).await;
        let served = server.serve(ConnectionLimits { connections: 4, header_time: Duration::from_secs(60) }).await;
        Door { server, served, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    async fn answer(&self, case: Case) -> String {
        self.server.set_clock(&case);
        let (status, text) = self.call("PUT", "/catalog", case.catalog.get().to_owned()).await;
        if status != StatusCode::OK {
            return refused(status, &text);
        }
        let request = case.request.get();
        let (name, path, body) = match case.schedule {
            None => ("preview", "/checkouts/preview", request.to_owned()),
            // `count` is a field of the request; what is no object is sent as it is.
            Some(count) => {
                let body = match request.strip_prefix('{') {
                    None => request.to_owned(),
                    Some("}") => format!(r#"{{"count":{count}}}"#),
                    Some(fields) => format!(r#"{{"count":{count},{fields}"#),
                };
                ("schedule", "/checkouts/schedule", body)
            }
        };
        let (status, text) = self.call("POST", path, body).await;
        if status == StatusCode::OK { format!(r#"{{"status":"ok","{name}":{text}}}"#) } else { refused(status, &text) }
    }

    async fn call(&self, method: &str, path: &str, body: String) -> (StatusCode, String) {
        let organisation = &self.server.organisation;
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.served.address))
            .header("organisation", &organisation.organisation)
            .header("x-api-key", &organisation.secret_key)
            .header("content-type", "application/json")
            .body(Body::from(body))
            .unwrap();
        let response = self.client.request(request).await.unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(bytes.into()).unwrap())
    }
}

fn refused(status: StatusCode, text: &str) -> String {
    match serde_json::from_str::<Refusal>(text) {
        Ok(Refusal { problems: Some(problems), .. }) => {
            format!(r#"{{"status":"rejected","problems":{}}}"#, problems.get())
        }
        Ok(Refusal { code, .. }) if code == "answer_too_large" => r#"{"status":"answer_too_large"}"#.to_owned(),
        _ => format!(r#"{{"status":"{status}","text":{}}}"#, serde_json::Value::from(text)),
    }
}
