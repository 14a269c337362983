//! Shared by the libraries that keep JSON values.

use serde_json::Value;

use crate::{Error, Operation, Result};

/// Returns the value under `key` as an item. A value that is not a string, null included, is an error.
#[inline]
pub(super) fn item(value: Option<Value>, key: &str) -> Result<Option<String>> {
    match value {
        None => Ok(None),
        Some(Value::String(value)) => Ok(Some(value)),
        Some(_) => Err(Error::not_a_string(key).with_operation(Operation::Get)),
    }
}
