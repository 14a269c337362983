//! The apps: the sign-in example, the same pages with Logto's SDK for Express, one of tower-sessions alone, and the smallest
//! with `logto-client`.

use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use std::{env, fs, io};

use anyhow::{Context as _, Result, bail, ensure};
use dev_provider::DevProvider;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long an app may take to say where it listens.
const START: Duration = Duration::from_secs(30);

/// Linux counts a process's time in hundredths of a second, whatever the kernel's own clock does.
const TICKS_PER_SECOND: f64 = 100.0;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    SignIn,
    Express,
    Plain,
    SmallestVault,
    SmallestSessions,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SignIn => "`sign-in`",
            Self::Express => "Express",
            Self::Plain => "tower-sessions alone",
            Self::SmallestVault => "the vault and its cookie",
            Self::SmallestSessions => "tower-sessions",
        }
    }

    /// Where the provider sends users back to. Nobody listens there: whoever signs in knows where the app is.
    pub(crate) fn base_url(self) -> &'static str {
        match self {
            Self::SignIn => "http://sign-in.test",
            Self::Express => "http://express.test",
            Self::Plain => "http://plain.test",
            Self::SmallestVault => "http://vault.test",
            Self::SmallestSessions => "http://sessions.test",
        }
    }

    /// The page for signed-in users with the most of them on it.
    pub(crate) fn page(self) -> &'static str {
        match self {
            Self::SignIn | Self::Express => "/claims",
            Self::Plain => "/read",
            Self::SmallestVault | Self::SmallestSessions => "/page",
        }
    }
}

/// How to start them.
pub(crate) struct Programs {
    sign_in: PathBuf,
    node: PathBuf,
}

impl Programs {
    /// Builds the one, and looks for what the other needs.
    pub(crate) async fn find() -> Result<Self> {
        let node = node().await?;
        let installed = express().join("node_modules/@logto/express/package.json").is_file();
        ensure!(installed, "@logto/express is not installed: npm ci in tests/load/express");
        Ok(Self { sign_in: build_sign_in().await?, node })
    }

    /// The version of what Express runs on.
    pub(crate) async fn node_version(&self) -> Result<String> {
        version(&self.node).await
    }

    /// Starts an app that keeps its sessions in `store`, and asks the provider by way of `proxy`.
    pub(crate) async fn start(
        &self,
        kind: Kind,
        provider: &DevProvider,
        store: &str,
        proxy: Option<&str>,
    ) -> Result<App> {
        let mut command = match kind {
            Kind::SignIn => Command::new(&self.sign_in),
            Kind::Express => {
                let mut command = Command::new(&self.node);
                command.arg("app.mjs").current_dir(express()).env("NODE_ENV", "production");
                command
            }
            Kind::Plain => own("plain")?,
            Kind::SmallestVault => own("vault")?,
            Kind::SmallestSessions => own("sessions")?,
        };
        let config = provider.config();
        let resources: Vec<_> = config.resources.iter().map(|resource| &*resource.indicator).collect();
        let of_resources = config.resources.iter().flat_map(|resource| &resource.scopes);
        let of_organizations = config.organization_roles.iter().flat_map(|role| &role.scopes);
        let resource_scopes: Vec<_> = of_resources.chain(of_organizations).map(String::as_str).collect();
        // The sign-in example asks for these by itself.
        let scopes = [
            "email",
            "phone",
            "roles",
            "urn:logto:scope:organizations",
            "urn:logto:scope:organization_roles",
            &resource_scopes.join(" "),
        ];
        command
            // As Node has: with more threads than free cores it would be measured how they get in each other's way.
            .env("TOKIO_WORKER_THREADS", "1")
            .env("PORT", "0")
            .env("BASE_URL", kind.base_url())
            .env("SESSION_STORE", store)
            .env("STORE", store)
            .env("LOGTO_ENDPOINT", provider.endpoint())
            .env("LOGTO_APP_ID", &config.client_id)
            .env("LOGTO_APP_SECRET", config.client_secret.as_deref().unwrap_or_default())
            .env("LOGTO_RESOURCES", resources.join(" "))
            .env("LOGTO_RESOURCE_SCOPES", resource_scopes.join(" "))
            .env("LOGTO_SCOPES", scopes.join(" "));
        for variable in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"] {
            command.env_remove(variable);
        }
        if let Some(proxy) = proxy {
            command.env("HTTP_PROXY", proxy).env("NODE_USE_ENV_PROXY", "1");
        }
        App::start(kind, command).await
    }
}

/// A running app, killed when dropped.
pub(crate) struct App {
    pub(crate) kind: Kind,
    pub(crate) port: u16,
    pid: u32,
    _process: Child,
}

impl App {
    async fn start(kind: Kind, mut command: Command) -> Result<Self> {
        let mut log = tempfile::tempfile()?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log.try_clone()?).kill_on_drop(true);
        let mut process = command.spawn().with_context(|| format!("cannot start {}", kind.name()))?;
        let pid = process.id().context("it has ended already")?;
        let stdout = process.stdout.take().context("it is piped")?;
        let mut lines = BufReader::new(stdout).lines();
        let first = timeout(START, lines.next_line()).await.ok().transpose()?.flatten().unwrap_or_default();
        let Some(port) = first.strip_prefix("Listening on http://localhost:") else {
            log.rewind()?;
            bail!("{} did not start: {first}\n{}", kind.name(), io::read_to_string(log)?);
        };
        // What it goes on to say is read, so that it does not wait.
        tokio::spawn(async move { while lines.next_line().await.is_ok_and(|line| line.is_some()) {} });
        Ok(Self { kind, port: port.parse()?, pid, _process: process })
    }

    /// The time that it has kept processors busy, in seconds.
    pub(crate) fn cpu(&self) -> Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid))?;
        Ok(ticks(&stat).context("/proc/PID/stat")? / TICKS_PER_SECOND)
    }

    /// The memory that it holds, in bytes.
    pub(crate) fn resident(&self) -> Result<f64> {
        resident(&self.pid.to_string())
    }
}

/// `utime` and `stime`, the 14th and the 15th field. The second, in parentheses, may have anything in it.
fn ticks(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11).map(|field| field.parse::<f64>().ok());
    Some(times.next()?? + times.next()??)
}

/// The memory that a process holds, in bytes.
pub(crate) fn resident(process: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    kibibytes(&status, "VmRSS").context("/proc/PID/status has no VmRSS")
}

/// A field of one of /proc's files that is in KiB, in bytes.
pub(crate) fn kibibytes(file: &str, name: &str) -> Option<f64> {
    let line = file.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<f64>().ok()? * 1024.0)
}

/// This program, as one of the apps.
fn own(argument: &str) -> Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.arg(argument);
    Ok(command)
}

fn express() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("express")
}

/// The Node.js that npm has brought along, or else the system's if it is not too old.
async fn node() -> Result<PathBuf> {
    let own = express().join("node_modules/.bin/node");
    let node = if own.is_file() { own } else { "node".into() };
    let version = version(&node).await.context("there is no Node.js: npm ci in tests/load/express brings one")?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    ensure!(major >= Some(22), "Node.js {version} is too old for connect-redis: it takes 22");
    Ok(node)
}

async fn version(node: &Path) -> Result<String> {
    let output = Command::new(node).arg("--version").kill_on_drop(true).output().await?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Where the sign-in example's production build is, once it is built.
async fn build_sign_in() -> Result<PathBuf> {
    #[derive(Deserialize)]
    struct Message {
        executable: Option<PathBuf>,
    }
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["build", "--profile", "production", "-p", "sign-in", "--bin", "sign-in"])
        .args(["--message-format", "json-render-diagnostics"])
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await
        .context("cannot run cargo")?;
    io::stdout().flush()?;
    ensure!(output.status.success(), "the sign-in example does not compile");
    let messages = String::from_utf8(output.stdout)?;
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    messages.filter_map(|message| message.executable).next_back().context("cargo named no executable")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_user_and_system_time_whatever_the_programs_name() {
        let stat = "42 (a ) name 1 2) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 7 8 20 0 3 0 100 1000 10";
        assert_eq!(ticks(stat), Some(300.0));
        assert_eq!(ticks("42 (name) S 1"), None);
    }

    #[test]
    fn memory_is_read_in_bytes_and_by_its_whole_name() {
        let file = "VmRSSX:\t  1 kB\nVmRSS:\t   12 kB\nThreads:\t3\n";
        assert_eq!(kibibytes(file, "VmRSS"), Some(12288.0));
        assert_eq!(kibibytes(file, "Threads"), None);
        assert_eq!(kibibytes(file, "VmSwap"), None);
    }

    #[test]
    fn this_process_holds_memory() {
        assert!(resident("self").expect("a number") > 100_000.0);
    }
}
