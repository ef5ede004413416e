//! Mistyped addresses: one character put in another's place, at every place, for every form of the vectors. What the
//! code of a form guarantees to find is always found; of the others the rate is stated.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

use std::collections::BTreeMap;

use entente_protocol::address::{Chain, examine};

const FORMS: &str = include_str!("vectors/addresses/forms.csv");

/// Chains of which some forms carry no checksum, with the share of mistyped ones that is refused at least. A name or a
/// number is another name or number; hexadecimal digits of Aptos, Sui and Starknet, and Solana's base58, say nothing of
/// themselves. All others find every wrong character: by construction up to a length (bech32, CRC), or but for one in
/// four billion (base58check and other hashes of four bytes).
const WITHOUT_CHECKSUM: &[(&str, f64)] = &[
    ("alephium", 0.0),
    ("aptos", 0.0),
    ("sui", 0.0),
    ("starknet", 0.0),
    ("near", 0.0),
    ("eos", 0.0),
    ("filecoin", 0.1),
    ("hedera", 0.1),
    ("ethereum", 0.3),
    ("xdc", 0.0),
    ("ton", 0.6),
    ("stacks", 0.9),
];

/// Another character of the same sort, as one mistypes.
fn mistyped(text: &str, at: usize, by: u8) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    let turned = |first: u8, count: u8, found: u8| first + (found - first + by) % count;
    bytes[at] = match bytes[at] {
        found @ b'0'..=b'9' => turned(b'0', 10, found),
        found @ b'a'..=b'z' => turned(b'a', 26, found),
        found @ b'A'..=b'Z' => turned(b'A', 26, found),
        _ => return None,
    };
    Some(String::from_utf8(bytes).unwrap())
}

#[test]
fn a_wrong_character_is_found_where_the_form_can_find_it() {
    let mut counts: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let mut reader = csv::Reader::from_reader(FORMS.as_bytes());
    for row in reader.records() {
        let row = row.unwrap();
        let (name, text) = (&row[0], &row[1]);
        let Ok(chain) = Chain::parse(name) else { continue };
        if examine(text, Some(&[chain])).refused.is_some() {
            continue;
        }
        let meant = &examine(text, Some(&[chain])).readings[0].address;
        let count = counts.entry(name.split('-').next().unwrap().to_owned()).or_default();
        for at in 0..text.len() {
            for by in 1..10 {
                let Some(wrong) = mistyped(text, at, by) else { continue };
                let read = examine(&wrong, Some(&[chain]));
                count.0 += 1;
                // Letter case that means nothing is no mistake.
                let noticed = read.refused.is_some() || read.readings[0].address == *meant;
                count.1 += u64::from(noticed);
            }
        }
    }
    assert!(counts.len() > 20, "{counts:?}");
    for (name, (all, found)) in counts {
        #[expect(clippy::cast_precision_loss, reason = "some thousands")]
        let rate = found as f64 / all as f64;
        let floor = WITHOUT_CHECKSUM.iter().find(|(chain, _)| *chain == name).map_or(1.0, |(_, rate)| *rate);
        println!("{name}: {found} of {all} mistyped refused");
        assert!(rate >= floor, "{name}: {found} of {all} mistyped are refused");
    }
}
