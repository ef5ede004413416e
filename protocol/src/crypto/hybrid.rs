//! The post-quantum key encapsulation under [`wrap`](mod@super::wrap): X-Wing, in HPKE's base mode.
//!
//! ```text
//! seed -> SHAKE256(seed, 96) = d || z || skX        (dk, ek) = ML-KEM-768.KeyGen(d, z), FIPS 203
//! public key  = ek (1184) || pkX (32)               enc = ctM (1088) || ctX (32)
//! shared      = SHA3-256(ssM || ssX || ctX || pkX || "\.//^\")                          X-Wing
//! key, nonce  = KeySchedule(mode_base, shared, info), KEM 0x647a, HKDF-SHA256, ChaCha20-Poly1305
//! ```
//!
//! X-Wing is draft-connolly-cfrg-xwing-kem, the schedule RFC 9180 section 5.1. The result holds as
//! long as either ML-KEM or X25519 does. Written out here because no crate that offers it can be
//! built beside age 0.12. What each party must check is checked here too: an ML-KEM key whose
//! coefficients are not reduced (FIPS 203 section 7.2) and X25519 points of low order are refused.

use hkdf::Hkdf;
use ml_kem::kem::Decapsulate;
use ml_kem::{EncapsulateDeterministic, EncodedSizeUser, KemCore, MlKem768};
use sha2::Sha256;
use sha3::digest::{ExtendableOutput, Update, XofReader};
use sha3::{Digest, Sha3_256, Shake256};
use x25519_dalek::{X25519_BASEPOINT_BYTES, x25519};
use zeroize::Zeroizing;

use super::wrap::KeyError;

type EncapsulationKey = <MlKem768 as KemCore>::EncapsulationKey;
type DecapsulationKey = <MlKem768 as KemCore>::DecapsulationKey;

/// The length of a public key, in bytes.
pub(super) const PUBLIC: usize = ML_KEM_KEY + 32;

/// The length of an encapsulation, in bytes.
pub(super) const ENC: usize = ML_KEM_CIPHERTEXT + 32;

const ML_KEM_KEY: usize = 1184;
const ML_KEM_CIPHERTEXT: usize = 1088;

/// The part of an ML-KEM key that encodes coefficients; 32 bytes of seed follow.
const ML_KEM_COEFFICIENTS: usize = 1152;

/// ML-KEM's modulus.
const Q: u16 = 3329;

const XWING_LABEL: &[u8] = b"\\.//^\\";

/// `"HPKE" || kem_id || kdf_id || aead_id`, RFC 9180 section 5.1.
const SUITE: &[u8] = b"HPKE\x64\x7a\x00\x01\x00\x03";

/// A private key, expanded from its seed.
pub(super) struct Private {
    ml_kem: DecapsulationKey,
    x25519: Zeroizing<[u8; 32]>,
    public: [u8; PUBLIC],
}

impl Private {
    /// Expands a seed.
    pub(super) fn of_seed(seed: &[u8; 32]) -> Self {
        let mut expanded = Zeroizing::new([0; 96]);
        Shake256::default().chain(seed).finalize_xof().read(expanded.as_mut_slice());
        let part = |at: usize| {
            let mut part = Zeroizing::new([0; 32]);
            part.copy_from_slice(&expanded[at..at + 32]);
            part
        };
        let (ml_kem, encapsulation_key) = MlKem768::generate_deterministic((&*part(0)).into(), (&*part(32)).into());
        let x25519_secret = part(64);
        let mut public = [0; PUBLIC];
        public[..ML_KEM_KEY].copy_from_slice(&encapsulation_key.as_bytes());
        public[ML_KEM_KEY..].copy_from_slice(&x25519(*x25519_secret, X25519_BASEPOINT_BYTES));
        Self { ml_kem, x25519: x25519_secret, public }
    }

    /// The public key: `ek || pkX`.
    pub(super) fn public(&self) -> &[u8; PUBLIC] {
        &self.public
    }

    /// The shared secret of `enc`; none if its X25519 share has low order. ML-KEM rejects implicitly.
    pub(super) fn decapsulate(&self, enc: &[u8; ENC]) -> Option<Zeroizing<[u8; 32]>> {
        let (ml_kem, share) = split::<ML_KEM_CIPHERTEXT>(enc);
        let from_x25519 = Zeroizing::new(x25519(*self.x25519, *share));
        if *from_x25519 == [0; 32] {
            return None;
        }
        let (_, public) = split::<ML_KEM_KEY>(&self.public);
        let from_ml_kem = Zeroizing::new(self.ml_kem.decapsulate(ml_kem.into()).ok()?.into());
        Some(combine(&from_ml_kem, &from_x25519, share, public))
    }
}

/// Encapsulates to a `public` key that [`check`] passed, with 32 random bytes for each half.
pub(super) fn encapsulate(
    public: &[u8; PUBLIC],
    message: &[u8; 32],
    ephemeral: &[u8; 32],
) -> ([u8; ENC], Zeroizing<[u8; 32]>) {
    let (ml_kem, theirs) = split::<ML_KEM_KEY>(public);
    let (ciphertext, from_ml_kem) = EncapsulationKey::from_bytes(ml_kem.into())
        .encapsulate_deterministic(message.into())
        .expect("encapsulation to a checked key does not fail");
    let from_ml_kem = Zeroizing::new(from_ml_kem.into());
    let share = x25519(*ephemeral, X25519_BASEPOINT_BYTES);
    let from_x25519 = Zeroizing::new(x25519(*ephemeral, *theirs));
    let mut enc = [0; ENC];
    enc[..ML_KEM_CIPHERTEXT].copy_from_slice(&ciphertext);
    enc[ML_KEM_CIPHERTEXT..].copy_from_slice(&share);
    (enc, combine(&from_ml_kem, &from_x25519, &share, theirs))
}

/// Whether a public key is one that an honest key generation can give.
pub(super) fn check(public: &[u8; PUBLIC]) -> Result<(), KeyError> {
    let (ml_kem, point) = split::<ML_KEM_KEY>(public);
    // FIPS 203 section 7.2: two coefficients in three bytes, each below the modulus.
    let reduced = ml_kem[..ML_KEM_COEFFICIENTS].chunks_exact(3).all(|three| {
        let [low, middle, high] = [three[0], three[1], three[2]].map(u16::from);
        (low | (middle & 0xf) << 8) < Q && (middle >> 4 | high << 4) < Q
    });
    if !reduced {
        return Err(KeyError::NotReduced);
    }
    if !is_canonical(point) {
        return Err(KeyError::NonCanonical);
    }
    // Scalars are multiples of the cofactor, so any of them takes exactly the low orders to zero.
    if x25519([1; 32], *point) == [0; 32] {
        return Err(KeyError::LowOrder);
    }
    Ok(())
}

/// Whether a little-endian u-coordinate is below 2^255 - 19. X25519 itself would reduce it, but
/// X-Wing hashes these bytes, and the owner knows only the canonical ones.
fn is_canonical(point: &[u8; 32]) -> bool {
    let all_ones = point[31] == 0x7f && point[1..31].iter().all(|&byte| byte == 0xff);
    point[31] < 0x80 && !(all_ones && point[0] >= 0xed)
}

/// X-Wing's combiner.
fn combine(from_ml_kem: &[u8; 32], from_x25519: &[u8; 32], share: &[u8; 32], public: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    let hash = Sha3_256::new()
        .chain_update(from_ml_kem)
        .chain_update(from_x25519)
        .chain_update(share)
        .chain_update(public)
        .chain_update(XWING_LABEL);
    Zeroizing::new(hash.finalize().into())
}

/// The key and base nonce of HPKE's base mode (RFC 9180 section 5.1), for one message.
pub(super) fn schedule(shared: &[u8; 32], info: &[u8]) -> (Zeroizing<[u8; 32]>, [u8; 12]) {
    let (psk_id_hash, _) = extract(b"", b"psk_id_hash", b"");
    let (info_hash, _) = extract(b"", b"info_hash", info);
    let context = [&[0], psk_id_hash.as_slice(), info_hash.as_slice()].concat();
    let (_, secret) = extract(shared, b"secret", b"");
    let (mut key, mut nonce) = (Zeroizing::new([0; 32]), [0; 12]);
    expand(&secret, b"key", &context, key.as_mut_slice());
    expand(&secret, b"base_nonce", &context, &mut nonce);
    (key, nonce)
}

/// `LabeledExtract`, RFC 9180 section 4.
fn extract(salt: &[u8], label: &[u8], ikm: &[u8]) -> (Zeroizing<[u8; 32]>, Hkdf<Sha256>) {
    let ikm = [b"HPKE-v1", SUITE, label, ikm].concat();
    let (prk, hkdf) = Hkdf::extract(Some(salt), &ikm);
    (Zeroizing::new(prk.into()), hkdf)
}

/// `LabeledExpand`, RFC 9180 section 4.
fn expand(secret: &Hkdf<Sha256>, label: &[u8], context: &[u8], out: &mut [u8]) {
    let len = u16::try_from(out.len()).expect("keys and nonces are short");
    let info = [&len.to_be_bytes(), b"HPKE-v1".as_slice(), SUITE, label, context].concat();
    secret.expand(&info, out).expect("keys and nonces are short");
}

/// An ML-KEM part of `N` bytes, and the X25519 part after it.
fn split<const N: usize>(bytes: &[u8]) -> (&[u8; N], &[u8; 32]) {
    bytes
        .split_first_chunk()
        .and_then(|(ml_kem, point)| Some((ml_kem, point.try_into().ok()?)))
        .expect("the lengths are those of the types")
}
