//! What to ask whom, and when: first what is small and decides what else is needed, then pages of entries.

use std::ops::Bound;

use crate::id::{AgencyId, Hash, KeyId, LogId};
use crate::time::Time;

use super::io::{Output, Position};
use super::limits;
use super::machine::{Machine, Page, Sent};
use super::message::{CONTACT, Request};
use super::peer::{Ask, FeedState};

impl Machine {
    /// Puts all requests that are due to the peers at which something changed.
    pub(super) fn ask_all(&mut self, now: Time) {
        while self.sent.len() < limits::REQUESTS_IN_ALL {
            let after = (Bound::Excluded(self.turn), Bound::Unbounded);
            let next = self.ready.range(after).next().or_else(|| self.ready.first()).copied();
            let Some(agency) = next else { break };
            self.ready.remove(&agency);
            self.turn = agency;
            while self.sent.len() < limits::REQUESTS_IN_ALL && self.is_free(agency, now) {
                let Some((ask, request)) = self.next_ask(agency, now) else { break };
                self.send(agency, ask, &request, now);
            }
            if self.sent.len() >= limits::REQUESTS_IN_ALL && self.is_free(agency, now) {
                self.ready.insert(agency);
            }
            let alarm = self.next_alarm(agency, now);
            self.set_alarm(agency, alarm);
        }
    }

    fn is_free(&self, agency: AgencyId, now: Time) -> bool {
        self.peers.get(&agency).is_some_and(|peer| peer.free(now))
    }

    fn send(&mut self, to: AgencyId, ask: Ask, request: &Request, now: Time) {
        let id = self.next_id();
        self.peers.get_mut(&to).expect("only known peers are asked").outstanding += 1;
        self.sent.insert(id, Sent { to, ask, at: now });
        self.out.push(Output::Send { to, id, bytes: request.write() });
    }

    fn next_ask(&mut self, to: AgencyId, now: Time) -> Option<(Ask, Request)> {
        self.ask_hello(to, now)
            .or_else(|| self.ask_evidence(to))
            .or_else(|| self.ask_heads(to, now))
            .or_else(|| self.ask_objects(to))
            .or_else(|| self.ask_feed(to, now))
            .or_else(|| self.ask_wraps(to, now))
            .or_else(|| self.ask_entries(to, now))
    }

    fn ask_hello(&mut self, to: AgencyId, now: Time) -> Option<(Ask, Request)> {
        let peer = self.peers.get_mut(&to)?;
        if peer.hello.asking || peer.hello.due > now {
            return None;
        }
        peer.hello.asking = true;
        peer.tell(now);
        let hello = self.own_hello(to);
        Some((Ask::Hello, Request::Hello(hello)))
    }

    fn ask_evidence(&mut self, to: AgencyId) -> Option<(Ask, Request)> {
        let (log, seq) = self.peers.get_mut(&to)?.evidence.pop_first()?;
        Some((Ask::Evidence { log, seq }, Request::Entries { log, from_seq: seq, until_seq: seq }))
    }

    fn ask_heads(&mut self, to: AgencyId, now: Time) -> Option<(Ask, Request)> {
        let scopes = &mut self.peers.get_mut(&to)?.scopes;
        let (scope, at) = scopes
            .iter_mut()
            .find(|(_, at)| at.heads.wanted.is_some() && !at.heads.asking && at.heads.not_before <= now)?;
        let wanted = at.heads.wanted.expect("found by being wanted");
        let (after, digest) = at.heads.after.map_or((None, wanted), |(log, digest)| (Some(log), digest));
        at.heads.asking = true;
        at.heads.not_before = now.plus_ms(limits::HEADS_EVERY_MS);
        Some((Ask::Heads { scope: *scope, after, digest }, Request::Heads { scope: *scope, after }))
    }

    fn ask_objects(&mut self, to: AgencyId) -> Option<(Ask, Request)> {
        for (scope, at) in &mut self.peers.get_mut(&to)?.scopes {
            if let FeedState::Fetching { queue, asked: asked @ false, .. } = &mut at.feed {
                *asked = true;
                let hashes: Vec<Hash> = queue.iter().take(limits::OBJECTS_PER_REQUEST).copied().collect();
                let ask = Ask::Objects { scope: *scope, asked: hashes.len() };
                return Some((ask, Request::Objects { scope: *scope, hashes }));
            }
        }
        None
    }

    fn ask_feed(&mut self, to: AgencyId, now: Time) -> Option<(Ask, Request)> {
        let peer = self.peers.get(&to)?;
        let scope = peer
            .scopes
            .iter()
            .filter(|(_, at)| at.wants_feed() && at.feed_rest.until <= now)
            .map(|(scope, _)| *scope)
            // Every partner's contact scope has its own content; no other partner's feed repeats it.
            .find(|scope| *scope == CONTACT || self.feeds_read(*scope) < limits::FEEDS_AT_ONCE)?;
        let at = self.peers.get_mut(&to)?.scopes.get_mut(&scope)?;
        at.feed = FeedState::Asking;
        let (from, told) = (at.cursor, at.told);
        let request = Request::Feed { scope, incarnation: from.incarnation, after: from.position };
        Some((Ask::Feed { scope, from, told }, request))
    }

    fn feeds_read(&self, scope: Hash) -> usize {
        let reading = |at: &super::peer::PeerScope| at.feed.is_reading();
        self.peers.values().filter(|peer| peer.scopes.get(&scope).is_some_and(reading)).count()
    }

    fn ask_wraps(&mut self, to: AgencyId, now: Time) -> Option<(Ask, Request)> {
        let mut chosen: Option<Hash> = None;
        let mut key_ids: Vec<KeyId> = Vec::new();
        for ((scope, key_id), key) in &self.keys {
            let other = chosen.is_some_and(|chosen| chosen != *scope);
            if other || key_ids.len() == limits::KEYS_PER_REQUEST {
                break;
            }
            let preferred = key.first.filter(|first| {
                !key.asked.contains_key(first) && *first != to && self.peers.get(first).is_some_and(|peer| peer.up)
            });
            let due = key.not_before <= now && key.asked.get(&to).is_none_or(|rest| rest.until <= now);
            if key.asking.is_none() && preferred.is_none() && due && self.shares(*scope, to) {
                chosen = Some(*scope);
                key_ids.push(*key_id);
            }
        }
        let scope = chosen?;
        for key_id in &key_ids {
            self.keys.get_mut(&(scope, *key_id)).expect("chosen among the wanted").asking = Some(to);
        }
        let request = Request::Wraps { scope, key_ids: key_ids.clone(), writer: self.own.writer };
        Some((Ask::Wraps { scope, key_ids }, request))
    }

    fn ask_entries(&mut self, to: AgencyId, now: Time) -> Option<(Ask, Request)> {
        let peer = self.peers.get(&to)?;
        let start = peer.next_log.map_or(Bound::Unbounded, Bound::Excluded);
        let end = peer.next_log.map_or(Bound::Unbounded, Bound::Included);
        let rest = peer.next_log.map(|_| peer.offers.range((Bound::Unbounded, end)));
        let log = peer
            .offers
            .range((start, Bound::Unbounded))
            .chain(rest.into_iter().flatten())
            .map(|(log, _)| *log)
            .find(|log| !self.busy.contains_key(log) && peer.rest_of(log) <= now)?;
        let until_seq = peer.offers.get(&log).expect("found among the offers").seq;
        let head = self.logs.get(&log).map(|head: &Position| head.seq);
        let from_seq = head.map_or(0, |head| head + 1);
        self.busy.insert(log, Page { from: to, head, come: false, counted: true });
        self.peers.get_mut(&to)?.next_log = Some(log);
        let until_seq = until_seq.min(from_seq.saturating_add(limits::ENTRIES_PER_PAGE as u64 - 1));
        Some((Ask::Entries { log, from_seq, until_seq }, Request::Entries { log, from_seq, until_seq }))
    }

    /// When to look at a peer again if nothing happens: what is due while it may not be asked, or not yet.
    fn next_alarm(&self, agency: AgencyId, now: Time) -> Option<Time> {
        let peer = self.peers.get(&agency).filter(|peer| peer.up)?;
        let mut next = Earliest { now, at: None };
        for sent in self.sent.values().filter(|sent| sent.to == agency) {
            next.consider(sent.at.plus_ms(limits::PATIENCE_MS));
        }
        next.consider(peer.paused_until);
        if !peer.hello.asking {
            next.consider(peer.hello.due);
        }
        for at in peer.scopes.values() {
            if at.heads.wanted.is_some() && !at.heads.asking {
                next.consider(at.heads.not_before);
            }
            if at.wants_feed() {
                next.consider(at.feed_rest.until);
            }
        }
        let offered = |log: &LogId| peer.offers.contains_key(log) && !self.busy.contains_key(log);
        for (_, rest) in peer.left_out.iter().filter(|(log, _)| offered(log)) {
            next.consider(rest.until);
        }
        for ((scope, _), key) in self.keys.iter().filter(|(_, key)| key.asking.is_none()) {
            if self.shares(*scope, agency) {
                let rest = key.asked.get(&agency).map_or(Time::default(), |rest| rest.until);
                next.consider(key.not_before.max(rest));
            }
        }
        next.at
    }
}

/// The earliest of several times that are still to come.
struct Earliest {
    now: Time,
    at: Option<Time>,
}

impl Earliest {
    fn consider(&mut self, time: Time) {
        if time > self.now {
            self.at = Some(self.at.map_or(time, |at| at.min(time)));
        }
    }
}

impl super::peer::PeerScope {
    /// Whether the partner's feed has something that was not read, and is not being read.
    fn wants_feed(&self) -> bool {
        let news = self.told.is_some_and(|(incarnation, length)| {
            length > 0 && (incarnation != self.cursor.incarnation || length > self.cursor.position)
        });
        news && !self.feed.is_reading()
    }
}
