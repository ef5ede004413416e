//! Chains, by their CAIP-2 id.
//!
//! A [`Chain`] is `namespace:reference`. The `eip155` namespace is open: any chain number is a chain, since all EVM
//! chains write addresses alike; `chains` only names the common ones. All other chains are rows of that table, each
//! with the [`Family`] that reads its addresses.
//!
//! TRON's reference is the decimal chain number, as the CAIP namespace says (`tron:728126428`). Wallet software that
//! came before it writes the same number in hexadecimal (`tron:0x2b6653dc`): read, never written.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

pub(super) use super::chains::Family;
use super::chains::{CHAINS, EVM_NAMES, EVM_TESTS, Listed, NOT_YET, TOKENS};

/// Longest CAIP-2 id, in bytes: a namespace of 8, a colon, a reference of 32.
pub const MAX_CHAIN_BYTES: usize = 41;

/// Largest EVM chain number: EIP-2294 bounds it so that signatures can carry it.
pub const MAX_EVM_NUMBER: u64 = u64::MAX / 2 - 36;

/// A network on which an address means something. Equality, order and hash are those of the CAIP-2 id.
#[derive(Clone, Copy)]
pub struct Chain(Id);

#[derive(Clone, Copy)]
enum Id {
    Listed(&'static Listed),
    Evm(u64),
}

/// Why a text names no chain that is read here.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ChainError {
    /// Neither a name nor a CAIP-2 id by its syntax.
    #[error("not the name of a chain: write a name such as bitcoin, or a CAIP-2 id such as eip155:1")]
    Syntax,
    /// A well-formed name or CAIP-2 id that this version does not know.
    #[error("chain {chain} is not known")]
    Unknown {
        /// The name, at most [`MAX_CHAIN_BYTES`] of letters, digits, `-`, `_` and `:`.
        chain: Box<str>,
    },
    /// A chain known by name, whose addresses are not read yet.
    #[error("chain {chain} is not supported yet")]
    Unsupported {
        /// Its name.
        chain: &'static str,
    },
    /// A token, which exists on several chains.
    #[error("{} names a token, not a chain: name the chain that it moved on, such as ethereum or tron", ticker.to_uppercase())]
    Token {
        /// Its ticker, in lower case.
        ticker: &'static str,
    },
}

impl Chain {
    /// The EVM chain with this number; nothing for 0 and for more than [`MAX_EVM_NUMBER`].
    pub fn evm(number: u64) -> Option<Chain> {
        (1..=MAX_EVM_NUMBER).contains(&number).then_some(Chain(Id::Evm(number)))
    }

    /// Reads a CAIP-2 id, a common name, or the ticker of a native asset; letter case matters only in CAIP-2 ids.
    pub fn parse(text: &str) -> Result<Chain, ChainError> {
        let text = text.trim();
        if text.contains(':') {
            return Chain::read_caip2(text, true);
        }
        checked_name(text)?;
        let name = text.to_ascii_lowercase();
        let named = |aliases: &[&str]| aliases.contains(&name.as_str());
        if let Some(row) = CHAINS.iter().find(|row| named(row.aliases)) {
            return Ok(Chain(Id::Listed(row)));
        }
        if let Some((number, ..)) = EVM_NAMES.iter().find(|(_, _, aliases)| named(aliases)) {
            return Ok(Chain(Id::Evm(*number)));
        }
        if let Some(names) = NOT_YET.iter().find(|names| named(names)) {
            return Err(ChainError::Unsupported { chain: names[0] });
        }
        if let Some(ticker) = TOKENS.iter().find(|ticker| **ticker == name) {
            return Err(ChainError::Token { ticker });
        }
        Err(ChainError::Unknown { chain: text.into() })
    }

    /// Reads a CAIP-2 id exactly as this version writes it; names and older writings are refused.
    pub fn from_wire(text: &str) -> Result<Chain, ChainError> {
        Chain::read_caip2(text, false)
    }

    fn read_caip2(text: &str, old_writings: bool) -> Result<Chain, ChainError> {
        let (namespace, reference) = split_caip2(text).ok_or(ChainError::Syntax)?;
        let unknown = || ChainError::Unknown { chain: text.into() };
        if namespace == "eip155" {
            let canonical = reference.bytes().all(|digit| digit.is_ascii_digit()) && !reference.starts_with('0');
            let number = canonical.then(|| reference.parse().ok()).flatten();
            return number.and_then(Chain::evm).ok_or_else(unknown);
        }
        let is_row = |row: &&Listed| {
            row.namespace == namespace
                && (row.reference == reference || old_writings && row.old_references.contains(&reference))
        };
        CHAINS.iter().find(is_row).map(|row| Chain(Id::Listed(row))).ok_or_else(unknown)
    }

    /// Every chain with a name, the most used ones first.
    pub(super) fn all() -> impl Iterator<Item = Chain> {
        Chain::listed().chain(Chain::named_evm())
    }

    /// Every chain that is no EVM chain.
    pub(super) fn listed() -> impl Iterator<Item = Chain> {
        CHAINS.iter().map(|row| Chain(Id::Listed(row)))
    }

    /// Every EVM chain with a name.
    pub(super) fn named_evm() -> impl Iterator<Item = Chain> {
        EVM_NAMES.iter().map(|(number, ..)| Chain(Id::Evm(*number)))
    }

    /// Every listed chain, and Ethereum for all EVM chains: one chain for each way of writing an address.
    pub(super) fn of_each_form() -> impl Iterator<Item = Chain> {
        CHAINS.iter().map(|row| Chain(Id::Listed(row))).chain(Chain::evm(1))
    }

    /// The chain, and its test networks or the main network that it is a test network of.
    pub fn networks(self) -> Vec<Chain> {
        match self.0 {
            Id::Listed(row) => {
                let kin = CHAINS
                    .iter()
                    .filter(|other| other.aliases[0].starts_with(row.coin()) && other.coin() == row.coin());
                kin.map(|row| Chain(Id::Listed(row))).collect()
            }
            Id::Evm(_) => vec![self],
        }
    }

    /// Whether it is a network for trying things out, whose coins are worth nothing.
    pub fn is_test(self) -> bool {
        match self.0 {
            Id::Listed(row) => row.test,
            Id::Evm(number) => EVM_TESTS.contains(&number),
        }
    }

    /// How this chain's addresses are written.
    pub(super) fn family(self) -> Family {
        match self.0 {
            Id::Listed(row) => row.family,
            Id::Evm(_) => Family::Evm,
        }
    }

    /// The chain's number, if it is an EVM chain.
    pub fn evm_number(self) -> Option<u64> {
        match self.0 {
            Id::Listed(_) => None,
            Id::Evm(number) => Some(number),
        }
    }

    /// The CAIP-2 namespace, such as `eip155`.
    pub fn namespace(self) -> &'static str {
        match self.0 {
            Id::Listed(row) => row.namespace,
            Id::Evm(_) => "eip155",
        }
    }

    /// The CAIP-2 id, such as `eip155:1`.
    pub fn caip2(self) -> String {
        self.to_string()
    }

    /// The name that people use, such as `Ethereum`; EVM chains without a known name are called by their number.
    pub fn name(self) -> String {
        match self.0 {
            Id::Listed(row) => row.name.to_owned(),
            Id::Evm(number) => match EVM_NAMES.iter().find(|(known, ..)| *known == number) {
                Some((_, name, _)) => (*name).to_owned(),
                None => format!("EVM chain {number}"),
            },
        }
    }

    /// What equality, order and hash rest on. References sort as text, EVM numbers as numbers.
    fn key(&self) -> (&'static str, &'static str, u64) {
        match self.0 {
            Id::Listed(row) => (row.namespace, row.reference, 0),
            Id::Evm(number) => ("eip155", "", number),
        }
    }
}

/// Splits a CAIP-2 id, or tells that it is none: `[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}`.
fn split_caip2(text: &str) -> Option<(&str, &str)> {
    let (namespace, reference) = text.split_once(':')?;
    let in_namespace = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let in_reference = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let fits = (3..=8).contains(&namespace.len())
        && namespace.bytes().all(in_namespace)
        && (1..=32).contains(&reference.len())
        && reference.bytes().all(in_reference);
    fits.then_some((namespace, reference))
}

/// A name may be echoed in a message only if it is short and plain.
fn checked_name(text: &str) -> Result<(), ChainError> {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if text.is_empty() || text.len() > MAX_CHAIN_BYTES || !plain {
        return Err(ChainError::Syntax);
    }
    Ok(())
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Id::Listed(row) => write!(f, "{}:{}", row.namespace, row.reference),
            Id::Evm(number) => write!(f, "eip155:{number}"),
        }
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chain({self})")
    }
}

impl PartialEq for Chain {
    fn eq(&self, other: &Chain) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Chain {}

impl Hash for Chain {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl Ord for Chain {
    fn cmp(&self, other: &Chain) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Chain {
    fn partial_cmp(&self, other: &Chain) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_the_table_is_lower_case_and_unique() {
        let listed = CHAINS.iter().flat_map(|row| row.aliases.iter());
        let evm = EVM_NAMES.iter().flat_map(|(_, _, aliases)| aliases.iter());
        let not_yet = NOT_YET.iter().flat_map(|names| names.iter());
        let mut names: Vec<&str> = listed.chain(evm).chain(not_yet).chain(TOKENS).copied().collect();
        assert!(names.iter().all(|name| **name == name.to_ascii_lowercase()));
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn every_chain_of_the_table_reads_back() {
        for row in CHAINS {
            let chain = Chain(Id::Listed(row));
            assert_eq!(Chain::parse(&chain.caip2()), Ok(chain));
            assert_eq!(Chain::from_wire(&chain.caip2()), Ok(chain));
            for alias in row.aliases {
                assert_eq!(Chain::parse(&alias.to_uppercase()), Ok(chain));
            }
        }
        for (number, name, aliases) in EVM_NAMES {
            let chain = Chain::evm(*number).unwrap();
            assert_eq!(chain.name(), *name);
            assert_eq!(Chain::from_wire(&chain.caip2()), Ok(chain));
            for alias in *aliases {
                assert_eq!(Chain::parse(alias), Ok(chain));
            }
        }
    }

    #[test]
    fn an_older_writing_is_read_from_people_and_refused_on_the_wire() {
        let tron = Chain::parse("tron").unwrap();
        assert_eq!(Chain::parse("tron:0x2b6653dc"), Ok(tron));
        assert_eq!(tron.caip2(), "tron:728126428");
        assert_eq!(Chain::from_wire("tron:0x2b6653dc"), Err(ChainError::Unknown { chain: "tron:0x2b6653dc".into() }));
        assert_eq!(Chain::from_wire("tron"), Err(ChainError::Syntax));
    }

    #[test]
    fn what_is_no_chain_is_told_apart() {
        assert_eq!(Chain::parse("XVG"), Err(ChainError::Unsupported { chain: "verge" }));
        assert_eq!(Chain::parse("USDT"), Err(ChainError::Token { ticker: "usdt" }));
        assert_eq!(Chain::parse("mychain"), Err(ChainError::Unknown { chain: "mychain".into() }));
        for text in ["", "a b", "eip155:", ":1", "eip155:1:2", "EIP155:1", "ééé:1", &"a".repeat(42)] {
            assert_eq!(Chain::parse(text), Err(ChainError::Syntax), "{text}");
        }
        for number in ["0", "01", "+1", "-1", "0x1", "9223372036854775772", "99999999999999999999"] {
            let text = format!("eip155:{number}");
            let refused = Chain::parse(&text).unwrap_err();
            assert!(matches!(refused, ChainError::Unknown { .. } | ChainError::Syntax), "{text}");
        }
        assert_eq!(Chain::evm(MAX_EVM_NUMBER).map(Chain::caip2).as_deref(), Some("eip155:9223372036854775771"));
    }
}
