//! The keys of `#[logto(…)]`, documented for editors.
//!
//! `#[derive(LogtoStorage)]` imports the item of each key that it finds, with the key's span, as `_`: an editor then
//! shows the item's documentation on the key. The items have no other use.

/// `#[logto(prefix = "tenant-a:")]` on the struct or enum puts a fixed prefix before every key, so that several storages
/// can share a session.
///
/// `#[logto(prefix)]` on a field makes that field's value the prefix, for one that is known only at run time. The field
/// can be of any type that implements `AsRef<str>`.
pub mod prefix {}

/// `#[logto(save = "deferred")]` on the struct or enum leaves saving to the web framework, at the end of the response.
///
/// The default is `save = "immediate"`: when a method returns `Ok`, the session's store has the change, if the session
/// library can save before the response ends. Renewals are immediate either way.
pub mod save {}

/// `#[logto(max_len = 65536)]` on the struct or enum refuses values of more than this many bytes of UTF-8 with
/// `ErrorKind::TooLarge`, before anything is written.
pub mod max_len {}

/// `#[logto(crate = "my_sdk::storage")]` on the struct or enum names the module that re-exports `LogtoStorage`,
/// `SessionHandle`, `Change`, `Changes`, `Seen`, `AllSeen`, `Result` and `attributes` of `logto-storage-core`.
///
/// Use it if `logto-storage-core` is not a dependency, or has another name.
pub mod krate {}

/// `#[logto(session)]` on a field marks the one that holds the session. It is required only if there are several fields.
pub mod session {}
