//! Nodes on loopback for the tests of the network: real sockets, and waiting for events instead of sleeping.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use entente_node::network::{
    self, Command, Config, Event, Group, Handle, NetworkError, Partner, RequestFailure, RequestId,
};
use entente_protocol::id::{AgencyId, AgreementId};
use libp2p::identity::Keypair;
use tokio::sync::mpsc;

pub(crate) const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";
pub(crate) const TCP: &str = "/ip4/127.0.0.1/tcp/0";

const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Node {
    pub(crate) agency: AgencyId,
    pub(crate) addresses: Vec<String>,
    pub(crate) handle: Handle,
    pub(crate) events: mpsc::Receiver<Event>,
    seed: u8,
}

impl Node {
    pub(crate) async fn start(seed: u8, listen: &[&str]) -> Self {
        Self::start_tapped(seed, listen, None).await
    }

    pub(crate) async fn start_tapped(seed: u8, listen: &[&str], tap: Option<PathBuf>) -> Self {
        let listen: Vec<String> = listen.iter().map(ToString::to_string).collect();
        let config = Config { transport_seed: [seed; 32], listen: listen.clone(), announce: Vec::new(), tap };
        let (handle, events) = listening(&config).await;
        let agency = AgencyId::from_bytes([seed; 32]);
        let mut node = Self { agency, addresses: Vec::new(), handle, events, seed };
        if !listen.is_empty() {
            node.addresses = node
                .until(|event| match event {
                    Event::Listening { addresses } if addresses.len() == listen.len() => Some(addresses),
                    _ => None,
                })
                .await;
        }
        node
    }

    /// How others pin this node and dial it.
    pub(crate) fn partner(&self) -> Partner {
        let keypair = Keypair::ed25519_from_bytes([self.seed; 32]).expect("a seed");
        let public = keypair.public().try_into_ed25519().expect("an Ed25519 key").to_bytes();
        Partner { agency: self.agency, peers: vec![public], addresses: self.addresses.clone() }
    }

    /// How others pin this node without dialling it.
    pub(crate) fn silent_partner(&self) -> Partner {
        Partner { addresses: Vec::new(), ..self.partner() }
    }

    pub(crate) async fn know(&self, partners: &[Partner], groups: &[Group]) {
        let topology = Command::Topology { partners: partners.to_vec(), groups: groups.to_vec() };
        self.send(topology).await;
    }

    pub(crate) async fn send(&self, command: Command) {
        assert!(self.handle.send(command).await, "the network runs");
    }

    /// The first event that fits; those before it are passed over.
    pub(crate) async fn until<T>(&mut self, mut fits: impl FnMut(Event) -> Option<T>) -> T {
        let search = async {
            loop {
                let event = self.events.recv().await.expect("the network runs");
                if let Some(found) = fits(event) {
                    return found;
                }
            }
        };
        tokio::time::timeout(PATIENCE, search).await.expect("the event comes in time")
    }

    pub(crate) async fn connected(&mut self, other: AgencyId) -> String {
        self.until(|event| match event {
            Event::Connected { agency, address } if agency == other => Some(address),
            _ => None,
        })
        .await
    }

    pub(crate) async fn disconnected(&mut self, other: AgencyId) {
        self.until(|event| match event {
            Event::Disconnected { agency } if agency == other => Some(()),
            _ => None,
        })
        .await;
    }

    pub(crate) async fn joined(&mut self, group: &Group, other: AgencyId) {
        self.until(|event| match event {
            Event::Joined { agreement, agency } if agreement == group.agreement && agency == other => Some(()),
            _ => None,
        })
        .await;
    }

    pub(crate) async fn ask(&mut self, agency: AgencyId, bytes: &[u8]) -> Result<Vec<u8>, RequestFailure> {
        let request = RequestId(7);
        self.send(Command::Request { agency, id: request, bytes: bytes.to_vec() }).await;
        self.until(|event| match event {
            Event::Response { id, result, .. } if id == request => Some(result),
            _ => None,
        })
        .await
    }

    /// Answers the next request with its bytes reversed, and returns them.
    pub(crate) async fn answer(&mut self, asker: AgencyId) -> Vec<u8> {
        let (ticket, bytes) = self
            .until(|event| match event {
                Event::Request { from, ticket, bytes } => {
                    assert_eq!(from, asker);
                    Some((ticket, bytes))
                }
                _ => None,
            })
            .await;
        let reversed = bytes.iter().rev().copied().collect();
        self.send(Command::Respond { ticket, bytes: reversed }).await;
        bytes
    }

    pub(crate) async fn publish(&self, group: &Group, bytes: &[u8]) {
        self.send(Command::Publish { agreement: group.agreement, bytes: bytes.to_vec() }).await;
    }

    pub(crate) async fn stop(mut self) {
        self.send(Command::Shutdown).await;
        let end = async { while self.events.recv().await.is_some() {} };
        tokio::time::timeout(PATIENCE, end).await.expect("the network ends in time");
    }
}

pub(crate) fn group(id: u8, parties: &[&Node]) -> Group {
    let parties: BTreeSet<AgencyId> = parties.iter().map(|node| node.agency).collect();
    Group { agreement: AgreementId::from_bytes([id; 32]), parties }
}

/// Two nodes of which the first dials the second, connected.
pub(crate) async fn pair(listen: &[&str], groups: impl Fn(&Node, &Node) -> Vec<Group>) -> (Node, Node) {
    let (mut near, mut far) = (Node::start(1, &[]).await, Node::start(2, listen).await);
    let groups = groups(&near, &far);
    far.know(&[near.silent_partner()], &groups).await;
    near.know(&[far.partner()], &groups).await;
    near.connected(far.agency).await;
    far.connected(near.agency).await;
    (near, far)
}

/// One node asks, the other answers with the bytes reversed; the response, and what was heard.
pub(crate) async fn exchange(
    asker: &mut Node,
    answerer: &mut Node,
    bytes: &[u8],
) -> (Result<Vec<u8>, RequestFailure>, Vec<u8>) {
    let (near, far) = (asker.agency, answerer.agency);
    tokio::join!(asker.ask(far, bytes), answerer.answer(near))
}

/// Starts a network. The sockets of one that ended a moment ago may still be closing.
async fn listening(config: &Config) -> (Handle, mpsc::Receiver<Event>) {
    let start = async {
        loop {
            match network::spawn(config) {
                Ok(network) => return network,
                Err(NetworkError::Listen { .. }) => tokio::task::yield_now().await,
                Err(error) => panic!("{error}"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, start).await.expect("the address becomes free")
}
