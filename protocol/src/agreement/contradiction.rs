//! Proofs that a party contradicts itself: two objects that it signed and that no honest party signs both.
//!
//! | contradiction | the two objects |
//! |---|---|
//! | signed and rejected | a signature and a rejection of one version |
//! | answered twice | two signatures, or two rejections, of one version that differ |
//! | two children | signatures on two children of one parent, neither relying on a rejection of the other |

use std::collections::BTreeMap;

use crate::id::{AgencyId, VersionHash};
use crate::wire::attest::Attested;

use super::answer::Signature;
use super::tree::{Agreement, Answers};

/// Which rule a party broke.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum ContradictionKind {
    /// It signed and rejected one version.
    SignedAndRejected,
    /// It signed one version twice, differently.
    SignedTwice,
    /// It rejected one version twice, differently.
    RejectedTwice,
    /// It signed two children of one parent.
    TwoChildren,
}

/// Two contradicting objects of one party, to be kept and passed on as a fork proof.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Contradiction {
    /// Who contradicts itself.
    pub agency: AgencyId,
    /// How.
    pub kind: ContradictionKind,
    /// The exact bytes of one object.
    pub first: Vec<u8>,
    /// The exact bytes of the other.
    pub second: Vec<u8>,
}

impl Agreement {
    /// All contradictions among the objects known, at most one of a kind by party and version, or party and parent.
    pub fn contradictions(&self) -> Vec<Contradiction> {
        let mut found = Vec::new();
        for of_version in self.acts.answers.values() {
            for (agency, answers) in of_version {
                found.extend(in_answers(*agency, answers));
            }
        }
        for siblings in self.acts.children.values() {
            let mut signed: BTreeMap<AgencyId, Vec<&Attested<Signature>>> = BTreeMap::new();
            for sibling in siblings {
                for (agency, answers) in self.acts.answers.get(sibling).into_iter().flatten() {
                    signed.entry(*agency).or_default().extend(answers.signed.first());
                }
            }
            found.extend(signed.into_iter().filter_map(|(agency, signatures)| two_children(agency, &signatures)));
        }
        found.sort_unstable();
        found
    }
}

fn in_answers(agency: AgencyId, answers: &Answers) -> Vec<Contradiction> {
    let found = |kind, first: &[u8], second: &[u8]| Contradiction {
        agency,
        kind,
        first: first.to_vec(),
        second: second.to_vec(),
    };
    let both = answers.signed.first().zip(answers.rejected.first());
    let both = both.map(|(yes, no)| found(ContradictionKind::SignedAndRejected, yes.bytes(), no.bytes()));
    let signed = answers.signed.differing();
    let signed = signed.map(|(a, b)| found(ContradictionKind::SignedTwice, a.bytes(), b.bytes()));
    let rejected = answers.rejected.differing();
    let rejected = rejected.map(|(a, b)| found(ContradictionKind::RejectedTwice, a.bytes(), b.bytes()));
    both.into_iter().chain(signed).chain(rejected).collect()
}

/// The first two signatures on siblings of which neither relies on a rejection of the other.
fn two_children(agency: AgencyId, signatures: &[&Attested<Signature>]) -> Option<Contradiction> {
    let relies = |on: VersionHash, by: &Signature| by.relies_on.iter().any(|reliance| reliance.version == on);
    signatures.iter().enumerate().find_map(|(at, one)| {
        let other = signatures[..at].iter().find(|other| !relies(other.version, one) && !relies(one.version, other))?;
        let (first, second) = (other.bytes().to_vec(), one.bytes().to_vec());
        Some(Contradiction { agency, kind: ContradictionKind::TwoChildren, first, second })
    })
}
