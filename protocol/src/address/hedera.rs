//! Hedera: shard, realm and number, with five letters of checksum that also name the ledger (HIP-15), if they stand there.

use super::Fault;
use super::reading::Read;

pub(super) fn read(test: bool, text: &str) -> Result<Read, Fault> {
    let (number, checksum) = match text.split_once('-') {
        Some((number, checksum)) => (number, Some(checksum.to_ascii_lowercase())),
        None => (text, None),
    };
    let parts: Vec<&str> = number.split('.').collect();
    let is_number = |part: &&str| {
        part.parse::<u64>().is_ok_and(|number| i64::try_from(number).is_ok() && number.to_string() == **part)
    };
    if parts.len() != 3 || !parts.iter().all(is_number) {
        return Err(Fault::Rule("an account is three numbers with dots between: 0.0.1234"));
    }
    let [main, of_test] = [0, 1].map(|ledger| checksum_of(number, ledger));
    let (right, other) = if test { (of_test, main) } else { (main, of_test) };
    match checksum {
        None => Ok(Read::new(number, "account")),
        Some(found) if found == right => Ok(Read::new(number, "account with checksum")),
        Some(found) if found == other => Err(Fault::Prefix),
        Some(_) => Err(Fault::Checksum),
    }
}

/// HIP-15: sums over the digits and over the ledger's id, which is one byte, mixed and written in letters.
fn checksum_of(number: &str, ledger: u8) -> String {
    const P3: u64 = 26 * 26 * 26;
    const P5: u64 = P3 * 26 * 26;
    let digits: Vec<u64> = number.bytes().map(|byte| if byte == b'.' { 10 } else { u64::from(byte - b'0') }).collect();
    let mut weighted = 0;
    let mut sums = [0, 0];
    for (index, digit) in digits.iter().enumerate() {
        weighted = (weighted * 31 + digit) % P3;
        sums[index % 2] = (sums[index % 2] + digit) % 11;
    }
    // The id, and six bytes of zeros.
    let id = std::iter::once(ledger).chain([0; 6]).fold(0, |hash, byte| (hash * 31 + u64::from(byte)) % P5);
    let length = digits.len() as u64 % 5;
    let mut value = ((((length * 11 + sums[0]) * 11 + sums[1]) * P3 + weighted + id) % P5) * 1_000_003 % P5;
    let mut letters = [0; 5];
    for letter in letters.iter_mut().rev() {
        *letter = b'a' + u8::try_from(value % 26).expect("below 26");
        value /= 26;
    }
    letters.into_iter().map(char::from).collect()
}
