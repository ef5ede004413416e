//! One version of an agreement: who shares what with whom, why, for how long, and under which rules.
//!
//! | key | value |
//! |---|---|
//! | 0 | agreement id; absent in the first version, whose own hash is the id |
//! | 1 | hash of the parent version; absent in the first |
//! | 2 | rules version: 1 |
//! | 3, 4, 5 | title, purpose, legal basis |
//! | 6 | parties, by ascending agency: {0 agency, 1 contributes, 2 receives} |
//! | 7 | terms, see [`Terms`] |
//! | 8, 9 | valid from (inclusive), valid until (exclusive) |
//! | 10 | effective from; exactly where there is a parent |
//! | 11 | grace, milliseconds: how long the parent's entries are still admitted after 10 |
//! | 12 | run-off, days: how long retractions still pass to those who left |
//! | 13 | true: this version ends the agreement; else absent, and only where there is a parent |
//! | 14, 15 | proposer, and the serial of its card that holds the agreement-signing key |
//! | 16 | created |
//! | 17 | nonce, 16 random bytes: two proposals are never the same object by chance |
//!
//! A first version takes effect when all have signed, from 8 on; a child at 10. Live or exercise stands in the
//! `typ`. That the parties exist and are of that mode is for the caller to verify, who knows their cards.

use minicbor::Decoder;

use crate::crypto::sign::SigningKey;
use crate::id::{AgencyId, AgreementId, Mode, VersionHash};
use crate::limits;
use crate::time::{DAY_MS, Time};
use crate::wire::attest::{Attested, Payload};
use crate::wire::codec::{CodecError, MapReader, MapWriter, Value};
use crate::wire::object::ObjectKind;

use super::terms::Terms;

/// The rules that this software knows; a version under others is held.
pub const RULES: u64 = 1;

/// The grace, where the proposer says nothing: one day, in which every node should have caught up once.
pub const DEFAULT_GRACE_MS: u64 = DAY_MS;
/// The run-off of retractions, where the proposer says nothing, days.
pub const DEFAULT_RUN_OFF_DAYS: u32 = 90;

/// A version that was signed by its proposer; its hash is its name.
pub type SignedVersion = Attested<Version>;

impl SignedVersion {
    /// The name of the version.
    pub fn name(&self) -> VersionHash {
        VersionHash(self.hash())
    }

    /// The agreement that it belongs to: the one it names, or, a first version, the one it founds.
    pub fn agreement(&self) -> AgreementId {
        self.payload().agreement.unwrap_or(AgreementId(self.hash()))
    }
}

/// What a version says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Version {
    /// The agreement; absent in the first version.
    pub agreement: Option<AgreementId>,
    /// The version that this one replaces; absent in the first.
    pub parent: Option<VersionHash>,
    /// What people call it.
    pub title: String,
    /// What the statements may be used for.
    pub purpose: String,
    /// The law or treaty that allows the sharing.
    pub legal_basis: String,
    /// Who shares, by ascending agency.
    pub parties: Vec<Party>,
    /// What may be shared.
    pub terms: Terms,
    /// The first moment of validity.
    pub valid_from: Time,
    /// The end of validity, exclusive.
    pub valid_until: Time,
    /// When it replaces its parent.
    pub effective_from: Option<Time>,
    /// How long entries under the parent are still admitted after that, milliseconds.
    pub grace_ms: u64,
    /// How long retractions still pass to those who left, and after the end, days.
    pub run_off_days: u32,
    /// Whether this version ends the agreement.
    pub ends: bool,
    /// Who proposes it.
    pub proposer: AgencyId,
    /// The serial of the proposer's card that holds the agreement-signing key.
    pub card_serial: u32,
    /// When it was proposed.
    pub created: Time,
    /// 16 random bytes.
    pub nonce: [u8; 16],
}

/// A party and its roles, of which it has at least one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Party {
    /// Who.
    pub agency: AgencyId,
    /// Whether it may publish under the agreement.
    pub contribute: bool,
    /// Whether it is told.
    pub receive: bool,
}

/// Why a version cannot be proposed. Each variant is a rule.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum VersionFault {
    /// A child names agreement, parent and `effective_from`; a first version none of them, and ends nothing.
    #[error(
        "a version that replaces another names agreement, parent and the time it takes effect, and only such a version can end the agreement"
    )]
    Lineage,
    /// A text is absent, too long, or contains control characters.
    #[error(
        "title and legal basis have 1 to {} bytes, the purpose 1 to {}, without control characters",
        limits::SHORT_TEXT_BYTES,
        limits::LONG_TEXT_BYTES
    )]
    Text {
        /// Its key.
        key: u64,
    },
    /// Fewer than two parties, or too many.
    #[error("an agreement has 2 to {} parties, this has {found}", limits::PARTIES)]
    PartyCount {
        /// How many.
        found: usize,
    },
    /// Parties are unsorted or twice there.
    #[error("parties are listed by ascending agency, each once")]
    PartyOrder,
    /// A party has no role, or nobody has one of them.
    #[error("every party contributes or receives, at least one contributes, and at least one receives")]
    Roles,
    /// The proposer is no party.
    #[error("the proposer is not among the parties")]
    Proposer,
    /// A list of the terms is empty, too long, unsorted, or names something twice.
    #[error(
        "lists of terms ascend, name each item once, and have at most {} items; there is at least one statement kind",
        limits::TERMS_PER_LIST
    )]
    List {
        /// Its key within the terms.
        key: u64,
    },
    /// A chain is not named as CAIP-2 does.
    #[error("a chain is named as CAIP-2 does, such as eip155:1")]
    Chain,
    /// Retention outside its bounds.
    #[error("a retention of {days} days is outside 1 to {}", limits::RETENTION_DAYS)]
    Retention {
        /// As given.
        days: u32,
    },
    /// A quota of nothing.
    #[error("a quota of 0 would let nothing pass")]
    Quota,
    /// The validity, the time it takes effect and the time of the proposal are out of order.
    #[error("a version is created before it takes effect, and takes effect within its validity")]
    Order,
    /// Grace outside its bounds.
    #[error("a grace of {ms} ms is longer than {} ms", limits::GRACE_MS)]
    Grace {
        /// As given.
        ms: u64,
    },
    /// Run-off outside its bounds.
    #[error("a run-off of {days} days is longer than {}", limits::RETENTION_DAYS)]
    RunOff {
        /// As given.
        days: u32,
    },
}

impl VersionFault {
    /// The key of the wire that breaks the rule.
    const fn key(self) -> u64 {
        match self {
            VersionFault::Lineage => 1,
            VersionFault::Text { key } => key,
            VersionFault::PartyCount { .. } | VersionFault::PartyOrder | VersionFault::Roles => 6,
            VersionFault::List { .. } | VersionFault::Chain | VersionFault::Retention { .. } | VersionFault::Quota => 7,
            VersionFault::Order => 9,
            VersionFault::Grace { .. } => 11,
            VersionFault::RunOff { .. } => 12,
            VersionFault::Proposer => 14,
        }
    }
}

impl Version {
    /// Signs a proposal, once it keeps all rules of its form.
    pub fn propose(self, mode: Mode, key: &SigningKey) -> Result<SignedVersion, VersionFault> {
        self.check()?;
        Ok(Attested::sign(self, mode, key))
    }

    /// Until when signatures count, exclusive: the time of each stands inside it.
    pub fn deadline(&self) -> Time {
        self.effective_from.unwrap_or(self.valid_until)
    }

    /// The earliest moment at which it can be in force.
    pub fn earliest(&self) -> Time {
        self.effective_from.unwrap_or(self.valid_from)
    }

    /// The party that this agency is.
    pub fn party(&self, agency: AgencyId) -> Option<&Party> {
        let at = self.parties.binary_search_by_key(&agency, |party| party.agency).ok()?;
        self.parties.get(at)
    }

    /// The rules of form, which a version keeps by itself.
    pub fn check(&self) -> Result<(), VersionFault> {
        let is_child = self.parent.is_some();
        let lineage = [self.agreement.is_some(), self.effective_from.is_some(), self.ends || is_child];
        if lineage != [is_child; 3] {
            return Err(VersionFault::Lineage);
        }
        let texts = [
            (3, &self.title, limits::SHORT_TEXT_BYTES),
            (4, &self.purpose, limits::LONG_TEXT_BYTES),
            (5, &self.legal_basis, limits::SHORT_TEXT_BYTES),
        ];
        for (key, text, max) in texts {
            let clean = text.chars().all(|c| !c.is_control() || c == '\n' || c == '\t');
            if text.is_empty() || text.len() > max || !clean {
                return Err(VersionFault::Text { key });
            }
        }
        self.check_parties()?;
        self.terms.check()?;
        let effect = self.earliest();
        let within = self.valid_from <= effect && effect < self.valid_until;
        if !within || self.created >= self.deadline() {
            return Err(VersionFault::Order);
        }
        if self.grace_ms > limits::GRACE_MS {
            return Err(VersionFault::Grace { ms: self.grace_ms });
        }
        if self.run_off_days > limits::RETENTION_DAYS {
            return Err(VersionFault::RunOff { days: self.run_off_days });
        }
        Ok(())
    }

    fn check_parties(&self) -> Result<(), VersionFault> {
        let found = self.parties.len();
        if !(2..=limits::PARTIES).contains(&found) {
            return Err(VersionFault::PartyCount { found });
        }
        if !self.parties.is_sorted_by(|a, b| a.agency < b.agency) {
            return Err(VersionFault::PartyOrder);
        }
        let all_have_roles = self.parties.iter().all(|party| party.contribute || party.receive);
        let some = |role: fn(&Party) -> bool| self.parties.iter().any(role);
        if !all_have_roles || !some(|party| party.contribute) || !some(|party| party.receive) {
            return Err(VersionFault::Roles);
        }
        self.party(self.proposer).map(|_| ()).ok_or(VersionFault::Proposer)
    }
}

impl Payload for Version {
    const KIND: ObjectKind = ObjectKind::AgreementVersion;
    const MAX_BYTES: usize = limits::OBJECT_BYTES;

    fn write(&self) -> Vec<u8> {
        MapWriter::new()
            .put_some(0, self.agreement.as_ref())
            .put_some(1, self.parent.as_ref())
            .put(2, &RULES)
            .put_text(3, &self.title)
            .put_text(4, &self.purpose)
            .put_text(5, &self.legal_basis)
            .put_list(6, &self.parties)
            .put(7, &self.terms)
            .put(8, &self.valid_from)
            .put(9, &self.valid_until)
            .put_some(10, self.effective_from.as_ref())
            .put(11, &self.grace_ms)
            .put(12, &self.run_off_days)
            .put_some(13, self.ends.then_some(&true))
            .put(14, &self.proposer)
            .put(15, &self.card_serial)
            .put(16, &self.created)
            .put(17, &self.nonce)
            .finish()
    }

    fn read(map: &mut MapReader<'_, '_>) -> Result<Self, CodecError> {
        let agreement = map.take(0)?;
        let parent = map.take(1)?;
        let rules: u64 = map.need(2)?;
        if rules != RULES {
            return Err(CodecError::UnknownValue { key: 2, value: rules });
        }
        let version = Self {
            agreement,
            parent,
            title: need_text(map, 3, limits::SHORT_TEXT_BYTES)?,
            purpose: need_text(map, 4, limits::LONG_TEXT_BYTES)?,
            legal_basis: need_text(map, 5, limits::SHORT_TEXT_BYTES)?,
            parties: map.list(6, limits::PARTIES)?,
            terms: map.need(7)?,
            valid_from: map.need(8)?,
            valid_until: map.need(9)?,
            effective_from: map.take(10)?,
            grace_ms: map.need(11)?,
            run_off_days: map.need(12)?,
            ends: match map.take::<bool>(13)? {
                Some(false) => return Err(CodecError::Bounds(13)),
                ends => ends.is_some(),
            },
            proposer: map.need(14)?,
            card_serial: map.need(15)?,
            created: map.need(16)?,
            nonce: map.need(17)?,
        };
        version.check().map_err(|fault| CodecError::Bounds(fault.key()))?;
        Ok(version)
    }
}

/// The text behind a key that must be there.
pub(super) fn need_text(map: &mut MapReader<'_, '_>, key: u64, max: usize) -> Result<String, CodecError> {
    map.text(key, 1, max)?.ok_or(CodecError::Missing(key))
}

impl Value for Party {
    fn write(&self, out: &mut Vec<u8>) {
        MapWriter::new().put(0, &self.agency).put(1, &self.contribute).put(2, &self.receive).finish_into(out);
    }

    fn read(d: &mut Decoder<'_>, key: u64) -> Result<Self, CodecError> {
        let mut map = MapReader::new(d, key)?;
        let party = Self { agency: map.need(0)?, contribute: map.need(1)?, receive: map.need(2)? };
        map.end()?;
        Ok(party)
    }
}
