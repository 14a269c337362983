//! Storing what the provider has issued for a refresh token.

use std::collections::BTreeMap;
use std::sync::Arc;

use logto_storage_core::{Change, LogtoStorage, Seen};

use crate::claims::IdTokenClaims;
use crate::error::{Error, Result};
use crate::oidc::jwt::decode_claims;
use crate::session::grants::Grant;
use crate::session::items::{self, StoredAccessToken, StoredIdToken, set_or_remove};
use crate::session::lease::Lease;
use crate::session::{LogtoSession, write_refresh_token};
use crate::tokens::AccessToken;
use crate::util::now;

impl<S: LogtoStorage> LogtoSession<S> {
    /// Writes what the session lacks of what was issued, whichever request asked for it: this request's record may be older
    /// than another's, and is saved whole. Ends the lease in the same write.
    pub(super) async fn store_issued(
        &self,
        grant: &Arc<Grant>,
        sign_in: &str,
        lease: &mut Option<Lease>,
    ) -> Result<()> {
        // From the first read on: another write of the index meanwhile would be undone.
        let _writing = grant.lock_while_active().await?;
        let refresh_token = grant.refresh_token().ok_or(Error::NotAuthenticated)?;
        let (access_tokens, id_token) = {
            let state = grant.state();
            (state.access_tokens.clone(), state.id_token.clone())
        };
        loop {
            let seen_refresh_token = self.storage().get_item(items::REFRESH_TOKEN).await?;
            let seen_index = self.storage().get_item(items::ACCESS_TOKEN_MAP).await?;
            let stored = self.own_id_token().await?.map(|(stored, _)| stored);
            if stored.as_ref().and_then(|stored| stored.sign_in.as_deref()).is_some_and(|current| current != sign_in) {
                tracing::debug!("another sign-in has replaced that of the tokens");
                return Ok(());
            }
            let stored_refresh_token = self.stored_refresh_token().await?;
            if stored_refresh_token.as_ref().is_some_and(|token| !self.is_of(grant, token)) {
                tracing::debug!("another process has stored its exchange of the refresh token");
                return Ok(());
            }
            let is_new = stored_refresh_token.as_ref() != Some(&refresh_token);
            let refresh_token = is_new.then(|| write_refresh_token(refresh_token.clone()));
            let access_tokens = self.missing_items(&access_tokens, sign_in).await?;
            let id_token = newest(stored.as_ref().map(|stored| &*stored.token), id_token.clone())
                .map(|token| StoredIdToken { token, sign_in: Some(sign_in.to_owned()) })
                .filter(|id_token| stored.as_ref() != Some(id_token))
                .map(items::encode);

            let mut changes: Vec<_> =
                refresh_token.iter().map(|token| Change::set(items::REFRESH_TOKEN, token)).collect();
            changes.extend(access_tokens.iter().map(|(key, item)| set_or_remove(key, item.as_deref())));
            changes.extend(id_token.iter().map(|token| Change::set(items::ID_TOKEN, token)));
            // Not that of another request, which has taken over while the ID token was verified.
            let stored_lease = self.storage().get_item(items::REFRESH_LEASE).await?;
            let own_lease = stored_lease.filter(|stored| lease.as_ref().is_some_and(|own| own.is_stored_as(stored)));
            let mut seen = vec![
                Seen::new(items::REFRESH_TOKEN, seen_refresh_token.as_deref()),
                Seen::new(items::ACCESS_TOKEN_MAP, seen_index.as_deref()),
            ];
            if own_lease.is_some() {
                changes.push(Change::remove(items::REFRESH_LEASE));
                seen.push(Seen::new(items::REFRESH_LEASE, own_lease.as_deref()));
            }
            if changes.is_empty() || self.apply_if(&seen, &changes).await? {
                *lease = None;
                return Ok(());
            }
            self.storage().reload().await?;
        }
    }

    /// The access tokens' items to be set, and those to be removed because they have expired.
    async fn missing_items(
        &self,
        issued: &BTreeMap<String, AccessToken>,
        sign_in: &str,
    ) -> Result<Vec<(String, Option<String>)>> {
        let stored_index = self.access_token_index().await?;
        let (mut index, mut missing) = (stored_index.clone(), Vec::new());
        for (target, token) in issued {
            if !token.is_fresh(now()) {
                continue;
            }
            let stored = self.fresh_access_token(target, Some(sign_in)).await?;
            if let Some(stored) = stored.filter(|stored| stored.expires_at >= token.expires_at) {
                index.insert(target.clone(), stored.expires_at);
            } else {
                index.insert(target.clone(), token.expires_at);
                let item = items::encode(StoredAccessToken::new(token.clone(), sign_in.to_owned()));
                missing.push((items::access_token_key(target), Some(item)));
            }
        }
        let mut changes: Vec<_> = index.prune(now()).into_iter().map(|key| (key, None)).collect();
        if index != stored_index {
            changes.push((items::ACCESS_TOKEN_MAP.to_owned(), Some(items::encode(index))));
        }
        changes.extend(missing);
        Ok(changes)
    }
}

/// The ID token to keep. One that is issued in the same second as the stored one is the newer.
fn newest(stored: Option<&str>, issued: Option<String>) -> Option<String> {
    match (stored, issued) {
        (Some(stored), Some(issued)) if issued_at(&issued) < issued_at(stored) => Some(stored.to_owned()),
        (stored, issued) => issued.or(stored.map(str::to_owned)),
    }
}

fn issued_at(id_token: &str) -> Option<u64> {
    decode_claims(id_token).map(|claims: IdTokenClaims| claims.iat)
}
