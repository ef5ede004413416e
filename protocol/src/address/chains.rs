//! The table of chains: one row each, so that a further chain is a further row.
//!
//! References are those of the CAIP namespaces. Where there is none, they are our choice, marked as such; forks of
//! Bitcoin are named by the first block of their own (BIP-122). The most used chains come first: that is the order in
//! which the chains of a text without a chain are told.
//!
//! Chains that people name and that are not read yet are known by name in [`NOT_YET`], and tokens in [`TOKENS`], so
//! that the answer can say which of the two it is.

use super::{bitcoin, monero, zcash};

/// One row of the table.
pub(super) struct Listed {
    pub(super) namespace: &'static str,
    pub(super) reference: &'static str,
    /// Other writings of the reference, read and never written.
    pub(super) old_references: &'static [&'static str],
    pub(super) name: &'static str,
    /// Lower-case names and the ticker of the native asset. Those of a test network are its main network's first, a
    /// hyphen and a word.
    pub(super) aliases: &'static [&'static str],
    pub(super) family: Family,
    /// Whether it is a test network.
    pub(super) test: bool,
}

impl Listed {
    /// What a chain and its test networks have in common: the first alias of the main network.
    pub(super) fn coin(&self) -> &'static str {
        match self.aliases[0].rsplit_once('-') {
            Some((coin, _)) if self.test => coin,
            _ => self.aliases[0],
        }
    }
}

/// Chains that write their addresses by the same rules; `true` for test networks where these write otherwise.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Family {
    Bitcoin(&'static bitcoin::Network),
    BitcoinCash(bool),
    Kaspa(bool),
    Zcash(&'static zcash::Network),
    Monero(&'static monero::Network),
    Evm,
    Tron,
    Solana,
    Ripple(bool),
    Stellar,
    Cardano(bool),
    /// Substrate, with the network's SS58 prefix.
    Ss58(u16),
    /// The letters of its addresses.
    Cosmos(&'static str),
    Ton(bool),
    Near(bool),
    Algorand,
    Tezos,
    Move,
    Starknet,
    Filecoin(bool),
    Hedera(bool),
    Antelope,
    Stacks(bool),
    Nano,
    MultiversX,
    VeChain,
    Conflux(bool),
    Waves(bool),
    Ergo(bool),
    Alephium,
}

const fn row(
    (namespace, reference): (&'static str, &'static str),
    name: &'static str,
    aliases: &'static [&'static str],
    family: Family,
) -> Listed {
    Listed { namespace, reference, old_references: &[], name, aliases, family, test: false }
}

const fn test(
    id: (&'static str, &'static str),
    name: &'static str,
    aliases: &'static [&'static str],
    family: Family,
) -> Listed {
    Listed { test: true, ..row(id, name, aliases, family) }
}

const fn bip122(reference: &'static str) -> (&'static str, &'static str) {
    ("bip122", reference)
}

const fn cosmos(reference: &'static str) -> (&'static str, &'static str) {
    ("cosmos", reference)
}

/// Every chain outside `eip155` whose addresses are read.
#[rustfmt::skip]
pub(super) static CHAINS: &[Listed] = &[
    row(bip122("000000000019d6689c085ae165831e93"), "Bitcoin", &["bitcoin", "btc", "xbt"], Family::Bitcoin(&bitcoin::BITCOIN)),
    Listed { old_references: &["0x2b6653dc"], ..row(("tron", "728126428"), "TRON", &["tron", "trx"], Family::Tron) },
    row(("solana", "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"), "Solana", &["solana", "sol"], Family::Solana),
    row(bip122("12a765e31ffd4059bada1e25190f6e98"), "Litecoin", &["litecoin", "ltc"], Family::Bitcoin(&bitcoin::LITECOIN)),
    row(("xrpl", "0"), "XRP Ledger", &["xrpl", "xrp", "ripple"], Family::Ripple(false)),
    // Our choice: its genesis block.
    row(("monero", "418015bb9ae982a1975da7d79277c270"), "Monero", &["monero", "xmr"], Family::Monero(&monero::MAIN)),
    row(bip122("1a91e3dace36e2be3bf030a65679fe82"), "Dogecoin", &["dogecoin", "doge"], Family::Bitcoin(&bitcoin::DOGECOIN)),
    row(bip122("000000000000000000651ef99cb9fcbe"), "Bitcoin Cash", &["bitcoincash", "bitcoin-cash", "bch"], Family::BitcoinCash(false)),
    row(bip122("00040fe8ec8471911baa1db1266ea15d"), "Zcash", &["zcash", "zec"], Family::Zcash(&zcash::MAIN)),
    row(bip122("00000ffd590b1485b3caadc19b22e637"), "Dash", &["dash"], Family::Bitcoin(&bitcoin::DASH)),
    // CIP-34.
    row(("cip34", "1-764824073"), "Cardano", &["cardano", "ada"], Family::Cardano(false)),
    row(("tvm", "-239"), "TON", &["ton", "toncoin", "gram"], Family::Ton(false)),
    row(("stellar", "pubnet"), "Stellar", &["stellar", "xlm"], Family::Stellar),
    row(("polkadot", "91b171bb158e2d3848fa23a9f1c25182"), "Polkadot", &["polkadot", "dot"], Family::Ss58(0)),
    row(("polkadot", "b0a8d493285c2df73290dfb7e61f870f"), "Kusama", &["kusama", "ksm"], Family::Ss58(2)),
    Listed { old_references: &["cosmoshub-1", "cosmoshub-2", "cosmoshub-3"], ..row(cosmos("cosmoshub-4"), "Cosmos Hub", &["cosmos", "atom", "cosmoshub"], Family::Cosmos("cosmos")) },
    row(("algorand", "wGHE2Pwdvd7S12BL5FaOP20EGYesN73k"), "Algorand", &["algorand", "algo"], Family::Algorand),
    row(("tezos", "NetXdQprcVkpaWU"), "Tezos", &["tezos", "xtz"], Family::Tezos),
    row(("aptos", "1"), "Aptos", &["aptos", "apt"], Family::Move),
    row(("sui", "mainnet"), "Sui", &["sui"], Family::Move),
    row(("starknet", "SN_MAIN"), "Starknet", &["starknet", "strk"], Family::Starknet),
    row(("near", "mainnet"), "NEAR", &["near"], Family::Near(false)),
    row(("fil", "f"), "Filecoin", &["filecoin", "fil"], Family::Filecoin(false)),
    row(("hedera", "mainnet"), "Hedera", &["hedera", "hbar"], Family::Hedera(false)),
    row(("stacks", "1"), "Stacks", &["stacks", "stx"], Family::Stacks(false)),
    // Our choice: its genesis block.
    row(("nano", "991cf190094c00f0b68e2e5f75f6bee9"), "Nano", &["nano", "xno", "xrb"], Family::Nano),
    // Our choice.
    row(("kaspa", "mainnet"), "Kaspa", &["kaspa", "kas"], Family::Kaspa(false)),
    row(bip122("0000006b444bc2f2ffe627be9d9e7e7a"), "Ravencoin", &["ravencoin", "rvn"], Family::Bitcoin(&bitcoin::RAVENCOIN)),
    row(bip122("7497ea1b465eb39f1c8f507bc877078f"), "DigiByte", &["digibyte", "dgb"], Family::Bitcoin(&bitcoin::DIGIBYTE)),
    row(bip122("000000000000000001d956714215d96f"), "Bitcoin SV", &["bitcoin-sv", "bsv"], Family::Bitcoin(&bitcoin::BITCOIN_SV)),
    // Our choice.
    row(("btg", "mainnet"), "Bitcoin Gold", &["bitcoin-gold", "btg", "bitcoingold"], Family::Bitcoin(&bitcoin::BITCOIN_GOLD)),
    row(cosmos("Binance-Chain-Tigris"), "BNB Beacon Chain", &["beacon-chain", "bep2", "binance-chain"], Family::Cosmos("bnb")),
    row(cosmos("osmosis-1"), "Osmosis", &["osmosis", "osmo"], Family::Cosmos("osmo")),
    row(cosmos("injective-1"), "Injective", &["injective", "inj"], Family::Cosmos("inj")),
    row(cosmos("celestia"), "Celestia", &["celestia", "tia"], Family::Cosmos("celestia")),
    row(cosmos("dydx-mainnet-1"), "dYdX", &["dydx"], Family::Cosmos("dydx")),
    row(cosmos("pacific-1"), "Sei", &["sei"], Family::Cosmos("sei")),
    row(cosmos("thorchain-1"), "THORChain", &["thorchain", "rune"], Family::Cosmos("thor")),
    row(cosmos("phoenix-1"), "Terra", &["terra", "luna"], Family::Cosmos("terra")),
    row(cosmos("secret-4"), "Secret Network", &["secret", "scrt"], Family::Cosmos("secret")),
    row(cosmos("kava_2222-10"), "Kava", &["kava"], Family::Cosmos("kava")),
    row(cosmos("akashnet-2"), "Akash", &["akash", "akt"], Family::Cosmos("akash")),
    row(cosmos("juno-1"), "Juno", &["juno"], Family::Cosmos("juno")),
    row(cosmos("stargaze-1"), "Stargaze", &["stargaze", "stars"], Family::Cosmos("stars")),
    row(cosmos("axelar-dojo-1"), "Axelar", &["axelar", "axl"], Family::Cosmos("axelar")),
    row(cosmos("noble-1"), "Noble", &["noble"], Family::Cosmos("noble")),
    row(cosmos("neutron-1"), "Neutron", &["neutron", "ntrn"], Family::Cosmos("neutron")),
    row(cosmos("stride-1"), "Stride", &["stride", "strd"], Family::Cosmos("stride")),
    row(cosmos("evmos_9001-2"), "Evmos", &["evmos"], Family::Cosmos("evmos")),
    row(cosmos("crypto-org-chain-mainnet-1"), "Cronos POS", &["crypto-org", "cronos-pos"], Family::Cosmos("cro")),
    row(cosmos("core-1"), "Persistence", &["persistence", "xprt"], Family::Cosmos("persistence")),
    row(cosmos("laozi-mainnet"), "Band", &["band"], Family::Cosmos("band")),
    row(("polkadot", "a0453819cbf8b4df9423a5cd601f546c"), "KILT Spiritnet", &["kilt"], Family::Ss58(38)),
    row(("polkadot", "baf5aabe40646d11f0ee8abbdc64f4a4"), "Karura", &["karura", "kar"], Family::Ss58(8)),
    row(("polkadot", "8b404e7ed8789d813982b9cb4c8b664c"), "Crust", &["crust", "cru"], Family::Ss58(66)),
    row(("polkadot", "9eb76c5184c4ab8679d2d5d819fdf90b"), "Astar", &["astar", "astr"], Family::Ss58(5)),
    row(("polkadot", "fc41b9bd8ef8fe53d58c7ea67c794c7e"), "Acala", &["acala", "aca"], Family::Ss58(10)),
    // Our choice: SS58 of no network in particular.
    row(("ss58", "42"), "Substrate", &["substrate"], Family::Ss58(42)),
    row(("antelope", "aca376f206b8fc25a6ed44dbdc66547c"), "EOS", &["eos", "antelope", "vaulta"], Family::Antelope),
    row(("antelope", "1064487b3cd1a897ce03ae5b6a865651"), "WAX", &["wax", "waxp"], Family::Antelope),
    row(("antelope", "4667b205c6838ef70ff7988f6e8257e8"), "Telos", &["telos", "tlos"], Family::Antelope),
    row(("mvx", "1"), "MultiversX", &["multiversx", "egld", "elrond"], Family::MultiversX),
    row(("vechain", "b1ac3413d346d43539627e6be7ec1b4a"), "VeChain", &["vechain", "vet"], Family::VeChain),
    row(("conflux", "cfx"), "Conflux", &["conflux", "cfx"], Family::Conflux(false)),
    row(("waves", "087"), "Waves", &["waves"], Family::Waves(false)),
    row(("ergo", "b0244dfc267baca974a4caee06120321"), "Ergo", &["ergo", "erg"], Family::Ergo(false)),
    // Any group: an address says which it is of.
    Listed { old_references: &["0_mainnet", "1_mainnet", "2_mainnet", "3_mainnet"], ..row(("alephium", "-1_mainnet"), "Alephium", &["alephium", "alph"], Family::Alephium) },

    test(bip122("000000000933ea01ad0ee984209779ba"), "Bitcoin testnet", &["bitcoin-testnet", "btc-testnet", "tbtc"], Family::Bitcoin(&bitcoin::BITCOIN_TEST)),
    test(bip122("4966625a4b2851d9fdee139e56211a0d"), "Litecoin testnet", &["litecoin-testnet", "ltc-testnet"], Family::Bitcoin(&bitcoin::LITECOIN_TEST)),
    test(bip122("bb0a78264637406b6360aad926284d54"), "Dogecoin testnet", &["dogecoin-testnet", "doge-testnet"], Family::Bitcoin(&bitcoin::DOGECOIN_TEST)),
    // Our choice: the first block of its own.
    test(bip122("00000000000e38fef93ed9582a7df438"), "Bitcoin Cash testnet", &["bitcoincash-testnet", "bch-testnet", "bchtest"], Family::BitcoinCash(true)),
    test(bip122("05a60a92d99d85997cce3b87616c089f"), "Zcash testnet", &["zcash-testnet", "zec-testnet"], Family::Zcash(&zcash::TEST)),
    test(bip122("00000bafbc94add76cb75e2ec9289483"), "Dash testnet", &["dash-testnet"], Family::Bitcoin(&bitcoin::DASH_TEST)),
    // Our choice, as for DigiByte's.
    test(("rvn", "testnet"), "Ravencoin testnet", &["ravencoin-testnet", "rvn-testnet"], Family::Bitcoin(&bitcoin::RAVENCOIN_TEST)),
    test(("dgb", "testnet"), "DigiByte testnet", &["digibyte-testnet", "dgb-testnet"], Family::Bitcoin(&bitcoin::DIGIBYTE_TEST)),
    test(("monero", "48ca7cd3c8de5b6a4d53d2861fbdaedc"), "Monero testnet", &["monero-testnet", "xmr-testnet"], Family::Monero(&monero::TEST)),
    test(("monero", "76ee3cc98646292206cd3e86f74d88b4"), "Monero stagenet", &["monero-stagenet", "xmr-stagenet"], Family::Monero(&monero::STAGE)),
    test(("xrpl", "1"), "XRP Ledger testnet", &["xrpl-testnet", "xrp-testnet", "ripple-testnet"], Family::Ripple(true)),
    test(("cip34", "0-1"), "Cardano test networks", &["cardano-testnet", "ada-testnet", "cardano-preprod"], Family::Cardano(true)),
    test(("tvm", "-3"), "TON testnet", &["ton-testnet", "toncoin-testnet"], Family::Ton(true)),
    test(("near", "testnet"), "NEAR testnet", &["near-testnet"], Family::Near(true)),
    test(("fil", "t"), "Filecoin test networks", &["filecoin-testnet", "fil-testnet"], Family::Filecoin(true)),
    test(("hedera", "testnet"), "Hedera testnet", &["hedera-testnet", "hbar-testnet"], Family::Hedera(true)),
    test(("stacks", "2147483648"), "Stacks testnet", &["stacks-testnet", "stx-testnet"], Family::Stacks(true)),
    test(("kaspa", "testnet"), "Kaspa testnet", &["kaspa-testnet", "kaspatest"], Family::Kaspa(true)),
    test(cosmos("Binance-Chain-Ganges"), "BNB Beacon Chain testnet", &["beacon-chain-testnet", "bep2-testnet"], Family::Cosmos("tbnb")),
    test(("conflux", "cfxtest"), "Conflux testnet", &["conflux-testnet", "cfxtest"], Family::Conflux(true)),
    test(("waves", "084"), "Waves testnet", &["waves-testnet"], Family::Waves(true)),
    test(("ergo", "e7553c9a716bb3983ac8b0c21689a1f3"), "Ergo testnet", &["ergo-testnet", "erg-testnet"], Family::Ergo(true)),
    // From here on, test networks that write addresses as their main networks do.
    test(("stellar", "testnet"), "Stellar testnet", &["stellar-testnet", "xlm-testnet"], Family::Stellar),
    test(("tezos", "NetXnHfVqm9iesp"), "Tezos Ghostnet", &["tezos-ghostnet", "ghostnet"], Family::Tezos),
    test(("tron", "2494104990"), "TRON Shasta", &["tron-shasta", "shasta"], Family::Tron),
    test(("tron", "3448148188"), "TRON Nile", &["tron-nile", "nile"], Family::Tron),
    test(("solana", "EtWTRABZaYq6iMfeYKouRu166VU2xqa1"), "Solana devnet", &["solana-devnet", "sol-devnet"], Family::Solana),
    test(("solana", "4uhcVJyU9pJkvQyS88uRDiswHXSCkY3z"), "Solana testnet", &["solana-testnet", "sol-testnet"], Family::Solana),
    test(("algorand", "SGO1GKSzyE7IEPItTxCByw9x8FmnrCDe"), "Algorand testnet", &["algorand-testnet", "algo-testnet"], Family::Algorand),
    test(("aptos", "2"), "Aptos testnet", &["aptos-testnet", "apt-testnet"], Family::Move),
    test(("sui", "testnet"), "Sui testnet", &["sui-testnet"], Family::Move),
    test(("starknet", "SN_SEPOLIA"), "Starknet Sepolia", &["starknet-sepolia"], Family::Starknet),
    test(("starknet", "SN_GOERLI"), "Starknet Goerli", &["starknet-goerli"], Family::Starknet),
    test(("mvx", "T"), "MultiversX testnet", &["multiversx-testnet", "egld-testnet"], Family::MultiversX),
    test(("mvx", "D"), "MultiversX devnet", &["multiversx-devnet", "egld-devnet"], Family::MultiversX),
    test(("vechain", "87721b09ed2e15997f466536b20bb127"), "VeChain testnet", &["vechain-testnet", "vet-testnet"], Family::VeChain),
    Listed { old_references: &["0_testnet", "1_testnet", "2_testnet", "3_testnet"], ..test(("alephium", "-1_testnet"), "Alephium testnet", &["alephium-testnet", "alph-testnet"], Family::Alephium) },
    test(("antelope", "e70aaab8997e1dfce58fbfac80cbbb8f"), "EOS Kylin", &["eos-kylin", "kylin"], Family::Antelope),
];

/// Common EVM chains: number, name, lower-case aliases (tickers only where one chain alone owns them).
/// Source: the chain numbers of ethereum-lists/chains.
pub(super) const EVM_NAMES: &[(u64, &str, &[&str])] = &[
    (1, "Ethereum", &["ethereum", "eth"]),
    (56, "BNB Smart Chain", &["bsc", "bnb", "bep20", "binance-smart-chain"]),
    (137, "Polygon", &["polygon", "matic", "pol"]),
    (42_161, "Arbitrum One", &["arbitrum"]),
    (8453, "Base", &["base"]),
    (10, "Optimism", &["optimism"]),
    (43_114, "Avalanche C-Chain", &["avalanche", "avax"]),
    (61, "Ethereum Classic", &["ethereum-classic", "etc", "ethereumclassic"]),
    (25, "Cronos", &["cronos", "cro"]),
    (100, "Gnosis", &["gnosis", "xdai"]),
    (250, "Fantom", &["fantom", "ftm"]),
    (324, "zkSync Era", &["zksync", "era", "zksync-era"]),
    (1284, "Moonbeam", &["moonbeam", "glmr"]),
    (5000, "Mantle", &["mantle", "mnt"]),
    (42_220, "Celo", &["celo"]),
    (59_144, "Linea", &["linea"]),
    (534_352, "Scroll", &["scroll"]),
    (81_457, "Blast", &["blast"]),
    (50, "XDC", &["xdc", "xinfin"]),
    (1_666_600_000, "Harmony", &["harmony", "one"]),
    (30, "Rootstock", &["rootstock", "rsk"]),
    (8217, "Kaia", &["kaia", "klaytn"]),
    (314, "Filecoin EVM", &["filecoin-evm", "fevm"]),
    (196, "X Layer", &["xlayer"]),
    (204, "opBNB", &["opbnb"]),
    (1101, "Polygon zkEVM", &["polygon-zkevm"]),
    (1116, "Core", &["core", "coredao"]),
    (1285, "Moonriver", &["moonriver", "movr"]),
    (1088, "Metis", &["metis"]),
    (999, "Hyperliquid", &["hyperliquid", "hyperevm"]),
    (146, "Sonic", &["sonic"]),
    (80_094, "Berachain", &["berachain", "bera"]),
    (130, "Unichain", &["unichain"]),
    (167_000, "Taiko", &["taiko"]),
    (42_170, "Arbitrum Nova", &["arbitrum-nova"]),
    (88, "Viction", &["viction", "tomochain"]),
    (20, "Elastos", &["elastos"]),
    (14, "Flare", &["flare", "flr"]),
    (169, "Manta Pacific", &["manta"]),
    (4200, "Merlin", &["merlin"]),
    (4689, "IoTeX", &["iotex", "iotx"]),
    (48_900, "Zircuit", &["zircuit"]),
    (7000, "ZetaChain", &["zetachain", "zeta"]),
    (66, "OKTChain", &["oktchain", "okexchain", "okt"]),
    (34_443, "Mode", &["mode"]),
    (42, "LUKSO", &["lukso", "lyx"]),
    (1135, "Lisk", &["lisk", "lsk"]),
    (109, "Shibarium", &["shibarium"]),
    (321, "KCC", &["kcc", "kcs"]),
    (199, "BitTorrent Chain", &["bittorrent", "bttc"]),
    (820, "Callisto", &["callisto", "clo"]),
    (1_313_161_554, "Aurora", &["aurora"]),
    (592, "Astar", &["astar-evm"]),
    (2020, "Ronin", &["ronin", "ron"]),
    (2222, "Kava EVM", &["kava-evm"]),
    (9001, "Evmos", &["evmos-evm"]),
    (122, "Fuse", &["fuse"]),
    (11_155_111, "Sepolia", &["sepolia"]),
];

/// EVM chains for trying things out. Source: as above.
pub(super) const EVM_TESTS: &[u64] =
    &[3, 4, 5, 31, 51, 97, 17_000, 43_113, 80_001, 80_002, 84_532, 421_614, 11_155_111, 11_155_420, 1_666_700_000];

/// Chains that are named in real data and not read yet: the name, then its aliases.
#[rustfmt::skip]
pub(super) const NOT_YET: &[&[&str]] = &[
    &["casper", "cspr"], &["chia", "xch"], &["decred", "dcr"],
    &["flow"], &["icp", "internet-computer"], &["iota"], &["kadena", "kda"], &["komodo", "kmd"],
    &["mina"], &["namecoin", "nmc"], &["neo"], &["ontology", "ont"],
    &["peercoin", "ppc"], &["qtum"], &["theta"], &["verge", "xvg"], &["vertcoin", "vtc"],
    &["zencash", "zen", "horizen"], &["zilliqa", "zil"],
];

/// Tokens that real data puts where a chain belongs. ARB and OP are among them: those chains' native asset is ETH.
pub(super) const TOKENS: &[&str] =
    &["arb", "busd", "dai", "link", "op", "shib", "tusd", "usdc", "usdt", "wbtc", "weth"];
