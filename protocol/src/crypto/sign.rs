//! Signed objects: `COSE_Sign1` (RFC 9052) with Ed25519 (RFC 8032), in exactly one form.
//!
//! ```text
//! object        = 18([ protected: bstr, {}, payload: bstr, signature: 64 bytes ])
//! protected     = { 1 (alg): -8 (EdDSA), 16 (typ, RFC 9596): text }
//! Sig_structure = [ "Signature1", protected, h'', payload ]
//! signature     = Ed25519(Sig_structure)
//! hash          = SHA-256(Sig_structure)
//! ```
//!
//! The parser takes this form alone, in deterministic CBOR (RFC 8949 section 4.2.1), and keeps the
//! exact bytes: what is verified is what was received, and what is passed on is what was verified.
//! The hash leaves the signature out, so a second signature on the same content is no second
//! object. `typ` separates the domains: it names object, version, live or exercise, and whoever
//! verifies must first have compared it with the one expected.
//!
//! Deliberately absent: unprotected headers, key ids, detached payloads, other algorithms,
//! external data. Any independent COSE library verifies these objects; few would refuse as much.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use coset::cbor::value::Value;
use coset::{CoseSign1Builder, HeaderBuilder, TaggedCborSerializable, iana};
use ed25519_dalek::{Signature, Signer, VerifyingKey};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// RFC 9596: the header parameter `typ`.
const TYP: i64 = 16;

/// The longest `typ`, in bytes.
pub const MAX_TYP: usize = 64;

/// CBOR tag and array head of a `COSE_Sign1`.
const SIGN1_TAG: usize = 18;
const SIGN1_FIELDS: usize = 4;

/// `{1: -8, 16: ...` as bytes: map of two, alg `EdDSA`, then typ's key.
const PROTECTED_START: [u8; 4] = [0xa2, 0x01, 0x27, 0x10];

const EMPTY_MAP: u8 = 0xa0;
const EMPTY_BYTES: u8 = 0x40;

/// The `Sig_structure` up to the protected header: array of four, `"Signature1"`.
const CONTEXT: &[u8] = b"\x84\x6aSignature1";

/// Why an object or a key was refused.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum SignError {
    /// More bytes than this kind of object may have.
    #[error("signed object of {len} bytes, more than {max}")]
    TooLong {
        /// The object's length, in bytes.
        len: usize,
        /// The most that was allowed, in bytes.
        max: usize,
    },
    /// The bytes end inside the object.
    #[error("signed object is cut short")]
    Truncated,
    /// Not tag 18 on an array of four.
    #[error("not a COSE_Sign1: tag 18 on an array of 4")]
    NotSign1,
    /// A length that is not written in the fewest bytes.
    #[error("CBOR length is not in its shortest form")]
    NotShortest,
    /// The protected header is not exactly alg and typ, in this order.
    #[error("protected header is not exactly alg -8 and typ")]
    Protected,
    /// typ is empty, too long, or not printable ASCII.
    #[error("typ is not 1 to {MAX_TYP} printable ASCII characters")]
    Typ,
    /// The unprotected header is not empty.
    #[error("unprotected header is not empty")]
    Unprotected,
    /// The payload is absent or no byte string.
    #[error("payload is not a byte string")]
    Payload,
    /// The signature is not 64 bytes.
    #[error("signature is not a byte string of 64 bytes")]
    SignatureLength,
    /// Bytes follow the object.
    #[error("{len} bytes after the end of the signed object")]
    Trailing {
        /// How many bytes.
        len: usize,
    },
    /// The signature is not this key's over these bytes.
    #[error("signature does not verify")]
    BadSignature,
    /// The bytes encode no point of the curve.
    #[error("public key is no point of the curve")]
    NoPoint,
    /// A point of small order, for which signatures over anything can be made.
    #[error("public key has small order")]
    WeakKey,
    /// A second encoding of a key that has another one.
    #[error("public key is not in its canonical encoding")]
    NonCanonicalKey,
}

/// An Ed25519 private key. Zeroised when dropped.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// The key of a seed (RFC 8032 section 5.1.5), which must be uniformly random.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// The secret seed, to be kept.
    pub fn seed(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The public key.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.public())
    }
}

/// An Ed25519 public key that is neither weak nor in a second encoding.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// The key of these bytes: a point, in its canonical encoding, not of small order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, SignError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| SignError::NoPoint)?;
        if key.is_weak() {
            return Err(SignError::WeakKey);
        }
        if key.to_edwards().compress().to_bytes() != *bytes {
            return Err(SignError::NonCanonicalKey);
        }
        Ok(Self(*bytes))
    }

    /// The key's 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// `verify_strict` of a plain Ed25519 signature: S below L, R canonical and not of small order,
    /// and the equation without cofactor.
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> Result<(), SignError> {
        VerifyingKey::from_bytes(&self.0)
            .and_then(|key| key.verify_strict(message, &Signature::from_bytes(signature)))
            .map_err(|_| SignError::BadSignature)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// Signs `payload` as an object of `typ`, which is one of the protocol's constants.
pub fn sign(key: &SigningKey, typ: &str, payload: &[u8]) -> Vec<u8> {
    assert!(is_typ(typ.as_bytes()), "typ is a constant of the protocol");
    let protected =
        HeaderBuilder::new().algorithm(iana::Algorithm::EdDSA).value(TYP, Value::Text(typ.to_owned())).build();
    CoseSign1Builder::new()
        .protected(protected)
        .payload(payload.to_vec())
        .create_signature(&[], |message| key.0.sign(message).to_bytes().to_vec())
        .build()
        .to_tagged_vec()
        .expect("integers, text and byte strings always encode")
}

/// A well-formed signed object whose signature has not been verified, with its exact bytes.
#[derive(Clone, Eq, PartialEq)]
pub struct Signed {
    bytes: Arc<[u8]>,
    /// The protected header and the payload, each with its CBOR head, as they stand in `bytes`.
    protected_item: Range<usize>,
    payload_item: Range<usize>,
    typ: Range<usize>,
    payload: Range<usize>,
    hash: [u8; 32],
}

impl Signed {
    /// Parses an object of at most `max_len` bytes, in the one form that [`sign`] writes.
    pub fn parse(bytes: &[u8], max_len: usize) -> Result<Self, SignError> {
        if bytes.len() > max_len {
            return Err(SignError::TooLong { len: bytes.len(), max: max_len });
        }
        let mut cursor = Cursor { bytes, at: 0 };
        if cursor.head(MAJOR_TAG, SignError::NotSign1)? != SIGN1_TAG
            || cursor.head(MAJOR_ARRAY, SignError::NotSign1)? != SIGN1_FIELDS
        {
            return Err(SignError::NotSign1);
        }
        let start = cursor.at;
        let protected = cursor.string(MAJOR_BYTES, SignError::Protected)?;
        let protected_item = start..cursor.at;
        let typ = typ_within(bytes, protected)?;
        if cursor.byte()? != EMPTY_MAP {
            return Err(SignError::Unprotected);
        }
        let start = cursor.at;
        let payload = cursor.string(MAJOR_BYTES, SignError::Payload)?;
        let payload_item = start..cursor.at;
        let signature = cursor.string(MAJOR_BYTES, SignError::SignatureLength)?;
        if signature.len() != Signature::BYTE_SIZE {
            return Err(SignError::SignatureLength);
        }
        if cursor.at != bytes.len() {
            let len = bytes.len() - cursor.at;
            return Err(SignError::Trailing { len });
        }
        let mut signed = Self { bytes: bytes.into(), protected_item, payload_item, typ, payload, hash: [0; 32] };
        signed.hash = Sha256::digest(signed.sig_structure()).into();
        Ok(signed)
    }

    /// The object's kind, version and domain, as its protected header names it.
    pub fn typ(&self) -> &str {
        std::str::from_utf8(&self.bytes[self.typ.clone()]).expect("parse admits ASCII alone")
    }

    /// The signed content.
    pub fn payload(&self) -> &[u8] {
        &self.bytes[self.payload.clone()]
    }

    /// The whole object, exactly as received.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The object's name: `SHA-256(Sig_structure)`, the same for every signature on this content.
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// Checks the signature, strictly, over the received bytes. The caller has compared [`Signed::typ`].
    pub fn verify(&self, key: &PublicKey) -> Result<(), SignError> {
        let signature =
            self.bytes.last_chunk().expect("parse admits no object that ends in anything but 64 bytes of signature");
        key.verify(&self.sig_structure(), signature)
    }

    /// RFC 9052 section 4.4, of the received items as they stand.
    fn sig_structure(&self) -> Vec<u8> {
        [CONTEXT, &self.bytes[self.protected_item.clone()], &[EMPTY_BYTES], &self.bytes[self.payload_item.clone()]]
            .concat()
    }
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed")
            .field("typ", &self.typ())
            .field("hash", &hex::encode(self.hash))
            .field("len", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// Where typ stands, if `protected` is exactly the two-key map.
fn typ_within(bytes: &[u8], protected: Range<usize>) -> Result<Range<usize>, SignError> {
    let mut cursor = Cursor { bytes: &bytes[..protected.end], at: protected.start };
    for expected in PROTECTED_START {
        if cursor.byte() != Ok(expected) {
            return Err(SignError::Protected);
        }
    }
    let typ = cursor.string(MAJOR_TEXT, SignError::Protected)?;
    if cursor.at != protected.end {
        return Err(SignError::Protected);
    }
    if !is_typ(&bytes[typ.clone()]) {
        return Err(SignError::Typ);
    }
    Ok(typ)
}

fn is_typ(typ: &[u8]) -> bool {
    (1..=MAX_TYP).contains(&typ.len()) && typ.iter().all(u8::is_ascii_graphic)
}

const MAJOR_BYTES: u8 = 2;
const MAJOR_TEXT: u8 = 3;
const MAJOR_ARRAY: u8 = 4;
const MAJOR_TAG: u8 = 6;

/// Reads CBOR heads in their shortest form (RFC 8949 sections 3 and 4.2.1).
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn byte(&mut self) -> Result<u8, SignError> {
        let byte = self.bytes.get(self.at).ok_or(SignError::Truncated)?;
        self.at += 1;
        Ok(*byte)
    }

    /// The argument of a head of this major type; anything else is `otherwise`.
    fn head(&mut self, major: u8, otherwise: SignError) -> Result<usize, SignError> {
        let first = self.byte()?;
        if first >> 5 != major {
            return Err(otherwise);
        }
        let (width, least): (usize, u64) = match first & 0x1f {
            short @ 0..=23 => return Ok(usize::from(short)),
            24 => (1, 24),
            25 => (2, 1 << 8),
            26 => (4, 1 << 16),
            27 => (8, 1 << 32),
            _ => return Err(otherwise),
        };
        let mut argument = 0;
        for _ in 0..width {
            argument = argument << 8 | u64::from(self.byte()?);
        }
        if argument < least {
            return Err(SignError::NotShortest);
        }
        usize::try_from(argument).map_err(|_| SignError::Truncated)
    }

    /// Where the content of a string of this major type stands.
    fn string(&mut self, major: u8, otherwise: SignError) -> Result<Range<usize>, SignError> {
        let len = self.head(major, otherwise)?;
        let end = self.at.checked_add(len).ok_or(SignError::Truncated)?;
        if end > self.bytes.len() {
            return Err(SignError::Truncated);
        }
        let start = std::mem::replace(&mut self.at, end);
        Ok(start..end)
    }
}

#[cfg(test)]
mod tests {
    use coset::CoseSign1;
    use proptest::prelude::{ProptestConfig, any, prop, prop_assert, prop_assert_eq, proptest};

    use super::*;

    const TYP_NAME: &str = "entente.card.v1.exercise";

    fn key(byte: u8) -> SigningKey {
        SigningKey::from_seed(&[byte; 32])
    }

    /// An object by parts: each a finished CBOR item.
    fn object(tag_and_array: &[u8], protected: &[u8], rest: &[&[u8]]) -> Vec<u8> {
        let protected = [&[0x40 | u8::try_from(protected.len()).unwrap()], protected].concat();
        [tag_and_array, &protected, &rest.concat()].concat()
    }

    const HEAD: &[u8] = &[0xd2, 0x84];
    const PROTECTED: &[u8] = &[0xa2, 0x01, 0x27, 0x10, 0x61, b't'];
    const PAYLOAD: &[u8] = &[0x43, 1, 2, 3];
    const SIGNATURE: &[u8] = &{
        let mut item = [0; 66];
        item[0] = 0x58;
        item[1] = 64;
        item
    };

    fn fault(bytes: &[u8]) -> SignError {
        Signed::parse(bytes, 1000).unwrap_err()
    }

    #[test]
    fn the_parts_of_the_bad_cases_make_a_good_one() {
        let good = object(HEAD, PROTECTED, &[&[EMPTY_MAP], PAYLOAD, SIGNATURE]);
        let signed = Signed::parse(&good, good.len()).unwrap();
        assert_eq!((signed.typ(), signed.payload()), ("t", &[1, 2, 3][..]));
    }

    #[test]
    fn only_a_tagged_array_of_four_is_an_object() {
        let with_head = |head: &[u8]| fault(&object(head, PROTECTED, &[&[EMPTY_MAP], PAYLOAD, SIGNATURE]));
        assert_eq!(with_head(&[0x84]), SignError::NotSign1);
        assert_eq!(with_head(&[0xd1, 0x84]), SignError::NotSign1);
        assert_eq!(with_head(&[0xd8, 0x62, 0x84]), SignError::NotSign1);
        assert_eq!(with_head(&[0xd8, 0x12, 0x84]), SignError::NotShortest);
        assert_eq!(with_head(&[0xd2, 0x98, 0x04]), SignError::NotShortest);
        assert_eq!(with_head(&[0xd2, 0x9f]), SignError::NotSign1);
        assert_eq!(with_head(&[0xd2, 0x85]), SignError::NotSign1);
        assert_eq!(with_head(&[0xd2, 0xd2, 0x84]), SignError::NotSign1);
    }

    #[test]
    fn only_alg_and_typ_are_a_protected_header() {
        let with = |protected: &[u8]| fault(&object(HEAD, protected, &[&[EMPTY_MAP], PAYLOAD, SIGNATURE]));
        for bad in [
            &[][..],
            &[0xa0],
            &[0xa1, 0x01, 0x27],
            &[0xa1, 0x10, 0x61, b't'],
            &[0xa2, 0x10, 0x61, b't', 0x01, 0x27],
            &[0xa2, 0x01, 0x26, 0x10, 0x61, b't'],
            &[0xa2, 0x01, 0x38, 0x07, 0x10, 0x61, b't'],
            &[0xa2, 0x01, 0x27, 0x10, 0x18, 0x32],
            &[0xa3, 0x01, 0x27, 0x04, 0x41, 0, 0x10, 0x61, b't'],
            &[0xa2, 0x01, 0x27, 0x10, 0x61, b't', 0x00],
            &[0xbf, 0x01, 0x27, 0x10, 0x61, b't', 0xff],
        ] {
            assert_eq!(with(bad), SignError::Protected, "{bad:x?}");
        }
        assert_eq!(with(&[0xa2, 0x01, 0x27, 0x10, 0x78, 1, b't']), SignError::NotShortest);
        assert_eq!(with(&[0xa2, 0x01, 0x27, 0x10, 0x62, b't']), SignError::Truncated);
        assert_eq!(with(&[0xa2, 0x01, 0x27, 0x10, 0x60]), SignError::Typ);
        assert_eq!(with(&[0xa2, 0x01, 0x27, 0x10, 0x61, b' ']), SignError::Typ);
        assert_eq!(with(&[0xa2, 0x01, 0x27, 0x10, 0x61, 0xff]), SignError::Typ);
        let map_instead = [HEAD, PROTECTED, &[EMPTY_MAP], PAYLOAD, SIGNATURE].concat();
        assert_eq!(fault(&map_instead), SignError::Protected);
        let long = [PROTECTED_START.as_slice(), &[0x78, 65], &[b't'; 65]].concat();
        let long = [HEAD, &[0x58, 71], &long, &[EMPTY_MAP], PAYLOAD, SIGNATURE].concat();
        assert_eq!(fault(&long), SignError::Typ);
    }

    #[test]
    fn unprotected_header_payload_and_signature_have_one_form() {
        let with = |rest: &[&[u8]]| fault(&object(HEAD, PROTECTED, rest));
        let kid: &[u8] = &[0xa1, 0x04, 0x41, 0];
        assert_eq!(with(&[kid, PAYLOAD, SIGNATURE]), SignError::Unprotected);
        assert_eq!(with(&[&[0xbf, 0xff], PAYLOAD, SIGNATURE]), SignError::Unprotected);
        let empty: &[u8] = &[EMPTY_MAP];
        assert_eq!(with(&[empty, &[0xf6], SIGNATURE]), SignError::Payload);
        assert_eq!(with(&[empty, &[0x63, b'a', b'b', b'c'], SIGNATURE]), SignError::Payload);
        assert_eq!(with(&[empty, &[0x5f, 0x41, 0, 0xff], SIGNATURE]), SignError::Payload);
        assert_eq!(with(&[empty, &[0x58, 3, 1, 2, 3], SIGNATURE]), SignError::NotShortest);
        assert_eq!(with(&[empty, &[0x59, 0, 3, 1, 2, 3], SIGNATURE]), SignError::NotShortest);
        assert_eq!(with(&[empty, &[0x5a, 0, 0, 0, 3, 1, 2, 3], SIGNATURE]), SignError::NotShortest);
        assert_eq!(with(&[empty, &[0x5b, 0, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3], SIGNATURE]), SignError::NotShortest);
        assert_eq!(with(&[empty, PAYLOAD, &SIGNATURE[..65]]), SignError::Truncated);
        assert_eq!(with(&[empty, PAYLOAD, &[0x41, 0]]), SignError::SignatureLength);
        assert_eq!(with(&[empty, PAYLOAD, &[0x58, 65], &[0; 65]]), SignError::SignatureLength);
        assert_eq!(with(&[empty, PAYLOAD, &[0xf6]]), SignError::SignatureLength);
        assert_eq!(with(&[empty, PAYLOAD, SIGNATURE, &[0, 0]]), SignError::Trailing { len: 2 });
        assert_eq!(with(&[empty, &[0x5b, 255, 255, 255, 255, 255, 255, 255, 255]]), SignError::Truncated);
    }

    #[test]
    fn length_is_bounded_before_anything_else() {
        let good = sign(&key(1), TYP_NAME, b"payload");
        let (len, max) = (good.len(), good.len() - 1);
        assert_eq!(Signed::parse(&good, max), Err(SignError::TooLong { len, max }));
        assert!(Signed::parse(&good, len).is_ok());
        for len in 0..good.len() {
            assert_eq!(Signed::parse(&good[..len], 1000), Err(SignError::Truncated), "{len}");
        }
    }

    #[test]
    fn a_second_signature_is_the_same_object() {
        let one = Signed::parse(&sign(&key(1), TYP_NAME, b"content"), 1000).unwrap();
        let two = Signed::parse(&sign(&key(2), TYP_NAME, b"content"), 1000).unwrap();
        assert_eq!(one.hash(), two.hash());
        assert_ne!(one.bytes(), two.bytes());
        assert_eq!(one.verify(&key(1).public()), Ok(()));
        assert_eq!(one.verify(&key(2).public()), Err(SignError::BadSignature));
        let other_typ = Signed::parse(&sign(&key(1), "entente.card.v1.live", b"content"), 1000).unwrap();
        assert_ne!(one.hash(), other_typ.hash());
    }

    #[test]
    fn weak_and_non_canonical_keys_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(PublicKey::from_bytes(&identity), Err(SignError::WeakKey));
        assert_eq!(PublicKey::from_bytes(&[0; 32]), Err(SignError::WeakKey));
        // y = 2^255 - 19 + k encodes the same point as y = k, for the k below 19 that are on the curve.
        let faults: Vec<_> = (2..19)
            .map(|k| {
                let mut bytes = [0xff; 32];
                (bytes[0], bytes[31]) = (0xed + k, 0x7f);
                PublicKey::from_bytes(&bytes).unwrap_err()
            })
            .collect();
        assert!(faults.contains(&SignError::NonCanonicalKey), "{faults:?}");
        assert!(faults.iter().all(|fault| [SignError::NonCanonicalKey, SignError::NoPoint].contains(fault)));
        let good = key(1).public();
        assert_eq!(PublicKey::from_bytes(good.as_bytes()), Ok(good));
    }

    #[test]
    fn debug_shows_nothing_secret() {
        let shown = format!("{:?}", key(0xab));
        assert_eq!(shown, format!("SigningKey({})", hex::encode(key(0xab).public().as_bytes())));
        let signed = Signed::parse(&sign(&key(1), TYP_NAME, b"the payload"), 1000).unwrap();
        assert!(!format!("{signed:?}").contains("payload"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn coset_and_this_parser_agree(payload in prop::collection::vec(any::<u8>(), 0..70_000)) {
            let bytes = sign(&key(3), TYP_NAME, &payload);
            let ours = Signed::parse(&bytes, bytes.len()).unwrap();
            let theirs = CoseSign1::from_tagged_slice(&bytes).unwrap();
            prop_assert_eq!(ours.sig_structure(), theirs.tbs_data(&[]));
            prop_assert_eq!(Some(ours.payload()), theirs.payload.as_deref());
            prop_assert_eq!(ours.typ(), TYP_NAME);
            prop_assert_eq!(ours.bytes(), bytes.as_slice());
            prop_assert_eq!(ours.verify(&key(3).public()), Ok(()));
        }

        #[test]
        fn any_flipped_bit_is_noticed(
            payload in prop::collection::vec(any::<u8>(), 0..300),
            at in any::<prop::sample::Index>(),
            bit in 0u8..8,
        ) {
            let mut bytes = sign(&key(3), TYP_NAME, &payload);
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let verified = Signed::parse(&bytes, 1000).and_then(|signed| signed.verify(&key(3).public()));
            prop_assert!(verified.is_err());
        }

        #[test]
        fn noise_is_refused_without_panic(noise in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Signed::parse(&noise, 200).is_err());
        }
    }
}
