//! Claims as rows of a table, in readable form.

use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::StaticFormatDescription;
use time::macros::format_description;

const DATE: StaticFormatDescription = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");

/// Returns each claim's name and its value as text.
pub(crate) fn rows(claims: &impl Serialize) -> Vec<(String, String)> {
    let Ok(Value::Object(claims)) = serde_json::to_value(claims) else { return Vec::new() };
    claims.iter().map(|(name, value)| (name.clone(), readable(name, value))).collect()
}

/// `claim` is empty for values nested in a claim.
fn readable(claim: &str, value: &Value) -> String {
    match (claim, value) {
        ("scope", Value::String(scopes)) if scopes.is_empty() => "No permissions".to_owned(),
        ("exp" | "iat" | "nbf" | "auth_time", Value::Number(seconds)) => {
            date(seconds.as_i64(), 1_000_000_000).unwrap_or_else(|| seconds.to_string())
        }
        // Logto's own times are in milliseconds.
        ("created_at" | "updated_at", Value::Number(milliseconds)) => {
            date(milliseconds.as_i64(), 1_000_000).unwrap_or_else(|| milliseconds.to_string())
        }
        (_, Value::Null) => "none".to_owned(),
        (_, Value::Array(values)) if values.is_empty() => "none".to_owned(),
        (_, Value::Object(fields)) if fields.is_empty() => "none".to_owned(),
        (_, Value::String(text)) => text.clone(),
        (_, Value::Array(values)) => {
            let separator = if values.iter().any(Value::is_object) { "; " } else { ", " };
            values.iter().map(|value| readable("", value)).collect::<Vec<_>>().join(separator)
        }
        (_, Value::Object(fields)) => {
            let fields = fields.iter().map(|(name, value)| format!("{name}: {}", readable("", value)));
            fields.collect::<Vec<_>>().join(", ")
        }
        (_, other) => other.to_string(),
    }
}

fn date(time: Option<i64>, nanoseconds_per_unit: i128) -> Option<String> {
    let nanoseconds = i128::from(time?) * nanoseconds_per_unit;
    OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()?.format(DATE).ok()
}
