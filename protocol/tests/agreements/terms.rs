//! Each term permitted, denied, and at its boundary; and in plain words.

use entente_protocol::agreement::{Onward, Party, SignedVersion, Terms, Version, VersionFault, explain};
use entente_protocol::grading::GradingScheme;
use entente_protocol::handling::Handling;
use entente_protocol::id::AgencyId;
use entente_protocol::marking::Marking;
use entente_protocol::rules::{StatementFacts, Term, Unsettled, Usage, Verdict, release};
use entente_protocol::time::Time;
use entente_protocol::typology::Typology;

use super::make::{MODE, agency, at, child, first, key, propose, terms};

const NOW: u64 = 20;

fn typology(word: &str) -> Typology {
    Typology::parse(word).unwrap()
}

/// A report that every term of [`version`] permits at [`NOW`].
fn report(typology: &Typology) -> StatementFacts<'_> {
    StatementFacts {
        kind: 1,
        originator: agency(0),
        typology: Some(typology),
        chain: Some("eip155:1"),
        marking: Some(Marking::Amber),
        grading: Some(GradingScheme::FourByFour),
        bytes: 100,
        delete_after: at(NOW).plus_days(365),
    }
}

/// Agency 1 contributes only, agency 2 receives only.
fn version(terms: Terms) -> Version {
    let mut version = Version { terms, ..first(&[0, 1, 2]) };
    version.parties[1].receive = false;
    version.parties[2].contribute = false;
    version
}

fn judge(facts: &StatementFacts<'_>, terms: Terms) -> Verdict {
    release(facts, &version(terms), agency(0), at(NOW), Usage::default())
}

fn judge_author(author: AgencyId, created: Time) -> Verdict {
    let ransomware = typology("ransomware");
    let facts = StatementFacts { originator: author, delete_after: created, ..report(&ransomware) };
    release(&facts, &version(terms()), author, created, Usage::default())
}

#[test]
fn parties_that_contribute_publish() {
    assert_eq!(judge_author(agency(0), at(NOW)), Verdict::Permit);
    assert_eq!(judge_author(agency(1), at(NOW)), Verdict::Permit);
    let author = agency(2);
    assert_eq!(judge_author(author, at(NOW)), Verdict::Denial(Term::DoesNotContribute { author }));
    let author = agency(3);
    assert_eq!(judge_author(author, at(NOW)), Verdict::Denial(Term::NotAParty { author }));
}

#[test]
fn validity_begins_at_its_first_moment_and_ends_before_its_last() {
    let (from, until) = (at(10), at(10_000));
    let outside = |created| Verdict::Denial(Term::Validity { created, from, until });
    assert_eq!(judge_author(agency(0), from), Verdict::Permit);
    assert_eq!(judge_author(agency(0), from.minus_ms(1)), outside(from.minus_ms(1)));
    assert_eq!(judge_author(agency(0), until.minus_ms(1)), Verdict::Permit);
    assert_eq!(judge_author(agency(0), until), outside(until));
}

#[test]
fn a_child_is_valid_from_when_it_takes_effect() {
    let ransomware = typology("ransomware");
    let root: SignedVersion = propose(first(&[0, 1]));
    let next = child(&root, &[0, 1], 100, 1);
    let judge = |created| release(&report(&ransomware), &next, agency(0), created, Usage::default());
    assert_eq!(judge(at(100)), Verdict::Permit);
    let early = Term::Validity { created: at(99), from: at(100), until: at(10_000) };
    assert_eq!(judge(at(99)), Verdict::Denial(early));
}

#[test]
fn only_kinds_listed_pass_and_unknown_ones_that_are_listed_are_held() {
    let ransomware = typology("ransomware");
    let of_kind = |kind| StatementFacts { kind, ..report(&ransomware) };
    assert_eq!(judge(&of_kind(2), terms()), Verdict::Permit);
    assert_eq!(judge(&of_kind(3), terms()), Verdict::Denial(Term::StatementKind { kind: 3 }));
    assert_eq!(judge(&of_kind(99), terms()), Verdict::Denial(Term::StatementKind { kind: 99 }));
    let later = Terms { kinds: vec![1, 99], ..terms() };
    assert_eq!(judge(&of_kind(99), later), Verdict::Hold(Unsettled::Kind(99)));
}

#[test]
fn only_typologies_listed_pass() {
    let (ransomware, scam) = (typology("ransomware"), Typology::from_wire("urn:other", "scam").unwrap());
    let listed = || Terms { typologies: vec![typology("ransomware")], ..terms() };
    assert_eq!(judge(&report(&ransomware), listed()), Verdict::Permit);
    assert_eq!(judge(&report(&scam), terms()), Verdict::Permit);
    let denied = Verdict::Denial(Term::Typology { typology: Some(scam.clone()) });
    assert_eq!(judge(&report(&scam), listed()), denied);
    let without = StatementFacts { typology: None, ..report(&scam) };
    assert_eq!(judge(&without, listed()), Verdict::Denial(Term::Typology { typology: None }));
    let opinion = StatementFacts { kind: 4, ..without };
    assert_eq!(judge(&opinion, Terms { kinds: vec![4], ..listed() }), Verdict::Permit);
}

#[test]
fn only_chains_listed_pass() {
    let ransomware = typology("ransomware");
    let listed = || Terms { chains: vec!["eip155:1".to_owned()], ..terms() };
    assert_eq!(judge(&report(&ransomware), listed()), Verdict::Permit);
    let other = StatementFacts { chain: Some("eip155:10"), ..report(&ransomware) };
    assert_eq!(judge(&other, terms()), Verdict::Permit);
    assert_eq!(judge(&other, listed()), Verdict::Denial(Term::Chain { chain: "eip155:10".to_owned() }));
    let no_address = StatementFacts { chain: None, ..report(&ransomware) };
    assert_eq!(judge(&no_address, listed()), Verdict::Permit);
}

#[test]
fn nothing_above_the_marking_ceiling_passes() {
    let ransomware = typology("ransomware");
    for marking in Marking::ALL {
        for ceiling in Marking::ALL {
            let facts = StatementFacts { marking: Some(marking), ..report(&ransomware) };
            let verdict = judge(&facts, Terms { marking_ceiling: ceiling, ..terms() });
            let above = Verdict::Denial(Term::MarkingCeiling { marking: Some(marking), ceiling });
            assert_eq!(verdict, if marking > ceiling { above } else { Verdict::Permit });
        }
    }
    let unmarked = StatementFacts { marking: None, ..report(&ransomware) };
    let denied = Term::MarkingCeiling { marking: None, ceiling: Marking::Amber };
    assert_eq!(denied.to_string(), "the marking is not stated, and the marking ceiling of the agreement TLP:AMBER");
    assert_eq!(denied.slug(), "marking-ceiling");
    assert_eq!(judge(&unmarked, terms()), Verdict::Denial(denied));
}

#[test]
fn reports_are_graded_in_the_scheme_required() {
    let ransomware = typology("ransomware");
    let required = GradingScheme::Admiralty;
    let admiralty = || Terms { required_grading: Some(required), ..terms() };
    let graded = |grading| StatementFacts { grading, ..report(&ransomware) };
    assert_eq!(judge(&graded(Some(required)), admiralty()), Verdict::Permit);
    for grading in [Some(GradingScheme::FourByFour), None] {
        assert_eq!(judge(&graded(grading), terms()), Verdict::Permit);
        let denied = Verdict::Denial(Term::RequiredGrading { grading, required });
        assert_eq!(judge(&graded(grading), admiralty()), denied);
    }
}

#[test]
fn nothing_is_kept_beyond_the_retention_maximum() {
    let ransomware = typology("ransomware");
    let last = at(NOW).plus_days(365);
    let until = |delete_after| StatementFacts { delete_after, ..report(&ransomware) };
    assert_eq!(judge(&until(last), terms()), Verdict::Permit);
    let delete_after = last.plus_ms(1);
    let denied = Term::Retention { delete_after, created: at(NOW), days: 365 };
    assert_eq!(judge(&until(delete_after), terms()), Verdict::Denial(denied));
}

#[test]
fn quotas_are_counted_by_day() {
    let ransomware = typology("ransomware");
    let limited = || version(Terms { statements_per_day: 2, bytes_per_day: 250, ..terms() });
    let judge = |bytes, usage| {
        let facts = StatementFacts { bytes, ..report(&ransomware) };
        release(&facts, &limited(), agency(0), at(NOW), usage)
    };
    let today = at(NOW).day();
    let mut usage = Usage::default();
    usage.add(today, 100);
    assert_eq!(usage, Usage { day: today, statements: 1, bytes: 100 });
    assert_eq!(judge(150, usage), Verdict::Permit);
    let full = Term::QuotaBytes { bytes: 151, used: 100, quota: 250 };
    assert_eq!(judge(151, usage), Verdict::Denial(full));
    assert!(matches!(judge(u64::MAX, usage), Verdict::Denial(Term::QuotaBytes { .. })));
    usage.add(today, 10);
    assert_eq!(judge(1, usage), Verdict::Denial(Term::QuotaStatements { quota: 2 }));
    let yesterday = Usage { day: today - 1, ..usage };
    assert_eq!(judge(250, yesterday), Verdict::Permit);
    usage.add(today + 1, 5);
    assert_eq!(usage, Usage { day: today + 1, statements: 1, bytes: 5 });
    usage.add(today, 5);
    assert_eq!(usage, Usage { day: today + 1, statements: 2, bytes: 10 }, "no way back to a fresh day");
}

#[test]
fn what_others_made_is_held_whatever_the_onward_rule() {
    let ransomware = typology("ransomware");
    let (originator, author) = (agency(9), agency(0));
    let facts = StatementFacts { originator, ..report(&ransomware) };
    for onward in Onward::ALL {
        let verdict = judge(&facts, Terms { onward: *onward, ..terms() });
        assert_eq!(verdict, Verdict::Hold(Unsettled::ForeignOriginator { originator, author }));
    }
}

#[test]
fn handling_codes_hold_by_default_only() {
    let terms = Terms { handling: vec![Handling::NotInCourt], ..terms() };
    assert_eq!(terms.handling_of(&[]), [Handling::NotInCourt]);
    assert_eq!(terms.handling_of(&[Handling::Crime]), [Handling::Crime]);
}

#[test]
fn a_draft_that_breaks_a_rule_of_form_cannot_be_proposed() {
    let good = || first(&[0, 1]);
    let with = |change: fn(&mut Version)| {
        let mut version = good();
        change(&mut version);
        version.propose(MODE, &key(0)).map(|_| ())
    };
    assert_eq!(with(|_| ()), Ok(()));
    assert_eq!(with(|v| v.ends = true), Err(VersionFault::Lineage));
    assert_eq!(with(|v| v.effective_from = Some(at(20))), Err(VersionFault::Lineage));
    assert_eq!(with(|v| v.title.clear()), Err(VersionFault::Text { key: 3 }));
    assert_eq!(with(|v| v.purpose.push('\u{7}')), Err(VersionFault::Text { key: 4 }));
    assert_eq!(with(|v| v.parties.truncate(1)), Err(VersionFault::PartyCount { found: 1 }));
    assert_eq!(with(|v| v.parties.reverse()), Err(VersionFault::PartyOrder));
    assert_eq!(with(|v| v.parties[1] = v.parties[0]), Err(VersionFault::PartyOrder));
    assert_eq!(
        with(|v| v.parties[1] = Party { contribute: false, receive: false, ..v.parties[1] }),
        Err(VersionFault::Roles)
    );
    assert_eq!(with(|v| v.parties.iter_mut().for_each(|p| p.receive = false)), Err(VersionFault::Roles));
    assert_eq!(with(|v| v.proposer = agency(5)), Err(VersionFault::Proposer));
    assert_eq!(with(|v| v.terms.kinds.clear()), Err(VersionFault::List { key: 0 }));
    assert_eq!(with(|v| v.terms.kinds = vec![2, 1]), Err(VersionFault::List { key: 0 }));
    assert_eq!(with(|v| v.terms.chains = vec!["bitcoin".to_owned()]), Err(VersionFault::Chain));
    assert_eq!(with(|v| v.terms.retention_days = 0), Err(VersionFault::Retention { days: 0 }));
    assert_eq!(with(|v| v.terms.retention_days = 3651), Err(VersionFault::Retention { days: 3651 }));
    assert_eq!(with(|v| v.terms.statements_per_day = 0), Err(VersionFault::Quota));
    assert_eq!(with(|v| v.valid_until = v.valid_from), Err(VersionFault::Order));
    assert_eq!(with(|v| v.created = v.valid_until), Err(VersionFault::Order));
    assert_eq!(with(|v| v.grace_ms = u64::MAX), Err(VersionFault::Grace { ms: u64::MAX }));
    assert_eq!(with(|v| v.run_off_days = 3651), Err(VersionFault::RunOff { days: 3651 }));
}

#[test]
fn an_agreement_explains_itself() {
    let full = Terms {
        typologies: vec![typology("ransomware")],
        chains: vec!["eip155:1".to_owned()],
        handling: vec![Handling::Crime],
        required_grading: Some(GradingScheme::FourByFour),
        ..terms()
    };
    let name_of = |agency: AgencyId| format!("Unit {}", agency.as_bytes()[0] - 0x10);
    let expected = [
        "Under \"Ransomware wallets\", statements are shared for this purpose: Tracing ransom payments.",
        "The legal basis is Memorandum of 2026.",
        "Unit 0 contributes and receives.",
        "Unit 1 contributes only.",
        "Unit 2 receives only.",
        "Shared are statements of these kinds: report and revision.",
        "They concern these typologies of crime only: ransomware.",
        "Addresses are on these chains only: eip155:1.",
        "Nothing is shared that is marked more strictly than TLP:AMBER.",
        "Reports are graded in the scheme 4x4.",
        "Where a statement carries no handling code, this holds: H0.",
        "What is received is never passed on under another agreement.",
        "Whoever joins later does not receive what was shared before.",
        "Each log carries at most 1,000,000 statements and 1,073,741,824 bytes a UTC day.",
        "Statements are deleted at the latest 365 days after they were published.",
        "It is valid from 2026-01-01 10:00 UTC until 2027-02-21 16:00 UTC.",
        "It takes effect when all parties have signed.",
        "Retractions still reach those who leave, and all parties after the end, for 90 days.",
        "Unit 0 proposed this on 2026-01-01 00:00 UTC.",
    ];
    assert_eq!(explain(&version(full), &name_of), expected);
    let root = propose(first(&[0, 1]));
    let end = Version { ends: true, ..child(&root, &[0, 1], 100, 1) };
    assert_eq!(
        explain(&end, &name_of)[..2],
        [
            "This version of \"Ransomware wallets\" ends the agreement on 2026-01-05 04:00 UTC.",
            "Statements published under it until then are still accepted for 1 day.",
        ]
    );
}
