//! A partner's card, the same at every run.

use entente_protocol::crypto::{EncryptionSecret, SigningKey};
use entente_protocol::id::Mode;
use entente_protocol::identity::{
    AddressRecord, AgreementKey, Card, CardExport, Fingerprint, NodeKeys, SignedAddressRecord, SignedCard,
    SignedInception, Validity,
};
use entente_protocol::time::Time;

/// The file, and the words of its fingerprint.
pub(crate) fn card() -> (String, String) {
    let key = |seed| SigningKey::from_seed(&[seed; 32]);
    let issued = Time::from_ms(1_790_000_000_000).unwrap();
    let validity = Validity::starting(issued);
    let root = key(1);
    let inception = SignedInception::create(&root, &key(2).public(), Mode::Live, [3; 16]).unwrap();
    let node = NodeKeys {
        writer: 0,
        signing: key(4).public(),
        encryption: EncryptionSecret::from_seed(&[5; 32]).public(),
        transport: vec![key(6).public()],
        validity,
    };
    let card = Card {
        agency: inception.agency(),
        serial: 1,
        predecessor: None,
        name: "FIU B".to_owned(),
        country: "DE".parse().unwrap(),
        kind: "fiu".parse().unwrap(),
        contact: "desk@b.example".to_owned(),
        issued,
        agreement_keys: vec![AgreementKey { key: key(7).public(), validity }],
        nodes: vec![node],
        revoked: Vec::new(),
    };
    let card = SignedCard::issue(&inception, &card, &root).unwrap();
    let record = AddressRecord {
        agency: inception.agency(),
        writer: 0,
        serial: 1,
        addresses: vec!["/ip4/192.0.2.2/udp/4001/quic-v1".to_owned()],
        created: issued,
    };
    let record = SignedAddressRecord::issue(&card, &record, &key(4)).unwrap();
    let words = Fingerprint::of(inception.agency()).to_string();
    let export = CardExport::new(inception, vec![card], vec![record]).unwrap();
    (export.to_armour().unwrap(), words)
}
