//! Benign lists, and what they say.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::time;
use crate::desk::{BenignEntry, BenignList};

/// A part of a list to be loaded.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BenignIn {
    /// What the list is called here; a list of that name is replaced when the last part has come.
    pub(crate) name: String,
    /// Where it comes from.
    pub(crate) source: String,
    /// Of when it is, as its source says.
    pub(crate) date: Option<String>,
    /// Which loading it is: the same number for all parts, greater than that of any before, such as the time.
    pub(crate) edition: u64,
    /// At most 5,000 entries.
    #[schema(max_items = 5000)]
    pub(crate) entries: Vec<EntryIn>,
    /// Whether it is the last part: the list takes effect.
    #[serde(default)]
    pub(crate) last: bool,
}

/// An entry of a list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntryIn {
    /// The address, or another indicator.
    pub(crate) indicator: String,
    /// What it is said to be.
    pub(crate) label: String,
}

/// What came of a part.
#[derive(Serialize, ToSchema)]
pub(crate) struct BenignTaken {
    /// Entries of this loading so far.
    pub(crate) entries: u64,
}

/// A list that is kept.
#[derive(Serialize, ToSchema)]
pub(crate) struct List {
    /// What it is called.
    name: String,
    /// Where it comes from.
    source: String,
    /// Of when it is, as its source says.
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    /// When it was loaded.
    loaded: String,
    /// How many entries it has.
    entries: u64,
}

/// All lists.
#[derive(Serialize, ToSchema)]
pub(crate) struct Lists {
    /// By name.
    pub(crate) items: Vec<List>,
}

/// What a list says of an indicator. Lists are not truth.
#[derive(Serialize, ToSchema)]
pub(crate) struct Benign {
    /// What it is said to be.
    label: String,
    /// By which list.
    list: String,
    /// Where the list comes from.
    source: String,
    /// Of when the list is; when it was loaded, if it does not say.
    date: String,
    /// As what the list names it: perhaps the same account on another chain.
    indicator: String,
}

impl From<BenignList> for List {
    fn from(list: BenignList) -> Self {
        Self {
            name: list.name,
            source: list.source,
            date: list.date.map(time),
            loaded: time(list.loaded),
            entries: list.entries,
        }
    }
}

impl From<BenignEntry> for Benign {
    fn from(entry: BenignEntry) -> Self {
        Self {
            label: entry.label,
            date: time(entry.list.date.unwrap_or(entry.list.loaded)),
            list: entry.list.name,
            source: entry.list.source,
            indicator: entry.indicator,
        }
    }
}
