//! Chromium, for tests that need a browser.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::Missing;
use crate::process::{Process, find};

/// `ChromeDriver`, which starts a Chromium for each client's session. All of it ends when this is dropped.
pub struct Chromium {
    /// Dropped first: what it has started writes into the folder.
    _driver: Process,
    folder: TempDir,
    port: u16,
}

impl Chromium {
    /// Whether there are Chromium and `ChromeDriver`.
    ///
    /// # Errors
    ///
    /// What is missing.
    pub fn available() -> Result<(), Missing> {
        for program in ["chromium", "chromedriver"] {
            if find(program, &[]).is_none() {
                return Err(Missing::Program(format!("{program} is not installed")));
            }
        }
        Ok(())
    }

    /// Starts `ChromeDriver`.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let log = folder.path().join("log");
        let mut command = Command::new(find("chromedriver", &[]).expect("chromedriver"));
        command.arg("--port=0");
        // Else it leaves files behind in the user's folders.
        for variable in ["HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
            command.env(variable, folder.path());
        }
        let driver = Process::start_until(&mut command, &log, |_| port(&log).is_some()).expect("chromedriver");
        let port = port(&log).expect("its port");
        Self { _driver: driver, folder, port }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Chromium's program.
    ///
    /// # Panics
    ///
    /// If it is not there.
    pub fn program(&self) -> String {
        find("chromium", &[]).expect("chromium").display().to_string()
    }

    /// What Chromium is to be started with.
    pub fn arguments(&self) -> Vec<String> {
        let profile = format!("--user-data-dir={}", self.folder.path().join("profile").display());
        // As root, and in containers, there is neither a sandbox nor much of /dev/shm.
        let mut arguments = vec!["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"];
        // It fetches nothing of its own accord.
        arguments.extend(["--disable-background-networking", "--disable-component-update", "--no-first-run"]);
        arguments.into_iter().map(str::to_owned).chain([profile]).collect()
    }
}

/// As the log says.
fn port(log: &Path) -> Option<u16> {
    let log = fs::read_to_string(log).ok()?;
    log.split_once("started successfully on port ")?.1.split_once('.')?.0.parse().ok()
}

/// axe-core, from npm: a script that finds what keeps people from using a page.
pub struct Axe;

impl Axe {
    /// Whether it is there.
    ///
    /// # Errors
    ///
    /// That it is not.
    pub fn available() -> Result<(), Missing> {
        let missing = || Missing::Program("axe-core is not installed: npm ci in tests/servers/axe".to_owned());
        Self::path().is_file().then_some(()).ok_or_else(missing)
    }

    /// The script.
    ///
    /// # Panics
    ///
    /// If it is not there.
    pub fn script() -> String {
        fs::read_to_string(Self::path()).expect("axe-core")
    }

    fn path() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("axe/node_modules/axe-core/axe.min.js")
    }
}
