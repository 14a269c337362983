//! The network between a client and a server, and its faults.

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
    /// The connection ends after that many bytes of requests. The server has acted on those before the client notices.
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
    /// [`end_silence`](Proxy::end_silence).
    LoseResponse {
        /// The number of bytes that arrive.
        after: usize,
    },
    /// The connection ends instead of the next response that contains the word.
    CutResponseWith(&'static str),
    /// The same, but the connection stays open, as with [`LoseResponse`](Self::LoseResponse).
    LoseResponseWith(&'static str),
    /// The next request that is [counted](Proxy::count), or that executes a statement of Postgres's that writes, is kept until
    /// it is [delivered](Proxy::deliver_held). The client's connection ends.
    HoldCounted,
}

/// A proxy in front of a server. Needs a tokio runtime, which ends it.
///
/// Requests and responses with a word that matters are to be small, so that each arrives as a whole.
pub struct Proxy {
    port: u16,
    network: Arc<Network>,
    connections: watch::Receiver<usize>,
}

struct Network {
    server: u16,
    counted: &'static str,
    fault: Mutex<Option<NetworkFault>>,
    delay: Mutex<Duration>,
    held: Mutex<Vec<Held>>,
    silence_ends: Notify,
    count: AtomicUsize,
}

/// A request that is still on its way.
struct Held {
    server: TcpStream,
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

impl Proxy {
    /// Starts one in front of the server at that port. It counts the requests that contain a word.
    ///
    /// # Panics
    ///
    /// If there is no free port.
    pub async fn start(server: u16, counted: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let (count, connections) = watch::channel(0);
        let network = Arc::new(Network::new(server, counted));
        let shared = Arc::clone(&network);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let network = Arc::clone(&shared);
                // An error is the end of one side, and so of the connection.
                tokio::spawn(async move { network.carry(client).await });
                count.send_modify(|count| *count += 1);
            }
        });
        Self { port, network, connections }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
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

    /// Delivers the requests that were held back, and returns what the server answers.
    ///
    /// # Errors
    ///
    /// Fails if the server is gone.
    pub async fn deliver_held(&self) -> io::Result<Vec<String>> {
        let held = mem::take(&mut *lock(&self.network.held));
        let mut responses = Vec::new();
        for Held { mut server, request } in held {
            server.write_all(&request).await?;
            server.shutdown().await?;
            let mut response = Vec::new();
            server.read_to_end(&mut response).await?;
            responses.push(String::from_utf8_lossy(&response).into_owned());
        }
        Ok(responses)
    }

    /// Ends the connections on which responses were lost.
    pub fn end_silence(&self) {
        self.network.silence_ends.notify_waiters();
    }

    /// How often the counted word was sent.
    pub fn count(&self) -> usize {
        self.network.count.load(Ordering::SeqCst)
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
    fn new(server: u16, counted: &'static str) -> Self {
        let (fault, delay, held) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { server, counted, fault, delay, held, silence_ends: Notify::new(), count: AtomicUsize::new(0) }
    }

    async fn carry(&self, mut client: TcpStream) -> io::Result<()> {
        let mut server = TcpStream::connect(("127.0.0.1", self.server)).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
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
                    let count = occurrences(request, self.counted);
                    self.count.fetch_add(count, Ordering::SeqCst);
                    match self.fate_of_request(request.len(), count > 0 || statements.is_write(request)) {
                        Fate::Held => {
                            lock(&self.held).push(Held { server, request: request.to_vec() });
                            return Ok(());
                        }
                        Fate::Cut(len) => {
                            server.write_all(&request[..len]).await?;
                            server.shutdown().await?;
                            return server.read_to_end(&mut Vec::new()).await.map(drop);
                        }
                        Fate::Forwarded | Fate::Lost(_) => server.write_all(request).await?,
                    }
                }
                len = server.read(&mut response) => {
                    let response = &response[..some(len?)?];
                    self.be_slow().await;
                    if is_silent {
                        continue;
                    }
                    match self.fate_of_response(response) {
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

    fn fate_of_request(&self, len: usize, is_to_hold: bool) -> Fate {
        let mut fault = lock(&self.fault);
        match fault.as_mut() {
            Some(NetworkFault::CutRequest { after }) => match count(after, len) {
                Some(len) => {
                    *fault = None;
                    Fate::Cut(len)
                }
                None => Fate::Forwarded,
            },
            Some(NetworkFault::HoldCounted) if is_to_hold => {
                *fault = None;
                Fate::Held
            }
            _ => Fate::Forwarded,
        }
    }

    fn fate_of_response(&self, response: &[u8]) -> Fate {
        let mut fault = lock(&self.fault);
        if let Some(NetworkFault::CutResponseWith(word) | NetworkFault::LoseResponseWith(word)) = *fault {
            return match fault.take_if(|_| occurrences(response, word) > 0) {
                Some(NetworkFault::CutResponseWith(_)) => Fate::Cut(0),
                Some(_) => Fate::Lost(0),
                None => Fate::Forwarded,
            };
        }
        let (after, fate): (_, fn(usize) -> Fate) = match fault.as_mut() {
            Some(NetworkFault::CutResponse { after }) => (after, Fate::Cut),
            Some(NetworkFault::LoseResponse { after }) => (after, Fate::Lost),
            _ => return Fate::Forwarded,
        };
        match count(after, response.len()) {
            Some(len) => {
                *fault = None;
                fate(len)
            }
            None => Fate::Forwarded,
        }
    }
}

/// How often the bytes contain a word.
fn occurrences(bytes: &[u8], word: &str) -> usize {
    bytes.windows(word.len()).filter(|window| *window == word.as_bytes()).count()
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
