//! What a report may say beside its assessment: the part that the indicator has in the crime, what was lost, evidence,
//! and what may be done on the strength of it.

use std::fmt;
use std::str::FromStr;

use crate::indicator::{Indicator, Kind};
use crate::limits;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $rule:literal: $($(#[$term:meta])* $variant:ident = $number:literal, $word:literal;)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum $name { $($(#[$term])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &[$name] = &[$($name::$variant),*];

            /// Takes what a partner sent; the error is the number, which a later version may know.
            pub fn from_wire(number: u64) -> Result<$name, u64> {
                match number { $($number => Ok($name::$variant),)* other => Err(other) }
            }

            /// The number on the wire.
            pub const fn to_wire(self) -> u64 {
                match self { $($name::$variant => $number),* }
            }

            /// The word for it.
            pub const fn word(self) -> &'static str {
                match self { $($name::$variant => $word),* }
            }

            /// Reads the word, in any letter case.
            pub fn parse(text: &str) -> Result<$name, DetailError> {
                let found = $name::ALL.iter().copied().find(|known| known.word().eq_ignore_ascii_case(text.trim()));
                found.ok_or(DetailError::Word { rule: $rule })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words! {
    /// The part that the indicator has in the crime.
    Role, "a role is perpetrator, victim, intermediary or service":
    /// Those who commit it hold it.
    Perpetrator = 1, "perpetrator";
    /// It belongs to who was harmed.
    Victim = 2, "victim";
    /// It passes on what came of the crime, knowingly or not.
    Intermediary = 3, "intermediary";
    /// It belongs to a service that many use, such as an exchange or a bridge.
    Service = 4, "service";
}

words! {
    /// The permissible actions protocol: what may be done on the strength of a report. Source: MISP taxonomy PAP 3.
    Pap, "permissible actions are red, amber, green or clear":
    /// Nothing that can be noticed from outside; own logs alone.
    Red = 1, "red";
    /// Passive enquiries, such as at third parties.
    Amber = 2, "amber";
    /// Active measures, such as blocking.
    Green = 3, "green";
    /// Anything.
    Clear = 4, "clear";
}

/// Why a text is no detail of a report.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DetailError {
    /// Not one of the words.
    #[error("{rule}")]
    Word {
        /// The words there are.
        rule: &'static str,
    },
    /// Not a number of units.
    #[error("an amount is a decimal number and an asset, such as 0.25 BTC, without signs or exponents")]
    Quantity,
    /// Not an asset.
    #[error("an asset is CAIP-19 (eip155:1/slip44:60), slip44:60, iso4217:EUR, or a ticker such as BTC or USDT")]
    Asset,
    /// Not the hash of a piece of evidence.
    #[error("evidence is named by the hash of the file, such as sha256:9f86…, and a name behind a space")]
    Evidence,
}

/// A number of units of an asset.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Amount {
    quantity: Box<str>,
    asset: Box<str>,
}

/// The longest number, digits: 2^128 has 39.
const QUANTITY_DIGITS: usize = 39;

/// The longest CAIP-19 asset id: chain of 41, `/`, namespace of 8, `:`, reference of 128.
const ASSET_BYTES: usize = 179;

/// Tickers of native assets, with their SLIP-44 coin type. Source: SLIP-0044.
const COINS: &[(&str, u32)] = &[
    ("BTC", 0),
    ("XBT", 0),
    ("LTC", 2),
    ("DOGE", 3),
    ("DASH", 5),
    ("DGB", 20),
    ("ETH", 60),
    ("ETHER", 60),
    ("ETC", 61),
    ("ATOM", 118),
    ("XMR", 128),
    ("ZEC", 133),
    ("XRP", 144),
    ("BCH", 145),
    ("XLM", 148),
    ("BTG", 156),
    ("NANO", 165),
    ("RVN", 175),
    ("EOS", 194),
    ("TRX", 195),
    ("BSV", 236),
    ("ALGO", 283),
    ("DOT", 354),
    ("NEAR", 397),
    ("KSM", 434),
    ("FIL", 461),
    ("SOL", 501),
    ("XDC", 550),
    ("TON", 607),
    ("APT", 637),
    ("BNB", 714),
    ("SUI", 784),
    ("POL", 966),
    ("MATIC", 966),
    ("ONE", 1023),
    ("XTZ", 1729),
    ("ADA", 1815),
    ("HBAR", 3030),
    ("STX", 5757),
    ("STRK", 9004),
    ("AVAX", 9005),
    ("KAS", 111_111),
];

impl Amount {
    /// An amount from its two parts, as people and files write them.
    pub fn new(quantity: &str, asset: &str) -> Result<Amount, DetailError> {
        Ok(Amount { quantity: plain_number(quantity)?.into(), asset: canonical_asset(asset)?.into() })
    }

    /// Reads `0.25 BTC`, in either order.
    pub fn parse(text: &str) -> Result<Amount, DetailError> {
        let (first, second) = text.trim().split_once(char::is_whitespace).ok_or(DetailError::Quantity)?;
        Amount::new(first, second.trim()).or_else(|error| Amount::new(second.trim(), first).map_err(|_| error))
    }

    /// Takes what a partner sent: exactly as this version writes it.
    pub fn from_wire(quantity: &str, asset: &str) -> Result<Amount, DetailError> {
        let amount = Amount::new(quantity, asset)?;
        if &*amount.quantity != quantity {
            return Err(DetailError::Quantity);
        }
        if &*amount.asset == asset { Ok(amount) } else { Err(DetailError::Asset) }
    }

    /// How many units: a decimal number.
    pub fn quantity(&self) -> &str {
        &self.quantity
    }

    /// Of what: CAIP-19, `slip44:`, `iso4217:` or `ticker:`.
    pub fn asset(&self) -> &str {
        &self.asset
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.quantity, self.asset)
    }
}

/// A decimal number without what says nothing: leading zeros, a fraction of zeros, separators of thousands.
fn plain_number(text: &str) -> Result<String, DetailError> {
    let text = text.trim().replace(['\'', ' ', '\u{a0}'], "");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let whole = whole.replace(',', "");
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(&whole) || !digits(fraction) || whole.len() + fraction.len() > QUANTITY_DIGITS {
        return Err(DetailError::Quantity);
    }
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let fraction = fraction.trim_end_matches('0');
    Ok(if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") })
}

fn canonical_asset(text: &str) -> Result<String, DetailError> {
    let text = text.trim();
    let alphanumeric = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if text.is_empty() || text.len() > ASSET_BYTES {
        return Err(DetailError::Asset);
    }
    if let Some((chain, asset)) = text.split_once('/') {
        if let Some(number) = asset.strip_prefix("slip44:") {
            let chain = crate::address::Chain::parse(chain).map_err(|_| DetailError::Asset)?;
            return Ok(format!("{chain}/slip44:{}", coin_type(number)?));
        }
        return match Indicator::parse(&format!("{}:{text}", Kind::Token.word())) {
            Ok(Indicator::Observable(token)) => Ok(token.canonical().to_owned()),
            _ => Err(DetailError::Asset),
        };
    }
    let (scheme, code) = text.split_once(':').unwrap_or(("", text));
    let code = code.to_ascii_uppercase();
    match scheme.to_ascii_lowercase().as_str() {
        "slip44" => Ok(format!("slip44:{}", coin_type(&code)?)),
        "iso4217" if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase()) => {
            Ok(format!("iso4217:{code}"))
        }
        "ticker" | "" if (1..=16).contains(&code.len()) && alphanumeric(&code) => {
            let coin = COINS.iter().find(|(ticker, _)| *ticker == code && scheme.is_empty());
            let currency = ["EUR", "USD", "GBP", "CHF", "JPY", "CNY", "AUD", "CAD", "INR", "SEK", "NOK", "DKK", "PLN"];
            Ok(match coin {
                Some((_, number)) => format!("slip44:{number}"),
                None if scheme.is_empty() && currency.contains(&code.as_str()) => format!("iso4217:{code}"),
                None => format!("ticker:{code}"),
            })
        }
        _ => Err(DetailError::Asset),
    }
}

fn coin_type(text: &str) -> Result<u32, DetailError> {
    text.parse().ok().filter(|number: &u32| *number < 1 << 31).ok_or(DetailError::Asset)
}

/// A piece of evidence that its holder keeps: the hash of the file, and what it is called.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Evidence {
    hash: Box<str>,
    name: Option<Box<str>>,
}

impl Evidence {
    /// Reads `sha256:…` and, behind a space, what it is called.
    pub fn parse(text: &str) -> Result<Evidence, DetailError> {
        let (hash, name) =
            text.trim().split_once(char::is_whitespace).map_or((text.trim(), None), |(h, n)| (h, Some(n)));
        let hash = match Indicator::parse(&format!("{}:{hash}", Kind::FileHash.word())) {
            Ok(Indicator::Observable(file)) => file.canonical().to_owned(),
            _ => return Err(DetailError::Evidence),
        };
        let name = name.map(str::trim).filter(|name| !name.is_empty());
        if name.is_some_and(|name| name.len() > limits::SHORT_TEXT_BYTES || name.chars().any(char::is_control)) {
            return Err(DetailError::Evidence);
        }
        Ok(Evidence { hash: hash.into(), name: name.map(Into::into) })
    }

    /// Takes what a partner sent: exactly as this version writes it.
    pub fn from_wire(hash: &str, name: Option<&str>) -> Result<Evidence, DetailError> {
        let text = name.map_or_else(|| hash.to_owned(), |name| format!("{hash} {name}"));
        let evidence = Evidence::parse(&text)?;
        let same = &*evidence.hash == hash && evidence.name.as_deref() == name;
        if same { Ok(evidence) } else { Err(DetailError::Evidence) }
    }

    /// Algorithm, colon, hexadecimal digits.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// What it is called.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hash)?;
        self.name.as_ref().map_or(Ok(()), |name| write!(f, " {name}"))
    }
}

macro_rules! from_text {
    ($($name:ident),*) => {$(
        impl FromStr for $name {
            type Err = DetailError;

            fn from_str(text: &str) -> Result<$name, DetailError> {
                $name::parse(text)
            }
        }
    )*};
}
from_text!(Role, Pap, Amount, Evidence);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_one_form() {
        let read = |text| Amount::parse(text).map(|amount| amount.to_string());
        assert_eq!(read("0.2500 BTC").as_deref(), Ok("0.25 slip44:0"));
        assert_eq!(read("EUR 1,250.00").as_deref(), Ok("1250 iso4217:EUR"));
        assert_eq!(read("007 usdt").as_deref(), Ok("7 ticker:USDT"));
        assert_eq!(read("1 eip155:1/slip44:60").as_deref(), Ok("1 eip155:1/slip44:60"));
        let usdt = "1.5 eip155:1/erc20:0xdAC17F958D2ee523a2206206994597C13D831ec7";
        assert_eq!(read(usdt).as_deref(), Ok("1.5 eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7"));
        for wrong in ["", "BTC", "1", "-1 BTC", "1e5 BTC", "1.2.3 BTC", "0x1 BTC", "1 eip155:1/slip44:x", "1 a:b:c"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        for text in ["0.25 slip44:0", "7 ticker:USDT", "1250 iso4217:EUR"] {
            let (quantity, asset) = text.split_once(' ').unwrap();
            assert_eq!(Amount::from_wire(quantity, asset).unwrap().to_string(), text);
        }
        assert!(Amount::from_wire("0.250", "slip44:0").is_err() && Amount::from_wire("1", "BTC").is_err());
    }

    #[test]
    fn evidence_is_named_by_its_hash() {
        let hash = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        let evidence = Evidence::parse(&format!("{} chat.pdf", hash.to_uppercase().replace("SHA", "sha"))).unwrap();
        assert_eq!((evidence.hash(), evidence.name()), (hash, Some("chat.pdf")));
        assert_eq!(Evidence::from_wire(hash, Some("chat.pdf")), Ok(evidence));
        assert!(Evidence::from_wire(hash, Some(" chat.pdf")).is_err() && Evidence::parse("chat.pdf").is_err());
    }
}
