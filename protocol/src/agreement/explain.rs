//! A version of an agreement in plain English sentences, for the people who decide on it.
//!
//! The sentences say all that the version says, in the order in which one would ask: why, who, what, how much, how
//! long, what then. The signed object is what counts; nothing here is ever read back.

use crate::id::AgencyId;
use crate::statement::kind::StatementKind;
use crate::time::{DAY_MS, Time};

use super::terms::{Onward, Terms};
use super::version::{Party, Version};

const HOUR_MS: u64 = DAY_MS / 24;

/// Explains a version; `name_of` names an agency as the reader knows it.
pub fn explain(version: &Version, name_of: &dyn Fn(AgencyId) -> String) -> Vec<String> {
    if version.ends {
        let from = date(version.earliest());
        return vec![
            format!("This version of \"{}\" ends the agreement on {from}.", version.title),
            format!("Statements published under it until then are still accepted for {}.", span(version.grace_ms)),
            run_off(version),
            proposal(version, name_of),
        ];
    }
    let mut lines = vec![
        format!("Under \"{}\", statements are shared for this purpose: {}", version.title, sentence(&version.purpose)),
        format!("The legal basis is {}", sentence(&version.legal_basis)),
    ];
    lines.extend(roles(version, name_of));
    lines.extend(what(&version.terms));
    lines.extend(how(&version.terms));
    lines.extend(when(version));
    lines.push(proposal(version, name_of));
    lines
}

fn roles(version: &Version, name_of: &dyn Fn(AgencyId) -> String) -> Vec<String> {
    let those = |who: fn(&Party) -> bool| {
        let names: Vec<String> = version.parties.iter().filter(|party| who(party)).map(|p| name_of(p.agency)).collect();
        (names.len(), list(&names))
    };
    let groups = [
        (those(|p| p.contribute && p.receive), ("contributes and receives", "contribute and receive")),
        (those(|p| p.contribute && !p.receive), ("contributes only", "contribute only")),
        (those(|p| !p.contribute && p.receive), ("receives only", "receive only")),
    ];
    let lines = groups.into_iter().filter(|((count, _), _)| *count > 0);
    lines.map(|((count, names), (one, many))| format!("{names} {}.", if count == 1 { one } else { many })).collect()
}

fn what(terms: &Terms) -> Vec<String> {
    let kinds: Vec<String> = terms.kinds.iter().map(|number| kind_name(*number)).collect();
    let mut lines = vec![format!("Shared are statements of these kinds: {}.", list(&kinds))];
    lines.push(if terms.typologies.is_empty() {
        "They may concern any typology of crime.".to_owned()
    } else {
        let names: Vec<String> = terms.typologies.iter().map(ToString::to_string).collect();
        format!("They concern these typologies of crime only: {}.", list(&names))
    });
    lines.push(if terms.chains.is_empty() {
        "Addresses may be on any chain.".to_owned()
    } else {
        format!("Addresses are on these chains only: {}.", list(&terms.chains))
    });
    lines.push(format!("Nothing is shared that is marked more strictly than {}.", terms.marking_ceiling));
    if let Some(scheme) = terms.required_grading {
        lines.push(format!("Reports are graded in the scheme {}.", scheme.name()));
    }
    lines
}

fn how(terms: &Terms) -> Vec<String> {
    let mut lines = Vec::new();
    if !terms.handling.is_empty() {
        let codes: Vec<String> = terms.handling.iter().map(ToString::to_string).collect();
        lines.push(format!("Where a statement carries no handling code, this holds: {}.", list(&codes)));
    }
    lines.push(
        match terms.onward {
            Onward::Never => "What is received is never passed on under another agreement.",
            Onward::Consent => "What is received is passed on under another agreement only if its originator consents.",
            Onward::SamePurpose => "What is received may be passed on under another agreement for the same purpose.",
        }
        .to_owned(),
    );
    lines.push(
        if terms.history {
            "Whoever joins later also receives what was shared before."
        } else {
            "Whoever joins later does not receive what was shared before."
        }
        .to_owned(),
    );
    lines.push(format!(
        "Each log carries at most {} statements and {} bytes a UTC day.",
        thousands(terms.statements_per_day),
        thousands(terms.bytes_per_day)
    ));
    lines.push(format!(
        "Statements are deleted at the latest {} after they were published.",
        days(terms.retention_days)
    ));
    lines
}

fn when(version: &Version) -> Vec<String> {
    let mut lines = vec![format!("It is valid from {} until {}.", date(version.valid_from), date(version.valid_until))];
    match version.effective_from {
        Some(from) => {
            lines.push(format!("It replaces the version before it on {}, if all have signed by then.", date(from)));
            let grace = span(version.grace_ms);
            lines.push(format!("Statements published under the version before are still accepted for {grace}."));
        }
        None => lines.push("It takes effect when all parties have signed.".to_owned()),
    }
    lines.push(run_off(version));
    lines
}

fn run_off(version: &Version) -> String {
    let span = days(version.run_off_days);
    format!("Retractions still reach those who leave, and all parties after the end, for {span}.")
}

fn proposal(version: &Version, name_of: &dyn Fn(AgencyId) -> String) -> String {
    format!("{} proposed this on {}.", name_of(version.proposer), date(version.created))
}

pub(super) fn kind_name(number: u64) -> String {
    match StatementKind::of_number(number) {
        Some(kind) => kind.word().to_owned(),
        None => format!("kind {number}, which this version of the software does not know"),
    }
}

fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [init @ .., last] => format!("{} and {last}", init.join(", ")),
    }
}

/// A text with one full stop at its end.
fn sentence(text: &str) -> String {
    format!("{}.", text.trim().trim_end_matches('.'))
}

fn days(count: u32) -> String {
    if count == 1 { "1 day".to_owned() } else { format!("{count} days") }
}

/// A span in the largest unit that it is a multiple of.
fn span(ms: u64) -> String {
    let units = [(DAY_MS, "day"), (HOUR_MS, "hour"), (60_000, "minute"), (1000, "second")];
    let (unit, name) = units.into_iter().find(|(unit, _)| ms.is_multiple_of(*unit)).unwrap_or((1, "millisecond"));
    let count = ms / unit;
    if count == 1 { format!("1 {name}") } else { format!("{count} {name}s") }
}

pub(super) fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The date and time in UTC, to the second where it is not the full minute.
pub(super) fn date(time: Time) -> String {
    let (year, month, day) = civil(time.day());
    let seconds = time.ms() % DAY_MS / 1000;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let second = if second == 0 { String::new() } else { format!(":{second:02}") };
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}{second} UTC")
}

/// Year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar: years are counted from
/// 1 March, so that the leap day is the last, in eras of 400 years (146,097 days).
fn civil(day: u64) -> (u64, u64, u64) {
    let shifted = day + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> String {
        date(Time::from_ms(ms).unwrap())
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(at(0), "1970-01-01 00:00 UTC");
        assert_eq!(at(951_782_400_000), "2000-02-29 00:00 UTC");
        assert_eq!(at(1_709_210_096_999), "2024-02-29 12:34:56 UTC");
        assert_eq!(at(4_107_542_400_000), "2100-03-01 00:00 UTC");
        assert_eq!(date(Time::MAX), "9999-12-31 23:59:59 UTC");
    }

    #[test]
    fn numbers_and_spans_read_well() {
        assert_eq!(
            [thousands(0), thousands(999), thousands(1000), thousands(1_073_741_824)],
            ["0", "999", "1,000", "1,073,741,824"]
        );
        assert_eq!(
            [span(DAY_MS), span(36 * HOUR_MS), span(1500), span(0)],
            ["1 day", "36 hours", "1500 milliseconds", "0 days"]
        );
        assert_eq!(list(&["a".to_owned(), "b".to_owned(), "c".to_owned()]), "a, b and c");
    }
}
