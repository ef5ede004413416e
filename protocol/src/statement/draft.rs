//! A report on its way in, from a form, a file or a program: each part read as it comes, none of them needed yet.
//!
//! [`Field`] names the parts; they are the keys of the API's JSON and the columns of imported and exported tables. A
//! draft becomes a report, or, with what it holds, a newer revision of one.

use std::fmt;
use std::str::FromStr;

use super::details::{Amount, Evidence, Pap, Role};
use super::report::Report;
use crate::address::SubAccount;
use crate::grading::Grading;
use crate::handling::{Handling, Precedence};
use crate::id::ReportId;
use crate::indicator::{Indicator, IndicatorError, Reading};
use crate::limits;
use crate::marking::Marking;
use crate::time::Time;
use crate::typology::Typology;
use crate::wire::codec::is_clean;

/// A part of a report.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Field {
    /// What it is about.
    Indicator,
    /// What crime.
    Typology,
    /// How reliable and credible.
    Grading,
    /// Who may be told.
    Marking,
    /// How it may be used: codes with semicolons or commas between them, the words of H3 last.
    Handling,
    /// The case reference.
    Case,
    /// What is known, in words.
    Description,
    /// Where it comes from.
    Source,
    /// Where it can be read up there.
    Reference,
    /// When the activity was first seen.
    ObservedFrom,
    /// When it was last seen.
    ObservedUntil,
    /// How urgent.
    Precedence,
    /// The part that the indicator has in the crime.
    Role,
    /// What was lost, with semicolons between amounts.
    Amounts,
    /// How many were harmed.
    Victims,
    /// Hashes of evidence, with semicolons between them.
    Evidence,
    /// Terms of other vocabularies, with semicolons between them.
    Terms,
    /// What may be done on the strength of it.
    Pap,
}

impl Field {
    /// All of them, in the order of tables.
    pub const ALL: &[Field] = &[
        Field::Indicator,
        Field::Typology,
        Field::Grading,
        Field::Marking,
        Field::Handling,
        Field::Role,
        Field::Case,
        Field::Description,
        Field::Source,
        Field::Reference,
        Field::ObservedFrom,
        Field::ObservedUntil,
        Field::Precedence,
        Field::Amounts,
        Field::Victims,
        Field::Evidence,
        Field::Terms,
        Field::Pap,
    ];

    /// Its name in the API's JSON and in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Field::Indicator => "indicator",
            Field::Typology => "typology",
            Field::Grading => "grading",
            Field::Marking => "marking",
            Field::Handling => "handling",
            Field::Case => "case",
            Field::Description => "description",
            Field::Source => "source",
            Field::Reference => "reference",
            Field::ObservedFrom => "observed_from",
            Field::ObservedUntil => "observed_until",
            Field::Precedence => "precedence",
            Field::Role => "role",
            Field::Amounts => "amounts",
            Field::Victims => "victims",
            Field::Evidence => "evidence",
            Field::Terms => "terms",
            Field::Pap => "pap",
        }
    }
}

/// Why a part cannot be read. The text itself is not repeated: it may be a secret.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{name}: {reason}")]
pub struct DraftError {
    /// Which part.
    pub field: Field,
    /// What it was called where it stood.
    pub name: &'static str,
    /// What is wrong with it, and what may stand there.
    pub reason: String,
    /// Whether the text is, or may be, what opens a wallet.
    pub secret: bool,
}

impl DraftError {
    fn new(field: Field, reason: impl fmt::Display) -> DraftError {
        DraftError { field, name: field.name(), reason: reason.to_string(), secret: false }
    }

    /// Of an indicator that cannot be read.
    pub fn of_indicator(error: &IndicatorError) -> DraftError {
        let name = if matches!(error, IndicatorError::Address(_)) { "address" } else { "indicator" };
        DraftError { name, secret: error.is_secret(), ..DraftError::new(Field::Indicator, error) }
    }
}

/// The parts of a report that are given. In a revision, what is `None` stays as it is, and what is empty is taken back.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Draft {
    /// What it is about, and who is meant at it.
    pub indicator: Option<(Indicator, Option<SubAccount>)>,
    /// What crime.
    pub typology: Option<Typology>,
    /// How reliable and credible.
    pub grading: Option<Grading>,
    /// Who may be told.
    pub marking: Option<Marking>,
    /// How it may be used.
    pub handling: Option<Vec<Handling>>,
    /// The case reference; empty to take it back.
    pub case: Option<String>,
    /// What is known, in words; empty to take it back.
    pub description: Option<String>,
    /// Where it comes from; empty to take it back.
    pub source: Option<String>,
    /// Where it can be read up; empty to take it back.
    pub reference: Option<String>,
    /// When the activity was first seen.
    pub observed_from: Option<Time>,
    /// When it was last seen.
    pub observed_until: Option<Time>,
    /// How urgent.
    pub precedence: Option<Precedence>,
    /// The part that the indicator has in the crime; `Some(None)` to take it back.
    pub role: Option<Option<Role>>,
    /// What was lost.
    pub amounts: Option<Vec<Amount>>,
    /// How many were harmed; `Some(None)` to take it back.
    pub victims: Option<Option<u64>>,
    /// Hashes of evidence.
    pub evidence: Option<Vec<Evidence>>,
    /// Terms of other vocabularies.
    pub terms: Option<Vec<Typology>>,
    /// What may be done on the strength of it; `Some(None)` to take it back.
    pub pap: Option<Option<Pap>>,
}

impl Draft {
    /// A draft of these parts.
    pub fn of<'a>(parts: impl IntoIterator<Item = (Field, &'a str)>) -> Result<Draft, DraftError> {
        let mut draft = Draft::default();
        parts.into_iter().try_for_each(|(field, text)| draft.set(field, text))?;
        Ok(draft)
    }

    /// Reads a part; an empty text takes it back.
    pub fn set(&mut self, field: Field, text: &str) -> Result<(), DraftError> {
        match field {
            Field::Handling => return self.set_list(field, &split(text, &[';', ','])),
            Field::Amounts | Field::Evidence | Field::Terms => return self.set_list(field, &split(text, &[';'])),
            Field::Indicator => {
                let Reading { indicator, sub_account, .. } =
                    Reading::parse(text).map_err(|error| DraftError::of_indicator(&error))?;
                self.indicator = Some((indicator, sub_account));
            }
            Field::Typology => self.typology = Some(read(field, text)?),
            Field::Grading => self.grading = Some(Grading::parse(text).map_err(|error| DraftError::new(field, error))?),
            Field::Marking => self.marking = Some(read(field, text)?),
            Field::Case => self.case = Some(words(field, text, limits::SHORT_TEXT_BYTES)?),
            Field::Description => self.description = Some(words(field, text, limits::LONG_TEXT_BYTES)?),
            Field::Source => self.source = Some(words(field, text, limits::SHORT_TEXT_BYTES)?),
            Field::Reference => self.reference = Some(words(field, text, limits::CANONICAL_INDICATOR_BYTES)?),
            Field::ObservedFrom => self.observed_from = Some(moment(field, text)?),
            Field::ObservedUntil => self.observed_until = Some(moment(field, text)?),
            Field::Precedence => {
                let rule = "it is routine, priority, immediate or flash";
                self.precedence = Some(Precedence::parse(text).map_err(|_| DraftError::new(field, rule))?);
            }
            Field::Role => self.role = Some(optional(field, text)?),
            Field::Victims => {
                let number = text.trim().replace([',', '\'', ' '], "");
                let read = |number: &str| number.parse().map_err(|_| DraftError::new(field, "it is a whole number"));
                self.victims = Some(if number.is_empty() { None } else { Some(read(&number)?) });
            }
            Field::Pap => {
                let bare = text.trim();
                let bare = bare.get(4..).filter(|_| bare[..4].eq_ignore_ascii_case("pap:")).unwrap_or(bare);
                self.pap = Some(optional(field, if bare.eq_ignore_ascii_case("white") { "clear" } else { bare })?);
            }
        }
        Ok(())
    }

    /// Reads a part that is a list; none to take it back.
    pub fn set_list(&mut self, field: Field, items: &[impl AsRef<str>]) -> Result<(), DraftError> {
        let items = items.iter().map(AsRef::as_ref);
        match field {
            Field::Handling => {
                let mut codes: Vec<Handling> = items
                    .map(Handling::parse)
                    .collect::<Result<_, _>>()
                    .map_err(|error| DraftError::new(field, error))?;
                codes.sort();
                codes.dedup_by_key(|code| code.to_wire());
                self.handling = Some(codes);
            }
            Field::Amounts => self.amounts = Some(all(field, items, limits::AMOUNTS)?),
            Field::Evidence => self.evidence = Some(all(field, items, limits::EVIDENCE)?),
            Field::Terms => self.terms = Some(all(field, items, limits::TERMS_PER_REPORT)?),
            other => {
                let texts: Vec<&str> = items.collect();
                return self.set(other, &texts.join("; "));
            }
        }
        Ok(())
    }

    /// What it lacks to be a report of its own.
    pub fn missing(&self) -> Option<Field> {
        [
            (Field::Indicator, self.indicator.is_none()),
            (Field::Typology, self.typology.is_none()),
            (Field::Grading, self.grading.is_none()),
            (Field::Marking, self.marking.is_none()),
        ]
        .into_iter()
        .find_map(|(field, missing)| missing.then_some(field))
    }

    /// The report that it makes; the error is what it lacks.
    pub fn report(&self, id: ReportId, created: Time, holder_secret: [u8; 16]) -> Result<Report, Field> {
        let (indicator, sub_account) = self.indicator.clone().ok_or(Field::Indicator)?;
        let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        Ok(Report {
            id,
            revision: 0,
            created,
            indicator,
            sub_account,
            typology: self.typology.clone().ok_or(Field::Typology)?,
            grading: self.grading.ok_or(Field::Grading)?,
            marking: self.marking.ok_or(Field::Marking)?,
            handling: self.handling.clone().unwrap_or_default(),
            case: text(&self.case),
            description: text(&self.description),
            source: text(&self.source),
            observed_from: self.observed_from,
            observed_until: self.observed_until,
            precedence: self.precedence.unwrap_or(Precedence::Routine),
            holder_secret,
            role: self.role.flatten(),
            amounts: self.amounts.clone().unwrap_or_default(),
            victims: self.victims.flatten(),
            evidence: self.evidence.clone().unwrap_or_default(),
            reference: text(&self.reference),
            terms: self.terms.clone().unwrap_or_default(),
            pap: self.pap.flatten(),
        })
    }

    /// A report with what is given in the place of what it said; `None` if it is about something else. Revision and
    /// time are as they were.
    pub fn revise(&self, report: &Report) -> Option<Report> {
        let mut new = report.clone();
        if let Some((indicator, sub_account)) = &self.indicator {
            if *indicator != report.indicator {
                return None;
            }
            new.sub_account.clone_from(sub_account);
        }
        put(&mut new.typology, self.typology.as_ref());
        put(&mut new.grading, self.grading.as_ref());
        put(&mut new.marking, self.marking.as_ref());
        put(&mut new.handling, self.handling.as_ref());
        put(&mut new.precedence, self.precedence.as_ref());
        put(&mut new.role, self.role.as_ref());
        put(&mut new.amounts, self.amounts.as_ref());
        put(&mut new.victims, self.victims.as_ref());
        put(&mut new.evidence, self.evidence.as_ref());
        put(&mut new.terms, self.terms.as_ref());
        put(&mut new.pap, self.pap.as_ref());
        new.observed_from = self.observed_from.or(report.observed_from);
        new.observed_until = self.observed_until.or(report.observed_until);
        for (place, text) in [
            (&mut new.case, &self.case),
            (&mut new.description, &self.description),
            (&mut new.source, &self.source),
            (&mut new.reference, &self.reference),
        ] {
            if let Some(text) = text {
                *place = Some(text.clone()).filter(|text| !text.is_empty());
            }
        }
        Some(new)
    }
}

fn put<T: Clone>(place: &mut T, given: Option<&T>) {
    if let Some(given) = given {
        place.clone_from(given);
    }
}

fn read<T: FromStr<Err: fmt::Display>>(field: Field, text: &str) -> Result<T, DraftError> {
    text.parse().map_err(|error| DraftError::new(field, error))
}

fn optional<T: FromStr<Err: fmt::Display>>(field: Field, text: &str) -> Result<Option<T>, DraftError> {
    if text.trim().is_empty() { Ok(None) } else { read(field, text).map(Some) }
}

fn all<'a, T: FromStr<Err: fmt::Display> + PartialEq>(
    field: Field,
    items: impl Iterator<Item = &'a str>,
    most: usize,
) -> Result<Vec<T>, DraftError> {
    let mut list: Vec<T> = Vec::new();
    for item in items {
        let item = read(field, item)?;
        if !list.contains(&item) {
            list.push(item);
        }
    }
    if list.len() > most { Err(DraftError::new(field, format!("at most {most} are taken"))) } else { Ok(list) }
}

fn words(field: Field, text: &str, most: usize) -> Result<String, DraftError> {
    if text.len() > most || !is_clean(text) {
        return Err(DraftError::new(field, format!("it has at most {most} bytes and no control characters")));
    }
    Ok(text.to_owned())
}

fn moment(field: Field, text: &str) -> Result<Time, DraftError> {
    let rule = "a time with its offset from UTC, as 2026-11-22T16:00:00Z, or a day, as 2026-11-22";
    Time::parse(text).ok_or_else(|| DraftError::new(field, rule))
}

/// The items of a list written as one text. The words of H3 run to the end: they may hold what parts items.
fn split<'a>(text: &'a str, marks: &[char]) -> Vec<&'a str> {
    let mut items = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let in_words = rest.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("h3:"));
        let (item, tail) = if in_words { (rest, "") } else { rest.split_once(marks).unwrap_or((rest, "")) };
        if !item.trim().is_empty() {
            items.push(item.trim());
        }
        rest = tail.trim_start();
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_by_its_field() {
        let mut draft = Draft::default();
        draft.set(Field::Indicator, "ripple:rrrrrrrrrrrrrrrrrrrrrhoLvTp?dt=7").unwrap();
        for (field, text) in [
            (Field::Typology, "ransomware"),
            (Field::Grading, "B2"),
            (Field::Marking, "TLP:AMBER"),
            (Field::Handling, "H1; H3: ask first; and again, please"),
            (Field::Amounts, "0.5 BTC; 10 EUR"),
            (Field::Victims, "1,200"),
            (Field::Pap, "PAP:WHITE"),
            (Field::Role, "Victim"),
            (Field::ObservedFrom, "2026-11-22"),
        ] {
            draft.set(field, text).unwrap();
        }
        let report = draft.report(ReportId::from_bytes([1; 16]), Time::MAX, [0; 16]).unwrap();
        assert_eq!(report.handling[1].words(), Some("ask first; and again, please"));
        assert_eq!((report.amounts.len(), report.victims, report.role), (2, Some(1200), Some(Role::Victim)));
        assert_eq!(report.sub_account, Some(SubAccount::DestinationTag(7)));

        let mut change = Draft::default();
        change.set(Field::Role, "").unwrap();
        change.set(Field::Amounts, "").unwrap();
        let revised = change.revise(&report).unwrap();
        assert_eq!((revised.role, revised.amounts.len(), revised.victims), (None, 0, Some(1200)));
        change.set(Field::Indicator, "domain:evil.example").unwrap();
        assert_eq!(change.revise(&report), None);
        assert_eq!(Draft::default().report(report.id, Time::MAX, [0; 16]), Err(Field::Indicator));
    }
}
