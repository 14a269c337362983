//! The browser's session with the provider, and its cookies.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use serde_json::json;

use crate::expiring::Expiring;
use crate::grants::Grant;
use crate::sign_in::Interaction;
use crate::state::{Provider, Tables};

/// A user who is signed in at the provider.
pub(crate) struct Session {
    /// The user's id.
    pub(crate) user: String,
    /// The grant that all sign-ins of the app in this session share.
    pub(crate) grant: Arc<Grant>,
}

impl Provider {
    /// Returns the id of the browser's session if its user may sign in.
    pub(crate) fn session(&self, tables: &Tables, headers: &HeaderMap) -> Option<String> {
        cookie(&tables.sessions, headers, &self.session_cookie)
            .filter(|id| tables.sessions.get(id).is_some_and(|session| tables.users.is_active(&session.user)))
    }

    /// Returns the id of the interaction that the browser started last.
    pub(crate) fn interaction(&self, tables: &Tables, headers: &HeaderMap) -> Option<String> {
        cookie::<Interaction>(&tables.interactions, headers, &self.interaction_cookie)
    }

    pub(crate) fn set_session(&self, id: &str) -> String {
        self.set_cookie(&self.session_cookie, id)
    }

    pub(crate) fn unset_session(&self) -> String {
        self.unset_cookie(&self.session_cookie)
    }

    pub(crate) fn set_interaction(&self, id: &str) -> String {
        self.set_cookie(&self.interaction_cookie, id)
    }

    pub(crate) fn unset_interaction(&self) -> String {
        self.unset_cookie(&self.interaction_cookie)
    }

    /// Returns the cookie that Logto sets for its sign-in page: raw JSON, for every path. Apps on the same host
    /// receive it, too.
    pub(crate) fn set_app(&self) -> String {
        format!("_logto={}; Path=/; SameSite=Lax", json!({ "appId": self.config.client_id }))
    }

    fn set_cookie(&self, name: &str, value: &str) -> String {
        format!("{name}={value}; Path={}; HttpOnly; SameSite=Lax", self.root)
    }

    fn unset_cookie(&self, name: &str) -> String {
        format!("{}; Max-Age=0", self.set_cookie(name, ""))
    }
}

impl Tables {
    /// Signs the user in under a new session id and returns it. An id that an attacker planted becomes worthless. The
    /// same user keeps the session's grant.
    pub(crate) fn sign_in(&mut self, old: Option<&str>, user: &str) -> String {
        let old = old.and_then(|old| self.sessions.remove(old)).filter(|old| old.user == user);
        let grant = old.map_or_else(|| Grant::new(user), |old| old.grant);
        self.sessions.insert(Session { user: user.to_owned(), grant })
    }

    /// Returns the session's grant. Creates a new one if it was revoked.
    pub(crate) fn grant_of_session(&mut self, id: &str) -> Option<Arc<Grant>> {
        let session = self.sessions.get_mut(id)?;
        if session.grant.is_revoked() {
            session.grant = Grant::new(&session.user);
        }
        Some(Arc::clone(&session.grant))
    }
}

/// Returns the value of the cookie that is a key of the table. The browser also sends cookies of other programs on
/// this host, perhaps one of the same name for another path.
fn cookie<T>(table: &Expiring<T>, headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get_all(COOKIE).iter().find_map(|header| {
        let header = String::from_utf8_lossy(header.as_bytes());
        let mut cookies = header.split(';').filter_map(|cookie| cookie.trim().split_once('='));
        let own = cookies.find(|(own, value)| *own == name && table.get(value).is_some());
        own.map(|(_, value)| value.to_owned())
    })
}
