//! Catch-up: what guarantees delivery. One machine without input and output; the node's network and the simulator
//! drive the same code.
//!
//! ```text
//!             Input                                    Output
//!   network ──────────▶ ┌───────────────────────────┐ ────────▶ Send, Respond     to the network
//!   store   ──────────▶ │ hello ─▶ heads ─▶ entries │ ────────▶ Serve, Check      read the store
//!   clock   ──────────▶ │       └▶ feed  ─▶ objects │ ────────▶ Admit, Take       up the ladder, into the store
//!                       └───────────────────────────┘ ────────▶ WakeAt
//! ```
//!
//! Two sides say **hello** on connecting, when something new of their own was made, and every minute: per scope a
//! digest of where all logs stand, and the length of the feed. Where digests differ, **heads** are compared; where
//! the partner is ahead, **entries** are fetched in pages, each log from one partner at a time, all logs from all
//! partners that have them. The **feed** is the order in which the partner stored its stand-alone objects; what
//! lies behind our cursor is listed, and what is lacking is fetched. **Wraps** are asked for when a key is wanted.
//!
//! A *scope* is an agreement, also while it is only proposed, or [`CONTACT`]. Every request is answered to parties
//! of its scope only, and a refusal does not tell whether the scope exists.
//!
//! The machine believes nothing: what it passes to the driver is bytes that the ladder has yet to verify, and where
//! a log stands is only what the driver says. A partner that lies costs time, never truth: a page that does not
//! advance its log makes the machine ask another partner, and this one ever more rarely.
//!
//! **Deliberately absent**: gossip, which is the driver's; trees and range-based reconciliation, which would lose
//! the evidence of gaps and forks; any state that is not bounded by what we hold or by a constant in [`limits`].

mod answer;
mod ask;
mod heads;
mod io;
pub mod limits;
mod machine;
pub mod message;
mod peer;
mod serve;

pub use io::{
    Cursor, Failed, Guest, Input, Misbehaviour, ObjectBytes, Output, Own, PageOutcome, Plan, Position, RequestId,
    ScopeInfo, Snapshot, Ticket,
};
pub use machine::Machine;
pub use message::CONTACT;
