//! Text that may come from a partner, made harmless for a terminal.
//!
//! Names, descriptions and reasons are written elsewhere and printed here. A control character in them
//! could move the cursor, rename the window or hide a line; a bidirectional override could show one
//! address as another. Both are written out as escapes instead. All that this program prints passes here.

use std::borrow::Cow;
use std::fmt::Write;

/// True where a character acts on the terminal or on the direction of text, and is not seen itself.
fn acts(c: char) -> bool {
    let separates_lines = matches!(c, '\u{2028}' | '\u{2029}');
    let turns_text =
        matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || separates_lines || turns_text
}

/// One line of text, with what would act on a terminal written as `\u{…}`; line breaks and tabs become spaces.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => clean.push(' '),
            c if acts(c) => clean.extend(c.escape_unicode()),
            c => clean.push(c),
        }
    }
    Cow::Owned(clean)
}

/// JSON on one line: the same value, with the same characters written as `\uXXXX`.
///
/// Outside its strings JSON knows no such character but white space, so a blank replaces those.
pub(crate) fn json(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.trim().chars() {
        match c {
            '\n' | '\r' | '\t' => clean.push(' '),
            c if acts(c) => {
                write!(clean, "\\u{:04x}", u32::from(c)).expect("a string takes all that is written");
            }
            c => clean.push(c),
        }
    }
    clean
}

/// The first eight digits of a long id: enough to name it to the node, and to fit a table.
pub(crate) fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

/// `1 report`, `2 reports`.
pub(crate) fn count(n: usize, noun: &str) -> String {
    match (n, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (n, Some(stem)) => format!("{n} {stem}ies"),
        (n, None) => format!("{n} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::{count, json, line, short};

    #[test]
    fn escape_sequences_are_shown_and_not_obeyed() {
        assert_eq!(line("Unit \u{1b}[2J\u{9b}31mB"), "Unit \\u{1b}[2J\\u{9b}31mB");
        assert_eq!(line("bc1\u{202e}qxy\u{2066}"), "bc1\\u{202e}qxy\\u{2066}");
        assert_eq!(line("two\r\nlines"), "two  lines");
        assert_eq!(line("Büro für Geldwäsche 金融"), "Büro für Geldwäsche 金融");
    }

    #[test]
    fn json_stays_the_same_value_on_one_line() {
        let given = "{\n \"name\": \"a\u{9b}b\u{202e}\u{7f}ü\"\n}\n";
        let clean = json(given);
        assert!(!clean.contains(super::acts), "{clean}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(given).unwrap(),
            serde_json::from_str::<serde_json::Value>(&clean).unwrap()
        );
    }

    #[test]
    fn numbers_agree_with_their_nouns() {
        assert_eq!(count(1, "report"), "1 report");
        assert_eq!(count(0, "report"), "0 reports");
        assert_eq!(count(2, "agency"), "2 agencies");
        assert_eq!(short("1a2b3c4d5e6f"), "1a2b3c4d");
        assert_eq!(short("12"), "12");
    }
}
