//! The last rung: each statement on its own.

use entente_protocol::agreement::Terms;
use entente_protocol::entry::ladder::{Envelope, KnownRevision};
use entente_protocol::entry::publish::NewEntry;
use entente_protocol::entry::refusal::{Disposition, Refusal};
use entente_protocol::grading::{Grading, GradingScheme};
use entente_protocol::id::{AgencyId, ReportId};
use entente_protocol::marking::Marking;
use entente_protocol::rules::{Term, Usage};
use entente_protocol::statement::report::{Indicator, Report};
use entente_protocol::typology::Typology;
use entente_protocol::wire::codec::{CodecError, MapWriter};

use super::{NOW, climb, nothing_known, simple, verify, with_header};
use crate::world::{World, at, content_key, on, report, statement, terms};

/// Why the one statement of an entry is not admitted.
fn denied(world: &World, statement: Vec<u8>, slug: &str) -> Refusal {
    let judged = climb(world, &world.entry(0, None, 12, &[statement]), None).unwrap();
    assert!(judged.admitted.is_empty());
    let [not_admitted] = judged.not_admitted.as_slice() else { panic!("one statement, one answer") };
    assert_eq!(not_admitted.refusal.reason().slug, slug);
    not_admitted.refusal.clone()
}

fn denied_report(change: impl FnOnce(&mut Report), slug: &str) -> Refusal {
    let mut changed = report(1);
    change(&mut changed);
    denied(&World::new(terms()), statement(&changed), slug)
}

#[test]
fn another_agencys_report_is_held() {
    let world = World::new(terms());
    let entry = world.entry_of(0, &world.place(None, 12), vec![world.batch(1, &[statement(&report(1))])], None);
    let judged = climb(&world, &entry, None).unwrap();
    let [held] = judged.not_admitted.as_slice() else { panic!("one statement") };
    assert_eq!(held.refusal, Refusal::ForeignOriginator(world.ids[1]));
    assert_eq!((held.refusal.reason().slug, held.refusal.disposition()), ("foreign-originator", Disposition::Held));
    assert_eq!((held.originator, held.report), (world.ids[1], Some(report(1).id)));
}

#[test]
fn a_report_id_and_revision_is_used_once() {
    let world = World::new(terms());
    let entry = simple(&world);
    let judge = |entry: &NewEntry, same_revision: Option<Vec<u8>>, indicator: Option<Indicator>| {
        let verified = verify(&world, entry.header.bytes(), None).unwrap();
        let opened = verified.open(&entry.body, &content_key(), &world.descriptor(0), &world.view(NOW)).unwrap();
        let mut known = |originator: AgencyId, id: ReportId, _: u32| {
            assert_eq!((originator, id), (world.ids[0], report(1).id));
            KnownRevision { same_revision: same_revision.clone(), indicator: indicator.clone() }
        };
        let judged = opened.judge(&world.view(NOW), Usage::default(), &mut known);
        judged.not_admitted.into_iter().map(|not| not.refusal).collect::<Vec<_>>()
    };
    let indicator = report(1).indicator;
    assert_eq!(judge(&entry, Some(statement(&report(1))), Some(indicator.clone())), []);
    assert_eq!(judge(&entry, Some(statement(&report(2))), Some(indicator)), [Refusal::ReportIdReused]);
    let other = report(2).indicator;
    assert_eq!(judge(&entry, None, Some(other)), [Refusal::IndicatorChanged]);
    // One account on another chain is another claim, though a lookup finds both.
    let elsewhere = on("eip155:137", 1);
    assert_eq!(elsewhere.lookup_key(), report(1).indicator.lookup_key());
    assert_eq!(judge(&entry, None, Some(elsewhere)), [Refusal::IndicatorChanged]);

    let twice = world.entry(0, None, 12, &[statement(&report(1)), statement(&report(1))]);
    assert_eq!(judge(&twice, None, None), [Refusal::ReportIdReused]);
    let revision = Report { revision: 1, indicator: on("eip155:1", 2), ..report(1) };
    let astray = world.entry(0, None, 12, &[statement(&report(1)), statement(&revision)]);
    assert_eq!(judge(&astray, None, None), [Refusal::IndicatorChanged]);
    assert_eq!(Refusal::ReportIdReused.reason().slug, "report-id-reused");
    assert_eq!(Refusal::IndicatorChanged.reason().slug, "indicator-changed");
}

#[test]
fn a_statement_is_understood_well_formed_and_not_dated_after_its_entry() {
    let world = World::new(terms());
    let refusal = denied_report(|report| report.created = at(12).plus_ms(1), "dated-after-entry");
    let expected = Refusal::DatedAfterEntry { statement: at(12).plus_ms(1), entry: at(12) };
    assert_eq!(refusal, expected);
    let malformed = denied(&world, vec![0xff], "malformed-statement");
    assert!(matches!(malformed, Refusal::Statement(CodecError::NotCanonical { .. })));
    let of_kind = |kind: u64| MapWriter::new().put(0, &kind).put(1, &0_u64).finish();
    assert_eq!(denied(&world, of_kind(3), "newer-statement"), Refusal::UnknownStatement);
    assert_eq!(denied(&world, of_kind(4), "statement-kind"), Refusal::Term(Term::StatementKind { kind: 4 }));

    let mut newer = MapWriter::new().put(0, &1_u64);
    let good = statement(&report(1));
    newer = newer.put_with(1, |out| {
        out.push(good[4] + 1);
        out.extend_from_slice(&good[5..]);
        out.extend_from_slice(&[16, 0]);
    });
    let refusal = denied(&world, newer.finish(), "newer-statement");
    assert_eq!(refusal, Refusal::UnknownStatement);
    assert_eq!(refusal.disposition(), Disposition::Held);
}

#[test]
fn each_term_of_the_agreement_is_kept() {
    let phishing = Typology::from_wire("urn:other", "phishing").unwrap();
    let term = denied_report(|report| report.typology = phishing.clone(), "typology");
    assert_eq!(term, Refusal::Term(Term::Typology { typology: Some(phishing.clone()) }));
    let term = denied_report(|report| report.indicator = on("eip155:137", 1), "chain");
    assert_eq!(term, Refusal::Term(Term::Chain { chain: "eip155:137".to_owned() }));
    let term = denied_report(|report| report.marking = Marking::AmberStrict, "marking-ceiling");
    let marking = Some(Marking::AmberStrict);
    assert_eq!(term, Refusal::Term(Term::MarkingCeiling { marking, ceiling: Marking::Amber }));
    let admiralty = Grading::parse("admiralty:B2").unwrap();
    let term = denied_report(|report| report.grading = admiralty, "required-grading");
    let (grading, required) = (Some(GradingScheme::Admiralty), GradingScheme::FourByFour);
    assert_eq!(term, Refusal::Term(Term::RequiredGrading { grading, required }));
    let revision = Report { revision: 1, ..report(1) };
    let only_reports = World::new(Terms { kinds: vec![1], ..terms() });
    let term = denied(&only_reports, statement(&revision), "statement-kind");
    assert_eq!(term, Refusal::Term(Term::StatementKind { kind: 2 }));
}

#[test]
fn retention_and_quotas_are_kept() {
    let world = World::new(terms());
    let delete_after = at(12 + 24 * 100).plus_ms(1);
    let kept_on = with_header(&simple(&world), 0, |header| header.delete_after = delete_after);
    let judged = climb(&world, &kept_on, None).unwrap();
    let term = Term::Retention { delete_after, created: at(12), days: 100 };
    assert_eq!(judged.not_admitted[0].refusal, Refusal::Term(term));

    let statements: Vec<_> = (1..10).map(|id| statement(&report(id))).collect();
    let entry = world.entry(0, None, 12, &statements);
    let judged = climb(&world, &entry, None).unwrap();
    assert_eq!((judged.admitted.len(), judged.not_admitted.len()), (8, 1));
    assert_eq!(judged.not_admitted[0].refusal, Refusal::Term(Term::QuotaStatements { quota: 8 }));
    let head = judged.verified.head();
    let next_day = world.entry(0, Some(head), 12 + 12, &statements[..1]);
    let verified = Envelope::parse(next_day.header.bytes()).unwrap().verify(&world.view(24), Some(&head)).unwrap();
    let opened = verified.open(&next_day.body, &content_key(), &world.descriptor(0), &world.view(24)).unwrap();
    assert_eq!(opened.judge(&world.view(24), judged.usage, &mut nothing_known).admitted.len(), 1);

    let bytes = statements[0].len() as u64;
    let narrow = World::new(Terms { bytes_per_day: 2 * bytes - 1, ..terms() });
    let judged = climb(&narrow, &narrow.entry(0, None, 12, &statements[..2]), None).unwrap();
    let term = Term::QuotaBytes { bytes, used: bytes, quota: 2 * bytes - 1 };
    assert_eq!(judged.not_admitted[0].refusal, Refusal::Term(term));
}
