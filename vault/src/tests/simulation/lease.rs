//! A refresh as the client does it: one request at a time exchanges the refresh token, by a lease that is an item like the
//! others. Whoever may have lost contact is not expected to keep others from exchanging the token.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::Mutant;
use super::call::{LEASE, Outcome, REFRESH_TOKEN};
use super::page::{Page, World};
use super::provider::ExchangeId;
use super::random::Random;

/// How long the same lease is seen before it is taken over.
const TAKEOVER: Duration = Duration::from_secs(2);
/// How old the lease may be when the request is sent.
const MAX_AGE: Duration = Duration::from_secs(1);
const RENEWAL_INTERVAL: Duration = Duration::from_millis(500);
const POLL_INTERVAL: Duration = Duration::from_millis(450);
const MAX_POLLS: u32 = 7;

pub(crate) async fn refresh(page: &mut Page, random: &mut Random) {
    let mut watched: Option<(u32, Instant)> = None;
    for _ in 0..MAX_POLLS {
        if page.world.is_full() {
            return;
        }
        let Some(lease) = page.read(LEASE).await else { return };
        let now = Instant::now();
        let Some((_, Some(token))) = page.read_tokens().await else { return };
        if let Some(lease) = lease {
            let since = watched.filter(|(watched, _)| *watched == lease).map_or(now, |(_, since)| since);
            watched = Some((lease, since));
            if since.elapsed() < TAKEOVER {
                sleep(POLL_INTERVAL).await;
                continue;
            }
        }
        let mine = page.world.new_value();
        let written_at = Instant::now();
        let seen = [(LEASE, lease), (REFRESH_TOKEN, Some(token))];
        match page.write_if(&seen, &[(LEASE, Some(mine))]).await {
            Outcome::Ok => return hold(page, random, token, mine, written_at).await,
            Outcome::Conflict => {}
            Outcome::Ended | Outcome::Unknown => return,
        }
    }
}

async fn hold(page: &mut Page, random: &mut Random, token: u32, lease: u32, written_at: Instant) {
    if random.one_in(12) {
        // The process dies.
        return;
    }
    if written_at.elapsed() >= MAX_AGE {
        page.write_if(&[(LEASE, Some(lease))], &[(LEASE, None)]).await;
        return;
    }
    let exchange = Exchange::send(&page.world, token);
    match random.below(10) {
        // The process dies, or is stopped for a while.
        0 => return,
        1..=3 => {
            exchange.lose();
            sleep(random.millis(2000..5000)).await;
        }
        _ => renew_until_response(page, random, &exchange, lease).await,
    }
    let Some(new) = exchange.new_token else { return };
    let changes = [(REFRESH_TOKEN, Some(new)), (LEASE, None)];
    let stored = if page.world.mutant == Mutant::NoFence {
        page.write(&changes, false).await
    } else {
        page.write_if(&[(REFRESH_TOKEN, Some(token))], &changes).await
    };
    if stored == Outcome::Ok {
        exchange.stored();
    }
}

/// Waits for the provider, and shows the other requests that this one is alive.
async fn renew_until_response(page: &mut Page, random: &mut Random, exchange: &Exchange, mut lease: u32) {
    let responds_in = if random.one_in(3) { random.millis(1500..4000) } else { random.millis(20..500) };
    let mut response = pin!(sleep(responds_in));
    while timeout(RENEWAL_INTERVAL, &mut response).await.is_err() {
        let next = page.world.new_value();
        match page.write_if(&[(LEASE, Some(lease))], &[(LEASE, Some(next))]).await {
            Outcome::Ok => lease = next,
            Outcome::Conflict => {}
            Outcome::Ended | Outcome::Unknown => exchange.lose(),
        }
    }
}

/// The exchange of a refresh token. It is lost if it is dropped before the new one is stored.
struct Exchange {
    world: Arc<World>,
    id: ExchangeId,
    new_token: Option<u32>,
}

impl Exchange {
    fn send(world: &Arc<World>, token: u32) -> Self {
        let new = world.new_value();
        let (id, is_accepted) = world.provider.lock().unwrap().exchange(token, new, world.event());
        Self { world: Arc::clone(world), id, new_token: is_accepted.then_some(new) }
    }

    fn stored(&self) {
        self.world.provider.lock().unwrap().stored(self.id, self.world.event());
    }

    fn lose(&self) {
        self.world.provider.lock().unwrap().lose(self.id, self.world.event());
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.lose();
    }
}
