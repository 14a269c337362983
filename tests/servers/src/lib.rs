//! Real servers for tests. Each test starts a copy of its own, on a free port and in a temporary folder, and the copy
//! ends with it. Where the program is not there a test is reported as ignored, with the reason; under `CI=true` it fails.
//!
//! All test packages share [`Browser`], an HTTP client that keeps cookies.

mod api_example;
mod app;
mod browser;
mod chromium;
mod example;
mod mongodb;
mod oidc_provider;
mod postgres;
mod process;
mod proxy;
mod redis;
mod redis_cluster;
mod runtime;
mod trials;

pub use api_example::ApiExample;
pub use app::{App, Visitor};
pub use browser::{Browser, Page, Request};
pub use chromium::{Axe, Chromium};
pub use example::{Example, Failing};
pub use mongodb::Mongodb;
pub use oidc_provider::{
    OidcProvider, OidcProviderClient, OidcProviderOptions, OidcProviderRequest, OidcProviderSettings, Rotation,
};
pub use postgres::Postgres;
pub use proxy::{NetworkFault, Proxy};
pub use redis::Redis;
pub use redis_cluster::RedisCluster;
pub use runtime::block_on;
pub use trials::{Trials, run};

/// Why a test cannot have its server.
#[derive(Clone, Debug)]
pub enum Missing {
    /// The program is not installed. Where everything is to be tested (`CI=true`), that is a failure.
    Program(String),
    /// The tests were told to use a server on which this one cannot run.
    Choice(String),
}
