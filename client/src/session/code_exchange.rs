//! The exchange of a callback's code for tokens, in a task of its own that the browser's request cannot cancel.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::Instrument as _;

use crate::error::{Endpoint, RequestError, Result};
use crate::oidc::id_token::IssuedFor;
use crate::oidc::pkce;
use crate::session::Shared;
use crate::session::exchanges::{Exchange, IssuedTokens};
use crate::session::sign_in_sessions::SignInSession;
use crate::util::now;

/// How long the tokens wait for a request that stores them.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// Lets no request wait for a task that was dropped with its runtime.
struct InterruptOnDrop<'a>(&'a Exchange);

impl Drop for InterruptOnDrop<'_> {
    fn drop(&mut self) {
        self.0.interrupt();
    }
}

impl Shared {
    /// The exchange of the code for this sign-in, which is started unless another request has. `None` if the `state` was used
    /// with another sign-in. `signed_in_as` is the subject of the session's sign-in so far.
    pub(super) fn exchange(
        self: &Arc<Self>,
        sign_in: &SignInSession,
        code: &str,
        signed_in_as: Option<String>,
    ) -> Option<Arc<Exchange>> {
        let (exchange, is_new) = self.exchanges().get_or_start(sign_in)?;
        if is_new {
            let (shared, exchange) = (Arc::clone(self), Arc::clone(&exchange));
            let (sign_in, code) = (sign_in.clone(), code.to_owned());
            let task = async move { shared.run_exchange(&exchange, &sign_in, &code, signed_in_as).await };
            tokio::spawn(task.in_current_span());
        }
        Some(exchange)
    }

    async fn run_exchange(
        self: Arc<Self>,
        exchange: &Exchange,
        sign_in: &SignInSession,
        code: &str,
        signed_in_as: Option<String>,
    ) {
        let _interrupt = InterruptOnDrop(exchange);
        let started = Instant::now();
        let tokens = match self.exchange_code(sign_in, code).await {
            Ok(tokens) => Arc::new(tokens),
            Err(error) => return exchange.end(Err(error)),
        };
        exchange.end(Ok(Arc::clone(&tokens)));
        sleep(MAX_WAIT).await;
        if !exchange.abandon() {
            return;
        }
        // In one session of Logto's, all sign-ins of a user share a grant, and a revocation would end the others, too.
        let subject = &tokens.claims.sub;
        let shares_grant = signed_in_as.as_ref() == Some(subject) || self.has_signed_in_since(subject, started);
        if let Some(refresh_token) = tokens.refresh_token.clone().filter(|_| !shares_grant) {
            tracing::info!("no request took the tokens of a callback: revoking them");
            self.revoke_in_background(refresh_token, Some(subject.clone())).await;
        }
    }

    async fn exchange_code(&self, sign_in: &SignInSession, code: &str) -> Result<IssuedTokens> {
        let provider = self.provider();
        let response = provider.exchange_code(code, &sign_in.redirect_uri, &sign_in.code_verifier).await?;
        let tokens = response.tokens(now())?;
        let id_token = tokens
            .id_token
            .ok_or(RequestError::invalid(Endpoint::Token, "missing `id_token`; is the scope `openid` requested?"))?;
        let issued_for = IssuedFor::SignIn { nonce: &sign_in.nonce };
        let claims = provider.verify_id_token(&id_token, tokens.access_token.as_str(), issued_for).await?;
        Ok(IssuedTokens {
            sign_in: pkce::random(),
            claims,
            id_token,
            access_token: tokens.access_token,
            refresh_token: response.refresh_token,
        })
    }
}
