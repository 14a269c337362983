//! The parts by themselves. `tests/stores` tests all stores by one contract.

mod cookie;
mod memory;
mod seal;
mod simulation;
mod store;
mod test_store;
mod thread_bound;
mod ticket;
mod vaulted;
mod web;
