//! Gradings: how reliable the source is and how credible the information, in the scheme that the author used.
//!
//! A grading is kept as scheme and codes and is never converted: the same letter means other things elsewhere
//! (Admiralty F and 6, and X in the 4x4 system, say "cannot be judged", not "bad"; source 2 of the UK's system says
//! "untested"). Gradings are therefore equal or not, and have no order.
//!
//! | scheme | wire | codes | source |
//! |---|---|---|---|
//! | 4x4 | 0 | source A B C X, information 1-4 | Europol Regulation (EU) 2016/794, Art. 29 |
//! | Admiralty | 1 | source A-F, information 1-6 | NATO AJP-2.1; MISP taxonomy admiralty-scale 5 |
//! | UK 3x5x2 | 2 | source 1-3, assessment A-E, handling P or C | College of Policing, intelligence report |

use std::fmt;
use std::str::FromStr;

/// In which system a grading was made.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum GradingScheme {
    /// Europol's 4x4, the default.
    FourByFour,
    /// The Admiralty scale.
    Admiralty,
    /// The United Kingdom's 3x5x2.
    Uk3x5x2,
}

impl GradingScheme {
    /// All schemes, in the order of their numbers.
    pub const ALL: [GradingScheme; 3] = [GradingScheme::FourByFour, GradingScheme::Admiralty, GradingScheme::Uk3x5x2];

    /// The scheme's number on the wire.
    pub const fn to_wire(self) -> u64 {
        match self {
            GradingScheme::FourByFour => 0,
            GradingScheme::Admiralty => 1,
            GradingScheme::Uk3x5x2 => 2,
        }
    }

    /// The name written before the codes.
    pub const fn name(self) -> &'static str {
        match self {
            GradingScheme::FourByFour => "4x4",
            GradingScheme::Admiralty => "admiralty",
            GradingScheme::Uk3x5x2 => "uk3x5x2",
        }
    }

    /// The codes that may stand at each place: source, information, handling.
    const fn places(self) -> &'static [&'static str] {
        match self {
            GradingScheme::FourByFour => &["ABCX", "1234"],
            GradingScheme::Admiralty => &["ABCDEF", "123456"],
            GradingScheme::Uk3x5x2 => &["123", "ABCDE", "PC"],
        }
    }

    /// The codes in words, for messages.
    pub const fn rule(self) -> &'static str {
        match self {
            GradingScheme::FourByFour => "a source A, B, C or X and an information 1 to 4, such as B2",
            GradingScheme::Admiralty => "a source A to F and an information 1 to 6, such as admiralty:B2",
            GradingScheme::Uk3x5x2 => {
                "a source 1 to 3, an assessment A to E and a handling P or C, such as uk3x5x2:2CP"
            }
        }
    }
}

/// How reliable the source is and how credible the information.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Grading {
    scheme: GradingScheme,
    /// ASCII, one byte for each place of the scheme, the rest zero.
    codes: [u8; 3],
}

/// Why a text is no grading.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum GradingError {
    /// A name before the colon that is no scheme.
    #[error("not a grading scheme: write 4x4, admiralty or uk3x5x2, or nothing for 4x4")]
    SchemeName,
    /// From a partner: a scheme number that this version does not know.
    #[error("grading scheme {number} is not known")]
    UnknownScheme {
        /// The number on the wire.
        number: u64,
    },
    /// Codes that the scheme does not have.
    #[error("a grading in {} is {}", scheme.name(), scheme.rule())]
    Codes {
        /// The scheme.
        scheme: GradingScheme,
    },
}

impl Grading {
    /// Reads `B2` (4x4), or a scheme and its codes: `admiralty:B2`, `uk3x5x2:2CP`. Letter case does not matter.
    pub fn parse(text: &str) -> Result<Grading, GradingError> {
        let text = text.trim();
        let Some((name, codes)) = text.split_once(':') else {
            return Grading::read(GradingScheme::FourByFour, text);
        };
        let scheme = GradingScheme::ALL.into_iter().find(|scheme| scheme.name().eq_ignore_ascii_case(name));
        Grading::read(scheme.ok_or(GradingError::SchemeName)?, codes)
    }

    /// Takes what a partner sent. A scheme of a newer version is [`GradingError::UnknownScheme`], for the caller to hold.
    pub fn from_wire(scheme: u64, codes: &str) -> Result<Grading, GradingError> {
        let known = GradingScheme::ALL.into_iter().find(|known| known.to_wire() == scheme);
        let known = known.ok_or(GradingError::UnknownScheme { number: scheme })?;
        let grading = Grading::read(known, codes)?;
        if grading.codes() == codes { Ok(grading) } else { Err(GradingError::Codes { scheme: known }) }
    }

    fn read(scheme: GradingScheme, text: &str) -> Result<Grading, GradingError> {
        let places = scheme.places();
        if text.len() != places.len() {
            return Err(GradingError::Codes { scheme });
        }
        let mut codes = [0; 3];
        for ((code, place), found) in codes.iter_mut().zip(places).zip(text.bytes()) {
            let found = found.to_ascii_uppercase();
            if !place.as_bytes().contains(&found) {
                return Err(GradingError::Codes { scheme });
            }
            *code = found;
        }
        Ok(Grading { scheme, codes })
    }

    /// The scheme.
    pub fn scheme(&self) -> GradingScheme {
        self.scheme
    }

    /// The reliability of the source.
    pub fn source(&self) -> char {
        self.codes[0].into()
    }

    /// The credibility of the information.
    pub fn information(&self) -> char {
        self.codes[1].into()
    }

    /// The UK's handling code, P (permitted) or C (conditions apply); other schemes have none.
    pub fn handling(&self) -> Option<char> {
        (self.codes[2] != 0).then(|| self.codes[2].into())
    }

    /// The codes without the scheme, such as `B2`.
    pub fn codes(&self) -> &str {
        let codes = &self.codes[..self.scheme.places().len()];
        std::str::from_utf8(codes).expect("codes are ASCII")
    }
}

impl fmt::Display for Grading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scheme {
            GradingScheme::FourByFour => f.write_str(self.codes()),
            scheme => write!(f, "{}:{}", scheme.name(), self.codes()),
        }
    }
}

impl FromStr for Grading {
    type Err = GradingError;

    fn from_str(text: &str) -> Result<Grading, GradingError> {
        Grading::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All gradings of a scheme, as text.
    fn every(scheme: GradingScheme) -> Vec<String> {
        let mut all = vec![String::new()];
        for place in scheme.places() {
            all = all.iter().flat_map(|head| place.chars().map(move |code| format!("{head}{code}"))).collect();
        }
        all
    }

    #[test]
    fn every_grading_reads_back_from_people_and_wire() {
        let sizes = [(GradingScheme::FourByFour, 16), (GradingScheme::Admiralty, 36), (GradingScheme::Uk3x5x2, 30)];
        for (scheme, size) in sizes {
            let all = every(scheme);
            assert_eq!(all.len(), size);
            for codes in all {
                let grading = Grading::from_wire(scheme.to_wire(), &codes).unwrap();
                assert_eq!((grading.scheme(), grading.codes()), (scheme, codes.as_str()));
                assert_eq!(grading.to_string().parse(), Ok(grading));
            }
        }
    }

    #[test]
    fn a_bare_code_is_4x4_and_equals_no_other_scheme() {
        let grading = Grading::parse("b2").unwrap();
        assert_eq!((grading.to_string().as_str(), grading.source(), grading.information()), ("B2", 'B', '2'));
        assert_ne!(Ok(grading), Grading::parse("admiralty:B2"));
        assert_eq!(Grading::parse("4x4:B2"), Ok(grading));
        assert_eq!(Grading::parse("uk3x5x2:2CP").unwrap().handling(), Some('P'));
    }

    #[test]
    fn what_a_scheme_lacks_is_refused() {
        let codes = |scheme| Err(GradingError::Codes { scheme });
        for text in ["", "B", "B22", "D1", "A5", "X0", "2B", "é", "B\u{0}"] {
            assert_eq!(Grading::parse(text), codes(GradingScheme::FourByFour), "{text}");
        }
        assert_eq!(Grading::parse("admiralty:X1"), codes(GradingScheme::Admiralty));
        assert_eq!(Grading::parse("uk3x5x2:2C"), codes(GradingScheme::Uk3x5x2));
        assert_eq!(Grading::parse("nato:B2"), Err(GradingError::SchemeName));
        assert_eq!(Grading::from_wire(0, "b2"), codes(GradingScheme::FourByFour));
        assert_eq!(Grading::from_wire(3, "B2"), Err(GradingError::UnknownScheme { number: 3 }));
    }
}
