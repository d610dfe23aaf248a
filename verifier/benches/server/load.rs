//! A closed loop of clients: each sends its next request when it has its answer.
//!
//! Input: an address, and what to send. Output: [`Seen`], how many were answered and in what time. `main` compares what two
//! servers do with the same.

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

pub type Call = Request<Full<Bytes>>;

/// What a round of load saw.
#[derive(Default)]
pub struct Seen {
    /// Of every answer, in ascending order.
    pub times: Vec<Duration>,
    pub took: Duration,
    /// The time for which the server's threads ran.
    pub worked: Duration,
}

impl Seen {
    pub fn per_second(&self) -> f64 {
        self.times.len() as f64 / self.took.as_secs_f64()
    }

    /// Microseconds of the server's threads for a request.
    pub fn work(&self) -> f64 {
        self.worked.as_secs_f64() * 1e6 / self.times.len() as f64
    }

    /// The time in which this share of the requests was answered, in microseconds.
    pub fn micros(&self, share: f64) -> f64 {
        let at = (self.times.len() as f64 * share) as usize;
        self.times.get(at.min(self.times.len().saturating_sub(1))).map_or(f64::NAN, |time| time.as_secs_f64() * 1e6)
    }
}

/// A client with a connection of its own.
pub struct Client(SendRequest<Full<Bytes>>);

impl Client {
    pub async fn connect(address: SocketAddr) -> Result<Client, String> {
        let stream = TcpStream::connect(address).await.map_err(|cause| format!("cannot connect: {cause}"))?;
        stream.set_nodelay(true).map_err(|cause| cause.to_string())?;
        let (client, connection) = handshake(TokioIo::new(stream)).await.map_err(|cause| cause.to_string())?;
        tokio::spawn(connection);
        Ok(Client(client))
    }

    /// The answer's body; anything but a success is an error, for what fails is soon answered.
    pub async fn call(&mut self, call: Call) -> Result<Bytes, String> {
        self.0.ready().await.map_err(|cause| cause.to_string())?;
        let answer = self.0.send_request(call).await.map_err(|cause| cause.to_string())?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(|cause| cause.to_string())?.to_bytes();
        match status {
            StatusCode::OK | StatusCode::CREATED => Ok(body),
            _ => Err(format!("answered {status}: {}", String::from_utf8_lossy(&body))),
        }
    }
}

/// Sends what `next` gives, over so many connections, until the time is over or there is nothing more to send.
pub async fn load(
    address: SocketAddr,
    connections: usize,
    time: Duration,
    next: impl Fn() -> Option<Call>,
) -> Result<Seen, String> {
    let mut clients = Vec::new();
    for _ in 0..connections {
        clients.push(Client::connect(address).await?);
    }
    let started = Instant::now();
    let loops = clients.into_iter().map(async |mut client: Client| {
        let mut times = Vec::new();
        while started.elapsed() < time
            && let Some(call) = next()
        {
            let sent = Instant::now();
            client.call(call).await?;
            times.push(sent.elapsed());
        }
        Ok::<_, String>(times)
    });
    let mut seen = Seen::default();
    for times in futures_util::future::join_all(loops).await {
        seen.times.extend(times?);
    }
    seen.took = started.elapsed();
    seen.times.sort_unstable();
    Ok(seen)
}
