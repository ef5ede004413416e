//! Entries: the elements of a log, and the ladder that each one climbs before anything in it is believed.

pub mod body;
pub mod header;
pub mod ladder;
pub mod opening;
pub mod publish;
pub mod refusal;
pub mod vouch;
