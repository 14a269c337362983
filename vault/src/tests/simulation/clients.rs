//! What the requests of the browser do.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::call::{CART, ID_TOKEN, Item, KEYS, LEASE, REFRESH_TOKEN, SIGN_IN_SESSION, Value};
use super::lease::refresh;
use super::page::{Page, World};
use super::random::Random;
use crate::ticket::TICKET_KEY;

const CLIENTS: u64 = 5;
const REQUESTS: u64 = 5;

/// The items that requests write as they like.
const PLAIN: [Item; 3] = [ID_TOKEN, SIGN_IN_SESSION, CART];

#[derive(Clone, Copy)]
enum Action {
    Look,
    Write,
    WriteIf,
    SignIn,
    SignOut,
    Refresh,
}

/// Mostly writes, mostly renewals, or mostly refreshes.
const MIXES: [&[Action]; 3] = {
    use Action::{Look, Refresh, SignIn, SignOut, Write, WriteIf};
    [
        &[Look, Look, Write, Write, Write, WriteIf, WriteIf, WriteIf, SignIn, SignOut, SignOut, Refresh],
        &[Look, Write, WriteIf, SignIn, SignIn, SignIn, SignOut, SignOut, SignOut],
        &[Look, Write, WriteIf, Refresh, Refresh, Refresh, Refresh, Refresh, Refresh, Refresh, Refresh, SignIn],
    ]
};

/// Lets concurrent clients send their requests, waits until nothing is on its way, and looks at what is left.
pub(crate) async fn run(world: &Arc<World>, seed: u64) {
    let mut random = Random::new(seed.wrapping_mul(31));
    let mix = random.pick(&MIXES);
    let pause = random.pick(&[1500, 300, 60]);
    if !random.one_in(3) {
        let mut page = Page::new(world, 0, world.browser.request(), world.network.reliable());
        sign_in(&mut page).await;
        page.session.end(false);
    }
    let mut clients = JoinSet::new();
    for client in 1..=CLIENTS {
        let (world, random) = (Arc::clone(world), Random::new(seed.wrapping_mul(37).wrapping_add(client)));
        clients.spawn(self::client(world, client, random, mix, pause));
    }
    clients.join_all().await;
    sleep(Duration::from_secs(10)).await;
    look_with_all_tickets(world).await;
}

async fn client(world: Arc<World>, client: u64, mut random: Random, mix: &'static [Action], pause: u64) {
    for _ in 0..REQUESTS {
        sleep(random.millis(0..pause)).await;
        let session = world.browser.request();
        let number = client.try_into().expect("a small number");
        let mut page = Page::new(&world, number, Arc::clone(&session), world.network.clone());
        let hangs_up_after = if random.one_in(12) { random.millis(20..400) } else { Duration::MAX };
        let handled = timeout(hangs_up_after, handle(&mut page, &mut random, mix, pause)).await;
        drop(page);
        if handled.is_err() {
            world.hung_up(&session);
            continue;
        }
        // A slow response.
        if random.one_in(2) {
            sleep(random.millis(0..3000)).await;
        }
        session.end(random.one_in(10));
    }
}

async fn handle(page: &mut Page, random: &mut Random, mix: &[Action], pause: u64) {
    for _ in 0..=random.below(3) {
        if page.world.is_full() {
            return;
        }
        match random.pick(mix) {
            Action::Look => look(page, random).await,
            Action::Write => write(page, random).await,
            Action::WriteIf => write_if(page, random).await,
            Action::SignIn => sign_in(page).await,
            Action::SignOut => sign_out(page, random).await,
            Action::Refresh => return refresh(page, random).await,
        }
        sleep(random.millis(0..pause / 5)).await;
    }
}

async fn look(page: &mut Page, random: &mut Random) {
    page.read_tokens().await;
    if random.one_in(2) {
        page.read(random.pick(&PLAIN)).await;
    }
}

fn new_value(page: &Page, random: &mut Random) -> Value {
    (!random.one_in(4)).then(|| page.world.new_value())
}

async fn write(page: &mut Page, random: &mut Random) {
    let mut changes = vec![(random.pick(&PLAIN), new_value(page, random))];
    let other = random.pick(&PLAIN);
    if other != changes[0].0 {
        changes.push((other, new_value(page, random)));
    }
    page.write(&changes, random.one_in(2)).await;
}

async fn write_if(page: &mut Page, random: &mut Random) {
    let (item, other) = (random.pick(&PLAIN), random.pick(&PLAIN));
    let Some(value) = page.read(item).await else { return };
    let changed = if random.one_in(3) { other } else { item };
    if changed != item && page.read_unknown(&[changed]).await.is_none() {
        return;
    }
    sleep(random.millis(0..200)).await;
    page.write_if(&[(item, value)], &[(changed, new_value(page, random))]).await;
}

/// What the callback of a sign-in writes.
async fn sign_in(page: &mut Page) {
    let (id_token, refresh_token) = (page.world.new_value(), page.world.new_value());
    page.world.provider.lock().unwrap().sign_in(refresh_token, page.world.event());
    let changes =
        [(ID_TOKEN, Some(id_token)), (REFRESH_TOKEN, Some(refresh_token)), (SIGN_IN_SESSION, None), (LEASE, None)];
    page.renew(&changes).await;
}

/// Removes everything, the items of one prefix, or those of another one.
async fn sign_out(page: &mut Page, random: &mut Random) {
    let of_one = [ID_TOKEN, REFRESH_TOKEN, LEASE, SIGN_IN_SESSION];
    let all = [ID_TOKEN, REFRESH_TOKEN, LEASE, SIGN_IN_SESSION, CART];
    let removed = random.pick(&[&all[..], &of_one, &[CART]]);
    let changes: Vec<(Item, Value)> = removed.iter().map(|item| (*item, None)).collect();
    page.renew(&changes).await;
}

/// Whatever session may still be saved: the model knows which tickets are dead.
async fn look_with_all_tickets(world: &Arc<World>) {
    let calls = world.calls.lock().unwrap().clone();
    let held = calls.iter().flat_map(|call| call.session.tickets()).filter_map(|held| held.text);
    let mut texts: Vec<String> = Vec::new();
    for text in held {
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    for text in texts {
        world.browser.set(TICKET_KEY, &text);
        let mut page = Page::new(world, 0, world.browser.request(), world.network.reliable());
        let all: Vec<Item> = (0..KEYS.len()).collect();
        page.read_all(&all).await.expect("a reliable store");
    }
}
