//! Agreements at the desk: propose, sign, reject, and show them.

use entente_protocol::address::Chain;
use entente_protocol::agreement::terms::{DEFAULT_BYTES_PER_DAY, DEFAULT_STATEMENTS_PER_DAY};
use entente_protocol::agreement::version::{DEFAULT_GRACE_MS, DEFAULT_RUN_OFF_DAYS};
use entente_protocol::agreement::{
    Act, Agreement, Answer, MayNot, Onward, Party, Rejection, Signature, SignedVersion, State, Terms, Version,
};
use entente_protocol::grading::GradingScheme;
use entente_protocol::handling::Handling;
use entente_protocol::id::{AgencyId, AgreementId, Mode, VersionHash};
use entente_protocol::identity::CardExport;
use entente_protocol::limits;
use entente_protocol::marking::Marking;
use entente_protocol::statement::kind::StatementKind;
use entente_protocol::time::Time;
use entente_protocol::typology::Typology;
use entente_protocol::wire::attest::Attested;
use entente_protocol::wire::object::ObjectKind;

use super::cards::items_of;
use super::ledger::local;
use super::{Book, Desk, DeskError, Trust, scope};
use crate::clock;
use crate::store::Item;

/// Milliseconds in an hour.
const HOUR_MS: u64 = 60 * 60 * 1000;

/// The terms of a proposal, as an administrator writes them.
#[derive(Clone, Debug, Default)]
pub struct TermsInput {
    /// What people call the agreement.
    pub title: String,
    /// What the statements may be used for.
    pub purpose: String,
    /// The law or treaty that allows the sharing.
    pub legal_basis: String,
    /// The first moment of validity.
    pub valid_from: Time,
    /// The end of validity, exclusive.
    pub valid_until: Time,
    /// How long a statement may be kept, days.
    pub retention_days: u32,
    /// The strictest marking.
    pub marking_ceiling: String,
    /// The kinds of statements, by word.
    pub statement_kinds: Vec<String>,
    /// The typologies, by id; none means all.
    pub typologies: Vec<String>,
    /// The parties: agency (id or unique name), contributes, receives.
    pub parties: Vec<(String, bool, bool)>,
    /// The version that this one replaces.
    pub parent: Option<VersionHash>,
    /// When it replaces it.
    pub effective_from: Option<Time>,
    /// How long the parent's entries are still admitted, hours.
    pub grace_hours: Option<u64>,
    /// The chains; none means all.
    pub chains: Vec<String>,
    /// The grading scheme required.
    pub required_grading: Option<String>,
    /// Handling codes of statements that carry none.
    pub handling: Vec<String>,
    /// The rule for passing on: never, consent or purpose.
    pub onward: Option<String>,
    /// Whether who joins receives what was shared before.
    pub history: Option<bool>,
    /// Statements a day and log.
    pub statements_per_day: Option<u64>,
    /// Bytes a day and log.
    pub bytes_per_day: Option<u64>,
    /// How long retractions still pass after the end, days.
    pub run_off_days: Option<u32>,
}

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
    /// Proposes a version, and signs it for this agency.
    pub fn propose(&self, input: &TermsInput) -> Result<AgreementView, DeskError> {
        let now = clock::now();
        let turn = self.turn();
        let mut book = (*self.book()).clone();
        let draft = self.draft(&book, input, now)?;
        let parties: Vec<AgencyId> = draft.parties.iter().map(|party| party.agency).collect();
        let version = draft.propose(self.me.mode, &self.me.agreement)?;
        let (id, name) = (version.agreement(), version.name());
        let place = scope::of_agreement(id);
        let mut items = Vec::new();
        for party in parties {
            let known = book.roll.agency(party).map_err(|_| DeskError::NoAgency(party.to_string()))?;
            let cards = known.cards().values().cloned().collect();
            let addresses = known.addresses().values().cloned().collect();
            items.extend(items_of(place, &CardExport::new(known.inception().clone(), cards, addresses)?));
        }
        items.push(scope::item(place, ObjectKind::AgreementVersion, version.hash(), version.bytes()));
        book.feed(id, Act::Version(version));
        items.push(self.signature(&mut book, id, name, now)?);
        items.push(Item::Local { key: local::scope(place), value: Some(Vec::new()) });
        self.store.commit(items)?;
        self.replace_book(book);
        drop(turn);
        self.told(id);
        self.agreement(&id.to_string())
    }

    fn signature(&self, book: &mut Book, id: AgreementId, name: VersionHash, at: Time) -> Result<Item, DeskError> {
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

    fn told(&self, id: AgreementId) {
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

    fn draft(&self, book: &Book, input: &TermsInput, now: Time) -> Result<Version, DeskError> {
        let mut parties = Vec::with_capacity(input.parties.len());
        for (agency, contribute, receive) in &input.parties {
            let agency = book.find_agency(agency)?;
            let card = book.roll.card(agency)?;
            if card.mode() != self.me.mode {
                return Err(DeskError::Mode { agency, theirs: card.mode(), ours: self.me.mode });
            }
            parties.push(Party { agency, contribute: *contribute, receive: *receive });
        }
        parties.sort_by_key(|party| party.agency);
        let agreement = input.parent.map(|parent| {
            let known = book.agreement_of(parent);
            known.map(Agreement::id).ok_or_else(|| DeskError::NoAgreement(parent.to_string()))
        });
        Ok(Version {
            agreement: agreement.transpose()?,
            parent: input.parent,
            title: input.title.clone(),
            purpose: input.purpose.clone(),
            legal_basis: input.legal_basis.clone(),
            parties,
            terms: terms(input)?,
            valid_from: input.valid_from,
            valid_until: input.valid_until,
            effective_from: input.effective_from,
            grace_ms: input.grace_hours.map_or(DEFAULT_GRACE_MS, |hours| hours.saturating_mul(HOUR_MS)),
            run_off_days: input.run_off_days.unwrap_or(DEFAULT_RUN_OFF_DAYS),
            ends: false,
            proposer: self.me.agency,
            card_serial: self.me.card_serial,
            created: now,
            nonce: clock::random(),
        })
    }
}

fn terms(input: &TermsInput) -> Result<Terms, DeskError> {
    let mut kinds = Vec::new();
    for word in &input.statement_kinds {
        let kind = StatementKind::of_word(word).ok_or_else(|| DeskError::Field {
            field: "statement_kinds",
            found: word.clone(),
            expected: "a kind of statement, such as report or revision",
        })?;
        kinds.push(kind.number());
    }
    let mut typologies = input.typologies.iter().map(|text| Typology::parse(text)).collect::<Result<Vec<_>, _>>()?;
    typologies.sort_by(|a, b| (a.scheme(), a.id()).cmp(&(b.scheme(), b.id())));
    let mut chains = Vec::new();
    for chain in &input.chains {
        chains.push(Chain::parse(chain)?.caip2());
    }
    let mut handling = input.handling.iter().map(|text| Handling::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let required = input.required_grading.as_ref().map(|name| {
        let known = GradingScheme::ALL.into_iter().find(|scheme| scheme.name().eq_ignore_ascii_case(name));
        known.ok_or_else(|| DeskError::Field {
            field: "required_grading",
            found: name.clone(),
            expected: "4x4, admiralty or uk3x5x2",
        })
    });
    let onward = input.onward.as_deref().unwrap_or(Onward::Never.word());
    let onward = Onward::of_word(onward).ok_or_else(|| DeskError::Field {
        field: "onward",
        found: onward.to_owned(),
        expected: "never, consent or purpose",
    })?;
    kinds.sort_unstable();
    chains.sort();
    handling.sort();
    Ok(Terms {
        kinds,
        typologies,
        chains,
        marking_ceiling: Marking::parse(&input.marking_ceiling)?,
        required_grading: required.transpose()?,
        handling,
        retention_days: input.retention_days,
        onward,
        history: input.history.unwrap_or(false),
        statements_per_day: input.statements_per_day.unwrap_or(DEFAULT_STATEMENTS_PER_DAY),
        bytes_per_day: input.bytes_per_day.unwrap_or(DEFAULT_BYTES_PER_DAY),
    })
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
    })
}
