//! Comparing heads: where a partner is ahead, the log is fetched; where it is behind or beside, hashes are compared.
//!
//! A position that a partner shows is compared with our own entry of that number exactly once: at once where we hold
//! it, or when our log reaches it. So a fork between two connected honest parties does not pass unseen, whichever of
//! them is ahead.

use std::collections::BTreeSet;
use std::ops::Bound;

use crate::id::{AgencyId, AgreementId, Hash, LogId};
use crate::receipt::LogPosition;

use super::io::{Output, Position};
use super::machine::Machine;
use super::message::{Hello, LogName, ScopeState, heads_digest};
use super::peer::HeadsState;

impl Machine {
    /// A partner told what it has.
    pub(super) fn hello(&mut self, from: AgencyId, hello: &Hello) {
        if !self.peers.get(&from).is_some_and(|peer| peer.up) {
            return;
        }
        for state in &hello.scopes {
            self.scope_state(from, state);
        }
        self.ready.insert(from);
    }

    fn scope_state(&mut self, from: AgencyId, state: &ScopeState) {
        let has_logs = self.scopes.get(&state.scope).is_some_and(|info| info.has_logs);
        let Some(at) = self.peer_scope(from, state.scope) else { return };
        at.told = Some((state.incarnation, state.feed_length));
        if !has_logs {
            return;
        }
        let ours = self.digest(state.scope);
        let at = self.peer_scope(from, state.scope).expect("it was made just now");
        if state.heads_digest == ours {
            at.heads = HeadsState { asking: at.heads.asking, not_before: at.heads.not_before, ..HeadsState::default() };
            at.heads.seen = Some(ours);
            at.listed = true;
            self.drop_offers(from, state.scope, None, None, &BTreeSet::new());
            self.try_compared(from, state.scope);
        } else if at.heads.seen == Some(state.heads_digest) {
            at.heads.wanted = None;
            at.heads.after = None;
        } else {
            at.heads.wanted = Some(state.heads_digest);
        }
    }

    /// A page of the partner's heads.
    pub(super) fn heads(
        &mut self,
        from: AgencyId,
        scope: Hash,
        after: Option<LogName>,
        digest: Hash,
        page: (&[LogPosition], bool),
    ) {
        let (positions, more) = page;
        let last = if more { positions.last().map(LogName::of) } else { None };
        let listed: BTreeSet<LogId> = positions.iter().map(|position| log_id(scope, LogName::of(position))).collect();
        self.drop_offers(from, scope, after, last, &listed);
        let mut cut = false;
        for position in positions {
            let log = log_id(scope, LogName::of(position));
            cut |= !self.compare(from, log, Position { seq: position.seq, hash: position.hash });
        }
        let Some(at) = self.peer_scope(from, scope) else { return };
        at.heads.cut |= cut;
        at.heads.after = last.map(|last| (last, digest));
        if last.is_none() {
            // A list of one page may be newer than the hello that told of it: its own digest counts.
            let seen = if after.is_none() { heads_digest(positions) } else { digest };
            at.heads.seen = (!at.heads.cut).then_some(seen);
            at.listed = !at.heads.cut;
            at.heads.wanted = at.heads.wanted.filter(|wanted| *wanted != digest && *wanted != seen);
            at.heads.cut = false;
        } else {
            at.heads.wanted = at.heads.wanted.or(Some(digest));
        }
        self.try_compared(from, scope);
    }

    /// Compares one position; `false` where there is no room to remember it.
    fn compare(&mut self, from: AgencyId, log: LogId, theirs: Position) -> bool {
        let ours = self.logs.get(&log).copied();
        if ours.is_none_or(|ours| theirs.seq > ours.seq) {
            return self.peers.get_mut(&from).is_none_or(|peer| peer.offered(log, theirs));
        }
        self.compare_held(from, log, ours.expect("a log that is not behind is held"), theirs);
        true
    }

    /// Compares a position at or below our head.
    fn compare_held(&mut self, from: AgencyId, log: LogId, ours: Position, theirs: Position) {
        if theirs == ours {
            return;
        }
        if theirs.seq == ours.seq {
            self.diverged(from, log, theirs.seq, Some(theirs));
            return;
        }
        let own = self.is_own(&log);
        if let Some(at) = self.peer_scope(from, log.agreement.0).filter(|_| own) {
            at.own_checks.insert(log);
        }
        self.out.push(Output::Check { from, log, position: theirs });
    }

    /// The driver compared an older position.
    pub(super) fn checked(&mut self, from: AgencyId, log: LogId, position: Position, same: bool) {
        if let Some(at) = self.peer_scope(from, log.agreement.0) {
            at.own_checks.remove(&log);
        }
        if same {
            self.try_compared(from, log.agreement.0);
        } else {
            self.diverged(from, log, position.seq, Some(position));
        }
    }

    /// The driver could not compare: what the partner lists next is looked at as if it were new. An own log stays
    /// unchecked until then.
    pub(super) fn unchecked(&mut self, from: AgencyId, log: &LogId) {
        if let Some(at) = self.peer_scope(from, log.agreement.0) {
            at.heads.seen = None;
        }
    }

    /// The driver judged what a partner had in place of our entry, or there is nothing to judge.
    pub(super) fn evidence_done(&mut self, from: AgencyId, log: &LogId) {
        let scope = log.agreement.0;
        if self.peer_scope(from, scope).is_some_and(|at| at.own_evidence.remove(log)) {
            self.try_compared(from, scope);
        }
    }

    /// Our log moved: what partners offered up to there is no longer wanted, but compared.
    pub(super) fn settle_offers(&mut self, log: LogId, head: Position) {
        let mut reached = Vec::new();
        for (agency, peer) in &mut self.peers {
            let Some(offer) = peer.offers.get_mut(&log) else { continue };
            let shown = offer.shown.filter(|shown| shown.seq <= head.seq);
            if offer.seq <= head.seq {
                peer.offers.remove(&log);
            } else if shown.is_some() {
                offer.shown = None;
            }
            reached.push((*agency, shown));
        }
        for (agency, shown) in reached {
            if let Some(shown) = shown {
                self.compare_held(agency, log, head, shown);
            }
            self.try_compared(agency, log.agreement.0);
        }
    }

    /// A fork proof is held, so that no more evidence is needed.
    pub(super) fn fork_proven(&mut self, log: LogId) {
        self.forked.insert(log);
        let mut spared = Vec::new();
        for (agency, peer) in &mut self.peers {
            if peer.evidence.remove(&log).is_some() {
                spared.push(*agency);
            }
        }
        for agency in spared {
            self.evidence_done(agency, &log);
        }
    }

    /// A partner's log has another entry than ours, or so it says.
    pub(super) fn diverged(&mut self, from: AgencyId, log: LogId, seq: u64, shown: Option<Position>) {
        let Some(peer) = self.peers.get_mut(&from).filter(|peer| peer.up) else { return };
        if peer.diverges(log, shown) {
            self.out.push(Output::Diverged { log, seq, from });
            self.want_evidence(from, log, seq);
        }
        self.try_compared(from, log.agreement.0);
    }

    pub(super) fn want_evidence(&mut self, from: AgencyId, log: LogId, seq: u64) {
        let own = self.is_own(&log);
        if self.forked.contains(&log) {
            return self.evidence_done(from, &log);
        }
        if let Some(at) = self.peer_scope(from, log.agreement.0).filter(|_| own) {
            at.own_evidence.insert(log);
        }
        if let Some(peer) = self.peers.get_mut(&from) {
            peer.evidence.insert(log, seq);
            self.ready.insert(from);
        }
    }

    /// Drops a partner's offers that its newest list no longer makes, within the part of the list that was read.
    fn drop_offers(
        &mut self,
        from: AgencyId,
        scope: Hash,
        after: Option<LogName>,
        last: Option<LogName>,
        listed: &BTreeSet<LogId>,
    ) {
        let lowest = LogName { author: AgencyId::from_bytes([0; 32]), writer: 0, generation: 0 };
        let highest = LogName { author: AgencyId::from_bytes([0xff; 32]), writer: u32::MAX, generation: u32::MAX };
        let start = after.map_or(Bound::Included(log_id(scope, lowest)), |name| Bound::Excluded(log_id(scope, name)));
        let end = Bound::Included(log_id(scope, last.unwrap_or(highest)));
        let Some(peer) = self.peers.get_mut(&from) else { return };
        if last.is_some_and(|last| after.is_some_and(|after| after >= last)) {
            return;
        }
        let gone: Vec<LogId> =
            peer.offers.range((start, end)).map(|(log, _)| *log).filter(|log| !listed.contains(log)).collect();
        for log in gone {
            peer.offers.remove(&log);
        }
    }

    /// Tells the driver, once a connection, that nothing of its own logs is missing here that this party has.
    pub(super) fn try_compared(&mut self, with: AgencyId, scope: Hash) {
        let own = LogName { author: self.own.agency, writer: self.own.writer, generation: 0 };
        let logs = log_id(scope, own)..=log_id(scope, LogName { generation: u32::MAX, ..own });
        // A page of them that is on the ladder may yet tell that we were restored.
        let judged = self.busy.range(logs.clone()).any(|(_, page)| page.come);
        let Some(peer) = self.peers.get_mut(&with).filter(|peer| peer.up && !judged) else { return };
        let missing = peer.offers.range(logs).any(|(log, _)| !peer.diverged.contains_key(log));
        let Some(at) = peer.scopes.get_mut(&scope) else { return };
        let doubts = !at.own_checks.is_empty() || !at.own_evidence.is_empty();
        if at.listed && !at.compared && !missing && !doubts {
            at.compared = true;
            self.out.push(Output::Compared { scope, with });
        }
    }
}

/// A log of a scope.
pub(super) fn log_id(scope: Hash, name: LogName) -> LogId {
    LogId { agreement: AgreementId(scope), author: name.author, writer: name.writer, generation: name.generation }
}
