//! What is promised under every library.

pub(crate) mod endings;
pub(crate) mod faults;
pub(crate) mod first_writes;
pub(crate) mod late;
pub(crate) mod sign_ins;
