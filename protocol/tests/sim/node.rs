//! An agency's node: the machine, the real ladder, and a store in memory. Catch-up is its only way to learn anything.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use entente_protocol::agreement::{Act, Agreement, Fed, Signature, Version};
use entente_protocol::crypto::content_key::ContentKey;
use entente_protocol::entry::header::Header;
use entente_protocol::entry::ladder::{Envelope, KnownRevision, View};
use entente_protocol::entry::refusal::Refusal;
use entente_protocol::entry::vouch::Stands;
use entente_protocol::fork::ForkProof;
use entente_protocol::id::{AgencyId, AgreementId, Hash, KeyId, LogId};
use entente_protocol::keys::{KeyDescriptor, Wrap};
use entente_protocol::limits;
use entente_protocol::rules::Usage;
use entente_protocol::sync::message::{EntryBytes, Response};
use entente_protocol::sync::{
    Input, Machine, ObjectBytes, Output, Own, PageOutcome, Plan, RequestId, ScopeInfo, Ticket,
};
use entente_protocol::time::Time;
use entente_protocol::wire::attest::{Attested, Claimed};
use entente_protocol::wire::codec;
use entente_protocol::wire::object::ObjectKind;

use crate::people::{self, MODE, People};
use crate::store::{Kept, Object, Store};

/// No key is revoked here.
static NO_STANDS: Stands = Stands::new();

/// What a node wants the network to do.
pub(crate) enum Effect {
    Send {
        to: AgencyId,
        id: RequestId,
        bytes: Vec<u8>,
    },
    Respond {
        ticket: Ticket,
        bytes: Vec<u8>,
    },
    /// A hint to all partners that a log has grown: what gossip would be.
    Hint {
        log: LogId,
        seq: u64,
    },
}

/// What a node noticed.
#[derive(Clone, Default)]
pub(crate) struct Notices {
    pub(crate) own_ahead: usize,
    pub(crate) misbehaved: BTreeSet<AgencyId>,
    /// Own entries, by log and number, that were acknowledged to a person.
    pub(crate) acknowledged: Vec<(LogId, u64, Hash)>,
}

pub(crate) struct Node {
    pub(crate) number: usize,
    pub(crate) id: AgencyId,
    pub(crate) people: Rc<People>,
    pub(crate) store: Store,
    machine: Machine,
    pub(crate) agreements: BTreeMap<Hash, Agreement>,
    pub(crate) descriptors: BTreeMap<(Hash, KeyId), Attested<KeyDescriptor>>,
    pub(crate) compared: BTreeSet<Hash>,
    /// Scopes in which the next own entry opens a generation, because the store was restored.
    pub(crate) reopen: BTreeSet<Hash>,
    /// Appends without having compared.
    pub(crate) reckless: bool,
    pub(crate) wake: Option<Time>,
    pub(crate) notices: Notices,
    inputs: VecDeque<Input>,
    pub(crate) effects: Vec<Effect>,
}

impl Node {
    /// A node over a store: new, after a restart, or after a restore.
    pub(crate) fn start(people: Rc<People>, number: usize, store: Store, restored: bool) -> Node {
        let id = people.ids[number];
        let own = Own { agency: id, writer: 0, mode: MODE, incarnation: store.incarnation };
        let machine = Machine::new(own, store.snapshot());
        let mut node = Node {
            number,
            id,
            people,
            machine,
            agreements: BTreeMap::new(),
            descriptors: BTreeMap::new(),
            compared: BTreeSet::new(),
            reopen: BTreeSet::new(),
            reckless: false,
            wake: None,
            notices: Notices::default(),
            inputs: VecDeque::new(),
            effects: Vec::new(),
            store,
        };
        let objects: Vec<(Hash, Object)> =
            node.store.feeds.iter().flat_map(|(scope, feed)| feed.iter().map(|o| (*scope, o.clone()))).collect();
        for (scope, object) in objects {
            node.learn(scope, object.kind, &object.bytes);
        }
        if restored {
            node.reopen = node.agreements.keys().copied().collect();
        }
        node
    }

    /// What a start tells the machine.
    pub(crate) fn begin(&mut self, now: Time) -> Vec<Effect> {
        self.tell_scopes();
        let waiting: BTreeSet<(Hash, AgencyId, KeyId)> = self
            .store
            .logs
            .iter()
            .flat_map(|(log, kept)| kept.iter().map(move |kept| (log, kept)))
            .filter(|(_, kept)| kept.admitted.is_none())
            .map(|(log, kept)| (log.agreement.0, log.author, kept.key_id))
            .collect();
        for (scope, author, key_id) in waiting {
            self.inputs.push_back(Input::KeyWanted { from: Some(author), scope, key_id });
        }
        self.run(now)
    }

    pub(crate) fn handle(&mut self, input: Input, now: Time) -> Vec<Effect> {
        self.inputs.push_back(input);
        self.run(now)
    }

    pub(crate) fn run(&mut self, now: Time) -> Vec<Effect> {
        while let Some(input) = self.inputs.pop_front() {
            for output in self.machine.handle(input, now) {
                self.output(output, now);
            }
        }
        std::mem::take(&mut self.effects)
    }

    fn output(&mut self, output: Output, now: Time) {
        match output {
            Output::Send { to, id, bytes } => self.effects.push(Effect::Send { to, id, bytes }),
            Output::Respond { ticket, bytes } => self.effects.push(Effect::Respond { ticket, bytes }),
            Output::Serve { ticket, from, plan } => {
                let response = match &plan {
                    Plan::Wraps { scope, key_ids, .. } => self.wraps(*scope, key_ids, from, now),
                    plan => self.store.serve(plan),
                };
                self.effects.push(Effect::Respond { ticket, bytes: response.write() });
            }
            Output::Admit { from, log, entries } => {
                let outcome = self.admit(log, entries, now);
                self.inputs.push_back(Input::PageDone { from, log, outcome });
            }
            Output::Take { from, scope, objects, cursor } => {
                let useful = self.take(scope, &objects, now);
                if let Some(cursor) = cursor {
                    self.store.cursors.insert((from, scope), cursor);
                    self.inputs.push_back(Input::FeedDone { from, scope, cursor, useful });
                }
            }
            Output::Lacking { from, scope, items } => {
                let lacking = items.iter().map(|item| item.hash).filter(|hash| !self.store.holds(scope, *hash));
                let hashes = lacking.collect();
                self.inputs.push_back(Input::Fetch { from, scope, hashes });
            }
            Output::Check { from, log, position } => {
                let ours = self.store.entry(&log, position.seq).expect("positions up to the head are checked");
                let same = ours.head.hash == position.hash;
                self.inputs.push_back(Input::Checked { from, log, position, same });
            }
            Output::Compared { scope, .. } => {
                self.compared.insert(scope);
                self.flush(scope, now);
            }
            Output::OwnLogAhead { .. } => self.notices.own_ahead += 1,
            Output::Evidence { from, log, seq, entry } => {
                self.evidence(log, seq, &entry, now);
                self.inputs.push_back(Input::EvidenceDone { from, log });
            }
            Output::WakeAt(at) => self.wake = Some(at),
            Output::Misbehaved { agency, .. } => {
                self.notices.misbehaved.insert(agency);
            }
            Output::Diverged { .. } => {}
        }
    }

    fn tell_scopes(&mut self) {
        let info = |agreement: &Agreement| ScopeInfo {
            parties: agreement
                .versions()
                .flat_map(|version| version.parties.iter())
                .map(|party| party.agency)
                .collect(),
            has_logs: true,
            ..ScopeInfo::default()
        };
        let scopes = self.agreements.iter().map(|(scope, agreement)| (*scope, info(agreement))).collect();
        self.inputs.push_back(Input::Scopes(scopes));
    }

    /// Keeps an object of our own making.
    pub(crate) fn make(&mut self, scope: Hash, kind: ObjectKind, hash: Hash, bytes: &[u8]) {
        self.learn(scope, kind, bytes).expect("what we make is good");
        self.store.keep(scope, Object { kind, hash, bytes: bytes.to_vec() });
        let length = self.store.feed_length(scope);
        self.inputs.push_back(Input::FeedGrew { scope, length, own: true });
        if kind == ObjectKind::AgreementVersion {
            self.tell_scopes();
        }
    }

    /// Proposes an agreement, or signs a proposal that arrived.
    pub(crate) fn sign(&mut self, version: &Attested<Version>, now: Time) -> Vec<Effect> {
        let scope = version.agreement().0;
        if !self.store.holds(scope, version.hash()) {
            self.make(scope, ObjectKind::AgreementVersion, version.hash(), version.bytes());
        }
        let signature =
            Signature { version: version.name(), agency: self.id, card_serial: 1, at: now, relies_on: Vec::new() };
        let signature = Attested::sign(signature, MODE, &people::agreement_key(self.number));
        self.make(scope, ObjectKind::Signature, signature.hash(), signature.bytes());
        self.run(now)
    }

    /// Verifies partners' objects and keeps what is good; whether there was any.
    fn take(&mut self, scope: Hash, objects: &[ObjectBytes], now: Time) -> bool {
        let mut kept = false;
        let mut taken = Vec::new();
        for object in objects {
            let Some(kind) = ObjectKind::of_number(object.kind) else { continue };
            if kind == ObjectKind::Wrap {
                taken.extend(self.unwrap(scope, &object.bytes, now));
                continue;
            }
            let Some(hash) = self.learn(scope, kind, &object.bytes) else { continue };
            kept |= self.store.keep(scope, Object { kind, hash, bytes: object.bytes.clone() });
            match kind {
                ObjectKind::AgreementVersion => {
                    let version = self.agreements[&scope].versions().find(|version| version.hash() == hash).cloned();
                    let version = version.expect("it was learnt just now");
                    self.tell_scopes();
                    let effects = self.sign(&version, now);
                    self.effects.extend(effects);
                }
                ObjectKind::KeyDescriptor => self.open_waiting(scope, now),
                _ => {}
            }
        }
        if kept {
            let length = self.store.feed_length(scope);
            self.inputs.push_back(Input::FeedGrew { scope, length, own: false });
        }
        if !taken.is_empty() {
            self.inputs.push_back(Input::KeysTaken { scope, key_ids: taken });
            self.open_waiting(scope, now);
        }
        kept
    }

    /// Verifies an object and learns from it; its hash where it is good and of this scope.
    fn learn(&mut self, scope: Hash, kind: ObjectKind, bytes: &[u8]) -> Option<Hash> {
        let people = self.people.clone();
        let roll = &people.roll;
        match kind {
            ObjectKind::AgreementVersion => {
                let version = Claimed::<Version>::parse(bytes).ok()?;
                let claim = version.claim().clone();
                let key = roll.agreement_key(claim.proposer, claim.card_serial, claim.created).ok()?;
                let version = version.attest(key).ok()?;
                if version.agreement().0 != scope || version.party(self.id).is_none() {
                    return None;
                }
                let agreement =
                    self.agreements.entry(scope).or_insert_with(|| Agreement::new(AgreementId(scope), MODE));
                let hash = version.hash();
                matches!(agreement.feed(Act::Version(version)), Ok(Fed::New)).then_some(hash)
            }
            ObjectKind::Signature => {
                let signature = Claimed::<Signature>::parse(bytes).ok()?;
                let claim = signature.claim().clone();
                let key = roll.agreement_key(claim.agency, claim.card_serial, claim.at).ok()?;
                let signature = signature.attest(key).ok()?;
                // Who holds a signature got the version first, so that every feed lists the two in this order.
                let agreement = self.agreements.get_mut(&scope)?;
                let hash = signature.hash();
                matches!(agreement.feed(Act::Signature(signature)), Ok(Fed::New)).then_some(hash)
            }
            ObjectKind::KeyDescriptor => {
                let descriptor = Claimed::<KeyDescriptor>::parse(bytes).ok()?;
                let claim = descriptor.claim().clone();
                let key = roll.signing_key(claim.author, claim.card_serial, claim.writer, claim.created).ok()?;
                let descriptor = descriptor.attest(key).ok().filter(|descriptor| descriptor.agreement.0 == scope)?;
                let hash = descriptor.hash();
                self.descriptors.insert((scope, descriptor.key_id), descriptor);
                Some(hash)
            }
            ObjectKind::ForkProof => {
                let proof = ForkProof::read(bytes).ok()?;
                proof.verify(roll, self.agreements.get(&scope)).ok()?;
                let log = forked_log(bytes, scope)?;
                self.store.forked.insert(log);
                self.inputs.push_back(Input::ForkProven { log });
                Some(proof.hash())
            }
            _ => None,
        }
    }

    fn unwrap(&mut self, scope: Hash, bytes: &[u8], now: Time) -> Option<KeyId> {
        let people = self.people.clone();
        let wrap = Claimed::<Wrap>::parse(bytes).ok()?;
        let (by, serial, writer) = (wrap.claim().wrapped_by, wrap.claim().card_serial, wrap.claim().writer);
        let wrap = wrap.attest(people.roll.signing_key(by, serial, writer, now).ok()?).ok()?;
        let key = wrap.open(&people::encryption(self.number)).ok()?;
        self.store.keys.insert((scope, wrap.key_id), *key.as_bytes());
        Some(wrap.key_id)
    }

    fn wraps(&self, scope: Hash, key_ids: &[KeyId], for_whom: AgencyId, now: Time) -> Response {
        let wrap = |key_id: &KeyId| {
            let descriptor = self.descriptors.get(&(scope, *key_id))?;
            let key = self.store.keys.get(&(scope, *key_id))?;
            descriptor.recipients.contains(&for_whom).then_some(())?;
            let nodes = self.people.roll.encryption_keys(for_whom, now).ok()?;
            let file = Wrap::seal(&ContentKey::from_bytes(key), nodes.first()?.1).ok()?;
            let wrap = Wrap {
                descriptor: descriptor.hash(),
                key_id: *key_id,
                recipient: for_whom,
                recipient_writer: 0,
                wrapped_by: self.id,
                card_serial: 1,
                writer: 0,
                file,
            };
            Some(Attested::sign(wrap, MODE, &people::signing(self.number)).bytes().to_vec())
        };
        Response::Wraps(key_ids.iter().filter_map(wrap).collect())
    }

    /// Runs a page up the ladder.
    fn admit(&mut self, log: LogId, entries: Vec<EntryBytes>, now: Time) -> PageOutcome {
        let before = self.store.position(&log);
        let mut refused = None;
        for entry in entries {
            if let Err(refusal) = self.climb(log, entry, now) {
                refused = refusal;
                break;
            }
        }
        if self.store.position(&log) != before {
            PageOutcome::Advanced
        } else if matches!(refused, Some(Refusal::OtherBranch { .. })) {
            PageOutcome::OtherBranch
        } else {
            PageOutcome::Stuck
        }
    }

    /// One entry up the ladder: kept once it is verified, opened and judged once its key is here. Without a reason:
    /// not of this log.
    pub(crate) fn climb(&mut self, log: LogId, bytes: EntryBytes, now: Time) -> Result<(), Option<Refusal>> {
        let people = self.people.clone();
        let agreement = self.agreements.get(&log.agreement.0).ok_or(None)?;
        let view = View { roll: &people.roll, stands: &NO_STANDS, agreement, now };
        let envelope = Envelope::parse(&bytes.header).map_err(Some)?;
        if envelope.claim().log(log.agreement) != log {
            return Err(None);
        }
        let verified = envelope.verify(&view, self.store.head(&log).as_ref()).map_err(Some)?;
        verified.names(bytes.body.as_ref().ok_or(None)?).map_err(Some)?;
        let (head, key_id) = (verified.head(), verified.header().key_id);
        let position = entente_protocol::sync::Position { seq: head.seq, hash: head.hash };
        self.store.logs.entry(log).or_default().push(Kept { bytes, head, key_id, admitted: None });
        self.inputs.push_back(Input::HeadMoved { log, head: position });
        if !self.open(log, head.seq, now) {
            let scope = log.agreement.0;
            self.inputs.push_back(Input::KeyWanted { from: Some(log.author), scope, key_id });
        }
        Ok(())
    }

    /// The upper rungs; `false` where the key, or the word on who reads under it, is not here.
    fn open(&mut self, log: LogId, seq: u64, now: Time) -> bool {
        let kept = self.store.entry(&log, seq).expect("only what is kept is opened");
        let name = (log.agreement.0, kept.key_id);
        let (Some(key), Some(descriptor)) = (self.store.keys.get(&name), self.descriptors.get(&name)) else {
            return false;
        };
        let people = self.people.clone();
        let view = View { roll: &people.roll, stands: &NO_STANDS, agreement: &self.agreements[&log.agreement.0], now };
        let before = seq.checked_sub(1).and_then(|seq| self.store.entry(&log, seq)).map(|kept| kept.head);
        let verified = Envelope::parse(&kept.bytes.header).unwrap().verify(&view, before.as_ref()).unwrap();
        let body = kept.bytes.body.as_ref().expect("the sim deletes no body");
        let opened = verified.open(body, &ContentKey::from_bytes(key), descriptor, &view);
        let judged = opened
            .expect("an author's sealed entry opens")
            .judge(&view, Usage::default(), &mut |_, _, _| KnownRevision { same_revision: None, indicator: None });
        let admitted = judged.admitted.len();
        let index = usize::try_from(seq).unwrap();
        self.store.logs.get_mut(&log).expect("it is kept")[index].admitted = Some(admitted);
        true
    }

    fn open_waiting(&mut self, scope: Hash, now: Time) {
        let waiting: Vec<(LogId, u64)> = self
            .store
            .logs
            .iter()
            .filter(|(log, _)| log.agreement.0 == scope)
            .flat_map(|(log, kept)| kept.iter().map(move |kept| (*log, kept)))
            .filter(|(_, kept)| kept.admitted.is_none())
            .map(|(log, kept)| (log, kept.head.seq))
            .collect();
        for (log, seq) in waiting {
            self.open(log, seq, now);
        }
    }

    fn evidence(&mut self, log: LogId, seq: u64, theirs: &EntryBytes, now: Time) {
        let Some(agreement) = self.agreements.get(&log.agreement.0) else { return };
        let people = self.people.clone();
        let view = View { roll: &people.roll, stands: &NO_STANDS, agreement, now };
        let Ok(envelope) = Envelope::parse(&theirs.header) else { return };
        let (Ok(header), Some(ours)) = (envelope.attest(&view), self.store.entry(&log, seq)) else { return };
        if header.log(log.agreement) != log || header.seq != seq || header.hash() == ours.head.hash {
            return;
        }
        let proof = ForkProof::new(&ours.bytes.header, &theirs.header);
        self.make(log.agreement.0, ObjectKind::ForkProof, proof.hash(), &proof.write());
    }

    /// Whether an agreement is in force here.
    pub(crate) fn in_force(&self, scope: Hash, now: Time) -> bool {
        self.agreements.get(&scope).is_some_and(|agreement| agreement.in_force(now).is_some())
    }
}

/// The log of which a proof of two headers speaks.
fn forked_log(bytes: &[u8], scope: Hash) -> Option<LogId> {
    let first = codec::read_object(bytes, |map| {
        let first = map.bytes(0, limits::RECEIPT_BYTES)?.unwrap_or_default().to_vec();
        map.bytes(1, limits::RECEIPT_BYTES)?;
        Ok(first)
    });
    let header = Claimed::<Header>::parse(&first.ok()?).ok()?;
    Some(header.claim().log(AgreementId(scope)))
}
