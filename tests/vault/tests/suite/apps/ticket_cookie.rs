//! axum without a session library: the ticket in a cookie of its own, and the app's values in others.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use logto_client::axum::VaultSession;
use tokio::sync::oneshot;

use super::Library;
use super::tower_sessions::{response, serve};
use crate::app::{App, OwnValues};

pub(super) const COOKIE: Library = Library {
    name: "ticket-cookie",
    title: "the ticket cookie",
    keeps_session_id: false,
    serve: serve_without_sessions,
};

fn serve_without_sessions(listener: TcpListener, app: Arc<App>, stopped: oneshot::Receiver<()>) {
    let layer = app.vault_layer();
    let router = Router::new().fallback(handle).with_state(app).layer(layer);
    serve(listener, async { router }, stopped);
}

async fn handle(
    State(app): State<Arc<App>>,
    session: VaultSession,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, StatusCode> {
    let own = OwnCookies::new(&headers);
    let response = response(app.answer_over(session, &own, &uri.to_string()).await)?;
    let set = own.set.into_inner().expect("no panic").into_iter();
    let set_cookies = set.map(|(key, value)| (header::SET_COOKIE, format!("{key}={value}; Path=/")));
    Ok((AppendHeaders(set_cookies), response).into_response())
}

/// The app's own values, each in a cookie.
struct OwnCookies {
    received: String,
    set: Mutex<Vec<(String, String)>>,
}

impl OwnCookies {
    fn new(headers: &HeaderMap) -> Self {
        let received = headers.get(header::COOKIE).map(|cookies| cookies.to_str().expect("text").to_owned());
        Self { received: received.unwrap_or_default(), set: Mutex::default() }
    }
}

impl OwnValues for OwnCookies {
    async fn value(&self, key: &str) -> Option<String> {
        let set = self.set.lock().expect("no panic");
        let set = set.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
        let mut received = self.received.split("; ").filter_map(|cookie| cookie.split_once('='));
        set.or_else(|| received.find(|(name, _)| *name == key).map(|(_, value)| value.to_owned()))
    }

    async fn set_value(&self, key: &str, value: &str) {
        self.set.lock().expect("no panic").push((key.to_owned(), value.to_owned()));
    }
}
