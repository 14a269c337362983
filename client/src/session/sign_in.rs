//! Sign-in: the redirect to the provider, and the callback. Several tabs can each have a pending sign-in.

use std::time::Duration;

use logto_storage_core::{Change, ErrorKind, LogtoStorage, Seen};
use url::Url;

use crate::claims::IdTokenClaims;
use crate::error::{Error, ErrorChain, Result};
use crate::oidc::authorize::SignInOptions;
use crate::oidc::callback::{self, CallbackParams};
use crate::session::exchanges::IssuedTokens;
use crate::session::items::{self, AccessTokenIndex, StoredAccessToken, StoredIdToken, set_or_remove};
use crate::session::sign_in_sessions::{SIGN_IN_LIFETIME, SignInSession, SignInSessions};
use crate::session::{LogtoSession, write_refresh_token};
use crate::tokens::TokenTarget;
use crate::util::now;

/// A successful sign-in. Returned by [`LogtoSession::handle_sign_in_callback`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SignedIn {
    /// The value that was passed to [`SignInOptions::post_redirect_uri`](crate::SignInOptions::post_redirect_uri).
    pub post_redirect_uri: Option<String>,
    /// The claims of the ID token, which name the user.
    pub claims: IdTokenClaims,
}

impl<S: LogtoStorage> LogtoSession<S> {
    /// Starts a sign-in and returns the URL to redirect the browser to.
    ///
    /// The pending sign-in is stored in the session for an hour, which is as long as Logto keeps its form. A session
    /// that holds nothing else expires then, if the session library allows it. A session
    /// can have eight pending sign-ins, one per tab; the next one replaces the oldest.
    ///
    /// ```
    /// use logto_client::{Error, LogtoSession, LogtoStorage, SignInOptions, Url};
    ///
    /// async fn sign_in<S: LogtoStorage>(session: &LogtoSession<S>) -> Result<Url, Error> {
    ///     session.sign_in(SignInOptions::new("https://app.example.com/callback").post_redirect_uri("/orders/7")).await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// - [`InvalidOption`](Error::InvalidOption): an option is invalid.
    /// - [`RenewalUnsupported`](Error::RenewalUnsupported): the session cannot get a new id, as the callback requires.
    /// - [`Request`](Error::Request): the provider's metadata cannot be fetched, or the provider is known to be down.
    /// - [`Storage`](Error::Storage): the session cannot be read or saved.
    #[doc(alias = "login")]
    pub async fn sign_in(&self, options: SignInOptions) -> Result<Url> {
        options.check()?;
        self.check_renewal()?;
        let provider = self.shared().provider();
        let metadata = provider.metadata_for_browser().await?;
        let sign_in = SignInSession::new(&options, now());
        let url = sign_in.authorization_url(provider.config(), &options, &metadata.authorization_endpoint);

        if options.clear_tokens {
            self.end_sign_in(self.clear_stored_tokens()).await?;
        }
        self.add_sign_in(sign_in).await?;
        tracing::debug!("sign-in started");
        Ok(url)
    }

    async fn add_sign_in(&self, sign_in: SignInSession) -> Result<()> {
        loop {
            let seen = self.storage().get_item(items::SIGN_IN_SESSION).await?;
            let mut sign_ins = decode_sign_ins(seen.as_deref());
            sign_ins.add(sign_in.clone(), now());
            let sign_ins = items::encode(sign_ins);
            let seen = [Seen::new(items::SIGN_IN_SESSION, seen.as_deref())];
            let changes = [Change::set(items::SIGN_IN_SESSION, &sign_ins)];
            match self.storage().apply_if(&seen, &changes).await {
                // Another tab has started a sign-in.
                Err(error) if error.kind() == ErrorKind::Conflict => {
                    self.storage().reload().await?;
                }
                Err(error) if error.kind() == ErrorKind::Unsupported => {
                    let lifetime = Duration::from_secs(SIGN_IN_LIFETIME);
                    return Ok(self.storage().apply_expiring(&changes, lifetime).await?);
                }
                added => return Ok(added?),
            }
        }
    }

    /// Completes a sign-in: exchanges the code of the callback for tokens, verifies them, and stores them in the
    /// session, which gets a new id in the same save.
    ///
    /// `callback_url` is the URL of the request, either absolute or its path and query (`/callback?code=…`). Only the
    /// path and query are used, so nothing depends on the `Host` header.
    ///
    /// A pending sign-in can be completed once, whether it succeeds or fails. Pending sign-ins of other tabs stay.
    ///
    /// ```
    /// use logto_client::{Error, LogtoSession, LogtoStorage};
    ///
    /// /// Returns where to redirect the browser.
    /// async fn callback<S: LogtoStorage>(session: &LogtoSession<S>, path_and_query: &str) -> Result<String, Error> {
    ///     let signed_in = session.handle_sign_in_callback(path_and_query).await?;
    ///     Ok(signed_in.post_redirect_uri.unwrap_or("/".to_owned()))
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// A failed callback neither signs anybody in nor out.
    ///
    /// - [`is_stale_callback`](Error::is_stale_callback): the session has no such pending sign-in. Start another one.
    /// - [`SignInCancelled`](Error::SignInCancelled): the user cancelled. All pending sign-ins stay.
    /// - [`is_access_denied`](Error::is_access_denied): the user or the provider refused the sign-in.
    /// - [`is_sign_in_required`](Error::is_sign_in_required): after [`Prompt::None`](crate::Prompt::None), the
    ///   provider has to show a page.
    /// - [`AuthorizationFailed`](Error::AuthorizationFailed): the provider reports another error.
    /// - [`InvalidCallback`](Error::InvalidCallback), [`WrongRedirectUri`](Error::WrongRedirectUri),
    ///   [`WrongIssuer`](Error::WrongIssuer), [`InvalidIdToken`](Error::InvalidIdToken),
    ///   [`ClockSkew`](Error::ClockSkew): the callback or the ID token is not valid.
    /// - [`TokenEndpoint`](Error::TokenEndpoint), [`Request`](Error::Request): the provider refuses the request or
    ///   does not answer.
    /// - [`RenewalUnsupported`](Error::RenewalUnsupported), [`Storage`](Error::Storage): the session cannot get a new
    ///   id, or cannot be read or saved.
    pub async fn handle_sign_in_callback(&self, callback_url: &str) -> Result<SignedIn> {
        let result = self.sign_in_by(callback_url).await;
        match &result {
            Ok(_) => {}
            Err(error @ Error::SignInCancelled) => tracing::info!(%error),
            Err(error) if error.is_misconfiguration() => {
                tracing::error!(error = %ErrorChain(error), "callback rejected");
            }
            Err(error) => tracing::warn!(error = %ErrorChain(error), "callback rejected"),
        }
        result
    }

    /// Returns the [`post_redirect_uri`](crate::SignInOptions::post_redirect_uri) of the pending sign-in that this
    /// callback belongs to, or of the newest one if the callback has no `state` because the user cancelled.
    ///
    /// Call it before [`handle_sign_in_callback`](Self::handle_sign_in_callback), which removes the pending sign-in.
    /// After an error you can then start another sign-in with the same destination.
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
        let callback = CallbackParams::parse(callback_url)?;
        let state = callback.param("state")?;
        if state.is_none() && !callback.is_cancelled() {
            return Ok(None);
        }
        let sign_ins = self.sign_in_sessions().await?;
        Ok(sign_ins.find(state, now()).and_then(|sign_in| sign_in.post_redirect_uri.clone()))
    }

    async fn sign_in_by(&self, callback_url: &str) -> Result<SignedIn> {
        let callback = CallbackParams::parse(callback_url)?;
        if callback.is_cancelled() {
            return Err(Error::SignInCancelled);
        }
        let state = callback.param("state")?.ok_or(callback::invalid("has no `state`"))?;
        let mut sign_ins = self.sign_in_sessions().await?;
        if sign_ins.is_empty() {
            return Err(Error::NoPendingSignIn);
        }
        let sign_in = sign_ins.take(state, now()).ok_or(Error::UnknownState)?;
        // In a box: the futures of apps that await this one stay small.
        match Box::pin(self.complete(&callback, &sign_in)).await {
            Ok(claims) => Ok(SignedIn { post_redirect_uri: sign_in.post_redirect_uri, claims }),
            Err(error) => {
                // The caller gets the callback's error, whatever comes of this.
                if let Err(error) = self.use_up(&sign_in).await {
                    let error = ErrorChain(&error);
                    tracing::warn!(%error, "a sign-in that failed could not be removed from the session");
                }
                Err(error)
            }
        }
    }

    async fn complete(&self, callback: &CallbackParams<'_>, sign_in: &SignInSession) -> Result<IdTokenClaims> {
        let provider = self.shared().provider();
        // Before any request: what the browser brought decides whether there is anything to ask the provider for.
        let requires_iss = provider.known_metadata().is_some_and(|metadata| metadata.iss_parameter_supported);
        let code = callback.check(&sign_in.redirect_uri, provider.config().issuer(), requires_iss)?;
        if callback.param("iss")?.is_none() && provider.metadata().await?.iss_parameter_supported {
            return Err(Error::WrongIssuer { missing: true });
        }
        let signed_in_as = self.own_id_token().await?.map(|(_, claims)| claims.sub);
        let exchange = self.shared().exchange(sign_in, code, signed_in_as).ok_or(Error::UnknownState)?;
        let tokens = exchange.tokens().await?;
        // One request at a time: the second would take the tokens of the first for those of a sign-in that it replaces.
        let _storing = exchange.lock_for_storing().await;
        // Before the save, which may succeed although this request is cancelled. If it fails, the tokens wait for another
        // request, and are revoked if none comes.
        exchange.set_stored(true);
        if let Err(error) = self.store_sign_in(sign_in, &tokens).await {
            exchange.set_stored(false);
            return Err(error);
        }
        self.shared().signed_in(&tokens.claims.sub);
        tracing::info!(refreshable = tokens.refresh_token.is_some(), "signed in");
        Ok(tokens.claims.clone())
    }

    async fn store_sign_in(&self, sign_in: &SignInSession, tokens: &IssuedTokens) -> Result<()> {
        // The provider took its time, and the session is saved whole: not over what others have written meanwhile.
        self.storage().reload().await?;
        if self.stored_id_token().await?.is_some_and(|stored| stored.token == tokens.id_token) {
            tracing::debug!("another request has stored the tokens of this callback");
            return Ok(());
        }
        let replaced = self.own_id_token().await?.map(|(_, claims)| claims.sub);
        let replaced = replaced.filter(|subject| *subject != tokens.claims.sub);
        let replaced_grant = self.stored_refresh_token().await?.map(|token| self.shared().grants().get(&token));
        let replaced_refresh_token = replaced_grant.as_ref().and_then(|grant| grant.refresh_token());

        let mut others = self.sign_in_sessions().await?;
        others.take(&sign_in.state, now());
        let others = others.encode();
        self.replace_sign_in(tokens.refresh_token.as_deref(), self.store_tokens(tokens, others.as_deref())).await?;
        // A second sign-in of the same user shares the grant with the first, so revoking would end both.
        if let (Some(subject), Some(grant), Some(refresh_token)) = (replaced, replaced_grant, replaced_refresh_token) {
            // Also a token that it is being exchanged for.
            grant.give_up();
            drop(self.shared().revoke_in_background(refresh_token, Some(subject)));
        }
        Ok(())
    }

    /// Stores the tokens instead of those of the sign-in that they replace, and gives the session a new id.
    async fn store_tokens(&self, tokens: &IssuedTokens, pending_sign_ins: Option<&str>) -> Result<()> {
        let (target, access_token) = (TokenTarget::provider().key(), tokens.access_token.clone());
        let access_token_key = items::access_token_key(&target);
        let mut replaced = self.access_token_index().await?.keys();
        replaced.retain(|key| *key != access_token_key);
        replaced.push(items::REFRESH_LEASE.to_owned());

        let mut index = AccessTokenIndex::default();
        index.insert(target, access_token.expires_at);
        let index = items::encode(index);
        let access_token = items::encode(StoredAccessToken::new(access_token, tokens.sign_in.clone()));
        let id_token = StoredIdToken { token: tokens.id_token.clone(), sign_in: Some(tokens.sign_in.clone()) };
        let id_token = items::encode(id_token);
        let refresh_token = tokens.refresh_token.clone().map(write_refresh_token);
        let mut changes = items::remove_all(&replaced);
        changes.extend([
            Change::set(items::ID_TOKEN, &id_token),
            set_or_remove(items::REFRESH_TOKEN, refresh_token.as_deref()),
            Change::set(items::ACCESS_TOKEN_MAP, &index),
            Change::set(&access_token_key, &access_token),
            set_or_remove(items::SIGN_IN_SESSION, pending_sign_ins),
        ]);
        self.renew(&changes).await
    }

    /// Removes a sign-in that failed. Reloads the session first: it is saved as a whole, so a stale copy would overwrite the
    /// changes of other requests.
    async fn use_up(&self, sign_in: &SignInSession) -> Result<()> {
        loop {
            self.storage().reload().await?;
            let seen = self.storage().get_item(items::SIGN_IN_SESSION).await?;
            let mut others = decode_sign_ins(seen.as_deref());
            if others.take(&sign_in.state, now()).is_none() {
                return Ok(());
            }
            let others = others.encode();
            let seen = [Seen::new(items::SIGN_IN_SESSION, seen.as_deref())];
            if self.apply_if(&seen, &[set_or_remove(items::SIGN_IN_SESSION, others.as_deref())]).await? {
                return Ok(());
            }
        }
    }

    async fn sign_in_sessions(&self) -> Result<SignInSessions> {
        Ok(decode_sign_ins(self.storage().get_item(items::SIGN_IN_SESSION).await?.as_deref()))
    }
}

fn decode_sign_ins(item: Option<&str>) -> SignInSessions {
    item.and_then(|item| items::decode(items::SIGN_IN_SESSION, item)).unwrap_or_default()
}
