//! Markings: TLP 2.0 (FIRST, August 2022), from the freest to the strictest.
//!
//! Absent on purpose: TLP 1.0's WHITE, which a sender must say anew as CLEAR.

use std::fmt;
use std::str::FromStr;

/// How far a report may be passed on; a stricter marking is greater.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Marking {
    /// To anyone.
    Clear,
    /// Within the community.
    Green,
    /// Within the recipient's organisation and its clients, on a need-to-know basis.
    Amber,
    /// Within the recipient's organisation.
    AmberStrict,
    /// To the named recipients alone.
    Red,
}

/// Why a text or number is no marking.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MarkingError {
    /// Not a word of TLP 2.0.
    #[error("not a marking of TLP 2.0: write clear, green, amber, amber+strict or red")]
    Word,
    /// From a partner: a number that stands for no marking.
    #[error("marking {number} is not known")]
    Unknown {
        /// The number on the wire.
        number: u64,
    },
}

impl Marking {
    /// From the freest to the strictest.
    pub const ALL: [Marking; 5] = [Marking::Clear, Marking::Green, Marking::Amber, Marking::AmberStrict, Marking::Red];

    /// Reads `amber` or `TLP:AMBER+STRICT`; letter case does not matter.
    pub fn parse(text: &str) -> Result<Marking, MarkingError> {
        let text = text.trim();
        let word = match text.get(..4) {
            Some(prefix) if prefix.eq_ignore_ascii_case("tlp:") => &text[4..],
            _ => text,
        };
        Marking::ALL.into_iter().find(|marking| marking.word().eq_ignore_ascii_case(word)).ok_or(MarkingError::Word)
    }

    /// Takes what a partner sent.
    pub fn from_wire(number: u64) -> Result<Marking, MarkingError> {
        Marking::ALL.into_iter().find(|marking| marking.to_wire() == number).ok_or(MarkingError::Unknown { number })
    }

    /// The number on the wire, rising with strictness.
    pub const fn to_wire(self) -> u64 {
        match self {
            Marking::Clear => 0,
            Marking::Green => 1,
            Marking::Amber => 2,
            Marking::AmberStrict => 3,
            Marking::Red => 4,
        }
    }

    /// The word after `TLP:`.
    pub const fn word(self) -> &'static str {
        match self {
            Marking::Clear => "CLEAR",
            Marking::Green => "GREEN",
            Marking::Amber => "AMBER",
            Marking::AmberStrict => "AMBER+STRICT",
            Marking::Red => "RED",
        }
    }
}

impl fmt::Display for Marking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TLP:{}", self.word())
    }
}

impl FromStr for Marking {
    type Err = MarkingError;

    fn from_str(text: &str) -> Result<Marking, MarkingError> {
        Marking::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_marking_reads_back_and_rises() {
        for marking in Marking::ALL {
            assert_eq!(marking.to_string().parse(), Ok(marking));
            assert_eq!(Marking::parse(&marking.word().to_lowercase()), Ok(marking));
            assert_eq!(Marking::from_wire(marking.to_wire()), Ok(marking));
        }
        assert!(Marking::ALL.is_sorted());
        assert!(Marking::ALL.map(Marking::to_wire).is_sorted());
        assert_eq!(Marking::AmberStrict.to_string(), "TLP:AMBER+STRICT");
    }

    #[test]
    fn other_words_and_numbers_are_refused() {
        for text in ["", "TLP:", "white", "amber strict", "TLP:TLP:RED", "éé"] {
            assert_eq!(Marking::parse(text), Err(MarkingError::Word), "{text}");
        }
        assert_eq!(Marking::from_wire(5), Err(MarkingError::Unknown { number: 5 }));
    }
}
