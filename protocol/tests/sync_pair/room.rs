//! A room of machines, the messages between them, and a clock that only the test moves.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use entente_protocol::id::{AgencyId, Hash, KeyId, LogId};
use entente_protocol::sync::message::{EntryBytes, Request, Response};
use entente_protocol::sync::{Failed, Input, Machine, Output, PageOutcome, RequestId, ScopeInfo, Ticket};
use entente_protocol::time::Time;
use entente_protocol::wire::object::ObjectKind;

use crate::side::{Failing, Fault, Side, agency, continue_log, faulty};

enum Wire {
    Ask { from: usize, to: usize, id: RequestId, bytes: Vec<u8> },
    Answer { from: usize, to: usize, id: RequestId, result: Result<Vec<u8>, Failed> },
}

/// All ends, and what is on its way between them.
pub(crate) struct Room {
    sides: Vec<Side>,
    wires: VecDeque<Wire>,
    tickets: BTreeMap<Ticket, (usize, RequestId)>,
    links: BTreeSet<(usize, usize)>,
    asked: Vec<(usize, usize, Vec<u8>)>,
    pub(crate) messages: usize,
    now: Time,
    /// Seed of the disorder, and how many messages in a hundred are lost.
    disorder: Option<(u64, u64)>,
    caught: Vec<Response>,
}

impl Room {
    pub(crate) fn of(sides: u8) -> Self {
        Self {
            sides: (0..sides).map(Side::new).collect(),
            wires: VecDeque::new(),
            tickets: BTreeMap::new(),
            links: BTreeSet::new(),
            asked: Vec::new(),
            messages: 0,
            now: Time::from_ms(1_000_000_000).unwrap(),
            disorder: None,
            caught: Vec::new(),
        }
    }

    pub(crate) fn disorder(&mut self, seed: u64, loss: u64) {
        self.disorder = Some((seed | 1, loss));
    }

    pub(crate) fn side(&self, side: usize) -> &Side {
        &self.sides[side]
    }

    pub(crate) fn fault(&mut self, side: usize, fault: Fault) {
        self.sides[side].fault = Some(fault);
    }

    /// The store of a side fails once at this.
    pub(crate) fn failing(&mut self, side: usize, at: Failing) {
        self.sides[side].failing.insert(at);
    }

    /// An agreement in force that all its parties in the room know.
    pub(crate) fn share(&mut self, scope: Hash, parties: &[u8]) {
        for side in parties {
            self.share_at(usize::from(*side), scope, parties, true);
        }
    }

    pub(crate) fn share_at(&mut self, side: usize, scope: Hash, parties: &[u8], has_logs: bool) {
        let parties = parties.iter().copied().map(agency).collect();
        self.sides[side].scopes.insert(scope, ScopeInfo { parties, has_logs, ..ScopeInfo::default() });
        self.input(side, Input::Scopes(self.sides[side].scopes.clone()));
    }

    /// A side writes more entries of its own.
    pub(crate) fn write(&mut self, side: usize, log: LogId, count: usize) {
        self.write_bodies(side, log, &vec![20; count]);
    }

    pub(crate) fn write_bodies(&mut self, side: usize, log: LogId, bodies: &[usize]) {
        let trunk = self.sides[side].logs.get(&log).cloned().unwrap_or_default();
        let more = continue_log(log, &trunk, 0, bodies);
        self.give(side, log, [trunk, more].concat());
    }

    /// A side comes to hold these entries by whatever way.
    pub(crate) fn give(&mut self, side: usize, log: LogId, entries: Vec<EntryBytes>) {
        if entries.is_empty() {
            return;
        }
        self.sides[side].logs.insert(log, entries);
        let head = self.sides[side].head(&log).unwrap();
        self.input(side, Input::HeadMoved { log, head });
    }

    pub(crate) fn write_objects(&mut self, side: usize, scope: Hash, count: usize) {
        self.write_objects_of(side, scope, &vec![0; count]);
    }

    /// Objects, each with so many bytes of padding.
    pub(crate) fn write_objects_of(&mut self, side: usize, scope: Hash, padding: &[usize]) {
        let feed = self.sides[side].feeds.entry(scope).or_default();
        for length in padding {
            let name = [side, feed.len(), *length, usize::try_from(self.now.ms()).unwrap()].map(usize::to_be_bytes);
            let bytes = [scope.as_bytes().as_slice(), &name.concat(), &vec![0; *length]].concat();
            feed.push((3, Hash::of(&[&bytes]), bytes));
        }
        let length = feed.len() as u64;
        if !padding.is_empty() {
            self.input(side, Input::FeedGrew { scope, length, own: true });
        }
    }

    pub(crate) fn give_wrap(&mut self, side: usize, key_id: KeyId) {
        self.sides[side].wraps.insert(key_id);
    }

    pub(crate) fn connect(&mut self, a: usize, b: usize) {
        self.links.extend([(a, b), (b, a)]);
        self.input(a, Input::PeerUp(self.sides[b].own.agency));
        self.input(b, Input::PeerUp(self.sides[a].own.agency));
    }

    /// A side stops and starts again with what it stored.
    pub(crate) fn restart(&mut self, side: usize) {
        let partners: Vec<usize> = self.links.iter().filter(|link| link.0 == side).map(|link| link.1).collect();
        for partner in partners {
            self.links.remove(&(side, partner));
            self.links.remove(&(partner, side));
            self.input(partner, Input::PeerDown(self.sides[side].own.agency));
        }
        self.wires.retain(|wire| match wire {
            Wire::Ask { from, to, .. } | Wire::Answer { from, to, .. } => *from != side && *to != side,
        });
        let it = &mut self.sides[side];
        it.machine = Machine::new(it.own, it.snapshot());
        it.told.clear();
        it.compared_at = None;
        self.input(side, Input::Scopes(self.sides[side].scopes.clone()));
    }

    /// A side is restored from a backup that held this many entries of the log.
    pub(crate) fn roll_back(&mut self, side: usize, log: LogId, entries: usize) {
        self.sides[side].logs.get_mut(&log).unwrap().truncate(entries);
        self.restart(side);
    }

    /// A side is restored from a backup that held this many objects of the scope.
    pub(crate) fn restore_feed(&mut self, side: usize, scope: Hash, objects: usize) {
        self.sides[side].feeds.get_mut(&scope).unwrap().truncate(objects);
        self.sides[side].own.incarnation = [0xee; 16];
        self.pass(1);
        self.restart(side);
    }

    /// Everything that was asked of anyone by a side.
    pub(crate) fn asked(&self, side: usize) -> impl Iterator<Item = Request> {
        self.asked.iter().filter(move |asked| asked.0 == side).map(|asked| Request::read(&asked.2).unwrap())
    }

    pub(crate) fn asked_of(&self, side: usize, of: usize) -> impl Iterator<Item = Request> {
        let asked = self.asked.iter().filter(move |asked| asked.0 == side && asked.1 == of);
        asked.map(|asked| Request::read(&asked.2).unwrap())
    }

    pub(crate) fn told(&self, side: usize) -> impl Iterator<Item = &Output> {
        self.sides[side].told.iter()
    }

    pub(crate) fn misbehaved(&self, side: usize) -> usize {
        self.told(side).filter(|output| matches!(output, Output::Misbehaved { .. })).count()
    }

    /// Who was reported by anyone.
    pub(crate) fn accused(&self) -> BTreeSet<AgencyId> {
        let told = self.sides.iter().flat_map(|side| &side.told);
        told.filter_map(|output| if let Output::Misbehaved { agency, .. } = output { Some(*agency) } else { None })
            .collect()
    }

    /// Where the side's first own log stood when it was first compared.
    pub(crate) fn heads_when_compared(&self, side: usize) -> Option<u64> {
        self.sides[side].compared_at
    }

    /// Puts one request by hand.
    pub(crate) fn put(&mut self, from: usize, to: usize, bytes: &[u8]) -> Response {
        let id = RequestId(u64::MAX);
        self.wires.push_front(Wire::Ask { from, to, id, bytes: bytes.to_vec() });
        self.step(0);
        let answer = self.wires.iter().position(|wire| matches!(wire, Wire::Answer { id: i, .. } if *i == id)).unwrap();
        match self.wires.remove(answer).unwrap() {
            Wire::Answer { result, .. } => self.caught.push(Response::read(&result.unwrap()).unwrap()),
            Wire::Ask { .. } => unreachable!("found as an answer"),
        }
        self.caught.pop().unwrap()
    }

    pub(crate) fn input(&mut self, side: usize, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for output in self.sides[side].machine.handle(input, self.now) {
                self.output(side, output, &mut inputs);
            }
        }
    }

    fn output(&mut self, side: usize, output: Output, inputs: &mut VecDeque<Input>) {
        let me = &mut self.sides[side];
        me.told.push(output.clone());
        match output {
            Output::Send { to, id, bytes } => {
                let to = self.index(to);
                assert!(self.links.contains(&(side, to)), "only connected partners are asked");
                self.asked.push((side, to, bytes.clone()));
                self.wires.push_back(Wire::Ask { from: side, to, id, bytes });
            }
            Output::Respond { ticket, bytes } => self.reply(side, ticket, bytes),
            Output::Serve { ticket, plan, .. } => {
                let response = faulty(me.fault, &plan, || me.serve(plan.clone()).write());
                match response {
                    Some(bytes) => self.reply(side, ticket, bytes),
                    None => drop(self.tickets.remove(&ticket)),
                }
            }
            Output::Admit { from, log, entries } => {
                let outcome = me.admit(log, entries);
                if outcome == PageOutcome::Advanced {
                    inputs.extend(me.head(&log).map(|head| Input::HeadMoved { log, head }));
                }
                inputs.push_back(Input::PageDone { from, log, outcome });
            }
            Output::Take { from, scope, .. } if me.failing.remove(&Failing::Take) => {
                inputs.push_back(Input::FeedFailed { from, scope });
            }
            Output::Lacking { from, scope, .. } if me.failing.remove(&Failing::Lacking) => {
                inputs.push_back(Input::FeedFailed { from, scope });
            }
            Output::Check { from, log, .. } if me.failing.remove(&Failing::Check) => {
                inputs.push_back(Input::Unchecked { from, log });
            }
            Output::Take { from, scope, objects, cursor } => {
                let wraps = objects.iter().filter(|object| object.kind == ObjectKind::Wrap.number());
                let key_ids: Vec<KeyId> =
                    wraps.map(|wrap| KeyId::from_bytes(wrap.bytes.as_slice().try_into().unwrap())).collect();
                me.wraps.extend(&key_ids);
                if !key_ids.is_empty() {
                    return inputs.push_back(Input::KeysTaken { scope, key_ids });
                }
                let useful = me.keep(scope, &objects);
                if useful {
                    let length = me.feeds[&scope].len() as u64;
                    inputs.push_back(Input::FeedGrew { scope, length, own: false });
                }
                if let Some(cursor) = cursor {
                    me.cursors.insert((from, scope), cursor);
                    inputs.push_back(Input::FeedDone { from, scope, cursor, useful });
                }
            }
            Output::Lacking { from, scope, items } => {
                let held = me.objects(scope);
                let hashes = items.iter().map(|item| item.hash).filter(|hash| !held.contains(hash)).collect();
                inputs.push_back(Input::Fetch { from, scope, hashes });
            }
            Output::Check { from, log, position } => {
                let ours = &me.logs[&log][usize::try_from(position.seq).unwrap()];
                let same = Hash::of(&[&ours.header]) == position.hash;
                inputs.push_back(Input::Checked { from, log, position, same });
            }
            Output::Compared { .. } => {
                let own = me.logs.keys().find(|log| log.author == me.own.agency).copied();
                me.compared_at = own.and_then(|own| me.head(&own)).map(|head| head.seq);
            }
            Output::WakeAt(at) => me.wake = Some(at),
            Output::Evidence { from, log, .. } => inputs.push_back(Input::EvidenceDone { from, log }),
            Output::OwnLogAhead { .. } | Output::Diverged { .. } | Output::Misbehaved { .. } => {}
        }
    }

    fn reply(&mut self, side: usize, ticket: Ticket, bytes: Vec<u8>) {
        let (to, id) = self.tickets.remove(&ticket).expect("a ticket is used once");
        let bytes = match (self.sides[side].fault, Response::read(&bytes)) {
            (Some(Fault::Boasts), Ok(Response::Heads { mut positions, more })) => {
                for position in &mut positions {
                    position.seq += 1_000_000;
                }
                Response::Heads { positions, more }.write()
            }
            (Some(Fault::Silent), _) => return self.answer(side, to, id, Err(Failed::Lost)),
            _ => bytes,
        };
        self.answer(side, to, id, Ok(bytes));
    }

    fn answer(&mut self, from: usize, to: usize, id: RequestId, result: Result<Vec<u8>, Failed>) {
        self.wires.push_back(Wire::Answer { from, to, id, result });
    }

    fn index(&self, agency: AgencyId) -> usize {
        self.sides.iter().position(|side| side.own.agency == agency).expect("an agency of the room")
    }

    fn random(&mut self) -> u64 {
        let Some((state, _)) = &mut self.disorder else { return 0 };
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state
    }

    /// Delivers all messages that are on their way and those that follow from them, and says how many.
    pub(crate) fn deliver(&mut self) -> usize {
        let before = self.messages;
        while !self.wires.is_empty() {
            let choice = usize::try_from(self.random() % self.wires.len() as u64).unwrap();
            self.step(choice);
        }
        self.messages - before
    }

    fn step(&mut self, choice: usize) {
        let wire = self.wires.remove(choice).unwrap();
        self.messages += 1;
        let percent = self.disorder.map_or(0, |disorder| disorder.1);
        let drop = self.random() % 100 < percent;
        match wire {
            Wire::Ask { from, to, id, .. } if drop => self.answer(to, from, id, Err(Failed::Lost)),
            Wire::Ask { from, to, id, bytes } => {
                let ticket = Ticket(self.messages as u64);
                self.tickets.insert(ticket, (from, id));
                let from = self.sides[from].own.agency;
                self.input(to, Input::Request { from, ticket, bytes });
            }
            Wire::Answer { from, to, id, result } => {
                let result = if drop { Err(Failed::Lost) } else { result };
                let from = self.sides[from].own.agency;
                self.input(to, Input::Answer { from, id, result });
            }
        }
    }

    /// Lets five seconds pass: what was said at the start has then been dealt with.
    pub(crate) fn settle(&mut self) {
        self.pass(5_000);
    }

    /// Lets time pass, delivering at once whatever is sent.
    pub(crate) fn pass(&mut self, ms: u64) {
        let end = self.now.plus_ms(ms);
        loop {
            self.deliver();
            let next = self.sides.iter().filter_map(|side| side.wake).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            for side in 0..self.sides.len() {
                if self.sides[side].wake.is_some_and(|wake| wake <= self.now) {
                    self.sides[side].wake = None;
                    self.input(side, Input::Tick);
                }
            }
        }
        self.now = end;
    }
}
