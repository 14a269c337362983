//! The way back from the provider.

use logto_storage_core::{Change, LogtoStorage};
use url::{Url, form_urlencoded};

use crate::claims::IdTokenClaims;
use crate::error::{Endpoint, Error, RequestError, Result, WithCauses, quotable};
use crate::id_token::Occasion;
use crate::items::{self, AccessTokens, StoredToken};
use crate::now;
use crate::pending::{PendingSignIn, PendingSignIns};
use crate::session::LogtoSession;
use crate::sign_in::ANSWER_PARAMS;

/// More bytes than any provider's callback has.
const MAX_LEN: usize = 16 * 1024;

/// A sign-in that succeeded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignedIn {
    /// Where the user wanted to go, as it was given to
    /// [`SignInOptions::post_redirect_uri`](crate::SignInOptions::post_redirect_uri).
    pub post_redirect_uri: Option<String>,
    /// Who signed in.
    pub claims: IdTokenClaims,
}

impl<S: LogtoStorage> LogtoSession<S> {
    /// Ends the sign-in that this callback belongs to: gets the tokens for its code, and keeps them in the session,
    /// which gets a new id in the same save.
    ///
    /// `callback_url` is the URL that the browser was sent to: absolute, or, as a web framework has it, its path and
    /// query (`/callback?code=…`). Only its path and query are needed, so nothing depends on the `Host` header.
    ///
    /// The sign-in is used up, whatever comes of it: another callback for it is an
    /// [`UnknownState`](Error::UnknownState). Other tabs' are not touched.
    ///
    /// # Errors
    ///
    /// - [`is_stale_callback`](Error::is_stale_callback): it is of no sign-in that is under way here. Begin anew.
    /// - [`SignInCancelled`](Error::SignInCancelled): the user cancelled. Nothing is used up.
    /// - [`is_access_denied`](Error::is_access_denied): the user said no, or the provider.
    /// - [`is_sign_in_required`](Error::is_sign_in_required): after [`Prompt::None`](crate::Prompt::None), the provider has to
    ///   show a page.
    /// - [`AuthorizationFailed`](Error::AuthorizationFailed): the provider reports another error.
    /// - [`InvalidCallback`](Error::InvalidCallback), [`WrongRedirectUri`](Error::WrongRedirectUri),
    ///   [`WrongIssuer`](Error::WrongIssuer), [`InvalidIdToken`](Error::InvalidIdToken),
    ///   [`ClockSkew`](Error::ClockSkew): what came is not to be believed.
    /// - [`TokenEndpoint`](Error::TokenEndpoint), [`Request`](Error::Request): the provider refuses or does not answer.
    /// - [`RenewalUnsupported`](Error::RenewalUnsupported), [`Storage`](Error::Storage): the session cannot take it.
    ///
    /// After an error the session is as signed in, or not, as it was before.
    pub async fn handle_sign_in_callback(&self, callback_url: &str) -> Result<SignedIn> {
        let result = self.sign_in_by(callback_url).await;
        match &result {
            Ok(_) => {}
            Err(error @ Error::SignInCancelled) => tracing::info!(%error),
            Err(error) => tracing::warn!(error = %WithCauses(error), "callback rejected"),
        }
        result
    }

    /// The [`post_redirect_uri`](crate::SignInOptions::post_redirect_uri) of the pending sign-in that this callback belongs to,
    /// or of the newest one if the callback has no `state` because the user cancelled. Read it before
    /// [`handle_sign_in_callback`](Self::handle_sign_in_callback), which uses the sign-in up: a user who tries again after an
    /// error then still gets where they wanted to go.
    ///
    /// ```
    /// use logto_client::{Error, LogtoSession, LogtoStorage, SignInOptions};
    ///
    /// /// Where to send the browser after the callback.
    /// async fn callback<S: LogtoStorage>(session: &LogtoSession<S>, url: &str) -> Result<String, Error> {
    ///     let return_to = session.pending_post_redirect_uri(url).await?;
    ///     match session.handle_sign_in_callback(url).await {
    ///         Ok(_) => Ok(return_to.unwrap_or("/".to_owned())),
    ///         Err(error) if error.is_access_denied() => {
    ///             let again = SignInOptions::new("https://app.example.com/callback");
    ///             Ok(session.sign_in(again.post_redirect_uri(return_to.unwrap_or("/".to_owned()))).await?.into())
    ///         }
    ///         Err(error) => Err(error),
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidCallback`](Error::InvalidCallback), [`Storage`](Error::Storage).
    pub async fn pending_post_redirect_uri(&self, callback_url: &str) -> Result<Option<String>> {
        let callback = Callback::parse(callback_url)?;
        let state = callback.param("state")?;
        if state.is_none() && !callback.is_cancelled() {
            return Ok(None);
        }
        let sign_ins = self.pending_sign_ins().await?;
        Ok(sign_ins.find(state, now()).and_then(|sign_in| sign_in.post_redirect_uri.clone()))
    }

    async fn sign_in_by(&self, callback_url: &str) -> Result<SignedIn> {
        let callback = Callback::parse(callback_url)?;
        if callback.is_cancelled() {
            return Err(Error::SignInCancelled);
        }
        let state = callback.param("state")?.ok_or(invalid("has no `state`"))?;
        let mut sign_ins = self.pending_sign_ins().await?;
        if sign_ins.is_empty() {
            return Err(Error::NoPendingSignIn);
        }
        let sign_in = sign_ins.take(state, now()).ok_or(Error::UnknownState)?;
        if !self.client().is_first_callback(state) {
            return Err(Error::UnknownState);
        }
        // In a box: the futures of apps that await this one stay small.
        match Box::pin(self.finish(&callback, &sign_in)).await {
            Ok(claims) => Ok(SignedIn { post_redirect_uri: sign_in.post_redirect_uri, claims }),
            Err(error) => {
                // What went wrong matters more than this, and in this process it will not be taken a second time.
                if let Err(error) = self.use_up(&sign_in).await {
                    let error = WithCauses(&error);
                    tracing::warn!(%error, "a sign-in that failed could not be removed from the session");
                }
                Err(error)
            }
        }
    }

    /// Removes a sign-in that failed. The provider was asked meanwhile, which takes its time: the session is read again,
    /// since it is saved whole, and would undo what other requests have done.
    async fn use_up(&self, sign_in: &PendingSignIn) -> Result<()> {
        self.storage().reload().await?;
        let mut others = self.pending_sign_ins().await?;
        if others.take(&sign_in.state, now()).is_none() {
            return Ok(());
        }
        let others = encode_pending(&others);
        Ok(self.storage().apply(&[set_or_remove(items::SIGN_IN_SESSION, others.as_deref())]).await?)
    }

    async fn finish(&self, callback: &Callback<'_>, sign_in: &PendingSignIn) -> Result<IdTokenClaims> {
        // Before any request: what the browser brought decides whether there is anything to ask the provider for.
        let requires_iss = self.client().known_discovery().is_some_and(|discovery| discovery.sends_issuer);
        let code = callback.check(&sign_in.redirect_uri, self.client().config().issuer(), requires_iss)?;
        if callback.param("iss")?.is_none() && self.client().discovery().await?.sends_issuer {
            return Err(Error::WrongIssuer { missing: true });
        }
        let response = self.client().exchange_code(code, sign_in).await?;
        let tokens = response.tokens(now())?;
        let id_token = tokens
            .id_token
            .ok_or(RequestError::invalid(Endpoint::Token, "has no `id_token` (the scope `openid` asks for it)"))?;
        let occasion = Occasion::SignIn { nonce: &sign_in.nonce };
        let claims = self.client().verify_id_token(&id_token, &tokens.access_token.token, occasion).await?;

        let id_token = items::encode(StoredToken { token: id_token });
        let refresh_token = response.refresh_token.map(|token| items::encode(StoredToken { token }));
        let access_tokens = items::encode(AccessTokens::of(items::access_token_key(None, None), tokens.access_token));
        // As they are now: a session that its requests share may have got more meanwhile.
        let mut others = self.pending_sign_ins().await?;
        others.take(&sign_in.state, now());
        let others = encode_pending(&others);
        self.leave_sign_in(self.renew(&[
            Change::set(items::ID_TOKEN, &id_token),
            set_or_remove(items::REFRESH_TOKEN, refresh_token.as_deref()),
            Change::set(items::ACCESS_TOKEN_MAP, &access_tokens),
            set_or_remove(items::SIGN_IN_SESSION, others.as_deref()),
        ]))
        .await?;
        tracing::info!(refreshable = refresh_token.is_some(), "signed in");
        Ok(claims)
    }
}

fn encode_pending(sign_ins: &PendingSignIns) -> Option<String> {
    (!sign_ins.is_empty()).then(|| items::encode(sign_ins))
}

fn set_or_remove<'a>(key: &'a str, value: Option<&'a str>) -> Change<'a> {
    value.map_or(Change::remove(key), |value| Change::set(key, value))
}

/// A callback's URL, none of which is believed yet.
struct Callback<'a> {
    url: &'a str,
    params: Vec<(String, String)>,
}

impl<'a> Callback<'a> {
    fn parse(url: &'a str) -> Result<Self> {
        if url.len() > MAX_LEN {
            return Err(invalid("is longer than 16 KiB"));
        }
        let url = url.split_once('#').map_or(url, |(url, _fragment)| url);
        let query = url.split_once('?').map_or("", |(_, query)| query);
        Ok(Self { url, params: form_urlencoded::parse(query.as_bytes()).into_owned().collect() })
    }

    /// RFC 6749, section 3.1: no parameter comes twice, and an empty one counts as missing.
    fn param(&self, name: &str) -> Result<Option<&str>> {
        let mut values = self.params.iter().filter(|(key, _)| key == name).map(|(_, value)| &**value);
        let value = values.next();
        if values.next().is_some() {
            return Err(invalid("has a parameter twice"));
        }
        Ok(value.filter(|value| !value.is_empty()))
    }

    /// Whether the redirect URI was opened without any parameter of the provider's, as Logto's "Cancel" does.
    fn is_cancelled(&self) -> bool {
        !self.params.iter().any(|(name, _)| ANSWER_PARAMS.contains(&&**name))
    }

    /// The code, if the callback is this provider's answer to the sign-in.
    fn check(&self, redirect_uri: &str, issuer: &str, requires_iss: bool) -> Result<&str> {
        let expected = Url::parse(redirect_uri).map_err(|_| invalid("belongs to a sign-in that was stored wrong"))?;
        let found = expected.join(self.url).map_err(|_| invalid("is no URL"))?;
        if found.origin() != expected.origin() || found.path() != expected.path() {
            let without_query = |mut url: Url| {
                url.set_query(None);
                url.set_fragment(None);
                url.to_string()
            };
            return Err(Error::WrongRedirectUri { expected: without_query(expected), found: without_query(found) });
        }
        match self.param("iss")? {
            Some(found) if found != issuer => return Err(Error::WrongIssuer { missing: false }),
            None if requires_iss => return Err(Error::WrongIssuer { missing: true }),
            _ => {}
        }
        match (self.param("code")?, self.param("error")?) {
            (Some(code), None) => Ok(code),
            (None, Some(error)) => {
                let description = self.param("error_description")?.map(quotable);
                Err(match error {
                    "access_denied" => Error::AccessDenied { description },
                    error => Error::AuthorizationFailed { error: quotable(error), description },
                })
            }
            (Some(_), Some(_)) => Err(invalid("has both a `code` and an `error`")),
            (None, None) => Err(invalid("has neither a `code` nor an `error`")),
        }
    }
}

fn invalid(problem: &'static str) -> Error {
    Error::InvalidCallback { problem }
}
