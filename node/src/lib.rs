//! Node.

pub mod clock;
pub mod config;
pub mod desk;
pub mod federation;
pub mod init;
pub mod network;
pub mod store;
pub mod vault;
