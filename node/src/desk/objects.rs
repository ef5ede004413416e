//! Stand-alone objects that arrive: cards, agreements and answers, key descriptors, retractions, receipts, proofs.
//!
//! Each is verified against what is known, then kept and passed on as the bytes that came. Objects come in any order,
//! so a page is gone through until nothing more can be verified; what is left is held, and asked for again.

use std::collections::BTreeSet;

use entente_protocol::agreement::{Act, Agreement, Rejection, Signature, Version, Withdrawal};
use entente_protocol::crypto::sign::PublicKey;
use entente_protocol::fork::{ForkError, ForkProof};
use entente_protocol::id::{AgencyId, AgreementId, Hash};
use entente_protocol::identity::{IdentityError, SignedInception};
use entente_protocol::keys::KeyDescriptor;
use entente_protocol::receipt::Receipt;
use entente_protocol::retraction::{self, Retraction};
use entente_protocol::statement::Statement;
use entente_protocol::wire::attest::{Attested, Claimed, ObjectError, Payload};
use entente_protocol::wire::object::ObjectKind;

use super::ledger::{KnownRetraction, Ledger, local};
use super::{Book, Desk, DeskError, receipts, scope};
use crate::store::Item;

/// Proposals of one agency that wait for our answer; what comes beyond is taken once we have answered some.
const OPEN_PROPOSALS: usize = 100;

/// What became of a page of objects.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Taken {
    /// Kept now.
    pub new: usize,
    /// To be asked for again: what they refer to is not here yet.
    pub held: usize,
    /// Never to be believed.
    pub refused: usize,
}

/// Why an object was not kept.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("what it refers to is not known here yet")]
    Held,
    #[error("it does not belong into this feed")]
    Misplaced,
    #[error("it is known already, or something newer is")]
    Known,
    #[error("{0}")]
    Object(#[from] ObjectError),
    #[error("{0}")]
    Identity(#[from] IdentityError),
    #[error("{0}")]
    Fork(#[from] ForkError),
}

impl Fault {
    fn is_held(&self) -> bool {
        match self {
            Fault::Held => true,
            Fault::Object(error) => error.is_held(),
            Fault::Identity(error) | Fault::Fork(ForkError::Identity(error)) => {
                error.is_held() || matches!(error, IdentityError::UnknownAgency(_) | IdentityError::UnknownCard { .. })
            }
            Fault::Misplaced | Fault::Known | Fault::Fork(_) => false,
        }
    }
}

impl Desk {
    /// Which of these objects of a feed are not held: what is worth asking for.
    pub fn lacking(&self, names: &[Hash]) -> Result<Vec<Hash>, DeskError> {
        let mut lacking = Vec::new();
        for name in names {
            if self.store.object(name)?.is_none() {
                lacking.push(*name);
            }
        }
        Ok(lacking)
    }

    /// Takes a page of objects of a feed.
    pub fn take_objects(&self, from: AgencyId, scope: Hash, objects: Vec<(u8, Vec<u8>)>) -> Result<Taken, DeskError> {
        let mut ledger = self.turn();
        let before = self.book();
        let mut book = (*before).clone();
        let total = objects.len();
        let mut objects = objects;
        objects.extend(ledger.held_objects.remove(&scope).unwrap_or_default());
        let mut learning = Learning { desk: self, book: &mut book, ledger: &mut ledger, scope, from: Some(from) };
        let (items, outcome, held) = learning.all(objects);
        ledger.hold(scope, held);
        if items.is_empty() {
            return Ok(outcome);
        }
        let known_scope = scope == scope::CONTACT || before.scope(scope).is_some();
        if !known_scope {
            self.store.commit(vec![Item::Local { key: local::scope(scope), value: Some(Vec::new()) }])?;
        }
        self.store.commit(items)?;
        tracing::debug!(%from, new = outcome.new, of = total, "objects were taken");
        self.replace_book(book);
        self.after_objects(&mut ledger, scope)?;
        Ok(outcome)
    }

    /// What new objects may have made possible.
    fn after_objects(&self, ledger: &mut Ledger, scope: Hash) -> Result<(), DeskError> {
        let book = self.book();
        self.signals.tell(|news| {
            news.feed(scope, false);
            news.topology = true;
        });
        if book.scope(scope).is_some() {
            self.open_waiting(ledger, &book, AgreementId(scope))?;
        }
        Ok(())
    }

    /// Puts stored objects back into the book and the ledger.
    pub(super) fn learn(&self, book: &mut Book, ledger: &mut Ledger, scope: Hash, objects: Vec<(u8, Vec<u8>)>) {
        let mut learning = Learning { desk: self, book, ledger, scope, from: None };
        let (_, outcome, _) = learning.all(objects);
        if outcome.held + outcome.refused > 0 {
            tracing::warn!(%scope, held = outcome.held, refused = outcome.refused, "stored objects do not verify");
        }
    }
}

/// Objects as they came: the number of the kind, and the bytes.
type Objects = Vec<(u8, Vec<u8>)>;

/// One pass over objects of one feed.
struct Learning<'a> {
    desk: &'a Desk,
    book: &'a mut Book,
    ledger: &'a mut Ledger,
    scope: Hash,
    /// Who sent them; `None` for the node's own store.
    from: Option<AgencyId>,
}

impl Learning<'_> {
    /// What to commit, what became of the objects, and those that are held.
    fn all(&mut self, mut objects: Objects) -> (Vec<Item>, Taken, Objects) {
        // The numbers of kinds ascend from what is referred to, to what refers to it.
        objects.sort_by_key(|(kind, _)| *kind);
        let (mut items, mut outcome) = (Vec::new(), Taken::default());
        let parties = self.parties_claimed(&objects);
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
        (items, outcome, objects)
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
        self.book.roll.add_inception(inception);
        Ok(items)
    }

    fn card(&mut self, bytes: &[u8]) -> Result<Vec<Item>, Fault> {
        let card = self.book.roll.read_card(bytes)?;
        self.may_speak_of(card.agency())?;
        let hash = card.hash();
        self.book.roll.add_card(card)?;
        Ok(self.item(ObjectKind::Card, hash, bytes))
    }

    fn address_record(&mut self, bytes: &[u8]) -> Result<Vec<Item>, Fault> {
        let record = self.book.roll.read_address_record(bytes)?;
        self.may_speak_of(record.record().agency)?;
        let hash = record.hash();
        self.book.roll.add_address_record(record)?;
        Ok(self.item(ObjectKind::AddressRecord, hash, bytes))
    }

    fn version(&mut self, bytes: &[u8]) -> Result<Vec<Item>, Fault> {
        let claimed = Claimed::<Version>::parse(bytes)?;
        let claim = claimed.claim();
        let id = claim.agreement.unwrap_or(AgreementId(claimed.hash()));
        if id.0 != self.scope || claim.party(self.book.me).is_none() || claimed.mode() != self.book.mode {
            return Err(Fault::Misplaced);
        }
        let key = *self.book.roll.agreement_key(claim.proposer, claim.card_serial, claim.created)?;
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
        let key = *self.book.roll.agreement_key(who(claim), serial, at)?;
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

    fn signer(
        &self,
        agency: AgencyId,
        serial: u32,
        writer: u32,
        at: entente_protocol::time::Time,
    ) -> Result<PublicKey, Fault> {
        let agreement = self.book.scope(self.scope).ok_or(Fault::Held)?;
        if !self.book.parties_ever(agreement).contains(&agency) {
            return Err(Fault::Misplaced);
        }
        Ok(*self.book.roll.signing_key(agency, serial, writer, at)?)
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
        self.ledger.keys.descriptors.entry(descriptor.key_id).or_insert(descriptor);
        Ok(self.item(ObjectKind::KeyDescriptor, hash, bytes))
    }

    fn retraction(&mut self, bytes: &[u8]) -> Result<Vec<Item>, Fault> {
        let claimed = Claimed::<Retraction>::parse(bytes)?;
        let claim = claimed.claim();
        let key = self.signer(claim.originator, claim.card_serial, claim.writer, claim.created)?;
        let retraction = claimed.attest(&key)?;
        let mut items = self.item(ObjectKind::Retraction, retraction.hash(), bytes);
        items.extend(self.desk.carry_out(self.ledger, self.agreement(), &retraction));
        Ok(items)
    }

    fn receipt(&mut self, bytes: &[u8]) -> Result<Vec<Item>, Fault> {
        let receipt = read_receipt(self.book, bytes)?;
        if receipt.agreement != self.agreement() {
            return Err(Fault::Misplaced);
        }
        let hash = receipt.hash();
        if !receipts::is_latest(&self.ledger.receipts, &receipt) {
            return Err(Fault::Known);
        }
        let older = receipts::keep(&mut self.ledger.receipts, receipt);
        let mut items = self.item(ObjectKind::Receipt, hash, bytes);
        items.extend(older.map(|older| Item::DropObject { hash: scope::name_in(self.scope, older) }));
        Ok(items)
    }

    fn fork_proof(&mut self, bytes: &[u8]) -> Result<Vec<Item>, Fault> {
        let proof = ForkProof::read(bytes).map_err(ForkError::from)?;
        let agency = proof.verify(&self.book.roll, self.book.agreement(self.agreement()).ok())?;
        tracing::warn!(%agency, "a partner proved that this agency contradicts itself");
        Ok(self.item(ObjectKind::ForkProof, proof.hash(), bytes))
    }
}

/// What the three answers have in common.
trait Answering {
    /// The serial of the card that holds the key, and the time of the signature.
    fn signed_with(&self) -> (u32, entente_protocol::time::Time);
}

macro_rules! answering {
    ($($answer:ident),*) => {$(
        impl Answering for $answer {
            fn signed_with(&self) -> (u32, entente_protocol::time::Time) {
                (self.card_serial, self.at)
            }
        }
    )*};
}
answering!(Signature, Rejection, Withdrawal);

/// Reads and verifies a receipt.
pub(super) fn read_receipt(book: &Book, bytes: &[u8]) -> Result<Attested<Receipt>, ReceiptFault> {
    let claimed = Claimed::<Receipt>::parse(bytes)?;
    let claim = claimed.claim();
    let key = *book.roll.signing_key(claim.party, claim.card_serial, claim.writer, claim.created)?;
    Ok(claimed.attest(&key)?)
}

/// Why a receipt is not believed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReceiptFault {
    #[error(transparent)]
    Object(#[from] ObjectError),
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

impl From<ReceiptFault> for Fault {
    fn from(fault: ReceiptFault) -> Fault {
        match fault {
            ReceiptFault::Object(error) => Fault::Object(error),
            ReceiptFault::Identity(error) => Fault::Identity(error),
        }
    }
}

impl Desk {
    /// What carrying out a retraction means here: the report goes, and the receipt will say so.
    pub(super) fn carry_out(
        &self,
        ledger: &mut Ledger,
        agreement: AgreementId,
        retraction: &Attested<Retraction>,
    ) -> Vec<Item> {
        let (originator, report) = (retraction.originator, retraction.report);
        let mut items = vec![Item::EraseReport { originator, report, up_to_revision: retraction.up_to_revision }];
        items.extend(self.remembrance(retraction));
        let known = ledger.retracted.entry((originator, report)).or_insert_with(|| KnownRetraction {
            hash: retraction.hash(),
            retraction: retraction.payload().clone(),
            agreements: BTreeSet::new(),
        });
        known.agreements.insert(agreement);
        let carried_out = ledger.receipts.retractions.entry(agreement).or_default();
        carried_out.insert(retraction.hash(), retraction.delete_after);
        ledger.receipts.due.insert(agreement);
        ledger.receipts.urgent = true;
        items
    }

    /// What is kept of a report that goes: the reason of its retraction, and a keyed hash of what it was about, so
    /// that a lookup can say that something was withdrawn. Both are read while the report is still here.
    fn remembrance(&self, retraction: &Retraction) -> Vec<Item> {
        let (originator, report) = (retraction.originator, retraction.report);
        let held = self.store.report(&originator, &report).unwrap_or_default();
        let read = held.iter().find_map(|record| match Statement::read(&record.statement) {
            Ok(Statement::Report(report)) => Some(report),
            _ => None,
        });
        let Some(held) = read else { return Vec::new() };
        let gone = local::gone(&self.me.mark, &held.indicator.lookup_key());
        let gone = [gone.as_slice(), originator.as_bytes(), report.as_bytes()].concat();
        let mut items = vec![Item::Local { key: gone, value: Some(Vec::new()) }];
        let reason = retraction::open_reason(&held.holder_secret, retraction);
        items.extend(
            reason
                .map(|reason| Item::Local { key: local::reason(originator, report), value: Some(reason.into_bytes()) }),
        );
        items
    }
}
