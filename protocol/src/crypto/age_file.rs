//! One strict way into and out of the age v1 file format, for the three kinds of file that we have.
//!
//! ```text
//! age-encryption.org/v1
//! -> TAG ARGS...            exactly one stanza of the kind expected
//! BASE64
//! -> x-grease ARGS...       at most one, which age adds at random so that readers stay tolerant
//! BASE64
//! --- MAC
//! nonce, 64 KiB chunks of ChaCha20-Poly1305 (STREAM)
//! ```
//!
//! age's own header parser takes quadratic time and knows no bound: 490 KB cost it six seconds. So
//! a linear scan comes first, which ends at 32 KiB, counts the stanzas, and computes the length of
//! the plaintext, since STREAM adds exactly 16 bytes a chunk. Nothing is allocated or decrypted
//! before all of that fits. ASCII armour is deliberately absent.

use std::io::{Read, Write};
use std::iter;

use age::{DecryptError, Decryptor, Encryptor, Identity, Recipient};
use thiserror::Error;
use zeroize::Zeroizing;

/// The longest header, in bytes. Ours take 0.3 KB (content key) to 2 KB (post-quantum).
const MAX_HEADER: usize = 32 * 1024;

const VERSION: &[u8] = b"age-encryption.org/v1";

/// The line that ends a header: `--- ` and the base64 of a 32-byte MAC.
const MAC_LINE: usize = 4 + 43;

/// The most base64 columns in a line of a stanza's body.
const COLUMNS: usize = 64;

const NONCE: usize = 16;
const TAG: usize = 16;
const SEALED_CHUNK: usize = 64 * 1024 + TAG;

/// Why an age file was not opened.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum OpenError {
    /// The header goes on for too long.
    #[error("age header does not end within {MAX_HEADER} bytes")]
    HeaderTooLong,
    /// Not an age v1 file, or not by the letter of its format.
    #[error("age header is malformed")]
    HeaderMalformed,
    /// A stanza that this kind of file must not hold.
    #[error("age header holds a stanza other than the expected one")]
    ForeignStanza,
    /// Not exactly one stanza of the kind expected.
    #[error("age header holds {count} stanzas of the expected kind, not 1")]
    StanzaCount {
        /// How many there are.
        count: usize,
    },
    /// Sealed to someone else, or the stanza was altered: the two cannot be told apart.
    #[error("sealed to another key")]
    WrongKey,
    /// The header's MAC does not match.
    #[error("age header was altered")]
    HeaderAltered,
    /// The plaintext is longer than the reader takes.
    #[error("holds {len} bytes, more than {max}")]
    TooLarge {
        /// The plaintext's length, in bytes.
        len: usize,
        /// The most that was allowed, in bytes.
        max: usize,
    },
    /// The body is cut short, extended or altered.
    #[error("body is truncated or altered")]
    BodyDamaged,
}

/// Why nothing could be sealed.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum SealError {
    /// The operating system gave no randomness.
    #[error("the operating system gives no randomness")]
    NoRandomness,
}

/// Fresh bytes from the operating system, zeroised after use.
pub(super) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, SealError> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|_| SealError::NoRandomness)?;
    Ok(bytes)
}

/// What a kind of file holds in its header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// The tag of its one stanza.
    pub(super) tag: &'static str,
    /// Whether age adds a grease stanza to it (to all but scrypt files).
    pub(super) grease: bool,
}

/// A header that passed the scan.
#[derive(Debug)]
pub(super) struct Header<'a> {
    /// Our stanza's arguments, as written.
    pub(super) args: &'a [u8],
    /// The length of the header, in bytes.
    len: usize,
}

/// Seals `plaintext` for `recipient`, which must never fail to wrap a file key.
pub(super) fn seal(recipient: &dyn Recipient, plaintext: &[u8]) -> Vec<u8> {
    const IN_MEMORY: &str = "writing to memory does not fail";
    let encryptor =
        Encryptor::with_recipients(iter::once(recipient)).expect("our recipients wrap every file key, and stand alone");
    let mut file = Vec::with_capacity(2048 + plaintext.len() + plaintext.len() / 4096);
    let mut writer = encryptor.wrap_output(&mut file).expect(IN_MEMORY);
    writer.write_all(plaintext).expect(IN_MEMORY);
    writer.finish().expect(IN_MEMORY);
    file
}

/// Opens a `file` of that `shape`, at most `max` bytes of plaintext.
pub(super) fn open(
    identity: &dyn Identity,
    shape: Shape,
    file: &[u8],
    max: usize,
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let header = scan(file, shape)?;
    let len = plaintext_len(file.len() - header.len)?;
    if len > max {
        return Err(OpenError::TooLarge { len, max });
    }
    let mut reader = Decryptor::new_buffered(file)
        .and_then(|decryptor| decryptor.decrypt(iter::once(identity)))
        .map_err(|fault| blame(&fault))?;
    let mut plaintext = Zeroizing::new(vec![0; len]);
    reader.read_exact(&mut plaintext).map_err(|_| OpenError::BodyDamaged)?;
    // The end is authenticated too, and of an empty plaintext only the end is.
    match reader.read(&mut [0]) {
        Ok(0) => Ok(plaintext),
        _ => Err(OpenError::BodyDamaged),
    }
}

/// Bounds a header and counts its stanzas, in one pass over at most [`MAX_HEADER`] bytes.
pub(super) fn scan(file: &[u8], shape: Shape) -> Result<Header<'_>, OpenError> {
    let mut lines = Lines { file, at: 0 };
    if lines.next()? != VERSION {
        return Err(OpenError::HeaderMalformed);
    }
    let (mut ours, mut grease, mut args) = (0, 0, &b""[..]);
    // A stanza's body ends with its first line that is not full, which may be empty.
    let mut in_body = false;
    loop {
        let line = lines.next()?;
        let starts = line.starts_with(b"-");
        if in_body == starts || line.len() > COLUMNS && !starts {
            return Err(OpenError::HeaderMalformed);
        }
        in_body = starts || line.len() == COLUMNS;
        if let Some(stanza) = line.strip_prefix(b"-> ") {
            let (tag, rest) = split_word(stanza);
            if tag == shape.tag.as_bytes() {
                ours += 1;
                args = rest;
            } else if shape.grease && tag.ends_with(b"-grease") {
                grease += 1;
            } else {
                return Err(OpenError::ForeignStanza);
            }
        } else if starts {
            if !line.starts_with(b"--- ") || line.len() != MAC_LINE {
                return Err(OpenError::HeaderMalformed);
            }
            break;
        }
    }
    match (ours, grease) {
        (1, 0 | 1) => Ok(Header { args, len: lines.at }),
        (1, _) => Err(OpenError::ForeignStanza),
        (count, _) => Err(OpenError::StanzaCount { count }),
    }
}

struct Lines<'a> {
    file: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Result<&'a [u8], OpenError> {
        let rest = &self.file[self.at..self.file.len().min(MAX_HEADER)];
        match rest.iter().position(|&byte| byte == b'\n') {
            Some(end) => {
                self.at += end + 1;
                Ok(&rest[..end])
            }
            None if self.file.len() > MAX_HEADER => Err(OpenError::HeaderTooLong),
            None => Err(OpenError::HeaderMalformed),
        }
    }
}

/// The part before the first space, and the part after it.
fn split_word(line: &[u8]) -> (&[u8], &[u8]) {
    match line.iter().position(|&byte| byte == b' ') {
        Some(end) => (&line[..end], &line[end + 1..]),
        None => (line, b""),
    }
}

/// The plaintext's length in a body of `len` bytes, nonce included.
fn plaintext_len(len: usize) -> Result<usize, OpenError> {
    let sealed = len.checked_sub(NONCE).ok_or(OpenError::BodyDamaged)?;
    let last = sealed % SEALED_CHUNK;
    let one_chunk = sealed <= SEALED_CHUNK;
    // A tag alone is a chunk only where the whole plaintext is empty.
    if sealed < TAG || (!one_chunk && (1..=TAG).contains(&last)) {
        return Err(OpenError::BodyDamaged);
    }
    Ok(sealed - sealed.div_ceil(SEALED_CHUNK) * TAG)
}

fn blame(fault: &DecryptError) -> OpenError {
    match fault {
        DecryptError::NoMatchingKeys | DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => {
            OpenError::WrongKey
        }
        DecryptError::InvalidMac => OpenError::HeaderAltered,
        _ => OpenError::HeaderMalformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { tag: "ours", grease: true };
    const MAC: &str = "--- 0123456789012345678901234567890123456789012";

    fn scanned(stanzas: &str) -> Result<usize, OpenError> {
        let file = format!("age-encryption.org/v1\n{stanzas}{MAC}\n0123456789abcdef");
        scan(file.as_bytes(), SHAPE).map(|header| file.len() - header.len)
    }

    #[test]
    fn one_stanza_of_ours_and_at_most_one_of_grease() {
        assert_eq!(scanned("-> ours a b\nAAAA\n"), Ok(16));
        assert_eq!(scanned("-> ours\nAAAA\n-> x-grease y\n\n"), Ok(16));
        assert_eq!(scanned("-> x-grease y\n\n-> ours\nAAAA\n"), Ok(16));
        let count = |count| Err(OpenError::StanzaCount { count });
        assert_eq!(scanned(""), count(0));
        assert_eq!(scanned("-> x-grease\n\n"), count(0));
        assert_eq!(scanned("-> ours\n\n-> ours\n\n"), count(2));
        let foreign = Err(OpenError::ForeignStanza);
        assert_eq!(scanned("-> ours\n\n-> a-grease\n\n-> b-grease\n\n"), foreign);
        assert_eq!(scanned("-> ours\n\n-> X25519 x\n\n"), foreign);
        assert_eq!(scanned("-> oursx\n\n"), foreign);
    }

    #[test]
    fn grease_is_refused_where_age_adds_none() {
        let file = format!("age-encryption.org/v1\n-> ours\n\n-> x-grease\n\n{MAC}\n");
        let bare = Shape { grease: false, ..SHAPE };
        let refused = scan(file.as_bytes(), bare).map(|header| header.len);
        assert_eq!(refused, Err(OpenError::ForeignStanza));
    }

    #[test]
    fn a_header_that_never_ends_is_left_at_the_bound() {
        let body_line = "A".repeat(COLUMNS) + "\n";
        for (start, line, fault) in [
            ("-> ours\n", body_line.as_str(), OpenError::HeaderTooLong),
            ("-> ours", " x", OpenError::HeaderTooLong),
            ("", "-> ours\n\n", OpenError::HeaderTooLong),
            ("", "-> x-grease\n\n", OpenError::HeaderTooLong),
            ("", "-> ours\n", OpenError::HeaderMalformed),
            ("", "\n", OpenError::HeaderMalformed),
        ] {
            let file = ["age-encryption.org/v1\n", start, &line.repeat(490_000 / line.len())].concat();
            let refused = open(&Nobody, SHAPE, file.as_bytes(), 10);
            assert_eq!(refused, Err(fault), "{line}");
        }
    }

    #[test]
    fn malformed_headers_are_refused() {
        let malformed = Err(OpenError::HeaderMalformed);
        let long_line = format!("-> ours\n{}\n", "A".repeat(COLUMNS + 1));
        assert_eq!(scanned(&long_line), malformed);
        assert_eq!(scanned("-> ours\nAAAA\n--- short\n"), malformed);
        assert_eq!(scanned("-> ours\nAAAA\nAAAA\n"), malformed);
        assert_eq!(scanned("-> ours\n"), malformed);
        assert_eq!(scanned("-> ours\n-> x-grease\n\n"), malformed);
        let full_line = format!("-> ours\n{}\n", "A".repeat(COLUMNS));
        assert_eq!(scanned(&full_line), malformed);
        assert_eq!(scanned(&(full_line + "\n")), Ok(16));
        for file in ["", "age-encryption.org/v1", "age-encryption.org/v2\n", "-> ours\n\n"] {
            let refused = open(&Nobody, SHAPE, file.as_bytes(), 10);
            assert_eq!(refused, Err(OpenError::HeaderMalformed), "{file}");
        }
    }

    #[test]
    fn the_plaintext_length_follows_from_the_body_length() {
        let chunk = 64 * 1024;
        for (body, plaintext) in [
            (NONCE + TAG, 0),
            (NONCE + TAG + 1, 1),
            (NONCE + TAG + chunk, chunk),
            (NONCE + 2 * TAG + chunk + 1, chunk + 1),
        ] {
            assert_eq!(plaintext_len(body), Ok(plaintext), "{body}");
        }
        for body in [0, NONCE, NONCE + TAG - 1, NONCE + TAG + chunk + 1, NONCE + 2 * TAG + chunk] {
            assert_eq!(plaintext_len(body), Err(OpenError::BodyDamaged), "{body}");
        }
    }

    struct Nobody;

    impl Identity for Nobody {
        fn unwrap_stanza(
            &self,
            _: &age_core::format::Stanza,
        ) -> Option<Result<age_core::format::FileKey, DecryptError>> {
            panic!("the header must be refused before age sees it")
        }
    }
}
