//! The second process: browsers that ask for one page over and over, each on a connection that it keeps.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};

/// Far longer than any page takes.
const LIMIT: Duration = Duration::from_secs(30);

#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct Job {
    pub(crate) port: u16,
    pub(crate) path: String,
    /// The request's header.
    pub(crate) cookie: String,
    pub(crate) connections: usize,
    /// It is over after so much time, or so many requests on each connection.
    pub(crate) seconds: f64,
    pub(crate) requests: usize,
}

#[derive(Deserialize, Serialize)]
pub(crate) struct Outcome {
    pub(crate) requests: usize,
    pub(crate) seconds: f64,
    /// In microseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// Of one page's body.
    pub(crate) bytes: usize,
}

/// Reads a job, and writes its outcome.
pub(crate) fn main() -> Result<()> {
    let outcome = run(&serde_json::from_reader(io::stdin())?)?;
    serde_json::to_writer(io::stdout(), &outcome)?;
    Ok(())
}

pub(crate) fn run(job: &Job) -> Result<Outcome> {
    let connections = (0..job.connections).map(|_| Connection::open(job)).collect::<Result<Vec<_>>>()?;
    let start = Instant::now();
    let browsers: Vec<_> = connections
        .into_iter()
        .map(|mut connection| {
            let (requests, end) = (job.requests, start + Duration::from_secs_f64(job.seconds));
            thread::spawn(move || connection.ask(requests, end))
        })
        .collect();
    let mut latencies = Vec::new();
    let mut bytes = None;
    for browser in browsers {
        let (own, page) = browser.join().ok().context("a thread of the generator")??;
        latencies.extend(own);
        ensure!(*bytes.get_or_insert(page) == page, "the pages are not the same");
    }
    let seconds = start.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let percentile = |percent: usize| latencies[(latencies.len() - 1) * percent / 100].as_secs_f64() * 1e6;
    let (p50, p99) = (percentile(50), percentile(99));
    Ok(Outcome { requests: latencies.len(), seconds, p50, p99, bytes: bytes.unwrap_or_default() })
}

struct Connection {
    stream: BufReader<TcpStream>,
    request: String,
    line: String,
    body: Vec<u8>,
}

impl Connection {
    fn open(job: &Job) -> Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, job.port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LIMIT))?;
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: localhost:{}\r\nAccept: text/html\r\nCookie: {}\r\n\r\n",
            job.path, job.port, job.cookie
        );
        Ok(Self { stream: BufReader::new(stream), request, line: String::new(), body: Vec::new() })
    }

    /// How long each page took, and how long all of them are.
    fn ask(&mut self, requests: usize, end: Instant) -> Result<(Vec<Duration>, usize)> {
        let mut latencies = Vec::new();
        let mut first = None;
        while latencies.is_empty() || latencies.len() < requests && Instant::now() < end {
            let start = Instant::now();
            let bytes = self.page()?;
            latencies.push(start.elapsed());
            ensure!(*first.get_or_insert(bytes) == bytes, "the page had {first:?} bytes, and has {bytes} now");
        }
        Ok((latencies, first.unwrap_or_default()))
    }

    /// The length of the page, which has to be one.
    fn page(&mut self) -> Result<usize> {
        self.stream.get_mut().write_all(self.request.as_bytes())?;
        let status = self.header()?;
        if !status.starts_with("HTTP/1.1 200 ") {
            bail!("the app answered {:?}", status.trim_end());
        }
        let mut length = None;
        loop {
            let header = self.header()?;
            if header == "\r\n" {
                break;
            }
            if let Some((name, value)) = header.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = Some(value.trim().parse()?);
            }
        }
        let length = length.context("the page has no Content-Length")?;
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body)?;
        Ok(length)
    }

    fn header(&mut self) -> Result<&str> {
        self.line.clear();
        self.stream.read_line(&mut self.line)?;
        ensure!(self.line.ends_with("\r\n"), "the app closed the connection");
        Ok(&self.line)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// A server that gives every connection these answers, one to a request.
    fn outcome(answers: &[&'static str], connections: usize, requests: usize) -> Result<Outcome> {
        let answers = answers.to_vec();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let answers = answers.clone();
                thread::spawn(move || {
                    let mut stream = BufReader::new(stream);
                    let mut line = String::new();
                    for answer in answers.iter().cycle() {
                        while line != "\r\n" {
                            line.clear();
                            if stream.read_line(&mut line).unwrap_or_default() == 0 {
                                return;
                            }
                        }
                        line.clear();
                        let _ = stream.get_mut().write_all(answer.as_bytes());
                    }
                });
            }
        });
        let job = Job { port, path: "/".into(), cookie: "id=1".into(), connections, seconds: 30.0, requests };
        run(&job)
    }

    #[test]
    fn every_connection_asks_as_often_as_it_is_told() {
        let page = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        let outcome = outcome(&[page], 3, 4).expect("an outcome");
        assert_eq!((outcome.requests, outcome.bytes), (12, 5));
        assert!(outcome.p50 <= outcome.p99 && outcome.p99 <= outcome.seconds * 1e6);
    }

    #[test]
    fn what_is_not_the_page_is_an_error_and_no_request_that_counts() {
        let page = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
        for other in [
            "HTTP/1.1 303 See Other\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nhell",
            "HTTP/1.1 200 OK\r\n\r\n",
        ] {
            assert!(outcome(&[page, other], 1, 2).is_err(), "{other}");
        }
    }
}
