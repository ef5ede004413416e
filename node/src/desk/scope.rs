//! Where stand-alone objects lie: in the feed of an agreement, in the contact feed, or among the wraps.
//!
//! The same card or retraction may belong into several feeds. The store knows an object by one hash, so an object is
//! filed under a hash of (scope, object): the same on every node, so that partners can compare what they have.

use entente_protocol::id::{AgreementId, Hash};
use entente_protocol::wire::object::ObjectKind;

use crate::store::Item;

/// The feed of what every pinned partner may know: this agency's inception, cards and address records.
pub const CONTACT: Hash = Hash([0; 32]);

/// Where wraps lie. They are fetched pairwise by key, so no feed lists them.
pub fn wraps() -> Hash {
    Hash::of(&[b"entente.scope.wraps"])
}

/// Where imported cards lie: the contact feed is what this agency tells of itself alone.
pub fn imported() -> Hash {
    Hash::of(&[b"entente.scope.imported"])
}

/// The feed of an agreement, also while it is only proposed.
pub fn of_agreement(agreement: AgreementId) -> Hash {
    agreement.0
}

/// The name of an object within a scope.
pub fn name_in(scope: Hash, object: Hash) -> Hash {
    Hash::of(&[b"entente.scoped-object.v1", scope.as_bytes(), object.as_bytes()])
}

/// The commit item that puts an object into a scope.
pub fn item(scope: Hash, kind: ObjectKind, object: Hash, bytes: &[u8]) -> Item {
    Item::Object { scope, kind: kind.number(), hash: name_in(scope, object), bytes: bytes.to_vec() }
}
