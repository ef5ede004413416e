//! The local API over a real desk and a real store in a temporary directory.

#![expect(clippy::unwrap_used, reason = "the tests' helpers stand outside the functions that are marked as tests")]

mod agreements;
mod document;
mod imports;
mod life;
mod partners;
mod reports;
mod requests;
mod socket;
mod support;
