//! OpenID Connect and OAuth 2.0: messages, verification and requests. Independent of sessions and storages.

pub(crate) mod access_token;
pub(crate) mod authorize;
pub(crate) mod callback;
pub(crate) mod end_session;
pub(crate) mod id_token;
pub(crate) mod jwks;
pub(crate) mod jwt;
pub(crate) mod metadata;
pub(crate) mod pkce;
pub(crate) mod token;
pub(crate) mod user_info;
