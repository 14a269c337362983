//! A table of entries that expire, keyed by random secrets.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

/// Bounds memory: at the limit, a new entry replaces the oldest one.
const CAPACITY: usize = 10_000;

pub(crate) struct Expiring<T> {
    lifetime: Duration,
    entries: HashMap<String, (Instant, T)>,
    /// The keys, oldest first. Some may have been removed from `entries`.
    keys: VecDeque<String>,
}

impl<T> Expiring<T> {
    pub(crate) fn new(lifetime: Duration) -> Self {
        Self { lifetime, entries: HashMap::new(), keys: VecDeque::new() }
    }

    /// Inserts the value under a random key and returns the key.
    pub(crate) fn insert(&mut self, value: T) -> String {
        while let Some(oldest) = self.keys.front() {
            if self.keys.len() < CAPACITY && self.get(oldest).is_some() {
                break;
            }
            self.entries.remove(oldest);
            self.keys.pop_front();
        }
        let key = random();
        self.entries.insert(key.clone(), (Instant::now(), value));
        self.keys.push_back(key.clone());
        key
    }

    pub(crate) fn get(&self, key: &str) -> Option<&T> {
        self.entries.get(key).filter(|(since, _)| since.elapsed() < self.lifetime).map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut T> {
        self.entries.get_mut(key).filter(|(since, _)| since.elapsed() < self.lifetime).map(|(_, value)| value)
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<T> {
        self.entries.remove(key).filter(|(since, _)| since.elapsed() < self.lifetime).map(|(_, value)| value)
    }

    pub(crate) fn lifetime(&self) -> Duration {
        self.lifetime
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.entries.values().map(|(_, value)| value)
    }
}

/// Returns 256 random bits, for tokens, codes and cookies.
pub(crate) fn random() -> String {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).expect("the operating system has random numbers");
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_found_by_its_key_until_its_time_is_over() {
        let mut lasting = Expiring::new(Duration::from_mins(1));
        let key = lasting.insert("value");
        assert_eq!(lasting.get(&key), Some(&"value"));
        assert_eq!(lasting.get(&random()), None);
        assert_eq!(lasting.remove(&key), Some("value"));
        assert_eq!(lasting.get(&key), None);

        let mut over = Expiring::new(Duration::ZERO);
        let key = over.insert("value");
        assert_eq!(over.get(&key), None);
        assert_eq!(over.get_mut(&key), None);
        assert_eq!(over.remove(&key), None);
    }

    #[test]
    fn what_has_expired_takes_no_room() {
        let mut table = Expiring::new(Duration::ZERO);
        for _ in 0..10 {
            table.insert(());
        }
        assert_eq!((table.entries.len(), table.keys.len()), (1, 1));
    }

    #[test]
    fn what_was_removed_takes_no_room() {
        let mut table = Expiring::new(Duration::from_mins(1));
        for _ in 0..10 {
            let key = table.insert(());
            table.remove(&key);
        }
        assert_eq!((table.entries.len(), table.keys.len()), (0, 1));
    }

    #[test]
    fn the_oldest_entry_makes_room() {
        let mut table = Expiring::new(Duration::from_mins(1));
        let keys: Vec<_> = (0..=CAPACITY).map(|number| table.insert(number)).collect();
        assert_eq!(table.entries.len(), CAPACITY);
        assert_eq!((table.get(&keys[0]), table.get(&keys[CAPACITY])), (None, Some(&CAPACITY)));
    }
}
