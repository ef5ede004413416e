//! XRP Ledger: base58check in an alphabet of its own. An X-address (XLS-5d) is an account with its destination tag, and
//! says for which network it is; the classic form does not.

use super::reading::{Read, SubAccount};
use super::{Fault, base58};

/// What an X-address begins with on the main network, and on test networks.
const MAIN: [u8; 2] = [0x05, 0x44];
const TEST: [u8; 2] = [0x04, 0x93];

/// What the two kinds of secret seeds begin with.
const SEEDS: [&[u8]; 2] = [&[0x21], &[0x01, 0xe1, 0x4b]];

pub(super) fn read(test: bool, text: &str) -> Result<Read, Fault> {
    let (text, tag) = match text.split_once(':') {
        Some((account, tag)) => (account, Some(tag.parse().map_err(|_| Fault::Rule("the tag is no number"))?)),
        None => (text, None),
    };
    let payload = base58::decode_ripple(text)?;
    if SEEDS.iter().any(|seed| payload.starts_with(seed) && payload.len() == seed.len() + 16) {
        return Err(Fault::PrivateKey);
    }
    if let [0, account @ ..] = payload.as_slice() {
        if account.len() != 20 {
            return Err(Fault::Length { unit: "bytes after the version", found: account.len(), expected: "20" });
        }
        let read = Read::new(text, "classic");
        return Ok(tag.map_or(read.clone(), |tag| read.at(SubAccount::DestinationTag(tag))));
    }
    let (prefix, rest) = payload.split_first_chunk::<2>().ok_or(Fault::Checksum)?;
    if *prefix != (if test { TEST } else { MAIN }) {
        return Err(if matches!(*prefix, MAIN | TEST) {
            Fault::Prefix
        } else {
            Fault::Version { version: payload[0].into() }
        });
    }
    let (account, rest) = rest.split_first_chunk::<20>().ok_or(Fault::Checksum)?;
    let canonical = base58::encode_ripple(&[&[0], &account[..]].concat());
    let read = Read::new(canonical, "X-address");
    match rest {
        [0, 0, 0, 0, 0, 0, 0, 0, 0] => Ok(tag.map_or(read.clone(), |tag| read.at(SubAccount::DestinationTag(tag)))),
        [1, a, b, c, d, 0, 0, 0, 0] => {
            let inside = u32::from_le_bytes([*a, *b, *c, *d]);
            match tag {
                Some(tag) if tag != inside => Err(Fault::Rule("it carries another tag than the one beside it")),
                _ => Ok(read.at(SubAccount::DestinationTag(inside))),
            }
        }
        _ => Err(Fault::Rule("its tag is not written as XLS-5d asks")),
    }
}
