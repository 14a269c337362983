//! What a request asks the server to do with the visitor's session, and what the server tells of it.

use std::future::Future;
use std::panic::resume_unwind;

use logto_storage_core::{Change, ErrorKind, LogtoStorage, Result, SessionHandle};
use logto_vault::Vaulted;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::gate::Gate;
use crate::site::Context;

/// The body of every request.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct Script {
    steps: Vec<Step>,
    deferred: bool,
    prefix: Option<String>,
    end: End,
}

#[derive(Clone, Deserialize, Serialize)]
pub(crate) enum Step {
    Get(String),
    Set(String, String),
    Remove(String),
    /// `None` removes.
    Apply(Vec<(String, Option<String>)>),
    Renew(Vec<(String, Option<String>)>),
    /// As the SDK signs in and out: `Apply` where `Renew` is unsupported.
    RenewIfSupported(Vec<(String, Option<String>)>),
    Reload,
    /// Writes by the library's own means.
    WriteForeign(String, Value),
    /// Ends the session by the library's own means.
    EndSession,
    /// Waits until the test lets it pass.
    Wait,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Serialize)]
pub(crate) enum End {
    Ok,
    Status500,
    Err,
    Panic,
}

/// What came of one step.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) enum Answer {
    Item(Option<String>),
    Done,
    Reloaded(bool),
    /// The error's kind.
    Failed(String),
}

impl Script {
    pub(crate) fn deferred(self) -> Self {
        Self { deferred: true, ..self }
    }

    pub(crate) fn prefixed(self, prefix: &str) -> Self {
        Self { prefix: Some(prefix.to_owned()), ..self }
    }

    pub(crate) fn ending(self, end: End) -> Self {
        Self { end, ..self }
    }
}

impl From<Vec<Step>> for Script {
    fn from(steps: Vec<Step>) -> Self {
        Self { steps, deferred: false, prefix: None, end: End::Ok }
    }
}

impl<const N: usize> From<[Step; N]> for Script {
    fn from(steps: [Step; N]) -> Self {
        Self::from(Vec::from(steps))
    }
}

pub(crate) fn get(key: &str) -> Step {
    Step::Get(key.to_owned())
}

pub(crate) fn set(key: &str, value: &str) -> Step {
    Step::Set(key.to_owned(), value.to_owned())
}

pub(crate) fn remove(key: &str) -> Step {
    Step::Remove(key.to_owned())
}

/// The changes of an `apply` or a `renew`.
pub(crate) fn changes(changes: &[(&str, Option<&str>)]) -> Vec<(String, Option<String>)> {
    changes.iter().map(|(key, value)| ((*key).to_owned(), value.map(str::to_owned))).collect()
}

pub(crate) fn item(value: &str) -> Answer {
    Answer::Item(Some(value.to_owned()))
}

/// A session with what its library offers beside our trait.
pub(crate) trait Session: SessionHandle + Clone {
    fn write_foreign(&self, key: &str, value: &Value) -> impl Future<Output = ()> + Send;
    fn end(&self) -> impl Future<Output = ()> + Send;

    /// The same session, as the holder of a ticket.
    fn for_vault(&self) -> impl SessionHandle + Sync;
}

/// How the framework's handler is to end.
pub(crate) enum Ending {
    Ok(String),
    Status500,
    Err,
}

#[derive(LogtoStorage)]
enum Immediate<S> {
    Plain(S),
    Prefixed {
        #[logto(session)]
        session: S,
        #[logto(prefix)]
        prefix: String,
    },
}

#[derive(LogtoStorage)]
#[logto(save = "deferred")]
enum Deferred<S> {
    Plain(S),
    Prefixed {
        #[logto(session)]
        session: S,
        #[logto(prefix)]
        prefix: String,
    },
}

/// The whole handler, but for what is the framework's own.
pub(crate) async fn run<S: Session>(session: S, script: Script, context: &Context) -> Ending {
    let gate = &context.gate;
    match &context.vault {
        None => run_over(session.clone(), &session, script, gate).await,
        Some(vault) => run_over(Vaulted::new(session.for_vault(), vault.clone()), &session, script, gate).await,
    }
}

async fn run_over(session: impl SessionHandle, own: &impl Session, script: Script, gate: &Gate) -> Ending {
    let Script { steps, deferred, prefix, end } = script;
    let answers = match (deferred, prefix) {
        (false, None) => answers(&Immediate::Plain(session), own, steps, gate).await,
        (false, Some(prefix)) => answers(&Immediate::Prefixed { session, prefix }, own, steps, gate).await,
        (true, None) => answers(&Deferred::Plain(session), own, steps, gate).await,
        (true, Some(prefix)) => answers(&Deferred::Prefixed { session, prefix }, own, steps, gate).await,
    };
    // Whoever ends in another way tells no answers, so there all has to have gone well.
    let went_well = !answers.iter().any(|answer| matches!(answer, Answer::Failed(_)));
    match end {
        End::Status500 if went_well => Ending::Status500,
        End::Err if went_well => Ending::Err,
        // A panic that prints nothing.
        End::Panic if went_well => resume_unwind(Box::new("the script says so")),
        _ => Ending::Ok(serde_json::to_string(&answers).expect("answers are JSON")),
    }
}

async fn answers(storage: &impl LogtoStorage, own: &impl Session, steps: Vec<Step>, gate: &Gate) -> Vec<Answer> {
    let mut answers = Vec::new();
    for step in steps {
        let answer = answer(storage, own, step, gate).await;
        answers.push(answer.unwrap_or_else(|error| Answer::Failed(format!("{:?}", error.kind()))));
    }
    answers
}

async fn answer(storage: &impl LogtoStorage, own: &impl Session, step: Step, gate: &Gate) -> Result<Answer> {
    match step {
        Step::Get(key) => return storage.get_item(&key).await.map(Answer::Item),
        Step::Set(key, value) => storage.set_item(&key, &value).await?,
        Step::Remove(key) => storage.remove_item(&key).await?,
        Step::Apply(changes) => storage.apply(&borrowed(&changes)).await?,
        Step::Renew(changes) => storage.renew(&borrowed(&changes)).await?,
        Step::RenewIfSupported(changes) => match storage.renew(&borrowed(&changes)).await {
            Err(error) if error.kind() == ErrorKind::Unsupported => storage.apply(&borrowed(&changes)).await?,
            renewed => renewed?,
        },
        Step::Reload => return storage.reload().await.map(Answer::Reloaded),
        Step::WriteForeign(key, value) => own.write_foreign(&key, &value).await,
        Step::EndSession => own.end().await,
        Step::Wait => gate.pass().await,
    }
    Ok(Answer::Done)
}

fn borrowed(changes: &[(String, Option<String>)]) -> Vec<Change<'_>> {
    changes
        .iter()
        .map(|(key, value)| match value {
            Some(value) => Change::set(key, value),
            None => Change::remove(key),
        })
        .collect()
}
