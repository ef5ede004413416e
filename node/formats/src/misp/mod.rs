//! MISP: events, lists of events and feeds are read as rows, and reports are written as events.
//!
//! A row is made of every attribute that names an indicator, on its own or in an object. Tags for TLP, PAP and the
//! Admiralty scale, of the attribute or else of its event, are read as what they are; all others are kept as terms.

mod read;
mod write;

pub(crate) use read::read;
pub use write::event;

/// How our own tags begin.
pub(crate) const OURS: &str = "entente:";

/// MISP's object of a wallet: name, template, version.
pub(crate) const COIN_ADDRESS: (&str, &str, &str) = ("coin-address", "d0e6997e-78da-4815-a6a1-cfc1c1cb8a46", "7");
