//! Codes and tokens, and what users have granted with them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::config::Config;
use crate::error::{OAuthError, Result};
use crate::expiring::Expiring;

/// What a user has granted at one sign-in. All that comes of it holds on to it, and is worth nothing once it is revoked.
pub(crate) struct Grant {
    /// The user's id.
    pub(crate) user: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) resources: Vec<String>,
    pub(crate) nonce: Option<String>,
    revoked: AtomicBool,
}

impl Grant {
    pub(crate) fn new(user: String, scopes: Vec<String>, resources: Vec<String>, nonce: Option<String>) -> Self {
        Self { user, scopes, resources, nonce, revoked: AtomicBool::new(false) }
    }

    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope)
    }

    fn revoke(&self) {
        self.revoked.store(true, Ordering::Relaxed);
    }

    fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::Relaxed)
    }
}

pub(crate) struct Code {
    pub(crate) grant: Arc<Grant>,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: String,
    pub(crate) used: bool,
}

struct RefreshToken {
    grant: Arc<Grant>,
    issued: Instant,
    /// When another one took its place.
    replaced: Option<Instant>,
}

pub(crate) struct AccessToken {
    pub(crate) grant: Arc<Grant>,
    pub(crate) scopes: Vec<String>,
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
    pub(crate) fn redeem_code(&mut self, code: &str, redirect_uri: &str, verifier: &str) -> Result<Arc<Grant>> {
        let Some(code) = self.codes.get_mut(code).filter(|code| !code.grant.is_revoked()) else {
            return Err(OAuthError::invalid_grant("the code is unknown, has expired or was revoked"));
        };
        if code.redirect_uri != redirect_uri {
            return Err(OAuthError::invalid_grant("redirect_uri is not the one that the code was sent to"));
        }
        if BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())) != code.challenge {
            return Err(OAuthError::invalid_grant("code_verifier does not fit the code challenge"));
        }
        if code.used {
            code.grant.revoke();
            return Err(OAuthError::invalid_grant("the code was used before, so its grant is revoked"));
        }
        code.used = true;
        Ok(Arc::clone(&code.grant))
    }

    pub(crate) fn issue_refresh_token(&mut self, grant: Arc<Grant>) -> String {
        self.refresh_tokens.insert(RefreshToken { grant, issued: Instant::now(), replaced: None })
    }

    /// What the refresh token stands for. One that was replaced works within the grace period, for the requests that were
    /// under way; later it may be a thief's, and the grant ends.
    pub(crate) fn use_refresh_token(&self, token: &str, grace: Duration) -> Result<Arc<Grant>> {
        let Some(token) = self.refresh_tokens.get(token).filter(|token| !token.grant.is_revoked()) else {
            return Err(OAuthError::invalid_grant("the refresh token is unknown, has expired or was revoked"));
        };
        if token.replaced.is_some_and(|replaced| replaced.elapsed() >= grace) {
            token.grant.revoke();
            return Err(OAuthError::invalid_grant("the refresh token was replaced before, so its grant is revoked"));
        }
        Ok(Arc::clone(&token.grant))
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
        let grant = Arc::clone(&old.grant);
        self.issue_refresh_token(grant)
    }

    pub(crate) fn issue_access_token(&mut self, token: AccessToken) -> String {
        self.access_tokens.insert(token)
    }

    /// What an opaque access token stands for.
    pub(crate) fn access_token(&self, token: &str) -> Option<&AccessToken> {
        self.access_tokens.get(token).filter(|token| !token.grant.is_revoked())
    }

    /// A refresh token ends its grant, an access token only itself.
    pub(crate) fn revoke(&mut self, token: &str) {
        if let Some(token) = self.refresh_tokens.get(token) {
            token.grant.revoke();
        }
        self.access_tokens.remove(token);
    }

    pub(crate) fn revoke_all(&mut self) {
        self.codes.values().for_each(|code| code.grant.revoke());
        self.refresh_tokens.values().for_each(|token| token.grant.revoke());
        self.access_tokens.values().for_each(|token| token.grant.revoke());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config { refresh_token_lifetime: Duration::from_secs(100), ..Config::default() }
    }

    fn grants_with_refresh_token(config: &Config) -> (Grants, String) {
        let mut grants = Grants::new(config);
        let grant = Grant::new("user".to_owned(), Vec::new(), Vec::new(), None);
        let token = grants.issue_refresh_token(Arc::new(grant));
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
        let (mut grants, token) = grants_with_refresh_token(&config());
        grants.revoke_all();
        assert!(grants.use_refresh_token(&token, Duration::from_secs(3)).is_err());
    }
}
