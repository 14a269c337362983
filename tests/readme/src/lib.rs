//! The code of the README and of the guides, compiled and run: here as doc tests, and that of docs/FROM-GO.md, which is one
//! program, by `tests/from_go.rs`.

#[doc = include_str!("../../../README.md")]
pub mod readme {}

#[doc = include_str!("../../../docs/API.md")]
pub mod api {}

#[doc = include_str!("../../../docs/STORAGE.md")]
pub mod storage {}

#[doc = include_str!("../../../docs/VAULT.md")]
pub mod vault {}
