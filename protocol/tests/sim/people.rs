//! Agencies with real keys and cards, and the proposals of their agreements.

use entente_protocol::address::Address;
use entente_protocol::agreement::{Onward, Party, SignedVersion, Terms, Version};
use entente_protocol::crypto::content_key::ContentKey;
use entente_protocol::crypto::sign::SigningKey;
use entente_protocol::crypto::wrap::EncryptionSecret;
use entente_protocol::grading::Grading;
use entente_protocol::handling::Precedence;
use entente_protocol::id::{AgencyId, Hash, Mode, ReportId};
use entente_protocol::identity::{AgreementKey, Card, NodeKeys, Roll, SignedCard, SignedInception, Validity};
use entente_protocol::marking::Marking;
use entente_protocol::statement::report::{Indicator, Report};
use entente_protocol::time::Time;
use entente_protocol::typology::Typology;

pub(crate) const MODE: Mode = Mode::Exercise;
/// 2026-01-01T00:00:00Z.
const START_MS: u64 = 1_767_225_600_000;

/// So many milliseconds after the start of a run.
pub(crate) fn at(ms: u64) -> Time {
    Time::from_ms(START_MS + ms).unwrap()
}

/// All agencies, each of which has compared the fingerprints of all others.
pub(crate) struct People {
    pub(crate) roll: Roll,
    pub(crate) ids: Vec<AgencyId>,
}

fn seed(agency: usize, purpose: &[u8]) -> [u8; 32] {
    Hash::of(&[b"sim", &agency.to_be_bytes(), purpose]).0
}

fn key(agency: usize, purpose: &[u8]) -> SigningKey {
    SigningKey::from_seed(&seed(agency, purpose))
}

pub(crate) fn signing(agency: usize) -> SigningKey {
    key(agency, b"signing")
}

pub(crate) fn agreement_key(agency: usize) -> SigningKey {
    key(agency, b"agreement")
}

pub(crate) fn encryption(agency: usize) -> EncryptionSecret {
    EncryptionSecret::from_seed(&seed(agency, b"encryption"))
}

/// The key that seals what an agency says under an agreement.
pub(crate) fn content_key(agency: usize, scope: Hash) -> ContentKey {
    ContentKey::from_bytes(&seed(agency, &[b"content", scope.as_bytes().as_slice()].concat()))
}

impl People {
    pub(crate) fn new(count: usize) -> People {
        let (mut roll, mut ids) = (Roll::new(), Vec::new());
        for number in 0..count {
            let root = key(number, b"root");
            let inception = SignedInception::create(&root, &key(number, b"recovery").public(), MODE, [7; 16]).unwrap();
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
                agreement_keys: vec![AgreementKey { key: agreement_key(number).public(), validity }],
                nodes: vec![NodeKeys {
                    writer: 0,
                    signing: signing(number).public(),
                    encryption: encryption(number).public(),
                    transport: vec![key(number, b"transport").public()],
                    validity,
                }],
                revoked: Vec::new(),
            };
            let card = SignedCard::issue(&inception, &card, &root).unwrap();
            ids.push(inception.agency());
            roll.add_inception(inception);
            roll.add_card(card).unwrap();
        }
        People { roll, ids }
    }

    pub(crate) fn number(&self, agency: AgencyId) -> usize {
        self.ids.iter().position(|id| *id == agency).expect("one of the people")
    }

    /// A proposal in which all parties contribute and receive, in force from `valid_from` on.
    pub(crate) fn proposal(&self, nonce: u8, parties: &[usize], valid_from: Time) -> SignedVersion {
        let party = |number: &usize| Party { agency: self.ids[*number], contribute: true, receive: true };
        let proposer = parties[0];
        let mut parties: Vec<Party> = parties.iter().map(party).collect();
        parties.sort_by_key(|party| party.agency);
        let version = Version {
            agreement: None,
            parent: None,
            title: format!("Agreement {nonce}"),
            purpose: "Tracing ransom payments.".to_owned(),
            legal_basis: "Memorandum of 2026".to_owned(),
            parties,
            terms: terms(),
            valid_from,
            valid_until: valid_from.plus_days(300),
            effective_from: None,
            grace_ms: 60 * 60 * 1000,
            run_off_days: 90,
            ends: false,
            proposer: self.ids[proposer],
            card_serial: 1,
            created: at(0),
            nonce: [nonce; 16],
        };
        version.propose(MODE, &agreement_key(proposer)).unwrap()
    }
}

fn terms() -> Terms {
    Terms {
        kinds: vec![1, 2],
        typologies: vec![Typology::parse("ransomware").unwrap()],
        chains: Vec::new(),
        marking_ceiling: Marking::Amber,
        required_grading: None,
        handling: Vec::new(),
        retention_days: 100,
        onward: Onward::Never,
        history: true,
        statements_per_day: 10_000,
        bytes_per_day: 10_000_000,
    }
}

/// A report that the terms permit.
pub(crate) fn report(number: u64, created: Time) -> Report {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&number.to_be_bytes());
    let address = format!("0x{}{}", hex::encode(&id[..8]), "00".repeat(12));
    Report {
        id: ReportId::from_bytes(id),
        revision: 0,
        created,
        indicator: Indicator::Address(Address::from_wire("eip155:1", &address).unwrap()),
        sub_account: None,
        typology: Typology::parse("ransomware").unwrap(),
        grading: Grading::parse("B2").unwrap(),
        marking: Marking::Amber,
        handling: Vec::new(),
        case: Some(format!("2026/{number}")),
        description: None,
        source: None,
        observed_from: None,
        observed_until: None,
        precedence: Precedence::Routine,
        holder_secret: id,
        role: None,
        amounts: Vec::new(),
        victims: None,
        evidence: Vec::new(),
        reference: None,
        terms: Vec::new(),
        pap: None,
    }
}
