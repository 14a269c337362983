//! An example's program, and those who visit it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use reqwest::Method;
use tempfile::NamedTempFile;

use crate::process::Process;
use crate::{Browser, Page, block_on};

/// How long anything may take that is over in a moment, unless it hangs.
const LIMIT: Duration = Duration::from_secs(30);

/// How long a program may take to say that its server is not there: its own limits, and something for a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(12);

/// A running app, killed when dropped.
pub struct App {
    process: Process,
    url: String,
    said: Mutex<Receiver<String>>,
    log: NamedTempFile,
}

impl App {
    /// Starts the program on a free port, with these variables, and waits until it says where it listens.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn start(program: &str, variables: &[(&str, &str)]) -> Self {
        let log = NamedTempFile::new().expect("a temporary file");
        let output = log.reopen().expect("the temporary file");
        let mut command = command(program, variables);
        let mut process = Process::spawn(command.stdout(Stdio::piped()).stderr(output)).expect(program);

        let stdout = process.child.stdout.take().expect("it is piped");
        let (say, said) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = say.send(line);
            }
        });
        let mut app = Self { process, url: String::new(), said: Mutex::new(said), log };
        let Some(line) = app.line() else {
            let state = app.process.child.try_wait();
            panic!("it does not say where it listens ({state:?}):\n{}", app.log());
        };
        let url = line.strip_prefix("Listening on ").filter(|url| url.starts_with("http://localhost:"));
        url.unwrap_or_else(|| panic!("its first line is {line:?}")).clone_into(&mut app.url);
        app
    }

    /// Starts a program that cannot start, and returns what it said at its end.
    fn failure_to_start(program: &str, variables: &[(&str, &str)]) -> Output {
        let mut command = command(program, variables);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect(program);
        let deadline = Instant::now() + LIMIT;
        while process.try_wait().expect(program).is_none() {
            if Instant::now() > deadline {
                let _ = process.kill();
                panic!("it does not end: {:?}", process.wait_with_output());
            }
            thread::sleep(Duration::from_millis(20));
        }
        process.wait_with_output().expect(program)
    }

    /// Starts a program that cannot start, and returns the one line that it says about that.
    ///
    /// # Panics
    ///
    /// If it says anything else, ends with another status than 1 or takes its time, or if the line has the password
    /// `hunter2`.
    pub fn refusal(program: &str, variables: &[(&str, &str)]) -> String {
        let start = Instant::now();
        let Output { status, stdout, stderr } = Self::failure_to_start(program, variables);
        let stderr = String::from_utf8(stderr).expect("text");
        // Without the log lines of what went well before.
        let line: String = stderr.split_inclusive('\n').filter(|line| !line.contains(" INFO ")).collect();
        assert_eq!((status.code(), &*stdout, line.lines().count()), (Some(1), &[][..], 1), "{line}");
        assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
        assert!(!stderr.contains("hunter2"), "{stderr}");
        line
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The next line of its standard output, which it has to write soon.
    fn line(&self) -> Option<String> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(LIMIT).ok()
    }

    /// The lines of its standard output from the one after the last up to the one with this text.
    ///
    /// # Panics
    ///
    /// If it does not write such a line.
    pub fn lines_until(&self, text: &str) -> Vec<String> {
        let mut lines = Vec::new();
        while !lines.last().is_some_and(|line: &String| line.contains(text)) {
            lines.push(self.line().unwrap_or_else(|| panic!("no {text:?} in {lines:#?}:\n{}", self.log())));
        }
        lines
    }

    /// What it has written to its standard error so far.
    ///
    /// # Panics
    ///
    /// If that cannot be read.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log.path()).expect("the app's log")
    }

    /// Kills it, as a power cut would.
    pub fn kill(&mut self) {
        self.process.kill();
    }
}

fn command(program: &str, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).env("PORT", "0").envs(variables.iter().copied());
    command
}

/// A visitor of the examples. They may go from one app to another, with the same cookies.
pub struct Visitor(Browser);

impl Visitor {
    /// With no cookie yet.
    #[expect(clippy::new_without_default, reason = "no two visitors are the same")]
    pub fn new() -> Self {
        Self(Browser::new())
    }

    /// Stores what stands for an id token, which has to work.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub fn sign_in(&self, app: &App, token: &str) {
        assert_eq!(self.put(app, token).status, 204, "{}", app.log());
    }

    /// What the page says, which has to be there.
    ///
    /// # Panics
    ///
    /// If it is not.
    pub fn page(&self, app: &App) -> String {
        let page = self.get(app);
        assert_eq!(page.status, 200, "{}", app.log());
        page.body
    }

    /// `GET /`
    pub fn get(&self, app: &App) -> Page {
        block_on(self.0.get(app.url()))
    }

    /// `PUT /`
    pub fn put(&self, app: &App, body: &str) -> Page {
        block_on(self.0.request(Method::PUT, app.url()).with(|request| request.body(body.to_owned())).load())
    }
}
