//! Fit rows on their way to the node: in batches, each an entry's worth; or, for a dry run beside no running node, to
//! the desk of its data directory. While the node works on one batch, the next is read here and taken in there; what
//! came of them is told in the order of the file.

use std::collections::{BTreeMap, HashSet};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use entente_node::config::Config;
use entente_node::desk::{DeskError, RowFiled, SourceRow};
use entente_node::{Node as Opened, RunOptions};
use serde::{Deserialize, Serialize};

use super::ImportArgs;
use super::judge::{Judge, Verdict};
use super::request::Written;
use crate::args::Globals;
use crate::client::Client;
use crate::error::CliError;
use crate::output::Output;
use crate::passphrase::{self, Use};
use crate::text;
use crate::views::{FiledUnder, Named};

/// Rows in one request: the node's own maximum, and what it puts into one entry.
pub(crate) const TOGETHER: usize = 500;

/// What became of the rows that were filed.
#[derive(Default, Serialize)]
pub(crate) struct Outcome {
    pub(crate) filed: u64,
    pub(crate) revised: u64,
    pub(crate) shared: u64,
    pub(crate) unchanged: u64,
    pub(crate) retracted: u64,
    /// The reports that this file speaks of.
    #[serde(skip)]
    pub(crate) seen: HashSet<u128>,
}

/// A row's report.
pub(crate) struct Filed {
    id: String,
    outcome: String,
}

impl Outcome {
    pub(crate) fn add(&mut self, filed: &Filed) {
        self.seen.extend(u128::from_str_radix(&filed.id, 16));
        let count = match filed.outcome.as_str() {
            "revised" => &mut self.revised,
            "shared" => &mut self.shared,
            "unchanged" => &mut self.unchanged,
            _ => &mut self.filed,
        };
        *count += 1;
    }
}

/// Where rows go.
pub(crate) struct Node {
    way: Way,
    source: String,
    agreements: Vec<String>,
    dry_run: bool,
    recipients: Mutex<Vec<FiledUnder>>,
}

enum Way {
    Running(Client),
    /// A desk that no node runs on.
    Desk(Box<Opened>),
}

#[derive(Serialize)]
struct Batch<'a> {
    reports: Vec<RowOut>,
    agreements: &'a [String],
    import: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
}

#[derive(Serialize)]
struct RowOut {
    row: String,
    #[serde(flatten)]
    report: Written,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    confirm_benign: bool,
}

#[derive(Deserialize)]
struct Answer {
    results: Vec<Result>,
    #[serde(default)]
    agreements: Vec<FiledUnder>,
}

#[derive(Deserialize)]
struct Result {
    id: Option<String>,
    outcome: Option<String>,
    problem: Option<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    title: String,
    detail: Option<String>,
}

/// An item of the list of reports that are held.
#[derive(Deserialize)]
struct Held {
    id: String,
}

impl Node {
    /// The running node.
    pub(crate) fn find(
        args: &ImportArgs,
        source: &str,
        globals: &Globals,
        out: &Output,
    ) -> std::result::Result<Self, CliError> {
        Ok(Self::of(Way::Running(Client::find(globals, out)?), args, source))
    }

    /// The running node, or else the desk of its data directory, for a dry run.
    pub(crate) fn find_or_open(
        args: &ImportArgs,
        source: &str,
        globals: &Globals,
        out: &Output,
    ) -> std::result::Result<Self, CliError> {
        match Client::find(globals, out).and_then(|client| client.get(&["v1", "status"], &[]).map(|_| client)) {
            Ok(client) => Ok(Self::of(Way::Running(client), args, source).trying()),
            Err(error) if error.unreachable() && globals.data.is_some() && globals.url.is_none() => {
                let data = globals.data_dir()?;
                let passphrase = passphrase::obtain(&args.passphrase, Use::Open, "the node's keys", out)?;
                let options = RunOptions { data: data.to_owned(), passphrase, tap: false };
                let config = Config::read(data).map_err(entente_node::RunError::from)?;
                let opened = Opened::open(&options, config)?;
                Ok(Self::of(Way::Desk(Box::new(opened)), args, source).trying())
            }
            Err(error) => Err(error),
        }
    }

    fn of(way: Way, args: &ImportArgs, source: &str) -> Self {
        let agreements = args.agreements.clone();
        Self { way, source: source.to_owned(), agreements, dry_run: false, recipients: Mutex::default() }
    }

    /// The same, filing nothing.
    pub(crate) fn trying(self) -> Self {
        Self { dry_run: true, ..self }
    }

    /// Hands rows over; for each its report, or why it is not taken.
    fn take(
        &self,
        rows: &[Verdict],
        confirm_benign: bool,
    ) -> std::result::Result<Vec<std::result::Result<Filed, String>>, CliError> {
        match &self.way {
            Way::Running(client) => {
                let reports = rows.iter().map(|row| RowOut {
                    row: row.key.clone(),
                    report: Written::of(&row.draft),
                    confirm_benign,
                });
                let batch = Batch {
                    reports: reports.collect(),
                    agreements: &self.agreements,
                    import: &self.source,
                    dry_run: self.dry_run,
                };
                let answer: Answer = client.write(&["v1", "reports", "batch"], &batch)?.read()?;
                if answer.results.len() != rows.len() {
                    return Err(CliError::Incomplete { answered: answer.results.len(), asked: rows.len() });
                }
                self.received_by(answer.agreements);
                Ok(answer.results.into_iter().map(Result::read).collect())
            }
            Way::Desk(opened) => {
                let rows: Vec<SourceRow> = rows
                    .iter()
                    .map(|row| SourceRow { key: row.key.clone(), draft: row.draft.clone(), confirmed: confirm_benign })
                    .collect();
                let desk = opened.desk();
                let (recipients, results) = desk
                    .try_rows(&self.source, &rows, &self.agreements)
                    .map_err(|error| CliError::Desk { error: Box::new(error) })?;
                let book = desk.book();
                let under = recipients.into_iter().map(|recipients| FiledUnder {
                    id: recipients.agreement.to_string(),
                    title: recipients.title,
                    recipients: recipients
                        .agencies
                        .iter()
                        .map(|agency| Named { id: agency.to_string(), name: book.name(*agency) })
                        .collect(),
                    state: "unsent".to_owned(),
                });
                self.received_by(under.collect());
                let read = |result: std::result::Result<RowFiled, DeskError>| {
                    result
                        .map(|filed| Filed { id: filed.report.to_string(), outcome: String::new() })
                        .map_err(|error| error.to_string())
                };
                Ok(results.into_iter().map(read).collect())
            }
        }
    }

    fn received_by(&self, recipients: Vec<FiledUnder>) {
        *self.recipients.lock().unwrap_or_else(PoisonError::into_inner) = recipients;
    }

    /// To whom the rows go.
    pub(crate) fn show_recipients(&self, out: &Output) {
        let recipients = self.recipients.lock().unwrap_or_else(PoisonError::into_inner);
        let rows: Vec<_> = recipients
            .iter()
            .flat_map(|under| {
                under.recipients.iter().map(|agency| {
                    vec![agency.name.as_str().into(), under.title.as_str().into(), text::short(&under.id).into()]
                })
            })
            .collect();
        if rows.is_empty() {
            out.note("nobody would receive it");
        } else {
            out.note_table(&["RECIPIENT", "BECAUSE IT RECEIVES UNDER", "AGREEMENT"], rows);
        }
    }

    /// Reports of this source that the file spoke of no more.
    pub(crate) fn missing(&self, seen: &HashSet<u128>) -> std::result::Result<Vec<String>, CliError> {
        let Way::Running(client) = &self.way else { return Ok(Vec::new()) };
        let mut gone = Vec::new();
        client.each(&["v1", "held"], &[("import", &self.source)], |item| {
            let held: Held = serde_json::from_str(item.get())?;
            if !u128::from_str_radix(&held.id, 16).is_ok_and(|id| seen.contains(&id)) {
                gone.push(held.id);
            }
            Ok(())
        })?;
        Ok(gone)
    }

    /// Withdraws a report whose row is gone.
    pub(crate) fn retract(&self, id: &str) -> std::result::Result<(), CliError> {
        #[derive(Serialize)]
        struct Request {
            reason: String,
        }
        let Way::Running(client) = &self.way else { return Ok(()) };
        let reason = format!("no longer in the source {}", self.source);
        client.write(&["v1", "reports", id, "retraction"], &Request { reason }).map(drop)
    }
}

/// The rows of a batch, and what came of each; nothing where no node was asked.
pub(crate) type Answered =
    std::result::Result<(Vec<Verdict>, Vec<Option<std::result::Result<Filed, String>>>), CliError>;

/// Rows that wait to be a batch, and batches under way.
pub(crate) struct Batches<'a> {
    waiting: Vec<Verdict>,
    sent: u64,
    /// The number of the batch that is told next, and those that were done before their turn.
    next: u64,
    done: BTreeMap<u64, Answered>,
    jobs: Option<SyncSender<(u64, Vec<Verdict>)>>,
    answers: Receiver<(u64, Answered)>,
    settle: Settle<'a>,
}

/// Tells what came of a batch.
type Settle<'a> = Box<dyn FnMut(&mut Judge, Answered) -> std::result::Result<(), CliError> + 'a>;

/// Batches that the node works on at a time: while it writes one, it reads another.
const AT_A_TIME: usize = 2;

/// Hands rows over in batches while `read` finds them, and settles what came of each batch, in order.
pub(crate) fn in_batches<'a>(
    node: Option<&Node>,
    confirm_benign: bool,
    judge: &mut Judge,
    settle: impl FnMut(&mut Judge, Answered) -> std::result::Result<(), CliError> + 'a,
    read: impl FnOnce(&mut Judge, &mut Batches<'a>) -> std::result::Result<(), CliError>,
) -> std::result::Result<(), CliError> {
    let (jobs, queue) = sync_channel(1);
    // One waits, some are worked on, and one more is handed over before the answers are read.
    let (answer, answers) = sync_channel(AT_A_TIME + 2);
    let queue = Mutex::new(queue);
    let waiting = Vec::with_capacity(TOGETHER);
    let settle = Box::new(settle);
    let mut batches = Batches { waiting, sent: 0, next: 0, done: BTreeMap::new(), jobs: Some(jobs), answers, settle };
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            let (answer, queue) = (answer.clone(), &queue);
            scope.spawn(move || work(node, confirm_benign, queue, &answer));
        }
        drop(answer);
        let ended = read(judge, &mut batches).and_then(|()| batches.finish(judge));
        // Whoever still works finds nothing more to do.
        batches.jobs = None;
        ended
    })
}

fn work(
    node: Option<&Node>,
    confirm_benign: bool,
    queue: &Mutex<Receiver<(u64, Vec<Verdict>)>>,
    answer: &SyncSender<(u64, Answered)>,
) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, rows)) = job else { return };
        let results = match node {
            Some(node) => node.take(&rows, confirm_benign).map(|results| results.into_iter().map(Some).collect()),
            None => Ok(rows.iter().map(|_| None).collect()),
        };
        if answer.send((number, results.map(|results| (rows, results)))).is_err() {
            return;
        }
    }
}

impl Batches<'_> {
    /// Adds a row; a full batch goes out.
    pub(crate) fn push(&mut self, row: Verdict, judge: &mut Judge) -> std::result::Result<(), CliError> {
        self.waiting.push(row);
        if self.waiting.len() < TOGETHER {
            return Ok(());
        }
        self.send();
        while let Ok((number, answered)) = self.answers.try_recv() {
            self.done.insert(number, answered);
        }
        self.settle_done(judge)
    }

    fn send(&mut self) {
        let rows = std::mem::replace(&mut self.waiting, Vec::with_capacity(TOGETHER));
        if let Some(jobs) = self.jobs.as_ref().filter(|_| !rows.is_empty()) {
            // The workers end only after this sender does.
            let _ = jobs.send((self.sent, rows));
            self.sent += 1;
        }
    }

    fn settle_done(&mut self, judge: &mut Judge) -> std::result::Result<(), CliError> {
        while let Some(answered) = self.done.remove(&self.next) {
            self.next += 1;
            (self.settle)(judge, answered)?;
        }
        Ok(())
    }

    fn finish(&mut self, judge: &mut Judge) -> std::result::Result<(), CliError> {
        self.send();
        self.jobs = None;
        while let Ok((number, answered)) = self.answers.recv() {
            self.done.insert(number, answered);
            self.settle_done(judge)?;
        }
        Ok(())
    }
}

impl Result {
    fn read(self) -> std::result::Result<Filed, String> {
        match (self.id, self.problem) {
            (Some(id), _) => Ok(Filed { id, outcome: self.outcome.unwrap_or_default() }),
            (None, Some(problem)) => Err(problem.detail.unwrap_or(problem.title)),
            (None, None) => Err("the node did not say why".to_owned()),
        }
    }
}
