//! What the machine remembers of one partner. All of it is bounded; what a partner lies about costs that partner.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::id::{Hash, KeyId, LogId};
use crate::time::Time;

use super::io::{Cursor, Position};
use super::limits;
use super::message::{Incarnation, LogName};

/// One partner, connected or not.
#[derive(Debug, Default)]
pub(super) struct Peer {
    pub(super) up: bool,
    /// Requests without an answer, and pages of entries that the driver has not finished.
    pub(super) outstanding: usize,
    /// Requests in a row that went without a response.
    failures: u32,
    pub(super) paused_until: Time,
    pub(super) hello: HelloState,
    pub(super) scopes: BTreeMap<Hash, PeerScope>,
    /// Logs of which it holds more than we do, or says so.
    pub(super) offers: BTreeMap<LogId, Offer>,
    /// Where to go on looking among the offers.
    pub(super) next_log: Option<LogId>,
    /// Entries wanted as evidence of a fork.
    pub(super) evidence: BTreeMap<LogId, u64>,
    /// Logs that it continues on another branch, with what it showed last.
    pub(super) diverged: BTreeMap<LogId, Option<Position>>,
    /// Outlives the connection.
    pub(super) left_out: BTreeMap<LogId, Rest>,
    /// When to look at it again.
    pub(super) alarm: Option<Time>,
}

/// A log of which a partner holds more than we do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer {
    /// Up to where, by its heads or by gossip.
    pub(super) seq: u64,
    /// What its heads showed, to be compared once we get there.
    pub(super) shown: Option<Position>,
}

/// When the next hello is due.
#[derive(Debug, Default)]
pub(super) struct HelloState {
    pub(super) due: Time,
    /// When we last told it where we stand.
    pub(super) last: Time,
    pub(super) asking: bool,
    /// The first scope of the next hello, where they do not all fit into one.
    pub(super) from_scope: Option<Hash>,
}

/// A partner in one scope.
#[derive(Debug, Default)]
pub(super) struct PeerScope {
    pub(super) cursor: Cursor,
    /// Where its feed stands, by its latest hello.
    pub(super) told: Option<(Incarnation, u64)>,
    pub(super) feed: FeedState,
    pub(super) feed_rest: Rest,
    pub(super) heads: HeadsState,
    /// Own logs of which the driver still compares an older position.
    pub(super) own_checks: BTreeSet<LogId>,
    /// Own logs of which it may have another entry: the evidence is asked for, or the driver judges it.
    pub(super) own_evidence: BTreeSet<LogId>,
    /// Whether the partner's heads were seen to the end since it connected.
    pub(super) listed: bool,
    /// Whether that led to [`super::Output::Compared`].
    pub(super) compared: bool,
}

/// How far the reading of a feed is.
#[derive(Debug, Default)]
pub(super) enum FeedState {
    #[default]
    Idle,
    /// The page was asked for.
    Asking,
    /// The driver looks for what it lacks of these hashes.
    Filtering { offered: BTreeSet<Hash>, cursor: Cursor },
    /// Objects are fetched; the front ones may be asked for.
    /// Where the driver failed to store some of them, no cursor is stored at the end.
    Fetching { queue: VecDeque<Hash>, asked: bool, cursor: Cursor, failed: bool },
    /// The driver stores the last of them.
    Storing,
}

/// How far the comparison of heads is.
#[derive(Debug, Default)]
pub(super) struct HeadsState {
    /// The digest of the list that was last seen to the end.
    pub(super) seen: Option<Hash>,
    /// The digest that its latest hello gave, if it differs from that and from ours.
    pub(super) wanted: Option<Hash>,
    pub(super) asking: bool,
    pub(super) not_before: Time,
    /// What was read of the list so far: its last log, and the digest when the reading began.
    pub(super) after: Option<(LogName, Hash)>,
    /// Whether some of it found no room.
    pub(super) cut: bool,
}

/// Why a partner is left out for a log.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// It, or the network, did not answer.
    NoAnswer,
    /// Its page did not advance the log.
    NoAdvance,
    /// It continues another branch, and always will.
    OtherBranch,
}

/// A pause that grows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rest {
    pub(super) failures: u32,
    pub(super) until: Time,
}

impl Rest {
    pub(super) fn grow(&mut self, first: u64, last: u64, now: Time) {
        self.failures = self.failures.saturating_add(1);
        self.until = now.plus_ms(limits::backoff(first, last, self.failures));
    }
}

impl Peer {
    /// Whether a request may be put now.
    pub(super) fn free(&self, now: Time) -> bool {
        self.up && self.outstanding < limits::REQUESTS_PER_PEER && self.paused_until <= now
    }

    /// Brings the next hello forward.
    pub(super) fn poke(&mut self, now: Time, after: u64) {
        let at = now.max(self.hello.last).plus_ms(after);
        self.hello.due = self.hello.due.min(at);
    }

    /// We tell where we stand. What happens from now on is told in a later hello.
    pub(super) fn tell(&mut self, now: Time) {
        self.hello.last = now;
        self.hello.due = now.plus_ms(limits::HELLO_EVERY_MS);
    }

    /// A request was answered, in whatever way.
    pub(super) fn answered(&mut self) {
        self.failures = 0;
    }

    /// A request was not answered. Several in flight that fail together count once.
    pub(super) fn failed(&mut self, now: Time) {
        if self.paused_until <= now {
            self.failures = self.failures.saturating_add(1);
            self.paused_until =
                now.plus_ms(limits::backoff(limits::FIRST_PAUSE_MS, limits::LAST_PAUSE_MS, self.failures));
        }
    }

    /// The partner asks to be asked later.
    pub(super) fn busy(&mut self, now: Time) {
        self.paused_until = self.paused_until.max(now.plus_ms(limits::FIRST_PAUSE_MS));
    }

    /// Takes note that gossip told of an entry; `false` where there is no room.
    pub(super) fn hinted(&mut self, log: LogId, seq: u64) -> bool {
        let full = self.offers.len() >= limits::OFFERS_PER_PEER;
        if full && !self.offers.contains_key(&log) {
            return false;
        }
        let offer = self.offers.entry(log).or_insert(Offer { seq, shown: None });
        offer.seq = offer.seq.max(seq);
        true
    }

    /// Takes note of what its heads show, which is its word; `false` where there is no room.
    pub(super) fn offered(&mut self, log: LogId, shown: Position) -> bool {
        let room = self.hinted(log, shown.seq);
        if let Some(offer) = self.offers.get_mut(&log) {
            *offer = Offer { seq: shown.seq, shown: Some(shown) };
        }
        room
    }

    /// Whether the partner may be asked for the log.
    pub(super) fn rest_of(&self, log: &LogId) -> Time {
        self.left_out.get(log).map_or(Time::default(), |rest| rest.until)
    }

    /// Leaves the partner out for a log for a while.
    pub(super) fn leave_out(&mut self, log: LogId, why: Fault, now: Time) {
        if self.left_out.len() >= limits::LEFT_OUT_PER_PEER && !self.left_out.contains_key(&log) {
            self.left_out.retain(|_, rest| rest.until > now);
            if self.left_out.len() >= limits::LEFT_OUT_PER_PEER {
                // It has let us down in thousands of logs: no more is asked of it until one of them is due.
                self.paused_until = self.paused_until.max(now.plus_ms(limits::LAST_PAUSE_MS));
                return;
            }
        }
        let rest = self.left_out.entry(log).or_default();
        match why {
            Fault::NoAnswer => rest.grow(limits::FIRST_REST_MS, limits::LAST_PAUSE_MS, now),
            Fault::NoAdvance => rest.grow(limits::FIRST_REST_MS, limits::LAST_REST_MS, now),
            Fault::OtherBranch => rest.grow(limits::LAST_REST_MS, limits::LAST_REST_MS, now),
        }
    }

    /// Takes note that its log has another entry than ours; `false` where that was known.
    pub(super) fn diverges(&mut self, log: LogId, shown: Option<Position>) -> bool {
        let known = self.diverged.get(&log).is_some_and(|last| shown.is_none() || *last == shown);
        let full = self.diverged.len() >= limits::DIVERGED_PER_PEER && !self.diverged.contains_key(&log);
        if known || full {
            return false;
        }
        self.diverged.insert(log, shown);
        true
    }

    /// Forgets what held only for the connection.
    pub(super) fn disconnect(&mut self) {
        self.up = false;
        self.outstanding = 0;
        self.offers.clear();
        self.evidence.clear();
        self.diverged.clear();
        self.hello = HelloState::default();
        for scope in self.scopes.values_mut() {
            *scope = PeerScope { cursor: scope.cursor, feed_rest: scope.feed_rest, ..PeerScope::default() };
        }
    }
}

/// A content key that is wanted.
#[derive(Debug, Default)]
pub(super) struct WantedKey {
    /// Whom to ask first.
    pub(super) first: Option<crate::id::AgencyId>,
    pub(super) asking: Option<crate::id::AgencyId>,
    /// A wrap arrived and is being opened.
    pub(super) not_before: Time,
    /// Who was asked, and when to ask again.
    pub(super) asked: BTreeMap<crate::id::AgencyId, Rest>,
}

/// What a request of ours asked.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    Hello,
    Heads { scope: Hash, after: Option<LogName>, digest: Hash },
    Feed { scope: Hash, from: Cursor, told: Option<(Incarnation, u64)> },
    Objects { scope: Hash, asked: usize },
    Wraps { scope: Hash, key_ids: Vec<KeyId> },
    Entries { log: LogId, from_seq: u64, until_seq: u64 },
    Evidence { log: LogId, seq: u64 },
}

impl Ask {
    /// The scope that the request speaks of.
    pub(super) const fn scope(&self) -> Option<Hash> {
        match self {
            Ask::Hello => None,
            Ask::Heads { scope, .. }
            | Ask::Feed { scope, .. }
            | Ask::Objects { scope, .. }
            | Ask::Wraps { scope, .. } => Some(*scope),
            Ask::Entries { log, .. } | Ask::Evidence { log, .. } => Some(log.agreement.0),
        }
    }
}
