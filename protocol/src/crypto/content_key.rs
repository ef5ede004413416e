//! Bodies under a content key: one stanza, at any number of parties.
//!
//! ```text
//! key id   = SHA-256("entente.content-key.v1" || content key)
//! wrap key = HKDF-SHA256(ikm: content key, salt: salt || key id, info: "entente.content.v1")
//! stanza   = -> entente.content.v1 base64(key id) base64(salt)
//!            base64(ChaCha20-Poly1305(wrap key, nonce: 0, file key))
//! ```
//!
//! An agreement's parties hold the content key (it reaches each through [`wrap`](mod@super::wrap)), so a body costs
//! one stanza of 0.27 KB instead of one a party. The salt is random, 16 bytes, so each wrap key is
//! used once and the zero nonce is sound. The key id is a hash commitment and part of the salt: no
//! file opens under two content keys. Every party could forge a body, which is why the author's
//! signature over the entry header is what proves it; that is not this module's part.

use std::collections::HashSet;
use std::fmt;

use age::{DecryptError, EncryptError, Identity, Recipient};
use age_core::format::{FILE_KEY_BYTES, FileKey, Stanza};
use age_core::primitives::{aead_decrypt, aead_encrypt, hkdf};
use age_core::secrecy::ExposeSecret;
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD as BASE64;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::age_file::{self, Shape};
pub use super::age_file::{OpenError, SealError};

/// The stanza's tag and HKDF's info.
const LABEL: &str = "entente.content.v1";

/// The prefix of what a key id hashes.
const ID_LABEL: &[u8] = b"entente.content-key.v1";

const SALT: usize = 16;

const SHAPE: Shape = Shape { tag: LABEL, grease: true };

/// A content key: 32 random bytes that the parties of an agreement share. Zeroised when dropped.
#[derive(Clone)]
pub struct ContentKey(Zeroizing<[u8; 32]>);

impl ContentKey {
    /// The key of these bytes, which must be uniformly random.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*bytes))
    }

    /// The secret bytes, to be wrapped or kept.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key's public name, a commitment: `SHA-256("entente.content-key.v1" || key)`.
    pub fn id(&self) -> [u8; 32] {
        Sha256::new().chain_update(ID_LABEL).chain_update(self.0.as_slice()).finalize().into()
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentKey({})", hex::encode(self.id()))
    }
}

/// Seals `plaintext` under `key`, as an age file.
pub fn seal(key: &ContentKey, plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
    let salt = *age_file::random::<SALT>()?;
    Ok(age_file::seal(&Sealing { key, salt }, plaintext))
}

/// Opens what [`seal`] made under the same `key`, at most `max_plaintext` bytes.
pub fn open(key: &ContentKey, file: &[u8], max_plaintext: usize) -> Result<Vec<u8>, OpenError> {
    let mut plaintext = age_file::open(&Opening { key }, SHAPE, file, max_plaintext)?;
    Ok(std::mem::take(&mut *plaintext))
}

/// HKDF-SHA256 (RFC 5869) over the content key, the salt and the key id.
fn wrap_key(key: &ContentKey, id: &[u8; 32], salt: &[u8; SALT]) -> Zeroizing<[u8; 32]> {
    let salt = [salt.as_slice(), id].concat();
    Zeroizing::new(hkdf(&salt, LABEL.as_bytes(), key.as_bytes()))
}

struct Sealing<'a> {
    key: &'a ContentKey,
    salt: [u8; SALT],
}

impl Recipient for Sealing<'_> {
    fn wrap_file_key(&self, file_key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        let id = self.key.id();
        let stanza = Stanza {
            tag: LABEL.to_owned(),
            args: vec![BASE64.encode(id), BASE64.encode(self.salt)],
            body: aead_encrypt(&wrap_key(self.key, &id, &self.salt), file_key.expose_secret()),
        };
        // Labels guard against mixing recipients; this type is private and always stands alone.
        Ok((vec![stanza], HashSet::new()))
    }
}

struct Opening<'a> {
    key: &'a ContentKey,
}

impl Identity for Opening<'_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        if stanza.tag != LABEL {
            return None;
        }
        let Some((id, salt)) = parse_args(&stanza.args) else {
            return Some(Err(DecryptError::InvalidHeader));
        };
        if id != self.key.id() {
            return None;
        }
        let wrap_key = wrap_key(self.key, &id, &salt);
        Some(
            aead_decrypt(&wrap_key, FILE_KEY_BYTES, &stanza.body)
                .map(|bytes| {
                    let bytes = Zeroizing::new(bytes);
                    FileKey::init_with_mut(|key| key.copy_from_slice(&bytes))
                })
                .map_err(DecryptError::from),
        )
    }
}

fn parse_args(args: &[String]) -> Option<([u8; 32], [u8; SALT])> {
    let [id, salt] = args else { return None };
    let id = BASE64.decode(id).ok()?.try_into().ok()?;
    let salt = BASE64.decode(salt).ok()?.try_into().ok()?;
    Some((id, salt))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, any, prop, prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn key(byte: u8) -> ContentKey {
        ContentKey::from_bytes(&[byte; 32])
    }

    #[test]
    fn what_is_sealed_opens_under_the_same_key_alone() {
        for plaintext in [vec![], vec![1], vec![2; 64 * 1024], vec![3; 200_000]] {
            let file = seal(&key(1), &plaintext).unwrap();
            let len = plaintext.len();
            assert_eq!(open(&key(2), &file, len), Err(OpenError::WrongKey));
            assert_eq!(open(&key(1), &file, len), Ok(plaintext));
        }
    }

    #[test]
    fn the_bound_holds_to_the_byte() {
        let file = seal(&key(1), &[0; 1000]).unwrap();
        let refused = Err(OpenError::TooLarge { len: 1000, max: 999 });
        assert_eq!(open(&key(1), &file, 999), refused);
        assert_eq!(open(&key(1), &file, 1000), Ok(vec![0; 1000]));
    }

    #[test]
    fn the_header_stays_small() {
        for _ in 0..50 {
            let file = seal(&key(1), &[]).unwrap();
            assert!(file.len() < 600, "{} bytes", file.len());
        }
    }

    #[test]
    fn a_cut_or_extended_file_is_refused() {
        let file = seal(&key(1), &vec![5; 70_000]).unwrap();
        for len in (0..file.len()).step_by(101) {
            assert!(open(&key(1), &file[..len], 1 << 20).is_err(), "{len}");
        }
        let chunk_end = file.len() - (70_000 - 65_536) - 16;
        let cut = open(&key(1), &file[..chunk_end], 1 << 20);
        assert_eq!(cut, Err(OpenError::BodyDamaged));
        let longer = [file.as_slice(), &[0; 40]].concat();
        assert_eq!(open(&key(1), &longer, 1 << 20), Err(OpenError::BodyDamaged));
    }

    #[test]
    fn a_further_recipient_is_refused() {
        let file = seal(&key(1), b"body").unwrap();
        let text_end = file.windows(4).position(|w| w == b"\n---").unwrap();
        let (header, rest) = file.split_at(text_end);
        for (stanza, fault) in [
            ("\n-> X25519 AAAA\nAAAA", OpenError::ForeignStanza),
            ("\n-> entente.content.v1 a b\nAAAA", OpenError::StanzaCount { count: 2 }),
        ] {
            let altered = [header, stanza.as_bytes(), rest].concat();
            assert_eq!(open(&key(1), &altered, 100), Err(fault));
        }
    }

    #[test]
    fn the_stanza_is_the_formula() {
        let sealing = Sealing { key: &key(9), salt: [7; SALT] };
        let file_key = FileKey::new(Box::new([3; FILE_KEY_BYTES]));
        let (stanzas, _) = sealing.wrap_file_key(&file_key).unwrap();
        let [stanza] = stanzas.as_slice() else { panic!("one stanza") };
        let id: [u8; 32] = Sha256::digest([b"entente.content-key.v1".as_slice(), &[9; 32]].concat()).into();
        assert_eq!(stanza.args, [BASE64.encode(id), BASE64.encode([7; 16])]);

        let mut wrap_key = [0; 32];
        hkdf::Hkdf::<Sha256>::new(Some(&[[7; 16].as_slice(), &id].concat()), &[9; 32])
            .expand(b"entente.content.v1", &mut wrap_key)
            .unwrap();
        assert_eq!(stanza.body, aead_encrypt(&wrap_key, &[3; 16]));
    }

    #[test]
    fn debug_shows_the_public_name_alone() {
        let shown = format!("{:?}", key(0xab));
        assert_eq!(shown, format!("ContentKey({})", hex::encode(key(0xab).id())));
        assert!(!shown.contains("abababab"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_flipped_bit_is_noticed(
            plaintext in prop::collection::vec(any::<u8>(), 0..300),
            at in any::<prop::sample::Index>(),
            bit in 0u8..8,
        ) {
            let mut file = seal(&key(1), &plaintext).unwrap();
            prop_assert_eq!(open(&key(1), &file, 300), Ok(plaintext));
            let at = at.index(file.len());
            file[at] ^= 1 << bit;
            prop_assert!(open(&key(1), &file, 300).is_err());
        }
    }
}
