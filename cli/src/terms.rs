//! `terms.toml`: the terms of a sharing agreement, as people write them.
//!
//! This checks the form, with the line of what is wrong; what the terms mean, and whether they are allowed,
//! the node decides. An unknown key is refused: a misspelt limit must not become no limit.

use std::path::{Path, PathBuf};

use jiff::{Timestamp, civil};
use serde::{Deserialize, Deserializer, Serialize, de};
use thiserror::Error;
use toml::value::{Datetime, Offset};

/// What is wrong with a file of terms.
#[derive(Debug, Error)]
#[error("{}:{line}: {message}", path.display())]
pub(crate) struct TermsError {
    path: PathBuf,
    /// Counted from 1.
    line: usize,
    message: String,
}

impl TermsError {
    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        self.message
            .starts_with("unknown field")
            .then_some("`entente agreement propose --help` shows the keys that there are")
    }
}

/// The terms, with the keys that the API knows.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Terms {
    title: String,
    purpose: String,
    legal_basis: String,
    valid_from: When,
    valid_until: When,
    retention_days: u64,
    marking_ceiling: String,
    statement_kinds: Vec<String>,
    /// Empty: all.
    typologies: Vec<String>,
    party: Vec<Party>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_from: Option<When>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grace_hours: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chains: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    required_grading: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    handling: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    onward: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statements_per_day: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_per_day: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_off_days: Option<u64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    ends: bool,
}

/// One party and its role.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Party {
    /// An agency's id, or a name that only one known agency has.
    agency: String,
    #[serde(default = "yes")]
    contribute: bool,
    #[serde(default = "yes")]
    receive: bool,
}

fn yes() -> bool {
    true
}

/// A day, or a moment with its offset from UTC; a TOML date, or the same as a string.
#[derive(Debug, Serialize)]
struct When(String);

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Datetime(Datetime),
            Text(String),
        }
        let text = match Written::deserialize(deserializer) {
            Ok(Written::Datetime(written)) => written.to_string(),
            Ok(Written::Text(text)) => text,
            Err(_) => return Err(de::Error::custom("neither a date nor a time")),
        };
        match written(&text) {
            Some(written) => Ok(Self(written)),
            None => Err(de::Error::custom(format_args!(
                "{text} is neither a date nor a time with its offset, as 2027-01-01 or 2027-01-01T00:00:00Z"
            ))),
        }
    }
}

/// A date as it is; a moment in UTC.
fn written(text: &str) -> Option<String> {
    let datetime: Datetime = text.parse().ok()?;
    match datetime {
        Datetime { date: Some(_), time: None, offset: None } => {
            text.parse::<civil::Date>().ok().map(|date| date.to_string())
        }
        Datetime { date: Some(_), time: Some(_), offset: Some(Offset::Z | Offset::Custom { .. }) } => {
            text.parse::<Timestamp>().ok().map(|moment| moment.to_string())
        }
        _ => None,
    }
}

/// Reads the terms; `path` is for the messages.
pub(crate) fn parse(path: &Path, text: &str) -> Result<Terms, TermsError> {
    toml::from_str(text).map_err(|error| TermsError {
        path: path.to_owned(),
        line: error.span().map_or(1, |span| line_at(text, span.start)),
        message: error.message().lines().collect::<Vec<_>>().join(", "),
    })
}

fn line_at(text: &str, offset: usize) -> usize {
    1 + text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::parse;

    const TERMS: &str = r#"title = "Ransomware addresses"
purpose = "to find victims' payments"
legal_basis = "EU 2016/680 Art. 8"
valid_from = 2026-12-01
valid_until = "2028-11-30"
retention_days = 365
marking_ceiling = "amber"
statement_kinds = ["report", "revision"]
typologies = []
effective_from = 2026-12-01T01:00:00+01:00

[[party]]
agency = "Cyber Unit A"

[[party]]
agency = "FIU B"
contribute = false
"#;

    fn json(text: &str) -> Result<String, String> {
        parse(Path::new("t.toml"), text)
            .map(|terms| serde_json::to_string(&terms).unwrap())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn terms_become_what_the_api_takes() {
        assert_eq!(
            json(TERMS).unwrap(),
            r#"{"title":"Ransomware addresses","purpose":"to find victims' payments","legal_basis":"EU 2016/680 Art. 8","valid_from":"2026-12-01","valid_until":"2028-11-30","retention_days":365,"marking_ceiling":"amber","statement_kinds":["report","revision"],"typologies":[],"party":[{"agency":"Cyber Unit A","contribute":true,"receive":true},{"agency":"FIU B","contribute":false,"receive":true}],"effective_from":"2026-12-01T00:00:00Z"}"#
        );
    }

    #[test]
    fn errors_name_their_line() {
        let swap = |from: &str, to: &str| {
            assert!(TERMS.contains(from), "{from}");
            json(&TERMS.replacen(from, to, 1)).unwrap_err()
        };
        let starts = |error: String, start: &str| assert!(error.starts_with(start), "{error}");
        starts(swap("retention_days", "retention_day"), "t.toml:6: unknown field `retention_day`");
        starts(swap("contribute", "contributes"), "t.toml:17: unknown field `contributes`");
        starts(swap("365", "\"365\""), "t.toml:6: invalid type: string \"365\"");
        starts(swap("365", "-1"), "t.toml:6: ");
        starts(swap("2026-12-01\n", "2026-12-01T10:00:00\n"), "t.toml:4: 2026-12-01T10:00:00 is neither");
        starts(swap("2026-12-01\n", "10:00:00\n"), "t.toml:4: 10:00:00 is neither");
        starts(swap("\"2028-11-30\"", "\"2028-11-31\""), "t.toml:5: 2028-11-31 is neither");
        starts(swap("\"2028-11-30\"", "true"), "t.toml:5: neither a date nor a time");
        starts(swap("title = ", "title "), "t.toml:1: ");
        starts(swap("purpose = \"to find victims' payments\"\n", ""), "t.toml:1: missing field `purpose`");
        starts(swap("typologies = []", "typologies = []\ntypologies = []"), "t.toml:10: duplicate key");
    }
}
