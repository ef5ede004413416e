//! Entries that arrive: pages of catch-up, and announcements.
//!
//! Each goes to `climb`, where entries of this node's own hand go too. What climbs is staged, committed at once, and
//! only then counts.

use entente_protocol::announcement::Announcement;
use entente_protocol::entry::header::Header;
use entente_protocol::entry::ladder::{Envelope, Verified, View};
use entente_protocol::entry::refusal::{Disposition, Refusal};
use entente_protocol::fork::ForkProof;
use entente_protocol::id::{AgencyId, AgreementId, Hash, LogId};
use entente_protocol::wire::attest::Attested;
use entente_protocol::wire::object::ObjectKind;

use super::ledger::Ledger;
use super::stage::Staged;
use super::{Desk, DeskError, scope};
use crate::clock;
use crate::store::Item;
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
impl Desk {
    /// Takes a page of entries of one log, in their order.
    pub fn take_entries(
        &self,
        from: AgencyId,
        log: LogId,
        entries: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    ) -> Result<Arrival, DeskError> {
        let book = self.book();
        let agreement = book.agreement(log.agreement)?;
        let view = View { roll: &book.roll, stands: &book.stands, agreement, now: clock::now() };
        let mut attested = Vec::with_capacity(entries.len());
        let mut stopped = None;
        // Signatures are verified before the writer's turn: nobody waits for that.
        for (header, body) in entries {
            match Envelope::parse(&header).and_then(|envelope| envelope.attest(&view)) {
                Ok(header) => attested.push((header, body)),
                Err(refusal) => {
                    stopped = Some(refusal);
                    break;
                }
            }
        }
        let arrival = self.take_attested(&view, from, log, attested)?;
        Ok(Arrival { stopped: arrival.stopped.or(stopped), ..arrival })
    }

    fn take_attested(
        &self,
        view: &View<'_>,
        from: AgencyId,
        log: LogId,
        entries: Vec<(Attested<Header>, Option<Vec<u8>>)>,
    ) -> Result<Arrival, DeskError> {
        let mut ledger = self.turn();
        let mut arrival = Arrival { advanced: false, stopped: None };
        let mut stage = Staged::default();
        for (header, body) in entries {
            match self.stage_arrival(&mut ledger, view, from, log, &header, body, &mut stage)? {
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
        let view = View { roll: &book.roll, stands: &book.stands, agreement, now: clock::now() };
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
        let arrival = self.take_attested(&view, from, log, vec![(attested, body)])?;
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
        view: &View<'_>,
        from: AgencyId,
        log: LogId,
        attested: &Attested<Header>,
        body: Option<Vec<u8>>,
        stage: &mut Staged,
    ) -> Result<Result<bool, Refusal>, DeskError> {
        if attested.log(log.agreement) != log {
            return Ok(Err(Refusal::Gap { expected: 0, found: attested.seq }));
        }
        let state = stage.log(ledger, log);
        if attested.seq < state.next_seq() {
            return self.stage_again(ledger, log, attested, body, stage);
        }
        if state.is_forked_at(attested.seq) {
            return Ok(Err(Refusal::Taken(attested.seq)));
        }
        match Verified::link(attested.clone(), view, state.head.as_ref()) {
            Ok(verified) => {
                let staged = self.stage_verified_from(ledger, view, verified, body, Some(from), stage)?;
                Ok(staged.map(|()| true))
            }
            Err(refusal) => {
                if matches!(refusal, Refusal::OtherBranch { .. }) {
                    self.stage_fork(ledger, log, attested.seq - 1, attested, stage)?;
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
        let Some(state) = stage.log(ledger, log).forked_at(seq) else { return Ok(()) };
        let Some(held) = self.store.entry(&log, seq)? else { return Ok(()) };
        let proof = ForkProof::new(&held.header, other.bytes());
        if !proof.is_contradiction() {
            return Ok(());
        }
        tracing::warn!(author = %log.author, agreement = %log.agreement, seq, "the log forked; the proof is kept");
        let place = scope::of_agreement(log.agreement);
        stage.items.push(scope::item(place, ObjectKind::ForkProof, proof.hash(), &proof.write()));
        stage.logs.insert(log, state);
        Ok(())
    }
}
