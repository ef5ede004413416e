//! Node.

pub mod network;
