//! The store: every frame is read, and the index compared with one built from nothing.

use std::path::Path;
use std::time::Duration;

use entente_node::config::{Config, store_dir};
use entente_node::store::{Diagnosis, Options, Progress, Rebuilt, Step, StoreError, StoreKeys, doctor};
use entente_node::vault::NodeSecrets;
use indicatif::{ProgressBar, ProgressStyle};

use super::Finding;
use crate::output::Output;
use crate::text;

const CHECK: &str = "store";
/// A node that was just killed holds its lock a moment longer.
const LOCK_WAIT_MS: u64 = 500;

const REFETCH: &str = "start the node: it saves what surrounds the damage, and fetches the rest from partners";

/// Examines the store, with progress on a terminal.
pub(super) fn examine(data: &Path, secrets: &NodeSecrets, rebuild: bool, out: &Output) -> Vec<Finding> {
    let dir = store_dir(data);
    if !dir.exists() {
        return vec![Finding::sound(CHECK, "empty: the node has not run yet")];
    }
    let keys = StoreKeys { index: secrets.index, records: secrets.records };
    let mut options = Options { lock_wait_ms: LOCK_WAIT_MS, ..Options::default() };
    if let Ok(config) = Config::read(data) {
        options.cache_bytes = config.cache_mib.saturating_mul(1 << 20);
    }
    let mut bar = Bar::new(out);
    let examined = doctor(&dir, &keys, &options, rebuild, &mut |progress| bar.tell(progress));
    bar.end();
    match examined {
        Ok(diagnosis) => findings(&diagnosis, rebuild),
        Err(error) => vec![failed(&error)],
    }
}

/// The store's keys are not at hand.
pub(super) fn locked_away() -> Finding {
    Finding::fault(CHECK, "not examined: its keys do not open", "see to the keys first")
}

fn failed(error: &StoreError) -> Finding {
    let next = match error {
        StoreError::Locked { .. } => "the node is running: stop it, then repeat this",
        StoreError::Past { .. } => "use the version of this program that wrote it",
        StoreError::Future { .. } => "use the version of this program that wrote it, or a later one",
        StoreError::WrongKeys => "put keys and store back from one and the same backup",
        StoreError::Foreign { .. } => "put the store back from the backup of the data directory",
        StoreError::Io { .. } => "see to the disk and to the files' owner, then repeat this",
        _ => "repeat this with --rebuild-index",
    };
    Finding::fault(CHECK, error.to_string(), next)
}

fn findings(diagnosis: &Diagnosis, rebuild: bool) -> Vec<Finding> {
    let mut findings: Vec<_> =
        diagnosis.unsound.iter().map(|error| Finding::fault("journal", error.to_string(), REFETCH)).collect();
    for damage in diagnosis.opened.iter().flat_map(|report| &report.damage) {
        let detail = format!("{} was damaged at byte {}", damage.file.display(), damage.offset);
        findings.push(Finding::fault("journal", detail, REFETCH));
    }
    for torn in diagnosis.opened.iter().flat_map(|report| &report.torn) {
        let detail = format!("cut {} bytes that were never acknowledged off {}", torn.bytes, torn.file.display());
        findings.push(Finding::note("journal", detail, "nothing: a crash leaves such an end"));
    }
    if findings.is_empty() {
        let frames = usize::try_from(diagnosis.frames).unwrap_or(usize::MAX);
        findings.push(Finding::sound("journal", format!("{} read as written", text::count(frames, "frame"))));
    }
    findings.push(index(diagnosis, rebuild));
    findings
}

fn index(diagnosis: &Diagnosis, rebuild: bool) -> Finding {
    const CHECK: &str = "index";
    let Some(opened) = &diagnosis.opened else {
        return Finding::note(CHECK, "not examined: the journals are not sound", "see to the journals first");
    };
    if diagnosis.index_differences > 0 {
        let differences = diagnosis.index_differences;
        let next = "the next start builds it anew; or do it now with --rebuild-index";
        return Finding::fault(CHECK, format!("{differences} pairs differ from what the journals say"), next);
    }
    match opened.rebuilt {
        None if rebuild => Finding::sound(CHECK, "built anew, from journals that hold nothing yet"),
        None => Finding::sound(CHECK, "agrees with the journals"),
        Some(Rebuilt::Asked) if rebuild => Finding::sound(CHECK, "built anew, and agrees with the journals"),
        Some(why) => {
            let why = match why {
                Rebuilt::Missing => "it was missing",
                Rebuilt::UncleanStop => "the machine had stopped while it was open",
                Rebuilt::Damaged => "it was damaged",
                Rebuilt::Foreign => "it was of another store",
                Rebuilt::Asked => "that was asked for",
            };
            Finding::note(CHECK, format!("built anew, because {why}; it agrees with the journals"), "nothing")
        }
    }
}

/// A bar a step; indicatif draws it on a terminal alone.
struct Bar {
    bar: ProgressBar,
    step: Option<Step>,
}

impl Bar {
    fn new(out: &Output) -> Self {
        let bar = if out.is_json() { ProgressBar::hidden() } else { ProgressBar::no_length() };
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, step: None }
    }

    fn tell(&mut self, progress: Progress) {
        if self.step.replace(progress.step) != Some(progress.step) {
            // Checking counts segments, all else bytes.
            let (what, amount) = match progress.step {
                Step::Check => ("checking", "{pos}/{len}"),
                Step::Rebuild => ("building the index", "{bytes}/{total_bytes}, {eta} left"),
                Step::Replay => ("replaying", "{bytes}/{total_bytes}, {eta} left"),
                Step::Compact => ("compacting", "{bytes}/{total_bytes}, {eta} left"),
            };
            let template = format!("{{msg}} {{bar:30}} {amount}");
            self.bar.set_style(ProgressStyle::with_template(&template).expect("the template is well formed"));
            self.bar.set_message(what);
            self.bar.reset();
        }
        self.bar.set_length(progress.total);
        self.bar.set_position(progress.done);
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}
