//! A store that fails at each call of a request, in every way.

use std::collections::BTreeSet;

use fake_provider::Endpoint;
use futures_util::{StreamExt as _, stream};

use crate::app::APIS;
use crate::apps::Library;
use crate::store::{Call, Fault};
use crate::table::{self, assert_documented};
use crate::world::{Visitor, World};

/// How many worlds a test has at once.
const AT_ONCE: usize = 16;

/// What the visitor does while the store fails.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flow {
    /// Nobody is signed in before, and then Bob is.
    FirstCallback,
    /// Ada is signed in before, and then Bob is. The handler answers errors with a 400.
    SecondCallback,
    /// Ada needs a token.
    Refresh,
    /// Ada signs out.
    SignOut,
}

/// A fault, and when its request arrives if it is late.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Failure {
    call: usize,
    fault: Fault,
    arrives_after_retry: bool,
}

pub(crate) async fn a_first_sign_in_survives_a_store_that_fails_in_the_callback(library: Library) {
    let has_cart = survives(library, Flow::FirstCallback).await;
    let observed = if has_cart { "the app's values are kept" } else { "the app's values may be lost" };
    assert_documented(library, table::FAILED_CALLBACK, observed);
}

pub(crate) async fn a_second_sign_in_survives_a_store_that_fails_in_the_callback(library: Library) {
    assert!(survives(library, Flow::SecondCallback).await, "the app's values are kept");
}

pub(crate) async fn a_user_survives_a_store_that_fails_in_a_refresh(library: Library) {
    assert!(survives(library, Flow::Refresh).await, "the app's values are kept");
}

pub(crate) async fn a_user_survives_a_store_that_fails_in_the_sign_out(library: Library) {
    assert!(survives(library, Flow::SignOut).await, "the app's values are kept");
}

/// Returns whether the app's own values always survive.
async fn survives(library: Library, flow: Flow) -> bool {
    let calls = {
        let world = World::start(library).await;
        let (visitor, path) = flow.prepare(&world).await;
        world.store.work();
        assert!(matches!(visitor.get(&path).await.status, 200 | 303));
        world.store.work()
    };
    assert!(calls.contains(&Call::Write));
    let mut failures = Vec::new();
    for (call, kind) in calls.into_iter().enumerate() {
        let mut add = |fault, arrives_after_retry| failures.push(Failure { call, fault, arrives_after_retry });
        add(Fault::RequestLost, false);
        add(Fault::Outage, false);
        if kind == Call::Write {
            add(Fault::ResponseLost, false);
            add(Fault::Late, false);
            add(Fault::Late, true);
        }
    }
    let carts: BTreeSet<bool> = stream::iter(failures)
        .map(|failure| async move { survives_failure(library, flow, failure).await })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    !carts.contains(&false)
}

async fn survives_failure(library: Library, flow: Flow, failure: Failure) -> bool {
    let world = World::start(library).await;
    let (visitor, path) = flow.prepare(&world).await;
    let old = world.visitor_with(&visitor.cookies());
    let exchanges = world.provider.count(Endpoint::Token);
    world.store.fail(failure.call, failure.fault);
    let reply = visitor.get(&path).await;
    world.store.work();
    if !failure.arrives_after_retry {
        world.store.deliver_late().await;
    }

    let context = format!("{flow:?} with {failure:?}: {} {}", reply.status, reply.body);
    let user = visitor.user().await;
    let user = user.as_deref();
    match reply.status {
        200 | 303 => {
            assert_eq!(user, flow.after(), "{context}");
            if flow == Flow::Refresh {
                is_stored(&world, &visitor, &context).await;
            }
        }
        400 | 500 => {
            // A failed write may be in the store, and a sign-out may fail when the record has ended.
            let may_be_done = matches!(failure.fault, Fault::ResponseLost | Fault::Late) || flow == Flow::SignOut;
            let is_done = may_be_done && user == flow.after();
            assert!(user == flow.before() || is_done, "{user:?} after {context}");
        }
        _ => panic!("{context}"),
    }
    if flow == Flow::Refresh && world.provider.count(Endpoint::Token) == exchanges {
        assert_eq!(user, Some("Ada"), "{context}");
    }
    let has_cart = visitor.has_cart().await;
    let old_user = old.user().await;
    let old_may_be = if library.keeps_session_id { user } else { flow.before() };
    assert!(old_user.is_none() || old_user.as_deref() == old_may_be, "{old_user:?} after {context}");
    if user.is_some() {
        is_whole(&visitor, &context).await;
    }

    flow.retry(&world, &visitor).await;
    is_as_retried(flow, &visitor, &old, &context).await;
    if failure.arrives_after_retry {
        world.store.deliver_late().await;
        is_as_retried(flow, &visitor, &old, &context).await;
    }
    has_cart
}

impl Flow {
    /// A visitor with a value in the app's session, and what they request next.
    async fn prepare(self, world: &World) -> (Visitor, String) {
        let visitor = match self.before() {
            Some(user) => world.signed_in(user).await,
            None => world.visitor(),
        };
        visitor.fill_cart().await;
        let path = match self {
            Self::FirstCallback => world.callback(&visitor.start_sign_in().await, "Bob").await,
            Self::SecondCallback => {
                let callback = world.callback(&visitor.start_sign_in().await, "Bob").await;
                format!("{callback}&errors-are-400")
            }
            Self::Refresh => format!("/token?target={}", APIS[0]),
            Self::SignOut => "/sign-out".to_owned(),
        };
        (visitor, path)
    }

    fn before(self) -> Option<&'static str> {
        (self != Self::FirstCallback).then_some("Ada")
    }

    fn after(self) -> Option<&'static str> {
        match self {
            Self::FirstCallback | Self::SecondCallback => Some("Bob"),
            Self::Refresh => Some("Ada"),
            Self::SignOut => None,
        }
    }

    async fn retry(self, world: &World, visitor: &Visitor) {
        match self {
            Self::FirstCallback | Self::SecondCallback => assert_eq!(world.sign_in(visitor, "Bob").await, 200),
            Self::Refresh => {
                // The failure may have lost the refresh token that has replaced the old one.
                if visitor.token(APIS[0]).await.status == 401 {
                    assert_eq!(visitor.user().await, None);
                    assert_eq!(world.sign_in(visitor, "Ada").await, 200);
                }
                assert_eq!(visitor.token(APIS[0]).await.status, 200);
            }
            Self::SignOut => visitor.sign_out().await,
        }
    }
}

/// The token of a successful refresh is in the vault.
async fn is_stored(world: &World, visitor: &Visitor, context: &str) {
    let exchanges = world.provider.count(Endpoint::Token);
    assert_eq!(visitor.token(APIS[0]).await.status, 200, "{context}");
    assert_eq!(world.provider.count(Endpoint::Token), exchanges, "{context}");
}

/// A user who is signed in gets tokens of their own, unless the sign-in has ended: then the next page says so.
async fn is_whole(visitor: &Visitor, context: &str) {
    let token = visitor.token(APIS[1]).await;
    match token.status {
        200 => assert_eq!(token.body["is_users"], true, "{context}"),
        401 => assert_eq!(visitor.user().await, None, "{context}"),
        _ => panic!("{token:?} after {context}"),
    }
}

async fn is_as_retried(flow: Flow, visitor: &Visitor, old: &Visitor, context: &str) {
    assert_eq!(visitor.user().await.as_deref(), flow.after(), "retried after {context}");
    match flow {
        Flow::SignOut => {
            assert_eq!(old.user().await, None, "retried after {context}");
            assert_eq!(old.token(APIS[0]).await.status, 401, "retried after {context}");
        }
        _ => is_whole(visitor, context).await,
    }
}
