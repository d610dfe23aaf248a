//! Webhooks as they really go out: over sockets of this machine, to receivers that behave and to some that do not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use checkout_verifier::webhooks::client::{Client, Failure, Outcome, Settings};
use checkout_verifier::webhooks::signature::Secret;
use checkout_verifier::webhooks::target::Refused;
use checkout_verifier::webhooks::{Endpoint, Message};
use chrono::{DateTime, Utc};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, ServerConfig};
use standardwebhooks::Webhook;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use uuid::Uuid;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// Long enough for a busy machine: what ends sooner ended for its own reason.
const PATIENT: Settings =
    Settings { allow_private: true, connect_timeout: Duration::from_secs(60), timeout: Duration::from_secs(60) };
const SHORT: Duration = Duration::from_millis(200);

fn client(settings: Settings) -> Client {
    // Every name leads to this machine.
    Client::with(settings, |_| async { Ok(vec![LOOPBACK]) }, RootCertStore::empty()).unwrap()
}

fn endpoint(url: String) -> Endpoint {
    Endpoint { url, secret: Secret::generate().unwrap(), old_secrets: Vec::new() }
}

fn message() -> Message {
    let body = Bytes::from_static("{\"type\":\"checkout.created\",\"data\":{\"name\":\"Zoë\"}}\n".as_bytes());
    Message { id: Uuid::now_v7(), timestamp: Utc::now(), body }
}

fn failed(what: Failure) -> Outcome {
    Outcome::Failed { what, retry_after: None }
}

/// A receiver: where it listens, and what it does with its first connection.
async fn receiver<Doing, Done>(doing: Doing) -> (u16, JoinHandle<Done::Output>)
where
    Doing: FnOnce(TcpStream) -> Done + Send + 'static,
    Done: Future<Output: Send + 'static> + Send,
{
    let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (port, tokio::spawn(async move { doing(listener.accept().await.unwrap().0).await }))
}

/// What a receiver had.
struct Received {
    start: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// Reads a request and answers it.
async fn answered(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &str) -> Received {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let (start, lines) = head.split_once("\r\n").unwrap();
    let headers: HeaderMap = lines
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap()))
        .collect();
    let mut body = vec![0; headers["content-length"].to_str().unwrap().parse().unwrap()];
    stream.read_exact(&mut body).await.unwrap();
    stream.write_all(answer.as_bytes()).await.unwrap();
    // Whoever has the answer may be gone before.
    let _ = stream.shutdown().await;
    Received { start: start.to_owned(), headers, body }
}

async fn request_began(stream: &mut TcpStream) {
    stream.read_u8().await.unwrap();
}

/// Looks for a moment whether the sender ends the connection.
async fn still_there(stream: &mut TcpStream) -> bool {
    let read = tokio::time::timeout(SHORT / 10, stream.read(&mut [0; 1024])).await;
    !matches!(read, Ok(Ok(0) | Err(_)))
}

/// What becomes of a message whose receiver answers this.
async fn outcome_of(answer: &'static str, message: &Message) -> Outcome {
    let (port, received) = receiver(move |stream| answered(stream, answer)).await;
    let outcome = client(PATIENT).deliver(&endpoint(format!("http://127.0.0.1:{port}/")), message).await;
    received.await.unwrap();
    outcome
}

#[tokio::test]
async fn what_arrives_is_verified_by_a_published_library() {
    let (port, received) = receiver(|stream| answered(stream, OK)).await;
    let (message, old) = (message(), Secret::generate().unwrap());
    let endpoint =
        Endpoint { old_secrets: vec![old.clone()], ..endpoint(format!("http://shop.example:{port}/hooks?a=b")) };
    assert_eq!(client(PATIENT).deliver(&endpoint, &message).await, Outcome::Delivered);

    let Received { start, mut headers, body } = received.await.unwrap();
    assert_eq!(body, message.body);
    let verify = |secret: &Secret, body: &[u8], headers: &HeaderMap| {
        Webhook::new(&secret.reveal()).unwrap().verify(body, headers).is_ok()
    };
    assert!(verify(&endpoint.secret, &body, &headers), "the secret of now");
    assert!(verify(&old, &body, &headers), "the one before");
    assert!(!verify(&Secret::generate().unwrap(), &body, &headers), "any other");
    assert!(!verify(&endpoint.secret, body.trim_ascii_end(), &headers), "another body");
    // That library takes a signature that was cut off for a whole one.
    let signatures = headers["webhook-signature"].to_str().unwrap();
    assert_eq!(signatures.split(' ').map(str::len).collect::<Vec<_>>(), ["v1,".len() + 44; 2]);

    assert_eq!(start, "POST /hooks?a=b HTTP/1.1");
    assert_eq!(headers["host"], format!("shop.example:{port}"));
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["user-agent"], "checkout-verifier/0.1.0");
    assert_eq!(headers["webhook-id"], message.id.to_string());
    assert_eq!(headers["webhook-timestamp"], message.timestamp.timestamp().to_string());
    assert_eq!(headers.len(), 7, "and nothing else: {headers:?}");

    headers.insert("webhook-id", HeaderValue::from_static("another"));
    assert!(!verify(&endpoint.secret, &body, &headers));
}

#[tokio::test]
async fn a_large_message_arrives_whole() {
    let (port, received) = receiver(|stream| answered(stream, OK)).await;
    let message = Message { body: vec![b'x'; 1024 * 1024].into(), ..message() };
    let endpoint = endpoint(format!("http://127.0.0.1:{port}/"));
    assert_eq!(client(PATIENT).deliver(&endpoint, &message).await, Outcome::Delivered);
    assert_eq!(received.await.unwrap().body, message.body);
}

#[tokio::test]
async fn every_answer_has_its_outcome() {
    let status = |status| failed(Failure::Status(StatusCode::from_u16(status).unwrap()));
    for (answer, want) in [
        (OK, Outcome::Delivered),
        ("HTTP/1.1 202 Accepted\r\n\r\n", Outcome::Delivered),
        ("HTTP/1.1 204 No Content\r\nretry-after: 7\r\n\r\n", Outcome::Delivered),
        ("HTTP/1.0 299 Fine\r\n\r\nfine", Outcome::Delivered),
        ("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", Outcome::Delivered),
        ("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n", Outcome::Gone),
        ("HTTP/1.1 300 Multiple Choices\r\n\r\n", status(300)),
        ("HTTP/1.1 400 Bad Request\r\n\r\n", status(400)),
        ("HTTP/1.1 404 Not Found\r\n\r\n", status(404)),
        ("HTTP/1.1 500 Internal Server Error\r\ncontent-length: 7\r\n\r\nsecrets", status(500)),
        ("HTTP/1.1 999 Odd\r\n\r\n", status(999)),
        ("", failed(Failure::NoAnswer)),
        ("HTTP/1.1 200", failed(Failure::NoAnswer)),
        ("HTTP/1.1 200 OK\r\nx: y", failed(Failure::NoAnswer)),
        ("SSH-2.0-OpenSSH_9.2\r\n", failed(Failure::NoAnswer)),
    ] {
        assert_eq!(outcome_of(answer, &message()).await, want, "{answer}");
    }
}

#[tokio::test]
async fn retry_after_is_seconds_or_a_date() {
    let timestamp = DateTime::parse_from_rfc3339("2026-11-22T10:00:00.25Z").unwrap().to_utc();
    let message = Message { timestamp, ..message() };
    for (answer, want) in [
        ("HTTP/1.1 429 Too Many Requests\r\nretry-after: 120\r\n\r\n", Some(120_000)),
        ("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\n\r\n", Some(0)),
        ("HTTP/1.1 301 Moved Permanently\r\nretry-after: 5\r\nlocation: /\r\n\r\n", Some(5_000)),
        ("HTTP/1.1 503 Wait\r\nretry-after: Sun, 22 Nov 2026 10:00:30 GMT\r\n\r\n", Some(29_750)),
        ("HTTP/1.1 503 Wait\r\nretry-after: Sun, 22 Nov 2026 09:59:59 GMT\r\n\r\n", None),
        ("HTTP/1.1 503 Wait\r\nretry-after: soon\r\n\r\n", None),
        ("HTTP/1.1 503 Wait\r\nretry-after: -1\r\n\r\n", None),
        ("HTTP/1.1 503 Wait\r\nretry-after: 99999999999999999999\r\n\r\n", None),
        ("HTTP/1.1 503 Wait\r\n\r\n", None),
    ] {
        let Outcome::Failed { what: Failure::Status(_), retry_after } = outcome_of(answer, &message).await else {
            panic!("{answer}")
        };
        assert_eq!(retry_after, want.map(Duration::from_millis), "{answer}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
    let port = elsewhere.local_addr().unwrap().port();
    for status in [301, 302, 303, 307, 308] {
        let answer = format!("HTTP/1.1 {status} Moved\r\nlocation: http://127.0.0.1:{port}/\r\n\r\n");
        let want = failed(Failure::Status(StatusCode::from_u16(status).unwrap()));
        assert_eq!(outcome_of(answer.leak(), &message()).await, want);
    }
    assert!(untouched(elsewhere), "a redirect was followed");
}

/// Whether nobody ever connected: a connection waits in the listener's queue from the moment it is made.
fn untouched(listener: TcpListener) -> bool {
    let accepted = listener.into_std().unwrap().accept();
    accepted.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

#[tokio::test]
async fn private_addresses_are_not_connected_to() {
    let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let settings = Settings { allow_private: false, ..PATIENT };
    for (host, want) in [
        ("127.0.0.1", Failure::Target(Refused::Private)),
        ("2130706433", Failure::Target(Refused::Private)),
        ("localhost", Failure::Target(Refused::Private)),
        ("[::1]", Failure::Target(Refused::Private)),
        ("[::ffff:127.0.0.1]", Failure::Target(Refused::Private)),
        // Names pass the look at the URL; all of them lead to this machine.
        ("shop.example", Failure::NoAddress),
        ("127.0.0.1.nip.io", Failure::NoAddress),
    ] {
        let endpoint = endpoint(format!("https://{host}:{port}/"));
        assert_eq!(client(settings).deliver(&endpoint, &message()).await, failed(want), "{host}");
    }
    assert!(untouched(listener), "a private address was connected to");
}

#[tokio::test]
async fn every_private_address_of_a_name_is_dropped() {
    let (loopback, private) = (IpAddr::V6(Ipv6Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::new(192, 168, 0, 1)));
    let mapped = IpAddr::V6(Ipv4Addr::LOCALHOST.to_ipv6_mapped());
    let settings = Settings { allow_private: false, ..PATIENT };
    for addresses in [vec![], vec![LOOPBACK], vec![loopback, private], vec![mapped, LOOPBACK, private]] {
        let lookup = move |_| std::future::ready(Ok(addresses.clone()));
        let client = Client::with(settings, lookup, RootCertStore::empty()).unwrap();
        let outcome = client.deliver(&endpoint("https://shop.example/".to_owned()), &message()).await;
        assert_eq!(outcome, failed(Failure::NoAddress));
    }
}

// A name that leads elsewhere the second time it is asked for (DNS rebinding) gets nowhere if there is no second time.
#[tokio::test]
async fn a_name_is_asked_for_once_and_its_answer_is_what_is_connected_to() {
    let (port, received) = receiver(|stream| answered(stream, OK)).await;
    let asked = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&asked);
    let lookup = move |name: String| {
        assert_eq!(name, "shop.example");
        let first = counted.fetch_add(1, Ordering::Relaxed) == 0;
        // Nobody listens at the second one.
        std::future::ready(Ok(vec![if first { LOOPBACK } else { IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)) }]))
    };
    let client = Client::with(PATIENT, lookup, RootCertStore::empty()).unwrap();
    let endpoint = endpoint(format!("http://shop.example:{port}/"));
    assert_eq!(client.deliver(&endpoint, &message()).await, Outcome::Delivered);
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    received.await.unwrap();
}

#[tokio::test]
async fn the_systems_names_are_used_where_nothing_else_is_said() {
    let (port, received) = receiver(|stream| answered(stream, OK)).await;
    let endpoint = endpoint(format!("http://localhost:{port}/"));
    assert_eq!(Client::new(PATIENT).unwrap().deliver(&endpoint, &message()).await, Outcome::Delivered);
    received.await.unwrap();
}

#[tokio::test]
async fn where_nobody_listens_the_connection_is_refused() {
    // Bound, so that nobody else gets the port meanwhile.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((LOOPBACK, 0).into()).unwrap();
    let endpoint = endpoint(format!("http://{}/", socket.local_addr().unwrap()));
    assert_eq!(client(PATIENT).deliver(&endpoint, &message()).await, failed(Failure::ConnectionRefused));
}

#[tokio::test]
async fn an_unencrypted_endpoint_is_called_in_private_only() {
    let client = client(Settings { allow_private: false, ..PATIENT });
    assert_eq!(
        client.deliver(&endpoint("http://shop.example/".to_owned()), &message()).await,
        failed(Failure::Target(Refused::NotHttps))
    );
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_is_left_in_time() {
    // Nothing; a head without an end, slowly; a hint after the other.
    for (start, drip) in [("", ""), ("HTTP/1.1 200 OK\r\n", "x: y\r\n"), ("", "HTTP/1.1 103 Early Hints\r\n\r\n")] {
        let (port, receiver) = receiver(move |mut stream| async move {
            request_began(&mut stream).await;
            stream.write_all(start.as_bytes()).await.unwrap();
            while still_there(&mut stream).await && stream.write_all(drip.as_bytes()).await.is_ok() {}
        })
        .await;
        let endpoint = endpoint(format!("http://127.0.0.1:{port}/"));
        let client = client(Settings { timeout: SHORT, ..PATIENT });
        assert_eq!(client.deliver(&endpoint, &message()).await, failed(Failure::Timeout(SHORT)), "{drip}");
        // It is left for good: its connection ends.
        tokio::time::timeout(PATIENT.timeout, receiver).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn connecting_ends_in_time() {
    let settings = Settings { connect_timeout: SHORT, ..PATIENT };
    // Accepted, but not a word of TLS.
    let (port, _receiver) = receiver(|stream| async move {
        let _stream = stream;
        std::future::pending::<()>().await
    })
    .await;
    let outcome = client(settings).deliver(&endpoint(format!("https://127.0.0.1:{port}/")), &message()).await;
    assert_eq!(outcome, failed(Failure::ConnectTimeout(SHORT)));

    // Nobody who knows the name.
    let client = Client::with(settings, |_| std::future::pending(), RootCertStore::empty()).unwrap();
    let outcome = client.deliver(&endpoint("https://shop.example/".to_owned()), &message()).await;
    assert_eq!(outcome, failed(Failure::ConnectTimeout(SHORT)));
}

#[tokio::test]
async fn an_answer_is_not_read_beyond_its_head() {
    // As much as there is room for on the way, then an error: nobody takes it.
    let (port, receiver) = receiver(|mut stream| async move {
        request_began(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        while stream.write_all(&[b'x'; 64 * 1024]).await.is_ok() {}
    })
    .await;
    let outcome = client(PATIENT).deliver(&endpoint(format!("http://127.0.0.1:{port}/")), &message()).await;
    assert_eq!(outcome, Outcome::Delivered);
    tokio::time::timeout(PATIENT.timeout, receiver).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_head_without_end_is_no_answer() {
    let (port, receiver) = receiver(|mut stream| async move {
        request_began(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nx: ").await.unwrap();
        while stream.write_all(&[b'x'; 1024]).await.is_ok() {}
    })
    .await;
    let outcome = client(PATIENT).deliver(&endpoint(format!("http://127.0.0.1:{port}/")), &message()).await;
    assert_eq!(outcome, failed(Failure::NoAnswer));
    tokio::time::timeout(PATIENT.timeout, receiver).await.unwrap().unwrap();

    // Nor is one that ends, but after more than 16 KiB.
    for (length, want) in [(15 * 1024, Outcome::Delivered), (17 * 1024, failed(Failure::NoAnswer))] {
        let answer = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(length));
        assert_eq!(outcome_of(answer.leak(), &message()).await, want, "{length}");
    }
}

/// A receiver with a certificate for `shop.example`, and a client that trusts it if it is to.
async fn over_tls(host: &str, trusted: bool) -> (Outcome, JoinHandle<Option<Received>>) {
    let certified = rcgen::generate_simple_self_signed(["shop.example".to_owned()]).unwrap();
    let certificate: CertificateDer<'static> = certified.cert.into();
    let key = PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let (port, received) = receiver(move |stream| async move {
        let stream = TlsAcceptor::from(Arc::new(config)).accept(stream).await.ok()?;
        Some(answered(stream, OK).await)
    })
    .await;
    let mut authorities = RootCertStore::empty();
    if trusted {
        authorities.add(certificate).unwrap();
    }
    let client = Client::with(PATIENT, |_| async { Ok(vec![LOOPBACK]) }, authorities).unwrap();
    (client.deliver(&endpoint(format!("https://{host}:{port}/")), &message()).await, received)
}

#[tokio::test]
async fn messages_go_over_tls_to_whom_the_certificate_names() {
    let (outcome, received) = over_tls("shop.example", true).await;
    assert_eq!(outcome, Outcome::Delivered);
    assert!(received.await.unwrap().is_some());
}

#[tokio::test]
async fn nothing_is_said_to_whom_no_certificate_names() {
    for (host, trusted) in [("shop.example", false), ("other.example", true), ("127.0.0.1", true)] {
        let (outcome, received) = over_tls(host, trusted).await;
        assert_eq!(outcome, failed(Failure::Certificate), "{host}");
        assert!(received.await.unwrap().is_none(), "{host}");
    }
}

#[tokio::test]
async fn a_receiver_without_tls_is_told_from_one_that_is_not_there() {
    let (port, _receiver) = receiver(|mut stream| async move {
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        std::future::pending::<()>().await
    })
    .await;
    let outcome = client(PATIENT).deliver(&endpoint(format!("https://127.0.0.1:{port}/")), &message()).await;
    assert_eq!(outcome, failed(Failure::Tls));

    let (port, _receiver) = receiver(|stream| async move { drop(stream) }).await;
    let outcome = client(PATIENT).deliver(&endpoint(format!("https://127.0.0.1:{port}/")), &message()).await;
    assert_eq!(outcome, failed(Failure::Unreachable));
}

#[test]
fn reasons_are_sentences_for_the_merchant() {
    let status = |status| Failure::Status(StatusCode::from_u16(status).unwrap());
    let second = Duration::from_secs(1);
    for (failure, want) in [
        (Failure::Target(Refused::Private), "the URL's host is not a public address"),
        (Failure::NoAddress, "the URL's host leads to no address that may be called"),
        (Failure::ConnectionRefused, "the connection was refused"),
        (Failure::ConnectTimeout(second * 5), "no connection within 5 s"),
        (Failure::Unreachable, "no connection could be made"),
        (Failure::Certificate, "the certificate is not valid for this host"),
        (Failure::Tls, "no agreement on a TLS connection"),
        (Failure::Timeout(second * 15), "no answer within 15 s"),
        (Failure::NoAnswer, "the connection ended without an HTTP answer"),
        (status(500), "the answer was 500"),
        (status(307), "the answer was 307, and redirects are not followed"),
    ] {
        assert_eq!(failure.to_string(), want);
    }
}
