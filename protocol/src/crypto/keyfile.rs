//! Keys at rest: age files under a passphrase (the `scrypt` recipient of the C2SP age specification).
//!
//! ```text
//! wrap key = scrypt(passphrase, "age-encryption.org/v1/scrypt" || salt, N = 2^log_n, r = 8, p = 1)
//! ```
//!
//! Any age implementation opens these files, so a lost node does not strand an agency's keys.
//! The caller says what a guess may cost: writing takes a work factor, reading takes a bound, which
//! is checked before any work is done. What the passphrase should be like is not judged here.

use age::scrypt;
use age::secrecy::SecretString;
use thiserror::Error;
use zeroize::Zeroizing;

use super::age_file::{self, OpenError, Shape};

/// The highest work factor, as log2: 4 GiB of memory for one guess.
pub const MAX_LOG_N: u8 = 22;

const SHAPE: Shape = Shape { tag: "scrypt", grease: false };

/// Why a key file was not written or not opened.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum KeyfileError {
    /// The passphrase is another one. An altered stanza looks the same; no one can tell them apart.
    #[error("wrong passphrase")]
    WrongPassphrase,
    /// Opening would cost more than the bound.
    #[error("scrypt work factor 2^{log_n}, more than the 2^{max} allowed")]
    TooMuchWork {
        /// What the file asks for, as log2.
        log_n: u8,
        /// The most that was allowed, as log2.
        max: u8,
    },
    /// No file is written with such a work factor.
    #[error("scrypt work factor 2^{log_n}, not from 2^1 to 2^{MAX_LOG_N}")]
    WorkFactor {
        /// What was asked for, as log2.
        log_n: u8,
    },
    /// The file is damaged, or is no age scrypt file.
    #[error("key file is damaged: {0}")]
    Damaged(OpenError),
}

/// Seals `plaintext` under `passphrase`, at a cost of 2^`log_n` scrypt blocks of 1 KiB.
pub fn protect(passphrase: &str, plaintext: &[u8], log_n: u8) -> Result<Vec<u8>, KeyfileError> {
    if !(1..=MAX_LOG_N).contains(&log_n) {
        return Err(KeyfileError::WorkFactor { log_n });
    }
    let mut recipient = scrypt::Recipient::new(SecretString::from(passphrase));
    recipient.set_work_factor(log_n);
    Ok(age_file::seal(&recipient, plaintext))
}

/// Opens what [`protect`] made, if that costs at most 2^`max_log_n`, and never more than [`MAX_LOG_N`].
pub fn unprotect(passphrase: &str, file: &[u8], max_log_n: u8) -> Result<Zeroizing<Vec<u8>>, KeyfileError> {
    let header = age_file::scan(file, SHAPE).map_err(KeyfileError::Damaged)?;
    let max = max_log_n.min(MAX_LOG_N);
    let log_n = work_factor(header.args).ok_or(KeyfileError::Damaged(OpenError::HeaderMalformed))?;
    if log_n > max {
        return Err(KeyfileError::TooMuchWork { log_n, max });
    }
    let mut identity = scrypt::Identity::new(SecretString::from(passphrase));
    identity.set_max_work_factor(max);
    // The plaintext is never longer than the file, which the caller already holds.
    age_file::open(&identity, SHAPE, file, file.len()).map_err(|fault| match fault {
        OpenError::WrongKey => KeyfileError::WrongPassphrase,
        other => KeyfileError::Damaged(other),
    })
}

/// The second and last argument: digits without sign or leading zero, at least 1.
fn work_factor(args: &[u8]) -> Option<u8> {
    let mut args = std::str::from_utf8(args).ok()?.split(' ');
    let (_salt, digits) = (args.next()?, args.next()?);
    let canonical = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    let log_n = digits.parse().ok()?;
    (canonical && args.next().is_none()).then_some(log_n)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: u8 = 2;

    #[test]
    fn the_same_passphrase_opens_and_another_does_not() {
        let file = protect("correct horse", b"a root key", CHEAP).unwrap();
        let opened = unprotect("correct horse", &file, CHEAP).unwrap();
        assert_eq!(opened.as_slice(), b"a root key");
        let refused = unprotect("Correct horse", &file, CHEAP);
        assert_eq!(refused, Err(KeyfileError::WrongPassphrase));
    }

    #[test]
    fn work_over_the_bound_is_refused_and_told() {
        let file = protect("p", b"key", 3).unwrap();
        let refused = unprotect("p", &file, 2);
        assert_eq!(refused, Err(KeyfileError::TooMuchWork { log_n: 3, max: 2 }));
        let text = String::from_utf8_lossy(&file).into_owned();
        let greedy = text.replacen(" 3\n", " 63\n", 1);
        let refused = unprotect("p", greedy.as_bytes(), u8::MAX);
        let max = MAX_LOG_N;
        assert_eq!(refused, Err(KeyfileError::TooMuchWork { log_n: 63, max }));
        for log_n in [0, MAX_LOG_N + 1, 64, u8::MAX] {
            let refused = protect("p", b"key", log_n);
            assert_eq!(refused, Err(KeyfileError::WorkFactor { log_n }));
        }
    }

    #[test]
    fn damage_is_not_taken_for_a_wrong_passphrase() {
        let file = protect("p", b"key", CHEAP).unwrap();
        let damaged = |fault| Err(KeyfileError::Damaged(fault));
        let mut last = file.clone();
        *last.last_mut().unwrap() ^= 1;
        assert_eq!(unprotect("p", &last, CHEAP), damaged(OpenError::BodyDamaged));
        let cut = &file[..file.len() - 1];
        assert_eq!(unprotect("p", cut, CHEAP), damaged(OpenError::BodyDamaged));
        let mut mac = file.clone();
        let at = mac.windows(4).position(|w| w == b"--- ").unwrap() + 4;
        mac[at] = if mac[at] == b'A' { b'B' } else { b'A' };
        assert_eq!(unprotect("p", &mac, CHEAP), damaged(OpenError::HeaderAltered));
        assert_eq!(unprotect("p", b"{}", CHEAP), damaged(OpenError::HeaderMalformed));
    }

    #[test]
    fn work_factors_are_read_strictly() {
        assert_eq!(work_factor(b"salt 18"), Some(18));
        for bad in ["salt", "salt ", "salt 0", "salt 018", "salt +18", "salt 18 x", "salt 999", "salt 1a"] {
            assert_eq!(work_factor(bad.as_bytes()), None, "{bad}");
        }
    }
}
