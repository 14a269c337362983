//! What the provider was asked for, and what became of each refresh token.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::gates::serve_provider;
use crate::provider::{Provider, Setup};

/// Longer than another process waits before it takes over from one that is dead.
const SLOW: Duration = Duration::from_millis(2_500);

/// Stands before a development provider that takes its time, and keeps a record of its token endpoint.
#[derive(Clone, Default)]
pub(super) struct Ledger(Arc<Mutex<Vec<Entry>>>);

/// A request to the token endpoint.
#[derive(Clone, Debug)]
struct Entry {
    at: Instant,
    /// The refresh token that was used, unless it was a code.
    used: Option<String>,
    /// The refresh token in the response, unless it was an error.
    issued: Option<String>,
    /// In the response's ID token.
    user: Option<String>,
}

/// A refresh token that was used more than once.
#[derive(Debug)]
pub(super) struct Reuse {
    pub(super) user: String,
    pub(super) first: Instant,
    pub(super) second: Instant,
    pub(super) is_accepted: bool,
}

impl Ledger {
    pub(super) async fn start(setup: &Setup, app_url: &str) -> (Provider, Self, JoinSet<()>) {
        let ledger = Self::default();
        let layer = from_fn_with_state(ledger.clone(), record);
        let (provider, server) = serve_provider(setup, app_url, |router| router.layer(layer)).await;
        (provider, ledger, server)
    }

    fn entries(&self) -> Vec<Entry> {
        self.0.lock().unwrap().clone()
    }

    /// How many refresh tokens were exchanged.
    pub(super) fn exchanges(&self) -> usize {
        self.entries().iter().filter(|entry| entry.used.is_some() && entry.issued.is_some()).count()
    }

    /// Every use of a refresh token but its first.
    pub(super) fn reuses(&self) -> Vec<Reuse> {
        let (mut owners, mut first_uses, mut reuses) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for Entry { at, used, issued, user } in self.entries() {
            let user = user.or_else(|| owners.get(used.as_ref()?).cloned()).unwrap_or_default();
            if let Some(used) = used {
                match first_uses.get(&used) {
                    Some(&first) => {
                        let (user, is_accepted) = (user.clone(), issued.is_some());
                        reuses.push(Reuse { user, first, second: at, is_accepted });
                    }
                    // One that the provider refuses from the start was revoked by a sign-out.
                    None if issued.is_some() => drop(first_uses.insert(used, at)),
                    None => {}
                }
            }
            owners.extend(issued.map(|issued| (issued, user)));
        }
        reuses
    }

    /// Refresh tokens of which more than one successor was used: what a process has stored was undone by another.
    pub(super) fn forks(&self) -> usize {
        let entries = self.entries();
        let used: BTreeSet<_> = entries.iter().filter_map(|entry| entry.used.as_ref()).collect();
        let mut successors = BTreeMap::<_, BTreeSet<_>>::new();
        for entry in &entries {
            if let (Some(token), Some(issued)) = (&entry.used, &entry.issued)
                && used.contains(issued)
            {
                successors.entry(token).or_default().insert(issued);
            }
        }
        successors.values().filter(|issued| issued.len() > 1).count()
    }
}

async fn record(State(Ledger(entries)): State<Ledger>, request: Request, next: Next) -> Response {
    if !request.uri().path().ends_with("/token") {
        return next.run(request).await;
    }
    sleep(if fastrand::u8(..40) == 0 { SLOW } else { Duration::from_millis(fastrand::u64(..50)) }).await;
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let refresh_token = url::form_urlencoded::parse(&body).find(|(name, _)| name == "refresh_token");
    let used = refresh_token.map(|(_, token)| token.into_owned());
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let json: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |name: &str| json[name].as_str().map(str::to_owned);
    let entry = Entry {
        at: Instant::now(),
        used,
        issued: text("refresh_token"),
        user: text("id_token").and_then(|token| username(&token)),
    };
    entries.lock().unwrap().push(entry);
    sleep(Duration::from_millis(fastrand::u64(..200))).await;
    Response::from_parts(parts, Body::from(body))
}

fn username(id_token: &str) -> Option<String> {
    let claims = URL_SAFE_NO_PAD.decode(id_token.split('.').nth(1)?).ok()?;
    serde_json::from_slice::<Value>(&claims).ok()?["username"].as_str().map(str::to_owned)
}
