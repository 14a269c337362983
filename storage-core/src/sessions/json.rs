//! What is common to the libraries that keep JSON values.

use std::borrow::Cow;

use serde_json::Value;

use crate::{Error, Operation, Result};

/// What a library has under the key, as the item that it is. Whatever is no string, a null too, is somebody else's.
pub(super) fn item(value: Option<Value>, key: Cow<'_, str>) -> Result<Option<String>> {
    match value {
        None => Ok(None),
        Some(Value::String(value)) => Ok(Some(value)),
        Some(_) => Err(Error::not_a_string(key).during(Operation::Get)),
    }
}
