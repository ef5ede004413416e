//! Indicators: what a report is about. An address, or something else by which crime is recognised: a transaction, a
//! token, a domain, a telephone number, an account at a bank or exchange, a file, a face in a forged video.
//!
//! As with addresses, each kind has one canonical form, and two indicators are equal exactly when kind and canonical
//! form are equal. `README.md` of this crate lists the forms. The way of a text: [`examine`] tells which kinds it may
//! be, one file reads the kinds that belong together.
//!
//! A smart contract is an address: its identity is no other. A token is told apart from its contract by its CAIP-19 id,
//! and both are found by a lookup of either.

mod accounts;
mod detect;
mod internet;
mod onchain;
mod people;
mod traces;

use std::borrow::Cow;
use std::fmt;

pub use detect::{Examined, Reading, examine, examine_as};
pub use people::PLATFORMS;

use crate::address::{Address, AddressError, Chain, ChainError};
use crate::limits;

/// What is assessed.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Indicator {
    /// An account or contract on a chain.
    Address(Address),
    /// Anything else.
    Observable(Observable),
}

/// An indicator that is no address: its kind, and the one form that all its spellings lead to.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Observable {
    kind: Kind,
    canonical: Box<str>,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $word:literal, [$($alias:literal),*];)*) => {
        /// What an observable is.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Kind {
            $($(#[$doc])* $name,)*
        }

        impl Kind {
            /// All of them, in the order of their numbers.
            pub const ALL: &[Kind] = &[$(Kind::$name),*];

            /// The number on the wire; 1 is an address.
            pub const fn number(self) -> u64 {
                match self { $(Kind::$name => $number),* }
            }

            /// The word before the colon, and in every table.
            pub const fn word(self) -> &'static str {
                match self { $(Kind::$name => $word),* }
            }

            /// What people call it, beside its word; lower case.
            const fn aliases(self) -> &'static [&'static str] {
                match self { $(Kind::$name => &[$($alias),*]),* }
            }
        }
    };
}

kinds! {
    /// A transaction: CAIP-2 chain, colon, hash as the chain writes it.
    Transaction = 2, "transaction", ["tx", "txid", "tx-hash", "transaction-hash"];
    /// A token or NFT: CAIP-19 asset type or asset id.
    Token = 3, "token", ["asset", "nft", "caip19"];
    /// A domain name: lower case, A-labels (RFC 5890), no dot at its end.
    Domain = 4, "domain", ["domain-name", "hostname", "host", "fqdn"];
    /// A URL as the WHATWG URL standard writes it.
    Url = 5, "url", ["uri", "link", "website"];
    /// An IPv4 or IPv6 address (RFC 5952).
    Ip = 6, "ip", ["ipv4", "ipv6", "ip-address", "ip-src", "ip-dst", "ipv4-addr", "ipv6-addr"];
    /// An e-mail address in lower case.
    Email = 7, "email", ["e-mail", "mail", "mailto", "email-addr", "email-address"];
    /// A telephone number: `+` and digits (ITU-T E.164).
    Phone = 8, "phone", ["tel", "telephone", "phone-number", "msisdn", "mobile"];
    /// An account of a messenger or social network: platform, colon, name.
    Handle = 9, "handle", ["social", "username", "messenger", "account", "user-account"];
    /// A bank account: an IBAN (ISO 13616), or country, colon, number.
    BankAccount = 10, "bank-account", ["iban", "bank"];
    /// A customer's account at an exchange: exchange, colon, account.
    ExchangeAccount = 11, "exchange-account", ["exchange-id", "uid"];
    /// The hash of a file: algorithm, colon, hexadecimal digits.
    FileHash = 12, "file-hash", ["file", "hash", "md5", "sha1", "sha224", "sha256", "sha384", "sha512", "ssdeep", "tlsh"];
    /// An application: store, colon, id.
    App = 13, "app", ["application", "app-id", "package"];
    /// A perceptual hash of a picture, voice or video: algorithm, colon, value, as its reporter gives it.
    MediaFingerprint = 14, "media-fingerprint", ["fingerprint", "pdq", "phash", "dhash", "ahash", "whash", "tmk"];
}

/// The number of an address on the wire.
pub(crate) const ADDRESS: u64 = 1;

/// The longest canonical form, bytes: what browsers and servers take as a URL.
pub const MAX_CANONICAL_BYTES: usize = limits::CANONICAL_INDICATOR_BYTES;

/// Why a text is no indicator. No message repeats the text: it may be a secret.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum IndicatorError {
    /// It would be an address, and is none.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// It is named, or looks, as one of these, and breaks a rule of them.
    #[error("not a valid {}: {fault}", kind.word())]
    Form {
        /// As what it was read.
        kind: Kind,
        /// Which rule it breaks.
        fault: Fault,
    },
    /// The word before the colon stands for no kind.
    #[error("no kind of indicator is called that: {}", words())]
    Kind,
}

/// Which rule of its kind a text breaks, in words.
pub type Fault = Cow<'static, str>;

fn words() -> String {
    let words: Vec<&str> = Kind::ALL.iter().map(|kind| kind.word()).collect();
    format!("address, {}", words.join(", "))
}

impl IndicatorError {
    /// Whether the text is, or may be, what opens a wallet: it must not be kept, logged or shown again.
    pub fn is_secret(&self) -> bool {
        matches!(self, IndicatorError::Address(error) if error.is_secret())
    }
}

/// What reading a text as one kind came to.
struct Read {
    canonical: String,
    form: &'static str,
    notes: Vec<Cow<'static, str>>,
}

impl Read {
    fn new(canonical: impl Into<String>, form: &'static str) -> Read {
        Read { canonical: canonical.into(), form, notes: Vec::new() }
    }

    fn noting(mut self, holds: bool, note: impl Into<Cow<'static, str>>) -> Read {
        if holds {
            self.notes.push(note.into());
        }
        self
    }
}

impl Kind {
    /// The kind that a word or one of its synonyms names.
    pub fn parse(word: &str) -> Option<Kind> {
        let word = word.trim().to_ascii_lowercase().replace(['_', ' '], "-");
        Kind::ALL.iter().copied().find(|kind| kind.word() == word || kind.aliases().contains(&word.as_str()))
    }

    /// What it is, in words.
    pub const fn meaning(self) -> &'static str {
        match self {
            Kind::Transaction => "transaction on a chain: chain:hash",
            Kind::Token => "token or NFT: CAIP-19",
            Kind::Domain => "domain name",
            Kind::Url => "web address",
            Kind::Ip => "IPv4 or IPv6 address",
            Kind::Email => "e-mail address",
            Kind::Phone => "telephone number (E.164)",
            Kind::Handle => "account of a messenger or social network: platform:name",
            Kind::BankAccount => "IBAN, or country:number",
            Kind::ExchangeAccount => "account at an exchange: exchange:id",
            Kind::FileHash => "hash of a file: algorithm:digits",
            Kind::App => "application: store:id",
            Kind::MediaFingerprint => "perceptual hash: algorithm:value",
        }
    }

    /// The kind of a number on the wire.
    pub fn from_number(number: u64) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|kind| kind.number() == number)
    }

    /// Reads a text as this kind.
    fn read(self, text: &str) -> Result<Read, Fault> {
        let text = text.trim();
        if text.is_empty() {
            return Err("nothing is given".into());
        }
        if text.len() > MAX_CANONICAL_BYTES {
            return Err(format!("{} bytes, at most {MAX_CANONICAL_BYTES} are taken", text.len()).into());
        }
        if text.chars().any(char::is_control) {
            return Err("it has control characters".into());
        }
        let read = match self {
            Kind::Transaction => onchain::transaction(text),
            Kind::Token => onchain::token(text),
            Kind::Domain => internet::domain(text),
            Kind::Url => internet::url(text),
            Kind::Ip => internet::ip(text),
            Kind::Email => internet::email(text),
            Kind::Phone => people::phone(text),
            Kind::Handle => people::handle(text),
            Kind::BankAccount => accounts::bank(text),
            Kind::ExchangeAccount => accounts::exchange(text),
            Kind::FileHash => traces::file_hash(text),
            Kind::App => traces::app(text),
            Kind::MediaFingerprint => traces::fingerprint(text),
        }?;
        if read.canonical.len() > MAX_CANONICAL_BYTES {
            return Err(format!("its canonical form has more than {MAX_CANONICAL_BYTES} bytes").into());
        }
        Ok(read)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Observable {
    /// What it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The one form of it.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// The chain of a transaction or token.
    pub fn chain(&self) -> Option<Chain> {
        let end = match self.kind {
            Kind::Transaction => self.canonical.rfind(':'),
            Kind::Token => self.canonical.find('/'),
            _ => None,
        };
        Chain::from_wire(&self.canonical[..end?]).ok()
    }
}

impl Indicator {
    /// Reads what a person or file wrote and means one thing by: an address with its chain, `kind:value`, or something
    /// that can be nothing else.
    pub fn parse(text: &str) -> Result<Indicator, IndicatorError> {
        Reading::parse(text).map(|reading| reading.indicator)
    }

    /// The address, where it is one.
    pub fn address(&self) -> Option<&Address> {
        match self {
            Indicator::Address(address) => Some(address),
            Indicator::Observable(_) => None,
        }
    }

    /// The word for what it is.
    pub fn kind_word(&self) -> &'static str {
        match self {
            Indicator::Address(_) => "address",
            Indicator::Observable(observable) => observable.kind.word(),
        }
    }

    /// The one form of it; of an address without its chain.
    pub fn canonical(&self) -> &str {
        match self {
            Indicator::Address(address) => address.canonical(),
            Indicator::Observable(observable) => &observable.canonical,
        }
    }

    /// The chain of an address, a transaction or a token.
    pub fn chain(&self) -> Option<Chain> {
        match self {
            Indicator::Address(address) => Some(address.chain()),
            Indicator::Observable(observable) => observable.chain(),
        }
    }

    /// The bytes by which it is looked up. One account on all EVM chains has one key, and a token has that of its
    /// contract.
    pub fn lookup_key(&self) -> Vec<u8> {
        let of_address = |address: &Address| [&[1][..], &address.lookup_key()].concat();
        match self {
            Indicator::Address(address) => of_address(address),
            Indicator::Observable(observable) => {
                let contract = (observable.kind == Kind::Token).then(|| onchain::contract(&observable.canonical));
                if let Some(contract) = contract.flatten() {
                    return of_address(&contract);
                }
                let number = u8::try_from(observable.kind.number()).expect("there are few kinds");
                [&[number][..], observable.canonical.as_bytes()].concat()
            }
        }
    }

    /// Its number and texts on the wire: of an address the chain and the canonical form, else the canonical form alone.
    pub(crate) fn to_wire(&self) -> (u64, Option<String>, &str) {
        match self {
            Indicator::Address(address) => (ADDRESS, Some(address.chain().caip2()), address.canonical()),
            Indicator::Observable(observable) => (observable.kind.number(), None, &observable.canonical),
        }
    }

    /// Reads what a partner sent as an observable: exactly its canonical form. `None` if this version does not know the
    /// kind, or the chain within it.
    pub(crate) fn observable_from_wire(number: u64, canonical: &str) -> Option<Result<Indicator, IndicatorError>> {
        let kind = Kind::from_number(number)?;
        let named = match kind {
            Kind::Transaction => canonical.rsplit_once(':').map(|(chain, _)| chain),
            Kind::Token => canonical.split_once('/').map(|(chain, _)| chain),
            _ => None,
        };
        if named.is_some_and(|chain| matches!(Chain::from_wire(chain), Err(ChainError::Unknown { .. }))) {
            return None;
        }
        let form = |fault| IndicatorError::Form { kind, fault };
        Some(match kind.read(canonical) {
            Ok(read) if read.canonical == canonical => {
                Ok(Indicator::Observable(Observable { kind, canonical: canonical.into() }))
            }
            Ok(_) => Err(form("it is not in its canonical form".into())),
            Err(fault) => Err(form(fault)),
        })
    }
}

impl fmt::Display for Observable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.canonical)
    }
}

impl fmt::Debug for Observable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Observable({self})")
    }
}

/// As [`Indicator::parse`] reads it: CAIP-10, or kind, colon, canonical form.
impl fmt::Display for Indicator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Indicator::Address(address) => address.fmt(f),
            Indicator::Observable(observable) => observable.fmt(f),
        }
    }
}
