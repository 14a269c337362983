//! The items that are kept in the session. The fixed keys are those of Logto's SDK for Go; the values are our own, JSON
//! objects with the version `v`.
//!
//! The ID token and each access token carry the random id of their sign-in, `signIn`. An access token of another sign-in
//! counts as missing, so a late write of another request or process never hands a user's token to the next user.

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
/// The lease of the request that is exchanging the refresh token, if the storage can compare. Not an object: a random text.
pub(crate) const REFRESH_LEASE: &str = "logto_refresh_lease";
/// The index of the access tokens.
pub(crate) const ACCESS_TOKEN_MAP: &str = "logto_access_token_map";

/// The key of the access token for a target, given the target's key.
pub(crate) fn access_token_key(target: &str) -> String {
    format!("logto_access_token:{target}")
}

const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    v: u8,
    #[serde(flatten)]
    item: T,
}

/// A refresh token.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredToken {
    pub(crate) token: String,
}

/// An ID token.
#[derive(PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StoredIdToken {
    pub(crate) token: String,
    /// The sign-in's id, which refreshes keep. Earlier versions have written none: the next refresh does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sign_in: Option<String>,
}

/// An access token.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StoredAccessToken {
    token: String,
    #[serde(default)]
    scope: String,
    /// Seconds since 1970.
    expires_at: u64,
    sign_in: String,
}

/// Which access tokens a session has, so that they can be removed by name. Whether a token can be used is up to its own
/// item.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccessTokenIndex {
    /// By the targets' keys, in seconds since 1970.
    expires_at: BTreeMap<String, u64>,
}

pub(crate) fn encode<T: Serialize>(item: T) -> String {
    serde_json::to_string(&Versioned { v: VERSION, item }).expect("strings and numbers are JSON")
}

/// `None` for an item that another version, or another SDK, has written: its user has to sign in again.
pub(crate) fn decode<T: DeserializeOwned>(key: &str, item: &str) -> Option<T> {
    if let Ok(Versioned { v: VERSION, item }) = serde_json::from_str(item) {
        return Some(item);
    }
    tracing::warn!(key, "the item is not one of this version's, and counts as missing");
    None
}

impl StoredAccessToken {
    pub(crate) fn new(token: AccessToken, sign_in: String) -> Self {
        let AccessToken { token, scope, expires_at } = token;
        Self { token, scope, expires_at, sign_in }
    }

    /// The token, if it is this sign-in's.
    pub(crate) fn of_sign_in(self, sign_in: &str) -> Option<AccessToken> {
        let Self { token, scope, expires_at, sign_in: own } = self;
        (own == sign_in).then_some(AccessToken { token, scope, expires_at })
    }
}

impl AccessTokenIndex {
    pub(crate) fn insert(&mut self, target: String, expires_at: u64) {
        self.expires_at.insert(target, expires_at);
    }

    /// Has the next [`prune`](Self::prune) remove the token.
    pub(crate) fn expire(&mut self, target: String) {
        self.insert(target, 0);
    }

    /// Drops the tokens that have expired and returns their items' keys.
    pub(crate) fn prune(&mut self, now: u64) -> Vec<String> {
        let all = std::mem::take(&mut self.expires_at).into_iter();
        let (fresh, expired) = all.partition(|(_, expires_at)| is_fresh(*expires_at, now));
        self.expires_at = fresh;
        Self { expires_at: expired }.keys()
    }

    /// The keys of all items.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.expires_at.keys().map(|target| access_token_key(target)).collect()
    }
}

pub(crate) fn remove_all(keys: &[String]) -> Vec<Change<'_>> {
    keys.iter().map(|key| Change::remove(key)).collect()
}

pub(crate) fn set_or_remove<'a>(key: &'a str, value: Option<&'a str>) -> Change<'a> {
    value.map_or(Change::remove(key), |value| Change::set(key, value))
}
