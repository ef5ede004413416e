//! How objects become bytes: canonical CBOR inside COSE signatures.

pub mod attest;
pub mod codec;
pub mod object;
