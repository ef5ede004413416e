//! Bundles on their way through the API: parts in base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Named, Titled, time};
use crate::api::problem::Problem;
use crate::desk::{Book, BundlePage, PartTaken};

/// Which bundle is begun.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BundleIn {
    /// The number of an earlier bundle of the agreement, from which this one continues.
    pub(crate) since: Option<u64>,
    /// The one agency that it is for; else it is for all parties.
    pub(crate) to: Option<String>,
}

/// A bundle that was begun.
#[derive(Serialize, ToSchema)]
pub(crate) struct Begun {
    /// Its number, by which a later one continues from it.
    pub(crate) number: u64,
    /// Where its first part begins.
    pub(crate) place: String,
}

/// A part of a bundle.
#[derive(Serialize, ToSchema)]
pub(crate) struct PartOut {
    /// The head of the file, base64; with the first part only.
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<String>,
    /// The sealed part, base64.
    part: String,
    /// Where the next part begins; absent after the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A part that came in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartIn {
    /// The head of its file, base64.
    head: String,
    /// The sealed part, base64.
    part: String,
}

/// What came of a part.
#[derive(Serialize, ToSchema)]
pub(crate) struct PartDone {
    /// The agreement.
    agreement: Titled,
    /// Who made the bundle.
    maker: Named,
    /// When.
    created: String,
    /// Which part, from 0.
    index: u64,
    /// Whether it is the last.
    last: bool,
    /// Objects that were new.
    new: u64,
    /// Objects that wait for what they refer to.
    held: u64,
    /// Objects that were refused.
    refused: u64,
    /// Entries in it.
    entries: u64,
    /// Logs that grew.
    advanced: u64,
    /// Logs of which entries wait for what an earlier bundle brings.
    early: u64,
    /// Logs of which an entry was refused.
    stopped: Vec<Stopped>,
}

/// A log of which an entry was refused.
#[derive(Serialize, ToSchema)]
struct Stopped {
    /// Its author.
    author: Named,
    /// Why.
    reason: &'static str,
}

impl PartIn {
    /// Head and part.
    pub(crate) fn read(&self) -> Result<(Vec<u8>, Vec<u8>), Problem> {
        let read = |field: &'static str, text: &str| {
            STANDARD.decode(text).map_err(|_| Problem::invalid(field, "it is no base64"))
        };
        Ok((read("head", &self.head)?, read("part", &self.part)?))
    }
}

impl From<BundlePage> for PartOut {
    fn from(page: BundlePage) -> Self {
        let write = |bytes: Vec<u8>| STANDARD.encode(bytes);
        Self { head: page.head.map(write), part: write(page.part), next: page.next.map(|next| next.write()) }
    }
}

impl PartDone {
    pub(crate) fn of(book: &Book, taken: PartTaken) -> Self {
        let title = book
            .agreement(taken.agreement)
            .ok()
            .and_then(|agreement| Some(book.foremost(agreement, taken.created)?.title.clone()));
        let stopped = |(author, reason)| Stopped { author: Named::of(book, author), reason };
        let (new, held, refused) = taken.objects;
        Self {
            agreement: Titled { id: taken.agreement.to_string(), title: title.unwrap_or_default() },
            maker: Named::of(book, taken.maker),
            created: time(taken.created),
            index: taken.index,
            last: taken.last,
            new: new as u64,
            held: held as u64,
            refused: refused as u64,
            entries: taken.entries as u64,
            advanced: taken.advanced as u64,
            early: taken.early as u64,
            stopped: taken.refused.into_iter().map(stopped).collect(),
        }
    }
}
