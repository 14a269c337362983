//! Requests that have read the items before a sign-out or another sign-in, and that write after it: items, and something of
//! the app's own, so that the library saves the session that it has read.

use std::collections::BTreeSet;
use std::sync::Arc;

use reqwest::header::SET_COOKIE;
use serde_json::Value;
use tokio::task::JoinSet;

use super::concurrency::present;
use super::{Case, Outcome};
use crate::script::{Answer, Step, changes, get, item, set};
use crate::site::{Server, Site, Visitor};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "late_after_a_sign_out",
        row: "50 requests that set an item and save the session after a sign-out",
        many_processes: false,
        run: |site| Box::pin(async move { late_for_a_sign_out(&site, &[site.start()]).await }),
    },
    Case {
        name: "late_after_a_sign_out_in_two_processes",
        row: "The same, across two processes",
        many_processes: true,
        run: |site| Box::pin(async move { late_for_a_sign_out(&site, &[site.start(), site.start()]).await }),
    },
    Case {
        name: "late_after_a_renewal",
        row: "50 requests that set an item and save the session after another sign-in has renewed it",
        many_processes: false,
        run: |site| Box::pin(async move { late_for_a_renewal(&site, &[site.start()]).await }),
    },
    Case {
        name: "late_after_a_renewal_in_two_processes",
        row: "The same, across two processes",
        many_processes: true,
        run: |site| Box::pin(async move { late_for_a_renewal(&site, &[site.start(), site.start()]).await }),
    },
];

const LATE: u32 = 50;
const ALL: usize = LATE as usize;

async fn late_for_a_sign_out(site: &Arc<Site>, servers: &[Server]) -> Outcome {
    let sign_out = changes(&[("token", None), ("first", None)]);
    let Late { acknowledged, cookies, .. } = late_for(site, servers, sign_out).await;

    let fresh = site.start();
    for visitor in with_cookies(&cookies, servers, &fresh) {
        assert_eq!(present(&visitor.run(all_items()).await), 0, "nobody is signed in");
    }
    assert_eq!(acknowledged, 0, "what is written after the sign-out would be lost");
    Outcome { class: "stays signed out", numbers: Some(format!("{acknowledged} of {LATE} acknowledged")) }
}

async fn late_for_a_renewal(site: &Arc<Site>, servers: &[Server]) -> Outcome {
    let sign_in = changes(&[("token", Some("2"))]);
    let Late { visitor, before, cookies, acknowledged } = late_for(site, servers, sign_in).await;

    let found = visitor.run(all_items()).await;
    let kept = present(&found[1..]);
    let fresh = site.start();
    let old_cookie_is_valid = Visitor::with_cookie(&fresh, &before).item("token").await.is_some();
    for visitor in with_cookies(&cookies, servers, &fresh) {
        assert_ne!(visitor.item("token").await.as_deref(), Some("1"), "nobody is brought back");
    }
    let class = match (&found[0], acknowledged, kept, old_cookie_is_valid) {
        (token, 0, 0, false) if *token == item("2") => "the new sign-in stays",
        (Answer::Item(None), 0, 0, false) => "the ticket is lost: signed out",
        (token, ALL, ALL, true) if *token == item("2") => "the new sign-in and the writes stay, with the old id",
        other => panic!("(token, acknowledged, kept, old cookie is valid) is {other:?}"),
    };
    Outcome { class, numbers: Some(format!("{acknowledged} of {LATE} acknowledged, {} lost", acknowledged - kept)) }
}

struct Late {
    /// Whose browser has taken every cookie, that of the last response last.
    visitor: Visitor,
    /// The visitor's cookie before the changes.
    before: String,
    /// Every cookie that the visitor has had since then.
    cookies: BTreeSet<String>,
    /// How many of the late items were said to be written.
    acknowledged: usize,
}

/// Whoever has one of the cookies, in each of the processes.
fn with_cookies(cookies: &BTreeSet<String>, servers: &[Server], fresh: &Server) -> Vec<Visitor> {
    let mut visitors = Vec::new();
    for server in servers.iter().chain([fresh]) {
        visitors.extend(cookies.iter().map(|cookie| Visitor::with_cookie(server, cookie)));
    }
    visitors
}

/// Makes the changes while the late requests wait, with a new id where there can be one.
async fn late_for(site: &Arc<Site>, servers: &[Server], changes: Vec<(String, Option<String>)>) -> Late {
    let visitor = Visitor::with_session(&servers[0]).await;
    visitor.done([set("token", "1")]).await;
    let before = visitor.cookie().expect("a cookie");
    let mut late = JoinSet::new();
    for (number, server) in (0..LATE).zip(servers.iter().cycle()) {
        let tab = visitor.moved_to(server);
        let own = Step::WriteForeign("visits".to_owned(), Value::from(number));
        let key = key(number);
        let script = [get("token"), get(&key), Step::Wait, own, set(&key, "1")];
        late.spawn(async move { respond(&tab, script).await });
    }
    site.gate.arrivals(LATE).await;
    assert_eq!(visitor.run([get("token"), Step::RenewIfSupported(changes)]).await, [item("1"), Answer::Done]);
    let mut cookies: BTreeSet<_> = [before.clone()].into_iter().chain(visitor.cookie()).collect();
    site.gate.open(LATE);

    let mut acknowledged = 0;
    for (answers, new_cookies) in late.join_all().await {
        assert_eq!(answers[0], item("1"), "it has read the items in time");
        match &answers[4] {
            Answer::Done => acknowledged += 1,
            Answer::Failed(kind) => assert_eq!(kind, "Ended"),
            other => panic!("{other:?}"),
        }
        cookies.extend(new_cookies);
    }
    Late { visitor, before, cookies, acknowledged }
}

/// What came of each step, and the cookies of the response, if it has any.
async fn respond<const N: usize>(tab: &Visitor, script: [Step; N]) -> (Vec<Answer>, Option<String>) {
    let response = tab.send(&script.into()).await.expect("an answer");
    let cookies = response.headers().get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().expect("text"));
    let cookies: Vec<_> = cookies.filter_map(|cookie| cookie.split(';').next()).collect();
    let cookies = (!cookies.is_empty()).then(|| cookies.join("; "));
    (response.json().await.expect("one answer a step"), cookies)
}

fn key(number: u32) -> String {
    format!("key {number}")
}

/// Reads the token, then what was written late.
fn all_items() -> Vec<Step> {
    [get("token")].into_iter().chain((0..LATE).map(|number| get(&key(number)))).collect()
}
