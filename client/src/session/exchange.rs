//! The exchange of a callback's code for tokens.
//!
//! A browser may send a callback twice: on a reload, which cancels the first request, or on a double click. The code is good
//! for one use, so the exchange runs in a task of its own, once per `state`, and all requests of the session that started the
//! sign-in share its result.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tracing::Instrument as _;

use crate::claims::IdTokenClaims;
use crate::client::LogtoClient;
use crate::error::{Endpoint, Error, RequestError, Result};
use crate::oidc::id_token::IssuedFor;
use crate::session::sign_in::{SIGN_IN_LIFETIME, SignInSession};
use crate::tokens::AccessToken;
use crate::util::now;
use crate::util::ttl_map::{TtlMap, digest};

/// How long the tokens wait for a request that stores them.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// The exchanges of this process, by `state`.
pub(crate) struct Exchanges(TtlMap<Arc<Exchange>>);

pub(crate) struct Exchange {
    /// Proves that a session held the pending sign-in. A digest.
    code_verifier: Vec<u8>,
    outcome: watch::Sender<Outcome>,
    is_stored: AtomicBool,
}

#[derive(Clone)]
enum Outcome {
    UnderWay,
    Tokens(Arc<IssuedTokens>),
    Failed(Arc<Error>),
    /// The tokens are stored or revoked, and not handed out any more.
    Over,
}

/// What the provider issued for a code, verified.
pub(crate) struct IssuedTokens {
    pub(crate) claims: IdTokenClaims,
    pub(crate) id_token: String,
    pub(crate) access_token: AccessToken,
    pub(crate) refresh_token: Option<String>,
}

/// What a callback asks for.
pub(crate) struct ExchangeRequest<'a> {
    pub(crate) sign_in: &'a SignInSession,
    pub(crate) code: &'a str,
    /// The subject of the session's sign-in so far.
    pub(crate) signed_in_as: Option<&'a str>,
}

impl Exchanges {
    pub(crate) fn new() -> Self {
        Self(TtlMap::new(|_| Duration::from_secs(SIGN_IN_LIFETIME)))
    }

    /// The exchange for this sign-in, which is started if it is new. `None` if another sign-in has used the `state`.
    pub(crate) fn join(&self, client: &LogtoClient, request: ExchangeRequest<'_>) -> Option<Arc<Exchange>> {
        let ExchangeRequest { sign_in, code, signed_in_as } = request;
        let code_verifier = digest(&sign_in.code_verifier);
        let (exchange, is_new) = self.0.get_or_insert_with(&sign_in.state, || {
            let (outcome, _) = watch::channel(Outcome::UnderWay);
            Arc::new(Exchange { code_verifier: code_verifier.clone(), outcome, is_stored: AtomicBool::new(false) })
        });
        if is_new {
            let signed_in_as = signed_in_as.map(str::to_owned);
            let task = run(client.clone(), Arc::clone(&exchange), sign_in.clone(), code.to_owned(), signed_in_as);
            tokio::spawn(task.in_current_span());
        }
        verify_slices_are_equal(&exchange.code_verifier, &code_verifier).is_ok().then_some(exchange)
    }
}

impl Exchange {
    /// The tokens, once they are there.
    pub(crate) async fn tokens(&self) -> Result<Arc<IssuedTokens>> {
        let mut outcome = self.outcome.subscribe();
        let outcome = outcome.wait_for(|outcome| !matches!(outcome, Outcome::UnderWay)).await;
        match outcome.as_deref() {
            Ok(Outcome::Tokens(tokens)) => Ok(Arc::clone(tokens)),
            Ok(Outcome::Failed(error)) => Err(shared(error)),
            Ok(Outcome::Over) => Err(Error::UnknownState),
            Ok(Outcome::UnderWay) | Err(_) => Err(Error::Interrupted),
        }
    }

    /// A session has the tokens.
    pub(crate) fn stored(&self) {
        self.is_stored.store(true, Ordering::Release);
    }

    /// No session can take the tokens. Returns whether none has.
    pub(crate) fn abandon(&self) -> bool {
        self.outcome.send_replace(Outcome::Over);
        !self.is_stored.load(Ordering::Acquire)
    }
}

async fn run(
    client: LogtoClient,
    exchange: Arc<Exchange>,
    sign_in: SignInSession,
    code: String,
    signed_in_as: Option<String>,
) {
    let tokens = match exchange_code(&client, &sign_in, &code).await {
        Ok(tokens) => Arc::new(tokens),
        Err(error) => {
            exchange.outcome.send_replace(Outcome::Failed(Arc::new(error)));
            return;
        }
    };
    let issued_at = Instant::now();
    exchange.outcome.send_replace(Outcome::Tokens(Arc::clone(&tokens)));
    sleep(MAX_WAIT).await;
    if !exchange.abandon() {
        return;
    }
    // In one session of Logto's, all sign-ins of a user share a grant, and a revocation would end the others, too.
    let subject = &tokens.claims.sub;
    let shares_grant = signed_in_as.as_ref() == Some(subject) || client.has_signed_in_since(subject, issued_at);
    if let Some(refresh_token) = tokens.refresh_token.clone().filter(|_| !shares_grant) {
        tracing::info!("no request took the tokens of a callback: revoking them");
        client.revoke_in_background(refresh_token).await;
    }
}

async fn exchange_code(client: &LogtoClient, sign_in: &SignInSession, code: &str) -> Result<IssuedTokens> {
    let provider = client.provider();
    let response = provider.exchange_code(code, &sign_in.redirect_uri, &sign_in.code_verifier).await?;
    let tokens = response.tokens(now())?;
    let id_token = tokens
        .id_token
        .ok_or(RequestError::invalid(Endpoint::Token, "missing `id_token`; is the scope `openid` requested?"))?;
    let issued_for = IssuedFor::SignIn { nonce: &sign_in.nonce };
    let claims = provider.verify_id_token(&id_token, tokens.access_token.as_str(), issued_for).await?;
    Ok(IssuedTokens { claims, id_token, access_token: tokens.access_token, refresh_token: response.refresh_token })
}

/// The same error for another request.
fn shared(error: &Error) -> Error {
    match error {
        Error::Request(error) => Error::Request(error.clone()),
        Error::InvalidIdToken(error) => Error::InvalidIdToken(error.clone()),
        Error::ClockSkew { claim, seconds } => Error::ClockSkew { claim, seconds: *seconds },
        Error::TokenEndpoint { error, description } => {
            Error::TokenEndpoint { error: error.clone(), description: description.clone() }
        }
        _ => Error::Interrupted,
    }
}
