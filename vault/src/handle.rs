//! The session handle over a vault.

use std::borrow::Cow;

use logto_storage_core::{AllSeen, Changes, Operation, Result, SessionHandle};

use crate::seal::field_name;
use crate::store::VaultStore;
use crate::vaulted::{State, Vaulted};
use crate::write::Write;

/// Every page asks for the ID token, and then for the refresh token. They are read at once.
const ID_TOKEN: &str = "logto_id_token";
const REFRESH_TOKEN: &str = "logto_refresh_token";

impl<H: SessionHandle + Sync, S: VaultStore> SessionHandle for Vaulted<H, S> {
    async fn read(&self, key: Cow<'_, str>) -> Result<Option<String>> {
        let mut seen = self.seen.lock().await;
        let mut names = vec![field_name(&key)];
        if let Some(prefix) = key.strip_suffix(ID_TOKEN) {
            names.push(field_name(&[prefix, REFRESH_TOKEN].concat()));
        }
        let ensured = self.ensure(&mut seen, Some(&names)).await;
        ensured.map_err(|error| error.with_operation(Operation::Get).with_key(&*key))?;
        seen.has_read = true;
        match &seen.record {
            State::Open(record) => Ok(record.item(&names[0]).and_then(|item| item.value.clone())),
            State::Missing if seen.ticket.is_none() => self.session.read(key).await,
            State::Missing | State::Unread => Ok(None),
        }
    }

    async fn write<'a>(&'a self, changes: Changes<'a>) -> Result<()> {
        self.change(Write::new(None, changes)).await
    }

    async fn write_if<'a>(&'a self, seen: AllSeen<'a>, changes: Changes<'a>) -> Result<()> {
        self.change(Write::new(Some(seen), changes)).await
    }

    fn check_renewal(&self) -> Result<()> {
        self.session.check_renewal()
    }

    async fn reload(&self) -> Result<bool> {
        let mut seen = self.seen.lock().await;
        self.tickets(&mut seen).await?;
        let is_read = seen.ticket.is_some() || self.session.reload().await?;
        seen.record = State::Unread;
        Ok(is_read)
    }
}
