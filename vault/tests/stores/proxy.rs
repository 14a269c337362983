//! The wire between a store and its server, with what can happen to an answer.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub(crate) enum Fault {
    /// The connection ends when the server has answered.
    Cut,
    /// The server answers, but no more answer arrives on this connection.
    Silence,
}

pub(crate) struct Proxy {
    pub(crate) port: u16,
    wire: Arc<Wire>,
    connections: watch::Receiver<usize>,
}

struct Wire {
    fault: Mutex<Option<(&'static str, Fault)>>,
    counted: &'static str,
    count: AtomicUsize,
}

impl Proxy {
    /// Starts a proxy to the server on a port. It counts the requests that contain a word.
    pub(crate) async fn start(server: u16, counted: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (count, connections) = watch::channel(0);
        let wire = Arc::new(Wire { fault: Mutex::default(), counted, count: AtomicUsize::new(0) });
        let shared = Arc::clone(&wire);
        tokio::spawn(async move {
            while let Ok((store, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else { continue };
                let (from_store, to_store) = store.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(Arc::clone(&shared).requests(from_store, to_server));
                tokio::spawn(Arc::clone(&shared).answers(from_server, to_store));
                count.send_modify(|count| *count += 1);
            }
        });
        Self { port, wire, connections }
    }

    /// What happens to the next answer that contains a word.
    pub(crate) fn fail_answer(&self, word: &'static str, fault: Fault) {
        *self.wire.fault.lock().unwrap() = Some((word, fault));
    }

    /// How often the counted word was sent.
    pub(crate) fn count(&self) -> usize {
        self.wire.count.load(Ordering::SeqCst)
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
            self.count.fetch_add(count(request, self.counted), Ordering::SeqCst);
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
            match self.fault.lock().unwrap().take_if(|(word, _)| count(answer, word) > 0) {
                Some((_, Fault::Cut)) => return Ok(()),
                Some((_, Fault::Silence)) => is_silent = true,
                None => {}
            }
            if !is_silent {
                to.write_all(answer).await?;
            }
        }
    }
}

/// How often the bytes contain a word.
fn count(bytes: &[u8], word: &str) -> usize {
    (0..bytes.len()).filter(|&start| bytes[start..].starts_with(word.as_bytes())).count()
}
