//! A report as the node's API tells it, to be written in other formats.

use serde::{Deserialize, Serialize};

/// Who made a report.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Originator {
    /// Its id, `agency1…`.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// What a report is about.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Indicator {
    /// The word for its kind.
    pub kind: String,
    /// As it is written where an indicator is asked for.
    pub text: String,
    /// Its one form; of an address without its chain.
    pub canonical: String,
    /// The chain, CAIP-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
}

/// Who is meant at an address that many share.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct SubAccount {
    /// `destination tag`, `payment id`, `muxed id` or `memo`.
    pub kind: String,
    /// As its chain writes it.
    pub value: String,
}

/// A report, whole.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Report {
    /// Who made it.
    pub originator: Originator,
    /// Its number.
    pub id: String,
    /// Its revision.
    pub revision: u32,
    /// What it is about.
    pub indicator: Indicator,
    /// Who is meant at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_account: Option<SubAccount>,
    /// The crime.
    pub typology: String,
    /// Its name.
    #[serde(default)]
    pub typology_name: String,
    /// How reliable and credible.
    pub grading: String,
    /// The marking, in lower case.
    pub marking: String,
    /// Handling codes.
    #[serde(default)]
    pub handling: Vec<String>,
    /// The words of H3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handling_note: Option<String>,
    /// The originator's case reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// What is known, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where the originator has it from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Where it can be read up there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The part in the crime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What was lost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amounts: Vec<String>,
    /// How many were harmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub victims: Option<u64>,
    /// Hashes of evidence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// Terms of other vocabularies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<String>,
    /// Permissible actions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pap: Option<String>,
    /// How urgent.
    #[serde(default)]
    pub precedence: String,
    /// When this revision was made.
    pub created: String,
    /// When the activity was first seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_from: Option<String>,
    /// When it was last seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_until: Option<String>,
}

/// Why a report may not leave the node in a file.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Kept {
    /// H2: no dissemination without the originator's permission.
    NoDissemination,
    /// H3: a restriction in words, which a person has to read.
    Words,
    /// TLP:RED: for the eyes of the recipients alone.
    Red,
}

impl Kept {
    /// The reason in words.
    pub fn why(self) -> &'static str {
        match self {
            Kept::NoDissemination => "H2 forbids to pass them on without the originator's permission",
            Kept::Words => "H3 restricts them in words that a person has to read",
            Kept::Red => "TLP:RED is for the recipients' eyes alone",
        }
    }
}

impl Report {
    /// Why it stays, if `me` is not who made it: restrictions bind all but the originator.
    pub fn kept(&self, me: &str) -> Option<Kept> {
        if self.originator.id == me {
            return None;
        }
        let has = |code: &str| self.handling.iter().any(|found| found == code);
        match self {
            _ if has("H2") => Some(Kept::NoDissemination),
            _ if has("H3") => Some(Kept::Words),
            _ if self.marking == "red" => Some(Kept::Red),
            _ => None,
        }
    }

    /// Handling codes with the words of H3, as they are read.
    pub(crate) fn handling_codes(&self) -> Vec<String> {
        let with_words = |code: &String| match &self.handling_note {
            Some(note) if code == "H3" => format!("H3: {note}"),
            _ => code.clone(),
        };
        self.handling.iter().map(with_words).collect()
    }

    /// The indicator's text, with the sub-account where it has a place in it.
    pub(crate) fn title(&self) -> String {
        let name = if self.typology_name.is_empty() { &self.typology } else { &self.typology_name };
        format!("{name}: {}", self.indicator.text)
    }
}
