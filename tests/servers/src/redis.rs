//! redis-server, or valkey-server in its place.

use std::env;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::Missing;
use crate::process::{Process, address, find, free_port};

/// A Redis that writes every change to disk before it answers, so that what it has acknowledged outlives a `kill -9`.
pub struct Redis {
    program: PathBuf,
    process: Option<Process>,
    folder: TempDir,
    port: u16,
    options: Vec<String>,
}

impl Redis {
    /// Whether there is a redis-server.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn available() -> Result<(), Missing> {
        redis_server().map(drop)
    }

    /// Whether there is a valkey-server: the program that `VALKEY_SERVER` names, or one in `PATH`.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn valkey_available() -> Result<(), Missing> {
        valkey_server().map(drop)
    }

    /// Starts one, with more options such as `["--maxmemory", "2mb"]`.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn start(options: &[&str]) -> Self {
        Self::start_program(redis_server().expect("redis-server"), options)
    }

    /// Starts a Valkey instead.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn start_valkey(options: &[&str]) -> Self {
        Self::start_program(valkey_server().expect("valkey-server"), options)
    }

    fn start_program(program: PathBuf, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = free_port().expect("a free port");
        let options = options.iter().map(ToString::to_string).collect();
        let mut redis = Self { program, process: None, folder, port, options };
        redis.restart();
        redis
    }

    /// Starts it again after [`kill`](Self::kill), on the same port and with what was on its disk.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn restart(&mut self) {
        let mut command = Command::new(&self.program);
        command
            .current_dir(self.folder.path())
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--save", ""])
            .args(["--appendonly", "yes", "--appendfsync", "always"])
            .args(&self.options);
        let log = self.folder.path().join("log");
        // It takes connections before it has read what is on its disk.
        let process = Process::start_until(&mut command, &log, |_| answers(self.port).is_ok_and(|answers| answers));
        self.process = Some(process.expect("redis-server"));
    }

    /// Kills it, as a power cut would.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Keeps it from answering until it is [resumed](Self::resume), as a server that hangs; connections stay open.
    ///
    /// # Panics
    ///
    /// If it is not running.
    pub fn pause(&self) {
        self.process().pause();
    }

    /// Lets it go on after [`pause`](Self::pause).
    ///
    /// # Panics
    ///
    /// If it is not running.
    pub fn resume(&self) {
        self.process().resume();
    }

    fn process(&self) -> &Process {
        self.process.as_ref().expect("a running server")
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

fn redis_server() -> Result<PathBuf, Missing> {
    find("redis-server", &[]).ok_or_else(|| Missing::Program("redis-server is not installed".to_owned()))
}

fn valkey_server() -> Result<PathBuf, Missing> {
    let chosen = env::var_os("VALKEY_SERVER").filter(|path| !path.is_empty()).map(PathBuf::from);
    chosen
        .or_else(|| find("valkey-server", &[]))
        .ok_or_else(|| Missing::Program("valkey-server is not installed, nor does VALKEY_SERVER name one".to_owned()))
}

/// Whether it does more than to say that it is `-LOADING`.
fn answers(port: u16) -> io::Result<bool> {
    let mut connection = TcpStream::connect(address(port))?;
    connection.set_read_timeout(Some(Duration::from_secs(1)))?;
    connection.write_all(b"PING\r\n")?;
    let mut answer = [0; 5];
    connection.read_exact(&mut answer)?;
    Ok(&answer != b"-LOAD")
}
