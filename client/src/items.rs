//! What is kept in the session. The keys are those of Logto's SDK for Go, the values our own: JSON objects with the
//! version `v`.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Sign-ins under way.
pub(crate) const SIGN_IN_SESSION: &str = "logto_sign_in_session";
/// The refresh token.
pub(crate) const REFRESH_TOKEN: &str = "logto_refresh_token";
/// The ID token. Who has one in the session is signed in.
pub(crate) const ID_TOKEN: &str = "logto_id_token";
/// The access tokens.
pub(crate) const ACCESS_TOKEN_MAP: &str = "logto_access_token_map";

const VERSION: u8 = 1;

/// A token with less time than this left, in seconds, counts as expired: it has to reach its API, too.
pub(crate) const MARGIN: u64 = 10;

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

/// The access tokens of a session, by what they are for.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct AccessTokens {
    tokens: BTreeMap<String, AccessToken>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccessToken {
    pub(crate) token: String,
    #[serde(default)]
    pub(crate) scope: String,
    /// Seconds since 1970.
    pub(crate) expires_at: u64,
}

pub(crate) fn encode<T: Serialize>(item: T) -> String {
    serde_json::to_string(&Versioned { v: VERSION, item }).expect("strings and numbers are JSON")
}

/// `None` for an item that another version, or another SDK, has written: whoever it signed in has to sign in again.
pub(crate) fn decode<T: DeserializeOwned>(key: &'static str, item: &str) -> Option<T> {
    if let Ok(Versioned { v: VERSION, item }) = serde_json::from_str(item) {
        return Some(item);
    }
    tracing::warn!(key, "the item is not one of this version's, and counts as missing");
    None
}

/// What an access token is for, as the key of its map: `@resource#organization`.
pub(crate) fn access_token_key(resource: Option<&str>, organization: Option<&str>) -> String {
    let resource = resource.unwrap_or_default();
    match organization {
        Some(organization) => format!("@{resource}#{organization}"),
        None => format!("@{resource}"),
    }
}

impl AccessTokens {
    pub(crate) fn of(key: String, token: AccessToken) -> Self {
        Self { tokens: BTreeMap::from([(key, token)]) }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&AccessToken> {
        self.tokens.get(key)
    }

    /// The token, if it can still be used.
    pub(crate) fn fresh(&self, key: &str, now: u64) -> Option<&AccessToken> {
        self.get(key).filter(|token| token.is_fresh(now))
    }

    pub(crate) fn insert(&mut self, key: String, token: AccessToken) {
        self.tokens.insert(key, token);
    }

    pub(crate) fn without(mut self, key: &str) -> Self {
        self.tokens.remove(key);
        self
    }

    /// These and the others, of each the one that lives longer, without those that have expired.
    pub(crate) fn merged_with(&self, others: &Self, now: u64) -> Self {
        let mut merged = self.clone();
        for (key, other) in &others.tokens {
            if merged.tokens.get(key).is_none_or(|token| token.expires_at < other.expires_at) {
                merged.tokens.insert(key.clone(), other.clone());
            }
        }
        merged.tokens.retain(|_, token| token.is_fresh(now));
        merged
    }
}

impl AccessToken {
    fn is_fresh(&self, now: u64) -> bool {
        self.expires_at > now.saturating_add(MARGIN)
    }
}
