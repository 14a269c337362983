//! A server's process, from its start to its end.

use std::env;
use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a server may take to answer.
const START: Duration = Duration::from_mins(1);

/// A running process, killed when dropped.
pub(crate) struct Process {
    pub(crate) child: Child,
    log: Option<Log>,
}

struct Log {
    path: PathBuf,
    /// Ends when nobody is left who could write into it: neither the process, nor any that it has started.
    writer: JoinHandle<io::Result<u64>>,
}

impl Process {
    pub(crate) fn spawn(command: &mut Command) -> io::Result<Self> {
        Ok(Self { child: command.spawn()?, log: None })
    }

    /// Starts the server, with its output in `log`, and waits until it takes connections on `port`.
    pub(crate) fn start(command: &mut Command, port: u16, log: &Path) -> io::Result<Self> {
        Self::start_until(command, log, |_| TcpStream::connect(address(port)).is_ok())
    }

    /// Starts the server, with its output in `log`, and waits until the process of that id is `ready`.
    pub(crate) fn start_until(command: &mut Command, log: &Path, ready: impl Fn(u32) -> bool) -> io::Result<Self> {
        let (mut output, writer) = io::pipe()?;
        let mut file = File::create(log)?;
        let mut process = Self::spawn(command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer))?;
        // It would keep the pipe open.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let writer = thread::spawn(move || io::copy(&mut output, &mut file));
        process.log = Some(Log { path: log.to_owned(), writer });

        let deadline = Instant::now() + START;
        while !ready(process.child.id()) {
            if process.child.try_wait()?.is_some() || Instant::now() > deadline {
                process.kill();
                let log = fs::read_to_string(log).unwrap_or_default();
                return Err(io::Error::new(ErrorKind::TimedOut, format!("the server did not start:\n{log}")));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(process)
    }

    /// Stops it, as a server that hangs; connections stay open. Its threads stop one after the other, and on a busy machine
    /// one of them may answer yet: waits for all of them. Whether they have is known where there is a `/proc`.
    pub(crate) fn pause(&self) {
        pause(&[self.child.id()]);
    }

    /// Lets it go on after [`pause`](Self::pause).
    pub(crate) fn resume(&self) {
        resume(&[self.child.id()]);
    }

    /// The processes that it has started, where there is a `/proc`.
    pub(crate) fn children(&self) -> Vec<u32> {
        let id = self.child.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        children.split_whitespace().filter_map(|child| child.parse().ok()).collect()
    }

    /// As `kill -9`, or a power cut: nothing is flushed, no client is told. Afterwards nobody is left.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(log) = self.log.take() {
            let _ = log.writer.join();
            if thread::panicking() {
                // Why a test has failed may be known to the server alone, and its folder goes with the test.
                eprintln!("the server's log:\n{}", fs::read_to_string(log.path).unwrap_or_default());
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Stops processes, each as [`Process::pause`] does.
pub(crate) fn pause(ids: &[u32]) {
    assert!(signal("STOP", ids), "cannot stop them");
    let deadline = Instant::now() + START;
    while !ids.iter().copied().all(has_stopped) {
        assert!(Instant::now() < deadline, "they do not stop");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Lets processes go on.
pub(crate) fn resume(ids: &[u32]) {
    assert!(signal("CONT", ids), "cannot resume them");
}

/// Returns whether all of them have got it.
pub(crate) fn signal(signal: &str, ids: &[u32]) -> bool {
    if ids.is_empty() {
        return true;
    }
    let mut kill = Command::new("sh");
    kill.args(["-c", r#"kill -s "$@""#, "sh", signal]).args(ids.iter().map(ToString::to_string));
    kill.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn has_stopped(id: u32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{id}/task")) else { return true };
    threads.flatten().all(|thread| {
        let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        // The state comes after the name, which is in parentheses and may have anything in it.
        stat.rsplit_once(") ").is_none_or(|(_, state)| state.starts_with('T'))
    })
}

pub(crate) fn address(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// A port that nobody listens on at the moment. It is none of those that systems give to clients (from 32768 on): while
/// the server is down, a client's connection could come to have its port.
pub(crate) fn free_port() -> io::Result<u16> {
    const PORTS: RangeInclusive<u16> = 10_240..=32_767;
    let start = usize::try_from(RandomState::new().hash_one(()) >> 32).unwrap_or_default() % PORTS.len();
    let free = |port: &u16| TcpListener::bind(address(*port)).is_ok();
    PORTS.cycle().skip(start).take(PORTS.len()).find(free).ok_or_else(|| ErrorKind::AddrInUse.into())
}

/// The program in one of the folders of `PATH`, or in one of `more`.
pub(crate) fn find(program: &str, more: &[PathBuf]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).chain(more.iter().cloned()).map(|folder| folder.join(program)).find(|file| file.is_file())
}
