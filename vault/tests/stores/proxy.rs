//! The wire between a store and Redis, with what can happen to an answer.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub(crate) enum Fault {
    /// The connection ends when Redis has answered.
    Cut,
    /// Redis answers, but no more answer arrives on this connection.
    Silence,
}

pub(crate) struct Proxy {
    pub(crate) port: u16,
    wire: Arc<Wire>,
    connections: watch::Receiver<usize>,
}

#[derive(Default)]
struct Wire {
    fault: Mutex<Option<Fault>>,
    scripts: AtomicUsize,
}

impl Proxy {
    pub(crate) async fn start(redis: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (count, connections) = watch::channel(0);
        let wire = Arc::new(Wire::default());
        let shared = Arc::clone(&wire);
        tokio::spawn(async move {
            while let Ok((store, _)) = listener.accept().await {
                let (from_store, to_store) = store.into_split();
                let (from_redis, to_redis) = TcpStream::connect(("127.0.0.1", redis)).await.unwrap().into_split();
                tokio::spawn(Arc::clone(&shared).requests(from_store, to_redis));
                tokio::spawn(Arc::clone(&shared).answers(from_redis, to_store));
                count.send_modify(|count| *count += 1);
            }
        });
        Self { port, wire, connections }
    }

    /// What happens to the next answer of Redis.
    pub(crate) fn fail_next_answer(&self, fault: Fault) {
        *self.wire.fault.lock().unwrap() = Some(fault);
    }

    /// How many scripts were called.
    pub(crate) fn scripts(&self) -> usize {
        self.wire.scripts.load(Ordering::SeqCst)
    }

    /// Waits until so many connections were made.
    pub(crate) async fn connections(&self, count: usize) {
        self.connections.clone().wait_for(|made| *made >= count).await.unwrap();
    }
}

impl Wire {
    async fn requests(self: Arc<Self>, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<()> {
        let mut bytes = vec![0; 1 << 16];
        loop {
            // Requests in these tests are small and sent one by one, so that each arrives as a whole.
            let request = match from.read(&mut bytes).await? {
                0 => return Ok(()),
                len => &bytes[..len],
            };
            let scripts = request.windows(b"EVALSHA".len()).filter(|word| word == b"EVALSHA").count();
            self.scripts.fetch_add(scripts, Ordering::SeqCst);
            to.write_all(request).await?;
        }
    }

    async fn answers(self: Arc<Self>, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<()> {
        let mut bytes = vec![0; 1 << 16];
        let mut is_silent = false;
        loop {
            let answer = match from.read(&mut bytes).await? {
                0 => return Ok(()),
                len => &bytes[..len],
            };
            match self.fault.lock().unwrap().take() {
                Some(Fault::Cut) => return Ok(()),
                Some(Fault::Silence) => is_silent = true,
                None => {}
            }
            if !is_silent {
                to.write_all(answer).await?;
            }
        }
    }
}
