//! Building blocks that are independent of Logto and OpenID Connect.

pub(crate) mod cached;
pub(crate) mod http;
pub(crate) mod probe;
pub(crate) mod single_flight;
pub(crate) mod ttl_map;
pub(crate) mod web_url;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(crate) const A_DAY: Duration = Duration::from_secs(24 * 3600);

/// Returns the seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Returns the items, each once.
pub(crate) fn each_once<T: PartialEq>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut once = Vec::new();
    for item in items {
        if !once.contains(&item) {
            once.push(item);
        }
    }
    once
}
