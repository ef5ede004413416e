//! Texts as files write them.

use entente_protocol::time::Time;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// As much of a text as fits, whole characters.
pub(crate) fn bounded(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// Days and moments without an offset, which are taken for UTC.
const FORMS: &[&str] = &[
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%Y/%m/%d %H:%M:%S",
];
const DAYS: &[&str] = &["%Y-%m-%d", "%d.%m.%Y", "%Y/%m/%d", "%Y%m%d", "%d %b %Y", "%d %B %Y", "%B %d, %Y", "%b %d, %Y"];

/// A time in any of the ways that cannot be mistaken for another: RFC 3339, the same without an offset, days with the
/// year first or with dots, the seconds or milliseconds of Unix. Not `03/04/2026`, which is two days.
pub(crate) fn time(text: &str) -> Option<Time> {
    let text = text.trim();
    if let Some(time) = Time::parse(text) {
        return Some(time);
    }
    if text.len() >= 9 && text.len() <= 13 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: u64 = text.parse().ok()?;
        return Time::from_ms(if text.len() == 13 { number } else { number * 1000 });
    }
    let without_fraction = text.split_once('.').filter(|(start, _)| start.len() >= 19).map_or(text, |(start, _)| start);
    let moment = FORMS.iter().find_map(|form| DateTime::strptime(form, without_fraction).ok());
    let day = || {
        DAYS.iter()
            .find_map(|form| Date::strptime(form, text).ok())
            .map(|day| day.to_datetime(jiff::civil::Time::midnight()))
    };
    let zoned = moment.or_else(day)?.to_zoned(TimeZone::UTC).ok()?;
    u64::try_from(zoned.timestamp().as_millisecond()).ok().and_then(Time::from_ms)
}

/// The line of a place in a text, counted from 1, going on from one known before.
pub(crate) struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0, line: 1 }
    }

    /// The line of a part of the text.
    pub(crate) fn of(&mut self, part: &str) -> u64 {
        let offset = (part.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        if offset > self.text.len() {
            return 0;
        }
        if offset < self.at {
            (self.at, self.line) = (0, 1);
        }
        self.line += self.text[self.at..offset].matches('\n').count() as u64;
        self.at = offset;
        self.line
    }

    /// The line of the next place where a word stands; where it stands nowhere, that of the last.
    pub(crate) fn of_next(&mut self, word: &str) -> u64 {
        if let Some(found) = self.text[self.at..].find(word).filter(|_| !word.is_empty()) {
            let place = &self.text[self.at + found..][..word.len()];
            let line = self.of(place);
            self.at += word.len();
            return line;
        }
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_can_be_mistaken_are_none() {
        let read = |text| time(text).map(Time::rfc3339);
        let day = Some("2026-11-22T00:00:00.000Z".to_owned());
        for text in
            ["2026-11-22", "22.11.2026", "2026/11/22", "20261122", "22 Nov 2026", "November 22, 2026", "1795305600"]
        {
            assert_eq!(read(text), day, "{text}");
        }
        for text in ["2026-11-22 16:00:00", "2026-11-22T16:00:00", "2026-11-22 16:00:00.123456", "1795363200000"] {
            assert_eq!(read(text).as_deref(), Some("2026-11-22T16:00:00.000Z"), "{text}");
        }
        for text in ["", "03/04/2026", "soon", "2026-13-01", "99"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn lines_are_counted_from_one() {
        let text = "a\nb\nab\n";
        let mut lines = Lines::new(text);
        assert_eq!([lines.of(&text[2..3]), lines.of(&text[4..5]), lines.of(&text[0..1])], [2, 3, 1]);
        assert_eq!([lines.of_next("b"), lines.of_next("b"), lines.of_next("b")], [2, 3, 3]);
    }
}
