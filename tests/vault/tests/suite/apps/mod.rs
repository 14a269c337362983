//! The session libraries, and none: one file with an app each, which hands every request to [`App::answer`].

mod actix_session;
mod axum_session;
mod poem;
mod salvo;
mod ticket_cookie;
mod tower_sessions;

use std::net::TcpListener;
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::app::App;

/// A session library, with one of its stores.
#[derive(Clone, Copy)]
pub(crate) struct Library {
    /// In the names of tests.
    pub(crate) name: &'static str,
    /// As in the table of `docs/VAULT.md`.
    pub(crate) title: &'static str,
    /// Whether a sign-in keeps the session's id, and with it the ticket.
    pub(crate) keeps_session_id: bool,
    /// Serves the app until told to stop.
    pub(crate) serve: fn(TcpListener, Arc<App>, oneshot::Receiver<()>),
}

pub(crate) const LIBRARIES: [Library; 9] = [
    ticket_cookie::COOKIE,
    tower_sessions::MEMORY,
    actix_session::SERVER,
    actix_session::COOKIE,
    axum_session::MEMORY,
    poem::SERVER,
    poem::COOKIE,
    salvo::SERVER,
    salvo::COOKIE,
];

/// The secret of the libraries that sign or encrypt their cookies.
const SECRET: [u8; 64] = [7; 64];
