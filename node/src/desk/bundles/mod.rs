//! Bundles at the desk: what catch-up would bring leaves in a file, and comes in from one, by the same verification.
//!
//! An export looks at its agreement once, when it begins, and keeps what it saw under a number: parts that are asked for
//! later end there, and a later export continues from there (`since`).

mod export;
mod import;

use entente_protocol::id::{AgencyId, AgreementId};
use entente_protocol::receipt::LogPosition;
use entente_protocol::sync::Guest;
use entente_protocol::time::Time;
use entente_protocol::wire::codec::{self, CodecError, MapReader, MapWriter};

/// A part of a bundle on its way out.
#[derive(Clone, Debug)]
pub struct BundlePage {
    /// The head of the file; with the first part only.
    pub head: Option<Vec<u8>>,
    /// The sealed part.
    pub part: Vec<u8>,
    /// Where the next part begins; absent after the last.
    pub next: Option<Place>,
    /// The number by which a later bundle continues from this one.
    pub number: u64,
}

/// Where a part of a bundle begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place {
    number: u64,
    index: u64,
    at: At,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum At {
    /// After this position of the feed.
    Feed(u64),
    /// At this log of those that the bundle saw, and this entry of it.
    Log(u64, u64),
}

impl Place {
    /// The bundle's number.
    pub const fn number(self) -> u64 {
        self.number
    }

    /// Writes it for whoever asks for the next part.
    pub fn write(&self) -> String {
        match self.at {
            At::Feed(after) => format!("{}.{}.f.{after}", self.number, self.index),
            At::Log(log, seq) => format!("{}.{}.l.{log}.{seq}", self.number, self.index),
        }
    }

    /// Reads what [`Place::write`] wrote.
    pub fn read(text: &str) -> Option<Place> {
        let parts: Vec<&str> = text.split('.').collect();
        let number = |at: usize| parts.get(at)?.parse().ok();
        let at = match (parts.get(2).copied(), parts.len()) {
            (Some("f"), 4) => At::Feed(number(3)?),
            (Some("l"), 5) => At::Log(number(3)?, number(4)?),
            _ => return None,
        };
        Some(Place { number: number(0)?, index: number(1)?, at })
    }
}

/// What came of a part.
#[derive(Clone, Debug)]
pub struct PartTaken {
    /// The agreement.
    pub agreement: AgreementId,
    /// Who made the bundle.
    pub maker: AgencyId,
    /// When.
    pub created: Time,
    /// Which part, from 0.
    pub index: u64,
    /// Whether it is the last.
    pub last: bool,
    /// Objects that were new, that wait for what they refer to, and that were refused.
    pub objects: (usize, usize, usize),
    /// Entries in it.
    pub entries: usize,
    /// Logs that grew.
    pub advanced: usize,
    /// Logs of which entries wait for what an earlier part brings.
    pub early: usize,
    /// Logs of which an entry was refused, with the reason.
    pub refused: Vec<(AgencyId, &'static str)>,
}

/// What an export saw when it began.
struct Seen {
    bundle: [u8; 16],
    created: Time,
    feed_from: u64,
    feed_end: u64,
    /// Of each log: where it stood, and what the receiver has of it already.
    logs: Vec<(LogPosition, u64)>,
    /// The one agency that it is for; else it is for all parties.
    to: Option<AgencyId>,
    /// As what that agency may know the agreement, where it is no party.
    guest: Option<Guest>,
}

impl Seen {
    fn write(&self) -> Vec<u8> {
        MapWriter::new()
            .put_bytes(0, &self.bundle)
            .put(1, &self.created)
            .put(2, &self.feed_from)
            .put(3, &self.feed_end)
            .put_list(4, &self.logs.iter().map(|(position, _)| *position).collect::<Vec<_>>())
            .put_some(5, self.to.as_ref())
            .put_some(6, self.guest.map(|guest| u64::from(guest == Guest::Former)).as_ref())
            .put_list(7, &self.logs.iter().map(|(_, from)| *from).collect::<Vec<_>>())
            .finish()
    }

    fn read(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::read_object(bytes, |map: &mut MapReader<'_, '_>| {
            let bundle = map.bytes(0, 16)?.and_then(|bytes| bytes.try_into().ok()).ok_or(CodecError::Missing(0))?;
            let (created, feed_from, feed_end) = (map.need(1)?, map.need(2)?, map.need(3)?);
            let positions = map.list(4, usize::MAX)?;
            let to = map.take(5)?;
            let guest = map.take::<u64>(6)?.map(|former| if former == 1 { Guest::Former } else { Guest::Invited });
            let from = map.list(7, usize::MAX)?;
            let logs = positions.into_iter().zip(from).collect();
            Ok(Self { bundle, created, feed_from, feed_end, logs, to, guest })
        })
    }
}
