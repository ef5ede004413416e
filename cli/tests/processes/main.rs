//! Agencies whose nodes are processes, and what happens to such: they are killed, their networks fail, they come late.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod agency;
mod hosts;
mod internet;
mod interop;
mod kills;
mod late;
mod load;
