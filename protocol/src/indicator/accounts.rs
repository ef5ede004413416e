//! Accounts at institutions: banks and exchanges.

use iban::{Iban, IbanLike, ParseIbanError};

use super::{Fault, Read};
use crate::identity::Country;

/// Where money was sent on, in words that name no country: nothing else is taken for an IBAN by its look.
pub(super) fn looks_like_iban(text: &str) -> bool {
    let plain: String = text.chars().filter(|found| !found.is_whitespace()).collect();
    let bytes = plain.as_bytes();
    (15..=34).contains(&bytes.len())
        && bytes[..2].iter().all(u8::is_ascii_alphabetic)
        && bytes[2..4].iter().all(u8::is_ascii_digit)
        && plain.to_ascii_uppercase().parse::<Iban>().is_ok()
}

pub(super) fn bank(text: &str) -> Result<Read, Fault> {
    let (country, number) = text.split_once(':').unzip();
    if country.is_some_and(|country| country.eq_ignore_ascii_case("iban")) {
        return bank(number.unwrap_or_default());
    }
    if let (Some(country), Some(number)) = (country, number) {
        return by_country(country.trim(), number);
    }
    let plain: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    match plain.to_ascii_uppercase().parse::<Iban>() {
        Ok(iban) => {
            let changed = iban.electronic_str() != text;
            Ok(Read::new(iban.electronic_str(), "IBAN").noting(changed, "written as capitals and digits"))
        }
        Err(ParseIbanError::InvalidBaseIban { .. }) => {
            Err("it is no IBAN (ISO 13616): a character is wrong, or missing; an account without one is written \
                 country:number, such as US:021000021-1234567"
                .into())
        }
        Err(ParseIbanError::InvalidBban(_)) => {
            Err("its check digits are right, and its length or form is not that of the country's IBANs".into())
        }
        // A country that is not in the registry: the check digits are right, and say all that can be said.
        Err(ParseIbanError::UnknownCountry(base)) => Ok(Read::new(base.electronic_str(), "IBAN")),
    }
}

fn by_country(country: &str, number: &str) -> Result<Read, Fault> {
    let country: Country =
        country.to_ascii_uppercase().parse().map_err(|_| "before the colon stands the country, two letters")?;
    let plain: String = number.chars().filter(|found| !found.is_whitespace()).collect();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'/' | b'.');
    if !(3..=64).contains(&plain.len()) || !plain.bytes().all(fits) {
        return Err("an account number has 3 to 64 letters, digits, hyphens, dots and slashes".into());
    }
    Ok(Read::new(format!("{country}:{}", plain.to_ascii_uppercase()), "account number"))
}

pub(super) fn exchange(text: &str) -> Result<Read, Fault> {
    let (exchange, account) = text.split_once(':').ok_or("write exchange:account, such as binance:123456789")?;
    let exchange = exchange.trim().to_ascii_lowercase().replace(' ', "-");
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'_');
    if !(1..=64).contains(&exchange.len()) || !exchange.bytes().all(fits) {
        return Err("the exchange has 1 to 64 letters, digits, hyphens and dots".into());
    }
    let account = account.trim();
    if !(1..=128).contains(&account.len()) || account.chars().any(char::is_whitespace) {
        return Err("the account has 1 to 128 bytes without spaces".into());
    }
    Ok(Read::new(format!("{exchange}:{account}"), "exchange account"))
}
