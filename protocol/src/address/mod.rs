//! Addresses: a chain and the one canonical form of an address on it, checksum verified.
//!
//! Two addresses are equal exactly when chain and canonical form are equal, so the canonical form is unique per
//! account and chain. `chains` is the table of chains, one file each reads a family of them, and `README.md` of this
//! crate lists the canonical forms. The way of a text: `debris` tidies it, `secret` refuses what opens a wallet,
//! `detect` tries the chains.
//!
//! An address is never moved to another chain than the one it was given with. The form of one chain under the name of
//! another is an error that says which chain it belongs to.
//!
//! Where no chain is named, [`examine`] tells every chain that fits. No error text carries more of the input than one
//! character, since what an analyst mistypes may be a secret.

mod alephium;
mod algorand;
mod antelope;
mod base58;
mod bitcoin;
mod cardano;
mod cashaddr;
mod chain;
mod chains;
mod cosmos;
mod debris;
mod detect;
mod ergo;
mod evm;
mod explorers;
mod filecoin;
mod hedera;
mod monero;
mod move_vm;
mod nano;
mod near;
mod reading;
mod ripple;
mod secret;
mod solana;
mod ss58;
mod stacks;
mod stellar;
mod text;
mod tezos;
mod ton;
mod tron;
mod waves;
mod zcash;

use std::fmt::{self, Write};
use std::str::FromStr;
use std::sync::Arc;

use chain::Family;
pub use chain::{Chain, ChainError, MAX_CHAIN_BYTES, MAX_EVM_NUMBER};
pub use detect::{Examined, Reading, examine};
pub use explorers::TransactionForm;
use reading::Read;
pub use reading::{Fault, SubAccount};
use text::Text;

use crate::limits;

/// Longest canonical form on any chain, in bytes: Zcash's unified ones with all receivers have about 220, all others
/// at most 128.
pub const MAX_CANONICAL_BYTES: usize = limits::CANONICAL_ADDRESS_BYTES;

/// Longest text that is looked at: a payment URI or the address of a page around an address.
pub const MAX_INPUT_BYTES: usize = 1024;

/// An address on a chain.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Address {
    chain: Chain,
    canonical: Arc<str>,
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
    /// Bytes that are no text.
    #[error("not text in UTF-8")]
    NotText,
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
    /// No form of any chain that is read here.
    #[error("no form of an address that is known here: name the chain, as in bitcoin:1A1z…, if it is one")]
    NoForm,
    /// A private key, which opens a wallet.
    #[error("it is a PRIVATE KEY: keep it secret, store it as evidence, and give the address that belongs to it")]
    PrivateKey,
    /// Words that open a wallet.
    #[error(
        "it looks like a SEED PHRASE: keep it secret, store it as evidence, and give the addresses that belong to it"
    )]
    SeedPhrase,
    /// What is a private key of many chains, or a hash.
    #[error(
        "64 hexadecimal digits are a PRIVATE KEY or a transaction hash of most chains: if it is an account of NEAR, \
         Aptos, Sui or Starknet, name the chain"
    )]
    MayBeKey,
    /// From a partner: a valid address that is not in its canonical form.
    #[error("not in the canonical form of addresses on {}", chain.name())]
    NotCanonical {
        /// The chain named.
        chain: Chain,
    },
}

impl AddressError {
    /// Whether the text is, or may be, what opens a wallet: it must not be kept, logged or shown again.
    pub fn is_secret(&self) -> bool {
        let in_form = matches!(self, AddressError::Form { fault: Fault::PrivateKey, .. });
        in_form || matches!(self, AddressError::PrivateKey | AddressError::SeedPhrase | AddressError::MayBeKey)
    }
}

impl Address {
    /// Reads CAIP-10 (`eip155:1:0x…`), `chain:address` (`bitcoin:bc1q…`) or a payment URI, as people and files write them.
    pub fn parse(text: &str) -> Result<Address, AddressError> {
        Reading::parse(text).map(|reading| reading.address)
    }

    /// Reads an address of which the chain is known, as people and files write it.
    pub fn on(chain: Chain, text: &str) -> Result<Address, AddressError> {
        let examined = examine(text, Some(&[chain]));
        match examined.refused {
            Some(error) => Err(error),
            None => Ok(examined.readings.into_iter().next().expect("a reading or a refusal").address),
        }
    }

    /// Reads what a partner sent: exactly a CAIP-2 id and the canonical form, nothing that would have to be changed.
    /// A well-formed chain that this version does not know is [`ChainError::Unknown`], for the caller to hold.
    pub fn from_wire(chain: &str, canonical: &str) -> Result<Address, AddressError> {
        if canonical.len() > MAX_CANONICAL_BYTES {
            return Err(AddressError::TooLong { bytes: canonical.len() });
        }
        let chain = Chain::from_wire(chain)?;
        match read(chain, &Text::new(canonical)) {
            Ok(Read { canonical: read, sub_account: None, .. }) if *read == *canonical => {
                Ok(Address { chain, canonical: read })
            }
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

    /// The CAIP-10 account id: `namespace:reference:address`, with `%XX` for what CAIP-10 does not permit there.
    pub fn caip10(&self) -> String {
        self.to_string()
    }

    /// What an index keys on: the bytes of the CAIP-10 id, but one number for all EVM chains, since one key holds an
    /// account on all of them. No CAIP-2 id has a second colon, so chain and canonical form cannot run into each other.
    pub fn lookup_key(&self) -> Vec<u8> {
        match self.chain.evm_number() {
            Some(_) => format!("eip155:*:{}", self.canonical).into_bytes(),
            None => self.to_string().into_bytes(),
        }
    }
}

/// The canonical form of an address on a chain; `text` is bounded.
fn read(chain: Chain, text: &Text<'_>) -> Result<Read, Fault> {
    let written = text.written;
    if written.is_empty() {
        return Err(Fault::Empty);
    }
    match chain.family() {
        Family::Bitcoin(network) => bitcoin::read(network, text),
        Family::BitcoinCash(test) => cashaddr::read_bitcoin_cash(test, text),
        Family::Kaspa(test) => cashaddr::read_kaspa(test, written),
        Family::Zcash(network) => zcash::read(network, text),
        Family::Monero(network) => monero::read(network, written),
        Family::Evm => match chain.evm_number() {
            Some(number) if evm::has_own_form(number) => evm::read(number, written),
            _ => text.evm(),
        },
        Family::Tron => tron::read(text),
        Family::Solana => solana::read(text),
        Family::Ripple(test) => ripple::read(test, written),
        Family::Stellar => stellar::read(written),
        Family::Cardano(test) => cardano::read(test, text),
        Family::Ss58(prefix) => ss58::read(prefix, text),
        Family::Cosmos(letters) => cosmos::read(letters, written),
        Family::Ton(test) => ton::read(test, written),
        Family::Near(test) => near::read(test, written),
        Family::Algorand => algorand::read(written),
        Family::Tezos => tezos::read(text),
        Family::Move => move_vm::read(written),
        Family::Starknet => move_vm::read_starknet(written),
        Family::Filecoin(test) => filecoin::read(test, written),
        Family::Hedera(test) => hedera::read(test, written),
        Family::Antelope => antelope::read(written),
        Family::Stacks(test) => stacks::read(test, written),
        Family::Nano => nano::read(written),
        Family::MultiversX => cosmos::read_multiversx(written),
        Family::VeChain => text.evm(),
        Family::Conflux(test) => cashaddr::read_conflux(test, written),
        Family::Waves(test) => waves::read(test, text),
        Family::Ergo(test) => ergo::read(test, text),
        Family::Alephium => alephium::read(text),
    }
}

/// Says that a refused text is an address of another chain, where it is one.
fn explained(chain: Chain, text: &Text<'_>, fault: Fault) -> Fault {
    if matches!(fault, Fault::PrivateKey | Fault::Empty) {
        return fault;
    }
    // A name proves nothing: many a mistyped text is one.
    let is_name = |other: &Chain| matches!(other.family(), Family::Antelope | Family::Near(_));
    let fits = |other: &Chain| {
        *other != chain && !is_name(other) && detect::may_be(*other, text) && read(*other, text).is_ok()
    };
    let other = Chain::of_each_form().find(fits);
    other.map_or(fault, |other| Fault::OtherChain { other })
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.chain)?;
        let permitted = |found: char| found.is_ascii_alphanumeric() || matches!(found, '-' | '.' | '%');
        self.canonical.chars().try_for_each(|found| {
            if permitted(found) { f.write_char(found) } else { write!(f, "%{:02X}", u32::from(found)) }
        })
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
