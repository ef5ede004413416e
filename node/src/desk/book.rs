//! The book: what is known of agencies and agreements, as one immutable snapshot that readers share.
//!
//! It changes rarely (a card, a signature), and whoever reads it never waits: a writer makes a new one and swaps it in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use entente_protocol::agreement::{Act, Agreement, SignedVersion};
use entente_protocol::entry::vouch::Stands;
use entente_protocol::id::{AgencyId, AgreementId, Hash, Mode, VersionHash};
use entente_protocol::identity::{Fingerprint, Roll, SignedCard};
use entente_protocol::time::Time;

use super::error::DeskError;

/// How this node came to know an agency.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Trust {
    /// It is this agency.
    Ourselves,
    /// Its fingerprint was compared out of band.
    Pinned,
    /// Partners vouched for it in a proposal.
    Vouched(BTreeSet<AgencyId>),
}

impl Trust {
    /// The word for it.
    pub const fn word(&self) -> &'static str {
        match self {
            Trust::Ourselves => "self",
            Trust::Pinned => "pinned",
            Trust::Vouched(_) => "vouched",
        }
    }
}

/// The snapshot.
#[derive(Clone, Debug)]
pub struct Book {
    /// This agency.
    pub me: AgencyId,
    /// Live or exercise.
    pub mode: Mode,
    /// All agencies and their cards. Shared with older snapshots until it changes.
    pub roll: Arc<Roll>,
    /// Those whose fingerprints were compared.
    pub pinned: BTreeSet<AgencyId>,
    /// Those that others vouched for, and who did.
    pub vouched: BTreeMap<AgencyId, BTreeSet<AgencyId>>,
    /// Up to where later generations let logs stand.
    pub stands: Arc<Stands>,
    /// All agreements, proposed ones included. Each is shared with older snapshots until it changes.
    pub agreements: BTreeMap<AgreementId, Arc<Agreement>>,
}

impl Book {
    /// How an agency is known.
    pub fn trust(&self, agency: AgencyId) -> Trust {
        if agency == self.me {
            Trust::Ourselves
        } else if self.pinned.contains(&agency) {
            Trust::Pinned
        } else {
            Trust::Vouched(self.vouched.get(&agency).cloned().unwrap_or_default())
        }
    }

    /// An agency's name, or the beginning of its id where no card is known.
    pub fn name(&self, agency: AgencyId) -> String {
        match self.roll.card(agency) {
            Ok(card) => card.card().name.clone(),
            Err(_) => agency.to_string().chars().take(14).collect(),
        }
    }

    /// An agreement.
    pub fn agreement(&self, id: AgreementId) -> Result<&Agreement, DeskError> {
        self.agreements.get(&id).map(Arc::as_ref).ok_or_else(|| DeskError::NoAgreement(id.to_string()))
    }

    /// The agreement that an id, or its beginning of at least 8 digits, names.
    pub fn find_agreement(&self, text: &str) -> Result<&Agreement, DeskError> {
        let begins = |agreement: &&Arc<Agreement>| agreement.id().to_string().starts_with(&text.to_ascii_lowercase());
        let mut fitting = self.agreements.values().filter(begins);
        match (fitting.next(), fitting.next()) {
            (Some(agreement), None) if text.len() >= 8 => Ok(agreement),
            (Some(_), Some(_)) if text.len() >= 8 => Err(DeskError::Ambiguous(text.to_owned())),
            _ => Err(DeskError::NoAgreement(text.to_owned())),
        }
    }

    /// The version that a text names: by its hash or the beginning of it, at least 8 digits; or by the agreement, which
    /// stands for the version to be shown first. An agreement has the hash of its first version as its id.
    pub fn find_version(&self, text: &str, now: Time) -> Result<(&Agreement, &SignedVersion), DeskError> {
        let digits = text.to_ascii_lowercase();
        let later = self.agreements.values().flat_map(|agreement| {
            let named =
                |version: &&SignedVersion| version.parent.is_some() && version.name().to_string().starts_with(&digits);
            agreement.versions().filter(named).map(|version| (agreement.as_ref(), version))
        });
        match (self.find_agreement(text), &later.take(2).collect::<Vec<_>>()[..]) {
            (Ok(agreement), []) => {
                let version = self.foremost(agreement, now);
                version.map(|version| (agreement, version)).ok_or_else(|| DeskError::NoAgreement(text.to_owned()))
            }
            (Err(DeskError::NoAgreement(_)), [only]) if digits.len() >= 8 => Ok(*only),
            (Err(error), []) => Err(error),
            _ => Err(DeskError::Ambiguous(text.to_owned())),
        }
    }

    /// The agency with this id, fingerprint, or name, if only one has it.
    pub fn find_agency(&self, text: &str) -> Result<AgencyId, DeskError> {
        let unknown = || DeskError::NoAgency(text.to_owned());
        if let Ok(id) = text.parse::<AgencyId>() {
            return self.roll.card(id).map(SignedCard::agency).map_err(|_| unknown());
        }
        let named = |agency: &AgencyId| {
            self.name(*agency).eq_ignore_ascii_case(text) || Fingerprint::of(*agency).matches(text).is_ok()
        };
        let mut fitting = self.roll.iter().map(|(agency, _)| agency).filter(named);
        match (fitting.next(), fitting.next()) {
            (Some(agency), None) => Ok(agency),
            _ => Err(unknown()),
        }
    }

    /// Agreements in force to which this agency is a party, and which it has not left.
    pub fn in_force(&self, now: Time) -> impl Iterator<Item = (&Agreement, &SignedVersion)> {
        self.agreements.values().filter_map(move |agreement| {
            let version = agreement.in_force(now)?;
            let ours = agreement.parties_now(now).iter().any(|party| party.agency == self.me);
            ours.then_some((agreement.as_ref(), version))
        })
    }

    /// All agencies that any version of an agreement names.
    pub fn parties_ever(&self, agreement: &Agreement) -> BTreeSet<AgencyId> {
        agreement.versions().flat_map(|version| version.parties.iter().map(|party| party.agency)).collect()
    }

    /// The version of an agreement to be shown first: the one in force, or the newest there is.
    pub fn foremost<'a>(&self, agreement: &'a Agreement, now: Time) -> Option<&'a SignedVersion> {
        agreement.in_force(now).or_else(|| agreement.versions().max_by_key(|version| (version.created, version.name())))
    }

    /// The versions of an agreement that this agency can still answer, newest first.
    pub fn open_versions<'a>(&self, agreement: &'a Agreement) -> Vec<&'a SignedVersion> {
        let mut open: Vec<_> =
            agreement.versions().filter(|version| agreement.may_reject(self.me, version.name()).is_ok()).collect();
        open.sort_by_key(|version| std::cmp::Reverse(version.created));
        open
    }

    /// Whether a scope is known as an agreement's, and this agency is named in it.
    pub fn scope(&self, scope: Hash) -> Option<&Agreement> {
        self.agreements.get(&AgreementId(scope)).map(Arc::as_ref)
    }

    /// The roll, to be changed.
    pub fn roll_mut(&mut self) -> &mut Roll {
        Arc::make_mut(&mut self.roll)
    }

    /// Adds an object of an agreement whose signature was verified.
    pub fn feed(&mut self, id: AgreementId, act: Act) -> bool {
        let mode = self.mode;
        let agreement = self.agreements.entry(id).or_insert_with(|| Arc::new(Agreement::new(id, mode)));
        Arc::make_mut(agreement).feed(act).is_ok()
    }

    /// The agreement that a version belongs to.
    pub fn agreement_of(&self, version: VersionHash) -> Option<&Agreement> {
        self.agreements.values().map(Arc::as_ref).find(|agreement| agreement.version(version).is_some())
    }

    /// With whom connections are kept: pinned agencies, and vouched parties of agreements that we signed.
    pub fn partners(&self) -> BTreeSet<AgencyId> {
        let signed = |agreement: &&Arc<Agreement>| {
            agreement.versions().any(|version| {
                let answer = agreement.answer(version.name(), self.me);
                matches!(answer, Some(entente_protocol::agreement::Answer::Signed(_)))
            })
        };
        let of_agreements = self.agreements.values().filter(signed).flat_map(|agreement| self.parties_ever(agreement));
        let mut partners: BTreeSet<AgencyId> = self.pinned.iter().copied().chain(of_agreements).collect();
        partners.remove(&self.me);
        partners.retain(|agency| self.roll.card(*agency).is_ok());
        partners
    }
}
