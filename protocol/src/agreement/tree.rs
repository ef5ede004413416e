//! All versions and answers of one agreement, in whatever order they arrive.
//!
//! [`Agreement`] takes signed objects that the caller has verified against the cards, and keeps of each party's
//! answers to a version the first and the last by (time, hash): what is kept is a function of the set of objects, not
//! of their order. From it `decide` derives where each version stands; questions that involve a
//! time are answered in `judge`.
//!
//! An answer may arrive before its version, and a version before its parent; both wait, at most
//! [`limits::OBJECTS_WAITING`] of them, beyond which they are delayed: the caller feeds them again.
//!
//! Absent on purpose: a bound on proposals. How many a partner may make is the desk's to limit, and delays only.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{AgencyId, AgreementId, Hash, Mode, VersionHash};
use crate::limits;
use crate::time::Time;
use crate::wire::attest::Attested;

use super::answer::{Rejection, Signature, Withdrawal};
use super::decide::{Decision, decide};
use super::version::SignedVersion;

/// A signed object of an agreement, its signature verified by the caller.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "acts are few and pass through; boxing would burden every caller")]
pub enum Act {
    /// A proposal.
    Version(SignedVersion),
    /// A party's consent.
    Signature(Attested<Signature>),
    /// A party's refusal.
    Rejection(Attested<Rejection>),
    /// A party leaves.
    Withdrawal(Attested<Withdrawal>),
}

impl Act {
    /// Live or exercise.
    pub fn mode(&self) -> Mode {
        match self {
            Act::Version(act) => act.mode(),
            Act::Signature(act) => act.mode(),
            Act::Rejection(act) => act.mode(),
            Act::Withdrawal(act) => act.mode(),
        }
    }
}

/// What became of an object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fed {
    /// It was added.
    New,
    /// It, or what says more, was there.
    Known,
}

/// Why an object was not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FeedError {
    /// It is another agreement's.
    #[error("the object belongs to agreement {found}, not to {expected}")]
    OtherAgreement {
        /// This agreement.
        expected: AgreementId,
        /// The one that the object names.
        found: AgreementId,
    },
    /// Live and exercise never mix.
    #[error("the object is signed as {found}, the agreement is {expected}")]
    Mode {
        /// The agreement's mode.
        expected: Mode,
        /// The object's mode.
        found: Mode,
    },
    /// Too many objects wait for others; to be fed again later.
    #[error("{} objects of this agreement wait for what they refer to", limits::OBJECTS_WAITING)]
    Full,
}

/// One agreement, as far as its signed objects are known here.
#[derive(Clone, Debug)]
pub struct Agreement {
    id: AgreementId,
    mode: Mode,
    pub(super) acts: Acts,
    pub(super) decision: Decision,
}

/// The objects themselves.
#[derive(Clone, Debug, Default)]
pub(super) struct Acts {
    pub(super) versions: BTreeMap<VersionHash, SignedVersion>,
    pub(super) children: BTreeMap<VersionHash, BTreeSet<VersionHash>>,
    pub(super) answers: BTreeMap<VersionHash, BTreeMap<AgencyId, Answers>>,
    pub(super) withdrawals: BTreeMap<AgencyId, BTreeMap<VersionHash, Ends<Withdrawal>>>,
    waiting: usize,
}

/// What one party said to one version. An honest party says one thing once.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers {
    pub(super) signed: Ends<Signature>,
    pub(super) rejected: Ends<Rejection>,
}

/// The first and the last of a set of objects, by (time, hash).
#[derive(Clone, Debug)]
pub(super) struct Ends<P>(Vec<Attested<P>>);

impl<P> Default for Ends<P> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// What a party answered to a version.
#[derive(Clone, Copy, Debug)]
pub enum Answer<'a> {
    /// It signed.
    Signed(&'a Attested<Signature>),
    /// It rejected; where it did both, this counts.
    Rejected(&'a Attested<Rejection>),
}

impl Agreement {
    /// An agreement of which nothing is known yet.
    pub fn new(id: AgreementId, mode: Mode) -> Self {
        Self { id, mode, acts: Acts::default(), decision: Decision::default() }
    }

    /// Adds one object, and decides again.
    pub fn feed(&mut self, act: Act) -> Result<Fed, FeedError> {
        let fed = self.add(act)?;
        if fed == Fed::New {
            self.decision = decide(&self.acts, VersionHash(self.id.0));
        }
        Ok(fed)
    }

    /// Adds many objects, and decides once: the result for each, in their order.
    pub fn feed_all(&mut self, acts: impl IntoIterator<Item = Act>) -> Vec<Result<Fed, FeedError>> {
        let fed = acts.into_iter().map(|act| self.add(act)).collect();
        self.decision = decide(&self.acts, VersionHash(self.id.0));
        fed
    }

    /// The agreement's id.
    pub const fn id(&self) -> AgreementId {
        self.id
    }

    /// Live or exercise.
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// A version, where it is known, whatever its state.
    pub fn version(&self, version: VersionHash) -> Option<&SignedVersion> {
        self.acts.versions.get(&version)
    }

    /// All known versions, by hash.
    pub fn versions(&self) -> impl Iterator<Item = &SignedVersion> {
        self.acts.versions.values()
    }

    /// How many versions stand above this one; `None` where its line does not reach the first version.
    pub fn depth(&self, version: VersionHash) -> Option<u32> {
        let mut depth = 0;
        let mut parent = self.version(version)?.parent;
        while let Some(above) = parent {
            depth += 1;
            parent = self.version(above)?.parent;
        }
        Some(depth)
    }

    /// What a party answered to a version.
    pub fn answer(&self, version: VersionHash, agency: AgencyId) -> Option<Answer<'_>> {
        let answers = self.acts.answers.get(&version)?.get(&agency)?;
        let rejected = answers.rejected.first().map(Answer::Rejected);
        rejected.or_else(|| answers.signed.first().map(Answer::Signed))
    }

    fn add(&mut self, act: Act) -> Result<Fed, FeedError> {
        if act.mode() != self.mode {
            return Err(FeedError::Mode { expected: self.mode, found: act.mode() });
        }
        match act {
            Act::Version(version) => self.add_version(version),
            Act::Signature(act) => {
                let (version, agency) = (act.version, act.agency);
                self.acts.answer(version, agency, |answers| answers.signed.insert(act, |act| act.at))
            }
            Act::Rejection(act) => {
                let (version, agency) = (act.version, act.agency);
                self.acts.answer(version, agency, |answers| answers.rejected.insert(act, |act| act.at))
            }
            Act::Withdrawal(act) => {
                self.check_agreement(act.agreement)?;
                let known = self.acts.versions.contains_key(&act.version);
                let of_agency = self.acts.withdrawals.entry(act.agency).or_default();
                if !known && !of_agency.contains_key(&act.version) {
                    wait(&mut self.acts.waiting)?;
                }
                Ok(of_agency.entry(act.version).or_default().insert(act, |act| act.at))
            }
        }
    }

    fn check_agreement(&self, found: AgreementId) -> Result<(), FeedError> {
        if found == self.id { Ok(()) } else { Err(FeedError::OtherAgreement { expected: self.id, found }) }
    }

    fn add_version(&mut self, version: SignedVersion) -> Result<Fed, FeedError> {
        self.check_agreement(version.agreement())?;
        let acts = &mut self.acts;
        let name = version.name();
        if acts.versions.contains_key(&name) {
            return Ok(Fed::Known);
        }
        if let Some(parent) = version.parent {
            if !acts.versions.contains_key(&parent) {
                wait(&mut acts.waiting)?;
            }
            acts.children.entry(parent).or_default().insert(name);
        }
        acts.versions.insert(name, version);
        let orphans = acts.children.get(&name).map_or(0, BTreeSet::len);
        let answers = acts.answers.get(&name).map_or(0, BTreeMap::len);
        let leavers = acts.withdrawals.values().filter(|named| named.contains_key(&name)).count();
        acts.waiting -= orphans + answers + leavers;
        Ok(Fed::New)
    }
}

impl Acts {
    fn answer(
        &mut self,
        version: VersionHash,
        agency: AgencyId,
        insert: impl FnOnce(&mut Answers) -> Fed,
    ) -> Result<Fed, FeedError> {
        let known = self.versions.contains_key(&version);
        let answered = self.answers.get(&version).is_some_and(|of_version| of_version.contains_key(&agency));
        if !known && !answered {
            wait(&mut self.waiting)?;
        }
        Ok(insert(self.answers.entry(version).or_default().entry(agency).or_default()))
    }

    /// What an agency said to a version.
    pub(super) fn said(&self, version: VersionHash, agency: AgencyId) -> Option<&Answers> {
        self.answers.get(&version)?.get(&agency)
    }

    /// When an agency signed a version.
    pub(super) fn signed_at(&self, version: VersionHash, agency: AgencyId) -> Option<Time> {
        Some(self.said(version, agency)?.signed.first()?.at)
    }
}

fn wait(waiting: &mut usize) -> Result<(), FeedError> {
    if *waiting >= limits::OBJECTS_WAITING {
        return Err(FeedError::Full);
    }
    *waiting += 1;
    Ok(())
}

impl<P> Ends<P> {
    fn insert(&mut self, object: Attested<P>, at: impl Fn(&P) -> Time) -> Fed {
        let key = |object: &Attested<P>| -> (Time, Hash) { (at(object.payload()), object.hash()) };
        let new = key(&object);
        match self.0.binary_search_by_key(&new, key) {
            Ok(_) => return Fed::Known,
            Err(1) if self.0.len() == 2 => return Fed::Known,
            Err(place) => self.0.insert(place, object),
        }
        if self.0.len() > 2 {
            self.0.remove(1);
        }
        Fed::New
    }

    /// The first, which counts.
    pub(super) fn first(&self) -> Option<&Attested<P>> {
        self.0.first()
    }

    /// The first and the last, where there is more than one.
    pub(super) fn differing(&self) -> Option<(&Attested<P>, &Attested<P>)> {
        match self.0.as_slice() {
            [first, last] => Some((first, last)),
            _ => None,
        }
    }

    /// Both ends.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Attested<P>> {
        self.0.iter()
    }
}
