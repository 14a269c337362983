//! The provider as an app and its users meet it: over HTTP.

mod app;
mod authorize;
mod discovery;
mod embed;
mod end_session;
mod introspection;
mod keys;
mod machine;
mod permissions;
mod program;
mod refresh;
mod revocation;
mod session;
mod sign_in_page;
mod start;
mod token;
mod userinfo;
