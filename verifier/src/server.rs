//! Bringing requests to the router: connections, their limits, and a stop that lets running requests finish.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;

/// How long running requests have when the service stops: with closing the database, less than 10 s in all.
const STOP_LIMIT: Duration = Duration::from_secs(8);
/// The most a request's line and headers may be.
const HEADERS_LIMIT: usize = 64 * 1024;

/// What a connection may cost.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// How many there may be; more wait until one ends.
    pub connections: usize,
    /// How long one may take to send its next request's headers, and to take any more of an answer.
    pub header_time: Duration,
}

/// Serves until `stop` comes, then finishes the requests that run, within 10 s.
pub async fn serve(listener: TcpListener, router: Router, limits: ConnectionLimits, stop: impl Future<Output = ()>) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.header_time);
    builder.max_header_size(HEADERS_LIMIT).max_buf_size(HEADERS_LIMIT);
    let places = Arc::new(Semaphore::new(limits.connections));
    let running = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, stream) = tokio::select! {
            (place, accepted) = next => match accepted {
                Ok((stream, _)) => (place, stream),
                // Out of file descriptors, or broken off before it was taken: the next one may be well.
                Err(cause) => {
                    tracing::warn!(%cause, "a connection cannot be taken");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        let _ = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(limits.header_time));
        let service = TowerToHyperService::new(router.clone());
        let connection = running.watch(builder.serve_connection(TokioIo::new(Box::pin(stream)), service));
        tokio::spawn(async move {
            // How a connection ends is the client's affair.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(STOP_LIMIT, running.shutdown()).await;
}
