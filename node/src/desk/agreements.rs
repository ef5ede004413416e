//! Agreements at the desk: sign, reject, leave, and show them.

use entente_protocol::agreement::{
    Act, Agreement, Answer, MayNot, NotInForce, Party, Rejection, Signature, SignedVersion, State, Version, Withdrawal,
};
use entente_protocol::id::{AgreementId, Mode, VersionHash};
use entente_protocol::limits;
use entente_protocol::time::Time;
use entente_protocol::wire::attest::Attested;
use entente_protocol::wire::object::ObjectKind;

use super::proposals::{Foretold, foretold};
use super::{Book, Desk, DeskError, Trust, scope};
use crate::clock;
use crate::store::Item;

/// An agreement as it is shown: one version of it.
#[derive(Clone, Debug)]
pub struct AgreementView {
    /// The agreement.
    pub id: AgreementId,
    /// The version.
    pub version: VersionHash,
    /// What it says.
    pub payload: Version,
    /// Where it stands.
    pub state: State,
    /// Live or exercise.
    pub mode: Mode,
    /// Its parties, and what each answered.
    pub parties: Vec<PartyView>,
    /// The agreement's versions that wait for this agency's answer, newest first.
    pub open: Vec<VersionHash>,
    /// What it says in words, and what it changes.
    pub foretold: Foretold,
    /// When this agency left it.
    pub left: Option<Time>,
}

/// A party as it is shown.
#[derive(Clone, Debug)]
pub struct PartyView {
    /// The party and its roles.
    pub party: Party,
    /// Its name.
    pub name: String,
    /// How it is known here.
    pub trust: Trust,
    /// What it answered, and when; with the reason of a rejection.
    pub answer: Option<PartyAnswer>,
}

/// What a party answered.
#[derive(Clone, Debug)]
pub enum PartyAnswer {
    /// It signed.
    Signed {
        /// When.
        at: Time,
    },
    /// It rejected.
    Rejected {
        /// When.
        at: Time,
        /// Why.
        reason: String,
    },
}

/// What came of an answer.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The agreement.
    pub id: AgreementId,
    /// The version that was answered.
    pub version: VersionHash,
    /// Where it stands now.
    pub state: State,
}

impl Desk {
    pub(super) fn signature(
        &self,
        book: &mut Book,
        id: AgreementId,
        name: VersionHash,
        at: Time,
    ) -> Result<Item, DeskError> {
        let relies_on = book.agreement(id)?.may_sign(self.me.agency, name, at)?;
        let signature =
            Signature { version: name, agency: self.me.agency, card_serial: self.me.card_serial, at, relies_on };
        let signature = Attested::sign(signature, self.me.mode, &self.me.agreement);
        let place = scope::of_agreement(id);
        let item = scope::item(place, ObjectKind::Signature, signature.hash(), signature.bytes());
        book.feed(id, Act::Signature(signature));
        Ok(item)
    }

    /// Signs a version: the one named, or the only one of the agreement that waits for this agency's answer. Doing it
    /// again changes nothing.
    pub fn sign(&self, text: &str, version: Option<VersionHash>) -> Result<Answered, DeskError> {
        let now = clock::now();
        let turn = self.turn();
        let mut book = (*self.book()).clone();
        let (id, name) = answerable(&book, text, version, now)?;
        self.check_parties(&book, id, name)?;
        match self.signature(&mut book, id, name, now) {
            Ok(item) => {
                self.store.commit(vec![item])?;
                self.replace_book(book);
            }
            Err(DeskError::MayNot(MayNot::Signed)) => {}
            Err(error) => return Err(error),
        }
        drop(turn);
        self.told(id);
        self.answered(id, name, now)
    }

    /// Rejects a version: the one named, or the only one of the agreement that waits for this agency's answer.
    pub fn reject(&self, text: &str, version: Option<VersionHash>, reason: &str) -> Result<Answered, DeskError> {
        let now = clock::now();
        if reason.is_empty() || reason.len() > limits::LONG_TEXT_BYTES {
            return Err(DeskError::Text { field: "reason", max: limits::LONG_TEXT_BYTES });
        }
        let turn = self.turn();
        let mut book = (*self.book()).clone();
        let (id, name) = answerable(&book, text, version, now)?;
        let agreement = book.agreement(id)?;
        if matches!(agreement.answer(name, self.me.agency), Some(Answer::Signed(_))) {
            return Err(DeskError::MayNot(MayNot::Signed));
        }
        agreement.may_reject(self.me.agency, name)?;
        let rejection = Rejection {
            version: name,
            agency: self.me.agency,
            card_serial: self.me.card_serial,
            at: now,
            reason: reason.to_owned(),
        };
        let rejection = Attested::sign(rejection, self.me.mode, &self.me.agreement);
        let place = scope::of_agreement(id);
        self.store.commit(vec![scope::item(place, ObjectKind::Rejection, rejection.hash(), rejection.bytes())])?;
        book.feed(id, Act::Rejection(rejection));
        self.replace_book(book);
        drop(turn);
        self.told(id);
        self.answered(id, name, now)
    }

    /// Leaves an agreement, which needs nobody's consent: from now on this agency publishes and receives nothing under it.
    /// Doing it again changes nothing.
    pub fn withdraw(&self, text: &str, reason: &str) -> Result<Answered, DeskError> {
        if reason.is_empty() || reason.len() > limits::LONG_TEXT_BYTES {
            return Err(DeskError::Text { field: "reason", max: limits::LONG_TEXT_BYTES });
        }
        let now = clock::now();
        let ledger = self.turn();
        let mut book = (*self.book()).clone();
        let (agreement, _) = book.find_version(text, now)?;
        let id = agreement.id();
        // Not before its last entry, whose date a clock that was set back does not lower.
        let heads = ledger.own_logs(id, self.me.agency, self.me.writer).filter_map(|(_, state)| state.head);
        let at = heads.map(|head| head.created).max().map_or(now, |created| now.max(created));
        let publishes = agreement.may_publish(self.me.agency, now);
        let version = match (agreement.in_force(now), publishes) {
            (Some(version), Ok(_) | Err(NotInForce::Undecided { .. })) | (None, Ok(version)) => version.name(),
            // Who has left has nothing to leave, also where that ended the agreement.
            (_, Err(_)) if agreement.left(self.me.agency, Time::MAX).is_some() => {
                let version = book.foremost(agreement, now).ok_or_else(|| DeskError::NoAgreement(text.to_owned()))?;
                return self.answered(id, version.name(), now);
            }
            (_, Err(why)) => return Err(DeskError::NotInForce { agreement: id, why }),
        };
        let withdrawal = Withdrawal {
            agreement: id,
            version,
            agency: self.me.agency,
            card_serial: self.me.card_serial,
            at,
            reason: reason.to_owned(),
        };
        let withdrawal = Attested::sign(withdrawal, self.me.mode, &self.me.agreement);
        let place = scope::of_agreement(id);
        self.store.commit(vec![scope::item(place, ObjectKind::Withdrawal, withdrawal.hash(), withdrawal.bytes())])?;
        book.feed(id, Act::Withdrawal(withdrawal));
        self.replace_book(book);
        drop(ledger);
        self.told(id);
        self.answered(id, version, now)
    }

    pub(super) fn told(&self, id: AgreementId) {
        self.signals.tell(|news| {
            news.feed(scope::of_agreement(id), true);
            news.topology = true;
        });
    }

    fn answered(&self, id: AgreementId, version: VersionHash, now: Time) -> Result<Answered, DeskError> {
        let book = self.book();
        let state = book.agreement(id)?.state_of(version, now);
        Ok(Answered { id, version, state: state.unwrap_or(State::Lapsed) })
    }

    /// Every party must be known by its card before this agency binds itself to it.
    fn check_parties(&self, book: &Book, id: AgreementId, name: VersionHash) -> Result<(), DeskError> {
        let agreement = book.agreement(id)?;
        for party in agreement.version(name).iter().flat_map(|version| &version.parties) {
            let card = book.roll.card(party.agency).map_err(|_| DeskError::NoAgency(party.agency.to_string()))?;
            if card.mode() != self.me.mode {
                return Err(DeskError::Mode { agency: party.agency, theirs: card.mode(), ours: self.me.mode });
            }
        }
        Ok(())
    }

    /// All agreements, proposed ones included.
    pub fn agreements(&self) -> Vec<AgreementView> {
        let (book, now) = (self.book(), clock::now());
        let foremost = |agreement| view(&book, agreement, book.foremost(agreement, now)?, now);
        book.agreements.values().filter_map(|agreement| foremost(agreement)).collect()
    }

    /// One version: the one named, or the foremost of the agreement named.
    pub fn agreement(&self, text: &str) -> Result<AgreementView, DeskError> {
        let (book, now) = (self.book(), clock::now());
        let (agreement, version) = book.find_version(text, now)?;
        view(&book, agreement, version, now).ok_or_else(|| DeskError::NoAgreement(text.to_owned()))
    }
}

/// The version that an answer means: the one named, or the only one that is open, or else the one shown first. Nobody
/// answers what they have not read: of several, one has to be named.
fn answerable(
    book: &Book,
    text: &str,
    version: Option<VersionHash>,
    now: Time,
) -> Result<(AgreementId, VersionHash), DeskError> {
    let (agreement, shown) = book.find_version(text, now)?;
    if let Some(named) = version {
        let known = agreement.version(named).ok_or_else(|| DeskError::NoAgreement(named.to_string()))?;
        return Ok((agreement.id(), known.name()));
    }
    let by_version = shown.parent.is_some() && book.find_agreement(text).is_err();
    match open(book, agreement, now)[..] {
        [only] if !by_version => Ok((agreement.id(), only)),
        [_, _, ..] if !by_version => {
            Err(DeskError::WhichVersion { agreement: agreement.id(), open: open(book, agreement, now) })
        }
        _ => Ok((agreement.id(), shown.name())),
    }
}

/// The versions of an agreement that wait for this agency's answer, newest first.
fn open(book: &Book, agreement: &Agreement, now: Time) -> Vec<VersionHash> {
    let waits = |version: &&SignedVersion| {
        let state = agreement.state_of(version.name(), now);
        matches!(state, Some(State::Proposed { .. } | State::Contested { .. }))
    };
    book.open_versions(agreement).into_iter().filter(waits).map(SignedVersion::name).collect()
}

fn view(book: &Book, agreement: &Agreement, version: &SignedVersion, now: Time) -> Option<AgreementView> {
    let name = version.name();
    let parties = version.parties.iter().map(|party| PartyView {
        party: *party,
        name: book.name(party.agency),
        trust: book.trust(party.agency),
        answer: agreement.answer(name, party.agency).map(|answer| match answer {
            Answer::Signed(signed) => PartyAnswer::Signed { at: signed.at },
            Answer::Rejected(rejected) => PartyAnswer::Rejected { at: rejected.at, reason: rejected.reason.clone() },
        }),
    });
    Some(AgreementView {
        id: agreement.id(),
        version: name,
        payload: version.payload().clone(),
        state: agreement.state_of(name, now)?,
        mode: agreement.mode(),
        parties: parties.collect(),
        open: open(book, agreement, now),
        foretold: foretold(book, Some(agreement), version.payload()),
        left: agreement.left(book.me, now),
    })
}
