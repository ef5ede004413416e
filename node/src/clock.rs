//! The machine's clock and randomness: the only place that asks for either, so that everything else takes them as
//! values and tests can choose them.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use entente_protocol::time::Time;

/// The time now. A clock before 1970 or after 9999 is held at those ends.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
pub fn now() -> Time {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Time::from_ms(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)).unwrap_or(Time::MAX)
}

/// A point on a clock that never goes back, for measuring spans.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
pub fn monotonic() -> Instant {
    Instant::now()
}

/// Random bytes from the operating system.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}
