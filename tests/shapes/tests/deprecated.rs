//! A deprecated item, field or variant warns whoever uses it, but not where it is derived, though the impl has to
//! name it.

#![deny(warnings)]

use std::sync::Arc;

use logto_storage_core::{LogtoStorage, MemorySession};
use shapes::assert_keeps_items;

#[deprecated]
#[derive(LogtoStorage)]
struct Struct {
    session: MemorySession,
}

#[derive(LogtoStorage)]
#[deprecated(since = "1.0.0", note = "use another one")]
#[logto(prefix = "generic:", max_len = 100)]
struct Generic<'r, H>(&'r H);

#[derive(LogtoStorage)]
struct Fields {
    #[logto(session)]
    #[deprecated]
    session: MemorySession,
    #[deprecated = "it has no prefix any more"]
    #[logto(prefix)]
    prefix: &'static str,
}

#[deprecated]
#[derive(LogtoStorage)]
enum Enum {
    First(MemorySession),
    Second(MemorySession),
}

#[derive(LogtoStorage)]
enum Variants {
    #[deprecated]
    Tuple(MemorySession),
    Named {
        #[logto(session)]
        session: MemorySession,
        #[deprecated]
        #[logto(prefix)]
        prefix: &'static str,
    },
    #[cfg_attr(all(), deprecated)]
    Conditional(MemorySession),
    Current(MemorySession),
}

#[deprecated]
type Pointer<T> = Arc<T>;

#[deprecated]
trait Tenant: AsRef<str> {}

#[expect(deprecated, reason = "the impl warns whoever uses the trait")]
impl Tenant for String {}

#[derive(LogtoStorage)]
#[allow(deprecated)]
struct AllowedInFields<H>(Pointer<H>);

#[allow(deprecated)]
#[derive(LogtoStorage)]
struct AllowedInBounds<T: Tenant>(#[logto(session)] MemorySession, #[logto(prefix)] T);

#[tokio::test]
async fn what_the_item_allows_is_allowed_in_its_impl() {
    let session = MemorySession::default();
    let tenant = AllowedInBounds(session.clone(), "tenant:".to_owned());
    assert_keeps_items(&AllowedInFields(Arc::new(session.clone())), &session, "").await;
    assert_keeps_items(&tenant, &session, "tenant:").await;
}

#[tokio::test]
#[expect(deprecated, reason = "the items warn whoever uses them")]
async fn deprecated_items_keep_items_like_others() {
    let session = MemorySession::default();
    assert_keeps_items(&Struct { session: session.clone() }, &session, "").await;
    assert_keeps_items(&Generic(&session), &session, "generic:").await;
    assert_keeps_items(&Fields { session: session.clone(), prefix: "field:" }, &session, "field:").await;
    assert_keeps_items(&Enum::First(session.clone()), &session, "").await;
    assert_keeps_items(&Enum::Second(session.clone()), &session, "").await;
    assert_keeps_items(&Variants::Tuple(session.clone()), &session, "").await;
    assert_keeps_items(&Variants::Named { session: session.clone(), prefix: "named:" }, &session, "named:").await;
    assert_keeps_items(&Variants::Conditional(session.clone()), &session, "").await;
    assert_keeps_items(&Variants::Current(session.clone()), &session, "").await;
}
