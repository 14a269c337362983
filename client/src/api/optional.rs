//! A caller who may have no access token.

use std::fmt;

use crate::api::{Bearer, LogtoApi};

/// The bearer of an access token if the request has one, as an argument of a handler. Requests with a token that is not
/// valid never reach the handler.
///
/// With actix-web, poem, Rocket and salvo, use it in place of `Option<Bearer>`: the `Option` of the first three is `None`
/// for a token that is not valid as well. With axum, use `Option<Bearer>`.
///
/// ```
/// use logto_client::api::OptionalBearer;
///
/// async fn greet(OptionalBearer(token): OptionalBearer) -> String {
///     token.map_or("Hello stranger".to_owned(), |token| format!("Hello {}", token.sub()))
/// }
/// ```
#[derive(Clone)]
pub struct OptionalBearer<A = LogtoApi>(
    /// `None` if the request has no access token.
    pub Option<Bearer<A>>,
);

impl<A> fmt::Debug for OptionalBearer<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OptionalBearer").field(&self.0).finish()
    }
}
