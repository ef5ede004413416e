//! Partners that break faith. What a liar answers is made from what its node would have answered honestly.

use entente_protocol::id::Hash;
use entente_protocol::sync::message::{FeedItem, FeedPage, Request, Response};

use crate::random::Random;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Lie {
    /// Changes bytes of entries and objects.
    Tamper,
    /// Answers other questions than were put, or with no message at all.
    WrongAnswers,
    /// Answers nothing.
    Silence,
    /// Says that its logs and feeds have no end, and fills pages with what was asked for before.
    Endless,
    /// Runs two nodes under one identity, whose logs contradict each other.
    Fork,
}

impl Lie {
    pub(crate) const ALL: [Lie; 5] = [Lie::Tamper, Lie::WrongAnswers, Lie::Silence, Lie::Endless, Lie::Fork];

    /// What goes out in place of an answer; `None` for nothing.
    pub(crate) fn answer(self, request: &Request, honest: Vec<u8>, random: &mut Random) -> Option<Vec<u8>> {
        match self {
            Lie::Fork => Some(honest),
            Lie::Silence => None,
            Lie::WrongAnswers => Some(match random.below(3) {
                0 => vec![0xff; 40],
                1 => Response::Objects(Vec::new()).write(),
                _ => Response::Heads { positions: Vec::new(), more: false }.write(),
            }),
            Lie::Tamper => Some(tampered(honest, random)),
            Lie::Endless => Some(endless(request, honest, random)),
        }
    }
}

fn tampered(honest: Vec<u8>, random: &mut Random) -> Vec<u8> {
    let (place, at, bit) = (random.next(), random.index(64), 1 << random.below(8));
    match Response::read(&honest) {
        Ok(Response::Entries(mut entries)) if !entries.is_empty() => {
            let entry = usize::try_from(place % entries.len() as u64).unwrap();
            match &mut entries[entry].body {
                Some(body) if place % 2 == 0 => body[at] ^= bit,
                _ => entries[entry].header[at] ^= bit,
            }
            Response::Entries(entries).write()
        }
        Ok(Response::Objects(mut objects)) if !objects.is_empty() => {
            let object = usize::try_from(place % objects.len() as u64).unwrap();
            objects[object].bytes[at] ^= bit;
            Response::Objects(objects).write()
        }
        _ => honest,
    }
}

fn endless(request: &Request, honest: Vec<u8>, random: &mut Random) -> Vec<u8> {
    match (request, Response::read(&honest)) {
        (_, Ok(Response::Heads { mut positions, more })) => {
            for position in &mut positions {
                position.seq += 1 + random.below(1000);
            }
            Response::Heads { positions, more }.write()
        }
        (Request::Feed { after, .. }, Ok(Response::Feed(page))) => {
            let item = |n: u64| FeedItem {
                position: after + n,
                kind: 5,
                hash: Hash::of(&[b"endless", &(after + n).to_be_bytes()]),
            };
            let items = (1..=50).map(item).collect();
            Response::Feed(FeedPage { incarnation: page.incarnation, items, more: true }).write()
        }
        (_, Ok(Response::Hello(mut hello))) => {
            for scope in &mut hello.scopes {
                scope.heads_digest = Hash::of(&[&random.next().to_be_bytes()]);
                scope.feed_length += 1_000_000;
            }
            Response::Hello(hello).write()
        }
        _ => honest,
    }
}
