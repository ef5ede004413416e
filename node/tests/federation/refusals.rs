//! A party that breaks the rules on purpose, with its own true keys: what the desk makes of its entries.

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
use entente_protocol::id::{AgencyId, AgreementId, Hash, KeyId, Mode, ReportId, VersionHash};
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

const MODE: Mode = Mode::Exercise;

/// The numbers of reasons that receipts carry (`protocol/README.md`).
const TYPOLOGY: u32 = 68;
const MARKING_CEILING: u32 = 70;
const FOREIGN_ORIGINATOR: u16 = 33;

/// A hostile party, an honest one, and a third agency that both know and that is no party.
struct World {
    hostile: Agency,
    honest: Agency,
    third: Agency,
    agreement: AgreementId,
    version: VersionHash,
    key: ContentKey,
}

impl World {
    fn new() -> World {
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
        let (h, v) = (self.hostile.desk().me(), self.honest.desk().me());
        let mut recipients = vec![h.agency, v.agency];
        recipients.sort();
        let descriptor = KeyDescriptor {
            agreement: self.agreement,
            author: h.agency,
            card_serial: h.card_serial,
            writer: h.writer,
            key_id: KeyId::from_bytes(self.key.id()),
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
            file: Wrap::seal(&self.key, &v.encryption.public()).unwrap(),
        };
        let wrap = Attested::sign(wrap, MODE, &h.signing);
        let objects = vec![(ObjectKind::KeyDescriptor.number(), descriptor.bytes().to_vec())];
        let feed = scope::of_agreement(self.agreement);
        assert_eq!(self.honest.desk().take_objects(h.agency, feed, objects).unwrap().new, 1);
        let taken = self.honest.desk().take_wraps(self.agreement, &[wrap.bytes().to_vec()]).unwrap();
        assert_eq!(taken, [descriptor.key_id]);
    }

    fn place(&self, head: Option<Head>) -> Place {
        let created = head.map_or(day(0), |head| head.created);
        Place { version: self.version, generation: 0, head, created, delete_after: created.plus_days(50) }
    }

    /// The next entry of the hostile party, with statements that `originator` signed.
    fn entry_of(&self, head: Option<Head>, originator: &Agency, reports: &[Report]) -> NewEntry {
        let (author, by) = (self.hostile.desk().me(), originator.desk().me());
        let batch = batch(by.agency, &by.signing, by.writer, reports);
        self.write(author.agency, &author.signing, &self.place(head), vec![batch])
    }

    fn entry(&self, head: Option<Head>, reports: &[Report]) -> NewEntry {
        self.entry_of(head, &self.hostile, reports)
    }

    fn write(&self, agency: AgencyId, key: &SigningKey, place: &Place, batches: Vec<SignedBatch>) -> NewEntry {
        let writer = self.hostile.desk().me().writer;
        let author = Author { agency, card_serial: 1, writer, mode: MODE, key };
        publish::entry(author, place, batches, None, [5; 16], &self.key).unwrap()
    }

    fn gossip(&self, header: &[u8], body: &[u8]) -> GossipJudgement {
        let message = Announcement::of_entry(header, body).write();
        self.honest.desk().take_gossip(self.hostile.id, self.agreement, &message).unwrap()
    }

    /// Hands an entry over as catch-up does; why it was stopped.
    fn page(&self, author: AgencyId, header: &[u8], body: &[u8]) -> Result<bool, Refusal> {
        let log = entente_protocol::id::LogId { author, ..self.hostile.log(self.agreement) };
        let page = vec![(header.to_vec(), Some(body.to_vec()))];
        let arrival = self.honest.desk().take_entries(self.hostile.id, log, page).unwrap();
        arrival.stopped.map_or(Ok(arrival.advanced), Err)
    }

    fn head(&self) -> Option<entente_node::store::Head> {
        self.honest.desk().store().head(&self.hostile.log(self.agreement))
    }

    fn reasons(&self) -> Vec<u16> {
        let (rows, _) = self.honest.desk().quarantine(None, 100).unwrap();
        rows.into_iter().map(|row| row.reason).collect()
    }

    fn finds(&self, number: u8) -> bool {
        self.honest.finds(&address(number.into()), &self.hostile)
    }

    /// Nothing came of an entry: not in the log, not in quarantine, not in a lookup.
    fn is_untouched(&self) -> bool {
        let held: Vec<_> = self.honest.desk().heads().into_keys().collect();
        held.is_empty() && self.reasons().is_empty() && !self.finds(1)
    }

    /// What the honest party's receipt says it refused.
    fn refused(&self) -> Vec<RefusalNote> {
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

fn batch(originator: AgencyId, key: &SigningKey, writer: u32, reports: &[Report]) -> SignedBatch {
    let salted = reports.iter().zip(1..).map(|(report, salt)| ([salt; 16], Statement::write_report(report)));
    SignedBatch::sign(salted.collect(), originator, 1, writer, MODE, key)
}

/// A report that the agreement permits.
fn good(number: u8) -> Report {
    Report {
        id: ReportId::from_bytes([number; 16]),
        revision: 0,
        created: day(-1),
        indicator: Indicator::Address(entente_protocol::address::Address::parse(&address(number.into())).unwrap()),
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
    }
}

fn head_of(header: &Attested<Header>) -> Head {
    Head { seq: header.seq, hash: header.hash(), created: header.created, version_depth: 0 }
}

fn slug(refused: Result<bool, Refusal>) -> &'static str {
    refused.unwrap_err().reason().slug
}

#[test]
fn a_tampered_entry_is_refused_and_the_true_one_still_taken() {
    let world = World::new();
    let entry = world.entry(None, &[good(1)]);
    let (header, body) = (entry.header.bytes(), &entry.body);
    let flipped = |bytes: &[u8], at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1;
        bytes
    };
    // The signature stands at the end of the header; the dates before it.
    let signature = flipped(header, header.len() - 1);
    assert_eq!(world.gossip(&signature, body), GossipJudgement::Reject);
    assert_eq!(slug(world.page(world.hostile.id, &signature, body)), "signature");
    for at in (0..header.len()).step_by(7) {
        let tampered = flipped(header, at);
        assert_ne!(world.gossip(&tampered, body), GossipJudgement::Accept, "byte {at}");
        assert!(world.page(world.hostile.id, &tampered, body).is_err(), "byte {at}");
    }
    let other_body = flipped(body, body.len() / 2);
    assert_eq!(world.gossip(header, &other_body), GossipJudgement::Reject);
    assert_eq!(slug(world.page(world.hostile.id, header, &other_body)), "body-hash");
    let longer = [body.as_slice(), b"x"].concat();
    assert_eq!(slug(world.page(world.hostile.id, header, &longer)), "body-length");
    assert!(world.is_untouched());
    assert_eq!(world.refused(), []);

    assert_eq!(world.gossip(header, body), GossipJudgement::Accept);
    assert!(world.finds(1) && world.reasons().is_empty());
    assert_eq!(world.gossip(header, body), GossipJudgement::Ignore, "once is enough");
}

#[test]
fn nobody_writes_in_the_name_of_another() {
    let world = World::new();
    let (h, v, x) = (world.hostile.desk().me(), world.honest.desk().me(), world.third.desk().me());
    let statements = || vec![batch(h.agency, &h.signing, h.writer, &[good(1)])];
    // The honest party's name under the hostile one's key.
    let forged = world.write(v.agency, &h.signing, &world.place(None), statements());
    assert_eq!(world.gossip(forged.header.bytes(), &forged.body), GossipJudgement::Reject);
    assert_eq!(slug(world.page(v.agency, forged.header.bytes(), &forged.body)), "signature");
    // A true agency that is no party.
    let outside = world.write(x.agency, &x.signing, &world.place(None), statements());
    assert_eq!(world.gossip(outside.header.bytes(), &outside.body), GossipJudgement::Reject);
    assert_eq!(slug(world.page(x.agency, outside.header.bytes(), &outside.body)), "not-a-party");
    // A true entry, handed over as if it belonged into another's log.
    let own = world.entry(None, &[good(1)]);
    assert!(world.page(v.agency, own.header.bytes(), &own.body).is_err());
    assert!(world.is_untouched());
    assert_eq!(world.refused(), []);
}

#[test]
fn what_the_terms_deny_is_quarantined_and_told() {
    let world = World::new();
    let red = Report { marking: Marking::Red, ..good(1) };
    let outside = Report { typology: Typology::parse("scam").unwrap(), ..good(2) };
    let first = world.entry(None, &[red, outside, good(3)]);
    assert_eq!(world.gossip(first.header.bytes(), &first.body), GossipJudgement::Accept);
    let second = world.entry(Some(head_of(&first.header)), &[Report { marking: Marking::Red, ..good(4) }]);
    assert_eq!(world.page(world.hostile.id, second.header.bytes(), &second.body), Ok(true));

    // The entries are true and stay in the log; of their statements only the permitted one is found.
    assert_eq!(world.head().map(|head| (head.seq, head.hash)), Some((1, second.header.hash())));
    assert!(world.finds(3));
    for number in [1, 2, 4] {
        assert!(world.honest.lookup(&address(number)).reports.is_empty());
    }
    let mut reasons: Vec<u32> = world.reasons().into_iter().map(u32::from).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, [TYPOLOGY, MARKING_CEILING, MARKING_CEILING]);
    let note = |entry: Hash, reason: u32| RefusalNote { entry, reason, statements: 1 };
    let (one, two) = (first.header.hash(), second.header.hash());
    let mut told = vec![note(one, TYPOLOGY), note(one, MARKING_CEILING), note(two, MARKING_CEILING)];
    told.sort();
    assert_eq!(world.refused(), told);
}

#[test]
fn another_agencys_statements_are_held_not_admitted() {
    let world = World::new();
    let entry = world.entry_of(None, &world.third, &[good(1)]);
    assert_eq!(world.gossip(entry.header.bytes(), &entry.body), GossipJudgement::Accept);
    assert_eq!(world.head().map(|head| head.seq), Some(0));
    assert_eq!(world.reasons(), [FOREIGN_ORIGINATOR]);
    assert!(world.honest.lookup(&address(1)).reports.is_empty());
    assert_eq!(world.refused(), [], "what is held is not refused");
}

#[test]
fn an_unknown_version_is_waited_for() {
    let world = World::new();
    let h = world.hostile.desk().me();
    let place = Place { version: VersionHash::from_bytes([9; 32]), ..world.place(None) };
    let entry = world.write(h.agency, &h.signing, &place, vec![batch(h.agency, &h.signing, h.writer, &[good(1)])]);
    assert_eq!(world.gossip(entry.header.bytes(), &entry.body), GossipJudgement::Ignore);
    assert_eq!(slug(world.page(h.agency, entry.header.bytes(), &entry.body)), "unknown-version");
    assert!(world.is_untouched());
    assert_eq!(world.refused(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_is_proven_and_stops_the_log() {
    let mut world = World::new();
    let first = world.entry(None, &[good(1)]);
    let other = world.entry(None, &[good(2)]);
    assert_eq!(world.gossip(first.header.bytes(), &first.body), GossipJudgement::Accept);
    assert_eq!(world.gossip(other.header.bytes(), &other.body), GossipJudgement::Ignore);
    assert_eq!(slug(world.page(world.hostile.id, other.header.bytes(), &other.body)), "taken");

    let log = world.hostile.log(world.agreement);
    let third = world.entry(Some(head_of(&first.header)), &[good(3)]);
    let stopped = |world: &World| {
        assert!(world.honest.desk().forked().contains(&log));
        assert_eq!(slug(world.page(world.hostile.id, third.header.bytes(), &third.body)), "taken");
        assert_eq!(world.head().map(|head| (head.seq, head.hash)), Some((0, first.header.hash())));
        assert!(world.finds(1), "what was said before stays readable");
        assert!(!world.finds(2) && !world.finds(3));
        let feed = world.honest.desk().feed_after(&scope::of_agreement(world.agreement), 0, 1000).unwrap();
        assert_eq!(feed.iter().filter(|(_, kind, _)| *kind == ObjectKind::ForkProof.number()).count(), 1);
    };
    stopped(&world);
    world.honest.stop().await;
    world.honest.open();
    stopped(&world);
}

#[test]
fn a_branch_that_continues_elsewhere_proves_a_fork_too() {
    let world = World::new();
    let (first, other) = (world.entry(None, &[good(1)]), world.entry(None, &[good(2)]));
    assert_eq!(world.page(world.hostile.id, first.header.bytes(), &first.body), Ok(true));
    let next = world.entry(Some(head_of(&other.header)), &[good(3)]);
    assert_eq!(world.gossip(next.header.bytes(), &next.body), GossipJudgement::Reject);
    assert_eq!(slug(world.page(world.hostile.id, next.header.bytes(), &next.body)), "fork");
    assert_eq!(world.head().map(|head| head.hash), Some(first.header.hash()));
    assert!(world.finds(1) && !world.finds(3));
}
