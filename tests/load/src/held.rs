//! A process that holds sessions in memory.

use std::time::Instant;
use std::{fs, io};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};
use tower_sessions_0_14::cookie::time::{Duration, OffsetDateTime};
use tower_sessions_0_14::session::{Id, Record};
use tower_sessions_0_14::{MemoryStore, SessionStore as _};

use crate::apps::{kibibytes, resident};
use crate::sizes::Data;

#[derive(Deserialize, Serialize)]
pub(crate) struct Job {
    /// Of each session.
    pub(crate) data: Data,
    /// How many to hold, from few to many.
    pub(crate) counts: Vec<usize>,
}

/// What it takes to hold so many.
#[derive(Deserialize, Serialize)]
pub(crate) enum Level {
    Held {
        sessions: usize,
        /// Of the whole process, in bytes.
        resident: f64,
        /// Of one session, in bytes.
        of_one: f64,
        /// What a read takes, in seconds.
        load: f64,
    },
    /// They might have taken more than half of the memory that the machine has left.
    TooMany { sessions: usize, needed: f64 },
}

/// So many reads are timed.
const READS: usize = 10_000;

/// Reads a job, and writes its levels.
pub(crate) async fn main() -> Result<()> {
    let job: Job = serde_json::from_reader(io::stdin())?;
    let store = MemoryStore::default();
    let (mut ids, mut levels) = (Vec::new(), Vec::new());
    let empty = resident("self")?;
    let mut of_one = 0.0;
    for sessions in job.counts {
        let needed = of_one * as_f64(sessions);
        let available = kibibytes(&fs::read_to_string("/proc/meminfo")?, "MemAvailable").context("no MemAvailable")?;
        if needed > available / 2.0 {
            levels.push(Level::TooMany { sessions, needed });
            continue;
        }
        while ids.len() < sessions {
            let expiry_date = OffsetDateTime::now_utc() + Duration::DAY;
            let mut record = Record { id: Id::default(), data: job.data.clone(), expiry_date };
            store.create(&mut record).await?;
            ids.push(record.id);
        }
        let resident = resident("self")?;
        of_one = (resident - empty) / as_f64(sessions);
        levels.push(Level::Held { sessions, resident, of_one, load: time_reads(&store, &ids).await? });
    }
    serde_json::to_writer(io::stdout(), &levels)?;
    Ok(())
}

/// Of sessions that are far from each other in memory.
async fn time_reads(store: &MemoryStore, ids: &[Id]) -> Result<f64> {
    let start = Instant::now();
    for id in (0..READS).map(|read| &ids[read * 7919 % ids.len()]) {
        ensure!(store.load(id).await?.is_some(), "a session is lost");
    }
    Ok(start.elapsed().as_secs_f64() / as_f64(READS))
}

#[expect(clippy::cast_precision_loss, reason = "there are far fewer than a float counts exactly")]
fn as_f64(count: usize) -> f64 {
    count as f64
}
