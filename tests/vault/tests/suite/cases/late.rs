//! Pages that end late, and save the session that they have read before.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use crate::app::APIS;
use crate::apps::Library;
use crate::table::{self, assert_documented};
use crate::world::{Reply, Visitor, World};

const PAGES: usize = 50;

/// Opens pages of the visitor that read the user, wait, and change the app's values. Every other one then needs a token.
struct LatePages(Vec<tokio::task::JoinHandle<Reply>>);

impl LatePages {
    async fn open(world: &World, visitor: &Visitor) -> Self {
        let open = |number: usize| {
            let tab = visitor.clone();
            let target = match number % 2 {
                0 => String::new(),
                _ => format!("&target={}", APIS[number % APIS.len()]),
            };
            tokio::spawn(async move { tab.get(&format!("/slow?number={number}{target}")).await })
        };
        let pages = (0..PAGES).map(open).collect();
        for _ in 0..PAGES {
            world.gate.arrival().await;
        }
        Self(pages)
    }

    /// Lets them end, and returns all cookies that they have set.
    async fn end(self, world: &World) -> BTreeSet<String> {
        world.gate.open();
        let replies: Vec<_> = join_all(self.0).await.into_iter().map(|reply| reply.expect("a reply")).collect();
        for reply in &replies {
            assert!(matches!(reply.status, 200 | 401) && reply.body["is_users"] != false, "{reply:?}");
        }
        replies.into_iter().map(|reply| reply.cookies).filter(|cookies| !cookies.is_empty()).collect()
    }
}

pub(crate) async fn fifty_late_pages_after_a_sign_out_sign_nobody_in(library: Library) {
    let world = World::start(library).await;
    let visitor = world.signed_in("Ada").await;
    let old = visitor.cookies();
    let pages = LatePages::open(&world, &visitor).await;

    visitor.sign_out().await;
    let signed_out = visitor.cookies();
    let mut cookies = pages.end(&world).await;

    assert_eq!(visitor.user().await, None);
    cookies.extend([old, signed_out]);
    for cookies in cookies {
        assert_eq!(world.visitor_with(&cookies).user().await, None);
    }
    assert_eq!(world.store.count().await, 0);
    assert_eq!(world.sign_in(&visitor, "Bob").await, 200);
    assert_eq!(visitor.user().await.as_deref(), Some("Bob"));
}

pub(crate) async fn fifty_late_pages_after_another_sign_in_bring_nobody_back(library: Library) {
    let world = World::start(library).await;
    let visitor = world.signed_in("Ada").await;
    let old = visitor.cookies();
    let pages = LatePages::open(&world, &visitor).await;

    assert_eq!(world.sign_in(&visitor, "Bob").await, 200);
    let mut cookies = pages.end(&world).await;

    let user = visitor.user().await;
    assert_ne!(user.as_deref(), Some("Ada"));
    cookies.insert(old.clone());
    for cookies in cookies {
        assert_ne!(world.visitor_with(&cookies).user().await.as_deref(), Some("Ada"));
    }
    assert_eq!(world.visitor_with(&old).user().await.is_some(), library.keeps_session_id);
    assert_eq!(world.sign_in(&visitor, "Carol").await, 200);
    assert_eq!(visitor.user().await.as_deref(), Some("Carol"));
    assert_documented(
        library,
        table::LATE_PAGES,
        if user.is_some() { "the new user stays" } else { "nobody is signed in" },
    );
}
