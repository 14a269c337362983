//! What the sign-in example costs as a whole, under load, beside the same app with Logto's SDK for Express:
//!
//! ```sh
//! npm ci --prefix tests/load/express
//! cargo run --profile production -p load
//! ```
//!
//! It takes redis-server, and Linux, whose `/proc` says what a process has used. All of it is on loopback, and over in
//! minutes. With `UPDATE_DOCS=1` it writes its tables to `docs/BENCHMARKS.md`, too; with the argument `quick` it only sees that
//! it works.

mod apps;
mod child;
mod counter;
mod effort;
mod generator;
mod held;
mod pages;
mod plain;
mod redis;
mod report;
mod sign_ins;
mod sizes;
mod smallest;
mod visitor;

use std::env;

use anyhow::{Result, bail, ensure};
use dev_provider::DevProvider;
use tokio::signal::unix::{SignalKind, signal};

use crate::apps::{Kind, Programs};
use crate::effort::Effort;
use crate::report::Report;

#[tokio::main]
async fn main() -> Result<()> {
    let effort = match env::args().nth(1).as_deref() {
        // What this program starts itself as.
        Some("generate") => return generator::main(),
        Some("hold") => return held::main().await,
        Some("plain") => return plain::main().await,
        Some("vault") => return smallest::with_vault().await,
        Some("sessions") => return smallest::with_sessions().await,
        None => Effort::full(),
        Some("quick") => Effort::quick(),
        Some(other) => bail!("what is {other:?}? There is `quick`, and nothing else to say"),
    };
    let update_docs = env::var_os("UPDATE_DOCS").is_some();
    ensure!(!update_docs || env::args().len() == 1, "UPDATE_DOCS is for a whole run, not for `quick`");
    ensure!(!cfg!(debug_assertions), "without --profile production this says nothing");

    // All that was started ends when what holds it is dropped, which needs an orderly end.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let report = tokio::select! {
        report = measure(&effort) => report?,
        _ = interrupt.recv() => bail!("interrupted"),
        _ = terminate.recv() => bail!("terminated"),
    };
    if update_docs {
        report.write()?;
    }
    Ok(())
}

async fn measure(effort: &Effort) -> Result<Report> {
    let redis = redis::start()?;
    let programs = Programs::find().await?;
    let provider = DevProvider::start(dev_provider::Config {
        endpoint: "http://127.0.0.1:0".to_owned(),
        redirect_uris: [Kind::SignIn, Kind::Express, Kind::SmallestVault, Kind::SmallestSessions]
            .map(|kind| format!("{}/logto/sign-in-callback", kind.base_url()))
            .into(),
        ..dev_provider::Config::default()
    })
    .await?;

    let mut report = Report::default();
    report.line(&format!("{}, Node.js {}.", report::machine()?, programs.node_version().await?));
    pages::measure(effort, &programs, &provider, &redis, &mut report).await?;
    pages::compare_storages(effort, &programs, &provider, &redis, &mut report).await?;
    pages::spread_over_processes(effort, &programs, &provider, &redis, &mut report).await?;
    sign_ins::count_provider_requests(effort, &programs, &provider, &mut report).await?;
    sign_ins::count_store_commands(&programs, &provider, &redis, &mut report).await?;
    sizes::measure(effort, &programs, &provider, &redis, &mut report).await?;
    Ok(report)
}
