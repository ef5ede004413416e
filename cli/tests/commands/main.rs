//! Drives the real `entente` against a stand-in for the node.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod cases;
mod node;
mod partner;
mod start;
mod terminal;
mod transport;
