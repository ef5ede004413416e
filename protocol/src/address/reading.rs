//! What a text says of an address, and why it may say nothing.

use std::fmt;
use std::sync::Arc;

use super::Chain;
use super::chain::Family;

/// What a text says of an address on a chain that is known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Read {
    /// The one form that all spellings of the account lead to.
    pub(super) canonical: Arc<str>,
    /// The form it was written in.
    pub(super) form: &'static str,
    /// Who is meant at the account, where many share it.
    pub(super) sub_account: Option<SubAccount>,
}

impl Read {
    pub(super) fn new(canonical: impl Into<Arc<str>>, form: &'static str) -> Read {
        Read { canonical: canonical.into(), form, sub_account: None }
    }

    pub(super) fn at(self, sub_account: SubAccount) -> Read {
        Read { sub_account: Some(sub_account), ..self }
    }
}

/// What tells apart those who share an account. No part of its identity: one lookup shows all.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum SubAccount {
    /// The destination tag of the XRP Ledger.
    DestinationTag(u32),
    /// The payment id that a Monero integrated address carries.
    PaymentId([u8; 8]),
    /// The id of a Stellar muxed account (SEP-23).
    MuxedId(u64),
    /// A memo beside a Stellar account.
    Memo(Box<str>),
}

impl SubAccount {
    /// What it is called.
    pub fn kind(&self) -> &'static str {
        match self {
            SubAccount::DestinationTag(_) => "destination tag",
            SubAccount::PaymentId(_) => "payment id",
            SubAccount::MuxedId(_) => "muxed id",
            SubAccount::Memo(_) => "memo",
        }
    }
}

impl SubAccount {
    /// Its number on the wire.
    pub fn number(&self) -> u64 {
        match self {
            SubAccount::DestinationTag(_) => 1,
            SubAccount::PaymentId(_) => 2,
            SubAccount::MuxedId(_) => 3,
            SubAccount::Memo(_) => 4,
        }
    }

    /// What a number and a text on the wire stand for; nothing if it is not written as this version writes it. An
    /// unknown number is told apart by [`SubAccount::is_known`].
    pub fn from_wire(number: u64, text: &str) -> Option<SubAccount> {
        let read = match number {
            1 => SubAccount::DestinationTag(text.parse().ok()?),
            2 => {
                let mut id = [0; 8];
                hex::decode_to_slice(text, &mut id).ok()?;
                SubAccount::PaymentId(id)
            }
            3 => SubAccount::MuxedId(text.parse().ok()?),
            4 => SubAccount::Memo(text.into()),
            _ => return None,
        };
        (read.to_string() == text && (1..=MAX_MEMO_BYTES).contains(&text.len())).then_some(read)
    }

    /// Reads it by what its kind is called.
    pub fn read(kind: &str, text: &str) -> Option<SubAccount> {
        let number = match kind {
            "destination tag" => 1,
            "payment id" => 2,
            "muxed id" => 3,
            "memo" => 4,
            _ => return None,
        };
        SubAccount::from_wire(number, text)
    }

    /// Whether this version knows the number of a kind.
    pub fn is_known(number: u64) -> bool {
        (1..=4).contains(&number)
    }
}

/// Longest memo, bytes: a hash in hexadecimal.
pub(super) const MAX_MEMO_BYTES: usize = 64;

impl fmt::Display for SubAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SubAccount::DestinationTag(tag) => tag.fmt(f),
            SubAccount::PaymentId(id) => f.write_str(&hex::encode(id)),
            SubAccount::MuxedId(id) => id.fmt(f),
            SubAccount::Memo(memo) => f.write_str(memo),
        }
    }
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
    #[error("its last bits are not the zeros that fill up such an address")]
    Padding,
    /// A version byte or prefix that no address of this chain has.
    #[error("version or prefix {version} is of no address on this chain")]
    Version {
        /// The version byte or prefix number.
        version: u16,
    },
    /// Letters or a number before the address that no address of this chain has.
    #[error("what it begins with is of another network")]
    Prefix,
    /// A rule of the chain's own.
    #[error("{0}")]
    Rule(&'static str),
    /// A valid address of another chain.
    #[error("it is an address on {}", network(*other))]
    OtherChain {
        /// The chain it belongs to; Ethereum stands for all EVM chains.
        other: Chain,
    },
    /// A valid SS58 address of another network.
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
