//! What wallets, explorers and files show, on every chain that is read: all spellings of an account lead to one.

use entente_protocol::address::{
    Address, AddressError, Chain, ChainError, Examined, Fault, Reading, SubAccount, examine,
};
use proptest::prelude::{prop, prop_assert, proptest};
use serde_json::Value;

const FORMS: &str = include_str!("vectors/addresses/forms.csv");
const XRP: &str = include_str!("vectors/addresses/xrp_xaddress.json");
const BCH: &str = include_str!("vectors/addresses/bch_formats.json");
const VALIDATOR: &str = include_str!("vectors/addresses/wallet_address_validator.csv");
const CAIP10: &str = include_str!("vectors/addresses/caip10.txt");

fn rows(text: &'static str) -> Vec<csv::StringRecord> {
    csv::Reader::from_reader(text.as_bytes()).records().map(Result::unwrap).collect()
}

/// What a text says on a chain, whose test networks are tried too.
fn on(chain: &str, text: &str) -> Examined {
    examine(text, Some(&Chain::parse(chain).expect("a chain").networks()))
}

fn only(examined: &Examined) -> Reading {
    let Ok([only]) = <[Reading; 1]>::try_from(examined.readings.clone()) else { panic!("{examined:?}") };
    only
}

fn chains(text: &str) -> Vec<String> {
    examine(text, None).readings.iter().map(|reading| reading.address.chain().name()).collect()
}

#[test]
fn every_form_leads_to_its_account() {
    for row in rows(FORMS) {
        let reading = only(&on(&row[0], &row[1]));
        assert_eq!((reading.address.canonical(), reading.form), (&row[2], &row[3]), "{row:?}");
        let sub = reading.sub_account.map(|sub| format!("{} {sub}", sub.kind())).unwrap_or_default();
        assert_eq!(sub, row[4], "{row:?}");
        let address = reading.address;
        assert_eq!(Address::parse(&address.caip10()), Ok(address.clone()));
        assert_eq!(Address::from_wire(&address.chain().caip2(), address.canonical()), Ok(address.clone()));
        let permitted = |found: char| found.is_ascii_alphanumeric() || "-.%:_".contains(found);
        assert!(address.caip10().chars().all(permitted), "{address}");
    }
}

#[test]
fn what_the_text_itself_tells_needs_no_chain() {
    // Names, and what is a private key of most chains, are told only on the chain that is named.
    let untold = ["eosio.token", "0x1", "98793cd91a3f870fb126f66285808c7e094afcfc4eda8a970f6648cdf0dbd6de"];
    for row in rows(FORMS).iter().filter(|row| !untold.contains(&&row[1]) && &row[0] != "vechain") {
        let chain = Chain::parse(&row[0]).unwrap();
        let examined = examine(&row[1], None);
        let fits = |reading: &Reading| chain.networks().contains(&reading.address.chain());
        assert!(examined.readings.iter().any(fits), "{row:?}: {examined:?}");
    }
    assert_eq!(chains("bc1qwz2lhc40s8ty3l5jg3plpve3y3l82x9l42q7fk"), ["Bitcoin"]);
    assert_eq!(chains("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"), ["Bitcoin", "Bitcoin Cash", "Bitcoin SV"]);
    assert_eq!(chains("D9TDZTR9Z9Mx2NoDJnhqhnYhDLKRAmsL9n"), ["Dogecoin", "DigiByte"]);
    assert_eq!(chains("0xab16a96d359ec26a11e2c2b3d8f8b8942d5bfcdb")[..2], ["Ethereum", "BNB Smart Chain"]);
    assert!(chains("USDT").is_empty() && chains("hello").is_empty() && chains("").is_empty());
}

#[test]
fn x_addresses_are_accounts_with_tags() {
    let vectors: Vec<Value> = serde_json::from_str(XRP).unwrap();
    assert_eq!(vectors.len(), 22);
    for vector in vectors {
        let account = vector["address"].as_str().unwrap();
        let tag = vector["tag"].as_u64().map(|tag| SubAccount::DestinationTag(tag.try_into().unwrap()));
        for (form, test) in [("x_main", false), ("x_test", true)] {
            let reading = only(&on("xrp", vector[form].as_str().unwrap()));
            assert_eq!((reading.address.canonical(), &reading.sub_account), (account, &tag));
            assert_eq!(reading.address.chain().is_test(), test);
        }
        assert_eq!(only(&on("xrp", account)).sub_account, None);
    }
}

#[test]
fn bitcoin_cash_has_three_forms_of_one_account() {
    let vectors: Value = serde_json::from_str(BCH).unwrap();
    let list =
        |name: &str| vectors[name].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect::<Vec<_>>();
    for network in ["MAINNET", "TESTNET"] {
        for kind in ["P2PKH", "P2SH"] {
            let name = |form: &str| format!("{form}_{network}_{kind}_ADDRESSES");
            for (legacy, cashaddr) in list(&name("LEGACY")).into_iter().zip(list(&name("CASHADDR"))) {
                let bare = cashaddr.split_once(':').unwrap().1;
                for text in [legacy, cashaddr, bare, &bare.to_uppercase()] {
                    let reading = only(&on("bch", text));
                    assert_eq!(reading.address.canonical(), bare, "{text}");
                    assert_eq!(reading.address.chain().is_test(), network == "TESTNET");
                }
            }
        }
    }
}

/// Where the validator is wrong, or asks for what is not read here, and why.
const DISPUTED: [(&str, &str); 6] = [
    ("bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7k7grplx", "bech32 for version 1: BIP-350"),
    ("BC1SW50QA3JX3S", "bech32 for version 16: BIP-350"),
    ("bc1zw508d6qejxtdg4y5r3zarvaryvg6kdaj", "bech32 for version 2: BIP-350"),
    ("mvww6DEJ18dbyQUukpVQXvLgrNDJazZn1Y", "Bitcoin Gold's testnet is not read"),
    ("mn3mdEE6cf1snxVsknNz4GRTdSrWXqYp7c", "Bitcoin Gold's testnet is not read"),
    ("0XD1220A0CF47C7B9BE7A2E6BA89F429762E7B9ADB", "all upper case carries no checksum: EIP-55"),
];

#[test]
fn an_independent_validator_agrees() {
    let (mut agreed, mut disputed, mut not_read) = (0, 0, 0);
    for row in rows(VALIDATOR) {
        let (currency, text, valid) = (&row[1], &row[4], &row[5] == "valid");
        let currency = if currency.is_empty() || currency == "testnet" { "bitcoin" } else { currency };
        let Ok(chain) = Chain::parse(currency) else {
            not_read += 1;
            continue;
        };
        if DISPUTED.iter().any(|(other, _)| *other == text) {
            disputed += 1;
            continue;
        }
        assert_eq!(!examine(text, Some(&chain.networks())).readings.is_empty(), valid, "{row:?}");
        agreed += 1;
    }
    assert_eq!((agreed, disputed, not_read), (136, 6, 148));
}

/// Examples of CAIP namespaces that their own specifications refuse, and why.
const WRONG: [(&str, &str); 2] = [
    ("bc1pmzfrwwndsqmk5yh69yjr5lfgfg4ev8c0tsc06e", "its checksum is bech32's, and wrong as bech32m: BIP-350"),
    ("MCEZWKCA5VLDNRLN3RPRJMRZOX3Z6G5CHCGSNFHEYVXM3XOJMAAAAAAAAAAAJLKA", "64 characters, where SEP-23 has 69"),
];

#[test]
fn examples_of_caip_10_are_read() {
    let mut read = 0;
    for line in CAIP10.lines() {
        match Address::parse(line) {
            Ok(address) => {
                // A group of Alephium is a shard of one chain: the identity names any group.
                let chain = address.chain().caip2().replace("alephium:-1_", "");
                assert!(line.to_lowercase().contains(&chain.to_lowercase()), "{line}: {chain}");
                read += 1;
            }
            // Private networks: whoever runs one knows what an account on it is, and nobody else can look it up.
            Err(AddressError::Chain(ChainError::Unknown { chain })) => {
                assert!(["conflux:net2024", "conflux:net202408", "waves:-07"].contains(&&*chain), "{line}");
            }
            Err(error) => assert!(WRONG.iter().any(|(wrong, _)| line.ends_with(wrong)), "{line}: {error}"),
        }
    }
    assert_eq!(read, 44);
    for (text, canonical) in [
        (
            "cosmos:cosmoshub-3:cosmos1t2uflqwqe0fsj0shcfkrvpukewcw40yjj6hdc0",
            "cosmos1t2uflqwqe0fsj0shcfkrvpukewcw40yjj6hdc0",
        ),
        ("0xab16a96d359ec26a11e2c2b3d8f8b8942d5bfcdb@eip155:1", "0xab16a96d359ec26a11e2c2b3d8f8b8942d5bfcdb"),
        ("eip155:1:0xab16a96D359eC26a11e2C2b3d8f8B8942d5Bfcdb", "0xab16a96d359ec26a11e2c2b3d8f8b8942d5bfcdb"),
    ] {
        assert_eq!(Address::parse(text).unwrap().canonical(), canonical);
    }
    // CAIP-10's own example of Kusama is written in lower case, in which no checksum of SS58 can hold.
    let kusama = "polkadot:b0a8d493285c2df73290dfb7e61f870f:5hmuyxw9xdgbpptgypokw4thfyoe3ryenebr381z9iaegmfy";
    assert!(Address::parse(kusama).is_err());
}

#[test]
fn secrets_are_refused_and_not_repeated() {
    for secret in [
        "5Kd3NBUAdUnhyzenEwVLy9pBKxSwXvE9FMPyR4UKZvpe6E3AgLr",
        "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi",
        "SAV76USXIJOBMEQXPANUOQM6F5LIOTLPDIDVRJBFFE2MDJXG24TAPUU7",
        "snoPBrXtMeMyMHUVTgbuqAfg1SUTb",
        "6PRVWUbkzzsbcVac2qwfssoUJAN1Xhrg6bNk8J7Nzm5H7kxEbn2Nh2ZoGg",
        "S6c56bnXQiBjk9mqSYE7ykVQ7NzrRy",
        "edsk3gUfUPyBSfrS9CCgmCiQsTCHGkviBDusMxDJstFtojtc1zcpsh",
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about",
        "1. abandon 2. ability 3. able 4. about 5. above 6. absent 7. absorb 8. abstract 9. absurd 10. abuse 11. access 12. acid",
        "e9873d79c6d87dc0fb6a5778633389f4453213303da61f20bd67fc233aa33262",
    ] {
        for among in [None, Some(vec![Chain::parse("bitcoin").unwrap()])] {
            let examined = examine(secret, among.as_deref());
            let refused = examined.refused.unwrap();
            assert!(refused.is_secret() || among.is_some() && secret.len() == 64, "{secret}: {refused:?}");
            assert!(examined.readings.is_empty() && !refused.to_string().contains(&secret[..8]), "{refused}");
        }
    }
    let ethereum = [Chain::parse("ethereum").unwrap()];
    let key = "0xe9873d79c6d87dc0fb6a5778633389f4453213303da61f20bd67fc233aa33262";
    assert!(examine(key, Some(&ethereum)).refused.unwrap().is_secret());
}

#[test]
fn what_was_done_to_a_text_is_told() {
    let changed = |text: &str| examine(text, None).changed;
    assert!(changed("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa").is_empty());
    assert_eq!(changed(" 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa\t"), ["spaces around it were removed"]);
    assert_eq!(changed("\u{200b}1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"), ["invisible characters were removed"]);
    assert_eq!(changed("BC1QWZ2LHC40S8TY3L5JG3PLPVE3Y3L82X9L42Q7FK"), ["written in lower case"]);
    // A letter of another alphabet is no debris: it is told where it stands.
    let cyrillic = on("bitcoin", "1А1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa").refused.unwrap();
    assert!(matches!(cyrillic, AddressError::Form { fault: Fault::Character { position: 2, found: 'А' }, .. }));
    let token = examine("USDT:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", None).refused;
    assert_eq!(token, Some(AddressError::Chain(ChainError::Token { ticker: "usdt" })));
}

#[test]
fn a_changed_character_is_refused_where_the_form_guarantees_it() {
    // Forms whose code finds every single error; the rest have short checksums or none.
    let sure = ["addr1", "stake1", "zs1", "u1", "bnb1", "cosmos1", "bitcoincash:", "kaspa:", "tex1", "one1"];
    let base58 = ["Byron", "P2PKH", "P2SH", "classic", "standard", "integrated", "subaddress"];
    let letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    for row in rows(FORMS) {
        let by_code = sure.iter().any(|start| row[1].starts_with(start));
        if !by_code && !base58.contains(&&row[3]) || row[1].contains(['?', '“', '"', '/']) {
            continue;
        }
        let alphabet = if by_code { letters } else { digits };
        let start = row[1].rfind(':').map_or(0, |colon| colon + 1);
        if row[4].starts_with("destination") || &row[0] == "alephium" {
            continue;
        }
        for at in start..row[1].len() {
            let other = alphabet.chars().find(|other| !row[1][at..].starts_with(*other)).unwrap();
            let changed = format!("{}{other}{}", &row[1][..at], &row[1][at + 1..]);
            let examined = on(&row[0], &changed);
            assert!(examined.readings.is_empty(), "{changed}: {examined:?}");
        }
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in prop::string::string_regex("(?s).{0,120}").unwrap(), at in 0..60_usize) {
        let all: Vec<String> = rows(FORMS).iter().map(|row| row[1].to_owned()).collect();
        let known = &all[at % all.len()];
        let cut = known.chars().take(text.len() % 40).collect::<String>();
        for text in [text.clone(), format!("{cut}{text}"), format!("{text}{known}"), format!("{known}{text}")] {
            let examined = examine(&text, None);
            prop_assert!(examined.readings.is_empty() == examined.refused.is_some());
            for row in rows(FORMS) {
                let _ = on(&row[0], &text);
            }
        }
    }
}
