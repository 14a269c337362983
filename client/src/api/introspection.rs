//! Opaque tokens: the issuer is asked about them (RFC 7662).

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Semaphore;

use crate::api::ApiError;
use crate::config::AppSecret;
use crate::error::{AccessTokenError, Endpoint, RequestError};
use crate::issuer::Issuer;
use crate::oidc::access_token::Claims;
use crate::oidc::token::TokenEndpoint;
use crate::util::single_flight::SingleFlight;
use crate::util::ttl_map::TtlMap;

/// How many requests there are at the same time, at most: anybody can make up opaque tokens.
const MAX_REQUESTS: usize = 16;

/// The maximum length of an opaque token. Logto's have 43 characters.
const MAX_TOKEN: usize = 512;

/// How long the place of a token at which requests wait for each other is kept.
const KEEP_PLACE: Duration = Duration::from_secs(60);

type Answer = Result<Option<Arc<(Value, u64)>>, RequestError>;

/// Asks the issuer about opaque tokens, once for concurrent requests with the same one.
pub(super) struct Introspection {
    app_id: String,
    app_secret: AppSecret,
    /// How long an answer is used, in seconds.
    pub(super) max_age: u64,
    requests: Semaphore,
    /// By token.
    flights: TtlMap<Arc<SingleFlight<(), Answer>>>,
}

impl Introspection {
    pub(super) fn new(app_id: String, app_secret: AppSecret, max_age: Duration) -> Self {
        let flights = TtlMap::new(|_| KEEP_PLACE);
        let requests = Semaphore::new(MAX_REQUESTS);
        Self { app_id, app_secret, max_age: max_age.as_secs(), requests, flights }
    }

    /// Whether the token can be one of the issuer's opaque tokens.
    pub(super) fn is_opaque(token: &str) -> bool {
        token.len() <= MAX_TOKEN && !token.contains('.')
    }

    /// Returns the claims of an active access token, their JSON, and when the issuer was asked.
    pub(super) async fn ask(&self, issuer: &Issuer, token: &str, now: u64) -> Result<(Claims, Vec<u8>, u64), ApiError> {
        let (flight, _) = self.flights.get_or_insert_with(token, || Arc::new(SingleFlight::new()));
        let answer = flight.run((), || self.request(issuer, token, now)).await.map_err(ApiError::Unavailable)?;
        let answer = answer.ok_or(AccessTokenError::Inactive)?;
        let (answer, asked_at) = &*answer;
        // A refresh token is active as well, but has no `token_type`.
        let is_bearer = |kind: &Value| kind.as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
        if !answer.get("token_type").is_some_and(is_bearer) {
            return Err(AccessTokenError::Type.into());
        }
        let json = answer.to_string().into_bytes();
        Ok((Claims::parse(&json)?, json, *asked_at))
    }

    async fn request(&self, issuer: &Issuer, token: &str, now: u64) -> Answer {
        let _permit = self.requests.acquire().await;
        let metadata = issuer.metadata().await?;
        let endpoint = TokenEndpoint {
            http: issuer.http(),
            metadata: &metadata,
            client_id: &self.app_id,
            client_secret: Some(self.app_secret.as_str()),
        };
        let answer = endpoint.introspect(token).await?;
        match answer.get("active") {
            Some(Value::Bool(true)) => Ok(Some(Arc::new((Value::Object(answer), now)))),
            Some(Value::Bool(false)) => Ok(None),
            _ => Err(RequestError::invalid(Endpoint::Introspection, "`active` is not true or false")),
        }
    }
}
