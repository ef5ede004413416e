//! A text that may be an address on many chains: what several of them would decode is decoded once.

use std::cell::OnceCell;

use super::reading::Read;
use super::{Fault, base58, evm};

/// What is to be read, without debris around it.
pub(super) struct Text<'a> {
    pub(super) written: &'a str,
    base58: OnceCell<Result<Vec<u8>, Fault>>,
    checked: OnceCell<Result<Vec<u8>, Fault>>,
    account: OnceCell<Result<Read, Fault>>,
}

impl<'a> Text<'a> {
    pub(super) fn new(text: &'a str) -> Text<'a> {
        Text { written: text, base58: OnceCell::new(), checked: OnceCell::new(), account: OnceCell::new() }
    }

    /// Its bytes in base58.
    pub(super) fn base58(&self) -> Result<&[u8], Fault> {
        self.base58.get_or_init(|| base58::decode(self.written)).as_deref().map_err(|fault| *fault)
    }

    /// Its bytes in base58check, without the checksum, which is verified.
    pub(super) fn base58check(&self) -> Result<&[u8], Fault> {
        let checked = || self.base58().and_then(base58::verify);
        self.checked.get_or_init(checked).as_deref().map_err(|fault| *fault)
    }

    /// The account that it is on every EVM chain that has no form of its own.
    pub(super) fn evm(&self) -> Result<Read, Fault> {
        self.account.get_or_init(|| evm::read(1, self.written)).clone()
    }
}

/// Refuses what is no hexadecimal digit; `skipped` characters stand before `digits`.
pub(super) fn check_hex(digits: &str, skipped: usize) -> Result<(), Fault> {
    match digits.chars().enumerate().find(|(_, found)| !found.is_ascii_hexdigit()) {
        Some((index, found)) => Err(Fault::Character { position: skipped + index + 1, found }),
        None => Ok(()),
    }
}

/// What follows `0x`, in either case, or the whole text; and how many characters were skipped.
pub(super) fn without_0x(text: &str) -> (&str, usize) {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    (digits, text.len() - digits.len())
}

/// `0x` and all digits of a 32-byte value, from at most 64 of them.
pub(super) fn padded_hex(text: &str) -> Result<String, Fault> {
    let (digits, skipped) = without_0x(text);
    check_hex(digits, skipped)?;
    if digits.is_empty() || digits.len() > 64 {
        return Err(Fault::Length { unit: "hexadecimal digits", found: digits.len(), expected: "1 to 64" });
    }
    Ok(format!("0x{:0>64}", digits.to_ascii_lowercase()))
}
