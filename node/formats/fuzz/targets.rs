//! What is fuzzed: every reader of a format of others, as a function that must not panic whatever it is given, ends, and
//! gives rows that are whole.
//!
//! `cargo fuzz` runs them over what it invents, `tests/mutations.rs` over samples and little changes of them.

use std::io::Cursor;

use entente_formats::{Format, Settings, open};

/// The name of a target, and what it does with bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 9] = [
    ("csv", csv),
    ("tsv", tsv),
    ("list", list),
    ("json", json),
    ("tagpack", tagpack),
    ("stix", stix),
    ("misp", misp),
    ("ofac", ofac),
    ("sniffed", sniffed),
];

fn read(bytes: &[u8], format: Option<Format>) {
    let settings = Settings::default();
    let Ok(opened) = open(Box::new(Cursor::new(bytes)), "file", format, &settings) else { return };
    for item in opened {
        match item {
            Err(_) => return,
            Ok(Err(refused)) => assert!(refused.value.len() <= 200 && !refused.reason.is_empty()),
            Ok(Ok(row)) => {
                let (indicator, _) = row.draft.indicator.expect("a row is about something");
                let again = entente_protocol::indicator::Indicator::parse(&indicator.to_string());
                assert_eq!(again.as_ref(), Ok(&indicator), "what was read is written so that it reads");
            }
        }
    }
}

fn csv(bytes: &[u8]) {
    read(bytes, Some(Format::Csv));
}

fn tsv(bytes: &[u8]) {
    read(bytes, Some(Format::Tsv));
}

fn list(bytes: &[u8]) {
    read(bytes, Some(Format::List));
}

fn json(bytes: &[u8]) {
    read(bytes, Some(Format::Json));
}

fn tagpack(bytes: &[u8]) {
    read(bytes, Some(Format::TagPack));
}

fn stix(bytes: &[u8]) {
    read(bytes, Some(Format::Stix));
}

fn misp(bytes: &[u8]) {
    read(bytes, Some(Format::Misp));
}

fn ofac(bytes: &[u8]) {
    read(bytes, Some(Format::Ofac));
}

fn sniffed(bytes: &[u8]) {
    read(bytes, None);
}
