//! Requests of ours and of partners, each with exactly one end: a response or a reason.

use entente_protocol::id::AgencyId;
use libp2p::PeerId;
use libp2p::request_response::{self, Message, OutboundFailure, OutboundRequestId, ResponseChannel};
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::Instant;

use super::Driver;
use crate::network::exchange::Answer;
use crate::network::limits::{REQUEST_BYTES, REQUESTS_IN_FLIGHT, REQUESTS_PER_AGENCY, RESPONSE_BYTES};
use crate::network::{Event, RequestFailure, RequestId, RequestTicket, translate};

impl Driver {
    pub(super) fn request(&mut self, agency: AgencyId, id: RequestId, bytes: Vec<u8>) {
        let to_agency = self.asked.values().filter(|(other, _)| *other == agency).count();
        let peer = if bytes.len() > REQUEST_BYTES {
            Err(RequestFailure::TooLarge)
        } else if to_agency >= REQUESTS_PER_AGENCY || self.asked.len() >= REQUESTS_IN_FLIGHT {
            Err(RequestFailure::InFlight)
        } else {
            self.partners.reachable(&agency).ok_or(RequestFailure::NotConnected)
        };
        match peer {
            Ok(peer) => {
                let asked = self.swarm.behaviour_mut().exchange.send_request(&peer, bytes);
                self.asked.insert(asked, (agency, id));
                self.stats.requests_out.add(1);
            }
            Err(failure) => self.fail(agency, id, failure),
        }
    }

    pub(super) fn exchanged(&mut self, event: request_response::Event<Vec<u8>, Answer>) {
        match event {
            request_response::Event::Message { peer, connection_id, message } => match message {
                Message::Request { request, channel, .. } => {
                    self.answered(connection_id);
                    self.requested(&peer, request, channel);
                }
                Message::Response { request_id, response } => self.responded(request_id, response),
            },
            request_response::Event::OutboundFailure { request_id, error, .. } => {
                self.request_failed(request_id, &error);
            }
            request_response::Event::InboundFailure { peer, error, .. } => {
                tracing::debug!(%peer, %error, "a partner's request came to nothing");
            }
            request_response::Event::ResponseSent { .. } => {}
        }
    }

    fn requested(&mut self, peer: &PeerId, bytes: Vec<u8>, channel: ResponseChannel<Answer>) {
        let from = self.partners.owner(peer);
        let Some(from) = from.filter(|from| self.partners.allow_request(from, Instant::now())) else {
            return self.turn_down(channel);
        };
        match self.events.try_send(Event::Request { from, ticket: RequestTicket(channel), bytes }) {
            Ok(()) => self.stats.requests_in.add(1),
            Err(TrySendError::Full(Event::Request { ticket, .. })) => self.turn_down(ticket.0),
            Err(_) => {}
        }
    }

    fn turn_down(&mut self, channel: ResponseChannel<Answer>) {
        self.stats.requests_refused.add(1);
        self.answer(channel, Answer::Busy);
    }

    pub(super) fn respond(&mut self, channel: ResponseChannel<Answer>, bytes: Vec<u8>) {
        if bytes.len() > RESPONSE_BYTES {
            tracing::error!(size = bytes.len(), limit = RESPONSE_BYTES, "a response is too large and was not sent");
            return self.answer(channel, Answer::Refused);
        }
        self.answer(channel, Answer::Response(bytes));
    }

    pub(super) fn answer(&mut self, channel: ResponseChannel<Answer>, answer: Answer) {
        if self.swarm.behaviour_mut().exchange.send_response(channel, answer).is_err() {
            tracing::debug!("an answer came after the request's end");
        }
    }

    fn responded(&mut self, asked: OutboundRequestId, answer: Answer) {
        let Some((agency, id)) = self.asked.remove(&asked) else {
            return;
        };
        match answer {
            Answer::Response(bytes) => self.tell(Event::Response { agency, id, result: Ok(bytes) }),
            Answer::Refused => self.fail(agency, id, RequestFailure::Refused),
            Answer::Busy => self.fail(agency, id, RequestFailure::Busy),
        }
    }

    fn request_failed(&mut self, asked: OutboundRequestId, error: &OutboundFailure) {
        if let Some((agency, id)) = self.asked.remove(&asked) {
            self.fail(agency, id, translate::failure(error));
        }
    }

    fn fail(&mut self, agency: AgencyId, id: RequestId, failure: RequestFailure) {
        self.stats.requests_failed.add(1);
        self.tell(Event::Response { agency, id, result: Err(failure) });
    }
}
