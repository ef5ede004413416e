//! The store as its callers see it, on real files in a temporary directory.

mod answers;
mod compaction;
mod crash;
mod damage;
mod disk;
mod support;
