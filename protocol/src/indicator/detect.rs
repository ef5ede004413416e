//! Which indicators a text may be: as the kind that is named, or as every kind that it fits.

use std::borrow::Cow;

use super::{Indicator, IndicatorError, Kind, Observable, Read, accounts, internet, onchain, people, traces};
use crate::address::{self, AddressError, Chain, SubAccount};

/// One thing that a text may mean.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reading {
    /// The indicator.
    pub indicator: Indicator,
    /// The form it was written in, such as `P2WPKH` or `IBAN`.
    pub form: &'static str,
    /// Who is meant at an address that many share.
    pub sub_account: Option<SubAccount>,
}

/// What a text says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Examined {
    /// Everything it may be, the likeliest first. More than one means that nobody can tell by the text.
    pub readings: Vec<Reading>,
    /// What was done to it before it fitted, and what is to be told of it.
    pub changed: Vec<Cow<'static, str>>,
    /// Whether it was repaired: more was done than writing it in its canonical form.
    pub repaired: bool,
    /// Whether the text itself names its chain or kind.
    pub named: bool,
    /// Why it is none.
    pub refused: Option<IndicatorError>,
}

/// How notes begin that tell of no repair: any text is written in its canonical form, and some names are told.
const TOLD: [&str; 3] = ["written ", "it is shown ", "HOMOGRAPH"];

impl Reading {
    /// Reads a text that can mean one thing alone: one that names its chain or kind, or fits a single form.
    pub fn parse(text: &str) -> Result<Reading, IndicatorError> {
        let Examined { mut readings, refused, named, .. } = examine(text);
        match refused {
            Some(error) => Err(error),
            None if named || readings.len() == 1 => Ok(readings.swap_remove(0)),
            None => Err(AddressError::NoChain.into()),
        }
    }
}

impl Examined {
    fn refused(why: IndicatorError) -> Examined {
        Examined { readings: Vec::new(), changed: Vec::new(), repaired: false, named: false, refused: Some(why) }
    }

    fn of(kind: Kind, read: Read, named: bool) -> Examined {
        let indicator = Indicator::Observable(Observable { kind, canonical: read.canonical.into() });
        let reading = Reading { indicator, form: read.form, sub_account: None };
        let repaired = read.notes.iter().any(|note| !TOLD.iter().any(|told| note.starts_with(told)));
        Examined { readings: vec![reading], changed: read.notes, repaired, named, refused: None }
    }

    fn of_address(examined: address::Examined) -> Examined {
        examined.into()
    }

    /// Whether a lookup of any of the readings finds the same: one thing is meant, whatever the chain.
    pub fn is_one(&self) -> bool {
        let Some((first, rest)) = self.readings.split_first() else { return false };
        let key = first.indicator.lookup_key();
        rest.iter().all(|reading| reading.indicator.lookup_key() == key)
    }
}

impl From<address::Examined> for Examined {
    fn from(examined: address::Examined) -> Examined {
        let reading = |reading: address::Reading| Reading {
            indicator: Indicator::Address(reading.address),
            form: reading.form,
            sub_account: reading.sub_account,
        };
        Examined {
            repaired: examined.was_repaired(),
            readings: examined.readings.into_iter().map(reading).collect(),
            changed: examined.changed.into_iter().map(Cow::Borrowed).collect(),
            named: examined.chain_named,
            refused: examined.refused.map(IndicatorError::Address),
        }
    }
}

/// Reads a text as what is known of it: an address on one of these chains, or an observable of this kind.
pub fn examine_as(text: &str, kind: Option<Kind>, among: Option<&[Chain]>) -> Examined {
    match (kind, among) {
        (Some(Kind::Transaction), Some([chain, ..])) if !text.contains(':') => {
            read_as(Kind::Transaction, &format!("{chain}:{}", text.trim()))
        }
        (Some(Kind::Token), Some([chain, ..])) if !text.contains(':') => {
            read_as(Kind::Token, &format!("{chain}:{}", text.trim()))
        }
        (Some(kind), _) => {
            // `domain:evil.example` in a column of domains says it twice.
            let bare = text.trim().split_once(':').filter(|(word, _)| Kind::parse(word) == Some(kind));
            read_as(kind, bare.map_or(text, |(_, value)| value))
        }
        (None, Some(chains)) => Examined::of_address(address::examine(text, Some(chains))),
        (None, None) => examine(text),
    }
}

fn read_as(kind: Kind, text: &str) -> Examined {
    match kind.read(text) {
        Ok(read) => Examined::of(kind, read, true),
        Err(fault) => Examined::refused(IndicatorError::Form { kind, fault }),
    }
}

/// Reads a text of which nothing is known.
pub fn examine(text: &str) -> Examined {
    let trimmed = text.trim();
    if let Some((word, value)) = trimmed.split_once(':') {
        if word.eq_ignore_ascii_case("address") {
            return Examined::of_address(address::examine(value, None));
        }
        if let Some(kind) = Kind::parse(word) {
            return read_as(kind, &named_value(kind, word, value));
        }
        if people::is_platform(word) && !value.starts_with("//") {
            return read_as(Kind::Handle, trimmed);
        }
    }
    // Most texts are addresses, and nothing else may read what opens a wallet.
    if trimmed.bytes().all(|byte| byte.is_ascii_alphanumeric()) && !accounts::looks_like_iban(trimmed) {
        return Examined::of_address(address::examine(text, None));
    }
    if trimmed.len() > super::MAX_CANONICAL_BYTES {
        return Examined::refused(AddressError::TooLong { bytes: trimmed.len() }.into());
    }
    of_the_world(trimmed).unwrap_or_else(|| beside_addresses(text, trimmed))
}

/// `sha256:…` and the like name the algorithm and the kind at once.
fn named_value<'a>(kind: Kind, word: &str, value: &'a str) -> Cow<'a, str> {
    let word = word.trim().to_ascii_lowercase();
    let algorithm = match kind {
        Kind::FileHash => !matches!(word.as_str(), "file-hash" | "file_hash" | "file" | "hash"),
        Kind::MediaFingerprint => !matches!(word.as_str(), "media-fingerprint" | "media_fingerprint" | "fingerprint"),
        _ => false,
    };
    if algorithm { Cow::Owned(format!("{word}:{value}")) } else { Cow::Borrowed(value) }
}

/// What can be no address by its look.
fn of_the_world(text: &str) -> Option<Examined> {
    let told = |kind: Kind| kind.read(text).ok().map(|read| Examined::of(kind, read, false));
    if internet::is_ip(text) {
        return told(Kind::Ip);
    }
    if people::looks_like_phone(text) {
        return told(Kind::Phone);
    }
    if accounts::looks_like_iban(text) {
        return told(Kind::BankAccount);
    }
    let plain = internet::refanged(text);
    let lower = plain.get(..8).unwrap_or_default().to_ascii_lowercase();
    if !lower.starts_with("http://") && !lower.starts_with("https://") {
        let is_token = plain.split_once('/').is_some_and(|(chain, asset)| chain.contains(':') && asset.contains(':'));
        return is_token.then(|| told(Kind::Token)).flatten();
    }
    let pages = [
        (Kind::Transaction, onchain::of_page(&plain)),
        (Kind::Handle, people::of_page(&plain)),
        (Kind::App, traces::of_store(&plain)),
    ];
    let page = pages.into_iter().find_map(|(kind, read)| Some((kind, read?)));
    if let Some((kind, read)) = page {
        return Some(Examined::of(kind, read, false));
    }
    let url = told(Kind::Url);
    let address = address::examine(&plain, None);
    if address.readings.is_empty() {
        return url;
    }
    // On a page of an explorer the address is meant; elsewhere it may be the page.
    let mut examined = Examined::of_address(address);
    if !Chain::is_explorer(&plain)
        && let Some(url) = url
    {
        examined.readings.extend(url.readings);
    }
    Some(examined)
}

/// An address, or what else has dots or an at sign.
fn beside_addresses(text: &str, trimmed: &str) -> Examined {
    let address = address::examine(text, None);
    if address.refused.as_ref().is_some_and(AddressError::is_secret) || address.chain_named {
        return Examined::of_address(address);
    }
    let mut examined = Examined::of_address(address);
    let by_name_alone = examined.readings.iter().all(|reading| reading.form == "name");
    let other = [Kind::Email, Kind::Domain, Kind::Url].into_iter().find_map(|kind| {
        let fits = match kind {
            Kind::Email => trimmed.contains('@') || trimmed.contains("at]") || trimmed.contains("at)"),
            Kind::Url => trimmed.contains('/') && trimmed.contains('.') && !trimmed.contains(':'),
            _ => trimmed.contains('.') && !trimmed.contains(['/', ':', '@', ' ']),
        };
        fits.then(|| kind.read(trimmed).ok()).flatten().map(|read| Examined::of(kind, read, false))
    });
    match other {
        Some(other) if examined.refused.is_some() => other,
        Some(other) if by_name_alone => {
            examined.readings.extend(other.readings);
            examined
        }
        _ => examined,
    }
}
