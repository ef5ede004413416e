//! What the machine asks of the desk, as functions that run on a blocking thread: each yields the machine's inputs, or
//! the answer to a partner.

use entente_protocol::entry::refusal::Refusal;
use entente_protocol::id::{AgencyId, AgreementId, Hash, LogId};
use entente_protocol::sync::message::{Budget, EntryBytes, FeedItem, FeedPage, ObjectAt, Response};
use entente_protocol::sync::{Cursor, Guest, Input, ObjectBytes, PageOutcome, Plan, Position};
use entente_protocol::wire::object::ObjectKind;

use crate::desk::{Desk, DeskError};
use crate::store::StoredEntry;

pub(super) fn admit(desk: &Desk, from: AgencyId, log: LogId, entries: Vec<EntryBytes>) -> Vec<Input> {
    let entries = entries.into_iter().map(|entry| (entry.header, entry.body)).collect();
    let outcome = match desk.take_entries(from, log, entries) {
        Ok(arrival) if arrival.advanced => PageOutcome::Advanced,
        Ok(arrival) => {
            if let Some(refusal) = &arrival.stopped {
                tracing::info!(author = %log.author, %from, reason = refusal.reason().slug, "entries do not climb");
            }
            match arrival.stopped {
                Some(Refusal::OtherBranch { .. }) => PageOutcome::OtherBranch,
                _ => PageOutcome::Stuck,
            }
        }
        Err(error) => {
            tracing::error!(%error, "entries could not be taken");
            PageOutcome::Stuck
        }
    };
    vec![Input::PageDone { from, log, outcome }]
}

/// Which objects of a feed's page are not held.
pub(super) fn lacking(desk: &Desk, from: AgencyId, scope: Hash, items: &[FeedItem]) -> Vec<Input> {
    let names: Vec<Hash> = items.iter().map(|item| item.hash).collect();
    vec![match desk.lacking(&names) {
        Ok(hashes) => Input::Fetch { from, scope, hashes },
        Err(error) => {
            tracing::error!(%error, "what a partner lists cannot be looked for");
            Input::FeedFailed { from, scope }
        }
    }]
}

/// Takes objects of a feed, and content keys.
pub(super) fn take(
    desk: &Desk,
    from: AgencyId,
    scope: Hash,
    objects: Vec<ObjectBytes>,
    cursor: Option<Cursor>,
) -> Vec<Input> {
    let (wraps, objects): (Vec<_>, Vec<_>) =
        objects.into_iter().partition(|object| object.kind == ObjectKind::Wrap.number());
    if !wraps.is_empty() {
        let wraps: Vec<Vec<u8>> = wraps.into_iter().map(|object| object.bytes).collect();
        // Keys are wanted until they are held: no answer is due.
        if let Err(error) = desk.take_wraps(AgreementId(scope), &wraps) {
            tracing::error!(%error, "content keys could not be taken");
        }
    }
    let objects = objects.into_iter().map(|object| (object.kind, object.bytes)).collect();
    let taken = desk.take_objects(from, scope, objects).and_then(|taken| {
        // What is held in memory alone must be listed again after a start.
        if let Some(cursor) = cursor.filter(|_| taken.held == 0) {
            desk.keep_cursor(from, scope, cursor)?;
        }
        Ok(taken.new > 0)
    });
    match (taken, cursor) {
        (Ok(useful), Some(cursor)) => vec![Input::FeedDone { from, scope, cursor, useful }],
        (Ok(_), None) => Vec::new(),
        (Err(error), _) => {
            tracing::error!(%error, "objects could not be taken");
            vec![Input::FeedFailed { from, scope }]
        }
    }
}

/// Compares a partner's position with our own entry there.
pub(super) fn check(desk: &Desk, from: AgencyId, log: LogId, position: Position) -> Vec<Input> {
    vec![match desk.same_entry(&log, position.seq, &position.hash) {
        Ok(Some(same)) => Input::Checked { from, log, position, same },
        Ok(None) => Input::Unchecked { from, log },
        Err(error) => {
            tracing::error!(%error, "an own entry cannot be read");
            Input::Unchecked { from, log }
        }
    }]
}

/// Judges what a partner has in place of our entry. A proof that comes of it is told as news.
pub(super) fn evidence(desk: &Desk, from: AgencyId, log: LogId, entry: EntryBytes) -> Vec<Input> {
    if let Err(error) = desk.take_entries(from, log, vec![(entry.header, entry.body)]) {
        tracing::error!(%error, "evidence of a fork could not be judged");
    }
    vec![Input::EvidenceDone { from, log }]
}

/// Reads the store for a partner.
pub(super) fn answer(desk: &Desk, from: AgencyId, plan: Plan) -> Result<Response, DeskError> {
    Ok(match plan {
        Plan::Entries { log, from_seq, until_seq, max_bytes } => {
            let mut budget = Budget::new(max_bytes);
            let page = desk.entries(&log, from_seq, until_seq, usize::try_from(max_bytes).unwrap_or(usize::MAX))?;
            let fits = |entry: &StoredEntry| budget.take(entry.header.len() + entry.body.as_ref().map_or(0, Vec::len));
            let page: Vec<_> = page.into_iter().take_while(fits).collect();
            Response::Entries(
                page.into_iter().map(|entry| EntryBytes { header: entry.header, body: entry.body }).collect(),
            )
        }
        Plan::Objects { scope, hashes, max_bytes, guest } => {
            let mut budget = Budget::new(max_bytes);
            let mut objects = Vec::new();
            for (index, name) in (0..).zip(&hashes) {
                let Some((kind, bytes)) = desk.object(&scope, name)?.filter(|(kind, _)| may_have(guest, *kind)) else {
                    continue;
                };
                if !budget.take(bytes.len()) {
                    break;
                }
                objects.push(ObjectAt { index, kind, bytes });
            }
            Response::Objects(objects)
        }
        Plan::Feed { scope, guest, incarnation, after, limit } => {
            let (items, more) = feed(desk, &scope, guest, after, limit)?;
            Response::Feed(FeedPage { incarnation, items, more })
        }
        Plan::Wraps { scope, key_ids, agency, writer } => {
            debug_assert_eq!(agency, from, "wraps are made for who asks");
            Response::Wraps(desk.wraps_for(AgreementId(scope), &key_ids, agency, writer))
        }
    })
}

fn may_have(guest: Option<Guest>, kind: u8) -> bool {
    guest.is_none_or(|guest| ObjectKind::of_number(kind).is_some_and(|kind| guest.may_have(kind)))
}

/// Items of a feed that the asker may have, after a position; and whether there are more.
fn feed(
    desk: &Desk,
    scope: &Hash,
    guest: Option<Guest>,
    mut after: u64,
    limit: usize,
) -> Result<(Vec<FeedItem>, bool), DeskError> {
    let mut items = Vec::new();
    loop {
        let page = desk.feed_after(scope, after, limit + 1)?;
        let last = page.len() <= limit;
        after = page.last().map_or(after, |(position, ..)| *position);
        let page = page.into_iter().filter(|(_, kind, _)| may_have(guest, *kind));
        items.extend(page.map(|(position, kind, hash)| FeedItem { position, kind, hash }));
        if last || items.len() > limit {
            let more = items.len() > limit;
            items.truncate(limit);
            return Ok((items, more));
        }
    }
}
