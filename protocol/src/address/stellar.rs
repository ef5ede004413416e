//! Stellar: base32 over a version byte, a key and CRC-16 (SEP-23). A muxed account is an account with an id; a memo may
//! stand behind an account after a hyphen, as the CAIP namespace writes it.

use crc::{CRC_16_XMODEM, Crc};
use data_encoding::BASE32_NOPAD;

use super::Fault;
use super::reading::{MAX_MEMO_BYTES, Read, SubAccount};

const CRC: Crc<u16> = Crc::<u16>::new(&CRC_16_XMODEM);

/// Version bytes: `G`, `M`, `C` and `S`.
const ACCOUNT: u8 = 6 << 3;
const MUXED: u8 = 12 << 3;
const CONTRACT: u8 = 2 << 3;
const SEED: u8 = 18 << 3;

pub(super) fn read(text: &str) -> Result<Read, Fault> {
    let (account, memo) = match text.split_once('-') {
        Some((account, memo)) => (account, Some(memo)),
        None => (text, None),
    };
    let (version, key) = decode(account)?;
    let read = match (version, key.len()) {
        (ACCOUNT, 32) => Read::new(account.to_ascii_uppercase(), "account"),
        (CONTRACT, 32) => Read::new(account.to_ascii_uppercase(), "contract"),
        (MUXED, 40) => {
            let (key, id) = key.split_last_chunk::<8>().expect("40 bytes");
            Read::new(encode(ACCOUNT, key), "muxed account").at(SubAccount::MuxedId(u64::from_be_bytes(*id)))
        }
        (SEED, _) => return Err(Fault::PrivateKey),
        (ACCOUNT | CONTRACT | MUXED, found) => {
            return Err(Fault::Length { unit: "bytes", found, expected: "32, or 40 if muxed" });
        }
        _ => return Err(Fault::Version { version: version.into() }),
    };
    match memo {
        Some(memo) if read.sub_account.is_some() || memo.is_empty() || memo.len() > MAX_MEMO_BYTES => {
            Err(Fault::Rule("what follows the hyphen is no memo of such an account"))
        }
        Some(memo) => Ok(read.at(SubAccount::Memo(memo.into()))),
        None => Ok(read),
    }
}

fn decode(text: &str) -> Result<(u8, Vec<u8>), Fault> {
    let upper = text.to_ascii_uppercase();
    let unfit = text.chars().enumerate().find(|(_, found)| !matches!(found, 'A'..='Z' | 'a'..='z' | '2'..='7'));
    if let Some((index, found)) = unfit {
        return Err(Fault::Character { position: index + 1, found });
    }
    if !matches!(text.len(), 56 | 69) {
        return Err(Fault::Length { unit: "characters", found: text.len(), expected: "56, or 69 if muxed" });
    }
    let bytes = BASE32_NOPAD.decode(upper.as_bytes()).map_err(|_| Fault::Padding)?;
    let (payload, checksum) = bytes.split_last_chunk::<2>().ok_or(Fault::Checksum)?;
    if CRC.checksum(payload).to_le_bytes() != *checksum {
        return Err(Fault::Checksum);
    }
    Ok((payload[0], payload[1..].to_vec()))
}

fn encode(version: u8, key: &[u8]) -> String {
    let payload = [&[version], key].concat();
    let checksum = CRC.checksum(&payload).to_le_bytes();
    BASE32_NOPAD.encode(&[payload.as_slice(), &checksum].concat())
}
