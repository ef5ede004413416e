//! The formats of others. Tables, lists, TagPacks, STIX bundles, MISP events and sanctions lists are read, row by row,
//! as drafts of reports; reports are written as STIX, MISP, tables and JSON.
//!
//! ```text
//!   bytes ──sniff──▶ format ──▶ rows: draft, place, what was repaired   or   place, value and reason of a refusal
//! ```
//!
//! In reading order: [`row`] (what a file is read as), [`columns`] (which column is which part of a report), `table`
//! (CSV and TSV), `list` (one a line), `json` (objects and texts), `tagpack`, `stix`, `misp`, `ofac`; [`open`] chooses
//! among them; [`report`] is what is written, by `stix::write`, `misp::write` and [`flat`].
//!
//! No network and no clock. Every byte is hostile: files that must be read whole are bounded, records of streamed ones
//! too, and what is refused is told with its place and reason, secrets excepted.

pub mod columns;
pub mod flat;
mod json;
mod list;
pub mod misp;
mod ofac;
mod open;
pub mod report;
pub mod row;
pub mod stix;
mod table;
mod tagpack;
mod text;

pub use open::{Format, Opened, Settings, open, open_directory};
