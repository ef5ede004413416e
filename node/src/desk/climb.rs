//! Up the ladder: the one path of all entries, from partners and from this node's own hand.
//!
//! An entry whose key is missing is kept sealed; the entries of its log are opened in their order once the key comes
//! (`unsealed`).

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use entente_protocol::entry::ladder::{Judged, KnownRevision, Verified, View};
use entente_protocol::entry::refusal::{Disposition, Refusal};
use entente_protocol::id::{AgencyId, Hash, LogId, ReportId};
use entente_protocol::receipt::RefusalNote;
use entente_protocol::rules::Usage;
use entente_protocol::statement::Statement;

use super::ledger::{Ledger, Standing, local};
use super::signals::KeyWanted;
use super::stage::{Staged, note};
use super::{Book, Desk, DeskError, scope};
use crate::clock;
use crate::store::{Item, Record, RecordId, RecordState};

/// What an author's quarantine may hold before only reasons are kept, bytes.
const QUARANTINE_BYTES: u64 = 64 << 20;

impl Desk {
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

    pub(super) fn stage_verified_from(
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
        if let Standing::UpTo(last) = state.standing
            && last.is_none_or(|(seq, _)| header.seq > seq)
        {
            return Ok(Err(Refusal::Disowned(last.map(|(seq, _)| seq))));
        }
        let mut records = Vec::new();
        let mut kept_body = body;
        let head = verified.head();
        if state.next_to_open == header.seq {
            match self.try_open(ledger, view, verified, kept_body.as_deref(), from, stage)? {
                Opening::Opened(judged) => {
                    state.next_to_open += 1;
                    state.usage = Some(judged.usage);
                    follow_opening(ledger, &judged, stage);
                    note_retracted(ledger, &judged, log, header.seq, stage);
                    records = self.records(log, header.seq, header.hash(), &judged, stage);
                }
                Opening::NotForUs { keep } => {
                    state.next_to_open += 1;
                    kept_body = kept_body.filter(|_| keep);
                }
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
        self.due.fetch_min(header.delete_after.ms(), Ordering::Relaxed);
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
        if verified.is_over(view.now) {
            return Ok(Opening::NotForUs { keep: false });
        }
        let named = body.map(|body| verified.names(body));
        let Some(body) = body else { return Ok(Opening::Later) };
        let descriptor = stage.descriptor(ledger, &key_id).cloned();
        if let Some(descriptor) = &descriptor
            && descriptor.recipients.binary_search(&self.me.agency).is_err()
        {
            // A remnant can be told from rubbish only by those who may open it.
            return Ok(Opening::NotForUs { keep: matches!(named, Some(Ok(()))) });
        }
        let sealed = |named| match named {
            Some(Err(refusal)) => Opening::BadBody(refusal),
            _ => Opening::Later,
        };
        // A key is of use only once its descriptor is here, whose arrival leads back to this place.
        let Some(descriptor) = descriptor else { return Ok(sealed(named)) };
        let Some(key) = stage.key(ledger, &key_id).cloned() else {
            let from = from.or(Some(log.author));
            stage.wanted.insert(KeyWanted { scope: scope::of_agreement(log.agreement), key: key_id, from });
            return Ok(sealed(named));
        };
        let opened = match verified.open(body, &key, &descriptor, view) {
            Ok(opened) => opened,
            Err(refusal) if refusal.disposition() == Disposition::Held => return Ok(Opening::Later),
            // The body is the one that the author named: the fault is the author's, and stays.
            Err(refusal) if named == Some(Ok(())) => return Ok(Opening::Refused(refusal)),
            Err(refusal) => return Ok(Opening::BadBody(refusal)),
        };
        let usage = match opened.opening() {
            Some(opening) => self.usage_of_earlier(ledger, view, log, opening)?,
            None => self.usage_before(ledger, view, log, stage)?,
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
                known.indicator = Some(held.indicator);
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
        self.count_usage(ledger, view, log, u64::MAX)
    }

    /// What the generations before this one are known to have used on their latest day, as far as they stand: an
    /// opening cannot claim less.
    fn usage_of_earlier(
        &self,
        ledger: &Ledger,
        view: &View<'_>,
        log: LogId,
        opening: &entente_protocol::entry::opening::Opening,
    ) -> Result<Usage, DeskError> {
        let mut usage = Usage::default();
        for stand in &opening.stands {
            let log = LogId { generation: stand.generation, ..log };
            let Some((seq, hash)) = stand.head else { continue };
            if self.store.header_at(&log, seq)? == Some(hash) {
                usage = usage.at_least(self.count_usage(ledger, view, log, seq + 1)?);
            }
        }
        Ok(usage)
    }

    /// What a log has used so far on its latest day.
    pub(super) fn usage_of(&self, ledger: &mut Ledger, book: &Book, log: LogId) -> Result<Usage, DeskError> {
        // No state is made for a log that has no entry: a generation begins with its opening.
        let Some(state) = ledger.logs.get(&log) else { return Ok(Usage::default()) };
        if let Some(usage) = state.usage {
            return Ok(usage);
        }
        let view = View {
            roll: &book.roll,
            stands: &book.stands,
            agreement: book.agreement(log.agreement)?,
            now: clock::now(),
        };
        let usage = self.count_usage(ledger, &view, log, u64::MAX)?;
        ledger.log(log).usage = Some(usage);
        Ok(usage)
    }
}

/// Entry 0 of a later generation says where the earlier ones stand.
pub(super) fn follow_opening(ledger: &Ledger, judged: &Judged, stage: &mut Staged) {
    let Some(opening) = &judged.opening else { return };
    for stand in &opening.stands {
        let log = LogId { generation: stand.generation, ..judged.verified.log() };
        let mut state = stage.log(ledger, log);
        state.standing = Standing::UpTo(stand.head);
        state.forked = None;
        stage.logs.insert(log, state);
    }
}

/// A body that brings what was retracted already is sealed again without it.
pub(super) fn note_retracted(ledger: &Ledger, judged: &Judged, log: LogId, seq: u64, stage: &mut Staged) {
    let retracted = |report: &(AgencyId, ReportId)| ledger.retracted.contains_key(report);
    if judged.admitted.iter().any(|admitted| retracted(&(admitted.originator, admitted.report.id))) {
        stage.items.push(Item::Local { key: local::blank(&log, seq), value: Some(Vec::new()) });
    }
}

/// What opening an entry led to.
pub(super) enum Opening {
    Opened(Box<Judged>),
    /// The key's descriptor names other readers.
    NotForUs {
        /// Whether the body is the one that the header names, and may be passed on.
        keep: bool,
    },
    /// The key is not here yet, or the body is not.
    Later,
    /// The author's own body breaks a rule.
    Refused(Refusal),
    /// These bytes are not what the author made.
    BadBody(Refusal),
}
