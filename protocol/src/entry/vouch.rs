//! Vouching: what a revoked key signed stands where the opening of a later generation says so.
//!
//! ```text
//!   generation 0   e0 ── e1 ── e2 ── e3      its key is revoked: held
//!                              ▲
//!   generation 1   opening ────┘             names e2 and its hash: e0 to e2 stand once the chain reaches e2,
//!                                            and e3 is disowned
//! ```
//!
//! A thief of the key can write a chain of his own, and cannot reach the head that the opening names. So the entries up
//! to there may be kept as they come, and nothing of them is opened before that head is held.

use std::collections::BTreeMap;

use crate::crypto::sign::PublicKey;
use crate::entry::header::Header;
use crate::entry::ladder::View;
use crate::entry::refusal::Refusal;
use crate::id::{AgencyId, Hash, LogId};
use crate::identity::{IdentityError, Roll};
use crate::time::Time;

/// Up to where later generations let logs stand, for those of which an opening tells it.
pub type Stands = BTreeMap<LogId, Vouched>;

/// The last entry of a log that stands, as the opening of a later generation names it. It vouches for the entries up
/// to there, whatever became of the key that signed them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Vouched {
    /// Its number.
    pub seq: u64,
    /// Its header's hash.
    pub hash: Hash,
    /// Whether it is held. Before, the chain of a revoked key may be a thief's, and nothing of it is opened.
    pub reached: bool,
}

/// What a later generation says of the log that a header belongs to, where it covers the header's position.
pub(super) fn vouched<'a>(header: &Header, view: &View<'a>) -> Option<&'a Vouched> {
    view.stands.get(&header.log(view.agreement.id())).filter(|last| header.seq <= last.seq)
}

/// The key that the card named gives a node at a time; one that was revoked since only where somebody vouches.
pub(super) fn signing_key(
    roll: &Roll,
    agency: AgencyId,
    serial: u32,
    writer: u32,
    at: Time,
    vouched: bool,
) -> Result<&PublicKey, Refusal> {
    let key = match roll.signing_key(agency, serial, writer, at) {
        Err(IdentityError::Revoked { .. }) if vouched => {
            roll.card_at(agency, serial).and_then(|card| card.signing_key(writer, at))
        }
        found => found,
    };
    key.map_err(|error| match error {
        IdentityError::UnknownAgency(_) | IdentityError::UnknownCard { .. } => Refusal::UnknownCard { agency, serial },
        IdentityError::Revoked { .. } => Refusal::RevokedKey { agency, serial, writer },
        _ => Refusal::NoKey { agency, serial, writer },
    })
}
