//! What an agency itself says: reports become entries, once a partner's heads were compared.

use entente_protocol::crypto::content_key::ContentKey;
use entente_protocol::entry::opening::{Opening, Stand};
use entente_protocol::entry::publish::{self, Author, Place};
use entente_protocol::id::{AgreementId, Hash, KeyId, LogId};
use entente_protocol::keys::KeyDescriptor;
use entente_protocol::statement::Statement;
use entente_protocol::statement::batch::SignedBatch;
use entente_protocol::sync::message::EntryBytes;
use entente_protocol::time::Time;
use entente_protocol::wire::attest::Attested;
use entente_protocol::wire::object::ObjectKind;

use crate::node::{Effect, Node};
use crate::people::{self, MODE};

impl Node {
    /// A person files a report; it is appended at once, or waits.
    pub(crate) fn file(&mut self, scope: Hash, number: u64, now: Time) -> Vec<Effect> {
        self.store.outbox.entry(scope).or_default().push(people::report(number, now));
        self.flush(scope, now);
        self.run(now)
    }

    pub(crate) fn flush(&mut self, scope: Hash, now: Time) {
        let may = self.agreements.get(&scope).is_some_and(|agreement| agreement.may_publish(self.id, now).is_ok());
        if !may || !(self.compared.contains(&scope) || self.reckless) {
            return;
        }
        for report in self.store.outbox.remove(&scope).unwrap_or_default() {
            let bytes = Statement::write_report(&report);
            self.append(scope, bytes, now);
        }
    }

    /// Down the ladder, and up again like anyone's entry.
    fn append(&mut self, scope: Hash, statement: Vec<u8>, now: Time) {
        let agreement = AgreementId(scope);
        let key = people::content_key(self.number, scope);
        self.describe_key(scope, &key, now);
        let own = |log: &&LogId| log.agreement == agreement && log.author == self.id;
        let last = self.store.logs.keys().filter(own).map(|log| log.generation).max();
        let reopens = self.reopen.remove(&scope) && last.is_some();
        let generation = last.map_or(0, |last| last + u32::from(reopens));
        let log = LogId { agreement, author: self.id, writer: 0, generation };
        let head = self.store.head(&log);
        let opening = reopens.then(|| Opening {
            stands: (0..generation).map(|g| self.stand(LogId { generation: g, ..log })).collect(),
            quota_day: now.day(),
            statements: 0,
            bytes: 0,
        });
        let created = head.map_or(now, |head| head.created.max(now));
        let version = self.agreements[&scope].in_force(now).expect("it may be published under").name();
        let delete_after = created.plus_days(50);
        let place = Place { version, generation, head, created, delete_after };
        let signing = people::signing(self.number);
        let author = Author { agency: self.id, card_serial: 1, writer: 0, mode: MODE, key: &signing };
        let batch = SignedBatch::sign(vec![([1; 16], statement)], self.id, 1, 0, MODE, &signing);
        let entry = publish::entry(author, &place, vec![batch], opening, [5; 16], &key).expect("one report fits");
        let hash = entry.header.hash();
        let bytes = EntryBytes { header: entry.header.bytes().to_vec(), body: Some(entry.body) };
        self.climb(log, bytes, now).expect("our own entry is as good as anyone's");
        let seq = head.map_or(0, |head| head.seq + 1);
        self.notices.acknowledged.push((log, seq, hash));
        self.effects.push(Effect::Hint { log, seq });
    }

    fn stand(&self, log: LogId) -> Stand {
        Stand { generation: log.generation, head: self.store.head(&log).map(|head| (head.seq, head.hash)) }
    }

    fn describe_key(&mut self, scope: Hash, key: &ContentKey, now: Time) {
        let key_id = KeyId::from_bytes(key.id());
        self.store.keys.insert((scope, key_id), *key.as_bytes());
        if self.descriptors.contains_key(&(scope, key_id)) {
            return;
        }
        let version = self.agreements[&scope].in_force(now).expect("it may be published under");
        let descriptor = KeyDescriptor {
            agreement: AgreementId(scope),
            author: self.id,
            card_serial: 1,
            writer: 0,
            key_id,
            recipients: version.parties.iter().map(|party| party.agency).collect(),
            created: now,
        };
        let descriptor = Attested::sign(descriptor, MODE, &people::signing(self.number));
        self.make(scope, ObjectKind::KeyDescriptor, descriptor.hash(), descriptor.bytes());
    }
}
