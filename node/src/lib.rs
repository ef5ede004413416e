//! Node.

pub mod api;
pub mod clock;
pub mod config;
pub mod desk;
pub mod store;
pub mod vault;
