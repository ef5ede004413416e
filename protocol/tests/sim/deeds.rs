//! What happens by plan: people file reports, lines are cut, nodes stop, start and are restored, liars begin.

use std::collections::BTreeSet;

use entente_protocol::id::{Hash, LogId};

use crate::node::Node;
use crate::store::Store;
use crate::world::World;

/// What happens by plan.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    /// An agency files a report.
    File {
        agency: usize,
        scope: Hash,
        number: u64,
    },
    /// These nodes are cut off from all others.
    Cut(BTreeSet<usize>),
    /// All lines work again.
    Heal,
    Stop(usize),
    /// A stopped node starts with what it stored.
    Start(usize),
    Backup(usize),
    /// A stopped node starts with its backup.
    Restore(usize),
    /// The liars begin.
    Turn,
}

impl World {
    pub(crate) fn deed(&mut self, deed: Deed) {
        match deed {
            Deed::File { agency, scope, number } => {
                self.with(agency, |node, now| node.file(scope, number, now));
                if let Some(twin) = self.twin(agency) {
                    self.with(twin, |node, now| node.file(scope, number + 1_000_000, now));
                }
            }
            Deed::Cut(nodes) => {
                let across: Vec<_> =
                    self.links.iter().filter(|(a, b)| nodes.contains(a) != nodes.contains(b)).copied().collect();
                self.cut = nodes;
                for (a, b) in across {
                    self.disconnect(a, b);
                }
            }
            Deed::Heal => {
                let cut = std::mem::take(&mut self.cut);
                let across: Vec<_> =
                    self.links.iter().filter(|(a, b)| cut.contains(a) != cut.contains(b)).copied().collect();
                for (a, b) in across {
                    self.connect(a, b);
                }
            }
            Deed::Stop(node) => self.stop(node),
            Deed::Start(node) => self.start(node, false),
            Deed::Backup(node) => {
                let store = self.nodes[node].as_ref().expect("it runs").store.clone();
                self.backups.insert(node, store);
            }
            Deed::Restore(node) => {
                let mut store = self.backups.remove(&node).expect("a backup was made");
                store.incarnation = self.incarnation();
                self.stores.insert(node, store);
                self.start(node, true);
                self.forget_unreplicated(node);
            }
            Deed::Turn => self.turn(),
        }
    }

    fn stop(&mut self, node: usize) {
        for partner in self.partners(node) {
            self.disconnect(node, partner);
        }
        let stopped = self.nodes[node].take().expect("it runs");
        self.stores.insert(node, stopped.store);
        self.tickets.retain(|_, (line, ..)| line.to != node);
        self.lives[node] += 1;
    }

    fn start(&mut self, node: usize, restored: bool) {
        let store = self.stores.remove(&node).expect("it was stopped");
        self.nodes[node] = Some(Node::start(self.people.clone(), node, store, restored));
        self.with(node, Node::begin);
        for partner in self.partners(node) {
            self.connect(node, partner);
        }
    }

    /// What a restored node alone had is gone with its disk; what anyone honest has of it is not.
    fn forget_unreplicated(&mut self, restored: usize) {
        let author = self.people.ids[restored];
        let honest: Vec<&Node> = self
            .nodes
            .iter()
            .enumerate()
            .filter(|(n, _)| self.is_honest(*n))
            .filter_map(|(_, node)| node.as_ref())
            .collect();
        let stopped: Vec<&Store> = self.stores.values().collect();
        let stores: Vec<&Store> = honest.iter().map(|node| &node.store).chain(stopped).collect();
        let held = |log: &LogId, seq: u64| stores.iter().any(|store| store.entry(log, seq).is_some());
        self.acknowledged.retain(|(log, seq, _)| log.author != author || held(log, *seq));
    }

    fn twin(&self, agency: usize) -> Option<usize> {
        let twin = self.forkers().iter().position(|forker| *forker == agency)?;
        Some(self.people.ids.len() + twin).filter(|node| *node < self.nodes.len())
    }

    /// The liars begin: those that fork split in two, each half with every other partner.
    fn turn(&mut self) {
        self.lying = true;
        for forker in self.forkers() {
            let twin = self.nodes.len();
            let store = self.nodes[forker].as_ref().expect("it runs").store.clone();
            self.lives.push(0);
            self.nodes.push(Some(Node::start(self.people.clone(), forker, store, false)));
            let halves: Vec<usize> = self.partners(forker).into_iter().step_by(2).collect();
            for partner in &halves {
                self.disconnect(forker, *partner);
                self.links.remove(&(forker.min(*partner), forker.max(*partner)));
            }
            self.with(twin, Node::begin);
            for node in [forker, twin] {
                self.nodes[node].as_mut().expect("it runs").reckless = true;
            }
            for (scope, parties) in self.agreements.clone() {
                if parties.contains(&forker) {
                    self.with(forker, |node, now| node.file(scope, 2_000_000, now));
                    self.with(twin, |node, now| node.file(scope, 3_000_000, now));
                }
            }
            for partner in halves {
                self.link(twin, partner);
                self.connect(twin, partner);
            }
        }
    }
}
