//! The gate: one gossipsub per agreement, each behind a door that only peers of its parties pass.
//!
//! libp2p's gossipsub tells every connected peer all its topics, and its subscription filter does not see who
//! asks. So each agreement has a gossipsub of its own, under a protocol name of its own, and a connection is
//! given the handlers of exactly those agreements to which its peer's agency is a party: a peer that is none
//! negotiates no such protocol, learns no name and receives nothing. The name needs no secret, because it is
//! spoken only inside the encrypted channel with a party; a hash of the agreement's id does.
//!
//! Handlers are made when a connection is established, so a changed agreement takes effect on new connections;
//! [`Gate::stale`] names the connections to renew. The gate keeps, for each connection, which agreements it was
//! opened with, and tells a gossipsub of no other connection: gossipsub counts the connections of a peer, and
//! a count that includes connections it never saw makes it send no subscriptions, or panic.
//!
//! Messages are anonymous (entries carry their own signatures) and named by the SHA-256 of their bytes. There
//! is no peer scoring: partners are few and known by name, quiet agreements would be punished as failures, and
//! agencies behind one gateway as one attacker. What a partner can send is bounded by a rate instead.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Bound;
use std::task::{Context, Poll};

use entente_protocol::id::{AgreementId, Hash};
use libp2p::core::{Endpoint, transport::PortUse};
use libp2p::gossipsub::{
    self, ConfigBuilder, Event, IdentTopic, IdentityTransform, Message, MessageAcceptance, MessageAuthenticity,
    MessageId, PublishError, ValidationMode, Version, WhitelistSubscriptionFilter,
};
use libp2p::swarm::behaviour::{ConnectionClosed, ConnectionEstablished};
use libp2p::swarm::handler::multi::MultiHandler;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};

use super::limits::{GOSSIP_FIRST_HEARTBEAT, GOSSIP_QUEUE, GOSSIP_RPC_BYTES};

/// The one topic within each agreement's gossip; the agreement is told apart by the protocol name.
const TOPIC: &str = "e";

type Gossip = gossipsub::Behaviour<IdentityTransform, WhitelistSubscriptionFilter>;
type Handler = MultiHandler<AgreementId, THandler<Gossip>>;

/// What the gate tells the driver.
#[derive(Debug)]
pub(super) enum Heard {
    /// A peer's gossip under an agreement is live.
    Joined { agreement: AgreementId, peer: PeerId },
    /// A message, held back from others until [`Gate::judge`].
    Message { agreement: AgreementId, source: Source, bytes: Vec<u8> },
    /// Messages to a peer that is too slow were dropped.
    Unsent { count: usize },
}

/// Which message a verdict is about.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) peer: PeerId,
    agreement: AgreementId,
    message: MessageId,
}

/// All agreements' gossip.
#[derive(Default)]
pub(super) struct Gate {
    groups: BTreeMap<AgreementId, Group>,
    connections: HashMap<ConnectionId, Opened>,
    /// The agreement polled last, so that the next one comes first and none starves.
    polled: Option<AgreementId>,
}

struct Group {
    peers: BTreeSet<PeerId>,
    gossip: Box<Gossip>,
    joined: BTreeSet<PeerId>,
}

/// A connection and the agreements that it has handlers for.
struct Opened {
    peer: PeerId,
    agreements: BTreeSet<AgreementId>,
}

impl Gate {
    /// Sets the agreements and the peers of their parties, all at once.
    pub(super) fn set(&mut self, mut wanted: BTreeMap<AgreementId, BTreeSet<PeerId>>) {
        self.groups.retain(|id, _| wanted.contains_key(id));
        for opened in self.connections.values_mut() {
            opened.agreements.retain(|id| wanted.contains_key(id));
        }
        for (id, group) in &mut self.groups {
            group.peers = wanted.remove(id).expect("groups that are not wanted were dropped");
        }
        for (id, peers) in wanted {
            let group = Group { peers, gossip: Box::new(gossip(&id)), joined: BTreeSet::new() };
            self.groups.insert(id, group);
        }
    }

    /// The connections whose handlers are not those of the agreements as they stand.
    pub(super) fn stale(&self) -> Vec<ConnectionId> {
        let differs = |opened: &Opened| opened.agreements != self.agreements_of(&opened.peer);
        self.connections.iter().filter(|(_, opened)| differs(opened)).map(|(id, _)| *id).collect()
    }

    /// Sends to all parties that are connected, and through them to the others.
    pub(super) fn publish(&mut self, agreement: &AgreementId, bytes: Vec<u8>) -> Result<(), PublishError> {
        let group = self.groups.get_mut(agreement).ok_or(PublishError::NoPeersSubscribedToTopic)?;
        group.gossip.publish(IdentTopic::new(TOPIC), bytes).map(|_| ())
    }

    /// Passes a message on to the other parties, or drops it. After some seconds it is dropped anyway.
    pub(super) fn judge(&mut self, source: &Source, acceptance: MessageAcceptance) {
        if let Some(group) = self.groups.get_mut(&source.agreement) {
            group.gossip.report_message_validation_result(&source.message, &source.peer, acceptance);
        }
    }

    fn agreements_of(&self, peer: &PeerId) -> BTreeSet<AgreementId> {
        self.groups.iter().filter(|(_, group)| group.peers.contains(peer)).map(|(id, _)| *id).collect()
    }

    /// The handlers of a new connection: one for each agreement of its peer.
    fn open(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        mut handler: impl FnMut(&mut Gossip) -> Result<THandler<Gossip>, ConnectionDenied>,
    ) -> Result<Handler, ConnectionDenied> {
        let mut handlers = Vec::new();
        for (id, group) in self.groups.iter_mut().filter(|(_, group)| group.peers.contains(&peer)) {
            handlers.push((*id, handler(&mut group.gossip)?));
        }
        let agreements = handlers.iter().map(|(id, _)| *id).collect();
        self.connections.insert(connection, Opened { peer, agreements });
        MultiHandler::try_from_iter(handlers).map_err(ConnectionDenied::new)
    }

    fn established(&mut self, event: ConnectionEstablished<'_>) {
        for (id, other_established) in self.shared(event.connection_id) {
            let event = ConnectionEstablished { other_established, ..event };
            self.tell(&id, FromSwarm::ConnectionEstablished(event));
        }
    }

    fn closed(&mut self, event: ConnectionClosed<'_>) {
        for (id, remaining_established) in self.shared(event.connection_id) {
            let event = ConnectionClosed { remaining_established, ..event };
            self.tell(&id, FromSwarm::ConnectionClosed(event));
            if remaining_established == 0
                && let Some(group) = self.groups.get_mut(&id)
            {
                group.joined.remove(&event.peer_id);
            }
        }
        self.connections.remove(&event.connection_id);
    }

    /// The agreements of a connection, each with the number of other connections of the same peer that have it.
    fn shared(&self, connection: ConnectionId) -> Vec<(AgreementId, usize)> {
        let Some(opened) = self.connections.get(&connection) else {
            return Vec::new();
        };
        let others = |id: &AgreementId| {
            let shares = |(other, o): &(&ConnectionId, &Opened)| {
                **other != connection && o.peer == opened.peer && o.agreements.contains(id)
            };
            self.connections.iter().filter(shares).count()
        };
        opened.agreements.iter().map(|id| (*id, others(id))).collect()
    }

    fn tell(&mut self, agreement: &AgreementId, event: FromSwarm<'_>) {
        if let Some(group) = self.groups.get_mut(agreement) {
            group.gossip.on_swarm_event(event);
        }
    }

    fn hear(&mut self, agreement: AgreementId, event: Event) -> Option<Heard> {
        match event {
            Event::Message { propagation_source: peer, message_id: message, message: Message { data, .. } } => {
                let source = Source { peer, agreement, message };
                Some(Heard::Message { agreement, source, bytes: data })
            }
            Event::Subscribed { peer_id: peer, .. } => {
                let group = self.groups.get_mut(&agreement)?;
                group.joined.insert(peer).then_some(Heard::Joined { agreement, peer })
            }
            Event::SlowPeer { failed_messages, .. } => Some(Heard::Unsent { count: failed_messages.non_priority }),
            _ => None,
        }
    }

    /// Polls the agreements in turn, beginning after the one that was last.
    fn poll_groups(&mut self, cx: &mut Context<'_>) -> Option<(AgreementId, ToSwarm<Event, THandlerInEvent<Gossip>>)> {
        let after = self.polled.map_or(Bound::Unbounded, Bound::Excluded);
        let up_to = self.polled.map_or(Bound::Unbounded, Bound::Included);
        for range in [(after, Bound::Unbounded), (Bound::Unbounded, up_to)] {
            for (id, group) in self.groups.range_mut(range) {
                if let Poll::Ready(event) = group.gossip.poll(cx) {
                    self.polled = Some(*id);
                    return Some((*id, event));
                }
            }
        }
        None
    }
}

impl NetworkBehaviour for Gate {
    type ConnectionHandler = Handler;
    type ToSwarm = Heard;

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<Handler, ConnectionDenied> {
        self.open(connection, peer, |gossip| {
            gossip.handle_established_inbound_connection(connection, peer, local, remote)
        })
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port_use: PortUse,
    ) -> Result<Handler, ConnectionDenied> {
        self.open(connection, peer, |gossip| {
            gossip.handle_established_outbound_connection(connection, peer, address, role, port_use)
        })
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(event) => self.established(event),
            FromSwarm::ConnectionClosed(event) => self.closed(event),
            // Gossipsub has no use for what else happens to connections, listeners and addresses.
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        (agreement, event): THandlerOutEvent<Self>,
    ) {
        let opened = self.connections.get(&connection);
        if opened.is_some_and(|opened| opened.agreements.contains(&agreement))
            && let Some(group) = self.groups.get_mut(&agreement)
        {
            group.gossip.on_connection_handler_event(peer, connection, event);
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Heard, THandlerInEvent<Self>>> {
        while let Some((id, event)) = self.poll_groups(cx) {
            match event {
                ToSwarm::GenerateEvent(event) => {
                    if let Some(heard) = self.hear(id, event) {
                        return Poll::Ready(ToSwarm::GenerateEvent(heard));
                    }
                }
                // Whom to dial is the driver's to say, and gossipsub is given no reason to ask.
                ToSwarm::Dial { .. } => {}
                event => {
                    let event = event.map_in(|event| (id, event));
                    return Poll::Ready(event.map_out(|_| unreachable!("gossip's own events are taken above")));
                }
            }
        }
        Poll::Pending
    }
}

fn gossip(agreement: &AgreementId) -> Gossip {
    let topic = IdentTopic::new(TOPIC);
    let config = ConfigBuilder::default()
        .protocol_id(protocol_name(agreement), Version::V1_1)
        .validation_mode(ValidationMode::Anonymous)
        .validate_messages()
        .message_id_fn(|message| MessageId::new(Hash::of(&[&message.data]).as_bytes()))
        .max_transmit_size(GOSSIP_RPC_BYTES)
        .connection_handler_queue_len(GOSSIP_QUEUE)
        .heartbeat_initial_delay(GOSSIP_FIRST_HEARTBEAT)
        .flood_publish(true)
        .build()
        .expect("constant settings are consistent");
    let filter = WhitelistSubscriptionFilter(HashSet::from([topic.hash()]));
    let mut gossip = Gossip::new_with_subscription_filter(MessageAuthenticity::Anonymous, config, filter)
        .expect("anonymous messages go with anonymous validation");
    gossip.subscribe(&topic).expect("the filter lists the topic");
    gossip
}

/// The name under which parties speak of an agreement: short, and no way back to its id.
pub(super) fn protocol_name(agreement: &AgreementId) -> String {
    let hash = Hash::of(&[b"entente.gossip.v1", agreement.as_bytes()]).to_string();
    format!("/entente/gossip/{}/1", &hash[..16])
}
