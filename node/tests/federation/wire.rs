//! A partner's end of the wire without a node behind it: requests of one's own making.

use entente_node::network::{self, Command, Event, Handle, Partner, RequestId};
use entente_protocol::id::AgencyId;
use entente_protocol::sync::message::{Request, Response};
use tokio::sync::mpsc::Receiver;

use super::support::{Agency, until};

/// The network of an agency, with a person instead of a node behind it.
pub(crate) struct Wire {
    pub(crate) network: Handle,
    pub(crate) events: Receiver<Event>,
    partner: AgencyId,
    asked: u64,
}

impl Wire {
    /// Connects as `agency` to a partner.
    pub(crate) async fn connect(agency: &Agency, partner: &Agency) -> Wire {
        let listen = agency.config().listen.clone();
        let seed = agency.secrets().transport;
        let config = network::Config { transport_seed: seed, listen, announce: Vec::new(), tap: None };
        let mut spawned = None;
        until("the port is free", || {
            spawned = network::spawn(&config).ok();
            spawned.is_some()
        })
        .await;
        let (network, mut events) = spawned.unwrap();
        let shown = partner.desk().agency_view(partner.id).unwrap();
        let peers = shown.nodes.iter().map(|(_, key)| *key).collect();
        let partners = vec![Partner { agency: partner.id, peers, addresses: shown.addresses }];
        network.send(Command::Topology { partners, groups: Vec::new() }).await;
        while !matches!(events.recv().await.unwrap(), Event::Connected { .. }) {}
        Wire { network, events, partner: partner.id, asked: 0 }
    }

    pub(crate) async fn ask(&mut self, request: &Request) -> Response {
        self.asked += 1;
        let id = RequestId(self.asked);
        self.network.send(Command::Request { agency: self.partner, id, bytes: request.write() }).await;
        loop {
            match self.events.recv().await.unwrap() {
                Event::Response { id: answered, result, .. } if answered == id => {
                    return Response::read(&result.unwrap()).unwrap();
                }
                _ => {}
            }
        }
    }
}
