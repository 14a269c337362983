//! The frameworks: how each gets at its session, and runs a script on it. One file a library.

mod actix_session;
mod axum_session;
mod poem;
mod salvo;
mod tower_sessions;

use std::sync::Arc;

use crate::cases::vault;
use crate::site::{Driver, Site};
use crate::vaults::Items;

pub(crate) struct Framework {
    /// In the names of tests.
    pub(crate) name: &'static str,
    /// In the table.
    pub(crate) title: &'static str,
    /// A site of its own, with an empty store.
    pub(crate) site: fn(Items) -> Arc<Site>,
    /// Whether real processes could share the store.
    pub(crate) many_processes: bool,
    /// Cases whose outcome is ours to keep, not only the library's to choose: name and class. With a vault, others come first.
    pub(crate) ours: &'static [(&'static str, &'static str)],
}

impl Framework {
    const fn new<D: Driver>(name: &'static str, title: &'static str) -> Self {
        Self { name, title, site: Site::of::<D>, many_processes: true, ours: &[] }
    }

    /// What the case has to come to, if that is not only the library's to choose.
    pub(crate) fn promised(&self, case: &str, items: Items) -> Option<&'static str> {
        let find = |promises: &'static [(&str, &str)]| {
            promises.iter().find(|(name, _)| *name == case).map(|(_, class)| *class)
        };
        let in_vault = if items == Items::Session { None } else { find(vault::PROMISES) };
        in_vault.or_else(|| find(self.ours))
    }

    const fn promises(self, ours: &'static [(&'static str, &'static str)]) -> Self {
        Self { ours, ..self }
    }
}

const RENEWS: (&str, &str) = ("renewing", "new id; the old one is invalid");
const REFUSES_TO_RENEW: (&str, &str) = ("renewing", "`Unsupported`; nothing changes");
const REFUSES_TO_WRITE_WHAT_IS_DROPPED: (&str, &str) = ("setting_in_an_ended_session", "an error");
const SAVES_AT_ONCE: &[(&str, &str)] = &[
    RENEWS,
    ("renewing_an_ended_session", "starts a session with a new id"),
    ("what_ok_means", "immediately"),
    ("a_500_after_a_write", "kept"),
    ("a_panic_after_a_write", "kept"),
    ("what_ok_means_deferred", "when the response ends"),
    ("reloading", "`Ok(true)`: sees the write"),
];

pub(crate) static FRAMEWORKS: [Framework; 7] = [
    Framework::new::<tower_sessions::V0_15>("tower-sessions-0.15", "tower-sessions 0.15").promises(SAVES_AT_ONCE),
    Framework::new::<tower_sessions::V0_14>("tower-sessions-0.14", "tower-sessions 0.14").promises(SAVES_AT_ONCE),
    Framework::new::<actix_session::V0_11>("actix-session-0.11", "actix-session 0.11")
        .promises(&[RENEWS, REFUSES_TO_WRITE_WHAT_IS_DROPPED]),
    // Its sessions don't tell that they were destroyed.
    Framework::new::<axum_session::V0_22>("axum_session-0.22", "axum_session 0.22").promises(&[RENEWS]),
    Framework::new::<poem::V3>("poem-3", "poem 3").promises(&[RENEWS, REFUSES_TO_WRITE_WHAT_IS_DROPPED]),
    Framework::new::<salvo::V1>("salvo-1", "salvo 1").promises(&[REFUSES_TO_RENEW, REFUSES_TO_WRITE_WHAT_IS_DROPPED]),
    Framework {
        // Its records are in the memory of the process, and nowhere else.
        many_processes: false,
        ..Framework::new::<salvo::V1Memory>("salvo-1-memory", "salvo 1, `MemoryStore`")
            .promises(&[REFUSES_TO_RENEW, REFUSES_TO_WRITE_WHAT_IS_DROPPED])
    },
];

/// Libraries that keep a session in its cookie, where a vault is needed: several tokens do not fit into one.
pub(crate) static COOKIES: [Framework; 3] = [
    Framework::new::<actix_session::V0_11Cookie>(
        "actix-session-0.11-cookie",
        "actix-session 0.11, `CookieSessionStore`",
    )
    .promises(&[RENEWS]),
    Framework::new::<poem::V3Cookie>("poem-3-cookie", "poem 3, `CookieSession`").promises(&[RENEWS]),
    Framework::new::<salvo::V1Cookie>("salvo-1-cookie", "salvo 1, `CookieStore`").promises(&[REFUSES_TO_RENEW]),
];

/// The secret of the libraries that sign or encrypt their cookies.
const SECRET: [u8; 64] = [7; 64];
