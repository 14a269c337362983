//! Handlers that fail after the SDK has done its part.

use fake_provider::Endpoint;

use crate::app::APIS;
use crate::apps::Library;
use crate::table::{self, assert_documented};
use crate::world::World;

const ENDINGS: [&str; 3] = ["500", "err", "panic"];

pub(crate) async fn a_callback_whose_handler_fails_signs_the_user_in_or_nobody(library: Library) {
    let mut observations = Vec::new();
    let rows = [table::CALLBACK_THEN_500, table::CALLBACK_THEN_ERR, table::CALLBACK_THEN_PANIC];
    for (ending, row) in ENDINGS.into_iter().zip(rows) {
        let world = World::start(library).await;
        let visitor = world.visitor();
        visitor.fill_cart().await;
        let url = visitor.start_sign_in().await;
        let callback = world.callback(&url, "Ada").await;

        let reply = visitor.get(&format!("{callback}&ending={ending}")).await;

        assert!(matches!(reply.status, 0 | 500), "{reply:?}");
        let user = visitor.user().await;
        let has_cart = visitor.has_cart().await;
        assert!(user.is_none() || user.as_deref() == Some("Ada"));
        let observed = match (user.is_some(), has_cart) {
            (true, true) => "signed in",
            (false, true) => "signed out",
            (false, false) => "signed out, and the app's values are lost",
            (true, false) => panic!("signed in to another session"),
        };
        if user.is_some() {
            assert_eq!(visitor.token(APIS[0]).await.status, 200);
        }
        assert_eq!(world.sign_in(&visitor, "Bob").await, 200);
        assert_eq!(visitor.user().await.as_deref(), Some("Bob"));
        observations.push((row, observed));
    }
    for (row, observed) in observations {
        assert_documented(library, row, observed);
    }
}

pub(crate) async fn a_refresh_whose_handler_fails_is_stored(library: Library) {
    for ending in ENDINGS {
        let world = World::start(library).await;
        let visitor = world.signed_in("Ada").await;

        let reply = visitor.get(&format!("/token?target={}&ending={ending}", APIS[0])).await;

        assert!(matches!(reply.status, 0 | 500), "{reply:?}");
        let requests = world.provider.count(Endpoint::Token);
        assert_eq!(visitor.token(APIS[0]).await.status, 200);
        assert_eq!(world.provider.count(Endpoint::Token), requests, "the token was in the vault");
        // So is the refresh token that has replaced the first one.
        assert_eq!(visitor.token(APIS[1]).await.status, 200);
        assert_eq!(visitor.user().await.as_deref(), Some("Ada"));
        assert!(visitor.has_cart().await);
    }
}

pub(crate) async fn a_sign_out_whose_handler_fails_ends_the_record(library: Library) {
    for ending in ENDINGS {
        let world = World::start(library).await;
        let visitor = world.signed_in("Ada").await;
        let old = visitor.cookies();

        let reply = visitor.get(&format!("/sign-out?ending={ending}")).await;

        assert!(matches!(reply.status, 0 | 500), "{reply:?}");
        assert_eq!(world.store.count().await, 0);
        assert_eq!(visitor.user().await, None);
        assert_eq!(world.visitor_with(&old).user().await, None);
        visitor.sign_out().await;
        assert_eq!(world.sign_in(&visitor, "Bob").await, 200);
        assert_eq!(visitor.user().await.as_deref(), Some("Bob"));
    }
}
