//! Waves: base58 of a version, the network's letter, 20 bytes of a key's hash and 4 of a checksum, Keccak-256 over
//! BLAKE2b-256 (Waves' documentation, "Account address").

use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest};
use sha3::Keccak256;

use super::Fault;
use super::reading::Read;
use super::text::Text;

const VERSION: u8 = 1;

/// The letter of the main network, and of the test network.
const NETWORKS: [u8; 2] = [b'W', b'T'];

pub(super) fn read(test: bool, text: &Text<'_>) -> Result<Read, Fault> {
    let bytes: &[u8; 26] = text.base58()?.try_into().map_err(|_| {
        let found = text.base58().map_or(0, <[u8]>::len);
        Fault::Length { unit: "bytes", found, expected: "26" }
    })?;
    let (checked, checksum) = bytes.split_last_chunk::<4>().expect("26 bytes");
    if Keccak256::digest(Blake2b::<U32>::digest(checked))[..4] != *checksum {
        return Err(Fault::Checksum);
    }
    if checked[0] != VERSION {
        return Err(Fault::Version { version: checked[0].into() });
    }
    if checked[1] != NETWORKS[usize::from(test)] {
        return Err(Fault::Prefix);
    }
    Ok(Read::new(text.written, "account"))
}
