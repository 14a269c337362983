//! What the macro makes of an item, as tokens. Packages of their own test what those do once they are compiled.

mod messages;
mod random_items;
mod snapshots;
