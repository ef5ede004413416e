//! TON: an account in a workchain, raw (`0:` and 64 hexadecimal digits) or user-friendly: base64 over flags, workchain,
//! account and CRC-16 (TEP-2).
//!
//! The flags say how a transfer should be made, bounceable or not, and are no part of the account. The canonical form
//! is the bounceable one in URL-safe letters, `EQ…`, that explorers show. A raw form names no network.

use crc::{CRC_16_XMODEM, Crc};
use data_encoding::{BASE64, BASE64URL, Encoding};

use super::Fault;
use super::reading::Read;
use super::text::check_hex;

const CRC: Crc<u16> = Crc::<u16>::new(&CRC_16_XMODEM);

const BOUNCEABLE: u8 = 0x11;
const NOT_BOUNCEABLE: u8 = 0x51;
const TEST: u8 = 0x80;

pub(super) fn read(test: bool, text: &str) -> Result<Read, Fault> {
    if let Some((workchain, digits)) = text.split_once(':') {
        return read_raw(test, workchain, digits);
    }
    let unfit = text
        .chars()
        .enumerate()
        .find(|(_, found)| !(found.is_ascii_alphanumeric() || matches!(found, '-' | '_' | '+' | '/')));
    if let Some((index, found)) = unfit {
        return Err(Fault::Character { position: index + 1, found });
    }
    if text.len() != 48 {
        return Err(Fault::Length { unit: "characters", found: text.len(), expected: "48" });
    }
    let letters: &Encoding = if text.contains(['+', '/']) { &BASE64 } else { &BASE64URL };
    let bytes = letters.decode(text.as_bytes()).map_err(|_| Fault::Rule("base64 of two kinds is mixed"))?;
    let (payload, checksum) = bytes.split_last_chunk::<2>().expect("36 bytes");
    if CRC.checksum(payload).to_be_bytes() != *checksum {
        return Err(Fault::Checksum);
    }
    let flags = payload[0];
    if (flags & TEST != 0) != test {
        return Err(Fault::Prefix);
    }
    let form = match flags & !TEST {
        BOUNCEABLE => "bounceable",
        NOT_BOUNCEABLE => "not bounceable",
        _ => return Err(Fault::Version { version: flags.into() }),
    };
    if !matches!(payload[1], 0 | 0xff) {
        return Err(Fault::Rule("its workchain is neither the basic one nor the masterchain"));
    }
    Ok(Read::new(encode(test, payload[1], &payload[2..]), form))
}

fn read_raw(test: bool, workchain: &str, digits: &str) -> Result<Read, Fault> {
    let number = match workchain {
        "0" => 0,
        "-1" => 0xff,
        _ => return Err(Fault::Rule("its workchain is neither the basic one nor the masterchain")),
    };
    check_hex(digits, workchain.len() + 1)?;
    let account = hex::decode(digits).ok().filter(|account| account.len() == 32);
    let account = account.ok_or(Fault::Length { unit: "hexadecimal digits", found: digits.len(), expected: "64" })?;
    Ok(Read::new(encode(test, number, &account), "raw"))
}

fn encode(test: bool, workchain: u8, account: &[u8]) -> String {
    let flags = if test { BOUNCEABLE | TEST } else { BOUNCEABLE };
    let payload = [&[flags, workchain], account].concat();
    let checksum = CRC.checksum(&payload).to_be_bytes();
    BASE64URL.encode(&[payload.as_slice(), &checksum].concat())
}
