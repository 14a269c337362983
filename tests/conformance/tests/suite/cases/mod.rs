//! What is tried with every framework.

pub(crate) mod concurrency;
pub(crate) mod differences;
pub(crate) mod late;
pub(crate) mod promises;
pub(crate) mod vault;

use std::pin::Pin;
use std::sync::Arc;

use crate::site::Site;

pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// In the table: what is tried.
    pub(crate) row: &'static str,
    /// Whether it takes several processes over one store.
    pub(crate) many_processes: bool,
    pub(crate) run: fn(Arc<Site>) -> Running,
}

pub(crate) type Running = Pin<Box<dyn Future<Output = Outcome>>>;

/// What came of it. A promise that is not kept is a panic instead.
#[derive(Clone)]
pub(crate) struct Outcome {
    /// In the table. The same in every run.
    pub(crate) class: &'static str,
    /// What was counted in this run.
    pub(crate) numbers: Option<String>,
}

impl From<&'static str> for Outcome {
    fn from(class: &'static str) -> Self {
        Self { class, numbers: None }
    }
}

/// The case of that name.
pub(crate) fn named(name: &str) -> &'static Case {
    let mut cases = [promises::CASES, differences::CASES, concurrency::CASES, late::CASES, vault::CASES].into_iter();
    cases.find_map(|cases| cases.iter().find(|case| case.name == name)).expect("a case of that name")
}

/// The functions of a module as [`Case`]s, each with its row of the table.
macro_rules! cases {
    ($($name:ident: $row:literal),* $(,)?) => {
        pub(crate) const CASES: &[crate::cases::Case] = &[$(
            crate::cases::Case {
                name: stringify!($name),
                row: $row,
                many_processes: false,
                run: |site| Box::pin(async move { $name(site).await.into() }),
            },
        )*];
    };
}
use cases;
