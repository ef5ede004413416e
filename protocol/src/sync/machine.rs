//! The machine itself: what it holds, and which input goes where.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{AgencyId, AgreementId, Hash, KeyId, LogId};
use crate::receipt::LogPosition;
use crate::time::Time;

use super::io::{Guest, Input, Output, Own, PageOutcome, Position, RequestId, ScopeInfo, Snapshot};
use super::limits;
use super::message::{CONTACT, heads_digest};
use super::peer::{Ask, Fault, FeedState, Peer, PeerScope, Rest, WantedKey};

/// Catches up with partners, and lets partners catch up: see [`super`].
#[derive(Debug)]
pub struct Machine {
    pub(super) own: Own,
    pub(super) scopes: BTreeMap<Hash, ScopeInfo>,
    digests: BTreeMap<Hash, Hash>,
    pub(super) feeds: BTreeMap<Hash, u64>,
    pub(super) logs: BTreeMap<LogId, Position>,
    pub(super) forked: BTreeSet<LogId>,
    /// Logs of which a page is on its way or on the ladder, and at whom it was asked.
    pub(super) busy: BTreeMap<LogId, Page>,
    pub(super) peers: BTreeMap<AgencyId, Peer>,
    pub(super) sent: BTreeMap<RequestId, Sent>,
    pub(super) keys: BTreeMap<(Hash, KeyId), WantedKey>,
    last_id: u64,
    /// Peers to look at before returning.
    pub(super) ready: BTreeSet<AgencyId>,
    /// The peer that was looked at last, so that all have their turn.
    pub(super) turn: AgencyId,
    alarms: BTreeSet<(Time, AgencyId)>,
    wake: Option<Time>,
    pub(super) out: Vec<Output>,
}

/// A request without an answer.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) to: AgencyId,
    pub(super) ask: Ask,
    pub(super) at: Time,
}

/// A page of a log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    pub(super) from: AgencyId,
    /// The log's head when it was asked for.
    pub(super) head: Option<u64>,
    /// Whether it has come, and the driver runs it up the ladder.
    pub(super) come: bool,
    /// Whether the connection it came over is still there, so that it counts among its requests.
    pub(super) counted: bool,
}

impl Machine {
    /// A machine that knows what the store holds, and no partner yet.
    pub fn new(own: Own, snapshot: Snapshot) -> Self {
        let mut peers: BTreeMap<AgencyId, Peer> = BTreeMap::new();
        for ((agency, scope), cursor) in snapshot.cursors {
            peers.entry(agency).or_default().scopes.entry(scope).or_default().cursor = cursor;
        }
        Self {
            own,
            scopes: BTreeMap::new(),
            digests: BTreeMap::new(),
            feeds: snapshot.feeds,
            logs: snapshot.heads,
            forked: snapshot.forked,
            busy: BTreeMap::new(),
            peers,
            sent: BTreeMap::new(),
            keys: BTreeMap::new(),
            last_id: 0,
            ready: BTreeSet::new(),
            turn: own.agency,
            alarms: BTreeSet::new(),
            wake: None,
            out: Vec::new(),
        }
    }

    /// Takes in what happened, and says what to do. `now` never falls.
    pub fn handle(&mut self, input: Input, now: Time) -> Vec<Output> {
        self.ring(now);
        self.input(input, now);
        self.ask_all(now);
        self.set_wake();
        std::mem::take(&mut self.out)
    }

    fn input(&mut self, input: Input, now: Time) {
        match input {
            Input::Scopes(scopes) => self.set_scopes(scopes, now),
            Input::PeerUp(agency) => self.peer_up(agency, now),
            Input::PeerDown(agency) => self.peer_down(agency),
            Input::HeadMoved { log, head } => self.head_moved(log, head, now),
            Input::FeedGrew { scope, length, own } => self.feed_grew(scope, length, own, now),
            Input::GapSeen { from, log, seq } => self.gap_seen(from, log, seq),
            Input::KeyWanted { from, scope, key_id } => self.key_wanted(from, scope, key_id),
            Input::KeysTaken { scope, key_ids } => {
                for key_id in key_ids {
                    self.keys.remove(&(scope, key_id));
                }
            }
            Input::Request { from, ticket, bytes } => self.request(from, ticket, &bytes, now),
            Input::Answer { from, id, result } => self.answer(from, id, result, now),
            Input::PageDone { from, log, outcome } => self.page_done(from, log, outcome, now),
            Input::Fetch { from, scope, hashes } => self.fetch(from, scope, &hashes),
            Input::FeedDone { from, scope, cursor, useful } => self.feed_done(from, scope, cursor, useful, now),
            Input::FeedFailed { from, scope } => self.feed_failed(from, scope, now),
            Input::Checked { from, log, position, same } => self.checked(from, log, position, same),
            Input::Unchecked { from, log } => self.unchecked(from, &log),
            Input::EvidenceDone { from, log } => self.evidence_done(from, &log),
            Input::ForkProven { log } => self.fork_proven(log),
            Input::Tick => {}
        }
    }

    /// Looks again at the peers whose time has come, and gives up what has waited too long.
    fn ring(&mut self, now: Time) {
        while let Some((at, agency)) = self.alarms.first().copied() {
            if at > now {
                break;
            }
            self.alarms.pop_first();
            if let Some(peer) = self.peers.get_mut(&agency) {
                peer.alarm = None;
            }
            self.ready.insert(agency);
            let late: Vec<RequestId> = self
                .sent
                .iter()
                .filter(|(_, sent)| sent.to == agency && now.since(sent.at) >= limits::PATIENCE_MS)
                .map(|(id, _)| *id)
                .collect();
            for id in late {
                self.lost(id, now);
            }
        }
    }

    pub(super) fn set_alarm(&mut self, agency: AgencyId, at: Option<Time>) {
        let Some(peer) = self.peers.get_mut(&agency) else { return };
        if peer.alarm != at {
            if let Some(old) = peer.alarm {
                self.alarms.remove(&(old, agency));
            }
            if let Some(new) = at {
                self.alarms.insert((new, agency));
            }
            peer.alarm = at;
        }
    }

    fn set_wake(&mut self) {
        let next = self.alarms.first().map(|(at, _)| *at);
        if next != self.wake {
            self.wake = next;
            self.out.extend(next.map(Output::WakeAt));
        }
    }

    fn set_scopes(&mut self, scopes: BTreeMap<Hash, ScopeInfo>, now: Time) {
        self.scopes = scopes;
        self.digests.clear();
        self.keys.retain(|(scope, _), _| self.scopes.contains_key(scope));
        for (agency, peer) in &mut self.peers {
            let may = |scope: &Hash| self.scopes.get(scope).is_none_or(|info| info.knows(agency));
            peer.scopes.retain(|scope, _| may(scope));
            peer.offers.retain(|log, _| self.scopes.contains_key(&log.agreement.0) && may(&log.agreement.0));
            if peer.up {
                for scope in peer.scopes.values_mut() {
                    // What it told of heads may have been passed over while the scope had no logs here.
                    scope.heads.seen = None;
                }
                peer.poke(now, 0);
                self.ready.insert(*agency);
            }
        }
    }

    fn peer_up(&mut self, agency: AgencyId, now: Time) {
        self.peer_down(agency);
        let peer = self.peers.entry(agency).or_default();
        peer.up = true;
        peer.hello.due = now;
        self.ready.insert(agency);
        // Who comes back may hold, or be able to send, what it could not before.
        for key in self.keys.values_mut() {
            key.asked.remove(&agency);
        }
    }

    fn peer_down(&mut self, agency: AgencyId) {
        let Some(peer) = self.peers.get_mut(&agency) else { return };
        let reading: Vec<Hash> = peer.scopes.iter().filter(|(_, s)| s.feed.is_reading()).map(|(h, _)| *h).collect();
        peer.disconnect();
        self.sent.retain(|_, sent| sent.to != agency);
        for key in self.keys.values_mut() {
            key.asking = key.asking.filter(|asked| *asked != agency);
        }
        let mut freed = Vec::new();
        self.busy.retain(|log, page| {
            let waiting = page.from == agency && !page.come;
            if page.from == agency {
                page.counted = false;
            }
            if waiting {
                freed.push(*log);
            }
            !waiting
        });
        for log in freed {
            self.look_at_holders(log);
        }
        for scope in reading {
            self.look_at_feed(scope);
        }
        self.set_alarm(agency, None);
        self.look_at_all_if_keys();
    }

    /// Peers that offer the log may now be asked for it.
    pub(super) fn look_at_holders(&mut self, log: LogId) {
        let holders = self.peers.iter().filter(|(_, peer)| peer.up && peer.offers.contains_key(&log));
        self.ready.extend(holders.map(|(agency, _)| *agency));
    }

    /// Peers whose feed of the scope waits may now be asked for it.
    pub(super) fn look_at_feed(&mut self, scope: Hash) {
        let waiting = self.peers.iter().filter(|(_, peer)| peer.up && peer.scopes.contains_key(&scope));
        self.ready.extend(waiting.map(|(agency, _)| *agency));
    }

    pub(super) fn look_at_all_if_keys(&mut self) {
        if !self.keys.is_empty() {
            self.ready.extend(self.peers.iter().filter(|(_, peer)| peer.up).map(|(agency, _)| *agency));
        }
    }

    /// Whether the scope may be spoken of with the agency.
    pub(super) fn shares(&self, scope: Hash, agency: AgencyId) -> bool {
        scope == CONTACT || self.scopes.get(&scope).is_some_and(|info| info.knows(&agency))
    }

    /// As what an agency that is no party may know a scope.
    pub(super) fn guest(&self, scope: Hash, agency: AgencyId) -> Option<Guest> {
        self.scopes.get(&scope)?.guests.get(&agency).copied()
    }

    /// Where our logs of a scope stand, ascending.
    pub(super) fn positions(&self, scope: Hash) -> impl Iterator<Item = LogPosition> {
        let least =
            LogId { agreement: AgreementId(scope), author: AgencyId::from_bytes([0; 32]), writer: 0, generation: 0 };
        let has_logs = self.scopes.get(&scope).is_some_and(|info| info.has_logs);
        let logs = self.logs.range(least..).take_while(move |(log, _)| has_logs && log.agreement.0 == scope);
        logs.map(|(log, head)| LogPosition {
            author: log.author,
            writer: log.writer,
            generation: log.generation,
            seq: head.seq,
            hash: head.hash,
        })
    }

    /// The digest of where our logs of a scope stand.
    pub(super) fn digest(&mut self, scope: Hash) -> Hash {
        if let Some(digest) = self.digests.get(&scope) {
            return *digest;
        }
        let digest = heads_digest(&self.positions(scope).collect::<Vec<_>>());
        self.digests.insert(scope, digest);
        digest
    }

    pub(super) fn is_own(&self, log: &LogId) -> bool {
        log.author == self.own.agency && log.writer == self.own.writer
    }

    fn head_moved(&mut self, log: LogId, head: Position, now: Time) {
        if self.logs.get(&log).is_some_and(|old| old.seq >= head.seq) {
            return;
        }
        self.logs.insert(log, head);
        let scope = log.agreement.0;
        self.digests.remove(&scope);
        self.settle_offers(log, head);
        if self.is_own(&log) {
            self.poke_parties(scope, now, limits::POKE_AFTER_MS);
        }
    }

    fn feed_grew(&mut self, scope: Hash, length: u64, own: bool, now: Time) {
        let old = self.feeds.entry(scope).or_default();
        if length > *old {
            *old = length;
            self.poke_parties(scope, now, if own { limits::POKE_AFTER_MS } else { limits::RELAY_AFTER_MS });
        }
    }

    fn poke_parties(&mut self, scope: Hash, now: Time, after: u64) {
        let info = self.scopes.get(&scope);
        for (agency, peer) in &mut self.peers {
            let party = scope == CONTACT || info.is_some_and(|info| info.knows(agency));
            if peer.up && party {
                let due = peer.hello.due;
                peer.poke(now, after);
                if peer.hello.due < due {
                    self.ready.insert(*agency);
                }
            }
        }
    }

    fn gap_seen(&mut self, from: AgencyId, log: LogId, seq: u64) {
        let beyond = self.logs.get(&log).is_none_or(|head| seq > head.seq);
        if !beyond || !self.shares(log.agreement.0, from) {
            return;
        }
        if let Some(peer) = self.peers.get_mut(&from).filter(|peer| peer.up) {
            peer.hinted(log, seq);
            self.ready.insert(from);
        }
    }

    fn key_wanted(&mut self, from: Option<AgencyId>, scope: Hash, key_id: KeyId) {
        let full = self.keys.len() >= limits::KEYS_WANTED && !self.keys.contains_key(&(scope, key_id));
        if full || !self.scopes.contains_key(&scope) {
            return;
        }
        let key = self.keys.entry((scope, key_id)).or_default();
        key.first = from.or(key.first);
        self.look_at_all_if_keys();
    }

    fn page_done(&mut self, from: AgencyId, log: LogId, outcome: PageOutcome, now: Time) {
        let Some(page) = self.busy.get(&log).copied().filter(|page| page.from == from && page.come) else { return };
        self.busy.remove(&log);
        let head = self.logs.get(&log).copied();
        let moved = head.map(|head| head.seq) > page.head;
        if let Some(peer) = self.peers.get_mut(&from) {
            if page.counted {
                peer.outstanding -= 1;
            }
            if moved {
                peer.left_out.remove(&log);
            }
            match outcome {
                PageOutcome::OtherBranch => peer.leave_out(log, Fault::OtherBranch, now),
                // Gossip may have been faster than the page: that is no fault of the partner's.
                PageOutcome::Advanced | PageOutcome::Stuck if moved => {}
                PageOutcome::Advanced | PageOutcome::Stuck => peer.leave_out(log, Fault::NoAdvance, now),
            }
        }
        if let (PageOutcome::OtherBranch, Some(head)) = (outcome, head) {
            self.diverged(from, log, head.seq, None);
        }
        self.ready.insert(from);
        self.look_at_holders(log);
        if self.is_own(&log) {
            if let (PageOutcome::Advanced, Some(position), true) = (outcome, head, moved) {
                self.out.push(Output::OwnLogAhead { log, position, from });
            }
            let up: Vec<AgencyId> = self.peers.iter().filter(|(_, peer)| peer.up).map(|(agency, _)| *agency).collect();
            for agency in up {
                self.try_compared(agency, log.agreement.0);
            }
        }
    }

    /// The state of a partner in a scope, made if there is room.
    pub(super) fn peer_scope(&mut self, agency: AgencyId, scope: Hash) -> Option<&mut PeerScope> {
        let known = scope == CONTACT || self.scopes.contains_key(&scope);
        if known && !self.shares(scope, agency) {
            return None;
        }
        let peer = self.peers.get_mut(&agency).filter(|peer| peer.up)?;
        if !known && !peer.scopes.contains_key(&scope) {
            let unknown = peer.scopes.keys().filter(|s| **s != CONTACT && !self.scopes.contains_key(*s)).count();
            if unknown >= limits::UNKNOWN_SCOPES_PER_PEER {
                return None;
            }
        }
        Some(peer.scopes.entry(scope).or_default())
    }

    pub(super) fn next_id(&mut self) -> RequestId {
        self.last_id += 1;
        RequestId(self.last_id)
    }
}

impl FeedState {
    pub(super) const fn is_reading(&self) -> bool {
        !matches!(self, FeedState::Idle)
    }
}

impl WantedKey {
    /// The partner had no wrap, or none that opened.
    pub(super) fn rest(&mut self, agency: AgencyId, now: Time) {
        let rest: &mut Rest = self.asked.entry(agency).or_default();
        rest.grow(limits::KEY_REST_MS, limits::LAST_REST_MS, now);
    }
}
