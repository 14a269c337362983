//! Sessions in a vault. Two clients stand for two processes: they share nothing but the store.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use fake_provider::{API, APP_ID, APP_SECRET, Endpoint, FakeProvider, REDIRECT_URI};
use logto_vault::store::sealed::Sealed;
use logto_vault::store::{Id, Record, StoreError, Swap, Swapped, VaultStore, Version};
use tokio::time::{sleep, timeout};

use crate::session::items;
use crate::storage::{Change, Changes, MemorySession, SessionHandle};
use crate::vault::{MemoryVault, Vault, Vaulted};
use crate::{Error, LogtoClient, LogtoConfig, LogtoSession, LogtoStorage, SignInOptions, TokenTarget, Url, scope};

const TICKET: &str = "logto_vault";

#[derive(LogtoStorage)]
#[logto(crate = "crate::storage")]
struct Storage(Vaulted<MemorySession, CountedStore>);

/// A store in memory that counts its reads, and loses the response to a swap on demand.
#[derive(Clone, Default)]
struct CountedStore {
    records: MemoryVault,
    reads: Arc<AtomicUsize>,
    loses_response: Arc<AtomicBool>,
}

impl Sealed for CountedStore {}

impl VaultStore for CountedStore {
    async fn read(&self, id: &Id, names: Option<&[&str]>) -> Result<Record, StoreError> {
        self.reads.fetch_add(1, SeqCst);
        self.records.read(id, names).await
    }

    async fn swap(&self, id: &Id, swap: &Swap) -> Result<Swapped, StoreError> {
        let swapped = self.records.swap(id, swap).await;
        if self.loses_response.swap(false, SeqCst) { Err(StoreError::new("no response")) } else { swapped }
    }

    async fn end(&self, id: &Id, expected: Option<Version>, keep: Duration) -> Result<Swapped, StoreError> {
        self.records.end(id, expected, keep).await
    }
}

/// A provider, a vault, and the ticket that the browser has.
struct World {
    provider: FakeProvider,
    store: CountedStore,
    ticket: String,
}

impl World {
    async fn start() -> Self {
        Self::with(FakeProvider::start().await).await
    }

    /// A refresh token is good for one use.
    async fn start_rotating() -> Self {
        Self::with(FakeProvider::start_rotating().await).await
    }

    async fn with(provider: FakeProvider) -> Self {
        let mut world = Self { provider, store: CountedStore::default(), ticket: String::new() };
        let (client, web) = (world.process(), MemorySession::default());
        let url = world.session(&client, &web).sign_in(SignInOptions::new(REDIRECT_URI)).await.unwrap();
        world.ticket = world.finish(&client, &web, &url).await;
        world
    }

    /// Completes a sign-in, and returns the ticket.
    async fn finish(&self, client: &LogtoClient, web: &MemorySession, url: &Url) -> String {
        let callback = self.provider.authorize(url).await;
        self.session(client, web).handle_sign_in_callback(callback.as_str()).await.unwrap();
        web.read(TICKET.into()).await.unwrap().unwrap()
    }

    fn process(&self) -> LogtoClient {
        let config = LogtoConfig::builder(self.provider.origin(), APP_ID).app_secret(APP_SECRET);
        LogtoClient::new(config.scopes([scope::ORGANIZATIONS]).resources([API]).build().unwrap()).unwrap()
    }

    /// The session of one request.
    fn session(&self, client: &LogtoClient, web: &MemorySession) -> LogtoSession<Storage> {
        client.session(Storage(Vaulted::new(web.clone(), Vault::new(self.store.clone()))))
    }

    /// The session of a request that brings the browser's ticket.
    async fn request(&self, client: &LogtoClient) -> LogtoSession<Storage> {
        client.session(self.storage().await)
    }

    async fn storage(&self) -> Storage {
        let web = MemorySession::default();
        web.write(Changes::one(Change::set(TICKET, &self.ticket))).await.unwrap();
        Storage(Vaulted::new(web, Vault::new(self.store.clone())))
    }

    /// What the record holds.
    async fn item(&self, key: &str) -> Option<String> {
        self.storage().await.get_item(key).await.unwrap()
    }
}

fn api() -> TokenTarget {
    TokenTarget::resource(API)
}

#[tokio::test]
async fn a_page_reads_the_vault_once() {
    let world = World::start().await;
    let request = world.request(&world.process()).await;
    world.store.reads.store(0, SeqCst);

    assert!(request.context().await.unwrap().is_authenticated);
    assert!(request.id_token().await.unwrap().is_some());
    assert!(request.refresh_token().await.unwrap().is_some());

    assert_eq!(world.store.reads.load(SeqCst), 1);
}

#[tokio::test]
async fn the_pending_sign_ins_of_two_tabs_are_both_kept() {
    let world = World::start().await;
    let client = world.process();
    let (one, other) = (world.request(&client).await, world.request(&client).await);
    // Both have read the session before one of them writes.
    assert!(one.is_authenticated().await.unwrap() && other.is_authenticated().await.unwrap());

    let options = || SignInOptions::new(REDIRECT_URI);
    let (one, other) = tokio::join!(one.sign_in(options()), other.sign_in(options()));

    for url in [one.unwrap(), other.unwrap()] {
        let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        let sign_ins = world.item(items::SIGN_IN_SESSION).await.unwrap();
        assert!(sign_ins.contains(&state), "one of them has lost the other's");
    }
}

#[tokio::test]
async fn processes_that_need_a_token_at_once_send_one_request() {
    let world = World::start_rotating().await;
    let processes = [world.process(), world.process(), world.process()];
    let requests =
        [world.request(&processes[0]).await, world.request(&processes[1]).await, world.request(&processes[2]).await];

    let (one, two, three) =
        tokio::join!(requests[0].access_token(api()), requests[1].access_token(api()), requests[2].access_token(api()));

    let tokens = [one.unwrap(), two.unwrap(), three.unwrap()];
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(world.provider.refreshes().len(), 1);
    assert_eq!(world.item(items::REFRESH_LEASE).await, None, "the lease is over");
    let next = world.request(&world.process()).await.access_token(TokenTarget::organization("org-1")).await;
    next.expect("the refresh token that is stored is the newest");
}

#[tokio::test]
async fn a_holder_that_waits_for_the_provider_keeps_the_lease() {
    let world = World::start_rotating().await;
    let gate = world.provider.hold_refreshes();
    let (holder, waiter) = (world.request(&world.process()).await, world.request(&world.process()).await);
    let mut first = pin!(holder.access_token(api()));
    while world.provider.refreshes().is_empty() {
        assert!(timeout(Duration::from_millis(10), first.as_mut()).await.is_err());
    }
    // Longer than it takes to take over from a holder that is gone.
    let (first, second, ()) = tokio::join!(first, waiter.access_token(api()), async {
        sleep(Duration::from_millis(2600)).await;
        gate.let_one_pass();
    });

    assert_eq!(first.unwrap(), second.unwrap());
    assert_eq!(world.provider.refreshes().len(), 1);
}

#[tokio::test]
async fn a_holder_whose_renewal_of_the_lease_got_no_response_keeps_it() {
    let world = World::start_rotating().await;
    let gate = world.provider.hold_refreshes();
    let (holder, waiter) = (world.request(&world.process()).await, world.request(&world.process()).await);
    let mut first = pin!(holder.access_token(api()));
    while world.provider.refreshes().is_empty() {
        assert!(timeout(Duration::from_millis(10), first.as_mut()).await.is_err());
    }
    // The next swap is the renewal, since nobody waits yet. It is applied.
    world.store.loses_response.store(true, SeqCst);
    while world.store.loses_response.load(SeqCst) {
        assert!(timeout(Duration::from_millis(10), first.as_mut()).await.is_err());
    }
    let (first, second, ()) = tokio::join!(first, waiter.access_token(api()), async {
        sleep(Duration::from_millis(2600)).await;
        gate.let_one_pass();
    });

    assert_eq!(first.unwrap(), second.unwrap());
    assert_eq!(world.provider.refreshes().len(), 1);
}

#[tokio::test]
async fn a_waiter_takes_over_from_a_process_that_is_gone() {
    let world = World::start().await;
    let gate = world.provider.hold_refreshes();
    {
        // A runtime of its own, which takes the task of the request with it.
        let request = world.request(&world.process()).await;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let holder = runtime.spawn(async move { request.access_token(api()).await });
        while world.provider.refreshes().is_empty() {
            sleep(Duration::from_millis(5)).await;
        }
        holder.abort();
        runtime.shutdown_background();
    }
    gate.open();
    let start = Instant::now();

    let token = world.request(&world.process()).await.access_token(api()).await.unwrap();

    let waited = start.elapsed();
    assert!((Duration::from_secs(1)..Duration::from_secs(10)).contains(&waited), "{waited:?}");
    assert!(token.is_fresh(fake_provider::now()));
    assert_eq!(world.provider.refreshes().len(), 2);
}

#[tokio::test]
async fn of_two_exchanges_of_one_token_the_first_that_is_stored_counts() {
    let world = World::with(
        FakeProvider::start_with(|config| {
            config.rotate_refresh_token_at = 0.0;
            config.refresh_token_grace = Duration::from_secs(60);
        })
        .await,
    )
    .await;
    let gate = world.provider.hold_refreshes();
    let (stalled, other) = (world.request(&world.process()).await, world.request(&world.process()).await);
    let mut first = pin!(stalled.access_token(api()));
    while world.provider.refreshes().is_empty() {
        assert!(timeout(Duration::from_millis(10), first.as_mut()).await.is_err());
    }
    // The holder stalls: it does not renew its lease, although it is alive.
    gate.open();
    let second = other.access_token(api()).await.unwrap();
    let stored = world.item(items::REFRESH_TOKEN).await;

    let first = first.await.expect("its own exchange, within the provider's grace, or the other's token");

    assert_eq!(world.item(items::REFRESH_TOKEN).await, stored, "the late exchange changes nothing");
    assert_eq!(world.provider.refreshes().len(), 2);
    assert!(first.is_fresh(fake_provider::now()) && second.is_fresh(fake_provider::now()));
    assert!(world.request(&world.process()).await.is_authenticated().await.unwrap());
}

#[tokio::test]
async fn a_refresh_beside_the_sign_out_of_another_process_stores_nothing_and_its_token_is_revoked() {
    let world = World::start_rotating().await;
    let gate = world.provider.hold_refreshes();
    let (refreshing, signing_out) = (world.request(&world.process()).await, world.request(&world.process()).await);
    let mut refresh = pin!(refreshing.access_token(api()));
    while world.provider.refreshes().is_empty() {
        assert!(timeout(Duration::from_millis(10), refresh.as_mut()).await.is_err());
    }

    signing_out.sign_out(None).await.unwrap();
    gate.open();
    let refreshed = refresh.await;

    assert!(matches!(refreshed, Err(Error::NotAuthenticated)), "{refreshed:?}");
    assert!(!world.request(&world.process()).await.is_authenticated().await.unwrap());
    // The one that was known when signing out, and in the background the one that has replaced it.
    let revoked = async {
        while world.provider.count(Endpoint::Revocation) < 2 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(10), revoked).await.expect("two revocations");
    let calls = world.provider.calls(Endpoint::Revocation);
    assert_ne!(calls[0].param("token"), calls[1].param("token"));
}

#[tokio::test]
async fn access_tokens_that_one_process_has_removed_are_not_stored_again_by_another() {
    let world = World::start().await;
    let (client, other) = (world.process(), world.process());
    let organization = TokenTarget::organization("org-1");
    let before = world.request(&client).await.access_token(api()).await.unwrap();
    let of_organization = world.request(&client).await.access_token(organization.clone()).await.unwrap();

    world.request(&other).await.clear_access_tokens().await.unwrap();

    let after = world.request(&client).await.access_token(organization).await.unwrap();
    assert_ne!(after, of_organization, "it is not taken from the process's memory");
    let after = world.request(&other).await.access_token(api()).await.unwrap();
    assert_ne!(after, before, "nor stored from there");
}

#[tokio::test]
async fn a_request_that_is_late_for_a_sign_out_is_signed_out() {
    let world = World::start().await;
    let (client, other) = (world.process(), world.process());
    let late = world.request(&client).await;
    assert!(late.is_authenticated().await.unwrap());

    world.request(&other).await.sign_out(None).await.unwrap();

    for result in [late.access_token(api()).await.err(), late.sign_in(SignInOptions::new(REDIRECT_URI)).await.err()] {
        assert!(matches!(result, Some(Error::NotAuthenticated)), "{result:?}");
    }
    assert!(!world.request(&client).await.is_authenticated().await.unwrap(), "the browser's old ticket is worthless");
}

#[tokio::test]
async fn a_new_sign_in_kills_the_ticket_before_it() {
    let world = World::start().await;
    let (client, web) = (world.process(), MemorySession::default());
    web.write(Changes::one(Change::set(TICKET, &world.ticket))).await.unwrap();
    let url = world.session(&client, &web).sign_in(SignInOptions::new(REDIRECT_URI)).await.unwrap();

    let ticket = world.finish(&client, &web, &url).await;

    assert_ne!(ticket, world.ticket);
    assert!(world.session(&client, &web).is_authenticated().await.unwrap());
    assert!(!world.request(&world.process()).await.is_authenticated().await.unwrap());
}

#[tokio::test]
async fn a_sign_in_from_before_the_vault_is_kept_and_moved() {
    let world = World::start().await;
    let (client, web) = (world.process(), MemorySession::default());
    for key in [items::ID_TOKEN, items::REFRESH_TOKEN] {
        let item = world.item(key).await.unwrap();
        web.write(Changes::one(Change::set(key, &item))).await.unwrap();
    }

    assert!(world.session(&client, &web).is_authenticated().await.unwrap(), "it is read from the session");
    world.session(&client, &web).access_token(api()).await.unwrap();

    assert!(world.session(&client, &web).is_authenticated().await.unwrap());
    assert_eq!(web.read(items::ID_TOKEN.into()).await.unwrap(), None, "it is in the vault now");
    assert_eq!(web.read(items::REFRESH_TOKEN.into()).await.unwrap(), None);
    world.session(&client, &web).sign_out(None).await.unwrap();
    assert!(!world.session(&client, &web).is_authenticated().await.unwrap());
    assert_eq!(web.read(TICKET.into()).await.unwrap(), None);
}

#[tokio::test]
async fn a_holder_whose_lease_was_taken_over_does_not_end_that_of_its_successor() {
    let world = World::start_rotating().await;
    let keys = world.provider.hold(Endpoint::Jwks);
    let fetched = world.provider.count(Endpoint::Jwks);
    // A process that has just started: it stores the new refresh token, and fetches the key set to verify the ID token.
    let slow = world.request(&world.process()).await;
    let mut first = pin!(slow.access_token(api()));
    while world.provider.count(Endpoint::Jwks) == fetched {
        assert!(timeout(Duration::from_millis(10), first.as_mut()).await.is_err());
    }
    let gate = world.provider.hold_refreshes();
    let successor = world.request(&world.process()).await;
    let mut second = pin!(successor.access_token(api()));
    while world.provider.refreshes().len() < 2 {
        // Both are running. The first one waits for the keys and does not renew its lease.
        let both = async { tokio::join!(first.as_mut(), second.as_mut()) };
        assert!(timeout(Duration::from_millis(10), both).await.is_err());
    }
    keys.open();
    first.await.unwrap();

    let other = world.request(&world.process()).await;
    let third = timeout(Duration::from_secs(1), other.access_token(TokenTarget::organization("org-1")));
    let _ = tokio::join!(timeout(Duration::from_secs(1), second.as_mut()), third);

    let sent = world.provider.refreshes();
    assert_eq!(sent.len(), 2, "nobody else sends a request meanwhile");
    gate.open();
    second.await.unwrap();
    assert!(world.request(&world.process()).await.access_token(TokenTarget::organization("org-1")).await.is_ok());
}

#[cfg(feature = "axum-0_8")]
mod axum {
    use std::borrow::Cow;
    use std::convert::Infallible;

    use ::axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
    use ::axum::http::Request;
    use ::axum::http::request::Parts;

    use super::*;
    use crate::axum::{LogtoAuth, User, VaultStorage};
    use crate::storage::Result;

    type WebStorage = VaultStorage<Web, CountedStore>;

    #[derive(Clone, FromRef)]
    struct AppState {
        auth: LogtoAuth,
        vault: Vault<CountedStore>,
    }

    /// The session of a request, as a session library's layer leaves it in the request.
    #[derive(Clone)]
    struct Web(MemorySession);

    impl<T: Sync> FromRequestParts<T> for Web {
        type Rejection = Infallible;

        async fn from_request_parts(parts: &mut Parts, _: &T) -> Result<Self, Infallible> {
            Ok(parts.extensions.get::<Self>().unwrap().clone())
        }
    }

    impl SessionHandle for Web {
        fn read(&self, key: Cow<'_, str>) -> impl Future<Output = Result<Option<String>>> + Send {
            self.0.read(key)
        }

        fn write<'a>(&'a self, changes: Changes<'a>) -> impl Future<Output = Result<()>> + Send {
            self.0.write(changes)
        }
    }

    #[tokio::test]
    async fn all_extractors_of_a_request_share_one_read() {
        let world = World::start().await;
        let web = MemorySession::default();
        web.write(Changes::one(Change::set(TICKET, &world.ticket))).await.unwrap();
        let auth = LogtoAuth::builder(world.process(), "https://app.example.com").build().unwrap();
        let state = AppState { auth, vault: Vault::new(world.store.clone()) };
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.extensions.insert(Web(web));
        world.store.reads.store(0, SeqCst);

        let user = <User<WebStorage> as FromRequestParts<_>>::from_request_parts(&mut parts, &state).await.unwrap();
        let maybe = <User<WebStorage> as OptionalFromRequestParts<_>>::from_request_parts(&mut parts, &state).await;
        let session = LogtoSession::<WebStorage>::from_request_parts(&mut parts, &state).await.unwrap();

        assert_eq!(maybe.unwrap().unwrap().claims, user.claims);
        assert!(session.is_authenticated().await.unwrap());
        assert_eq!(world.store.reads.load(SeqCst), 1);
    }
}
