//! Canonical CBOR: RFC 8949 section 4.2.1, and nothing else.
//!
//! `minicbor` reads and writes the items, but accepts duplicate keys, long integers and trailing bytes. So every
//! object is first walked once by [`check`], which refuses all that a conforming encoder never writes, within a
//! depth limit and without allocating. After it, [`MapReader`] takes the keys in their order: a key below 64 that
//! this version does not know puts the object on hold, a key from 64 on is passed over.
//!
//! Absent on purpose: floats, tags, indefinite lengths, null and undefined. An absent value is an absent key.

use minicbor::data::Type;
use minicbor::{Decoder, Encoder};

use crate::id::{AgencyId, AgreementId, Hash, KeyId, ReportId, VersionHash};
use crate::time::Time;

/// Keys from here on may be ignored by who does not know them.
pub const FIRST_IGNORABLE_KEY: u64 = 64;

/// How deep maps and arrays may nest in any object.
pub const MAX_DEPTH: usize = 8;

/// Why bytes are not an object of ours.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CodecError {
    /// Not canonical CBOR.
    #[error("not canonical CBOR at byte {at}: {rule}")]
    NotCanonical {
        /// Where.
        at: usize,
        /// Which rule of RFC 8949 section 4.2.1, or of ours, it breaks.
        rule: Rule,
    },
    /// A key that the object must have is absent.
    #[error("key {0} is missing")]
    Missing(u64),
    /// The value of a key has another type or form than the specification gives.
    #[error("the value of key {0} has the wrong form")]
    Form(u64),
    /// The value of a key is outside its bounds.
    #[error("the value of key {0} is outside its bounds")]
    Bounds(u64),
    /// A public key is weak, or none.
    #[error("the public key behind key {0} is weak, or none")]
    WeakKey(u64),
    /// A critical key that this version does not know: the object is held, not refused.
    #[error("critical key {0} is not known to this version")]
    UnknownCritical(u64),
    /// A value of an enumeration that this version does not know: the object is held, not refused.
    #[error("value {value} of key {key} is not known to this version")]
    UnknownValue {
        /// The key.
        key: u64,
        /// The value.
        value: u64,
    },
}

impl CodecError {
    /// Whether a later version may understand what this one does not: such an object is kept, not refused.
    pub const fn is_held(self) -> bool {
        matches!(self, CodecError::UnknownCritical(_) | CodecError::UnknownValue { .. })
    }
}

/// The rules of [`check`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Rule {
    /// The bytes end inside an item.
    #[error("the bytes end inside an item")]
    Truncated,
    /// Bytes follow the object.
    #[error("bytes follow the object")]
    Trailing,
    /// An integer or length is not in its shortest form.
    #[error("an integer or length is not in its shortest form")]
    NotShortest,
    /// A type that objects never use.
    #[error("floats, tags, negative numbers, null, undefined and indefinite lengths are not used")]
    Type,
    /// Keys are unsorted or twice there.
    #[error("map keys must be unsigned integers in ascending order, each once")]
    KeyOrder,
    /// Text is not UTF-8.
    #[error("text is not UTF-8")]
    Utf8,
    /// Nested too deeply.
    #[error("nested too deeply")]
    Depth,
}

/// Walks one object and refuses whatever is not canonical.
///
/// Costs one pass over the bytes, allocates nothing, and recurses at most [`MAX_DEPTH`] deep.
pub fn check(bytes: &[u8]) -> Result<(), CodecError> {
    let mut walk = Walk { bytes, at: 0 };
    walk.item(MAX_DEPTH)?;
    if walk.at == bytes.len() { Ok(()) } else { Err(walk.broken(Rule::Trailing)) }
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Walk<'_> {
    const fn broken(&self, rule: Rule) -> CodecError {
        CodecError::NotCanonical { at: self.at, rule }
    }

    fn item(&mut self, depth: usize) -> Result<(), CodecError> {
        let start = self.at;
        let (major, argument) = self.head()?;
        match major {
            0 => Ok(()),
            2 => self.skip(argument).map(|_| ()),
            3 => {
                let text = self.skip(argument)?;
                std::str::from_utf8(text)
                    .map(|_| ())
                    .map_err(|_| CodecError::NotCanonical { at: start, rule: Rule::Utf8 })
            }
            4 | 5 if depth == 0 => Err(self.broken(Rule::Depth)),
            4 => (0..argument).try_for_each(|_| self.item(depth - 1)),
            5 => self.map(argument, depth - 1),
            7 if argument == 20 || argument == 21 => Ok(()),
            _ => Err(CodecError::NotCanonical { at: start, rule: Rule::Type }),
        }
    }

    fn map(&mut self, pairs: u64, depth: usize) -> Result<(), CodecError> {
        let mut last = None;
        for _ in 0..pairs {
            let start = self.at;
            let (major, key) = self.head()?;
            if major != 0 || last.is_some_and(|last| key <= last) {
                return Err(CodecError::NotCanonical { at: start, rule: Rule::KeyOrder });
            }
            last = Some(key);
            self.item(depth)?;
        }
        Ok(())
    }

    /// The major type and the argument of the next item.
    fn head(&mut self) -> Result<(u8, u64), CodecError> {
        let first = *self.bytes.get(self.at).ok_or(self.broken(Rule::Truncated))?;
        let (major, info) = (first >> 5, first & 0x1f);
        let extra = match info {
            0..=23 => 0,
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            _ => return Err(self.broken(Rule::Type)),
        };
        if major == 7 && extra > 0 {
            return Err(self.broken(Rule::Type));
        }
        let tail = self.bytes.get(self.at + 1..self.at + 1 + extra).ok_or(self.broken(Rule::Truncated))?;
        let argument =
            if extra == 0 { u64::from(info) } else { tail.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)) };
        let shortest = match extra {
            0 => true,
            1 => argument > 23,
            2 => argument > 0xff,
            4 => argument > 0xffff,
            _ => argument > 0xffff_ffff,
        };
        if !shortest {
            return Err(self.broken(Rule::NotShortest));
        }
        self.at += 1 + extra;
        Ok((major, argument))
    }

    fn skip(&mut self, length: u64) -> Result<&[u8], CodecError> {
        let end = usize::try_from(length).ok().and_then(|length| self.at.checked_add(length));
        let range = end.and_then(|end| self.bytes.get(self.at..end)).ok_or(self.broken(Rule::Truncated))?;
        self.at += range.len();
        Ok(range)
    }
}

/// A value that can stand behind a key.
pub trait Value: Sized {
    /// Writes the value.
    fn write(&self, out: &mut Vec<u8>);
    /// Reads the value that stands behind `key` in an object that has passed [`check`].
    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError>;
}

/// Writes a map with integer keys; keys are given in ascending order.
#[derive(Debug, Default)]
pub struct MapWriter {
    body: Vec<u8>,
    pairs: u64,
    last: Option<u64>,
}

impl MapWriter {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a pair.
    pub fn put<V: Value>(self, key: u64, value: &V) -> Self {
        self.put_with(key, |out| value.write(out))
    }

    /// Adds a pair where there is a value.
    pub fn put_some<V: Value>(self, key: u64, value: Option<&V>) -> Self {
        match value {
            Some(value) => self.put(key, value),
            None => self,
        }
    }

    /// Adds an array where it is not empty.
    pub fn put_list<V: Value>(self, key: u64, items: &[V]) -> Self {
        if items.is_empty() { self } else { self.put_with(key, |out| write_list(out, items)) }
    }

    /// Adds text.
    pub fn put_text(self, key: u64, text: &str) -> Self {
        self.put_with(key, |out| write_text(out, text))
    }

    /// Adds a byte string.
    pub fn put_bytes(self, key: u64, bytes: &[u8]) -> Self {
        self.put_with(key, |out| write_bytes(out, bytes))
    }

    /// Adds a pair whose value `write` writes: exactly one item.
    pub fn put_with(mut self, key: u64, write: impl FnOnce(&mut Vec<u8>)) -> Self {
        assert!(self.last.is_none_or(|last| last < key), "keys are written in ascending order");
        self.last = Some(key);
        self.pairs += 1;
        write_uint(&mut self.body, key);
        write(&mut self.body);
        self
    }

    /// Appends the finished map.
    pub fn finish_into(self, out: &mut Vec<u8>) {
        encoder(out).map(self.pairs).expect("writing to memory cannot fail");
        out.extend_from_slice(&self.body);
    }

    /// The finished map.
    pub fn finish(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.body.len() + 9);
        self.finish_into(&mut out);
        out
    }
}

fn encoder(out: &mut Vec<u8>) -> Encoder<&mut Vec<u8>> {
    Encoder::new(out)
}

/// Writes an unsigned integer.
pub fn write_uint(out: &mut Vec<u8>, value: u64) {
    encoder(out).u64(value).expect("writing to memory cannot fail");
}

/// Writes text.
pub fn write_text(out: &mut Vec<u8>, text: &str) {
    encoder(out).str(text).expect("writing to memory cannot fail");
}

/// Writes a byte string.
pub fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    encoder(out).bytes(bytes).expect("writing to memory cannot fail");
}

/// Writes the head of an array; its items follow.
pub fn write_array(out: &mut Vec<u8>, items: usize) {
    encoder(out).array(items as u64).expect("writing to memory cannot fail");
}

/// Writes an array.
pub fn write_list<V: Value>(out: &mut Vec<u8>, items: &[V]) {
    write_array(out, items.len());
    for item in items {
        item.write(out);
    }
}

/// Takes the keys of a map in their order, from bytes that have passed [`check`].
#[derive(Debug)]
pub struct MapReader<'d, 'b> {
    d: &'d mut Decoder<'b>,
    left: u64,
    next: Option<u64>,
}

impl<'d, 'b> MapReader<'d, 'b> {
    /// Begins a map that stands behind `key` of its parent (0 for the object itself).
    pub fn new(d: &'d mut Decoder<'b>, key: u64) -> Result<Self, CodecError> {
        let left = d.map().ok().flatten().ok_or(CodecError::Form(key))?;
        let mut reader = Self { d, left, next: None };
        reader.advance()?;
        Ok(reader)
    }

    fn advance(&mut self) -> Result<(), CodecError> {
        self.next = if self.left == 0 {
            None
        } else {
            self.left -= 1;
            Some(self.d.u64().map_err(|_| CodecError::Form(0))?)
        };
        Ok(())
    }

    /// The value of a key that must be there.
    pub fn need<V: Value>(&mut self, key: u64) -> Result<V, CodecError> {
        self.take(key)?.ok_or(CodecError::Missing(key))
    }

    /// The value of a key that may be absent.
    pub fn take<V: Value>(&mut self, key: u64) -> Result<Option<V>, CodecError> {
        self.take_with(key, |d| V::read(d, key))
    }

    /// The list behind a key, at most `max` long; an absent key is an empty list, and an empty list is not written.
    pub fn list<V: Value>(&mut self, key: u64, max: usize) -> Result<Vec<V>, CodecError> {
        Ok(self.take_with(key, |d| read_list(d, key, 1, max))?.unwrap_or_default())
    }

    /// The text behind a key, `min` to `max` bytes long.
    pub fn text(&mut self, key: u64, min: usize, max: usize) -> Result<Option<String>, CodecError> {
        self.take_with(key, |d| read_text(d, key, min, max))
    }

    /// The byte string behind a key, at most `max` long.
    pub fn bytes(&mut self, key: u64, max: usize) -> Result<Option<&'b [u8]>, CodecError> {
        self.take_with(key, |d| read_bytes(d, key, max))
    }

    /// The value behind a key, as `read` takes it.
    pub fn take_with<T>(
        &mut self,
        key: u64,
        read: impl FnOnce(&mut Decoder<'b>) -> Result<T, CodecError>,
    ) -> Result<Option<T>, CodecError> {
        match self.next {
            Some(next) if next < key => Err(CodecError::UnknownCritical(next)),
            Some(next) if next == key => {
                let value = read(self.d)?;
                self.advance()?;
                Ok(Some(value))
            }
            _ => Ok(None),
        }
    }

    /// Ends the map: what is left must be ignorable.
    pub fn end(mut self) -> Result<(), CodecError> {
        while let Some(key) = self.next {
            if key < FIRST_IGNORABLE_KEY {
                return Err(CodecError::UnknownCritical(key));
            }
            self.d.skip().map_err(|_| CodecError::Form(key))?;
            self.advance()?;
        }
        Ok(())
    }
}

/// Reads an object that is one map: checks the bytes, then hands its reader to `read`.
pub fn read_object<T>(
    bytes: &[u8],
    read: impl FnOnce(&mut MapReader<'_, '_>) -> Result<T, CodecError>,
) -> Result<T, CodecError> {
    check(bytes)?;
    let mut d = Decoder::new(bytes);
    let mut map = MapReader::new(&mut d, 0)?;
    let value = read(&mut map)?;
    map.end()?;
    Ok(value)
}

/// Reads an array of `min` to `max` values.
pub fn read_list<V: Value>(d: &mut Decoder<'_>, key: u64, min: usize, max: usize) -> Result<Vec<V>, CodecError> {
    let items = read_array(d, key, min, max)?;
    (0..items).map(|_| V::read(d, key)).collect()
}

/// Reads the head of an array of `min` to `max` items.
pub fn read_array(d: &mut Decoder<'_>, key: u64, min: usize, max: usize) -> Result<usize, CodecError> {
    let items = d.array().ok().flatten().ok_or(CodecError::Form(key))?;
    let items = usize::try_from(items).map_err(|_| CodecError::Bounds(key))?;
    if (min..=max).contains(&items) { Ok(items) } else { Err(CodecError::Bounds(key)) }
}

/// Reads text of `min` to `max` bytes, without control characters other than line feed and tab.
pub fn read_text(d: &mut Decoder<'_>, key: u64, min: usize, max: usize) -> Result<String, CodecError> {
    let text = d.str().map_err(|_| CodecError::Form(key))?;
    if is_clean(text) && (min..=max).contains(&text.len()) { Ok(text.to_owned()) } else { Err(CodecError::Bounds(key)) }
}

/// Whether a text has no control characters other than line feed and tab.
pub fn is_clean(text: &str) -> bool {
    text.chars().all(|c| !c.is_control() || c == '\n' || c == '\t')
}

/// Reads a byte string of at most `max` bytes.
pub fn read_bytes<'b>(d: &mut Decoder<'b>, key: u64, max: usize) -> Result<&'b [u8], CodecError> {
    let bytes = d.bytes().map_err(|_| CodecError::Form(key))?;
    if bytes.len() <= max { Ok(bytes) } else { Err(CodecError::Bounds(key)) }
}

impl Value for u64 {
    fn write(&self, out: &mut Vec<u8>) {
        write_uint(out, *self);
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        d.u64().map_err(|_| CodecError::Form(key))
    }
}

impl Value for u32 {
    fn write(&self, out: &mut Vec<u8>) {
        write_uint(out, u64::from(*self));
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        u32::try_from(u64::read(d, key)?).map_err(|_| CodecError::Bounds(key))
    }
}

impl Value for bool {
    fn write(&self, out: &mut Vec<u8>) {
        encoder(out).bool(*self).expect("writing to memory cannot fail");
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        match d.datatype() {
            Ok(Type::Bool) => d.bool().map_err(|_| CodecError::Form(key)),
            _ => Err(CodecError::Form(key)),
        }
    }
}

impl Value for Time {
    fn write(&self, out: &mut Vec<u8>) {
        write_uint(out, self.ms());
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        Time::from_ms(u64::read(d, key)?).ok_or(CodecError::Bounds(key))
    }
}

impl<const N: usize> Value for [u8; N] {
    fn write(&self, out: &mut Vec<u8>) {
        write_bytes(out, self);
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        let bytes = d.bytes().map_err(|_| CodecError::Form(key))?;
        bytes.try_into().map_err(|_| CodecError::Form(key))
    }
}

macro_rules! id_value {
    ($($name:ident),*) => {$(
        impl Value for $name {
            fn write(&self, out: &mut Vec<u8>) {
                write_bytes(out, self.as_bytes());
            }

            fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
                Value::read(d, key).map(Self::from_bytes)
            }
        }
    )*};
}
id_value!(Hash, AgencyId, AgreementId, VersionHash, KeyId, ReportId);

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(bytes: &[u8]) -> Option<Rule> {
        match check(bytes) {
            Err(CodecError::NotCanonical { rule, .. }) => Some(rule),
            Err(other) => panic!("{other}"),
            Ok(()) => None,
        }
    }

    #[test]
    fn what_a_conforming_encoder_never_writes_is_refused() {
        assert_eq!(rule(&[0xa1, 0x00, 0x01]), None);
        assert_eq!(rule(&[0x18, 0x17]), Some(Rule::NotShortest));
        assert_eq!(rule(&[0x19, 0x00, 0xff]), Some(Rule::NotShortest));
        assert_eq!(rule(&[0x58, 0x01, 0x00]), Some(Rule::NotShortest));
        assert_eq!(rule(&[0x00, 0x00]), Some(Rule::Trailing));
        assert_eq!(rule(&[]), Some(Rule::Truncated));
        assert_eq!(rule(&[0x42, 0x00]), Some(Rule::Truncated));
        assert_eq!(rule(&[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Some(Rule::Truncated));
        assert_eq!(rule(&[0xa2, 0x01, 0x00, 0x00, 0x00]), Some(Rule::KeyOrder));
        assert_eq!(rule(&[0xa2, 0x01, 0x00, 0x01, 0x00]), Some(Rule::KeyOrder));
        assert_eq!(rule(&[0xa1, 0x41, 0x00, 0x00]), Some(Rule::KeyOrder));
        assert_eq!(rule(&[0x9f, 0xff]), Some(Rule::Type));
        assert_eq!(rule(&[0xf9, 0x00, 0x00]), Some(Rule::Type));
        assert_eq!(rule(&[0xf6]), Some(Rule::Type));
        assert_eq!(rule(&[0x20]), Some(Rule::Type));
        assert_eq!(rule(&[0xc0, 0x00]), Some(Rule::Type));
        assert_eq!(rule(&[0x61, 0xff]), Some(Rule::Utf8));
        assert_eq!(rule(&[0x81; 20]), Some(Rule::Depth));
    }

    #[test]
    fn an_array_that_claims_more_than_there_is_costs_nothing() {
        assert_eq!(rule(&[0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Some(Rule::Truncated));
    }

    #[test]
    fn unknown_keys_are_held_below_64_and_passed_over_from_there() {
        let object = MapWriter::new().put(0, &1_u64).put(64, &2_u64).finish();
        assert_eq!(read_object(&object, |map| map.need::<u64>(0)), Ok(1));
        let object = MapWriter::new().put(0, &1_u64).put(63, &2_u64).finish();
        assert_eq!(read_object(&object, |map| map.need::<u64>(0)), Err(CodecError::UnknownCritical(63)));
        let object = MapWriter::new().put(1, &1_u64).put(2, &2_u64).finish();
        assert_eq!(read_object(&object, |map| map.need::<u64>(2)), Err(CodecError::UnknownCritical(1)));
        assert_eq!(read_object(&object, |map| map.need::<u64>(3).map(|_| ())), Err(CodecError::UnknownCritical(1)));
    }
}
