//! What must hold for all entries, objects and bytes, not only for those that someone thought of.

#![expect(clippy::unwrap_used, reason = "the tests' helpers stand outside the functions that are marked as tests")]

mod world;

use std::collections::BTreeMap;

use entente_protocol::agreement::Terms;
use entente_protocol::entry::header::Header;
use entente_protocol::entry::ladder::{Envelope, Head, Judged, KnownRevision, View};
use entente_protocol::entry::refusal::Disposition;
use entente_protocol::grading::Grading;
use entente_protocol::id::ReportId;
use entente_protocol::keys::KeyDescriptor;
use entente_protocol::marking::Marking;
use entente_protocol::retraction::Retraction;
use entente_protocol::rules::{Usage, Verdict};
use entente_protocol::statement::batch::ClaimedBatch;
use entente_protocol::statement::report::Report;
use entente_protocol::statement::{Cover, Statement};
use entente_protocol::typology::Typology;
use entente_protocol::wire::attest::{Attested, Claimed, Payload};
use entente_protocol::wire::codec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
use world::{MODE, World, at, content_key, on, report, signing, statement, terms};

const NOW: u64 = 500;

impl World {
    /// What a node knows at an hour.
    fn view(&self, hour: u64) -> View<'_> {
        View { roll: &self.roll, agreement: &self.agreement, stands: &self.stands, now: at(hour) }
    }
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// CBOR as RFC 8949 writes it, decoded and encoded without a line of the protocol's own code.
#[derive(Clone, Debug, PartialEq)]
enum Item {
    Uint(u64),
    Bytes(Vec<u8>),
    Text(String),
    Array(Vec<Item>),
    Map(Vec<(u64, Item)>),
    Bool(bool),
}

impl Item {
    fn encode(&self) -> Vec<u8> {
        match self {
            Item::Uint(value) => head(0, *value),
            Item::Bytes(bytes) => [head(2, bytes.len() as u64), bytes.clone()].concat(),
            Item::Text(text) => [head(3, text.len() as u64), text.clone().into_bytes()].concat(),
            Item::Array(items) => [head(4, items.len() as u64), items.iter().flat_map(Item::encode).collect()].concat(),
            Item::Map(pairs) => {
                let pairs_of = |(key, item): &(u64, Item)| [head(0, *key), item.encode()].concat();
                [head(5, pairs.len() as u64), pairs.iter().flat_map(pairs_of).collect()].concat()
            }
            Item::Bool(value) => vec![0xf4 + u8::from(*value)],
        }
    }

    /// Whatever has the form of an item of these types, however it is written.
    fn decode(bytes: &[u8], depth: usize) -> Option<(Item, &[u8])> {
        let (first, rest) = bytes.split_first()?;
        let (argument, mut rest) = argument(first & 0x1f, rest)?;
        let mut next = |depth: usize| {
            let (item, left) = Item::decode(rest, depth.checked_sub(1)?)?;
            rest = left;
            Some(item)
        };
        let item = match first >> 5 {
            0 => Item::Uint(argument),
            2 | 3 => {
                let (content, left) = rest.split_at_checked(usize::try_from(argument).ok()?)?;
                rest = left;
                if first >> 5 == 2 {
                    Item::Bytes(content.to_vec())
                } else {
                    Item::Text(String::from_utf8(content.to_vec()).ok()?)
                }
            }
            4 => Item::Array((0..argument).map(|_| next(depth)).collect::<Option<_>>()?),
            5 => {
                let mut pairs = Vec::new();
                for _ in 0..argument {
                    let Item::Uint(key) = next(depth)? else { return None };
                    pairs.push((key, next(depth)?));
                }
                pairs.sort_by_key(|(key, _)| *key);
                pairs.dedup_by_key(|(key, _)| *key);
                Item::Map(pairs)
            }
            7 if *first == 0xf4 || *first == 0xf5 => Item::Bool(*first == 0xf5),
            _ => return None,
        };
        Some((item, rest))
    }
}

fn head(major: u8, argument: u64) -> Vec<u8> {
    let bytes = argument.to_be_bytes();
    match argument {
        0..24 => vec![major << 5 | bytes[7]],
        24..0x100 => vec![major << 5 | 0x18, bytes[7]],
        0x100..0x1_0000 => [&[major << 5 | 0x19], &bytes[6..]].concat(),
        0x1_0000..0x1_0000_0000 => [&[major << 5 | 0x1a], &bytes[4..]].concat(),
        _ => [&[major << 5 | 0x1b][..], &bytes].concat(),
    }
}

fn argument(info: u8, rest: &[u8]) -> Option<(u64, &[u8])> {
    let width = match info {
        0..24 => return Some((u64::from(info), rest)),
        24..28 => 1_usize << (info - 24),
        _ => return None,
    };
    let (bytes, rest) = rest.split_at_checked(width)?;
    Some((bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)), rest))
}

/// Maps and arrays nest 8 deep: the outermost is one of them.
fn is_canonical(bytes: &[u8]) -> bool {
    Item::decode(bytes, 8 + 1).is_some_and(|(item, rest)| rest.is_empty() && item.encode() == bytes)
}

fn item() -> impl Strategy<Value = Item> {
    let uint = prop_oneof![0_u64..30, any::<u16>().prop_map(u64::from), any::<u64>()];
    let leaf = prop_oneof![
        uint.prop_map(Item::Uint),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Item::Bytes),
        "[a-zé☃]{0,30}".prop_map(Item::Text),
        any::<bool>().prop_map(Item::Bool),
    ];
    leaf.prop_recursive(6, 40, 6, |inner| {
        let key = prop_oneof![0_u64..5, 60_u64..70, any::<u64>()];
        let map = prop::collection::btree_map(key, inner.clone(), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(Item::Array),
            map.prop_map(|map| Item::Map(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn what_an_independent_encoder_writes_is_canonical(item in item()) {
        prop_assert_eq!(codec::check(&item.encode()), Ok(()));
    }

    #[test]
    fn check_accepts_exactly_what_encodes_to_itself(
        item in item(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = item.encode();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        prop_assert_eq!(codec::check(&bytes).is_ok(), is_canonical(&bytes), "{:02x?}", bytes);
    }

    #[test]
    fn noise_is_judged_alike(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
        prop_assert_eq!(codec::check(&bytes).is_ok(), is_canonical(&bytes), "{:02x?}", bytes);
    }
}

/// Whether a reader who knows the signer's key takes the bytes.
fn taken<P: Payload>(bytes: &[u8]) -> bool {
    Claimed::<P>::parse(bytes).is_ok_and(|claimed| claimed.attest(&signing(0).public()).is_ok())
}

fn flipped(bytes: &[u8], at: prop::sample::Index, bit: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = at.index(bytes.len());
    bytes[at] ^= 1 << bit;
    bytes
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn a_flipped_bit_in_a_signed_object_is_noticed(place in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let world = World::new(terms());
        let entry = world.entry(0, None, 12, &[statement(&report(1))]);
        let descriptor = Attested::sign(world.descriptor(0), MODE, &signing(0));
        let retraction = Retraction {
            originator: world.ids[0],
            card_serial: 1,
            writer: 0,
            report: report(1).id,
            up_to_revision: 0,
            delete_after: at(100),
            created: at(12),
            sealed_reason: vec![7; 40],
        };
        let retraction = Attested::sign(retraction, MODE, &signing(0));
        prop_assert!(taken::<Header>(entry.header.bytes()) && !taken::<Header>(&flipped(entry.header.bytes(), place, bit)));
        prop_assert!(taken::<KeyDescriptor>(descriptor.bytes()));
        prop_assert!(!taken::<KeyDescriptor>(&flipped(descriptor.bytes(), place, bit)));
        prop_assert!(taken::<Retraction>(retraction.bytes()) && !taken::<Retraction>(&flipped(retraction.bytes(), place, bit)));

        let batch = world.batch(0, &[statement(&report(1)), statement(&report(2))]).write();
        let of_batch = ClaimedBatch::parse(&flipped(&batch, place, bit));
        prop_assert!(!of_batch.is_ok_and(|batch| batch.root.attest(&signing(0).public()).is_ok()));
    }

    #[test]
    fn a_flipped_bit_in_a_body_is_noticed(place in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let world = World::new(terms());
        let mut entry = world.entry(0, None, 12, &[statement(&report(1))]);
        entry.body = flipped(&entry.body, place, bit);
        let view = world.view(NOW);
        let verified = Envelope::parse(entry.header.bytes()).unwrap().verify(&view, None).unwrap();
        prop_assert!(verified.open(&entry.body, &content_key(), &world.descriptor(0), &view).is_err());
    }

    #[test]
    fn noise_in_the_place_of_an_object_is_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(!taken::<Header>(&bytes));
        prop_assert!(ClaimedBatch::parse(&bytes).is_err());
        let _ = Statement::read(&bytes);
    }
}

/// A statement that an author may wish to publish: much of it is denied by the terms.
fn wish() -> impl Strategy<Value = (Report, u64)> {
    let chain = prop_oneof![Just("eip155:1"), Just("eip155:10"), Just("eip155:137")];
    let typology = prop_oneof![Just("ransomware"), Just("phishing"), Just("scam")];
    let marking = prop_oneof![Just("clear"), Just("amber"), Just("red")];
    let grading = prop_oneof![Just("B2"), Just("A1"), Just("admiralty:B2")];
    (0_u8..12, 0_u32..2, chain, typology, marking, grading, 0_u64..3, prop::option::of("[a-z ]{1,200}")).prop_map(
        |(id, revision, chain, typology, marking, grading, hours, description)| {
            let report = Report {
                revision,
                indicator: on(chain, id),
                typology: Typology::parse(typology).unwrap(),
                marking: Marking::parse(marking).unwrap(),
                grading: Grading::parse(grading).unwrap(),
                description,
                ..report(id)
            };
            (report, hours * 5)
        },
    )
}

/// A node that has seen entries of one log: what it holds of reports, the head, the usage.
#[derive(Default)]
struct Node {
    held: BTreeMap<(ReportId, u32), Report>,
    head: Option<Head>,
    usage: Usage,
}

impl Node {
    /// Whether a conforming author would put the statement into an entry of this hour, and what the log then has used.
    fn releases(&self, world: &World, report: &Report, hour: u64, usage: Usage) -> bool {
        let bytes = statement(report);
        let place = world.place(self.head, hour);
        let (author, created, delete_after) = (world.ids[0], place.created, place.delete_after);
        let cover = Cover { version: &world.version, author, created, delete_after };
        let verdict = Statement::read(&bytes).unwrap().release(&cover, author, bytes.len() as u64, usage);
        let other = |((id, _), held): (&(_, _), &Report)| *id == report.id && held.indicator != report.indicator;
        let used = self.held.contains_key(&(report.id, report.revision)) || self.held.iter().any(other);
        verdict == Verdict::Permit && !used
    }

    fn take(&mut self, world: &World, header: &[u8], body: &[u8], now: u64) -> Judged {
        let view = world.view(now);
        let verified = Envelope::parse(header).unwrap().verify(&view, self.head.as_ref()).unwrap();
        let opened = verified.open(body, &content_key(), &world.descriptor(0), &view).unwrap();
        let held = &self.held;
        let mut known = |_, id, revision| KnownRevision {
            same_revision: held.get(&(id, revision)).map(statement),
            indicator: held.iter().find(|((other, _), _)| *other == id).map(|(_, held)| held.indicator.clone()),
        };
        let judged = opened.judge(&view, self.usage, &mut known);
        self.usage = judged.usage;
        self.head = Some(judged.verified.head());
        for admitted in &judged.admitted {
            self.held.insert((admitted.report.id, admitted.report.revision), admitted.report.clone());
        }
        judged
    }
}

proptest! {
    #![proptest_config(config(40))]

    /// The author climbs its own ladder first; whoever receives, however late and at whatever clock, agrees.
    #[test]
    fn what_one_conforming_node_releases_no_conforming_node_refuses(
        wishes in prop::collection::vec(prop::collection::vec(wish(), 1..8), 1..6),
        statements_per_day in 1_u64..8,
        bytes_per_day in 300_u64..3000,
    ) {
        let world = World::new(Terms { statements_per_day, bytes_per_day, ..terms() });
        let (mut author, mut receiver) = (Node::default(), Node::default());
        let mut hour = 12;
        let mut log = Vec::new();
        for entry in wishes {
            hour += entry[0].1;
            let mut usage = author.usage;
            let mut chosen: Vec<Report> = Vec::new();
            for (report, _) in entry {
                let twice = chosen.iter().any(|other| other.id == report.id);
                if !twice && author.releases(&world, &report, hour, usage) {
                    usage.add(at(hour).day(), statement(&report).len() as u64);
                    chosen.push(report);
                }
            }
            if chosen.is_empty() {
                continue;
            }
            let statements: Vec<Vec<u8>> = chosen.iter().map(statement).collect();
            let entry = world.entry(0, author.head, hour, &statements);
            let judged = author.take(&world, entry.header.bytes(), &entry.body, hour);
            prop_assert!(judged.not_admitted.is_empty(), "{:?}", judged.not_admitted);
            prop_assert_eq!(judged.usage, usage);
            log.push(entry);
        }
        for entry in &log {
            let judged = receiver.take(&world, entry.header.bytes(), &entry.body, 9_999);
            prop_assert!(judged.not_admitted.iter().all(|not| not.refusal.disposition() == Disposition::Held));
            prop_assert!(judged.not_admitted.is_empty());
        }
        prop_assert_eq!((receiver.head, receiver.usage), (author.head, author.usage));
        prop_assert_eq!(receiver.held.len(), author.held.len());
    }
}
