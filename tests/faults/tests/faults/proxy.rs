//! The wire between app and Redis, with what can happen to it. Only what writes a record (`SET`) is in danger.

use std::io;
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use crate::LIMIT;

/// What happens to a `SET`.
#[derive(Default)]
pub(crate) enum Fault {
    #[default]
    None,
    /// The connection ends after this many of its bytes. If these are all, Redis has answered by then, in vain.
    Cut { after: usize },
    /// Redis answers, but the answer never arrives, nor does anything else on this connection, and nobody is told.
    LoseAnswer,
    /// It arrives late.
    Delay(Duration),
    /// It arrives when the test says so.
    Hold,
}

pub(crate) struct Proxy {
    pub(crate) port: u16,
    wire: Wire,
    held: UnboundedReceiver<oneshot::Sender<()>>,
}

#[derive(Clone)]
struct Wire {
    redis: u16,
    fault: Arc<Mutex<Fault>>,
    last_set: Arc<AtomicUsize>,
    held: UnboundedSender<oneshot::Sender<()>>,
}

impl Proxy {
    pub(crate) async fn start(redis: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, held) = mpsc::unbounded_channel();
        let wire = Wire { redis, fault: Arc::default(), last_set: Arc::default(), held: sender };
        let shared = wire.clone();
        tokio::spawn(async move {
            while let Ok((app, _)) = listener.accept().await {
                let wire = shared.clone();
                // An error is the end of one of both sides, and the connection's.
                tokio::spawn(async move { wire.carry(app).await });
            }
        });
        Self { port, wire, held }
    }

    /// Only the next `SET` is affected.
    pub(crate) fn next_set(&self, fault: Fault) {
        *self.wire.fault.lock().unwrap() = fault;
    }

    /// How many bytes the last `SET` had.
    pub(crate) fn last_set(&self) -> usize {
        self.wire.last_set.load(Ordering::SeqCst)
    }

    /// Waits until a `SET` is held. It goes on when the sender is used or dropped.
    pub(crate) async fn held(&mut self) -> oneshot::Sender<()> {
        timeout(LIMIT, self.held.recv()).await.expect("a SET is sent").unwrap()
    }
}

impl Wire {
    async fn carry(&self, mut app: TcpStream) -> io::Result<()> {
        let mut redis = TcpStream::connect(("127.0.0.1", self.redis)).await?;
        let (mut request, mut answer) = (vec![0; 65_536], vec![0; 65_536]);
        loop {
            tokio::select! {
                read = app.read(&mut request) => match read? {
                    0 => return Ok(()),
                    len => match self.send(&request[..len], &mut redis).await? {
                        Connection::Alive => {}
                        Connection::Dead => while app.read(&mut request).await? > 0 {},
                    },
                },
                read = redis.read(&mut answer) => match read? {
                    0 => return Ok(()),
                    len => app.write_all(&answer[..len]).await?,
                },
            }
        }
    }

    async fn send(&self, request: &[u8], redis: &mut TcpStream) -> io::Result<Connection> {
        let fault = if is_set(request) {
            self.last_set.store(request.len(), Ordering::SeqCst);
            mem::take(&mut *self.fault.lock().unwrap())
        } else {
            Fault::None
        };
        match fault {
            Fault::None => {}
            Fault::Cut { after } => {
                redis.write_all(&request[..after.min(request.len())]).await?;
                if after >= request.len() {
                    redis.read_u8().await?;
                }
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            Fault::LoseAnswer => {
                redis.write_all(request).await?;
                redis.read_u8().await?;
                return Ok(Connection::Dead);
            }
            Fault::Delay(delay) => sleep(delay).await,
            Fault::Hold => {
                let (release, released) = oneshot::channel();
                let _ = self.held.send(release);
                let _ = released.await;
            }
        }
        redis.write_all(request).await?;
        Ok(Connection::Alive)
    }
}

enum Connection {
    Alive,
    Dead,
}

/// fred writes a command of this size as a whole.
fn is_set(request: &[u8]) -> bool {
    request.starts_with(b"*") && request.windows(9).take(8).any(|window| window == b"$3\r\nSET\r\n")
}
