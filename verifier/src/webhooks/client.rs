//! One attempt to deliver one message to one endpoint.
//!
//! In: an [`Endpoint`] and a [`Message`]. Out: an [`Outcome`], of which the merchant may read every word. What may be
//! called, [`target`](super::target) says; the header that proves the sender is [`signature`](super::signature)'s. There
//! is nothing here that follows redirects, and nothing that asks the environment for a proxy.

use super::target::{Refused, Target, is_public};
use super::{Endpoint, Message, signature};
use axum::body::Bytes;
use axum::http::{HeaderMap, Request, StatusCode, Uri, header};
use chrono::{DateTime, Utc};
use http_body_util::Full;
use hyper_rustls::{HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::{ClientConfig, RootCertStore};
use std::error::Error;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::net::TcpStream;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, ServiceBuilder, service_fn};

/// What holds for every attempt.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Call private addresses, and `http`, too: for development, and for receivers in one's own network.
    pub allow_private: bool,
    /// The longest that finding the address, connecting and agreeing on TLS may take, together.
    pub connect_timeout: Duration,
    /// The longest an attempt may take.
    pub timeout: Duration,
}

impl Default for Settings {
    /// Public addresses only, 5 s, 15 s.
    fn default() -> Settings {
        Settings { allow_private: false, connect_timeout: Duration::from_secs(5), timeout: Duration::from_secs(15) }
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has it: 2xx.
    Delivered,
    /// The receiver wants no message ever again: 410. The endpoint should be disabled.
    Gone,
    /// Not delivered, or at least not confirmed.
    Failed {
        /// Why; what it prints may be shown to the merchant.
        what: Failure,
        /// How long the receiver asks to wait before the next attempt.
        retry_after: Option<Duration>,
    },
}

/// Why a message was not delivered.
///
/// It says nothing about private networks: that a name leads nowhere and that it leads to a private address are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The endpoint's URL may not be called.
    Target(Refused),
    /// The host has no address, or none that may be called.
    NoAddress,
    /// Nothing listens there.
    ConnectionRefused,
    /// Not connected in this time.
    ConnectTimeout(Duration),
    /// Not connected for another reason.
    Unreachable,
    /// A certificate that is not valid, or not for this host.
    Certificate,
    /// No agreement on TLS.
    Tls,
    /// Not answered in this time.
    Timeout(Duration),
    /// The connection ended without an answer, or with one that is not HTTP.
    NoAnswer,
    /// An answer that is neither 2xx nor 410.
    Status(StatusCode),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Target(refused) => refused.fmt(f),
            Failure::NoAddress => f.write_str("the URL's host leads to no address that may be called"),
            Failure::ConnectionRefused => f.write_str("the connection was refused"),
            Failure::ConnectTimeout(limit) => write!(f, "no connection within {} s", limit.as_secs_f64()),
            Failure::Unreachable => f.write_str("no connection could be made"),
            Failure::Certificate => f.write_str("the certificate is not valid for this host"),
            Failure::Tls => f.write_str("no agreement on a TLS connection"),
            Failure::Timeout(limit) => write!(f, "no answer within {} s", limit.as_secs_f64()),
            Failure::NoAnswer => f.write_str("the connection ended without an HTTP answer"),
            Failure::Status(status) if status.is_redirection() => {
                write!(f, "the answer was {}, and redirects are not followed", status.as_u16())
            }
            Failure::Status(status) => write!(f, "the answer was {}", status.as_u16()),
        }
    }
}

/// Delivers messages; its clones share its connections.
#[derive(Clone)]
pub struct Client {
    settings: Settings,
    http: legacy::Client<Connector, Full<Bytes>>,
}

type Connector = BoxCloneSyncService<Uri, MaybeHttpsStream<TokioIo<TcpStream>>, BoxError>;

/// More than any receiver has to say before the body, which is not read at all.
const LONGEST_HEAD: usize = 16 * 1024;

impl Client {
    /// One that finds addresses as the operating system does and trusts the certificate authorities it trusts.
    ///
    /// # Errors
    /// The operating system names no certificate authority.
    pub fn new(settings: Settings) -> io::Result<Client> {
        let found = rustls_native_certs::load_native_certs();
        let mut authorities = RootCertStore::empty();
        authorities.add_parsable_certificates(found.certs);
        if authorities.is_empty() {
            return Err(io::Error::other(
                "no certificate authorities found: install the system's package of them, often called ca-certificates",
            ));
        }
        Client::with(settings, addresses_of, authorities).map_err(io::Error::other)
    }

    /// One that finds addresses and trusts as it is told. It asks for a name's addresses once for each connection to it,
    /// and connects to no others.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn with<Lookup, Found>(
        settings: Settings,
        lookup: Lookup,
        authorities: RootCertStore,
    ) -> Result<Client, rustls::Error>
    where
        Lookup: Fn(String) -> Found + Clone + Send + Sync + 'static,
        Found: Future<Output = io::Result<Vec<IpAddr>>> + Send + 'static,
    {
        let names = service_fn(move |name: Name| {
            let found = lookup(name.as_str().to_owned());
            async move { may_be_called(found.await.unwrap_or_default(), settings.allow_private) }
        });
        let mut tcp = HttpConnector::new_with_resolver(names);
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        // Of several addresses each gets its share of the time.
        tcp.set_connect_timeout(Some(settings.connect_timeout));

        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(authorities)
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls);
        let connector = if settings.allow_private { connector.https_or_http() } else { connector.https_only() };
        let connector = ServiceBuilder::new()
            .timeout(settings.connect_timeout)
            .service(connector.enable_http1().wrap_connector(tcp));

        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .http1_max_buf_size(LONGEST_HEAD)
            .build(BoxCloneSyncService::new(connector));
        Ok(Client { settings, http })
    }

    /// Sends a message once.
    ///
    /// It takes no longer than [`Settings::timeout`], whatever the receiver does; of the answer only status and
    /// `Retry-After` count. A message that was not confirmed may have arrived all the same, so receivers see some twice,
    /// with one `webhook-id`.
    pub async fn deliver(&self, endpoint: &Endpoint, message: &Message) -> Outcome {
        let failed = |what| Outcome::Failed { what, retry_after: None };
        let target = match Target::parse(&endpoint.url, self.settings.allow_private) {
            Ok(target) => target,
            Err(refused) => return failed(Failure::Target(refused)),
        };
        // Every part of it was checked before.
        let Ok(request) = request(target, endpoint, message) else { return failed(Failure::Unreachable) };
        match tokio::time::timeout(self.settings.timeout, self.http.request(request)).await {
            Err(_) => failed(Failure::Timeout(self.settings.timeout)),
            Ok(Err(error)) => failed(self.failure(&error)),
            Ok(Ok(answer)) => match answer.status() {
                status if status.is_success() => Outcome::Delivered,
                StatusCode::GONE => Outcome::Gone,
                status => Outcome::Failed {
                    what: Failure::Status(status),
                    retry_after: retry_after(answer.headers(), message.timestamp),
                },
            },
        }
    }

    fn failure(&self, error: &legacy::Error) -> Failure {
        for cause in causes(error) {
            if cause.is::<NoAddress>() {
                return Failure::NoAddress;
            }
            if let Some(error) = cause.downcast_ref::<rustls::Error>() {
                let certificate = matches!(error, rustls::Error::InvalidCertificate(_));
                return if certificate { Failure::Certificate } else { Failure::Tls };
            }
            if error.is_connect() {
                let kind = cause.downcast_ref().map(io::Error::kind);
                if kind == Some(io::ErrorKind::ConnectionRefused) {
                    return Failure::ConnectionRefused;
                }
                if kind == Some(io::ErrorKind::TimedOut) || cause.is::<tower::timeout::error::Elapsed>() {
                    return Failure::ConnectTimeout(self.settings.connect_timeout);
                }
            }
        }
        if error.is_connect() { Failure::Unreachable } else { Failure::NoAnswer }
    }
}

async fn addresses_of(name: String) -> io::Result<Vec<IpAddr>> {
    Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
}

fn may_be_called(found: Vec<IpAddr>, allow_private: bool) -> Result<std::vec::IntoIter<SocketAddr>, NoAddress> {
    let allowed: Vec<SocketAddr> = found
        .into_iter()
        .filter(|address| allow_private || is_public(*address))
        // The connector puts the URL's port in the place of 0.
        .map(|address| SocketAddr::new(address, 0))
        .collect();
    if allowed.is_empty() { Err(NoAddress) } else { Ok(allowed.into_iter()) }
}

#[derive(Debug)]
struct NoAddress;

impl fmt::Display for NoAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Failure::NoAddress.fmt(f)
    }
}

impl Error for NoAddress {}

/// An error and what caused it. An I/O error that holds another one names that one's cause as its own.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| match error.downcast_ref().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    })
}

fn request(target: Target, endpoint: &Endpoint, message: &Message) -> Result<Request<Full<Bytes>>, axum::http::Error> {
    let id = message.id.to_string();
    let timestamp = message.timestamp.timestamp();
    let secrets = std::iter::once(&endpoint.secret).chain(&endpoint.old_secrets);
    Request::post(target.into_uri())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, concat!("checkout-verifier/", env!("CARGO_PKG_VERSION")))
        .header("webhook-signature", signature::sign(secrets, &id, timestamp, &message.body))
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp)
        .body(Full::new(message.body.clone()))
}

/// Seconds, or a date; counted from `now`.
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    match value.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => httpdate::parse_http_date(value).ok()?.duration_since(SystemTime::from(now)).ok(),
    }
}
