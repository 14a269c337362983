//! A server that speaks MongoDB's protocol.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::{env, fs};

use tempfile::TempDir;

use crate::Missing;
use crate::process::{Process, find, free_port};

/// A server that speaks MongoDB's protocol: the one at `MONGODB_URL` if that is set, else a copy of secantusdb (a
/// Python package) that writes every change to disk before it answers, so that what it has acknowledged outlives a
/// `kill -9`.
pub struct Mongodb {
    url: String,
    database: String,
    /// None if the server is another's.
    own: Option<Own>,
}

struct Own {
    process: Option<Process>,
    folder: TempDir,
    port: u16,
    replica_set: &'static str,
}

/// Removes expired documents once a second; MongoDB does so once a minute.
const SERVER: &str = "
import signal, sys
from secantus import SecantusDBServer

signal.signal(signal.SIGTERM, lambda *_: sys.exit())
with SecantusDBServer(
    port=int(sys.argv[1]),
    storage_path=sys.argv[2],
    replica_set_name=sys.argv[3] or None,
    sync_on_commit=True,
    ttl_sweep_seconds=1.0,
    enable_test_commands=False,
) as server:
    print(server.uri, flush=True)
    signal.pause()
";

impl Mongodb {
    /// Whether there is a server.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn available() -> Result<(), Missing> {
        if external().is_some() { Ok(()) } else { python().map(drop) }
    }

    /// Whether there is a server that can be killed.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn own_available() -> Result<(), Missing> {
        match external() {
            Some(_) => Err(Missing::Choice("the server at MONGODB_URL is not ours to kill".to_owned())),
            None => python().map(drop),
        }
    }

    /// Starts one, or takes the one at `MONGODB_URL`.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn start() -> Self {
        match external() {
            Some(url) => {
                let database = new_database();
                Self { url: with_database(&url, &database), database, own: None }
            }
            None => Self::start_own(""),
        }
    }

    /// Starts one that is the primary, and the only member, of a replica set: drivers may then send a write twice.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn start_replica_set() -> Self {
        Self::start_own("replicas")
    }

    fn start_own(replica_set: &'static str) -> Self {
        let database = new_database();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = free_port().expect("a free port");
        let url = format!("mongodb://127.0.0.1:{port}/{database}");
        let mut mongodb = Self { url, database, own: Some(Own { process: None, folder, port, replica_set }) };
        mongodb.restart();
        mongodb
    }

    /// Starts it again after [`kill`](Self::kill), on the same port and with what was on its disk.
    ///
    /// # Panics
    ///
    /// If it does not start, or is the one at `MONGODB_URL`.
    pub fn restart(&mut self) {
        let Own { process, folder, port, replica_set } = self.own.as_mut().expect("the server is ours");
        let data = folder.path().join("data");
        fs::create_dir_all(&data).expect("a folder for the data");
        let mut command = Command::new(python().expect("python"));
        command.args(["-c", SERVER, &port.to_string()]).arg(data).arg(replica_set).current_dir(folder.path());
        *process = Some(Process::start(&mut command, *port, &folder.path().join("log")).expect("secantusdb"));
    }

    /// Kills it, as a power cut would.
    ///
    /// # Panics
    ///
    /// If it is the one at `MONGODB_URL`.
    pub fn kill(&mut self) {
        self.own.as_mut().expect("the server is ours").process = None;
    }

    /// Keeps it from answering until it is [resumed](Self::resume), as a server that hangs; connections stay open.
    ///
    /// # Panics
    ///
    /// If it is not running, or is the one at `MONGODB_URL`.
    pub fn pause(&self) {
        self.process().pause();
    }

    /// Lets it go on after [`pause`](Self::pause).
    ///
    /// # Panics
    ///
    /// If it is not running, or is the one at `MONGODB_URL`.
    pub fn resume(&self) {
        self.process().resume();
    }

    fn process(&self) -> &Process {
        self.own.as_ref().and_then(|own| own.process.as_ref()).expect("a running server of ours")
    }

    /// Where it listens.
    ///
    /// # Panics
    ///
    /// If it is the one at `MONGODB_URL`.
    pub fn port(&self) -> u16 {
        self.own.as_ref().expect("the server is ours").port
    }

    /// Whether it ends with the test, and its data too. The one at `MONGODB_URL` stays.
    pub fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// Its URL, with a database that is this test's own.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The name of that database. A test drops it at its end if the server [stays](Self::is_own).
    pub fn database(&self) -> &str {
        &self.database
    }
}

fn new_database() -> String {
    format!("test-{:016x}", RandomState::new().hash_one(()))
}

fn external() -> Option<String> {
    env::var("MONGODB_URL").ok().filter(|url| !url.is_empty())
}

/// The URL, which names no database, with one.
fn with_database(url: &str, database: &str) -> String {
    let (hosts, options) = url.split_once('?').map_or((url, None), |(hosts, options)| (hosts, Some(options)));
    let hosts = hosts.strip_suffix('/').unwrap_or(hosts);
    assert_eq!(hosts.matches('/').count(), 2, "MONGODB_URL must not name a database: every test has its own");
    options.map_or_else(|| format!("{hosts}/{database}"), |options| format!("{hosts}/{database}?{options}"))
}

/// A Python that has secantusdb.
fn python() -> Result<PathBuf, Missing> {
    static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
    let python = PYTHON.get_or_init(|| {
        let python = env::var_os("SECANTUSDB_PYTHON").map(PathBuf::from).or_else(|| find("python3", &[]))?;
        let mut import = Command::new(&python);
        import.args(["-c", "from secantus import SecantusDBServer"]).stdout(Stdio::null()).stderr(Stdio::null());
        import.status().is_ok_and(|status| status.success()).then_some(python)
    });
    python.clone().ok_or_else(|| {
        Missing::Program("MONGODB_URL is not set, nor is there a Python with secantusdb (SECANTUSDB_PYTHON)".to_owned())
    })
}
