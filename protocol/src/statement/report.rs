//! A report: an agency's assessed claim that an indicator is linked to a typology of crime.
//!
//! It is identified by (originator, id) and carries a revision number; a revision replaces it whole. The originator is
//! not written here: it stands in the batch that covers the statement.

use minicbor::Decoder;

use super::details::{Amount, Evidence, Pap, Role};
use crate::address::{Address, AddressError, ChainError, SubAccount};
use crate::grading::{Grading, GradingError};
use crate::handling::{Handling, HandlingError, Precedence};
use crate::id::ReportId;
pub use crate::indicator::Indicator;
use crate::indicator::{self, Kind};
use crate::limits;
use crate::marking::Marking;
use crate::time::Time;
use crate::typology::Typology;
use crate::wire::codec::{self, CodecError, MapReader, MapWriter, Value};

/// An assessed claim.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Report {
    /// The originator's number for it.
    pub id: ReportId,
    /// 0 for the report, counted up by each revision.
    pub revision: u32,
    /// When this revision was made.
    pub created: Time,
    /// What it is about.
    pub indicator: Indicator,
    /// Who is meant at the address, where many share it.
    pub sub_account: Option<SubAccount>,
    /// What crime.
    pub typology: Typology,
    /// How reliable, how credible.
    pub grading: Grading,
    /// Who may be told.
    pub marking: Marking,
    /// How it may be used, sorted, each code once.
    pub handling: Vec<Handling>,
    /// The originator's reference of the case.
    pub case: Option<String>,
    /// What is known, in words.
    pub description: Option<String>,
    /// Where the originator has it from; reports that declare the same source count once.
    pub source: Option<String>,
    /// When the activity was first seen.
    pub observed_from: Option<Time>,
    /// When it was last seen.
    pub observed_until: Option<Time>,
    /// How urgent.
    pub precedence: Precedence,
    /// Known to holders of the report only; opens the reason of its retraction. The same in all revisions.
    pub holder_secret: [u8; 16],
    /// The part that the indicator has in the crime.
    pub role: Option<Role>,
    /// What was lost, taken or moved: each asset at most once.
    pub amounts: Vec<Amount>,
    /// How many were harmed.
    pub victims: Option<u64>,
    /// Evidence that the originator keeps.
    pub evidence: Vec<Evidence>,
    /// Where it can be read up at the source: a page, a file, a number of theirs.
    pub reference: Option<String>,
    /// Further terms of any vocabulary, as the originator or its source chose them.
    pub terms: Vec<Typology>,
    /// What may be done on the strength of it.
    pub pap: Option<Pap>,
}

/// H0 to H3, each at most once.
const HANDLING_CODES: usize = 4;

impl Report {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        MapWriter::new()
            .put(0, &self.id)
            .put(1, &self.revision)
            .put(2, &self.created)
            .put(3, &self.indicator)
            .put(4, &self.typology)
            .put(5, &self.grading)
            .put(6, &self.marking)
            .put_list(7, &self.handling)
            .put_some(8, self.case.as_ref())
            .put_some(9, self.description.as_ref())
            .put_some(10, self.source.as_ref())
            .put_some(11, self.observed_from.as_ref())
            .put_some(12, self.observed_until.as_ref())
            .put(13, &self.precedence)
            .put(14, &self.holder_secret)
            .put_some(15, self.sub_account.as_ref())
            .put_some(16, self.role.as_ref())
            .put_list(17, &self.amounts)
            .put_some(18, self.victims.as_ref())
            .put_list(19, &self.evidence)
            .put_some(20, self.reference.as_ref())
            .put_list(21, &self.terms)
            .put_some(22, self.pap.as_ref())
            .finish_into(out);
    }

    pub(super) fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        let mut map = MapReader::new(d, key)?;
        let report = Self {
            id: map.need(0)?,
            revision: map.need(1)?,
            created: map.need(2)?,
            indicator: map.need(3)?,
            typology: map.need(4)?,
            grading: map.need(5)?,
            marking: map.need(6)?,
            handling: map.list(7, HANDLING_CODES)?,
            case: map.text(8, 1, limits::SHORT_TEXT_BYTES)?,
            description: map.text(9, 1, limits::LONG_TEXT_BYTES)?,
            source: map.text(10, 1, limits::SHORT_TEXT_BYTES)?,
            observed_from: map.take(11)?,
            observed_until: map.take(12)?,
            precedence: map.need(13)?,
            holder_secret: map.need(14)?,
            sub_account: map.take(15)?,
            role: map.take(16)?,
            amounts: map.list(17, limits::AMOUNTS)?,
            victims: map.take(18)?,
            evidence: map.list(19, limits::EVIDENCE)?,
            reference: map.text(20, 1, limits::CANONICAL_INDICATOR_BYTES)?,
            terms: map.list(21, limits::TERMS_PER_REPORT)?,
            pap: map.take(22)?,
        };
        map.end()?;
        if report.handling.is_sorted_by(|a, b| a < b) { Ok(report) } else { Err(CodecError::Bounds(7)) }
    }
}

impl Value for String {
    fn write(&self, out: &mut Vec<u8>) {
        codec::write_text(out, self);
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        codec::read_text(d, key, 1, limits::SHORT_TEXT_BYTES)
    }
}

impl Value for Indicator {
    fn write(&self, out: &mut Vec<u8>) {
        let (number, chain, canonical) = self.to_wire();
        let map = MapWriter::new().put(0, &number);
        match chain {
            Some(chain) => map.put_text(1, &chain).put_text(2, canonical).finish_into(out),
            None => map.put_text(2, canonical).finish_into(out),
        }
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        let mut map = MapReader::new(d, key)?;
        let kind = map.need::<u64>(0)?;
        let unknown = CodecError::UnknownValue { key, value: kind };
        let chain = map.text(1, 1, limits::CHAIN_BYTES)?;
        let canonical = map.text(2, 1, limits::CANONICAL_INDICATOR_BYTES)?.ok_or(CodecError::Missing(2))?;
        map.end()?;
        let read = match (chain, kind == indicator::ADDRESS) {
            (Some(chain), true) => match Address::from_wire(&chain, &canonical) {
                Err(AddressError::Chain(ChainError::Unknown { .. })) => None,
                read => Some(read.map(Indicator::Address).ok()),
            },
            (None, false) => Indicator::observable_from_wire(kind, &canonical).map(Result::ok),
            (None, true) => return Err(CodecError::Missing(1)),
            // A later version may give a chain to a kind that this one does not know.
            (Some(_), false) => Kind::from_number(kind).map(|_| None),
        };
        read.ok_or(unknown)?.ok_or(CodecError::Bounds(key))
    }
}

impl Value for Amount {
    fn write(&self, out: &mut Vec<u8>) {
        MapWriter::new().put_text(0, self.quantity()).put_text(1, self.asset()).finish_into(out);
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        let mut map = MapReader::new(d, key)?;
        let quantity = map.text(0, 1, limits::SHORT_TEXT_BYTES)?.ok_or(CodecError::Missing(0))?;
        let asset = map.text(1, 1, limits::SHORT_TEXT_BYTES)?.ok_or(CodecError::Missing(1))?;
        map.end()?;
        Amount::from_wire(&quantity, &asset).map_err(|_| CodecError::Bounds(key))
    }
}

impl Value for Evidence {
    fn write(&self, out: &mut Vec<u8>) {
        let map = MapWriter::new().put_text(0, self.hash());
        match self.name() {
            Some(name) => map.put_text(1, name).finish_into(out),
            None => map.finish_into(out),
        }
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        let mut map = MapReader::new(d, key)?;
        let hash = map.text(0, 1, limits::SHORT_TEXT_BYTES)?.ok_or(CodecError::Missing(0))?;
        let name = map.text(1, 1, limits::SHORT_TEXT_BYTES)?;
        map.end()?;
        Evidence::from_wire(&hash, name.as_deref()).map_err(|_| CodecError::Bounds(key))
    }
}

impl Value for SubAccount {
    fn write(&self, out: &mut Vec<u8>) {
        MapWriter::new().put(0, &self.number()).put_text(1, &self.to_string()).finish_into(out);
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        let mut map = MapReader::new(d, key)?;
        let number = map.need::<u64>(0)?;
        let text = map.text(1, 1, limits::SHORT_TEXT_BYTES)?.ok_or(CodecError::Missing(1))?;
        map.end()?;
        if !SubAccount::is_known(number) {
            return Err(CodecError::UnknownValue { key, value: number });
        }
        SubAccount::from_wire(number, &text).ok_or(CodecError::Bounds(key))
    }
}

impl Value for Typology {
    fn write(&self, out: &mut Vec<u8>) {
        MapWriter::new().put_text(0, self.scheme()).put_text(1, self.id()).finish_into(out);
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        let mut map = MapReader::new(d, key)?;
        let scheme = map.text(0, 1, limits::SHORT_TEXT_BYTES)?.ok_or(CodecError::Missing(0))?;
        let id = map.text(1, 1, limits::SHORT_TEXT_BYTES)?.ok_or(CodecError::Missing(1))?;
        map.end()?;
        Typology::from_wire(&scheme, &id).map_err(|_| CodecError::Bounds(key))
    }
}

impl Value for Grading {
    fn write(&self, out: &mut Vec<u8>) {
        MapWriter::new().put(0, &self.scheme().to_wire()).put_text(1, self.codes()).finish_into(out);
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        let mut map = MapReader::new(d, key)?;
        let scheme = map.need::<u64>(0)?;
        let codes = map.text(1, 1, limits::SHORT_TEXT_BYTES)?.ok_or(CodecError::Missing(1))?;
        map.end()?;
        Grading::from_wire(scheme, &codes).map_err(|error| match error {
            GradingError::UnknownScheme { .. } => CodecError::UnknownValue { key, value: scheme },
            _ => CodecError::Bounds(key),
        })
    }
}

impl Value for Handling {
    fn write(&self, out: &mut Vec<u8>) {
        let map = MapWriter::new().put(0, &self.to_wire());
        match self.words() {
            Some(words) => map.put_text(1, words).finish_into(out),
            None => map.finish_into(out),
        }
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        let mut map = MapReader::new(d, key)?;
        let number = map.need::<u64>(0)?;
        let words = map.text(1, 1, limits::SHORT_TEXT_BYTES)?;
        map.end()?;
        Handling::from_wire(number, words.as_deref()).map_err(|error| match error {
            HandlingError::Unknown { number } => CodecError::UnknownValue { key, value: number },
            _ => CodecError::Bounds(key),
        })
    }
}

macro_rules! numbered {
    ($($name:ident),*) => {$(
        impl Value for $name {
            fn write(&self, out: &mut Vec<u8>) {
                codec::write_uint(out, self.to_wire());
            }

            fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
                let value = u64::read(d, key)?;
                $name::from_wire(value).map_err(|_| CodecError::UnknownValue { key, value })
            }
        }
    )*};
}
numbered!(Marking, Precedence, Role, Pap);
