//! What an exercise showed: the one JSON object, the table, and whether every promise was kept.

use std::collections::BTreeMap;

use serde::Serialize;

use super::plan::Party;
use super::rows::Rejected;
use crate::error::CliError;
use crate::output::{Cell, Output};
use crate::text;

/// The result, in the shape that `--json` prints.
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    pub(super) agencies: Vec<AgencyOutcome>,
    pub(super) rejected_rows: Vec<Rejected>,
    pub(super) caught_up: bool,
    pub(super) retraction_confirmed_by: Vec<String>,
    pub(super) outsider_saw: usize,
    pub(super) lookups: Vec<LookupOutcome>,
    pub(super) visible_ms: Percentiles,
    pub(super) ok: bool,
}

/// One agency at the end.
#[derive(Debug, Serialize)]
pub(super) struct AgencyOutcome {
    pub(super) name: String,
    pub(super) data_dir: String,
    pub(super) api: String,
    pub(super) reports_filed: usize,
    /// Of others.
    pub(super) reports_admitted: usize,
    pub(super) quarantined: u64,
    #[serde(skip)]
    pub(super) refused: usize,
    #[serde(skip)]
    pub(super) visible: Option<Percentiles>,
}

/// What one lookup found.
#[derive(Debug, Serialize)]
pub(super) struct LookupOutcome {
    pub(super) case: &'static str,
    pub(super) asked_by: &'static str,
    pub(super) address: String,
    pub(super) reports: usize,
    pub(super) distinct_originators: u64,
    #[serde(skip)]
    pub(super) retracted: u64,
}

/// Half of the measurements are at most `p50`, all but a hundredth at most `p99`; milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Percentiles {
    pub(super) p50: f64,
    pub(super) p99: f64,
}

impl Percentiles {
    /// Nearest rank, rounded to a tenth of a millisecond; nothing of nothing.
    pub(super) fn of(measured: &[f64]) -> Option<Self> {
        let mut sorted = measured.to_vec();
        sorted.sort_by(f64::total_cmp);
        let rank = |percent: usize| sorted.get((sorted.len() * percent).div_ceil(100).max(1) - 1).copied();
        let tenth = |ms: f64| (ms * 10.0).round() / 10.0;
        Some(Self { p50: tenth(rank(50)?), p99: tenth(rank(99)?) })
    }
}

/// What the exercise promises, and whether it held.
#[derive(Debug, Default)]
pub(super) struct Promises(Vec<(String, bool)>);

impl Promises {
    pub(super) fn hold(&mut self, promise: impl Into<String>, held: bool) {
        self.0.push((promise.into(), held));
    }

    pub(super) fn all_held(&self) -> bool {
        self.0.iter().all(|(_, held)| *held)
    }

    /// Those that did not hold, in one line.
    pub(super) fn broken(&self) -> String {
        let broken: Vec<&str> = self.0.iter().filter(|(_, held)| !held).map(|(promise, _)| promise.as_str()).collect();
        broken.join("; ")
    }
}

/// Lines that were rejected for one reason.
fn rejections(rejected: &[Rejected]) -> Vec<Vec<Cell>> {
    let mut reasons: BTreeMap<(&str, &str), Vec<u64>> = BTreeMap::new();
    for Rejected { file, line, reason } in rejected {
        reasons.entry((file, reason)).or_default().push(*line);
    }
    let row = |((file, reason), lines): ((&str, &str), Vec<u64>)| {
        vec![file.into(), lines.len().to_string().into(), reason.into(), ranges(&lines).into()]
    };
    reasons.into_iter().map(row).collect()
}

/// The header of [`rejections`].
const REJECTIONS: [&str; 4] = ["FILE", "ROWS", "REASON", "LINES"];

/// Every line, with neighbours as a range: `2-4 9`.
fn ranges(lines: &[u64]) -> String {
    let together = lines.chunk_by(|line, next| line + 1 == *next);
    let range = |lines: &[u64]| match lines {
        [first, .., last] => format!("{first}-{last}"),
        lines => lines.iter().map(u64::to_string).collect(),
    };
    together.map(range).collect::<Vec<_>>().join(" ")
}

impl Outcome {
    /// The JSON object, or the tables.
    pub(super) fn print(&self, out: &Output) -> Result<(), CliError> {
        if out.is_json() {
            return out.value(self);
        }
        let wait = |visible: Option<Percentiles>| {
            visible.map_or_else(|| "-".to_owned(), |ms| format!("{:.1} / {:.1} ms", ms.p50, ms.p99))
        };
        let rows = self.agencies.iter().map(|agency| {
            vec![
                agency.name.as_str().into(),
                agency.reports_filed.to_string().into(),
                agency.reports_admitted.to_string().into(),
                agency.refused.to_string().into(),
                wait(agency.visible).into(),
                agency.quarantined.to_string().into(),
            ]
        });
        out.table(
            &["AGENCY", "FILED", "ADMITTED FROM OTHERS", "ROWS REFUSED", "TIME TO VISIBLE p50 / p99", "QUARANTINED"],
            rows.collect(),
        )?;
        out.line("")?;
        let rows = self.lookups.iter().map(|lookup| {
            vec![
                lookup.case.into(),
                lookup.asked_by.into(),
                lookup.reports.to_string().into(),
                lookup.distinct_originators.to_string().into(),
                lookup.retracted.to_string().into(),
                lookup.address.as_str().into(),
            ]
        });
        out.table(&["LOOKUP", "ASKED BY", "REPORTS", "DISTINCT ORIGINATORS", "RETRACTED", "ADDRESS"], rows.collect())?;
        out.line("")?;
        let refused = text::count(self.rejected_rows.len(), "row");
        out.line(&format!("{refused} refused:"))?;
        out.table(&REJECTIONS, rejections(&self.rejected_rows))?;
        out.line("")?;
        out.line(if self.ok { "everything that the exercise promises held" } else { "the exercise FAILED" })
    }
}

impl AgencyOutcome {
    pub(super) fn count_refused(&mut self, rejected: &[Rejected], party: Party) {
        let files: Vec<&str> = party.profile().data.iter().map(|dataset| dataset.file()).collect();
        self.refused = rejected.iter().filter(|row| files.contains(&row.file)).count();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(Percentiles::of(&hundred), Some(Percentiles { p50: 50.0, p99: 99.0 }));
        assert_eq!(Percentiles::of(&[7.26]), Some(Percentiles { p50: 7.3, p99: 7.3 }));
        assert_eq!(Percentiles::of(&[]), None);
    }

    #[test]
    fn the_object_has_the_keys_that_others_read() {
        let outcome = Outcome {
            agencies: vec![AgencyOutcome {
                name: "A".to_owned(),
                data_dir: "/a".to_owned(),
                api: "http://127.0.0.1:1".to_owned(),
                reports_filed: 1,
                reports_admitted: 2,
                quarantined: 3,
                refused: 4,
                visible: None,
            }],
            rejected_rows: vec![Rejected { file: "f.csv", line: 2, reason: "r".to_owned() }],
            caught_up: true,
            retraction_confirmed_by: vec!["B".to_owned()],
            outsider_saw: 0,
            lookups: vec![LookupOutcome {
                case: "outsider",
                asked_by: "D",
                address: "bip122:x".to_owned(),
                reports: 0,
                distinct_originators: 0,
                retracted: 0,
            }],
            visible_ms: Percentiles { p50: 1.5, p99: 2.0 },
            ok: true,
        };
        assert_eq!(
            serde_json::to_string(&outcome).unwrap(),
            r#"{"agencies":[{"name":"A","data_dir":"/a","api":"http://127.0.0.1:1","reports_filed":1,"reports_admitted":2,"quarantined":3}],"rejected_rows":[{"file":"f.csv","line":2,"reason":"r"}],"caught_up":true,"retraction_confirmed_by":["B"],"outsider_saw":0,"lookups":[{"case":"outsider","asked_by":"D","address":"bip122:x","reports":0,"distinct_originators":0}],"visible_ms":{"p50":1.5,"p99":2.0},"ok":true}"#
        );
    }

    #[test]
    fn rejections_are_grouped_by_file_and_reason() {
        let row = |line| Rejected { file: "f.csv", line, reason: "bad".to_owned() };
        let rows: Vec<Rejected> = [2, 3, 4, 7, 9, 10].map(row).to_vec();
        let cells = ["f.csv", "6", "bad", "2-4 7 9-10"].map(Cell::from).to_vec();
        assert_eq!(rejections(&rows), [cells]);
    }
}
