//! The terms of an agreement: what may be shared, how, and how much of it.
//!
//! | key | value |
//! |---|---|
//! | 0 | numbers of statement kinds, at least one |
//! | 1 | typologies {0 scheme, 1 id}; absent: all |
//! | 2 | chains, CAIP-2; absent: all |
//! | 3 | marking ceiling: 0 CLEAR to 4 RED |
//! | 4 | grading scheme in which reports must be graded; absent: any |
//! | 5 | handling codes {0 number, 1 words of H3} of statements that carry none |
//! | 6 | retention, days |
//! | 7 | onward rule: 0 never, 1 with consent, 2 within the same purpose |
//! | 8 | history for joiners |
//! | 9, 10 | statements, and bytes of statements, a UTC day and log |
//!
//! Lists ascend, name each item once, and are absent where they are empty. What each term means for one statement,
//! [`crate::rules`] decides.

use minicbor::Decoder;

use crate::grading::GradingScheme;
use crate::handling::Handling;
use crate::limits;
use crate::marking::Marking;
use crate::typology::Typology;
use crate::wire::codec::{self, CodecError, MapReader, MapWriter, Value};

use super::version::VersionFault;

/// Statements a day and log, where the proposer says nothing: what a large import needs, spread over a day.
pub const DEFAULT_STATEMENTS_PER_DAY: u64 = 1_000_000;
/// Bytes of statements a day and log, where the proposer says nothing: 1 GiB.
pub const DEFAULT_BYTES_PER_DAY: u64 = 1 << 30;

/// What may be shared.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Terms {
    /// Numbers of the statement kinds, at least one. Numbers, because later kinds may be agreed on, too.
    pub kinds: Vec<u64>,
    /// The typologies, by scheme and id; empty: all.
    pub typologies: Vec<Typology>,
    /// The chains, CAIP-2; empty: all.
    pub chains: Vec<String>,
    /// The strictest marking that may be shared.
    pub marking_ceiling: Marking,
    /// The scheme in which reports must be graded; absent: any.
    pub required_grading: Option<GradingScheme>,
    /// The handling codes of statements that carry none.
    pub handling: Vec<Handling>,
    /// How long a statement may be kept, days from the entry's `created`.
    pub retention_days: u32,
    /// Whether received statements may be passed on under another agreement.
    pub onward: Onward,
    /// Whether who joins receives what was shared before.
    pub history: bool,
    /// Statements that one log may carry in one UTC day.
    pub statements_per_day: u64,
    /// Bytes of statements that one log may carry in one UTC day.
    pub bytes_per_day: u64,
}

impl Terms {
    /// The handling codes that hold for a statement which carries `own`.
    pub fn handling_of<'a>(&'a self, own: &'a [Handling]) -> &'a [Handling] {
        if own.is_empty() { &self.handling } else { own }
    }
}

/// The rule for passing on what others reported.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Onward {
    /// Never.
    Never = 0,
    /// With the originator's consent.
    Consent = 1,
    /// Within the same purpose.
    SamePurpose = 2,
}

impl Onward {
    /// All rules, in the order of their numbers.
    pub const ALL: &[Onward] = &[Onward::Never, Onward::Consent, Onward::SamePurpose];

    /// The word for configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Onward::Never => "never",
            Onward::Consent => "consent",
            Onward::SamePurpose => "purpose",
        }
    }

    /// The rule with this word.
    pub fn of_word(word: &str) -> Option<Onward> {
        Self::ALL.iter().copied().find(|onward| onward.word() == word)
    }

    /// The number on the wire.
    pub const fn number(self) -> u64 {
        self as u64
    }
}

impl Terms {
    pub(super) fn check(&self) -> Result<(), VersionFault> {
        let by_name = |a: &Typology, b: &Typology| (a.scheme(), a.id()) < (b.scheme(), b.id());
        let lists = [
            (0, self.kinds.len(), !self.kinds.is_empty() && self.kinds.is_sorted_by(|a, b| a < b)),
            (1, self.typologies.len(), self.typologies.is_sorted_by(by_name)),
            (2, self.chains.len(), self.chains.is_sorted_by(|a, b| a < b)),
            (5, self.handling.len(), self.handling.is_sorted_by(|a, b| a < b)),
        ];
        for (key, length, ascends) in lists {
            if length > limits::TERMS_PER_LIST || !ascends {
                return Err(VersionFault::List { key });
            }
        }
        if !self.chains.iter().all(|chain| is_caip2(chain)) {
            return Err(VersionFault::Chain);
        }
        if !(1..=limits::RETENTION_DAYS).contains(&self.retention_days) {
            return Err(VersionFault::Retention { days: self.retention_days });
        }
        if self.statements_per_day == 0 || self.bytes_per_day == 0 {
            return Err(VersionFault::Quota);
        }
        Ok(())
    }
}

/// CAIP-2: namespace `[-a-z0-9]{3,8}`, colon, reference `[-_a-zA-Z0-9]{1,32}`.
fn is_caip2(text: &str) -> bool {
    text.split_once(':').is_some_and(|(namespace, reference)| {
        let name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        (3..=8).contains(&namespace.len())
            && namespace.bytes().all(name)
            && (1..=32).contains(&reference.len())
            && reference.bytes().all(|b| name(b) || b.is_ascii_uppercase() || b == b'_')
    })
}

impl Value for Terms {
    fn write(&self, out: &mut Vec<u8>) {
        MapWriter::new()
            .put_list(0, &self.kinds)
            .put_list(1, &self.typologies)
            .put_list(2, &self.chains)
            .put(3, &self.marking_ceiling)
            .put_some(4, self.required_grading.map(GradingScheme::to_wire).as_ref())
            .put_list(5, &self.handling)
            .put(6, &self.retention_days)
            .put(7, &self.onward)
            .put(8, &self.history)
            .put(9, &self.statements_per_day)
            .put(10, &self.bytes_per_day)
            .finish_into(out);
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        let mut map = MapReader::new(d, key)?;
        let terms = Self {
            kinds: map.list(0, limits::TERMS_PER_LIST)?,
            typologies: map.list(1, limits::TERMS_PER_LIST)?,
            chains: map.list(2, limits::TERMS_PER_LIST)?,
            marking_ceiling: map.need(3)?,
            required_grading: map.take(4)?.map(read_scheme).transpose()?,
            handling: map.list(5, limits::TERMS_PER_LIST)?,
            retention_days: map.need(6)?,
            onward: map.need(7)?,
            history: map.need(8)?,
            statements_per_day: map.need(9)?,
            bytes_per_day: map.need(10)?,
        };
        map.end()?;
        Ok(terms)
    }
}

fn read_scheme(value: u64) -> Result<GradingScheme, CodecError> {
    let known = GradingScheme::ALL.into_iter().find(|scheme| scheme.to_wire() == value);
    known.ok_or(CodecError::UnknownValue { key: 4, value })
}

impl Value for Onward {
    fn write(&self, out: &mut Vec<u8>) {
        codec::write_uint(out, self.number());
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        let value = u64::read(d, key)?;
        Self::ALL.iter().copied().find(|onward| onward.number() == value).ok_or(CodecError::UnknownValue { key, value })
    }
}
