//! Who may know what of an agreement: its parties all of it; whom a proposal names, what it is to answer; who left, what
//! of retractions and receipts still passes until the run-off is over.
//!
//! A party that this node does not know to have left is a party: what others decided and did not arrive here yet, nobody
//! here can know.

use std::collections::{BTreeMap, BTreeSet};

use entente_protocol::agreement::{Agreement, SignedVersion, State};
use entente_protocol::id::AgencyId;
use entente_protocol::sync::{Guest, ScopeInfo};
use entente_protocol::time::Time;

pub(super) fn to_agreement(agreement: &Agreement, now: Time) -> ScopeInfo {
    let parties = parties(agreement, now);
    let mut guests = BTreeMap::new();
    for version in agreement.versions() {
        let state = agreement.state_of(version.name(), now);
        for party in version.parties.iter().filter(|party| !parties.contains(&party.agency)) {
            let gone = match state {
                Some(State::InForce { .. }) => agreement.left(party.agency, now),
                Some(State::Closed { at } | State::Ended { at }) => agreement.left(party.agency, now).or(Some(at)),
                // Not in force, and never was: it concerns all whom it names. A signature that comes late may still
                // complete it, and so may the parent that did not arrive yet.
                _ => {
                    guests.insert(party.agency, Guest::Invited);
                    continue;
                }
            };
            if gone.is_none_or(|gone| now <= gone.plus_days(version.run_off_days)) {
                guests.entry(party.agency).or_insert(Guest::Former);
            }
        }
    }
    ScopeInfo { parties, guests, has_logs: ever_in_force(agreement, now) }
}

/// Whether an agency still says what it holds: as a party, or, until the run-off is over, as one that left, or of an
/// agreement that ended.
pub(super) fn attests(agreement: &Agreement, agency: AgencyId, now: Time) -> bool {
    if agreement.parties_now(now).iter().any(|party| party.agency == agency) {
        return true;
    }
    let info = to_agreement(agreement, now);
    let ended = |version: &&SignedVersion| match agreement.state_of(version.name(), now) {
        Some(State::Ended { at } | State::Closed { at }) => now <= at.plus_days(version.run_off_days),
        _ => false,
    };
    info.guests.get(&agency) == Some(&Guest::Former)
        || info.parties.contains(&agency) && agreement.versions().any(|version| ended(&version))
}

/// The parties now; after the end those that were parties then, who may still lack what was shared before.
fn parties(agreement: &Agreement, now: Time) -> BTreeSet<AgencyId> {
    let present = agreement.parties_now(now);
    if !present.is_empty() {
        return present.into_iter().map(|party| party.agency).collect();
    }
    let last = agreement.versions().filter(|version| {
        matches!(agreement.state_of(version.name(), now), Some(State::Ended { .. } | State::Closed { .. }))
    });
    let last = last.max_by_key(|version| (agreement.depth(version.name()), version.name()));
    let here = |agency: &AgencyId| agreement.left(*agency, now).is_none();
    last.iter().flat_map(|version| &version.parties).map(|party| party.agency).filter(here).collect()
}

fn ever_in_force(agreement: &Agreement, now: Time) -> bool {
    agreement.versions().any(|version| {
        let state = agreement.state_of(version.name(), now);
        matches!(state, Some(State::InForce { .. } | State::Closed { .. } | State::Ended { .. }))
    })
}
