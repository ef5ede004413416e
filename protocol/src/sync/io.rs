//! What goes into the machine and what comes out of it. The driver does all input and output in between.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{AgencyId, Hash, KeyId, LogId, Mode};
use crate::wire::codec::CodecError;
use crate::wire::object::ObjectKind;

use super::message::{EntryBytes, FeedItem, Incarnation};

/// Who the machine speaks for.
#[derive(Clone, Copy, Debug)]
pub struct Own {
    /// Our agency.
    pub agency: AgencyId,
    /// Our node's number.
    pub writer: u32,
    /// Live or exercise.
    pub mode: Mode,
    /// Which making of our store our feeds belong to: random, drawn anew whenever a store is made or restored.
    pub incarnation: Incarnation,
}

/// What the store holds when the machine starts.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The last entry of each log that is held without a gap.
    pub heads: BTreeMap<LogId, Position>,
    /// The position of the latest object of each scope's feed.
    pub feeds: BTreeMap<Hash, u64>,
    /// How far the partners' feeds have been read, by (partner, scope).
    pub cursors: BTreeMap<(AgencyId, Hash), Cursor>,
    /// Logs of which a fork proof is held.
    pub forked: BTreeSet<LogId>,
}

/// An entry of a log by its number, and the hash of its header.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Position {
    /// The number.
    pub seq: u64,
    /// The hash.
    pub hash: Hash,
}

/// How far a partner's feed has been read.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Cursor {
    /// Which making of the partner's store the position belongs to.
    pub incarnation: Incarnation,
    /// The last position that was dealt with.
    pub position: u64,
}

/// Who may know a scope.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ScopeInfo {
    /// The agencies to which it is told and from which it is asked: all parties, ourselves included.
    pub parties: BTreeSet<AgencyId>,
    /// Others who may know a part of it.
    pub guests: BTreeMap<AgencyId, Guest>,
    /// Whether it has logs: an agreement that was ever in force has.
    pub has_logs: bool,
}

impl ScopeInfo {
    /// Whether an agency may know of it.
    pub fn knows(&self, agency: &AgencyId) -> bool {
        self.parties.contains(agency) || self.guests.contains_key(agency)
    }
}

/// An agency that is named in an agreement, and is no party of it now. It is given no log and no content key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Guest {
    /// A proposal names it: it is told what it is to answer, and who else is asked.
    Invited,
    /// It left: retractions and receipts still pass, and the cards that verify them, until the run-off is over.
    Former,
}

impl Guest {
    /// Under which incarnation a guest reads a feed: another one than the parties, so that whoever becomes a party, or a
    /// guest, reads it from the start.
    pub fn incarnation(self, own: Incarnation) -> Incarnation {
        let hash = Hash::of(&[b"entente.guest-feed.v1", &own, &[u8::from(self == Guest::Former)]]);
        *hash.0.first_chunk().expect("a hash has 32 bytes")
    }

    /// Whether it is given objects of this kind.
    pub fn may_have(self, kind: ObjectKind) -> bool {
        use ObjectKind as K;
        match self {
            Guest::Invited => matches!(
                kind,
                K::Inception
                    | K::Card
                    | K::AddressRecord
                    | K::AgreementVersion
                    | K::Signature
                    | K::Rejection
                    | K::Withdrawal
            ),
            Guest::Former => matches!(kind, K::Inception | K::Card | K::Retraction | K::Receipt),
        }
    }
}

/// The driver's name for a request that a partner put; answered once.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Ticket(pub u64);

/// The machine's name for a request of its own.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct RequestId(pub u64);

/// Why a request of ours has no response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Failed {
    /// The partner, or our own network, asks to be asked later.
    Busy,
    /// No whole response came: the partner is gone, silent, or broke the form.
    Lost,
}

/// What became of a page of entries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PageOutcome {
    /// The log's head moved.
    Advanced,
    /// It did not: refused, held, or not what was asked for.
    Stuck,
    /// It did not, because the page continues another branch of the log.
    OtherBranch,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// These are the scopes now, without [`super::CONTACT`], which every partner shares.
    Scopes(BTreeMap<Hash, ScopeInfo>),
    /// A partner is connected.
    PeerUp(AgencyId),
    /// Its last connection is gone; its outstanding requests are given up.
    PeerDown(AgencyId),
    /// A log's last entry is now this one, by whatever way it came. Comes before the [`Input::PageDone`] of its page.
    HeadMoved {
        /// Which log.
        log: LogId,
        /// The new head.
        head: Position,
    },
    /// A scope's feed grew.
    FeedGrew {
        /// Which scope.
        scope: Hash,
        /// The position of its latest object.
        length: u64,
        /// Whether we made the object ourselves: our partners are then told sooner.
        own: bool,
    },
    /// Gossip told of an entry beyond our head, or of a body that has to be pulled.
    GapSeen {
        /// Who handed it over.
        from: AgencyId,
        /// Which log.
        log: LogId,
        /// The entry's number.
        seq: u64,
    },
    /// Entries wait for a content key.
    KeyWanted {
        /// Whom to ask first: the author, or who handed the entry over.
        from: Option<AgencyId>,
        /// Which scope.
        scope: Hash,
        /// Which key.
        key_id: KeyId,
    },
    /// These content keys are held, or wanted no more.
    KeysTaken {
        /// Which scope.
        scope: Hash,
        /// Which keys.
        key_ids: Vec<KeyId>,
    },
    /// A partner asks something. Answered by one [`Output::Respond`] or [`Output::Serve`].
    Request {
        /// Who.
        from: AgencyId,
        /// For the answer.
        ticket: Ticket,
        /// The request.
        bytes: Vec<u8>,
    },
    /// What came of a request of ours.
    Answer {
        /// Whom it went to.
        from: AgencyId,
        /// Which.
        id: RequestId,
        /// The response.
        result: Result<Vec<u8>, Failed>,
    },
    /// The page of an [`Output::Admit`] has been run up the ladder.
    PageDone {
        /// Who gave it.
        from: AgencyId,
        /// Which log.
        log: LogId,
        /// What became of it.
        outcome: PageOutcome,
    },
    /// Answers [`Output::Lacking`]: those of the page that the store lacks; none is an answer too.
    Fetch {
        /// Whose feed.
        from: AgencyId,
        /// Which scope.
        scope: Hash,
        /// The hashes, of the page's items.
        hashes: Vec<Hash>,
    },
    /// Answers an [`Output::Take`] with a cursor: the objects are kept and the cursor is stored.
    FeedDone {
        /// Whose feed.
        from: AgencyId,
        /// Which scope.
        scope: Hash,
        /// The cursor of that output.
        cursor: Cursor,
        /// Whether the page brought an object that was new and was kept; a feed that does not, rests for a while.
        useful: bool,
    },
    /// Answers [`Output::Lacking`], or an [`Output::Take`] with or without a cursor, in place of the answer that it
    /// should have: the store failed, and no cursor was stored. The page is read again from its start, after a rest.
    FeedFailed {
        /// Whose feed.
        from: AgencyId,
        /// Which scope.
        scope: Hash,
    },
    /// Answers [`Output::Check`].
    Checked {
        /// Who holds the log so.
        from: AgencyId,
        /// Which log.
        log: LogId,
        /// The position asked about.
        position: Position,
        /// Whether our entry there has that hash.
        same: bool,
    },
    /// Answers [`Output::Check`] in place of [`Input::Checked`]: the store could not be read. The partner's heads are
    /// listed again with its next hello, and compared anew.
    Unchecked {
        /// Who holds the log so.
        from: AgencyId,
        /// Which log.
        log: LogId,
    },
    /// Answers [`Output::Evidence`]: it was judged. Where it proved a fork, [`Input::ForkProven`] came before.
    EvidenceDone {
        /// Who gave it.
        from: AgencyId,
        /// Which log.
        log: LogId,
    },
    /// A fork proof of the log is held, because evidence was found good or because the proof arrived: no further
    /// evidence is asked for.
    ForkProven {
        /// Which log.
        log: LogId,
    },
    /// Time has passed: the answer to [`Output::WakeAt`]. More often does no harm.
    Tick,
}

/// What the driver reads from its store to answer a partner, within the bounds given.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Plan {
    /// Entries in order, without a gap, at least one where there is any: [`super::message::Response::Entries`].
    Entries {
        /// Which log.
        log: LogId,
        /// The first.
        from_seq: u64,
        /// The last, at most [`super::limits::ENTRIES_PER_PAGE`] of them.
        until_seq: u64,
        /// Bytes of headers and bodies, by [`super::message::Budget`].
        max_bytes: u64,
    },
    /// Objects of the scope, in this order: [`super::message::Response::Objects`].
    Objects {
        /// Which scope; an object of another scope is not given out.
        scope: Hash,
        /// Which.
        hashes: Vec<Hash>,
        /// Bytes, by [`super::message::Budget`].
        max_bytes: u64,
        /// Whether a guest asks, who is given some kinds only.
        guest: Option<Guest>,
    },
    /// The scope's feed: [`super::message::Response::Feed`].
    Feed {
        /// Which scope.
        scope: Hash,
        /// Whether a guest asks, who is told of some kinds only.
        guest: Option<Guest>,
        /// Under which incarnation the feed is told.
        incarnation: Incarnation,
        /// Continue after this position.
        after: u64,
        /// Items.
        limit: usize,
    },
    /// Wraps that are held, or that may be made because we hold the key and its descriptor lists the agency:
    /// [`super::message::Response::Wraps`].
    Wraps {
        /// Which scope.
        scope: Hash,
        /// Of which keys.
        key_ids: Vec<KeyId>,
        /// For which agency.
        agency: AgencyId,
        /// For which of its nodes.
        writer: u32,
    },
}

/// A stand-alone object as it came.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ObjectBytes {
    /// The number that the partner gives for its kind.
    pub kind: u8,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Output {
    /// Ask a partner. Answered by one [`Input::Answer`].
    Send {
        /// Whom.
        to: AgencyId,
        /// The machine's name for the request.
        id: RequestId,
        /// The request.
        bytes: Vec<u8>,
    },
    /// Answer a partner.
    Respond {
        /// Which request.
        ticket: Ticket,
        /// The response.
        bytes: Vec<u8>,
    },
    /// Answer a partner from the store. It is a party of the scope.
    Serve {
        /// Which request.
        ticket: Ticket,
        /// Who asks.
        from: AgencyId,
        /// What to read.
        plan: Plan,
    },
    /// Run these entries up the ladder, in order. Answered by one [`Input::PageDone`].
    Admit {
        /// Who gave them.
        from: AgencyId,
        /// The log that was asked for; whether they belong to it is not yet known.
        log: LogId,
        /// The entries.
        entries: Vec<EntryBytes>,
    },
    /// Verify these objects and keep what is good, in the order of the outputs: a cursor stands for all before it.
    /// Where that fails, [`Input::FeedFailed`] is the answer, and what follows of the same feed up to its cursor is
    /// not taken.
    Take {
        /// Who gave them.
        from: AgencyId,
        /// Which scope.
        scope: Hash,
        /// The objects.
        objects: Vec<ObjectBytes>,
        /// With the last objects of a feed page: to be stored with them, and answered by [`Input::FeedDone`].
        cursor: Option<Cursor>,
    },
    /// A page of a partner's feed. Answered by one [`Input::Fetch`], or [`Input::FeedFailed`].
    Lacking {
        /// Whose feed.
        from: AgencyId,
        /// Which scope.
        scope: Hash,
        /// What is in it.
        items: Vec<FeedItem>,
    },
    /// That party holds no more of our own logs than we do, and none of them otherwise, as far as it gave evidence that
    /// was judged: what waits to be appended may be, once for a start.
    Compared {
        /// Which scope.
        scope: Hash,
        /// With whom.
        with: AgencyId,
    },
    /// A partner gave us entries of our own node's log that we lacked, and the ladder found them good: this node was
    /// restored. Told before the [`Output::Compared`] that they delayed; what a partner merely says is not told.
    OwnLogAhead {
        /// Which log.
        log: LogId,
        /// Where it stands now, here.
        position: Position,
        /// Who gave them.
        from: AgencyId,
    },
    /// Look up what our own entry there is. Answered by one [`Input::Checked`] or [`Input::Unchecked`].
    Check {
        /// Who holds the log so.
        from: AgencyId,
        /// Which log.
        log: LogId,
        /// The position, at or below our head, and its hash at the partner.
        position: Position,
    },
    /// A partner's log has another entry than ours at this number, or so it says; the evidence follows if it has it.
    Diverged {
        /// Which log.
        log: LogId,
        /// At or below our head.
        seq: u64,
        /// Who says so.
        from: AgencyId,
    },
    /// The entry that a partner has in place of ours. Where its header verifies and has another hash, it is half of
    /// a fork proof, and our own entry of that number the other. Answered by one [`Input::EvidenceDone`].
    Evidence {
        /// Who gave it.
        from: AgencyId,
        /// Which log.
        log: LogId,
        /// The number asked for.
        seq: u64,
        /// The entry.
        entry: EntryBytes,
    },
    /// Send [`Input::Tick`] at this time; replaces what was said before.
    WakeAt(crate::time::Time),
    /// A partner broke the protocol. Nothing of what it said was used.
    Misbehaved {
        /// Who.
        agency: AgencyId,
        /// How.
        why: Misbehaviour,
    },
}

/// How a partner broke the protocol.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Misbehaviour {
    /// A message is malformed, or exceeds a bound.
    #[error("a message is malformed: {0}")]
    Malformed(CodecError),
    /// It is live and we are exercise, or the other way round.
    #[error("it is not of our mode, live or exercise")]
    OtherMode,
    /// A response answers another question than the one put.
    #[error("a response does not answer the request")]
    Unasked,
}
