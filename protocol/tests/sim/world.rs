//! A federation in virtual time: nodes, the lines between them, and everything that goes wrong with both.
//!
//! Events are ordered by time and then by the order in which they were made, so that a seed gives one run. The trace
//! of a run hashes when what was said to whom; it leaves out the bytes, since encryption draws real randomness.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use entente_protocol::agreement::SignedVersion;
use entente_protocol::id::{AgencyId, Hash, LogId};
use entente_protocol::sync::message::{CONTACT, Hello, Request, Response};
use entente_protocol::sync::{Failed, Input, RequestId, Ticket};

use crate::deeds::Deed;
use crate::liar::Lie;
use crate::node::{Effect, Node};
use crate::people::{People, at};
use crate::random::Random;
use crate::store::Store;

/// When a request that got lost is given up, ms.
const TIMEOUT_MS: u64 = 20_000;

/// The disorder of a network.
#[derive(Clone, Copy)]
pub(crate) struct Weather {
    /// Messages lost, in a hundred.
    pub(crate) loss: u64,
    /// Messages that come twice, in a hundred.
    pub(crate) doubles: u64,
    /// The longest time on the way, ms; the shortest is 5.
    pub(crate) delay: u64,
}

enum Event {
    Ask { line: Line, id: RequestId, bytes: Vec<u8> },
    Answer { line: Line, id: RequestId, result: Result<Vec<u8>, Failed> },
    Hint { line: Line, log: LogId, seq: u64 },
    Wake { node: usize },
    Deed(Deed),
}

/// From one node to another, each in one of its lives.
#[derive(Clone, Copy)]
pub(crate) struct Line {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) lives: (u32, u32),
}

pub(crate) struct World {
    pub(crate) people: Rc<People>,
    /// One node an agency, and a second one of each that forks.
    pub(crate) nodes: Vec<Option<Node>>,
    pub(crate) stores: BTreeMap<usize, Store>,
    pub(crate) backups: BTreeMap<usize, Store>,
    pub(crate) lives: Vec<u32>,
    pub(crate) lies: BTreeMap<usize, Lie>,
    pub(crate) lying: bool,
    pub(crate) links: BTreeSet<(usize, usize)>,
    pub(crate) cut: BTreeSet<usize>,
    weather: Weather,
    random: Random,
    now: u64,
    made: u64,
    events: BTreeMap<(u64, u64), Event>,
    pub(crate) tickets: BTreeMap<Ticket, (Line, RequestId, Request)>,
    pub(crate) acknowledged: BTreeSet<(LogId, u64, Hash)>,
    pub(crate) accused: BTreeSet<AgencyId>,
    pub(crate) own_ahead: usize,
    pub(crate) messages: usize,
    pub(crate) agreements: BTreeMap<Hash, Vec<usize>>,
    trace: Hash,
}

impl World {
    pub(crate) fn new(seed: u64, agencies: usize, weather: Weather) -> World {
        let people = Rc::new(People::new(agencies));
        let mut world = World {
            nodes: Vec::new(),
            stores: BTreeMap::new(),
            backups: BTreeMap::new(),
            lives: vec![0; agencies],
            lies: BTreeMap::new(),
            lying: false,
            links: BTreeSet::new(),
            cut: BTreeSet::new(),
            weather,
            random: Random::new(seed),
            now: 0,
            made: 0,
            events: BTreeMap::new(),
            tickets: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
            accused: BTreeSet::new(),
            own_ahead: 0,
            messages: 0,
            agreements: BTreeMap::new(),
            trace: Hash::default(),
            people,
        };
        for number in 0..agencies {
            let store = Store::new(world.incarnation());
            world.nodes.push(Some(Node::start(world.people.clone(), number, store, false)));
        }
        world
    }

    pub(crate) fn incarnation(&mut self) -> [u8; 16] {
        [self.random.next().to_be_bytes(), self.random.next().to_be_bytes()].concat().try_into().expect("16 bytes")
    }

    pub(crate) fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    /// The agency of a node.
    fn agency(&self, node: usize) -> usize {
        node.checked_sub(self.people.ids.len()).map_or(node, |twin| self.forkers()[twin])
    }

    pub(crate) fn forkers(&self) -> Vec<usize> {
        self.lies.iter().filter(|(_, lie)| **lie == Lie::Fork).map(|(number, _)| *number).collect()
    }

    pub(crate) fn is_honest(&self, node: usize) -> bool {
        !self.lies.contains_key(&self.agency(node))
    }

    pub(crate) fn honest_parties(&self, scope: Hash) -> Vec<&Node> {
        let parties = self.agreements[&scope].iter().filter(|party| self.is_honest(**party));
        parties.map(|party| self.nodes[*party].as_ref().expect("all run at the end")).collect()
    }

    pub(crate) fn link(&mut self, a: usize, b: usize) {
        if a != b {
            self.links.insert((a.min(b), a.max(b)));
        }
    }

    pub(crate) fn plan(&mut self, ms: u64, deed: Deed) {
        self.schedule(ms, Event::Deed(deed));
    }

    /// Connects everyone, and lets the first party of each agreement propose it.
    pub(crate) fn open(&mut self, proposals: Vec<(SignedVersion, Vec<usize>)>) {
        for node in 0..self.nodes.len() {
            self.with(node, Node::begin);
        }
        for (a, b) in self.links.clone() {
            self.connect(a, b);
        }
        for (version, parties) in proposals {
            let proposer = parties[0];
            self.agreements.insert(version.agreement().0, parties);
            self.with(proposer, |node, now| node.sign(&version, now));
        }
    }

    /// Runs until a time.
    pub(crate) fn run(&mut self, until: u64) {
        while let Some(entry) = self.events.first_entry().filter(|entry| entry.key().0 <= until) {
            let ((at, _), event) = entry.remove_entry();
            self.now = at;
            self.event(event);
        }
        self.now = until;
    }

    pub(crate) const fn now(&self) -> u64 {
        self.now
    }

    pub(crate) const fn trace(&self) -> Hash {
        self.trace
    }

    fn schedule(&mut self, at: u64, event: Event) {
        self.made += 1;
        self.events.insert((at.max(self.now), self.made), event);
    }

    fn note(&mut self, what: &[u64]) {
        let words: Vec<u8> = what.iter().flat_map(|word| word.to_be_bytes()).collect();
        self.trace = Hash::of(&[self.trace.as_bytes(), &self.now.to_be_bytes(), &words]);
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Wake { node } => {
                let now = at(self.now);
                if self.nodes[node].as_ref().is_some_and(|node| node.wake.is_some_and(|wake| wake <= now)) {
                    self.with(node, |node, now| {
                        node.wake = None;
                        node.handle(Input::Tick, now)
                    });
                }
            }
            Event::Hint { line, log, seq } => {
                if self.works(line) {
                    let from = self.people.ids[self.agency(line.from)];
                    self.with(line.to, |node, now| node.handle(Input::GapSeen { from, log, seq }, now));
                }
            }
            Event::Ask { line, id, bytes } => self.ask(line, id, bytes),
            Event::Answer { line, id, result } => {
                if self.works(line) {
                    self.messages += 1;
                    if let Ok(bytes) = &result {
                        self.check_hello(line, Response::read(bytes).ok().and_then(hello_of_response));
                    }
                    self.note(&[2, line.from as u64, line.to as u64, id.0, u64::from(result.is_ok())]);
                    let from = self.people.ids[self.agency(line.from)];
                    self.with(line.to, |node, now| node.handle(Input::Answer { from, id, result }, now));
                }
            }
            Event::Deed(deed) => self.deed(deed),
        }
    }

    fn ask(&mut self, line: Line, id: RequestId, bytes: Vec<u8>) {
        if !self.works(line) {
            return;
        }
        self.messages += 1;
        let request = Request::read(&bytes).expect("requests of this simulation are well formed");
        if let Request::Hello(hello) = &request {
            self.check_hello(line, Some(hello.clone()));
        }
        self.note(&[1, line.from as u64, line.to as u64, id.0, u64::from(bytes[2])]);
        self.made += 1;
        let ticket = Ticket(self.made);
        self.tickets.insert(ticket, (line, id, request));
        let from = self.people.ids[self.agency(line.from)];
        self.with(line.to, |node, now| node.handle(Input::Request { from, ticket, bytes }, now));
    }

    /// What an honest node tells another names nothing but what both are parties of.
    fn check_hello(&self, line: Line, hello: Option<Hello>) {
        for state in hello.into_iter().filter(|_| self.is_honest(line.from)).flat_map(|hello| hello.scopes) {
            let both = [line.from, line.to].map(|node| self.agency(node));
            let parties = self.agreements.get(&state.scope);
            let shared = parties.is_some_and(|parties| both.iter().all(|agency| parties.contains(agency)));
            assert!(state.scope == CONTACT || shared, "{both:?} spoke of {}", state.scope);
        }
    }

    fn works(&self, line: Line) -> bool {
        let alive = self.nodes[line.from].is_some() && self.nodes[line.to].is_some();
        alive && self.lives[line.from] == line.lives.0 && self.lives[line.to] == line.lives.1 && self.open_between(line)
    }

    fn open_between(&self, line: Line) -> bool {
        let ends = (line.from.min(line.to), line.from.max(line.to));
        self.links.contains(&ends) && self.cut.contains(&line.from) == self.cut.contains(&line.to)
    }

    fn line(&self, from: usize, to: usize) -> Line {
        Line { from, to, lives: (self.lives[from], self.lives[to]) }
    }

    /// Lets a node do something, and the network what follows.
    pub(crate) fn with(
        &mut self,
        node: usize,
        act: impl FnOnce(&mut Node, entente_protocol::time::Time) -> Vec<Effect>,
    ) {
        let Some(it) = self.nodes[node].as_mut() else { return };
        let before = it.wake;
        let effects = act(it, at(self.now));
        let wake = it.wake.filter(|wake| Some(*wake) != before);
        let notices = std::mem::take(&mut it.notices);
        if self.is_honest(node) {
            self.acknowledged.extend(notices.acknowledged);
            self.accused.extend(notices.misbehaved);
            self.own_ahead += notices.own_ahead;
        }
        if let Some(wake) = wake {
            self.schedule(wake.since(at(0)), Event::Wake { node });
        }
        for effect in effects {
            self.effect(node, effect);
        }
    }

    fn effect(&mut self, node: usize, effect: Effect) {
        match effect {
            Effect::Send { to, id, bytes } => {
                // While many lines are cut at once, a node may not know yet of this one's end.
                let Some(to) = self.partner(node, to) else { return };
                let line = self.line(node, to);
                if self.random.chance(self.weather.loss) {
                    let result = Err(Failed::Lost);
                    let back = self.line(to, node);
                    return self.schedule(self.now + TIMEOUT_MS, Event::Answer { line: back, id, result });
                }
                if self.random.chance(self.weather.doubles) {
                    let delay = self.delay();
                    self.schedule(self.now + delay, Event::Ask { line, id, bytes: bytes.clone() });
                }
                let delay = self.delay();
                self.schedule(self.now + delay, Event::Ask { line, id, bytes });
            }
            Effect::Respond { ticket, bytes } => self.respond(node, ticket, bytes),
            Effect::Hint { log, seq } => {
                for to in self.partners(node) {
                    let parties = &self.agreements[&log.agreement.0];
                    if parties.contains(&self.agency(to)) && self.random.chance(50) {
                        let line = self.line(node, to);
                        let delay = self.delay();
                        self.schedule(self.now + delay, Event::Hint { line, log, seq });
                    }
                }
            }
        }
    }

    fn respond(&mut self, node: usize, ticket: Ticket, bytes: Vec<u8>) {
        let (asked, id, request) = self.tickets.remove(&ticket).expect("a ticket is answered once");
        let back = Line { from: asked.to, to: asked.from, lives: (asked.lives.1, asked.lives.0) };
        let lie = self.lies.get(&self.agency(node)).filter(|_| self.lying).copied();
        let bytes = match lie {
            Some(lie) => lie.answer(&request, bytes, &mut self.random),
            None => Some(bytes),
        };
        let lost = self.random.chance(self.weather.loss);
        match bytes.filter(|_| !lost) {
            None => self.schedule(self.now + TIMEOUT_MS, Event::Answer { line: back, id, result: Err(Failed::Lost) }),
            Some(bytes) => {
                if self.random.chance(self.weather.doubles) {
                    let delay = self.delay();
                    self.schedule(self.now + delay, Event::Answer { line: back, id, result: Ok(bytes.clone()) });
                }
                let delay = self.delay();
                self.schedule(self.now + delay, Event::Answer { line: back, id, result: Ok(bytes) });
            }
        }
    }

    fn delay(&mut self) -> u64 {
        5 + self.random.below(self.weather.delay)
    }

    /// The nodes that a node has a line to.
    pub(crate) fn partners(&self, node: usize) -> Vec<usize> {
        let ends = self.links.iter().filter_map(|(a, b)| match () {
            () if *a == node => Some(*b),
            () if *b == node => Some(*a),
            () => None,
        });
        ends.filter(|end| self.nodes[*end].is_some() && self.open_between(self.line(node, *end))).collect()
    }

    /// The node of an agency that a node has a line to.
    fn partner(&self, node: usize, agency: AgencyId) -> Option<usize> {
        let number = self.people.number(agency);
        self.partners(node).into_iter().find(|partner| self.agency(*partner) == number)
    }

    pub(crate) fn connect(&mut self, a: usize, b: usize) {
        let ids = [a, b].map(|node| self.people.ids[self.agency(node)]);
        if self.nodes[a].is_some() && self.nodes[b].is_some() && self.open_between(self.line(a, b)) {
            self.with(a, |node, now| node.handle(Input::PeerUp(ids[1]), now));
            self.with(b, |node, now| node.handle(Input::PeerUp(ids[0]), now));
        }
    }

    pub(crate) fn disconnect(&mut self, a: usize, b: usize) {
        let ids = [a, b].map(|node| self.people.ids[self.agency(node)]);
        self.with(a, |node, now| node.handle(Input::PeerDown(ids[1]), now));
        self.with(b, |node, now| node.handle(Input::PeerDown(ids[0]), now));
    }
}

fn hello_of_response(response: Response) -> Option<Hello> {
    if let Response::Hello(hello) = response { Some(hello) } else { None }
}
