//! What an agency keeps. A restart keeps it whole; a backup is a copy of it, and a restore puts the copy back.

use std::collections::{BTreeMap, BTreeSet};

use entente_protocol::entry::ladder::Head;
use entente_protocol::id::{AgencyId, Hash, KeyId, LogId};
use entente_protocol::statement::report::Report;
use entente_protocol::sync::message::{Budget, EntryBytes, FeedItem, FeedPage, ObjectAt, Response};
use entente_protocol::sync::{Cursor, Plan, Position, Snapshot};
use entente_protocol::wire::object::ObjectKind;

/// An entry that passed the ladder's second rung.
#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) bytes: EntryBytes,
    pub(crate) head: Head,
    pub(crate) key_id: KeyId,
    /// Statements admitted; `None` until the content key is here.
    pub(crate) admitted: Option<usize>,
}

/// A stand-alone object.
#[derive(Clone)]
pub(crate) struct Object {
    pub(crate) kind: ObjectKind,
    pub(crate) hash: Hash,
    pub(crate) bytes: Vec<u8>,
}

#[derive(Clone, Default)]
pub(crate) struct Store {
    pub(crate) incarnation: [u8; 16],
    pub(crate) logs: BTreeMap<LogId, Vec<Kept>>,
    pub(crate) feeds: BTreeMap<Hash, Vec<Object>>,
    held: BTreeSet<(Hash, Hash)>,
    pub(crate) cursors: BTreeMap<(AgencyId, Hash), Cursor>,
    /// Content keys that were unwrapped.
    pub(crate) keys: BTreeMap<(Hash, KeyId), [u8; 32]>,
    /// Reports that wait to be appended.
    pub(crate) outbox: BTreeMap<Hash, Vec<Report>>,
    pub(crate) forked: BTreeSet<LogId>,
}

impl Store {
    pub(crate) fn new(incarnation: [u8; 16]) -> Store {
        Store { incarnation, ..Store::default() }
    }

    pub(crate) fn head(&self, log: &LogId) -> Option<Head> {
        self.logs.get(log)?.last().map(|kept| kept.head)
    }

    pub(crate) fn position(&self, log: &LogId) -> Option<Position> {
        self.head(log).map(|head| Position { seq: head.seq, hash: head.hash })
    }

    /// The entry of a log at a number.
    pub(crate) fn entry(&self, log: &LogId, seq: u64) -> Option<&Kept> {
        self.logs.get(log)?.get(usize::try_from(seq).ok()?)
    }

    /// Keeps an object; `false` where it is there already.
    pub(crate) fn keep(&mut self, scope: Hash, object: Object) -> bool {
        let new = self.held.insert((scope, object.hash));
        if new {
            self.feeds.entry(scope).or_default().push(object);
        }
        new
    }

    pub(crate) fn holds(&self, scope: Hash, hash: Hash) -> bool {
        self.held.contains(&(scope, hash))
    }

    pub(crate) fn feed_length(&self, scope: Hash) -> u64 {
        self.feeds.get(&scope).map_or(0, |feed| feed.len() as u64)
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            heads: self.logs.keys().filter_map(|log| Some((*log, self.position(log)?))).collect(),
            feeds: self.feeds.keys().map(|scope| (*scope, self.feed_length(*scope))).collect(),
            cursors: self.cursors.clone(),
            forked: self.forked.clone(),
        }
    }

    /// Answers a partner; wraps are the node's to make.
    pub(crate) fn serve(&self, plan: &Plan) -> Response {
        match plan {
            Plan::Entries { log, from_seq, until_seq, max_bytes } => {
                let mut budget = Budget::new(*max_bytes);
                let entries = (*from_seq..=*until_seq).map_while(|seq| self.entry(log, seq));
                let fits =
                    |entry: &EntryBytes| budget.take(entry.header.len() + entry.body.as_ref().map_or(0, Vec::len));
                Response::Entries(entries.map(|kept| kept.bytes.clone()).take_while(fits).collect())
            }
            Plan::Objects { scope, hashes, max_bytes, .. } => {
                let mut budget = Budget::new(*max_bytes);
                let feed = self.feeds.get(scope).map_or(&[][..], Vec::as_slice);
                let found = (0_u32..).zip(hashes).filter_map(|(index, hash)| {
                    let object = feed.iter().find(|object| object.hash == *hash)?;
                    Some(ObjectAt { index, kind: object.kind.number(), bytes: object.bytes.clone() })
                });
                Response::Objects(found.take_while(|object| budget.take(object.bytes.len())).collect())
            }
            Plan::Feed { scope, after, limit, .. } => {
                let feed = self.feeds.get(scope).map_or(&[][..], Vec::as_slice);
                let items: Vec<FeedItem> = (1_u64..)
                    .zip(feed)
                    .filter(|(position, _)| position > after)
                    .take(*limit)
                    .map(|(position, object)| FeedItem { position, kind: object.kind.number(), hash: object.hash })
                    .collect();
                let more = items.last().is_some_and(|last| last.position < feed.len() as u64);
                Response::Feed(FeedPage { incarnation: self.incarnation, items, more })
            }
            Plan::Wraps { .. } => unreachable!("the node wraps"),
        }
    }
}
