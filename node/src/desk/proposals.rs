//! Proposals at the desk: terms become a version, which this agency signs; or are only looked at, before.

use entente_protocol::address::Chain;
use entente_protocol::agreement::compare::{Change, changes};
use entente_protocol::agreement::terms::{DEFAULT_BYTES_PER_DAY, DEFAULT_STATEMENTS_PER_DAY};
use entente_protocol::agreement::version::{DEFAULT_GRACE_MS, DEFAULT_RUN_OFF_DAYS};
use entente_protocol::agreement::{Act, Agreement, Onward, Party, Terms, Version, explain};
use entente_protocol::grading::GradingScheme;
use entente_protocol::handling::Handling;
use entente_protocol::id::{AgencyId, VersionHash};
use entente_protocol::identity::CardExport;
use entente_protocol::marking::Marking;
use entente_protocol::statement::kind::StatementKind;
use entente_protocol::time::Time;
use entente_protocol::typology::Typology;
use entente_protocol::wire::object::ObjectKind;

use super::agreements::AgreementView;
use super::cards::items_of;
use super::ledger::local;
use super::{Book, Desk, DeskError, scope};
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
    /// Whether this version ends the agreement.
    pub ends: bool,
}

/// What a proposal would say.
#[derive(Clone, Debug)]
pub struct Foretold {
    /// In plain words.
    pub words: Vec<String>,
    /// What it changes of the version that it replaces.
    pub changes: Vec<Change>,
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
        self.agreement(&name.to_string())
    }

    /// What a proposal would say, and change; nothing is signed.
    pub fn foretell(&self, input: &TermsInput) -> Result<Foretold, DeskError> {
        let book = self.book();
        let draft = self.draft(&book, input, clock::now())?;
        draft.clone().propose(self.me.mode, &self.me.agreement)?;
        let agreement = draft.agreement.and_then(|id| book.agreement(id).ok());
        Ok(foretold(&book, agreement, &draft))
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
            ends: input.ends,
            proposer: self.me.agency,
            card_serial: self.me.card_serial,
            created: now,
            nonce: clock::random(),
        })
    }
}

/// A version in words, and what it changes of its parent.
pub(super) fn foretold(book: &Book, agreement: Option<&Agreement>, version: &Version) -> Foretold {
    let name = |agency: AgencyId| book.name(agency);
    let parent = version.parent.and_then(|parent| agreement?.version(parent));
    Foretold {
        words: explain(version, &name),
        changes: parent.map(|parent| changes(parent.payload(), version, &name)).unwrap_or_default(),
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
