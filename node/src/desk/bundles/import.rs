//! In: a part is opened, its maker's signature verified, and what it brings goes the way of what a connection brings.

use entente_protocol::bundle::{self, Part};
use entente_protocol::crypto::{ContentKey, content_key, wrap};
use entente_protocol::entry::header::Header;
use entente_protocol::entry::refusal::{Disposition, Refusal};
use entente_protocol::id::{AgreementId, LogId};
use entente_protocol::limits;
use entente_protocol::receipt::LogPosition;
use entente_protocol::sync::message::EntryBytes;
use entente_protocol::wire::attest::Claimed;

use super::super::{Desk, DeskError, scope};
use super::PartTaken;

impl Desk {
    /// Takes a part of a bundle, given with the head of its file.
    pub fn import_part(&self, head: &[u8], sealed: &[u8]) -> Result<PartTaken, DeskError> {
        let wraps = bundle::read_head(head).map_err(|_| DeskError::NotABundle("its head is damaged"))?;
        let key = wraps.iter().find_map(|file| {
            let plain = wrap::unwrap(&self.me.encryption, file, 32).ok()?;
            Some(ContentKey::from_bytes(plain.as_slice().try_into().ok()?))
        });
        let key = key.ok_or(DeskError::NotABundle("it is not for this node"))?;
        let plain = content_key::open(&key, sealed, limits::BUNDLE_PART_BYTES)
            .map_err(|_| DeskError::NotABundle("a part of it is damaged"))?;
        let claimed = Claimed::<Part>::parse(&plain).map_err(|_| DeskError::NotABundle("a part of it is malformed"))?;
        let book = self.book();
        let (maker, created) = (claimed.claim().maker, claimed.claim().created);
        if maker != self.me.agency && !book.partners().contains(&maker) {
            return Err(DeskError::NoAgency(maker.to_string()));
        }
        if claimed.mode() != self.me.mode {
            return Err(DeskError::Mode { agency: maker, theirs: claimed.mode(), ours: self.me.mode });
        }
        let signer = *book.roll.signing_key(maker, claimed.claim().card_serial, claimed.claim().writer, created)?;
        let part = claimed.attest(&signer).map_err(|_| DeskError::NotABundle("its maker did not sign it"))?;
        self.take_part(part.payload())
    }

    fn take_part(&self, part: &Part) -> Result<PartTaken, DeskError> {
        let (maker, agreement) = (part.maker, part.agreement);
        let objects = part.objects.iter().map(|object| (object.kind, object.bytes.clone())).collect();
        let objects = self.take_objects(maker, scope::of_agreement(agreement), objects)?;
        let mut taken = PartTaken {
            agreement,
            maker,
            created: part.created,
            index: part.index,
            last: part.last,
            objects: (objects.new, objects.held, objects.refused),
            entries: part.entries.len(),
            advanced: 0,
            early: 0,
            refused: Vec::new(),
        };
        self.take_wraps(agreement, &part.wraps)?;
        for (log, entries) in by_log(agreement, &part.entries) {
            let arrival = self.take_entries(maker, log, entries)?;
            taken.advanced += usize::from(arrival.advanced);
            match arrival.stopped {
                Some(refusal) if waits(&refusal) => taken.early += 1,
                Some(refusal) => taken.refused.push((log.author, refusal.reason().slug)),
                None => {}
            }
        }
        if part.last {
            self.compare(part)?;
        }
        Ok(taken)
    }

    /// What a partner holds of our own log, from a bundle that it made after we started, is as good as having asked it.
    fn compare(&self, part: &Part) -> Result<(), DeskError> {
        if part.maker == self.me.agency || part.created < self.started {
            return Ok(());
        }
        let ours = |at: &&LogPosition| at.author == self.me.agency && at.writer == self.me.writer;
        let heads = self.heads();
        let ahead = part.positions.iter().filter(ours).any(|at| {
            let log =
                LogId { agreement: part.agreement, author: at.author, writer: at.writer, generation: at.generation };
            heads.get(&log).is_none_or(|head| head.seq < at.seq)
        });
        if ahead {
            self.restored(part.agreement)?;
        }
        self.compared(part.agreement)
    }
}

/// Headers, and bodies where they came.
type Entries = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// What only waits for something that may still come.
fn waits(refusal: &Refusal) -> bool {
    refusal.disposition() != Disposition::Refused
}

/// Entries in their order, log by log. What is no header at all belongs to no log, and is passed over.
fn by_log(agreement: AgreementId, entries: &[EntryBytes]) -> Vec<(LogId, Entries)> {
    let mut logs: Vec<(LogId, Entries)> = Vec::new();
    for entry in entries {
        let Ok(header) = Claimed::<Header>::parse(&entry.header) else { continue };
        let claim = header.claim();
        let log = LogId { agreement, author: claim.author, writer: claim.writer, generation: claim.generation };
        let entry = (entry.header.clone(), entry.body.clone());
        match logs.last_mut() {
            Some((last, entries)) if *last == log => entries.push(entry),
            _ => logs.push((log, vec![entry])),
        }
    }
    logs
}
