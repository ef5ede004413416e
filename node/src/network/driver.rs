//! The event loop: takes commands and libp2p's events, one call an arm, and owns what must be one at a time.
//!
//! Three kinds of events go up. Gossip may be lost: it is dropped when the channel is full. Requests may be
//! refused: the asker hears "busy". Everything else must arrive: it waits in the backlog, and while anything
//! waits there, nothing more is taken from the connections. So the backlog holds what one event of libp2p
//! causes, and the failures of requests that the desk makes meanwhile, at most `BACKLOG` of them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::future::pending;
use std::ops::ControlFlow;
use std::sync::Arc;

use entente_protocol::id::AgencyId;
use futures::StreamExt;
use libp2p::core::ConnectedPoint;
use libp2p::request_response::OutboundRequestId;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Swarm, ping};
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::time::Instant;

use super::behaviour::{Behaviour, BehaviourEvent};
use super::exchange::Answer;
use super::limits::{BACKLOG, GOODBYE};
use super::partners::{Ended, Partners};
use super::stats::Stats;
use super::{Command, Event, Group, Partner, RequestId, UnreachableReason, allow, translate};

mod gossip;
mod requests;

pub(super) struct Driver {
    swarm: Swarm<Behaviour>,
    partners: Partners,
    /// Own requests without a response yet.
    asked: HashMap<OutboundRequestId, (AgencyId, RequestId)>,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<Event>,
    backlog: VecDeque<Event>,
    announce: Vec<Multiaddr>,
    stats: Arc<Stats>,
}

impl Driver {
    pub(super) fn new(
        swarm: Swarm<Behaviour>,
        announce: Vec<Multiaddr>,
        commands: mpsc::Receiver<Command>,
        events: mpsc::Sender<Event>,
        stats: Arc<Stats>,
    ) -> Self {
        Self {
            swarm,
            partners: Partners::default(),
            asked: HashMap::new(),
            commands,
            events,
            backlog: VecDeque::new(),
            announce,
            stats,
        }
    }

    /// Runs until told to end, or until nobody holds the other end of a channel.
    pub(super) async fn run(mut self) {
        loop {
            let flow = tokio::select! {
                () = room(&self.events), if !self.backlog.is_empty() => {
                    self.tell_next();
                    ControlFlow::Continue(())
                }
                command = self.commands.recv(), if self.backlog.len() < BACKLOG => match command {
                    Some(command) => self.command(command),
                    None => ControlFlow::Break(()),
                },
                event = self.swarm.select_next_some(), if self.backlog.is_empty() => {
                    self.event(event);
                    ControlFlow::Continue(())
                }
                () = until(self.partners.next_dial()) => {
                    self.dial();
                    ControlFlow::Continue(())
                }
            };
            if flow.is_break() || self.events.is_closed() {
                break;
            }
        }
        self.goodbye().await;
    }

    fn command(&mut self, command: Command) -> ControlFlow<()> {
        match command {
            Command::Topology { partners, groups } => self.set_topology(partners, &groups),
            Command::Publish { agreement, bytes } => self.publish(&agreement, bytes),
            Command::Verdict { ticket, verdict } => self.judge(&ticket.0, verdict),
            Command::Request { agency, id, bytes } => self.request(agency, id, bytes),
            Command::Respond { ticket, bytes } => self.respond(ticket.0, bytes),
            Command::Refuse { ticket } => self.answer(ticket.0, Answer::Refused),
            Command::Shutdown => return ControlFlow::Break(()),
        }
        ControlFlow::Continue(())
    }

    fn event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Gate(heard)) => self.heard(heard),
            SwarmEvent::Behaviour(BehaviourEvent::Exchange(event)) => self.exchanged(event),
            SwarmEvent::Behaviour(BehaviourEvent::Ping(event)) => self.pinged(&event),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.opened(connection_id, peer_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed { connection_id, .. } => self.closed(connection_id),
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer), error, .. } => self.dial_failed(&peer, &error),
            SwarmEvent::IncomingConnectionError { .. } => self.stats.connections_refused.add(1),
            SwarmEvent::NewListenAddr { .. } | SwarmEvent::ExpiredListenAddr { .. } => {
                self.listening();
            }
            SwarmEvent::ListenerClosed { reason, .. } => {
                tracing::error!(?reason, "a listener closed");
                self.listening();
            }
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "a listener failed"),
            _ => {}
        }
    }

    // Topology and connections.

    fn set_topology(&mut self, partners: Vec<Partner>, groups: &[Group]) {
        self.partners.set(partners.into_iter().map(translate::pinned).collect(), Instant::now());
        let allowed: HashSet<PeerId> = self.partners.all_peers().collect();
        allow::set(&mut self.swarm.behaviour_mut().allow, &allowed);
        let peers_of = |group: &Group| -> BTreeSet<PeerId> {
            group.parties.iter().flat_map(|party| self.partners.peers(party)).copied().collect()
        };
        let groups: BTreeMap<_, _> = groups.iter().map(|group| (group.agreement, peers_of(group))).collect();
        self.swarm.behaviour_mut().gate.set(groups);
        self.swarm.behaviour().gate.stale().into_iter().for_each(|stale| self.renew(stale));
    }

    /// Closes a connection, to open it anew at once.
    fn renew(&mut self, connection: ConnectionId) {
        self.partners.renew(connection);
        self.swarm.close_connection(connection);
    }

    fn dial(&mut self) {
        for dial in self.partners.due(Instant::now()) {
            let peer = dial.peer;
            // Whether a dial is wanted is known above; the swarm must not skip it on its own view.
            let options = DialOpts::peer_id(peer).condition(PeerCondition::Always).addresses(dial.addresses).build();
            if let Err(error) = self.swarm.dial(options) {
                self.dial_failed(&peer, &error);
            }
        }
    }

    fn dial_failed(&mut self, peer: &PeerId, error: &DialError) {
        tracing::debug!(%peer, %error, "a dial failed");
        if let Some(agency) = self.partners.dial_ended(peer, translate::stranger(error), false, Instant::now()) {
            self.tell(Event::Unreachable { agency, reason: translate::unreachable(error) });
        }
    }

    fn opened(&mut self, connection: ConnectionId, peer: PeerId, endpoint: &ConnectedPoint) {
        let now = Instant::now();
        self.partners.opened(connection, peer, endpoint.get_remote_address().clone(), now);
        if endpoint.is_dialer() {
            self.partners.dial_ended(&peer, None, true, now);
        } else {
            self.partners.outlived(&peer, now).into_iter().for_each(|outlived| self.renew(outlived));
        }
        self.stats.connections.set(self.partners.connections());
    }

    fn closed(&mut self, connection: ConnectionId) {
        let ended = self.partners.closed(connection, Instant::now());
        self.stats.connections.set(self.partners.connections());
        match ended {
            Ended::Disconnected(agency) => self.tell(Event::Disconnected { agency }),
            Ended::TurnedAway(agency) => {
                self.tell(Event::Unreachable { agency, reason: UnreachableReason::TurnedAway });
            }
            Ended::Spare => {}
        }
    }

    fn pinged(&mut self, event: &ping::Event) {
        match &event.result {
            Ok(_) => self.answered(event.connection),
            Err(error) => {
                tracing::debug!(peer = %event.peer, %error, "a connection is dead");
                self.swarm.close_connection(event.connection);
            }
        }
    }

    fn answered(&mut self, connection: ConnectionId) {
        if let Some((agency, address)) = self.partners.answered(connection) {
            self.tell(Event::Connected { agency, address: address.to_string() });
        }
    }

    fn listening(&mut self) {
        let text = |address: &Multiaddr| address.to_string();
        let addresses = match self.announce.as_slice() {
            [] => self.swarm.listeners().map(text).collect(),
            announce => announce.iter().map(text).collect(),
        };
        self.tell(Event::Listening { addresses });
    }

    // To the desk.

    /// Sends what must arrive, now or as soon as there is room.
    fn tell(&mut self, event: Event) {
        if !self.backlog.is_empty() {
            self.backlog.push_back(event);
        } else if let Err(TrySendError::Full(event)) = self.events.try_send(event) {
            self.backlog.push_back(event);
        }
    }

    /// Sends the event that waits longest.
    fn tell_next(&mut self) {
        if let Some(event) = self.backlog.pop_front()
            && let Err(TrySendError::Full(event)) = self.events.try_send(event)
        {
            self.backlog.push_front(event);
        }
    }

    /// Closes all connections, so that partners notice at once and not by timeout.
    async fn goodbye(mut self) {
        let peers: Vec<PeerId> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            // Fails only for a peer that has gone meanwhile.
            let _gone = self.swarm.disconnect_peer_id(peer);
        }
        let closing = async {
            while self.swarm.network_info().num_peers() > 0 {
                self.swarm.select_next_some().await;
            }
        };
        if tokio::time::timeout(GOODBYE, closing).await.is_err() {
            tracing::debug!("some connections did not close in time");
        }
    }
}

/// Waits for room in the channel, or for its end. The driver alone sends, so the room stays.
async fn room(events: &mpsc::Sender<Event>) {
    drop(events.reserve().await);
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => pending().await,
    }
}
