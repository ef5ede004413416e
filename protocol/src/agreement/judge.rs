//! Questions that involve a time: which version is in force, who may publish, sign or reject, what an entry may name.
//!
//! ```text
//!   first version   signed by all ........ valid from ──────────────── valid until
//!   child                        proposed, signed │ effective from ─────────── valid until
//!   entries under the parent ─────────────────────┼── grace ──│ closed
//! ```
//!
//! Every question is a look-up in what [`decide`](super::decide) has found, and a comparison with the time asked about.

use std::collections::BTreeSet;

use crate::id::{AgencyId, VersionHash};
use crate::time::Time;

use super::answer::Reliance;
use super::decide::Standing;
use super::tree::Agreement;
use super::version::{Party, SignedVersion};

/// The state of a version, as far as its objects are known here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum State {
    /// Not signed by all yet.
    Proposed {
        /// Whose signature is missing; nobody's, where the version waits for its parent to be in force.
        missing: Vec<AgencyId>,
    },
    /// Signed by all, and not yet in force.
    Agreed {
        /// From when it is in force.
        from: Time,
    },
    /// In force.
    InForce {
        /// Since when.
        since: Time,
    },
    /// A party has rejected it.
    Rejected {
        /// Which; of several, the first by id.
        by: AgencyId,
    },
    /// All have signed this version and another child of the same parent. None is in force until a rejection of one
    /// arrives; parties that keep to the rules never bring this about.
    Contested {
        /// The other.
        with: VersionHash,
    },
    /// Replaced by a child.
    Closed {
        /// Until when entries under it are admitted, exclusive; may lie ahead.
        at: Time,
    },
    /// Its time has passed without the signatures that it needed.
    Lapsed,
    /// It was in force, or is the version that ends the agreement, and the agreement has ended.
    Ended {
        /// When.
        at: Time,
    },
}

/// Why nothing may be published, or an entry not admitted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotInForce {
    /// The version has not arrived, or hangs in the air.
    #[error("version {0} of the agreement is not known here")]
    Unknown(VersionHash),
    /// Not signed by all, as far as is known here.
    #[error("the version is not signed by all, as far as is known here; {} signatures are missing", missing.len())]
    NotAgreed {
        /// Whose signature is missing; nobody's, where its parent was not in force.
        missing: Vec<AgencyId>,
    },
    /// A party has rejected it.
    #[error("{by} has rejected the version")]
    Rejected {
        /// Which.
        by: AgencyId,
    },
    /// Too early.
    #[error("the version is in force from {from} on, after {at}")]
    NotYet {
        /// From when it is in force.
        from: Time,
        /// The time asked about.
        at: Time,
    },
    /// Another version has replaced it.
    #[error("the version was replaced, and closed at {closed}, not after {at}")]
    Closed {
        /// When it closed.
        closed: Time,
        /// The time asked about.
        at: Time,
    },
    /// The agreement has ended.
    #[error("the agreement ended at {ended}, not after {at}")]
    Ended {
        /// When it ended.
        ended: Time,
        /// The time asked about.
        at: Time,
    },
    /// The author is no party.
    #[error("{agency} is not a party")]
    NotAParty {
        /// The author.
        agency: AgencyId,
    },
    /// The author has left.
    #[error("{agency} left the agreement at {left}, before {at}")]
    Left {
        /// The author.
        agency: AgencyId,
        /// When it left.
        left: Time,
        /// The time asked about.
        at: Time,
    },
    /// The author signed a child of the version in force whose time has come, and holds neither all signatures nor a
    /// rejection; others may hold them.
    #[error(
        "version {child}, which {agency} has signed, should have taken effect; its signatures are not all here, nor a rejection"
    )]
    Undecided {
        /// The author.
        agency: AgencyId,
        /// The child.
        child: VersionHash,
    },
}

impl NotInForce {
    /// Whether objects that are still under way may change the answer: such an entry is held, not refused.
    pub const fn is_held(&self) -> bool {
        matches!(self, NotInForce::Unknown(_) | NotInForce::NotAgreed { .. } | NotInForce::Undecided { .. })
    }
}

/// Why a party may not sign or reject a version.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MayNot {
    /// The version has not arrived, or hangs in the air.
    #[error("version {0} of the agreement is not known here")]
    Unknown(VersionHash),
    /// Not this agency's to answer: no party, or it has left.
    #[error("{0} has no voice on this version")]
    NoVoice(AgencyId),
    /// A party answers once.
    #[error("the version was already signed by this party")]
    Signed,
    /// A party answers once.
    #[error("the version was already rejected by this party")]
    Rejected,
    /// One rejection is enough.
    #[error("the version was already rejected by {by}")]
    Dead {
        /// By whom.
        by: AgencyId,
    },
    /// The version would take effect, or end, before the signature.
    #[error("signatures on this version count only before {deadline}")]
    TooLate {
        /// Until when they count.
        deadline: Time,
    },
    /// Its parent is not the version in force.
    #[error("the version replaces one that is not in force")]
    ParentNotInForce,
    /// The party has signed another child of the same parent, which nobody has rejected.
    #[error("this party has signed version {other}, which would replace the same parent and is not rejected")]
    SignedAnother {
        /// The other child.
        other: VersionHash,
    },
}

impl Agreement {
    /// The state of a version; `None` where it is unknown or does not fit its parent.
    pub fn state_of(&self, version: VersionHash, now: Time) -> Option<State> {
        let standing = self.decision.standings.get(&version)?;
        let signed = self.version(version)?;
        Some(state(signed, standing, now))
    }

    /// The version in force at a time.
    pub fn in_force(&self, at: Time) -> Option<&SignedVersion> {
        self.current(at).ok().map(|(version, _)| version)
    }

    /// The parties of the version in force that have not left.
    pub fn parties_now(&self, now: Time) -> Vec<&Party> {
        let Ok((version, standing)) = self.current(now) else { return Vec::new() };
        let here = |party: &&Party| standing.left.get(&party.agency).is_none_or(|left| now <= *left);
        version.payload().parties.iter().filter(here).collect()
    }

    /// When an agency left the agreement, where it has by now, and did not come back by signing a later version.
    pub fn left(&self, agency: AgencyId, now: Time) -> Option<Time> {
        let mut last = self.decision.line.iter().rev().map(|name| &self.decision.standings[name]);
        let standing = last
            .find(|standing| standing.since <= now)
            .or_else(|| self.decision.line.first().map(|name| &self.decision.standings[name]))?;
        standing.left.get(&agency).copied().filter(|left| *left < now)
    }

    /// The version under which a party publishes now.
    pub fn may_publish(&self, party: AgencyId, now: Time) -> Result<&SignedVersion, NotInForce> {
        let (version, standing) = self.current(now)?;
        Self::check_party(version, standing, party, now)?;
        let undecided = self.acts.children.get(&version.name()).into_iter().flatten().find(|child| {
            let name = **child;
            let Some(child) = self.version(name) else { return false };
            let Some(standing) = self.decision.standings.get(&name) else { return false };
            let due = child.earliest().plus_ms(child.grace_ms) <= now;
            let open = standing.contested_by.is_some() || !standing.missing.is_empty();
            due && open && standing.rejected_by.is_empty() && self.acts.signed_at(name, party).is_some()
        });
        match undecided {
            Some(child) => Err(NotInForce::Undecided { agency: party, child: *child }),
            None => Ok(version),
        }
    }

    /// Whether an entry may name a version: the version, where it was in force for its author at `created`.
    pub fn permits_entry(
        &self,
        version: VersionHash,
        author: AgencyId,
        created: Time,
    ) -> Result<&SignedVersion, NotInForce> {
        let unknown = NotInForce::Unknown(version);
        let standing = self.decision.standings.get(&version).ok_or(unknown.clone())?;
        let signed = self.version(version).ok_or(unknown)?;
        if !standing.agreed {
            // Also where it was rejected: a signature that is still under way may complete it, and what was published
            // under a version that all had signed stays admitted.
            return Err(NotInForce::NotAgreed { missing: standing.missing.clone() });
        }
        if created < standing.since {
            return Err(NotInForce::NotYet { from: standing.since, at: created });
        }
        if let Some(replaced) = standing.replaced.filter(|replaced| replaced.closed <= created) {
            return Err(NotInForce::Closed { closed: replaced.closed, at: created });
        }
        let ended = end(signed, standing);
        if ended <= created {
            return Err(NotInForce::Ended { ended, at: created });
        }
        Self::check_party(signed, standing, author, created)?;
        Ok(signed)
    }

    /// Whether a party may sign a version now; if so, the rejections that its signature relies on.
    pub fn may_sign(&self, party: AgencyId, version: VersionHash, now: Time) -> Result<Vec<Reliance>, MayNot> {
        let (signed, standing) = self.may_answer(party, version)?;
        if let Some(by) = standing.rejected_by.first() {
            return Err(MayNot::Dead { by: *by });
        }
        if now >= signed.deadline() {
            return Err(MayNot::TooLate { deadline: signed.deadline() });
        }
        let Some(parent) = signed.parent else { return Ok(Vec::new()) };
        if self.in_force(now).is_none_or(|current| current.name() != parent) {
            return Err(MayNot::ParentNotInForce);
        }
        let siblings: &BTreeSet<VersionHash> = &self.acts.children[&parent];
        let signed_before = siblings.iter().filter(|other| self.acts.signed_at(**other, party).is_some());
        signed_before.map(|other| self.reliance(*other).ok_or(MayNot::SignedAnother { other: *other })).collect()
    }

    /// Whether a party may reject a version. It may do so at any time, since a late rejection still frees others.
    pub fn may_reject(&self, party: AgencyId, version: VersionHash) -> Result<(), MayNot> {
        self.may_answer(party, version).map(|_| ())
    }

    fn may_answer(&self, party: AgencyId, version: VersionHash) -> Result<(&SignedVersion, &Standing), MayNot> {
        let unknown = MayNot::Unknown(version);
        let standing = self.decision.standings.get(&version).ok_or(unknown)?;
        let signed = self.version(version).ok_or(unknown)?;
        if !standing.voices.contains(&party) {
            return Err(MayNot::NoVoice(party));
        }
        if let Some(said) = self.acts.said(version, party) {
            return Err(if said.rejected.first().is_some() { MayNot::Rejected } else { MayNot::Signed });
        }
        Ok((signed, standing))
    }

    /// A rejection of a version that counts.
    fn reliance(&self, version: VersionHash) -> Option<Reliance> {
        let by = *self.decision.standings.get(&version)?.rejected_by.first()?;
        let rejection = self.acts.said(version, by)?.rejected.first()?.hash();
        Some(Reliance { version, rejection })
    }

    fn current(&self, at: Time) -> Result<(&SignedVersion, &Standing), NotInForce> {
        let root = VersionHash(self.id().0);
        let line =
            self.decision.line.iter().rev().map(|name| (&self.acts.versions[name], &self.decision.standings[name]));
        let Some((version, standing)) = line.clone().find(|(_, standing)| standing.since <= at) else {
            return Err(self.why_not_begun(root, at));
        };
        let ended = end(version, standing);
        if ended <= at { Err(NotInForce::Ended { ended, at }) } else { Ok((version, standing)) }
    }

    /// Why the first version is not in force, where it is not.
    fn why_not_begun(&self, root: VersionHash, at: Time) -> NotInForce {
        match self.decision.standings.get(&root) {
            None => NotInForce::Unknown(root),
            Some(standing) => match standing.rejected_by.first() {
                Some(by) => NotInForce::Rejected { by: *by },
                None if standing.taken => NotInForce::NotYet { from: standing.since, at },
                None => NotInForce::NotAgreed { missing: standing.missing.clone() },
            },
        }
    }

    fn check_party(version: &SignedVersion, standing: &Standing, agency: AgencyId, at: Time) -> Result<(), NotInForce> {
        if version.party(agency).is_none() {
            return Err(NotInForce::NotAParty { agency });
        }
        match standing.left.get(&agency) {
            Some(left) if *left < at => Err(NotInForce::Left { agency, left: *left, at }),
            _ => Ok(()),
        }
    }
}

fn state(version: &SignedVersion, standing: &Standing, now: Time) -> State {
    if let Some(by) = standing.rejected_by.first() {
        return State::Rejected { by: *by };
    }
    if let Some(with) = standing.contested_by {
        return State::Contested { with };
    }
    if !standing.taken {
        let open = now < version.deadline() && !standing.agreed;
        return if open { State::Proposed { missing: standing.missing.clone() } } else { State::Lapsed };
    }
    if now < standing.since {
        return State::Agreed { from: standing.since };
    }
    let ended = end(version, standing);
    match standing.replaced {
        Some(replaced) if replaced.from <= now => State::Closed { at: replaced.closed },
        _ if ended <= now => State::Ended { at: ended },
        _ => State::InForce { since: standing.since },
    }
}

/// When the agreement ends under this version: at once, by date, or because fewer than two parties are left.
fn end(version: &SignedVersion, standing: &Standing) -> Time {
    if version.ends {
        return standing.since;
    }
    standing.deserted.map_or(version.valid_until, |at| at.min(version.valid_until))
}
