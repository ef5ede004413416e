//! What has its place on a chain and is no account: transactions and tokens.

use super::{Fault, Read};
use crate::address::{Address, Chain, TransactionForm};

/// Pages of explorers that show one transaction: what stands before its hash in the path.
const PATHS: &[&str] = &["tx", "transaction", "transactions", "extrinsic", "txn", "txs"];

pub(super) fn transaction(text: &str) -> Result<Read, Fault> {
    let (chain, hash) = text.rsplit_once(':').ok_or("write chain:hash, such as bitcoin:4a5e1e4b…")?;
    let chain = Chain::parse(chain).map_err(|error| error.to_string())?;
    let canonical = canonical_hash(chain, hash.trim())?;
    Ok(Read::new(format!("{chain}:{canonical}"), "transaction"))
}

/// A hash as transactions of a chain are named.
fn canonical_hash(chain: Chain, text: &str) -> Result<String, Fault> {
    let (digits, prefixed) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, true),
        None => (text, false),
    };
    let is_hex = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let base58 = |bytes: usize| bs58::decode(text).into_vec().is_ok_and(|decoded| decoded.len() == bytes);
    let fits = |fits: bool, canonical: String, rule: &'static str| if fits { Ok(canonical) } else { Err(rule.into()) };
    match chain.transactions() {
        TransactionForm::Hex => fits(
            is_hex && !prefixed,
            digits.to_ascii_lowercase(),
            "a transaction of this chain has 64 hexadecimal digits",
        ),
        TransactionForm::Prefixed => fits(
            is_hex,
            format!("0x{}", digits.to_ascii_lowercase()),
            "a transaction of this chain is 0x and 64 hexadecimal digits",
        ),
        TransactionForm::Base58(bytes) => fits(
            base58(bytes),
            text.to_owned(),
            "a transaction of this chain is written in base58, 32 or 64 bytes long",
        ),
        TransactionForm::Other => {
            let plain =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'@' | b'-' | b'_' | b'/' | b'=');
            fits(
                (16..=128).contains(&text.len()) && text.bytes().all(plain),
                text.to_owned(),
                "the name of a transaction has 16 to 128 letters, digits and signs",
            )
        }
    }
}

/// The transaction that a page of an explorer shows: the chain by the address of the page alone, where it is known.
pub(super) fn of_page(text: &str) -> Option<Read> {
    let url = url::Url::parse(text).ok()?;
    let segments: Vec<&str> = url.path_segments()?.filter(|segment| !segment.is_empty()).collect();
    let place = segments.iter().rposition(|segment| PATHS.contains(segment))?;
    let chain = Chain::of_explorer(url.host_str()?, &segments)?;
    let hash = canonical_hash(chain, segments.get(place + 1)?).ok()?;
    Some(Read::new(format!("{chain}:{hash}"), "transaction").noting(true, "taken from an explorer's page"))
}

/// What a token is called on chains whose CAIP-19 pages name one way alone.
fn usual_namespace(chain: Chain) -> &'static str {
    match chain.namespace() {
        "eip155" => "erc20",
        "tron" => "trc20",
        _ => "token",
    }
}

pub(super) fn token(text: &str) -> Result<Read, Fault> {
    let Some((chain, asset)) = text.split_once('/') else {
        // Chain and contract: the usual kind of token there.
        let address = Address::parse(text).map_err(|error| error.to_string())?;
        let namespace = usual_namespace(address.chain());
        return Ok(Read::new(format!("{}/{namespace}:{}", address.chain(), address.canonical()), "token"));
    };
    let chain = Chain::parse(chain).map_err(|error| error.to_string())?;
    let (namespace, reference) =
        asset.split_once(':').ok_or("after the chain stand /kind:contract, such as /erc20:0x…")?;
    let in_namespace = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !(3..=8).contains(&namespace.len()) || !namespace.bytes().all(in_namespace) {
        return Err("the kind of a token has 3 to 8 small letters, digits and hyphens (CAIP-19)".into());
    }
    if namespace == "slip44" {
        return Err("a native coin is no token that a report can be about".into());
    }
    let (contract, id) = match reference.split_once('/') {
        Some((contract, id)) => (contract, Some(id)),
        None => (reference, None),
    };
    let fits = |text: &str, most: usize| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'%');
        (1..=most).contains(&text.len()) && text.bytes().all(plain)
    };
    if id.is_some_and(|id| !fits(id, 78)) {
        return Err("the number within a collection has 1 to 78 letters and digits (CAIP-19)".into());
    }
    let contract = match Address::on(chain, contract) {
        Ok(address) => address.canonical().to_owned(),
        Err(_) if chain.evm_number().is_none() && fits(contract, 128) => contract.to_owned(),
        Err(error) => return Err(error.to_string().into()),
    };
    let id = id.map(|id| format!("/{id}")).unwrap_or_default();
    Ok(Read::new(format!("{chain}/{namespace}:{contract}{id}"), if id.is_empty() { "token" } else { "NFT" }))
}

/// The contract of a token in its canonical form.
pub(super) fn contract(canonical: &str) -> Option<Address> {
    let (chain, asset) = canonical.split_once('/')?;
    let (_, reference) = asset.split_once(':')?;
    let contract = reference.split('/').next()?;
    Address::from_wire(chain, contract).ok()
}
