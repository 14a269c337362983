//! Jobs for a second process of the same program.

use std::env;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// Has one do the job, by the program's argument for it.
pub(crate) async fn run<T: DeserializeOwned>(argument: &str, job: &impl Serialize) -> Result<T> {
    let mut child = Command::new(env::current_exe()?)
        .arg(argument)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    // It goes on once this is closed.
    child.stdin.take().context("it is piped")?.write_all(&serde_json::to_vec(job)?).await?;
    let output = child.wait_with_output().await?;
    ensure!(output.status.success(), "the process to {argument} failed");
    Ok(serde_json::from_slice(&output.stdout)?)
}
