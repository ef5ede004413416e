//! Where each version stands: a pure function of the objects of an agreement, the same on every node that holds them.
//!
//! ```text
//!   voices(v)   = parties of v and of its parent, less those who left before v takes effect
//!   complete(v) = every voice has signed v, dated before v's deadline
//!   agreed(v)   = complete(v), and its parent is agreed, in force by then, and ends nothing
//!   taken(v)    = agreed(v), nobody concerned has rejected it, its parent is taken, and it is the only such child
//! ```
//!
//! So two children of one parent are never both in force, whatever parties sign. Among honest parties there is never
//! more than one agreed child, since they sign a second only while holding a rejection of the first.
//!
//! An answer's own time decides, not its arrival: a signature that arrives late counts, one that is dated late does
//! not. A party left when it has withdrawn after it last signed a version of the line (who signs again has come back).
//! A rejection outlasts the withdrawal of the party that made it, since others have relied on it; one that is dated
//! after the withdrawal is nobody's.
//!
//! `agreed` survives rejection: who signs a version and later rejects it can stop what grows under it, but entries
//! that honest parties have published under it stay admitted. A fork stops growth, not statements. More objects never
//! take agreement away, so what a conforming node has released stays released.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::id::{AgencyId, VersionHash};
use crate::time::Time;

use super::tree::{Acts, Ends};
use super::version::{SignedVersion, Version};

/// Where all versions stand.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Decision {
    /// By version; one that hangs in the air, or does not fit its parent, is absent.
    pub(super) standings: BTreeMap<VersionHash, Standing>,
    /// The versions that are in force one after the other.
    pub(super) line: Vec<VersionHash>,
}

/// Where one version stands.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Standing {
    /// Who must answer it.
    pub(super) voices: BTreeSet<AgencyId>,
    /// Voices that have not signed in time.
    pub(super) missing: Vec<AgencyId>,
    /// Parties of it or its parent that have rejected it before they left.
    pub(super) rejected_by: Vec<AgencyId>,
    /// Signed by all, under a parent that was in force.
    pub(super) agreed: bool,
    /// Part of the line.
    pub(super) taken: bool,
    /// A sibling that is as good, where there is one.
    pub(super) contested_by: Option<VersionHash>,
    /// From when it is in force, once agreed.
    pub(super) since: Time,
    /// The child that replaces it, and when entries under this version are no longer admitted.
    pub(super) replaced: Option<Replaced>,
    /// When parties left.
    pub(super) left: BTreeMap<AgencyId, Time>,
    /// When fewer than two parties were left.
    pub(super) deserted: Option<Time>,
    /// Each agency's last signature on this version or one before it.
    signed: BTreeMap<AgencyId, Time>,
}

/// How a version closes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Replaced {
    /// When the child takes effect.
    pub(super) from: Time,
    /// When entries under the parent are no longer admitted: grace included.
    pub(super) closed: Time,
}

/// Decides, from the first version down.
pub(super) fn decide(acts: &Acts, root: VersionHash) -> Decision {
    let mut decision = Decision::default();
    let Some(first) = acts.versions.get(&root) else { return decision };
    let mut standing = stand(acts, first, None);
    standing.agreed = standing.missing.is_empty() && !standing.voices.is_empty();
    standing.taken = standing.agreed && standing.rejected_by.is_empty();
    standing.since = since_all_signed(acts, first);
    if standing.taken {
        decision.line.push(root);
    }
    decision.standings.insert(root, standing);
    let mut queue = VecDeque::from([first]);
    while let Some(parent) = queue.pop_front() {
        queue.extend(children(acts, &mut decision, parent));
    }
    decision
}

/// Decides the children of one version, and yields those that fit it.
fn children<'a>(acts: &'a Acts, decision: &mut Decision, parent: &SignedVersion) -> Vec<&'a SignedVersion> {
    let name = parent.name();
    let known = acts.children.get(&name).into_iter().flatten().filter_map(|child| acts.versions.get(child));
    let children: Vec<&SignedVersion> = known.filter(|child| fits(child, parent)).collect();
    let mut parent_standing = decision.standings.remove(&name).expect("parents are decided before their children");
    let mut able = Vec::new();
    for child in &children {
        let mut standing = stand(acts, child, Some((parent, &parent_standing)));
        standing.since = child.earliest();
        standing.agreed = standing.missing.is_empty()
            && !standing.voices.is_empty()
            && parent_standing.agreed
            && !parent.ends
            && parent_standing.since <= standing.since
            && parent_standing.deserted.is_none_or(|at| standing.since < at);
        if standing.agreed && standing.rejected_by.is_empty() && parent_standing.taken {
            able.push(child.name());
        }
        decision.standings.insert(child.name(), standing);
    }
    if let [chosen] = able.as_slice() {
        let child = &acts.versions[chosen];
        let from = child.earliest();
        parent_standing.replaced = Some(Replaced { from, closed: from.plus_ms(child.grace_ms) });
        decision.line.push(*chosen);
        decision.standings.entry(*chosen).or_default().taken = true;
    } else {
        for (at, contested) in able.iter().enumerate() {
            let rival = able[usize::from(at == 0)];
            decision.standings.entry(*contested).or_default().contested_by = Some(rival);
        }
    }
    decision.standings.insert(name, parent_standing);
    children
}

/// Whether a child may stand under its parent at all: proposed by one of its parties, and taking effect during it.
fn fits(child: &Version, parent: &Version) -> bool {
    parent.party(child.proposer).is_some()
        && parent.earliest() < child.earliest()
        && child.earliest() <= parent.valid_until
}

/// Who must answer, who has, who left.
fn stand(acts: &Acts, version: &SignedVersion, parent: Option<(&SignedVersion, &Standing)>) -> Standing {
    let name = version.name();
    let mut standing = Standing::default();
    if let Some((_, parent)) = parent {
        standing.signed.clone_from(&parent.signed);
    }
    let of_parent = parent.into_iter().flat_map(|(parent, _)| &parent.parties);
    let concerned: BTreeSet<AgencyId> = of_parent.chain(&version.parties).map(|party| party.agency).collect();
    for agency in concerned {
        let joined = standing.signed.get(&agency).copied();
        let listed = version.party(agency).map(|_| version.created);
        let left = left_since(acts, agency, joined.max(listed));
        let rejected = acts.said(name, agency).and_then(|said| said.rejected.first());
        if rejected.is_some_and(|rejection| left.is_none_or(|left| rejection.at <= left)) {
            standing.rejected_by.push(agency);
        }
        if left.is_some_and(|left| left < version.deadline()) {
            continue;
        }
        standing.voices.insert(agency);
        if acts.signed_at(name, agency).is_none_or(|at| at >= version.deadline()) {
            standing.missing.push(agency);
        }
    }
    for party in &version.parties {
        let signed = acts.signed_at(name, party.agency);
        let last = signed.max(standing.signed.get(&party.agency).copied());
        standing.signed.extend(last.map(|at| (party.agency, at)));
        if let Some(at) = left_since(acts, party.agency, last.max(Some(version.created))) {
            standing.left.insert(party.agency, at);
        }
    }
    standing.deserted = deserted(version, &standing.left);
    standing
}

/// The first withdrawal of an agency that is not older than its last word to the contrary.
fn left_since(acts: &Acts, agency: AgencyId, since: Option<Time>) -> Option<Time> {
    let withdrawals = acts.withdrawals.get(&agency)?.values().flat_map(Ends::iter);
    withdrawals.map(|act| act.at).filter(|at| Some(*at) >= since).min()
}

/// When fewer than two of a version's parties were left.
fn deserted(version: &Version, left: &BTreeMap<AgencyId, Time>) -> Option<Time> {
    let mut times: Vec<Time> = left.values().copied().collect();
    times.sort_unstable();
    times.get(version.parties.len() - 2).copied()
}

/// A first version is in force from the last answer that it needed: a signature, or the withdrawal in its place.
fn since_all_signed(acts: &Acts, version: &SignedVersion) -> Time {
    let answered = version.parties.iter().filter_map(|party| {
        let signed = acts.signed_at(version.name(), party.agency);
        let left = left_since(acts, party.agency, Some(version.created));
        signed.into_iter().chain(left).min()
    });
    answered.fold(version.valid_from, Time::max)
}
