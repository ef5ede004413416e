//! The card: an agency's identity document, with its keys by purpose. A newer card replaces an older one.
//!
//! | key | value |
//! |---|---|
//! | 0 | agency id |
//! | 1 | serial: from 1, each the predecessor's plus one; the recovery root counts from 2^31 |
//! | 2 | hash of the predecessor, absent on the first card |
//! | 3, 4, 5, 6 | name, country, kind, contact point |
//! | 7 | issued |
//! | 8 | agreement-signing keys; no two are valid at one time, so one signature has one key |
//! | 9 | nodes, by ascending writer |
//! | 10 | all signing and transport keys ever revoked, ascending: whoever has missed a card misses no revocation |
//! | 11 | the recovery root's public key, where it signs |
//!
//! The recovery root counts from the upper half of the serials, so that whoever steals the root can never outnumber
//! it: "the higher serial wins" stays the whole rule, also in digests and receipts. An encryption key is revoked by
//! being left out, since nothing is wrapped for the keys of older cards.

use std::collections::{BTreeMap, BTreeSet};

use crate::crypto::sign::{PublicKey, Signed, SigningKey, sign};
use crate::id::{AgencyId, Hash, Mode};
use crate::limits;
use crate::time::Time;
use crate::wire::codec::{CodecError, MapReader, MapWriter, read_object};
use crate::wire::object::ObjectKind;

use super::parts::{AgreementKey, Country, Kind, NodeKeys, Validity};
use super::{IdentityError, SignedInception, parse_signed};

/// The serial of the first card that the recovery root signs.
pub const FIRST_RECOVERY_SERIAL: u32 = 1 << 31;

/// What a card says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Card {
    /// Whose card it is.
    pub agency: AgencyId,
    /// Its number; the higher one replaces the lower.
    pub serial: u32,
    /// The hash of the card before it.
    pub predecessor: Option<Hash>,
    /// The agency's name.
    pub name: String,
    /// Its country.
    pub country: Country,
    /// Its kind.
    pub kind: Kind,
    /// How people reach people there.
    pub contact: String,
    /// When the card was signed.
    pub issued: Time,
    /// The keys that sign agreements.
    pub agreement_keys: Vec<AgreementKey>,
    /// The agency's nodes, by ascending writer.
    pub nodes: Vec<NodeKeys>,
    /// Every Ed25519 public key that is not to be trusted any more, in ascending order.
    pub revoked: Vec<[u8; 32]>,
}

/// A card whose signature and rules have been verified against the agency's inception document.
#[derive(Clone, Debug)]
pub struct SignedCard {
    signed: Signed,
    mode: Mode,
    card: Card,
    recovery: Option<PublicKey>,
}

/// A card that is well formed; who signed it is not yet known.
pub(super) struct UnverifiedCard {
    signed: Signed,
    mode: Mode,
    card: Card,
    recovery: Option<PublicKey>,
}

/// What a key is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Purpose {
    Agreement,
    Signing(u32),
    Transport(u32),
}

impl SignedCard {
    /// Signs a card with the root, or with the recovery root.
    pub fn issue(inception: &SignedInception, card: &Card, root: &SigningKey) -> Result<SignedCard, IdentityError> {
        let public = root.public();
        let recovery = (public != *inception.root()).then_some(public);
        let payload = card.payload(recovery.as_ref());
        Self::parse_for(inception, &sign(root, ObjectKind::Card.typ(inception.mode()), &payload))
    }

    /// Reads and verifies a card of this agency.
    pub fn parse_for(inception: &SignedInception, bytes: &[u8]) -> Result<SignedCard, IdentityError> {
        UnverifiedCard::parse(bytes)?.verify(inception)
    }

    /// What the card says.
    pub const fn card(&self) -> &Card {
        &self.card
    }

    /// Whose card it is.
    pub const fn agency(&self) -> AgencyId {
        self.card.agency
    }

    /// Live or exercise, as the agency.
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// Its serial.
    pub const fn serial(&self) -> u32 {
        self.card.serial
    }

    /// The hash of the signed object, which the next card names.
    pub fn hash(&self) -> Hash {
        Hash(self.signed.hash())
    }

    /// The signed bytes.
    pub fn bytes(&self) -> &[u8] {
        self.signed.bytes()
    }

    /// Whether the recovery root signed it.
    pub const fn is_recovered(&self) -> bool {
        self.recovery.is_some()
    }

    /// The node with this number.
    pub fn node(&self, writer: u32) -> Option<&NodeKeys> {
        let at = self.card.nodes.binary_search_by_key(&writer, |node| node.writer).ok()?;
        self.card.nodes.get(at)
    }

    /// The signing key of a node, where the card gives one for that time. Whether a later card revokes it, the
    /// [`Roll`](super::Roll) knows.
    pub fn signing_key(&self, writer: u32, at: Time) -> Result<&PublicKey, IdentityError> {
        let node = self.node(writer).ok_or(IdentityError::NoSuchNode { writer })?;
        if node.validity.contains(at) { Ok(&node.signing) } else { Err(IdentityError::NoKeyThen) }
    }

    /// The agreement-signing key of that time. Whether a later card revokes it, the [`Roll`](super::Roll) knows.
    pub fn agreement_key(&self, at: Time) -> Result<&PublicKey, IdentityError> {
        let valid = self.card.agreement_keys.iter().find(|entry| entry.validity.contains(at));
        valid.map(|entry| &entry.key).ok_or(IdentityError::NoKeyThen)
    }

    /// Whether the card revokes this key.
    pub fn revokes(&self, key: &PublicKey) -> bool {
        self.card.revoked.binary_search(key.as_bytes()).is_ok()
    }

    /// Whether this card may follow directly on `older`. A card that the recovery root signed first may follow on
    /// any that the root signed; after it, the root signs none.
    pub fn succeeds(&self, older: &SignedCard) -> Result<(), IdentityError> {
        let (new, old) = (&self.card, &older.card);
        if new.agency != old.agency {
            return Err(IdentityError::OtherAgency { expected: old.agency, found: new.agency });
        }
        if older.is_recovered() && !self.is_recovered() {
            return Err(IdentityError::RootReplaced);
        }
        let takes_over = new.serial == FIRST_RECOVERY_SERIAL && !older.is_recovered();
        if !takes_over && old.serial.checked_add(1) != Some(new.serial) {
            return Err(IdentityError::NotNext { serial: new.serial, older: old.serial });
        }
        if new.predecessor != Some(older.hash()) {
            return Err(IdentityError::NotPredecessor { serial: new.serial });
        }
        if new.issued < old.issued {
            return Err(IdentityError::IssuedFell);
        }
        if !old.revoked.iter().all(|key| new.revoked.binary_search(key).is_ok()) {
            return Err(IdentityError::RevocationDropped);
        }
        let purposes: BTreeMap<_, _> = old.keys().map(|(key, purpose)| (key.as_bytes(), purpose)).collect();
        if new.keys().any(|(key, purpose)| purposes.get(key.as_bytes()).is_some_and(|old| *old != purpose)) {
            return Err(IdentityError::PurposeChanged);
        }
        Ok(())
    }
}

impl UnverifiedCard {
    pub(super) fn parse(bytes: &[u8]) -> Result<UnverifiedCard, IdentityError> {
        let (signed, mode) = parse_signed(bytes, ObjectKind::Card)?;
        let (card, recovery) = read_object(signed.payload(), read)?;
        Ok(UnverifiedCard { signed, mode, card, recovery })
    }

    pub(super) const fn agency(&self) -> AgencyId {
        self.card.agency
    }

    pub(super) fn verify(self, inception: &SignedInception) -> Result<SignedCard, IdentityError> {
        let UnverifiedCard { signed, mode, card, recovery } = self;
        if card.agency != inception.agency() {
            return Err(IdentityError::OtherAgency { expected: inception.agency(), found: card.agency });
        }
        if mode != inception.mode() {
            return Err(IdentityError::Mode { expected: inception.mode(), found: mode });
        }
        if recovery.as_ref().is_some_and(|key| !inception.is_recovery(key)) {
            return Err(IdentityError::NotARoot);
        }
        signed.verify(recovery.as_ref().unwrap_or(inception.root()))?;
        card.check(inception, recovery.is_some())?;
        Ok(SignedCard { signed, mode, card, recovery })
    }
}

impl Card {
    fn payload(&self, recovery: Option<&PublicKey>) -> Vec<u8> {
        MapWriter::new()
            .put(0, &self.agency)
            .put(1, &self.serial)
            .put_some(2, self.predecessor.as_ref())
            .put_text(3, &self.name)
            .put(4, &self.country)
            .put(5, &self.kind)
            .put_text(6, &self.contact)
            .put(7, &self.issued)
            .put_list(8, &self.agreement_keys)
            .put_list(9, &self.nodes)
            .put_list(10, &self.revoked)
            .put_some(11, recovery)
            .finish()
    }

    /// The rules that a card keeps by itself.
    fn check(&self, inception: &SignedInception, recovered: bool) -> Result<(), IdentityError> {
        if self.serial == 0 || recovered != (self.serial >= FIRST_RECOVERY_SERIAL) {
            return Err(IdentityError::SerialRange { serial: self.serial });
        }
        if self.predecessor.is_some() != (self.serial != 1) {
            return Err(IdentityError::Predecessor);
        }
        if !is_plain(&self.name) || !is_plain(&self.contact) {
            return Err(IdentityError::Text);
        }
        if !self.nodes.is_sorted_by(|a, b| a.writer < b.writer) {
            return Err(IdentityError::WriterOrder);
        }
        if !self.revoked.is_sorted_by(|a, b| a < b) {
            return Err(IdentityError::RevokedOrder);
        }
        self.check_validity()?;
        self.check_purposes(inception)
    }

    fn check_validity(&self) -> Result<(), IdentityError> {
        let nodes = self.nodes.iter().map(|node| node.validity);
        if self.agreement_keys.iter().map(|entry| entry.validity).chain(nodes).any(Validity::is_empty) {
            return Err(IdentityError::EmptyValidity);
        }
        for (at, entry) in self.agreement_keys.iter().enumerate() {
            if self.agreement_keys[..at].iter().any(|other| entry.validity.overlaps(other.validity)) {
                return Err(IdentityError::OverlappingKeys);
            }
        }
        Ok(())
    }

    /// One key, one purpose: nowhere twice, neither root among them, none revoked.
    fn check_purposes(&self, inception: &SignedInception) -> Result<(), IdentityError> {
        let mut seen = BTreeSet::new();
        for (key, _) in self.keys() {
            let is_root = key == inception.root() || inception.is_recovery(key);
            if is_root || !seen.insert(key.as_bytes()) {
                return Err(IdentityError::KeyTwice);
            }
            if self.revoked.binary_search(key.as_bytes()).is_ok() {
                return Err(IdentityError::RevokedInUse);
            }
        }
        for (at, node) in self.nodes.iter().enumerate() {
            if self.nodes[..at].iter().any(|other| node.encryption == other.encryption) {
                return Err(IdentityError::KeyTwice);
            }
        }
        Ok(())
    }

    /// All Ed25519 keys with what each is for.
    fn keys(&self) -> impl Iterator<Item = (&PublicKey, Purpose)> {
        let agreement = self.agreement_keys.iter().map(|entry| (&entry.key, Purpose::Agreement));
        let nodes = self.nodes.iter().flat_map(|node| {
            let transport = node.transport.iter().map(|key| (key, Purpose::Transport(node.writer)));
            transport.chain([(&node.signing, Purpose::Signing(node.writer))])
        });
        agreement.chain(nodes)
    }
}

fn read(map: &mut MapReader<'_, '_>) -> Result<(Card, Option<PublicKey>), CodecError> {
    let text = |text: Option<String>, key| text.ok_or(CodecError::Missing(key));
    let card = Card {
        agency: map.need(0)?,
        serial: map.need(1)?,
        predecessor: map.take(2)?,
        name: text(map.text(3, 1, limits::SHORT_TEXT_BYTES)?, 3)?,
        country: map.need(4)?,
        kind: map.need(5)?,
        contact: text(map.text(6, 1, limits::SHORT_TEXT_BYTES)?, 6)?,
        issued: map.need(7)?,
        agreement_keys: map.list(8, limits::AGREEMENT_KEYS_PER_CARD)?,
        nodes: map.list(9, limits::NODES_PER_CARD)?,
        revoked: map.list(10, limits::REVOKED_KEYS)?,
    };
    Ok((card, map.take(11)?))
}

/// Whether people see a text as it is: one line, no blanks around it, nothing that is invisible or turns the
/// direction of what follows (Unicode TR 36, section 2.10).
fn is_plain(text: &str) -> bool {
    let deceives = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
            || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.trim() == text && !text.contains(deceives)
}

/// Two cards that contradict each other: an agency, or a thief of its root key, has signed two histories.
#[derive(Clone, Debug)]
pub struct CardConflict {
    first: SignedCard,
    second: SignedCard,
}

impl CardConflict {
    /// The proof that two cards contradict each other: they have one serial and differ, or the one that comes next
    /// names another predecessor. `None` where they go together. The order of the two does not matter.
    pub fn between(a: &SignedCard, b: &SignedCard) -> Option<CardConflict> {
        let (first, second) = if (a.serial(), a.hash()) <= (b.serial(), b.hash()) { (a, b) } else { (b, a) };
        let twice = first.serial() == second.serial() && first.hash() != second.hash();
        let next =
            first.is_recovered() == second.is_recovered() && first.serial().checked_add(1) == Some(second.serial());
        let astray = next && second.card.predecessor != Some(first.hash());
        let conflict = first.agency() == second.agency() && (twice || astray);
        conflict.then(|| CardConflict { first: first.clone(), second: second.clone() })
    }

    /// The card with the lower serial, or of one serial with the lower hash.
    pub const fn first(&self) -> &SignedCard {
        &self.first
    }

    /// The other card.
    pub const fn second(&self) -> &SignedCard {
        &self.second
    }
}
