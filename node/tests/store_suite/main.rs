//! The store as its callers see it, on real files in a temporary directory.
#![expect(clippy::unwrap_used, reason = "helpers of tests panic like tests")]

mod answers;
mod compaction;
mod crash;
mod damage;
mod disk;
mod power;
mod support;
