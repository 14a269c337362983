//! Stores and sessions that fail at each step: afterwards the user is as before or signed out, or the call has taken
//! effect as a whole.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use logto_storage_core::{Changes, Error, ErrorKind, Result, SessionHandle};

use super::{page, read, renew, sign_in, vault, write, write_if};
use crate::tests::test_store::{Fault, TestStore};
use crate::tests::web::{Browser, Request, SAVINGS, Saving};
use crate::{Vault, Vaulted};

type Items = &'static [(&'static str, Option<&'static str>)];

/// What a request does: what there is before it, and what it changes.
#[derive(Debug)]
struct Case {
    before: &'static [(&'static str, &'static str)],
    call: Call,
    changes: Items,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Write,
    WriteIf,
    Renew,
}

const KEYS: [&str; 3] = ["a", "b", "c"];
const SET: Items = &[("a", Some("new")), ("b", Some("new"))];
const REMOVE: Items = &[("a", None), ("b", None)];
const BOTH: &[(&str, &str)] = &[("a", "old"), ("b", "old")];
const ALL: &[(&str, &str)] = &[("a", "old"), ("b", "old"), ("c", "old")];

const CASES: [Case; 8] = [
    Case { before: &[], call: Call::Write, changes: SET },
    Case { before: &[], call: Call::Renew, changes: SET },
    Case { before: BOTH, call: Call::Write, changes: SET },
    Case { before: ALL, call: Call::Write, changes: REMOVE },
    Case { before: ALL, call: Call::WriteIf, changes: SET },
    Case { before: ALL, call: Call::Renew, changes: SET },
    // Sign-outs: of one tenant of two, and of the only one.
    Case { before: ALL, call: Call::Renew, changes: REMOVE },
    Case { before: BOTH, call: Call::Renew, changes: REMOVE },
];

type Values = [Option<String>; 3];

impl Case {
    async fn run(&self, page: &impl SessionHandle) -> Result<(), ErrorKind> {
        match self.call {
            Call::Write => write(page, self.changes).await,
            Call::WriteIf => write_if(page, &[("a", Some("old"))], self.changes).await,
            Call::Renew => renew(page, self.changes).await,
        }
    }

    fn before(&self) -> Values {
        KEYS.map(|key| self.before.iter().find(|(other, _)| *other == key).map(|(_, value)| (*value).to_owned()))
    }

    fn after(&self) -> Values {
        self.change(self.before())
    }

    fn change(&self, mut values: Values) -> Values {
        for (key, value) in self.changes {
            let index = KEYS.iter().position(|other| other == key).unwrap();
            values[index] = value.map(str::to_owned);
        }
        values
    }

    /// Checks what a new request sees. Returns whether the change has taken effect.
    async fn check(&self, browser: &Browser, vault: &Vault<TestStore>, context: &str) -> bool {
        let values = values(browser, vault).await;
        let signed_out = Values::default();
        assert!([self.before(), self.after(), signed_out].contains(&values), "{self:?}, {context}: {values:?}");
        values == self.after()
    }

    /// Lets the user try again, who may have been signed out.
    async fn try_again(&self, browser: &Browser, vault: &Vault<TestStore>, context: &str) {
        let again = page(browser, vault);
        let has_ended = read(&again, "a").await.is_none();
        match self.run(&again).await {
            Err(ErrorKind::Conflict) if self.call == Call::WriteIf => {}
            result => assert_eq!(result, Ok(()), "{self:?}, {context}, again"),
        }
        again.session().end(false);
        let values = values(browser, vault).await;
        let anew = self.change(Values::default());
        assert!(values == self.after() || has_ended && values == anew, "{self:?}, {context}, again: {values:?}");
    }
}

async fn values(browser: &Browser, vault: &Vault<TestStore>) -> Values {
    let page = page(browser, vault);
    let mut values = Values::default();
    for (key, value) in KEYS.iter().zip(&mut values) {
        *value = read(&page, key).await;
    }
    values
}

async fn prepared(case: &Case, saving: Saving) -> (TestStore, Vault<TestStore>, Browser) {
    let (store, vault) = vault();
    let browser = Browser::new(saving);
    if !case.before.is_empty() {
        sign_in(&browser, &vault, case.before).await;
    }
    store.calls();
    (store, vault, browser)
}

#[tokio::test]
async fn store_that_fails_at_any_step_leaves_nothing_half() {
    for case in CASES {
        for saving in SAVINGS {
            for fault in [Fault::RequestLost, Fault::ResponseLost, Fault::Late] {
                fail_at_each_call(&case, saving, fault).await;
            }
        }
    }
}

async fn fail_at_each_call(case: &Case, saving: Saving, fault: Fault) {
    for call in 0.. {
        let context = format!("{saving:?}, {fault:?} at call {call}");
        let (store, vault, browser) = prepared(case, saving).await;
        let request = page(&browser, &vault);
        store.fail(call, fault);

        let result = case.run(&request).await;
        request.session().end(result.is_err());

        let calls = store.calls();
        if calls.len() <= call {
            assert_eq!(result, Ok(()), "{context}");
            assert!(case.check(&browser, &vault, &context).await, "{case:?}, {context}");
            // Some call has failed before.
            assert!(call > 0);
            return;
        }
        assert_eq!(result, Err(ErrorKind::Session), "{case:?}, {context}");
        let is_applied = case.check(&browser, &vault, &context).await;
        assert!(!is_applied || fault == Fault::ResponseLost || case.after() == case.before(), "{case:?}, {context}");

        // Also when a late request arrives, and the user tries again.
        store.deliver_late().await;
        case.check(&browser, &vault, &context).await;
        case.try_again(&browser, &vault, &context).await;
    }
}

/// A session that fails at a given call.
struct Failing {
    session: Arc<Request>,
    fails_at: usize,
    saves_anyway: bool,
    calls: Mutex<usize>,
}

impl Failing {
    fn new(session: &Arc<Request>, fails_at: usize, saves_anyway: bool) -> Self {
        Self { session: Arc::clone(session), fails_at, saves_anyway, calls: Mutex::new(0) }
    }

    fn begin(&self) -> Result<(), &'static str> {
        let mut calls = self.calls.lock().unwrap();
        *calls += 1;
        if *calls == self.fails_at + 1 { Err("the session failed") } else { Ok(()) }
    }
}

impl SessionHandle for Failing {
    async fn read(&self, key: Cow<'_, str>) -> Result<Option<String>> {
        self.begin().map_err(Error::session)?;
        self.session.read(key).await
    }

    async fn write<'a>(&'a self, changes: Changes<'a>) -> Result<()> {
        let result = self.begin().map_err(|error| changes.failed(error));
        if result.is_ok() || self.saves_anyway {
            self.session.write(changes).await?;
        }
        result
    }

    async fn reload(&self) -> Result<bool> {
        self.begin().map_err(Error::session)?;
        self.session.reload().await
    }

    fn check_renewal(&self) -> Result<()> {
        self.begin().map_err(Error::unsupported)
    }
}

#[tokio::test]
async fn session_that_fails_at_any_step_leaves_nothing_half() {
    for case in CASES {
        for saving in SAVINGS {
            for saves_anyway in [false, true] {
                fail_at_each_call_of_the_session(&case, saving, saves_anyway).await;
            }
        }
    }
}

async fn fail_at_each_call_of_the_session(case: &Case, saving: Saving, saves_anyway: bool) {
    for fails_at in 0.. {
        let context = format!("{saving:?}, saves anyway: {saves_anyway}, fails at call {fails_at}");
        let (_, vault, browser) = prepared(case, saving).await;
        let session = browser.request();
        let request = Vaulted::new(Failing::new(&session, fails_at, saves_anyway), vault.clone());

        let result = case.run(&request).await;
        let has_failed = *request.session().calls.lock().unwrap() > fails_at;
        session.end(result.is_err());

        let is_applied = case.check(&browser, &vault, &context).await;
        if result.is_ok() {
            // The last call of a renewal only removes tickets that are dead.
            assert!(is_applied, "{case:?}, {context}");
        } else {
            assert_eq!(result, Err(ErrorKind::Session), "{case:?}, {context}");
        }
        if !has_failed {
            assert_eq!(result, Ok(()), "{case:?}, {context}");
            assert!(fails_at > 0);
            return;
        }
        case.try_again(&browser, &vault, &context).await;
    }
}

#[tokio::test]
async fn record_whose_ticket_cannot_be_saved_is_ended() {
    let (store, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    // It reads the ticket, reloads, reads the ticket again, and then reads what there is to move.
    let request = Vaulted::new(Failing::new(&browser.request(), 4, false), vault);

    assert_eq!(write(&request, &[("a", Some("1"))]).await, Err(ErrorKind::Session));

    assert_eq!(store.calls(), ["swap", "end"]);
}

#[tokio::test]
async fn renewal_succeeds_though_the_old_ticket_cannot_be_removed_from_the_session() {
    let (_, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    sign_in(&browser, &vault, &[("a", "1")]).await;
    // It reads the ticket, adds the new one, and then removes the old one.
    let request = Vaulted::new(Failing::new(&browser.request(), 2, false), vault.clone());

    assert_eq!(renew(&request, &[("a", Some("2"))]).await, Ok(()));

    assert_eq!(*request.session().calls.lock().unwrap(), 3);
    assert_eq!(read(&page(&browser, &vault), "a").await.as_deref(), Some("2"));
}

#[test]
fn session_that_cannot_renew_is_asked() {
    let (_, vault) = vault();
    let request = Vaulted::new(Failing::new(&Browser::new(Saving::Immediate).request(), 0, false), vault);
    assert_eq!(request.check_renewal().unwrap_err().to_string(), "cannot use the session: the session failed");
    assert!(request.check_renewal().is_ok());
}
