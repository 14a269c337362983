//! Redis commands past the app, over a connection of their own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use servers::Redis;

/// The answer to a command: a bulk's content, or else its first line, with its sign.
pub(crate) fn command(redis: &Redis, words: &[&[u8]]) -> Vec<u8> {
    let mut connection = BufReader::new(TcpStream::connect(("127.0.0.1", redis.port())).unwrap());
    let mut request = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        request.extend(format!("${}\r\n", word.len()).into_bytes());
        request.extend([word, b"\r\n".as_slice()].concat());
    }
    connection.get_mut().write_all(&request).unwrap();
    let mut line = String::new();
    connection.read_line(&mut line).unwrap();
    match line.trim_end().strip_prefix('$').map(str::parse) {
        Some(Ok(len)) => {
            let mut bulk = vec![0; len];
            connection.read_exact(&mut bulk).unwrap();
            bulk
        }
        _ => line.trim_end().into(),
    }
}

/// A command that Redis has to say OK to.
pub(crate) fn ok(redis: &Redis, words: &[&str]) {
    let words: Vec<_> = words.iter().map(|word| word.as_bytes()).collect();
    assert_eq!(String::from_utf8_lossy(&command(redis, &words)), "+OK");
}

/// A command that Redis answers with a number.
pub(crate) fn number(redis: &Redis, words: &[&str]) -> usize {
    let words: Vec<_> = words.iter().map(|word| word.as_bytes()).collect();
    let answer = String::from_utf8(command(redis, &words)).unwrap();
    answer.strip_prefix(':').and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{answer} is no number"))
}
