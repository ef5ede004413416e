//! What lies behind the writer's lock: where each log stands, the content keys, the latest receipts.
//!
//! All of it follows from the journals; `load` makes it anew at every start.

use std::collections::{BTreeMap, BTreeSet};

use entente_protocol::crypto::ContentKey;
use entente_protocol::entry::ladder;
use entente_protocol::id::{AgencyId, AgreementId, Hash, KeyId, LogId, ReportId};
use entente_protocol::keys::KeyDescriptor;
use entente_protocol::receipt::{Receipt, RefusalNote};
use entente_protocol::retraction::Retraction;
use entente_protocol::rules::Usage;
use entente_protocol::time::Time;
use entente_protocol::wire::attest::Attested;

/// Bytes of objects held of one scope: several pages of a feed.
const HELD_BYTES: usize = 16 << 20;

/// Scopes of which objects are held.
const HELD_SCOPES: usize = 256;

/// Up to where a log stands.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Standing {
    /// No later generation disowned any of it.
    #[default]
    Whole,
    /// A later generation disowned what follows this entry, with this hash; all of it, where there is none.
    UpTo(Option<(u64, Hash)>),
}

/// Where a log stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LogState {
    /// The last entry held.
    pub(super) head: Option<ladder::Head>,
    /// What it used on its latest day; `None` until it is counted after a start.
    pub(super) usage: Option<Usage>,
    /// The next entry to be opened; behind the head where a key is missing.
    pub(super) next_to_open: u64,
    /// Up to where it stands, as a later generation says.
    pub(super) standing: Standing,
    /// The first position that two entries claim: from there on the log grows no more, until the next generation
    /// decides.
    pub(super) forked: Option<u64>,
}

impl LogState {
    /// The position of the next entry.
    pub(super) fn next_seq(&self) -> u64 {
        self.head.map_or(0, |head| head.seq + 1)
    }

    /// What was decided of the log, and its entries alone do not tell: whether it forked, and up to where it stands.
    pub(super) fn decided(&self) -> Vec<u8> {
        let number = |seq: Option<u64>| match seq {
            None => vec![0],
            Some(seq) => [[1].as_slice(), &seq.to_be_bytes()].concat(),
        };
        let mut bytes = number(self.forked);
        if let Standing::UpTo(last) = self.standing {
            bytes.extend(number(last.map(|(seq, _)| seq)));
            bytes.extend(last.into_iter().flat_map(|(_, hash)| hash.0));
        }
        bytes
    }

    /// Puts back what was decided.
    pub(super) fn decide(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        let mut number = || match rest {
            [0, after @ ..] => {
                rest = after;
                Some(None)
            }
            [1, after @ ..] => {
                let (seq, after) = after.split_first_chunk()?;
                rest = after;
                Some(Some(u64::from_be_bytes(*seq)))
            }
            _ => None,
        };
        self.forked = number().flatten();
        let last = number();
        let hash = <[u8; 32]>::try_from(rest).ok().map(Hash);
        self.standing = last.map_or(Standing::Whole, |last| Standing::UpTo(last.zip(hash)));
    }

    /// The log once it is proved to fork at a position; `None` where that was known, or a later generation has
    /// decided already.
    pub(super) fn forked_at(self, seq: u64) -> Option<LogState> {
        let news = self.forked.is_none_or(|known| seq < known) && self.standing == Standing::Whole;
        news.then_some(LogState { forked: Some(seq), ..self })
    }

    /// Whether an entry at this position is one of two that claim it, or follows one.
    pub(super) fn is_forked_at(&self, seq: u64) -> bool {
        self.forked.is_some_and(|fork| seq >= fork)
    }
}

/// The content keys.
#[derive(Default)]
pub(super) struct Keys {
    /// Who may read under each key.
    pub(super) descriptors: BTreeMap<KeyId, Attested<KeyDescriptor>>,
    /// The keys that this node holds.
    pub(super) held: BTreeMap<KeyId, ContentKey>,
    /// The key that this node seals with, under each agreement.
    pub(super) own: BTreeMap<AgreementId, KeyId>,
}

/// The receipts.
#[derive(Default)]
pub(super) struct Receipts {
    /// The latest of every node of every party.
    pub(super) latest: BTreeMap<(AgreementId, AgencyId, u32), Attested<Receipt>>,
    /// The generation of our own, begun with this start.
    pub(super) generation: u32,
    /// Agreements of which something changed since our last receipt.
    pub(super) due: BTreeSet<AgreementId>,
    /// Retractions carried out, per agreement: hashes of the objects, and when each may be forgotten.
    pub(super) retractions: BTreeMap<AgreementId, BTreeMap<Hash, Time>>,
    /// A retraction was carried out: its originator waits for our word.
    pub(super) urgent: bool,
    /// What we refused and have not forgotten, per agreement.
    pub(super) refused: BTreeMap<AgreementId, BTreeSet<RefusalNote>>,
}

/// A retraction that was carried out.
#[derive(Clone, Debug)]
pub(super) struct KnownRetraction {
    /// The object's hash, as receipts name it.
    pub(super) hash: Hash,
    /// What it says.
    pub(super) retraction: Retraction,
    /// Under which agreements it came.
    pub(super) agreements: BTreeSet<AgreementId>,
}

/// All of it.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) logs: BTreeMap<LogId, LogState>,
    pub(super) keys: Keys,
    pub(super) receipts: Receipts,
    /// Retractions by the report they withdraw.
    pub(super) retracted: BTreeMap<(AgencyId, ReportId), KnownRetraction>,
    /// Objects that refer to what is not here yet, by scope. After a start they are listed by partners again.
    pub(super) held_objects: BTreeMap<Hash, Vec<(u8, Vec<u8>)>>,
    /// Agreements under which heads were compared with a party since the start.
    pub(super) compared: BTreeSet<AgreementId>,
    /// Agreements under which our next entry opens a generation.
    pub(super) reopen: BTreeSet<AgreementId>,
}

impl Ledger {
    /// A log's state, made where there is none.
    pub(super) fn log(&mut self, log: LogId) -> &mut LogState {
        self.logs.entry(log).or_default()
    }

    /// A retraction was carried out, and is durable: our receipt will say so.
    pub(super) fn carried_out(&mut self, agreement: AgreementId, retraction: &Attested<Retraction>) {
        let report = (retraction.originator, retraction.report);
        let known = self.retracted.entry(report).or_insert_with(|| KnownRetraction {
            hash: retraction.hash(),
            retraction: retraction.payload().clone(),
            agreements: BTreeSet::new(),
        });
        known.agreements.insert(agreement);
        let carried_out = self.receipts.retractions.entry(agreement).or_default();
        carried_out.insert(retraction.hash(), retraction.delete_after);
        self.receipts.due.insert(agreement);
        self.receipts.urgent = true;
    }

    /// Keeps objects to be looked at again with the next ones of their scope, within bounds.
    pub(super) fn hold(&mut self, scope: Hash, mut objects: Vec<(u8, Vec<u8>)>) {
        let mut room = HELD_BYTES;
        objects.retain(|(_, bytes)| match room.checked_sub(bytes.len()) {
            Some(left) => {
                room = left;
                true
            }
            None => false,
        });
        if !objects.is_empty() && (self.held_objects.len() < HELD_SCOPES || self.held_objects.contains_key(&scope)) {
            self.held_objects.insert(scope, objects);
        }
    }

    /// This node's generations under an agreement that have entries, ascending.
    pub(super) fn own_logs(
        &self,
        agreement: AgreementId,
        author: AgencyId,
        writer: u32,
    ) -> impl Iterator<Item = (&LogId, &LogState)> {
        let of = move |generation| LogId { agreement, author, writer, generation };
        self.logs.range(of(0)..=of(u32::MAX)).filter(|(_, state)| state.head.is_some())
    }
}

/// Names of local values.
pub(super) mod local {
    use entente_protocol::id::{AgencyId, AgreementId, Hash, LogId, ReportId};
    use entente_protocol::receipt::RefusalNote;

    /// Agencies whose fingerprint was compared.
    pub(crate) const PINNED: &[u8] = b"pinned/";
    /// Agencies that others vouched for.
    pub(crate) const VOUCHED: &[u8] = b"vouched/";
    /// Batches that wait.
    pub(crate) const OUTBOX: &[u8] = b"outbox/";
    /// Logs of which entries could not be opened yet.
    pub(crate) const UNOPENED: &[u8] = b"unopened/";
    /// Agreements under which a generation is to be opened.
    pub(crate) const REOPEN: &[u8] = b"reopen/";

    /// Feeds of agreements that this node keeps.
    pub(crate) const SCOPES: &[u8] = b"scope/";
    /// Reasons of retractions, kept when the report that opens them goes.
    pub(crate) const REASON: &[u8] = b"reason/";

    /// Retracted reports, by a keyed hash of what they were about.
    pub(crate) const GONE: &[u8] = b"gone/";

    pub(crate) fn gone(mark: &[u8; 32], indicator: &[u8]) -> Vec<u8> {
        [GONE, Hash::of(&[mark, indicator]).as_bytes()].concat()
    }

    /// Entries of benign lists, by a keyed hash of what they are about.
    pub(crate) const BENIGN: &[u8] = b"benign/";
    /// The lists themselves.
    pub(crate) const BENIGN_LISTS: &[u8] = b"benign-list/";

    pub(crate) fn benign(mark: &[u8; 32], indicator: &[u8]) -> Vec<u8> {
        [BENIGN, Hash::of(&[b"benign", mark, indicator]).as_bytes()].concat()
    }

    pub(crate) fn benign_list(name: &str) -> Vec<u8> {
        [BENIGN_LISTS, name.as_bytes()].concat()
    }

    /// Editions that are being loaded.
    pub(crate) fn benign_editions(name: &str) -> Vec<u8> {
        [b"benign-edition/", name.as_bytes(), b"/"].concat()
    }

    pub(crate) fn benign_edition(name: &str, edition: u64) -> Vec<u8> {
        [benign_editions(name), edition.to_be_bytes().to_vec()].concat()
    }

    /// The list and edition of an entry.
    pub(crate) fn benign_of(key: &[u8]) -> Option<(String, u64)> {
        let (_, rest) = key.strip_prefix(BENIGN)?.split_at_checked(32 + 8)?;
        let (edition, name) = rest.split_first_chunk()?;
        Some((String::from_utf8(name.to_vec()).ok()?, u64::from_be_bytes(*edition)))
    }

    /// Entries of which a statement was retracted, and whose body still has it.
    pub(crate) const BLANK: &[u8] = b"blank/";

    pub(crate) fn blank(log: &LogId, seq: u64) -> Vec<u8> {
        [BLANK, &entry(log, seq)].concat()
    }

    /// What retention deleted, by time, log and first entry.
    pub(crate) const DELETED: &[u8] = b"deleted/";

    pub(crate) fn deleted(at: u64, log: &LogId, seq: u64) -> Vec<u8> {
        [DELETED, &at.to_be_bytes(), &entry(log, seq)].concat()
    }

    /// Up to which entry a log was deleted.
    pub(crate) fn over(log: &LogId) -> Vec<u8> {
        [b"over/".as_slice(), &entry(log, 0)].concat()
    }

    fn entry(log: &LogId, seq: u64) -> Vec<u8> {
        [
            log.agreement.as_bytes().as_slice(),
            log.author.as_bytes(),
            &log.writer.to_be_bytes(),
            &log.generation.to_be_bytes(),
            &seq.to_be_bytes(),
        ]
        .concat()
    }

    /// The entry that a key of [`blank`] or [`deleted`] ends with.
    pub(crate) fn entry_of(key: &[u8]) -> Option<(LogId, u64)> {
        let start = key.len().checked_sub(32 + 32 + 4 + 4 + 8)?;
        let (agreement, rest) = key[start..].split_first_chunk()?;
        let (author, rest) = rest.split_first_chunk()?;
        let (writer, rest) = rest.split_first_chunk()?;
        let (generation, seq) = rest.split_first_chunk()?;
        let log = LogId {
            agreement: AgreementId::from_bytes(*agreement),
            author: AgencyId::from_bytes(*author),
            writer: u32::from_be_bytes(*writer),
            generation: u32::from_be_bytes(*generation),
        };
        Some((log, u64::from_be_bytes(seq.try_into().ok()?)))
    }

    /// What bundles that were made held.
    pub(crate) fn bundles(agreement: AgreementId) -> Vec<u8> {
        [b"bundle/", agreement.as_bytes().as_slice()].concat()
    }

    pub(crate) fn bundle(agreement: AgreementId, number: u64) -> Vec<u8> {
        [bundles(agreement), number.to_be_bytes().to_vec()].concat()
    }

    /// How far partners' feeds have been read.
    pub(crate) const CURSORS: &[u8] = b"cursor/";

    pub(crate) fn cursor(from: AgencyId, scope: Hash) -> Vec<u8> {
        [CURSORS, from.as_bytes(), scope.as_bytes()].concat()
    }

    pub(crate) fn scope(scope: Hash) -> Vec<u8> {
        [SCOPES, scope.as_bytes()].concat()
    }

    pub(crate) fn reason(originator: AgencyId, report: ReportId) -> Vec<u8> {
        [REASON, originator.as_bytes(), report.as_bytes()].concat()
    }

    pub(crate) fn pinned(agency: AgencyId) -> Vec<u8> {
        [PINNED, agency.as_bytes()].concat()
    }

    pub(crate) fn vouched(agency: AgencyId, by: AgencyId) -> Vec<u8> {
        [VOUCHED, agency.as_bytes(), by.as_bytes()].concat()
    }

    /// What was refused, for our receipts.
    pub(crate) const REFUSED: &[u8] = b"refused/";

    pub(crate) fn refused(agreement: AgreementId, note: &RefusalNote) -> Vec<u8> {
        [REFUSED, agreement.as_bytes(), note.entry.as_bytes(), &note.reason.to_be_bytes()].concat()
    }

    /// The refusal that a name and its value tell of.
    pub(crate) fn refusal_of(key: &[u8], statements: &[u8]) -> Option<(AgreementId, RefusalNote)> {
        let (agreement, rest) = key.strip_prefix(REFUSED)?.split_first_chunk()?;
        let (entry, reason) = rest.split_first_chunk()?;
        let reason = u32::from_be_bytes(reason.try_into().ok()?);
        let statements = u32::from_be_bytes(statements.try_into().ok()?);
        let note = RefusalNote { entry: Hash::from_bytes(*entry), reason, statements };
        Some((AgreementId::from_bytes(*agreement), note))
    }

    pub(crate) fn outbox(number: u64) -> Vec<u8> {
        [OUTBOX, &number.to_be_bytes()].concat()
    }

    pub(crate) fn reopen(agreement: AgreementId) -> Vec<u8> {
        [REOPEN, agreement.as_bytes()].concat()
    }

    pub(crate) fn unopened(log: &LogId) -> Vec<u8> {
        of_log(UNOPENED, log)
    }

    /// What was decided of logs: forks, and where later generations let them stand.
    pub(crate) const DECIDED: &[u8] = b"decided/";

    pub(crate) fn decided(log: &LogId) -> Vec<u8> {
        of_log(DECIDED, log)
    }

    fn of_log(prefix: &[u8], log: &LogId) -> Vec<u8> {
        let numbers = [log.writer.to_be_bytes(), log.generation.to_be_bytes()].concat();
        [prefix, log.agreement.as_bytes(), log.author.as_bytes(), &numbers].concat()
    }

    /// The log that a name under `prefix` is of.
    pub(crate) fn log_of(prefix: &[u8], key: &[u8]) -> Option<LogId> {
        let (agreement, rest) = key.strip_prefix(prefix)?.split_first_chunk()?;
        let (author, rest) = rest.split_first_chunk()?;
        let (writer, generation) = rest.split_first_chunk()?;
        Some(LogId {
            agreement: AgreementId::from_bytes(*agreement),
            author: AgencyId::from_bytes(*author),
            writer: u32::from_be_bytes(*writer),
            generation: u32::from_be_bytes(generation.try_into().ok()?),
        })
    }
}
