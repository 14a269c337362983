//! What a sign-in costs: the provider, the app, and the store.

use anyhow::{Context as _, Result};
use dev_provider::DevProvider;
use reqwest::Url;
use servers::Redis;

use crate::apps::{Kind, Programs};
use crate::counter::Counter;
use crate::effort::Effort;
use crate::redis::Commands;
use crate::report::Report;
use crate::visitor::Visitor;

pub(crate) async fn count_provider_requests(
    effort: &Effort,
    programs: &Programs,
    provider: &DevProvider,
    report: &mut Report,
) -> Result<()> {
    let port = provider.endpoint().parse::<Url>()?.port().context("the provider has a port")?;
    let mut rows = Vec::new();
    for kind in [Kind::SignIn, Kind::Express] {
        for sign_ins in effort.sign_ins {
            let counter = Counter::start(port).await?;
            let app = programs.start(kind, provider, "memory", Some(&counter.url())).await?;
            let before = app.cpu()?;
            for _ in 0..sign_ins {
                Visitor::sign_in(&app).await?;
            }
            #[expect(clippy::cast_precision_loss, reason = "there are far fewer than a float counts exactly")]
            let cpu = (app.cpu()? - before) / sign_ins as f64;
            let counts = ["/openid-configuration", "/jwks", "/token"].map(|end| counter.requests(end));
            let others = counter.all_requests() - counts.iter().sum::<usize>();
            rows.push(vec![
                kind.name().to_owned(),
                sign_ins.to_string(),
                counts[0].to_string(),
                counts[1].to_string(),
                counts[2].to_string(),
                others.to_string(),
                format!("{:.1}", cpu * 1e3),
            ]);
        }
    }
    report.table(
        "Requests to the provider",
        &["", "sign-ins", "discovery", "key set", "tokens", "others", "CPU per sign-in, ms"],
        &rows,
    );
    Ok(())
}

/// Each step is taken so often: what is shown is the mean, which is a whole number if it is always the same.
const VISITS: usize = 10;

pub(crate) async fn count_store_commands(
    programs: &Programs,
    provider: &DevProvider,
    redis: &Redis,
    report: &mut Report,
) -> Result<()> {
    let mut steps = Vec::new();
    for kind in [Kind::SignIn, Kind::Express] {
        let app = programs.start(kind, provider, &redis.url(), None).await?;
        let visitors = (0..VISITS).map(|_| Visitor::of(app.port)).collect::<Vec<_>>();
        Commands::take(redis)?;

        let mut callbacks = Vec::new();
        for visitor in &visitors {
            callbacks.push(visitor.go_to_provider(&app).await?);
        }
        steps.push((format!("{}, the redirect to the provider", kind.name()), Commands::take(redis)?));

        for (visitor, callback) in visitors.iter().zip(&callbacks) {
            visitor.come_back(callback).await?;
        }
        steps.push((format!("{}, the callback", kind.name()), Commands::take(redis)?));

        for visitor in &visitors {
            visitor.get(kind.page()).await?;
        }
        steps.push((format!("{}, a signed-in page", kind.name()), Commands::take(redis)?));
    }

    let plain = programs.start(Kind::Plain, provider, &redis.url(), None).await?;
    let visitors = (0..VISITS).map(|_| Visitor::of(plain.port)).collect::<Vec<_>>();
    Commands::take(redis)?;
    for (path, what) in [
        ("/insert", "tower-sessions alone, a handler that inserts a value"),
        ("/renew", "tower-sessions alone, a handler that reads, inserts and changes the id"),
        ("/read", "tower-sessions alone, a handler that reads"),
    ] {
        for visitor in &visitors {
            visitor.get(path).await?;
        }
        steps.push((what.to_owned(), Commands::take(redis)?));
    }
    let rows: Vec<_> = steps.iter().map(|(what, commands)| row(what, commands)).collect();
    report.table("Redis commands per request", &["", "reads", "saves", "deletes", "others"], &rows);
    Ok(())
}

fn row(what: &str, commands: &Commands) -> Vec<String> {
    let Commands { reads, saves, deletes, others } = *commands;
    [what.to_owned()].into_iter().chain([reads, saves, deletes, others].map(|count| mean(count).to_string())).collect()
}

#[expect(clippy::cast_precision_loss, reason = "there are far fewer than a float counts exactly")]
fn mean(count: usize) -> f64 {
    count as f64 / VISITS as f64
}
