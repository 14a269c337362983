//! Visitors whose sessions are in a vault, and what they do.

use std::collections::BTreeMap;
use std::time::Duration;

use logto_storage_core::{AllSeen, Change, Changes, ErrorKind, MemorySession, Result, Seen, SessionHandle};
use logto_vault::{BoxVault, Vault, Vaulted};
use tokio::time::timeout;

/// How long a test waits for what has to happen.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// The item of pending sign-ins.
pub(crate) const PENDING: &str = "logto_sign_in_session";

/// Where the session has its ticket.
const TICKET: &str = "logto_vault";

/// The keys of all items in these tests.
const KEYS: [&str; 5] = ["a", "b", "c", "d", PENDING];

pub(crate) type Page = Vaulted<MemorySession, BoxVault>;
pub(crate) type Items = BTreeMap<&'static str, String>;
/// Items and their values. `None`: the item is removed, or was missing.
pub(crate) type Values = &'static [(&'static str, Option<&'static str>)];

/// What a request does with its session.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    /// Reads the item `a`.
    Read,
    Write(Values),
    /// With the items as they were seen.
    WriteIf(Values, Values),
    Renew(Values),
}

impl Action {
    pub(crate) async fn run(self, page: &Page) -> Result<Option<String>, ErrorKind> {
        let done = match self {
            Self::Read => return read(page, "a").await,
            Self::Write(values) => page.write(Changes::all(&changes(values))).await,
            Self::Renew(values) => page.write(Changes::all(&changes(values)).renewing()).await,
            Self::WriteIf(seen, values) => {
                let seen: Vec<_> = seen.iter().map(|(key, value)| Seen::new(key, *value)).collect();
                page.write_if(AllSeen::new(&seen), Changes::all(&changes(values))).await
            }
        };
        done.map(|()| None).map_err(|error| error.kind())
    }

    pub(crate) fn renews(self) -> bool {
        matches!(self, Self::Renew(_))
    }
}

fn changes(values: Values) -> Vec<Change<'static>> {
    let change = |&(key, value): &(&'static str, Option<&'static str>)| match value {
        Some(value) => Change::set(key, value),
        None => Change::remove(key),
    };
    values.iter().map(change).collect()
}

pub(crate) async fn read(page: &Page, key: &str) -> Result<Option<String>, ErrorKind> {
    page.read(key.into()).await.map_err(|error| error.kind())
}

/// Starts a request.
pub(crate) fn page(session: &MemorySession, vault: &Vault<BoxVault>) -> Page {
    Vaulted::new(session.clone(), vault.clone())
}

/// The session of a visitor whose record holds these items. Without items there is no record.
pub(crate) async fn sign_in(vault: &Vault<BoxVault>, items: Values) -> MemorySession {
    let session = MemorySession::default();
    if !items.is_empty() {
        Action::Write(items).run(&page(&session, vault)).await.unwrap();
    }
    session
}

pub(crate) async fn ticket(session: &MemorySession) -> Option<String> {
    session.read(TICKET.into()).await.unwrap()
}

/// A session that holds this ticket.
pub(crate) async fn session_with(ticket: Option<&str>) -> MemorySession {
    let session = MemorySession::default();
    if let Some(ticket) = ticket {
        session.write(Changes::one(Change::set(TICKET, ticket))).await.unwrap();
    }
    session
}

/// All items that a ticket opens.
pub(crate) async fn items_of(ticket: Option<&str>, vault: &Vault<BoxVault>) -> Items {
    let session = session_with(ticket).await;
    let page = page(&session, vault);
    let mut items = Items::new();
    for key in KEYS {
        if let Some(value) = read(&page, key).await.unwrap() {
            items.insert(key, value);
        }
    }
    items
}

pub(crate) fn items(values: Values) -> Items {
    values.iter().filter_map(|(key, value)| Some((*key, (*value)?.to_owned()))).collect()
}

/// Waits until a vault's connection is of use again. What was sent on it before has arrived by then.
pub(crate) async fn heal(vault: &Vault<BoxVault>) {
    let session = session_with(Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")).await;
    let works = async { while read(&page(&session, vault), "a").await.is_err() {} };
    timeout(LIMIT, works).await.expect("it works again without a restart");
}
