//! What an API does with the tokens that come in: one table of requests over every web framework, and tokens that the
//! development provider issues.

mod accepted;
mod dev_provider;
mod frameworks;
mod hostile;
mod keys;
mod metadata;
mod requests;
mod sessions;
mod tonic;
