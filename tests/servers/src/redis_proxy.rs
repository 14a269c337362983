//! The network between a client and its server, and its faults.

use std::io;
use std::mem;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

/// What happens once. Bytes are counted from when the fault is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkFault {
    /// The connection ends after that many bytes of requests. Redis has acted on those before the client notices.
    CutRequest {
        /// The number of bytes that arrive.
        after: usize,
    },
    /// The connection ends after that many bytes of responses.
    CutResponse {
        /// The number of bytes that arrive.
        after: usize,
    },
    /// After that many bytes of responses, no more arrive on this connection. It stays open until
    /// [`end_silence`](RedisProxy::end_silence).
    LoseResponse {
        /// The number of bytes that arrive.
        after: usize,
    },
    /// The next script, or statement of Postgres's that writes, is kept until it is [delivered](RedisProxy::deliver_held). The
    /// client's connection ends.
    HoldScript,
}

/// A proxy in front of Redis, or of Postgres. Needs a tokio runtime, which ends it.
pub struct RedisProxy {
    port: u16,
    network: Arc<Network>,
    connections: watch::Receiver<usize>,
}

#[derive(Default)]
struct Network {
    fault: Mutex<Option<NetworkFault>>,
    delay: Mutex<Duration>,
    held: Mutex<Vec<Held>>,
    silence_ends: Notify,
    scripts: AtomicUsize,
}

/// A request that is still on its way.
struct Held {
    redis: TcpStream,
    request: Vec<u8>,
}

/// What becomes of bytes that have arrived at the proxy.
enum Fate {
    Forwarded,
    /// Only so many are forwarded.
    Cut(usize),
    Lost(usize),
    Held,
}

impl RedisProxy {
    /// Starts one in front of the server at that port.
    ///
    /// # Panics
    ///
    /// If there is no free port.
    pub async fn start(redis: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let (count, connections) = watch::channel(0);
        let network = Arc::new(Network::default());
        let shared = Arc::clone(&network);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let network = Arc::clone(&shared);
                // An error is the end of one side, and so of the connection.
                tokio::spawn(async move { network.carry(client, redis).await });
                count.send_modify(|count| *count += 1);
            }
        });
        Self { port, network, connections }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its URL, if it is in front of Redis.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Sets the fault that happens next.
    pub fn fail(&self, fault: NetworkFault) {
        *lock(&self.network.fault) = Some(fault);
    }

    /// Calls off the fault, unless it has happened. Returns whether it has.
    pub fn has_failed(&self) -> bool {
        lock(&self.network.fault).take().is_none()
    }

    /// From now on, each request and each response takes that long.
    pub fn slow_down(&self, delay: Duration) {
        *lock(&self.network.delay) = delay;
    }

    /// Delivers the requests that were held back, and returns what Redis answers.
    ///
    /// # Errors
    ///
    /// Fails if Redis is gone.
    pub async fn deliver_held(&self) -> io::Result<Vec<String>> {
        let held = mem::take(&mut *lock(&self.network.held));
        let mut responses = Vec::new();
        for Held { mut redis, request } in held {
            redis.write_all(&request).await?;
            redis.shutdown().await?;
            let mut response = Vec::new();
            redis.read_to_end(&mut response).await?;
            responses.push(String::from_utf8_lossy(&response).into_owned());
        }
        Ok(responses)
    }

    /// Ends the connections on which responses were lost.
    pub fn end_silence(&self) {
        self.network.silence_ends.notify_waiters();
    }

    /// How many scripts were called.
    pub fn scripts(&self) -> usize {
        self.network.scripts.load(Ordering::SeqCst)
    }

    /// Waits until so many connections were made.
    ///
    /// # Panics
    ///
    /// If the proxy has ended.
    pub async fn connections(&self, count: usize) {
        self.connections.clone().wait_for(|made| *made >= count).await.expect("the proxy");
    }
}

impl Network {
    async fn carry(&self, mut client: TcpStream, redis: u16) -> io::Result<()> {
        let mut redis = TcpStream::connect(("127.0.0.1", redis)).await?;
        client.set_nodelay(true)?;
        redis.set_nodelay(true)?;
        let (mut request, mut response) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        let mut is_silent = false;
        let mut statements = Statements::default();
        let mut silence_ends = pin!(self.silence_ends.notified());
        loop {
            tokio::select! {
                () = &mut silence_ends, if is_silent => return Ok(()),
                len = client.read(&mut request) => {
                    let request = &request[..some(len?)?];
                    self.be_slow().await;
                    // The requests of the tests are small, and each arrives as a whole.
                    let scripts = request.windows(b"EVALSHA".len()).filter(|word| word == b"EVALSHA").count();
                    self.scripts.fetch_add(scripts, Ordering::SeqCst);
                    match self.fate_of_request(request.len(), scripts > 0 || statements.is_write(request)) {
                        Fate::Held => {
                            lock(&self.held).push(Held { redis, request: request.to_vec() });
                            return Ok(());
                        }
                        Fate::Cut(len) => {
                            redis.write_all(&request[..len]).await?;
                            redis.shutdown().await?;
                            return redis.read_to_end(&mut Vec::new()).await.map(drop);
                        }
                        Fate::Forwarded | Fate::Lost(_) => redis.write_all(request).await?,
                    }
                }
                len = redis.read(&mut response) => {
                    let response = &response[..some(len?)?];
                    self.be_slow().await;
                    if is_silent {
                        continue;
                    }
                    match self.fate_of_response(response.len()) {
                        Fate::Cut(len) => return client.write_all(&response[..len]).await,
                        Fate::Lost(len) => {
                            is_silent = true;
                            silence_ends.set(self.silence_ends.notified());
                            silence_ends.as_mut().enable();
                            client.write_all(&response[..len]).await?;
                        }
                        Fate::Forwarded | Fate::Held => client.write_all(response).await?,
                    }
                }
            }
        }
    }

    async fn be_slow(&self) {
        let delay = *lock(&self.delay);
        if !delay.is_zero() {
            sleep(delay).await;
        }
    }

    fn fate_of_request(&self, len: usize, is_write: bool) -> Fate {
        let mut fault = lock(&self.fault);
        match fault.as_mut() {
            Some(NetworkFault::CutRequest { after }) => match count(after, len) {
                Some(len) => {
                    *fault = None;
                    Fate::Cut(len)
                }
                None => Fate::Forwarded,
            },
            Some(NetworkFault::HoldScript) if is_write => {
                *fault = None;
                Fate::Held
            }
            _ => Fate::Forwarded,
        }
    }

    fn fate_of_response(&self, len: usize) -> Fate {
        let mut fault = lock(&self.fault);
        let (after, fate): (_, fn(usize) -> Fate) = match fault.as_mut() {
            Some(NetworkFault::CutResponse { after }) => (after, Fate::Cut),
            Some(NetworkFault::LoseResponse { after }) => (after, Fate::Lost),
            _ => return Fate::Forwarded,
        };
        match count(after, len) {
            Some(len) => {
                *fault = None;
                fate(len)
            }
            None => Fate::Forwarded,
        }
    }
}

/// The names of the statements that a connection to Postgres has prepared and that write.
#[derive(Default)]
struct Statements(Vec<Vec<u8>>);

impl Statements {
    /// Whether a request executes such a statement. It may prepare others.
    fn is_write(&mut self, request: &[u8]) -> bool {
        let (mut rest, mut is_write) = (request, false);
        // A letter, a length that includes itself, and the text.
        while let Some((&[kind, a, b, c, d], _)) = rest.split_first_chunk() {
            let end = u32::from_be_bytes([a, b, c, d]).saturating_add(1);
            let Some((message, next)) = usize::try_from(end).ok().and_then(|end| rest.split_at_checked(end)) else {
                break;
            };
            let mut words = message.get(5..).unwrap_or_default().split(|byte| *byte == 0);
            match (kind, words.next(), words.next()) {
                (b'P', Some(name), Some(sql)) if !sql.trim_ascii_start().starts_with(b"SELECT") => {
                    self.0.push(name.to_owned());
                }
                (b'B', Some(_portal), Some(name)) => is_write |= self.0.iter().any(|statement| statement == name),
                _ => {}
            }
            rest = next;
        }
        is_write
    }
}

/// Counts bytes down. Returns how many of them are forwarded if the count is over.
fn count(after: &mut usize, len: usize) -> Option<usize> {
    if *after <= len {
        return Some(*after);
    }
    *after -= len;
    None
}

/// The length of what was read. The end is an error, as any other end of a connection.
fn some(len: usize) -> io::Result<usize> {
    if len == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(len) }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().expect("no test panics with it")
}
