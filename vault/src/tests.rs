//! The parts by themselves.

mod memory;
mod seal;
mod thread_bound;
mod ticket;
