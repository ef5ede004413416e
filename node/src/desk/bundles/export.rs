//! Out: parts of a bundle, filled from the feed and the logs as they were when it began.

use std::collections::BTreeMap;

use entente_protocol::bundle::{self, BundledObject, PART_BYTES, Part};
use entente_protocol::crypto::content_key;
use entente_protocol::crypto::{ContentKey, EncryptionKey};
use entente_protocol::id::{AgencyId, AgreementId, Hash, LogId};
use entente_protocol::keys::{KeyDescriptor, Wrap};
use entente_protocol::limits;
use entente_protocol::receipt::LogPosition;
use entente_protocol::sync::Guest;
use entente_protocol::sync::message::EntryBytes;
use entente_protocol::time::Time;
use entente_protocol::wire::attest::{Attested, Claimed};
use entente_protocol::wire::object::ObjectKind;

use super::super::ledger::local;
use super::super::{Book, Desk, DeskError, access, scope};
use super::{At, BundlePage, Place, Seen};
use crate::clock;
use crate::store::Item;

/// Bundles of one agreement that a later one may continue from.
const KEPT: u64 = 64;

/// Feed items looked at together.
const FEED_ITEMS: usize = 256;

/// The nodes that read a bundle, and their keys.
type Readers = BTreeMap<(AgencyId, u32), EncryptionKey>;

impl Desk {
    /// Begins a bundle of an agreement: for its parties, or for the one agency named; after an earlier bundle, where
    /// `since` names one.
    pub fn begin_bundle(&self, text: &str, since: Option<u64>, to: Option<&str>) -> Result<Place, DeskError> {
        let book = self.book();
        let agreement = book.find_agreement(text)?;
        let info = access::to_agreement(agreement, clock::now());
        let to = to.map(|name| book.find_agency(name)).transpose()?;
        if let Some(to) = to.filter(|to| !info.knows(to)) {
            return Err(DeskError::NotForThem { agency: to, agreement: agreement.id() });
        }
        let guest = to.and_then(|to| info.guests.get(&to).copied());
        let number = self.look(agreement.id(), since, to, guest)?;
        Ok(Place { number, index: 0, at: At::Feed(self.seen(agreement.id(), number)?.feed_from) })
    }

    /// A part of a bundle that was begun.
    pub fn export_bundle(&self, text: &str, place: Place) -> Result<BundlePage, DeskError> {
        let book = self.book();
        let agreement = book.find_agreement(text)?.id();
        let seen = self.seen(agreement, place.number)?;
        let key = self.bundle_key(&seen.bundle);
        let nodes = bundle_readers(&book, agreement, &seen);
        let mut part = self.empty_part(agreement, &seen, place.index);
        let next = self.fill(&seen, agreement, place, &nodes, &mut part)?;
        part.last = next.is_none();
        // A guest is told of no log.
        if part.last && seen.guest.is_none() {
            part.positions = seen.logs.iter().map(|(position, _)| *position).collect();
        }
        let part = Attested::sign(part, self.me.mode, &self.me.signing);
        let sealed = content_key::seal(&key, part.bytes()).map_err(|_| DeskError::TooLarge)?;
        let head = (place.index == 0).then(|| {
            let wraps = nodes.values().map(|to| Wrap::seal(&key, to).expect("a key can be sealed in memory"));
            bundle::write_head(&wraps.collect::<Vec<_>>())
        });
        Ok(BundlePage { head, part: sealed, next, number: place.number })
    }

    fn empty_part(&self, agreement: AgreementId, seen: &Seen, index: u64) -> Part {
        Part {
            agreement,
            maker: self.me.agency,
            card_serial: self.me.card_serial,
            writer: self.me.writer,
            created: seen.created,
            bundle: seen.bundle,
            index,
            last: false,
            objects: Vec::new(),
            wraps: Vec::new(),
            entries: Vec::new(),
            positions: Vec::new(),
        }
    }

    /// Looks at an agreement, and keeps what there is to be sent.
    fn look(
        &self,
        agreement: AgreementId,
        since: Option<u64>,
        to: Option<AgencyId>,
        guest: Option<Guest>,
    ) -> Result<u64, DeskError> {
        let before = since.map(|number| self.seen(agreement, number)).transpose()?;
        let had: BTreeMap<_, _> = before
            .iter()
            .flat_map(|seen| &seen.logs)
            .map(|(at, _)| ((at.author, at.writer, at.generation), at.seq))
            .collect();
        let _turn = self.turn();
        let place = scope::of_agreement(agreement);
        let last = self
            .store
            .local_prefix(&local::bundles(agreement))
            .into_iter()
            .filter_map(|(key, _)| Some(u64::from_be_bytes(*key.last_chunk()?)));
        let number = last.max().map_or(1, |last| last + 1);
        let logs = self.heads().into_iter().filter(|(log, _)| log.agreement == agreement).map(|(log, head)| {
            let position = LogPosition {
                author: log.author,
                writer: log.writer,
                generation: log.generation,
                seq: head.seq,
                hash: head.hash,
            };
            let from = had.get(&(log.author, log.writer, log.generation)).map_or(0, |seq| seq + 1);
            (position, from)
        });
        let seen = Seen {
            bundle: clock::random(),
            created: clock::now(),
            feed_from: before.as_ref().map_or(0, |seen| seen.feed_end),
            feed_end: self.store.feed_end(&place)?,
            logs: logs.collect(),
            to,
            guest,
        };
        let mut items = vec![Item::Local { key: local::bundle(agreement, number), value: Some(seen.write()) }];
        if let Some(old) = number.checked_sub(KEPT) {
            items.push(Item::Local { key: local::bundle(agreement, old), value: None });
        }
        self.store.commit(items)?;
        Ok(number)
    }

    fn seen(&self, agreement: AgreementId, number: u64) -> Result<Seen, DeskError> {
        let kept = self.store.local(&local::bundle(agreement, number));
        kept.and_then(|bytes| Seen::read(&bytes).ok()).ok_or(DeskError::NoBundle { agreement, number })
    }

    fn bundle_key(&self, bundle: &[u8; 16]) -> ContentKey {
        ContentKey::from_bytes(&Hash::of(&[b"entente.bundle-key.v1", &self.me.mark, bundle]).0)
    }

    /// Fills a part, and says where the next one begins.
    fn fill(
        &self,
        seen: &Seen,
        agreement: AgreementId,
        place: Place,
        readers: &Readers,
        part: &mut Part,
    ) -> Result<Option<Place>, DeskError> {
        let next = |at| Ok(Some(Place { number: place.number, index: place.index + 1, at }));
        let mut room = PART_BYTES;
        let mut at = match place.at {
            At::Feed(after) => match self.fill_objects(seen, agreement, after, readers, part, &mut room)? {
                Some(after) => return next(At::Feed(after)),
                None => (0, seen.logs.first().map_or(0, |(_, from)| *from)),
            },
            At::Log(log, seq) => (log, seq),
        };
        // A guest is given no log.
        let logs = if seen.guest.is_some() { &[][..] } else { &seen.logs[..] };
        for (number, (position, _)) in (0_u64..).zip(logs) {
            if number < at.0 {
                continue;
            }
            while at.1 <= position.seq {
                let log = LogId {
                    agreement,
                    author: position.author,
                    writer: position.writer,
                    generation: position.generation,
                };
                let page = self.entries(&log, at.1, position.seq, room)?;
                for entry in page {
                    let bytes = entry.header.len() + entry.body.as_ref().map_or(0, Vec::len);
                    let full = bytes > room && !part.is_empty() || part.entries.len() >= limits::BUNDLED;
                    if full {
                        return next(At::Log(number, entry.seq));
                    }
                    room = room.saturating_sub(bytes);
                    at.1 = entry.seq + 1;
                    part.entries.push(EntryBytes { header: entry.header, body: entry.body });
                }
                if room == 0 && at.1 <= position.seq {
                    return next(At::Log(number, at.1));
                }
            }
            at = (number + 1, logs.get(usize::try_from(number + 1).unwrap_or(usize::MAX)).map_or(0, |(_, from)| *from));
        }
        Ok(None)
    }

    /// Objects of the feed after a position, and the wraps of the keys that they describe; where there are more, the
    /// position to go on after.
    fn fill_objects(
        &self,
        seen: &Seen,
        agreement: AgreementId,
        mut after: u64,
        readers: &Readers,
        part: &mut Part,
        room: &mut usize,
    ) -> Result<Option<u64>, DeskError> {
        let feed = scope::of_agreement(agreement);
        loop {
            let page = self.feed_after(&feed, after, FEED_ITEMS)?;
            let ended = page.len() < FEED_ITEMS;
            for (position, kind, name) in page {
                if position > seen.feed_end {
                    return Ok(None);
                }
                let may =
                    seen.guest.is_none_or(|guest| ObjectKind::of_number(kind).is_some_and(|kind| guest.may_have(kind)));
                let Some((kind, bytes)) = self.object(&feed, &name)?.filter(|_| may) else {
                    after = position;
                    continue;
                };
                let wraps = self.wraps_of(agreement, kind, &bytes, readers);
                let size = bytes.len() + wraps.iter().map(Vec::len).sum::<usize>();
                if size > *room && !part.is_empty() || part.wraps.len() + wraps.len() > limits::BUNDLED {
                    return Ok(Some(after));
                }
                *room = room.saturating_sub(size);
                part.objects.push(BundledObject { kind, bytes });
                part.wraps.extend(wraps);
                after = position;
            }
            if ended {
                return Ok(None);
            }
            if *room == 0 || part.objects.len() + FEED_ITEMS > limits::BUNDLED {
                return Ok(Some(after));
            }
        }
    }

    /// The key that an object describes, wrapped for each node that may read under it.
    fn wraps_of(&self, agreement: AgreementId, kind: u8, bytes: &[u8], readers: &Readers) -> Vec<Vec<u8>> {
        if kind != ObjectKind::KeyDescriptor.number() {
            return Vec::new();
        }
        let Ok(descriptor) = Claimed::<KeyDescriptor>::parse(bytes) else { return Vec::new() };
        let key = [descriptor.claim().key_id];
        readers.keys().flat_map(|(agency, writer)| self.wraps_for(agreement, &key, *agency, *writer)).collect()
    }
}

/// The parties; of an agreement that is only proposed, all whom it names.
fn bundle_parties(book: &Book, agreement: AgreementId, now: Time) -> Vec<AgencyId> {
    let Ok(known) = book.agreement(agreement) else { return Vec::new() };
    let info = access::to_agreement(known, now);
    if info.parties.is_empty() { info.guests.into_keys().collect() } else { info.parties.into_iter().collect() }
}

/// The nodes that may read a bundle: those of the parties, or those of the one agency that it is for.
fn bundle_readers(book: &Book, agreement: AgreementId, seen: &Seen) -> Readers {
    let now = clock::now();
    let agencies = match seen.to {
        Some(to) => vec![to],
        None => bundle_parties(book, agreement, now),
    };
    let nodes = agencies.into_iter().flat_map(|agency| {
        let nodes = book.roll.encryption_keys(agency, now).unwrap_or_default();
        nodes.into_iter().map(move |(writer, key)| ((agency, writer), key.clone()))
    });
    nodes.collect()
}
