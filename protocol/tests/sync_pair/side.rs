//! One end: a machine, and a store in memory of stand-in entries.

use std::collections::{BTreeMap, BTreeSet};

use entente_protocol::id::{AgencyId, AgreementId, Hash, KeyId, LogId, Mode};
use entente_protocol::sync::message::{Budget, EntryBytes, FeedItem, FeedPage, ObjectAt, Response};
use entente_protocol::sync::{
    Cursor, Machine, ObjectBytes, Output, Own, PageOutcome, Plan, Position, ScopeInfo, Snapshot,
};
use entente_protocol::time::Time;

/// The agency of a side, or of an author who is not in the room.
pub(crate) fn agency(number: u8) -> AgencyId {
    AgencyId::from_bytes([number + 1; 32])
}

pub(crate) fn scope(number: u64) -> Hash {
    Hash::of(&[b"scope", &number.to_be_bytes()])
}

pub(crate) fn log(agreement: u64, author: u8, generation: u32) -> LogId {
    LogId { agreement: AgreementId(scope(agreement)), author: agency(author), writer: 0, generation }
}

/// Scopes with logs, by the numbers of their parties.
pub(crate) fn scopes_of(scopes: &[(Hash, Vec<u8>)]) -> BTreeMap<Hash, ScopeInfo> {
    let info = |parties: &Vec<u8>| ScopeInfo {
        parties: parties.iter().copied().map(agency).collect(),
        has_logs: true,
        ..ScopeInfo::default()
    };
    scopes.iter().map(|(scope, parties)| (*scope, info(parties))).collect()
}

/// A header that is what it says: log, number, predecessor, branch.
fn header(log: LogId, seq: u64, previous: Hash, branch: u8) -> Vec<u8> {
    let mut bytes = log.agreement.as_bytes().to_vec();
    bytes.extend(log.author.as_bytes());
    bytes.extend(log.writer.to_be_bytes());
    bytes.extend(log.generation.to_be_bytes());
    bytes.extend(seq.to_be_bytes());
    bytes.extend(previous.as_bytes());
    bytes.push(branch);
    bytes
}

/// What a header says it is.
pub(crate) fn number(header: &[u8]) -> Option<(LogId, u64)> {
    let log = LogId {
        agreement: AgreementId::from_bytes(header.get(..32)?.try_into().ok()?),
        author: AgencyId::from_bytes(header.get(32..64)?.try_into().ok()?),
        writer: u32::from_be_bytes(header.get(64..68)?.try_into().ok()?),
        generation: u32::from_be_bytes(header.get(68..72)?.try_into().ok()?),
    };
    Some((log, u64::from_be_bytes(header.get(72..80)?.try_into().ok()?)))
}

fn previous(header: &[u8]) -> Option<Hash> {
    Some(Hash::from_bytes(header.get(80..112)?.try_into().ok()?))
}

/// A log whose bodies have these lengths.
pub(crate) fn make_log(log: LogId, branch: u8, bodies: &[usize]) -> Vec<EntryBytes> {
    continue_log(log, &[], branch, bodies)
}

/// `length` entries that continue a trunk on a branch.
pub(crate) fn branch(log: LogId, trunk: &[EntryBytes], branch: u8, length: usize) -> Vec<EntryBytes> {
    continue_log(log, trunk, branch, &vec![10; length])
}

pub(crate) fn continue_log(log: LogId, trunk: &[EntryBytes], branch: u8, bodies: &[usize]) -> Vec<EntryBytes> {
    let mut last = trunk.last().map_or(Hash::default(), |entry| Hash::of(&[&entry.header]));
    let mut made = Vec::with_capacity(bodies.len());
    for (index, length) in bodies.iter().enumerate() {
        let header = header(log, (trunk.len() + index) as u64, last, branch);
        last = Hash::of(&[&header]);
        made.push(EntryBytes { header, body: Some(vec![branch; *length]) });
    }
    made
}

/// How a side breaks faith.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// Answers no request for entries.
    NoEntries,
    /// Answers them with bytes that are no message.
    Garbage,
    /// Answers them with headers of another log.
    WrongEntries,
    /// Answers them with the first entry, whatever was asked.
    SameEntries,
    /// Answers nothing at all.
    Silent,
    /// Says that it holds a million entries more.
    Boasts,
}

/// One end.
pub(crate) struct Side {
    pub(crate) machine: Machine,
    pub(crate) own: Own,
    pub(crate) scopes: BTreeMap<Hash, ScopeInfo>,
    pub(crate) logs: BTreeMap<LogId, Vec<EntryBytes>>,
    pub(crate) feeds: BTreeMap<Hash, Vec<(u8, Hash, Vec<u8>)>>,
    pub(crate) cursors: BTreeMap<(AgencyId, Hash), Cursor>,
    pub(crate) wraps: BTreeSet<KeyId>,
    pub(crate) wake: Option<Time>,
    pub(crate) told: Vec<Output>,
    pub(crate) compared_at: Option<u64>,
    pub(crate) fault: Option<Fault>,
    /// What its store fails to do, the next time that it is asked to.
    pub(crate) failing: BTreeSet<Failing>,
}

/// What a store may fail to do.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Failing {
    Lacking,
    Take,
    Check,
}

impl Side {
    pub(crate) fn new(index: u8) -> Self {
        let own = Own { agency: agency(index), writer: 0, mode: Mode::Exercise, incarnation: [index; 16] };
        Self {
            machine: Machine::new(own, Snapshot::default()),
            own,
            scopes: BTreeMap::new(),
            logs: BTreeMap::new(),
            feeds: BTreeMap::new(),
            cursors: BTreeMap::new(),
            wraps: BTreeSet::new(),
            wake: None,
            told: Vec::new(),
            compared_at: None,
            fault: None,
            failing: BTreeSet::new(),
        }
    }

    /// The objects of a scope, without their order.
    pub(crate) fn objects(&self, scope: Hash) -> BTreeSet<Hash> {
        self.feeds.get(&scope).into_iter().flatten().map(|(_, hash, _)| *hash).collect()
    }

    /// Its logs, each by its length and the hash of its last header.
    pub(crate) fn held(&self) -> BTreeMap<LogId, Option<Position>> {
        self.logs.keys().map(|log| (*log, self.head(log))).collect()
    }

    pub(crate) fn head(&self, log: &LogId) -> Option<Position> {
        let entries = self.logs.get(log)?;
        let last = entries.last()?;
        Some(Position { seq: entries.len() as u64 - 1, hash: Hash::of(&[&last.header]) })
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            heads: self.logs.keys().filter_map(|log| Some((*log, self.head(log)?))).collect(),
            feeds: self.feeds.iter().map(|(scope, feed)| (*scope, feed.len() as u64)).collect(),
            cursors: self.cursors.clone(),
            forked: BTreeSet::new(),
        }
    }

    /// What the ladder does: takes what continues the log.
    pub(crate) fn admit(&mut self, log: LogId, entries: Vec<EntryBytes>) -> PageOutcome {
        let mut outcome = PageOutcome::Stuck;
        for entry in entries {
            let head = self.head(&log);
            let next = head.map_or(0, |head| head.seq + 1);
            if number(&entry.header) != Some((log, next)) {
                break;
            }
            if previous(&entry.header) != Some(head.map_or(Hash::default(), |head| head.hash)) {
                return if outcome == PageOutcome::Stuck { PageOutcome::OtherBranch } else { outcome };
            }
            self.logs.entry(log).or_default().push(entry);
            outcome = PageOutcome::Advanced;
        }
        outcome
    }

    pub(crate) fn keep(&mut self, scope: Hash, objects: &[ObjectBytes]) -> bool {
        let held = self.objects(scope);
        let feed = self.feeds.entry(scope).or_default();
        let before = feed.len();
        let new = objects.iter().map(|object| (object.kind, Hash::of(&[&object.bytes]), object.bytes.clone()));
        feed.extend(new.filter(|(_, hash, _)| !held.contains(hash)));
        feed.len() > before
    }

    pub(crate) fn serve(&self, plan: Plan) -> Response {
        match plan {
            Plan::Entries { log, from_seq, until_seq, max_bytes } => {
                let mut budget = Budget::new(max_bytes);
                let held = self.logs.get(&log).map_or(&[][..], Vec::as_slice);
                let (from, until) = (usize::try_from(from_seq).unwrap(), usize::try_from(until_seq).unwrap());
                let wanted = held.iter().skip(from).take(until - from + 1);
                let fits =
                    |entry: &&EntryBytes| budget.take(entry.header.len() + entry.body.as_ref().map_or(0, Vec::len));
                Response::Entries(wanted.take_while(fits).cloned().collect())
            }
            Plan::Objects { scope, hashes, max_bytes, .. } => {
                let mut budget = Budget::new(max_bytes);
                let feed: BTreeMap<Hash, (u8, &Vec<u8>)> = self
                    .feeds
                    .get(&scope)
                    .into_iter()
                    .flatten()
                    .map(|(kind, hash, bytes)| (*hash, (*kind, bytes)))
                    .collect();
                let found = (0_u32..).zip(hashes).filter_map(|(index, hash)| {
                    let (kind, bytes) = *feed.get(&hash)?;
                    Some(ObjectAt { index, kind, bytes: bytes.clone() })
                });
                Response::Objects(found.take_while(|object| budget.take(object.bytes.len())).collect())
            }
            Plan::Feed { scope, after, limit, .. } => {
                let feed = self.feeds.get(&scope).map_or(&[][..], Vec::as_slice);
                let items: Vec<FeedItem> = (1_u64..)
                    .zip(feed)
                    .skip(usize::try_from(after).unwrap())
                    .take(limit)
                    .map(|(position, (kind, hash, _))| FeedItem { position, kind: *kind, hash: *hash })
                    .collect();
                let more = items.last().is_some_and(|last| last.position < feed.len() as u64);
                Response::Feed(FeedPage { incarnation: self.own.incarnation, items, more })
            }
            Plan::Wraps { key_ids, .. } => {
                let held = key_ids.iter().filter(|key_id| self.wraps.contains(key_id));
                Response::Wraps(held.map(|key_id| key_id.as_bytes().to_vec()).collect())
            }
        }
    }
}

/// What a faithless side answers; `None` for nothing ever.
pub(crate) fn faulty(fault: Option<Fault>, plan: &Plan, honest: impl FnOnce() -> Vec<u8>) -> Option<Vec<u8>> {
    let Plan::Entries { log, .. } = plan else { return Some(honest()) };
    match fault {
        None | Some(Fault::Silent | Fault::Boasts) => Some(honest()),
        Some(Fault::NoEntries) => None,
        Some(Fault::Garbage) => Some(vec![0xff; 100]),
        Some(Fault::WrongEntries) => {
            let other = LogId { generation: log.generation + 1, ..*log };
            Some(Response::Entries(make_log(other, 9, &[5])).write())
        }
        Some(Fault::SameEntries) => Some(Response::Entries(make_log(*log, 0, &[100])).write()),
    }
}
