//! Agencies in temporary directories, started and stopped as a node is, and what tests ask of them.

use std::sync::Arc;
use std::time::Duration;

use entente_node::config::Config;
use entente_node::desk::{Desk, Filed, LookupAnswer, TermsInput, scope};
use entente_node::init::{InitOptions, init};
use entente_node::store::{Disk, RealDisk};
use entente_node::vault::{NodeSecrets, Vault};
use entente_node::{Federated, Node, RunOptions, clock};
use entente_protocol::agreement::State;
use entente_protocol::id::{AgencyId, AgreementId, Hash, LogId};
use entente_protocol::identity::Fingerprint;
use entente_protocol::indicator::Indicator;
use entente_protocol::statement::draft::{Draft, Field};
use entente_protocol::time::{DAY_MS, Time};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

const PASSPHRASE: &str = "a passphrase of the tests";

/// How long a condition may take to come true; far longer than it takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(90);

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let looking = async {
        while !holds() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::time::timeout(DEADLINE, looking).await.unwrap_or_else(|_| panic!("never came true: {what}"));
}

/// An exercise agency and its one node.
pub(crate) struct Agency {
    pub(crate) id: AgencyId,
    pub(crate) dir: TempDir,
    node: Option<Node>,
    network: Option<(CancellationToken, Federated)>,
}

impl Agency {
    /// Founds an agency and opens its desk; it is not connected.
    pub(crate) fn new(name: &str) -> Agency {
        let dir = tempfile::tempdir().unwrap();
        let options = InitOptions {
            data: dir.path().to_owned(),
            name: name.to_owned(),
            country: "FR".parse().unwrap(),
            kind: "police".parse().unwrap(),
            contact: "soc@example.org".to_owned(),
            exercise: true,
            listen: Vec::new(),
            announce: Vec::new(),
            api: None,
            passphrase: Zeroizing::new(PASSPHRASE.to_owned()),
        };
        let id = init(&options).unwrap().agency;
        let mut agency = Agency { id, dir, node: None, network: None };
        agency.open();
        agency
    }

    /// Opens the desk from the directory.
    pub(crate) fn open(&mut self) {
        self.open_on(Arc::new(RealDisk));
    }

    /// Opens the desk from the directory, with its journals on this disk.
    pub(crate) fn open_on(&mut self, disk: Arc<dyn Disk>) {
        let passphrase = Zeroizing::new(PASSPHRASE.to_owned());
        let options = RunOptions { data: self.dir.path().to_owned(), passphrase, tap: true };
        self.node = Some(Node::open_on(disk, &options, Config { cache_mib: 16, ..self.config() }).unwrap());
    }

    /// Joins the federation.
    pub(crate) async fn connect(&mut self) {
        if self.node.is_none() {
            self.open();
        }
        let (stop, node) = (CancellationToken::new(), self.node.as_ref().unwrap());
        let mut federated = None;
        // The port is free once the network of a run before has said goodbye.
        until("the node listens", || {
            federated = node.federate(stop.clone()).ok();
            federated.is_some()
        })
        .await;
        self.network = Some((stop, federated.unwrap()));
    }

    /// Stops the node; nothing of it is left in memory.
    pub(crate) async fn stop(&mut self) {
        if let Some((stop, federated)) = self.network.take() {
            stop.cancel();
            federated.task.await.unwrap();
        }
        let desk = Arc::downgrade(self.node.take().unwrap().desk());
        until("the last job at the desk ends", || desk.strong_count() == 0).await;
    }

    pub(crate) fn desk(&self) -> &Desk {
        self.node.as_ref().unwrap().desk()
    }

    pub(crate) fn config(&self) -> Config {
        Config::read(self.dir.path()).unwrap()
    }

    pub(crate) fn secrets(&self) -> NodeSecrets {
        Vault::of(self.dir.path()).open_node(PASSPHRASE).unwrap()
    }

    /// Every byte that partners sent this node, per substream.
    pub(crate) fn tap(&self) -> Vec<Vec<u8>> {
        entente_node::network::read_tap(&self.dir.path().join("tap")).unwrap()
    }

    /// Compares fingerprints with another agency, one way.
    pub(crate) fn pin(&self, other: &Agency) {
        let card = other.desk().own_export().unwrap();
        self.desk().import_card(&card, &Fingerprint::of(other.id).to_string()).unwrap();
    }

    /// The log of this agency under an agreement.
    pub(crate) fn log(&self, agreement: AgreementId) -> LogId {
        LogId { agreement, author: self.id, writer: self.desk().me().writer, generation: 0 }
    }

    /// Files a report; whether it is published, or waits.
    pub(crate) fn file(&self, address: &str, agreement: AgreementId) -> Filed {
        self.file_all(&[address.to_owned()], agreement).remove(0)
    }

    /// Files reports in one go.
    pub(crate) fn file_all(&self, addresses: &[String], agreement: AgreementId) -> Vec<Filed> {
        let rows: Vec<_> = addresses.iter().map(|address| report(address)).collect();
        let filed = self.desk().file(&rows, &[agreement.to_string()], None, false).unwrap();
        filed.into_iter().map(Result::unwrap).collect()
    }

    /// What this agency finds of an address.
    pub(crate) fn lookup(&self, address: &str) -> LookupAnswer {
        self.desk().lookup(&Indicator::parse(address).unwrap()).unwrap()
    }

    /// Whether this agency finds exactly one report on an address, of this originator.
    pub(crate) fn finds(&self, address: &str, originator: &Agency) -> bool {
        matches!(&self.lookup(address).reports[..], [only] if only.originator == originator.id)
    }

    /// Takes all that another agency has in the feed of an agreement, with no network between them.
    pub(crate) fn learn(&self, other: &Agency, agreement: AgreementId) {
        let feed = scope::of_agreement(agreement);
        let names = other.desk().feed_after(&feed, 0, 1000).unwrap();
        let object = |name: Hash| other.desk().object(&feed, &name).unwrap();
        let objects = names.into_iter().filter_map(|(_, _, name)| object(name)).collect();
        self.desk().take_objects(other.id, feed, objects).unwrap();
    }

    /// Whether an agreement is in force here.
    pub(crate) fn in_force(&self, agreement: AgreementId) -> bool {
        let shown = self.desk().agreement(&agreement.to_string());
        shown.is_ok_and(|shown| matches!(shown.state, State::InForce { .. }))
    }

    /// Whether this version is in force here.
    pub(crate) fn in_force_as(&self, version: &str) -> bool {
        let shown = self.desk().agreement(version);
        shown.is_ok_and(|shown| matches!(shown.state, State::InForce { .. }))
    }

    /// Proposes an agreement with others under which all contribute and receive.
    pub(crate) fn propose(&self, title: &str, others: &[&Agency]) -> AgreementId {
        let parties = others.iter().map(|agency| agency.id).chain([self.id]);
        self.desk().propose(&terms(title, parties)).unwrap().id
    }
}

/// Pins agencies to each other.
pub(crate) fn introduce(a: &Agency, b: &Agency) {
    a.pin(b);
    b.pin(a);
}

/// Agrees over the network; the proposer comes first.
pub(crate) async fn agree(title: &str, parties: &[&Agency]) -> AgreementId {
    let (proposer, others) = parties.split_first().unwrap();
    let id = proposer.propose(title, others);
    for other in others {
        until("the proposal arrives", || other.desk().agreement(&id.to_string()).is_ok()).await;
        until("every party's card arrives", || other.desk().sign(&id.to_string(), None).is_ok()).await;
    }
    for party in parties {
        until("the agreement is in force", || party.in_force(id)).await;
    }
    id
}

/// Agrees with no network.
pub(crate) fn agree_by_hand(title: &str, a: &Agency, b: &Agency) -> AgreementId {
    let id = a.propose(title, &[b]);
    b.learn(a, id);
    b.desk().sign(&id.to_string(), None).unwrap();
    a.learn(b, id);
    assert!(a.in_force(id) && b.in_force(id));
    id
}

pub(crate) fn terms(title: &str, parties: impl Iterator<Item = AgencyId>) -> TermsInput {
    TermsInput {
        title: title.to_owned(),
        purpose: "to find payments".to_owned(),
        legal_basis: "EU 2016/680 Art. 8".to_owned(),
        valid_from: day(-1),
        valid_until: day(365),
        retention_days: 100,
        marking_ceiling: "amber".to_owned(),
        statement_kinds: vec!["report".to_owned(), "revision".to_owned()],
        typologies: vec!["ransomware".to_owned(), "phishing".to_owned()],
        parties: parties.map(|agency| (agency.to_string(), true, true)).collect(),
        ..TermsInput::default()
    }
}

/// A moment so many days from now.
pub(crate) fn day(days: i64) -> Time {
    let ms = clock::now().ms().checked_add_signed(days * i64::try_from(DAY_MS).unwrap()).unwrap();
    Time::from_ms(ms).unwrap()
}

/// A report as an analyst writes it.
pub(crate) fn report(address: &str) -> Draft {
    let parts = [
        (Field::Indicator, address),
        (Field::Typology, "ransomware"),
        (Field::Grading, "B2"),
        (Field::Marking, "amber"),
        (Field::Case, "2026/17"),
    ];
    Draft::of(parts).unwrap()
}

/// The n-th address of the tests.
pub(crate) fn address(n: usize) -> String {
    format!("ethereum:0x{n:040x}")
}
