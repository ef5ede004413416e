//! What partners ask: every request is authorised against the scope before anything is read.

use crate::id::AgencyId;
use crate::time::Time;

use super::io::{Misbehaviour, Output, Plan, Ticket};
use super::limits;
use super::machine::Machine;
use super::message::{CONTACT, Hello, LogName, Reason, Request, Response, ScopeState, heads_digest};

impl Machine {
    pub(super) fn request(&mut self, from: AgencyId, ticket: Ticket, bytes: &[u8], now: Time) {
        let request = match Request::read(bytes) {
            Ok(request) => request,
            Err(error) => {
                return self.refuse(from, ticket, Reason::Malformed, Misbehaviour::Malformed(error));
            }
        };
        if request.scope().is_some_and(|scope| !self.shares(scope, from)) {
            // No misbehaviour: the two sides may know different versions for a while.
            return self.respond(ticket, &Response::Refused(Reason::NotForYou));
        }
        let guest = request.scope().and_then(|scope| self.guest(scope, from));
        let plan = match request {
            Request::Hello(hello) => return self.hello_request(from, ticket, &hello, now),
            Request::Heads { .. } if guest.is_some() => {
                return self.respond(ticket, &Response::Heads { positions: Vec::new(), more: false });
            }
            Request::Entries { .. } | Request::Wraps { .. } if guest.is_some() => {
                return self.respond(ticket, &Response::Refused(Reason::NotForYou));
            }
            Request::Heads { scope, after } => {
                let mut positions: Vec<_> = self
                    .positions(scope)
                    .filter(|position| after.is_none_or(|after| LogName::of(position) > after))
                    .take(limits::HEADS_PER_PAGE + 1)
                    .collect();
                let more = positions.len() > limits::HEADS_PER_PAGE;
                positions.truncate(limits::HEADS_PER_PAGE);
                return self.respond(ticket, &Response::Heads { positions, more });
            }
            Request::Feed { scope, incarnation, after } => {
                let own = guest.map_or(self.own.incarnation, |guest| guest.incarnation(self.own.incarnation));
                let after = if incarnation == own { after } else { 0 };
                Plan::Feed { scope, guest, incarnation: own, after, limit: limits::FEED_ITEMS }
            }
            Request::Objects { scope, hashes } => Plan::Objects { scope, hashes, max_bytes: limits::PAGE_BYTES, guest },
            Request::Wraps { scope, key_ids, writer } => Plan::Wraps { scope, key_ids, agency: from, writer },
            Request::Entries { log, from_seq, until_seq } => {
                let last = from_seq.saturating_add(limits::ENTRIES_PER_PAGE as u64 - 1);
                Plan::Entries { log, from_seq, until_seq: until_seq.min(last), max_bytes: limits::PAGE_BYTES }
            }
        };
        self.out.push(Output::Serve { ticket, from, plan });
    }

    fn respond(&mut self, ticket: Ticket, response: &Response) {
        self.out.push(Output::Respond { ticket, bytes: response.write() });
    }

    fn refuse(&mut self, from: AgencyId, ticket: Ticket, reason: Reason, why: Misbehaviour) {
        self.respond(ticket, &Response::Refused(reason));
        self.out.push(Output::Misbehaved { agency: from, why });
    }

    fn hello_request(&mut self, from: AgencyId, ticket: Ticket, hello: &Hello, now: Time) {
        if hello.mode != self.own.mode {
            return self.refuse(from, ticket, Reason::OtherMode, Misbehaviour::OtherMode);
        }
        let answer = self.own_hello(from);
        self.respond(ticket, &Response::Hello(answer));
        if let Some(peer) = self.peers.get_mut(&from) {
            peer.tell(now);
        }
        self.hello(from, hello);
    }

    /// What we have in the scopes that we share with a partner; where they are many, the next of them in turn.
    pub(super) fn own_hello(&mut self, to: AgencyId) -> Hello {
        let shared: Vec<_> =
            std::iter::once(CONTACT).chain(self.scopes.keys().copied()).filter(|s| self.shares(*s, to)).collect();
        let from = self.peers.get(&to).and_then(|peer| peer.hello.from_scope);
        let start = if shared.len() <= limits::SCOPES_PER_HELLO {
            0
        } else {
            from.and_then(|from| shared.iter().position(|scope| *scope >= from)).unwrap_or(0)
        };
        let end = shared.len().min(start + limits::SCOPES_PER_HELLO);
        if let Some(peer) = self.peers.get_mut(&to) {
            peer.hello.from_scope = shared.get(end).copied();
        }
        let scopes = shared[start..end]
            .iter()
            .map(|scope| ScopeState {
                scope: *scope,
                heads_digest: self.guest(*scope, to).map_or_else(|| self.digest(*scope), |_| heads_digest(&[])),
                incarnation: self
                    .guest(*scope, to)
                    .map_or(self.own.incarnation, |guest| guest.incarnation(self.own.incarnation)),
                feed_length: self.feeds.get(scope).copied().unwrap_or(0),
            })
            .collect();
        Hello { mode: self.own.mode, scopes }
    }
}
