//! The roll: all agencies that a node knows, in memory, as the ladder asks for them.
//!
//! Whatever order cards arrive in, nodes that know the same cards answer alike:
//! - The highest serial is the newest card. Of two cards with one serial the one with the lower hash stands; the pair
//!   is told as a [`CardConflict`], and the next serial decides.
//! - A key that any card that stands revokes verifies nothing any more, whichever card names it; a card that takes
//!   a revocation back has no effect.
//! - Once the recovery root has signed, a card of the replaced root stands only where the chain of predecessors
//!   leads from the recovery root's first card to it: what a thief of the root signed falls away.
//!
//! Deliberately absent: whom the node trusts (pinned, vouched), which is local state and not a fact about agencies.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::crypto::sign::PublicKey;
use crate::crypto::wrap::EncryptionKey;
use crate::id::{AgencyId, Hash};
use crate::limits;
use crate::time::Time;

use super::address_record::UnverifiedAddressRecord;
use super::card::UnverifiedCard;
use super::{
    CardConflict, CardExport, FIRST_RECOVERY_SERIAL, IdentityError, SignedAddressRecord, SignedCard, SignedInception,
};

/// What became of an inception document.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum InceptionOutcome {
    /// The agency was not known.
    Added,
    /// It was.
    AlreadyKnown,
}

/// What became of a card.
#[derive(Clone, Debug)]
pub enum CardOutcome {
    /// The card was not known and is now.
    Added,
    /// It was known.
    AlreadyKnown,
    /// The card was not known, and contradicts one that is: here is the proof, to be kept and passed on.
    Conflict(Box<CardConflict>),
}

/// What became of an address record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AddressOutcome {
    /// It is the node's newest.
    Added,
    /// One as new or newer is known.
    NotNewer,
}

/// What is known of one agency.
#[derive(Clone, Debug)]
pub struct Known {
    inception: SignedInception,
    cards: BTreeMap<u32, SignedCard>,
    conflict: Option<CardConflict>,
    addresses: BTreeMap<u32, SignedAddressRecord>,
}

/// All known agencies.
#[derive(Clone, Debug, Default)]
pub struct Roll {
    agencies: BTreeMap<AgencyId, Known>,
}

impl Roll {
    /// A roll without agencies.
    pub fn new() -> Roll {
        Roll::default()
    }

    /// Adds an agency. Who may add one is the caller's decision: this is where memory is given to strangers.
    pub fn add_inception(&mut self, inception: SignedInception) -> InceptionOutcome {
        match self.agencies.entry(inception.agency()) {
            Entry::Occupied(_) => InceptionOutcome::AlreadyKnown,
            Entry::Vacant(entry) => {
                entry.insert(Known::new(inception));
                InceptionOutcome::Added
            }
        }
    }

    /// Reads a card of any known agency and verifies it.
    pub fn read_card(&self, bytes: &[u8]) -> Result<SignedCard, IdentityError> {
        let card = UnverifiedCard::parse(bytes)?;
        let known = self.agency(card.agency())?;
        card.verify(&known.inception)
    }

    /// Reads an address record of any known agency and verifies it against the agency's newest card.
    pub fn read_address_record(&self, bytes: &[u8]) -> Result<SignedAddressRecord, IdentityError> {
        let record = UnverifiedAddressRecord::parse(bytes)?;
        let card = self.card(record.agency())?;
        let record = record.verify(card)?;
        self.signing_key(card.agency(), card.serial(), record.record().writer, record.record().created)?;
        Ok(record)
    }

    /// Adds a card of a known agency.
    pub fn add_card(&mut self, card: SignedCard) -> Result<CardOutcome, IdentityError> {
        self.agency_mut(card.agency())?.add_card(card)
    }

    /// Adds an address record of a known agency, which the newest card must bear out.
    pub fn add_address_record(&mut self, record: SignedAddressRecord) -> Result<AddressOutcome, IdentityError> {
        self.agency_mut(record.record().agency)?.add_address_record(record)
    }

    /// Adds all that a card file holds; what contradicts known cards is told.
    pub fn add_export(&mut self, export: CardExport) -> Result<Vec<CardConflict>, IdentityError> {
        let (inception, cards, addresses) = export.into_parts();
        let agency = inception.agency();
        self.add_inception(inception);
        let known = self.agency_mut(agency)?;
        let mut conflicts = Vec::new();
        // From the newest down, so that cards of a replaced root find the chain that leads to them.
        for card in cards.into_iter().rev() {
            if let CardOutcome::Conflict(conflict) = known.add_card(card)? {
                conflicts.push(*conflict);
            }
        }
        for record in addresses {
            // The file may be older than the newest card known here; its records then simply do not count.
            if known.bears_out(&record) {
                known.add_address_record(record)?;
            }
        }
        Ok(conflicts)
    }

    /// Takes an agency off the roll, with all that is known of it.
    pub fn remove(&mut self, agency: AgencyId) -> Option<Known> {
        self.agencies.remove(&agency)
    }

    /// All agencies, by id.
    pub fn iter(&self) -> impl Iterator<Item = (AgencyId, &Known)> {
        self.agencies.iter().map(|(agency, known)| (*agency, known))
    }

    /// What is known of an agency.
    pub fn agency(&self, agency: AgencyId) -> Result<&Known, IdentityError> {
        self.agencies.get(&agency).ok_or(IdentityError::UnknownAgency(agency))
    }

    /// An agency's newest card.
    pub fn card(&self, agency: AgencyId) -> Result<&SignedCard, IdentityError> {
        self.agency(agency)?.newest().ok_or(IdentityError::UnknownCard { agency, serial: 1 })
    }

    /// An agency's card with this serial.
    pub fn card_at(&self, agency: AgencyId, serial: u32) -> Result<&SignedCard, IdentityError> {
        let card = self.agency(agency)?.cards.get(&serial);
        card.ok_or(IdentityError::UnknownCard { agency, serial })
    }

    /// The key that verifies what a node signed at a time, naming the card with this serial. A revoked key verifies
    /// nothing new; what it signed before stands where the next generation's first entry says so, and is verified
    /// with [`SignedCard::signing_key`] of [`Roll::card_at`].
    pub fn signing_key(
        &self,
        agency: AgencyId,
        serial: u32,
        writer: u32,
        at: Time,
    ) -> Result<&PublicKey, IdentityError> {
        let key = self.card_at(agency, serial)?.signing_key(writer, at)?;
        self.agency(agency)?.unless_revoked(key)
    }

    /// The key that verifies what the agency signed about agreements at a time, naming the card with this serial.
    pub fn agreement_key(&self, agency: AgencyId, serial: u32, at: Time) -> Result<&PublicKey, IdentityError> {
        let key = self.card_at(agency, serial)?.agreement_key(at)?;
        self.agency(agency)?.unless_revoked(key)
    }

    /// The nodes for which a content key is wrapped at this time, each with its encryption key: those of the newest
    /// card that are valid then.
    pub fn encryption_keys(&self, agency: AgencyId, at: Time) -> Result<Vec<(u32, &EncryptionKey)>, IdentityError> {
        let nodes = self.card(agency)?.card().nodes.iter().filter(|node| node.validity.contains(at));
        Ok(nodes.map(|node| (node.writer, &node.encryption)).collect())
    }

    /// The nodes that may be met under a transport key at this time. More than one only where an agency lists
    /// another's key as its own; then it is every one of them, since none must be able to push another out.
    pub fn transport_owners(&self, key: &PublicKey, at: Time) -> Vec<(AgencyId, u32)> {
        let mut owners = Vec::new();
        for (agency, known) in &self.agencies {
            let nodes = known.newest().map_or(&[][..], |card| &card.card().nodes);
            let named = nodes.iter().filter(|node| node.validity.contains(at) && node.transport.contains(key));
            if known.unless_revoked(key).is_ok() {
                owners.extend(named.map(|node| (*agency, node.writer)));
            }
        }
        owners
    }

    /// The serial of each agency's newest card, as digests and receipts tell it.
    pub fn serials(&self) -> BTreeMap<AgencyId, u32> {
        self.iter().filter_map(|(agency, known)| Some((agency, known.newest()?.serial()))).collect()
    }

    fn agency_mut(&mut self, agency: AgencyId) -> Result<&mut Known, IdentityError> {
        self.agencies.get_mut(&agency).ok_or(IdentityError::UnknownAgency(agency))
    }
}

impl Known {
    fn new(inception: SignedInception) -> Known {
        Known { inception, cards: BTreeMap::new(), conflict: None, addresses: BTreeMap::new() }
    }

    /// The inception document.
    pub const fn inception(&self) -> &SignedInception {
        &self.inception
    }

    /// The newest card.
    pub fn newest(&self) -> Option<&SignedCard> {
        self.cards.last_key_value().map(|(_, card)| card)
    }

    /// All cards that stand, by serial.
    pub const fn cards(&self) -> &BTreeMap<u32, SignedCard> {
        &self.cards
    }

    /// The last contradiction between cards. It is decided once a card has a higher serial than both.
    pub const fn conflict(&self) -> Option<&CardConflict> {
        self.conflict.as_ref()
    }

    /// The newest address record of each node, by writer.
    pub const fn addresses(&self) -> &BTreeMap<u32, SignedAddressRecord> {
        &self.addresses
    }

    fn add_card(&mut self, card: SignedCard) -> Result<CardOutcome, IdentityError> {
        let (serial, hash) = (card.serial(), card.hash());
        if self.cards.get(&serial).is_some_and(|known| known.hash() == hash) {
            return Ok(CardOutcome::AlreadyKnown);
        }
        if !card.is_recovered() && self.is_recovered() && self.named_from_above(serial) != Some(hash) {
            return Err(IdentityError::RootReplaced);
        }
        let conflict = [Some(serial), serial.checked_sub(1), serial.checked_add(1)]
            .into_iter()
            .find_map(|serial| CardConflict::between(self.cards.get(&serial?)?, &card));
        let stands = self.cards.get(&serial).is_none_or(|known| hash < known.hash());
        if stands {
            self.cards.insert(serial, card);
        }
        self.drop_replaced_root();
        self.make_room(serial)?;
        self.drop_addresses();
        let Some(conflict) = conflict else { return Ok(CardOutcome::Added) };
        if self.conflict.as_ref().is_none_or(|last| last.second().serial() <= serial) {
            self.conflict = Some(conflict.clone());
        }
        Ok(CardOutcome::Conflict(Box::new(conflict)))
    }

    fn is_recovered(&self) -> bool {
        self.newest().is_some_and(SignedCard::is_recovered)
    }

    /// The hash that a card of the replaced root must have to stand at this serial: the one that the card above it
    /// names, which is the recovery root's first where there is none of the root's own.
    fn named_from_above(&self, serial: u32) -> Option<Hash> {
        let (_, above) = self.cards.range(serial + 1..).next()?;
        let adjoins = above.serial() == serial + 1 || above.serial() == FIRST_RECOVERY_SERIAL;
        adjoins.then_some(above.card().predecessor).flatten()
    }

    /// Keeps of a replaced root's cards those that the chain of predecessors leads to.
    fn drop_replaced_root(&mut self) {
        if !self.is_recovered() {
            return;
        }
        let first = self.cards.get(&FIRST_RECOVERY_SERIAL);
        let mut named = first.and_then(|card| card.card().predecessor);
        let mut below = None;
        let mut stand = Vec::new();
        for (serial, card) in self.cards.range(..FIRST_RECOVERY_SERIAL).rev() {
            let adjoins = below.is_none_or(|below| serial + 1 == below);
            if adjoins && named == Some(card.hash()) {
                (named, below) = (card.card().predecessor, Some(*serial));
                stand.push(*serial);
            }
        }
        self.cards.retain(|serial, card| card.is_recovered() || stand.contains(serial));
        self.conflict.take_if(|conflict| !conflict.second().is_recovered());
    }

    /// Keeps the agency's cards within their room: the oldest go first.
    fn make_room(&mut self, added: u32) -> Result<(), IdentityError> {
        let mut bytes: usize = self.cards.values().map(|card| card.bytes().len()).sum();
        while bytes > limits::CARDS_BYTES_PER_AGENCY {
            let Some((serial, card)) = self.cards.pop_first() else { break };
            bytes -= card.bytes().len();
            if serial == added {
                return Err(IdentityError::TooManyCards);
            }
        }
        Ok(())
    }

    /// Drops the address records that the newest card does not bear out.
    fn drop_addresses(&mut self) {
        let mut addresses = std::mem::take(&mut self.addresses);
        addresses.retain(|_, record| self.bears_out(record));
        self.addresses = addresses;
    }

    fn bears_out(&self, record: &SignedAddressRecord) -> bool {
        let stands = self.newest().is_some_and(|card| record.stands_on(card));
        stands && self.unless_revoked(record.signer()).is_ok()
    }

    fn add_address_record(&mut self, record: SignedAddressRecord) -> Result<AddressOutcome, IdentityError> {
        if !self.bears_out(&record) {
            return Err(IdentityError::NoKeyThen);
        }
        let content = record.record();
        let known = self.addresses.get(&content.writer).map(|known| known.record().serial);
        if known.is_some_and(|known| content.serial <= known) {
            return Ok(AddressOutcome::NotNewer);
        }
        self.addresses.insert(content.writer, record);
        Ok(AddressOutcome::Added)
    }

    fn unless_revoked<'k>(&self, key: &'k PublicKey) -> Result<&'k PublicKey, IdentityError> {
        match self.cards.values().find(|card| card.revokes(key)) {
            Some(card) => Err(IdentityError::Revoked { by: card.serial() }),
            None => Ok(key),
        }
    }
}
