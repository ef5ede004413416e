//! The opening of a generation: what its entry 0 says of the generations before it.
//!
//! A restore, a revocation and the repair of a fork open a generation. The opening names, for each earlier generation,
//! the head up to which it stands; later entries of those are kept as evidence, and disowned. It also carries the
//! quota that the log has used on that day, so that a new generation does not begin with a fresh one.

use minicbor::Decoder;

use crate::id::Hash;
use crate::limits;
use crate::rules::Usage;
use crate::wire::codec::{CodecError, MapReader, MapWriter, Value};

/// Up to where an earlier generation stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stand {
    /// The generation.
    pub generation: u32,
    /// The last entry that stands, and the hash of its header; absent where none does.
    pub head: Option<(u64, Hash)>,
}

/// What entry 0 of a generation above 0 says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Opening {
    /// All earlier generations, ascending.
    pub stands: Vec<Stand>,
    /// The UTC day of the quota carried over, counted from the epoch.
    pub quota_day: u64,
    /// Statements released on that day so far.
    pub statements: u64,
    /// Bytes released on that day so far.
    pub bytes: u64,
}

impl Opening {
    /// The quota used so far.
    pub const fn usage(&self) -> Usage {
        Usage { day: self.quota_day, statements: self.statements, bytes: self.bytes }
    }

    /// The opening alone, as the commitment hashes it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }
}

impl Value for Stand {
    fn write(&self, out: &mut Vec<u8>) {
        MapWriter::new()
            .put(0, &self.generation)
            .put_some(1, self.head.map(|head| head.0).as_ref())
            .put_some(2, self.head.map(|head| head.1).as_ref())
            .finish_into(out);
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        let mut map = MapReader::new(d, key)?;
        let generation = map.need(0)?;
        let head = match (map.take::<u64>(1)?, map.take::<Hash>(2)?) {
            (Some(seq), Some(hash)) => Some((seq, hash)),
            (None, None) => None,
            _ => return Err(CodecError::Missing(2)),
        };
        map.end()?;
        Ok(Self { generation, head })
    }
}

impl Value for Opening {
    fn write(&self, out: &mut Vec<u8>) {
        MapWriter::new()
            .put_list(0, &self.stands)
            .put(1, &self.quota_day)
            .put(2, &self.statements)
            .put(3, &self.bytes)
            .finish_into(out);
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        let mut map = MapReader::new(d, key)?;
        let opening = Self {
            stands: map.list(0, limits::GENERATIONS)?,
            quota_day: map.need(1)?,
            statements: map.need(2)?,
            bytes: map.need(3)?,
        };
        map.end()?;
        let ascending = opening.stands.is_sorted_by(|a, b| a.generation < b.generation);
        if ascending && !opening.stands.is_empty() { Ok(opening) } else { Err(CodecError::Bounds(key)) }
    }
}
