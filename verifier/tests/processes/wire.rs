//! A wire to a database that can go silent: connections stay open, nothing comes through, and nobody says why. So it
//! looks where a machine loses its power or its network.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub struct Wire {
    pub port: u16,
    silent: watch::Sender<bool>,
}

impl Wire {
    /// One that leads to a port of this machine.
    pub async fn to(port: u16) -> Wire {
        let address = SocketAddr::from(([127, 0, 0, 1], super::free_port()));
        let listener = TcpListener::bind(address).await.unwrap();
        let (silent, is_silent) = watch::channel(false);
        tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                tokio::spawn(joined(near, port, is_silent.clone()));
            }
        });
        Wire { port: address.port(), silent }
    }

    pub fn go_silent(&self) {
        self.silent.send(true).unwrap();
    }
}

async fn joined(near: TcpStream, port: u16, is_silent: watch::Receiver<bool>) {
    if *is_silent.borrow() {
        std::future::pending::<()>().await;
    }
    let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
    tokio::join!(led(from_near, to_far, is_silent.clone()), led(from_far, to_near, is_silent));
}

async fn led(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, is_silent: watch::Receiver<bool>) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer).await;
        // An end is not told, either.
        if *is_silent.borrow() {
            std::future::pending::<()>().await;
        }
        match read {
            Ok(length @ 1..) if to.write_all(&buffer[..length]).await.is_ok() => {}
            _ => return,
        }
    }
}
