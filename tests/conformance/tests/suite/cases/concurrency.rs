//! Requests that overlap. Gates make sure that they do: each has read the session before the first one writes.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::{Case, Outcome};
use crate::script::{Answer, Script, Step, changes, get, set};
use crate::site::{Server, Site, Visitor};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "two_hundred_writers",
        row: "200 concurrent requests, each setting its own item",
        many_processes: false,
        run: |site| Box::pin(async move { writers(&site, &[site.start()], WRITERS, own_item).await }),
    },
    Case {
        name: "two_hundred_writers_in_two_processes",
        row: "The same, across two processes",
        many_processes: true,
        run: |site| Box::pin(async move { writers(&site, &[site.start(), site.start()], WRITERS, own_item).await }),
    },
    Case {
        name: "twenty_writers_of_one_item",
        row: "20 concurrent requests, each setting its own item and a shared one",
        many_processes: false,
        run: |site| Box::pin(async move { writers(&site, &[site.start()], 20, own_item_and_one_of_all).await }),
    },
    Case {
        name: "a_process_that_has_the_session_in_use",
        row: "The next request, in another process that has already served this session",
        many_processes: true,
        run: |site| Box::pin(async move { in_use_elsewhere(&site).await.into() }),
    },
    Case {
        name: "renewing_in_another_process",
        row: "The old id after `renew`, in another process that has already served this session",
        many_processes: true,
        run: |site| Box::pin(async move { ended_elsewhere(&site, Step::Renew(Vec::new())).await.into() }),
    },
    Case {
        name: "ending_the_session_in_another_process",
        row: "The cookie after the app ended the session, in another process that has already served it",
        many_processes: true,
        run: |site| Box::pin(async move { ended_elsewhere(&site, Step::EndSession).await.into() }),
    },
    Case {
        name: "ending_the_session_beside_writers",
        row: "Removing all items and ending the session while 50 requests are about to set an item",
        many_processes: false,
        run: |site| {
            Box::pin(
                async move { sign_out(&site, vec![Step::Apply(changes(&[("token", None)])), Step::EndSession]).await },
            )
        },
    },
    Case {
        name: "renewing_beside_writers",
        row: "Removing all items with `renew` while 50 requests are about to set an item",
        many_processes: false,
        run: |site| Box::pin(async move { sign_out(&site, vec![Step::Renew(changes(&[("token", None)]))]).await }),
    },
];

const WRITERS: u32 = 200;

fn own_item(key: &str) -> Step {
    set(key, "1")
}

/// The other writers change an item that this one has read.
fn own_item_and_one_of_all(key: &str) -> Step {
    Step::Apply(changes(&[("first", Some(key)), (key, Some("1"))]))
}

/// Do all of them keep what they were told is written?
async fn writers(site: &Arc<Site>, servers: &[Server], writers: u32, write: fn(&str) -> Step) -> Outcome {
    let visitor = Visitor::with_session(&servers[0]).await;
    let keys: Vec<_> = (0..writers).map(|number| format!("key {number}")).collect();
    let mut requests = JoinSet::new();
    for (key, server) in keys.iter().zip(servers.iter().cycle()) {
        let visitor = visitor.moved_to(server);
        let script = [get("first"), get(key), Step::Wait, write(key)];
        requests.spawn(async move { visitor.run(script).await.remove(3) });
    }
    site.gate.arrivals(writers).await;
    site.gate.open(writers);
    let acknowledged = requests.join_all().await.into_iter().filter(|answer| *answer == Answer::Done).count();

    // Several processes are asked through one that has not seen the session yet.
    let fresh = site.start();
    let visitor = if servers.len() > 1 { visitor.moved_to(&fresh) } else { visitor };
    let read: Vec<_> = keys.iter().map(|key| get(key)).collect();
    let kept = present(&visitor.run(Script::from(read)).await);

    assert_eq!(acknowledged, keys.len());
    let class = if kept == acknowledged { "keeps all writes" } else { "loses writes" };
    Outcome { class, numbers: Some(format!("{acknowledged} acknowledged, {} lost", acknowledged - kept)) }
}

async fn in_use_elsewhere(site: &Arc<Site>) -> &'static str {
    let (one, other) = (site.start(), site.start());
    let visitor = Visitor::with_session(&one).await;
    assert_eq!(visitor.moved_to(&other).item("key").await, None);

    visitor.done([set("key", "1")]).await;

    match visitor.moved_to(&other).item("key").await {
        Some(_) => "sees the write",
        None => "does not see the write",
    }
}

/// Is a cookie still worth something in a process that has seen its session, and not its end?
async fn ended_elsewhere(site: &Arc<Site>, end: Step) -> &'static str {
    let (one, other) = (site.start(), site.start());
    let visitor = Visitor::with_session(&one).await;
    let cookie = visitor.cookie().expect("a cookie");
    assert_eq!(visitor.moved_to(&other).item("first").await.as_deref(), Some("1"));

    if visitor.step(end).await == Answer::Failed("Unsupported".to_owned()) {
        return "`Unsupported`";
    }

    match Visitor::with_cookie(&other, &cookie).item("first").await {
        None => "invalid",
        Some(_) => "still works",
    }
}

const UNDER_WAY: u32 = 50;

/// Does a session that was signed out come back to life?
async fn sign_out(site: &Arc<Site>, sign_out: Vec<Step>) -> Outcome {
    let server = site.start();
    let visitor = Visitor::with_session(&server).await;
    visitor.done([set("token", "1")]).await;
    let cookie = visitor.cookie().expect("a cookie");
    let keys: Vec<_> = (0..UNDER_WAY).map(|number| format!("key {number}")).collect();
    let mut writers = JoinSet::new();
    for key in &keys {
        let visitor = visitor.clone();
        let script = [get("token"), Step::Wait, set(key, "1")];
        writers.spawn(async move { visitor.run(script).await.remove(2) });
    }
    site.gate.arrivals(UNDER_WAY).await;
    if visitor.run(Script::from(sign_out)).await.contains(&Answer::Failed("Unsupported".to_owned())) {
        site.gate.open(UNDER_WAY);
        writers.join_all().await;
        return "`Unsupported`".into();
    }
    site.gate.open(UNDER_WAY);
    let acknowledged = writers.join_all().await.into_iter().filter(|answer| *answer == Answer::Done).count();

    // Whoever goes on: the visitor with the cookie that came last, or somebody with the one of before.
    let mut read = vec![get("token")];
    read.extend(keys.iter().map(|key| get(key)));
    let own = visitor.run(Script::from(read.clone())).await;
    let other = Visitor::with_cookie(&server, &cookie).run(Script::from(read)).await;
    let token = Answer::Item(Some("1".to_owned()));
    let class = match (own[0] == token, other[0] == token) {
        (true, true) => "comes back under the old id",
        (true, false) => "comes back under a new id",
        (false, true) => "comes back for the old cookie",
        (false, false) => "stays signed out",
    };
    let (own, other) = (present(&own), present(&other));
    let numbers = format!("{acknowledged} of {UNDER_WAY} acknowledged; items: visitor {own}, old cookie {other}");
    Outcome { class, numbers: Some(numbers) }
}

pub(super) fn present(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| matches!(answer, Answer::Item(Some(_)))).count()
}
