//! What depends on the library. A case panics only where the outcome is one that we never want.

use std::sync::Arc;

use reqwest::StatusCode;

use super::cases;
use crate::script::{Answer, End, Script, Step, changes, get, item, set};
use crate::site::{Server, Site, Visitor};

cases! {
    what_ok_means: "A write that returned `Ok` is committed",
    what_ok_means_deferred: "A deferred write that returned `Ok` is committed",
    a_500_after_a_write: "A write, then the handler responds with 500",
    a_500_after_a_deferred_write: "A deferred write, then the handler responds with 500",
    an_err_after_a_write: "A write, then the handler returns `Err`",
    a_panic_after_a_write: "A write, then the handler panics",
    a_500_after_a_first_write: "A new visitor's first write, then the handler responds with 500",
    an_err_after_a_first_write: "A new visitor's first write, then the handler returns `Err`",
    a_panic_after_a_first_write: "A new visitor's first write, then the handler panics",
    a_failing_store: "A write that the store fails to save",
    renewing: "`renew`",
    a_500_after_renewing: "`renew`, then the handler responds with 500",
    an_err_after_renewing: "`renew`, then the handler returns `Err`",
    a_panic_after_renewing: "`renew`, then the handler panics",
    setting_in_an_ended_session: "Setting an item after the app ended the session",
    renewing_an_ended_session: "`renew` with an item after the app ended the session",
    a_cookie_from_before: "Setting an item with the cookie of a session that no longer exists",
    renewing_after_a_panic: "`renew` after a handler of the same session panicked",
    ending_a_session_after_a_panic: "Ending the session after one of its handlers panicked",
    reloading: "`reload` after another request wrote an item",
    a_reader_beside_a_writer: "A read-only request that ends after another request set an item",
    a_reader_beside_the_end: "A read-only request that ends after another request ended the session",
}

async fn what_ok_means(site: Arc<Site>) -> &'static str {
    commit(&site, [set("key", "1"), Step::Wait].into()).await
}

async fn what_ok_means_deferred(site: Arc<Site>) -> &'static str {
    commit(&site, Script::from([set("key", "1"), Step::Wait]).deferred()).await
}

/// Where the item is while the request that wrote it is still running.
async fn commit(site: &Arc<Site>, script: Script) -> &'static str {
    let (server, other) = (site.start(), site.start());
    let visitor = Visitor::with_session(&server).await;
    let writer = visitor.clone();
    let writer = tokio::spawn(async move { writer.done(script).await });
    site.gate.arrivals(1).await;

    // In this order: to read it in the same process can be what commits it.
    let in_the_store = visitor.moved_to(&other).item("key").await.is_some();
    let in_the_process = visitor.item("key").await.is_some();
    site.gate.open(1);
    writer.await.expect("the writer ends well");

    assert_eq!(visitor.item("key").await.as_deref(), Some("1"));
    assert_eq!(visitor.moved_to(&site.start()).item("key").await.as_deref(), Some("1"));
    match (in_the_process, in_the_store) {
        (true, true) => "immediately",
        (true, false) => "immediately in this process; in the store when the response ends",
        (false, false) => "when the response ends",
        (false, true) => panic!("a process reads an old value though the store has a new one"),
    }
}

async fn a_500_after_a_write(site: Arc<Site>) -> &'static str {
    fate(&site, Script::from([set("key", "1")]).ending(End::Status500)).await
}

async fn a_500_after_a_deferred_write(site: Arc<Site>) -> &'static str {
    fate(&site, Script::from([set("key", "1")]).deferred().ending(End::Status500)).await
}

async fn an_err_after_a_write(site: Arc<Site>) -> &'static str {
    fate(&site, Script::from([set("key", "1")]).ending(End::Err)).await
}

async fn a_panic_after_a_write(site: Arc<Site>) -> &'static str {
    fate(&site, Script::from([set("key", "1")]).ending(End::Panic)).await
}

async fn a_500_after_a_first_write(site: Arc<Site>) -> &'static str {
    first_write(&site, End::Status500).await
}

async fn an_err_after_a_first_write(site: Arc<Site>) -> &'static str {
    first_write(&site, End::Err).await
}

async fn a_panic_after_a_first_write(site: Arc<Site>) -> &'static str {
    first_write(&site, End::Panic).await
}

async fn first_write(site: &Arc<Site>, end: End) -> &'static str {
    let server = site.start();
    let visitor = Visitor::at(&server);

    fail(&visitor, &Script::from([set("key", "1")]).ending(end)).await;

    match (visitor.cookie(), visitor.item("key").await) {
        (Some(_), Some(_)) => "kept",
        (None, None) => "lost: no cookie is set",
        other => panic!("{other:?}"),
    }
}

/// What becomes of an item whose request ended badly after an Ok.
async fn fate(site: &Arc<Site>, script: Script) -> &'static str {
    let server = site.start();
    let visitor = Visitor::with_session(&server).await;

    fail(&visitor, &script).await;

    // In this order: to read it in the same process can be what commits it.
    let in_the_store = visitor.moved_to(&site.start()).item("key").await.is_some();
    let in_the_process = visitor.item("key").await.is_some();
    let in_the_store_now = visitor.moved_to(&site.start()).item("key").await.is_some();
    assert_eq!(visitor.item("first").await.as_deref(), Some("1"), "what was there before is untouched");
    match (in_the_process, in_the_store, in_the_store_now) {
        (true, true, true) => "kept",
        (false, false, false) => "lost",
        (true, false, true) => "kept in this process; in the store after its next request",
        other => panic!("(in the process, in the store, after one more request) is {other:?}"),
    }
}

async fn fail(visitor: &Visitor, script: &Script) {
    if let Ok(response) = visitor.send(script).await {
        let status = response.status();
        let answers = response.text().await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR, "{answers:?}");
    }
}

async fn a_failing_store(site: Arc<Site>) -> &'static str {
    let Some(fault) = &site.fault else { return "not applicable" };
    let server = site.start();
    let visitor = Visitor::with_session(&server).await;

    fault.set(true);
    // Whatever the write answered, the request must not go well.
    let response = visitor.send(&[set("first", "2")].into()).await.expect("an answer");
    assert!(response.status().is_server_error(), "{}", response.status());
    fault.set(false);

    let in_the_store = visitor.moved_to(&site.start()).item("first").await;
    assert_eq!(in_the_store.as_deref(), Some("1"), "nothing was saved");
    match visitor.item("first").await.as_deref() {
        Some("1") => "the request fails and the old item stays",
        Some("2") => "the request fails, but this process keeps the new item",
        other => panic!("the item is {other:?}"),
    }
}

async fn renewing(site: Arc<Site>) -> &'static str {
    let server = site.start();
    let visitor = Visitor::with_session(&server).await;
    let old = visitor.cookie().expect("a cookie");
    let intruder = |server: &Server| Visitor::with_cookie(server, &old);
    assert_eq!(intruder(&server).item("first").await.as_deref(), Some("1"), "the old id is worth something so far");
    visitor.done([set("second", "2")]).await;

    let renewed = visitor.step(Step::Renew(changes(&[("first", None), ("third", Some("3"))]))).await;

    let items = visitor.run([get("first"), get("second"), get("third")]).await;
    if renewed == Answer::Failed("Unsupported".to_owned()) {
        assert_eq!(items, [item("1"), item("2"), Answer::Item(None)], "nothing has changed");
        assert_eq!(intruder(&server).item("first").await.as_deref(), Some("1"));
        return "`Unsupported`; nothing changes";
    }
    assert_eq!(renewed, Answer::Done);
    assert_eq!(items, [Answer::Item(None), item("2"), item("3")]);
    assert_ne!(visitor.cookie().expect("a new cookie"), old);
    assert_eq!(visitor.moved_to(&site.start()).item("third").await.as_deref(), Some("3"));
    for server in [server, site.start()] {
        let found = intruder(&server).run([get("first"), get("second"), get("third")]).await;
        assert_eq!(found, [const { Answer::Item(None) }; 3], "the old id is worth nothing");
    }
    "new id; the old one is invalid"
}

async fn a_500_after_renewing(site: Arc<Site>) -> &'static str {
    renewed(&site, End::Status500).await
}

async fn an_err_after_renewing(site: Arc<Site>) -> &'static str {
    renewed(&site, End::Err).await
}

async fn a_panic_after_renewing(site: Arc<Site>) -> &'static str {
    renewed(&site, End::Panic).await
}

/// What becomes of a session that was renewed by a request that ended badly.
async fn renewed(site: &Arc<Site>, end: End) -> &'static str {
    let server = site.start();
    let visitor = Visitor::with_session(&server).await;
    let renew = Step::Renew(Vec::new());
    if Visitor::at(&server).step(renew.clone()).await == Answer::Failed("Unsupported".to_owned()) {
        return "`Unsupported`";
    }
    let old_cookie = visitor.cookie().expect("a cookie");

    fail(&visitor, &Script::from([renew]).ending(end)).await;

    let old_is_valid = async || Visitor::with_cookie(&site.start(), &old_cookie).item("first").await.is_some();
    let old_was_valid = old_is_valid().await;
    let kept = visitor.item("first").await.is_some();
    match (kept, old_was_valid, old_is_valid().await) {
        (true, false, false) => "renewed",
        (true, true, false) => "renewed by the next request",
        (true, true, true) => "not renewed",
        (false, false, false) => "the session is lost",
        other => panic!("(kept, old id was valid, old id is valid) is {other:?}"),
    }
}

async fn setting_in_an_ended_session(site: Arc<Site>) -> &'static str {
    let server = site.start();
    let visitor = Visitor::with_session(&server).await;
    let old = visitor.cookie().expect("a cookie");

    let answers = visitor.run([Step::EndSession, set("key", "1")]).await;

    of_an_ended_session(&site, &visitor, &old, &answers[1]).await
}

async fn renewing_an_ended_session(site: Arc<Site>) -> &'static str {
    let server = site.start();
    let visitor = Visitor::with_session(&server).await;
    let old = visitor.cookie().expect("a cookie");

    let answers = visitor.run([Step::EndSession, Step::Renew(changes(&[("key", Some("1"))]))]).await;

    of_an_ended_session(&site, &visitor, &old, &answers[1]).await
}

/// What became of `key`, written after the session was ended.
async fn of_an_ended_session(site: &Arc<Site>, visitor: &Visitor, old: &str, answer: &Answer) -> &'static str {
    let kept = visitor.item("key").await.is_some();
    let old_cookie = Visitor::with_cookie(&site.start(), old).run([get("first"), get("key")]).await;
    assert_eq!(old_cookie[0], Answer::Item(None), "what was there before is gone");
    match (answer, kept, &old_cookie[1]) {
        (Answer::Failed(kind), false, Answer::Item(None)) if kind == "Session" => "an error",
        (Answer::Failed(kind), false, Answer::Item(None)) if kind == "Unsupported" => "`Unsupported`",
        (Answer::Done, true, Answer::Item(None)) => "starts a session with a new id",
        (Answer::Done, true, Answer::Item(Some(_))) => "starts a session with the old id",
        (Answer::Done, false, Answer::Item(None)) => "`Ok`, but lost",
        other => panic!("{other:?}"),
    }
}

async fn a_cookie_from_before(site: Arc<Site>) -> &'static str {
    let server = site.start();
    let visitor = Visitor::with_session(&server).await;
    let cookie = visitor.cookie().expect("a cookie");
    visitor.done([Step::EndSession]).await;
    let visitor = Visitor::with_cookie(&server, &cookie);

    visitor.done([set("key", "1")]).await;

    assert_eq!(visitor.item("key").await.as_deref(), Some("1"));
    match Visitor::with_cookie(&site.start(), &cookie).item("key").await {
        None => "new id",
        Some(_) => "same id",
    }
}

async fn renewing_after_a_panic(site: Arc<Site>) -> &'static str {
    after_a_panic(&site, Step::Renew(Vec::new())).await
}

async fn ending_a_session_after_a_panic(site: Arc<Site>) -> &'static str {
    after_a_panic(&site, Step::EndSession).await
}

/// What the cookie is worth after the step.
async fn after_a_panic(site: &Arc<Site>, step: Step) -> &'static str {
    let server = site.start();
    let visitor = Visitor::with_session(&server).await;
    let cookie = visitor.cookie().expect("a cookie");
    fail(&visitor, &Script::from([get("first")]).ending(End::Panic)).await;

    if visitor.step(step).await == Answer::Failed("Unsupported".to_owned()) {
        return "`Unsupported`";
    }

    match Visitor::with_cookie(&server, &cookie).item("first").await {
        None => "the old cookie is invalid",
        Some(_) => "the old cookie still works",
    }
}

async fn reloading(site: Arc<Site>) -> &'static str {
    let server = site.start();
    let visitor = Visitor::with_session(&server).await;
    let reader = visitor.clone();
    let script = [get("first"), Step::Wait, Step::Reload, get("first"), set("own", "1"), Step::Reload, get("own")];
    let reader = tokio::spawn(async move { reader.run(script).await });
    site.gate.arrivals(1).await;
    visitor.done([set("first", "2")]).await;
    site.gate.open(1);

    let answers = reader.await.expect("the reader ends well");

    assert_eq!(answers[0], item("1"));
    // A reload never costs what this request has written.
    assert!(matches!(answers[4..6], [Answer::Done, Answer::Reloaded(_)]), "{answers:?}");
    assert_eq!(answers[6], item("1"));
    match (&answers[2], &answers[3]) {
        (Answer::Reloaded(true), value) if *value == item("2") => "`Ok(true)`: sees the write",
        (Answer::Reloaded(false), value) if *value == item("1") => "`Ok(false)`: keeps its old copy",
        (Answer::Reloaded(false), value) if *value == item("2") => "`Ok(false)`: sees the write anyway",
        answers => panic!("{answers:?}"),
    }
}

async fn a_reader_beside_a_writer(site: Arc<Site>) -> &'static str {
    let server = site.start();
    let visitor = Visitor::with_session(&server).await;
    let reader = visitor.clone();
    let reader = tokio::spawn(async move { reader.run([get("first"), Step::Wait]).await });
    site.gate.arrivals(1).await;
    visitor.done([set("key", "1")]).await;
    site.gate.open(1);
    reader.await.expect("the reader ends well");

    match visitor.item("key").await {
        Some(_) => "keeps the write",
        None => "undoes the write",
    }
}

async fn a_reader_beside_the_end(site: Arc<Site>) -> &'static str {
    let server = site.start();
    let visitor = Visitor::with_session(&server).await;
    let cookie = visitor.cookie().expect("a cookie");
    let reader = visitor.clone();
    let reader = tokio::spawn(async move { reader.run([get("first"), Step::Wait]).await });
    site.gate.arrivals(1).await;
    visitor.done([Step::EndSession]).await;
    site.gate.open(1);
    reader.await.expect("the reader ends well");

    match Visitor::with_cookie(&server, &cookie).item("first").await {
        None => "stays ended",
        Some(_) => "comes back",
    }
}
