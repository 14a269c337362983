//! A connection to a Redis Cluster.
//!
//! The driver's own retries are off: after a lost connection they would send a script again that may have run, and return
//! the conflict that it has with itself. Only redirects are followed, which say that nothing has run.
//!
//! The driver's behaviour that this file relies on (redis 1.8, `cluster_handling/async_connection`):
//!
//! - Without retries, commands are sent once. A redirect is returned as an error, and after a `MOVED` the driver reads the
//!   slots again before it sends anything else. If it cannot read them, everything under way gets that error, so that no
//!   error but a redirect means that a command has not run.
//! - The commands of a pipeline are sent without others in between, so that `ASKING` applies to the command that follows it.
//! - Broken connections are replaced in the background, or when a command has found no connection.

use std::io;
use std::time::Duration;

use redis_1::cluster::ClusterClientBuilder;
use redis_1::cluster_async::ClusterConnection;
use redis_1::cluster_routing::SingleNodeRoutingInfo;
use redis_1::io::tcp::TcpSettings;
use redis_1::{
    ErrorKind, FromRedisValue, Pipeline, ProtocolVersion, RedisError, RedisResult, ServerErrorKind, Value,
    from_redis_value, pipe,
};
use tokio::time::{sleep, timeout};

use super::{CONNECTION_TIMEOUT, RESPONSE_TIMEOUT};

/// How long to wait before a redirect is followed. While a slot is moved, or a replica takes over, the nodes do not agree.
const REDIRECT_PAUSE: Duration = Duration::from_millis(20);

#[derive(Clone)]
pub(super) struct Cluster(ClusterConnection);

/// Sets the time-outs of a cluster's connections.
pub(super) fn with_defaults(builder: ClusterClientBuilder, tcp: TcpSettings) -> ClusterClientBuilder {
    builder
        .use_protocol(ProtocolVersion::RESP3)
        .tcp_settings(tcp)
        .connection_timeout(CONNECTION_TIMEOUT)
        .response_timeout(RESPONSE_TIMEOUT)
}

impl Cluster {
    pub(super) async fn connect(builder: ClusterClientBuilder) -> RedisResult<Self> {
        Ok(Self(builder.retries(0).build()?.get_async_connection().await?))
    }

    /// Sends commands for one key.
    pub(super) async fn query<T: FromRedisValue>(&self, commands: &Pipeline) -> RedisResult<T> {
        let response = timeout(RESPONSE_TIMEOUT, self.follow(commands)).await;
        response.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }

    /// Sends commands, and again to wherever they are redirected.
    async fn follow<T: FromRedisValue>(&self, commands: &Pipeline) -> RedisResult<T> {
        loop {
            let response = match commands.query_async(&mut self.0.clone()).await {
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::Ask) => {
                    self.ask(&error, commands).await
                }
                response => response,
            };
            match response {
                Err(error) if error.redirect_node().is_some() => sleep(REDIRECT_PAUSE).await,
                response => return response,
            }
        }
    }

    /// Sends commands to the node that a slot is being moved to.
    async fn ask<T: FromRedisValue>(&self, redirect: &RedisError, commands: &Pipeline) -> RedisResult<T> {
        let mut asking = pipe();
        for command in commands.cmd_iter() {
            asking.cmd("ASKING").add_command(command.clone());
        }
        let (count, node) = (asking.len(), address(redirect)?);
        let responses = self.0.clone().route_pipeline(asking, 0, count, node).await?;
        // Without those to `ASKING`.
        let responses = responses.into_iter().skip(1).step_by(2).collect();
        Ok(from_redis_value(Value::Array(responses).extract_error()?)?)
    }
}

/// The node that a redirect names.
fn address(redirect: &RedisError) -> RedisResult<SingleNodeRoutingInfo> {
    let address = redirect.redirect_node().and_then(|(address, _)| address.rsplit_once(':'));
    let address = address.and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)));
    let (host, port) = address.ok_or_else(|| redirect.clone())?;
    Ok(SingleNodeRoutingInfo::ByAddress { host, port })
}
