//! State that the endpoints share.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use url::Url;

use crate::config::{Config, StartError};
use crate::expiring::Expiring;
use crate::grants::Grants;
use crate::keys::Keys;
use crate::session::Session;
use crate::sign_in::Interaction;
use crate::token::TokenRequest;
use crate::users::Users;

const SESSION_LIFETIME: Duration = Duration::from_hours(14 * 24);
const INTERACTION_LIFETIME: Duration = Duration::from_hours(1);
/// The maximum number of recorded token requests.
const RECORDED: usize = 1_000;

pub(crate) type Shared = Arc<Provider>;

pub(crate) struct Provider {
    pub(crate) config: Config,
    pub(crate) issuer: String,
    /// The issuer's path, below which all endpoints are.
    pub(crate) root: String,
    pub(crate) session_cookie: String,
    pub(crate) interaction_cookie: String,
    keys: RwLock<Keys>,
    tables: Mutex<Tables>,
}

/// Mutable state.
pub(crate) struct Tables {
    pub(crate) users: Users,
    /// Sessions, like interactions, are keyed by their cookie's value.
    pub(crate) sessions: Expiring<Session>,
    pub(crate) interactions: Expiring<Interaction>,
    pub(crate) grants: Grants,
    pub(crate) token_requests: VecDeque<TokenRequest>,
}

impl Provider {
    pub(crate) fn new(config: Config, endpoint: &Url, port: u16) -> Result<Self, StartError> {
        let tables = Tables {
            users: Users(config.users.clone()),
            sessions: Expiring::new(SESSION_LIFETIME),
            interactions: Expiring::new(INTERACTION_LIFETIME),
            grants: Grants::new(&config),
            token_requests: VecDeque::new(),
        };
        Ok(Self {
            issuer: format!("{}/oidc", config.endpoint),
            root: format!("{}/oidc", endpoint.path().trim_end_matches('/')),
            // Cookies ignore ports: under one name, providers on one host would sign each other's users out.
            session_cookie: format!("dev-provider-{port}"),
            interaction_cookie: format!("dev-provider-{port}-interaction"),
            keys: RwLock::new(Keys::generate(config.signing_algorithm)?),
            tables: Mutex::new(tables),
            config,
        })
    }

    pub(crate) fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn keys(&self) -> RwLockReadGuard<'_, Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn keys_mut(&self) -> RwLockWriteGuard<'_, Keys> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    pub(crate) fn record(&mut self, request: TokenRequest) {
        if self.token_requests.len() >= RECORDED {
            self.token_requests.pop_front();
        }
        self.token_requests.push_back(request);
    }
}
