//! Requests and responses: one protocol for any pinned partner, carrying bytes that only the desk understands.
//!
//! Who may have what is decided above, per request; here are only the frame and its bounds. One request and one
//! answer a substream:
//!
//! ```text
//! request   length (4 bytes, big-endian) | bytes             at most 64 KiB
//! answer    0 | length (4 bytes, big-endian) | bytes         a response, at most 2 MiB
//!           1                                                refused: the desk will not answer this
//!           2                                                busy: ask again later
//! ```
//!
//! A length above its bound is refused before a byte is read; below it, memory grows with the bytes that arrive
//! and not with the length announced. Bytes after the frame are an error.

use std::io;

use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::StreamProtocol;
use libp2p::request_response::{self, ProtocolSupport};

use super::limits::{REQUEST_BYTES, REQUEST_TIMEOUT, RESPONSE_BYTES, STREAMS_PER_CONNECTION};

const PROTOCOL: StreamProtocol = StreamProtocol::new("/entente/sync/1");

const RESPONSE: u8 = 0;
const REFUSED: u8 = 1;
const BUSY: u8 = 2;

pub(super) type Exchange = request_response::Behaviour<Codec>;

/// The protocol with its limits.
pub(super) fn behaviour() -> Exchange {
    let config = request_response::Config::default()
        .with_request_timeout(REQUEST_TIMEOUT)
        .with_max_concurrent_streams(STREAMS_PER_CONNECTION);
    Exchange::new([(PROTOCOL, ProtocolSupport::Full)], config)
}

/// What came of a request at the other side.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Answer {
    Response(Vec<u8>),
    Refused,
    Busy,
}

/// The frame above.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Codec;

impl request_response::Codec for Codec {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Answer;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        let request = read_bytes(io, REQUEST_BYTES).await?;
        at_end(io).await?;
        Ok(request)
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Answer>
    where
        T: AsyncRead + Unpin + Send,
    {
        let mut kind = [0];
        io.read_exact(&mut kind).await?;
        let answer = match kind[0] {
            RESPONSE => Answer::Response(read_bytes(io, RESPONSE_BYTES).await?),
            REFUSED => Answer::Refused,
            BUSY => Answer::Busy,
            _ => return Err(io::ErrorKind::InvalidData.into()),
        };
        at_end(io).await?;
        Ok(answer)
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, io: &mut T, request: Vec<u8>) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write_bytes(io, &request, REQUEST_BYTES).await
    }

    async fn write_response<T>(&mut self, _: &StreamProtocol, io: &mut T, answer: Answer) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        match answer {
            Answer::Response(bytes) => {
                io.write_all(&[RESPONSE]).await?;
                write_bytes(io, &bytes, RESPONSE_BYTES).await
            }
            Answer::Refused => io.write_all(&[REFUSED]).await,
            Answer::Busy => io.write_all(&[BUSY]).await,
        }
    }
}

async fn read_bytes<T: AsyncRead + Unpin + Send>(io: &mut T, limit: usize) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    io.read_exact(&mut length).await?;
    let length = u32::from_be_bytes(length);
    if length as usize > limit {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = Vec::new();
    io.take(u64::from(length)).read_to_end(&mut bytes).await?;
    if bytes.len() < length as usize {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

async fn at_end<T: AsyncRead + Unpin + Send>(io: &mut T) -> io::Result<()> {
    match io.read(&mut [0]).await? {
        0 => Ok(()),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

async fn write_bytes<T: AsyncWrite + Unpin + Send>(io: &mut T, bytes: &[u8], limit: usize) -> io::Result<()> {
    if bytes.len() > limit {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let length = u32::try_from(bytes.len()).expect("the limits are below 4 GiB");
    io.write_all(&length.to_be_bytes()).await?;
    io.write_all(bytes).await
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use futures::io::Cursor;
    use libp2p::request_response::Codec as _;

    use super::*;

    fn request(bytes: &[u8]) -> Result<Vec<u8>, io::ErrorKind> {
        block_on(Codec.read_request(&PROTOCOL, &mut Cursor::new(bytes))).map_err(|error| error.kind())
    }

    fn answer(bytes: &[u8]) -> Result<Answer, io::ErrorKind> {
        block_on(Codec.read_response(&PROTOCOL, &mut Cursor::new(bytes))).map_err(|error| error.kind())
    }

    #[test]
    fn frames_read_back() {
        let mut wire = Cursor::new(Vec::new());
        block_on(Codec.write_request(&PROTOCOL, &mut wire, b"heads?".to_vec())).expect("written");
        assert_eq!(wire.get_ref(), b"\0\0\0\x06heads?");
        assert_eq!(request(wire.get_ref()), Ok(b"heads?".to_vec()));
        for sent in [Answer::Response(vec![7; 3]), Answer::Refused, Answer::Busy] {
            let mut wire = Cursor::new(Vec::new());
            let expected = match &sent {
                Answer::Response(bytes) => Answer::Response(bytes.clone()),
                Answer::Refused => Answer::Refused,
                Answer::Busy => Answer::Busy,
            };
            block_on(Codec.write_response(&PROTOCOL, &mut wire, sent)).expect("written");
            assert_eq!(answer(wire.get_ref()), Ok(expected));
        }
    }

    #[test]
    fn lengths_above_the_bound_are_refused_before_anything_is_read() {
        assert_eq!(request(&[0, 1, 0, 1]), Err(io::ErrorKind::InvalidData));
        assert_eq!(request(&[0xff; 8]), Err(io::ErrorKind::InvalidData));
        assert_eq!(answer(&[RESPONSE, 0, 0x20, 0, 1]), Err(io::ErrorKind::InvalidData));
    }

    #[test]
    fn short_long_and_unknown_frames_are_refused() {
        assert_eq!(request(b"\0\0\0\x02a"), Err(io::ErrorKind::UnexpectedEof));
        assert_eq!(request(b"\0\0\0\x01ab"), Err(io::ErrorKind::InvalidData));
        assert_eq!(request(b""), Err(io::ErrorKind::UnexpectedEof));
        assert_eq!(answer(&[REFUSED, 0]), Err(io::ErrorKind::InvalidData));
        assert_eq!(answer(&[3]), Err(io::ErrorKind::InvalidData));
    }

    #[test]
    fn nothing_above_the_bound_is_written() {
        let mut wire = Cursor::new(Vec::new());
        let sent = block_on(Codec.write_request(&PROTOCOL, &mut wire, vec![0; REQUEST_BYTES + 1]));
        assert_eq!(sent.map_err(|error| error.kind()), Err(io::ErrorKind::InvalidInput));
        assert!(wire.get_ref().is_empty());
    }
}
