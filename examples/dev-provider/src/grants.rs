//! Grants, and their codes and tokens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::config::Config;
use crate::error::{OAuthError, Result};
use crate::expiring::{Expiring, random};

/// A user's grant to the app. All sign-ins of one session share it. When it is revoked, its codes and tokens become
/// invalid.
pub(crate) struct Grant {
    /// The user's id.
    pub(crate) user: String,
    /// The `sid` of the session that it was created in.
    pub(crate) session_id: String,
    outlives_session: AtomicBool,
    revoked: AtomicBool,
}

impl Grant {
    pub(crate) fn new(user: &str) -> Arc<Self> {
        Arc::new(Self {
            user: user.to_owned(),
            session_id: random(),
            outlives_session: AtomicBool::new(false),
            revoked: AtomicBool::new(false),
        })
    }

    fn revoke(&self) {
        self.revoked.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::Relaxed)
    }

    /// Revokes the grant, unless it includes `offline_access`.
    pub(crate) fn end_with_session(&self) {
        if !self.outlives_session.load(Ordering::Relaxed) {
            self.revoke();
        }
    }
}

/// The request of one sign-in.
pub(crate) struct Authorization {
    pub(crate) grant: Arc<Grant>,
    pub(crate) scopes: Vec<String>,
    pub(crate) resources: Vec<String>,
    pub(crate) nonce: Option<String>,
}

impl Authorization {
    pub(crate) fn new(
        grant: Arc<Grant>,
        scopes: Vec<String>,
        resources: Vec<String>,
        nonce: Option<String>,
    ) -> Arc<Self> {
        let authorization = Self { grant, scopes, resources, nonce };
        let is_offline = authorization.has_scope("offline_access");
        authorization.grant.outlives_session.store(is_offline, Ordering::Relaxed);
        Arc::new(authorization)
    }

    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope)
    }
}

pub(crate) struct Code {
    pub(crate) authorization: Arc<Authorization>,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: String,
    pub(crate) used: bool,
}

struct RefreshToken {
    authorization: Arc<Authorization>,
    issued: Instant,
    issued_at: u64,
    /// When it was rotated.
    replaced: Option<Instant>,
}

pub(crate) struct AccessToken {
    pub(crate) grant: Arc<Grant>,
    pub(crate) scopes: Vec<String>,
    issued_at: u64,
}

/// A valid token, as introspection describes it.
pub(crate) struct LiveToken<'a> {
    pub(crate) grant: &'a Grant,
    pub(crate) scopes: &'a [String],
    pub(crate) issued_at: u64,
    pub(crate) lifetime: Duration,
    pub(crate) is_access_token: bool,
}

pub(crate) struct Grants {
    codes: Expiring<Code>,
    refresh_tokens: Expiring<RefreshToken>,
    /// Opaque access tokens. Access tokens for resources are JWTs, which are valid until they expire.
    access_tokens: Expiring<AccessToken>,
}

impl Grants {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            codes: Expiring::new(config.code_lifetime),
            refresh_tokens: Expiring::new(config.refresh_token_lifetime),
            access_tokens: Expiring::new(config.access_token_lifetime),
        }
    }

    pub(crate) fn issue_code(&mut self, code: Code) -> String {
        self.codes.insert(code)
    }

    /// Revokes the grant if the code was used before: one of the two requests came from a thief.
    pub(crate) fn redeem_code(&mut self, code: &str, redirect_uri: &str, verifier: &str) -> Result<Arc<Authorization>> {
        let Some(code) = self.codes.get_mut(code).filter(|code| !code.authorization.grant.is_revoked()) else {
            return Err(OAuthError::invalid_grant("the code is unknown, has expired or was revoked"));
        };
        if code.redirect_uri != redirect_uri {
            return Err(OAuthError::invalid_grant("redirect_uri is not the one of the authorization request"));
        }
        if BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())) != code.challenge {
            return Err(OAuthError::invalid_grant("code_verifier does not match the code challenge"));
        }
        if code.used {
            code.authorization.grant.revoke();
            return Err(OAuthError::invalid_grant("the code was used before, so its grant is revoked"));
        }
        code.used = true;
        Ok(Arc::clone(&code.authorization))
    }

    pub(crate) fn issue_refresh_token(&mut self, authorization: Arc<Authorization>) -> String {
        let (issued, issued_at) = (Instant::now(), epoch_seconds());
        self.refresh_tokens.insert(RefreshToken { authorization, issued, issued_at, replaced: None })
    }

    /// Returns the sign-in that the refresh token belongs to. A rotated token works for a grace period, for concurrent
    /// requests. After that it may be stolen, so its use revokes the grant.
    pub(crate) fn use_refresh_token(&self, token: &str, grace: Duration) -> Result<Arc<Authorization>> {
        let Some(token) = self.refresh_tokens.get(token).filter(|token| !token.authorization.grant.is_revoked()) else {
            return Err(OAuthError::invalid_grant("the refresh token is unknown, has expired or was revoked"));
        };
        if token.replaced.is_some_and(|replaced| replaced.elapsed() >= grace) {
            token.authorization.grant.revoke();
            return Err(OAuthError::invalid_grant("the refresh token was rotated before, so its grant is revoked"));
        }
        Ok(Arc::clone(&token.authorization))
    }

    /// Returns the refresh token to use next: a new one, or the same.
    pub(crate) fn rotate_refresh_token(&mut self, token: &str, config: &Config) -> String {
        let Some(old) = self.refresh_tokens.get_mut(token) else { return token.to_owned() };
        let share = old.issued.elapsed().as_secs_f64() / config.refresh_token_lifetime.as_secs_f64();
        let due = config.client_secret.is_none() || share >= config.rotate_refresh_token_at;
        // A token used again in its grace period is rotated again. All its successors work.
        if !due && old.replaced.is_none() {
            return token.to_owned();
        }
        old.replaced.get_or_insert_with(Instant::now);
        let authorization = Arc::clone(&old.authorization);
        self.issue_refresh_token(authorization)
    }

    pub(crate) fn issue_access_token(&mut self, grant: Arc<Grant>, scopes: Vec<String>) -> String {
        self.access_tokens.insert(AccessToken { grant, scopes, issued_at: epoch_seconds() })
    }

    /// Returns the data of an opaque access token.
    pub(crate) fn access_token(&self, token: &str) -> Option<&AccessToken> {
        self.access_tokens.get(token).filter(|token| !token.grant.is_revoked())
    }

    /// Returns the opaque access token or refresh token if it is valid and was not rotated.
    pub(crate) fn live_token(&self, token: &str) -> Option<LiveToken<'_>> {
        if let Some(AccessToken { grant, scopes, issued_at }) = self.access_token(token) {
            let lifetime = self.access_tokens.lifetime();
            return Some(LiveToken { grant, scopes, issued_at: *issued_at, lifetime, is_access_token: true });
        }
        let token = self.refresh_tokens.get(token).filter(|token| token.replaced.is_none())?;
        let RefreshToken { authorization, issued_at, .. } = token;
        let lifetime = self.refresh_tokens.lifetime();
        let Authorization { grant, scopes, .. } = &**authorization;
        let token = LiveToken { grant, scopes, issued_at: *issued_at, lifetime, is_access_token: false };
        Some(token).filter(|token| !token.grant.is_revoked())
    }

    /// Revokes a refresh token with its grant, or an access token alone.
    pub(crate) fn revoke(&mut self, token: &str) {
        if let Some(token) = self.refresh_tokens.get(token) {
            token.authorization.grant.revoke();
        }
        self.access_tokens.remove(token);
    }

    pub(crate) fn revoke_all(&self) {
        self.grants().for_each(Grant::revoke);
    }

    pub(crate) fn revoke_of_user(&self, id: &str) {
        self.grants().filter(|grant| grant.user == id).for_each(Grant::revoke);
    }

    fn grants(&self) -> impl Iterator<Item = &Grant> {
        let of_codes = self.codes.values().map(|code| &*code.authorization.grant);
        let of_refresh_tokens = self.refresh_tokens.values().map(|token| &*token.authorization.grant);
        of_codes.chain(of_refresh_tokens).chain(self.access_tokens.values().map(|token| &*token.grant))
    }
}

/// Returns the seconds since 1970.
pub(crate) fn epoch_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config { refresh_token_lifetime: Duration::from_secs(100), ..Config::default() }
    }

    fn grants_with_refresh_token(config: &Config) -> (Grants, String) {
        let mut grants = Grants::new(config);
        let authorization = Authorization::new(Grant::new("user"), Vec::new(), Vec::new(), None);
        let token = grants.issue_refresh_token(authorization);
        (grants, token)
    }

    fn seconds_ago(seconds: u64) -> Instant {
        Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap()
    }

    #[test]
    fn a_refresh_token_is_replaced_once_70_percent_of_its_life_are_over() {
        let config = config();
        let (mut grants, token) = grants_with_refresh_token(&config);

        grants.refresh_tokens.get_mut(&token).unwrap().issued = seconds_ago(69);
        assert_eq!(grants.rotate_refresh_token(&token, &config), token);

        grants.refresh_tokens.get_mut(&token).unwrap().issued = seconds_ago(70);
        let new = grants.rotate_refresh_token(&token, &config);
        assert_ne!(new, token);
        assert_eq!(grants.rotate_refresh_token(&new, &config), new, "the new one has all of its life before it");
    }

    #[test]
    fn a_replaced_refresh_token_works_for_3_seconds_from_its_first_replacement() {
        let config = Config { rotate_refresh_token_at: 0.0, ..config() };
        let (mut grants, token) = grants_with_refresh_token(&config);
        let first = grants.rotate_refresh_token(&token, &config);

        grants.refresh_tokens.get_mut(&token).unwrap().replaced = Some(seconds_ago(2));
        assert!(grants.use_refresh_token(&token, config.refresh_token_grace).is_ok());
        let second = grants.rotate_refresh_token(&token, &config);
        assert!(first != second && second != token);
        assert!(grants.use_refresh_token(&first, config.refresh_token_grace).is_ok());
        assert!(grants.use_refresh_token(&second, config.refresh_token_grace).is_ok());

        let replaced = grants.refresh_tokens.get(&token).unwrap().replaced.unwrap();
        assert!(replaced <= seconds_ago(2), "to use it again does not prolong it");
        grants.refresh_tokens.get_mut(&token).unwrap().replaced = Some(seconds_ago(3));
        for token in [&token, &first, &second] {
            assert!(grants.use_refresh_token(token, config.refresh_token_grace).is_err());
        }
    }

    #[test]
    fn all_grants_end_with_whatever_is_left_of_them() {
        let (grants, token) = grants_with_refresh_token(&config());
        grants.revoke_all();
        assert!(grants.use_refresh_token(&token, Duration::from_secs(3)).is_err());
    }
}
