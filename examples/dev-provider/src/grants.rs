//! Codes and tokens, and what users have granted with them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::config::Config;
use crate::error::{OAuthError, Result};
use crate::expiring::{Expiring, random};

/// What a user has granted the app in one session, however often they signed in. All codes and tokens hold on to it, and are
/// worth nothing once it is revoked.
pub(crate) struct Grant {
    /// The user's id.
    pub(crate) user: String,
    /// The `sid` of the session that it began in.
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

    /// Revokes the grant, unless the app may act offline.
    pub(crate) fn end_with_session(&self) {
        if !self.outlives_session.load(Ordering::Relaxed) {
            self.revoke();
        }
    }
}

/// What the app asked for at one sign-in.
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
    /// When another one took its place.
    replaced: Option<Instant>,
}

pub(crate) struct AccessToken {
    pub(crate) grant: Arc<Grant>,
    pub(crate) scopes: Vec<String>,
    issued_at: u64,
}

/// What introspection tells of a token.
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
    /// The opaque ones. Those for resources are JWTs and good until they expire.
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

    /// Whoever uses a code a second time may have stolen it, or been robbed: the grant ends.
    pub(crate) fn redeem_code(&mut self, code: &str, redirect_uri: &str, verifier: &str) -> Result<Arc<Authorization>> {
        let Some(code) = self.codes.get_mut(code).filter(|code| !code.authorization.grant.is_revoked()) else {
            return Err(OAuthError::invalid_grant("the code is unknown, has expired or was revoked"));
        };
        if code.redirect_uri != redirect_uri {
            return Err(OAuthError::invalid_grant("redirect_uri is not the one that the code was sent to"));
        }
        if BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())) != code.challenge {
            return Err(OAuthError::invalid_grant("code_verifier does not fit the code challenge"));
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

    /// What the refresh token stands for. One that was replaced works within the grace period, for the requests that were
    /// under way; later it may be a thief's, and the grant ends.
    pub(crate) fn use_refresh_token(&self, token: &str, grace: Duration) -> Result<Arc<Authorization>> {
        let Some(token) = self.refresh_tokens.get(token).filter(|token| !token.authorization.grant.is_revoked()) else {
            return Err(OAuthError::invalid_grant("the refresh token is unknown, has expired or was revoked"));
        };
        if token.replaced.is_some_and(|replaced| replaced.elapsed() >= grace) {
            token.authorization.grant.revoke();
            return Err(OAuthError::invalid_grant("the refresh token was replaced before, so its grant is revoked"));
        }
        Ok(Arc::clone(&token.authorization))
    }

    /// The refresh token to use from now on: a new one, or the same.
    pub(crate) fn rotate_refresh_token(&mut self, token: &str, config: &Config) -> String {
        let Some(old) = self.refresh_tokens.get_mut(token) else { return token.to_owned() };
        let share = old.issued.elapsed().as_secs_f64() / config.refresh_token_lifetime.as_secs_f64();
        let due = config.client_secret.is_none() || share >= config.rotate_refresh_token_at;
        // In the grace period the old one has been replaced already: it is replaced again, and all that replace it work.
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

    /// What an opaque access token stands for.
    pub(crate) fn access_token(&self, token: &str) -> Option<&AccessToken> {
        self.access_tokens.get(token).filter(|token| !token.grant.is_revoked())
    }

    /// Returns the opaque access token or the refresh token, if it is good and was not replaced.
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

    /// A refresh token ends its grant, an access token only itself.
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

/// The seconds since 1970, as tokens and introspection have them.
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
