//! What happens to a body before it is sealed: it is compressed, then padded.
//!
//! Compression is zstd, or none where zstd does not help; which one is written beside the frame.
//! An agency's own text and others' text never share a frame, since the size of such a frame would
//! tell the one about the other; that rule is the caller's. Padding then hides the exact size:
//! Padmé (PURBs, PETS 2019) leaks O(log log n) bits at an overhead of at most 12 %.

use std::io::Read;

use thiserror::Error;
use zstd::stream::read::Decoder;

/// The smallest padded size, in bytes: a body holds at least a statement, its salt and a signature.
pub const MIN_PADDED: usize = 512;

/// zstd's own default level: higher ones cost several times the CPU for a few percent.
const LEVEL: i32 = 3;

/// The largest window, 4 MiB as log2, that a frame may ask a reader to hold: what an entry's body
/// may unpack to. Level 3 asks for 2 MiB at most.
const MAX_WINDOW_LOG: u32 = 22;

/// How a body's batches are compressed.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Compression {
    /// Stored as they are.
    None = 0,
    /// One zstd frame (RFC 8878).
    Zstd = 1,
}

impl Compression {
    /// The number that stands for this compression on the wire.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The compression of that number on the wire, if it is a known one.
    pub const fn from_code(code: u64) -> Option<Self> {
        match code {
            0 => Some(Self::None),
            1 => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// Why a frame was refused.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum PackError {
    /// It holds more than the reader takes.
    #[error("unpacks to more than {max} bytes")]
    TooLarge {
        /// The most that was allowed, in bytes.
        max: usize,
    },
    /// Not one whole zstd frame within the window limit.
    #[error("not a zstd frame, or one that needs a window over 4 MiB")]
    Malformed,
    /// Bytes follow the frame.
    #[error("{len} bytes after the end of the zstd frame")]
    Trailing {
        /// How many bytes.
        len: usize,
    },
}

/// Compresses `data` with zstd, or leaves it as it is where that is no larger.
pub fn compress(data: &[u8]) -> (Compression, Vec<u8>) {
    match zstd::bulk::compress(data, LEVEL) {
        Ok(frame) if frame.len() < data.len() => (Compression::Zstd, frame),
        _ => (Compression::None, data.to_vec()),
    }
}

/// Undoes [`compress`]: exactly one frame, at most `max` bytes out, at most 4 MiB of window.
///
/// Memory follows what the frame really holds, never what it claims.
pub fn decompress(how: Compression, packed: &[u8], max: usize) -> Result<Vec<u8>, PackError> {
    match how {
        Compression::None if packed.len() > max => Err(PackError::TooLarge { max }),
        Compression::None => Ok(packed.to_vec()),
        Compression::Zstd => unzstd(packed, max),
    }
}

fn unzstd(packed: &[u8], max: usize) -> Result<Vec<u8>, PackError> {
    let malformed = |_| PackError::Malformed;
    let mut decoder = Decoder::with_buffer(packed).map_err(malformed)?.single_frame();
    decoder.window_log_max(MAX_WINDOW_LOG).map_err(malformed)?;
    let one_more = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    let mut data = Vec::new();
    decoder.by_ref().take(one_more).read_to_end(&mut data).map_err(malformed)?;
    if data.len() > max {
        return Err(PackError::TooLarge { max });
    }
    match decoder.finish().len() {
        0 => Ok(data),
        len => Err(PackError::Trailing { len }),
    }
}

/// The size that `len` bytes are padded to: Padmé, and at least [`MIN_PADDED`].
///
/// With `e = floor(log2 len)` and `s = floor(log2 e) + 1`, the last `e - s` bits are rounded up to zero.
pub fn padded_len(len: usize) -> usize {
    if len <= MIN_PADDED {
        return MIN_PADDED;
    }
    let exponent = len.ilog2();
    let kept = exponent.ilog2() + 1;
    let mask = (1usize << (exponent - kept)) - 1;
    // Lengths so near to the machine's limit belong to no buffer; they stay as they are.
    len.checked_add(mask).map_or(len, |rounded| rounded & !mask)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, any, prop, prop_assert, prop_assert_eq, proptest};

    use super::*;

    const MIB: usize = 1 << 20;

    #[test]
    fn what_does_not_shrink_is_stored() {
        let (how, packed) = compress(b"short");
        assert_eq!((how, packed.as_slice()), (Compression::None, &b"short"[..]));
        assert_eq!(compress(b""), (Compression::None, Vec::new()));
        assert_eq!(compress(&[7; 4096]).0, Compression::Zstd);
    }

    #[test]
    fn four_mebibytes_return() {
        let data: Vec<u8> = (0..4 * MIB).map(|i| (i / 700).to_le_bytes()[0]).collect();
        let (how, packed) = compress(&data);
        assert_eq!(how, Compression::Zstd);
        assert_eq!(decompress(how, &packed, 4 * MIB), Ok(data));
        assert_eq!(decompress(how, &packed, 4 * MIB - 1), Err(PackError::TooLarge { max: 4 * MIB - 1 }));
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let bomb = zstd::bulk::compress(&vec![0; 256 * MIB], LEVEL).unwrap();
        assert!(bomb.len() < 64 * 1024, "{} bytes", bomb.len());
        let refused = Err(PackError::TooLarge { max: 4 * MIB });
        assert_eq!(decompress(Compression::Zstd, &bomb, 4 * MIB), refused);
    }

    #[test]
    fn a_window_over_the_limit_is_refused() {
        // Magic, descriptor without content size, window of 2^27 bytes, one empty last block.
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, (27 - 10) << 3, 0x01, 0x00, 0x00];
        assert_eq!(decompress(Compression::Zstd, &frame, MIB), Err(PackError::Malformed));
        let mut within = frame;
        within[5] = (22 - 10) << 3;
        assert_eq!(decompress(Compression::Zstd, &within, MIB), Ok(Vec::new()));
    }

    #[test]
    fn anything_but_one_whole_frame_is_refused() {
        let frame = zstd::bulk::compress(&[7; 4096], LEVEL).unwrap();
        let zstd = |bytes: &[u8]| decompress(Compression::Zstd, bytes, MIB);
        assert_eq!(zstd(&frame), Ok(vec![7; 4096]));
        assert_eq!(zstd(&frame[..frame.len() - 1]), Err(PackError::Malformed));
        assert_eq!(zstd(b"no frame at all"), Err(PackError::Malformed));
        assert_eq!(zstd(b""), Err(PackError::Malformed));
        let twice = [frame.clone(), frame.clone()].concat();
        assert_eq!(zstd(&twice), Err(PackError::Trailing { len: frame.len() }));
        let stored = decompress(Compression::None, &[0; 9], 8);
        assert_eq!(stored, Err(PackError::TooLarge { max: 8 }));
    }

    #[test]
    fn codes_return() {
        for how in [Compression::None, Compression::Zstd] {
            assert_eq!(Compression::from_code(how.code().into()), Some(how));
        }
        assert_eq!(Compression::from_code(2), None);
    }

    #[test]
    fn padding_follows_the_published_rule() {
        for (len, padded) in [
            (0, 512),
            (1, 512),
            (512, 512),
            (513, 544),
            (1000, 1024),
            (1025, 1088),
            (100_000, 100_352),
            (MIB, MIB),
            (MIB + 1, MIB + (1 << 15)),
        ] {
            assert_eq!(padded_len(len), padded, "{len}");
        }
        assert_eq!(padded_len(usize::MAX), usize::MAX);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn packing_returns(data in prop::collection::vec(0u8..4, 0..2000)) {
            let (how, packed) = compress(&data);
            prop_assert!(packed.len() <= data.len());
            prop_assert_eq!(decompress(how, &packed, data.len()), Ok(data));
        }

        #[test]
        fn padding_never_shrinks_and_settles(len in any::<u32>()) {
            let len = usize::try_from(len).unwrap();
            let padded = padded_len(len);
            prop_assert!(padded >= len);
            prop_assert_eq!(padded_len(padded), padded);
            prop_assert!(len <= MIN_PADDED || (padded - len) * 100 < len * 12);
        }

        #[test]
        fn noise_is_refused_without_panic(noise in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decompress(Compression::Zstd, &noise, 1000);
        }
    }
}
