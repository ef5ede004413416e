//! The state of this node alone: a small map, whole in memory, with a journal of its own.
//!
//! ```text
//! local   with u64 | salt 16 | sealed( key length u32 | key | 0, or 1 and the value )
//! ```
//!
//! A commit may touch both journals. Then the local part is written first and names, in `with`, the last frame of
//! the federation part; at open, a local tail that names a frame which the federation journal never got is cut.
//! When the journal has grown to several times what it says, a snapshot takes its place.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use super::error::{Result, StoreError};
use super::frame::{Draft, Kind, MAX_PAYLOAD};
use super::journal::{Fault, Journal};
use super::payload::Take;
use super::seal::{Sealer, salt};

/// Bytes below which no snapshot is worth it.
const SNAPSHOT_FLOOR: u64 = 1 << 20;

/// A snapshot is made when the journal has so many times the bytes of what it says.
const SNAPSHOT_RATIO: u64 = 4;

type Values = BTreeMap<Vec<u8>, Vec<u8>>;

/// See the module.
pub(super) struct Local {
    journal: Journal,
    values: RwLock<Values>,
}

impl Local {
    /// Reads the whole journal; `federation_end` is the sequence the next federation frame will have, or `None` if
    /// that journal lost frames and proves nothing.
    pub(super) fn load(
        journal: Journal,
        sealer: &Sealer,
        federation_end: Option<u64>,
    ) -> Result<std::result::Result<Local, (Journal, Fault)>> {
        let mut values = Values::new();
        let mut cut = None;
        let scanned = journal.scan(1, &mut |head, position, payload| {
            let unreadable =
                || StoreError::Damaged { file: journal.path(position.segment), offset: u64::from(position.offset) };
            let (with, key, value) = read(sealer, payload).ok_or_else(unreadable)?;
            if cut.is_some() || federation_end.is_some_and(|end| with >= end) {
                cut = cut.or(Some(head.sequence));
                return Ok(());
            }
            set(&mut values, key, value);
            Ok(())
        })?;
        if let Err(fault) = scanned {
            return Ok(Err((journal, fault)));
        }
        if let Some(sequence) = cut {
            journal.cut_from(sequence)?;
        }
        Ok(Ok(Local { journal, values: RwLock::new(values) }))
    }

    /// The value under a key.
    pub(super) fn value(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.values.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// All pairs whose keys begin with this.
    pub(super) fn prefix(&self, prefix: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let values = self.values.read().unwrap_or_else(PoisonError::into_inner);
        let range = values.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
        range.map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// Makes these drafts durable; [`Local::take_in`] makes them visible.
    pub(super) fn append(&self, commits: &[&[Draft]]) -> Result<()> {
        self.journal.append(commits).map(drop)
    }

    /// Makes changes visible that are durable.
    pub(super) fn take_in(&self, changes: Vec<(Vec<u8>, Option<Vec<u8>>)>) {
        let mut values = self.values.write().unwrap_or_else(PoisonError::into_inner);
        for (key, value) in changes {
            set(&mut values, key, value);
        }
    }

    /// Puts a snapshot in the journal's place if it has grown, or if `force`.
    pub(super) fn tidy(&self, sealer: &Sealer, force: bool) -> Result<()> {
        let values = self.values.read().unwrap_or_else(PoisonError::into_inner).clone();
        let live: u64 = values.iter().map(|(key, value)| (key.len() + value.len() + 128) as u64).sum();
        if !force && self.journal.bytes() < SNAPSHOT_FLOOR.max(live * SNAPSHOT_RATIO) {
            return Ok(());
        }
        let old: Vec<u32> = self.journal.segments().iter().map(|s| s.header.number).collect();
        let end = self.journal.next_sequence() + values.len() as u64;
        let mut rewrite = self.journal.rewrite(0, self.journal.next_sequence(), end, true)?;
        for ((key, value), sequence) in values.iter().zip(self.journal.next_sequence()..) {
            rewrite.push(sequence, Kind::Local, &payload(sealer, 0, key, Some(value))?)?;
        }
        rewrite.finish()?;
        self.journal.skip_to(end)?;
        if self.journal.tail_number() == *old.last().unwrap_or(&0) {
            self.journal.roll()?;
        }
        let tail = self.journal.tail_number();
        old.into_iter().filter(|number| *number != tail).try_for_each(|number| self.journal.retire(number))
    }
}

/// The frame of a local value.
pub(super) fn draft(sealer: &Sealer, with: u64, key: &[u8], value: Option<&[u8]>) -> Result<Draft> {
    Ok(Draft { kind: Kind::Local, payload: payload(sealer, with, key, value)? })
}

fn payload(sealer: &Sealer, with: u64, key: &[u8], value: Option<&[u8]>) -> Result<Vec<u8>> {
    let bytes = key.len() + value.map_or(0, <[u8]>::len);
    let limit = MAX_PAYLOAD - 128;
    if bytes > limit {
        return Err(StoreError::TooLarge { bytes: bytes as u64, limit: limit as u64 });
    }
    let length = u32::try_from(key.len()).expect("bounded above");
    let mut plain = length.to_le_bytes().to_vec();
    plain.extend_from_slice(key);
    plain.push(u8::from(value.is_some()));
    plain.extend_from_slice(value.unwrap_or_default());
    let (with, salt) = (with.to_le_bytes(), salt()?);
    Ok([with.as_slice(), &salt, &sealer.seal(&salt, 0, &with, &plain)].concat())
}

fn read(sealer: &Sealer, payload: &[u8]) -> Option<(u64, Vec<u8>, Option<Vec<u8>>)> {
    let mut take = Take(payload);
    let (with, salt) = (take.array::<8>()?, take.array()?);
    let plain = sealer.open(&salt, 0, &with, take.0)?;
    let mut take = Take(&plain);
    let length = take.u32()? as usize;
    let (key, rest) = take.0.split_at_checked(length)?;
    let (present, value) = rest.split_first()?;
    let value = (*present == 1).then(|| value.to_vec());
    Some((u64::from_le_bytes(with), key.to_vec(), value))
}

fn set(values: &mut Values, key: Vec<u8>, value: Option<Vec<u8>>) {
    match value {
        Some(value) => drop(values.insert(key, value)),
        None => drop(values.remove(&key)),
    }
}
