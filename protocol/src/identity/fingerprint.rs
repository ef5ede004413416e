//! Fingerprints: an agency id as eleven words to read out over the phone, or as a QR code to hold up.
//!
//! The words are those of BIP-39's English list, each told from the others by its first four letters: 11 words carry
//! the first 121 bits of SHA-256("entente.fingerprint.v1" || agency id). Who wants to pass for an agency must find a
//! second preimage of them, about 2^121 tries; the 2^60 tries to a collision yield two agencies of one's own.
//!
//! Eleven, because no wallet's seed has eleven words (BIP-39 knows 12, 15, 18, 21 and 24): a fingerprint is never
//! taken for a seed, nor a seed typed here by mistake. There is no checksum: comparing is the check.

use std::fmt;

use bip39::Language;

use crate::id::{AgencyId, Hash, IdError};

/// How many words there are.
pub const WORDS: usize = 11;

/// Bits that one word of 2048 carries.
const BITS_PER_WORD: usize = 11;

/// What stands before the agency id in the QR code; its letters fit QR's compact alphanumeric mode.
const QR_PREFIX: &str = "ENTENTE1:";

/// A text to compare is not longer: words with numbering and separators.
const TEXT_BYTES: usize = 1024;

/// The fingerprint of an agency.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fingerprint {
    agency: AgencyId,
    indices: [u16; WORDS],
}

/// Why a text is not this agency's fingerprint. Words that should have been there are not told, so that no one
/// corrects a text instead of asking again.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FingerprintError {
    /// Another number of words.
    #[error("a fingerprint has {WORDS} words, this text has {found}")]
    Count {
        /// Words found.
        found: usize,
    },
    /// The text is longer than any fingerprint.
    #[error("a fingerprint is at most {TEXT_BYTES} bytes of text, this has {found}")]
    TooLong {
        /// Bytes found.
        found: usize,
    },
    /// A word is none of the list.
    #[error("word {at} is not on the word list: a slip in typing or hearing")]
    NotAWord {
        /// Which word, counted from 1.
        at: usize,
    },
    /// A word is another than the fingerprint's.
    #[error("word {at} is `{word}`, the fingerprint has another: compare again")]
    WordDiffers {
        /// Which word, counted from 1.
        at: usize,
        /// The word that was given.
        word: &'static str,
    },
    /// The text is an agency id with a slip.
    #[error(transparent)]
    Id(#[from] IdError),
    /// The text is another agency's id.
    #[error("this is the id of another agency")]
    OtherAgency,
}

impl Fingerprint {
    /// The fingerprint of an agency.
    pub fn of(agency: AgencyId) -> Fingerprint {
        let hash = Hash::of(&[b"entente.fingerprint.v1", agency.as_bytes()]);
        let bit = |at: usize| u16::from(hash.as_bytes()[at / 8] >> (7 - at % 8) & 1);
        let word = |word: usize| (0..BITS_PER_WORD).fold(0, |sum, at| sum << 1 | bit(word * BITS_PER_WORD + at));
        Fingerprint { agency, indices: std::array::from_fn(word) }
    }

    /// The words.
    pub fn words(&self) -> [&'static str; WORDS] {
        self.indices.map(|index| Language::English.word_list()[usize::from(index)])
    }

    /// What the QR code holds: `ENTENTE1:` and the agency id in upper case, 74 characters.
    pub fn qr_payload(&self) -> String {
        format!("{QR_PREFIX}{}", self.agency.to_string().to_uppercase())
    }

    /// Compares with what a person was told: the words in any case, cut to their first four letters or not, with any
    /// numbering and separators between them; or the agency id; or the content of the QR code.
    pub fn matches(&self, text: &str) -> Result<(), FingerprintError> {
        let text = text.trim();
        if text.len() > TEXT_BYTES {
            return Err(FingerprintError::TooLong { found: text.len() });
        }
        if let Some(id) = strip_prefix(text, QR_PREFIX) {
            return self.matches_id(id);
        }
        if strip_prefix(text, "agency1").is_some() {
            return self.matches_id(text);
        }
        self.matches_words(text)
    }

    fn matches_id(&self, text: &str) -> Result<(), FingerprintError> {
        if text.parse::<AgencyId>()? == self.agency { Ok(()) } else { Err(FingerprintError::OtherAgency) }
    }

    fn matches_words(&self, text: &str) -> Result<(), FingerprintError> {
        let lower = text.to_lowercase();
        let words: Vec<&str> = lower.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).collect();
        if words.len() != WORDS {
            return Err(FingerprintError::Count { found: words.len() });
        }
        for (at, (word, expected)) in words.into_iter().zip(self.words()).enumerate() {
            let at = at + 1;
            match listed(word) {
                None => return Err(FingerprintError::NotAWord { at }),
                Some(word) if word != expected => return Err(FingerprintError::WordDiffers { at, word }),
                Some(_) => {}
            }
        }
        Ok(())
    }
}

/// The words with a blank between them.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().join(" "))
    }
}

/// The rest of a text after a prefix in any case.
fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// The word of the list that is meant: the word itself, or the one that begins with these four letters or more.
fn listed(word: &str) -> Option<&'static str> {
    if let Some(index) = Language::English.find_word(word) {
        return Some(Language::English.word_list()[usize::from(index)]);
    }
    match Language::English.words_by_prefix(word) {
        [only] if word.len() >= 4 => Some(only),
        _ => None,
    }
}
