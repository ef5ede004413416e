//! What files of others come to: by format on small samples, and on real lists with every row counted.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;

use entente_formats::row::{Item, Row};
use entente_formats::{Format, Settings, open};
use entente_protocol::statement::draft::{Draft, Field};

fn read_as(text: &str, name: &str, format: Option<Format>) -> (Format, Vec<Item>, BTreeMap<String, u64>) {
    let settings = Settings::default();
    let mut opened = open(Box::new(Cursor::new(text.as_bytes())), name, format, &settings).unwrap();
    let items = opened.by_ref().map(Result::unwrap).collect();
    (opened.format, items, opened.beside.clone())
}

fn read(text: &str, name: &str) -> Vec<Item> {
    read_as(text, name, None).1
}

fn rows(items: Vec<Item>) -> Vec<Row> {
    items.into_iter().map(|item| item.unwrap_or_else(|refused| panic!("{refused:?}"))).collect()
}

fn about(row: &Row) -> String {
    row.draft.indicator.as_ref().unwrap().0.to_string()
}

fn said(draft: &Draft) -> (String, String, String) {
    let text = |value: Option<String>| value.unwrap_or_default();
    (
        text(draft.typology.as_ref().map(ToString::to_string)),
        text(draft.marking.map(|marking| marking.to_string())),
        text(draft.grading.map(|grading| grading.to_string())),
    )
}

#[test]
fn a_table_is_told_by_its_header_and_content() {
    let (format, items, _) = read_as(
        "\u{feff}Adresse;Waehrung;Typ;Betrag;Datum\n\"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa\";BTC;x;0,5;22.11.2026\n;;;;\n5Kd3NBUAdUnhyzenEwVLy9pBKxSwXvE9FMPyR4UKZvpe6E3AgLr;BTC;;;\n",
        "anzeigen.csv",
        None,
    );
    assert_eq!(format, Format::Csv);
    let mut items = items.into_iter();
    let first = items.next().unwrap().unwrap();
    assert_eq!(about(&first), "bip122:000000000019d6689c085ae165831e93:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa");
    assert_eq!((first.place.line, first.place.column.as_str()), (2, "Adresse"));
    let blank = items.next().unwrap().unwrap_err();
    assert_eq!((blank.place.line, blank.reason.contains("address given")), (3, true), "{blank:?}");
    let key = items.next().unwrap().unwrap_err();
    assert_eq!((key.value.as_str(), key.reason.contains("PRIVATE KEY")), ("[redacted]", true), "{key:?}");

    // Without a header, and of one column.
    let rows =
        rows(read("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t,theft\nTR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t,scam\n", "x.csv"));
    assert_eq!((rows.len(), rows[0].place.line), (2, 1));
}

#[test]
fn a_mark_without_its_end_does_not_swallow_the_file() {
    let text = format!("address\n\"{}", "x\n".repeat(1 << 20));
    let settings = Settings::default();
    let opened = open(Box::new(Cursor::new(text.as_bytes())), "x.csv", None, &settings);
    let error = match opened {
        Err(error) => error.to_string(),
        Ok(mut opened) => opened.find_map(Result::err).unwrap().to_string(),
    };
    assert!(error.contains("quotation mark"), "{error}");
}

#[test]
fn a_list_has_notes_and_hosts() {
    let text = "# scam sites\n\nevil[.]example  # told by a bank\n0.0.0.0 bad.example\nhttps://evil.example/x\n+44 20 7946 0018\n";
    let (format, items, _) = read_as(text, "sites.txt", None);
    let rows = rows(items);
    assert_eq!(format, Format::List);
    let found: Vec<String> = rows.iter().map(about).collect();
    assert_eq!(
        found,
        ["domain:evil.example", "domain:bad.example", "url:https://evil.example/x", "phone:+442079460018"]
    );
    assert_eq!(rows[0].draft.description.as_deref(), Some("told by a bank"));
    assert_eq!((rows[0].place.line, rows[1].repaired.len()), (3, 0));
    assert!(rows[0].repaired[0].contains("brackets"), "{:?}", rows[0].repaired);
}

#[test]
fn a_tag_pack_lends_its_header_to_its_tags() {
    let pack = include_str!("samples/tagpack.yaml");
    let (format, items, _) = read_as(pack, "pack.yaml", None);
    assert_eq!(format, Format::TagPack);
    let mut items = items.into_iter();
    let first = items.next().unwrap().unwrap();
    assert_eq!((said(&first.draft).0.as_str(), first.place.line), ("sextortion", 9));
    assert_eq!(first.draft.reference.as_deref(), Some("https://example.org/report"));
    let terms: Vec<String> = first.draft.terms.iter().flatten().map(ToString::to_string).collect();
    assert_eq!(terms, ["https://github.com/graphsense/graphsense-tagpack-tool/confidence#forensic"]);
    let second = items.next().unwrap().unwrap();
    assert_eq!(
        (about(&second).as_str(), said(&second.draft).0.as_str()),
        ("eip155:1:0xdac17f958d2ee523a2206206994597c13d831ec7", "investment_fraud")
    );
    assert_eq!(items.next().unwrap().unwrap_err().place.line, 16);
}

const STIX: &str = include_str!("samples/stix.json");

#[test]
fn stix_is_read_with_what_it_refers_to() {
    let (format, items, beside) = read_as(STIX, "x.json", None);
    assert_eq!((format, beside.values().sum::<u64>()), (Format::Stix, 1));
    let (good, bad): (Vec<Item>, Vec<Item>) = items.into_iter().partition(Result::is_ok);
    let good = rows(good);
    let found: Vec<String> = good.iter().map(about).collect();
    assert_eq!(found[..2], ["eip155:1:0xdac17f958d2ee523a2206206994597c13d831ec7", "domain:evil.example"]);
    assert!(found[2].ends_with("1KFHE7w8BhaENAswwryaoccDb6qcT6DbYY") && found[3].contains("bc1q"), "{found:?}");
    assert_eq!(found.len(), 4, "what an indicator is based on is no row of its own");
    let draft = &good[0].draft;
    assert_eq!((said(draft).0.as_str(), said(draft).1.as_str(), said(draft).2.as_str()), ("phishing", "TLP:GREEN", ""));
    assert_eq!((draft.source.as_deref(), good[0].place.line), (Some("FIU B"), 4));
    assert_eq!(draft.handling.as_ref().unwrap()[0].words(), Some("ask before use"));
    assert!(draft.terms.as_ref().unwrap().iter().any(|term| term.id() == "85"), "a confidence is no grading");
    let reasons: Vec<String> = bad.into_iter().map(|item| item.unwrap_err().reason).collect();
    assert!(reasons[0].contains("email-message:subject") && reasons[1].contains("another language"), "{reasons:?}");
}

const MISP: &str = include_str!("samples/misp.json");

#[test]
fn misp_is_read_with_tags_and_objects() {
    let (format, items, beside) = read_as(MISP, "x.json", None);
    let rows = rows(items);
    assert_eq!((format, beside.values().sum::<u64>()), (Format::Misp, 4));
    let found: Vec<String> = rows.iter().map(about).collect();
    assert!(found[0].ends_with("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"), "{found:?}");
    assert!(found[1].starts_with("file-hash:sha256:9f86") && found[2] == "ip:198.51.100.3", "{found:?}");
    assert_eq!(found[3..5], ["tron:728126428:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "handle:telegram:helpdesk"]);
    assert!(found[5].starts_with("transaction:bip122:000000000019d6689c085ae165831e93:4a5e"), "{found:?}");
    assert_eq!(said(&rows[0].draft), ("pig_butchering".into(), "TLP:AMBER".into(), "admiralty:B2".into()));
    assert_eq!(said(&rows[1].draft).1, "TLP:CLEAR");
    assert_eq!(rows[0].draft.pap.unwrap().unwrap().word(), "green");
    assert_eq!(rows[3].draft.observed_from.unwrap().rfc3339(), "2026-01-02T03:04:05.000Z");
    assert_eq!((rows[0].draft.source.as_deref(), rows[0].id.as_deref()), (Some("CERT X"), Some("1")));
}

/// By the schema of `sdn_advanced.xsd`; the names and addresses are made up.
const OFAC: &str = include_str!("samples/ofac.xml");

#[test]
fn the_sanctions_list_is_streamed_by_party() {
    let (format, items, _) = read_as(OFAC, "sdn_advanced.xml", None);
    let rows = rows(items);
    assert_eq!((format, rows.len()), (Format::Ofac, 2));
    assert!(about(&rows[0]).ends_with("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"));
    assert_eq!(about(&rows[1]), "tron:728126428:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t");
    assert_eq!(rows[0].draft.description.as_deref(), Some("DOE & SONS\nalso known as DOE LTD"));
    assert_eq!((said(&rows[0].draft).0.as_str(), rows[0].draft.source.as_deref()), ("sanction", Some("OFAC SDN")));
    assert_eq!((rows[0].draft.reference.as_deref(), rows[0].place.line), (Some("OFAC SDN 12345"), 12));
    for hostile in ["<!DOCTYPE a [<!ENTITY x 'y'>]><Sanctions/>", "<other/>", "<Sanctions><FeatureType"] {
        let settings = Settings::default();
        let mut opened = open(Box::new(Cursor::new(hostile.as_bytes())), "x.xml", None, &settings).unwrap();
        assert!(opened.any(|row| row.is_err()), "{hostile}");
    }
}

#[test]
fn a_feed_is_read_event_by_event() {
    let uuid = "5f0c7f7e-0000-4000-8000-000000000001";
    let event = MISP.strip_prefix("{\"response\":[").unwrap().strip_suffix("]}").unwrap();
    let settings = Settings::default();
    let read = |manifest: String| -> Vec<Result<Item, String>> {
        let file = |name: &str| match name {
            "5f0c7f7e-0000-4000-8000-000000000001.json" => Ok(event.as_bytes().to_vec()),
            _ => Err(std::io::ErrorKind::NotFound.into()),
        };
        let opened = entente_formats::open_directory(&manifest, file, &settings).unwrap();
        opened.map(|item| item.map_err(|error| error.to_string())).collect()
    };
    assert_eq!(read(format!("{{\"{uuid}\":{{\"info\":\"x\"}}}}")).iter().filter(|item| item.is_ok()).count(), 6);
    for hostile in ["../../etc/passwd", "5f0c7f7e-0000-4000-8000-000000000002"] {
        assert!(read(format!("{{\"{hostile}\":{{}}}}"))[0].is_err(), "{hostile}");
    }
}

#[test]
fn json_of_no_standard_is_read_by_its_keys() {
    let list = r#"{"version":2,"whitelist":["good.example"],"blacklist":["evil.example","bad.example"]}"#;
    let (format, items, beside) = read_as(list, "x.json", None);
    assert_eq!((format, items.len(), beside.values().sum::<u64>()), (Format::Json, 2, 1));
    let lines = "{\"address\":\"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa\",\"chain\":\"btc\",\"amount\":\"0.5\"}\n{\"address\":\"x\",\"chain\":\"btc\"}\n";
    let items = read(lines, "x.jsonl");
    let first = items[0].as_ref().unwrap();
    assert_eq!(first.draft.amounts.as_ref().unwrap()[0].to_string(), "0.5 slip44:0");
    assert_eq!(items[1].as_ref().unwrap_err().place.line, 2);
}

#[test]
fn columns_are_told_by_number_and_name() {
    let mut settings = Settings::default();
    settings.map.insert("2".to_owned(), entente_formats::columns::Column::parse("indicator").unwrap());
    settings.map.insert("Kommentar".to_owned(), entente_formats::columns::Column::parse("case").unwrap());
    settings.defaults.draft.set(Field::Marking, "red").unwrap();
    let text = "address,Ziel,Kommentar\nx,domain:evil.example,A-7\n";
    let mut opened = open(Box::new(Cursor::new(text.as_bytes())), "x.csv", None, &settings).unwrap();
    let row = opened.next().unwrap().unwrap().unwrap();
    drop(opened);
    assert_eq!((about(&row).as_str(), row.draft.case.as_deref()), ("domain:evil.example", Some("A-7")));
    assert_eq!(said(&row.draft).1, "TLP:RED");
    settings.map.insert("gone".to_owned(), entente_formats::columns::Column::Ignored);
    assert!(open(Box::new(Cursor::new(text.as_bytes())), "x.csv", None, &settings).is_err());
}

/// Of a file: rows, those that are fit, those of them that were repaired, those refused.
fn count(path: &Path) -> [usize; 4] {
    let settings = Settings::default();
    let reader = std::io::BufReader::new(std::fs::File::open(path).unwrap());
    let opened = open(Box::new(reader), path.to_str().unwrap(), None, &settings).unwrap();
    let mut counts = [0; 4];
    for item in opened {
        counts[0] += 1;
        match item.unwrap() {
            Ok(row) => {
                counts[1] += 1;
                counts[2] += usize::from(!row.repaired.is_empty());
            }
            Err(_) => counts[3] += 1,
        }
    }
    counts
}

#[test]
fn the_real_lists_of_the_exercise_are_read_row_by_row() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/exercise");
    let mut wrong = Vec::new();
    for (name, expected) in [
        ("forta_etherscan_malicious.csv", [2001, 2000, 0, 1]),
        ("forta_phishing.csv", [2001, 2000, 0, 1]),
        ("graphsense_tags.csv", [5986, 5980, 1, 6]),
        ("ofac_sdn.csv", [465, 463, 0, 2]),
        ("polkadot_scam_addresses.csv", [193, 193, 0, 0]),
    ] {
        let found = count(&folder.join(name));
        wrong.extend((found != expected).then(|| format!("{name}: {found:?}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The whole lists that the samples of the exercise are drawn from, and more. They are 14 MB and not part of the
/// repository: `ENTENTE_REAL_DATA` names the folder that holds them, by the names of their sources.
#[test]
fn whole_real_lists_are_read_row_by_row() {
    let Some(folder) = std::env::var_os("ENTENTE_REAL_DATA") else {
        eprintln!("skipped: ENTENTE_REAL_DATA is not set");
        return;
    };
    let mut wrong = Vec::new();
    for (name, expected) in [
        ("flagged/forta_etherscan_malicious.csv", [5483, 5482, 0, 1]),
        ("flagged/forta_malicious_contracts.csv", [518, 518, 0, 0]),
        ("flagged/forta_phishing.csv", [4753, 4752, 0, 1]),
        ("flagged/graphsense_sextortion.csv", [49796, 49791, 0, 5]),
        ("flagged/graphsense_tags.csv", [19254, 19248, 1, 6]),
        ("flagged/metamask_phishing_domains.json", [13752, 13749, 0, 3]),
        ("flagged/ofac_sdn.csv", [465, 463, 0, 2]),
        ("flagged/phantom_solana_mints.csv", [2181, 2180, 0, 1]),
        ("flagged/polkadot_scam_addresses.csv", [193, 193, 0, 0]),
        ("labels/defillama_exchange_wallets.csv", [3397, 3151, 0, 246]),
        ("labels/eth_labels_tokens.csv", [19241, 19241, 0, 0]),
        ("labels/etherscan_labels.csv", [31751, 31747, 0, 4]),
        ("labels/graphsense_etherscan_wordcloud.csv", [5918, 5917, 0, 1]),
        ("labels/graphsense_miners.csv", [26085, 26085, 0, 0]),
        ("labels/graphsense_services.csv", [4774, 4735, 0, 39]),
        ("labels/misp_warninglist_bank-website.json", [2153, 2152, 2151, 1]),
    ] {
        let found = count(&Path::new(&folder).join(name));
        wrong.extend((found != expected).then(|| format!("{name}: {found:?}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
