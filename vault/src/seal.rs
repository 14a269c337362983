//! Encryption of what the store holds.
//!
//! A field is `nonce (12) ‖ flag (1) ‖ ciphertext ‖ tag (16)`, sealed with AES-256-GCM. The additional data are `id ‖ field
//! name ‖ flag`, so that a field opens only in its record, under its name and with its flag. The nonce is random and also
//! serves as the field's version.
//!
//! Items are sealed with the record's data key. The guard field holds that key, sealed in turn with a key that is derived
//! from the ticket's secret and the application key.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::store::{GUARD, Id, Version, random};
use crate::ticket::Ticket;

/// Separates keys of this format from keys of a later one.
const INFO: &[u8] = b"logto-vault/1";

const REMOVED: u8 = 0;
const VALUE: u8 = 1;
const TAG_LEN: usize = 16;
const DATA_KEY_LEN: usize = 32;

/// Returns the name of the field that holds the item. No item key can collide with the guard's name.
pub(crate) fn field_name(item_key: &str) -> String {
    format!("i{}", URL_SAFE_NO_PAD.encode(item_key))
}

/// The content of a field.
#[cfg_attr(test, derive(Debug, PartialEq, Eq))]
pub(crate) enum Item {
    Value(Vec<u8>),
    /// The item was removed. The field stays, because its version does.
    Removed,
}

/// The key that a record's items are sealed with.
#[derive(Clone)]
pub(crate) struct DataKey([u8; DATA_KEY_LEN]);

impl DataKey {
    pub(crate) fn random() -> Self {
        Self(random())
    }

    /// Returns the field of an item, with a new version. `None` seals that the item was removed.
    pub(crate) fn seal(&self, id: &Id, name: &str, value: Option<&[u8]>) -> Vec<u8> {
        match value {
            Some(value) => seal(&self.key(), id, name, VALUE, value),
            None => seal(&self.key(), id, name, REMOVED, &[]),
        }
    }

    /// Opens a field, unless it was not sealed with this key, for this record and name.
    pub(crate) fn open(&self, id: &Id, name: &str, field: &[u8]) -> Option<Item> {
        let (flag, value) = open(&self.key(), id, name, field)?;
        match flag {
            VALUE => Some(Item::Value(value)),
            REMOVED if value.is_empty() => Some(Item::Removed),
            _ => None,
        }
    }

    fn key(&self) -> LessSafeKey {
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &self.0).expect("a key of this length"))
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(..)")
    }
}

/// The application's own keys, without which a ticket opens nothing. The first one seals, and all of them open.
///
/// Without any, the ticket alone opens its record. An empty key in the list stands for that as well.
#[derive(Clone, Default)]
pub(crate) struct ApplicationKeys(Vec<Vec<u8>>);

impl ApplicationKeys {
    pub(crate) fn new(keys: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Self {
        Self(keys.into_iter().map(Into::into).collect())
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let none = self.0.is_empty().then_some(&[][..]);
        none.into_iter().chain(self.0.iter().map(Vec::as_slice))
    }

    fn first(&self) -> &[u8] {
        self.iter().next().unwrap_or_default()
    }
}

impl fmt::Debug for ApplicationKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApplicationKeys({} keys)", self.0.len())
    }
}

/// The content of the guard field.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    pub(crate) data_key: DataKey,
    /// Whether the record holds more than pending sign-ins.
    pub(crate) is_signed_in: bool,
}

impl Guard {
    /// Returns the guard field, which the ticket opens together with one of the application's keys.
    pub(crate) fn seal(&self, ticket: &Ticket, keys: &ApplicationKeys) -> Vec<u8> {
        let mut content = self.data_key.0.to_vec();
        content.push(self.is_signed_in.into());
        seal(&guard_key(ticket, keys.first()), ticket.id(), GUARD, VALUE, &content)
    }

    /// Opens a guard field, unless it was not sealed for this ticket and one of these keys. Also returns whether it was sealed
    /// with the first of them.
    pub(crate) fn open(ticket: &Ticket, keys: &ApplicationKeys, field: &[u8]) -> Option<(Self, bool)> {
        let (index, content) = keys.iter().enumerate().find_map(|(index, key)| {
            match open(&guard_key(ticket, key), ticket.id(), GUARD, field)? {
                (VALUE, content) => Some((index, content)),
                _ => None,
            }
        })?;
        let (data_key, is_signed_in) = content.split_first_chunk()?;
        let is_signed_in = match is_signed_in {
            [0] => false,
            [1] => true,
            _ => return None,
        };
        Some((Self { data_key: DataKey(*data_key), is_signed_in }, index == 0))
    }
}

/// HKDF-SHA256, as in RFC 5869. The ticket's secret has a fixed length, so its end is unambiguous.
fn guard_key(ticket: &Ticket, application_key: &[u8]) -> LessSafeKey {
    let secret = Salt::new(HKDF_SHA256, ticket.id().as_bytes()).extract(&[ticket.secret(), application_key].concat());
    let key = secret.expand(&[INFO], &AES_256_GCM).expect("a key of this length");
    LessSafeKey::new(UnboundKey::from(key))
}

fn seal(key: &LessSafeKey, id: &Id, name: &str, flag: u8, content: &[u8]) -> Vec<u8> {
    let nonce: [u8; Version::LEN] = random();
    let mut field = Vec::with_capacity(nonce.len() + 1 + content.len() + TAG_LEN);
    field.extend(nonce);
    field.push(flag);
    field.extend(content);
    let content = &mut field[nonce.len() + 1..];
    let sealed =
        key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), additional(id, name, flag), content);
    // Cannot fail: the limit is 64 GiB.
    field.extend(sealed.expect("a content of this length").as_ref());
    field
}

fn open(key: &LessSafeKey, id: &Id, name: &str, field: &[u8]) -> Option<(u8, Vec<u8>)> {
    let (nonce, sealed) = field.split_first_chunk()?;
    let (&flag, sealed) = sealed.split_first()?;
    let mut content = sealed.to_vec();
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let len = key.open_in_place(nonce, additional(id, name, flag), &mut content).ok()?.len();
    content.truncate(len);
    Some((flag, content))
}

fn additional(id: &Id, name: &str, flag: u8) -> Aad<Vec<u8>> {
    Aad::from([id.as_bytes(), name.as_bytes(), &[flag]].concat())
}
