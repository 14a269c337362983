//! Verified access tokens, against a provider whose keys sign them.

mod builder;
mod debug;
mod introspection;
mod keys;
mod memory;
mod permissions;
mod random_tokens;
mod request;
mod response;
mod verify;

use std::sync::LazyLock;

use fake_provider::keys::Jwt;
use fake_provider::{API, FakeProvider};

use crate::api::{ApiError, LogtoApi, LogtoApiBuilder};
use crate::error::AccessTokenError;

static HTTP: LazyLock<reqwest::Client> = LazyLock::new(|| {
    // Connections belong to the runtime of a test.
    reqwest::Client::builder().pool_max_idle_per_host(0).no_proxy().build().unwrap()
});

/// A provider, and an API that accepts its tokens.
struct World {
    provider: FakeProvider,
    api: LogtoApi,
}

impl World {
    async fn start() -> Self {
        Self::start_with(|builder| builder.audience(API)).await
    }

    async fn start_with(configure: impl FnOnce(LogtoApiBuilder) -> LogtoApiBuilder) -> Self {
        let provider = FakeProvider::start().await;
        let builder = configure(LogtoApi::builder(provider.origin()).http_client(HTTP.clone()));
        Self { api: builder.build().unwrap(), provider }
    }

    fn token(&self, change: impl FnOnce(&mut Jwt)) -> String {
        self.provider.access_token(change)
    }

    /// Why a token with these changes is refused.
    #[track_caller]
    fn refusal(&self, change: impl FnOnce(&mut Jwt)) -> impl Future<Output = AccessTokenError> {
        let token = self.token(change);
        async move { refusal(self.api.verify(&token).await) }
    }
}

#[track_caller]
fn refusal<T: std::fmt::Debug>(result: Result<T, ApiError>) -> AccessTokenError {
    match result {
        Err(ApiError::InvalidToken(error)) => error,
        other => panic!("{other:?}"),
    }
}
