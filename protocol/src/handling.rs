//! Handling codes and precedence: what a recipient may do with a report, and how soon it should look at it.
//!
//! Handling codes are Europol's H0 to H3; several may stand on one report. Precedence is that of military messages
//! (ACP 121), as MISP's intelligence-dissemination object uses it, without FLASH OVERRIDE.

use std::fmt;
use std::str::FromStr;

use crate::limits::SHORT_TEXT_BYTES;

/// What a recipient may do with a report.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Handling {
    /// H0: use for preventing and combating crime only.
    Crime,
    /// H1: not in judicial proceedings without the originator's permission.
    NotInCourt,
    /// H2: no dissemination without the originator's permission.
    NoDissemination,
    /// H3: other restrictions, in words.
    Other(Restriction),
}

/// The words of an H3 restriction: not blank, no control characters, at most [`SHORT_TEXT_BYTES`].
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Restriction(Box<str>);

/// Why a text or number is no handling code.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum HandlingError {
    /// Not a code.
    #[error("not a handling code: write H0, H1, H2, or H3 followed by a colon and the restriction in words")]
    Code,
    /// From a partner: a number that stands for no code.
    #[error("handling code H{number} is not known")]
    Unknown {
        /// The number on the wire.
        number: u64,
    },
    /// H3 without words.
    #[error("H3 needs the restriction in words, such as H3: ask before contacting the exchange")]
    NoWords,
    /// Words beside a code that has a fixed meaning.
    #[error("only H3 takes words")]
    Words,
    /// More words than fit.
    #[error("a restriction has at most {SHORT_TEXT_BYTES} bytes, this has {bytes}")]
    TooLong {
        /// Bytes found.
        bytes: usize,
    },
    /// A control character in the words.
    #[error("a restriction has no control characters")]
    Character,
}

impl Restriction {
    fn new(words: &str) -> Result<Restriction, HandlingError> {
        if words.len() > SHORT_TEXT_BYTES {
            return Err(HandlingError::TooLong { bytes: words.len() });
        }
        if words.trim().is_empty() {
            return Err(HandlingError::NoWords);
        }
        if words.contains(char::is_control) {
            return Err(HandlingError::Character);
        }
        Ok(Restriction(words.into()))
    }
}

impl Handling {
    /// Reads `H0`, `H1`, `H2`, or `H3: words`.
    pub fn parse(text: &str) -> Result<Handling, HandlingError> {
        let (code, words) = match text.split_once(':') {
            Some((code, words)) => (code.trim(), Some(words.trim())),
            None => (text.trim(), None),
        };
        let number = match code.as_bytes() {
            [b'H' | b'h', digit @ b'0'..=b'3'] => u64::from(digit - b'0'),
            _ => return Err(HandlingError::Code),
        };
        Handling::from_wire(number, words)
    }

    /// Takes what a partner sent: the code's number, and the words of H3.
    pub fn from_wire(number: u64, words: Option<&str>) -> Result<Handling, HandlingError> {
        match (number, words) {
            (0, None) => Ok(Handling::Crime),
            (1, None) => Ok(Handling::NotInCourt),
            (2, None) => Ok(Handling::NoDissemination),
            (0..=2, Some(_)) => Err(HandlingError::Words),
            (3, None) => Err(HandlingError::NoWords),
            (3, Some(words)) => Restriction::new(words).map(Handling::Other),
            _ => Err(HandlingError::Unknown { number }),
        }
    }

    /// The number on the wire.
    pub fn to_wire(&self) -> u64 {
        match self {
            Handling::Crime => 0,
            Handling::NotInCourt => 1,
            Handling::NoDissemination => 2,
            Handling::Other(_) => 3,
        }
    }

    /// The words of H3; other codes have none.
    pub fn words(&self) -> Option<&str> {
        match self {
            Handling::Other(restriction) => Some(&restriction.0),
            _ => None,
        }
    }
}

impl fmt::Display for Handling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.words() {
            Some(words) => write!(f, "H3: {words}"),
            None => write!(f, "H{}", self.to_wire()),
        }
    }
}

impl FromStr for Handling {
    type Err = HandlingError;

    fn from_str(text: &str) -> Result<Handling, HandlingError> {
        Handling::parse(text)
    }
}

/// How soon a recipient should look; more urgent is greater.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Precedence {
    /// In its turn.
    #[default]
    Routine,
    /// Before routine matters.
    Priority,
    /// At once, within working hours.
    Immediate,
    /// At once, at any hour.
    Flash,
}

/// Why a text or number is no precedence.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PrecedenceError {
    /// Not a word of the list.
    #[error("not a precedence: write routine, priority, immediate or flash")]
    Word,
    /// From a partner: a number that stands for no precedence.
    #[error("precedence {number} is not known")]
    Unknown {
        /// The number on the wire.
        number: u64,
    },
}

impl Precedence {
    /// From the least to the most urgent.
    pub const ALL: [Precedence; 4] =
        [Precedence::Routine, Precedence::Priority, Precedence::Immediate, Precedence::Flash];

    /// Reads a word; letter case does not matter.
    pub fn parse(text: &str) -> Result<Precedence, PrecedenceError> {
        let text = text.trim();
        let is_it = |precedence: &Precedence| precedence.word().eq_ignore_ascii_case(text);
        Precedence::ALL.into_iter().find(is_it).ok_or(PrecedenceError::Word)
    }

    /// Takes what a partner sent.
    pub fn from_wire(number: u64) -> Result<Precedence, PrecedenceError> {
        let is_it = |precedence: &Precedence| precedence.to_wire() == number;
        Precedence::ALL.into_iter().find(is_it).ok_or(PrecedenceError::Unknown { number })
    }

    /// The number on the wire, rising with urgency.
    pub const fn to_wire(self) -> u64 {
        match self {
            Precedence::Routine => 0,
            Precedence::Priority => 1,
            Precedence::Immediate => 2,
            Precedence::Flash => 3,
        }
    }

    /// The word.
    pub const fn word(self) -> &'static str {
        match self {
            Precedence::Routine => "ROUTINE",
            Precedence::Priority => "PRIORITY",
            Precedence::Immediate => "IMMEDIATE",
            Precedence::Flash => "FLASH",
        }
    }
}

impl fmt::Display for Precedence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Precedence {
    type Err = PrecedenceError;

    fn from_str(text: &str) -> Result<Precedence, PrecedenceError> {
        Precedence::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_handling_code_reads_back() {
        for text in ["H0", "H1", "H2", "H3: ask first: always"] {
            let handling = Handling::parse(text).unwrap();
            assert_eq!(handling.to_string(), text);
            assert_eq!(Handling::from_wire(handling.to_wire(), handling.words()), Ok(handling));
        }
        assert_eq!(Handling::parse(" h1 "), Ok(Handling::NotInCourt));
    }

    #[test]
    fn other_handling_codes_are_refused() {
        let long = format!("H3: {}", "x".repeat(SHORT_TEXT_BYTES + 1));
        let cases = [
            ("", HandlingError::Code),
            ("H4", HandlingError::Code),
            ("é3: x", HandlingError::Code),
            ("H3", HandlingError::NoWords),
            ("H3:  ", HandlingError::NoWords),
            ("H0: x", HandlingError::Words),
            ("H3: a\nb", HandlingError::Character),
            (&long, HandlingError::TooLong { bytes: SHORT_TEXT_BYTES + 1 }),
        ];
        for (text, error) in cases {
            assert_eq!(Handling::parse(text), Err(error), "{text}");
        }
        assert_eq!(Handling::from_wire(4, None), Err(HandlingError::Unknown { number: 4 }));
    }

    #[test]
    fn every_precedence_reads_back_and_rises() {
        for precedence in Precedence::ALL {
            assert_eq!(precedence.to_string().parse(), Ok(precedence));
            assert_eq!(Precedence::from_wire(precedence.to_wire()), Ok(precedence));
        }
        assert!(Precedence::ALL.is_sorted());
        assert_eq!(Precedence::parse("urgent"), Err(PrecedenceError::Word));
        assert_eq!(Precedence::from_wire(4), Err(PrecedenceError::Unknown { number: 4 }));
    }
}
