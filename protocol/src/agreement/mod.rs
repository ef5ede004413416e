//! Sharing agreements: what they say, how parties answer, and which version is in force.
//!
//! | module | what | signed by |
//! |---|---|---|
//! | [`version`] | one version of an agreement: parties, validity, and its [`terms`] | its proposer |
//! | [`answer`] | a party's signature, rejection or withdrawal | that party |
//! | [`tree`] | all versions and answers of one agreement, and what follows from them | |
//! | [`explain`](mod@explain), [`compare`] | a version in plain words, and what it changes | |
//!
//! An agreement is a tree of versions of which one line is in force. Every node decides alone which, as a pure
//! function of the set of signed objects that it holds: the order of their arrival never matters.
//!
//! Absent on purpose: consensus, a chair, expulsion. Whether the signers are who they claim to be is the caller's
//! to verify, with the cards; whether a statement is within the terms is decided in [`crate::rules`].

pub mod answer;
pub mod compare;
mod contradiction;
mod decide;
pub mod explain;
mod judge;
pub mod terms;
pub mod tree;
pub mod version;

pub use answer::{Rejection, Reliance, Signature, Withdrawal};
pub use contradiction::{Contradiction, ContradictionKind};
pub use explain::explain;
pub use judge::{MayNot, NotInForce, State};
pub use terms::{Onward, Terms};
pub use tree::{Act, Agreement, Answer, Fed, FeedError};
pub use version::{Party, SignedVersion, Version, VersionFault};
