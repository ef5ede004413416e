//! Four agencies with real keys and an agreement of three of them: what the tests of entries stand on.
//!
//! Agency 0 and 1 contribute and receive, 2 receives only, 3 is no party. All keys are made from fixed seeds.

use entente_protocol::address::Address;
use entente_protocol::agreement::{Act, Agreement, Onward, Party, Signature, SignedVersion, Terms, Version};
use entente_protocol::crypto::content_key::ContentKey;
use entente_protocol::crypto::sign::SigningKey;
use entente_protocol::crypto::wrap::EncryptionSecret;
use entente_protocol::entry::ladder::Head;
use entente_protocol::entry::opening::Opening;
use entente_protocol::entry::publish::{self, Author, NewEntry, Place};
use entente_protocol::entry::vouch::Stands;
use entente_protocol::grading::{Grading, GradingScheme};
use entente_protocol::handling::Precedence;
use entente_protocol::id::{AgencyId, KeyId, Mode, ReportId};
use entente_protocol::identity::{AgreementKey, Card, NodeKeys, Roll, SignedCard, SignedInception, Validity};
use entente_protocol::keys::KeyDescriptor;
use entente_protocol::marking::Marking;
use entente_protocol::statement::Statement;
use entente_protocol::statement::batch::SignedBatch;
use entente_protocol::statement::report::{Indicator, Report};
use entente_protocol::time::{DAY_MS, Time};
use entente_protocol::typology::Typology;
use entente_protocol::wire::attest::Attested;

pub(crate) const MODE: Mode = Mode::Exercise;
/// 2026-01-01T00:00:00Z.
pub(crate) const START: u64 = 1_767_225_600_000;
pub(crate) const HOUR: u64 = DAY_MS / 24;

/// What every test knows.
pub(crate) struct World {
    pub(crate) stands: Stands,
    pub(crate) roll: Roll,
    pub(crate) agreement: Agreement,
    pub(crate) version: SignedVersion,
    pub(crate) ids: Vec<AgencyId>,
}

pub(crate) fn at(hours: u64) -> Time {
    Time::from_ms(START + hours * HOUR).unwrap()
}

/// Seeds of agency n: root 16n + 1, recovery root + 2, agreement + 3, signing + 4, transport + 5, encryption + 6.
pub(crate) fn key(agency: usize, purpose: u8) -> SigningKey {
    SigningKey::from_seed(&[u8::try_from(agency).unwrap() * 16 + purpose; 32])
}

pub(crate) fn signing(agency: usize) -> SigningKey {
    key(agency, 4)
}

pub(crate) fn encryption(agency: usize) -> EncryptionSecret {
    EncryptionSecret::from_seed(&[u8::try_from(agency).unwrap() * 16 + 6; 32])
}

pub(crate) fn content_key() -> ContentKey {
    ContentKey::from_bytes(&[0xc0; 32])
}

/// An agency's inception document and first card.
pub(crate) fn agency(number: usize) -> (SignedInception, SignedCard) {
    let inception = SignedInception::create(&key(number, 1), &key(number, 2).public(), MODE, [7; 16]).unwrap();
    let validity = Validity::starting(at(0));
    let card = Card {
        agency: inception.agency(),
        serial: 1,
        predecessor: None,
        name: format!("Cyber Unit {number}"),
        country: "FR".parse().unwrap(),
        kind: "police".parse().unwrap(),
        contact: "desk@example.org".to_owned(),
        issued: at(0),
        agreement_keys: vec![AgreementKey { key: key(number, 3).public(), validity }],
        nodes: vec![NodeKeys {
            writer: 0,
            signing: signing(number).public(),
            encryption: encryption(number).public(),
            transport: vec![key(number, 5).public()],
            validity,
        }],
        revoked: Vec::new(),
    };
    let card = SignedCard::issue(&inception, &card, &key(number, 1)).unwrap();
    (inception, card)
}

/// Terms that deny something of each kind.
pub(crate) fn terms() -> Terms {
    Terms {
        kinds: vec![1, 2, 3],
        typologies: vec![Typology::parse("phishing").unwrap(), Typology::parse("ransomware").unwrap()],
        chains: vec!["eip155:1".to_owned(), "eip155:10".to_owned()],
        marking_ceiling: Marking::Amber,
        required_grading: Some(GradingScheme::FourByFour),
        handling: Vec::new(),
        retention_days: 100,
        onward: Onward::Never,
        history: true,
        statements_per_day: 8,
        bytes_per_day: 5000,
    }
}

impl World {
    /// All have signed the first version, which is in force from hour 10 to hour 10,000.
    pub(crate) fn new(terms: Terms) -> World {
        let mut roll = Roll::new();
        let mut ids = Vec::new();
        for number in 0..4 {
            let (inception, card) = agency(number);
            ids.push(inception.agency());
            roll.add_inception(inception);
            roll.add_card(card).unwrap();
        }
        let party = |number: usize| Party { agency: ids[number], contribute: number < 2, receive: true };
        let mut parties: Vec<Party> = (0..3).map(party).collect();
        parties.sort_by_key(|party| party.agency);
        let version = Version {
            agreement: None,
            parent: None,
            title: "Ransomware wallets".to_owned(),
            purpose: "Tracing ransom payments.".to_owned(),
            legal_basis: "Memorandum of 2026".to_owned(),
            parties,
            terms,
            valid_from: at(10),
            valid_until: at(10_000),
            effective_from: None,
            grace_ms: 24 * HOUR,
            run_off_days: 90,
            ends: false,
            proposer: ids[0],
            card_serial: 1,
            created: at(1),
            nonce: [9; 16],
        };
        let version = version.propose(MODE, &key(0, 3)).unwrap();
        let agreement = Agreement::new(version.agreement(), MODE);
        let stands = Stands::new();
        let mut world = World { roll, agreement, version: version.clone(), ids, stands };
        world.agreement.feed(Act::Version(version.clone())).unwrap();
        for party in 0..3 {
            world.sign(&version, party, 2);
        }
        assert!(world.stands.is_empty(), "no log has a later generation at first");
        world
    }

    /// A party signs a version.
    pub(crate) fn sign(&mut self, version: &SignedVersion, party: usize, hour: u64) {
        let (version, agency) = (version.name(), self.ids[party]);
        let signature = Signature { version, agency, card_serial: 1, at: at(hour), relies_on: Vec::new() };
        self.agreement.feed(Act::Signature(Attested::sign(signature, MODE, &key(party, 3)))).unwrap();
    }

    /// Who reads the entries of an author: all parties.
    pub(crate) fn descriptor(&self, author: usize) -> KeyDescriptor {
        KeyDescriptor {
            agreement: self.agreement.id(),
            author: self.ids[author],
            card_serial: 1,
            writer: 0,
            key_id: KeyId::from_bytes(content_key().id()),
            recipients: self.version.parties.iter().map(|party| party.agency).collect(),
            created: at(10),
        }
    }

    /// Statements that an agency signs together.
    pub(crate) fn batch(&self, originator: usize, statements: &[Vec<u8>]) -> SignedBatch {
        let salted = statements.iter().zip(1..).map(|(statement, salt)| ([salt; 16], statement.clone()));
        SignedBatch::sign(salted.collect(), self.ids[originator], 1, 0, MODE, &signing(originator))
    }

    /// The next entry of an author's first log, made at an hour, of its own statements.
    pub(crate) fn entry(&self, author: usize, head: Option<Head>, hour: u64, statements: &[Vec<u8>]) -> NewEntry {
        self.entry_of(author, &self.place(head, hour), vec![self.batch(author, statements)], None)
    }

    /// An entry at a place, of any batches.
    pub(crate) fn entry_of(
        &self,
        author: usize,
        place: &Place,
        batches: Vec<SignedBatch>,
        opening: Option<Opening>,
    ) -> NewEntry {
        let key = signing(author);
        let author = Author { agency: self.ids[author], card_serial: 1, writer: 0, mode: MODE, key: &key };
        publish::entry(author, place, batches, opening, [5; 16], &content_key()).unwrap()
    }

    /// A place in the first generation, under the first version.
    pub(crate) fn place(&self, head: Option<Head>, hour: u64) -> Place {
        let (created, delete_after) = (at(hour), at(hour + 24 * 100));
        Place { version: self.version.name(), generation: 0, head, created, delete_after }
    }
}

/// A report that the terms permit, made at hour 11.
pub(crate) fn report(id: u8) -> Report {
    Report {
        id: ReportId::from_bytes([id; 16]),
        revision: 0,
        created: at(11),
        indicator: on("eip155:1", id),
        sub_account: None,
        typology: Typology::parse("ransomware").unwrap(),
        grading: Grading::parse("B2").unwrap(),
        marking: Marking::Amber,
        handling: Vec::new(),
        case: Some("2026/17".to_owned()),
        description: None,
        source: None,
        observed_from: None,
        observed_until: None,
        precedence: Precedence::Routine,
        holder_secret: [id; 16],
        role: None,
        amounts: Vec::new(),
        victims: None,
        evidence: Vec::new(),
        reference: None,
        terms: Vec::new(),
        pap: None,
    }
}

/// An address on an EVM chain.
pub(crate) fn on(chain: &str, number: u8) -> Indicator {
    Indicator::Address(Address::from_wire(chain, &format!("0x{}", hex::encode([number; 20]))).unwrap())
}

pub(crate) fn statement(report: &Report) -> Vec<u8> {
    Statement::write_report(report)
}
