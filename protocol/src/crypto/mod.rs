//! Keys, signatures, sealing, proofs: everything in the protocol that is cryptography, and nothing else.
//!
//! | module | what | built on |
//! |---|---|---|
//! | [`sign`](mod@sign) | signed objects: `COSE_Sign1` with `Ed25519` | RFC 9052, RFC 9596, RFC 8032 |
//! | [`merkle`] | a batch's root, and one statement's proof | RFC 9162 |
//! | [`content_key`] | bodies: an age file under one key shared by an agreement's parties | age v1, HKDF, ChaCha20-Poly1305 |
//! | [`wrap`](mod@wrap) | content keys for one recipient, post-quantum | age v1 `mlkem768x25519` (X-Wing, HPKE) |
//! | [`keyfile`] | keys at rest under a passphrase | age v1 `scrypt` |
//! | [`pack`] | compression and padding, before sealing | zstd, Padmé |
//!
//! Three rules hold throughout. What comes from outside is bounded before it is parsed, and parsed
//! strictly before it is verified. What was received is verified as the bytes received, never
//! re-encoded. Errors are rules that were broken: they name no secret and compare equal.
//!
//! Deliberately absent: clocks; seeds made here (the node draws them and passes them in); batch
//! verification of signatures, which is laxer than `verify_strict`; age's plain X25519 recipients.
//! Only salts and ephemeral keys, whose repetition would be fatal, are drawn here from the
//! operating system, so that no caller can supply the same twice.

mod age_file;
pub mod content_key;
mod hybrid;
pub mod keyfile;
pub mod merkle;
pub mod pack;
pub mod sign;
#[cfg(test)]
mod testkit;
pub mod wrap;

pub use age_file::{OpenError, SealError};
pub use content_key::{ContentKey, open, seal};
pub use keyfile::{KeyfileError, protect, unprotect};
pub use pack::{Compression, PackError, compress, decompress, padded_len};
pub use sign::{PublicKey, SignError, Signed, SigningKey, sign};
pub use wrap::{EncryptionKey, EncryptionSecret, KeyError, unwrap, wrap};
