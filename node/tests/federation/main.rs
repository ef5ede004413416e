//! Whole nodes without their processes: real desks over real stores, joined by the real federation task over loopback.
//!
//! Nothing sleeps for a fixed time: each step waits for what it needs, with a deadline. `refusals` needs no network:
//! there a hostile party hands its entries to the desk itself.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod air_gap;
mod attacks;
mod catching_up;
mod departure;
mod full_disk;
mod hostile;
mod outsider;
mod refusals;
mod restored;
mod retention;
mod retraction;
mod sharing;
mod support;
mod wire;
