//! What opens a wallet and is pasted by mistake. It is refused before anything else is tried, and neither stored,
//! logged nor shown again.
//!
//! Some keys look like something harmless: 64 hexadecimal digits are a key of most chains, and a transaction hash.
//! Where no chain is named, they are taken for what would do more harm.

use sha2::{Digest, Sha256};

use super::Fault;
use super::bitcoin::is_private_key;
use super::text::{Text, without_0x};

/// What extended private keys begin with (BIP-32, SLIP-132).
const EXTENDED: [&str; 11] = ["xprv", "yprv", "zprv", "Yprv", "Zprv", "tprv", "uprv", "vprv", "Uprv", "Vprv", "Ltpv"];

/// Words of a seed phrase: BIP-39 has 12 to 24, Monero 25, Electrum 12.
const WORDS: std::ops::RangeInclusive<usize> = 11..=26;

/// Whether a text is, or may be, a phrase of words that opens a wallet.
pub(super) fn is_phrase(text: &str) -> bool {
    let words = || text.split(|found: char| found.is_whitespace() || matches!(found, ',' | ';' | '-' | '_'));
    // Phrases are often written as numbered lists.
    let words = words().map(|word| word.trim_end_matches(['.', ')', ':']));
    let words: Vec<&str> = words.filter(|word| !word.is_empty() && word.parse::<u8>().is_err()).collect();
    let plain = |word: &&str| word.chars().all(char::is_alphabetic) && word.len() <= 40;
    WORDS.contains(&words.len()) && words.iter().all(plain)
}

/// Whether a text is a private key in a form that is told apart from addresses by itself.
pub(super) fn is_key(text: &Text<'_>) -> bool {
    let written = text.written;
    let length = written.len();
    if EXTENDED.iter().any(|start| written.starts_with(start)) && (100..=120).contains(&length) {
        return true;
    }
    if written.contains("PRIVATE KEY") || is_list_of_bytes(written) {
        return true;
    }
    let base58 = || written.chars().all(super::base58::is_base58);
    match length {
        22 | 26 | 30 if written.starts_with('S') && base58() => Sha256::digest(format!("{written}?"))[0] == 0,
        50..=55 if base58() => {
            text.base58check().is_ok_and(is_private_key) || super::tezos::read(text) == Err(Fault::PrivateKey)
        }
        56 => super::stellar::read(written) == Err(Fault::PrivateKey),
        // BIP-38: encrypted, and still no address.
        58 if written.starts_with("6P") => text.base58check().is_ok(),
        86..=88 if base58() => text.base58().is_ok_and(|bytes| bytes.len() == 64),
        98 | 99 if written.starts_with("edsk") => true,
        29..=31 if written.starts_with('s') => super::ripple::read(false, written) == Err(Fault::PrivateKey),
        _ => false,
    }
}

/// Whether a text is a key of many chains, or a hash; nothing but a chain's name tells.
pub(super) fn may_be_key(text: &str) -> bool {
    let (digits, skipped) = without_0x(text);
    skipped == 0 && digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `[1,2,…]`, as Solana's tools keep a key pair.
fn is_list_of_bytes(text: &str) -> bool {
    let inner = text.trim_start_matches('[').trim_end_matches(']');
    let numbers: Vec<&str> = inner.split(',').collect();
    matches!(numbers.len(), 32 | 64) && numbers.iter().all(|number| number.trim().parse::<u8>().is_ok())
}
