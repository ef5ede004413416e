//! Node.

pub mod clock;
pub mod config;
pub mod desk;
pub mod federation;
pub mod network;
pub mod store;
pub mod vault;
