//! Addresses against the published vectors, and what must hold for every address.

use std::collections::BTreeSet;

use entente_protocol::address::{
    Address, AddressError, Chain, ChainError, Fault, MAX_CANONICAL_BYTES, MAX_INPUT_BYTES,
};
use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

const BIP173: &str = include_str!("vectors/addresses/bip173.csv");
const BIP350: &str = include_str!("vectors/addresses/bip350.csv");
const BASE58: &str = include_str!("vectors/addresses/bitcoind_base58.csv");
const EIP55: &str = include_str!("vectors/addresses/eip55.json");

/// One valid address of each form.
const ONE_OF_EACH: &[&str] = &[
    "bip122:000000000019d6689c085ae165831e93:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    "bip122:000000000019d6689c085ae165831e93:35PBEaofpUeH8VnnNSorM1QZsadrZoQp4N",
    "bip122:000000000019d6689c085ae165831e93:bc1qwz2lhc40s8ty3l5jg3plpve3y3l82x9l42q7fk",
    "bip122:000000000019d6689c085ae165831e93:bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
    "bip122:000000000933ea01ad0ee984209779ba:mzBc4XEFSdzCDcTxAgf6EZXgsZWpztRhef",
    "bip122:000000000933ea01ad0ee984209779ba:tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
    "eip155:1:0xab16a96d359ec26a11e2c2b3d8f8b8942d5bfcdb",
    "eip155:137:0xab16a96d359ec26a11e2c2b3d8f8b8942d5bfcdb",
    "polkadot:91b171bb158e2d3848fa23a9f1c25182:15rRgsWxz4H5LTnNGcCFsszfXD8oeAFd8QRsR6MbQE2f6XFF",
    "polkadot:b0a8d493285c2df73290dfb7e61f870f:HRkCrbmke2XeabJ5fxJdgXWpBRPkXWfWHY8eTeCKwDdf4k6",
    "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp:7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv",
    "tron:728126428:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
];

fn rows(text: &'static str) -> Vec<csv::StringRecord> {
    csv::Reader::from_reader(text.as_bytes()).records().map(Result::unwrap).collect()
}

fn fault(text: &str) -> Fault {
    match Address::parse(text) {
        Err(AddressError::Form { fault, .. }) => fault,
        other => panic!("{text}: {other:?}"),
    }
}

/// The chain of Bitcoin's that a segwit vector is written for.
fn bitcoin_of(text: &str) -> &'static str {
    if text.to_lowercase().starts_with("tb1") { "btc-testnet" } else { "bitcoin" }
}

#[test]
fn one_of_each_form_is_read_written_and_sent_alike() {
    for text in ONE_OF_EACH {
        let address = Address::parse(text).unwrap();
        assert_eq!(address.to_string(), *text);
        assert_eq!(address.caip10(), *text);
        let key =
            if text.starts_with("eip155") { format!("eip155:*:{}", address.canonical()) } else { (*text).to_owned() };
        assert_eq!(address.lookup_key(), key.as_bytes(), "one account on all EVM chains");
        assert_eq!(Address::from_wire(&address.chain().caip2(), address.canonical()), Ok(address.clone()));
        assert_eq!(Address::parse(&format!(" \t{text}\r\n")), Ok(address));
    }
    let addresses: BTreeSet<Address> = ONE_OF_EACH.iter().map(|text| Address::parse(text).unwrap()).collect();
    assert_eq!(addresses.len(), ONE_OF_EACH.len());
}

#[test]
fn bip_350_decides() {
    for row in rows(BIP350) {
        let text = format!("{}:{}", bitcoin_of(&row[0]), &row[0]);
        if row[1].is_empty() {
            assert_eq!(Address::parse(&text).unwrap().canonical(), row[0].to_lowercase());
        } else {
            assert_eq!(format!("{:?}", fault(&text)), row[1], "{text}");
        }
    }
}

#[test]
fn bip_173_holds_for_witness_version_0_alone() {
    let mut valid = 0;
    for row in rows(BIP173) {
        let text = format!("{}:{}", bitcoin_of(&row[2]), &row[2]);
        let version_0 = row[2].to_lowercase()[2..].starts_with("1q");
        match Address::parse(&text) {
            Ok(_) => {
                assert_eq!((&row[3], version_0), ("valid", true), "{text}");
                valid += 1;
            }
            Err(AddressError::Form { fault: Fault::ChecksumKind { .. }, .. }) => assert!(!version_0, "{text}"),
            Err(_) => assert_eq!(&row[3], "invalid", "{text}"),
        }
    }
    assert_eq!(valid, 3);
}

#[test]
fn bitcoin_cores_base58_vectors_are_read_on_their_network_alone() {
    let mut count = [0; 3];
    for row in rows(BASE58) {
        let (right, wrong) = if &row[2] == "test" { ("btc-testnet", "bitcoin") } else { ("bitcoin", "btc-testnet") };
        match &row[1] {
            "pubkey" | "script" => {
                let address = Address::parse(&format!("{right}:{}", &row[0])).unwrap();
                assert_eq!(address.canonical(), &row[0]);
                let other = Chain::parse(right).unwrap();
                assert_eq!(fault(&format!("{wrong}:{}", &row[0])), Fault::OtherChain { other });
                count[0] += 1;
            }
            "private" => {
                for chain in [right, wrong] {
                    assert_eq!(Address::parse(&format!("{chain}:{}", &row[0])), Err(AddressError::PrivateKey));
                }
                count[1] += 1;
            }
            _ => {
                assert!(Address::parse(&format!("bitcoin:{}", &row[0])).is_err());
                assert!(Address::parse(&format!("btc-testnet:{}", &row[0])).is_err());
                count[2] += 1;
            }
        }
    }
    assert_eq!((count.iter().sum::<i32>(), count[2]), (100, 50));
    assert!(count[0] > 20 && count[1] > 20, "{count:?}");
}

#[test]
fn eip_55_is_required_of_mixed_case_alone() {
    let vectors: Vec<String> = serde_json::from_str(EIP55).unwrap();
    assert_eq!(vectors.len(), 8);
    for text in vectors {
        let digits = &text[2..];
        let address = Address::parse(&format!("ethereum:{text}")).unwrap();
        assert_eq!(address.canonical(), text.to_lowercase());
        for same in [digits.to_owned(), digits.to_lowercase(), format!("0X{}", digits.to_uppercase())] {
            assert_eq!(Address::parse(&format!("eth:{same}")), Ok(address.clone()));
        }
        for (index, _) in digits.char_indices().filter(|(_, digit)| digit.is_ascii_alphabetic()) {
            let mut flipped = digits.as_bytes().to_vec();
            flipped[index] ^= 0x20;
            let flipped = String::from_utf8(flipped).unwrap();
            if flipped != flipped.to_lowercase() && flipped != flipped.to_uppercase() {
                assert_eq!(fault(&format!("eth:0x{flipped}")), Fault::Checksum);
            }
        }
    }
}

#[test]
fn tron_is_read_in_base58_and_hexadecimal() {
    let address = Address::parse("tron:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t").unwrap();
    for same in [
        "trx:41a614f803b6fd780986a42c78ec9c7f77e6ded13c",
        "tron:728126428:41A614F803B6FD780986A42C78EC9C7F77E6DED13C",
        "tron:0x2b6653dc:0x41a614f803b6fd780986a42c78ec9c7f77e6ded13c",
    ] {
        assert_eq!(Address::parse(same), Ok(address.clone()));
    }
    assert_eq!(fault("tron:TNPeeaaFB7K9cmo4uQpcU32zGK8G1NYqe1"), Fault::Checksum);
    assert_eq!(fault("tron:TNPeeaaFB7K9cmo4uQpcU32zGK8G1NYq"), Fault::Checksum);
    let ethereum = Chain::parse("ethereum").unwrap();
    assert_eq!(fault("tron:0xa614f803b6fd780986a42c78ec9c7f77e6ded13c"), Fault::OtherChain { other: ethereum });
    let from_wire = Address::from_wire("tron:728126428", "41a614f803b6fd780986a42c78ec9c7f77e6ded13c");
    assert_eq!(from_wire, Err(AddressError::NotCanonical { chain: address.chain() }));
}

#[test]
fn solana_needs_32_bytes() {
    assert!(Address::parse("solana:11111111111111111111111111111111").is_ok());
    assert!(Address::parse("sol:8vmfpC295wnxH7mnPw3GpfvD9mCCdJBj81mPfe9PL9Wi").is_ok());
    let length = |found| Fault::Length { unit: "bytes", found, expected: "32" };
    assert_eq!(fault("solana:1111111111111111111111111111111"), length(31));
    assert_eq!(fault("solana:111111111111111111111111111111111"), length(33));
    assert_eq!(
        fault("solana:8vmfpC295wnxH7mnPw3GpfvD9mCCdJBj81mPfe9PL9Wil"),
        Fault::Character { position: 45, found: 'l' }
    );
}

#[test]
fn ss58_tells_the_network_that_an_address_belongs_to() {
    let chain = |name| Chain::parse(name).unwrap();
    let polkadot = "15rRgsWxz4H5LTnNGcCFsszfXD8oeAFd8QRsR6MbQE2f6XFF";
    let kusama = "HRkCrbmke2XeabJ5fxJdgXWpBRPkXWfWHY8eTeCKwDdf4k6";
    assert_eq!(fault(&format!("kusama:{polkadot}")), Fault::OtherChain { other: chain("polkadot") });
    assert_eq!(fault(&format!("dot:{kusama}")), Fault::OtherChain { other: chain("kusama") });
    for (text, name) in [
        ("4smVWa6Hb7WhGh9zgqdAE86p5eZyj8BQJ9Uro4o2zidBnmfX", "kilt"),
        ("t9hkorC4PGtaw25WsESu684h6HA5dHndvrvLZW174nZM5MR", "karura"),
        ("cTMC4XwPfBn3bz8kFaVTjaWdkQi6agzMxS11e8hpPHhqLrhGs", "crust"),
    ] {
        assert_eq!(fault(&format!("polkadot:{text}")), Fault::OtherChain { other: chain(name) });
    }
    let bifrost = "cXifbFZLTuzJiCRAzTHvhQY1Z9rqLUCWeJb1kdWcMDoEcEL";
    let told = Address::parse(&format!("polkadot:{bifrost}"));
    assert!(matches!(told, Err(AddressError::Form { .. })), "{told:?}");
    assert_eq!(fault("polkadot:15rRgsWxz4H5LTnNGcCFsszfXD8oeAFd8QRsR6MbQE2f6XFG"), Fault::Checksum);
    assert_eq!(fault("polkadot:F7Hs"), Fault::Length { unit: "bytes", found: 3, expected: "35 or 36" });
}

#[test]
fn the_form_of_one_chain_under_the_name_of_another_is_told() {
    let other = Chain::parse("tron").unwrap();
    assert_eq!(fault("bitcoin:TUCsTq7TofTCJRRoHk6RvhMoS2mJLm5Yzq"), Fault::OtherChain { other });
    let message = Address::parse("bitcoin:TUCsTq7TofTCJRRoHk6RvhMoS2mJLm5Yzq").unwrap_err().to_string();
    assert_eq!(message, "not an address on Bitcoin: it is an address on TRON");
    let other = Chain::parse("bitcoin").unwrap();
    assert_eq!(fault("eip155:56:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"), Fault::OtherChain { other });
}

#[test]
fn what_is_no_address_has_its_own_error() {
    let long = "1".repeat(MAX_INPUT_BYTES + 1);
    assert_eq!(Address::parse(" \n"), Err(AddressError::Empty));
    assert_eq!(Address::parse(&long), Err(AddressError::TooLong { bytes: MAX_INPUT_BYTES + 1 }));
    assert_eq!(Address::parse("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"), Err(AddressError::NoChain));
    assert_eq!(fault("bitcoin:"), Fault::Empty);
    let chain = |text| match Address::parse(text) {
        Err(AddressError::Chain(error)) => error,
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(chain("XVG:D6xm3tSyo3XDfkxxYG7oZJk5kDx4zEbKqr"), ChainError::Unsupported { chain: "verge" });
    assert_eq!(chain("USDT:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"), ChainError::Token { ticker: "usdt" });
    assert_eq!(chain("mychain:abc"), ChainError::Unknown { chain: "mychain".into() });
    assert_eq!(chain("cosmos:cosmoshub-9:cosmos1abc"), ChainError::Unknown { chain: "cosmos:cosmoshub-9".into() });
    assert_eq!(chain("a:b:c:d"), ChainError::Syntax);
    assert_eq!(fault("eth:0xab16a96d359ec26a11e2c2b3d8f8b8942d5bfcdg"), Fault::Character { position: 42, found: 'g' });
    let length = Fault::Length { unit: "hexadecimal digits", found: 39, expected: "40" };
    assert_eq!(fault("eth:0xab16a96d359ec26a11e2c2b3d8f8b8942d5bfcd"), length);
    assert_eq!(fault("btc:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNé"), Fault::Character { position: 34, found: 'é' });
}

#[test]
fn no_error_repeats_more_than_a_chain_or_one_character() {
    let secret = "correct horse battery staple correct horse battery staple";
    for text in [secret.to_owned(), format!("{secret}:x"), format!("bitcoin:{secret}"), format!("eth:{secret}")] {
        let message = Address::parse(&text).unwrap_err().to_string();
        assert!(!message.contains("horse"), "{message}");
    }
}

#[test]
fn a_partner_must_send_the_canonical_form() {
    let not_canonical = [
        ("eip155:1", "0xAB16A96D359EC26A11E2C2B3D8F8B8942D5BFCDB"),
        ("eip155:1", "ab16a96d359ec26a11e2c2b3d8f8b8942d5bfcdb"),
        ("bip122:000000000019d6689c085ae165831e93", "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4"),
    ];
    for (chain, canonical) in not_canonical {
        let refused = Address::from_wire(chain, canonical);
        assert_eq!(refused, Err(AddressError::NotCanonical { chain: Chain::parse(chain).unwrap() }));
    }
    let address = "0xab16a96d359ec26a11e2c2b3d8f8b8942d5bfcdb";
    assert!(matches!(Address::from_wire("eip155:1", &format!(" {address}")), Err(AddressError::Form { .. })));
    let muxed =
        Address::from_wire("stellar:pubnet", "MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUAAAAAAAAAAAACJUQ");
    assert!(matches!(muxed, Err(AddressError::NotCanonical { .. })));
    let unknown = ChainError::Unknown { chain: "sui:future".into() };
    assert_eq!(Address::from_wire("sui:future", address), Err(AddressError::Chain(unknown)));
    assert_eq!(Address::from_wire("ethereum", address), Err(AddressError::Chain(ChainError::Syntax)));
    let long = "1".repeat(MAX_CANONICAL_BYTES + 1);
    assert_eq!(Address::from_wire("eip155:1", &long), Err(AddressError::TooLong { bytes: MAX_CANONICAL_BYTES + 1 }));
}

/// Every text that differs from `text` in one character of `alphabet`.
fn one_character_off<'a>(text: &'a str, alphabet: &'a str) -> impl Iterator<Item = String> + 'a {
    let replace = move |index: usize| {
        let others = alphabet.chars().filter(move |other| !text[index..].starts_with(*other));
        others.map(move |other| format!("{}{other}{}", &text[..index], &text[index + 1..]))
    };
    (0..text.len()).flat_map(replace)
}

#[test]
fn a_changed_character_is_refused_where_the_form_has_a_checksum() {
    let base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let bech32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    for text in ONE_OF_EACH.iter().filter(|text| !text.starts_with("eip155") && !text.starts_with("solana")) {
        let address = Address::parse(text).unwrap();
        let segwit = address.canonical().starts_with("bc1") || address.canonical().starts_with("tb1");
        let alphabet = if segwit { bech32 } else { base58 };
        for changed in one_character_off(address.canonical(), alphabet) {
            assert!(Address::on(address.chain(), &changed).is_err(), "{changed}");
        }
    }
}

proptest! {
    #[test]
    fn the_canonical_form_reads_back_as_itself(bytes: [u8; 32], number in 1_u64..1 << 40, kind in 0..6) {
        let text = match kind {
            0 => format!("bitcoin:{}", bs58::encode([&[0], &bytes[..20]].concat()).with_check().into_string()),
            1 => format!("btc-testnet:{}", bs58::encode([&[196], &bytes[..20]].concat()).with_check().into_string()),
            2 => format!("bitcoin:{}", bech32::segwit::encode_v1(bech32::hrp::BC, &bytes).unwrap().to_uppercase()),
            3 => format!("eip155:{number}:0x{}", hex::encode_upper(&bytes[..20])),
            4 => format!("tron:41{}", hex::encode(&bytes[..20])),
            _ => format!("solana:{}", bs58::encode(bytes).into_string()),
        };
        let address = Address::parse(&text).unwrap();
        prop_assert_eq!(Address::parse(&address.caip10()), Ok(address.clone()));
        prop_assert_eq!(Address::from_wire(&address.chain().caip2(), address.canonical()), Ok(address.clone()));
        prop_assert!(address.canonical().len() <= MAX_CANONICAL_BYTES);
    }

    #[test]
    fn no_text_makes_it_panic(text in prop::string::string_regex("(?s).{0,300}").unwrap(), chain in 0..8_usize) {
        let chains = ["bitcoin", "btc-testnet", "eth", "tron", "solana", "polkadot", "kusama", "eip155:5"];
        let _ = Address::parse(&text);
        let _ = Address::parse(&format!("{}:{text}", chains[chain]));
        let _ = Address::from_wire(&text, &text);
    }

    #[test]
    fn no_base58_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..60), chain in 0..5_usize) {
        let chain = ["bitcoin", "btc-testnet", "tron", "solana", "polkadot"][chain];
        let _ = Address::parse(&format!("{chain}:{}", bs58::encode(&bytes).into_string()));
        let _ = Address::parse(&format!("{chain}:{}", bs58::encode(&bytes).with_check().into_string()));
    }
}
