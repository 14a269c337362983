//! An identity provider: oidc-provider from npm, which Logto is built on, with Logto's settings.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Missing;
use crate::process::{Process, find};

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(30);

/// What a provider is started with.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OidcProviderOptions {
    /// What its paths begin with, such as `/base`: the issuer is `…/base/oidc` then.
    pub base_path: String,
    /// The apps that it knows.
    pub clients: Vec<OidcProviderClient>,
    /// What can be changed later.
    #[serde(flatten)]
    pub settings: OidcProviderSettings,
}

/// An app that a provider knows.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OidcProviderClient {
    /// Its id.
    pub id: String,
    /// Its secret, unless it is a public client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Where users may come back to after sign-in.
    pub redirect_uris: Vec<String>,
    /// Where users may come back to after sign-out.
    pub post_logout_redirect_uris: Vec<String>,
}

/// What a provider does from now on.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OidcProviderSettings {
    /// How long an access token lives.
    pub access_token_seconds: u32,
    /// How long a refresh token lives.
    pub refresh_token_seconds: u32,
    /// How long a refresh token works on after it was replaced.
    pub grace_seconds: u32,
    /// When a refresh token is replaced.
    pub rotation: Rotation,
    /// Whether the answers to refresh requests have no refresh token, which means that the old one is to be kept.
    pub omit_refresh_token: bool,
    /// Whether token responses, when they are ready, are held back until this is off again.
    pub hold_tokens: bool,
}

/// When a provider replaces a refresh token that is used.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Rotation {
    /// At every use.
    Always,
    /// At no use.
    Never,
    /// As Logto does: a public client's at every use, another's when 70 % of its life have passed.
    Logto,
}

/// As Logto has them.
impl Default for OidcProviderSettings {
    fn default() -> Self {
        Self {
            access_token_seconds: 3600,
            refresh_token_seconds: 14 * 24 * 3600,
            grace_seconds: 3,
            rotation: Rotation::Logto,
            omit_refresh_token: false,
            hold_tokens: false,
        }
    }
}

/// What a provider was asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OidcProviderRequest {
    /// What comes after the issuer.
    pub path: String,
    /// When, in milliseconds since 1970.
    pub arrived_ms: u64,
    /// The answer's status.
    pub status: u16,
    /// The answer's OAuth error.
    pub error: Option<String>,
    /// The form's `grant_type`.
    pub grant_type: Option<String>,
    /// A hash of the form's `code`.
    pub code: Option<String>,
    /// A hash of the form's `refresh_token`.
    pub refresh_token: Option<String>,
    /// `resource`, which is a list if there are several.
    pub resource: Option<Value>,
    /// The form's `organization_id`.
    pub organization: Option<String>,
}

/// A running provider, killed when dropped. Users have any name and no password; all are members of `org-1` to `org-6`.
pub struct OidcProvider {
    /// Killed before the pipes are closed: the program would end by itself then.
    _process: Process,
    pipes: Mutex<Pipes>,
    settings: Mutex<OidcProviderSettings>,
    endpoint: String,
}

struct Pipes {
    commands: ChildStdin,
    answers: Receiver<String>,
}

impl OidcProvider {
    /// Whether there is what it needs.
    ///
    /// # Errors
    ///
    /// What is missing.
    pub fn available() -> Result<(), Missing> {
        if !folder().join("node_modules/oidc-provider/package.json").is_file() {
            return Err(Missing::Program(
                "oidc-provider is not installed: npm ci in tests/servers/oidc-provider".into(),
            ));
        }
        node().map(drop).ok_or_else(|| Missing::Program("there is no Node.js 22 or newer for oidc-provider".into()))
    }

    /// Starts one, on a free port.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn start(options: OidcProviderOptions) -> Self {
        let mut command = Command::new(node().expect("Node.js"));
        command.current_dir(folder()).arg("provider.mjs").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Process::spawn(&mut command).expect("Node.js");
        let commands = process.child.stdin.take().expect("it is piped");
        let stdout = process.child.stdout.take().expect("it is piped");
        let (say, answers) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = say.send(line);
            }
        });
        let mut pipes = Pipes { commands, answers };
        let endpoint = pipes.ask(&serde_json::to_value(&options).expect("JSON"));
        Self { _process: process, pipes: Mutex::new(pipes), settings: Mutex::new(options.settings), endpoint }
    }

    /// Its URL, which is the issuer's without `/oidc`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Changes what it does from now on.
    ///
    /// # Panics
    ///
    /// If it does not answer.
    pub fn set(&self, change: impl FnOnce(&mut OidcProviderSettings)) {
        let mut settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut settings);
        self.ask(&json!({ "set": *settings }));
    }

    /// Waits until a token response is held back.
    ///
    /// # Panics
    ///
    /// If none is.
    pub fn wait_until_held(&self) {
        self.ask(&json!({ "get": "held" }));
    }

    /// All that it was asked, in the order of its answers.
    ///
    /// # Panics
    ///
    /// If it does not answer.
    pub fn requests(&self) -> Vec<OidcProviderRequest> {
        serde_json::from_str(&self.ask(&json!({ "get": "requests" }))).expect("requests")
    }

    /// The refresh tokens (their hashes) that were used again after the grace period, where each use replaces them
    /// ([`Rotation::Always`]). The provider takes that for theft, and ends the user's whole sign-in.
    ///
    /// # Panics
    ///
    /// If it does not answer.
    pub fn refresh_tokens_used_too_late(&self) -> Vec<String> {
        let grace = u64::from(self.settings.lock().unwrap_or_else(PoisonError::into_inner).grace_seconds) * 1000;
        let mut first_uses = HashMap::new();
        let mut late = Vec::new();
        let mut requests = self.requests();
        requests.sort_by_key(|request| request.arrived_ms);
        for request in requests.iter().filter(|request| request.path == "/token") {
            let Some(token) = &request.refresh_token else { continue };
            let first = *first_uses.entry(token).or_insert(request.arrived_ms);
            if request.arrived_ms - first > grace {
                late.push(token.clone());
            }
        }
        late
    }

    fn ask(&self, command: &Value) -> String {
        self.pipes.lock().unwrap_or_else(PoisonError::into_inner).ask(command)
    }
}

impl Pipes {
    fn ask(&mut self, command: &Value) -> String {
        writeln!(self.commands, "{command}").expect("oidc-provider listens");
        self.answers.recv_timeout(LIMIT).expect("oidc-provider answers")
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("oidc-provider")
}

/// The Node.js that npm has brought along, or else the system's if it is not too old.
fn node() -> Option<PathBuf> {
    static NODE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let system = || find("node", &[]).filter(|node| major_version(node).is_some_and(|version| version >= 22));
    let own = folder().join("node_modules/.bin/node");
    NODE.get_or_init(|| if own.is_file() { Some(own) } else { system() }).clone()
}

fn major_version(node: &Path) -> Option<u32> {
    let output = Command::new(node).arg("--version").output().ok()?;
    String::from_utf8(output.stdout).ok()?.strip_prefix('v')?.split('.').next()?.parse().ok()
}
