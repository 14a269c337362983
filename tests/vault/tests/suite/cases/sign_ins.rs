//! Sign-ins with tokens of real size, and what old cookies are worth.

use fake_provider::Endpoint;

use crate::app::APIS;
use crate::apps::Library;
use crate::table::{self, assert_documented};
use crate::world::World;

/// Browsers drop cookies of more than 4096 bytes.
const MAX_COOKIE_BYTES: usize = 1024;

pub(crate) async fn large_tokens_leave_the_cookie_small(library: Library) {
    let world = World::start(library).await;
    let visitor = world.signed_in("Ada").await;
    for api in APIS {
        let reply = visitor.token(api).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert!(reply.body["bytes"].as_u64() > Some(2048) && reply.body["is_users"] == true, "{reply:?}");
        let cookies = visitor.cookies();
        assert!(cookies.len() < MAX_COOKIE_BYTES, "{} bytes", cookies.len());
    }
    let page = visitor.get("/page").await;
    assert_eq!(page.body["user"], "Ada", "{page:?}");
    assert!(page.body["id_token_bytes"].as_u64() > Some(2048), "{page:?}");

    // The tokens are in the vault.
    let requests = world.provider.count(Endpoint::Token);
    for api in APIS {
        assert_eq!(visitor.token(api).await.status, 200);
    }
    assert_eq!(world.provider.count(Endpoint::Token), requests);
    assert!(visitor.has_cart().await);
}

pub(crate) async fn a_sign_out_ends_the_record_and_every_old_cookie(library: Library) {
    let world = World::start(library).await;
    let visitor = world.signed_in("Ada").await;
    let after_sign_in = visitor.cookies();
    assert_eq!(visitor.token(APIS[0]).await.status, 200);
    let after_refresh = visitor.cookies();
    assert_eq!(world.store.count().await, 1);

    visitor.sign_out().await;

    assert_eq!(world.store.count().await, 0);
    assert_eq!(visitor.user().await, None);
    for old in [after_sign_in, after_refresh] {
        let old = world.visitor_with(&old);
        assert_eq!(old.user().await, None);
        assert_eq!(old.token(APIS[0]).await.status, 401);
    }
    assert!(visitor.has_cart().await);
    assert_eq!(world.sign_in(&visitor, "Ada").await, 200);
    assert_eq!(visitor.user().await.as_deref(), Some("Ada"));
}

pub(crate) async fn the_cookie_from_before_a_sign_in_is_not_signed_in_unless_the_session_keeps_its_id(
    library: Library,
) {
    let world = World::start(library).await;
    let visitor = world.visitor();
    visitor.fill_cart().await;
    let url = visitor.start_sign_in().await;
    let old = visitor.cookies();
    assert!(!old.is_empty());
    assert_eq!(visitor.get(&world.callback(&url, "Ada").await).await.status, 200);
    assert_eq!(visitor.user().await.as_deref(), Some("Ada"));

    let user = world.visitor_with(&old).user().await;

    assert_eq!(user.is_some(), library.keeps_session_id);
    assert_documented(library, table::OLD_COOKIE, if user.is_some() { "signed in" } else { "signed out" });
}
