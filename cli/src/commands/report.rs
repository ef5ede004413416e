//! `entente report`: file a report.
//!
//! Before anything is sent, the node is asked who would receive it and under which agreement, and a person
//! sees that. What one of the named agreements denies is not filed under the others in its place.

use clap::Args;
use jiff::{Timestamp, civil, tz::TimeZone};
use serde::Serialize;

use crate::args::Globals;
use crate::client::Client;
use crate::error::CliError;
use crate::output::{Cell, Output};
use crate::prompt;
use crate::text;
use crate::views::{Benign, FiledUnder, Filing};

const EXAMPLE: &str = "\
Example:
  entente report bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa --typology ransomware --grading B2 \\
      --tlp amber --agreement 1a2b3c4d --case 2026-118 --description \"ransom note of 3 May\" --handling H1";

/// File a report on an address or another indicator, to the parties of an agreement.
///
/// Shows who will receive it and why, and asks for a yes on a terminal, before it is signed and sent.
/// `--grading B2` is 4x4; write `admiralty:B2` or `uk3x5x2:…` for another scheme. With --json the answer has
/// the report's id as `id`.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLE)]
pub(crate) struct ReportArgs {
    /// What it is about: CHAIN:ADDRESS, CAIP-10, or KIND:VALUE such as domain:evil.example
    #[arg(value_name = "INDICATOR")]
    indicator: String,
    /// The crime, for example ransomware
    #[arg(long, value_name = "TYPOLOGY")]
    typology: String,
    /// Reliability of the source and credibility of the information, for example B2
    #[arg(long, value_name = "GRADING")]
    grading: String,
    /// Traffic-light marking: red, amber+strict, amber, green or clear
    #[arg(long, value_name = "MARKING")]
    tlp: String,
    /// The agreement to file under, by id or its first 8 digits; repeatable. Needed where several are in force
    #[arg(long = "agreement", value_name = "ID", value_delimiter = ',')]
    agreements: Vec<String>,
    #[command(flatten)]
    details: Details,
    /// It is meant although a benign list names it
    #[arg(long)]
    confirm_benign: bool,
    /// Only show who would receive it
    #[arg(long)]
    dry_run: bool,
    /// Do not ask before sending
    #[arg(long, short)]
    yes: bool,
}

/// What a report may say beside its assessment; the keys of the API.
#[derive(Args, Clone, Debug, Serialize)]
pub(super) struct Details {
    /// The own case reference
    #[arg(long, value_name = "REF")]
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<String>,
    /// What is known, in words
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// Where it comes from; reports that name the same source count once
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// Handling codes, for example H1; repeatable
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    handling: Vec<String>,
    /// The restriction in words, for H3
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    handling_note: Option<String>,
    /// First seen in use: a time with its offset, or a day, which begins at midnight UTC
    #[arg(long, value_name = "TIME", value_parser = moment)]
    #[serde(skip_serializing_if = "Option::is_none")]
    observed_from: Option<String>,
    /// Last seen in use
    #[arg(long, value_name = "TIME", value_parser = moment)]
    #[serde(skip_serializing_if = "Option::is_none")]
    observed_until: Option<String>,
    /// routine, priority, immediate or flash
    #[arg(long, value_name = "PRECEDENCE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    precedence: Option<String>,
    /// Where it can be read up at the source: a page, a file, a number of theirs
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// The part in the crime: perpetrator, victim, intermediary or service
    #[arg(long, value_name = "ROLE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    /// What was lost, for example "0.25 BTC"; repeatable
    #[arg(long = "amount", value_name = "AMOUNT")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    amounts: Vec<String>,
    /// How many were harmed
    #[arg(long, value_name = "NUMBER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    victims: Option<u64>,
    /// The hash of a piece of evidence and its name, for example "sha256:9f86… chat.pdf"; repeatable
    #[arg(long, value_name = "HASH")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<String>,
    /// A further term of any vocabulary, as SCHEME#ID; repeatable
    #[arg(long = "term", value_name = "TERM")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    terms: Vec<String>,
    /// Permissible actions: red, amber, green or clear
    #[arg(long, value_name = "PAP")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pap: Option<String>,
}

impl Details {
    /// True where nothing is given.
    pub(super) fn is_empty(&self) -> bool {
        let texts = [
            &self.case,
            &self.description,
            &self.source,
            &self.handling_note,
            &self.observed_from,
            &self.observed_until,
            &self.precedence,
            &self.reference,
            &self.role,
            &self.pap,
        ];
        let lists = [&self.handling, &self.amounts, &self.evidence, &self.terms];
        self.victims.is_none() && lists.iter().all(|list| list.is_empty()) && texts.iter().all(|text| text.is_none())
    }
}

/// A moment in UTC with milliseconds, as the API takes it.
fn moment(given: &str) -> Result<String, jiff::Error> {
    let day = || given.parse::<civil::Date>()?.to_zoned(TimeZone::UTC).map(|start| start.timestamp());
    let moment = if given.len() == "2026-11-22".len() { day()? } else { given.parse::<Timestamp>()? };
    Ok(format!("{moment:.3}"))
}

#[derive(Serialize)]
struct Request<'a> {
    indicator: &'a str,
    typology: &'a str,
    grading: &'a str,
    marking: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    agreements: &'a [String],
    #[serde(flatten)]
    details: &'a Details,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    confirm_benign: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
}

pub(crate) fn run(args: &ReportArgs, globals: &Globals, out: &Output) -> Result<(), CliError> {
    let client = Client::find(globals, out)?;
    let mut request = Request {
        indicator: &args.indicator,
        typology: &args.typology,
        grading: &args.grading,
        marking: &args.tlp,
        agreements: &args.agreements,
        details: &args.details,
        confirm_benign: args.confirm_benign,
        dry_run: true,
    };
    let answer = client.write(&["v1", "reports"], &request)?;
    let preview: Filing = answer.read()?;
    if args.dry_run && out.is_json() {
        out.raw(&answer.0)?;
    } else {
        show_benign(&preview.benign, out);
        out.note(&format!("{} {} {} TLP:{}", args.indicator, args.typology, args.grading, args.tlp.to_uppercase()));
        show_recipients(&preview, out);
    }
    if !preview.denied.is_empty() {
        return Err(CliError::Denied { denied: preview.denied.len() });
    }
    if args.dry_run {
        return Ok(());
    }
    request.confirm_benign = confirm_benign(&preview.benign, args.confirm_benign, out)?;
    prompt::confirm("file it?", args.yes)?;
    request.dry_run = false;
    let answer = client.write(&["v1", "reports"], &request)?;
    if out.is_json() {
        return out.raw(&answer.0);
    }
    let filed: Filing = answer.read()?;
    out.line(&format!("filed {}", filed.id.unwrap_or_default()))?;
    let waiting = filed.agreements.iter().filter(|under| under.state == "waiting");
    waiting.for_each(|under| out.note(&format!("waiting for contact with a party of {}", under.title)));
    Ok(())
}

/// What benign lists say of it.
fn show_benign(benign: &[Benign], out: &Output) {
    for Benign { label, list, source, date, indicator } in benign {
        out.warn(&format!("{indicator} is listed as {label}: list {list} of {}, from {source}", out.when(date)));
    }
}

/// Whether it is meant although lists name it: a question of its own, which a yes to filing does not answer.
fn confirm_benign(benign: &[Benign], given: bool, out: &Output) -> Result<bool, CliError> {
    let Some(first) = benign.first().filter(|_| !given) else { return Ok(given) };
    if !prompt::is_interactive() {
        return Err(CliError::Listed { label: first.label.clone(), list: first.list.clone() });
    }
    out.note("lists are not truth, and many use such an address: a report on it may harm the innocent");
    prompt::confirm(&format!("it is listed as {}. Is it meant nevertheless?", first.label), false)?;
    Ok(true)
}

/// Who receives it, and because of what.
fn show_recipients(preview: &Filing, out: &Output) {
    for denied in &preview.denied {
        let id = text::short(&denied.agreement);
        out.note(&format!("agreement {id} denies it: {} (term: {})", denied.detail, denied.term));
    }
    let rows: Vec<_> = preview.agreements.iter().flat_map(recipients).collect();
    if rows.is_empty() {
        out.note("nobody would receive it");
        return;
    }
    out.note_table(&["RECIPIENT", "BECAUSE IT RECEIVES UNDER", "AGREEMENT"], rows);
}

fn recipients(under: &FiledUnder) -> impl Iterator<Item = Vec<Cell>> {
    let row = |name: &str| vec![name.into(), under.title.as_str().into(), text::short(&under.id).into()];
    under.recipients.iter().map(move |agency| row(&agency.name))
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn a_day_begins_at_midnight_in_utc() {
        assert_eq!(moment("2026-11-22").unwrap(), "2026-11-22T00:00:00.000Z");
        assert_eq!(moment("2026-11-22T01:30:00+01:00").unwrap(), "2026-11-22T00:30:00.000Z");
        assert!(moment("2026-11-22T01:30:00").is_err(), "a time without an offset is no moment");
        assert!(moment("2026-11-31").is_err());
    }
}
