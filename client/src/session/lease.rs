//! One refresh at a time among processes.
//!
//! A storage that compares items lets requests of several processes agree on who refreshes: the holder of the lease, an
//! item like the others. No clock is compared with another one. The holder renews the lease while it waits for the
//! provider, and a waiter measures how long it has seen the same lease. A holder that has stalled may therefore still
//! send its request, or come back with a response. That is why every write of a refresh also expects the refresh token
//! that was exchanged: of two exchanges of one token, only the first to be stored is.

use std::time::Duration;

use logto_storage_core::{Change, ErrorKind, LogtoStorage, Seen};
use tokio::time::{Instant, sleep};

use crate::error::Result;
use crate::oidc::pkce;
use crate::session::{LogtoSession, items};
use crate::storage;

/// How long the same lease must have been seen before a waiter takes it. Shorter than the three seconds for which Logto
/// accepts a refresh token that has been replaced.
const TAKEOVER: Duration = Duration::from_secs(2);

/// How old a lease may be when the request is sent.
const MAX_AGE: Duration = Duration::from_secs(1);

/// How often the holder renews it.
pub(crate) const RENEWAL_INTERVAL: Duration = Duration::from_millis(500);

/// How often a waiter looks again.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The lease of this request.
pub(crate) struct Lease {
    /// The item's value: the last, or an earlier one if it is not known whether the last has reached the store.
    values: Vec<String>,
    /// Before it was sent to the store.
    written_at: Instant,
}

/// What a request has seen of another one's lease.
#[derive(Default)]
pub(crate) struct Watch(Option<(String, Instant)>);

/// An attempt to get the lease.
pub(crate) enum Taken {
    Held(Lease),
    /// Another request has it, or was first: look at the session again.
    Busy,
    /// The storage cannot compare.
    Unsupported,
}

impl Lease {
    fn new() -> Self {
        Self { values: vec![pkce::random()], written_at: Instant::now() }
    }

    /// Whether this item is the lease, and not that of a request that has taken over.
    pub(crate) fn is_stored_as(&self, item: &str) -> bool {
        self.values.iter().any(|value| value == item)
    }

    /// Whether the request may still be sent.
    pub(crate) fn is_fresh(&self) -> bool {
        self.written_at.elapsed() < MAX_AGE
    }
}

impl Watch {
    /// Whether another request holds this lease, as far as this one can tell.
    fn is_held(&mut self, lease: &str) -> bool {
        match &self.0 {
            Some((seen, since)) if seen == lease => since.elapsed() < TAKEOVER,
            _ => {
                self.0 = Some((lease.to_owned(), Instant::now()));
                true
            }
        }
    }
}

impl<S: LogtoStorage> LogtoSession<S> {
    /// Takes the lease if it is free, or waits a little. `refresh_token` is the item that is going to be exchanged.
    pub(crate) async fn take_lease(&self, refresh_token: &str, watch: &mut Watch) -> Result<Taken> {
        let seen = self.storage().get_item(items::REFRESH_LEASE).await?;
        if seen.as_deref().is_some_and(|lease| watch.is_held(lease)) {
            sleep(POLL_INTERVAL).await;
            return Ok(Taken::Busy);
        }
        let lease = Lease::new();
        let conditions =
            [Seen::new(items::REFRESH_LEASE, seen.as_deref()), Seen::new(items::REFRESH_TOKEN, Some(refresh_token))];
        let changes = [Change::set(items::REFRESH_LEASE, &lease.values[0])];
        match self.storage().apply_if(&conditions, &changes).await {
            Err(error) if error.kind() == ErrorKind::Unsupported => return Ok(Taken::Unsupported),
            Err(error) if error.kind() == ErrorKind::Conflict => return Ok(Taken::Busy),
            taken => taken?,
        }
        Ok(Taken::Held(lease))
    }

    /// Shows the other requests that this one is alive. If another one has taken the lease, the refresh token decides whose
    /// exchange counts.
    pub(crate) async fn renew_lease(&self, lease: &mut Lease) {
        let next = Lease::new();
        let value = next.values[0].clone();
        let renewed = self.change_lease(lease, Change::set(items::REFRESH_LEASE, &value)).await;
        match renewed {
            Ok(()) => *lease = next,
            Err(error) => {
                tracing::debug!(%error, "refresh lease not renewed");
                lease.values.push(value);
            }
        }
    }

    /// Lets other requests have the lease at once. Otherwise they get it when they have seen it for two seconds.
    pub(crate) async fn release_lease(&self, lease: Option<Lease>) {
        let Some(lease) = lease else { return };
        if let Err(error) = self.change_lease(&lease, Change::remove(items::REFRESH_LEASE)).await {
            tracing::debug!(%error, "refresh lease not released");
        }
    }

    async fn change_lease(&self, lease: &Lease, change: Change<'_>) -> storage::Result<()> {
        let stored = self.storage().get_item(items::REFRESH_LEASE).await?;
        match stored.filter(|stored| lease.is_stored_as(stored)) {
            Some(own) => self.storage().apply_if(&[Seen::new(items::REFRESH_LEASE, Some(&own))], &[change]).await,
            None => Err(storage::Error::conflict()),
        }
    }
}
