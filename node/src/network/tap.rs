//! The tap: a record of every byte that partners sent us, after decryption. Exercise agencies alone have one.
//!
//! It wraps the stream multiplexer, below every protocol, so that it sees whatever arrives on whatever substream,
//! the negotiation of protocol names included; an exercise searches it for what its agency must not learn.
//! Substreams interleave, and a word cut in two by another stream's bytes would escape a search; so each record
//! names its substream, and [`read`] joins them again:
//!
//! ```text
//! substream number (8 bytes, big-endian) | length (4 bytes, big-endian) | bytes
//! ```
//!
//! A byte that cannot be recorded is not delivered: the substream fails instead. Writing blocks the connection's
//! task, which is as it should be for an exercise and one more reason why no live node has a tap.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use futures::io::{AsyncRead, AsyncWrite};
use libp2p::core::muxing::{StreamMuxer, StreamMuxerBox, StreamMuxerEvent, SubstreamBox};

const RECORD_HEAD: usize = 12;

/// The inbound bytes of each substream, in the order in which the substreams began.
pub fn read(path: &Path) -> io::Result<Vec<Vec<u8>>> {
    Ok(join(&std::fs::read(path)?).0.into_values().collect())
}

/// The substreams of a record by number, and the length of the whole records in it.
fn join(record: &[u8]) -> (BTreeMap<u64, Vec<u8>>, usize) {
    let mut streams: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    let mut rest = record;
    while let Some((head, tail)) = rest.split_first_chunk::<RECORD_HEAD>() {
        let (number, length) = head.split_at(8);
        let number = u64::from_be_bytes(number.try_into().expect("a head begins with 8 bytes"));
        let length = u32::from_be_bytes(length.try_into().expect("a head ends with 4 bytes"));
        let Some((bytes, next)) = tail.split_at_checked(length as usize) else {
            break; // Cut short by a kill in the middle of writing: its bytes were never delivered.
        };
        streams.entry(number).or_default().extend_from_slice(bytes);
        rest = next;
    }
    (streams, record.len() - rest.len())
}

/// The open record, shared by all connections.
#[derive(Clone, Debug)]
pub(super) struct Tap(Arc<Mutex<Record>>);

#[derive(Debug)]
struct Record {
    file: File,
    next_stream: u64,
}

impl Tap {
    /// Opens the record at its end; an agency that restarts goes on with it.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
        let mut record = Vec::new();
        file.read_to_end(&mut record)?;
        let (streams, whole) = join(&record);
        file.set_len(whole as u64)?;
        let next_stream = streams.last_key_value().map_or(0, |(last, _)| last + 1);
        Ok(Self(Arc::new(Mutex::new(Record { file, next_stream }))))
    }

    /// The same connection, recorded.
    pub(super) fn wrap(&self, muxer: StreamMuxerBox) -> StreamMuxerBox {
        StreamMuxerBox::new(TappedMuxer { inner: muxer, tap: self.clone() })
    }

    fn stream(&self, inner: SubstreamBox) -> TappedStream {
        let mut record = self.0.lock().expect("no holder of the record panics");
        let number = record.next_stream;
        record.next_stream += 1;
        TappedStream { inner, number, tap: self.clone() }
    }

    fn write(&self, number: u64, bytes: &[u8]) -> io::Result<()> {
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        let mut record = Vec::with_capacity(RECORD_HEAD + bytes.len());
        record.extend_from_slice(&number.to_be_bytes());
        record.extend_from_slice(&length.to_be_bytes());
        record.extend_from_slice(bytes);
        self.0.lock().expect("no holder of the record panics").file.write_all(&record)
    }
}

struct TappedMuxer {
    inner: StreamMuxerBox,
    tap: Tap,
}

impl StreamMuxer for TappedMuxer {
    type Substream = TappedStream;
    type Error = io::Error;

    fn poll_inbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<TappedStream>> {
        let stream = ready!(Pin::new(&mut self.inner).poll_inbound(cx))?;
        Poll::Ready(Ok(self.tap.stream(stream)))
    }

    fn poll_outbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<TappedStream>> {
        let stream = ready!(Pin::new(&mut self.inner).poll_outbound(cx))?;
        Poll::Ready(Ok(self.tap.stream(stream)))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        Pin::new(&mut self.inner).poll(cx)
    }
}

struct TappedStream {
    inner: SubstreamBox,
    number: u64,
    tap: Tap,
}

// `poll_read_vectored` stays the default, which reads through `poll_read`: nothing passes beside the record.
impl AsyncRead for TappedStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.inner).poll_read(cx, buffer))?;
        if count > 0 {
            self.tap.write(self.number, &buffer[..count])?;
        }
        Poll::Ready(Ok(count))
    }
}

impl AsyncWrite for TappedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interleaved_streams_are_joined_again_across_a_restart() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("tap");
        let tap = Tap::open(&path).expect("a new record");
        for (number, bytes) in [(0, b"can".as_slice()), (1, b"other"), (0, b"ary")] {
            tap.write(number, bytes).expect("written");
        }
        let whole = std::fs::read(&path).expect("readable");
        std::fs::write(&path, [whole.as_slice(), &[0; 13]].concat()).expect("a torn end");
        let tap = Tap::open(&path).expect("the same record");
        let next = tap.0.lock().expect("not poisoned").next_stream;
        tap.write(next, b"later").expect("written");
        assert_eq!(read(&path).expect("readable"), [b"canary".to_vec(), b"other".to_vec(), b"later".to_vec()]);
    }
}
