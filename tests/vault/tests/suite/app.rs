//! The app under test: what it does with a session, whichever framework it is written with.

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::sync::LazyLock;

use fake_provider::{APP_ID, APP_SECRET, FakeProvider, Gate, REDIRECT_URI};
use logto_client::axum::{LogtoAuth, VaultLayer};
use logto_client::vault::{Vault, Vaulted};
use logto_client::{
    Error, LogtoClient, LogtoConfig, LogtoSession, LogtoStorage, SessionHandle, SignInOptions, TokenTarget, Url,
};
use serde_json::{Value, json};

use crate::store::TestStore;

/// The APIs that the app gets tokens for.
pub(crate) const APIS: [&str; 3] =
    ["https://api.example.com", "https://orders.example.com", "https://reports.example.com"];

/// To build one for each app would take most of the tests' time. Connections belong to an app's runtime, so none is kept.
static HTTP: LazyLock<reqwest::Client> =
    LazyLock::new(|| reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().expect("an HTTP client"));

/// How an app gets at its own values in the session.
pub(crate) trait OwnValues {
    fn value(&self, key: &str) -> impl Future<Output = Option<String>> + Send;
    fn set_value(&self, key: &str, value: &str) -> impl Future<Output = ()> + Send;
}

#[derive(LogtoStorage)]
struct Storage<H: SessionHandle + Sync> {
    session: Vaulted<H, TestStore>,
}

pub(crate) struct App {
    config: LogtoConfig,
    vault: Vault<TestStore>,
    /// Where slow pages wait.
    gate: Gate,
}

/// What a handler is to return.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) body: String,
    /// Whether the handler returns an error instead.
    pub(crate) is_err: bool,
}

impl App {
    pub(crate) fn new(provider: &FakeProvider, store: &TestStore, gate: &Gate, keeps_session_id: bool) -> Self {
        let config = LogtoConfig::builder(provider.origin(), APP_ID).app_secret(APP_SECRET).resources(APIS);
        let config = if keeps_session_id { config.dangerously_keep_session_id() } else { config };
        Self { config: config.build().expect("a configuration"), vault: Vault::new(store.clone()), gate: gate.clone() }
    }

    /// Answers a request. It has a client of its own, as if it were the first one in another process: nothing but the vault
    /// and the session connects it to others.
    pub(crate) async fn answer<H>(&self, session: H, own: &impl OwnValues, path_and_query: &str) -> Answer
    where
        H: SessionHandle + Sync,
    {
        let storage = Storage { session: Vaulted::new(session, self.vault.clone()) };
        self.answer_over(storage, own, path_and_query).await
    }

    /// The same over a storage in the vault.
    pub(crate) async fn answer_over<S>(&self, storage: S, own: &impl OwnValues, path_and_query: &str) -> Answer
    where
        S: LogtoStorage + Sync,
    {
        let url = Url::parse(REDIRECT_URI).and_then(|base| base.join(path_and_query)).expect("a path");
        let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
        let session = self.client().session(storage);
        let result = Box::pin(self.result(&session, own, &url, &query)).await;
        let mut answer = result.unwrap_or_else(|error| Answer {
            status: status(&error),
            location: None,
            body: json!({"error": error.to_string()}).to_string(),
            is_err: false,
        });
        if answer.status == 500 && query.contains_key("errors-are-400") {
            answer.status = 400;
        }
        match query.get("ending").map(String::as_str) {
            None => {}
            Some("500") => answer.status = 500,
            Some("err") => answer.is_err = true,
            // Without a line in the log.
            Some("panic") => resume_unwind(Box::new("the test says so")),
            Some(other) => panic!("an unknown ending: {other}"),
        }
        answer
    }

    /// The layer of an app without a session library.
    pub(crate) fn vault_layer(&self) -> VaultLayer {
        let auth = LogtoAuth::builder(self.client(), "http://localhost").build().expect("a configuration");
        auth.vault_layer(self.vault.clone())
    }

    fn client(&self) -> LogtoClient {
        LogtoClient::with_http_client(self.config.clone(), HTTP.clone())
    }

    async fn result<S>(
        &self,
        session: &LogtoSession<S>,
        own: &impl OwnValues,
        url: &Url,
        query: &HashMap<String, String>,
    ) -> Result<Answer, Error>
    where
        S: LogtoStorage + Sync,
    {
        Ok(match url.path() {
            "/page" => page(&user(session).await?),
            "/sign-in" => redirect(&session.sign_in(SignInOptions::new(REDIRECT_URI)).await?),
            "/callback" => {
                page(&json!({"user": session.handle_sign_in_callback(url.as_str()).await?.claims.user.name}))
            }
            "/token" => page(&token(session, &query["target"]).await?),
            "/sign-out" => redirect(&session.sign_out(None).await?),
            "/value" => {
                if let Some(value) = query.get("set") {
                    own.set_value("cart", value).await;
                }
                page(&json!({"value": own.value("cart").await}))
            }
            "/slow" => {
                let user = user(session).await?;
                self.gate.pass().await;
                own.set_value("visits", &query["number"]).await;
                match query.get("target") {
                    Some(target) => page(&token(session, target).await?),
                    None => page(&user),
                }
            }
            path => panic!("an unknown path: {path}"),
        })
    }
}

async fn user<S: LogtoStorage>(session: &LogtoSession<S>) -> Result<Value, Error> {
    let id_token = session.id_token().await?.map(|token| token.as_str().len());
    let name = session.context().await?.claims.and_then(|claims| claims.user.name);
    Ok(json!({"user": name, "id_token_bytes": id_token}))
}

async fn token<S: LogtoStorage>(session: &LogtoSession<S>, target: &str) -> Result<Value, Error> {
    let token = session.access_token(TokenTarget::resource(target)).await?;
    let claims = session.access_token_claims(TokenTarget::resource(target)).await?;
    let is_users = claims.sub == Some(session.id_token_claims().await?.sub);
    Ok(json!({"bytes": token.as_str().len(), "is_users": is_users}))
}

fn status(error: &Error) -> u16 {
    match () {
        () if error.is_sign_in_required() => 401,
        () if error.is_stale_callback() => 400,
        () => 500,
    }
}

fn page(body: &Value) -> Answer {
    Answer { status: 200, location: None, body: body.to_string(), is_err: false }
}

fn redirect(to: &Url) -> Answer {
    Answer { status: 303, location: Some(to.to_string()), body: json!({}).to_string(), is_err: false }
}
