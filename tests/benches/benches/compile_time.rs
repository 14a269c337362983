//! What the derive, the storage and the client cost a build, beside named peers.
//!
//! Everything is built in scratch projects of its own, from crates.io's sources as cargo has them, offline after the
//! first build of each. All candidates have a turn in every round. `RUNS` is the number of rounds; `-- clean`,
//! `-- additions` and `-- expansion` measure one thing alone.

use std::env;
use std::process::{Command, Output};

use benches::is_bench;
use benches::project::{Project, timed, workspace};
use benches::report::{Report, ratio, seconds};
use benches::timing::{self, Timing, runs};
use proc_macro2::{TokenStream, TokenTree};

type Section = fn(&mut Report);

const SECTIONS: [(&str, Section); 3] = [("clean", clean_builds), ("additions", additions), ("expansion", expansion)];

fn main() {
    if !is_bench() {
        // It would take minutes. What can be checked without a build is that the files to compile are what they say.
        assert_eq!(repeated(WRITTEN_OUT, 3).matches("pub struct Storage").count(), 3);
        return;
    }
    let wanted: Vec<_> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    for (name, measure) in SECTIONS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            let mut report = Report::new(&format!("compile_time -- {name}"));
            measure(&mut report);
            report.finish();
        }
    }
}

// --- Clean builds

fn clean_builds(report: &mut Report) {
    let derive = format!("logto-storage-derive = {{ path = {:?} }}", workspace("storage-derive"));
    let peers = [
        ("`thiserror` 2", "thiserror = '2'"),
        ("`logto-storage-derive`", &*derive),
        ("`derive_more` 2, `deref`", "derive_more = { version = '2', features = ['deref'] }"),
        ("`serde` 1, `derive`", "serde = { version = '1', features = ['derive'] }"),
        ("`async-trait` 0.1", "async-trait = '0.1'"),
        ("`bon` 3", "bon = '3'"),
    ];
    let projects = peers.map(|(_, dependency)| Project::new(dependency, ""));
    let crates = projects.each_ref().map(|project| project.build(false).compiled);
    let times = rounds(runs(5), &projects.each_ref(), |project| {
        project.clean();
        project.build(true).seconds
    });
    let rows: Vec<_> = (peers.iter().zip(crates).zip(times))
        .map(|(((name, _), crates), timing)| {
            vec![(*name).to_owned(), crates.to_string(), seconds(timing.value), ratio(timing.ratio)]
        })
        .collect();
    report.table("A clean build", &["", "crates", "seconds", "ratio"], &rows);
}

// --- Additions to an app

const APP: &str =
    "axum = '0.8'\ntokio = { version = '1', features = ['macros', 'rt-multi-thread'] }\ntower-sessions = '0.15'";

const APP_MAIN: &str = "\
use axum::{Router, routing::get};
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

async fn home(session: Session) -> String {
    session.get::<String>(\"name\").await.unwrap().unwrap_or_default()
}

#[tokio::main]
async fn main() {
    let app = Router::new().route(\"/\", get(home)).layer(SessionManagerLayer::new(MemoryStore::default()));
    axum::serve(tokio::net::TcpListener::bind(\"127.0.0.1:3000\").await.unwrap(), app).await.unwrap();
}
";

const DERIVED_STORAGE: &str = "
#[derive(KRATE::LogtoStorage)]
pub struct SessionStorage {
    pub session: Session,
}
";

fn additions(report: &mut Report) {
    let core = format!(
        "logto-storage-core = {{ path = {:?}, features = ['derive', 'tower-sessions-0_15'] }}",
        workspace("storage-core")
    );
    let client = format!(
        "logto-client = {{ path = {:?}, features = ['axum-0_8', 'tower-sessions-0_15'] }}",
        workspace("client")
    );
    let additions = [
        ("nothing", String::new(), String::new()),
        ("`logto-storage-core` with the derive", core, DERIVED_STORAGE.replace("KRATE", "logto_storage_core")),
        ("`logto-client` with its routes for axum", client, DERIVED_STORAGE.replace("KRATE", "logto_client")),
    ];
    let app = Project::new("", "");
    app.write_main(APP, APP_MAIN);
    app.build(false);
    let before = app.saved_target();
    let bare = app.duplicates();
    let prepare = |(_, dependency, code): &(&str, String, String)| {
        app.restore_target(&before);
        app.write_main(&format!("{APP}\n{dependency}"), &format!("{APP_MAIN}{code}"));
    };
    let mut compiled = vec![0; additions.len()];
    let mut duplicates = vec![Vec::new(); additions.len()];
    for (index, addition) in additions.iter().enumerate() {
        prepare(addition);
        app.cargo(&["fetch"], false);
        duplicates[index] = app.duplicates();
        duplicates[index].retain(|duplicate| !bare.contains(duplicate));
    }
    let times = timing::rounds(runs(3), additions.len(), |index| {
        prepare(&additions[index]);
        let build = app.build(true);
        compiled[index] = build.compiled;
        build.seconds
    });
    let rows: Vec<_> = (additions.iter().zip(compiled).zip(duplicates).zip(times))
        .map(|((((name, ..), compiled), duplicates), timing)| {
            vec![(*name).to_owned(), compiled.to_string(), seconds(timing.value), list(&duplicates)]
        })
        .collect();
    report.line(&format!("The app alone has these crates in more than one version: {}.", list(&bare)));
    let head =
        ["added to a built app with axum and tower-sessions", "crates", "seconds", "crates in an additional version"];
    report.table("Added to an app", &head, &rows);
}

// --- Expansion

const WRITTEN_OUT: &str = include_str!("../src/written_out.rs");

const DERIVED: &str = "
use logto_storage_core::{LogtoStorage, MemorySession};

#[derive(LogtoStorage)]
pub struct WrittenOut {
    pub session: MemorySession,
}
";

/// Simpler to write than what is written out, and what async code looks like.
const ASYNC_FNS: &str = "
use std::time::Duration;

use logto_storage_core::{
    AllSeen, Change, Changes, LogtoStorage, MemorySession, Result, Seen, SessionHandle,
};

pub struct WrittenOut {
    pub session: MemorySession,
}

impl LogtoStorage for WrittenOut {
    async fn get_item(&self, key: &str) -> Result<Option<String>> {
        self.session.read(key.into()).await
    }

    async fn set_item(&self, key: &str, value: &str) -> Result<()> {
        self.session.write(Changes::one(Change::set(key, value))).await
    }

    async fn remove_item(&self, key: &str) -> Result<()> {
        self.session.write(Changes::one(Change::remove(key))).await
    }

    async fn apply<'a>(&'a self, changes: &'a [Change<'a>]) -> Result<()> {
        self.session.write(Changes::all(changes)).await
    }

    async fn apply_if<'a>(&'a self, seen: &'a [Seen<'a>], changes: &'a [Change<'a>]) -> Result<()> {
        self.session.write_if(AllSeen::new(seen), Changes::all(changes)).await
    }

    async fn apply_expiring<'a>(&'a self, changes: &'a [Change<'a>], lifetime: Duration) -> Result<()> {
        self.session.write(Changes::all(changes).expiring_after(lifetime)).await
    }

    async fn renew<'a>(&'a self, changes: &'a [Change<'a>]) -> Result<()> {
        self.session.write(Changes::all(changes).renewing()).await
    }

    fn check_renewal(&self) -> Result<()> {
        self.session.check_renewal()
    }

    async fn reload(&self) -> Result<bool> {
        self.session.reload().await
    }
}
";

const TRANSPARENT: &str = "
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct WrittenOut(#[from] std::io::Error);
";

const DEREF: &str = "
#[derive(derive_more::Deref)]
pub struct WrittenOut(String);
";

const SERIALIZE: &str = "
#[derive(serde::Serialize)]
pub struct WrittenOut { pub session: String }
";

/// What is compared with the first of its size. Three thousand tell whether the time grows evenly.
const SIZES: [(usize, &[(&str, &str)]); 2] = [
    (
        1000,
        &[
            ("written out", WRITTEN_OUT),
            ("`LogtoStorage` derived", DERIVED),
            ("written as `async fn`s", ASYNC_FNS),
            ("`thiserror`, transparent, and `Debug`", TRANSPARENT),
            ("`derive_more::Deref`", DEREF),
            ("`serde::Serialize`", SERIALIZE),
            ("an empty file", ""),
        ],
    ),
    (3000, &[("written out", WRITTEN_OUT), ("`LogtoStorage` derived", DERIVED), ("an empty file", "")]),
];

fn expansion(report: &mut Report) {
    let dependencies = format!(
        "logto-storage-core = {{ path = {:?}, features = ['derive'] }}\nthiserror = '2'\n\
         derive_more = {{ version = '2', features = ['deref'] }}\nserde = {{ version = '1', features = ['derive'] }}",
        workspace("storage-core")
    );
    let stable = Project::new(&dependencies, "");
    stable.cargo(&["check"], false);
    let nightly = Nightly::of(&dependencies);
    for (count, kinds) in SIZES {
        let files: Vec<_> = kinds.iter().map(|(_, one)| repeated(one, count)).collect();
        let files: Vec<_> = files.iter().collect();
        let times = rounds(runs(5), &files, |file| {
            stable.write_lib(file);
            timed(|| stable.cargo(&["check"], true)).seconds
        });
        let passes = nightly.as_ref().map(|nightly| rounds(runs(5), &files, |file| nightly.expansion_seconds(file)));
        let each = |timings: &[Timing], index: usize| {
            let beyond_nothing = timings[index].value.median - timings[kinds.len() - 1].value.median;
            format!("{:.0} µs", beyond_nothing.max(0.0) * 1e6 / count_as_float(count))
        };
        let rows: Vec<_> = (kinds.iter().enumerate())
            .map(|(index, (name, _))| {
                let expanding = passes.as_ref().map(|passes| each(passes, index));
                vec![
                    (*name).to_owned(),
                    seconds(times[index].value),
                    ratio(times[index].ratio),
                    each(&times, index),
                    expanding.unwrap_or_default(),
                ]
            })
            .collect();
        let head = ["", "`cargo check`, seconds", "ratio", "each", "expansion"];
        report.table(&format!("{count} structs"), &head, &rows);
    }
    match nightly {
        Some(nightly) => tokens(report, &nightly),
        None => report.line(
            "Neither the time of expanding nor tokens: both take a nightly toolchain (`rustup toolchain install nightly`).",
        ),
    }
}

fn tokens(report: &mut Report, nightly: &Nightly) {
    let all = [("written out", WRITTEN_OUT), ("derived", DERIVED), ("written as `async fn`s", ASYNC_FNS)];
    let count = |one: &str| nightly.expanded_tokens(&repeated(one, 2)) - nightly.expanded_tokens(&repeated(one, 1));
    let written_out = count(all[0].1);
    let row = |(name, one): (&str, &str)| {
        let tokens = count(one);
        vec![
            name.to_owned(),
            tokens.to_string(),
            format!("{:.2}", count_as_float(tokens) / count_as_float(written_out)),
        ]
    };
    report.table("Tokens of one struct and its impl, expanded", &["", "tokens", "ratio"], &all.map(row));
}

/// The struct, and its impl, that often.
fn repeated(one: &str, count: usize) -> String {
    let (head, item) = one.split_at(one.find("\npub struct").unwrap_or(0));
    let (head, attributes) = head.split_at(head.find("\n#[derive").unwrap_or(head.len()));
    let mut text = head.to_owned();
    for index in 0..count {
        text.push_str(&format!("{attributes}{item}").replace("WrittenOut", &format!("Storage{index}")));
    }
    text
}

struct Nightly {
    project: Project,
}

impl Nightly {
    /// `None` if there is no nightly toolchain.
    fn of(dependencies: &str) -> Option<Self> {
        let installed = Command::new("rustup").args(["run", "nightly", "rustc", "--version"]).output();
        installed.is_ok_and(|output| output.status.success()).then(|| {
            let project = Project::nightly(dependencies, "");
            project.cargo(&["check"], false);
            Self { project }
        })
    }

    /// The time in which the compiler expands the file's macros.
    fn expansion_seconds(&self, file: &str) -> f64 {
        let output = self.expand(file, &["-Ztime-passes"]);
        let said = String::from_utf8_lossy(&output.stderr);
        let pass = said.lines().find(|line| line.ends_with("macro_expand_crate")).expect("the pass");
        let seconds = pass.trim_start().trim_start_matches("time:").split(';').next().expect("a time");
        seconds.trim().parse().expect("seconds")
    }

    fn expanded_tokens(&self, file: &str) -> usize {
        let text = String::from_utf8(self.expand(file, &[]).stdout).expect("source code");
        count_tokens(text.parse().expect("tokens"))
    }

    fn expand(&self, file: &str, options: &[&str]) -> Output {
        self.project.write_lib(file);
        let expand = ["rustc", "--lib", "--profile", "check", "--", "-Zunpretty=expanded"];
        self.project.cargo(&[&expand, options].concat(), true)
    }
}

fn count_tokens(tokens: TokenStream) -> usize {
    let count = |token| match token {
        // Its two delimiters are tokens.
        TokenTree::Group(group) => 2 + count_tokens(group.stream()),
        _ => 1,
    };
    tokens.into_iter().map(count).sum()
}

// --- Times

fn rounds<T>(rounds: usize, candidates: &[&T], mut run: impl FnMut(&T) -> f64) -> Vec<Timing> {
    timing::rounds(rounds, candidates.len(), |index| run(candidates[index]))
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn count_as_float(count: usize) -> f64 {
    count as f64
}
