//! Reading a damaged segment: what of it is whole, what is lost, and whether the loss was ever acknowledged.

use std::path::PathBuf;

use super::error::Result;
use super::frame::Head;
use super::segment::{Segment, Stride, Walk};
use super::types::Damage;

/// After a fault in the last segment: whether frames of a *later write* follow, which proves that what is broken
/// had been synced.
pub(super) fn was_acknowledged(walk: &mut Walk<'_>) -> Result<bool> {
    let broken = walk.expected;
    while let Some((offset, head)) = walk.resync()? {
        if head.sequence - u64::from(head.back).min(head.sequence) > broken {
            return Ok(true);
        }
        walk.skip_to(offset, &head);
    }
    Ok(false)
}

/// What a damaged segment lost: the stretch from the first fault to the last.
pub(super) struct Loss {
    offset: u64,
    bytes: u64,
    /// The first frame lost.
    pub(super) from_sequence: u64,
    /// The frame after the last, if one was found.
    pub(super) to_sequence: Option<u64>,
}

impl Loss {
    /// As it is told.
    pub(super) fn into_damage(self, file: PathBuf) -> Damage {
        let to = self.to_sequence.unwrap_or(self.from_sequence);
        Damage { file, offset: self.offset, bytes: self.bytes, sequences: self.from_sequence..to, resupply: Vec::new() }
    }
}

/// Collects the frames of all whole commits; says what stretch, from the first fault to the last, was lost.
pub(super) fn salvage_walk(damaged: &Segment, commits: &mut Vec<(Head, Vec<u8>)>) -> Result<Loss> {
    let mut walk = Walk::new(damaged)?;
    let mut loss = Loss { offset: 0, bytes: 0, from_sequence: walk.expected, to_sequence: None };
    let mut commit = Vec::new();
    loop {
        match walk.next()? {
            Stride::Frame(head, _) => {
                commit.push((head, walk.payload().to_vec()));
                if head.last {
                    commits.append(&mut commit);
                }
            }
            Stride::End => {
                loss.to_sequence = loss.to_sequence.or((loss.offset == 0).then_some(loss.from_sequence));
                return Ok(loss);
            }
            Stride::Fault(offset) => {
                if loss.offset == 0 {
                    let lost_from = commit.first().map_or(walk.expected, |(head, _)| head.sequence);
                    (loss.offset, loss.from_sequence) = (offset, lost_from);
                }
                commit.clear();
                let resumed = resume(&mut walk)?;
                loss.bytes = resumed.map_or(walk.length() - loss.offset, |(at, _)| at - loss.offset);
                loss.to_sequence = resumed.map(|(_, sequence)| sequence);
                if resumed.is_none() {
                    return Ok(loss);
                }
            }
        }
    }
}

/// Goes to the next frame that is sound and begins a commit.
fn resume(walk: &mut Walk<'_>) -> Result<Option<(u64, u64)>> {
    while let Some((offset, head)) = walk.resync()? {
        walk.skip_to(offset, &head);
        if head.first {
            return Ok(Some((offset, head.sequence)));
        }
    }
    Ok(None)
}
