//! The parts of messages as CBOR: small arrays, since each has one form for good.

use minicbor::Decoder;

use crate::limits as wire;
use crate::wire::codec::{self, CodecError, Value};

use super::{EntryBytes, FeedItem, LogName, ObjectAt, ScopeState};

impl Value for LogName {
    fn write(&self, out: &mut Vec<u8>) {
        codec::write_array(out, 3);
        self.author.write(out);
        self.writer.write(out);
        self.generation.write(out);
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        codec::read_array(d, key, 3, 3)?;
        Ok(Self { author: Value::read(d, key)?, writer: Value::read(d, key)?, generation: Value::read(d, key)? })
    }
}

impl Value for ScopeState {
    fn write(&self, out: &mut Vec<u8>) {
        codec::write_array(out, 4);
        self.scope.write(out);
        self.heads_digest.write(out);
        self.incarnation.write(out);
        self.feed_length.write(out);
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        codec::read_array(d, key, 4, 4)?;
        Ok(Self {
            scope: Value::read(d, key)?,
            heads_digest: Value::read(d, key)?,
            incarnation: Value::read(d, key)?,
            feed_length: Value::read(d, key)?,
        })
    }
}

impl Value for FeedItem {
    fn write(&self, out: &mut Vec<u8>) {
        codec::write_array(out, 3);
        self.position.write(out);
        u64::from(self.kind).write(out);
        self.hash.write(out);
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        codec::read_array(d, key, 3, 3)?;
        Ok(Self { position: Value::read(d, key)?, kind: read_kind(d, key)?, hash: Value::read(d, key)? })
    }
}

impl Value for ObjectAt {
    fn write(&self, out: &mut Vec<u8>) {
        codec::write_array(out, 3);
        self.index.write(out);
        u64::from(self.kind).write(out);
        codec::write_bytes(out, &self.bytes);
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        codec::read_array(d, key, 3, 3)?;
        let (index, kind) = (Value::read(d, key)?, read_kind(d, key)?);
        Ok(Self { index, kind, bytes: codec::read_bytes(d, key, wire::RECEIPT_BYTES)?.to_vec() })
    }
}

fn read_kind(d: &mut Decoder<'_>, key: u64) -> Result<u8, CodecError> {
    u8::try_from(u64::read(d, key)?).map_err(|_| CodecError::Bounds(key))
}

impl Value for EntryBytes {
    fn write(&self, out: &mut Vec<u8>) {
        codec::write_array(out, 1 + usize::from(self.body.is_some()));
        codec::write_bytes(out, &self.header);
        if let Some(body) = &self.body {
            codec::write_bytes(out, body);
        }
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        let parts = codec::read_array(d, key, 1, 2)?;
        let header = codec::read_bytes(d, key, wire::HEADER_BYTES)?.to_vec();
        let body = if parts == 2 { Some(codec::read_bytes(d, key, wire::BODY_BYTES)?.to_vec()) } else { None };
        Ok(Self { header, body })
    }
}
