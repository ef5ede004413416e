//! Sealing what only this node may read.
//!
//! Every frame draws a 16-byte salt; its parts are sealed with XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03, the
//! construction libsodium uses) under the records key, nonce = salt || counter (u64, little-endian). So no nonce is
//! stored besides the salt, none is used twice, and each part opens on its own.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::error::{Result, StoreError};

/// Bytes that sealing adds.
pub(super) const TAG: usize = 16;

/// Bytes of a salt.
pub(super) const SALT: usize = 16;

/// Random bytes of which a frame's nonces are made.
pub(super) type Salt = [u8; SALT];

/// Draws a salt.
pub(super) fn salt() -> Result<Salt> {
    let mut salt = [0; SALT];
    getrandom::fill(&mut salt).map_err(|_| StoreError::NoRandomness)?;
    Ok(salt)
}

/// Seals and opens under the records key.
pub(super) struct Sealer {
    cipher: XChaCha20Poly1305,
    check: [u8; 16],
}

impl Sealer {
    /// For this key.
    pub(super) fn new(key: &[u8; 32]) -> Sealer {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key).expect("HMAC takes keys of any length");
        mac.update(b"entente store: which key");
        let check = *mac.finalize().into_bytes().first_chunk().expect("a MAC has 32 bytes");
        Sealer { cipher: XChaCha20Poly1305::new(key.into()), check }
    }

    /// Tells keys apart and tells nothing about them.
    pub(super) fn key_check(&self) -> [u8; 16] {
        self.check
    }

    /// Seals one part of a frame; a counter serves once.
    pub(super) fn seal(&self, salt: &Salt, counter: u64, aad: &[u8], plain: &[u8]) -> Vec<u8> {
        let sealed = self.cipher.encrypt(&nonce(salt, counter), Payload { msg: plain, aad });
        sealed.expect("ChaCha20 seals all that a frame can hold")
    }

    /// Opens a part; `None` if it is not what was sealed there.
    pub(super) fn open(&self, salt: &Salt, counter: u64, aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        self.cipher.decrypt(&nonce(salt, counter), Payload { msg: sealed, aad }).ok()
    }
}

fn nonce(salt: &Salt, counter: u64) -> XNonce {
    let mut nonce = XNonce::default();
    nonce[..SALT].copy_from_slice(salt);
    nonce[SALT..].copy_from_slice(&counter.to_le_bytes());
    nonce
}
