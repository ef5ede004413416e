//! The federation task: joins the network, the catch-up machine and the desk.
//!
//! ```text
//!   network ──Event──▶ ┌────────────┐ ──job──▶ desk (blocking threads)
//!           ◀─Command─ │ federation │ ◀─Input─ what came of it
//!   signals ──News───▶ │  (machine) │
//!                      └────────────┘
//! ```
//!
//! The loop itself never blocks and decides nothing: the machine says what to do, the desk does it. What the desk
//! changed reaches the machine as news before the answer of the job that changed it.

mod work;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use entente_protocol::agreement::{Agreement, State};
use entente_protocol::id::{AgencyId, AgreementId, Hash};
use entente_protocol::sync::{Failed, Input, Machine, Output, Own, Plan, Position, ScopeInfo, Snapshot, Ticket};
use entente_protocol::time::Time;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::desk::{Desk, DeskError, GossipJudgement, News, scope};
use crate::files;
use crate::network::{Command, Event, Group, Handle, Partner, RequestFailure, RequestTicket, Stats, Verdict};

/// Answers of jobs that wait for the loop.
const ANSWERS: usize = 1024;

/// Gossip messages judged at a time; what comes beyond is left to catch-up.
const GOSSIP_AT_A_TIME: usize = 64;

/// How often the desk is asked for receipts that are due.
const RECEIPTS_EVERY: Duration = Duration::from_secs(1);

/// How often partners and agreements are looked at anew, because some begin or end by date alone.
const TOPOLOGY_EVERY: Duration = Duration::from_secs(30);

/// How often the quarantine is tidied.
const TIDY_EVERY: Duration = Duration::from_hours(1);

/// Who is connected, and where this node listens: for people to look at.
#[derive(Debug, Default)]
pub struct Connections {
    connected: Mutex<BTreeMap<AgencyId, Time>>,
    last_seen: Mutex<BTreeMap<AgencyId, Time>>,
    listening: Mutex<Vec<String>>,
}

impl Connections {
    /// The network as it is now, for the local API.
    pub fn view(&self, stats: &Stats) -> crate::api::Connections {
        let connected = lock(&self.connected).clone();
        let now = clock::now();
        let mut last_seen = lock(&self.last_seen).clone();
        last_seen.extend(connected.keys().map(|agency| (*agency, now)));
        let listening = lock(&self.listening).clone();
        crate::api::Connections { connected, last_seen, listening, counters: stats.all() }
    }
}

/// The task and what it holds.
pub struct Federation {
    desk: Arc<Desk>,
    network: Handle,
    connections: Arc<Connections>,
    card_file: PathBuf,
    machine: Machine,
    tickets: BTreeMap<Ticket, RequestTicket>,
    next_ticket: u64,
    answers: mpsc::Sender<Input>,
    gossip: Arc<Semaphore>,
    wake: Option<Time>,
}

impl Federation {
    /// A federation task over an open desk; `card_file` is kept up to date with where this node can be dialled.
    pub fn new(
        desk: Arc<Desk>,
        network: Handle,
        connections: Arc<Connections>,
        card_file: PathBuf,
    ) -> Result<(Self, mpsc::Receiver<Input>), DeskError> {
        let me = desk.me();
        let own = Own { agency: me.agency, writer: me.writer, mode: me.mode, incarnation: desk.store().incarnation() };
        let machine = Machine::new(own, snapshot(&desk)?);
        let (answers, receiver) = mpsc::channel(ANSWERS);
        let federation = Self {
            desk,
            network,
            connections,
            card_file,
            machine,
            tickets: BTreeMap::new(),
            next_ticket: 0,
            answers,
            gossip: Arc::new(Semaphore::new(GOSSIP_AT_A_TIME)),
            wake: None,
        };
        Ok((federation, receiver))
    }

    /// Runs until `stop`; the network is told to say goodbye.
    pub async fn run(
        mut self,
        mut events: mpsc::Receiver<Event>,
        mut answers: mpsc::Receiver<Input>,
        stop: CancellationToken,
    ) {
        let mut receipts = every(RECEIPTS_EVERY);
        let mut topology = every(TOPOLOGY_EVERY);
        let mut tidy = every(TIDY_EVERY);
        let desk = Arc::clone(&self.desk);
        loop {
            let wake = self.wake.map(until);
            tokio::select! {
                () = stop.cancelled() => break,
                Some(event) = events.recv() => self.on_event(event).await,
                Some(input) = answers.recv() => self.on_answer(input).await,
                news = desk.signals().next() => self.on_news(news).await,
                () = sleep(wake) => self.on_wake().await,
                _ = receipts.tick() => self.job(|desk| told("receipts", desk.issue_receipts())),
                _ = topology.tick() => self.on_topology().await,
                _ = tidy.tick() => self.job(|desk| told("tidying", desk.tidy())),
                else => break,
            }
        }
        self.network.send(Command::Shutdown).await;
    }

    async fn on_event(&mut self, event: Event) {
        match event {
            Event::Listening { addresses } => self.on_listening(addresses),
            Event::Connected { agency, address } => {
                tracing::info!(%agency, %address, "connected");
                lock(&self.connections.connected).insert(agency, clock::now());
                self.drive(Input::PeerUp(agency)).await;
            }
            Event::Disconnected { agency } => {
                tracing::info!(%agency, "disconnected");
                lock(&self.connections.connected).remove(&agency);
                lock(&self.connections.last_seen).insert(agency, clock::now());
                self.drive(Input::PeerDown(agency)).await;
            }
            Event::Unreachable { agency, reason } => tracing::debug!(%agency, %reason, "not reached"),
            Event::Joined { agreement, agency } => tracing::debug!(%agency, %agreement, "listens to gossip"),
            Event::Gossip { agreement, from, ticket, bytes } => self.on_gossip(agreement, from, ticket, bytes).await,
            Event::Request { from, ticket, bytes } => {
                let name = Ticket(self.next_ticket);
                self.next_ticket += 1;
                self.tickets.insert(name, ticket);
                self.drive(Input::Request { from, ticket: name, bytes }).await;
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
                self.drive(Input::Answer { from: agency, id, result }).await;
            }
        }
    }

    fn on_listening(&mut self, addresses: Vec<String>) {
        *lock(&self.connections.listening) = addresses;
        let (connections, card_file) = (Arc::clone(&self.connections), self.card_file.clone());
        self.job(move |desk| {
            // Jobs overtake each other: what counts is what is true when this one runs.
            let addresses = lock(&connections.listening).clone();
            let written = desk.announce_addresses(addresses).and_then(|()| desk.own_export());
            match written.map(|card| files::replace(&card_file, card.as_bytes())) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, "the card file could not be written"),
                Err(error) => tracing::warn!(%error, "the addresses could not be announced"),
            }
            Vec::new()
        });
    }

    async fn on_gossip(
        &mut self,
        agreement: AgreementId,
        from: AgencyId,
        ticket: crate::network::GossipTicket,
        bytes: Vec<u8>,
    ) {
        let Ok(permit) = Arc::clone(&self.gossip).try_acquire_owned() else {
            self.network.send(Command::Verdict { ticket, verdict: Verdict::Ignore }).await;
            return;
        };
        let network = self.network.clone();
        self.job(move |desk| {
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
            Vec::new()
        });
    }

    /// What came of a job; the news that it made come first.
    async fn on_answer(&mut self, input: Input) {
        if let Some(news) = self.desk.signals().take() {
            self.on_news(news).await;
        }
        self.drive(input).await;
    }

    async fn on_news(&mut self, news: News) {
        if news.topology {
            self.on_topology().await;
        }
        for (log, head) in news.heads {
            let head = Position { seq: head.seq, hash: head.hash };
            self.drive(Input::HeadMoved { log, head }).await;
        }
        for (scope, own) in news.feeds {
            match self.desk.store().feed_end(&scope) {
                Ok(length) => self.drive(Input::FeedGrew { scope, length, own }).await,
                Err(error) => tracing::error!(%error, "the end of a feed cannot be read"),
            }
        }
        for wanted in news.keys_wanted {
            let (from, scope, key_id) = (wanted.from, wanted.scope, wanted.key);
            self.drive(Input::KeyWanted { from, scope, key_id }).await;
        }
        for (scope, key) in news.keys_taken {
            self.drive(Input::KeysTaken { scope, key_ids: vec![key] }).await;
        }
        for (log, (seq, from)) in news.gaps {
            self.drive(Input::GapSeen { from, log, seq }).await;
        }
        for (agreement, bytes) in news.announcements {
            self.network.send(Command::Publish { agreement, bytes }).await;
        }
    }

    async fn on_wake(&mut self) {
        self.wake = None;
        self.drive(Input::Tick).await;
    }

    /// Tells the network whom to connect and which agreements gossip, and the machine who may know what.
    async fn on_topology(&mut self) {
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
        let groups = book.in_force(now).map(|(agreement, version)| Group {
            agreement: agreement.id(),
            parties: version.parties.iter().map(|party| party.agency).collect(),
        });
        let command = Command::Topology { partners: partners.collect(), groups: groups.collect() };
        let mut scopes = self.desk.scopes();
        scopes.remove(&scope::CONTACT);
        let scopes = scopes.into_iter().map(|(scope, parties)| {
            let has_logs = book.scope(scope).is_some_and(|agreement| ever_in_force(agreement, now));
            (scope, ScopeInfo { parties, has_logs })
        });
        let scopes = scopes.collect();
        self.network.send(command).await;
        self.drive(Input::Scopes(scopes)).await;
    }

    /// Hands an input to the machine, and does what it says.
    async fn drive(&mut self, input: Input) {
        for output in self.machine.handle(input, clock::now()) {
            self.on_output(output).await;
        }
    }

    async fn on_output(&mut self, output: Output) {
        match output {
            Output::Send { to, id, bytes } => {
                let id = crate::network::RequestId(id.0);
                self.network.send(Command::Request { agency: to, id, bytes }).await;
            }
            Output::Respond { ticket, bytes } => {
                if let Some(ticket) = self.tickets.remove(&ticket) {
                    self.network.send(Command::Respond { ticket, bytes }).await;
                }
            }
            Output::Serve { ticket, from, plan } => self.serve(ticket, from, plan),
            Output::Admit { from, log, entries } => self.job(move |desk| work::admit(desk, from, log, entries)),
            Output::Take { from, scope, objects, cursor } => {
                self.job(move |desk| work::take(desk, from, scope, objects, cursor));
            }
            Output::Lacking { from, scope, items } => self.job(move |desk| {
                let names: Vec<Hash> = items.iter().map(|item| item.hash).collect();
                let hashes = desk.lacking(&names).unwrap_or_default();
                vec![Input::Fetch { from, scope, hashes }]
            }),
            Output::Compared { scope, .. } => self.job(move |desk| told("outbox", desk.compared(AgreementId(scope)))),
            Output::OwnLogAhead { log, .. } => self.job(move |desk| told("restore", desk.restored(log.agreement))),
            Output::Check { from, log, position } => self.job(move |desk| {
                let same = desk.same_entry(&log, position.seq, &position.hash);
                let same = same.ok().flatten().unwrap_or(true);
                vec![Input::Checked { from, log, position, same }]
            }),
            Output::Diverged { log, seq, from } => {
                tracing::warn!(author = %log.author, seq, %from, "a partner holds another entry at this position");
            }
            Output::Evidence { from, log, entry, .. } => self.job(move |desk| {
                let _ = work::admit(desk, from, log, vec![entry]);
                vec![Input::ForkProven { log }]
            }),
            Output::WakeAt(at) => self.wake = Some(at),
            Output::Misbehaved { agency, why } => tracing::warn!(%agency, %why, "a partner broke the protocol"),
        }
    }

    /// Reads the store for a partner, beside everything else.
    fn serve(&mut self, ticket: Ticket, from: AgencyId, plan: Plan) {
        let Some(ticket) = self.tickets.remove(&ticket) else { return };
        let network = self.network.clone();
        self.job(move |desk| {
            match work::answer(desk, from, plan) {
                Ok(response) => network.blocking_send(Command::Respond { ticket, bytes: response.write() }),
                Err(error) => {
                    tracing::error!(%error, "a partner's request could not be answered");
                    network.blocking_send(Command::Refuse { ticket })
                }
            };
            Vec::new()
        });
    }

    /// Runs work at the desk on a blocking thread; what it yields comes back to the machine.
    fn job(&self, work: impl FnOnce(&Desk) -> Vec<Input> + Send + 'static) {
        let (desk, answers) = (Arc::clone(&self.desk), self.answers.clone());
        tokio::spawn(async move {
            let done = tokio::task::spawn_blocking(move || work(&desk)).await;
            match done {
                Ok(inputs) => {
                    for input in inputs {
                        // The loop is gone only when the node stops.
                        let _ = answers.send(input).await;
                    }
                }
                Err(error) => tracing::error!(%error, "a job at the desk failed"),
            }
        });
    }
}

fn snapshot(desk: &Desk) -> Result<Snapshot, DeskError> {
    let mut feeds = BTreeMap::new();
    for scope in desk.scopes().into_keys() {
        feeds.insert(scope, desk.store().feed_end(&scope)?);
    }
    let heads = desk.heads().into_iter().map(|(log, head)| (log, Position { seq: head.seq, hash: head.hash }));
    Ok(Snapshot { heads: heads.collect(), feeds, cursors: desk.cursors(), forked: desk.forked() })
}

fn ever_in_force(agreement: &Agreement, now: Time) -> bool {
    agreement.versions().any(|version| {
        let state = agreement.state_of(version.name(), now);
        matches!(state, Some(State::InForce { .. } | State::Closed { .. } | State::Ended { .. }))
    })
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

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
