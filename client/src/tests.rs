//! The client's parts by themselves. Packages of their own test the whole, against real and hostile providers.

#[cfg(feature = "axum")]
mod axum;
mod cache;
mod callback;
mod claims;
mod config;
mod error;
mod http;
mod id_token;
mod items;
mod keys;
mod pending;
mod pkce;
mod provider;
mod refresh;
mod send;
mod session;
mod sign_in;
mod storage;
mod token_endpoint;
mod ttl_map;
