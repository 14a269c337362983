//! Conditional writes, and writes at the same time.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use logto_storage_core::{AllSeen, Changes, ErrorKind, MemorySession, Operation, Seen, SessionHandle};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::{changes, page, read, renew, sign_in, vault, write, write_if};
use crate::store::{self, GUARD, Id, Record, Step, StoreError, Swap, Swapped, VaultStore, Version};
use crate::tests::web::{Browser, Saving};
use crate::{MemoryVault, Vault, Vaulted};

#[tokio::test]
async fn conditional_write_succeeds_if_all_items_are_as_seen_and_changes_nothing_otherwise() {
    let (_, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    sign_in(&browser, &vault, &[("a", "1"), ("b", "2")]).await;
    let next = || page(&browser, &vault);
    let as_seen = [("a", Some("1")), ("b", Some("2")), ("c", None)];

    for not_as_seen in [("a", Some("2")), ("a", None), ("b", Some("")), ("c", Some("3"))] {
        let mut seen = as_seen;
        *seen.iter_mut().find(|(key, _)| *key == not_as_seen.0).unwrap() = not_as_seen;
        let changes = [("a", Some("changed")), ("d", Some("changed"))];
        assert_eq!(write_if(&next(), &seen, &changes).await, Err(ErrorKind::Conflict), "{not_as_seen:?}");
    }
    assert_eq!(read(&next(), "a").await.as_deref(), Some("1"));
    assert_eq!(read(&next(), "d").await, None);

    assert_eq!(write_if(&next(), &as_seen, &[("a", None), ("c", Some("3"))]).await, Ok(()));
    // A removed item is as one that was never there.
    assert_eq!(write_if(&next(), &[("a", None), ("d", None)], &[("a", Some("4"))]).await, Ok(()));
    for (key, value) in [("a", "4"), ("b", "2"), ("c", "3")] {
        assert_eq!(read(&next(), key).await.as_deref(), Some(value));
    }
}

#[tokio::test]
async fn values_are_compared_again_after_a_conflict_in_the_store() {
    // What another request writes between the read and the swap, and whether the condition still holds.
    for (meanwhile, holds) in [
        (("a", Some("1")), true),
        (("c", Some("3")), true),
        (("b", Some("3")), true),
        (("a", Some("3")), false),
        (("a", None), false),
    ] {
        let (store, vault) = vault();
        let browser = Browser::new(Saving::Immediate);
        sign_in(&browser, &vault, &[("a", "1"), ("b", "2")]).await;
        let (writer, other) = (page(&browser, &vault), page(&browser, &vault));
        store.calls();
        store.before_change(0, async move { write(&other, &[meanwhile]).await.unwrap() });

        let written = write_if(&writer, &[("a", Some("1"))], &[("b", Some("4"))]).await;

        assert_eq!(written, if holds { Ok(()) } else { Err(ErrorKind::Conflict) }, "{meanwhile:?}");
        let expected = if holds { "4" } else { "2" };
        assert_eq!(read(&page(&browser, &vault), "b").await.as_deref(), Some(expected), "{meanwhile:?}");
    }
}

#[tokio::test]
async fn condition_holds_for_a_renewal_as_well() {
    let (store, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    sign_in(&browser, &vault, &[("a", "1")]).await;
    let seen = [Seen::new("a", Some("1"))];
    let renewal = changes(&[("b", Some("2"))]);
    let renewal = Changes::all(&renewal).renewing();
    let (first, second) = (page(&browser, &vault), page(&browser, &vault));
    store.calls();
    store.before_change(0, async move { write(&second, &[("a", Some("3"))]).await.unwrap() });

    let error = first.write_if(AllSeen::new(&seen), renewal).await.unwrap_err();

    assert_eq!((error.kind(), error.operation()), (ErrorKind::Conflict, Some(Operation::ApplyIf)));
    assert_eq!(read(&page(&browser, &vault), "b").await, None);
}

#[tokio::test]
async fn two_hundred_writers_of_different_items_lose_none() {
    let (_, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    sign_in(&browser, &vault, &[("a", "1")]).await;
    let mut writers = JoinSet::new();
    for writer in 0..200 {
        let page = page(&browser, &vault);
        writers.spawn(async move {
            let key = format!("item {writer}");
            write(&page, &[(&key, Some("mine")), ("last", Some(&key))]).await
        });
    }
    assert_eq!(writers.join_all().await, [Ok(()); 200]);

    let page = page(&browser, &vault);
    for writer in 0..200 {
        assert_eq!(read(&page, &format!("item {writer}")).await.as_deref(), Some("mine"), "{writer}");
    }
    assert!(read(&page, "last").await.unwrap().starts_with("item "));
}

/// Adds one to the counter, whatever others do.
async fn count(page: &impl SessionHandle) {
    loop {
        let seen = read(page, "counter").await;
        let next = seen.as_deref().map_or(0, |seen| seen.parse::<u32>().unwrap()) + 1;
        let counted = write_if(page, &[("counter", seen.as_deref())], &[("counter", Some(&next.to_string()))]).await;
        match counted {
            Ok(()) => return,
            Err(ErrorKind::Conflict) => page.reload().await.unwrap(),
            Err(kind) => panic!("{kind:?}"),
        };
    }
}

#[tokio::test]
async fn two_hundred_writers_of_a_counter_lose_none() {
    let (store, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    sign_in(&browser, &vault, &[("a", "1")]).await;
    store.calls();
    let mut writers = JoinSet::new();
    for _ in 0..200 {
        let page = page(&browser, &vault);
        writers.spawn(async move { count(&page).await });
    }
    writers.join_all().await;

    assert_eq!(read(&page(&browser, &vault), "counter").await.as_deref(), Some("200"));
    let swaps = store.calls().iter().filter(|call| **call == "swap").count();
    assert!(swaps > 200, "{swaps}: they were not at the same time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_writers_on_several_threads_lose_none() {
    let vault = Vault::new(MemoryVault::default());
    let session = MemorySession::default();
    let page = || Vaulted::new(session.clone(), vault.clone());
    renew(&page(), &[("a", Some("1"))]).await.unwrap();
    let mut writers = JoinSet::new();
    for writer in 0..200 {
        let page = Arc::new(page());
        writers.spawn(async move {
            let key = format!("item {writer}");
            write(&page, &[(&key, Some("mine"))]).await.unwrap();
            count(&page).await;
        });
    }
    writers.join_all().await;

    assert_eq!(read(&page(), "counter").await.as_deref(), Some("200"));
    for writer in 0..200 {
        assert_eq!(read(&page(), &format!("item {writer}")).await.as_deref(), Some("mine"), "{writer}");
    }
}

/// A store in which another request always changes the items first. Each swap takes a second.
struct Contested(MemoryVault);

impl store::sealed::Sealed for Contested {}

impl VaultStore for Contested {
    async fn read(&self, id: &Id, names: Option<&[&str]>) -> Result<Record, StoreError> {
        self.0.read(id, names).await
    }

    async fn swap(&self, id: &Id, swap: &Swap) -> Result<Swapped, StoreError> {
        sleep(Duration::from_secs(1)).await;
        let now = self.0.read(id, None).await?;
        let version = |name: &str| now.fields.get(name).and_then(|field| Version::of(field));
        let other = |step: &Step| Step::put(step.name.clone(), version(&step.name), *Version::random().as_bytes());
        let others: Vec<_> = swap.steps.iter().filter(|step| step.name != GUARD).map(other).collect();
        assert_eq!(self.0.swap(id, &Swap::new(others, swap.lifetime)).await?, Swapped::Done);
        self.0.swap(id, swap).await
    }

    async fn end(&self, id: &Id, expected: Option<Version>, keep: Duration) -> Result<Swapped, StoreError> {
        self.0.end(id, expected, keep).await
    }
}

#[tokio::test(start_paused = true)]
async fn write_gives_up_after_five_seconds_if_others_are_always_first() {
    let (memory, session) = (MemoryVault::default(), MemorySession::default());
    renew(&Vaulted::new(session.clone(), Vault::new(memory.clone())), &[("a", Some("1"))]).await.unwrap();
    let contested = Vaulted::new(session, Vault::new(Contested(memory)));
    let started = Instant::now();

    let error = contested.write(Changes::all(&changes(&[("a", Some("2"))]))).await.unwrap_err();

    assert_eq!(started.elapsed().as_secs(), 5);
    assert_eq!(error.kind(), ErrorKind::Session);
    let causes = error.source().and_then(|error| error.source()).unwrap();
    assert_eq!(causes.to_string(), "other requests change the same items");
}
