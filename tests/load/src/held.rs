//! A process that holds sign-ins in memory.

use std::time::{Duration, Instant};
use std::{fs, io};

use anyhow::{Context as _, Result, ensure};
use logto_client::vault::{MemoryVault, Vault, VaultStore, Vaulted};
use logto_client::{Change, Changes, MemorySession, SessionHandle as _};
use serde::{Deserialize, Serialize};

use crate::apps::{kibibytes, resident};

/// The session's key of the ticket.
const TICKET: &str = "logto_vault";

pub(crate) const ID_TOKEN: &str = "logto_id_token";

#[derive(Deserialize, Serialize)]
pub(crate) struct Job {
    /// Of each sign-in: the keys and the values.
    pub(crate) items: Vec<(String, String)>,
    /// How many to hold, from few to many.
    pub(crate) counts: Vec<usize>,
}

/// What it takes to hold so many.
#[derive(Deserialize, Serialize)]
pub(crate) enum Level {
    Held {
        sign_ins: usize,
        /// Of the whole process, in bytes.
        resident: f64,
        /// Of one sign-in, in bytes.
        of_one: f64,
        /// What a read takes, in seconds.
        read: f64,
    },
    /// They might have taken more than half of the memory that the machine has left.
    TooMany { sign_ins: usize, needed: f64 },
}

/// So many reads are timed.
const READS: usize = 10_000;

/// Reads a job, and writes its levels.
pub(crate) async fn main() -> Result<()> {
    let job: Job = serde_json::from_reader(io::stdin())?;
    let vault = Vault::new(MemoryVault::default());
    let (mut tickets, mut levels) = (Vec::new(), Vec::new());
    let empty = resident("self")?;
    let mut of_one = 0.0;
    for sign_ins in job.counts {
        let needed = of_one * as_f64(sign_ins);
        let available = kibibytes(&fs::read_to_string("/proc/meminfo")?, "MemAvailable").context("no MemAvailable")?;
        if needed > available / 2.0 {
            levels.push(Level::TooMany { sign_ins, needed });
            continue;
        }
        while tickets.len() < sign_ins {
            tickets.push(sign_in(&vault, &job.items).await?);
        }
        let resident = resident("self")?;
        of_one = (resident - empty) / as_f64(sign_ins);
        levels.push(Level::Held { sign_ins, resident, of_one, read: time_reads(&vault, &tickets).await? });
    }
    serde_json::to_writer(io::stdout(), &levels)?;
    Ok(())
}

/// Creates a record with the items, and returns its ticket.
pub(crate) async fn sign_in<S: VaultStore + Clone>(vault: &Vault<S>, items: &[(String, String)]) -> Result<String> {
    let web = MemorySession::default();
    let changes: Vec<_> = items.iter().map(|(key, value)| Change::set(key, value)).collect();
    Vaulted::new(&web, vault.clone()).write(Changes::all(&changes)).await?;
    web.read(TICKET.into()).await?.context("a ticket")
}

/// What a page reads, of sign-ins that are far from each other in memory.
async fn time_reads(vault: &Vault<MemoryVault>, tickets: &[String]) -> Result<f64> {
    let mut total = Duration::ZERO;
    for ticket in (0..READS).map(|read| &tickets[read * 7919 % tickets.len()]) {
        let web = MemorySession::default();
        web.write(Changes::one(Change::set(TICKET, ticket))).await?;
        let page = Vaulted::new(web, vault.clone());
        let start = Instant::now();
        ensure!(page.read(ID_TOKEN.into()).await?.is_some(), "a sign-in is lost");
        total += start.elapsed();
    }
    Ok(total.as_secs_f64() / as_f64(READS))
}

#[expect(clippy::cast_precision_loss, reason = "there are far fewer than a float counts exactly")]
fn as_f64(count: usize) -> f64 {
    count as f64
}
