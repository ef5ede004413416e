//! Indicators that are no addresses: every spelling leads to one form, and what is wrong is refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

use entente_protocol::indicator::{Examined, Indicator, IndicatorError, Kind, examine, examine_as};
use proptest::prelude::*;

const DAI: &str = "0x6b175474e89094c44da98b954eedeac495271d0f";
const TX: &str = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b";
const BITCOIN: &str = "bip122:000000000019d6689c085ae165831e93";

fn read(text: &str) -> String {
    match Indicator::parse(text) {
        Ok(indicator) => indicator.to_string(),
        Err(error) => panic!("{text}: {error}"),
    }
}

#[test]
fn every_spelling_leads_to_one_form() {
    let all: &[(&str, &str)] = &[
        ("domain:EVIL.Example.", "domain:evil.example"),
        ("evil[.]example", "domain:evil.example"),
        ("*.evil.example", "domain:evil.example"),
        ("hxxps://Evil[.]Example:443/a/../b?q=1#x", "url:https://evil.example/b?q=1#x"),
        ("url:evil.example/login", "url:https://evil.example/login"),
        ("198.51.100[.]3", "ip:198.51.100.3"),
        ("ip:198.51.100.3:8080", "ip:198.51.100.3"),
        ("::ffff:198.51.100.3", "ip:198.51.100.3"),
        ("2001:DB8:0:0::1", "ip:2001:db8::1"),
        ("223.166.1.2/15", "ip:223.166.0.0/15"),
        ("Help.Desk@EVIL.example", "email:help.desk@evil.example"),
        ("help[at]evil[.]example", "email:help@evil.example"),
        ("mailto:help@evil.example?subject=x", "email:help@evil.example"),
        ("+44 (0)20 7946-0018", "phone:+442079460018"),
        ("tel:0044 20 7946 0018", "phone:+442079460018"),
        ("telegram:@HelpDesk", "handle:telegram:helpdesk"),
        ("https://t.me/HelpDesk", "handle:telegram:helpdesk"),
        ("https://www.instagram.com/help.desk/", "handle:instagram:help.desk"),
        ("handle:whatsapp:44 20 7946 0018".replace(' ', "").leak(), "handle:whatsapp:+442079460018"),
        ("gb33 bukb 2020 1555 5555 55", "bank-account:GB33BUKB20201555555555"),
        ("iban:GB33BUKB20201555555555", "bank-account:GB33BUKB20201555555555"),
        ("bank-account:us:021000021-1234567", "bank-account:US:021000021-1234567"),
        ("exchange-account:Binance:123456789", "exchange-account:binance:123456789"),
        ("md5:D41D8CD98F00B204E9800998ECF8427E", "file-hash:md5:d41d8cd98f00b204e9800998ecf8427e"),
        ("file-hash:d41d8cd98f00b204e9800998ecf8427e", "file-hash:md5:d41d8cd98f00b204e9800998ecf8427e"),
        ("https://play.google.com/store/apps/details?id=com.x.Y", "app:google-play:com.x.Y"),
        ("https://apps.apple.com/gb/app/x/id123456789", "app:app-store:123456789"),
        (
            "pdq:F8F8F0CEE0F4A84F06370A22038F63F0B36E2ED596621E1D33E6B39C4E9C9B22",
            "media-fingerprint:pdq:f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22",
        ),
    ];
    for (text, expected) in all {
        assert_eq!(read(text), *expected, "{text}");
        assert_eq!(read(expected), *expected, "what is written reads back");
    }
}

#[test]
fn what_is_on_a_chain_names_it() {
    let bitcoin = format!("transaction:{BITCOIN}:{TX}");
    assert_eq!(read(&format!("tx:bitcoin:{}", TX.to_uppercase())), bitcoin);
    assert_eq!(read(&format!("https://mempool.space/tx/{TX}")), bitcoin);
    assert_eq!(read(&format!("tx:eth:{TX}")), format!("transaction:eip155:1:0x{TX}"));
    assert_eq!(read(&format!("https://etherscan.io/tx/0x{TX}")), format!("transaction:eip155:1:0x{TX}"));
    let token = format!("token:eip155:1/erc20:{DAI}");
    assert_eq!(read(&format!("eip155:1/erc20:{}", DAI.to_uppercase().replace('X', "x"))), token);
    assert_eq!(read(&format!("token:ethereum:{DAI}")), token);
    assert_eq!(read(&format!("nft:eip155:1/erc721:{DAI}/7")), format!("token:eip155:1/erc721:{DAI}/7"));
    // A lookup of a token, of its contract, and of the contract's account elsewhere finds the same.
    let key = |text: &str| Indicator::parse(text).unwrap().lookup_key();
    assert_eq!(key(&token), key(&format!("eip155:1:{DAI}")));
    assert_eq!(key(&token), key(&format!("eip155:137:{DAI}")));
    assert_ne!(key(&token), key(&bitcoin));
    let chain = Indicator::parse(&token).unwrap().chain().unwrap();
    assert_eq!(
        (chain.caip2().as_str(), Indicator::parse(&bitcoin).unwrap().chain().unwrap().name().as_str()),
        ("eip155:1", "Bitcoin")
    );
}

#[test]
fn a_name_that_imitates_another_is_told() {
    let told = |text: &str| examine(text).changed.join("; ");
    assert!(told("раураl.com").contains("HOMOGRAPH: it looks like paypal.com"), "{}", told("раураl.com"));
    assert_eq!(read("раураl.com"), read("xn--l-7sba6dbr.com"));
    assert!(told("https://xn--80ak6aa92e.com/").contains("HOMOGRAPH: it looks like apple.com"));
    assert!(told("bücher.example").contains("shown to people as bücher.example"));
    assert!(!told("bücher.example").contains("HOMOGRAPH"));
}

#[test]
fn what_is_wrong_is_refused_with_its_rule() {
    let all: &[(&str, &str)] = &[
        ("domain:localhost", "top-level"),
        ("domain:-a.example", "hyphens"),
        ("domain:a b.example", "hyphens"),
        ("url:javascript://x", "scheme"),
        ("ip:300.1.1.1", "neither"),
        ("ip:10.0.0.0/40", "bits"),
        ("email:a@b", "top-level"),
        ("email:a..b@evil.example", "dots"),
        ("phone:020 7946 0018", "+"),
        ("phone:+999 12345678", "country"),
        ("phone:+44 1", "digits"),
        ("handle:helpdesk", "platform:name"),
        ("iban:GB34BUKB20201555555555", "IBAN"),
        ("iban:GB33BUKB2020155555555", "IBAN"),
        ("sha256:abcd", "64"),
        ("file-hash:zz", "hexadecimal"),
        ("app:x", "store:id"),
        ("phash:abcd", "16"),
        ("token:eip155:1/slip44:60", "native coin"),
        ("tx:bitcoin:abcd", "64"),
        ("tx:4a5e", "chain:hash"),
    ];
    for (text, rule) in all {
        let error = Indicator::parse(text).unwrap_err().to_string();
        assert!(error.contains(rule), "{text}: {error}");
    }
    // What may open a wallet is one whatever else it could be.
    for secret in [TX, "5Kd3NBUAdUnhyzenEwVLy9pBKxSwXvE9FMPyR4UKZvpe6E3AgLr", &"abandon ".repeat(12)] {
        assert!(Indicator::parse(secret).unwrap_err().is_secret(), "{secret}");
    }
}

#[test]
fn a_text_that_may_be_several_things_is_all_of_them() {
    let several = |text: &str| -> Vec<String> {
        let Examined { readings, named, .. } = examine(text);
        assert!(!named);
        readings.into_iter().map(|reading| reading.indicator.to_string()).collect()
    };
    let legacy = several("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa");
    assert!(legacy.len() > 1 && legacy[0].starts_with(BITCOIN), "{legacy:?}");
    assert!(matches!(Indicator::parse("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"), Err(IndicatorError::Address(_))));
    assert!(!examine("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa").is_one() && examine(DAI).is_one());
    let page = several("https://evil.example/pay/TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t");
    assert_eq!(page.len(), 2, "the address and the page: {page:?}");
    assert_eq!(several("https://tronscan.org/#/address/TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t").len(), 1);
}

#[test]
fn what_is_known_beside_a_text_is_used() {
    let as_kind = |text: &str, kind| examine_as(text, Some(kind), None).readings.remove(0).indicator.to_string();
    assert_eq!(as_kind("Evil.example", Kind::Domain), "domain:evil.example");
    assert_eq!(as_kind("domain:evil.example", Kind::Domain), "domain:evil.example");
    let bitcoin = [entente_protocol::address::Chain::parse("bitcoin").unwrap()];
    let found = examine_as(TX, Some(Kind::Transaction), Some(&bitcoin)).readings.remove(0).indicator;
    assert_eq!(found.to_string(), format!("transaction:{BITCOIN}:{TX}"));
}

/// Check digits of an IBAN (ISO 7064, MOD 97-10).
fn iban(country: &str, account: &str) -> String {
    let number = format!("{account}{country}00");
    let value = number.chars().fold(0_u32, |rest, found| {
        let digit = found.to_digit(36).unwrap();
        (rest * if digit > 9 { 100 } else { 10 } + digit) % 97
    });
    format!("{country}{:02}{account}", 98 - value)
}

proptest! {
    #[test]
    fn what_is_read_is_written_so_that_it_reads(text in "\\PC{0,60}") {
        for reading in examine(&text).readings {
            let written = reading.indicator.to_string();
            prop_assert_eq!(Indicator::parse(&written), Ok(reading.indicator), "{}", written);
        }
    }

    #[test]
    fn names_have_one_form(label in "[a-z0-9]{1,20}", top in "[a-z]{2,10}", path in "[a-zA-Z0-9/%?=&.~-]{0,30}") {
        let domain = format!("{label}.{top}");
        for (kind, text) in [(Kind::Domain, domain.clone()), (Kind::Url, format!("http://{domain}/{path}")),
            (Kind::Email, format!("{label}@{domain}"))] {
            let first = Indicator::parse(&format!("{kind}:{text}")).unwrap();
            prop_assert_eq!(Indicator::parse(&first.to_string()), Ok(first.clone()));
            prop_assert_eq!(Indicator::parse(&format!("{kind}:{}", text.replace('.', "[.]"))), Ok(first));
        }
    }

    /// MOD 97-10 finds every single wrong digit or letter.
    #[test]
    fn a_wrong_character_of_an_iban_is_always_found(account in "[0-9]{18}", place in 2_usize..22, by in 1_u8..10) {
        let right = iban("DE", &account);
        prop_assert!(Indicator::parse(&right).is_ok(), "{}", right);
        let mut wrong = right.into_bytes();
        wrong[place] = b'0' + (wrong[place] - b'0' + by) % 10;
        let wrong = String::from_utf8(wrong).unwrap();
        let read = examine_as(&wrong, Some(Kind::BankAccount), None);
        prop_assert!(read.refused.is_some(), "{}", wrong);
    }
}
