//! The vaults, if the items of a site are in one.

use std::sync::{Mutex, PoisonError};

use logto_vault::{BoxVault, MemoryVault, RedisVault, Vault};
use servers::Redis;
use tokio::runtime::Handle;

/// Where a site keeps the items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Items {
    Session,
    MemoryVault,
    RedisVault,
}

/// The same place, as the processes of a site open it.
pub(crate) enum Vaults {
    None,
    /// One for all: cases of a single process, too, look at the records through another one.
    Memory(MemoryVault),
    Redis,
}

impl Vaults {
    pub(crate) fn new(items: Items) -> Self {
        match items {
            Items::Session => Self::None,
            Items::MemoryVault => Self::Memory(MemoryVault::default()),
            Items::RedisVault => Self::Redis,
        }
    }

    /// In a process of the site. The runtime serves its connection, if there is one.
    pub(crate) fn open(&self, runtime: &Handle) -> Option<Vault<BoxVault>> {
        let store = match self {
            Self::None => return None,
            Self::Memory(store) => BoxVault::new(store.clone()),
            Self::Redis => BoxVault::new(runtime.block_on(RedisVault::connect(&redis_url())).expect("a Redis")),
        };
        Some(Vault::new(store))
    }
}

/// One for all tests, whose records have random ids.
static REDIS: Mutex<Option<Redis>> = Mutex::new(None);

fn redis_url() -> String {
    REDIS.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| Redis::start(&[])).url()
}

/// Stops the Redis, which would outlive the tests.
pub(crate) fn stop_redis() {
    REDIS.lock().unwrap_or_else(PoisonError::into_inner).take();
}
