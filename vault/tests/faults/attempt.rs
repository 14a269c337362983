//! One action of one request while something is broken, and what must be true afterwards.

use logto_storage_core::{ErrorKind, MemorySession};
use logto_vault::{BoxVault, Vault};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::fixture::{Action, Items, PENDING, Page, Values, heal, items, items_of, page, read, sign_in, ticket};
use crate::server::On;

/// An action, and what it comes to if nothing is broken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// The items in the record. None: there is no record.
    before: Values,
    /// Whether another request signs out after this one has read.
    is_late: bool,
    action: Action,
    outcome: Result<(), ErrorKind>,
    after: Values,
}

impl Case {
    const fn new(name: &'static str, before: Values, action: Action, after: Values) -> Self {
        Self { name, before, is_late: false, action, outcome: Ok(()), after }
    }

    const fn failing(name: &'static str, before: Values, action: Action, kind: ErrorKind) -> Self {
        Self { outcome: Err(kind), ..Self::new(name, before, action, before) }
    }

    /// Whether it changes the record if nothing is broken.
    pub(crate) fn changes(&self) -> bool {
        self.before != self.after && !self.is_late
    }
}

const TWO: Values = &[("a", Some("0")), ("b", Some("0"))];

/// Every kind of action.
pub(crate) const CASES: [Case; 12] = [
    Case::new("read", TWO, Action::Read, TWO),
    Case::new("first write", &[], Action::Write(&[("a", Some("1"))]), &[("a", Some("1"))]),
    Case::new("first renewal", &[], Action::Renew(&[("a", Some("1"))]), &[("a", Some("1"))]),
    Case::new(
        "first token beside a pending sign-in",
        &[(PENDING, Some("0"))],
        Action::Write(&[("a", Some("1"))]),
        &[(PENDING, Some("0")), ("a", Some("1"))],
    ),
    Case::new("write of one item", TWO, Action::Write(&[("a", Some("1"))]), &[("a", Some("1")), ("b", Some("0"))]),
    Case::new(
        "write of three items",
        TWO,
        Action::Write(&[("a", Some("1")), ("b", None), ("c", Some("1"))]),
        &[("a", Some("1")), ("c", Some("1"))],
    ),
    Case::new(
        "conditional write",
        TWO,
        Action::WriteIf(&[("a", Some("0")), ("c", None)], &[("a", Some("1")), ("b", Some("1"))]),
        &[("a", Some("1")), ("b", Some("1"))],
    ),
    Case::failing(
        "conditional write that conflicts",
        TWO,
        Action::WriteIf(&[("b", Some("1"))], &[("a", Some("1"))]),
        ErrorKind::Conflict,
    ),
    Case {
        is_late: true,
        after: &[],
        ..Case::failing("write after the end", TWO, Action::Write(&[("a", Some("1"))]), ErrorKind::Ended)
    },
    Case::new(
        "renewal",
        &[("a", Some("0")), ("b", Some("0")), ("c", Some("0"))],
        Action::Renew(&[("a", Some("1")), ("b", None), ("d", Some("1"))]),
        &[("a", Some("1")), ("c", Some("0")), ("d", Some("1"))],
    ),
    Case::new("sign-out beside other items", TWO, Action::Renew(&[("a", None)]), &[("b", Some("0"))]),
    Case::new("sign-out", TWO, Action::Renew(&[("a", None), ("b", None)]), &[]),
];

pub(crate) struct Attempt {
    case: Case,
    what: String,
    direct: Vault<BoxVault>,
    session: MemorySession,
    page: Page,
    ticket: Option<String>,
    before: Items,
}

/// How it went.
pub(crate) struct Outcome {
    result: Result<(), ErrorKind>,
    ticket: Option<String>,
    is_applied: bool,
}

impl Outcome {
    pub(crate) fn is_applied(&self) -> bool {
        self.is_applied
    }
}

impl Attempt {
    /// Prepares a request of a visitor, while nothing is broken. `direct` is a connection on which nothing ever is.
    pub(crate) async fn prepare(case: Case, what: String, vault: &Vault<BoxVault>, direct: &Vault<BoxVault>) -> Self {
        let session = sign_in(direct, case.before).await;
        let page = page(&session, vault);
        let ticket = ticket(&session).await;
        if case.is_late {
            read(&page, "a").await.unwrap();
            let other = crate::fixture::page(&session, direct);
            Action::Renew(&[("a", None), ("b", None)]).run(&other).await.unwrap();
        }
        let before = if case.is_late { Items::new() } else { items(case.before) };
        Self { case, what: format!("{}, {what}", case.name), direct: direct.clone(), session, page, ticket, before }
    }

    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// Whether it changes the record if nothing is broken.
    pub(crate) fn changes(&self) -> bool {
        self.case.changes()
    }

    /// The result if nothing is broken.
    pub(crate) fn expected(&self) -> Result<(), ErrorKind> {
        self.case.outcome
    }

    pub(crate) async fn run(&self) -> Result<(), ErrorKind> {
        let value = self.case.action.run(&self.page).await?;
        if matches!(self.case.action, Action::Read) {
            assert_eq!(value.as_ref(), self.before.get("a"), "{}", self.what);
        }
        Ok(())
    }

    /// Fails unless the action was applied as a whole or not at all, and as its result says.
    pub(crate) async fn assert_whole(&self, result: Result<(), ErrorKind>) -> Outcome {
        let Self { case, what, direct, before, .. } = self;
        let after = items(case.after);
        let ticket = ticket(&self.session).await;
        let now = items_of(ticket.as_deref(), direct).await;
        let is_applied = now == after;
        assert!(is_applied || now == *before, "{what}: {result:?} leaves {now:?}");
        match result {
            Ok(()) => assert!(case.outcome.is_ok() && is_applied, "{what}: done, and leaves {now:?}"),
            Err(ErrorKind::Session) => {}
            Err(kind) => assert!(case.outcome == Err(kind) && now == *before, "{what}: {kind:?} leaves {now:?}"),
        }
        let earlier = items_of(self.ticket.as_deref(), direct).await;
        if case.action.renews() && is_applied {
            assert_eq!(earlier, Items::new(), "{what}: {result:?}, and the earlier ticket is good");
        } else if self.ticket.is_some() {
            assert_eq!(earlier, now, "{what}: {result:?}, and the earlier ticket opens something else");
        }
        Outcome { result, ticket, is_applied }
    }

    /// Fails unless the same request can do the same again, now that nothing is broken.
    pub(crate) async fn assert_works_again(&self, outcome: &Outcome) {
        let Self { case, what, direct, .. } = self;
        let (result, again) = (outcome.result, self.run().await);
        let expected = match case.action {
            // It has changed what it depends on.
            Action::WriteIf(..) if outcome.is_applied => Err(ErrorKind::Conflict),
            _ => case.outcome,
        };
        assert_eq!(again, expected, "{what}: {result:?}, and again");
        let ticket = ticket(&self.session).await;
        assert_eq!(items_of(ticket.as_deref(), direct).await, items(case.after), "{what}: {result:?}, and again");
        if case.action.renews() && again.is_ok() {
            for earlier in [&self.ticket, &outcome.ticket] {
                let earlier = items_of(earlier.as_deref(), direct).await;
                assert_eq!(earlier, Items::new(), "{what}: {result:?}, and again: an earlier ticket is good");
            }
        }
    }
}

/// One attempt at every action, all at once.
pub(crate) struct Attempts(Vec<Attempt>);

/// How they went.
pub(crate) struct Done(Vec<(Attempt, Result<(), ErrorKind>)>);

impl Attempts {
    pub(crate) async fn prepare(what: &str, vault: &Vault<BoxVault>, direct: &Vault<BoxVault>) -> Self {
        let mut attempts = Vec::new();
        for case in CASES {
            attempts.push(Attempt::prepare(case, what.to_owned(), vault, direct).await);
        }
        Self(attempts)
    }

    pub(crate) async fn run(self, on: On) -> Done {
        let mut tasks = JoinSet::new();
        for attempt in self.0 {
            tasks.spawn(async move {
                let result = timeout(on.time_out(), attempt.run()).await.expect("it does not wait without end");
                (attempt, result)
            });
        }
        Done(tasks.join_all().await)
    }
}

impl Done {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &(Attempt, Result<(), ErrorKind>)> {
        self.0.iter()
    }

    /// Fails unless each was applied as a whole or not at all. Afterwards, when nothing is broken, all of them work.
    pub(crate) async fn assert_works_again(self, vault: &Vault<BoxVault>) {
        heal(vault).await;
        for (attempt, result) in self.0 {
            let outcome = attempt.assert_whole(result).await;
            attempt.assert_works_again(&outcome).await;
        }
    }
}
