//! The ladder that every entry climbs, an agency's own like anyone else's.
//!
//! ```text
//!   &[u8] ──parse──▶ Envelope ──verify──▶ Verified ──open──▶ Opened ──judge──▶ Judged { Admitted … }
//!                    well formed          party, signature,  decrypted,        each statement: the
//!                                         version, clock,    commitment,       agreement version it
//!                                         chain              batch signatures  names permits it
//! ```
//!
//! Each rung is a type of its own, made only by consuming the one below. Whoever holds a `Verified` entry may pass it
//! on and keep it; only what stands in `Judged` as admitted may be indexed. An entry is judged by the version that it
//! names, at its own date, so the answer is the same whenever it arrives.

use std::collections::{BTreeMap, BTreeSet};

use crate::agreement::Agreement;
use crate::crypto::content_key::ContentKey;
use crate::entry::body::Content;
use crate::entry::header::Header;
use crate::entry::opening::Opening;
use crate::entry::refusal::Refusal;
use crate::entry::vouch::{Stands, signing_key, vouched};
use crate::id::{AgencyId, Hash, KeyId, LogId, ReportId};
use crate::identity::Roll;
use crate::keys::KeyDescriptor;
use crate::limits;
use crate::rules::{Unsettled, Usage, Verdict};
use crate::statement::batch::{BatchError, ClaimedBatch, Leaf, SignedBatch};
use crate::statement::report::{Indicator, Report};
use crate::statement::{Cover, Statement};
use crate::time::Time;
use crate::wire::attest::{Attested, Claimed};

/// What the node knows when it judges an entry.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// All agencies and their cards.
    pub roll: &'a Roll,
    /// The agreement that the entry belongs to.
    pub agreement: &'a Agreement,
    /// Up to where later generations let logs stand.
    pub stands: &'a Stands,
    /// Our clock.
    pub now: Time,
}

/// The last entry of a log, as far as it is held.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Head {
    /// Its number.
    pub seq: u64,
    /// Its header's hash.
    pub hash: Hash,
    /// Its date.
    pub created: Time,
    /// How deep its version stands in the agreement's tree.
    pub version_depth: u32,
}

/// An entry's header, well formed.
#[derive(Clone, Debug)]
pub struct Envelope(Claimed<Header>);

impl Envelope {
    /// The first rung: bytes that have the form of a header.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        Claimed::parse(bytes).map(Self).map_err(Refusal::Header)
    }

    /// What the header claims; nothing of it may be believed yet.
    pub fn claim(&self) -> &Header {
        self.0.claim()
    }

    /// The header's hash.
    pub fn hash(&self) -> Hash {
        self.0.hash()
    }

    /// The second rung, first half: a party of the agreement made it, under a version in force, and signed it.
    ///
    /// This is what gossip is judged by: it needs nothing of the log.
    pub fn attest(self, view: &View<'_>) -> Result<Attested<Header>, Refusal> {
        let Header { version: named, author, card_serial, writer, created, .. } = *self.claim();
        let version = view.agreement.version(named).ok_or(Refusal::UnknownVersion(named))?;
        if self.0.mode() != version.mode() {
            return Err(Refusal::Mode);
        }
        if version.party(author).is_none() {
            return Err(Refusal::NotAParty(author));
        }
        let vouched = vouched(self.claim(), view).is_some();
        let key = signing_key(view.roll, author, card_serial, writer, created, vouched)?;
        let attested = self.0.attest(key).map_err(Refusal::Header)?;
        view.agreement.permits_entry(named, author, created).map_err(Refusal::NotInForce)?;
        if created > view.now.plus_ms(limits::CLOCK_AHEAD_MS) {
            return Err(Refusal::FutureDated { created, now: view.now });
        }
        Ok(attested)
    }

    /// The second rung: attested, and the next entry of its log.
    pub fn verify(self, view: &View<'_>, head: Option<&Head>) -> Result<Verified, Refusal> {
        let attested = self.attest(view)?;
        Verified::link(attested, view, head)
    }
}

/// An entry that a party signed, and that continues its log. It may be kept and passed on.
#[derive(Clone, Debug)]
pub struct Verified {
    header: Attested<Header>,
    log: LogId,
    version_depth: u32,
}

impl Verified {
    /// The second half of the rung: the chain.
    pub fn link(header: Attested<Header>, view: &View<'_>, head: Option<&Head>) -> Result<Self, Refusal> {
        let expected = head.map_or(0, |head| head.seq + 1);
        if header.seq > expected {
            return Err(Refusal::Gap { expected, found: header.seq });
        }
        if header.seq < expected {
            return Err(Refusal::Taken(header.seq));
        }
        let version_depth = view.agreement.depth(header.version).ok_or(Refusal::UnknownVersion(header.version))?;
        if let Some(head) = head {
            let found = header.previous.expect("only entry 0 has no predecessor");
            if found != head.hash {
                return Err(Refusal::OtherBranch { expected: head.hash, found });
            }
            if header.created < head.created {
                return Err(Refusal::CreatedFalls { head: head.created, found: header.created });
            }
            if version_depth < head.version_depth {
                return Err(Refusal::VersionFalls);
            }
        }
        match vouched(&header, view) {
            Some(last) if last.seq == header.seq && last.hash != header.hash() => {
                Err(Refusal::OtherBranch { expected: last.hash, found: header.hash() })
            }
            _ => Ok(Self { log: header.log(view.agreement.id()), header, version_depth }),
        }
    }

    /// The header.
    pub fn header(&self) -> &Attested<Header> {
        &self.header
    }

    /// The log that it continues.
    pub fn log(&self) -> LogId {
        self.log
    }

    /// The log's head once this entry is kept.
    pub fn head(&self) -> Head {
        Head {
            seq: self.header.seq,
            hash: self.header.hash(),
            created: self.header.created,
            version_depth: self.version_depth,
        }
    }

    /// Whether its statements were to be deleted by now, so that it needs no body. An opening is needed for as long as
    /// there is a log.
    pub fn is_over(&self, now: Time) -> bool {
        self.header.delete_after <= now && !(self.header.seq == 0 && self.header.generation > 0)
    }

    /// Whether these bytes are the body that the header names.
    pub fn names(&self, body: &[u8]) -> Result<(), Refusal> {
        names(&self.header, body)
    }

    /// The third rung: decrypted, as committed to, and every batch signed by its originator.
    ///
    /// A body that is not the one that the header names passes as a remnant if it fulfils the commitment.
    pub fn open(
        self,
        body: &[u8],
        key: &ContentKey,
        descriptor: &KeyDescriptor,
        view: &View<'_>,
    ) -> Result<Opened, Refusal> {
        let key_id = self.header.key_id;
        let of_log = descriptor.agreement == self.log.agreement && descriptor.author == self.log.author;
        if !of_log || descriptor.key_id != key_id || KeyId::from_bytes(key.id()) != key_id {
            return Err(Refusal::ForeignContentKey);
        }
        let version =
            view.agreement.version(self.header.version).ok_or(Refusal::UnknownVersion(self.header.version))?;
        let reads = |agency: &AgencyId| {
            *agency == self.header.author || version.party(*agency).is_some_and(|party| party.receive)
        };
        if let Some(stranger) = descriptor.recipients.iter().find(|agency| !reads(agency)) {
            return Err(Refusal::Recipient(*stranger));
        }
        let Header { author, card_serial, writer, created, .. } = *self.header;
        let reached = vouched(&self.header, view).is_some_and(|last| last.reached);
        signing_key(view.roll, author, card_serial, writer, created, reached)?;
        let named = self.names(body);
        let content = match (Content::open(body, key), &named) {
            (Ok(content), _) => content,
            (Err(_), Err(not_named)) => return Err(not_named.clone()),
            (Err(refusal), Ok(())) => return Err(refusal),
        };
        if content.commitment() != self.header.content {
            return Err(Refusal::Commitment);
        }
        if !opens(content.opening.as_ref(), self.log.generation, self.header.seq) {
            return Err(Refusal::Opening);
        }
        let batches = content
            .batches
            .into_iter()
            .map(|batch| attest_batch(batch, &self.header, view.roll))
            .collect::<Result<_, _>>()?;
        let remnant = named.is_err();
        Ok(Opened { verified: self, opening: content.opening, batches, remnant })
    }
}

/// Entry 0 of a later generation says where each of the earlier ones stands; no other entry does.
fn opens(opening: Option<&Opening>, generation: u32, seq: u64) -> bool {
    let due = generation > 0 && seq == 0;
    match opening {
        Some(opening) => due && opening.stands.iter().map(|stand| stand.generation).eq(0..generation),
        None => !due,
    }
}

/// What a log has used once an entry is counted whose header is already kept: for counting a day anew.
pub fn usage_after(
    header: &[u8],
    body: &[u8],
    key: &ContentKey,
    descriptor: &KeyDescriptor,
    view: &View<'_>,
    usage: Usage,
) -> Result<Usage, Refusal> {
    let header = Envelope::parse(header)?.attest(view)?;
    let version_depth = view.agreement.depth(header.version).ok_or(Refusal::UnknownVersion(header.version))?;
    let log = header.log(view.agreement.id());
    let opened = Verified { header, log, version_depth }.open(body, key, descriptor, view)?;
    let mut unknown = |_, _, _| KnownRevision { same_revision: None, indicator: None };
    Ok(opened.judge(view, usage, &mut unknown).usage)
}

fn names(header: &Header, body: &[u8]) -> Result<(), Refusal> {
    if body.len() != header.body_length as usize {
        return Err(Refusal::BodyLength { expected: header.body_length as usize, found: body.len() });
    }
    if Hash::of(&[body]) == header.body_hash { Ok(()) } else { Err(Refusal::BodyHash) }
}

/// An author vouches, by signing the entry, for batches of its own that an older key of its signed.
fn attest_batch(batch: ClaimedBatch, header: &Attested<Header>, roll: &Roll) -> Result<SignedBatch, Refusal> {
    let root = *batch.root.claim();
    if batch.root.mode() != header.mode() {
        return Err(Refusal::Mode);
    }
    let own = root.originator == header.author;
    let key = signing_key(roll, root.originator, root.card_serial, root.writer, header.created, own)?;
    let root = batch.root.attest(key).map_err(|error| Refusal::Batch(BatchError::Object(error)))?;
    Ok(SignedBatch { root, leaves: batch.leaves })
}

/// An entry that is decrypted and holds what its author committed to.
#[derive(Clone, Debug)]
pub struct Opened {
    verified: Verified,
    opening: Option<Opening>,
    batches: Vec<SignedBatch>,
    remnant: bool,
}

/// A statement of a report that is already held: the snapshot that judging needs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KnownRevision {
    /// The statement's bytes at the revision asked for, where it is held.
    pub same_revision: Option<Vec<u8>>,
    /// The report's indicator, where any revision is held.
    pub indicator: Option<Indicator>,
}

/// A statement that may be indexed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Admitted {
    /// Who made it.
    pub originator: AgencyId,
    /// Its place among the leaves of the entry.
    pub leaf: u32,
    /// The report or revision.
    pub report: Report,
    /// The exact bytes that the originator's signature covers.
    pub bytes: Vec<u8>,
}

/// A statement that may not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NotAdmitted {
    /// Who made it.
    pub originator: AgencyId,
    /// Its place among the leaves of the entry.
    pub leaf: u32,
    /// Why not.
    pub refusal: Refusal,
    /// The report it speaks of, where it could be read.
    pub report: Option<ReportId>,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// An entry whose every statement was judged.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The entry itself.
    pub verified: Verified,
    /// What entry 0 of a later generation says of the earlier ones.
    pub opening: Option<Opening>,
    /// Statements that may be indexed.
    pub admitted: Vec<Admitted>,
    /// Statements that may not, with the reason of each.
    pub not_admitted: Vec<NotAdmitted>,
    /// Leaves of which only the hash is left.
    pub deleted: u32,
    /// Whether the body is a remnant.
    pub remnant: bool,
    /// What the log has used on its latest day.
    pub usage: Usage,
}

impl Opened {
    /// What entry 0 of a later generation says of the earlier ones.
    pub const fn opening(&self) -> Option<&Opening> {
        self.opening.as_ref()
    }

    /// The last rung: each statement on its own, by the rules of the version that the entry names.
    ///
    /// `usage` is what the log has used before this entry, or, where it opens a generation, what the earlier ones are
    /// known to have used on their latest day: of that and the opening's word the greater counts. `known` tells what is held of a report and revision.
    pub fn judge(
        self,
        view: &View<'_>,
        usage: Usage,
        known: &mut dyn FnMut(AgencyId, ReportId, u32) -> KnownRevision,
    ) -> Judged {
        let header = self.verified.header.payload();
        let version = view.agreement.version(header.version).expect("a verified entry names a known version");
        let usage = match &self.opening {
            Some(opening) => opening.usage().at_least(usage),
            None => usage,
        };
        let cover =
            Cover { version, author: header.author, created: header.created, delete_after: header.delete_after };
        let mut judge = Judge { cover, usage, seen: BTreeSet::new(), indicators: BTreeMap::new(), known };
        let (mut admitted, mut not_admitted) = (Vec::new(), Vec::new());
        let (mut leaf, mut deleted) = (0, 0);
        for batch in self.batches {
            let originator = batch.root.originator;
            for item in batch.leaves {
                match item {
                    Leaf::Deleted(_) => deleted += 1,
                    Leaf::Statement { bytes, .. } => match judge.statement(originator, &bytes) {
                        Ok(report) => admitted.push(Admitted { originator, leaf, report: *report, bytes }),
                        Err((report, refusal)) => {
                            not_admitted.push(NotAdmitted { originator, leaf, refusal, report, bytes });
                        }
                    },
                }
                leaf += 1;
            }
        }
        let usage = judge.usage;
        Judged {
            verified: self.verified,
            opening: self.opening,
            admitted,
            not_admitted,
            deleted,
            remnant: self.remnant,
            usage,
        }
    }
}

struct Judge<'a> {
    cover: Cover<'a>,
    usage: Usage,
    /// What this entry has spoken of so far, and of which indicator.
    seen: BTreeSet<(AgencyId, ReportId, u32)>,
    indicators: BTreeMap<(AgencyId, ReportId), Indicator>,
    known: &'a mut dyn FnMut(AgencyId, ReportId, u32) -> KnownRevision,
}

impl Judge<'_> {
    fn statement(&mut self, originator: AgencyId, bytes: &[u8]) -> Result<Box<Report>, (Option<ReportId>, Refusal)> {
        let statement = Statement::read(bytes).map_err(|error| (None, Refusal::Statement(error)))?;
        let id = match &statement {
            Statement::Report(report) => Some(report.id),
            Statement::Unknown(_) => None,
        };
        let length = bytes.len() as u64;
        let verdict = statement.release(&self.cover, originator, length, self.usage);
        if let Verdict::Denial(term) = verdict {
            return Err((id, Refusal::Term(term)));
        }
        self.usage.add(self.cover.created.day(), length);
        match (verdict, statement) {
            (Verdict::Permit, Statement::Report(report)) => {
                self.report(originator, &report, bytes).map_err(|refusal| (id, refusal))?;
                Ok(report)
            }
            (Verdict::Hold(Unsettled::ForeignOriginator { .. }), _) => {
                Err((id, Refusal::ForeignOriginator(originator)))
            }
            _ => Err((id, Refusal::UnknownStatement)),
        }
    }

    fn report(&mut self, originator: AgencyId, report: &Report, bytes: &[u8]) -> Result<(), Refusal> {
        if report.created > self.cover.created {
            return Err(Refusal::DatedAfterEntry { statement: report.created, entry: self.cover.created });
        }
        let name = (originator, report.id, report.revision);
        if !self.seen.insert(name) {
            return Err(Refusal::ReportIdReused);
        }
        let known = (self.known)(originator, report.id, report.revision);
        if known.same_revision.is_some_and(|held| held != bytes) {
            return Err(Refusal::ReportIdReused);
        }
        let indicator = report.indicator.clone();
        let first = self.indicators.get(&(originator, report.id)).or(known.indicator.as_ref());
        if first.is_some_and(|first| *first != indicator) {
            return Err(Refusal::IndicatorChanged);
        }
        self.indicators.insert((originator, report.id), indicator);
        Ok(())
    }
}
