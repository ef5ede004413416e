//! Gossip up and down: judged by rate first, then by whether the desk has room, then by the desk.

use entente_protocol::id::AgreementId;
use libp2p::gossipsub::MessageAcceptance;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::Instant;

use super::Driver;
use crate::network::gate::{Heard, Source};
use crate::network::limits::GOSSIP_BYTES;
use crate::network::{Event, GossipTicket, Verdict};

impl Driver {
    pub(super) fn publish(&mut self, agreement: &AgreementId, bytes: Vec<u8>) {
        let size = bytes.len();
        let sent = size <= GOSSIP_BYTES && self.swarm.behaviour_mut().gate.publish(agreement, bytes).is_ok();
        if sent {
            self.stats.gossip_out.add(1);
        } else {
            tracing::debug!(%agreement, size, "a message found no subscriber, no room, or is too large");
            self.stats.gossip_unsent.add(1);
        }
    }

    pub(super) fn judge(&mut self, source: &Source, verdict: Verdict) {
        let acceptance = match verdict {
            Verdict::Accept => MessageAcceptance::Accept,
            Verdict::Ignore => MessageAcceptance::Ignore,
            Verdict::Reject => {
                self.stats.gossip_rejected.add(1);
                MessageAcceptance::Reject
            }
        };
        self.swarm.behaviour_mut().gate.judge(source, acceptance);
    }

    pub(super) fn heard(&mut self, heard: Heard) {
        if let Heard::Message { source: Source { peer, .. }, .. } | Heard::Joined { peer, .. } = &heard
            && let Some(connection) = self.partners.link_of(peer)
        {
            self.answered(connection);
        }
        match heard {
            Heard::Message { agreement, source, bytes } => {
                let from = self.partners.owner(&source.peer);
                let allowed = from.filter(|from| self.partners.allow_gossip(from, bytes.len(), Instant::now()));
                match allowed {
                    Some(from) => {
                        self.offer_gossip(Event::Gossip { agreement, from, ticket: GossipTicket(source), bytes });
                    }
                    None => self.drop_gossip(&source),
                }
            }
            Heard::Joined { agreement, peer } => {
                if let Some(agency) = self.partners.owner(&peer) {
                    // A hint like gossip: if the channel is full, the desk has enough to do.
                    let _full = self.events.try_send(Event::Joined { agreement, agency });
                }
            }
            Heard::Unsent { count } => self.stats.gossip_unsent.add(count as u64),
        }
    }

    fn offer_gossip(&mut self, event: Event) {
        match self.events.try_send(event) {
            Ok(()) => self.stats.gossip_in.add(1),
            Err(TrySendError::Full(Event::Gossip { ticket, .. })) => self.drop_gossip(&ticket.0),
            Err(_) => {}
        }
    }

    fn drop_gossip(&mut self, source: &Source) {
        self.stats.gossip_dropped.add(1);
        self.swarm.behaviour_mut().gate.judge(source, MessageAcceptance::Ignore);
    }
}
