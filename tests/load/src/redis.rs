//! What a Redis was asked.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};

use anyhow::{Context as _, Result, bail};
use servers::{Missing, Redis};
use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::prelude::{Builder, ClientLike as _, Config, Pool};

/// Where sessions are. What its disk costs is not asked here.
pub(crate) fn start() -> Result<Redis> {
    if let Err(Missing::Program(missing) | Missing::Choice(missing)) = Redis::available() {
        bail!(missing);
    }
    Ok(Redis::start(&["--appendonly", "no"]))
}

/// How the apps keep their sessions there.
pub(crate) async fn store(url: &str, connections: usize) -> Result<RedisStore<Pool>> {
    let pool = Builder::from_config(Config::from_url(url)?).build_pool(connections)?;
    pool.init().await?;
    Ok(RedisStore::new(pool))
}

/// How often it was told to do what, since it was last asked.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Commands {
    pub(crate) reads: usize,
    pub(crate) saves: usize,
    pub(crate) deletes: usize,
    pub(crate) others: usize,
}

impl Commands {
    pub(crate) fn take(redis: &Redis) -> Result<Self> {
        let commands = Self::parse(&ask(redis, "INFO commandstats")?)?;
        ask(redis, "CONFIG RESETSTAT")?;
        Ok(commands)
    }

    fn parse(stats: &str) -> Result<Self> {
        let mut commands = Self::default();
        // What a script calls is counted, too: an end of a record calls `HGET`, any other change of it `HMGET`, as reads do.
        // A script that the server does not know yet is sent twice: `EVALSHA` fails, and `EVAL` follows.
        let (mut scripts, mut ends) = (0, 0);
        for line in stats.lines().filter_map(|line| line.strip_prefix("cmdstat_")) {
            let (name, rest) = line.split_once(":calls=").context("a line of another form")?;
            let calls: usize = rest.split(',').next().unwrap_or_default().parse()?;
            match name {
                "get" | "hmget" | "hgetall" => commands.reads += calls,
                "set" => commands.saves += calls,
                "del" => commands.deletes += calls,
                "eval" => scripts += calls,
                "evalsha" => scripts += calls - failed_calls(rest)?,
                "hget" => ends = calls,
                // Of the connection, not of a session; and what scripts and reads call besides.
                "info" | "config|resetstat" | "ping" | "hello" | "auth" | "select" | "command" | "script|load"
                | "pttl" | "hdel" | "hkeys" | "hlen" | "hset" | "pexpire" => {}
                name if name.starts_with("client|") => {}
                _ => commands.others += calls,
            }
        }
        if scripts > 0 {
            commands.reads = commands.reads.checked_sub(scripts - ends).context("scripts that call something else")?;
            (commands.saves, commands.deletes) = (scripts - ends, ends);
        }
        Ok(commands)
    }
}

fn failed_calls(stats: &str) -> Result<usize> {
    let failed = stats.split(',').find_map(|stat| stat.strip_prefix("failed_calls="));
    Ok(failed.map_or(Ok(0), str::parse)?)
}

/// The memory that it uses, in bytes.
pub(crate) fn used_memory(redis: &Redis) -> Result<f64> {
    let info = ask(redis, "INFO memory")?;
    let used = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
    Ok(used.context("no used_memory")?.parse()?)
}

fn ask(redis: &Redis, command: &str) -> Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, redis.port()))?;
    stream.write_all(format!("{command}\r\n").as_bytes())?;
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let Some(len) = line.strip_prefix('$') else { return Ok(line) };
    let mut text = vec![0; len.trim().parse()?];
    stream.read_exact(&mut text)?;
    Ok(String::from_utf8(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_counted_by_what_they_do_to_a_session() {
        let stats = "# Commandstats\r\ncmdstat_get:calls=3,usec=10\r\ncmdstat_set:calls=2,usec=1\r\ncmdstat_del:calls=1,usec=1\r\n\
                     cmdstat_expire:calls=4,usec=1\r\ncmdstat_client|setname:calls=9,usec=1\r\ncmdstat_info:calls=1,usec=1\r\n";
        let commands = Commands { reads: 3, saves: 2, deletes: 1, others: 4 };
        assert_eq!(Commands::parse(stats).expect("commands"), commands);
        assert!(Commands::parse("cmdstat_get:what=1").is_err());
    }

    #[test]
    fn what_scripts_call_is_no_command_of_the_app() {
        let stats = "cmdstat_evalsha:calls=5,usec=1,failed_calls=1\r\ncmdstat_eval:calls=1,usec=1\r\ncmdstat_hmget:calls=7,usec=1\r\ncmdstat_hget:calls=1,usec=1\r\n\
                     cmdstat_hset:calls=5,usec=1\r\ncmdstat_del:calls=3,usec=1\r\ncmdstat_hgetall:calls=1,usec=1\r\n\
                     cmdstat_pttl:calls=8,usec=1\r\ncmdstat_pexpire:calls=5,usec=1\r\ncmdstat_hlen:calls=1,usec=1\r\n";
        let commands = Commands { reads: 4, saves: 4, deletes: 1, others: 0 };
        assert_eq!(Commands::parse(stats).expect("commands"), commands);
        assert!(Commands::parse("cmdstat_evalsha:calls=1,usec=1").is_err());
    }
}
