//! How the costs grow with the number of sign-ins.

use anyhow::{Context as _, Result};
use dev_provider::DevProvider;
use logto_client::SessionHandle as _;
use logto_client::vault::cookie::{CookieSettings, TicketCookie};
use logto_client::vault::{RedisVault, Vault, Vaulted};
use servers::Redis;

use crate::apps::{Kind, Programs};
use crate::child;
use crate::effort::Effort;
use crate::held::{ID_TOKEN, Job, Level, sign_in};
use crate::redis;
use crate::report::{Report, bytes};
use crate::visitor::Visitor;

/// How many sign-ins are saved in Redis to see what one takes.
const IN_REDIS: usize = 1000;

pub(crate) async fn measure(
    effort: &Effort,
    programs: &Programs,
    provider: &DevProvider,
    redis: &Redis,
    report: &mut Report,
) -> Result<()> {
    let app = programs.start(Kind::SignIn, provider, &redis.url(), None).await?;
    let visitor = Visitor::sign_in(&app).await?;
    let vault = Vault::new(RedisVault::connect(&redis.url()).await?);
    let settings = CookieSettings::default().name("sign-in")?.dangerously_allow_http();
    let signed_in = Vaulted::new(TicketCookie::new(settings, [visitor.cookie()?]), vault.clone());
    let mut items = Vec::new();
    for key in [ID_TOKEN, "logto_refresh_token"] {
        items.push((key.to_owned(), signed_in.read(key.into()).await?.with_context(|| format!("no {key}"))?));
    }

    let job = Job { items, counts: effort.held.clone() };
    let levels: Vec<Level> = child::run("hold", &job).await?;
    let mut rows = Vec::new();
    let mut of_one = 0.0;
    for level in &levels {
        match level {
            Level::Held { sign_ins, resident, of_one: own, read } => {
                of_one = *own;
                let cells = [sign_ins.to_string(), bytes(*resident), bytes(*own), format!("{:.1}", read * 1e6)];
                rows.push(cells.into());
            }
            Level::TooMany { sign_ins, needed } => {
                let needed = format!("not tried: it would take {}", bytes(*needed));
                rows.push(vec![sign_ins.to_string(), needed, String::new(), String::new()]);
            }
        }
    }
    report.table(
        "Sign-ins held in memory",
        &["sign-ins", "resident", "per sign-in", "one page's read of `MemoryVault`, µs"],
        &rows,
    );

    let before = redis::used_memory(redis)?;
    for _ in 0..IN_REDIS {
        sign_in(&vault, &job.items).await?;
    }
    #[expect(clippy::cast_precision_loss, reason = "there are far fewer than a float counts exactly")]
    let of_one_in_redis = (redis::used_memory(redis)? - before) / IN_REDIS as f64;
    let values: usize = job.items.iter().map(|(_, value)| value.len()).sum();
    report.line(&format!(
        "A sign-in holds {values} bytes of text. It takes {} in `MemoryVault` and {} in Redis: a million concurrent users need \
         {} in the app, or {} in Redis.",
        bytes(of_one),
        bytes(of_one_in_redis),
        bytes(of_one * 1e6),
        bytes(of_one_in_redis * 1e6),
    ));
    Ok(())
}
