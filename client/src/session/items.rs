//! The items that are kept in the session. The keys are those of Logto's SDK for Go; the values are our own, JSON objects
//! with the version `v`.

use std::collections::BTreeMap;

use logto_storage_core::Change;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::tokens::{AccessToken, is_fresh};

/// The pending sign-ins.
pub(crate) const SIGN_IN_SESSION: &str = "logto_sign_in_session";
/// The refresh token.
pub(crate) const REFRESH_TOKEN: &str = "logto_refresh_token";
/// The ID token. A session that has one is signed in.
pub(crate) const ID_TOKEN: &str = "logto_id_token";
/// The access tokens.
pub(crate) const ACCESS_TOKEN_MAP: &str = "logto_access_token_map";

/// Removes the tokens.
pub(crate) const TOKENS: [Change<'static>; 3] =
    [Change::remove(ID_TOKEN), Change::remove(REFRESH_TOKEN), Change::remove(ACCESS_TOKEN_MAP)];

const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    v: u8,
    #[serde(flatten)]
    item: T,
}

/// A refresh token or an ID token.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredToken {
    pub(crate) token: String,
}

/// The access tokens of a session, by the keys of their targets.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct AccessTokens {
    tokens: BTreeMap<String, StoredAccessToken>,
}

/// Not the public type itself: that is not for apps to serialize.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredAccessToken {
    token: String,
    #[serde(default)]
    scope: String,
    /// Seconds since 1970.
    expires_at: u64,
}

pub(crate) fn encode<T: Serialize>(item: T) -> String {
    serde_json::to_string(&Versioned { v: VERSION, item }).expect("strings and numbers are JSON")
}

/// `None` for an item that another version, or another SDK, has written: its user has to sign in again.
pub(crate) fn decode<T: DeserializeOwned>(key: &'static str, item: &str) -> Option<T> {
    if let Ok(Versioned { v: VERSION, item }) = serde_json::from_str(item) {
        return Some(item);
    }
    tracing::warn!(key, "the item is not one of this version's, and counts as missing");
    None
}

impl AccessTokens {
    pub(crate) fn get(&self, key: &str) -> Option<AccessToken> {
        self.tokens.get(key).cloned().map(AccessToken::from)
    }

    /// The token, if it can still be used.
    pub(crate) fn fresh(&self, key: &str, now: u64) -> Option<AccessToken> {
        self.get(key).filter(|token| token.is_fresh(now))
    }

    pub(crate) fn insert(&mut self, key: String, token: AccessToken) {
        self.tokens.insert(key, token.into());
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.tokens.remove(key);
    }

    /// These and the others, of each the one that lives longer, without those that have expired.
    pub(crate) fn merged_with(&self, others: &Self, now: u64) -> Self {
        let mut merged = self.clone();
        for (key, other) in &others.tokens {
            if merged.tokens.get(key).is_none_or(|token| token.expires_at < other.expires_at) {
                merged.tokens.insert(key.clone(), other.clone());
            }
        }
        merged.tokens.retain(|_, token| is_fresh(token.expires_at, now));
        merged
    }
}

impl From<StoredAccessToken> for AccessToken {
    fn from(StoredAccessToken { token, scope, expires_at }: StoredAccessToken) -> Self {
        Self { token, scope, expires_at }
    }
}

impl From<AccessToken> for StoredAccessToken {
    fn from(AccessToken { token, scope, expires_at }: AccessToken) -> Self {
        Self { token, scope, expires_at }
    }
}
