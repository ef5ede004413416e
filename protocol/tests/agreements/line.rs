//! Which version is in force, who may publish, sign and reject, and what an entry may name.

use entente_protocol::agreement::{
    Act, Agreement, ContradictionKind, Fed, FeedError, MayNot, NotInForce, Reliance, Signature, SignedVersion, State,
    Version,
};
use entente_protocol::id::{AgencyId, Hash, Mode, VersionHash};
use entente_protocol::wire::attest::Attested;

use super::make::{MODE, agency, agreement, all_sign, at, child, first, key, leaves, no, propose, yes, yes_relying};

/// Three parties whose first version all signed by hour 12.
fn three() -> (SignedVersion, Agreement) {
    let root = propose(first(&[0, 1, 2]));
    let agreement = agreement(&root, all_sign(&root, &[0, 1, 2], 12));
    (root, agreement)
}

fn name(of: Option<&SignedVersion>) -> Option<VersionHash> {
    of.map(SignedVersion::name)
}

#[test]
fn a_first_version_is_in_force_from_the_last_signature() {
    let root = propose(first(&[0, 1]));
    let mut agreement = agreement(&root, [yes(&root, 0, 11)]);
    let missing = vec![agency(1)];
    assert_eq!(agreement.state_of(root.name(), at(20)), Some(State::Proposed { missing: missing.clone() }));
    assert_eq!(agreement.may_publish(agency(0), at(20)).err(), Some(NotInForce::NotAgreed { missing }));
    assert_eq!(agreement.feed(yes(&root, 1, 30)), Ok(Fed::New));
    assert_eq!(agreement.feed(yes(&root, 1, 30)), Ok(Fed::Known));
    assert_eq!(agreement.state_of(root.name(), at(29)), Some(State::Agreed { from: at(30) }));
    assert_eq!(agreement.state_of(root.name(), at(30)), Some(State::InForce { since: at(30) }));
    assert_eq!(name(agreement.in_force(at(30).minus_ms(1))), None);
    assert_eq!(name(agreement.in_force(at(30))), Some(root.name()));
    assert_eq!(name(agreement.in_force(at(10_000).minus_ms(1))), Some(root.name()));
    assert_eq!(name(agreement.in_force(at(10_000))), None);
    assert_eq!(agreement.state_of(root.name(), at(10_000)), Some(State::Ended { at: at(10_000) }));
}

#[test]
fn a_signature_counts_by_its_date_not_by_its_arrival() {
    let root = propose(first(&[0, 1]));
    let in_time = agreement(&root, [yes(&root, 0, 11), yes(&root, 1, 9_999)]);
    assert_eq!(in_time.state_of(root.name(), at(20_000)), Some(State::Ended { at: at(10_000) }));
    let late = agreement(&root, [yes(&root, 0, 11), yes(&root, 1, 10_000)]);
    assert_eq!(late.state_of(root.name(), at(9_999)), Some(State::Proposed { missing: vec![agency(1)] }));
    assert_eq!(late.state_of(root.name(), at(10_000)), Some(State::Lapsed));
}

#[test]
fn a_child_replaces_its_parent_with_grace() {
    let (root, mut agreement) = three();
    let next = propose(child(&root, &[0, 1, 2], 100, 1));
    agreement.feed(Act::Version(next.clone())).unwrap();
    for by in 0..3 {
        assert_eq!(agreement.may_sign(agency(by), next.name(), at(50)), Ok(Vec::new()));
        agreement.feed(yes(&next, by, 50)).unwrap();
    }
    assert_eq!(agreement.state_of(next.name(), at(99)), Some(State::Agreed { from: at(100) }));
    assert_eq!(name(agreement.in_force(at(100).minus_ms(1))), Some(root.name()));
    assert_eq!(name(agreement.in_force(at(100))), Some(next.name()));
    assert_eq!(agreement.state_of(root.name(), at(100)), Some(State::Closed { at: at(124) }));
    let last = at(124).minus_ms(1);
    assert!(agreement.permits_entry(root.name(), agency(0), last).is_ok());
    let closed = NotInForce::Closed { closed: at(124), at: at(124) };
    assert_eq!(agreement.permits_entry(root.name(), agency(0), at(124)).err(), Some(closed));
    let early = NotInForce::NotYet { from: at(100), at: at(99) };
    assert_eq!(agreement.permits_entry(next.name(), agency(0), at(99)).err(), Some(early));
    assert!(agreement.permits_entry(next.name(), agency(0), at(100)).is_ok());
    let unknown = VersionHash::from_bytes([9; 32]);
    assert_eq!(agreement.permits_entry(unknown, agency(0), last).err(), Some(NotInForce::Unknown(unknown)));
    let stranger = NotInForce::NotAParty { agency: agency(5) };
    assert_eq!(agreement.permits_entry(next.name(), agency(5), at(100)).err(), Some(stranger));
}

#[test]
fn one_rejection_kills_and_frees_the_others() {
    let (root, mut agreement) = three();
    let one = propose(child(&root, &[0, 1, 2], 100, 1));
    let two = propose(child(&root, &[0, 1, 2], 100, 2));
    agreement.feed_all([Act::Version(one.clone()), Act::Version(two.clone()), yes(&one, 0, 50)]);
    let other = one.name();
    assert_eq!(agreement.may_sign(agency(0), two.name(), at(51)), Err(MayNot::SignedAnother { other }));
    assert_eq!(agreement.may_sign(agency(1), two.name(), at(51)), Ok(Vec::new()));
    assert_eq!(agreement.may_reject(agency(0), one.name()), Err(MayNot::Signed));
    assert_eq!(agreement.may_reject(agency(2), one.name()), Ok(()));
    let rejection = no(&one, 2, 52);
    agreement.feed(rejection.clone()).unwrap();
    assert_eq!(agreement.state_of(one.name(), at(53)), Some(State::Rejected { by: agency(2) }));
    assert_eq!(agreement.may_sign(agency(1), one.name(), at(53)), Err(MayNot::Dead { by: agency(2) }));
    let Act::Rejection(rejection) = rejection else { unreachable!() };
    let reliance = Reliance { version: one.name(), rejection: rejection.hash() };
    assert_eq!(agreement.may_sign(agency(0), two.name(), at(53)), Ok(vec![reliance]));
    agreement.feed_all([yes_relying(&two, 0, 53, vec![reliance]), yes(&two, 1, 53), yes(&two, 2, 53)]);
    assert_eq!(name(agreement.in_force(at(100))), Some(two.name()));
    assert_eq!(agreement.contradictions(), []);
}

#[test]
fn a_signer_in_doubt_stops_publishing_after_the_grace() {
    let (root, mut agreement) = three();
    let next = propose(child(&root, &[0, 1, 2], 100, 1));
    agreement.feed_all([Act::Version(next.clone()), yes(&next, 0, 50), yes(&next, 1, 50)]);
    assert_eq!(name(agreement.may_publish(agency(0), at(124).minus_ms(1)).ok()), Some(root.name()));
    let doubt = NotInForce::Undecided { agency: agency(0), child: next.name() };
    assert_eq!(agreement.may_publish(agency(0), at(124)).err(), Some(doubt));
    assert_eq!(name(agreement.may_publish(agency(2), at(124)).ok()), Some(root.name()), "it has not signed");
    let mut refused = agreement.clone();
    refused.feed(no(&next, 2, 300)).unwrap();
    assert_eq!(name(refused.may_publish(agency(0), at(301)).ok()), Some(root.name()));
    agreement.feed(yes(&next, 2, 99)).unwrap();
    assert_eq!(name(agreement.may_publish(agency(0), at(301)).ok()), Some(next.name()), "it was only under way");
}

#[test]
fn signatures_on_a_child_are_dated_before_it_takes_effect() {
    let (root, mut agreement) = three();
    let next = propose(child(&root, &[0, 1, 2], 100, 1));
    agreement.feed_all([Act::Version(next.clone()), yes(&next, 0, 99), yes(&next, 1, 99), yes(&next, 2, 100)]);
    assert_eq!(agreement.state_of(next.name(), at(100)), Some(State::Lapsed));
    assert_eq!(name(agreement.in_force(at(200))), Some(root.name()));
    let late = propose(child(&root, &[0, 1, 2], 100, 2));
    agreement.feed(Act::Version(late.clone())).unwrap();
    let deadline = MayNot::TooLate { deadline: at(100) };
    assert_eq!(agreement.may_sign(agency(2), late.name(), at(100)), Err(deadline));
}

#[test]
fn joining_needs_the_joiner_and_removing_needs_the_removed() {
    let (root, mut agreement) = three();
    let joined = propose(child(&root, &[0, 1, 2, 3], 100, 1));
    agreement.feed(Act::Version(joined.clone())).unwrap();
    agreement.feed_all(all_sign(&joined, &[0, 1, 2], 50));
    assert_eq!(agreement.state_of(joined.name(), at(60)), Some(State::Proposed { missing: vec![agency(3)] }));
    agreement.feed(yes(&joined, 3, 60)).unwrap();
    let now: Vec<AgencyId> = agreement.parties_now(at(100)).iter().map(|party| party.agency).collect();
    assert_eq!(now, [agency(0), agency(1), agency(2), agency(3)]);
    let removed = propose(child(&joined, &[0, 1], 200, 2));
    agreement.feed(Act::Version(removed.clone())).unwrap();
    agreement.feed_all(all_sign(&removed, &[0, 1, 3], 150));
    assert_eq!(agreement.state_of(removed.name(), at(250)), Some(State::Lapsed));
}

#[test]
fn who_leaves_needs_nobody_and_stops_nobody() {
    let (root, mut agreement) = three();
    let next = propose(child(&root, &[0, 1, 2], 100, 1));
    agreement.feed_all([Act::Version(next.clone()), yes(&next, 0, 50), yes(&next, 1, 50), leaves(&root, 2, 60)]);
    assert_eq!(name(agreement.in_force(at(100))), Some(next.name()));
    assert!(agreement.permits_entry(root.name(), agency(2), at(60)).is_ok());
    let left = NotInForce::Left { agency: agency(2), left: at(60), at: at(60).plus_ms(1) };
    assert_eq!(agreement.permits_entry(root.name(), agency(2), at(60).plus_ms(1)).err(), Some(left));
    assert_eq!(agreement.may_sign(agency(2), next.name(), at(70)), Err(MayNot::NoVoice(agency(2))));
    assert_eq!(agreement.parties_now(at(100)).len(), 2);
    agreement.feed(leaves(&next, 1, 120)).unwrap();
    assert_eq!(name(agreement.in_force(at(120))), None, "one party is no agreement");
    assert_eq!(agreement.state_of(next.name(), at(120)), Some(State::Ended { at: at(120) }));
}

#[test]
fn a_withdrawal_after_the_deadline_completes_nothing() {
    let (root, mut agreement) = three();
    let next = propose(child(&root, &[0, 1, 2], 100, 1));
    agreement.feed_all([Act::Version(next.clone()), yes(&next, 0, 50), yes(&next, 1, 50), leaves(&root, 2, 100)]);
    assert_eq!(agreement.state_of(next.name(), at(130)), Some(State::Lapsed));
}

#[test]
fn who_left_comes_back_by_signing_a_later_proposal() {
    let (root, mut agreement) = three();
    let back = propose(Version { created: at(70), ..child(&root, &[0, 1, 2], 100, 1) });
    agreement.feed_all([leaves(&root, 2, 60), Act::Version(back.clone()), yes(&back, 0, 80), yes(&back, 1, 80)]);
    assert_eq!(agreement.state_of(back.name(), at(90)), Some(State::Proposed { missing: vec![agency(2)] }));
    agreement.feed(yes(&back, 2, 90)).unwrap();
    assert_eq!(agreement.parties_now(at(100)).len(), 3);
    assert!(agreement.permits_entry(back.name(), agency(2), at(100)).is_ok());
}

#[test]
fn a_rejection_outlasts_the_withdrawal_of_who_made_it() {
    let (root, mut agreement) = three();
    let next = propose(child(&root, &[0, 1, 2], 100, 1));
    agreement.feed_all([Act::Version(next.clone()), yes(&next, 0, 50), yes(&next, 1, 50), no(&next, 2, 55)]);
    let dead = Some(State::Rejected { by: agency(2) });
    assert_eq!(agreement.state_of(next.name(), at(70)), dead);
    agreement.feed(leaves(&root, 2, 55)).unwrap();
    assert_eq!(agreement.state_of(next.name(), at(70)), dead);
    assert_eq!(name(agreement.in_force(at(200))), Some(root.name()));
}

#[test]
fn a_rejection_after_leaving_is_nobodys() {
    let (root, mut agreement) = three();
    let next = propose(child(&root, &[0, 1, 2], 100, 1));
    agreement.feed_all([Act::Version(next.clone()), yes(&next, 0, 50), yes(&next, 1, 50), leaves(&root, 2, 55)]);
    agreement.feed(no(&next, 2, 56)).unwrap();
    assert_eq!(agreement.state_of(next.name(), at(100)), Some(State::InForce { since: at(100) }));
}

#[test]
fn a_version_that_ends_the_agreement_ends_it_with_grace() {
    let (root, mut agreement) = three();
    let end = propose(Version { ends: true, ..child(&root, &[0, 1, 2], 100, 1) });
    agreement.feed(Act::Version(end.clone())).unwrap();
    agreement.feed_all(all_sign(&end, &[0, 1, 2], 50));
    assert_eq!(name(agreement.in_force(at(99))), Some(root.name()));
    assert_eq!(name(agreement.in_force(at(100))), None);
    assert_eq!(agreement.state_of(end.name(), at(100)), Some(State::Ended { at: at(100) }));
    assert_eq!(agreement.state_of(root.name(), at(100)), Some(State::Closed { at: at(124) }));
    assert!(agreement.permits_entry(root.name(), agency(0), at(123)).is_ok());
    let over = NotInForce::Ended { ended: at(100), at: at(110) };
    assert_eq!(agreement.may_publish(agency(0), at(110)).err(), Some(over));
}

#[test]
fn two_children_that_all_signed_are_contested_and_neither_is_in_force() {
    let (root, mut agreement) = three();
    let one = propose(child(&root, &[0, 1, 2], 100, 1));
    let two = propose(child(&root, &[0, 1, 2], 100, 2));
    agreement.feed_all([Act::Version(one.clone()), Act::Version(two.clone())]);
    agreement.feed_all(all_sign(&one, &[0, 1, 2], 50));
    assert_eq!(name(agreement.in_force(at(100))), Some(one.name()));
    agreement.feed_all(all_sign(&two, &[0, 1, 2], 50));
    assert_eq!(agreement.state_of(one.name(), at(100)), Some(State::Contested { with: two.name() }));
    assert_eq!(agreement.state_of(two.name(), at(100)), Some(State::Contested { with: one.name() }));
    assert!(matches!(agreement.may_publish(agency(0), at(124)), Err(NotInForce::Undecided { .. })));
    assert!(agreement.permits_entry(one.name(), agency(0), at(100)).is_ok(), "both branches stay readable");
    let proofs = agreement.contradictions();
    assert_eq!(proofs.len(), 3);
    assert!(proofs.iter().all(|proof| proof.kind == ContradictionKind::TwoChildren));
    agreement.feed(no(&one, 1, 60)).unwrap();
    assert_eq!(name(agreement.in_force(at(100))), Some(two.name()));
}

#[test]
fn contradicting_answers_are_proofs() {
    let (root, mut agreement) = three();
    let next = propose(child(&root, &[0, 1, 2], 100, 1));
    agreement.feed_all([Act::Version(next.clone())]);
    agreement.feed_all(all_sign(&next, &[0, 1, 2], 50));
    agreement.feed_all([no(&next, 0, 51), yes(&next, 1, 52), no(&root, 2, 53), no(&root, 2, 54)]);
    let kinds: Vec<_> = agreement.contradictions().into_iter().map(|proof| (proof.agency, proof.kind)).collect();
    let expected = [
        (agency(0), ContradictionKind::SignedAndRejected),
        (agency(1), ContradictionKind::SignedTwice),
        (agency(2), ContradictionKind::SignedAndRejected),
        (agency(2), ContradictionKind::RejectedTwice),
    ];
    assert_eq!(kinds, expected);
    assert_eq!(agreement.in_force(at(200)).map(SignedVersion::name), None, "one rejection kills, even a liar's");
    assert!(agreement.permits_entry(next.name(), agency(1), at(110)).is_ok(), "what all signed stays readable");
}

#[test]
fn strangers_and_misfits_have_no_place() {
    let (root, mut agreement) = three();
    let stranger = propose(Version { proposer: agency(4), ..child(&root, &[0, 1, 2, 4], 100, 1) });
    let after = propose(Version { valid_until: at(30_000), ..child(&root, &[0, 1, 2], 10_001, 2) });
    agreement.feed_all([Act::Version(stranger.clone()), Act::Version(after.clone())]);
    assert_eq!(agreement.state_of(stranger.name(), at(20)), None);
    assert_eq!(agreement.state_of(after.name(), at(20)), None);
    let unknown = MayNot::Unknown(stranger.name());
    assert_eq!(agreement.may_sign(agency(0), stranger.name(), at(20)), Err(unknown));
    let other = propose(Version { nonce: [8; 16], ..first(&[0, 1]) });
    let foreign = FeedError::OtherAgreement { expected: root.agreement(), found: other.agreement() };
    assert_eq!(agreement.feed(Act::Version(other)), Err(foreign));
    let live = first(&[0, 1, 2]).propose(Mode::Live, &key(0)).unwrap();
    assert_eq!(agreement.feed(Act::Version(live)), Err(FeedError::Mode { expected: MODE, found: Mode::Live }));
}

#[test]
fn what_waits_is_bounded() {
    let (root, mut agreement) = three();
    let mut next = |nonce: u16| {
        let parent = VersionHash(Hash::of(&[&nonce.to_be_bytes()]));
        let payload =
            Signature { version: parent, agency: agency(0), card_serial: 1, at: at(20), relies_on: Vec::new() };
        agreement.feed(Act::Signature(Attested::sign(payload, MODE, &key(0))))
    };
    for nonce in 0..4096 {
        assert_eq!(next(nonce), Ok(Fed::New));
    }
    assert_eq!(next(4096), Err(FeedError::Full));
    let known = propose(child(&root, &[0, 1, 2], 100, 1));
    assert_eq!(agreement.feed(Act::Version(known)), Ok(Fed::New), "what has its place does not wait");
}
