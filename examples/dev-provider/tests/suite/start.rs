use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use dev_provider::{Config, DevProvider, StartError};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::app::{Visitor, client, config, start};

const LIMIT: Duration = Duration::from_secs(30);

async fn failure(config: Config) -> StartError {
    match DevProvider::start(config).await {
        Ok(provider) => panic!("it started at {}", provider.endpoint()),
        Err(error) => error,
    }
}

#[tokio::test]
async fn it_is_on_loopback_or_not_at_all() {
    for host in ["0.0.0.0", "[::]", "192.0.2.1", "example.com", "localhost.example.com"] {
        let error = failure(Config { endpoint: format!("http://{host}:0"), ..config() }).await;
        assert!(matches!(error, StartError::NotLoopback(_)), "{host}: {error:?}");
    }
}

#[tokio::test]
async fn localhost_is_a_host_like_any_other() {
    let provider = DevProvider::start(Config { endpoint: "http://localhost:0".to_owned(), ..config() }).await.unwrap();
    assert!(provider.endpoint().starts_with("http://localhost:"), "{}", provider.endpoint());
    let response = Visitor::new().get(&format!("{}/.well-known/openid-configuration", provider.issuer())).await;
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn a_malformed_endpoint_is_refused() {
    for endpoint in [
        "127.0.0.1:3001",
        "https://127.0.0.1:0",
        "http://user@127.0.0.1:0",
        "http://127.0.0.1:0?query",
        "http://127.0.0.1:0/#fragment",
        "http://127.0.0.1:0/{path}",
        "http://127.0.0.1:0/:path",
        "http://127.0.0.1:0/*path",
    ] {
        let error = failure(Config { endpoint: endpoint.to_owned(), ..config() }).await;
        assert!(matches!(error, StartError::Endpoint), "{endpoint}: {error:?}");
    }
}

#[tokio::test]
async fn a_redirect_uri_is_absolute_and_has_no_fragment() {
    for uri in ["/callback", "http://localhost:3000/callback#fragment"] {
        let uris = vec![uri.to_owned()];
        let error = failure(Config { redirect_uris: uris.clone(), ..config() }).await;
        assert!(matches!(error, StartError::RedirectUri(_)), "{uri}: {error:?}");
        let error = failure(Config { post_logout_redirect_uris: uris, ..config() }).await;
        assert!(matches!(error, StartError::RedirectUri(_)), "{uri}: {error:?}");
    }
}

#[tokio::test]
async fn a_busy_port_is_an_error_with_its_cause() {
    let busy = start().await;
    let error = failure(Config { endpoint: busy.endpoint().to_owned(), ..config() }).await;
    let StartError::Listen { address, source } = error else { panic!("{error:?}") };
    assert_eq!(source.kind(), ErrorKind::AddrInUse);
    assert!(busy.endpoint().ends_with(&address.to_string()));
}

#[tokio::test]
async fn several_run_beside_each_other() {
    let (one, other) = (start().await, start().await);
    assert_ne!(one.endpoint(), other.endpoint());
    let visitor = Visitor::new();
    for provider in [&one, &other] {
        visitor.sign_in(provider, "Alice", &[]).await.code();
    }
    let silent = visitor.authorize(&one, &[("prompt", "none")]).await;
    assert!(silent.headers()["location"].to_str().unwrap().contains("code="), "the other one left its session alone");
}

#[tokio::test]
async fn it_answers_no_more_once_it_has_stopped() {
    let provider = start().await;
    let key_set = KeySet::of(&provider).await;
    // As a browser opens one in advance.
    let mut idle = TcpStream::connect(key_set.address).await.unwrap();

    timeout(LIMIT, provider.stop()).await.unwrap();

    assert_eq!(timeout(LIMIT, idle.read(&mut [0])).await.unwrap().unwrap_or(0), 0, "the connection is closed");
    assert!(!key_set.is_there().await);
}

#[tokio::test]
async fn it_stops_when_it_is_dropped() {
    let provider = start().await;
    let key_set = KeySet::of(&provider).await;

    drop(provider);

    let gone = async { while key_set.is_there().await {} };
    timeout(LIMIT, gone).await.unwrap();
}

/// Tells a provider from whatever is given its port next.
struct KeySet {
    url: String,
    address: SocketAddr,
    keys: String,
}

impl KeySet {
    async fn of(provider: &DevProvider) -> Self {
        let url = format!("{}/jwks", provider.issuer());
        let address = provider.endpoint().trim_start_matches("http://").parse().unwrap();
        let keys = Visitor::new().get(&url).await.text().await.unwrap();
        Self { url, address, keys }
    }

    async fn is_there(&self) -> bool {
        let Ok(response) = client().get(&self.url).send().await else { return false };
        response.text().await.is_ok_and(|keys| keys == self.keys)
    }
}
