//! What is done to a storage: the operations that Logto's SDK calls.

use std::hint::black_box;

use logto_storage_core::{Change, LogtoStorage};

use crate::at_once;

pub const KEYS: [&str; 4] =
    ["logto_id_token", "logto_refresh_token", "logto_access_token_map", "logto_sign_in_session"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    GetHit,
    GetMiss,
    Set,
    Remove,
    ApplyFour,
    RenewFour,
}

pub const ALL: [Operation; 6] = [
    Operation::GetHit,
    Operation::GetMiss,
    Operation::Set,
    Operation::Remove,
    Operation::ApplyFour,
    Operation::RenewFour,
];

impl Operation {
    pub fn title(self) -> &'static str {
        match self {
            Self::GetHit => "`get_item`, found",
            Self::GetMiss => "`get_item`, missing",
            Self::Set => "`set_item`",
            Self::Remove => "`remove_item`",
            Self::ApplyFour => "`apply` of 4",
            Self::RenewFour => "`renew` with 4",
        }
    }

    /// What [`run`] does.
    pub fn title_of_run(self) -> &'static str {
        if self == Self::Remove { "`set_item`, then `remove_item`" } else { self.title() }
    }

    /// How many keys it names.
    pub fn keys(self) -> u64 {
        if matches!(self, Self::ApplyFour | Self::RenewFour) { 4 } else { 1 }
    }
}

/// Values to write in turn: a session library may pass over a write that changes nothing.
pub struct Values([String; 2]);

impl Values {
    pub fn of(len: usize) -> Self {
        Self(["a", "b"].map(|letter| letter.repeat(len)))
    }

    /// The one that [`run`] has not written last, after an odd number of times.
    pub fn next(&self) -> &str {
        &self.0[0]
    }
}

/// A session that has what a signed-in user's has, each item of that length.
///
/// # Panics
///
/// If the storage fails.
pub fn signed_in<S: LogtoStorage>(storage: S, values: &Values) -> S {
    for key in &KEYS[..3] {
        at_once(storage.set_item(key, &values.0[0])).unwrap();
    }
    storage
}

/// Does it `times` times. An item to remove is put there first, every time.
///
/// # Panics
///
/// If the storage fails.
pub fn run<S: LogtoStorage + ?Sized>(operation: Operation, storage: &S, values: &Values, times: u64) {
    for turn in 0..times {
        let value = &values.0[usize::from(turn % 2 == 0)];
        if operation == Operation::Remove {
            at_once(storage.set_item(KEYS[0], value)).unwrap();
        }
        once(operation, storage, value);
    }
}

/// Does it once.
///
/// # Panics
///
/// If the storage fails.
pub fn once<S: LogtoStorage + ?Sized>(operation: Operation, storage: &S, value: &str) {
    let [first, second, third, fourth] = black_box(KEYS);
    let four =
        [Change::set(first, value), Change::set(second, value), Change::set(third, value), Change::remove(fourth)];
    match operation {
        Operation::GetHit => assert!(black_box(at_once(storage.get_item(first)).unwrap()).is_some()),
        Operation::GetMiss => assert!(black_box(at_once(storage.get_item(fourth)).unwrap()).is_none()),
        Operation::Set => at_once(storage.set_item(first, value)).unwrap(),
        Operation::Remove => at_once(storage.remove_item(first)).unwrap(),
        Operation::ApplyFour => at_once(storage.apply(&four)).unwrap(),
        Operation::RenewFour => at_once(storage.renew(&four)).unwrap(),
    }
}
