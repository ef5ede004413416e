//! Rules version 1: whether a statement may pass under a version of an agreement. One pure function, [`release`].
//!
//! It runs before publishing and again on receipt, with the same arguments and so with the same answer: it knows
//! neither the time of arrival nor the node it runs on. What it does not know for sure, it holds: a statement kind, or
//! a rule of passing on, that only a later version of the software can judge.
//!
//! A statement is judged by what it carries. Kinds other than reports and revisions may have no typology, chain,
//! marking or grading of their own, and are then not judged by it; a report without them is denied.
//!
//! Absent on purpose: whether the version is in force, and whether the author has left, which the agreement knows
//! ([`Agreement::permits_entry`](crate::agreement::Agreement::permits_entry)); and who reads, which the recipients of
//! the content key decide.

use std::cmp::Ordering;
use std::fmt;

use crate::agreement::Version;
use crate::grading::GradingScheme;
use crate::id::AgencyId;
use crate::marking::Marking;
use crate::statement::kind::StatementKind;
use crate::time::Time;
use crate::typology::Typology;

/// What the rules look at in a statement and the header of its entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StatementFacts<'a> {
    /// The number of its kind.
    pub kind: u64,
    /// Who made it.
    pub originator: AgencyId,
    /// What crime.
    pub typology: Option<&'a Typology>,
    /// The chain of its address, CAIP-2; `None` where it is about no address.
    pub chain: Option<&'a str>,
    /// How far it may be passed on.
    pub marking: Option<Marking>,
    /// In which scheme it is graded.
    pub grading: Option<GradingScheme>,
    /// The length of the statement as its originator wrote it, bytes.
    pub bytes: u64,
    /// When it is to be deleted, from the header.
    pub delete_after: Time,
}

/// What a log has carried in one UTC day.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Usage {
    /// The day, counted from the epoch.
    pub day: u64,
    /// Statements permitted in it.
    pub statements: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Usage {
    /// Counts one permitted statement of that day. A new day begins with nothing; an earlier one, which no log comes
    /// to since `created` never falls along it, counts as the present.
    pub fn add(&mut self, day: u64, bytes: u64) {
        let mut usage = self.on(day);
        usage.statements = usage.statements.saturating_add(1);
        usage.bytes = usage.bytes.saturating_add(bytes);
        *self = usage;
    }

    /// The greater of two counts of one log; the one of the later day, where the days differ.
    pub fn at_least(self, other: Usage) -> Usage {
        match self.day.cmp(&other.day) {
            Ordering::Less => other,
            Ordering::Greater => self,
            Ordering::Equal => Usage {
                day: self.day,
                statements: self.statements.max(other.statements),
                bytes: self.bytes.max(other.bytes),
            },
        }
    }

    /// What counts on that day.
    pub fn on(self, day: u64) -> Usage {
        if day > self.day { Usage { day, ..Usage::default() } } else { self }
    }
}

/// The answer of the rules.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It may pass.
    Permit,
    /// A term denies it.
    Denial(Term),
    /// This version of the software cannot tell: not published, and on receipt neither admitted nor refused.
    Hold(Unsettled),
}

/// What this version of the software cannot judge.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unsettled {
    /// The agreement permits the kind, and a later version of the software understands it.
    #[error("statement kind {0} is not known to this version of the software")]
    Kind(u64),
    /// Somebody else's statement is passed on. Whether its originator allows that is not for this agreement to say.
    #[error("{author} passes on a statement of {originator}, whose consent cannot be verified yet")]
    ForeignOriginator {
        /// Who made the statement.
        originator: AgencyId,
        /// Who publishes it.
        author: AgencyId,
    },
}

/// The term of an agreement that denies a statement, with the values that decide.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Term {
    /// Only parties publish.
    #[error("{author} is not a party to the agreement")]
    NotAParty {
        /// The author.
        author: AgencyId,
    },
    /// Only parties that contribute publish.
    #[error("{author} receives under the agreement, and does not contribute")]
    DoesNotContribute {
        /// The author.
        author: AgencyId,
    },
    /// Nothing is published outside the validity.
    #[error("published at {created}, outside the validity from {from} until {until}")]
    Validity {
        /// When the entry was made.
        created: Time,
        /// The first moment of validity, or when the version takes effect.
        from: Time,
        /// The end of validity, exclusive.
        until: Time,
    },
    /// Only the statement kinds listed are shared.
    #[error("the agreement does not cover statements of the kind {}", KindName(*kind))]
    StatementKind {
        /// The number of the kind.
        kind: u64,
    },
    /// Only the typologies listed are shared.
    #[error("the agreement does not cover the typology {}", Named(typology.as_ref()))]
    Typology {
        /// As reported.
        typology: Option<Typology>,
    },
    /// Only addresses on the chains listed are shared.
    #[error("the agreement does not cover the chain {chain}")]
    Chain {
        /// As reported, CAIP-2.
        chain: String,
    },
    /// Nothing is shared that is marked more strictly than the ceiling.
    #[error("the marking is {}, and the marking ceiling of the agreement {ceiling}", Named(marking.as_ref()))]
    MarkingCeiling {
        /// As reported.
        marking: Option<Marking>,
        /// The strictest marking that may pass.
        ceiling: Marking,
    },
    /// Reports are graded in the scheme required.
    #[error("the grading scheme is {}, and the agreement requires {}", Named(grading.map(GradingScheme::name).as_ref()), required.name())]
    RequiredGrading {
        /// As reported.
        grading: Option<GradingScheme>,
        /// As required.
        required: GradingScheme,
    },
    /// Nothing is kept for longer than the maximum.
    #[error("deletion at {delete_after} is later than the retention maximum of {days} days after {created}")]
    Retention {
        /// When the statement is to be deleted.
        delete_after: Time,
        /// When the entry was made.
        created: Time,
        /// The retention maximum, days.
        days: u32,
    },
    /// A log carries no more statements a day than the quota.
    #[error("the quota of {quota} statements a day is used up")]
    QuotaStatements {
        /// Statements a UTC day and log.
        quota: u64,
    },
    /// A log carries no more bytes a day than the quota.
    #[error("{used} bytes are used of the quota of {quota} bytes a day, and {bytes} more do not fit")]
    QuotaBytes {
        /// Bytes of the statement.
        bytes: u64,
        /// Bytes used so far on that UTC day.
        used: u64,
        /// Bytes a UTC day and log.
        quota: u64,
    },
}

impl Term {
    /// The name of the term for programs; it never changes.
    pub const fn slug(&self) -> &'static str {
        match self {
            Term::NotAParty { .. } => "not-a-party",
            Term::DoesNotContribute { .. } => "does-not-contribute",
            Term::Validity { .. } => "validity",
            Term::StatementKind { .. } => "statement-kind",
            Term::Typology { .. } => "typology",
            Term::Chain { .. } => "chain",
            Term::MarkingCeiling { .. } => "marking-ceiling",
            Term::RequiredGrading { .. } => "required-grading",
            Term::Retention { .. } => "retention",
            Term::QuotaStatements { .. } => "quota-statements",
            Term::QuotaBytes { .. } => "quota-bytes",
        }
    }
}

/// Whether `author` may publish the statement in an entry made at `created`, after what its log has carried so far.
///
/// Of several terms that deny, the first in the order of [`Term`] is named.
pub fn release(
    statement: &StatementFacts<'_>,
    version: &Version,
    author: AgencyId,
    created: Time,
    usage: Usage,
) -> Verdict {
    let of_author = check_author(version, author).and_then(|()| check_validity(version, created));
    if let Err(term) = of_author.and_then(|()| check_kind(statement, version)) {
        return Verdict::Denial(term);
    }
    let Some(kind) = StatementKind::of_number(statement.kind) else {
        return Verdict::Hold(Unsettled::Kind(statement.kind));
    };
    let of_statement = check_scope(statement, version, kind)
        .and_then(|()| check_retention(statement, version, created))
        .and_then(|()| check_quota(statement, version, usage.on(created.day())));
    match of_statement {
        Err(term) => Verdict::Denial(term),
        Ok(()) if statement.originator != author => {
            Verdict::Hold(Unsettled::ForeignOriginator { originator: statement.originator, author })
        }
        Ok(()) => Verdict::Permit,
    }
}

fn check_author(version: &Version, author: AgencyId) -> Result<(), Term> {
    match version.party(author) {
        None => Err(Term::NotAParty { author }),
        Some(party) if !party.contribute => Err(Term::DoesNotContribute { author }),
        Some(_) => Ok(()),
    }
}

fn check_validity(version: &Version, created: Time) -> Result<(), Term> {
    let (from, until) = (version.earliest(), version.valid_until);
    if from <= created && created < until { Ok(()) } else { Err(Term::Validity { created, from, until }) }
}

fn check_kind(statement: &StatementFacts<'_>, version: &Version) -> Result<(), Term> {
    let listed = version.terms.kinds.binary_search(&statement.kind).is_ok();
    if listed { Ok(()) } else { Err(Term::StatementKind { kind: statement.kind }) }
}

fn check_scope(statement: &StatementFacts<'_>, version: &Version, kind: StatementKind) -> Result<(), Term> {
    let terms = &version.terms;
    let may_lack = !matches!(kind, StatementKind::Report | StatementKind::Revision);
    let typology_fits = statement.typology.map_or(may_lack, |typology| terms.typologies.contains(typology));
    if !terms.typologies.is_empty() && !typology_fits {
        return Err(Term::Typology { typology: statement.typology.cloned() });
    }
    let outside = |chain: &&str| !terms.chains.is_empty() && !terms.chains.iter().any(|listed| listed == chain);
    if let Some(chain) = statement.chain.filter(outside) {
        return Err(Term::Chain { chain: chain.to_owned() });
    }
    let ceiling = terms.marking_ceiling;
    if !statement.marking.map_or(may_lack, |marking| marking <= ceiling) {
        return Err(Term::MarkingCeiling { marking: statement.marking, ceiling });
    }
    if let Some(required) = terms.required_grading
        && !statement.grading.map_or(may_lack, |scheme| scheme == required)
    {
        return Err(Term::RequiredGrading { grading: statement.grading, required });
    }
    Ok(())
}

fn check_retention(statement: &StatementFacts<'_>, version: &Version, created: Time) -> Result<(), Term> {
    let (delete_after, days) = (statement.delete_after, version.terms.retention_days);
    let within = delete_after <= created.plus_days(days);
    if within { Ok(()) } else { Err(Term::Retention { delete_after, created, days }) }
}

fn check_quota(statement: &StatementFacts<'_>, version: &Version, today: Usage) -> Result<(), Term> {
    let quota = version.terms.statements_per_day;
    if today.statements >= quota {
        return Err(Term::QuotaStatements { quota });
    }
    let quota = version.terms.bytes_per_day;
    match today.bytes.checked_add(statement.bytes) {
        Some(sum) if sum <= quota => Ok(()),
        _ => Err(Term::QuotaBytes { bytes: statement.bytes, used: today.bytes, quota }),
    }
}

/// The word of a statement kind, or its number.
struct KindName(u64);

impl fmt::Display for KindName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match StatementKind::of_number(self.0) {
            Some(kind) => f.write_str(kind.word()),
            None => write!(f, "{}", self.0),
        }
    }
}

/// A value, or that there is none.
struct Named<T>(Option<T>);

impl<T: fmt::Display> fmt::Display for Named<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("not stated"),
        }
    }
}
