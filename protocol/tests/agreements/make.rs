//! Agencies, versions and answers for the tests, all from fixed seeds.

use entente_protocol::agreement::terms::{DEFAULT_BYTES_PER_DAY, DEFAULT_STATEMENTS_PER_DAY};
use entente_protocol::agreement::version::{DEFAULT_GRACE_MS, DEFAULT_RUN_OFF_DAYS};
use entente_protocol::agreement::{
    Act, Agreement, Fed, Onward, Party, Rejection, Reliance, Signature, SignedVersion, Terms, Version, Withdrawal,
};
use entente_protocol::crypto::sign::SigningKey;
use entente_protocol::id::{AgencyId, Mode};
use entente_protocol::marking::Marking;
use entente_protocol::time::{DAY_MS, Time};
use entente_protocol::wire::attest::Attested;

pub(crate) const MODE: Mode = Mode::Exercise;
pub(crate) const HOUR: u64 = DAY_MS / 24;
/// 2026-01-01T00:00:00Z.
pub(crate) const START: u64 = 1_767_225_600_000;

pub(crate) fn at(hours: u64) -> Time {
    Time::from_ms(START + hours * HOUR).unwrap()
}

pub(crate) fn key(agency: usize) -> SigningKey {
    SigningKey::from_seed(&[u8::try_from(agency).unwrap() + 1; 32])
}

/// The agency with this number; ascending, as parties are listed.
pub(crate) fn agency(number: usize) -> AgencyId {
    AgencyId::from_bytes([u8::try_from(number).unwrap() + 0x10; 32])
}

pub(crate) fn party(number: usize) -> Party {
    Party { agency: agency(number), contribute: true, receive: true }
}

pub(crate) fn terms() -> Terms {
    Terms {
        kinds: vec![1, 2],
        typologies: Vec::new(),
        chains: Vec::new(),
        marking_ceiling: Marking::Amber,
        required_grading: None,
        handling: Vec::new(),
        retention_days: 365,
        onward: Onward::Never,
        history: false,
        statements_per_day: DEFAULT_STATEMENTS_PER_DAY,
        bytes_per_day: DEFAULT_BYTES_PER_DAY,
    }
}

/// A first version of these parties, valid from hour 10 to hour 10,000.
pub(crate) fn first(parties: &[usize]) -> Version {
    Version {
        agreement: None,
        parent: None,
        title: "Ransomware wallets".to_owned(),
        purpose: "Tracing ransom payments.".to_owned(),
        legal_basis: "Memorandum of 2026".to_owned(),
        parties: parties.iter().map(|number| party(*number)).collect(),
        terms: terms(),
        valid_from: at(10),
        valid_until: at(10_000),
        effective_from: None,
        grace_ms: DEFAULT_GRACE_MS,
        run_off_days: DEFAULT_RUN_OFF_DAYS,
        ends: false,
        proposer: agency(parties[0]),
        card_serial: 1,
        created: at(0),
        nonce: [7; 16],
    }
}

/// A child that takes effect at this hour.
pub(crate) fn child(parent: &SignedVersion, parties: &[usize], effective: u64, nonce: u8) -> Version {
    Version {
        agreement: Some(parent.agreement()),
        parent: Some(parent.name()),
        effective_from: Some(at(effective)),
        created: at(15),
        nonce: [nonce; 16],
        ..first(parties)
    }
}

pub(crate) fn propose(version: Version) -> SignedVersion {
    let proposer = usize::from(version.proposer.as_bytes()[0] - 0x10);
    version.propose(MODE, &key(proposer)).unwrap()
}

pub(crate) fn yes(version: &SignedVersion, by: usize, hour: u64) -> Act {
    yes_relying(version, by, hour, Vec::new())
}

pub(crate) fn yes_relying(version: &SignedVersion, by: usize, hour: u64, relies_on: Vec<Reliance>) -> Act {
    let payload = Signature { version: version.name(), agency: agency(by), card_serial: 1, at: at(hour), relies_on };
    Act::Signature(Attested::sign(payload, MODE, &key(by)))
}

pub(crate) fn no(version: &SignedVersion, by: usize, hour: u64) -> Act {
    let reason = "not now".to_owned();
    let payload = Rejection { version: version.name(), agency: agency(by), card_serial: 1, at: at(hour), reason };
    Act::Rejection(Attested::sign(payload, MODE, &key(by)))
}

pub(crate) fn leaves(version: &SignedVersion, by: usize, hour: u64) -> Act {
    let payload = Withdrawal {
        agreement: version.agreement(),
        version: version.name(),
        agency: agency(by),
        card_serial: 1,
        at: at(hour),
        reason: "reorganised".to_owned(),
    };
    Act::Withdrawal(Attested::sign(payload, MODE, &key(by)))
}

pub(crate) fn agreement(root: &SignedVersion, acts: impl IntoIterator<Item = Act>) -> Agreement {
    let mut agreement = Agreement::new(root.agreement(), MODE);
    assert_eq!(agreement.feed(Act::Version(root.clone())), Ok(Fed::New));
    for act in acts {
        agreement.feed(act).unwrap();
    }
    agreement
}

pub(crate) fn all_sign(version: &SignedVersion, by: &[usize], hour: u64) -> Vec<Act> {
    by.iter().map(|by| yes(version, *by, hour)).collect()
}
