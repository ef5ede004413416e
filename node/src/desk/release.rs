//! Down the ladder: reports become entries, one for each agreement they are released under.
//!
//! ```text
//!   reports ──rules, per agreement──▶ one signed batch ──▶ per agreement: sealed, signed, judged like anyone's
//!                                                          entry, committed, announced
//!                                                      └─▶ outbox, while its logs were not yet compared
//! ```

use std::collections::BTreeMap;

use entente_protocol::agreement::{Agreement, Version};
use entente_protocol::announcement::Announcement;
use entente_protocol::entry::ladder::{Envelope, Head, View};
use entente_protocol::entry::opening::{Opening, Stand};
use entente_protocol::entry::publish::{self, Place};
use entente_protocol::id::{AgencyId, AgreementId, LogId, ReportId, VersionHash};
use entente_protocol::rules::{Usage, Verdict};
use entente_protocol::statement::batch::{ClaimedBatch, SignedBatch};
use entente_protocol::statement::report::Report;
use entente_protocol::statement::{Cover, Statement};
use entente_protocol::time::Time;

use super::keys::readers;
use super::ledger::{Ledger, local};
use super::outbox::{Outbox, Waiting};
use super::stage::Staged;
use super::{Book, Desk, DeskError};
use crate::clock;
use crate::store::Item;

/// Statements in one entry of ours: large enough to share the cost of two signatures, small enough to travel well.
const STATEMENTS_PER_ENTRY: usize = 500;

/// Bytes of statements in one entry of ours; with salts and framing it stays within a body.
const BYTES_PER_ENTRY: usize = 512 << 10;

/// A report that was filed.
#[derive(Clone, Debug)]
pub struct Filed {
    /// Its number.
    pub report: ReportId,
    /// Its revision.
    pub revision: u32,
    /// When it was made.
    pub created: Time,
    /// Where it went.
    pub under: Vec<FiledUnder>,
}

/// What became of it under one agreement.
#[derive(Clone, Debug)]
pub struct FiledUnder {
    /// Who receives it.
    pub recipients: Recipients,
    /// Whether it is published, or waits until logs were compared with a party.
    pub published: bool,
}

/// Who receives what is released under an agreement.
#[derive(Clone, Debug)]
pub struct Recipients {
    /// The agreement.
    pub agreement: AgreementId,
    /// Its title.
    pub title: String,
    /// The parties that receive, other than this agency.
    pub agencies: Vec<AgencyId>,
}

/// An agreement under which something is to be released.
pub(super) struct Outlet<'a> {
    pub(super) agreement: &'a Agreement,
    name: VersionHash,
    pub(super) version: &'a Version,
    log: LogId,
    head: Option<Head>,
    opening: Option<Opening>,
    created: Time,
    delete_after: Time,
    usage: Usage,
}

impl Outlet<'_> {
    /// The rules' answer for one more report; a permitted one counts.
    pub(super) fn release(&mut self, me: AgencyId, report: &Report, length: usize) -> Result<(), DeskError> {
        let cover = Cover { version: self.version, author: me, created: self.created, delete_after: self.delete_after };
        let statement = Statement::Report(Box::new(report.clone()));
        match statement.release(&cover, me, length as u64, self.usage) {
            Verdict::Permit => {
                self.usage.add(self.created.day(), length as u64);
                Ok(())
            }
            Verdict::Denial(term) => Err(DeskError::Denied { agreement: self.agreement.id(), term }),
            Verdict::Hold(why) => Err(DeskError::Unsettled(why)),
        }
    }

    pub(super) fn recipients(&self, me: AgencyId) -> Recipients {
        let readers = readers(self.agreement, me, self.created);
        let agencies = readers.into_iter().filter(|agency| *agency != me).collect();
        Recipients { agreement: self.agreement.id(), title: self.version.title.clone(), agencies }
    }
}

impl Desk {
    /// Opens the way out under an agreement, as of now.
    pub(super) fn outlet<'a>(
        &self,
        ledger: &mut Ledger,
        book: &'a Book,
        id: AgreementId,
        now: Time,
    ) -> Result<Outlet<'a>, DeskError> {
        let agreement = book.agreement(id)?;
        let version =
            agreement.may_publish(self.me.agency, now).map_err(|why| DeskError::NotInForce { agreement: id, why })?;
        let (log, opening) = self.own_log(ledger, book, id, now)?;
        let head = ledger.logs.get(&log).and_then(|state| state.head);
        let usage = match &opening {
            Some(opening) => Usage { day: opening.quota_day, statements: opening.statements, bytes: opening.bytes },
            None => self.usage_of(ledger, book, log)?,
        };
        // A clock that was set back is held at the last value of the log.
        let created = head.map_or(now, |head| now.max(head.created));
        let delete_after = created.plus_days(version.terms.retention_days);
        let name = version.name();
        Ok(Outlet { agreement, name, version: version.payload(), log, head, opening, created, delete_after, usage })
    }

    /// The log to append to: the newest generation, or a new one, with its opening, where one is due.
    fn own_log(
        &self,
        ledger: &mut Ledger,
        book: &Book,
        agreement: AgreementId,
        now: Time,
    ) -> Result<(LogId, Option<Opening>), DeskError> {
        let own = ledger.own_logs(agreement, self.me.agency, self.me.writer).last();
        let newest = own.map(|(log, state)| (*log, *state));
        let (author, writer) = (self.me.agency, self.me.writer);
        let Some((newest, state)) = newest else {
            return Ok((LogId { agreement, author, writer, generation: 0 }, None));
        };
        if !ledger.reopen.contains(&agreement) && state.forked.is_none() {
            return Ok((newest, None));
        }
        // What a generation used includes what those before it had: the greatest count is that of all.
        let mut spent = Usage { day: now.day(), statements: 0, bytes: 0 };
        let mut stands = Vec::new();
        for generation in 0..=newest.generation {
            let log = LogId { generation, ..newest };
            let state = ledger.logs.get(&log).copied().unwrap_or_default();
            stands.push(Stand { generation, head: state.head.map(|head| (head.seq, head.hash)) });
            spent = spent.at_least(self.usage_of(ledger, book, log)?);
        }
        let opening = Opening { stands, quota_day: spent.day, statements: spent.statements, bytes: spent.bytes };
        Ok((LogId { generation: newest.generation + 1, ..newest }, Some(opening)))
    }

    /// Signs reports together and releases them under the agreements, an entry's worth at a time: of each, all or
    /// nothing is kept.
    pub(super) fn publish(
        &self,
        ledger: &mut Ledger,
        book: &Book,
        reports: Vec<(Report, Vec<u8>)>,
        agreements: &[AgreementId],
    ) -> Result<BTreeMap<AgreementId, bool>, DeskError> {
        let mut published = BTreeMap::new();
        let mut rest = reports;
        while !rest.is_empty() {
            let chunk = take_chunk(&mut rest);
            let statements = chunk.iter().map(|(_, bytes)| (clock::random(), bytes.clone())).collect();
            let author = self.me.author();
            let batch = SignedBatch::sign(
                statements,
                author.agency,
                author.card_serial,
                author.writer,
                author.mode,
                author.key,
            );
            let mut stage = Staged::default();
            for agreement in agreements {
                if ledger.compared.contains(agreement) {
                    self.stage_entry(ledger, book, *agreement, vec![batch.clone()], &mut stage)?;
                    published.insert(*agreement, true);
                } else {
                    stage_waiting(&self.outbox(), *agreement, &batch, &mut stage);
                    published.insert(*agreement, false);
                }
            }
            self.settle(ledger, stage)?;
        }
        Ok(published)
    }

    /// Makes one entry and climbs the ladder with it.
    fn stage_entry(
        &self,
        ledger: &mut Ledger,
        book: &Book,
        id: AgreementId,
        batches: Vec<SignedBatch>,
        stage: &mut Staged,
    ) -> Result<(), DeskError> {
        let now = clock::now();
        let outlet = self.outlet(ledger, book, id, now)?;
        let place = Place {
            version: outlet.name,
            generation: outlet.log.generation,
            head: outlet.head,
            created: outlet.created,
            delete_after: outlet.delete_after,
        };
        let key = self.sealing_key(&ledger.keys, outlet.agreement, outlet.created, stage);
        let entry = publish::entry(self.me.author(), &place, batches, outlet.opening, clock::random(), &key)
            .ok_or(DeskError::TooLarge)?;
        let view = View { roll: &book.roll, stands: &book.stands, agreement: outlet.agreement, now };
        let envelope = Envelope::parse(entry.header.bytes()).expect("our own header is well formed");
        let verified = envelope.verify(&view, outlet.head.as_ref()).expect("our own entry continues our own log");
        stage.announcements.push((id, Announcement::of_entry(entry.header.bytes(), &entry.body).write()));
        self.stage_verified(ledger, &view, verified, Some(entry.body), stage)?;
        if ledger.reopen.contains(&id) {
            stage.items.push(Item::Local { key: local::reopen(id), value: None });
            stage.reopened.push(id);
        }
        Ok(())
    }

    /// Heads of an agreement were compared with a party: what waited goes out.
    pub fn compared(&self, agreement: AgreementId) -> Result<(), DeskError> {
        let book = self.book();
        let mut ledger = self.turn();
        // Nothing durable: what follows from it waits, or goes out, by commits of its own.
        if !ledger.compared.insert(agreement) {
            return Ok(());
        }
        self.flush_outbox(&mut ledger, &book, agreement)
    }

    fn flush_outbox(&self, ledger: &mut Ledger, book: &Book, agreement: AgreementId) -> Result<(), DeskError> {
        loop {
            let Some(waiting) = self.outbox().first_of(agreement).cloned() else { return Ok(()) };
            let mut stage = Staged::default();
            let batch = self.reread(book, &waiting.batch);
            if let Err(error) = self.stage_entry(ledger, book, agreement, vec![batch], &mut stage) {
                tracing::warn!(%agreement, %error, "reports in the outbox cannot be released now; they stay in it");
                return Ok(());
            }
            stage.items.push(Item::Local { key: local::outbox(waiting.number), value: None });
            stage.sent = Some(waiting.number);
            self.settle(ledger, stage)?;
        }
    }

    fn reread(&self, book: &Book, bytes: &[u8]) -> SignedBatch {
        let batch = ClaimedBatch::parse(bytes).expect("the outbox holds batches that we signed");
        let card = book.roll.card_at(self.me.agency, batch.root.claim().card_serial).expect("our own cards are known");
        let key = card.node(self.me.writer).expect("our card lists this node").signing;
        let root = batch.root.attest(&key).expect("the outbox holds batches that we signed");
        SignedBatch { root, leaves: batch.leaves }
    }
}

fn take_chunk(rest: &mut Vec<(Report, Vec<u8>)>) -> Vec<(Report, Vec<u8>)> {
    let mut bytes = 0;
    let fits = rest.iter().take(STATEMENTS_PER_ENTRY).take_while(|(_, statement)| {
        bytes += statement.len();
        bytes <= BYTES_PER_ENTRY
    });
    let count = fits.count().max(1);
    let tail = rest.split_off(count.min(rest.len()));
    std::mem::replace(rest, tail)
}

fn stage_waiting(outbox: &Outbox, agreement: AgreementId, batch: &SignedBatch, stage: &mut Staged) {
    let number = stage.waiting.last().map_or_else(|| outbox.next_number(), |last| last.number + 1);
    let waiting = Waiting::new(number, agreement, batch.write());
    stage.items.push(waiting.item());
    stage.waiting.push(waiting);
}
