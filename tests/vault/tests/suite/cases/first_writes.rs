//! The first writes of a visitor, by two requests at the same moment.

use url::Url;

use crate::apps::Library;
use crate::world::{Visitor, World};

pub(crate) async fn two_tabs_of_a_new_visitor_can_start_a_sign_in_at_once(library: Library) {
    let world = World::start(library).await;
    let visitor = world.visitor();
    let urls = start_two(&world, &visitor).await;
    complete_one(&world, &visitor, urls).await;
}

pub(crate) async fn two_tabs_of_a_session_without_a_ticket_can_start_a_sign_in_at_once(library: Library) {
    let world = World::start(library).await;
    let visitor = world.visitor();
    visitor.fill_cart().await;
    let urls = start_two(&world, &visitor).await;
    complete_one(&world, &visitor, urls).await;
    assert!(visitor.has_cart().await);
}

/// Starts two sign-ins, both of which create their record before either has given its ticket to the session.
async fn start_two(world: &World, visitor: &Visitor) -> [Url; 2] {
    world.store.hold_writes_until(2);
    let (first, second) = tokio::join!(visitor.start_sign_in(), visitor.start_sign_in());
    world.store.let_writes_pass();
    [first, second]
}

/// Completes both. The browser keeps one ticket, so one is refused as stale, which signs nobody out.
async fn complete_one(world: &World, visitor: &Visitor, urls: [Url; 2]) {
    let mut completed = 0;
    for url in urls {
        let callback = world.callback(&url, "Ada").await;
        match visitor.get(&callback).await.status {
            200 => completed += 1,
            status => assert_eq!(status, 400),
        }
        assert_eq!(visitor.user().await.is_some(), completed > 0);
    }
    assert_eq!(completed, 1);
}
