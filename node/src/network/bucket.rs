//! A token bucket: how much a partner may cost a second on average, and at once after a pause.

use tokio::time::Instant;

/// Tokens that refill with time up to a ceiling.
#[derive(Debug)]
pub(super) struct Bucket {
    tokens: u64,
    ceiling: u64,
    per_second: u64,
    /// When the tokens were last topped up.
    at: Instant,
}

impl Bucket {
    /// A full bucket.
    pub(super) fn new(per_second: u64, ceiling: u64, now: Instant) -> Self {
        Self { tokens: ceiling, ceiling, per_second, at: now }
    }

    /// Takes `cost` tokens, or none and says so.
    pub(super) fn take(&mut self, cost: u64, now: Instant) -> bool {
        self.refill(now);
        match self.tokens.checked_sub(cost) {
            Some(rest) => {
                self.tokens = rest;
                true
            }
            None => false,
        }
    }

    fn refill(&mut self, now: Instant) {
        let millis = u64::try_from(now.saturating_duration_since(self.at).as_millis()).unwrap_or(u64::MAX);
        let gained = self.per_second.saturating_mul(millis) / 1000;
        // Below one token the clock stays where it was, so that frequent asking loses nothing.
        if gained > 0 {
            self.tokens = self.tokens.saturating_add(gained).min(self.ceiling);
            self.at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_gives_what_it_holds_and_refills_with_time() {
        let start = Instant::now();
        let mut bucket = Bucket::new(10, 20, start);
        assert!(bucket.take(20, start));
        assert!(!bucket.take(1, start));
        assert!(!bucket.take(1, start + Duration::from_millis(99)));
        assert!(bucket.take(1, start + Duration::from_millis(100)));
        assert!(!bucket.take(21, start + Duration::from_hours(1)), "never more than the ceiling");
        assert!(bucket.take(20, start + Duration::from_hours(1)));
    }
}
