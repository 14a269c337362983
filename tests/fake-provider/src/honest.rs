//! The development provider, asked in-process: honest behaviour exists there only, and is as strict as Logto's.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use dev_provider::{Config, DevProvider, Membership, Organization, Resource, User};
use futures_util::FutureExt as _;
use tower::ServiceExt as _;
use url::Url;

/// The one client that the provider knows.
pub const APP_ID: &str = "app-1";
/// With characters that `client_secret_basic` has to encode.
pub const APP_SECRET: &str = "app:s3cr3t/%";
pub const REDIRECT_URI: &str = "http://app.example/callback";
pub const POST_LOGOUT_REDIRECT_URI: &str = "http://app.example/";
/// The API that access tokens can be for, with the scope `read`.
pub const API: &str = "https://api.example.com";
/// The one user, whose name is Ada, and who is a member of every organization.
pub const SUBJECT: &str = "user-1";
pub const ORGANIZATIONS: [&str; 7] = ["acme", "org-0", "org-1", "org-2", "org-3", "org-4", "org-5"];

pub(crate) struct Honest {
    provider: DevProvider,
    router: Router,
}

impl Honest {
    pub(crate) fn new(config: Config) -> Self {
        let provider = DevProvider::unserved(config).expect("a development provider");
        let router = provider.router();
        Self { provider, router }
    }

    /// Answers a request. It does not wait: the development provider keeps all it knows in memory, so a reply that a test
    /// changes can be computed in a plain function.
    pub(crate) fn answer(&self, request: Request<Body>) -> (u16, HeaderMap, Vec<u8>) {
        let answer = async {
            let (head, body) = self.router.clone().oneshot(request).await.expect("no error").into_parts();
            let body = to_bytes(body, usize::MAX).await.expect("a body in memory");
            (head.status.as_u16(), head.headers, body.into())
        };
        answer.now_or_never().expect("an answer without waiting")
    }

    pub(crate) async fn authorize(&self, authorization_url: &Url, user: &str) -> Url {
        self.provider.authorize(authorization_url, user).await.expect("an authorization request that is accepted")
    }

    pub(crate) fn issuer(&self) -> &str {
        self.provider.issuer()
    }
}

pub(crate) fn config(endpoint: &str) -> Config {
    let memberships = ORGANIZATIONS.map(|id| Membership::new(id, &["member"])).to_vec();
    Config {
        endpoint: endpoint.to_owned(),
        client_id: APP_ID.to_owned(),
        client_secret: Some(APP_SECRET.to_owned()),
        redirect_uris: vec![REDIRECT_URI.to_owned()],
        post_logout_redirect_uris: vec![POST_LOGOUT_REDIRECT_URI.to_owned()],
        users: vec![User { id: SUBJECT.to_owned(), memberships, ..User::named("Ada") }],
        resources: vec![Resource::new(API, &["read"])],
        organizations: ORGANIZATIONS.map(|id| Organization::new(id, id)).to_vec(),
        ..Config::default()
    }
}
