//! The federation task: joins the network, the catch-up machine and the desk.
//!
//! ```text
//!   network ──Event──▶ ┌────────────┐ ──Job──▶ queue ──one at a time──▶ desk
//!           ◀─Command─ │ federation │ ◀─Input─ what came of it
//!   signals ──News───▶ │  (machine) │ ──gossip, reads for partners──▶ desk (bounded, beside the queue)
//!                      └────────────┘
//! ```
//!
//! The loop itself never blocks and decides nothing: the machine says what to do, the desk does it. Commands wait in
//! the loop until the network has room for them, so that neither can wait for the other. What the desk changed
//! reaches the machine as news before the answer of the job that changed it. While much waits, nothing more is
//! taken from the network, and partners feel it.

mod connections;
mod queue;
mod work;

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use entente_protocol::id::{AgencyId, AgreementId};
use entente_protocol::sync::message::{Reason, Response};
use entente_protocol::sync::{Failed, Input, Machine, Output, Own, PageOutcome, Plan, Position, Snapshot, Ticket};
use entente_protocol::time::Time;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::desk::{Desk, DeskError, GossipJudgement, News, scope};
use crate::files;
use crate::network::{Command, Event, Group, Handle, Partner, RequestFailure, RequestTicket, Verdict};
use crate::store::StoreError;
pub use connections::Connections;
use queue::{Job, Queue};

/// Commands that may wait for the network before the loop takes no more from it: of 64 KiB at most, mostly less.
const COMMANDS: usize = 256;

/// Gossip messages judged at a time; what comes beyond is left to catch-up.
const GOSSIP_AT_A_TIME: usize = 64;

/// Reads for partners at a time, of a page each: the asker of one more is told to come back.
const READS_AT_A_TIME: usize = 32;

/// How often the desk is asked for receipts that are due.
const RECEIPTS_EVERY: Duration = Duration::from_secs(1);

/// How often partners and agreements are looked at anew, because some begin or end by date alone.
const TOPOLOGY_EVERY: Duration = Duration::from_secs(30);

/// How often the quarantine is tidied, and what was erased is taken off the disk.
const TIDY_EVERY: Duration = Duration::from_hours(1);

/// How often that ends the segment being written, where something in it was erased.
const ROLL_EVERY: Duration = Duration::from_hours(24);

/// The task and what it holds.
pub struct Federation {
    desk: Arc<Desk>,
    network: Handle,
    connections: Arc<Connections>,
    card_file: PathBuf,
    machine: Machine,
    queue: Queue,
    /// Commands that the network has had no room for yet.
    commands: VecDeque<Command>,
    tickets: BTreeMap<Ticket, RequestTicket>,
    next_ticket: u64,
    gossip: Arc<Semaphore>,
    reads: Arc<Semaphore>,
    wake: Option<Time>,
}

impl Federation {
    /// A federation task over an open desk; `card_file` is kept up to date with where this node can be dialled.
    pub fn new(
        desk: Arc<Desk>,
        network: Handle,
        connections: Arc<Connections>,
        card_file: PathBuf,
    ) -> Result<Self, DeskError> {
        let me = desk.me();
        let own = Own { agency: me.agency, writer: me.writer, mode: me.mode, incarnation: desk.store().incarnation() };
        let machine = Machine::new(own, snapshot(&desk)?);
        Ok(Self {
            queue: Queue::new(Arc::clone(&desk)),
            desk,
            network,
            connections,
            card_file,
            machine,
            commands: VecDeque::new(),
            tickets: BTreeMap::new(),
            next_ticket: 0,
            gossip: Arc::new(Semaphore::new(GOSSIP_AT_A_TIME)),
            reads: Arc::new(Semaphore::new(READS_AT_A_TIME)),
            wake: None,
        })
    }

    /// Runs until `stop`; the job under way is ended, and the network is told to say goodbye.
    pub async fn run(mut self, mut events: mpsc::Receiver<Event>, stop: CancellationToken) {
        let mut receipts = every(RECEIPTS_EVERY);
        let mut topology = every(TOPOLOGY_EVERY);
        let mut tidy = every(TIDY_EVERY);
        let mut roll = every(ROLL_EVERY);
        let (desk, network) = (Arc::clone(&self.desk), self.network.clone());
        // Before anything else: of scopes that it does not know the machine hears nothing.
        self.on_topology();
        loop {
            let wake = self.wake.map(until);
            let room = !self.queue.is_full() && self.commands.len() < COMMANDS;
            tokio::select! {
                () = stop.cancelled() => break,
                sent = network.room(), if !self.commands.is_empty() => match (sent, self.commands.pop_front()) {
                    (Some(place), Some(command)) => place.send(command),
                    _ => break,
                },
                inputs = self.queue.done() => self.on_done(inputs),
                Some(event) = events.recv(), if room => self.on_event(event),
                news = desk.signals().next(), if room => self.on_news(news),
                () = sleep(wake) => self.on_wake(),
                _ = receipts.tick(), if room => self.job(|desk| told("receipts", desk.issue_receipts())),
                _ = topology.tick(), if room => self.on_topology(),
                _ = tidy.tick() => self.tidy(false),
                _ = roll.tick() => self.tidy(true),
                else => break,
            }
        }
        self.queue.stop().await;
        network.send(Command::Shutdown).await;
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Listening { addresses } => self.on_listening(addresses),
            Event::Connected { agency, address } => {
                tracing::info!(%agency, %address, "connected");
                self.connections.came(agency);
                self.drive(Input::PeerUp(agency));
            }
            Event::Disconnected { agency } => {
                tracing::info!(%agency, "disconnected");
                self.connections.went(agency);
                self.drive(Input::PeerDown(agency));
            }
            Event::Unreachable { agency, reason } => tracing::debug!(%agency, %reason, "not reached"),
            Event::Joined { agreement, agency } => tracing::debug!(%agency, %agreement, "listens to gossip"),
            Event::Gossip { agreement, from, ticket, bytes } => self.on_gossip(agreement, from, ticket, bytes),
            Event::Request { from, ticket, bytes } => {
                let name = Ticket(self.next_ticket);
                self.next_ticket += 1;
                self.tickets.insert(name, ticket);
                self.drive(Input::Request { from, ticket: name, bytes });
            }
            Event::Response { agency, id, result } => {
                let result = result.map_err(|failure| match failure {
                    // The end of a connection is no fault of the partner's: it is asked again once it is back.
                    RequestFailure::Busy
                    | RequestFailure::InFlight
                    | RequestFailure::NotConnected
                    | RequestFailure::Disconnected => Failed::Busy,
                    _ => Failed::Lost,
                });
                let id = entente_protocol::sync::RequestId(id.0);
                self.drive(Input::Answer { from: agency, id, result });
            }
        }
    }

    fn on_listening(&mut self, addresses: Vec<String>) {
        self.connections.listen(&addresses);
        let card_file = self.card_file.clone();
        self.job(move |desk| {
            let written = desk.announce_addresses(addresses).and_then(|()| desk.own_export());
            match written.map(|card| files::replace(&card_file, card.as_bytes())) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, "the card file could not be written"),
                Err(error) => tracing::warn!(%error, "the addresses could not be announced"),
            }
            Vec::new()
        });
    }

    /// Judged beside the queue: what is new should be seen at once, whatever is being caught up with.
    fn on_gossip(
        &mut self,
        agreement: AgreementId,
        from: AgencyId,
        ticket: crate::network::GossipTicket,
        bytes: Vec<u8>,
    ) {
        let Ok(permit) = Arc::clone(&self.gossip).try_acquire_owned() else {
            return self.commands.push_back(Command::Verdict { ticket, verdict: Verdict::Ignore });
        };
        let (desk, network) = (Arc::clone(&self.desk), self.network.clone());
        tokio::task::spawn_blocking(move || {
            let verdict = match desk.take_gossip(from, agreement, &bytes) {
                Ok(GossipJudgement::Accept) => Verdict::Accept,
                Ok(GossipJudgement::Ignore) => Verdict::Ignore,
                Ok(GossipJudgement::Reject) => Verdict::Reject,
                Err(error) => {
                    tracing::error!(%error, "an announcement could not be taken");
                    Verdict::Ignore
                }
            };
            network.blocking_send(Command::Verdict { ticket, verdict });
            drop(permit);
        });
    }

    /// What came of a job; the news that it made come first.
    fn on_done(&mut self, inputs: Vec<Input>) {
        if let Some(news) = self.desk.signals().take() {
            self.on_news(news);
        }
        for input in inputs {
            self.drive(input);
        }
    }

    fn on_news(&mut self, news: News) {
        if news.topology {
            self.on_topology();
        }
        for log in news.forked {
            self.drive(Input::ForkProven { log });
        }
        for (log, head) in news.heads {
            let head = Position { seq: head.seq, hash: head.hash };
            self.drive(Input::HeadMoved { log, head });
        }
        for (scope, own) in news.feeds {
            match self.desk.store().feed_end(&scope) {
                Ok(length) => self.drive(Input::FeedGrew { scope, length, own }),
                Err(error) => tracing::error!(%error, "the end of a feed cannot be read"),
            }
        }
        for wanted in news.keys_wanted {
            let (from, scope, key_id) = (wanted.from, wanted.scope, wanted.key);
            self.drive(Input::KeyWanted { from, scope, key_id });
        }
        for (scope, key) in news.keys_taken {
            self.drive(Input::KeysTaken { scope, key_ids: vec![key] });
        }
        for (log, (seq, from)) in news.gaps {
            self.drive(Input::GapSeen { from, log, seq });
        }
        let publish = |(agreement, bytes)| Command::Publish { agreement, bytes };
        self.commands.extend(news.announcements.into_iter().map(publish));
    }

    fn on_wake(&mut self) {
        self.wake = None;
        self.drive(Input::Tick);
    }

    /// Tells the network whom to connect and which agreements gossip, and the machine who may know what.
    fn on_topology(&mut self) {
        let (book, now) = (self.desk.book(), clock::now());
        let partners = book.partners().into_iter().filter_map(|agency| {
            let known = book.roll.agency(agency).ok()?;
            let nodes = known.newest()?.card().nodes.iter().filter(|node| node.validity.contains(now));
            Some(Partner {
                agency,
                peers: nodes.flat_map(|node| node.transport.iter().map(|key| *key.as_bytes())).collect(),
                addresses: known.addresses().values().flat_map(|record| record.record().addresses.clone()).collect(),
            })
        });
        let groups = book.in_force(now).map(|(agreement, _)| Group {
            agreement: agreement.id(),
            parties: agreement.parties_now(now).into_iter().map(|party| party.agency).collect(),
        });
        let command = Command::Topology { partners: partners.collect(), groups: groups.collect() };
        let scopes = self.desk.scopes(now);
        self.commands.push_back(command);
        self.drive(Input::Scopes(scopes));
    }

    /// Hands an input to the machine, and does what it says.
    fn drive(&mut self, input: Input) {
        for output in self.machine.handle(input, clock::now()) {
            self.on_output(output);
        }
    }

    fn on_output(&mut self, output: Output) {
        match output {
            Output::Send { to, id, bytes } => {
                let id = crate::network::RequestId(id.0);
                self.commands.push_back(Command::Request { agency: to, id, bytes });
            }
            Output::Respond { ticket, bytes } => {
                if let Some(ticket) = self.tickets.remove(&ticket) {
                    self.commands.push_back(Command::Respond { ticket, bytes });
                }
            }
            Output::Serve { ticket, from, plan } => self.serve(ticket, from, plan),
            Output::Admit { from, log, entries } => {
                let stuck = Input::PageDone { from, log, outcome: PageOutcome::Stuck };
                let job = Job::new(move |desk| work::admit(desk, from, log, entries));
                self.queue.push(job.or_else(stuck));
            }
            Output::Take { from, scope, objects, cursor } => {
                let job = Job::new(move |desk| work::take(desk, from, scope, objects, cursor));
                self.queue.push(job.or_else(Input::FeedFailed { from, scope }).of_feed(from, scope));
            }
            Output::Lacking { from, scope, items } => {
                let job = Job::new(move |desk| work::lacking(desk, from, scope, &items));
                self.queue.push(job.or_else(Input::FeedFailed { from, scope }));
            }
            Output::Compared { scope, .. } => self.job(move |desk| told("outbox", desk.compared(AgreementId(scope)))),
            Output::OwnLogAhead { log, .. } => self.job(move |desk| told("restore", desk.restored(log.agreement))),
            Output::Check { from, log, position } => {
                let job = Job::new(move |desk| work::check(desk, from, log, position));
                self.queue.push(job.or_else(Input::Unchecked { from, log }));
            }
            Output::Diverged { log, seq, from } => {
                tracing::warn!(author = %log.author, seq, %from, "a partner holds another entry at this position");
            }
            Output::Evidence { from, log, entry, .. } => {
                let job = Job::new(move |desk| work::evidence(desk, from, log, entry));
                self.queue.push(job.or_else(Input::EvidenceDone { from, log }));
            }
            Output::WakeAt(at) => self.wake = Some(at),
            Output::Misbehaved { agency, why } => tracing::warn!(%agency, %why, "a partner broke the protocol"),
        }
    }

    /// Reads the store for a partner, beside everything else.
    fn serve(&mut self, ticket: Ticket, from: AgencyId, plan: Plan) {
        let Some(ticket) = self.tickets.remove(&ticket) else { return };
        let Ok(permit) = Arc::clone(&self.reads).try_acquire_owned() else {
            let bytes = Response::Refused(Reason::Busy).write();
            return self.commands.push_back(Command::Respond { ticket, bytes });
        };
        let (desk, network) = (Arc::clone(&self.desk), self.network.clone());
        tokio::task::spawn_blocking(move || {
            match work::answer(&desk, from, plan) {
                Ok(response) => network.blocking_send(Command::Respond { ticket, bytes: response.write() }),
                Err(error) => {
                    tracing::error!(%error, "a partner's request could not be answered");
                    network.blocking_send(Command::Refuse { ticket })
                }
            };
            drop(permit);
        });
    }

    /// Tidies beside everything else: it takes long, and the machine does not care.
    fn tidy(&self, roll: bool) {
        let desk = Arc::clone(&self.desk);
        tokio::task::spawn_blocking(move || {
            told("tidying", desk.tidy());
            told("deleting what is past its date", desk.expire());
            match desk.compact(roll) {
                // The node stops; what is left is done after the next start.
                Ok(()) | Err(DeskError::Store(StoreError::Closed)) => {}
                Err(error) => tracing::error!(%error, "what was erased could not be taken off the disk"),
            }
        });
    }

    /// Puts work into the queue that the machine does not wait for.
    fn job(&mut self, work: impl FnOnce(&Desk) -> Vec<Input> + Send + 'static) {
        self.queue.push(Job::new(work));
    }
}

fn snapshot(desk: &Desk) -> Result<Snapshot, DeskError> {
    let mut feeds = BTreeMap::new();
    for scope in desk.scopes(clock::now()).into_keys().chain([scope::CONTACT]) {
        feeds.insert(scope, desk.store().feed_end(&scope)?);
    }
    let heads = desk.heads().into_iter().map(|(log, head)| (log, Position { seq: head.seq, hash: head.hash }));
    Ok(Snapshot { heads: heads.collect(), feeds, cursors: desk.cursors(), forked: desk.forked() })
}

fn told(what: &str, result: Result<(), DeskError>) -> Vec<Input> {
    if let Err(error) = result {
        tracing::error!(%error, what, "the desk failed");
    }
    Vec::new()
}

fn every(period: Duration) -> tokio::time::Interval {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

fn until(at: Time) -> Instant {
    Instant::from_std(clock::monotonic()) + Duration::from_millis(at.since(clock::now()))
}

async fn sleep(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}
