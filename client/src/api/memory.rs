//! The memory of verified tokens.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use aws_lc_rs::digest::{self, SHA256};

use crate::api::VerifiedToken;
use crate::oidc::access_token::Signer;
use crate::oidc::jwks::JwkSet;

/// How many parts the memory has, each with a lock of its own.
const SHARDS: usize = 16;

/// How often the entries that have ended are removed, in seconds.
const SWEEP_INTERVAL: u64 = 60;

/// The SHA-256 digest of a token.
pub(super) type Digest = [u8; 32];

/// Verified tokens by their digest: no token is kept. A lock is held for a look-up, never for a verification.
///
/// A token that is not valid never enters, so only holders of valid tokens can fill the memory. When a part is full, the
/// sixteenth that expires first makes room.
pub(super) struct Memory {
    shards: [RwLock<Shard>; SHARDS],
    /// The maximum number of entries per shard.
    capacity: usize,
}

#[derive(Default)]
struct Shard {
    entries: HashMap<Digest, Entry>,
    /// When the entries that had ended were last removed, in seconds since 1970.
    last_sweep: u64,
}

pub(super) struct Entry {
    pub(super) token: VerifiedToken,
    /// `None` for an opaque token.
    pub(super) signer: Option<Signer>,
    /// When the token is valid and the entry is young enough, in seconds since 1970.
    pub(super) valid: Range<u64>,
}

impl Memory {
    pub(super) fn new(max_tokens: usize) -> Self {
        Self { shards: Default::default(), capacity: max_tokens.div_ceil(SHARDS) }
    }

    /// Returns the token, if its entry has not ended, and its key is in the set.
    pub(super) fn get(&self, digest: &Digest, keys: Option<&JwkSet>, now: u64) -> Option<VerifiedToken> {
        let shard = self.shard(digest);
        {
            let shard = read(shard);
            let entry = shard.entries.get(digest)?;
            if entry.is_current(keys, now) {
                return Some(entry.token.clone());
            }
        }
        let entries = &mut write(shard).entries;
        // Another request may have verified it again.
        if entries.get(digest).is_some_and(|entry| !entry.is_current(keys, now)) {
            entries.remove(digest);
        }
        None
    }

    pub(super) fn insert(&self, digest: Digest, entry: Entry, now: u64) {
        if self.capacity == 0 {
            return;
        }
        let mut shard = write(self.shard(&digest));
        shard.make_room(self.capacity, now);
        shard.entries.insert(digest, entry);
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| read(shard).entries.len()).sum()
    }

    fn shard(&self, digest: &Digest) -> &RwLock<Shard> {
        &self.shards[usize::from(digest[0]) % SHARDS]
    }
}

impl Entry {
    fn is_current(&self, keys: Option<&JwkSet>, now: u64) -> bool {
        let has_key = |(key, algorithm): &Signer| keys.is_some_and(|keys| keys.contains(key, *algorithm));
        self.valid.contains(&now) && self.signer.as_ref().is_none_or(has_key)
    }
}

impl Shard {
    fn make_room(&mut self, capacity: usize, now: u64) {
        let entries = &mut self.entries;
        if entries.len() >= capacity || now.saturating_sub(self.last_sweep) >= SWEEP_INTERVAL {
            entries.retain(|_, entry| now < entry.valid.end);
            self.last_sweep = now;
        }
        if entries.len() < capacity {
            return;
        }
        let mut ends: Vec<_> = entries.iter().map(|(digest, entry)| (entry.valid.end, *digest)).collect();
        let surplus = ends.len() - capacity + capacity.div_ceil(16);
        ends.select_nth_unstable(surplus - 1);
        for (_, digest) in &ends[..surplus] {
            entries.remove(digest);
        }
    }
}

pub(super) fn digest(token: &str) -> Digest {
    let digest = digest::digest(&SHA256, token.as_bytes());
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest.as_ref());
    bytes
}

fn read(shard: &RwLock<Shard>) -> RwLockReadGuard<'_, Shard> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(shard: &RwLock<Shard>) -> RwLockWriteGuard<'_, Shard> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}
