//! How objects become bytes: canonical CBOR inside COSE signatures.

pub mod codec;
pub mod object;
