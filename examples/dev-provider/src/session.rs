//! The browser's session with the provider, by a cookie.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

use crate::state::{Provider, Tables};

impl Provider {
    /// The id of the browser's session. Beside it there are the cookies of all other programs on this host.
    pub(crate) fn session(&self, tables: &Tables, headers: &HeaderMap) -> Option<String> {
        let is_known = |session: &&str| tables.sessions.get(session).is_some();
        headers.get_all(COOKIE).iter().find_map(|header| {
            let header = String::from_utf8_lossy(header.as_bytes());
            let mut cookies = header.split(';').filter_map(|cookie| cookie.trim().split_once('='));
            let own = cookies.find(|(name, value)| *name == self.cookie_name && is_known(value));
            own.map(|(_, value)| value.to_owned())
        })
    }

    pub(crate) fn cookie(&self, session: &str) -> String {
        format!("{}={session}; Path={}; HttpOnly; SameSite=Lax", self.cookie_name, self.root)
    }

    pub(crate) fn removed_cookie(&self) -> String {
        format!("{}=; Path={}; HttpOnly; SameSite=Lax; Max-Age=0", self.cookie_name, self.root)
    }
}

impl Tables {
    /// The user is signed in, under a new id: whoever knows the old one (it may have been planted) holds nothing. The pages
    /// that are open in the browser's other tabs stay good.
    pub(crate) fn renew_session(&mut self, old: &str, user: &str) -> String {
        self.sessions.remove(old);
        let session = self.sessions.insert(Some(user.to_owned()));
        for interaction in self.interactions.values_mut().filter(|interaction| interaction.session == old) {
            interaction.session.clone_from(&session);
        }
        session
    }
}
