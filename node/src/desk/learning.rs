//! One pass over stand-alone objects: each is verified against what is known, and what it teaches is gathered.
//!
//! Objects come in any order, so a page is gone through until nothing more can be verified; what is left is held, and
//! asked for again. The book that is changed is a copy, and the ledger is only read: nothing counts before it is
//! durable. Objects of the node's own store pass here again at every start; what was good when it came stays good,
//! whatever keys were revoked since.

use std::collections::{BTreeMap, BTreeSet};

use entente_protocol::agreement::{Act, Agreement, Rejection, Signature, Version, Withdrawal};
use entente_protocol::crypto::sign::PublicKey;
use entente_protocol::fork::{ForkError, ForkProof};
use entente_protocol::id::{AgencyId, AgreementId, Hash, LogId};
use entente_protocol::identity::{IdentityError, SignedInception};
use entente_protocol::keys::KeyDescriptor;
use entente_protocol::receipt::Receipt;
use entente_protocol::retraction::Retraction;
use entente_protocol::time::Time;
use entente_protocol::wire::attest::{Attested, Claimed, Payload};
use entente_protocol::wire::object::ObjectKind;

use super::ledger::{Ledger, local};
use super::objects::{Fault, Taken};
use super::{Book, Desk, receipts, scope};
use crate::store::Item;

/// Proposals of one agency that wait for our answer; what comes beyond is taken once we have answered some.
const OPEN_PROPOSALS: usize = 100;

/// Objects as they came: the number of the kind, and the bytes.
pub(super) type Objects = Vec<(u8, Vec<u8>)>;

/// What came of a pass.
pub(super) struct Lesson {
    /// What to commit.
    pub(super) items: Vec<Item>,
    /// What became of the objects.
    pub(super) taken: Taken,
    /// Those that are held.
    pub(super) held: Objects,
    /// What they change once they are durable.
    pub(super) learned: Learned,
}

/// What new objects change in the ledger.
#[derive(Default)]
pub(super) struct Learned {
    descriptors: Vec<Attested<KeyDescriptor>>,
    receipts: BTreeMap<(AgreementId, AgencyId, u32), Attested<Receipt>>,
    retractions: Vec<Attested<Retraction>>,
    forks: BTreeMap<LogId, u64>,
}

impl Learned {
    /// Changes the ledger; says which logs forked.
    pub(super) fn into_ledger(self, ledger: &mut Ledger, agreement: AgreementId) -> Vec<LogId> {
        for descriptor in self.descriptors {
            ledger.keys.descriptors.entry(descriptor.key_id).or_insert(descriptor);
        }
        ledger.receipts.latest.extend(self.receipts);
        for retraction in &self.retractions {
            ledger.carried_out(agreement, retraction);
        }
        let fork = |(log, seq): (&LogId, &u64)| {
            let state = ledger.log(*log).forked_at(*seq)?;
            ledger.logs.insert(*log, state);
            Some(*log)
        };
        self.forks.iter().filter_map(fork).collect()
    }
}

/// One pass over objects of one feed.
pub(super) struct Learning<'a> {
    desk: &'a Desk,
    book: &'a mut Book,
    ledger: &'a Ledger,
    scope: Hash,
    /// Who sent them; `None` for the node's own store.
    from: Option<AgencyId>,
    /// Whether this agency is named in the agreement, by what is known or by what is gone through.
    named: bool,
    learned: Learned,
}

impl<'a> Learning<'a> {
    /// Over objects of this feed that an agency sent, or that come from the node's own store.
    pub(super) fn new(
        desk: &'a Desk,
        book: &'a mut Book,
        ledger: &'a Ledger,
        scope: Hash,
        from: Option<AgencyId>,
    ) -> Learning<'a> {
        Learning { desk, book, ledger, scope, from, named: false, learned: Learned::default() }
    }

    /// Goes through the objects.
    pub(super) fn all(mut self, mut objects: Objects) -> Lesson {
        // The numbers of kinds ascend from what is referred to, to what refers to it.
        objects.sort_by_key(|(kind, _)| *kind);
        let (mut items, mut outcome) = (Vec::new(), Taken::default());
        let parties = self.parties_claimed(&objects);
        self.named = self.book.scope(self.scope).is_some() || self.is_named(&objects);
        loop {
            let before = objects.len();
            objects.retain(|(kind, bytes)| match self.one(*kind, bytes, &parties) {
                Ok(new) => {
                    items.extend(new);
                    outcome.new += 1;
                    false
                }
                Err(fault) if fault.is_held() => true,
                Err(Fault::Known) => false,
                Err(fault) => {
                    tracing::debug!(kind, %fault, "an object was refused");
                    outcome.refused += 1;
                    false
                }
            });
            if objects.is_empty() || objects.len() == before {
                break;
            }
        }
        outcome.held = objects.len();
        Lesson { items, taken: outcome, held: objects, learned: self.learned }
    }

    /// Whether a version of this agreement names this agency. Whether it is true, its signature shows in its turn.
    fn is_named(&self, objects: &[(u8, Vec<u8>)]) -> bool {
        let versions = objects.iter().filter(|(kind, _)| *kind == ObjectKind::AgreementVersion.number());
        versions.filter_map(|(_, bytes)| Claimed::<Version>::parse(bytes).ok()).any(|version| {
            let claim = version.claim();
            let id = claim.agreement.unwrap_or(AgreementId(version.hash()));
            id.0 == self.scope && claim.party(self.book.me).is_some()
        })
    }

    /// Who is party to this scope's agreement. A first version is named by its own hash, so a partner that claims
    /// parties for a scope cannot claim false ones.
    fn parties_claimed(&self, objects: &[(u8, Vec<u8>)]) -> BTreeSet<AgencyId> {
        let known = self.book.scope(self.scope).map(|agreement| self.book.parties_ever(agreement)).unwrap_or_default();
        let claimed = objects.iter().filter(|(kind, _)| *kind == ObjectKind::AgreementVersion.number());
        let claimed = claimed.filter_map(|(_, bytes)| Claimed::<Version>::parse(bytes).ok());
        let claimed = claimed.filter(|version| version.hash() == self.scope || !known.is_empty());
        let parties = claimed.flat_map(|version| version.claim().parties.clone()).map(|party| party.agency);
        known.iter().copied().chain(parties).collect()
    }

    fn one(&mut self, kind: u8, bytes: &[u8], parties: &BTreeSet<AgencyId>) -> Result<Vec<Item>, Fault> {
        let kind = ObjectKind::of_number(kind).ok_or(Fault::Held)?;
        let in_contact = self.scope == scope::CONTACT || self.scope == scope::imported();
        match kind {
            ObjectKind::Inception => return self.inception(bytes, parties),
            ObjectKind::Card => return self.card(bytes),
            ObjectKind::AddressRecord => return self.address_record(bytes),
            _ if in_contact => return Err(Fault::Misplaced),
            ObjectKind::AgreementVersion => return self.version(bytes),
            _ if self.book.scope(self.scope).is_none() => return Err(Fault::Held),
            _ => {}
        }
        match kind {
            ObjectKind::Signature => self.answer::<Signature>(bytes, |claim| claim.agency, Act::Signature),
            ObjectKind::Rejection => self.answer::<Rejection>(bytes, |claim| claim.agency, Act::Rejection),
            ObjectKind::Withdrawal => self.answer::<Withdrawal>(bytes, |claim| claim.agency, Act::Withdrawal),
            ObjectKind::KeyDescriptor => self.descriptor(bytes),
            ObjectKind::Retraction => self.retraction(bytes),
            ObjectKind::Receipt => self.receipt(bytes),
            ObjectKind::ForkProof => self.fork_proof(bytes),
            _ => Err(Fault::Misplaced),
        }
    }

    /// Keeps an object in its feed; what a partner tells of itself is not ours to tell the other partners.
    fn item(&self, kind: ObjectKind, hash: Hash, bytes: &[u8]) -> Vec<Item> {
        let told = self.scope == scope::CONTACT && self.from.is_some();
        vec![scope::item(if told { scope::imported() } else { self.scope }, kind, hash, bytes)]
    }

    /// In the contact feed a partner speaks of itself alone.
    fn may_speak_of(&self, agency: AgencyId) -> Result<(), Fault> {
        let of_another = self.scope == scope::CONTACT && self.from.is_some_and(|from| from != agency);
        if of_another { Err(Fault::Misplaced) } else { Ok(()) }
    }

    fn agreement(&self) -> AgreementId {
        AgreementId(self.scope)
    }

    /// An agency is met for the first time: by its own word where it is pinned, or by a proposal that names it.
    fn inception(&mut self, bytes: &[u8], parties: &BTreeSet<AgencyId>) -> Result<Vec<Item>, Fault> {
        let inception = SignedInception::parse(bytes)?;
        let agency = inception.agency();
        self.may_speak_of(agency)?;
        let imported = self.from.is_none() && self.scope == scope::imported();
        let may_know = imported || parties.contains(&agency) || self.book.roll.agency(agency).is_ok();
        if inception.mode() != self.book.mode || !may_know {
            return Err(Fault::Misplaced);
        }
        let mut items = self.item(ObjectKind::Inception, agency.0, bytes);
        let vouched = agency != self.book.me && !self.book.pinned.contains(&agency);
        if let Some(by) = self.from.filter(|by| vouched && *by != agency)
            && self.book.vouched.entry(agency).or_default().insert(by)
        {
            items.push(Item::Local { key: local::vouched(agency, by), value: Some(Vec::new()) });
        }
        self.book.roll_mut().add_inception(inception);
        Ok(items)
    }

    fn card(&mut self, bytes: &[u8]) -> Result<Vec<Item>, Fault> {
        let card = self.book.roll.read_card(bytes)?;
        self.may_speak_of(card.agency())?;
        let hash = card.hash();
        self.book.roll_mut().add_card(card)?;
        Ok(self.item(ObjectKind::Card, hash, bytes))
    }

    fn address_record(&mut self, bytes: &[u8]) -> Result<Vec<Item>, Fault> {
        let record = self.book.roll.read_address_record(bytes)?;
        self.may_speak_of(record.record().agency)?;
        let hash = record.hash();
        self.book.roll_mut().add_address_record(record)?;
        Ok(self.item(ObjectKind::AddressRecord, hash, bytes))
    }

    fn version(&mut self, bytes: &[u8]) -> Result<Vec<Item>, Fault> {
        let claimed = Claimed::<Version>::parse(bytes)?;
        let claim = claimed.claim();
        let id = claim.agreement.unwrap_or(AgreementId(claimed.hash()));
        if id.0 != self.scope || claimed.mode() != self.book.mode {
            return Err(Fault::Misplaced);
        }
        // Who is asked to join is told of the versions before, too. Until a version comes that names us, they wait.
        if claim.party(self.book.me).is_none() && !self.named && self.from.is_some() {
            return Err(Fault::Held);
        }
        let key = self.agreement_key(claim.proposer, claim.card_serial, claim.created)?;
        if self.from.is_some() && self.open_proposals(claim.proposer) >= OPEN_PROPOSALS {
            return Err(Fault::Held);
        }
        let version = claimed.attest(&key)?;
        let hash = version.hash();
        self.feed(Act::Version(version))?;
        Ok(self.item(ObjectKind::AgreementVersion, hash, bytes))
    }

    /// How many agreements that never came into force an agency has proposed to us.
    fn open_proposals(&self, proposer: AgencyId) -> usize {
        let open = self.book.agreements.values().filter(|agreement| {
            let mut versions = agreement.versions();
            versions
                .all(|version| version.proposer == proposer && agreement.answer(version.name(), self.book.me).is_none())
        });
        open.count()
    }

    fn feed(&mut self, act: Act) -> Result<(), Fault> {
        // What the tree refuses for want of room is asked for again.
        if self.book.feed(self.agreement(), act) { Ok(()) } else { Err(Fault::Held) }
    }

    fn answer<P: Payload + Answering>(
        &mut self,
        bytes: &[u8],
        who: impl Fn(&P) -> AgencyId,
        act: impl Fn(Attested<P>) -> Act,
    ) -> Result<Vec<Item>, Fault> {
        let claimed = Claimed::<P>::parse(bytes)?;
        let claim = claimed.claim();
        let (serial, at) = claim.signed_with();
        let key = self.agreement_key(who(claim), serial, at)?;
        let answer = claimed.attest(&key)?;
        let hash = answer.hash();
        self.feed(act(answer))?;
        let mut items = self.item(P::KIND, hash, bytes);
        for contradiction in self.book.scope(self.scope).map(Agreement::contradictions).unwrap_or_default() {
            let proof = ForkProof::new(&contradiction.first, &contradiction.second);
            items.extend(self.item(ObjectKind::ForkProof, proof.hash(), &proof.write()));
        }
        Ok(items)
    }

    /// The agreement-signing key of an agency. What lies in our own store was verified before a later card revoked it.
    fn agreement_key(&self, agency: AgencyId, serial: u32, at: Time) -> Result<PublicKey, IdentityError> {
        let roll = &self.book.roll;
        Ok(*match self.from {
            Some(_) => roll.agreement_key(agency, serial, at)?,
            None => roll.card_at(agency, serial)?.agreement_key(at)?,
        })
    }

    /// The signing key of a party's node; see [`Learning::agreement_key`].
    fn signer(&self, agency: AgencyId, serial: u32, writer: u32, at: Time) -> Result<PublicKey, Fault> {
        let agreement = self.book.scope(self.scope).ok_or(Fault::Held)?;
        if !self.book.parties_ever(agreement).contains(&agency) {
            return Err(Fault::Misplaced);
        }
        let roll = &self.book.roll;
        Ok(*match self.from {
            Some(_) => roll.signing_key(agency, serial, writer, at)?,
            None => roll.card_at(agency, serial)?.signing_key(writer, at)?,
        })
    }

    fn descriptor(&mut self, bytes: &[u8]) -> Result<Vec<Item>, Fault> {
        let claimed = Claimed::<KeyDescriptor>::parse(bytes)?;
        let claim = claimed.claim();
        if claim.agreement != self.agreement() {
            return Err(Fault::Misplaced);
        }
        let key = self.signer(claim.author, claim.card_serial, claim.writer, claim.created)?;
        let descriptor = claimed.attest(&key)?;
        let hash = descriptor.hash();
        let item = self.item(ObjectKind::KeyDescriptor, hash, bytes);
        self.learned.descriptors.push(descriptor);
        Ok(item)
    }

    fn retraction(&mut self, bytes: &[u8]) -> Result<Vec<Item>, Fault> {
        let claimed = Claimed::<Retraction>::parse(bytes)?;
        let claim = claimed.claim();
        let key = self.signer(claim.originator, claim.card_serial, claim.writer, claim.created)?;
        let retraction = claimed.attest(&key)?;
        let mut items = self.item(ObjectKind::Retraction, retraction.hash(), bytes);
        if self.from.is_some() {
            items.extend(self.desk.carry_out(&retraction));
        }
        self.learned.retractions.push(retraction);
        Ok(items)
    }

    fn receipt(&mut self, bytes: &[u8]) -> Result<Vec<Item>, Fault> {
        let claimed = Claimed::<Receipt>::parse(bytes)?;
        let claim = claimed.claim();
        if claim.agreement != self.agreement() {
            return Err(Fault::Misplaced);
        }
        let key = self.signer(claim.party, claim.card_serial, claim.writer, claim.created)?;
        let receipt = claimed.attest(&key)?;
        let hash = receipt.hash();
        let place = receipts::place(&receipt);
        let older = self.learned.receipts.get(&place).or_else(|| self.ledger.receipts.latest.get(&place));
        if older.is_some_and(|older| older.order() >= receipt.order()) {
            return Err(Fault::Known);
        }
        let older = older.map(|older| Item::DropObject { hash: scope::name_in(self.scope, older.hash()) });
        let mut items = self.item(ObjectKind::Receipt, hash, bytes);
        items.extend(older);
        self.learned.receipts.insert(place, receipt);
        Ok(items)
    }

    fn fork_proof(&mut self, bytes: &[u8]) -> Result<Vec<Item>, Fault> {
        let proof = ForkProof::read(bytes).map_err(ForkError::from)?;
        let agency = proof.verify(&self.book.roll, self.book.agreement(self.agreement()).ok())?;
        let mut items = self.item(ObjectKind::ForkProof, proof.hash(), bytes);
        if self.from.is_some() {
            tracing::warn!(%agency, "a partner proved that this agency contradicts itself");
            let fork = proof.forks(self.agreement());
            let state = |(log, seq): (LogId, u64)| {
                let known = self.ledger.logs.get(&log).copied().unwrap_or_default();
                Some((log, seq, known.forked_at(seq)?))
            };
            if let Some((log, seq, state)) = fork.and_then(state) {
                items.push(Item::Local { key: local::decided(&log), value: Some(state.decided()) });
                self.learned.forks.insert(log, seq);
            }
        }
        Ok(items)
    }
}

/// What the three answers have in common.
trait Answering {
    /// The serial of the card that holds the key, and the time of the signature.
    fn signed_with(&self) -> (u32, Time);
}

macro_rules! answering {
    ($($answer:ident),*) => {$(
        impl Answering for $answer {
            fn signed_with(&self) -> (u32, Time) {
                (self.card_serial, self.at)
            }
        }
    )*};
}
answering!(Signature, Rejection, Withdrawal);
