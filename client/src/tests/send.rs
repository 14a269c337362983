//! What may cross threads. That it compiles is the test; the futures are never polled.

use std::error::Error as StdError;
use std::sync::Arc;

use super::storage::Items;
use crate::{
    AccessTokenClaims, DynStorage, Error, IdTokenClaims, LogtoClient, LogtoConfig, LogtoSession, LogtoStorage,
    RequestError, SessionContext, SignInOptions, SignedIn, TokenTarget, UserInfo,
};

fn is_send<T: Send>(_: T) {}

fn is_error<T: StdError + Send + Sync + 'static>() {}

fn is_value<T: Clone + Send + Sync + 'static>() {}

fn futures_of<S: LogtoStorage + Send + Sync>(session: &LogtoSession<S>) {
    is_send(session);
    is_send(session.sign_in(SignInOptions::new("https://app.example.com/callback")));
    is_send(session.handle_sign_in_callback("/callback"));
    is_send(session.sign_out(None));
    is_send(session.is_authenticated());
    is_send(session.context());
    is_send(session.id_token());
    is_send(session.id_token_claims());
    is_send(session.access_token(TokenTarget::provider()));
    is_send(session.access_token_claims(TokenTarget::provider()));
    is_send(session.access_token(TokenTarget::organization("org")));
    is_send(session.access_token_claims(TokenTarget::organization("org")));
    is_send(session.access_token(TokenTarget::resource("r").in_organization("org")));
    is_send(session.refresh_token());
    is_send(session.fetch_user_info());
    is_send(session.clear_access_tokens());
    is_send(session.clear_all_tokens());
}

#[test]
fn the_futures_of_a_session_are_send_over_any_storage_that_may_be_shared() {
    let config = LogtoConfig::builder("https://tenant.logto.app", "app").build().unwrap();
    let client = LogtoClient::with_http_client(config, reqwest::Client::new());
    let items = Items::default();
    futures_of(&client.session(&items));
    futures_of(&client.session(Items::default()));
    let chosen_at_run_time: Arc<dyn DynStorage> = Arc::new(items);
    futures_of(&client.session(Arc::clone(&chosen_at_run_time)));
    futures_of(&client.session(&*chosen_at_run_time));
    futures_of(&client.session(Box::new(Items::default()) as Box<dyn DynStorage>));
}

#[test]
fn errors_and_values_may_go_anywhere() {
    is_error::<Error>();
    is_error::<RequestError>();
    is_value::<LogtoClient>();
    is_value::<LogtoConfig>();
    is_value::<SignInOptions>();
    is_value::<SignedIn>();
    is_value::<SessionContext>();
    is_value::<IdTokenClaims>();
    is_value::<AccessTokenClaims>();
    is_value::<UserInfo>();
}
