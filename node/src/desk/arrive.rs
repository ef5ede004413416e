//! Up the ladder: entries that arrive, from partners and from this node's own hand, on one path.
//!
//! What climbs is staged, committed at once, and only then counts: the ledger changes after the journal is synced.
//! An entry whose key is missing is kept sealed; the entries of its log are opened in their order once the key comes.

use std::collections::{BTreeMap, BTreeSet};

use entente_protocol::announcement::Announcement;
use entente_protocol::entry::header::Header;
use entente_protocol::entry::ladder::{Envelope, Judged, KnownRevision, Verified, View};
use entente_protocol::entry::refusal::{Disposition, Refusal};
use entente_protocol::fork::ForkProof;
use entente_protocol::id::{AgencyId, AgreementId, Hash, LogId, ReportId};
use entente_protocol::receipt::RefusalNote;
use entente_protocol::rules::Usage;
use entente_protocol::statement::Statement;
use entente_protocol::wire::attest::Attested;
use entente_protocol::wire::object::ObjectKind;

use super::ledger::{Ledger, LogState, Waiting, local};
use super::signals::KeyWanted;
use super::{Book, Desk, DeskError, scope};
use crate::clock;
use crate::store::{Head, Item, Record, RecordId, RecordState};

/// What an author's quarantine may hold before only reasons are kept, bytes.
const QUARANTINE_BYTES: u64 = 64 << 20;

/// Bytes of entries that are committed together while catching up: one sync for many.
const COMMIT_BYTES: usize = 4 << 20;

/// What became of a page of entries.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Arrival {
    /// Whether the log grew, or a missing body came.
    pub advanced: bool,
    /// Why the page was not taken to its end.
    pub stopped: Option<Refusal>,
}

/// What becomes of a gossip message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum GossipJudgement {
    /// True and new: pass it on.
    Accept,
    /// Of no use, or not to be judged yet.
    Ignore,
    /// False.
    Reject,
}

/// What is to be committed, and what follows once it is.
#[derive(Default)]
pub(super) struct Staged {
    pub(super) items: Vec<Item>,
    pub(super) announcements: Vec<(AgreementId, Vec<u8>)>,
    pub(super) waiting: Vec<Waiting>,
    pub(super) reopened: Vec<AgreementId>,
    logs: BTreeMap<LogId, LogState>,
    fresh: BTreeMap<(AgencyId, ReportId), BTreeMap<u32, Vec<u8>>>,
    wanted: BTreeSet<KeyWanted>,
    refused: Vec<(AgreementId, RefusalNote)>,
    bytes: usize,
}

impl Staged {
    pub(super) fn put(&mut self, log: LogId, state: LogState) {
        self.logs.insert(log, state);
    }

    pub(super) fn refuse(&mut self, agreement: AgreementId, entry: Hash, refusal: &Refusal) {
        self.refused.push((agreement, note(entry, refusal, 0)));
    }

    pub(super) fn log(&self, ledger: &Ledger, log: LogId) -> LogState {
        self.logs.get(&log).or_else(|| ledger.logs.get(&log)).copied().unwrap_or_default()
    }
}

impl Desk {
    /// Takes a page of entries of one log, in their order.
    pub fn take_entries(
        &self,
        from: AgencyId,
        log: LogId,
        entries: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    ) -> Result<Arrival, DeskError> {
        let book = self.book();
        let mut ledger = self.turn();
        let mut arrival = Arrival { advanced: false, stopped: None };
        let mut stage = Staged::default();
        for (header, body) in entries {
            match self.stage_arrival(&mut ledger, &book, from, log, &header, body, &mut stage)? {
                Ok(advanced) => arrival.advanced |= advanced,
                Err(refusal) => {
                    arrival.stopped = Some(refusal);
                    break;
                }
            }
            if stage.bytes > COMMIT_BYTES {
                self.settle(&mut ledger, std::mem::take(&mut stage))?;
            }
        }
        self.settle(&mut ledger, stage)?;
        Ok(arrival)
    }

    /// Judges a gossip message, and takes what it carries.
    pub fn take_gossip(
        &self,
        from: AgencyId,
        agreement: AgreementId,
        message: &[u8],
    ) -> Result<GossipJudgement, DeskError> {
        match Announcement::read(message) {
            Ok(Announcement::Entry { header, body }) => self.take_announced(from, agreement, &header, body),
            Ok(Announcement::Object { kind, bytes }) => {
                let taken = self.take_objects(from, scope::of_agreement(agreement), vec![(kind.number(), bytes)])?;
                Ok(if taken.refused > 0 {
                    GossipJudgement::Reject
                } else if taken.new > 0 {
                    GossipJudgement::Accept
                } else {
                    GossipJudgement::Ignore
                })
            }
            Err(error) if error.is_held() => Ok(GossipJudgement::Ignore),
            Err(_) => Ok(GossipJudgement::Reject),
        }
    }

    fn take_announced(
        &self,
        from: AgencyId,
        id: AgreementId,
        header: &[u8],
        body: Option<Vec<u8>>,
    ) -> Result<GossipJudgement, DeskError> {
        let book = self.book();
        let Ok(agreement) = book.agreement(id) else { return Ok(GossipJudgement::Ignore) };
        let view = View { roll: &book.roll, agreement, now: clock::now() };
        let attested = match Envelope::parse(header).and_then(|envelope| envelope.attest(&view)) {
            Ok(attested) => attested,
            Err(refusal) if refusal.disposition() == Disposition::Refused => return Ok(GossipJudgement::Reject),
            Err(_) => return Ok(GossipJudgement::Ignore),
        };
        let log = attested.log(id);
        let seq = attested.seq;
        if seq < self.turn().log(log).next_seq() {
            return Ok(GossipJudgement::Ignore);
        }
        if body.is_none() {
            self.signals.tell(|news| {
                news.gaps.insert(log, (seq, from));
            });
            return Ok(GossipJudgement::Accept);
        }
        let arrival = self.take_entries(from, log, vec![(header.to_vec(), body)])?;
        match arrival.stopped.as_ref().map(Refusal::disposition) {
            Some(Disposition::Early) => {
                self.signals.tell(|news| {
                    news.gaps.insert(log, (seq, from));
                });
                Ok(GossipJudgement::Accept)
            }
            Some(Disposition::Refused) => Ok(GossipJudgement::Reject),
            _ => Ok(GossipJudgement::Accept),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one step of take_entries, with its whole context")]
    fn stage_arrival(
        &self,
        ledger: &mut Ledger,
        book: &Book,
        from: AgencyId,
        log: LogId,
        header: &[u8],
        body: Option<Vec<u8>>,
        stage: &mut Staged,
    ) -> Result<Result<bool, Refusal>, DeskError> {
        let Ok(agreement) = book.agreement(log.agreement) else {
            return Err(DeskError::NoAgreement(log.agreement.to_string()));
        };
        let view = View { roll: &book.roll, agreement, now: clock::now() };
        let attested = match Envelope::parse(header).and_then(|envelope| envelope.attest(&view)) {
            Ok(attested) => attested,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if attested.log(log.agreement) != log {
            return Ok(Err(Refusal::Gap { expected: 0, found: attested.seq }));
        }
        let state = stage.log(ledger, log);
        if attested.seq < state.next_seq() {
            return self.stage_again(ledger, log, &attested, body, stage);
        }
        if state.forked {
            return Ok(Err(Refusal::Taken(attested.seq)));
        }
        match Verified::link(attested.clone(), &view, state.head.as_ref()) {
            Ok(verified) => {
                let staged = self.stage_verified_from(ledger, &view, verified, body, Some(from), stage)?;
                Ok(staged.map(|()| true))
            }
            Err(refusal) => {
                if matches!(refusal, Refusal::OtherBranch { .. }) {
                    self.stage_fork(ledger, log, attested.seq - 1, &attested, stage)?;
                }
                Ok(Err(refusal))
            }
        }
    }

    /// An entry at a position that is taken: the same one, perhaps with the body that was missing, or a fork.
    fn stage_again(
        &self,
        ledger: &mut Ledger,
        log: LogId,
        attested: &Attested<Header>,
        body: Option<Vec<u8>>,
        stage: &mut Staged,
    ) -> Result<Result<bool, Refusal>, DeskError> {
        let seq = attested.seq;
        let Some(held) = self.store.entry(&log, seq)? else { return Ok(Ok(false)) };
        if held.hash != attested.hash() {
            self.stage_fork(ledger, log, seq, attested, stage)?;
            return Ok(Err(Refusal::Taken(seq)));
        }
        let state = stage.log(ledger, log);
        if held.body.is_none()
            && seq >= state.next_to_open
            && let Some(body) = body
        {
            if Hash::of(&[&body]) != attested.body_hash {
                return Ok(Err(Refusal::BodyHash));
            }
            stage.bytes += body.len();
            stage.items.push(Item::Body { log, seq, body, records: Vec::new() });
            return Ok(Ok(true));
        }
        Ok(Ok(false))
    }

    /// Two signed headers that contradict each other: the proof is kept and passed on, and the log grows no more.
    fn stage_fork(
        &self,
        ledger: &mut Ledger,
        log: LogId,
        seq: u64,
        other: &Attested<Header>,
        stage: &mut Staged,
    ) -> Result<(), DeskError> {
        let mut state = stage.log(ledger, log);
        let Some(held) = self.store.entry(&log, seq)? else { return Ok(()) };
        let proof = ForkProof::new(&held.header, other.bytes());
        if state.forked || !proof.is_contradiction() {
            return Ok(());
        }
        tracing::warn!(author = %log.author, agreement = %log.agreement, seq, "the log forked; the proof is kept");
        let place = scope::of_agreement(log.agreement);
        stage.items.push(scope::item(place, ObjectKind::ForkProof, proof.hash(), &proof.write()));
        state.forked = true;
        stage.logs.insert(log, state);
        Ok(())
    }

    /// Stages an own entry.
    pub(super) fn stage_verified(
        &self,
        ledger: &mut Ledger,
        view: &View<'_>,
        verified: Verified,
        body: Option<Vec<u8>>,
        stage: &mut Staged,
    ) -> Result<(), DeskError> {
        let staged = self.stage_verified_from(ledger, view, verified, body, None, stage)?;
        staged.map_err(|refusal| {
            tracing::error!(%refusal, "an own entry does not pass the rules that released it");
            DeskError::TooLarge
        })
    }

    fn stage_verified_from(
        &self,
        ledger: &mut Ledger,
        view: &View<'_>,
        verified: Verified,
        body: Option<Vec<u8>>,
        from: Option<AgencyId>,
        stage: &mut Staged,
    ) -> Result<Result<(), Refusal>, DeskError> {
        let log = verified.log();
        let header = verified.header().clone();
        let mut state = stage.log(ledger, log);
        if let Some(limit) = state.disowned_after
            && limit.is_none_or(|limit| header.seq > limit)
        {
            return Ok(Err(Refusal::Disowned(limit)));
        }
        let mut records = Vec::new();
        let mut kept_body = body;
        let head = verified.head();
        if state.next_to_open == header.seq {
            match self.try_open(ledger, view, verified, kept_body.as_deref(), from, stage)? {
                Opening::Opened(judged) => {
                    state.next_to_open += 1;
                    state.usage = Some(judged.usage);
                    self.follow_opening(ledger, &judged, stage);
                    records = self.records(log, header.seq, header.hash(), &judged, stage);
                }
                Opening::NotForUs => state.next_to_open += 1,
                Opening::Refused(refusal) => {
                    state.next_to_open += 1;
                    stage.refuse(log.agreement, header.hash(), &refusal);
                    tracing::warn!(author = %log.author, seq = header.seq, %refusal, "the body of an entry was refused");
                    kept_body = None;
                }
                Opening::BadBody(refusal) => return Ok(Err(refusal)),
                Opening::Later => {
                    let value = header.seq.to_be_bytes().to_vec();
                    stage.items.push(Item::Local { key: local::unopened(&log), value: Some(value) });
                }
            }
        } else if let Some(body) = &kept_body
            && (body.len() != header.body_length as usize || Hash::of(&[body]) != header.body_hash)
        {
            return Ok(Err(Refusal::BodyHash));
        }
        state.head = Some(head);
        stage.bytes += header.bytes().len() + kept_body.as_ref().map_or(0, Vec::len);
        stage.logs.insert(log, state);
        stage.items.push(Item::Entry {
            log,
            seq: header.seq,
            hash: header.hash(),
            header: header.bytes().to_vec(),
            body: kept_body,
            records,
        });
        Ok(Ok(()))
    }

    pub(super) fn try_open(
        &self,
        ledger: &mut Ledger,
        view: &View<'_>,
        verified: Verified,
        body: Option<&[u8]>,
        from: Option<AgencyId>,
        stage: &mut Staged,
    ) -> Result<Opening, DeskError> {
        let log = verified.log();
        let key_id = verified.header().key_id;
        let named = body.map(|body| verified.names(body));
        let Some(body) = body else { return Ok(Opening::Later) };
        let descriptor = ledger.keys.descriptors.get(&key_id).cloned();
        if let Some(descriptor) = &descriptor
            && descriptor.recipients.binary_search(&self.me.agency).is_err()
        {
            return Ok(match named {
                Some(Err(refusal)) => Opening::BadBody(refusal),
                _ => Opening::NotForUs,
            });
        }
        let (Some(descriptor), Some(key)) = (descriptor, ledger.keys.held.get(&key_id).cloned()) else {
            stage.wanted.insert(KeyWanted { scope: scope::of_agreement(log.agreement), key: key_id, from });
            return Ok(match named {
                Some(Err(refusal)) => Opening::BadBody(refusal),
                _ => Opening::Later,
            });
        };
        let usage = self.usage_before(ledger, view, log, stage)?;
        let opened = match verified.open(body, &key, &descriptor, view) {
            Ok(opened) => opened,
            Err(refusal) if refusal.disposition() == Disposition::Held => return Ok(Opening::Later),
            // The body is the one that the author named: the fault is the author's, and stays.
            Err(refusal) if named == Some(Ok(())) => return Ok(Opening::Refused(refusal)),
            Err(refusal) => return Ok(Opening::BadBody(refusal)),
        };
        let mut failed = None;
        let judged = opened.judge(view, usage, &mut |originator, report, revision| {
            self.known(stage, originator, report, revision).unwrap_or_else(|error| {
                failed = Some(error);
                KnownRevision { same_revision: None, indicator: None }
            })
        });
        match failed {
            Some(error) => Err(error),
            None => Ok(Opening::Opened(Box::new(judged))),
        }
    }

    fn known(
        &self,
        stage: &Staged,
        originator: AgencyId,
        report: ReportId,
        revision: u32,
    ) -> Result<KnownRevision, DeskError> {
        let mut known = KnownRevision { same_revision: None, indicator: None };
        let fresh = stage.fresh.get(&(originator, report)).into_iter().flatten();
        let fresh = fresh.map(|(revision, bytes)| (*revision, bytes.clone()));
        let held = self.store.report(&originator, &report)?.into_iter();
        let held = held.filter(|record| record.state == RecordState::Admitted);
        for (held_revision, bytes) in held.map(|record| (record.id.revision, record.statement)).chain(fresh) {
            if let Ok(Statement::Report(held)) = Statement::read(&bytes) {
                known.indicator = Some(held.indicator.lookup_key());
            }
            if held_revision == revision {
                known.same_revision = Some(bytes);
            }
        }
        Ok(known)
    }

    /// The records of a judged entry: what is admitted, and what is held or in quarantine.
    pub(super) fn records(
        &self,
        log: LogId,
        seq: u64,
        entry: Hash,
        judged: &Judged,
        stage: &mut Staged,
    ) -> Vec<Record> {
        let received = clock::now().ms();
        let mut records = Vec::with_capacity(judged.admitted.len() + judged.not_admitted.len());
        for admitted in &judged.admitted {
            let (originator, report) = (admitted.originator, admitted.report.id);
            let revision = admitted.report.revision;
            stage.fresh.entry((originator, report)).or_default().insert(revision, admitted.bytes.clone());
            records.push(Record {
                id: RecordId { originator, report, revision, log, seq, leaf: admitted.leaf },
                indicator: admitted.report.indicator.lookup_key(),
                received,
                state: RecordState::Admitted,
                statement: admitted.bytes.clone(),
            });
        }
        let mut hits: BTreeMap<u32, RefusalNote> = BTreeMap::new();
        let full = !judged.not_admitted.is_empty()
            && self.store.quarantine_sizes().get(&log.author).is_some_and(|size| size.bytes > QUARANTINE_BYTES);
        for refused in &judged.not_admitted {
            let reason = refused.refusal.reason();
            let number = u16::try_from(reason.number).expect("reasons are numbered below 65,536");
            let state = match reason.disposition {
                Disposition::Refused => RecordState::Quarantined { reason: number },
                _ => RecordState::Held { reason: number },
            };
            if reason.disposition == Disposition::Refused {
                hits.entry(reason.number).or_insert_with(|| note(entry, &refused.refusal, 0)).statements += 1;
            }
            let report = refused.report.unwrap_or(ReportId::from_bytes([0; 16]));
            records.push(Record {
                id: RecordId { originator: refused.originator, report, revision: 0, log, seq, leaf: refused.leaf },
                indicator: Vec::new(),
                received,
                state,
                statement: if full { Vec::new() } else { refused.bytes.clone() },
            });
        }
        stage.refused.extend(hits.into_values().map(|note| (log.agreement, note)));
        records
    }

    /// Entry 0 of a later generation says where the earlier ones stand.
    pub(super) fn follow_opening(&self, ledger: &Ledger, judged: &Judged, stage: &mut Staged) {
        let Some(opening) = &judged.opening else { return };
        for stand in &opening.stands {
            let log = LogId { generation: stand.generation, ..judged.verified.log() };
            let mut state = stage.log(ledger, log);
            state.disowned_after = Some(stand.head.map(|(seq, _)| seq));
            state.forked = false;
            stage.logs.insert(log, state);
        }
    }

    /// What a log has used so far on its latest day, within what is staged.
    fn usage_before(
        &self,
        ledger: &mut Ledger,
        view: &View<'_>,
        log: LogId,
        stage: &Staged,
    ) -> Result<Usage, DeskError> {
        if let Some(usage) = stage.log(ledger, log).usage {
            return Ok(usage);
        }
        self.count_usage(ledger, view, log)
    }

    /// What a log has used so far on its latest day.
    pub(super) fn usage_of(&self, ledger: &mut Ledger, book: &Book, log: LogId) -> Result<Usage, DeskError> {
        if let Some(usage) = ledger.log(log).usage {
            return Ok(usage);
        }
        let view = View { roll: &book.roll, agreement: book.agreement(log.agreement)?, now: clock::now() };
        let usage = self.count_usage(ledger, &view, log)?;
        ledger.log(log).usage = Some(usage);
        Ok(usage)
    }

    /// Commits what is staged; then it counts.
    pub(super) fn settle(&self, ledger: &mut Ledger, stage: Staged) -> Result<(), DeskError> {
        if stage.items.is_empty() && stage.wanted.is_empty() && stage.logs.is_empty() {
            return Ok(());
        }
        let feeds: BTreeSet<Hash> = stage
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Object { scope, .. } if *scope != scope::wraps() => Some(*scope),
                _ => None,
            })
            .collect();
        if !stage.items.is_empty() {
            self.store.commit(stage.items)?;
        }
        let mut heads = BTreeMap::new();
        for (log, state) in stage.logs {
            if let Some(head) = state.head {
                heads.insert(log, Head { seq: head.seq, hash: head.hash });
            }
            ledger.receipts.due.insert(log.agreement);
            ledger.logs.insert(log, state);
        }
        for (agreement, note) in stage.refused {
            ledger.receipts.refused.entry(agreement).or_default().insert(note);
        }
        ledger.outbox.extend(stage.waiting);
        self.note_waiting(ledger);
        for agreement in stage.reopened {
            ledger.reopen.remove(&agreement);
        }
        self.signals.tell(|news| {
            news.heads.extend(heads);
            for feed in feeds {
                news.feed(feed, true);
            }
            news.announcements.extend(stage.announcements);
            news.keys_wanted.extend(stage.wanted);
        });
        Ok(())
    }
}

/// What opening an entry led to.
pub(super) enum Opening {
    Opened(Box<Judged>),
    /// The key's descriptor names other readers.
    NotForUs,
    /// The key is not here yet, or the body is not.
    Later,
    /// The author's own body breaks a rule.
    Refused(Refusal),
    /// These bytes are not what the author made.
    BadBody(Refusal),
}

fn note(entry: Hash, refusal: &Refusal, statements: u32) -> RefusalNote {
    RefusalNote { entry, reason: refusal.reason().number, statements }
}
