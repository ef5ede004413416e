//! Content keys at the desk: this node's own, and those that others wrapped for it.

use entente_protocol::agreement::Agreement;
use entente_protocol::announcement::Announcement;
use entente_protocol::crypto::ContentKey;
use entente_protocol::id::{AgencyId, AgreementId, Hash, KeyId};
use entente_protocol::keys::{KeyDescriptor, Wrap};
use entente_protocol::time::{DAY_MS, Time};
use entente_protocol::wire::attest::{Attested, Claimed};
use entente_protocol::wire::object::ObjectKind;

use super::ledger::Keys;
use super::stage::Staged;
use super::{Book, Desk, DeskError, scope};
use crate::clock;

/// How long one content key is used: what one lost key can open is bounded.
const KEY_LIFE_MS: u64 = 90 * DAY_MS;

impl Desk {
    /// The key that seals this node's entries under an agreement version: the present one, where it still fits the
    /// readers and is young enough, or a new one, which is staged with its objects and whose descriptor is announced:
    /// without it nobody can use the key.
    pub(super) fn sealing_key(&self, keys: &Keys, agreement: &Agreement, now: Time, stage: &mut Staged) -> ContentKey {
        let readers = readers(agreement, self.me.agency, now);
        let agreement = agreement.id();
        let fits = |id: &KeyId| {
            let descriptor = keys.descriptors.get(id)?;
            let young = now.since(descriptor.created) < KEY_LIFE_MS;
            (young && descriptor.recipients == readers).then(|| keys.held.get(id).cloned()).flatten()
        };
        if let Some(key) = keys.own.get(&agreement).and_then(fits) {
            return key;
        }
        let key = ContentKey::from_bytes(&clock::random());
        let key_id = KeyId::from_bytes(key.id());
        let descriptor = KeyDescriptor {
            agreement,
            author: self.me.agency,
            card_serial: self.me.card_serial,
            writer: self.me.writer,
            key_id,
            recipients: readers,
            created: now,
        };
        let descriptor = Attested::sign(descriptor, self.me.mode, &self.me.signing);
        let wrap = self.wrap(&key, &descriptor, self.me.agency, self.me.writer, &self.me.encryption.public());
        let place = scope::of_agreement(agreement);
        stage.items.push(scope::item(place, ObjectKind::KeyDescriptor, descriptor.hash(), descriptor.bytes()));
        stage.items.push(scope::item(scope::wraps(), ObjectKind::Wrap, wrap.hash(), wrap.bytes()));
        let announcement = Announcement::of_object(ObjectKind::KeyDescriptor, descriptor.bytes());
        stage.announcements.extend(announcement.map(|message| (agreement, message.write())));
        stage.keys.insert(key_id, (descriptor, key.clone()));
        key
    }

    fn wrap(
        &self,
        key: &ContentKey,
        descriptor: &Attested<KeyDescriptor>,
        recipient: AgencyId,
        recipient_writer: u32,
        to: &entente_protocol::crypto::EncryptionKey,
    ) -> Attested<Wrap> {
        let wrap = Wrap {
            descriptor: descriptor.hash(),
            key_id: descriptor.key_id,
            recipient,
            recipient_writer,
            wrapped_by: self.me.agency,
            card_serial: self.me.card_serial,
            writer: self.me.writer,
            file: Wrap::seal(key, to).expect("a content key can be sealed in memory"),
        };
        Attested::sign(wrap, self.me.mode, &self.me.signing)
    }

    /// The keys of an agreement that a party asks for, wrapped for one of its nodes; only those it may have.
    pub fn wraps_for(&self, agreement: AgreementId, keys: &[KeyId], agency: AgencyId, writer: u32) -> Vec<Vec<u8>> {
        let book = self.book();
        let now = clock::now();
        let Ok(nodes) = book.roll.encryption_keys(agency, now) else { return Vec::new() };
        let Some((_, to)) = nodes.into_iter().find(|(number, _)| *number == writer) else { return Vec::new() };
        let ledger = self.turn();
        let wanted: Vec<_> = keys
            .iter()
            .filter_map(|id| Some((ledger.keys.held.get(id)?.clone(), ledger.keys.descriptors.get(id)?.clone())))
            .filter(|(_, descriptor)| {
                descriptor.agreement == agreement && descriptor.recipients.binary_search(&agency).is_ok()
            })
            .collect();
        drop(ledger);
        wanted.iter().map(|(key, descriptor)| self.wrap(key, descriptor, agency, writer, to).bytes().to_vec()).collect()
    }

    /// Takes wraps that a party sent for this node, and opens the entries that waited for their keys.
    pub fn take_wraps(&self, agreement: AgreementId, wraps: &[Vec<u8>]) -> Result<Vec<KeyId>, DeskError> {
        let book = self.book();
        let mut ledger = self.turn();
        let mut taken = Vec::new();
        let mut items = Vec::new();
        for bytes in wraps {
            let Some((wrap, key)) = self.read_wrap(&book, bytes) else { continue };
            // A key is asked for once its descriptor is here. One that nobody described would be kept for nothing.
            let listed = ledger.keys.descriptors.get(&wrap.key_id);
            let fits = listed.is_none_or(|listed| listed.agreement == agreement);
            if fits && !ledger.keys.held.contains_key(&wrap.key_id) {
                items.push(scope::item(scope::wraps(), ObjectKind::Wrap, wrap.hash(), wrap.bytes()));
                taken.push((wrap.key_id, key));
            }
        }
        if taken.is_empty() {
            return Ok(Vec::new());
        }
        self.store.commit(items)?;
        let ids: Vec<KeyId> = taken.iter().map(|(id, _)| *id).collect();
        ledger.keys.held.extend(taken);
        let place: Hash = scope::of_agreement(agreement);
        self.signals.tell(|news| news.keys_taken.extend(ids.iter().map(|id| (place, *id))));
        self.open_waiting(&mut ledger, &book, agreement)?;
        Ok(ids)
    }

    /// Reads a wrap for this node: signed by who made it, and holding the key that it names.
    pub(super) fn read_wrap(&self, book: &Book, bytes: &[u8]) -> Option<(Attested<Wrap>, ContentKey)> {
        let claimed = Claimed::<Wrap>::parse(bytes).ok()?;
        let claim = claimed.claim();
        if claim.recipient != self.me.agency || claim.recipient_writer != self.me.writer {
            return None;
        }
        let card = book.roll.card_at(claim.wrapped_by, claim.card_serial).ok()?;
        let signer = card.node(claim.writer)?.signing;
        let wrap = claimed.attest(&signer).ok()?;
        let key = wrap.open(&self.me.encryption).ok()?;
        Some((wrap, key))
    }
}

/// Who reads what this agency publishes under an agreement now: the parties that receive and have not left, and itself.
pub(super) fn readers(agreement: &Agreement, author: AgencyId, now: Time) -> Vec<AgencyId> {
    let parties = agreement.parties_now(now).into_iter();
    parties.filter(|party| party.receive || party.agency == author).map(|party| party.agency).collect()
}
