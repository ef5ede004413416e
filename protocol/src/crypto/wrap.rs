//! Secrets for one recipient, post-quantum: age files with one `mlkem768x25519` stanza (C2SP age).
//!
//! ```text
//! enc, shared = X-Wing.Encapsulate(recipient)
//! key, nonce  = HPKE base mode(shared, info: "age-encryption.org/mlkem768x25519")
//! stanza      = -> mlkem768x25519 base64(enc)
//!               base64(ChaCha20-Poly1305(key, nonce, file key))
//! ```
//!
//! Content keys travel in these, pairwise: who records the traffic today and has a quantum computer
//! later still has to break ML-KEM-768, and who breaks ML-KEM still has to break X25519. Any age
//! implementation of the specification opens the files with the key's text form.
//!
//! A wrap does not say who made it; the signed objects around it do.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use age::{DecryptError, EncryptError, Identity, Recipient};
use age_core::format::{FILE_KEY_BYTES, FileKey, Stanza};
use age_core::secrecy::ExposeSecret;
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD as BASE64;
use bech32::primitives::checksum::Checksum;
use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Hrp};
use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use super::age_file::{self, Shape};
pub use super::age_file::{OpenError, SealError};
use super::hybrid::{self, Private};

const TAG: &str = "mlkem768x25519";
const INFO: &[u8] = b"age-encryption.org/mlkem768x25519";

const SHAPE: Shape = Shape { tag: TAG, grease: true };

/// A wrapped file key: 16 bytes and the AEAD's tag.
const WRAPPED: usize = FILE_KEY_BYTES + 16;

const PUBLIC_HRP: Hrp = Hrp::parse_unchecked("age1pq");
const SECRET_HRP: Hrp = Hrp::parse_unchecked("age-secret-key-pq-");

/// The characters of the text of a public key: prefix, separator, 1216 bytes and checksum.
const PUBLIC_TEXT: usize = "age1pq1".len() + (hybrid::PUBLIC * 8).div_ceil(5) + 6;
const SECRET_TEXT: usize = "age-secret-key-pq-1".len() + 52 + 6;

/// Why an encryption key was refused.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum KeyError {
    /// Not the length of a key.
    #[error("encryption key of {len} bytes, not {}", hybrid::PUBLIC)]
    Length {
        /// The length given, in bytes.
        len: usize,
    },
    /// An ML-KEM coefficient at or above the modulus.
    #[error("ML-KEM key holds a coefficient that is not below 3329")]
    NotReduced,
    /// An X25519 point at or above 2^255 - 19.
    #[error("X25519 key is not in its canonical encoding")]
    NonCanonical,
    /// An X25519 point whose shared secret with anyone is zero.
    #[error("X25519 key has low order")]
    LowOrder,
    /// Not bech32 of the length and prefix of such a key.
    #[error("not the text of an age post-quantum key")]
    Text,
}

/// A post-quantum public key: ML-KEM-768 `ek` and an X25519 point, 1216 bytes, each checked.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EncryptionKey(Box<[u8; hybrid::PUBLIC]>);

impl EncryptionKey {
    /// The length of a key, in bytes.
    pub const LEN: usize = hybrid::PUBLIC;

    /// The key of these bytes, after the checks of FIPS 203 section 7.2 and RFC 7748 section 6.1.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let bytes = bytes.try_into().map_err(|_| KeyError::Length { len: bytes.len() })?;
        hybrid::check(bytes)?;
        Ok(Self(Box::new(*bytes)))
    }

    /// The key's 1216 bytes.
    pub fn as_bytes(&self) -> &[u8; hybrid::PUBLIC] {
        &self.0
    }
}

/// `age1pq1…`, the recipient as every age tool reads it.
impl fmt::Display for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        bech32::encode_lower_to_fmt::<Bech32Long, _>(f, PUBLIC_HRP, self.0.as_slice()).map_err(|_| fmt::Error)
    }
}

impl FromStr for EncryptionKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::from_bytes(&decode(PUBLIC_HRP, PUBLIC_TEXT, text)?)
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncryptionKey({}…)", hex::encode(&self.0[..8]))
    }
}

/// A post-quantum private key: the seed of 32 bytes. Zeroised when dropped.
#[derive(Clone)]
pub struct EncryptionSecret(Zeroizing<[u8; 32]>);

impl EncryptionSecret {
    /// The key of a seed, which must be uniformly random.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*seed))
    }

    /// The secret seed, to be kept.
    pub fn seed(&self) -> &[u8; 32] {
        &self.0
    }

    /// The public key.
    pub fn public(&self) -> EncryptionKey {
        EncryptionKey(Box::new(*Private::of_seed(&self.0).public()))
    }

    /// `AGE-SECRET-KEY-PQ-1…`, the identity as every age tool reads it. As secret as the seed.
    pub fn to_text(&self) -> Zeroizing<String> {
        let text = bech32::encode_upper::<Bech32Long>(SECRET_HRP, self.0.as_slice());
        Zeroizing::new(text.expect("this checksum knows no length limit"))
    }

    /// The key of such a text.
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        let seed = Zeroizing::new(decode(SECRET_HRP, SECRET_TEXT, text)?);
        let seed: &[u8; 32] = seed.as_slice().try_into().map_err(|_| KeyError::Text)?;
        Ok(Self::from_seed(seed))
    }
}

impl fmt::Debug for EncryptionSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncryptionSecret")
    }
}

/// Wraps `secret` for the holder of `key`, as an age file.
pub fn wrap(key: &EncryptionKey, secret: &[u8]) -> Result<Vec<u8>, SealError> {
    let wrapping = Wrapping { key, message: age_file::random()?, ephemeral: age_file::random()? };
    Ok(age_file::seal(&wrapping, secret))
}

/// Opens what [`wrap`] made for this key, at most `max` bytes.
pub fn unwrap(secret: &EncryptionSecret, file: &[u8], max: usize) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    age_file::open(&Unwrapping { secret }, SHAPE, file, max)
}

/// One use of a recipient, with the randomness for exactly that.
struct Wrapping<'a> {
    key: &'a EncryptionKey,
    message: Zeroizing<[u8; 32]>,
    ephemeral: Zeroizing<[u8; 32]>,
}

impl Recipient for Wrapping<'_> {
    fn wrap_file_key(&self, file_key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        let (enc, shared) = hybrid::encapsulate(&self.key.0, &self.message, &self.ephemeral);
        let (key, nonce) = hybrid::schedule(&shared, INFO);
        let body = ChaCha20Poly1305::new((&*key).into())
            .encrypt(Nonce::from_slice(&nonce), file_key.expose_secret().as_slice())
            .expect("16 bytes are within the cipher's limit");
        let stanza = Stanza { tag: TAG.to_owned(), args: vec![BASE64.encode(enc)], body };
        // The specification's label, which keeps classical recipients out of such files.
        Ok((vec![stanza], HashSet::from(["postquantum".to_owned()])))
    }
}

struct Unwrapping<'a> {
    secret: &'a EncryptionSecret,
}

impl Identity for Unwrapping<'_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        if stanza.tag != TAG {
            return None;
        }
        let Some(enc) = parse(stanza) else {
            return Some(Err(DecryptError::InvalidHeader));
        };
        let Some(shared) = Private::of_seed(&self.secret.0).decapsulate(&enc) else {
            return Some(Err(DecryptError::InvalidHeader));
        };
        let (key, nonce) = hybrid::schedule(&shared, INFO);
        // A stanza for someone else decapsulates to noise: not a fault, only not ours.
        let mut bytes =
            ChaCha20Poly1305::new((&*key).into()).decrypt(Nonce::from_slice(&nonce), stanza.body.as_slice()).ok()?;
        let file_key = FileKey::init_with_mut(|key| key.copy_from_slice(&bytes));
        bytes.zeroize();
        Some(Ok(file_key))
    }
}

/// The stanza's one argument, if its body has the length of a wrapped file key.
fn parse(stanza: &Stanza) -> Option<[u8; hybrid::ENC]> {
    let [enc] = stanza.args.as_slice() else {
        return None;
    };
    let enc = BASE64.decode(enc).ok()?.try_into().ok()?;
    (stanza.body.len() == WRAPPED).then_some(enc)
}

fn decode(hrp: Hrp, len: usize, text: &str) -> Result<Vec<u8>, KeyError> {
    if text.len() != len {
        return Err(KeyError::Text);
    }
    let checked = CheckedHrpstring::new::<Bech32Long>(text).map_err(|_| KeyError::Text)?;
    if checked.hrp() != hrp {
        return Err(KeyError::Text);
    }
    Ok(checked.byte_iter().collect())
}

/// BIP-173's checksum without its limit of 90 characters, as the age specification uses it.
#[derive(Debug)]
enum Bech32Long {}

impl Checksum for Bech32Long {
    type MidstateRepr = <Bech32 as Checksum>::MidstateRepr;
    type CorrectionField = <Bech32 as Checksum>::CorrectionField;
    const ROOT_GENERATOR: Self::CorrectionField = Bech32::ROOT_GENERATOR;
    const ROOT_EXPONENTS: std::ops::RangeInclusive<usize> = Bech32::ROOT_EXPONENTS;
    const CODE_LENGTH: usize = usize::MAX;
    const CHECKSUM_LENGTH: usize = Bech32::CHECKSUM_LENGTH;
    const GENERATOR_SH: [Self::MidstateRepr; 5] = Bech32::GENERATOR_SH;
    const TARGET_RESIDUE: Self::MidstateRepr = Bech32::TARGET_RESIDUE;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(byte: u8) -> EncryptionSecret {
        EncryptionSecret::from_seed(&[byte; 32])
    }

    #[test]
    fn what_is_wrapped_opens_for_its_recipient_alone() {
        let file = wrap(&secret(1).public(), &[7; 32]).unwrap();
        assert!(file.len() < 2300, "{} bytes", file.len());
        assert_eq!(*unwrap(&secret(1), &file, 32).unwrap(), [7; 32]);
        assert_eq!(unwrap(&secret(2), &file, 32), Err(OpenError::WrongKey));
        let refused = Err(OpenError::TooLarge { len: 32, max: 31 });
        assert_eq!(unwrap(&secret(1), &file, 31), refused);
    }

    #[test]
    fn a_flipped_byte_anywhere_is_noticed() {
        let file = wrap(&secret(1).public(), &[7; 32]).unwrap();
        for at in (0..file.len()).step_by(7) {
            let mut altered = file.clone();
            altered[at] ^= 1;
            assert!(unwrap(&secret(1), &altered, 32).is_err(), "byte {at}");
        }
    }

    #[test]
    fn texts_return_and_slips_are_caught() {
        let key = secret(3).public();
        let text = key.to_string();
        assert_eq!(text.len(), PUBLIC_TEXT);
        assert!(text.starts_with("age1pq1"));
        assert_eq!(text.parse(), Ok(key));
        let slip = text.replacen('q', "p", 2);
        assert_eq!(slip.parse::<EncryptionKey>(), Err(KeyError::Text));
        let text = secret(3).to_text();
        assert!(text.starts_with("AGE-SECRET-KEY-PQ-1"));
        let back = EncryptionSecret::from_text(&text).unwrap();
        assert_eq!(back.seed(), &[3; 32]);
        assert_eq!(text.parse::<EncryptionKey>(), Err(KeyError::Text));
        for other in ["", "age1pq1", "agency1qqqq"] {
            assert_eq!(EncryptionSecret::from_text(other).unwrap_err(), KeyError::Text);
        }
    }

    #[test]
    fn keys_that_no_honest_party_has_are_refused() {
        let good = *secret(1).public().as_bytes();
        assert_eq!(EncryptionKey::from_bytes(&good[1..]), Err(KeyError::Length { len: 1215 }));
        // Coefficients 3328 pass and 3329 do not, in either half of three bytes.
        let with = |at: usize, three: [u8; 3]| {
            let mut bytes = good;
            bytes[at..at + 3].copy_from_slice(&three);
            EncryptionKey::from_bytes(&bytes)
        };
        for at in [0, 1149] {
            assert!(with(at, [0x00, 0x0d, 0xd0]).is_ok());
            assert_eq!(with(at, [0x01, 0x0d, 0x00]), Err(KeyError::NotReduced));
            assert_eq!(with(at, [0x00, 0x10, 0xd0]), Err(KeyError::NotReduced));
        }
        let with_point = |point: [u8; 32]| {
            let mut bytes = good;
            bytes[1184..].copy_from_slice(&point);
            EncryptionKey::from_bytes(&bytes)
        };
        assert_eq!(with_point([0; 32]), Err(KeyError::LowOrder));
        let mut high_bit = [9; 32];
        high_bit[31] |= 0x80;
        assert_eq!(with_point(high_bit), Err(KeyError::NonCanonical));
        let mut modulus = [0xff; 32];
        (modulus[0], modulus[31]) = (0xed, 0x7f);
        assert_eq!(with_point(modulus), Err(KeyError::NonCanonical));
    }

    /// The C2SP age specification's example gives a stanza, not a whole file.
    #[test]
    fn the_specifications_example_unwraps() {
        let example: Vec<&str> = include_str!("../../tests/vectors/c2sp_pq.txt").lines().collect();
        let [identity, recipient, stanza, body] = example.as_slice() else { panic!("four lines") };
        let secret = EncryptionSecret::from_text(identity).unwrap();
        assert_eq!(secret.public().to_string(), *recipient);
        assert_eq!(secret.to_text().as_str(), *identity);
        let (tag, enc) = stanza.trim().trim_start_matches("-> ").split_once(' ').unwrap();
        let mut stanza =
            Stanza { tag: tag.to_owned(), args: vec![enc.to_owned()], body: BASE64.decode(body.trim()).unwrap() };
        let unwrapping = Unwrapping { secret: &secret };
        let file_key = unwrapping.unwrap_stanza(&stanza).unwrap().unwrap();
        assert_ne!(file_key.expose_secret(), &[0; FILE_KEY_BYTES]);
        stanza.body[0] ^= 1;
        assert!(unwrapping.unwrap_stanza(&stanza).is_none());
    }

    #[test]
    fn debug_shows_nothing_secret() {
        assert_eq!(format!("{:?}", secret(0xab)), "EncryptionSecret");
    }
}
