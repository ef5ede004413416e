//! NEAR: names in labels of small letters and digits, and implicit accounts: a public key in 64 hexadecimal digits, or
//! an Ethereum account in `0x` and 40.
//!
//! Names end with their network: `.near`, `.testnet`. Names have no checksum.

use super::Fault;
use super::reading::Read;

pub(super) fn read(test: bool, text: &str) -> Result<Read, Fault> {
    let name = text.to_ascii_lowercase();
    if name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(Read::new(name, "implicit account"));
    }
    if let Some(digits) = name.strip_prefix("0x").filter(|digits| digits.len() == 40) {
        super::text::check_hex(digits, 2)?;
        return Ok(Read::new(name, "implicit account of Ethereum"));
    }
    let unfit = text
        .chars()
        .enumerate()
        .find(|(_, found)| !(found.is_ascii_alphanumeric() || matches!(found, '.' | '-' | '_')));
    if let Some((index, found)) = unfit {
        return Err(Fault::Character { position: index + 1, found });
    }
    if !(2..=64).contains(&name.len()) {
        return Err(Fault::Length { unit: "characters", found: name.len(), expected: "2 to 64" });
    }
    let fits = |label: &str| {
        let parts = || label.split(['-', '_']);
        !label.is_empty() && parts().all(|part| !part.is_empty())
    };
    if !name.split('.').all(fits) {
        return Err(Fault::Rule("labels are joined by single dots, and their parts by single hyphens or underscores"));
    }
    let (own, other) = if test { (".testnet", ".near") } else { (".near", ".testnet") };
    let of = |end: &str| name.ends_with(end) || name == end[1..];
    if of(own) || name == "aurora" {
        return Ok(Read::new(name, "named account"));
    }
    Err(if of(other) {
        Fault::Prefix
    } else {
        Fault::Rule("a name ends with .near, or with .testnet on its test network")
    })
}
