//! The client's parts by themselves. Packages of their own test the whole, against real and hostile providers.

mod access_tokens;
mod api;
mod authorize;
#[cfg(feature = "axum-0_8")]
mod axum;
mod cached;
mod callback;
mod claims;
mod comparing;
mod config;
mod debug;
mod error;
mod http;
mod id_token;
mod items;
mod jwks;
mod metadata;
mod pkce;
mod provider;
mod refresh;
mod send;
mod session;
mod sign_in_sessions;
mod single_flight;
mod storage;
mod token;
mod tokens;
#[cfg(feature = "tower-service-0_3")]
mod tower;
mod ttl_map;
#[cfg(feature = "vault")]
mod vault;
mod web_url;
