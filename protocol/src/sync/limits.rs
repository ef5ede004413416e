//! Every number of catch-up, once, with its unit and reason.
//!
//! Sizes bound what one message can make a node read; counts bound what one partner can make it remember; times
//! bound how often it asks. None of them loses anything: what exceeds a bound is asked for in a later round.

/// One request, bytes: a [`super::message::Hello`] of all scopes that it may list is about 54 KB.
pub const REQUEST_BYTES: usize = 64 << 10;

/// One response, bytes: a page, and room for its framing.
pub const RESPONSE_BYTES: usize = (1 << 20) + (256 << 10);

/// What a page carries, bytes, unless its first item alone is larger (a body of 1 MiB and its header). Pages of
/// 0.5 to 1 MiB keep a line full at one to four requests in flight.
pub const PAGE_BYTES: u64 = 1 << 20;

/// Scopes in one hello; who shares more with a partner tells them in turns.
pub const SCOPES_PER_HELLO: usize = 512;

/// Log positions in one page of heads: about 400 KB.
pub const HEADS_PER_PAGE: usize = 4096;

/// Items in one page of a feed: about 180 KB.
pub const FEED_ITEMS: usize = 4096;

/// Objects asked for at once: their hashes are about 9 KB.
pub const OBJECTS_PER_REQUEST: usize = 256;

/// Content keys asked for at once: the wraps of all of them fit into one response.
pub const KEYS_PER_REQUEST: usize = 64;

/// Entries in one page: three times what fits at the usual size, so that an old version with smaller ones works.
pub const ENTRIES_PER_PAGE: usize = 4096;

/// Own requests and unfinished pages per partner: more brings no speed (measured: 1 to 4 fill the line).
pub const REQUESTS_PER_PEER: usize = 4;

/// Own requests in flight altogether: bounds the memory of their responses to 80 MiB.
pub const REQUESTS_IN_ALL: usize = 64;

/// Feeds of one scope that are read at once: few, so that an object is rarely fetched from two partners; more than
/// one, so that a slow partner does not hold up the others.
pub const FEEDS_AT_ONCE: usize = 3;

/// Logs of which a partner may say that it holds more than we do; what it says beyond is heard in a later round.
pub const OFFERS_PER_PEER: usize = 2048;

/// Scopes unknown here that a partner may tell of: proposals that wait for their first object.
pub const UNKNOWN_SCOPES_PER_PEER: usize = 64;

/// Logs of a partner that are remembered as diverging from ours.
pub const DIVERGED_PER_PEER: usize = 1024;

/// Logs for which one partner is left out for a while.
pub const LEFT_OUT_PER_PEER: usize = OFFERS_PER_PEER;

/// Content keys that are wanted at once; each belongs to held entries, which the driver bounds as well.
pub const KEYS_WANTED: usize = 4096;

/// Between two hellos with a partner, ms, when nothing happens.
pub const HELLO_EVERY_MS: u64 = 60_000;

/// From something new of our own to the hello that tells of it, ms, and the least time between two hellos with a
/// partner: gossip comes first, and a burst makes one hello.
pub const POKE_AFTER_MS: u64 = 1_000;

/// The same for an object that came from someone else, ms: its author tells its own partners sooner.
pub const RELAY_AFTER_MS: u64 = 10_000;

/// Between two questions for the heads of one scope to one partner, ms, however often it says that they changed.
pub const HEADS_EVERY_MS: u64 = 1_000;

/// How long a request may go without an answer, ms, before the machine gives it up: longer than the network's own
/// timeout, so that it counts only if the network forgets to tell.
pub const PATIENCE_MS: u64 = 30_000;

/// Pause after the first request that a partner leaves unanswered, ms; it doubles with each further one.
pub const FIRST_PAUSE_MS: u64 = 1_000;

/// The longest such pause, ms.
pub const LAST_PAUSE_MS: u64 = 60_000;

/// For how long a partner is left out for a log, ms, after a page that did not advance it; it doubles each time.
pub const FIRST_REST_MS: u64 = 5_000;

/// The longest such rest, ms; at once for a partner whose log has diverged.
pub const LAST_REST_MS: u64 = 600_000;

/// Rest of a feed after a page that brought nothing of use, ms; it doubles each time, up to [`LAST_PAUSE_MS`].
pub const FEED_REST_MS: u64 = 2_000;

/// How long a wrap that arrived may take to be opened, ms, before another partner is asked for the key.
pub const KEY_WAIT_MS: u64 = 2_000;

/// Before a partner that had no wrap of a key is asked again, ms; it doubles each time, up to [`LAST_REST_MS`].
pub const KEY_REST_MS: u64 = 10_000;

/// A wait that doubles with each failure from `first` up to `last`, ms.
pub const fn backoff(first: u64, last: u64, failures: u32) -> u64 {
    let doublings = if failures == 0 { 0 } else { failures - 1 };
    let wait = if doublings > 16 { last } else { first << doublings };
    if wait < last { wait } else { last }
}
