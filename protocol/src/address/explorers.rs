//! Pages of block explorers: which chain they speak of, and how a chain's transactions are named.

use super::Chain;
use super::chain::Family;

/// Hosts that show one chain, with the chain's name.
const OF_ONE: &[(&str, &str)] = &[
    ("etherscan.io", "ethereum"),
    ("bscscan.com", "bsc"),
    ("polygonscan.com", "polygon"),
    ("arbiscan.io", "arbitrum"),
    ("optimistic.etherscan.io", "optimism"),
    ("basescan.org", "base"),
    ("snowtrace.io", "avalanche"),
    ("ftmscan.com", "fantom"),
    ("gnosisscan.io", "gnosis"),
    ("tronscan.org", "tron"),
    ("solscan.io", "solana"),
    ("explorer.solana.com", "solana"),
    ("mempool.space", "bitcoin"),
    ("blockstream.info", "bitcoin"),
    ("xrpscan.com", "xrp"),
    ("livenet.xrpl.org", "xrp"),
    ("bithomp.com", "xrp"),
    ("stellar.expert", "stellar"),
    ("cardanoscan.io", "cardano"),
    ("cexplorer.io", "cardano"),
    ("tonscan.org", "ton"),
    ("tonviewer.com", "ton"),
    ("tzkt.io", "tezos"),
    ("tzstats.com", "tezos"),
    ("nearblocks.io", "near"),
    ("hashscan.io", "hedera"),
    ("filfox.info", "filecoin"),
    ("algoexplorer.io", "algorand"),
    ("live.blockcypher.com", "bitcoin"),
    ("xmrchain.net", "monero"),
    ("dogechain.info", "dogecoin"),
    ("litecoinspace.org", "litecoin"),
];

/// Hosts that show many chains; one part of the path names the chain.
const OF_MANY: &[&str] = &[
    "blockchair.com",
    "blockchain.com",
    "explorer.bitquery.io",
    "oklink.com",
    "debank.com",
    "tokenview.io",
    "btc.com",
    "mintscan.io",
    "chainabuse.com",
    "subscan.io",
];

/// How a chain names its transactions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TransactionForm {
    /// 64 hexadecimal digits.
    Hex,
    /// `0x` and 64 hexadecimal digits.
    Prefixed,
    /// Base58 of so many bytes.
    Base58(usize),
    /// Another text of its own.
    Other,
}

impl Chain {
    /// How this chain names its transactions.
    pub fn transactions(self) -> TransactionForm {
        match self.family() {
            Family::Move if self.namespace() == "sui" => TransactionForm::Base58(32),
            Family::Evm
            | Family::VeChain
            | Family::Conflux(_)
            | Family::Starknet
            | Family::Ss58(_)
            | Family::Stacks(_)
            | Family::Move => TransactionForm::Prefixed,
            Family::Solana => TransactionForm::Base58(64),
            Family::Near(_) | Family::Waves(_) => TransactionForm::Base58(32),
            Family::Algorand | Family::Tezos | Family::Filecoin(_) | Family::Hedera(_) => TransactionForm::Other,
            _ => TransactionForm::Hex,
        }
    }

    /// The chain that a page of an explorer shows: by its host, or by the part of the path that names it.
    pub fn of_explorer(host: &str, path: &[&str]) -> Option<Chain> {
        let host = host.strip_prefix("www.").unwrap_or(host);
        if let Some((_, name)) = OF_ONE.iter().find(|(known, _)| *known == host) {
            return Chain::parse(name).ok();
        }
        let of_many = OF_MANY.iter().any(|known| host == *known || host.ends_with(&format!(".{known}")));
        let below = host.split('.').next().filter(|first| host.split('.').count() > 2 && *first != "explorer");
        of_many.then(|| path.iter().copied().chain(below).find_map(|part| Chain::parse(part).ok())).flatten()
    }

    /// Whether a URL is of an explorer that is known here.
    pub fn is_explorer(url: &str) -> bool {
        let host = host_of(url);
        OF_ONE.iter().any(|(known, _)| *known == host)
            || OF_MANY.iter().any(|known| host == *known || host.ends_with(&format!(".{known}")))
    }
}

/// The host of a URL in lower case, without `www.`.
fn host_of(url: &str) -> String {
    let behind = url.split_once("://").map_or(url, |(_, behind)| behind);
    let host = behind.split(['/', '?', '#', ':']).next().unwrap_or_default().to_ascii_lowercase();
    host.strip_prefix("www.").unwrap_or(&host).to_owned()
}

/// The chain that a URL's host or path names, if it is of an explorer.
pub(super) fn chain_of(url: &str) -> Option<Chain> {
    let behind = url.split_once("://").map_or(url, |(_, behind)| behind);
    let path: Vec<&str> = behind.split(['/', '?', '#']).skip(1).collect();
    Chain::of_explorer(&host_of(url), &path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_explorer_names_a_chain() {
        for (host, name) in OF_ONE {
            assert!(Chain::of_explorer(host, &[]).is_some(), "{host}: {name}");
        }
        let chain = |url| chain_of(url).map(Chain::name);
        assert_eq!(chain("https://blockchair.com/dogecoin/address/D").as_deref(), Some("Dogecoin"));
        assert_eq!(chain("https://polkadot.subscan.io/account/1").as_deref(), Some("Polkadot"));
        assert_eq!(chain("https://evil.example/bitcoin/address/1"), None);
    }
}
