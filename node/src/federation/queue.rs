//! Jobs at the desk, one after the other, in the order in which they were given.
//!
//! The machine counts on that order: a cursor stands for all objects before it, and what was restored is known before
//! what waits is published. So whatever changes something runs here; reads for partners run beside it. The queue
//! never blocks the loop: it is bounded because the machine waits for its jobs, and because the loop takes nothing
//! more from the network while [`Queue::is_full`].

use std::collections::VecDeque;
use std::sync::Arc;

use entente_protocol::id::{AgencyId, Hash};
use entente_protocol::sync::Input;
use tokio::task::JoinHandle;

use crate::desk::Desk;

/// Jobs that may wait before the loop takes no more from the network: the machine has at most 64 requests in flight,
/// and each answer leads to one job or two.
const JOBS: usize = 256;

/// What a job does; yields what the machine is to hear.
type Work = Box<dyn FnOnce(&Desk) -> Vec<Input> + Send>;

/// Something to do at the desk.
pub(super) struct Job {
    work: Work,
    /// What the machine is to hear if the work does not end.
    failed: Vec<Input>,
    /// The feed whose objects it stores: when one job of a feed fails, those behind it are not done.
    feed: Option<(AgencyId, Hash)>,
}

/// See the module.
pub(super) struct Queue {
    desk: Arc<Desk>,
    waiting: VecDeque<Job>,
    running: Option<Running>,
}

struct Running {
    task: JoinHandle<Vec<Input>>,
    failed: Vec<Input>,
    feed: Option<(AgencyId, Hash)>,
}

impl Job {
    /// A job that the machine does not wait for.
    pub(super) fn new(work: impl FnOnce(&Desk) -> Vec<Input> + Send + 'static) -> Job {
        Job { work: Box::new(work), failed: Vec::new(), feed: None }
    }

    /// What the machine is to hear if it does not end.
    pub(super) fn or_else(self, failed: Input) -> Job {
        Job { failed: vec![failed], ..self }
    }

    /// It stores objects of this feed.
    pub(super) fn of_feed(self, from: AgencyId, scope: Hash) -> Job {
        Job { feed: Some((from, scope)), ..self }
    }
}

impl Queue {
    pub(super) fn new(desk: Arc<Desk>) -> Queue {
        Queue { desk, waiting: VecDeque::new(), running: None }
    }

    /// Whether enough waits.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= JOBS
    }

    /// Adds a job; to be called within a runtime.
    pub(super) fn push(&mut self, job: Job) {
        self.waiting.push_back(job);
        self.start();
    }

    /// Waits until the job that runs has ended: what the machine is to hear. For ever, while none runs. To be
    /// dropped at will.
    pub(super) async fn done(&mut self) -> Vec<Input> {
        let Some(running) = &mut self.running else { return std::future::pending().await };
        let ended = (&mut running.task).await;
        let Running { failed, feed, .. } = self.running.take().expect("it was there just now");
        let inputs = ended.unwrap_or_else(|error| {
            tracing::error!(%error, "a job at the desk did not end");
            failed
        });
        if inputs.iter().any(|input| matches!(input, Input::FeedFailed { .. })) {
            self.waiting.retain(|job| job.feed.is_none() || job.feed != feed);
        }
        self.start();
        inputs
    }

    /// Waits for the job that runs, and drops the others.
    pub(super) async fn stop(mut self) {
        if let Some(running) = self.running.take() {
            let _ended = running.task.await;
        }
    }

    fn start(&mut self) {
        if self.running.is_some() {
            return;
        }
        let Some(Job { work, failed, feed }) = self.waiting.pop_front() else { return };
        let desk = Arc::clone(&self.desk);
        let task = tokio::task::spawn_blocking(move || work(&desk));
        self.running = Some(Running { task, failed, feed });
    }
}
