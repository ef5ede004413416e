//! That `README.md` names every `typ`, reason, bound, tag and value that the code has, with what the code says of it.

use std::fs;
use std::path::Path;

use entente_protocol::address::AddressError;
use entente_protocol::agreement::NotInForce;
use entente_protocol::agreement::version::RULES;
use entente_protocol::crypto::{OpenError, SignError};
use entente_protocol::entry::refusal::{Disposition, Refusal};
use entente_protocol::grading::GradingScheme;
use entente_protocol::handling::Precedence;
use entente_protocol::id::{AgencyId, Hash, Mode, VersionHash};
use entente_protocol::indicator::Kind;
use entente_protocol::limits;
use entente_protocol::marking::Marking;
use entente_protocol::rules::Term;
use entente_protocol::statement::batch::BatchError;
use entente_protocol::statement::details::{Pap, Role};
use entente_protocol::statement::kind::StatementKind;
use entente_protocol::sync::limits as sync;
use entente_protocol::time::Time;
use entente_protocol::typology;
use entente_protocol::wire::attest::ObjectError;
use entente_protocol::wire::codec::{CodecError, FIRST_IGNORABLE_KEY, MAX_DEPTH};
use entente_protocol::wire::object::ObjectKind;

const README: &str = include_str!("../../README.md");
const LIMITS: &str = include_str!("../../src/limits.rs");

/// The cells of every row of every table.
fn rows() -> Vec<Vec<&'static str>> {
    let lines = README.lines().filter(|line| line.starts_with('|'));
    lines.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

fn has_row(begins: &[&str]) -> bool {
    rows()
        .iter()
        .any(|row| row.len() >= begins.len() && row.iter().zip(begins).all(|(cell, expected)| cell == expected))
}

/// Whether the page says this, wherever its lines break.
fn names(text: &str) -> bool {
    README.split_whitespace().collect::<Vec<_>>().join(" ").contains(text)
}

#[test]
fn every_typ_stands_in_its_row() {
    for kind in ObjectKind::ALL {
        let typ = |mode| format!("`{}`", kind.typ(mode));
        let name = kind.typ(Mode::Live).split('.').nth(1).unwrap().replace('-', " ");
        let row = [&kind.number().to_string(), name.as_str(), &typ(Mode::Live), &typ(Mode::Exercise)];
        assert!(has_row(&row), "{row:?}");
    }
}

/// One refusal of each reason.
fn refusals() -> Vec<Refusal> {
    let (agency, version) = (AgencyId(Hash::default()), VersionHash(Hash::default()));
    let held = CodecError::UnknownCritical(1);
    let at = Time::default();
    let terms = [
        Term::NotAParty { author: agency },
        Term::DoesNotContribute { author: agency },
        Term::Validity { created: at, from: at, until: at },
        Term::StatementKind { kind: 0 },
        Term::Typology { typology: None },
        Term::Chain { chain: String::new() },
        Term::MarkingCeiling { marking: None, ceiling: Marking::Red },
        Term::RequiredGrading { grading: None, required: GradingScheme::Admiralty },
        Term::Retention { delete_after: at, created: at, days: 0 },
        Term::QuotaStatements { quota: 0 },
        Term::QuotaBytes { bytes: 0, used: 0, quota: 0 },
    ];
    let protocol = [
        Refusal::Header(ObjectError::Codec(CodecError::Missing(0))),
        Refusal::Header(ObjectError::UnknownTyp),
        Refusal::Header(ObjectError::Sign(SignError::BadSignature)),
        Refusal::Content(CodecError::Missing(0)),
        Refusal::Content(held),
        Refusal::Mode,
        Refusal::UnknownVersion(version),
        Refusal::NotAParty(agency),
        Refusal::UnknownCard { agency, serial: 1 },
        Refusal::NoKey { agency, serial: 1, writer: 0 },
        Refusal::NotInForce(NotInForce::Ended { ended: at, at }),
        Refusal::NotInForce(NotInForce::Unknown(version)),
        Refusal::FutureDated { created: at, now: at },
        Refusal::Gap { expected: 0, found: 1 },
        Refusal::Taken(0),
        Refusal::OtherBranch { expected: Hash::default(), found: Hash::default() },
        Refusal::Disowned(None),
        Refusal::CreatedFalls { head: at, found: at },
        Refusal::VersionFalls,
        Refusal::BodyLength { expected: 0, found: 1 },
        Refusal::BodyHash,
        Refusal::NoContentKey,
        Refusal::ForeignContentKey,
        Refusal::Sealed(OpenError::WrongKey),
        Refusal::Unpacked,
        Refusal::Padding,
        Refusal::TooManyStatements { found: 0 },
        Refusal::Commitment,
        Refusal::Opening,
        Refusal::Batch(BatchError::Root),
        Refusal::Statement(CodecError::Missing(0)),
        Refusal::UnknownStatement,
        Refusal::ForeignOriginator(agency),
        Refusal::ReportIdReused,
        Refusal::IndicatorChanged,
        Refusal::DatedAfterEntry { statement: at, entry: at },
    ];
    protocol.into_iter().chain(terms.into_iter().map(Refusal::Term)).collect()
}

#[test]
fn every_reason_stands_in_its_row() {
    let refusals = refusals();
    let numbers: Vec<u32> = refusals.iter().map(|refusal| refusal.reason().number).collect();
    let expected: Vec<u32> = (1..=36).chain(64..=74).collect();
    assert_eq!(numbers, expected);
    for refusal in refusals {
        let reason = refusal.reason();
        let (number, slug) = (reason.number.to_string(), format!("`{}`", reason.slug));
        let disposition = match reason.disposition {
            Disposition::Refused => "refused",
            Disposition::Held => "held",
            Disposition::Early => "early",
        };
        let term = reason.number >= 64;
        let row = if term { vec![number.as_str(), &slug] } else { vec![number.as_str(), &slug, disposition] };
        assert!(has_row(&row), "{row:?}");
    }
}

#[test]
fn every_bound_stands_in_its_row() {
    let values: &[(&str, u64)] = &[
        ("HEADER_BYTES", limits::HEADER_BYTES as u64),
        ("BODY_BYTES", limits::BODY_BYTES as u64),
        ("UNPACKED_BYTES", limits::UNPACKED_BYTES as u64),
        ("STATEMENTS_PER_ENTRY", limits::STATEMENTS_PER_ENTRY as u64),
        ("STATEMENT_BYTES", limits::STATEMENT_BYTES as u64),
        ("BATCHES_PER_ENTRY", limits::BATCHES_PER_ENTRY as u64),
        ("OBJECT_BYTES", limits::OBJECT_BYTES as u64),
        ("RECEIPT_BYTES", limits::RECEIPT_BYTES as u64),
        ("WRAP_BYTES", limits::WRAP_BYTES as u64),
        ("PARTIES", limits::PARTIES as u64),
        ("NODES_PER_CARD", limits::NODES_PER_CARD as u64),
        ("REVOKED_KEYS", limits::REVOKED_KEYS as u64),
        ("AGREEMENT_KEYS_PER_CARD", limits::AGREEMENT_KEYS_PER_CARD as u64),
        ("TRANSPORT_KEYS_PER_NODE", limits::TRANSPORT_KEYS_PER_NODE as u64),
        ("ADDRESSES_PER_NODE", limits::ADDRESSES_PER_NODE as u64),
        ("ADDRESS_BYTES", limits::ADDRESS_BYTES as u64),
        ("KIND_BYTES", limits::KIND_BYTES as u64),
        ("CARDS_BYTES_PER_AGENCY", limits::CARDS_BYTES_PER_AGENCY as u64),
        ("CARD_FILE_BYTES", limits::CARD_FILE_BYTES as u64),
        ("CARDS_PER_FILE", limits::CARDS_PER_FILE as u64),
        ("SHORT_TEXT_BYTES", limits::SHORT_TEXT_BYTES as u64),
        ("LONG_TEXT_BYTES", limits::LONG_TEXT_BYTES as u64),
        ("TERMS_PER_LIST", limits::TERMS_PER_LIST as u64),
        ("RELIANCES", limits::RELIANCES as u64),
        ("OBJECTS_WAITING", limits::OBJECTS_WAITING as u64),
        ("GENERATIONS", limits::GENERATIONS as u64),
        ("LOGS_PER_RECEIPT", limits::LOGS_PER_RECEIPT as u64),
        ("RETRACTIONS_PER_RECEIPT", limits::RETRACTIONS_PER_RECEIPT as u64),
        ("REFUSALS_PER_RECEIPT", limits::REFUSALS_PER_RECEIPT as u64),
        ("INLINE_BODY_BYTES", limits::INLINE_BODY_BYTES as u64),
        ("CHAIN_BYTES", limits::CHAIN_BYTES as u64),
        ("CANONICAL_ADDRESS_BYTES", limits::CANONICAL_ADDRESS_BYTES as u64),
        ("CANONICAL_INDICATOR_BYTES", limits::CANONICAL_INDICATOR_BYTES as u64),
        ("AMOUNTS", limits::AMOUNTS as u64),
        ("EVIDENCE", limits::EVIDENCE as u64),
        ("TERMS_PER_REPORT", limits::TERMS_PER_REPORT as u64),
        ("BUNDLE_PART_BYTES", limits::BUNDLE_PART_BYTES as u64),
        ("BUNDLED", limits::BUNDLED as u64),
        ("RETENTION_DAYS", u64::from(limits::RETENTION_DAYS)),
        ("GRACE_MS", limits::GRACE_MS),
        ("CLOCK_AHEAD_MS", limits::CLOCK_AHEAD_MS),
    ];
    for (name, value) in values {
        let row = [format!("`{name}`"), value.to_string()];
        assert!(has_row(&[&row[0], &row[1]]), "{row:?}");
    }
    let of_source = LIMITS.lines().filter_map(|line| line.strip_prefix("pub const ")?.split(':').next());
    for name in of_source {
        assert!(values.iter().any(|(listed, _)| *listed == name), "{name} is not compared here");
    }
    for row in rows().iter().filter(|row| row[0].starts_with('`') && row[0].ends_with("S`")) {
        assert!(values.iter().any(|(name, _)| row[0] == format!("`{name}`")), "{row:?} is no bound");
    }
}

#[test]
fn numbers_within_the_text_are_those_of_the_code() {
    assert!(names(&format!("at most {} (the last", Time::MAX.ms())));
    assert!(names(&format!("A key below {FIRST_IGNORABLE_KEY} is *critical*")));
    assert!(names(&format!("nested more than {MAX_DEPTH} deep")));
    assert!(names(&format!("rules version: {RULES}")));
    assert!(names(&format!("at most {} bytes, responses {}", sync::REQUEST_BYTES, sync::RESPONSE_BYTES)));
    assert!(names(&format!("at most {} key ids", sync::KEYS_PER_REQUEST)));
    assert!(names(&format!("ascending by scope, at most {}", sync::SCOPES_PER_HELLO)));
    assert!(names(&format!("ascending by log, at most {}", sync::HEADS_PER_PAGE)));
    assert!(names(&format!("ascending, at most {} |", sync::FEED_ITEMS)));
    assert!(names(&format!("at most {} hashes are asked", sync::OBJECTS_PER_REQUEST)));
    assert!(names(&format!("at most {}, from the first asked on", sync::ENTRIES_PER_PAGE)));
    assert!(names(&format!("URI (at most {} bytes)", typology::MAX_SCHEME_BYTES)));
    assert!(names(&format!("id (at most {})", typology::MAX_ID_BYTES)));
    assert!(names(&format!("canonical form has at most {} bytes", entente_protocol::address::MAX_CANONICAL_BYTES)));
    assert!(names(&format!("from 1 to {}", entente_protocol::address::MAX_EVM_NUMBER)));
    let too_long = "x".repeat(entente_protocol::address::MAX_CANONICAL_BYTES + 1);
    let refused = entente_protocol::address::Address::from_wire("eip155:1", &too_long);
    assert_eq!(refused, Err(AddressError::TooLong { bytes: too_long.len() }));
}

#[test]
fn every_word_and_number_of_the_scales_is_named() {
    for kind in StatementKind::ALL {
        assert!(has_row(&[&kind.number().to_string(), kind.word()]));
    }
    for marking in Marking::ALL {
        assert!(names(&format!("{} {}", marking.to_wire(), marking.word())));
    }
    for precedence in Precedence::ALL {
        assert!(names(&format!("{} {}", precedence.to_wire(), precedence.word())));
    }
    for role in Role::ALL {
        assert!(names(&format!("{} {}", role.to_wire(), role.word())));
    }
    for pap in Pap::ALL {
        assert!(names(&format!("{} {}", pap.to_wire(), pap.word())));
    }
    for kind in Kind::ALL {
        assert!(has_row(&[&kind.number().to_string(), kind.word()]), "{kind}");
    }
    for scheme in GradingScheme::ALL {
        assert!(has_row(&[&scheme.to_wire().to_string(), scheme.name()]));
    }
    assert!(names(&format!("`{}`", typology::SCHEME)));
    for (id, _) in typology::KNOWN {
        assert!(names(&format!("`{id}`")), "{id}");
    }
}

#[test]
fn every_domain_tag_of_the_source_is_named_and_used() {
    let mut found = Vec::new();
    tags(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut found);
    found.sort();
    found.dedup();
    for tag in &found {
        assert!(has_row(&[&format!("`{tag}`")]), "{tag}");
    }
    for row in rows().iter().filter(|row| row[0].starts_with("`entente.")) {
        assert!(found.contains(&row[0].trim_matches('`').to_owned()), "{row:?}");
    }
}

/// The quoted texts `entente.….v1` of all files below a folder, outside their tests.
fn tags(folder: &Path, found: &mut Vec<String>) {
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            tags(&path, found);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let source = text.split("#[cfg(test)]").next().unwrap();
        let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
        let quoted = code.flat_map(|line| line.split('"').skip(1).step_by(2));
        found.extend(
            quoted
                .filter(|text| text.starts_with("entente.") && text.rsplit('.').next() == Some("v1"))
                .map(str::to_owned),
        );
    }
}
