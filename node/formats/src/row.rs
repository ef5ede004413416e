//! What a file is read as: rows, and what of it could not be read.

use std::collections::BTreeMap;

use entente_protocol::address::{Chain, ChainError};
use entente_protocol::indicator::{Examined, Kind, examine, examine_as};
use entente_protocol::statement::draft::{Draft, DraftError, Field};
use entente_protocol::typology::Typology;
use entente_protocol::vocabulary;

use crate::text::bounded;

/// Where in a file something stands.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Place {
    /// The line, counted from 1; 0 where the format has none.
    pub line: u64,
    /// The column, or the path within an object.
    pub column: String,
}

/// A row that can become a report.
#[derive(Clone, Debug)]
pub struct Row {
    /// Where it stands.
    pub place: Place,
    /// The file's own id of the row.
    pub id: Option<String>,
    /// What it says.
    pub draft: Draft,
    /// What had to be done to it before it could be read.
    pub repaired: Vec<String>,
    /// What had to be guessed, such as the chain of an address that fits several.
    pub guessed: Vec<String>,
    /// Words that were taken for others: theirs, ours.
    pub mapped: Vec<(String, String)>,
    /// The report that it is a copy of: one that this software exported.
    pub origin: Option<Origin>,
    /// What the file calls it, for lists that say who somebody is.
    pub label: Option<String>,
}

/// A report that was exported, and by whom it was made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Origin {
    /// The originator's id, `agency1…`.
    pub originator: String,
    /// The report's number.
    pub report: String,
    /// Its revision.
    pub revision: u32,
}

/// What could not be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refused {
    /// Where it stands.
    pub place: Place,
    /// What stands there; `[redacted]` where it may be a secret.
    pub value: String,
    /// Why it was refused.
    pub reason: String,
}

/// One thing that a file holds.
pub type Item = Result<Row, Refused>;

/// Why a file cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The disk.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It is not of the format.
    #[error("{0}")]
    Format(String),
    /// More than is read whole.
    #[error("it has more than {limit} MiB, the most that is read of this format: split it")]
    TooLarge {
        /// The limit, MiB.
        limit: u64,
    },
}

/// What holds for rows that do not say otherwise.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    /// The chain of addresses.
    pub chain: Option<Chain>,
    /// What all indicators are.
    pub kind: Option<Kind>,
    /// Parts of a report.
    pub draft: Draft,
}

/// A row in the making: collects what a format says, part by part.
pub(crate) struct Making<'a> {
    defaults: &'a Defaults,
    place: Place,
    chain: Option<Result<Chain, ChainError>>,
    kind: Option<Kind>,
    indicator: Option<(String, String)>,
    sub_account: Option<String>,
    draft: Draft,
    notes: Vec<String>,
    terms: Vec<Typology>,
    repaired: Vec<String>,
    guessed: Vec<String>,
    mapped: Vec<(String, String)>,
    failed: Option<Refused>,
    pub(crate) id: Option<String>,
    pub(crate) origin: Option<Origin>,
    quantity: Option<String>,
    asset: Option<String>,
}

/// Words for "nobody knows".
const NOTHING: &[&str] = &["", "-", "n/a", "na", "none", "null", "unknown", "nan", "?", "undefined"];

/// Names of tokens' standards that tell the chain.
const STANDARDS: &[(&str, &str)] = &[
    ("erc20", "ethereum"),
    ("bep20", "bsc"),
    ("bep2", "binance-chain"),
    ("trc20", "tron"),
    ("trc10", "tron"),
    ("spl", "solana"),
];

impl<'a> Making<'a> {
    pub(crate) fn new(defaults: &'a Defaults, line: u64, column: impl Into<String>) -> Self {
        Self {
            defaults,
            place: Place { line, column: column.into() },
            chain: None,
            kind: None,
            indicator: None,
            sub_account: None,
            draft: Draft::default(),
            notes: Vec::new(),
            terms: Vec::new(),
            repaired: Vec::new(),
            guessed: Vec::new(),
            mapped: Vec::new(),
            failed: None,
            id: None,
            origin: None,
            quantity: None,
            asset: None,
        }
    }

    /// What it is about, and where that stands.
    pub(crate) fn indicator(&mut self, column: &str, text: &str) {
        self.indicator = Some((column.to_owned(), text.to_owned()));
    }

    /// What it is about, written as this software writes it: with its kind or chain.
    pub(crate) fn written(&mut self, column: &str, text: &str) {
        self.indicator(column, text);
        self.kind = None;
        self.chain = None;
    }

    pub(crate) fn kind(&mut self, kind: Kind) {
        self.kind = Some(kind);
    }

    /// The chain by any name; a word for nothing is none.
    pub(crate) fn chain(&mut self, text: &str) {
        let text = text.trim();
        let lower = text.to_ascii_lowercase().replace([' ', '_', '-'], "");
        if NOTHING.contains(&lower.as_str()) {
            return;
        }
        let standard = STANDARDS.iter().find(|(standard, _)| *standard == lower).map(|(_, chain)| *chain);
        let number = text.parse::<u64>().ok().filter(|number| *number > 0);
        self.chain = Some(match (standard, number) {
            (Some(chain), _) => Chain::parse(chain),
            (None, Some(number)) => Chain::parse(&format!("eip155:{number}")),
            (None, None) => {
                Chain::parse(text).or_else(|error| Chain::parse(&text.replace([' ', '_'], "-")).map_err(|_| error))
            }
        });
    }

    /// A tag, memo or payment id beside the address.
    pub(crate) fn sub_account(&mut self, text: &str) {
        if !is_nothing(text) {
            self.sub_account = Some(text.trim().to_owned());
        }
    }

    /// A part of the report; nothing is said by an empty text.
    pub(crate) fn set(&mut self, field: Field, column: &str, text: &str) {
        if is_nothing(text) {
            return;
        }
        if let Err(error) = self.draft.set(field, text) {
            self.refuse(column, text, &error);
        }
    }

    /// A time, in any of the ways that files write it.
    pub(crate) fn time(&mut self, field: Field, column: &str, text: &str) {
        if is_nothing(text) {
            return;
        }
        let Some(time) = crate::text::time(text) else {
            let reason = "it is no time: write 2026-11-22, or 2026-11-22T16:00:00Z".to_owned();
            return self.fail(column, text, reason);
        };
        match field {
            Field::ObservedFrom => self.draft.observed_from = Some(time),
            _ => self.draft.observed_until = Some(time),
        }
    }

    /// A word for the crime: ours, or one that is known to stand for one of ours; any other is kept as a term.
    pub(crate) fn typology(&mut self, scheme: &str, word: &str) {
        let word = word.trim();
        if is_nothing(word) {
            return;
        }
        match vocabulary::typology_of(word) {
            Some((typology, mapped)) => {
                if self.draft.typology.is_none() {
                    if mapped {
                        self.mapped.push((word.to_owned(), typology.to_string()));
                    }
                    self.draft.typology = Some(typology.clone());
                    if mapped {
                        self.term(scheme, word);
                    }
                } else if self.draft.typology.as_ref() != Some(&typology) {
                    self.term(scheme, word);
                }
            }
            None => self.term(scheme, word),
        }
    }

    /// A word of another vocabulary, kept as it is.
    pub(crate) fn term(&mut self, scheme: &str, word: &str) {
        let id: String = word.trim().chars().map(|found| if found.is_whitespace() { '_' } else { found }).collect();
        let id = id.replace('#', "%23");
        if let Ok(term) = Typology::from_wire(scheme, bounded(&id, 64))
            && !self.terms.contains(&term)
        {
            self.terms.push(term);
        }
    }

    /// Something to be told in words.
    pub(crate) fn note(&mut self, text: &str) {
        let clean: String = text.chars().filter(|found| !found.is_control() || matches!(found, '\n' | '\t')).collect();
        let clean = clean.trim();
        if !is_nothing(clean) && !self.notes.iter().any(|note| note == clean) {
            self.notes.push(clean.to_owned());
        }
    }

    pub(crate) fn quantity(&mut self, text: &str) {
        self.quantity = Some(text.to_owned()).filter(|text| !is_nothing(text));
    }

    pub(crate) fn asset(&mut self, text: &str) {
        self.asset = Some(text.to_owned()).filter(|text| !is_nothing(text));
    }

    pub(crate) fn has_typology(&self) -> bool {
        self.draft.typology.is_some()
    }

    fn refuse(&mut self, column: &str, text: &str, error: &DraftError) {
        let value = if error.secret { "[redacted]" } else { text };
        self.fail(column, value, error.reason.clone());
    }

    /// Something that makes the row unfit; the first counts.
    pub(crate) fn fail(&mut self, column: &str, value: &str, reason: String) {
        if self.failed.is_none() {
            let place = Place { line: self.place.line, column: column.to_owned() };
            self.failed = Some(Refused { place, value: bounded(value, 200).to_owned(), reason });
        }
    }

    /// The row, if it is one.
    pub(crate) fn finish(mut self) -> Item {
        self.read_indicator();
        self.read_amount();
        if let Some(refused) = self.failed {
            return Err(refused);
        }
        let (mut draft, defaults) = (self.draft, &self.defaults.draft);
        let label = self.notes.first().cloned();
        if !self.notes.is_empty() {
            let description = self.notes.join("\n");
            let most = entente_protocol::limits::LONG_TEXT_BYTES;
            let fits = bounded(&description, most);
            if fits.len() < description.len() {
                self.repaired.push(format!("the description was cut to {most} bytes"));
            }
            draft.description = Some(match draft.description {
                Some(given) => bounded(&format!("{given}\n{fits}"), most).to_owned(),
                None => fits.to_owned(),
            });
        }
        if !self.terms.is_empty() {
            self.terms.truncate(entente_protocol::limits::TERMS_PER_REPORT);
            draft.terms.get_or_insert_default().extend(self.terms);
        }
        fill(&mut draft, defaults);
        Ok(Row {
            place: self.place,
            id: self.id,
            draft,
            repaired: self.repaired,
            guessed: self.guessed,
            mapped: self.mapped,
            origin: self.origin,
            label,
        })
    }

    fn read_indicator(&mut self) {
        let Some((column, text)) = self.indicator.take() else {
            let (line, column) = (self.place.line, self.place.column.clone());
            let place = Place { line, column };
            let reason = "the row names nothing that a report could be about".to_owned();
            self.failed.get_or_insert(Refused { place, value: String::new(), reason });
            return;
        };
        self.place.column.clone_from(&column);
        let kind = self.kind.or(self.defaults.kind);
        let examined = match (&self.chain, self.defaults.chain) {
            (Some(Err(ChainError::Token { ticker })), _) => {
                let examined = examine_as(&text, kind, None);
                if examined.refused.is_none() {
                    self.guessed
                        .push(format!("{} is a token: the chain is told by the address", ticker.to_uppercase()));
                }
                examined
            }
            (Some(Err(error)), _) => return self.fail(&column, &text, error.to_string()),
            (Some(Ok(chain)), _) => on_chain(&text, kind, *chain),
            (None, Some(chain)) => on_chain(&text, kind, chain),
            (None, None) => examine_as(&text, kind, None),
        };
        if let Some(error) = &examined.refused {
            let value = if error.is_secret() { "[redacted]" } else { &text };
            return self.fail(&column, value, error.to_string());
        }
        self.take(examined);
    }

    /// The likeliest reading; that it is a guess is told.
    fn take(&mut self, examined: Examined) {
        if examined.repaired {
            self.repaired.extend(examined.changed.iter().map(ToString::to_string));
        }
        let several = examined.readings.len();
        let one = examined.is_one();
        let Some(reading) = examined.readings.into_iter().next() else { return };
        if several > 1 && !examined.named {
            let chain = reading.indicator.chain().map(Chain::name).unwrap_or_default();
            self.guessed.push(if one {
                format!("no chain is named: taken as {chain}, and found on every EVM chain")
            } else {
                format!("no chain is named, and {several} fit: taken as {chain}, the likeliest")
            });
        }
        let beside = self.sub_account.take().and_then(|tag| {
            let with_tag = format!("{}?dt={tag}&memo={tag}&tx_payment_id={tag}", reading.indicator);
            examine(&with_tag).readings.into_iter().next()?.sub_account
        });
        self.draft.indicator = Some((reading.indicator, reading.sub_account.or(beside)));
    }

    fn read_amount(&mut self) {
        let Some(quantity) = self.quantity.take() else { return };
        let native = self.draft.indicator.as_ref().and_then(|(indicator, _)| indicator.chain());
        let asset = self.asset.take().or_else(|| native.and_then(native_asset));
        let amount = match asset {
            Some(asset) => format!("{quantity} {asset}"),
            None => quantity,
        };
        if self.draft.set(Field::Amounts, &amount).is_err() {
            self.note(&format!("amount: {amount}"));
        }
    }
}

/// The ticker of a chain's own coin, where amounts name none.
fn native_asset(chain: Chain) -> Option<String> {
    match chain.name().as_str() {
        "Bitcoin" => Some("BTC".to_owned()),
        "Ethereum" => Some("ETH".to_owned()),
        "TRON" => Some("TRX".to_owned()),
        _ => None,
    }
}

/// Reads a text on a chain that is named beside it. What names its own chain, or is no address at all, is read as it
/// says of itself.
fn on_chain(text: &str, kind: Option<Kind>, chain: Chain) -> Examined {
    let networks = chain.networks();
    let mut among = vec![chain];
    among.extend(networks.into_iter().filter(|other| *other != chain));
    if kind.is_some_and(|kind| !matches!(kind, Kind::Transaction | Kind::Token)) {
        return examine_as(text, kind, None);
    }
    let examined = examine_as(text, kind, Some(&among));
    if examined.refused.is_none() || kind.is_some() {
        return examined;
    }
    // A domain or URL in a row that names a chain is no address on it.
    let plain = examine(text);
    let is_other = plain.readings.first().is_some_and(|reading| reading.indicator.address().is_none());
    if is_other { plain } else { examined }
}

/// What the defaults say where the row says nothing.
fn fill(draft: &mut Draft, defaults: &Draft) {
    macro_rules! fill {
        ($($name:ident),*) => {$( if draft.$name.is_none() { draft.$name.clone_from(&defaults.$name); } )*};
    }
    fill!(
        typology,
        grading,
        marking,
        handling,
        case,
        description,
        source,
        reference,
        observed_from,
        observed_until,
        precedence,
        role,
        amounts,
        victims,
        evidence,
        pap
    );
    if let Some(terms) = &defaults.terms {
        let own = draft.terms.get_or_insert_default();
        own.extend(terms.iter().filter(|term| !own.contains(term)).cloned().collect::<Vec<_>>());
    }
}

pub(crate) fn is_nothing(text: &str) -> bool {
    let text = text.trim();
    text.len() <= 9 && NOTHING.contains(&text.to_ascii_lowercase().as_str())
}

/// Counts of what a file held beside rows, by what it is.
pub(crate) type Beside = BTreeMap<String, u64>;
