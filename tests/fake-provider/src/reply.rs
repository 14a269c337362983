//! Answers, and how they misbehave on the way.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::Response;
use futures_util::{Stream, StreamExt, stream};
use serde_json::Value;
use tokio::sync::Semaphore;

pub struct Reply {
    pub response: Response,
    pub gate: Option<Gate>,
}

impl Reply {
    pub fn new(status: u16, content_type: &str, body: impl Into<Body>) -> Self {
        let mut response = Response::new(body.into());
        *response.status_mut() = StatusCode::from_u16(status).expect("a status");
        Self { response, gate: None }.with_header(header::CONTENT_TYPE, content_type)
    }

    pub(crate) fn from_parts(status: u16, headers: HeaderMap, body: Vec<u8>) -> Self {
        let mut reply = Self::new(status, "", body);
        *reply.response.headers_mut() = headers;
        reply
    }

    pub fn json(status: u16, body: &Value) -> Self {
        Self::text_json(status, body.to_string())
    }

    /// A body that claims to be JSON.
    pub fn text_json(status: u16, body: impl Into<String>) -> Self {
        Self::new(status, "application/json", body.into())
    }

    /// An error in the form of Logto's token endpoint.
    pub fn error(status: u16, error: &str, description: &str) -> Self {
        Self::json(
            status,
            &serde_json::json!({
                "code": format!("oidc.{error}"), "message": description, "error": error, "error_description": description,
            }),
        )
    }

    pub fn html(status: u16) -> Self {
        Self::new(status, "text/html", "<!doctype html><title>Bad gateway</title><p>It is not us.")
    }

    pub fn redirect(status: u16, to: &str) -> Self {
        Self::new(status, "text/plain", "").with_header(header::LOCATION, to)
    }

    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        self.response.headers_mut().insert(name, value.parse().expect("a header"));
        self
    }

    /// Holds the reply back until the gate opens.
    #[must_use]
    pub fn behind(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    /// Accepts the request and never answers.
    pub fn never() -> Self {
        Self::json(200, &Value::Null).behind(&Gate::default())
    }

    /// Sends the headers, then nothing.
    pub fn silent_body() -> Self {
        Self::streamed(stream::pending())
    }

    /// Sends a space, which is JSON so far, every 50 ms for ever: no single read takes long.
    pub fn dripping() -> Self {
        Self::streamed(stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Some((Bytes::from_static(b" "), ()))
        }))
    }

    /// Sends chunks without end, as fast as they are read.
    pub fn endless(sent: &Sent) -> Self {
        Self::streamed(sent.count(stream::repeat(Bytes::from_static(&[b' '; 16 * 1024]))))
    }

    /// Announces and sends `length` bytes.
    pub fn oversized(length: usize, sent: &Sent) -> Self {
        const CHUNK: usize = 16 * 1024;
        assert_eq!(length % CHUNK, 0);
        let chunks = stream::repeat(Bytes::from_static(&[b' '; CHUNK])).take(length / CHUNK);
        Self::streamed(sent.count(chunks)).with_header(header::CONTENT_LENGTH, &length.to_string())
    }

    /// Announces more bytes than it sends, then closes the connection.
    pub fn truncated(body: &str) -> Self {
        let chunks = stream::iter([Ok(Bytes::from(body.to_owned())), Err(std::io::Error::other("cut off"))]);
        Self::new(200, "application/json", Body::from_stream(chunks))
            .with_header(header::CONTENT_LENGTH, &(body.len() + 100).to_string())
    }

    fn streamed(chunks: impl Stream<Item = Bytes> + Send + 'static) -> Self {
        Self::new(200, "application/json", Body::from_stream(chunks.map(Ok::<_, Infallible>)))
    }
}

/// Holds replies back until the test opens it. The test can wait for one to arrive.
#[derive(Clone, Debug)]
pub struct Gate {
    arrived: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Default for Gate {
    fn default() -> Self {
        Self { arrived: Arc::new(Semaphore::new(0)), open: Arc::new(Semaphore::new(0)) }
    }
}

impl Gate {
    /// Waits for the next reply to arrive here, each counted once.
    pub async fn arrival(&self) {
        self.arrived.acquire().await.expect("an open semaphore").forget();
    }

    pub fn open(&self) {
        self.open.add_permits(Semaphore::MAX_PERMITS / 2);
    }

    pub fn let_one_pass(&self) {
        self.open.add_permits(1);
    }

    /// Arrives, and waits for the gate to open.
    pub async fn pass(&self) {
        self.arrived.add_permits(1);
        self.open.acquire().await.expect("an open semaphore").forget();
    }
}

/// Counts how much of a body was read by the client's side of the connection until it hung up.
#[derive(Clone)]
pub struct Sent {
    bytes: Arc<AtomicU64>,
    ended: Arc<Semaphore>,
}

impl Default for Sent {
    fn default() -> Self {
        Self { bytes: Arc::default(), ended: Arc::new(Semaphore::new(0)) }
    }
}

impl Sent {
    /// Waits for the end of a body, and returns the bytes of all bodies. Those in the sockets' buffers count as sent.
    pub async fn bytes_at_end(&self) -> u64 {
        let end = tokio::time::timeout(Duration::from_secs(10), self.ended.acquire()).await;
        end.expect("the client hangs up").expect("an open semaphore").forget();
        self.bytes.load(Ordering::SeqCst)
    }

    fn count(&self, chunks: impl Stream<Item = Bytes> + Send + 'static) -> impl Stream<Item = Bytes> + Send + 'static {
        struct End(Arc<Semaphore>);
        impl Drop for End {
            fn drop(&mut self) {
                self.0.add_permits(1);
            }
        }
        let (bytes, end) = (self.bytes.clone(), End(self.ended.clone()));
        chunks.inspect(move |chunk| {
            let _ = &end;
            bytes.fetch_add(chunk.len() as u64, Ordering::SeqCst);
        })
    }
}
