//! Many requests that write at once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use logto_client::vault::store::Id;
use logto_client::vault::{RedisVault, VaultStore as _};
use serde_json::json;
use tower_sessions_0_14::SessionStore as _;

use crate::app_process::{AppProcess, sessions};
use crate::provider::On;
use crate::sessions::COOKIE;
use crate::vault::world::{World, loaded};

const WRITERS: usize = 200;

pub(crate) async fn two_hundred_writers_of_a_process_lose_nothing(on: On) {
    let world = World::signed_in(on, |_| {}).await;
    all_is_written(&world, [&world.b, &world.b]).await;
}

pub(crate) async fn two_hundred_writers_of_two_processes_lose_nothing(on: On) {
    let world = World::signed_in(on, |_| {}).await;
    all_is_written(&world, world.apps()).await;
}

async fn all_is_written(world: &World, apps: [&AppProcess; 2]) {
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| world.load(apps[number % 2], &format!("/set-item?key=item-{number}&value={number}")))
        .collect();
    for writer in writers {
        let (status, answer) = loaded(writer).await;
        assert_eq!(status, 200, "{answer}");
    }
    for number in 0..WRITERS {
        let item = world.ok(&world.b, &format!("/items/item-{number}")).await;
        assert_eq!(item, json!(number.to_string()), "item {number}");
    }
    world.assert_user(Some("ann")).await;
}

pub(crate) async fn two_hundred_increments_of_one_item_are_counted(on: On) {
    let world = World::signed_in(on, |_| {}).await;

    let writers: Vec<_> = (0..WRITERS).map(|number| world.load(world.apps()[number % 2], "/count")).collect();
    for writer in writers {
        let (status, answer) = loaded(writer).await;
        assert_eq!(status, 200, "{answer}");
    }

    assert_eq!(world.ok(&world.a, "/items/counter").await, json!(WRITERS.to_string()));
}

pub(crate) async fn fifty_writers_that_are_late_for_a_sign_out_write_nothing(on: On) {
    let world = World::signed_in(on, |_| {}).await;
    let before = world.with_cookies_of_now();
    let record = record(&world).await;
    let vault = RedisVault::connect(&world.redis.url()).await.unwrap();
    assert!(vault.read(&record, None).await.unwrap().fields.len() > 1);
    let writers: Vec<_> = (0..50)
        .map(|number| {
            let path = format!("/pause-and-set-item?key=item-{number}&value=late&cart={number}");
            world.load(world.apps()[number % 2], &path)
        })
        .collect();
    world.a.pages_pause(25).await;
    world.b.pages_pause(25).await;

    world.sign_out(&world.b).await;
    world.a.end_pauses(25).await;
    world.b.end_pauses(25).await;

    for writer in writers {
        let (status, answer) = loaded(writer).await;
        assert_eq!((status, &answer["error"]), (401, &"NotAuthenticated".into()), "{answer}");
    }
    // Nothing but the mark of its end.
    let fields = vault.read(&record, None).await.unwrap().fields;
    assert_eq!(fields.keys().collect::<Vec<_>>(), ["k"]);
    for browser in [&world.browser, &before] {
        world.assert_signed_out(browser).await;
        assert_eq!(browser.json(&world.a.url("/items/item-1")).await, (200, json!(null)));
    }
}

/// The record that the browser's ticket is for.
async fn record(world: &World) -> Id {
    let session = world.browser.cookie(&world.a.url, COOKIE).expect("a session");
    let session = sessions(&world.redis.url()).await.load(&session.parse().unwrap()).await.unwrap().expect("a record");
    let ticket = URL_SAFE_NO_PAD.decode(session.data["logto_vault"].as_str().unwrap()).unwrap();
    Id::from_bytes(*ticket.first_chunk().unwrap())
}
