//! What is common to the libraries that keep JSON values.

use serde_json::Value;

use crate::{Error, Operation, Result};

/// What a library has under the key, as the item that it is. Whatever is no string, a null too, is somebody else's.
#[inline]
pub(super) fn item(value: Option<Value>, key: &str) -> Result<Option<String>> {
    match value {
        None => Ok(None),
        Some(Value::String(value)) => Ok(Some(value)),
        Some(_) => Err(Error::not_a_string(key).during(Operation::Get)),
    }
}
