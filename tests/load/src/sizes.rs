//! How the costs grow with a session, and with how many there are.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use dev_provider::DevProvider;
use serde_json::Value;
use servers::Redis;
use tower_sessions_0_14::SessionStore as _;
use tower_sessions_0_14::session::{Id, Record};

use crate::apps::{Kind, Programs};
use crate::child;
use crate::effort::Effort;
use crate::held::{Job, Level};
use crate::pages::{Candidate, compare};
use crate::redis;
use crate::report::{Report, bytes};

/// What there is in a session beside the tokens.
const FILLERS_KIB: [usize; 3] = [1, 16, 256];

/// Few: 256 KiB each.
const HELD_FILLED: usize = 1000;

pub(crate) async fn measure(
    effort: &Effort,
    programs: &Programs,
    provider: &DevProvider,
    redis: &Redis,
    report: &mut Report,
) -> Result<()> {
    let store = redis::store(&redis.url(), 1).await?;
    let sign_in = Candidate::start(programs, Kind::SignIn, provider, &redis.url()).await?;
    let express = Candidate::start(programs, Kind::Express, provider, &redis.url()).await?;
    let cookie = sign_in.visitor.cookie()?;
    let id: Id = cookie.strip_prefix("sign-in=").context("another cookie")?.parse()?;
    let signed_in = store.load(&id).await?.context("the session is in Redis")?;

    let mut candidates = [sign_in, express];
    let mut rows = Vec::new();
    for kib in FILLERS_KIB {
        let mut filled = signed_in.clone();
        filled.data.insert("filler".to_owned(), "x".repeat(kib * 1024).into());
        store.save(&filled).await?;
        let [_, express] = &candidates;
        express.visitor.get(&format!("/filler/{kib}")).await?;
        compare(effort, &mut candidates).await?;
        let [sign_in, express] = &candidates;
        let in_memory: Vec<Level> = child::run("hold", &Job { data: filled.data, counts: vec![HELD_FILLED] }).await?;
        let Some(Level::Held { load, .. }) = in_memory.first() else { anyhow::bail!("too little memory") };
        rows.push(vec![
            format!("{kib} KiB"),
            sign_in.cpu().show(0),
            express.cpu().show(0),
            format!("1/{}", sign_in.times(express).show(1)),
            format!("{:.1}", load * 1e6),
        ]);
    }
    report.table(
        "A larger session",
        &[
            "besides the tokens",
            "`sign-in` on Redis, CPU per page, µs",
            "Express on Redis, CPU per page, µs",
            "of Express’s",
            "one read of `MemoryStore`, µs",
        ],
        &rows,
    );
    held(effort, signed_in, redis, report).await
}

/// How many sessions are saved in Redis to see what one takes.
const IN_REDIS: usize = 1000;

async fn held(effort: &Effort, mut signed_in: Record, redis: &Redis, report: &mut Report) -> Result<()> {
    let levels: Vec<Level> =
        child::run("hold", &Job { data: signed_in.data.clone(), counts: effort.held.clone() }).await?;
    let mut rows = Vec::new();
    let mut of_one = 0.0;
    for level in &levels {
        match level {
            Level::Held { sessions, resident, of_one: own, load } => {
                of_one = *own;
                let cells = [sessions.to_string(), bytes(*resident), bytes(*own), format!("{:.1}", load * 1e6)];
                rows.push(cells.into());
            }
            Level::TooMany { sessions, needed } => {
                let needed = format!("not tried: it would take {}", bytes(*needed));
                rows.push(vec![sessions.to_string(), needed, String::new(), String::new()]);
            }
        }
    }
    report.table(
        "Sessions held in memory",
        &["sessions", "resident", "per session", "one read of `MemoryStore`, µs"],
        &rows,
    );

    let store = redis::store(&redis.url(), 1).await?;
    let before = redis::used_memory(redis)?;
    for _ in 0..IN_REDIS {
        signed_in.id = Id::default();
        store.create(&mut signed_in).await?;
    }
    #[expect(clippy::cast_precision_loss, reason = "there are far fewer than a float counts exactly")]
    let of_one_in_redis = (redis::used_memory(redis)? - before) / IN_REDIS as f64;
    let values: usize = signed_in.data.values().map(|value| value.as_str().map_or(0, str::len)).sum();
    report.line(&format!(
        "A signed-in user's session holds {values} bytes of text. It takes {} in `MemoryStore` and {} in Redis: a million \
         concurrent users need {} in the app, or {} in Redis.",
        bytes(of_one),
        bytes(of_one_in_redis),
        bytes(of_one * 1e6),
        bytes(of_one_in_redis * 1e6),
    ));
    Ok(())
}

/// What a session keeps.
pub(crate) type Data = HashMap<String, Value>;
