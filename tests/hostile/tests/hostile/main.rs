//! What the client does with a provider, or a callback, that is broken, slow or malicious: which error it tells, that it
//! accepts nothing, does not hang, does not read for ever, and tells no secret. And how often it asks: what is not needed is
//! not sent.

mod app;
mod callback;
mod concurrency;
mod discovery;
mod id_token;
mod key_set;
mod late_saves;
mod logs;
mod refresh;
mod round_trips;
mod sign_out;
mod site;
mod store;
mod token;
mod user_info;
