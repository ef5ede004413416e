//! `Idempotency-Key`: a repeated write does nothing twice, and gets the first answer.
//!
//! Answers to writes that succeeded are kept in memory, for a day and within bounds; a refusal changed nothing, so
//! the same request may be tried again. A restart forgets them, with one exception that matters most: the ids of
//! filed reports follow from key and body, so that a filing which is repeated after a restart finds the reports that
//! are already there. Signing, rejecting, retracting and importing a card are the same when repeated; a proposal or a
//! revision that is repeated after a restart is a second one.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::blocking::blocking;
use super::extract::Write;
use super::problem::{Problem, Slug};
use super::state::Shared;
use crate::clock;
use crate::desk::Desk;

/// The header.
pub(super) const HEADER: &str = "idempotency-key";
/// The longest key, characters.
pub(super) const KEY_CHARS: usize = 64;
/// How long an answer is kept.
const KEPT: Duration = Duration::from_hours(24);
/// Answers kept: a day of one write every 20 s, or an hour of one a second.
const ANSWERS: usize = 4096;
/// Bytes of answers kept: a few hundred of the largest, those to 500 reports each.
const ANSWER_BYTES: usize = 32 << 20;

/// What an `Idempotency-Key` and a request come to.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    key: [u8; 32],
    request: [u8; 32],
}

impl Mark {
    /// The mark of a request, where it has a key.
    pub(super) fn of(headers: &HeaderMap, method: &str, path: &str, body: &[u8]) -> Result<Option<Mark>, Problem> {
        let mut keys = headers.get_all(HEADER).iter();
        let Some(key) = keys.next() else { return Ok(None) };
        let fits = |key: &&HeaderValue| {
            (1..=KEY_CHARS).contains(&key.len()) && key.as_bytes().iter().all(u8::is_ascii_graphic)
        };
        if !fits(&key) || keys.next().is_some() {
            let rule = format!("one key of 1 to {KEY_CHARS} printable ASCII characters without blanks");
            return Err(Problem::invalid("Idempotency-Key", rule));
        }
        let request = Sha256::new()
            .chain_update(method)
            .chain_update([0])
            .chain_update(path)
            .chain_update([0])
            .chain_update(body)
            .finalize();
        Ok(Some(Mark { key: Sha256::digest(key).into(), request: request.into() }))
    }

    /// What the ids of filed reports follow from: of key and request, so that no other request finds them.
    pub(super) fn seed(&self) -> [u8; 32] {
        let seed = Sha256::new().chain_update(b"entente.filing.v1").chain_update(self.key).chain_update(self.request);
        seed.finalize().into()
    }
}

/// An answer to a write.
#[derive(Clone)]
pub(super) struct Recorded {
    status: StatusCode,
    body: Bytes,
}

impl Recorded {
    fn new(status: StatusCode, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("answers have text, numbers and lists only");
        Self { status, body: body.into() }
    }
}

impl IntoResponse for Recorded {
    fn into_response(self) -> Response {
        (self.status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], self.body).into_response()
    }
}

struct Kept {
    request: [u8; 32],
    /// Absent while the first request is under way.
    answer: Option<Recorded>,
}

#[derive(Default)]
struct Shelf {
    by_key: HashMap<[u8; 32], Kept>,
    /// Finished ones, oldest first.
    order: VecDeque<(Instant, [u8; 32])>,
    bytes: usize,
}

impl Shelf {
    fn drop_old(&mut self, now: Instant) {
        while let Some((at, key)) = self.order.front().copied() {
            let old = now.saturating_duration_since(at) >= KEPT;
            if !old && self.order.len() <= ANSWERS && self.bytes <= ANSWER_BYTES {
                return;
            }
            self.order.pop_front();
            let kept = self.by_key.remove(&key);
            self.bytes -= kept.and_then(|kept| kept.answer).map_or(0, |answer| answer.body.len());
        }
    }
}

/// The answers kept.
#[derive(Default)]
pub(super) struct Answers(Mutex<Shelf>);

/// The right to answer a key; given back unused if the write does not succeed.
struct Claim {
    answers: Arc<Answers>,
    key: [u8; 32],
    done: bool,
}

impl Answers {
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer given before, or the right to give one.
    fn claim(self: &Arc<Self>, mark: Mark, now: Instant) -> Result<Result<Recorded, Claim>, Problem> {
        let mut shelf = self.shelf();
        shelf.drop_old(now);
        match shelf.by_key.get(&mark.key) {
            Some(kept) if kept.request != mark.request => {
                Err(Problem::new(Slug::Conflict, "this Idempotency-Key was used for another request")
                    .hint("use a new key for each new request"))
            }
            Some(Kept { answer: Some(answer), .. }) => Ok(Ok(answer.clone())),
            Some(Kept { answer: None, .. }) => {
                Err(Problem::new(Slug::Busy, "the first request with this Idempotency-Key is still under way"))
            }
            None => {
                shelf.by_key.insert(mark.key, Kept { request: mark.request, answer: None });
                Ok(Err(Claim { answers: Arc::clone(self), key: mark.key, done: false }))
            }
        }
    }
}

impl Claim {
    fn keep(mut self, answer: &Recorded, now: Instant) {
        self.done = true;
        let mut shelf = self.answers.shelf();
        if let Some(kept) = shelf.by_key.get_mut(&self.key) {
            kept.answer = Some(answer.clone());
            shelf.bytes += answer.body.len();
            shelf.order.push_back((now, self.key));
            shelf.drop_old(now);
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.done {
            self.answers.shelf().by_key.remove(&self.key);
        }
    }
}

/// Does a write, or answers as it was answered before. The third argument of `act` is the seed for filed reports.
pub(super) async fn once<T, R>(
    api: &Shared,
    write: Write<T>,
    act: impl FnOnce(&Desk, T, Option<[u8; 32]>) -> Result<(StatusCode, R), Problem> + Send + 'static,
) -> Result<Recorded, Problem>
where
    T: Send + 'static,
    R: Serialize,
{
    let Write { mark, body } = write;
    let claim = match mark.map(|mark| api.answers.claim(mark, clock::monotonic())).transpose()? {
        Some(Ok(answer)) => return Ok(answer),
        Some(Err(claim)) => Some(claim),
        None => None,
    };
    let seed = mark.as_ref().map(Mark::seed);
    blocking(api, move |desk| {
        let (status, answer) = act(desk, body, seed)?;
        let recorded = Recorded::new(status, &answer);
        if let Some(claim) = claim {
            claim.keep(&recorded, clock::monotonic());
        }
        Ok::<_, Problem>(recorded)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(key: u8, request: u8) -> Mark {
        Mark { key: [key; 32], request: [request; 32] }
    }

    fn answer(bytes: usize) -> Recorded {
        Recorded { status: StatusCode::OK, body: vec![b'x'; bytes].into() }
    }

    #[test]
    fn an_answer_is_kept_for_a_day_and_a_failure_is_not() {
        let answers = Arc::new(Answers::default());
        let start = clock::monotonic();
        let claim = answers.claim(mark(1, 1), start).unwrap().err().unwrap();
        assert!(answers.claim(mark(1, 1), start).is_err(), "the first is under way");
        drop(claim);
        let claim = answers.claim(mark(1, 1), start).unwrap().err().unwrap();
        claim.keep(&answer(3), start);
        assert_eq!(answers.claim(mark(1, 1), start).unwrap().ok().unwrap().body.len(), 3);
        assert!(answers.claim(mark(1, 2), start).is_err(), "another request");
        assert!(answers.claim(mark(1, 2), start + KEPT).unwrap().is_err(), "a day later it is a new key");
    }

    #[test]
    fn answers_stay_within_their_room() {
        let answers = Arc::new(Answers::default());
        let start = clock::monotonic();
        for key in 0..4 {
            let claim = answers.claim(mark(key, 0), start).unwrap().err().unwrap();
            claim.keep(&answer(ANSWER_BYTES / 3), start);
        }
        assert!(answers.shelf().bytes <= ANSWER_BYTES);
        assert!(answers.claim(mark(0, 0), start).unwrap().is_err(), "the oldest went");
        assert!(answers.claim(mark(3, 0), start).unwrap().is_ok());
    }
}
