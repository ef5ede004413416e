//! Reports on their way: filed in batches, missed by a node that was killed and caught up with, seen one by one, and
//! withdrawn.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use entente_node::clock;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::agency::{Agency, BATCH};
use super::error::ExerciseError;
use super::plan::{Draft, Party};
use super::process::{Interrupt, until, until_at};
use super::rows::Rejected;

/// How long a node that was away may take to catch up.
const CATCH_UP: Duration = Duration::from_mins(2);
/// How long a single report may take to a partner.
const ARRIVAL: Duration = Duration::from_mins(1);
/// Between two lookups while a report is awaited: well below what is measured, and still not a busy loop.
const TIGHT: Duration = Duration::from_micros(500);

/// What became of the reports of one agency.
#[derive(Debug, Default)]
pub(super) struct Filed {
    /// The ids of those that were accepted, by the line they were made of.
    pub(super) ids: BTreeMap<(&'static str, u64), String>,
    /// Those that the node refused.
    pub(super) refused: Vec<Rejected>,
}

impl Filed {
    pub(super) fn add(&mut self, other: Filed) {
        self.ids.extend(other.ids);
        self.refused.extend(other.refused);
    }
}

/// Progress bars on a terminal, one an agency.
pub(super) struct Bars(MultiProgress);

impl Bars {
    pub(super) fn new() -> Self {
        Self(MultiProgress::new())
    }

    fn bar(&self, party: Party, reports: usize) -> ProgressBar {
        let style = ProgressStyle::with_template("   {prefix:14} {bar:30} {pos:>5} of {len} reports")
            .expect("the template is constant");
        self.0.add(ProgressBar::new(reports as u64).with_style(style).with_prefix(party.name()))
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        let _ = self.0.clear();
    }
}

/// What one agency files for whom.
pub(super) struct Load<'a> {
    pub(super) by: &'a Agency,
    pub(super) drafts: &'a [Draft],
    pub(super) under: Vec<&'a str>,
}

impl Load<'_> {
    /// Files everything in batches; stops in the middle until `go` says so or is gone.
    pub(super) fn file(
        &self,
        bars: &Bars,
        interrupt: &Interrupt,
        go: Option<&Receiver<()>>,
    ) -> Result<Filed, ExerciseError> {
        let bar = bars.bar(self.by.party, self.drafts.len());
        let batches = self.drafts.chunks(BATCH.min(self.drafts.len().div_ceil(2).max(1)));
        let half = batches.len() / 2;
        let mut filed = Filed::default();
        for (at, batch) in batches.enumerate() {
            interrupt.check()?;
            if let Some(go) = go.filter(|_| at == half) {
                let _ = go.recv();
            }
            for (draft, result) in batch.iter().zip(self.by.file_batch(batch, &self.under)?) {
                let place = (draft.file, draft.line);
                match (result.id, result.problem) {
                    (Some(id), _) => drop(filed.ids.insert(place, id)),
                    (None, problem) => {
                        let reason = problem.map_or_else(|| "refused".to_owned(), super::agency::RowProblem::text);
                        filed.refused.push(Rejected { file: place.0, line: place.1, reason });
                    }
                }
            }
            bar.inc(batch.len() as u64);
        }
        bar.finish();
        Ok(filed)
    }
}

/// What an outage left behind.
pub(super) struct Outage {
    pub(super) filed: BTreeMap<Party, Filed>,
    /// The process that was killed.
    pub(super) killed: Option<u32>,
}

/// Lets all file at once; when the `victim` has filed its part it is killed, and the others go on without it.
pub(super) fn file_through_a_kill(
    others: &[Load<'_>],
    victim: &mut Agency,
    drafts: &[Draft],
    under: &str,
    interrupt: &Interrupt,
) -> Result<Outage, ExerciseError> {
    let bars = Bars::new();
    thread::scope(|scope| {
        let mut going = Vec::new();
        let mut signals = Vec::new();
        for load in others {
            let (go, wait) = sync_channel::<()>(1);
            let bars = &bars;
            signals.push(go);
            going.push((load.by.party, scope.spawn(move || load.file(bars, interrupt, Some(&wait)))));
        }
        let part = Load { by: &*victim, drafts, under: vec![under] }.file(&bars, interrupt, None);
        let killed = victim.kill();
        drop(signals);
        let mut filed = BTreeMap::from([(victim.party, part?)]);
        for (party, thread) in going {
            filed.insert(party, thread.join().expect("filing does not panic")?);
        }
        Ok(Outage { filed, killed: killed? })
    })
}

/// How many reports of others an agency holds.
pub(super) fn admitted(agency: &Agency, own: usize) -> Result<usize, ExerciseError> {
    let reports = usize::try_from(agency.status()?.store.reports).unwrap_or(usize::MAX);
    Ok(reports.saturating_sub(own))
}

/// Waits until every agency holds what it should; false where the patience ends before.
pub(super) fn caught_up(
    agencies: &[Agency],
    own: impl Fn(Party) -> usize,
    expected: impl Fn(Party) -> usize,
    interrupt: &Interrupt,
) -> Result<bool, ExerciseError> {
    let whole = until("everything that partners filed", CATCH_UP, interrupt, || {
        for agency in agencies {
            let behind = agency.peers()?.iter().flat_map(|peer| &peer.agreements).any(|shared| shared.behind > 0);
            if behind || admitted(agency, own(agency.party))? != expected(agency.party) {
                return Ok(None);
            }
        }
        Ok(Some(()))
    });
    match whole {
        Ok(()) => Ok(true),
        Err(ExerciseError::Late { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// How long each single report took from its acknowledgement to the first lookup that found it, by who looked.
pub(super) struct Visible {
    pub(super) filed: Filed,
    /// Milliseconds.
    pub(super) waits: BTreeMap<Party, Vec<f64>>,
}

/// Files reports one by one, while the watchers look for each.
pub(super) fn watch_singles(
    by: &Agency,
    watchers: &[&Agency],
    drafts: &[Draft],
    under: &str,
    interrupt: &Interrupt,
) -> Result<Visible, ExerciseError> {
    let mut visible = Visible { filed: Filed::default(), waits: BTreeMap::new() };
    for draft in drafts {
        let id = by.file(draft, under)?;
        let start = clock::monotonic();
        let waits = thread::scope(|scope| {
            let mut threads = Vec::new();
            for &watcher in watchers {
                let (id, address) = (id.as_str(), draft.address.as_str());
                threads.push((watcher.party, scope.spawn(move || watch(watcher, id, address, start, interrupt))));
            }
            let join = |(party, thread): (Party, thread::ScopedJoinHandle<'_, Result<Duration, ExerciseError>>)| {
                thread.join().expect("watching does not panic").map(|wait| (party, wait))
            };
            threads.into_iter().map(join).collect::<Result<Vec<_>, _>>()
        })?;
        for (party, wait) in waits {
            visible.waits.entry(party).or_default().push(wait.as_secs_f64() * 1000.0);
        }
        visible.filed.ids.insert((draft.file, draft.line), id);
    }
    Ok(visible)
}

/// How long after `start` the first lookup found the report.
fn watch(
    watcher: &Agency,
    id: &str,
    address: &str,
    start: Instant,
    interrupt: &Interrupt,
) -> Result<Duration, ExerciseError> {
    until_at("a report filed alone", ARRIVAL, TIGHT, interrupt, || {
        let known = watcher.look_up(address)?.reports;
        Ok(known.iter().any(|report| report.id == id).then(|| start.elapsed()))
    })
}

/// Withdraws a report; who confirmed it, once all of those asked did or the patience ended.
pub(super) fn retract(
    by: &Agency,
    report: &str,
    reason: &str,
    holders: &[&Agency],
    interrupt: &Interrupt,
) -> Result<Vec<String>, ExerciseError> {
    by.retract(report, reason)?;
    let mut confirmed = Vec::new();
    let all = until("the partners' confirmation", ARRIVAL, interrupt, || {
        let retraction = by.report(report)?.retraction;
        confirmed = retraction.map_or_else(Vec::new, |retraction| {
            retraction.confirmed_by.into_iter().map(|confirmation| confirmation.name).collect()
        });
        let by_all = holders.iter().all(|holder| confirmed.iter().any(|name| name == holder.party.name()));
        Ok(by_all.then_some(()))
    });
    match all {
        Ok(()) | Err(ExerciseError::Late { .. }) => Ok(confirmed),
        Err(error) => Err(error),
    }
}
