//! Postgres.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::Missing;
use crate::process::{self, Process, find, free_port};

/// A Postgres, as it is by default: what it has acknowledged outlives a `kill -9`.
pub struct Postgres {
    process: Option<Process>,
    folder: TempDir,
    account: Option<Account>,
    port: u16,
}

impl Postgres {
    /// Whether there is a Postgres.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn available() -> Result<(), Missing> {
        program("initdb").map(drop).ok_or_else(|| Missing::Program("Postgres is not installed".to_owned()))
    }

    /// Starts one, whose user `postgres` needs no password.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = free_port().expect("a free port");
        let account = Account::to_borrow(folder.path());
        let mut postgres = Self { process: None, folder, account, port };
        let mut initdb = postgres.command("initdb").expect("initdb");
        initdb.args(["--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync"]);
        let output = initdb.output().expect("initdb");
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        postgres.restart();
        postgres
    }

    /// Starts it again after [`kill`](Self::kill), on the same port and with what was on its disk.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn restart(&mut self) {
        let mut command = self.command("postgres").expect("postgres");
        let port = format!("port={}", self.port);
        // No sockets but TCP's, and no shared memory that stays when nobody is left to remove it.
        let settings =
            [&port, "listen_addresses=127.0.0.1", "unix_socket_directories=", "dynamic_shared_memory_type=mmap"];
        command.args(settings.into_iter().flat_map(|setting| ["-c", setting]));
        let log = self.folder.path().join("log");
        // It takes connections before it takes queries.
        let ready = |id: u32| {
            let id = id.to_string();
            self.status(0).is_some_and(|owner| owner == id) && self.status(7).is_some_and(|state| state == "ready")
        };
        let process = Process::start_until(&mut command, &log, ready);
        self.process = Some(process.expect("postgres"));
    }

    /// Kills it, as a power cut would: also the processes that serve its connections.
    pub fn kill(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        let children = process.children();
        let _ = process.child.kill();
        // Some may have ended by themselves.
        process::signal("KILL", &children);
        process.kill();
        // A few bytes of memory by which it knows that it is running: a power cut would take them along.
        if let Some((_key, memory)) = self.status(6).as_deref().and_then(|memory| memory.split_once(' ')) {
            let _ = Command::new("ipcrm").args(["-m", memory.trim()]).status();
        }
    }

    /// Keeps it from answering until it is [resumed](Self::resume), as a server that hangs; connections stay open.
    ///
    /// # Panics
    ///
    /// If it is not running.
    pub fn pause(&self) {
        // It starts a process for each connection: no more of them, then those that there are.
        self.process().pause();
        process::pause(&self.process().children());
    }

    /// Lets it go on after [`pause`](Self::pause).
    ///
    /// # Panics
    ///
    /// If it is not running.
    pub fn resume(&self) {
        process::resume(&self.process().children());
        self.process().resume();
    }

    fn process(&self) -> &Process {
        self.process.as_ref().expect("a running server")
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A program of Postgres's, for this server's data.
    fn command(&self, name: &str) -> Option<Command> {
        let mut command = Command::new(program(name)?);
        command.current_dir(self.folder.path()).arg("-D").arg(self.data());
        if let Some(account) = &self.account {
            account.lend(&mut command);
        }
        Some(command)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A line of what a running server tells `pg_ctl`, counted from 0.
    fn status(&self, line: usize) -> Option<String> {
        let status = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        status.lines().nth(line).map(|line| line.trim().to_owned())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Debian has the programs of all versions side by side, and none of them on `PATH`.
fn program(name: &str) -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let number = |folder: &PathBuf| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let mut versions: Vec<_> = versions.map(|version| version.path()).collect();
    versions.sort_by_key(|folder| std::cmp::Reverse(number(folder)));
    let folders: Vec<_> = versions.iter().map(|folder| folder.join("bin")).collect();
    find(name, &folders)
}

/// Postgres refuses to run as root: root lends it another account.
struct Account {
    user: u32,
    group: u32,
}

#[cfg(unix)]
impl Account {
    /// One for whom there is need if the folder is root's; the folder is theirs then.
    fn to_borrow(folder: &Path) -> Option<Self> {
        use std::os::unix::fs::{MetadataExt, chown};

        if folder.metadata().ok()?.uid() != 0 {
            return None;
        }
        let accounts = fs::read_to_string("/etc/passwd").ok()?;
        let account = Self::named("postgres", &accounts).or_else(|| Self::named("nobody", &accounts))?;
        chown(folder, Some(account.user), Some(account.group)).ok()?;
        Some(account)
    }

    fn named(name: &str, accounts: &str) -> Option<Self> {
        let account = accounts.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        let (_password, numbers) = account.split_once(':')?;
        let mut numbers = numbers.split(':').map(str::parse);
        Some(Self { user: numbers.next()?.ok()?, group: numbers.next()?.ok()? })
    }

    fn lend(&self, command: &mut Command) {
        use std::os::unix::process::CommandExt;

        command.uid(self.user).gid(self.group);
    }
}

#[cfg(not(unix))]
impl Account {
    fn to_borrow(_: &Path) -> Option<Self> {
        None
    }

    fn lend(&self, _: &mut Command) {}
}
