//! Typologies: of what crime an indicator speaks, as a scheme URI and an id in it.
//!
//! Our scheme, [`SCHEME`], takes the abuse concepts of INTERPOL's DW-VA taxonomy 0.1, the concepts that GraphSense
//! tag packs add to it, and the frauds of the MISP cryptocurrency-threat galaxy that neither has. No published list is
//! complete, so the list and its version are ours: an id is never given another meaning, and a version only adds.
//! People choose from the table; a partner's typology is kept whatever its scheme, so that a newer partner's reports
//! survive. The URN namespace is not registered with IANA: the name need only be unique among partners.
//!
//! Absent on purpose: conversion between schemes, and inference from a concept to its broader one.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// The scheme of [`KNOWN`], with its version.
pub const SCHEME: &str = "urn:entente:typology:1";

/// Longest scheme URI, in bytes.
pub const MAX_SCHEME_BYTES: usize = 128;

/// Longest id, in bytes.
pub const MAX_ID_BYTES: usize = 64;

/// The ids of [`SCHEME`] and their names.
pub const KNOWN: &[(&str, &str)] = &[
    // INTERPOL DW-VA abuses 0.1.
    ("phishing", "Phishing"),
    ("ponzi_scheme", "Ponzi scheme"),
    ("ransomware", "Ransomware"),
    ("scam", "Scam"),
    ("service_hack", "Hack of a service"),
    ("sextortion", "Sextortion"),
    // GraphSense concepts 0.1.0: abuses.
    ("child_sexual_abuse", "Child sexual abuse"),
    ("extortion", "Extortion"),
    ("extremism", "Extremism"),
    ("financial_crime", "Financial crime"),
    ("investment_fraud", "Investment fraud"),
    ("money_laundering", "Money laundering"),
    ("payment_card_fraud", "Payment card fraud"),
    ("pyramid_scheme", "Pyramid scheme"),
    ("sanction", "Sanctioned party"),
    ("sexual_abuse", "Sexual abuse"),
    ("terrorism", "Terrorism"),
    ("torture", "Torture"),
    ("violence", "Violence"),
    // GraphSense concepts 0.1.0: grey usage, services and roles.
    ("coinjoin", "CoinJoin"),
    ("exchange", "Exchange"),
    ("gambling", "Gambling"),
    ("market", "Darknet market"),
    ("mixing", "Mixing"),
    ("mixing_service", "Mixing service"),
    ("perpetrator", "Perpetrator"),
    ("victim", "Victim"),
    ("wallet_service", "Wallet service"),
    // MISP cryptocurrency-threat 2.
    ("dusting", "Dusting"),
    ("pig_butchering", "Pig butchering"),
    ("rug_pull", "Rug pull"),
    ("sanction_evasion", "Sanction evasion"),
    ("sim_swapping", "SIM swapping"),
    // Ours: in none of the three. `unclassified` is for knowledge that comes without a crime named.
    ("deepfake_impersonation", "Deepfake impersonation"),
    ("romance_scam", "Romance scam"),
    ("impersonation", "Impersonation"),
    ("theft", "Theft of crypto-assets"),
    ("malware", "Malware"),
    ("drugs", "Trade in drugs"),
    ("human_trafficking", "Human trafficking"),
    ("tax_evasion", "Tax evasion"),
    ("corruption", "Corruption"),
    ("unclassified", "Not classified"),
];

/// Of what crime an indicator speaks.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Typology {
    scheme: Cow<'static, str>,
    id: Cow<'static, str>,
}

/// Why a text is no typology.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TypologyError {
    /// Not an id of our scheme.
    #[error("not a known typology; {}", suggestion(near))]
    Unknown {
        /// Known ids that are spelled alike, or all of them.
        near: Vec<&'static str>,
    },
    /// An empty scheme or id.
    #[error("a typology has a scheme and an id, neither of them empty")]
    Empty,
    /// A scheme or id beyond its bound.
    #[error(
        "a typology's scheme has at most {MAX_SCHEME_BYTES} bytes and its id {MAX_ID_BYTES}; found {scheme_bytes} and {id_bytes}"
    )]
    TooLong {
        /// Bytes of the scheme.
        scheme_bytes: usize,
        /// Bytes of the id.
        id_bytes: usize,
    },
    /// A control character or white space in scheme or id, or `#` in the id.
    #[error("a typology's scheme and id have no white space and no control characters, and the id no #")]
    Character,
}

fn suggestion(near: &[&str]) -> String {
    let lead = if near.len() < KNOWN.len() { "near ones are" } else { "known ones are" };
    format!("{lead} {}", near.join(", "))
}

impl Typology {
    /// Reads an id of [`SCHEME`] as people write it (`ransomware`, `Pig butchering`), or `scheme#id`.
    pub fn parse(text: &str) -> Result<Typology, TypologyError> {
        let text = text.trim();
        if let Some((scheme, id)) = text.rsplit_once('#') {
            return Typology::from_wire(scheme, id);
        }
        if text.is_empty() {
            return Err(TypologyError::Empty);
        }
        if text.len() > MAX_ID_BYTES {
            return Err(TypologyError::TooLong { scheme_bytes: 0, id_bytes: text.len() });
        }
        let id = text.to_ascii_lowercase().replace([' ', '-'], "_");
        known(&id).ok_or_else(|| TypologyError::Unknown { near: near(&id) })
    }

    /// Takes what a partner sent: any scheme and id within the bounds.
    pub fn from_wire(scheme: &str, id: &str) -> Result<Typology, TypologyError> {
        if scheme.is_empty() || id.is_empty() {
            return Err(TypologyError::Empty);
        }
        if scheme.len() > MAX_SCHEME_BYTES || id.len() > MAX_ID_BYTES {
            return Err(TypologyError::TooLong { scheme_bytes: scheme.len(), id_bytes: id.len() });
        }
        let unfit = |found: char| found.is_control() || found.is_whitespace();
        if scheme.contains(unfit) || id.contains(|found| unfit(found) || found == '#') {
            return Err(TypologyError::Character);
        }
        if let Some(known) = known(id).filter(|_| scheme == SCHEME) {
            return Ok(known);
        }
        Ok(Typology { scheme: Cow::Owned(scheme.to_owned()), id: Cow::Owned(id.to_owned()) })
    }

    /// The scheme URI.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The id within the scheme.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name that people read; of other schemes the id.
    pub fn name(&self) -> &str {
        let named = KNOWN.iter().find(|(id, _)| self.scheme == SCHEME && *id == self.id);
        named.map_or(&*self.id, |(_, name)| *name)
    }
}

fn known(id: &str) -> Option<Typology> {
    let (id, _) = KNOWN.iter().find(|(known, _)| *known == id)?;
    Some(Typology { scheme: Cow::Borrowed(SCHEME), id: Cow::Borrowed(id) })
}

/// Known ids within two edits, or of which one holds the other; all known ids where there are none.
fn near(id: &str) -> Vec<&'static str> {
    let ids = || KNOWN.iter().map(|(known, _)| *known);
    let alike = |known: &&str| edits(id, known) <= 2 || id.len() > 2 && (known.contains(id) || id.contains(*known));
    let near: Vec<&str> = ids().filter(alike).collect();
    if near.is_empty() { ids().collect() } else { near }
}

/// Levenshtein distance, in bytes; both texts are bounded by [`MAX_ID_BYTES`].
fn edits(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.bytes().enumerate() {
            let substituted = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[right.len()]
}

impl fmt::Display for Typology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scheme == SCHEME && known(&self.id).is_some() {
            return f.write_str(&self.id);
        }
        write!(f, "{}#{}", self.scheme, self.id)
    }
}

impl FromStr for Typology {
    type Err = TypologyError;

    fn from_str(text: &str) -> Result<Typology, TypologyError> {
        Typology::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_id_reads_back_and_fits_the_bounds() {
        for (id, name) in KNOWN {
            let typology = Typology::parse(id).unwrap();
            assert_eq!((typology.scheme(), typology.id(), typology.name()), (SCHEME, *id, *name));
            assert_eq!(Typology::from_wire(SCHEME, id), Ok(typology.clone()));
            assert_eq!(typology.to_string().parse(), Ok(typology));
            assert_eq!(KNOWN.iter().filter(|(other, _)| other == id).count(), 1);
        }
    }

    #[test]
    fn people_may_write_an_id_as_they_speak_it() {
        assert_eq!(Typology::parse(" Pig butchering "), Typology::parse("pig_butchering"));
        assert_eq!(Typology::parse("SIM-swapping"), Typology::parse("sim_swapping"));
    }

    #[test]
    fn an_unknown_id_is_answered_with_near_ones() {
        assert_eq!(Typology::parse("ransomeware"), Err(TypologyError::Unknown { near: vec!["ransomware"] }));
        assert_eq!(Typology::parse("sanctions"), Err(TypologyError::Unknown { near: vec!["sanction"] }));
        let Err(TypologyError::Unknown { near }) = Typology::parse("zzz") else { panic!("zzz is no typology") };
        assert_eq!(near.len(), KNOWN.len());
        assert_eq!(
            Typology::parse("ransomeware").unwrap_err().to_string(),
            "not a known typology; near ones are ransomware"
        );
    }

    #[test]
    fn a_newer_partners_typology_survives() {
        for (scheme, id) in
            [("urn:entente:typology:2", "time_travel"), (SCHEME, "time_travel"), ("https://x/#y", "a–b")]
        {
            let typology = Typology::from_wire(scheme, id).unwrap();
            assert_eq!((typology.scheme(), typology.id(), typology.name()), (scheme, id, id));
            assert_eq!(typology.to_string().parse(), Ok(typology));
        }
    }

    #[test]
    fn bounds_hold() {
        let long = "x".repeat(MAX_ID_BYTES + 1);
        assert_eq!(Typology::from_wire("", "a"), Err(TypologyError::Empty));
        assert_eq!(Typology::from_wire("a", ""), Err(TypologyError::Empty));
        assert_eq!(Typology::parse(&long), Err(TypologyError::TooLong { scheme_bytes: 0, id_bytes: 65 }));
        assert_eq!(Typology::from_wire("a", &long), Err(TypologyError::TooLong { scheme_bytes: 1, id_bytes: 65 }));
        for (scheme, id) in [("a b", "c"), ("a", "b\n"), ("a", "b#c")] {
            assert_eq!(Typology::from_wire(scheme, id), Err(TypologyError::Character));
        }
    }
}
