//! Identities as the specification says: what is accepted, and each rule with a case that breaks it.

#![expect(clippy::unwrap_used, reason = "the tests' helpers stand outside the functions that are marked as tests")]

use std::collections::BTreeMap;

use entente_protocol::crypto::sign::{PublicKey, SignError, SigningKey, sign};
use entente_protocol::crypto::wrap::EncryptionSecret;
use entente_protocol::id::{AgencyId, Hash, Mode};
use entente_protocol::identity::{
    AddressOutcome, AddressRecord, AgreementKey, ArmourError, Card, CardConflict, CardExport, CardOutcome,
    FIRST_RECOVERY_SERIAL, Fingerprint, FingerprintError, IdentityError, InceptionOutcome, NodeKeys, Roll,
    SignedAddressRecord, SignedCard, SignedInception, Validity,
};
use entente_protocol::limits;
use entente_protocol::time::{DAY_MS, Time};
use entente_protocol::wire::codec::{CodecError, MapWriter};
use entente_protocol::wire::object::ObjectKind;
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};
use serde_json::{Value, json};

const ROOT: u8 = 1;
const RECOVERY: u8 = 2;
const AGREEMENT: u8 = 3;
const SIGNING: u8 = 4;
const TRANSPORT: u8 = 5;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

fn public(seed: u8) -> PublicKey {
    key(seed).public()
}

fn day(days: u64) -> Time {
    Time::from_ms(1_750_000_000_000 + days * DAY_MS).unwrap()
}

fn inception() -> SignedInception {
    SignedInception::create(&key(ROOT), &public(RECOVERY), Mode::Live, [7; 16]).unwrap()
}

fn node(writer: u32, signing: u8) -> NodeKeys {
    NodeKeys {
        writer,
        signing: public(signing),
        encryption: EncryptionSecret::from_seed(&[signing; 32]).public(),
        transport: vec![public(signing + 1)],
        validity: Validity::starting(day(0)),
    }
}

fn first() -> Card {
    Card {
        agency: inception().agency(),
        serial: 1,
        predecessor: None,
        name: "Cyber Unit A".to_owned(),
        country: "FR".parse().unwrap(),
        kind: "police".parse().unwrap(),
        contact: "soc@example.org".to_owned(),
        issued: day(0),
        agreement_keys: vec![AgreementKey { key: public(AGREEMENT), validity: Validity::starting(day(0)) }],
        nodes: vec![node(1, SIGNING)],
        revoked: Vec::new(),
    }
}

fn after(older: &SignedCard) -> Card {
    let serial = older.serial() + 1;
    Card { serial, predecessor: Some(older.hash()), issued: day(u64::from(serial) % 1000), ..older.card().clone() }
}

fn issue(card: &Card) -> Result<SignedCard, IdentityError> {
    SignedCard::issue(&inception(), card, &key(ROOT))
}

fn recover(card: &Card) -> Result<SignedCard, IdentityError> {
    SignedCard::issue(&inception(), card, &key(RECOVERY))
}

fn record(serial: u64) -> AddressRecord {
    AddressRecord {
        agency: inception().agency(),
        writer: 1,
        serial,
        addresses: vec!["/dns4/node.example.org/udp/4101/quic-v1".to_owned(), "/ip4/192.0.2.7/tcp/4101".to_owned()],
        created: day(1),
    }
}

fn addressed(record: &AddressRecord) -> Result<SignedAddressRecord, IdentityError> {
    SignedAddressRecord::issue(&issue(&first()).unwrap(), record, &key(SIGNING))
}

fn export() -> CardExport {
    CardExport::new(inception(), vec![issue(&first()).unwrap()], vec![addressed(&record(1)).unwrap()]).unwrap()
}

/// An inception payload with one value put in place of the right one.
fn raw_inception(root: &[u8], mode: u64) -> Vec<u8> {
    let recovery = Hash::of(&[public(RECOVERY).as_bytes()]);
    MapWriter::new().put_bytes(0, root).put(1, &recovery).put(2, &mode).put(3, &[7_u8; 16]).finish()
}

#[test]
fn an_inception_document_reads_back_and_its_hash_is_the_agency() {
    let made = inception();
    let read = SignedInception::parse(made.bytes()).unwrap();
    assert_eq!(read.agency(), made.agency());
    assert_eq!((read.mode(), *read.root()), (Mode::Live, public(ROOT)));
    assert!(read.is_recovery(&public(RECOVERY)) && !read.is_recovery(&public(ROOT)));
    let exercise = SignedInception::create(&key(ROOT), &public(RECOVERY), Mode::Exercise, [7; 16]).unwrap();
    assert_ne!(exercise.agency(), made.agency());
}

#[test]
fn an_inception_document_is_signed_by_its_own_root_in_its_own_mode() {
    let typ = ObjectKind::Inception.typ(Mode::Live);
    let error = |bytes: &[u8]| SignedInception::parse(bytes).unwrap_err();
    let root = *public(ROOT).as_bytes();

    assert_eq!(
        error(&sign(&key(RECOVERY), typ, &raw_inception(&root, 0))),
        IdentityError::Sign(SignError::BadSignature)
    );
    assert_eq!(
        error(&sign(&key(ROOT), typ, &raw_inception(&root, 1))),
        IdentityError::Mode { expected: Mode::Exercise, found: Mode::Live }
    );
    let unknown = error(&sign(&key(ROOT), typ, &raw_inception(&root, 2)));
    assert_eq!(unknown, IdentityError::Codec(CodecError::UnknownValue { key: 2, value: 2 }));
    assert!(unknown.is_held());
    let mut neutral = [0; 32];
    neutral[0] = 1;
    assert_eq!(
        error(&sign(&key(ROOT), typ, &raw_inception(&neutral, 0))),
        IdentityError::Codec(CodecError::WeakKey(0))
    );
    assert_eq!(
        error(&sign(&key(ROOT), ObjectKind::Card.typ(Mode::Live), &raw_inception(&root, 0))),
        IdentityError::Type { expected: ObjectKind::Inception }
    );
    let future = error(&sign(&key(ROOT), "entente.inception.v2.live", &raw_inception(&root, 0)));
    assert!(future == IdentityError::UnknownTyp && future.is_held());
    assert_eq!(
        SignedInception::create(&key(ROOT), &public(ROOT), Mode::Live, [7; 16]).unwrap_err(),
        IdentityError::RootIsRecovery
    );
}

#[test]
fn a_card_reads_back_and_answers_by_time() {
    let mut card = first();
    card.agreement_keys = vec![
        AgreementKey { key: public(AGREEMENT), validity: Validity { from: day(0), until: Some(day(10)) } },
        AgreementKey { key: public(20), validity: Validity::starting(day(10)) },
    ];
    card.nodes.push(node(9, 30));
    card.nodes[1].validity = Validity { from: day(2), until: Some(day(3)) };
    card.revoked = vec![[1; 32], [2; 32]];
    let read = SignedCard::parse_for(&inception(), issue(&card).unwrap().bytes()).unwrap();
    assert_eq!(read.card(), &card);
    assert_eq!(read.agreement_key(day(9)), Ok(&public(AGREEMENT)));
    assert_eq!(read.agreement_key(day(10)), Ok(&public(20)));
    assert_eq!(read.signing_key(9, day(2)), Ok(&public(30)));
    assert_eq!(read.signing_key(9, day(3)), Err(IdentityError::NoKeyThen));
    assert_eq!(read.signing_key(9, day(1)), Err(IdentityError::NoKeyThen));
    assert_eq!(read.signing_key(2, day(2)), Err(IdentityError::NoSuchNode { writer: 2 }));
    assert!(!read.is_recovered());
}

#[test]
fn each_rule_of_a_card_refuses_what_breaks_it() {
    let error = |change: fn(&mut Card)| {
        let mut card = first();
        change(&mut card);
        issue(&card).unwrap_err()
    };
    let bounds = |key| IdentityError::Codec(CodecError::Bounds(key));

    assert_eq!(error(|card| card.serial = 0), IdentityError::SerialRange { serial: 0 });
    assert_eq!(error(|card| card.serial = FIRST_RECOVERY_SERIAL), IdentityError::SerialRange { serial: 1 << 31 });
    assert_eq!(error(|card| card.serial = 2), IdentityError::Predecessor);
    assert_eq!(error(|card| card.predecessor = Some(Hash([0; 32]))), IdentityError::Predecessor);
    assert_eq!(error(|card| card.name.clear()), bounds(3));
    assert_eq!(error(|card| card.name = "x".repeat(limits::SHORT_TEXT_BYTES + 1)), bounds(3));
    assert_eq!(error(|card| card.name = "Unit A\nCountry: FR".to_owned()), IdentityError::Text);
    assert_eq!(error(|card| card.name = "Unit \u{202e}A".to_owned()), IdentityError::Text);
    assert_eq!(error(|card| card.contact = " soc@example.org".to_owned()), IdentityError::Text);
    assert_eq!(error(|card| card.contact.clear()), bounds(6));
    assert_eq!(error(|card| card.nodes.push(node(1, 30))), IdentityError::WriterOrder);
    assert_eq!(error(|card| card.nodes.push(node(0, 30))), IdentityError::WriterOrder);
    assert_eq!(error(|card| card.nodes.push(node(2, SIGNING))), IdentityError::KeyTwice);
    assert_eq!(error(|card| card.nodes[0].transport = vec![public(SIGNING)]), IdentityError::KeyTwice);
    assert_eq!(error(|card| card.nodes[0].signing = public(AGREEMENT)), IdentityError::KeyTwice);
    assert_eq!(error(|card| card.nodes[0].signing = public(ROOT)), IdentityError::KeyTwice);
    assert_eq!(error(|card| card.nodes[0].signing = public(RECOVERY)), IdentityError::KeyTwice);
    assert_eq!(
        error(|card| card.nodes.push(NodeKeys { encryption: card.nodes[0].encryption.clone(), ..node(2, 30) })),
        IdentityError::KeyTwice
    );
    assert_eq!(
        error(|card| card.nodes[0].transport = vec![public(30), public(31), public(32)]),
        bounds(3),
        "three transport keys"
    );
    assert_eq!(error(|card| card.nodes[0].transport.clear()), IdentityError::Codec(CodecError::Missing(3)));
    assert_eq!(error(|card| card.nodes[0].validity.until = Some(day(0))), IdentityError::EmptyValidity);
    assert_eq!(
        error(|card| card.agreement_keys.push(AgreementKey { key: public(30), validity: Validity::starting(day(5)) })),
        IdentityError::OverlappingKeys
    );
    assert_eq!(error(|card| card.revoked = vec![*public(AGREEMENT).as_bytes()]), IdentityError::RevokedInUse);
    assert_eq!(error(|card| card.revoked = vec![[2; 32], [1; 32]]), IdentityError::RevokedOrder);
    assert_eq!(error(|card| card.revoked = vec![[1; 32], [1; 32]]), IdentityError::RevokedOrder);
    assert_eq!(error(|card| card.revoked = vec![[1; 32]; limits::REVOKED_KEYS + 1]), bounds(10));
    assert_eq!(
        error(|card| card.nodes = (0..=64).map(|writer| NodeKeys { writer, ..card.nodes[0].clone() }).collect()),
        bounds(9)
    );
    assert!(matches!(error(|card| card.agency = AgencyId(Hash([9; 32]))), IdentityError::OtherAgency { .. }));
}

#[test]
fn countries_and_kinds_have_one_form() {
    use entente_protocol::identity::{Country, Kind};
    assert!("FR".parse::<Country>().is_ok());
    for bad in ["fr", "F", "FRA", "F1", "ÄÖ", ""] {
        assert!(bad.parse::<Country>().is_err(), "{bad}");
    }
    for good in ["police", "fiu", "customs-2"] {
        assert_eq!(good.parse::<Kind>().unwrap().as_str(), good);
    }
    for bad in ["", "Police", "2x", "-x", "a b", &"x".repeat(33)] {
        assert!(bad.parse::<Kind>().is_err(), "{bad}");
    }
    assert!("fiu".parse::<Kind>().unwrap().is_known() && !"customs-2".parse::<Kind>().unwrap().is_known());
}

#[test]
fn only_a_root_signs_cards_and_only_in_the_agencys_mode() {
    assert_eq!(SignedCard::issue(&inception(), &first(), &key(40)).unwrap_err(), IdentityError::NotARoot);
    let exercise = SignedInception::create(&key(ROOT), &public(RECOVERY), Mode::Exercise, [7; 16]).unwrap();
    let card = Card { agency: exercise.agency(), ..first() };
    assert!(SignedCard::issue(&exercise, &card, &key(ROOT)).is_ok());

    let made = issue(&first()).unwrap();
    let parsed = entente_protocol::crypto::sign::Signed::parse(made.bytes(), limits::OBJECT_BYTES).unwrap();
    let forged = sign(&key(40), ObjectKind::Card.typ(Mode::Live), parsed.payload());
    assert_eq!(SignedCard::parse_for(&inception(), &forged).unwrap_err(), IdentityError::Sign(SignError::BadSignature));
    let mixed = sign(&key(ROOT), ObjectKind::Card.typ(Mode::Exercise), parsed.payload());
    assert_eq!(
        SignedCard::parse_for(&inception(), &mixed).unwrap_err(),
        IdentityError::Mode { expected: Mode::Live, found: Mode::Exercise }
    );
}

#[test]
fn a_card_succeeds_the_one_before_it_and_no_other() {
    let one = issue(&first()).unwrap();
    let error = |change: fn(&mut Card)| {
        let mut card = after(&issue(&first()).unwrap());
        change(&mut card);
        issue(&card).unwrap().succeeds(&issue(&first()).unwrap()).unwrap_err()
    };
    let two = issue(&after(&one)).unwrap();
    assert_eq!(two.succeeds(&one), Ok(()));
    assert_eq!(one.succeeds(&two), Err(IdentityError::NotNext { serial: 1, older: 2 }));
    assert_eq!(error(|card| card.serial = 3), IdentityError::NotNext { serial: 3, older: 1 });
    assert_eq!(error(|card| card.predecessor = Some(Hash([0; 32]))), IdentityError::NotPredecessor { serial: 2 });
    assert_eq!(error(|card| card.issued = day(0).minus_ms(1)), IdentityError::IssuedFell);
    assert_eq!(
        error(|card| {
            card.agreement_keys[0].key = public(SIGNING);
            card.nodes = vec![node(1, 30)];
        }),
        IdentityError::PurposeChanged
    );
    assert_eq!(error(|card| card.nodes = vec![node(2, SIGNING)]), IdentityError::PurposeChanged);

    let revoking = issue(&Card { revoked: vec![[1; 32]], ..after(&one) }).unwrap();
    let forgetting = issue(&Card { revoked: vec![[2; 32]], ..after(&revoking) }).unwrap();
    assert_eq!(forgetting.succeeds(&revoking), Err(IdentityError::RevocationDropped));
}

#[test]
fn the_recovery_root_takes_over_once_and_for_good() {
    let one = issue(&first()).unwrap();
    let taken = Card { serial: FIRST_RECOVERY_SERIAL, ..after(&one) };
    let recovered = recover(&taken).unwrap();
    assert!(recovered.is_recovered());
    assert_eq!(recovered.succeeds(&one), Ok(()));
    assert_eq!(recover(&after(&one)).unwrap_err(), IdentityError::SerialRange { serial: 2 });
    let next = recover(&after(&recovered)).unwrap();
    assert_eq!(next.succeeds(&recovered), Ok(()));
    assert_eq!(issue(&after(&one)).unwrap().succeeds(&recovered), Err(IdentityError::RootReplaced));
    assert_eq!(
        recover(&after(&next)).unwrap().succeeds(&one).unwrap_err(),
        IdentityError::NotNext { serial: FIRST_RECOVERY_SERIAL + 2, older: 1 }
    );
}

#[test]
fn two_cards_conflict_where_they_tell_two_histories() {
    let one = issue(&first()).unwrap();
    let other = issue(&Card { name: "Cyber Unit B".to_owned(), ..first() }).unwrap();
    let two = issue(&after(&one)).unwrap();
    let conflict = CardConflict::between(&one, &other).unwrap();
    let mirrored = CardConflict::between(&other, &one).unwrap();
    assert_eq!(conflict.first().hash(), mirrored.first().hash());
    assert!(conflict.first().hash() < conflict.second().hash());
    assert!(CardConflict::between(&one, &one).is_none());
    assert!(CardConflict::between(&one, &two).is_none());
    assert!(CardConflict::between(&two, &other).is_some(), "a successor that names another predecessor");
    let recovered = recover(&Card { serial: FIRST_RECOVERY_SERIAL, ..after(&one) }).unwrap();
    assert!(CardConflict::between(&recovered, &other).is_none(), "the recovery root disowns, it does not contradict");
}

#[test]
fn an_address_record_is_the_nodes_own() {
    let card = issue(&first()).unwrap();
    let made = addressed(&record(1)).unwrap();
    assert_eq!(SignedAddressRecord::parse_for(&card, made.bytes()).unwrap().record(), &record(1));
    assert_eq!(addressed(&AddressRecord { addresses: vec![], ..record(1) }).unwrap().record().addresses.len(), 0);

    let error = |change: fn(&mut AddressRecord)| {
        let mut record = record(1);
        change(&mut record);
        addressed(&record).unwrap_err()
    };
    let bounds = IdentityError::Codec(CodecError::Bounds(3));
    assert_eq!(error(|record| record.writer = 2), IdentityError::NoSuchNode { writer: 2 });
    assert_eq!(error(|record| record.created = day(0).minus_ms(1)), IdentityError::NoKeyThen);
    assert_eq!(error(|record| record.addresses[0] = "ip4/192.0.2.7".to_owned()), IdentityError::Address);
    assert_eq!(error(|record| record.addresses[0] = "/ip4/192.0.2.7 x".to_owned()), IdentityError::Address);
    assert_eq!(error(|record| record.addresses[0] = "/dns4/ü".to_owned()), IdentityError::Address);
    assert_eq!(error(|record| record.addresses[0] = record.addresses[1].clone()), IdentityError::AddressTwice);
    assert_eq!(error(|record| record.addresses[0] = format!("/{}", "x".repeat(256))), bounds);
    assert_eq!(error(|record| record.addresses = (0..17).map(|n| format!("/{n}")).collect()), bounds);
    assert!(matches!(error(|record| record.agency = AgencyId(Hash([9; 32]))), IdentityError::OtherAgency { .. }));
    assert_eq!(
        SignedAddressRecord::issue(&card, &record(1), &key(ROOT)).unwrap_err(),
        IdentityError::Sign(SignError::BadSignature)
    );
}

#[test]
fn a_fingerprint_is_recognised_however_it_is_written() {
    let agency = inception().agency();
    let print = Fingerprint::of(agency);
    let words = print.words();
    let numbered: Vec<String> = words.iter().enumerate().map(|(at, word)| format!("{}. {word}", at + 1)).collect();
    let cut: Vec<&str> = words.iter().map(|word| &word[..word.len().min(4)]).collect();
    for text in [
        print.to_string(),
        print.to_string().to_uppercase(),
        words.join(", "),
        words.join("-"),
        numbered.join("\n"),
        cut.join(" "),
        format!("  {}\r\n", words.join("  ")),
        agency.to_string(),
        agency.to_string().to_uppercase(),
        print.qr_payload(),
        print.qr_payload().to_lowercase(),
    ] {
        assert_eq!(print.matches(&text), Ok(()), "{text}");
    }
    assert_eq!(print.qr_payload().len(), 74);
    assert!(print.qr_payload().bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b':'));
}

#[test]
fn a_fingerprint_tells_which_word_is_off_and_not_what_it_should_be() {
    let print = Fingerprint::of(inception().agency());
    let other = Fingerprint::of(AgencyId(Hash([9; 32])));
    let with = |at: usize, word: &str| {
        let mut words = print.words().map(str::to_owned);
        words[at] = word.to_owned();
        print.matches(&words.join(" ")).unwrap_err()
    };
    let wrong = if print.words()[6] == "abandon" { "ability" } else { "abandon" };
    assert_eq!(with(6, wrong), FingerprintError::WordDiffers { at: 7, word: wrong });
    assert!(!with(6, wrong).to_string().contains(print.words()[6]));
    assert_eq!(with(6, "xyzzy"), FingerprintError::NotAWord { at: 7 });
    assert_eq!(with(6, "aba"), FingerprintError::NotAWord { at: 7 });
    assert_eq!(with(6, ""), FingerprintError::Count { found: 10 });
    assert_eq!(print.matches(""), Err(FingerprintError::Count { found: 0 }));
    assert_eq!(print.matches(&"a ".repeat(600)), Err(FingerprintError::TooLong { found: 1199 }));
    assert_eq!(print.matches(&other.qr_payload()), Err(FingerprintError::OtherAgency));
    assert!(matches!(print.matches("agency1qq"), Err(FingerprintError::Id(_))));
    assert!(matches!(print.matches(&other.to_string()), Err(FingerprintError::WordDiffers { at: 1, .. })));
}

#[test]
fn a_card_file_survives_e_mail() {
    let text = export().to_armour().unwrap();
    let check = |text: &str| {
        let read = CardExport::from_armour(text.as_bytes()).unwrap();
        assert_eq!(read.to_armour().unwrap(), export().to_armour().unwrap());
    };
    check(&text);
    check(&text.replace('\n', "\r\n"));
    check(&format!("Dear colleagues,\n\nplease find\n{text}\n-- \nSOC"));
    check(&text.lines().map(|line| format!("  {line} ")).collect::<Vec<_>>().join("\n"));
    check(&format!("\u{feff}{text}"));
    check(&text.replace("Name: Cyber Unit A", "Name: anything\nelse"));
    check(&text.replace("\n\n", "\n\n\n"));
    assert!(text.lines().skip_while(|line| !line.is_empty()).all(|line| line.len() <= 64));
}

#[test]
fn a_damaged_card_file_is_refused_with_the_rule_it_breaks() {
    let text = export().to_armour().unwrap();
    let error = |text: &str| CardExport::from_armour(text.as_bytes()).unwrap_err();
    let (begin, end) = (text.lines().next().unwrap(), text.lines().last().unwrap());
    assert_eq!(error(&text.replace(begin, "")), IdentityError::Armour(ArmourError::NoBegin));
    assert_eq!(error(&text.replace(end, "")), IdentityError::Armour(ArmourError::NoEnd));
    assert_eq!(error(&text.replace("\n\n", "\n")), IdentityError::Armour(ArmourError::NoBlank));
    assert_eq!(error(&format!("{text}{text}")), IdentityError::Armour(ArmourError::SecondBlock));
    assert_eq!(error(&text.replace(end, &format!("!\n{end}"))), IdentityError::Armour(ArmourError::Base64));
    let long = format!("{text}{}", " ".repeat(limits::CARD_FILE_BYTES));
    assert_eq!(error(&long), IdentityError::Armour(ArmourError::TooLong { found: long.len() }));
}

#[test]
fn a_card_file_holds_a_chain_without_gaps_and_one_record_a_node() {
    let one = issue(&first()).unwrap();
    let two = issue(&after(&one)).unwrap();
    let three = issue(&after(&two)).unwrap();
    let file = |cards: &[&SignedCard], records: &[u64]| {
        let cards = cards.iter().map(|card| (*card).clone()).collect();
        let records = records.iter().map(|serial| addressed(&record(*serial)).unwrap()).collect();
        CardExport::new(inception(), cards, records)
    };
    let chain = file(&[&one, &two, &three], &[1]).unwrap().to_armour().unwrap();
    assert_eq!(CardExport::from_armour(chain.as_bytes()).unwrap().card().serial(), 3);
    assert_eq!(file(&[&one, &three], &[]).unwrap_err(), IdentityError::NotNext { serial: 3, older: 1 });
    assert_eq!(file(&[], &[]).unwrap_err(), IdentityError::Codec(CodecError::Missing(1)));
    assert_eq!(file(&[&one], &[1, 2]).unwrap_err(), IdentityError::RecordTwice { writer: 1 });
}

fn roll(cards: &[&SignedCard]) -> Roll {
    let mut roll = Roll::new();
    assert_eq!(roll.add_inception(inception()), InceptionOutcome::Added);
    for card in cards {
        roll.add_card((*card).clone()).unwrap();
    }
    roll
}

#[test]
fn the_roll_answers_from_the_card_that_a_header_names_unless_a_card_revokes_the_key() {
    let agency = inception().agency();
    let one = issue(&first()).unwrap();
    let mut card = after(&one);
    card.nodes = vec![node(1, 30)];
    let two = issue(&card).unwrap();
    let mut roll = roll(&[&two, &one]);
    assert_eq!(roll.card(agency).unwrap().serial(), 2);
    assert_eq!(roll.serials(), BTreeMap::from([(agency, 2)]));
    assert_eq!(roll.signing_key(agency, 1, 1, day(1)), Ok(&public(SIGNING)));
    assert_eq!(roll.signing_key(agency, 2, 1, day(1)), Ok(&public(30)));
    assert_eq!(roll.agreement_key(agency, 1, day(1)), Ok(&public(AGREEMENT)));
    assert_eq!(roll.signing_key(agency, 3, 1, day(1)), Err(IdentityError::UnknownCard { agency, serial: 3 }));
    let stranger = AgencyId(Hash([9; 32]));
    assert_eq!(roll.agreement_key(stranger, 1, day(1)), Err(IdentityError::UnknownAgency(stranger)));
    assert_eq!(roll.transport_owners(&public(31), day(1)), [(agency, 1)]);
    assert_eq!(roll.transport_owners(&public(TRANSPORT), day(1)), []);
    let encryption = EncryptionSecret::from_seed(&[30; 32]).public();
    assert_eq!(roll.encryption_keys(agency, day(1)).unwrap(), [(1, &encryption)]);
    assert_eq!(roll.encryption_keys(agency, day(0).minus_ms(1)).unwrap(), []);

    let three = issue(&Card { revoked: vec![*public(SIGNING).as_bytes()], ..after(&two) }).unwrap();
    assert!(matches!(roll.add_card(three.clone()), Ok(CardOutcome::Added)));
    assert!(matches!(roll.add_card(three), Ok(CardOutcome::AlreadyKnown)));
    assert_eq!(roll.signing_key(agency, 1, 1, day(1)), Err(IdentityError::Revoked { by: 3 }));
    assert_eq!(roll.card_at(agency, 1).unwrap().signing_key(1, day(1)), Ok(&public(SIGNING)));
}

#[test]
fn the_roll_tells_a_conflict_and_stands_alike_in_any_order() {
    let agency = inception().agency();
    let one = issue(&first()).unwrap();
    let other = issue(&Card { name: "Cyber Unit B".to_owned(), ..first() }).unwrap();
    let standing = one.hash().min(other.hash());
    for (a, b) in [(&one, &other), (&other, &one)] {
        let mut roll = roll(&[a]);
        assert!(matches!(roll.add_card(b.clone()), Ok(CardOutcome::Conflict(_))));
        assert_eq!(roll.card(agency).unwrap().hash(), standing);
        assert!(roll.agency(agency).unwrap().conflict().is_some());
        let two = issue(&after(a)).unwrap();
        roll.add_card(two.clone()).unwrap();
        assert_eq!(roll.card(agency).unwrap().hash(), two.hash(), "the next serial decides");
    }
}

#[test]
fn what_a_thief_of_the_root_signed_falls_away_once_the_recovery_root_signs() {
    let agency = inception().agency();
    let one = issue(&first()).unwrap();
    let two = issue(&after(&one)).unwrap();
    let thief = issue(&Card { name: "Cyber Unit X".to_owned(), ..after(&two) }).unwrap();
    let far = issue(&Card { serial: FIRST_RECOVERY_SERIAL - 1, ..after(&two) }).unwrap();
    let recovered = recover(&Card { serial: FIRST_RECOVERY_SERIAL, ..after(&two) }).unwrap();
    let next = recover(&after(&recovered)).unwrap();
    let standing = |roll: &Roll| roll.agency(agency).unwrap().cards().keys().copied().collect::<Vec<_>>();

    let mut before = roll(&[&one, &two, &thief, &far, &recovered]);
    assert_eq!(standing(&before), [1, 2, FIRST_RECOVERY_SERIAL]);
    assert_eq!(before.add_card(thief.clone()).unwrap_err(), IdentityError::RootReplaced);

    let mut late = roll(&[&one, &far, &next]);
    assert_eq!(standing(&late), [FIRST_RECOVERY_SERIAL + 1], "no chain leads to the root's cards yet");
    assert_eq!(late.add_card(two.clone()).unwrap_err(), IdentityError::RootReplaced);
    for card in [&recovered, &two, &one] {
        assert!(matches!(late.add_card(card.clone()), Ok(CardOutcome::Added)));
    }
    assert_eq!(standing(&late), [1, 2, FIRST_RECOVERY_SERIAL, FIRST_RECOVERY_SERIAL + 1]);
}

#[test]
fn the_roll_keeps_the_newest_address_record_that_the_newest_card_bears_out() {
    let agency = inception().agency();
    let one = issue(&first()).unwrap();
    let mut roll = roll(&[&one]);
    let read = roll.read_address_record(addressed(&record(2)).unwrap().bytes()).unwrap();
    assert_eq!(roll.add_address_record(read), Ok(AddressOutcome::Added));
    assert_eq!(roll.add_address_record(addressed(&record(1)).unwrap()), Ok(AddressOutcome::NotNewer));
    assert_eq!(roll.agency(agency).unwrap().addresses()[&1].record().serial, 2);
    let mut card = after(&one);
    card.nodes = vec![node(1, 30)];
    let two = roll.read_card(issue(&card).unwrap().bytes()).unwrap();
    roll.add_card(two).unwrap();
    assert!(roll.agency(agency).unwrap().addresses().is_empty());
    assert_eq!(roll.add_address_record(addressed(&record(3)).unwrap()), Err(IdentityError::NoKeyThen));
}

#[test]
fn the_roll_takes_a_card_file_and_a_file_again() {
    let mut roll = Roll::new();
    assert!(roll.add_export(export()).unwrap().is_empty());
    assert!(roll.add_export(export()).unwrap().is_empty());
    let known = roll.agency(inception().agency()).unwrap();
    assert_eq!((known.cards().len(), known.addresses().len()), (1, 1));
    assert!(roll.remove(inception().agency()).is_some());
    assert_eq!(roll.iter().count(), 0);
    assert_eq!(
        roll.read_card(issue(&first()).unwrap().bytes()).unwrap_err(),
        IdentityError::UnknownAgency(inception().agency())
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_changed_byte_of_a_card_file_is_refused_or_without_effect(at in any::<usize>(), change in 1..=255_u8) {
        let text = export().to_armour().unwrap();
        let mut bytes = text.clone().into_bytes();
        let at = at % bytes.len();
        bytes[at] ^= change;
        if let Ok(read) = CardExport::from_armour(&bytes) {
            prop_assert!(read.to_armour().unwrap() == text);
        }
    }

    #[test]
    fn arbitrary_bytes_are_no_identity(bytes: Vec<u8>) {
        prop_assert!(SignedInception::parse(&bytes).is_err());
        prop_assert!(SignedCard::parse_for(&inception(), &bytes).is_err());
        prop_assert!(CardExport::from_armour(&bytes).is_err());
    }

    #[test]
    fn every_agency_has_a_fingerprint_that_matches_it_alone(a: [u8; 32], b: [u8; 32]) {
        let (a, b) = (AgencyId(Hash(a)), AgencyId(Hash(b)));
        prop_assert!(Fingerprint::of(a).matches(&Fingerprint::of(a).to_string()).is_ok());
        prop_assert!(a == b || Fingerprint::of(a).matches(&Fingerprint::of(b).to_string()).is_err());
    }
}

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/identity.json");

/// The golden vectors, made from fixed seeds. Ed25519 signatures are deterministic, so they never change.
fn vectors() -> Value {
    let live = |kind: ObjectKind| kind.typ(Mode::Live);
    let inception = inception();
    let card = issue(&first()).unwrap();
    let recovered = recover(&Card { serial: FIRST_RECOVERY_SERIAL, ..after(&card) }).unwrap();
    let record = addressed(&record(1)).unwrap();
    let payload = |bytes: &[u8]| {
        entente_protocol::crypto::sign::Signed::parse(bytes, limits::OBJECT_BYTES).unwrap().payload().to_vec()
    };
    let bad = |of: &str, why: &str, bytes: Vec<u8>| {
        let error = match of {
            "inception" => SignedInception::parse(&bytes).map(|_| ()),
            "card" => SignedCard::parse_for(&inception, &bytes).map(|_| ()),
            _ => SignedAddressRecord::parse_for(&card, &bytes).map(|_| ()),
        };
        json!({ "of": of, "why": why, "hex": hex::encode(bytes), "error": error.unwrap_err().to_string() })
    };
    let truncated = |bytes: &[u8]| bytes[..bytes.len() - 1].to_vec();
    let mut critical = payload(card.bytes());
    critical[0] += 1;
    critical.extend([0x18, 0x3f, 0x00]);
    json!({
        "about": "made from Ed25519 seeds of 32 equal bytes: root 01, recovery root 02, agreement 03, signing 04, transport 05; encryption seed 04",
        "inception": { "hex": hex::encode(inception.bytes()), "agency": inception.agency().to_string(),
            "fingerprint": Fingerprint::of(inception.agency()).to_string(),
            "qr": Fingerprint::of(inception.agency()).qr_payload() },
        "card": { "hex": hex::encode(card.bytes()), "hash": card.hash().to_string() },
        "recovery_card": { "hex": hex::encode(recovered.bytes()), "hash": recovered.hash().to_string() },
        "address_record": { "hex": hex::encode(record.bytes()), "hash": record.hash().to_string() },
        "bad": [
            bad("inception", "truncated", truncated(inception.bytes())),
            bad("inception", "signed by another key", sign(&key(9), live(ObjectKind::Inception), &payload(inception.bytes()))),
            bad("inception", "live in the payload, exercise in typ",
                sign(&key(ROOT), ObjectKind::Inception.typ(Mode::Exercise), &payload(inception.bytes()))),
            bad("inception", "signed as a card", sign(&key(ROOT), live(ObjectKind::Card), &payload(inception.bytes()))),
            bad("inception", "a mode of the future", sign(&key(ROOT), live(ObjectKind::Inception),
                &raw_inception(public(ROOT).as_bytes(), 2))),
            bad("inception", "a root key of small order", sign(&key(ROOT), live(ObjectKind::Inception),
                &raw_inception(&{ let mut point = [0; 32]; point[0] = 1; point }, 0))),
            bad("card", "truncated", truncated(card.bytes())),
            bad("card", "signed by the recovery root without saying so",
                sign(&key(RECOVERY), live(ObjectKind::Card), &payload(card.bytes()))),
            bad("card", "an unknown critical key", sign(&key(ROOT), live(ObjectKind::Card), &critical)),
            bad("address_record", "signed by the root", sign(&key(ROOT), live(ObjectKind::AddressRecord), &payload(record.bytes()))),
            bad("address_record", "truncated", truncated(record.bytes())),
        ],
    })
}

/// Writes the vectors anew where `ENTENTE_REGENERATE` is set: only for a new version of the wire.
#[test]
fn golden_vectors_are_what_the_code_makes() {
    if std::env::var_os("ENTENTE_REGENERATE").is_some() {
        let text = serde_json::to_string_pretty(&vectors()).unwrap();
        std::fs::write(VECTORS, text + "\n").unwrap();
    }
    let stored: Value = serde_json::from_str(&std::fs::read_to_string(VECTORS).unwrap()).unwrap();
    assert_eq!(stored, vectors());
}

#[test]
fn golden_vectors_are_read_as_they_say() {
    let stored: Value = serde_json::from_str(&std::fs::read_to_string(VECTORS).unwrap()).unwrap();
    let bytes = |value: &Value| hex::decode(value["hex"].as_str().unwrap()).unwrap();
    let inception = SignedInception::parse(&bytes(&stored["inception"])).unwrap();
    assert_eq!(stored["inception"]["agency"], inception.agency().to_string());
    assert_eq!(
        Fingerprint::of(inception.agency()).matches(stored["inception"]["fingerprint"].as_str().unwrap()),
        Ok(())
    );
    let card = SignedCard::parse_for(&inception, &bytes(&stored["card"])).unwrap();
    assert_eq!(stored["card"]["hash"], card.hash().to_string());
    let recovered = SignedCard::parse_for(&inception, &bytes(&stored["recovery_card"])).unwrap();
    assert_eq!(recovered.succeeds(&card), Ok(()));
    let record = SignedAddressRecord::parse_for(&card, &bytes(&stored["address_record"])).unwrap();
    assert_eq!(record.record().serial, 1);
    let bad = stored["bad"].as_array().unwrap();
    assert_eq!(bad.len(), 11);
    for case in bad {
        let error = match case["of"].as_str().unwrap() {
            "inception" => SignedInception::parse(&bytes(case)).map(|_| ()),
            "card" => SignedCard::parse_for(&inception, &bytes(case)).map(|_| ()),
            _ => SignedAddressRecord::parse_for(&card, &bytes(case)).map(|_| ()),
        };
        assert_eq!(case["error"], error.unwrap_err().to_string(), "{}", case["why"]);
    }
}
