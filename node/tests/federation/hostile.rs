//! A party that breaks the rules on purpose, with its own true keys, and what can be seen of it at an honest one.

use entente_node::desk::{GossipJudgement, scope};
use entente_protocol::announcement::Announcement;
use entente_protocol::crypto::ContentKey;
use entente_protocol::crypto::sign::SigningKey;
use entente_protocol::entry::header::Header;
use entente_protocol::entry::ladder::Head;
use entente_protocol::entry::publish::{self, Author, NewEntry, Place};
use entente_protocol::entry::refusal::Refusal;
use entente_protocol::grading::Grading;
use entente_protocol::handling::Precedence;
use entente_protocol::id::{AgencyId, AgreementId, KeyId, Mode, ReportId, VersionHash};
use entente_protocol::keys::{KeyDescriptor, Wrap};
use entente_protocol::marking::Marking;
use entente_protocol::receipt::{Receipt, RefusalNote};
use entente_protocol::statement::Statement;
use entente_protocol::statement::batch::SignedBatch;
use entente_protocol::statement::report::{Indicator, Report};
use entente_protocol::typology::Typology;
use entente_protocol::wire::attest::{Attested, Claimed};
use entente_protocol::wire::object::ObjectKind;

use crate::support::{Agency, address, agree_by_hand, day, introduce};

pub(crate) const MODE: Mode = Mode::Exercise;

/// A hostile party, an honest one, and a third agency that both know and that is no party.
pub(crate) struct World {
    pub(crate) hostile: Agency,
    pub(crate) honest: Agency,
    pub(crate) third: Agency,
    pub(crate) agreement: AgreementId,
    pub(crate) version: VersionHash,
    pub(crate) key: ContentKey,
}

impl World {
    pub(crate) fn new() -> World {
        let [hostile, honest, third] = ["H", "V", "X"].map(Agency::new);
        introduce(&hostile, &honest);
        honest.pin(&third);
        let agreement = agree_by_hand("Two of us", &hostile, &honest);
        let version = hostile.desk().agreement(&agreement.to_string()).unwrap().version;
        let world = World { hostile, honest, third, agreement, version, key: ContentKey::from_bytes(&[0xc0; 32]) };
        world.hand_over_the_key();
        world
    }

    /// The honest party can open whatever the hostile one writes.
    fn hand_over_the_key(&self) {
        self.hand_over(&self.key, vec![self.hostile.id, self.honest.id]);
    }

    /// Hands the honest party a content key, with a descriptor that names these recipients.
    pub(crate) fn hand_over(&self, key: &ContentKey, mut recipients: Vec<AgencyId>) {
        let (h, v) = (self.hostile.desk().me(), self.honest.desk().me());
        recipients.sort();
        let descriptor = KeyDescriptor {
            agreement: self.agreement,
            author: h.agency,
            card_serial: h.card_serial,
            writer: h.writer,
            key_id: KeyId::from_bytes(key.id()),
            recipients,
            created: day(0),
        };
        let descriptor = Attested::sign(descriptor, MODE, &h.signing);
        let wrap = Wrap {
            descriptor: descriptor.hash(),
            key_id: descriptor.key_id,
            recipient: v.agency,
            recipient_writer: v.writer,
            wrapped_by: h.agency,
            card_serial: h.card_serial,
            writer: h.writer,
            file: Wrap::seal(key, &v.encryption.public()).unwrap(),
        };
        let wrap = Attested::sign(wrap, MODE, &h.signing);
        let objects = vec![(ObjectKind::KeyDescriptor.number(), descriptor.bytes().to_vec())];
        let feed = scope::of_agreement(self.agreement);
        assert_eq!(self.honest.desk().take_objects(h.agency, feed, objects).unwrap().new, 1);
        let taken = self.honest.desk().take_wraps(self.agreement, &[wrap.bytes().to_vec()]).unwrap();
        assert_eq!(taken, [descriptor.key_id]);
    }

    pub(crate) fn place(&self, head: Option<Head>) -> Place {
        let created = head.map_or(day(0), |head| head.created);
        Place { version: self.version, generation: 0, head, created, delete_after: created.plus_days(50) }
    }

    /// The next entry of the hostile party, with statements that `originator` signed.
    pub(crate) fn entry_of(&self, head: Option<Head>, originator: &Agency, reports: &[Report]) -> NewEntry {
        let (author, by) = (self.hostile.desk().me(), originator.desk().me());
        let batch = batch(by.agency, &by.signing, by.writer, reports);
        self.write(author.agency, &author.signing, &self.place(head), vec![batch])
    }

    pub(crate) fn entry(&self, head: Option<Head>, reports: &[Report]) -> NewEntry {
        self.entry_of(head, &self.hostile, reports)
    }

    pub(crate) fn write(
        &self,
        agency: AgencyId,
        key: &SigningKey,
        place: &Place,
        batches: Vec<SignedBatch>,
    ) -> NewEntry {
        let writer = self.hostile.desk().me().writer;
        let author = Author { agency, card_serial: 1, writer, mode: MODE, key };
        publish::entry(author, place, batches, None, [5; 16], &self.key).unwrap()
    }

    pub(crate) fn gossip(&self, header: &[u8], body: &[u8]) -> GossipJudgement {
        let message = Announcement::of_entry(header, body).write();
        self.honest.desk().take_gossip(self.hostile.id, self.agreement, &message).unwrap()
    }

    /// Hands an entry over as catch-up does; why it was stopped.
    pub(crate) fn page(&self, author: AgencyId, header: &[u8], body: &[u8]) -> Result<bool, Refusal> {
        let log = entente_protocol::id::LogId { author, ..self.hostile.log(self.agreement) };
        let page = vec![(header.to_vec(), Some(body.to_vec()))];
        let arrival = self.honest.desk().take_entries(self.hostile.id, log, page).unwrap();
        arrival.stopped.map_or(Ok(arrival.advanced), Err)
    }

    pub(crate) fn head(&self) -> Option<entente_node::store::Head> {
        self.honest.desk().store().head(&self.hostile.log(self.agreement))
    }

    pub(crate) fn reasons(&self) -> Vec<u16> {
        let (rows, _) = self.honest.desk().quarantine(None, 100).unwrap();
        rows.into_iter().map(|row| row.reason).collect()
    }

    pub(crate) fn finds(&self, number: u8) -> bool {
        self.honest.finds(&address(number.into()), &self.hostile)
    }

    /// Nothing came of an entry: not in the log, not in quarantine, not in a lookup.
    pub(crate) fn is_untouched(&self) -> bool {
        let held: Vec<_> = self.honest.desk().heads().into_keys().collect();
        held.is_empty() && self.reasons().is_empty() && !self.finds(1)
    }

    /// What the honest party's receipt says it refused.
    pub(crate) fn refused(&self) -> Vec<RefusalNote> {
        let desk = self.honest.desk();
        desk.issue_receipts().unwrap();
        let feed = scope::of_agreement(self.agreement);
        let names = desk.feed_after(&feed, 0, 1000).unwrap();
        let receipts = names.into_iter().filter(|(_, kind, _)| *kind == ObjectKind::Receipt.number());
        let receipts: Vec<_> = receipts.map(|(_, _, name)| desk.object(&feed, &name).unwrap().unwrap().1).collect();
        let [receipt] = &receipts[..] else { panic!("one receipt is kept") };
        let receipt = Claimed::<Receipt>::parse(receipt).unwrap().attest(&desk.me().signing.public()).unwrap();
        assert_eq!(receipt.party, desk.me().agency);
        receipt.refused.clone()
    }
}

pub(crate) fn batch(originator: AgencyId, key: &SigningKey, writer: u32, reports: &[Report]) -> SignedBatch {
    let salted = reports.iter().zip(1..).map(|(report, salt)| ([salt; 16], Statement::write_report(report)));
    SignedBatch::sign(salted.collect(), originator, 1, writer, MODE, key)
}

/// A report that the agreement permits.
pub(crate) fn good(number: u8) -> Report {
    Report {
        id: ReportId::from_bytes([number; 16]),
        revision: 0,
        created: day(-1),
        indicator: Indicator::Address(entente_protocol::address::Address::parse(&address(number.into())).unwrap()),
        sub_account: None,
        typology: Typology::parse("ransomware").unwrap(),
        grading: Grading::parse("B2").unwrap(),
        marking: Marking::Amber,
        handling: Vec::new(),
        case: None,
        description: None,
        source: None,
        observed_from: None,
        observed_until: None,
        precedence: Precedence::Routine,
        holder_secret: [number; 16],
        role: None,
        amounts: Vec::new(),
        victims: None,
        evidence: Vec::new(),
        reference: None,
        terms: Vec::new(),
        pap: None,
    }
}

pub(crate) fn head_of(header: &Attested<Header>) -> Head {
    Head { seq: header.seq, hash: header.hash(), created: header.created, version_depth: 0 }
}

pub(crate) fn slug(refused: Result<bool, Refusal>) -> &'static str {
    refused.unwrap_err().reason().slug
}
