//! A proxy between the apps and the provider, which counts what they ask for.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use tokio::io::{self, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Ends when it is dropped.
pub(crate) struct Counter {
    address: SocketAddr,
    requests: Requests,
    server: JoinHandle<()>,
}

/// How often each path was asked for.
type Requests = Arc<Mutex<BTreeMap<String, usize>>>;

impl Counter {
    /// Whatever it is asked for, it asks the server at `port`.
    pub(crate) async fn start(port: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (address, requests) = (listener.local_addr()?, Requests::default());
        let counted = Arc::clone(&requests);
        let server = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(relay(client, port, Arc::clone(&counted)));
            }
        });
        Ok(Self { address, requests, server })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How often a path that ends like this was asked for.
    pub(crate) fn requests(&self, end: &str) -> usize {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.iter().filter(|(path, _)| path.ends_with(end)).map(|(_, count)| count).sum()
    }

    pub(crate) fn all_requests(&self) -> usize {
        self.requests("")
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn relay(client: TcpStream, port: u16, requests: Requests) -> io::Result<()> {
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let ((mut from_client, mut to_client), (mut from_server, to_server)) = (client.into_split(), server.into_split());
    // Node's `fetch` wants a tunnel first; what goes through it is then the same plain HTTP.
    let mut start = vec![0; 8];
    from_client.read_exact(&mut start).await?;
    if start == b"CONNECT " {
        while !start.ends_with(b"\r\n\r\n") {
            start.push(from_client.read_u8().await?);
        }
        start.clear();
        to_client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    }
    let answers = tokio::spawn(async move { copy(&mut from_server, &mut to_client).await });
    pass_on((&start[..]).chain(from_client), to_server, &requests).await?;
    answers.await?.map(drop)
}

async fn pass_on(mut from: impl AsyncRead + Unpin, mut to: OwnedWriteHalf, requests: &Requests) -> io::Result<()> {
    let mut line = Vec::new();
    let mut buffer = vec![0; 16384];
    loop {
        let len = from.read(&mut buffer).await?;
        if len == 0 {
            return to.shutdown().await;
        }
        for byte in &buffer[..len] {
            line.push(*byte);
            if line.ends_with(b"\r\n") {
                if let Some(path) = path_of(&String::from_utf8_lossy(&line)) {
                    *requests.lock().unwrap_or_else(PoisonError::into_inner).entry(path).or_default() += 1;
                }
                line.clear();
            }
        }
        to.write_all(&buffer[..len]).await?;
    }
}

/// The path of a request line, before which the body of the request before may stand. The lines of headers end otherwise.
fn path_of(line: &str) -> Option<String> {
    let target = line.strip_suffix(" HTTP/1.1\r\n")?.rsplit(' ').next()?;
    Some(target.split('?').next()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_line_is_told_from_the_rest() {
        assert_eq!(path_of("GET /oidc/jwks HTTP/1.1\r\n").as_deref(), Some("/oidc/jwks"));
        assert_eq!(path_of("code=a+bPOST http://h/token?x=1 HTTP/1.1\r\n").as_deref(), Some("http://h/token"));
        assert_eq!(path_of("user-agent: x\r\n"), None);
    }

    #[tokio::test]
    async fn requests_are_counted_by_path_and_get_their_answers() {
        let provider = dev_provider::DevProvider::start(dev_provider::Config {
            endpoint: "http://127.0.0.1:0".to_owned(),
            ..dev_provider::Config::default()
        });
        let provider = provider.await.expect("a provider");
        let url: reqwest::Url = provider.endpoint().parse().expect("a URL");
        let counter = Counter::start(url.port().expect("a port")).await.expect("a counter");
        let proxy = reqwest::Proxy::http(counter.url()).expect("a proxy");
        let client = reqwest::Client::builder().proxy(proxy).build().expect("a client");

        for path in ["/oidc/jwks", "/oidc/.well-known/openid-configuration", "/oidc/jwks"] {
            let answer = client.get(format!("{}{path}", provider.endpoint())).send().await.expect("an answer");
            assert_eq!(answer.status(), 200, "{path}");
        }
        assert_eq!((counter.requests("/jwks"), counter.requests("/openid-configuration")), (2, 1));
        assert_eq!(counter.all_requests(), 3);
    }
}
