//! What a signed-in page costs.

use anyhow::{Context as _, Result, bail, ensure};
use dev_provider::DevProvider;
use futures_util::future::join_all;
use servers::Redis;

use crate::apps::{App, Kind, Programs};
use crate::child;
use crate::effort::Effort;
use crate::generator::{Job, Outcome};
use crate::report::{Report, Spread, bytes};
use crate::visitor::Visitor;

const CONNECTIONS: usize = 8;

/// Of Express's CPU per page, this part is the most that is wanted.
const TARGET: f64 = 8.0;

/// The requests of one turn are bounded by its time, and in any case by this.
const MOST_REQUESTS: usize = 100_000;

/// One app with one store and somebody signed in.
pub(crate) struct Candidate {
    pub(crate) app: App,
    pub(crate) visitor: Visitor,
    turns: Vec<Turn>,
}

/// What one turn has shown.
struct Turn {
    outcome: Outcome,
    /// Per page, in seconds.
    cpu: f64,
    resident: f64,
}

impl Candidate {
    pub(crate) async fn start(programs: &Programs, kind: Kind, provider: &DevProvider, store: &str) -> Result<Self> {
        let app = programs.start(kind, provider, store, None).await?;
        let visitor = Visitor::sign_in(&app).await?;
        Ok(Self { app, visitor, turns: Vec::new() })
    }

    /// Forgets what there was, and lets the app get warm.
    pub(crate) async fn warm_up(&mut self, effort: &Effort) -> Result<()> {
        self.turn(effort.warm_up).await?;
        self.turns.clear();
        Ok(())
    }

    async fn turn(&mut self, seconds: f64) -> Result<()> {
        let job = Job {
            port: self.app.port,
            path: self.app.kind.page().to_owned(),
            cookie: self.visitor.cookie()?,
            connections: CONNECTIONS,
            seconds,
            requests: MOST_REQUESTS / CONNECTIONS,
        };
        let before = self.app.cpu()?;
        let outcome: Outcome = child::run("generate", &job).await?;
        #[expect(clippy::cast_precision_loss, reason = "there are far fewer than a float counts exactly")]
        let cpu = (self.app.cpu()? - before) / outcome.requests as f64;
        self.turns.push(Turn { outcome, cpu, resident: self.app.resident()? });
        Ok(())
    }

    fn spread(&self, of: impl Fn(&Turn) -> f64) -> Spread {
        Spread::of(self.turns.iter().map(of))
    }

    /// In microseconds of a processor for a page.
    pub(crate) fn cpu(&self) -> Spread {
        self.spread(|turn| turn.cpu * 1e6)
    }

    /// How much of the other one's it takes in the same round.
    fn share_of(&self, other: &Self) -> Spread {
        Spread::of(self.turns.iter().zip(&other.turns).map(|(own, other)| own.cpu / other.cpu))
    }

    /// How many times as much the other one takes in the same round.
    pub(crate) fn times(&self, other: &Self) -> Spread {
        Spread::of(self.turns.iter().zip(&other.turns).map(|(own, other)| other.cpu / own.cpu))
    }
}

/// Gives each a turn in each round, in changing order: a machine's speed drifts.
pub(crate) async fn compare(effort: &Effort, candidates: &mut [Candidate]) -> Result<()> {
    for candidate in &mut *candidates {
        candidate.warm_up(effort).await?;
    }
    for round in 0..effort.rounds {
        for turn in 0..candidates.len() {
            let index = (round + turn) % candidates.len();
            candidates[index].turn(effort.seconds).await?;
        }
    }
    Ok(())
}

pub(crate) async fn measure(
    effort: &Effort,
    programs: &Programs,
    provider: &DevProvider,
    redis: &Redis,
    report: &mut Report,
) -> Result<()> {
    let redis = redis.url();
    let stores = [("memory", "memory"), ("Redis", &*redis)];
    let mut candidates = Vec::new();
    for (_, store) in stores {
        for kind in [Kind::SignIn, Kind::Express, Kind::Plain] {
            candidates.push(Candidate::start(programs, kind, provider, store).await?);
        }
    }
    let page = same_page(&candidates).await?;
    compare(effort, &mut candidates).await?;

    let (mut rows, mut verdicts) = (Vec::new(), Vec::new());
    for (apps, (store, _)) in candidates.chunks(3).zip(stores) {
        let is_held = apps[0].times(&apps[1]).median >= TARGET;
        verdicts.push(format!("{} on {store}", if is_held { "held" } else { "missed" }));
        for candidate in apps {
            let ratio = match candidate.app.kind {
                Kind::Express => "1".to_owned(),
                _ => format!("1/{}", candidate.times(&apps[1]).show(1)),
            };
            rows.push(vec![
                format!("{}, {store}", candidate.app.kind.name()),
                candidate.cpu().show(0),
                ratio,
                candidate.spread(rate).show(0),
                candidate.spread(|turn| turn.outcome.p50 / 1e3).show(2),
                candidate.spread(|turn| turn.outcome.p99 / 1e3).show(2),
                bytes(candidate.spread(|turn| turn.resident).median),
            ]);
        }
    }
    report.table(
        "A signed-in page",
        &["", "CPU per page, µs", "of Express’s", "pages/s", "p50, ms", "p99, ms", "resident"],
        &rows,
    );
    report.line(&format!(
        "`{}` with the {} claims of an ID token on it, {} bytes, over {CONNECTIONS} connections that are kept; \
         {} rounds of {} s each.",
        Kind::SignIn.page(),
        page.claims,
        page.bytes,
        effort.rounds,
        effort.seconds
    ));
    let verdicts = verdicts.join(", ");
    report.line(&format!("The target is at most 1/{TARGET} of Express’s CPU per page: {verdicts}."));
    Ok(())
}

/// Of the page with tower-sessions' CPU, the page with the vault may take so much.
const STORAGE_TARGET: f64 = 1.15;

/// What the same page costs with the tokens in a vault and in tower-sessions.
pub(crate) async fn compare_storages(
    effort: &Effort,
    programs: &Programs,
    provider: &DevProvider,
    redis: &Redis,
    report: &mut Report,
) -> Result<()> {
    let redis = redis.url();
    let (mut rows, mut verdicts) = (Vec::new(), Vec::new());
    for (name, store) in [("memory", "memory"), ("Redis", &*redis)] {
        let mut candidates = Vec::new();
        for kind in [Kind::SmallestSessions, Kind::SmallestVault] {
            candidates.push(Candidate::start(programs, kind, provider, store).await?);
        }
        compare(effort, &mut candidates).await?;
        let [sessions, vault] = &candidates[..] else { bail!("there are two") };
        let ratio = vault.share_of(sessions);
        let is_held = ratio.median <= STORAGE_TARGET;
        verdicts.push(format!("{} on {name}", if is_held { "held" } else { "missed" }));
        rows.push(vec![name.to_owned(), sessions.cpu().show(1), vault.cpu().show(1), ratio.show(2)]);
    }
    report.table(
        "The same page with a vault and with tower-sessions",
        &["store", "tower-sessions, CPU per page, µs", "the vault and its cookie, CPU per page, µs", "ratio"],
        &rows,
    );
    let verdicts = verdicts.join(", ");
    report
        .line(&format!("The target is at most {STORAGE_TARGET} of the CPU per page with tower-sessions: {verdicts}."));
    Ok(())
}

/// How many processes of the sign-in example share a Redis.
const PROCESSES: [usize; 3] = [1, 2, 4];

/// What a page costs if each of several processes on one Redis answers it.
pub(crate) async fn spread_over_processes(
    effort: &Effort,
    programs: &Programs,
    provider: &DevProvider,
    redis: &Redis,
    report: &mut Report,
) -> Result<()> {
    let mut rows = Vec::new();
    for count in PROCESSES {
        let mut candidates = vec![Candidate::start(programs, Kind::SignIn, provider, &redis.url()).await?];
        for _ in 1..count {
            let app = programs.start(Kind::SignIn, provider, &redis.url(), None).await?;
            // Signed in by the first process, and served by all.
            candidates.push(Candidate { app, visitor: candidates[0].visitor.clone(), turns: Vec::new() });
        }
        for candidate in &mut candidates {
            candidate.warm_up(effort).await?;
        }
        let mut rates = Vec::new();
        for _ in 0..effort.rounds {
            let mut turns = Vec::new();
            for candidate in &mut candidates {
                turns.push(candidate.turn(effort.seconds));
            }
            for done in join_all(turns).await {
                done?;
            }
            rates.push(candidates.iter().filter_map(|candidate| Some(rate(candidate.turns.last()?))).sum::<f64>());
        }
        let cpu = Spread::of(candidates.iter().flat_map(|candidate| &candidate.turns).map(|turn| turn.cpu * 1e6));
        rows.push(vec![count.to_string(), Spread::of(rates).show(0), cpu.show(0)]);
    }
    report.table("Processes on one Redis", &["processes", "pages/s, all together", "CPU per page, µs"], &rows);
    report.line(
        "Each process has a load generator of its own, and all of them, Redis included, share the machine's cores.",
    );
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "there are far fewer than a float counts exactly")]
fn rate(turn: &Turn) -> f64 {
    turn.outcome.requests as f64 / turn.outcome.seconds
}

struct Page {
    claims: usize,
    bytes: usize,
}

/// Looks whether all of them show the same, whatever its order.
async fn same_page(candidates: &[Candidate]) -> Result<Page> {
    let mut first: Option<(Vec<String>, usize)> = None;
    for candidate in candidates.iter().filter(|candidate| candidate.app.kind != Kind::Plain) {
        let page = candidate.visitor.get(candidate.app.kind.page()).await?.body;
        let mut lines: Vec<_> =
            page.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
        // Logto's SDK for Express sends none.
        lines.retain(|line| !line.contains(">nonce</th>"));
        // These differ from one sign-in to the next.
        let own = ["iat", "exp", "at_hash"].map(|claim| format!(">{claim}</th>"));
        for line in lines.iter_mut().filter(|line| own.iter().any(|claim| line.contains(claim))) {
            line.truncate(line.find("<td>").unwrap_or_default());
        }
        lines.sort_unstable();
        ensure!(page.contains("Signed in as <strong>Ada</strong>"), "nobody is signed in:\n{page}");
        let (expected, _) = first.get_or_insert_with(|| (lines.clone(), page.len()));
        let differ =
            |a: &[String], b: &[String]| a.iter().filter(|line| !b.contains(line)).cloned().collect::<Vec<_>>();
        ensure!(
            *expected == lines,
            "the apps do not show the same: {:#?} and {:#?}",
            differ(expected, &lines),
            differ(&lines, expected)
        );
    }
    let (lines, bytes) = first.context("there are apps")?;
    let claims = lines.iter().filter(|line| line.contains("<th scope=\"row\">")).count();
    Ok(Page { claims, bytes })
}
