//! Vocabularies, as lists that people and programs can read: which words a report may use, where they come from, and
//! which words of others stand for which of ours.
//!
//! A vocabulary has a scheme URI and a version; a version only adds. Words of others are kept as they came, and are
//! mapped only where [`MAPPED`] says so, which whoever imports is told.

use crate::grading::GradingScheme;
use crate::indicator::{Kind, PLATFORMS};
use crate::marking::Marking;
use crate::statement::details::{Pap, Role};
use crate::typology::{self, Typology};

/// A list of words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Vocabulary {
    /// What it is for: the key of a report.
    pub name: &'static str,
    /// The scheme URI.
    pub scheme: &'static str,
    /// Its version.
    pub version: &'static str,
    /// Where its words come from.
    pub source: &'static str,
    /// Its words, and their meaning or name.
    pub terms: Vec<Term>,
}

/// A word and what it means.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Term {
    /// The word.
    pub id: String,
    /// Its name or meaning.
    pub name: String,
}

fn term(id: impl Into<String>, name: impl Into<String>) -> Term {
    Term { id: id.into(), name: name.into() }
}

const ROLES: [(Role, &str); 4] = [
    (Role::Perpetrator, "held by those who commit the crime"),
    (Role::Victim, "belongs to who was harmed"),
    (Role::Intermediary, "passes on what came of the crime, knowingly or not"),
    (Role::Service, "belongs to a service that many use"),
];

const HANDLING: [(&str, &str); 4] = [
    ("H0", "preventing and combating crime only"),
    ("H1", "not in judicial proceedings without the originator's permission"),
    ("H2", "no dissemination without the originator's permission"),
    ("H3", "other restrictions, in words"),
];

const ACTIONS: [(Pap, &str); 4] = [
    (Pap::Red, "nothing that can be noticed from outside"),
    (Pap::Amber, "passive enquiries"),
    (Pap::Green, "active measures, such as blocking"),
    (Pap::Clear, "anything"),
];

/// All vocabularies.
pub fn all() -> Vec<Vocabulary> {
    let [typology, grading, marking] = assessment();
    let own = |name, scheme, source, terms| Vocabulary { name, scheme, version: "1", source, terms };
    let kinds = Kind::ALL.iter().map(|kind| term(kind.word(), kind.meaning()));
    let kinds = std::iter::once(term("address", "account or contract on a chain")).chain(kinds);
    let precedence = ["routine", "priority", "immediate", "flash"].map(|word| term(word, word.to_uppercase()));
    let pap = ACTIONS.iter().map(|(pap, name)| term(pap.word(), *name)).collect();
    vec![
        typology,
        grading,
        marking,
        own(
            "role",
            "urn:entente:role:1",
            "GraphSense concepts 0.1.0 (perpetrator, victim, service), and ours",
            ROLES.iter().map(|(role, name)| term(role.word(), *name)).collect(),
        ),
        own(
            "handling",
            "urn:entente:handling:1",
            "Europol handling codes",
            HANDLING.iter().map(|(id, name)| term(*id, *name)).collect(),
        ),
        Vocabulary { version: "3", ..own("pap", "urn:misp:taxonomy:PAP", "MISP taxonomies", pap) },
        own("precedence", "urn:entente:precedence:1", "ACP 121; MISP intelligence-dissemination 1", precedence.into()),
        own("indicator", "urn:entente:indicator:1", "ours; canonical forms by CAIP, RFC, ITU and ISO", kinds.collect()),
        own(
            "platform",
            "urn:entente:platform:1",
            "ours",
            PLATFORMS.iter().map(|platform| term(platform.name, platform.name)).collect(),
        ),
    ]
}

/// What every report is assessed by.
fn assessment() -> [Vocabulary; 3] {
    [
        Vocabulary {
            name: "typology",
            scheme: typology::SCHEME,
            version: "1",
            source: "INTERPOL DW-VA abuses 0.1, GraphSense concepts 0.1.0, MISP cryptocurrency-threat 2, and ours",
            terms: typology::KNOWN.iter().map(|(id, name)| term(*id, *name)).collect(),
        },
        Vocabulary {
            name: "grading",
            scheme: "urn:entente:grading:1",
            version: "1",
            source: "Regulation (EU) 2016/794 Art. 29; NATO AJP-2.1; College of Policing",
            terms: GradingScheme::ALL.iter().map(|scheme| term(scheme.name(), scheme.rule())).collect(),
        },
        Vocabulary {
            name: "marking",
            scheme: "https://www.first.org/tlp/",
            version: "2.0",
            source: "FIRST, Traffic Light Protocol",
            terms: Marking::ALL
                .iter()
                .map(|marking| term(marking.word().to_lowercase(), marking.to_string()))
                .collect(),
        },
    ]
}

/// Words of other vocabularies that stand for one of our typologies: lower case, underscores for spaces and hyphens.
/// Sources: GraphSense concepts 0.1.0, Chainabuse scam categories, MISP cryptocurrency-threat 2, labels of explorers,
/// and what exports of police and exchanges say. Version 1.
pub const MAPPED: &[(&str, &str)] = &[
    ("abuse", "unclassified"),
    ("airdrop_scam", "scam"),
    ("blackmail", "extortion"),
    ("blocked", "sanction"),
    ("csam", "child_sexual_abuse"),
    ("child_sexual_abuse_material", "child_sexual_abuse"),
    ("crypto_dusting", "dusting"),
    ("darknet_market", "market"),
    ("deepfake", "deepfake_impersonation"),
    ("donation_scam", "scam"),
    ("drainer", "phishing"),
    ("exploit", "service_hack"),
    ("fake_phishing", "phishing"),
    ("fake_returns", "investment_fraud"),
    ("fake_project", "investment_fraud"),
    ("fraud", "scam"),
    ("hack", "service_hack"),
    ("hacker", "service_hack"),
    ("hacked", "service_hack"),
    ("heist", "service_hack"),
    ("impersonation_scam", "impersonation"),
    ("investment_scam", "investment_fraud"),
    ("laundering", "money_laundering"),
    ("mixer", "mixing_service"),
    ("nft_scam", "scam"),
    ("ofac", "sanction"),
    ("pigbutchering", "pig_butchering"),
    ("pig_butchering_scam", "pig_butchering"),
    ("phish", "phishing"),
    ("phish_hack", "phishing"),
    ("phishing_hack", "phishing"),
    ("phishing_attack", "phishing"),
    ("ponzi", "ponzi_scheme"),
    ("rag_pull", "rug_pull"),
    ("rugpull", "rug_pull"),
    ("ransom", "ransomware"),
    ("romance", "romance_scam"),
    ("sanctioned", "sanction"),
    ("sanctions", "sanction"),
    ("scammer", "scam"),
    ("scamming", "scam"),
    ("sextortion_scam", "sextortion"),
    ("sim_swap", "sim_swapping"),
    ("sim_swap_attack", "sim_swapping"),
    ("stolen", "theft"),
    ("stolen_funds", "theft"),
    ("terrorist", "terrorism"),
    ("terrorist_financing", "terrorism"),
    ("tornado_cash", "mixing_service"),
];

/// The typology that a word of another vocabulary stands for: itself, or what [`MAPPED`] says. The second is whether it
/// was mapped.
pub fn typology_of(word: &str) -> Option<(Typology, bool)> {
    if let Ok(typology) = Typology::parse(word) {
        return Some((typology, false));
    }
    let word = word.trim().to_ascii_lowercase().replace([' ', '-'], "_");
    let mapped = MAPPED.iter().find(|(theirs, _)| *theirs == word)?.1;
    Typology::parse(mapped).ok().map(|typology| (typology, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mapping_leads_to_a_word_of_ours_and_from_none() {
        for (theirs, ours) in MAPPED {
            assert!(Typology::parse(ours).is_ok(), "{ours}");
            assert!(Typology::parse(theirs).is_err(), "{theirs} is one of ours");
            assert_eq!(MAPPED.iter().filter(|(other, _)| other == theirs).count(), 1, "{theirs}");
        }
    }

    #[test]
    fn every_vocabulary_has_terms_that_are_unique() {
        for vocabulary in all() {
            assert!(!vocabulary.terms.is_empty());
            for term in &vocabulary.terms {
                assert_eq!(vocabulary.terms.iter().filter(|other| other.id == term.id).count(), 1, "{}", term.id);
            }
        }
    }
}
