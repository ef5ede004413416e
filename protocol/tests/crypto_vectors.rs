//! Cryptography against vectors that others made; `vectors/README.md` says who, and under which licence.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use entente_protocol::crypto::{
    ContentKey, EncryptionKey, EncryptionSecret, KeyError, KeyfileError, OpenError, PublicKey, SignError, Signed,
    SigningKey, content_key, merkle, sign, unprotect, unwrap,
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use x25519_dalek::x25519;

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("vectors are JSON")
}

fn rows(text: &str) -> Vec<Value> {
    serde_json::from_str(text).expect("vectors are JSON")
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_default()
}

fn bytes(row: &Value, key: &str) -> Vec<u8> {
    hex::decode(text(row, key)).expect("vectors are hexadecimal")
}

fn array<const N: usize>(row: &Value, key: &str) -> [u8; N] {
    bytes(row, key).try_into().expect("vectors have the type's length")
}

/// The `COSE_Sign1` that another implementation of Ed25519 signed, byte for byte.
#[test]
fn the_golden_object_is_written_and_read_as_it_stands() {
    let golden = json(include_str!("vectors/cose_sign1.json"));
    let key = SigningKey::from_seed(&array(&golden, "seed"));
    assert_eq!(key.public(), PublicKey::from_bytes(&array(&golden, "public")).unwrap());
    let object = bytes(&golden, "object");
    assert_eq!(sign(&key, text(&golden, "typ"), &bytes(&golden, "payload")), object);

    let signed = Signed::parse(&object, object.len()).unwrap();
    assert_eq!(signed.typ(), text(&golden, "typ"));
    assert_eq!(signed.payload(), bytes(&golden, "payload"));
    assert_eq!(signed.bytes(), object);
    assert_eq!(signed.hash(), array::<32>(&golden, "hash"));
    assert_eq!(signed.hash(), <[u8; 32]>::from(Sha256::digest(bytes(&golden, "sig_structure"))));
    assert_eq!(signed.verify(&key.public()), Ok(()));
    let other = SigningKey::from_seed(&[0; 32]).public();
    assert_eq!(signed.verify(&other), Err(SignError::BadSignature));
}

/// "Taming the many `EdDSAs`" lists what implementations disagree on; this is where ours stands.
#[test]
fn ed25519_edge_cases_end_strictly() {
    let weak = Err(SignError::WeakKey);
    let bad = Err(SignError::BadSignature);
    let expected = [
        weak,   // 0: key and R of small order, S = 0
        weak,   // 1: key of small order, R mixed
        bad,    // 2: R of small order
        Ok(()), // 3: key and R of mixed order, and the equation holds without cofactor: only the key's maker signs so
        bad,    // 4: the equation holds with cofactor only
        bad,    // 5: the equation holds with cofactor only, S as in 4
        bad,    // 6: S above L
        bad,    // 7: S far above L
        bad,    // 8: R not canonical, reduced before hashing
        bad,    // 9: R not canonical, hashed as it stands
        weak,   // 10: key not canonical, of small order
        weak,   // 11: key not canonical, of small order
    ];
    let cases = rows(include_str!("vectors/ed25519_speccheck.json"));
    assert_eq!(cases.len(), expected.len());
    for (number, (case, expected)) in cases.iter().zip(expected).enumerate() {
        let verdict = PublicKey::from_bytes(&array(case, "pub_key"))
            .and_then(|key| key.verify(&bytes(case, "message"), &array(case, "signature")));
        assert_eq!(verdict, expected, "case {number}");
    }
}

/// Low order is refused, and so is a second encoding; all other points give the published secrets.
#[test]
fn x25519_keys_of_low_order_are_refused() {
    let mut modulus = [0xff; 32];
    (modulus[0], modulus[31]) = (0x7f, 0xed);
    let mut key = *EncryptionSecret::from_seed(&[1; 32]).public().as_bytes();
    let (mut refused, mut taken) = (0, 0);
    for case in rows(include_str!("vectors/wycheproof_x25519.json")) {
        let public: [u8; 32] = array(&case, "public");
        let shared = x25519(array(&case, "private"), public);
        assert_eq!(shared, array::<32>(&case, "shared"), "{case}");

        key[EncryptionKey::LEN - 32..].copy_from_slice(&public);
        let flagged = |flag: &str| case["flags"].as_array().unwrap().iter().any(|f| f == flag);
        let mut big_endian = public;
        big_endian.reverse();
        assert!(big_endian >= modulus || !flagged("NonCanonicalPublic"), "{case}");
        let expected = if big_endian >= modulus {
            Some(KeyError::NonCanonical)
        } else if flagged("LowOrderPublic") {
            Some(KeyError::LowOrder)
        } else {
            None
        };
        assert_eq!(EncryptionKey::from_bytes(&key).err(), expected, "{case}");
        *(if expected.is_some() { &mut refused } else { &mut taken }) += 1;
    }
    assert_eq!((refused, taken), (44, 56));
}

#[test]
fn post_quantum_files_end_as_the_age_testkit_says() {
    let malformed = Err(OpenError::HeaderMalformed);
    let expected = [
        ("armor_hybrid, without its armour", Ok(true)),
        // A good age file, but classical recipients have no place beside post-quantum ones here.
        ("hybrid_and_x25519", Err(OpenError::ForeignStanza)),
        ("hybrid_bad_tag", Err(OpenError::WrongKey)),
        ("hybrid_long_file_key", malformed),
        ("hybrid_low_order", malformed),
        ("hybrid_not_canonical_body", malformed),
        ("hybrid_not_canonical_enc", malformed),
    ];
    let mut outcomes = Vec::new();
    let kit = rows(include_str!("vectors/age_testkit.json"));
    for case in &kit {
        let Ok(secret) = EncryptionSecret::from_text(text(case, "identity")) else {
            continue;
        };
        let file = BASE64_STANDARD.decode(text(case, "body")).unwrap();
        let opened = unwrap(&secret, &file, 1000);
        outcomes.push((text(case, "name"), opened.map(|plaintext| is_payload(case, &plaintext))));
    }
    assert_eq!(outcomes, expected);
}

#[test]
fn passphrase_files_end_as_the_age_testkit_says() {
    const MAX: u8 = 20;
    let damaged = |fault| Err(KeyfileError::Damaged(fault));
    let malformed = damaged(OpenError::HeaderMalformed);
    let expected = [
        ("scrypt", Ok(true)),
        ("scrypt_double", damaged(OpenError::StanzaCount { count: 2 })),
        ("scrypt_extra_argument", malformed),
        ("scrypt_long_file_key", malformed),
        ("scrypt_not_canonical_body", malformed),
        ("scrypt_not_canonical_salt", malformed),
        ("scrypt_salt_long", malformed),
        ("scrypt_salt_short", malformed),
        ("scrypt_work_factor_23", Err(KeyfileError::TooMuchWork { log_n: 23, max: MAX })),
        ("scrypt_work_factor_leading_plus", malformed),
        ("scrypt_work_factor_leading_zero_decimal", malformed),
        ("scrypt_work_factor_missing", malformed),
        ("scrypt_work_factor_wrong", Err(KeyfileError::WrongPassphrase)),
        ("scrypt_work_factor_zero", malformed),
    ];
    let mut outcomes = Vec::new();
    let kit = rows(include_str!("vectors/age_testkit.json"));
    for case in kit.iter().filter(|case| case["passphrase"].is_string()) {
        let file = BASE64_STANDARD.decode(text(case, "body")).unwrap();
        let opened = unprotect(text(case, "passphrase"), &file, MAX);
        outcomes.push((text(case, "name"), opened.map(|plaintext| is_payload(case, &plaintext))));
    }
    assert_eq!(outcomes, expected);
}

/// No file of the kit is a body under a content key, and none is taken for one.
#[test]
fn no_other_age_file_opens_as_a_body() {
    let key = ContentKey::from_bytes(&[1; 32]);
    for case in rows(include_str!("vectors/age_testkit.json")) {
        let file = BASE64_STANDARD.decode(text(&case, "body")).unwrap();
        assert!(content_key::open(&key, &file, 1 << 20).is_err(), "{}", text(&case, "name"));
    }
}

fn is_payload(case: &Value, plaintext: &[u8]) -> bool {
    hex::encode(Sha256::digest(plaintext)) == text(case, "payload")
}

/// The eight leaves of the Certificate Transparency reference implementation.
const CT_LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

/// The roots over the first 0 to 8 of them.
const CT_ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn ct_leaves() -> Vec<[u8; 32]> {
    CT_LEAVES.iter().map(|leaf| merkle::leaf_hash(&hex::decode(leaf).expect("leaves are hexadecimal"))).collect()
}

#[test]
fn certificate_transparency_roots() {
    let leaves = ct_leaves();
    for (size, root) in CT_ROOTS.iter().enumerate() {
        assert_eq!(hex::encode(merkle::root(&leaves[..size])), *root, "{size} leaves");
    }
}

#[test]
fn certificate_transparency_paths() {
    const FIRST_PAIR: &str = CT_ROOTS[2];
    const SECOND_PAIR: &str = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
    const FIFTH: &str = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
    const SECOND: &str = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
    const LAST_PAIR: &str = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
    const LAST_FOUR: &str = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";
    let cases: [(usize, usize, &[&str]); 5] = [
        (0, 1, &[]),
        (0, 8, &[SECOND, SECOND_PAIR, LAST_FOUR]),
        (5, 8, &[FIFTH, LAST_PAIR, CT_ROOTS[4]]),
        (2, 3, &[FIRST_PAIR]),
        (1, 5, &[CT_ROOTS[1], SECOND_PAIR, FIFTH]),
    ];
    let leaves = ct_leaves();
    for (index, size, expected) in cases {
        let path = merkle::path(&leaves[..size], index);
        assert_eq!(path.iter().map(hex::encode).collect::<Vec<_>>(), expected, "{index} of {size}");
        assert!(merkle::verify(leaves[index], index, size, &path, merkle::root(&leaves[..size])));
    }
}
