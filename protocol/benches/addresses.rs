//! How many addresses are read a second, on the chain that is named, and among all chains.
//!
//! `cargo bench --workspace --bench addresses`. One core; the vectors of the tests, each form over and over.

#![expect(clippy::expect_used, reason = "a measure that cannot go on fails there")]
#![expect(clippy::disallowed_methods, reason = "a measure reads the clock")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use entente_protocol::address::{Chain, examine};

const FORMS: &str = include_str!("../tests/vectors/addresses/forms.csv");

/// More of what files hold most of.
const COMMON: [(&str, &str); 5] = [
    ("bitcoin", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
    ("bitcoin", "bc1qwz2lhc40s8ty3l5jg3plpve3y3l82x9l42q7fk"),
    ("ethereum", "0xab16a96D359eC26a11e2C2b3d8f8B8942d5Bfcdb"),
    ("tron", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"),
    ("solana", "7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv"),
];

/// For how long each figure is taken.
const SPAN: Duration = Duration::from_millis(300);

/// How many texts are read a second.
fn rate(texts: &[String], among: Option<&[Chain]>) -> f64 {
    let begun = Instant::now();
    let mut count = 0_u32;
    while begun.elapsed() < SPAN {
        for text in texts {
            black_box(examine(black_box(text), among));
            count += 1;
        }
    }
    f64::from(count) / begun.elapsed().as_secs_f64()
}

fn main() {
    let mut by_chain: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let rows = csv::Reader::from_reader(FORMS.as_bytes()).into_records().map(|row| row.expect("a row"));
    let rows: Vec<(String, String)> = rows.map(|row| (row[0].to_owned(), row[1].to_owned())).collect();
    let common = COMMON.iter().map(|(chain, text)| ((*chain).to_owned(), (*text).to_owned()));
    let all: Vec<(String, String)> = rows.into_iter().chain(common).collect();
    for (chain, text) in &all {
        by_chain.entry(chain.clone()).or_default().push(text.clone());
    }
    for (chain, texts) in by_chain {
        let named = [Chain::parse(&chain).expect("a chain")];
        println!("{chain:<20} {:>10.0}/s named, {:>10.0}/s among all", rate(&texts, Some(&named)), rate(&texts, None));
    }
    let mixed: Vec<String> = COMMON.iter().map(|(_, text)| (*text).to_owned()).collect();
    println!("{:<20} {:>10.0}/s among all", "what files hold", rate(&mixed, None));
    let mixed: Vec<String> = all.into_iter().map(|(_, text)| text).collect();
    println!("{:<20} {:>10.0}/s among all", "every form", rate(&mixed, None));
}
