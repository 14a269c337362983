//! What the client writes to the log: what an operator looks for, and no secret.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use fake_provider::{Endpoint, Reply};
use logto_client::TokenTarget;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::site::{API, Site, soon};

/// Everything that the client says on one thread, spans and all, at whatever level.
#[derive(Clone)]
struct Log {
    thread: ThreadId,
    text: Arc<Mutex<String>>,
}

impl Log {
    fn text(&self) -> String {
        self.text.lock().expect("a log").clone()
    }

    fn line(&self, metadata: &Metadata<'_>, fields: impl FnOnce(&mut Line)) {
        if thread::current().id() != self.thread {
            return;
        }
        let mut line = Line(format!("{} {}", metadata.level(), metadata.name()));
        fields(&mut line);
        writeln!(self.text.lock().expect("a log"), "{}", line.0).expect("memory");
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").expect("memory");
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("logto_client")
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        self.line(attributes.metadata(), |line| attributes.record(line));
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.line(event.metadata(), |line| event.record(line));
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

#[tokio::test]
async fn an_operator_sees_what_happens_and_no_secret() {
    // The test's runtime has this thread only. The log is the whole process's all the same: that of one thread alone
    // misses what other threads come by first (tracing keeps for each line of code whether anybody listens).
    let log = Log { thread: thread::current().id(), text: Arc::default() };
    tracing::subscriber::set_global_default(log.clone()).expect("no other log");

    let site = Site::start_rotating().await;
    let visitor = site.with_expired_tokens().await;
    soon(site.request(&visitor).access_token(TokenTarget::resource(API))).await.expect("a token");
    soon(site.request(&visitor).access_token(TokenTarget::organization("acme"))).await.expect("a token");
    soon(site.request(&visitor).fetch_user_info()).await.expect("user info");
    let callback = site.authorized(&visitor).await;
    site.provider.change_id_tokens(|token| token.claims["nonce"] = "another".into());
    site.refused_callback(&visitor, callback.as_str()).await;
    site.provider.answer_honestly();
    site.provider.answer_refreshes(|call| Reply::error(400, "invalid_grant", call.param("refresh_token")));
    soon(site.request(&visitor).clear_access_tokens()).await.expect("a session");
    soon(site.request(&visitor).access_token(TokenTarget::resource(API))).await.expect_err("the end of the session");
    site.provider.answer_honestly();
    let visitor = site.signed_in().await;
    site.provider.answer(Endpoint::Revocation, |_| Reply::error(400, "invalid_request", "no"));
    soon(site.request(&visitor).sign_out(None)).await.expect("the URL of the end-session page");

    let log = log.text();
    for said in [
        "provider metadata fetched",
        "JWK set fetched",
        "INFO refresh target=\"@https://api.example.com\"",
        "INFO refresh target=\"@#acme\"",
        "access token refreshed rotated=true",
        "callback rejected",
        "the provider has ended the sign-in",
        "refresh token not revoked",
        "signed in",
        "signed out",
    ] {
        assert!(log.contains(said), "{said:?} is not in the log:\n{log}");
    }
    site.provider.assert_no_secret_in(&log);
}
