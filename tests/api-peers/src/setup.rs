//! The issuer, its tokens, and the three libraries that verify them.

use std::sync::{Arc, mpsc};
use std::thread;

use axum_jwt_auth::{Decoder, RemoteJwksDecoder};
use fake_provider::keys::Key;
use fake_provider::{API, FakeProvider};
use jsonwebtoken_10::{Algorithm, Validation};
use jwt_authorizer::{Authorizer, JwtAuthorizer};
use logto_client::api::LogtoApi;
use serde::Deserialize;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::timing::at_once;

pub(crate) const OURS: &str = "`logto_client::api`";
pub(crate) const JWT_AUTHORIZER: &str = "`jwt-authorizer` 0.15";
pub(crate) const AXUM_JWT_AUTH: &str = "`axum-jwt-auth` 0.7";

pub(crate) struct Setup {
    provider: FakeProvider,
    pub(crate) runtime: Runtime,
}

/// The claims that an API needs: the least that the peers have to parse. Ours keeps the others, too.
#[derive(Clone, Deserialize)]
#[expect(dead_code, reason = "what is not read here is parsed as well")]
pub(crate) struct Claims {
    pub(crate) sub: String,
    client_id: String,
    scope: Option<String>,
    exp: u64,
}

/// Each has the JWK set of the issuer, and checks the issuer, the audience and the times.
pub(crate) struct Libraries {
    pub(crate) ours: LogtoApi,
    pub(crate) jwt_authorizer: Arc<Authorizer<Claims>>,
    pub(crate) axum_jwt_auth: Decoder<Claims>,
}

impl Setup {
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { provider: provider(), runtime }
    }

    /// Signs a token as Logto's are, unlike any other.
    pub(crate) fn token(&self) -> String {
        self.provider.access_token(|token| {
            // Logto's identifiers have 21 and 12 characters.
            let count = token.claims["jti"].as_str().unwrap_or_default();
            token.claims["jti"] = json!(format!("{count:a>21}"));
            token.claims["sub"] = json!("abcdefghijkl");
            token.claims["scope"] = json!("read:things write:things read:orders write:orders");
        })
    }

    pub(crate) fn key(&self) -> Key {
        self.provider.key()
    }

    pub(crate) fn set_key(&self, key: &Key) {
        self.provider.set_keys(vec![key.clone()]);
    }

    /// Ours, with the provider's key set.
    pub(crate) fn ours(&self, max_tokens: usize) -> LogtoApi {
        let api = LogtoApi::builder(self.provider.origin()).audience(API).max_remembered_tokens(max_tokens);
        let api = api.build().unwrap();
        self.runtime.block_on(api.prefetch()).unwrap();
        api
    }

    /// All of them, with the provider's key set.
    pub(crate) fn libraries(&self, algorithm: Algorithm) -> Libraries {
        let (issuer, jwks) = (self.provider.issuer(), format!("{}/jwks", self.provider.issuer()));
        let validation = jwt_authorizer::Validation::new().iss(&[issuer]).aud(&[API]).nbf(true);
        let authorizer = JwtAuthorizer::<Claims>::from_jwks_url(&jwks).validation(validation).build();
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[API]);
        validation.validate_nbf = true;
        let decoder = RemoteJwksDecoder::builder().jwks_url(jwks).validation(validation).build().unwrap();
        self.runtime.block_on(decoder.refresh()).unwrap();
        let libraries = Libraries {
            ours: self.ours(16_384),
            jwt_authorizer: Arc::new(self.runtime.block_on(authorizer).unwrap()),
            axum_jwt_auth: Arc::new(decoder),
        };
        let token = self.token();
        // It fetches the key set now.
        assert!(self.runtime.block_on(libraries.jwt_authorizer.check_auth(&token)).is_ok());
        libraries.check(&token);
        libraries
    }
}

impl Libraries {
    /// Each accepts the token, and not with another signature.
    fn check(&self, token: &str) {
        let (message, signature) = token.rsplit_once('.').unwrap();
        let (head, tail) = signature.split_at(10);
        let other = if tail.starts_with('A') { 'B' } else { 'A' };
        let forged = format!("{message}.{head}{other}{}", &tail[1..]);
        for (token, is_valid) in [(token, true), (&forged, false)] {
            assert_eq!(at_once(self.ours.verify(token)).is_ok(), is_valid);
            assert_eq!(at_once(self.jwt_authorizer.check_auth(token)).is_ok(), is_valid);
            assert_eq!(at_once(self.axum_jwt_auth.decode(token)).is_ok(), is_valid);
        }
    }
}

/// A provider on a thread of its own, which ends with the program.
fn provider() -> FakeProvider {
    let (send, started) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            send.send(FakeProvider::start().await).unwrap();
            std::future::pending::<()>().await;
        });
    });
    started.recv().unwrap()
}
