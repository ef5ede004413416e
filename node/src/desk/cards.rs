//! Cards at the desk: this agency's own, and those of partners, pinned after their fingerprints were compared.

use entente_protocol::id::{AgencyId, Hash, Mode};
use entente_protocol::identity::{AddressRecord, CardExport, Fingerprint, Known, SignedAddressRecord};
use entente_protocol::wire::object::ObjectKind;

use super::ledger::local;
use super::{Book, Desk, DeskError, Trust, scope};
use crate::clock;
use crate::store::Item;

/// An agency as it is shown.
#[derive(Clone, Debug)]
pub struct AgencyView {
    /// Its id.
    pub agency: AgencyId,
    /// Its name.
    pub name: String,
    /// Its country, ISO 3166-1 alpha-2.
    pub country: String,
    /// Its kind.
    pub kind: String,
    /// How people reach people there.
    pub contact: String,
    /// Live or exercise.
    pub mode: Mode,
    /// The serial of its newest card.
    pub serial: u32,
    /// How it is known.
    pub trust: Trust,
    /// Its nodes: writer and transport key.
    pub nodes: Vec<(u32, [u8; 32])>,
    /// Where they can be dialled.
    pub addresses: Vec<String>,
}

impl Desk {
    /// This agency's card file, with where its node can be dialled now.
    pub fn own_export(&self) -> Result<String, DeskError> {
        let book = self.book();
        let known = book.roll.agency(self.me.agency)?;
        let cards = known.cards().values().cloned().collect();
        let addresses = known.addresses().values().cloned().collect();
        let export = CardExport::new(known.inception().clone(), cards, addresses)?;
        export.to_armour().map_err(|_| DeskError::TooLarge)
    }

    /// One agency.
    pub fn agency_view(&self, agency: AgencyId) -> Result<AgencyView, DeskError> {
        let book = self.book();
        let known = book.roll.agency(agency).map_err(|_| DeskError::NoAgency(agency.to_string()))?;
        view(&book, agency, known)
    }

    /// All agencies that are known here.
    pub fn agencies(&self) -> Vec<AgencyView> {
        let book = self.book();
        book.roll.iter().filter_map(|(agency, known)| view(&book, agency, known).ok()).collect()
    }

    /// Imports a card file, and pins its agency if the fingerprint, compared out of band, is right.
    pub fn import_card(&self, text: &str, fingerprint: &str) -> Result<AgencyView, DeskError> {
        let export = CardExport::from_armour(text.as_bytes())?;
        let agency = export.inception().agency();
        Fingerprint::of(agency).matches(fingerprint)?;
        let theirs = export.inception().mode();
        if theirs != self.me.mode {
            return Err(DeskError::Mode { agency, theirs, ours: self.me.mode });
        }
        let turn = self.turn();
        let mut book = (*self.book()).clone();
        let mut items = items_of(scope::imported(), &export);
        book.roll_mut().add_export(export)?;
        if agency != self.me.agency {
            book.pinned.insert(agency);
            items.push(Item::Local { key: local::pinned(agency), value: Some(Vec::new()) });
        }
        self.store.commit(items)?;
        self.replace_book(book);
        drop(turn);
        self.signals.tell(|news| news.topology = true);
        self.agency_view(agency)
    }

    /// Tells partners where this node listens, where that is not what they were told.
    pub fn announce_addresses(&self, addresses: Vec<String>) -> Result<(), DeskError> {
        let turn = self.turn();
        let mut book = (*self.book()).clone();
        let known = book.roll.agency(self.me.agency)?;
        let last = known.addresses().get(&self.me.writer).map(SignedAddressRecord::record);
        if last.is_some_and(|last| last.addresses == addresses) {
            return Ok(());
        }
        let record = AddressRecord {
            agency: self.me.agency,
            writer: self.me.writer,
            serial: last.map_or(1, |last| last.serial + 1),
            addresses,
            created: clock::now(),
        };
        let record = SignedAddressRecord::issue(book.roll.card(self.me.agency)?, &record, &self.me.signing)?;
        let mut items = Vec::new();
        let scopes: Vec<Hash> = book.agreements.keys().map(|id| scope::of_agreement(*id)).collect();
        for place in scopes.iter().copied().chain([scope::CONTACT]) {
            items.push(scope::item(place, ObjectKind::AddressRecord, record.hash(), record.bytes()));
        }
        book.roll_mut().add_address_record(record)?;
        self.store.commit(items)?;
        self.replace_book(book);
        drop(turn);
        self.signals.tell(|news| {
            for place in scopes.into_iter().chain([scope::CONTACT]) {
                news.feed(place, true);
            }
        });
        Ok(())
    }
}

/// Items that put all of a card file into a feed.
pub(super) fn items_of(place: Hash, export: &CardExport) -> Vec<Item> {
    let inception = export.inception();
    let mut items = vec![scope::item(place, ObjectKind::Inception, inception.agency().0, inception.bytes())];
    items.extend(export.cards().iter().map(|card| scope::item(place, ObjectKind::Card, card.hash(), card.bytes())));
    let records = export.addresses().iter();
    items.extend(records.map(|record| scope::item(place, ObjectKind::AddressRecord, record.hash(), record.bytes())));
    items
}

fn view(book: &Book, agency: AgencyId, known: &Known) -> Result<AgencyView, DeskError> {
    let card = known.newest().ok_or_else(|| DeskError::NoAgency(agency.to_string()))?;
    let content = card.card();
    let nodes = content.nodes.iter().flat_map(|node| node.transport.iter().map(|key| (node.writer, *key.as_bytes())));
    Ok(AgencyView {
        agency,
        name: content.name.clone(),
        country: content.country.to_string(),
        kind: content.kind.to_string(),
        contact: content.contact.clone(),
        mode: card.mode(),
        serial: card.serial(),
        trust: book.trust(agency),
        nodes: nodes.collect(),
        addresses: known.addresses().values().flat_map(|record| record.record().addresses.clone()).collect(),
    })
}
