//! Who is pinned, who is connected, whom to dial when. Without I/O: events and `now` come in, decisions go out.
//!
//! What happens here is per agency: an agency may have several nodes, and a node two transport keys while it
//! changes them; the desk hears of the first connection and of the last. One connection to an agency is enough,
//! so its peers are dialled in turn, each with all addresses; when none answers, the next round waits 1 s,
//! 2 s, 4 s … up to 60 s. Both sides may dial at once: both connections then stay, because the older may be
//! half dead, and which one is cannot be told from either end; the limit per peer bounds them. But a node dials
//! only a partner that it has no connection with: who dials us while an older one is open was restarted, and
//! all connections are made anew, since requests to the old one would wait for its timeout, and gossip tells a
//! peer its topics on the first connection alone.
//!
//! A connection counts once its peer has answered on it. On QUIC, the dialling side finishes the handshake
//! before the other has looked whether it knows the dialler; a stranger's door must not look like an open one.

use std::collections::{BTreeMap, HashMap, HashSet};

use entente_protocol::id::AgencyId;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, PeerId};
use tokio::time::Instant;

use super::bucket::Bucket;
use super::limits::{
    ADDRESSES_PER_PARTNER, FIRST_REDIAL, GOSSIP_AT_ONCE, GOSSIP_LEAST_COST, GOSSIP_PER_SECOND, LAST_REDIAL, OLD_LINK,
    REQUESTS_AT_ONCE, REQUESTS_PER_SECOND, STEADY,
};

/// A partner as libp2p names things.
#[derive(Debug)]
pub(super) struct Pinned {
    pub(super) agency: AgencyId,
    pub(super) peers: Vec<PeerId>,
    pub(super) addresses: Vec<Multiaddr>,
}

/// A dial that is due.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Dial {
    pub(super) peer: PeerId,
    pub(super) addresses: Vec<Multiaddr>,
}

/// What the end of a connection means.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Ended {
    /// The agency's last answered connection is gone.
    Disconnected(AgencyId),
    /// The partner closed it without an answer.
    TurnedAway(AgencyId),
    /// Others remain.
    Spare,
}

/// The partners and their connections.
#[derive(Debug, Default)]
pub(super) struct Partners {
    agencies: BTreeMap<AgencyId, Partner>,
    owners: HashMap<PeerId, AgencyId>,
    links: HashMap<ConnectionId, Link>,
}

#[derive(Debug)]
struct Partner {
    peers: Vec<PeerId>,
    addresses: Vec<Multiaddr>,
    redial: Redial,
    requests: Bucket,
    gossip: Bucket,
}

/// A connection.
#[derive(Debug)]
struct Link {
    agency: AgencyId,
    peer: PeerId,
    address: Multiaddr,
    since: Instant,
    answered: bool,
    renewed: bool,
}

/// Where a partner stands with being dialled.
#[derive(Debug)]
struct Redial {
    /// When to dial next; `None` while connected or dialling.
    at: Option<Instant>,
    dialling: bool,
    /// Which of the peers is next.
    next_peer: usize,
    /// Addresses at which somebody else answered in this round.
    strangers: HashSet<Multiaddr>,
    failed_rounds: u32,
}

impl Partners {
    /// Sets the partners, all at once. A peer that two agencies claim stays with the one that had it.
    pub(super) fn set(&mut self, pinned: Vec<Pinned>, now: Instant) {
        let mut owners = HashMap::new();
        for partner in &pinned {
            for peer in &partner.peers {
                if self.owners.get(peer) == Some(&partner.agency) {
                    owners.insert(*peer, partner.agency);
                }
            }
        }
        let mut before = std::mem::take(&mut self.agencies);
        for Pinned { agency, mut peers, mut addresses } in pinned {
            peers.retain(|peer| {
                let mine = *owners.entry(*peer).or_insert(agency) == agency;
                if !mine {
                    tracing::warn!(%agency, %peer, "a transport key is claimed by two agencies and stays with the other");
                }
                mine
            });
            addresses.truncate(ADDRESSES_PER_PARTNER);
            let partner = match before.remove(&agency) {
                Some(partner) => partner.changed(peers, addresses, now),
                None => Partner::new(peers, addresses, now),
            };
            self.agencies.insert(agency, partner);
        }
        self.owners = owners;
        for link in self.links.values() {
            if let Some(partner) = self.agencies.get_mut(&link.agency) {
                partner.redial.at = None;
            }
        }
    }

    /// The agency whose node a peer is.
    pub(super) fn owner(&self, peer: &PeerId) -> Option<AgencyId> {
        self.owners.get(peer).copied()
    }

    /// The peers of an agency.
    pub(super) fn peers(&self, agency: &AgencyId) -> &[PeerId] {
        self.agencies.get(agency).map_or(&[], |partner| &partner.peers)
    }

    /// All pinned peers.
    pub(super) fn all_peers(&self) -> impl Iterator<Item = PeerId> {
        self.owners.keys().copied()
    }

    /// A peer of the agency to which a request can go now.
    pub(super) fn reachable(&self, agency: &AgencyId) -> Option<PeerId> {
        self.links.values().find(|link| link.agency == *agency && link.answered).map(|link| link.peer)
    }

    /// A connection with the peer, on which it may or may not have answered.
    pub(super) fn link_of(&self, peer: &PeerId) -> Option<ConnectionId> {
        self.links.iter().find(|(_, link)| link.peer == *peer).map(|(id, _)| *id)
    }

    /// How many connections are open.
    pub(super) fn connections(&self) -> usize {
        self.links.len()
    }

    /// Whether the agency's rate still allows a request.
    pub(super) fn allow_request(&mut self, agency: &AgencyId, now: Instant) -> bool {
        self.agencies.get_mut(agency).is_some_and(|partner| partner.requests.take(1, now))
    }

    /// Whether the agency's rate still allows a gossip message of this many bytes.
    pub(super) fn allow_gossip(&mut self, agency: &AgencyId, bytes: usize, now: Instant) -> bool {
        let cost = (bytes as u64).max(GOSSIP_LEAST_COST);
        self.agencies.get_mut(agency).is_some_and(|partner| partner.gossip.take(cost, now))
    }

    /// A connection with a pinned peer is open.
    pub(super) fn opened(&mut self, id: ConnectionId, peer: PeerId, address: Multiaddr, now: Instant) {
        let Some(agency) = self.owner(&peer) else {
            return;
        };
        self.links.insert(id, Link { agency, peer, address, since: now, answered: false, renewed: false });
        if let Some(partner) = self.agencies.get_mut(&agency) {
            partner.redial.at = None;
        }
    }

    /// The peer answered; the agency and the address, if that makes the agency connected.
    pub(super) fn answered(&mut self, id: ConnectionId) -> Option<(AgencyId, Multiaddr)> {
        let link = self.links.get(&id).filter(|link| !link.answered)?;
        let (agency, address) = (link.agency, link.address.clone());
        let first = self.reachable(&agency).is_none();
        self.links.get_mut(&id)?.answered = true;
        first.then_some((agency, address))
    }

    /// All connections with a peer that has dialled us, if its node must have lost an older one of them.
    pub(super) fn outlived(&self, peer: &PeerId, now: Instant) -> Vec<ConnectionId> {
        let links = self.links.iter().filter(|(_, link)| link.peer == *peer);
        let old = links.clone().any(|(_, link)| now.saturating_duration_since(link.since) >= OLD_LINK);
        if old { links.map(|(id, _)| *id).collect() } else { Vec::new() }
    }

    /// Notes that a connection is closed to be opened anew, at once.
    pub(super) fn renew(&mut self, id: ConnectionId) {
        if let Some(link) = self.links.get_mut(&id) {
            link.renewed = true;
        }
    }

    /// A connection is gone.
    pub(super) fn closed(&mut self, id: ConnectionId, now: Instant) -> Ended {
        let Some(link) = self.links.remove(&id) else {
            return Ended::Spare;
        };
        let agency = link.agency;
        if !self.links.values().any(|other| other.agency == agency)
            && let Some(partner) = self.agencies.get_mut(&agency)
        {
            let steady = link.answered && now.saturating_duration_since(link.since) >= STEADY;
            partner.redial.lost(link.renewed || steady, now);
        }
        match (link.answered, self.reachable(&agency)) {
            (_, Some(_)) => Ended::Spare,
            (true, None) => Ended::Disconnected(agency),
            (false, None) => Ended::TurnedAway(agency),
        }
    }

    /// When the next dial is due.
    pub(super) fn next_dial(&self) -> Option<Instant> {
        self.agencies.values().filter_map(|partner| partner.redial.due()).min()
    }

    /// The dials that are due; each must be answered by [`Self::dial_ended`].
    pub(super) fn due(&mut self, now: Instant) -> Vec<Dial> {
        let mut dials = Vec::new();
        for partner in self.agencies.values_mut() {
            if partner.redial.due().is_some_and(|at| at <= now) {
                dials.extend(partner.dial());
            }
        }
        dials
    }

    /// A dial came to its end, by success or failure. The agency, if it could not be reached in a whole round.
    pub(super) fn dial_ended(
        &mut self,
        peer: &PeerId,
        stranger: Option<&Multiaddr>,
        connected: bool,
        now: Instant,
    ) -> Option<AgencyId> {
        let agency = self.owner(peer)?;
        let linked = connected || self.links.values().any(|link| link.agency == agency);
        let partner = self.agencies.get_mut(&agency)?;
        partner.redial.dialling = false;
        if linked {
            partner.redial.at = None;
            return None;
        }
        partner.failed(stranger, now).then_some(agency)
    }
}

impl Partner {
    fn new(peers: Vec<PeerId>, addresses: Vec<Multiaddr>, now: Instant) -> Self {
        Self {
            peers,
            addresses,
            redial: Redial {
                at: Some(now),
                dialling: false,
                next_peer: 0,
                strangers: HashSet::new(),
                failed_rounds: 0,
            },
            requests: Bucket::new(REQUESTS_PER_SECOND, REQUESTS_AT_ONCE, now),
            gossip: Bucket::new(GOSSIP_PER_SECOND, GOSSIP_AT_ONCE, now),
        }
    }

    /// The same partner with what may be new keys and addresses, which are tried at once; its rates run on.
    fn changed(self, peers: Vec<PeerId>, addresses: Vec<Multiaddr>, now: Instant) -> Self {
        if self.peers == peers && self.addresses == addresses {
            return self;
        }
        let dialling = self.redial.dialling && self.peers == peers;
        let mut partner = Self { requests: self.requests, gossip: self.gossip, ..Self::new(peers, addresses, now) };
        partner.redial.dialling = dialling;
        partner
    }

    /// The next peer with the addresses it may be at, or nothing if there is none.
    fn dial(&mut self) -> Option<Dial> {
        self.redial.at = None;
        let peer = *self.peers.get(self.redial.next_peer)?;
        let addresses: Vec<Multiaddr> = self.addresses_of(&peer).collect();
        if addresses.is_empty() {
            return None; // They dial us.
        }
        self.redial.dialling = true;
        Some(Dial { peer, addresses })
    }

    /// Addresses that name another peer are not this peer's; those that name none may be.
    fn addresses_of(&self, peer: &PeerId) -> impl Iterator<Item = Multiaddr> {
        self.addresses.iter().filter_map(|address| {
            let (address, named) = without_peer(address.clone());
            let theirs = named.is_none_or(|named| named == *peer);
            (theirs && !self.redial.strangers.contains(&address)).then_some(address)
        })
    }

    /// After a failed dial: the same peer without the address where a stranger answered, or the next peer at
    /// once, or after the last a pause. Whether the round is over.
    fn failed(&mut self, stranger: Option<&Multiaddr>, now: Instant) -> bool {
        if let Some(address) = stranger
            && let Some(peer) = self.peers.get(self.redial.next_peer).copied()
        {
            let fresh = self.redial.strangers.insert(without_peer(address.clone()).0);
            if fresh && self.addresses_of(&peer).next().is_some() {
                self.redial.at = Some(now);
                return false;
            }
        }
        self.redial.strangers.clear();
        self.redial.next_peer += 1;
        while let Some(peer) = self.peers.get(self.redial.next_peer) {
            if self.addresses_of(peer).next().is_some() {
                self.redial.at = Some(now);
                return false;
            }
            self.redial.next_peer += 1;
        }
        self.redial.pause(now);
        true
    }
}

impl Redial {
    fn due(&self) -> Option<Instant> {
        self.at.filter(|_| !self.dialling)
    }

    /// The last connection is gone: dial at once after a good one, else as after a failure.
    fn lost(&mut self, at_once: bool, now: Instant) {
        if at_once {
            self.failed_rounds = 0;
            self.next_peer = 0;
            self.at = Some(now);
        } else {
            self.pause(now);
        }
    }

    fn pause(&mut self, now: Instant) {
        let doubled = FIRST_REDIAL.saturating_mul(1 << self.failed_rounds.min(16));
        self.at = Some(now + doubled.min(LAST_REDIAL));
        self.failed_rounds += 1;
        self.next_peer = 0;
        self.strangers.clear();
    }
}

/// An address and the peer that its end names.
fn without_peer(mut address: Multiaddr) -> (Multiaddr, Option<PeerId>) {
    match address.pop() {
        Some(Protocol::P2p(peer)) => (address, Some(peer)),
        Some(last) => (address.with(last), None),
        None => (address, None),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const AGENCY: AgencyId = AgencyId::from_bytes([1; 32]);
    const OTHER: AgencyId = AgencyId::from_bytes([2; 32]);

    fn pinned(agency: AgencyId, peers: &[PeerId], addresses: &[&str]) -> Pinned {
        let addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
        Pinned { agency, peers: peers.to_vec(), addresses }
    }

    fn dialled(partners: &mut Partners, now: Instant) -> Vec<(PeerId, usize)> {
        partners.due(now).into_iter().map(|dial| (dial.peer, dial.addresses.len())).collect()
    }

    #[test]
    fn pauses_double_up_to_a_minute_and_end_with_a_good_connection() {
        let (peer, mut now) = (PeerId::random(), Instant::now());
        let mut partners = Partners::default();
        partners.set(vec![pinned(AGENCY, &[peer], &["/ip4/192.0.2.1/tcp/1"])], now);
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert_eq!(dialled(&mut partners, now), [(peer, 1)]);
            assert_eq!(partners.next_dial(), None, "one dial at a time");
            assert_eq!(partners.dial_ended(&peer, None, false, now), Some(AGENCY));
            assert_eq!(partners.next_dial(), Some(now + Duration::from_secs(seconds)));
            now += Duration::from_secs(seconds);
        }
        let link = ConnectionId::new_unchecked(1);
        partners.opened(link, peer, "/ip4/192.0.2.1/tcp/1".parse().unwrap(), now);
        assert_eq!(partners.next_dial(), None);
        assert_eq!(partners.answered(link).map(|(agency, _)| agency), Some(AGENCY));
        now += STEADY;
        assert_eq!(partners.closed(link, now), Ended::Disconnected(AGENCY));
        assert_eq!(partners.next_dial(), Some(now));
    }

    #[test]
    fn a_stranger_at_one_address_does_not_hide_the_others_nor_the_next_key() {
        let (old, new, now) = (PeerId::random(), PeerId::random(), Instant::now());
        let (first, second) = ("/ip4/192.0.2.1/tcp/1", "/ip4/192.0.2.2/tcp/1");
        let mut partners = Partners::default();
        partners.set(vec![pinned(AGENCY, &[old, new], &[first, second])], now);
        let stranger: Multiaddr = first.parse().unwrap();
        assert_eq!(dialled(&mut partners, now), [(old, 2)]);
        assert_eq!(partners.dial_ended(&old, Some(&stranger), false, now), None);
        assert_eq!(dialled(&mut partners, now), [(old, 1)], "without the stranger's address");
        assert_eq!(partners.dial_ended(&old, None, false, now), None);
        assert_eq!(dialled(&mut partners, now), [(new, 2)]);
        assert_eq!(partners.dial_ended(&new, None, false, now), Some(AGENCY), "the round is over");
    }

    #[test]
    fn an_agency_hears_of_its_first_and_last_connection_only() {
        let (peer, now) = (PeerId::random(), Instant::now());
        let mut partners = Partners::default();
        partners.set(vec![pinned(AGENCY, &[peer], &[])], now);
        assert_eq!(dialled(&mut partners, now), [], "without an address they dial us");
        let links = [1, 2, 3].map(ConnectionId::new_unchecked);
        for link in links {
            partners.opened(link, peer, Multiaddr::empty(), now);
        }
        assert!(partners.answered(links[0]).is_some());
        assert!(partners.answered(links[1]).is_none());
        assert_eq!(partners.closed(links[0], now), Ended::Spare);
        assert_eq!(partners.closed(links[1], now), Ended::Disconnected(AGENCY));
        assert_eq!(partners.closed(links[2], now), Ended::TurnedAway(AGENCY));
    }

    #[test]
    fn nobody_takes_over_a_key_that_another_agency_had_first() {
        let (peer, now) = (PeerId::random(), Instant::now());
        let mut partners = Partners::default();
        partners.set(vec![pinned(OTHER, &[peer], &[])], now);
        partners.set(vec![pinned(AGENCY, &[peer], &[]), pinned(OTHER, &[peer], &[])], now);
        assert_eq!(partners.owner(&peer), Some(OTHER));
        assert_eq!(partners.peers(&AGENCY), []);
    }
}
