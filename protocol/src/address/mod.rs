//! Addresses: a chain and the one canonical form of an address on it, checksum verified.
//!
//! Two addresses are equal exactly when chain and canonical form are equal, so the canonical form is unique per
//! account and chain:
//!
//! | chains | read | canonical |
//! |---|---|---|
//! | Bitcoin, testnet | P2PKH and P2SH (base58check), segwit (BIP-173, BIP-350), in one case | base58check as it is; segwit in lower case |
//! | EVM | 20 bytes in hexadecimal, `0x` or not; mixed case only with a right EIP-55 checksum | `0x` and lower case |
//! | TRON | base58check, or the 21 bytes `41…` in hexadecimal | base58check, `T…` |
//! | Solana | base58 of 32 bytes (it has no checksum) | the same |
//! | Polkadot, Kusama | SS58 with the network's own prefix | the same |
//!
//! An address is never moved to another chain than the one it was given with. The form of one chain under the name of
//! another is an error that says which chain it belongs to.
//!
//! Absent on purpose: guessing a chain, which needs more chains than are read here; and any error text that carries
//! more of the input than one character, since what an analyst mistypes may be a secret.

mod base58;
mod bitcoin;
mod chain;
mod evm;
mod solana;
mod ss58;
mod tron;

use std::fmt;
use std::str::FromStr;

use chain::Family;
pub use chain::{Chain, ChainError, MAX_CHAIN_BYTES, MAX_EVM_NUMBER};

/// Longest canonical form on any chain, in bytes: Cardano's longest are 103, Monero's 106.
pub const MAX_CANONICAL_BYTES: usize = 128;

/// Longest text that is looked at: a chain, a colon, an address, and room for spaces around them.
pub const MAX_INPUT_BYTES: usize = 256;

/// An address on a chain.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Address {
    chain: Chain,
    canonical: Box<str>,
}

/// Why a text is no address.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AddressError {
    /// Nothing but white space.
    #[error("no address given")]
    Empty,
    /// More than [`MAX_INPUT_BYTES`].
    #[error("an address with its chain has at most {MAX_INPUT_BYTES} bytes, this has {bytes}")]
    TooLong {
        /// Bytes found.
        bytes: usize,
    },
    /// An address alone.
    #[error("no chain is named: write chain:address, such as bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")]
    NoChain,
    /// The part before the address names no chain that is read here.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The chain is known, and this is no address on it.
    #[error("not an address on {}: {fault}", chain.name())]
    Form {
        /// The chain named.
        chain: Chain,
        /// Which rule of its addresses is broken.
        fault: Fault,
    },
    /// From a partner: a valid address that is not in its canonical form.
    #[error("not in the canonical form of addresses on {}", chain.name())]
    NotCanonical {
        /// The chain named.
        chain: Chain,
    },
}

/// Which rule of a chain's addresses a text breaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Fault {
    /// Nothing after the chain.
    #[error("nothing follows the chain")]
    Empty,
    /// A character outside the alphabet.
    #[error("character {position}, {found:?}, cannot stand there")]
    Character {
        /// Which one, counted from 1 after the chain's colon.
        position: usize,
        /// The character.
        found: char,
    },
    /// Another length than such an address has.
    #[error("{found} {unit}, where {expected} are needed")]
    Length {
        /// What is counted.
        unit: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be, in words.
        expected: &'static str,
    },
    /// The checksum does not match: a character was mistyped, lost or swapped.
    #[error("the checksum is wrong: compare it with the original, character by character")]
    Checksum,
    /// Upper and lower case in a form that is written in one of them (BIP-173).
    #[error("upper and lower case are mixed: write it in lower case, as the wallet shows it")]
    MixedCase,
    /// A segwit address whose checksum is of the kind that another witness version uses (BIP-350).
    #[error(
        "the checksum is of the wrong kind for witness version {version}: the software that made it is out of date"
    )]
    ChecksumKind {
        /// Its witness version.
        version: u8,
    },
    /// A witness version that segwit does not have.
    #[error("witness version {version}, where at most 16 exists")]
    WitnessVersion {
        /// The version found.
        version: u8,
    },
    /// Bits at the end that encode nothing, and are too many or not zero.
    #[error("its last bits are not the zeros that fill up a segwit address")]
    Padding,
    /// A version byte or prefix that no address of this chain has.
    #[error("version or prefix {version} is of no address on this chain")]
    Version {
        /// The version byte or prefix number.
        version: u16,
    },
    /// Bech32 with a human-readable part that no address of this chain has.
    #[error("the letters before its 1 are those of another network")]
    Prefix,
    /// A valid address of another chain.
    #[error("it is an address on {}", network(*other))]
    OtherChain {
        /// The chain it belongs to; Ethereum stands for all EVM chains.
        other: Chain,
    },
    /// A valid SS58 address of a network that is not read here.
    #[error("it is an address of {name} (SS58 prefix {prefix}): ask for the form of the chain named")]
    OtherNetwork {
        /// The network's name.
        name: &'static str,
        /// Its SS58 prefix.
        prefix: u16,
    },
    /// A private key, which opens a wallet.
    #[error("it is a PRIVATE KEY: keep it secret, store it as evidence, and give the address that belongs to it")]
    PrivateKey,
}

fn network(chain: Chain) -> String {
    match chain.family() {
        Family::Evm => "Ethereum or another EVM chain".to_owned(),
        _ => chain.name(),
    }
}

impl Address {
    /// Reads CAIP-10 (`eip155:1:0x…`) or `chain:address` (`bitcoin:bc1q…`), as people and files write them.
    pub fn parse(text: &str) -> Result<Address, AddressError> {
        let text = bounded(text)?;
        let (chain, rest) = text.rsplit_once(':').ok_or(AddressError::NoChain)?;
        Address::on(Chain::parse(chain)?, rest)
    }

    /// Reads an address of which the chain is known, as people and files write it.
    pub fn on(chain: Chain, text: &str) -> Result<Address, AddressError> {
        let text = text.trim();
        if text.len() > MAX_INPUT_BYTES {
            return Err(AddressError::TooLong { bytes: text.len() });
        }
        match read(chain, text) {
            Ok(canonical) => Ok(Address { chain, canonical: canonical.into() }),
            Err(fault) => Err(AddressError::Form { chain, fault: explained(chain, text, fault) }),
        }
    }

    /// Reads what a partner sent: exactly a CAIP-2 id and the canonical form, nothing that would have to be changed.
    /// A well-formed chain that this version does not know is [`ChainError::Unknown`], for the caller to hold.
    pub fn from_wire(chain: &str, canonical: &str) -> Result<Address, AddressError> {
        if canonical.len() > MAX_CANONICAL_BYTES {
            return Err(AddressError::TooLong { bytes: canonical.len() });
        }
        let chain = Chain::from_wire(chain)?;
        match read(chain, canonical) {
            Ok(read) if read == canonical => Ok(Address { chain, canonical: read.into() }),
            Ok(_) => Err(AddressError::NotCanonical { chain }),
            Err(fault) => Err(AddressError::Form { chain, fault }),
        }
    }

    /// The chain.
    pub fn chain(&self) -> Chain {
        self.chain
    }

    /// The canonical form, without the chain.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// The CAIP-10 account id: `namespace:reference:address`.
    pub fn caip10(&self) -> String {
        self.to_string()
    }

    /// What an index keys on: the bytes of the CAIP-10 id. No CAIP-2 id has a second colon, so chain and canonical
    /// form cannot run into each other.
    pub fn lookup_key(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }
}

fn bounded(text: &str) -> Result<&str, AddressError> {
    let text = text.trim();
    match text.len() {
        0 => Err(AddressError::Empty),
        bytes if bytes > MAX_INPUT_BYTES => Err(AddressError::TooLong { bytes }),
        _ => Ok(text),
    }
}

/// The canonical form of an address on a chain; `text` is bounded.
fn read(chain: Chain, text: &str) -> Result<String, Fault> {
    if text.is_empty() {
        return Err(Fault::Empty);
    }
    match chain.family() {
        Family::Bitcoin(network) => bitcoin::read(network, text),
        Family::Evm => evm::read(text),
        Family::Tron => tron::read(text),
        Family::Solana => solana::read(text),
        Family::Ss58(prefix) => ss58::read(prefix, text),
    }
}

/// Says that a refused text is an address of another chain, where it is one.
fn explained(chain: Chain, text: &str, fault: Fault) -> Fault {
    if fault == Fault::PrivateKey {
        return fault;
    }
    let other = Chain::of_each_form().find(|other| *other != chain && read(*other, text).is_ok());
    other.map_or(fault, |other| Fault::OtherChain { other })
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.chain, self.canonical)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Address, AddressError> {
        Address::parse(text)
    }
}
