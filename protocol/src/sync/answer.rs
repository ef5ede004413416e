//! What partners answer. An answer that is not one to the question is not used, and told.

use std::collections::{BTreeSet, VecDeque};

use crate::id::{AgencyId, Hash, KeyId, LogId};
use crate::time::Time;
use crate::wire::object::ObjectKind;

use super::io::{Cursor, Failed, Misbehaviour, ObjectBytes, Output, RequestId};
use super::limits;
use super::machine::Machine;
use super::message::{EntryBytes, FeedPage, Incarnation, ObjectAt, Reason, Response};
use super::peer::{Ask, Fault, FeedState};

impl Machine {
    pub(super) fn answer(&mut self, from: AgencyId, id: RequestId, result: Result<Vec<u8>, Failed>, now: Time) {
        if self.sent.get(&id).is_none_or(|sent| sent.to != from) {
            return;
        }
        let response = match result {
            Err(Failed::Lost) => return self.lost(id, now),
            Err(Failed::Busy) => return self.put_off(id, now),
            Ok(bytes) => match Response::read(&bytes) {
                Ok(response) => response,
                Err(error) => {
                    if !error.is_held() {
                        let why = Misbehaviour::Malformed(error);
                        self.out.push(Output::Misbehaved { agency: from, why });
                    }
                    return self.lost(id, now);
                }
            },
        };
        match response {
            Response::Refused(Reason::Busy) => self.put_off(id, now),
            Response::Refused(Reason::NotForYou) => self.denied(id, now),
            Response::Refused(_) => self.lost(id, now),
            response => {
                let ask = self.sent[&id].ask.clone();
                if self.used(from, ask, response, now) {
                    self.sent.remove(&id);
                    if let Some(peer) = self.peers.get_mut(&from) {
                        peer.answered();
                    }
                } else {
                    self.out.push(Output::Misbehaved { agency: from, why: Misbehaviour::Unasked });
                    self.lost(id, now);
                }
                self.ready.insert(from);
            }
        }
    }

    /// Uses a response; `false` where it does not answer the question.
    fn used(&mut self, from: AgencyId, ask: Ask, response: Response, now: Time) -> bool {
        // A page of entries holds its place until the driver is done with it.
        let holds = matches!(ask, Ask::Entries { .. });
        let used = match (ask, response) {
            (Ask::Hello, Response::Hello(hello)) if hello.mode == self.own.mode => {
                self.hello_answered(from);
                self.hello(from, &hello);
                true
            }
            (Ask::Heads { scope, after, digest }, Response::Heads { positions, more }) => {
                if let Some(at) = self.peer_scope(from, scope) {
                    at.heads.asking = false;
                    if more {
                        at.heads.not_before = now;
                    }
                }
                let in_range = after.is_none_or(|after| {
                    positions.first().is_none_or(|first| super::message::LogName::of(first) > after)
                });
                if in_range {
                    self.heads(from, scope, after, digest, (&positions, more));
                }
                in_range
            }
            (Ask::Feed { scope, from: cursor, told }, Response::Feed(page)) => {
                self.feed_page(from, scope, cursor, told, &page)
            }
            (Ask::Objects { scope, asked }, Response::Objects(objects)) => {
                self.objects(from, scope, asked, objects, now)
            }
            (Ask::Wraps { scope, key_ids }, Response::Wraps(wraps)) if wraps.len() <= key_ids.len() => {
                self.wraps(from, scope, &key_ids, wraps, now);
                true
            }
            (Ask::Entries { log, from_seq, until_seq }, Response::Entries(entries)) => {
                self.entries(from, log, until_seq - from_seq + 1, entries)
            }
            (Ask::Evidence { log, seq }, Response::Entries(entries)) if entries.len() <= 1 => {
                match entries.into_iter().next() {
                    Some(entry) => self.out.push(Output::Evidence { from, log, seq, entry }),
                    None => self.evidence_done(from, &log),
                }
                true
            }
            _ => false,
        };
        if used && !holds {
            self.release(from);
        }
        used
    }

    fn release(&mut self, agency: AgencyId) {
        if let Some(peer) = self.peers.get_mut(&agency) {
            peer.outstanding -= 1;
        }
    }

    fn hello_answered(&mut self, from: AgencyId) {
        if let Some(peer) = self.peers.get_mut(&from) {
            peer.hello.asking = false;
        }
    }

    /// A request that got no usable response.
    pub(super) fn lost(&mut self, id: RequestId, now: Time) {
        if let Some(peer) = self.sent.get(&id).map(|sent| sent.to).and_then(|to| self.peers.get_mut(&to)) {
            peer.failed(now);
        }
        self.set_back(id, now);
    }

    /// The partner does not share the scope with us, or not yet; of other scopes it may be asked.
    fn denied(&mut self, id: RequestId, now: Time) {
        let Some(sent) = self.sent.get(&id) else { return };
        let (to, scope) = (sent.to, sent.ask.scope());
        self.set_back(id, now);
        if let Some(at) = scope.and_then(|scope| self.peer_scope(to, scope)) {
            at.heads.wanted = None;
        }
        if let (Some(scope), Some(peer)) = (scope, self.peers.get_mut(&to)) {
            peer.evidence.retain(|log, _| log.agreement.0 != scope);
            if let Some(at) = peer.scopes.get_mut(&scope) {
                at.own_evidence.clear();
            }
        }
    }

    /// What was asked is asked of others first.
    fn set_back(&mut self, id: RequestId, now: Time) {
        let Some(sent) = self.sent.get(&id) else { return };
        let (to, ask) = (sent.to, sent.ask.clone());
        match &ask {
            Ask::Entries { log, .. } => {
                if let Some(peer) = self.peers.get_mut(&to) {
                    peer.leave_out(*log, Fault::NoAnswer, now);
                }
            }
            Ask::Wraps { scope, key_ids } => self.keys_rest(to, *scope, key_ids, now),
            _ => {}
        }
        self.undo(id, now);
    }

    /// A request that is to be put again later.
    fn put_off(&mut self, id: RequestId, now: Time) {
        if let Some(peer) = self.sent.get(&id).map(|sent| sent.to).and_then(|to| self.peers.get_mut(&to)) {
            peer.busy(now);
        }
        self.undo(id, now);
    }

    /// As if the request had not been put.
    fn undo(&mut self, id: RequestId, now: Time) {
        let Some(sent) = self.sent.remove(&id) else { return };
        let to = sent.to;
        self.release(to);
        self.ready.insert(to);
        match sent.ask {
            Ask::Hello => {
                if let Some(peer) = self.peers.get_mut(&to) {
                    peer.hello.asking = false;
                    peer.poke(now, limits::POKE_AFTER_MS);
                }
            }
            Ask::Heads { scope, .. } => {
                if let Some(at) = self.peer_scope(to, scope) {
                    at.heads.asking = false;
                    at.heads.after = None;
                    at.heads.cut = false;
                }
            }
            // The page is asked for again from its start: what came of it is not lacked then.
            Ask::Feed { scope, .. } | Ask::Objects { scope, .. } => self.end_feed(to, scope, false, now),
            Ask::Wraps { scope, key_ids } => self.keys_unasked(scope, &key_ids),
            Ask::Entries { log, .. } => {
                self.busy.remove(&log);
                self.look_at_holders(log);
            }
            Ask::Evidence { log, seq } => self.want_evidence(to, log, seq),
        }
    }

    fn end_feed(&mut self, from: AgencyId, scope: Hash, useful: bool, now: Time) {
        if let Some(at) = self.peers.get_mut(&from).and_then(|peer| peer.scopes.get_mut(&scope)) {
            at.feed = FeedState::Idle;
            if useful {
                at.feed_rest = super::peer::Rest::default();
            } else {
                at.feed_rest.grow(limits::FEED_REST_MS, limits::LAST_PAUSE_MS, now);
            }
        }
        self.ready.insert(from);
        self.look_at_feed(scope);
    }

    fn feed_page(
        &mut self,
        from: AgencyId,
        scope: Hash,
        asked: Cursor,
        told: Option<(Incarnation, u64)>,
        page: &FeedPage,
    ) -> bool {
        let after = if page.incarnation == asked.incarnation { asked.position } else { 0 };
        if page.items.first().is_some_and(|item| item.position <= after) {
            return false;
        }
        let mut position = page.items.last().map_or(after, |item| item.position);
        if let Some((_, length)) = told.filter(|told| !page.more && told.0 == page.incarnation) {
            // Nothing follows, although it said that there was more: those objects were replaced.
            position = position.max(length);
        }
        let Some(at) = self.peer_scope(from, scope) else { return true };
        let cursor = Cursor { incarnation: page.incarnation, position };
        if page.more {
            // So that the rest is asked for although no hello told of it.
            at.told = Some((page.incarnation, at.told.map_or(0, |told| told.1).max(position.saturating_add(1))));
        } else if at.told.is_some_and(|told| told.0 != page.incarnation) {
            at.told = Some((page.incarnation, position));
        }
        let offered = page.items.iter().map(|item| item.hash).collect();
        at.feed = FeedState::Filtering { offered, cursor };
        self.out.push(Output::Lacking { from, scope, items: page.items.clone() });
        true
    }

    /// The driver says what it lacks of a page.
    pub(super) fn fetch(&mut self, from: AgencyId, scope: Hash, hashes: &[Hash]) {
        let Some(at) = self.peer_scope(from, scope) else { return };
        let FeedState::Filtering { offered, cursor } = &at.feed else { return };
        let mut seen = BTreeSet::new();
        let queue: VecDeque<Hash> =
            hashes.iter().filter(|hash| offered.contains(hash) && seen.insert(**hash)).copied().collect();
        let cursor = *cursor;
        if queue.is_empty() {
            at.feed = FeedState::Storing;
            self.out.push(Output::Take { from, scope, objects: Vec::new(), cursor: Some(cursor) });
        } else {
            at.feed = FeedState::Fetching { queue, asked: false, cursor, failed: false };
            self.ready.insert(from);
        }
    }

    fn objects(&mut self, from: AgencyId, scope: Hash, asked: usize, objects: Vec<ObjectAt>, now: Time) -> bool {
        let last = objects.last().map(|object| object.index as usize);
        if last.is_some_and(|last| last >= asked) {
            return false;
        }
        let Some(at) = self.peer_scope(from, scope) else { return true };
        let FeedState::Fetching { queue, asked: pending, cursor, failed } = &mut at.feed else { return true };
        // Those behind the last one did not fit, or, where none came at all, are not held by the partner any more.
        queue.drain(..last.map_or(asked, |last| last + 1));
        *pending = false;
        let (done, failed) = (queue.is_empty().then_some(*cursor), *failed);
        if failed && done.is_some() {
            self.end_feed(from, scope, false, now);
            return true;
        }
        if done.is_some() {
            at.feed = FeedState::Storing;
        }
        let objects: Vec<ObjectBytes> =
            objects.into_iter().map(|object| ObjectBytes { kind: object.kind, bytes: object.bytes }).collect();
        if done.is_some() || !objects.is_empty() {
            self.out.push(Output::Take { from, scope, objects, cursor: done });
        }
        true
    }

    pub(super) fn feed_done(&mut self, from: AgencyId, scope: Hash, cursor: Cursor, useful: bool, now: Time) {
        let Some(at) = self.peers.get_mut(&from).and_then(|peer| peer.scopes.get_mut(&scope)) else { return };
        at.cursor = cursor;
        if matches!(at.feed, FeedState::Storing) {
            self.end_feed(from, scope, useful, now);
        }
    }

    /// The driver could not look for what it lacks, or not store what came: the cursor stays where it was.
    pub(super) fn feed_failed(&mut self, from: AgencyId, scope: Hash, now: Time) {
        let Some(at) = self.peers.get_mut(&from).and_then(|peer| peer.scopes.get_mut(&scope)) else { return };
        match &mut at.feed {
            FeedState::Fetching { failed, .. } => *failed = true,
            FeedState::Filtering { .. } | FeedState::Storing => self.end_feed(from, scope, false, now),
            FeedState::Idle | FeedState::Asking => {}
        }
    }

    fn wraps(&mut self, from: AgencyId, scope: Hash, key_ids: &[KeyId], wraps: Vec<Vec<u8>>, now: Time) {
        self.keys_rest(from, scope, key_ids, now);
        self.keys_unasked(scope, key_ids);
        if wraps.is_empty() {
            return;
        }
        for key_id in key_ids {
            if let Some(key) = self.keys.get_mut(&(scope, *key_id)) {
                key.not_before = now.plus_ms(limits::KEY_WAIT_MS);
            }
        }
        let kind = ObjectKind::Wrap.number();
        let objects = wraps.into_iter().map(|bytes| ObjectBytes { kind, bytes }).collect();
        self.out.push(Output::Take { from, scope, objects, cursor: None });
    }

    fn keys_rest(&mut self, from: AgencyId, scope: Hash, key_ids: &[KeyId], now: Time) {
        for key_id in key_ids {
            if let Some(key) = self.keys.get_mut(&(scope, *key_id)) {
                key.rest(from, now);
            }
        }
    }

    fn keys_unasked(&mut self, scope: Hash, key_ids: &[KeyId]) {
        for key_id in key_ids {
            if let Some(key) = self.keys.get_mut(&(scope, *key_id)) {
                key.asking = None;
            }
        }
        self.look_at_all_if_keys();
    }

    fn entries(&mut self, from: AgencyId, log: LogId, asked: u64, entries: Vec<EntryBytes>) -> bool {
        // The partner said that it holds these, so an empty page is no answer.
        if entries.is_empty() || entries.len() as u64 > asked {
            return false;
        }
        if let Some(page) = self.busy.get_mut(&log) {
            page.come = true;
        }
        self.out.push(Output::Admit { from, log, entries });
        true
    }
}
