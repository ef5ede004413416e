//! `entente import`: what a file knows becomes reports.
//!
//! ```text
//!   file ──formats──▶ rows ──judge──▶ accepted, repaired, refused, duplicates ──batches of 500──▶ node
//! ```
//!
//! The same row of the same source is the same report: filing a file again files nothing, a newer one files the
//! differences, and after a crash the command is simply given again. Rows stream; what is kept of each is a hash.

mod judge;
mod profile;
mod request;
mod send;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use clap::Args;
use entente_formats::columns::Column;
use entente_formats::row::Defaults;
use entente_formats::{Format, Opened, Settings};
use entente_protocol::address::Chain;
use entente_protocol::indicator::Kind;
use entente_protocol::statement::draft::{Draft, Field};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::{STANDARD, open};
use crate::args::Globals;
use crate::error::CliError;
use crate::output::Output;
use crate::passphrase::PassphraseArgs;
use crate::prompt;
use crate::text;
use judge::Judge;
use judge::Told;
pub(super) use judge::show_columns;
use send::{Node, Outcome};

const EXAMPLE: &str = "\
Examples:
  entente import victims.csv --dry-run
  entente import victims.csv --map 'Wallet No.=indicator' --map Coin=chain --typology investment_fraud \\
      --grading B2 --tlp amber --agreement 1a2b3c4d --source \"Complaints 2026\" --save-profile complaints
  entente import newer.csv --profile complaints --agreement 1a2b3c4d --source \"Complaints 2026\" --retract-missing
  entente import bundle.json --agreement 1a2b3c4d        # STIX 2.1, MISP and TagPacks are told by their content";

/// Import a file of addresses and other indicators as reports.
///
/// Reads CSV and TSV, plain lists, JSON, TagPack YAML, STIX 2.1 bundles, MISP events and feeds (a directory), and
/// OFAC's advanced sanctions list. Columns are told by --map, by a saved profile, or by header and content; the guess
/// is shown. What a row does not say is taken from the options: without them a report is `unclassified`, graded X4
/// (nothing is known of source and information) and marked amber.
///
/// The same row of the same --source is the same report: repeated, nothing is filed; a newer file files its
/// differences. --dry-run shows what would come of it, needs no running node, and without --agreement checks the rows
/// alone. With --json every row is told on one line, and the last line has the counts.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLE)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own that people give")]
pub(crate) struct ImportArgs {
    /// The file, standard input for `-`, or the directory of a MISP feed
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// csv, tsv, list, json, tagpack, stix, misp or ofac; told by the content without it
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    format: Option<Format>,
    /// Which column (header, or number from 1) is which part of a report, for example Wallet=indicator; repeatable
    #[arg(long, value_name = "COLUMN=FIELD", value_parser = mapping)]
    map: Vec<(String, Column)>,
    /// A saved profile: its name, or a file ending in .toml
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Save mapping and options under this name, for --profile
    #[arg(long, value_name = "NAME")]
    save_profile: Option<String>,
    /// The agreement to file under, by id or its first 8 digits; repeatable
    #[arg(long = "agreement", value_name = "ID", value_delimiter = ',')]
    agreements: Vec<String>,
    /// What the rows are known by when the file comes again, and the source that reports name; the file's name without it
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    #[command(flatten)]
    assume: Assume,
    /// File rows on what benign lists name, too
    #[arg(long)]
    confirm_benign: bool,
    /// Retract reports of this source whose rows are gone
    #[arg(long)]
    retract_missing: bool,
    /// Only show what would come of it
    #[arg(long)]
    dry_run: bool,
    /// Do not ask before filing and retracting
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

/// What holds for rows that do not say otherwise.
#[derive(Args, Clone, Debug, Default, Serialize, serde::Deserialize)]
#[command(next_help_heading = "Where a row says nothing")]
#[serde(deny_unknown_fields)]
pub(super) struct Assume {
    /// The chain: its name, the ticker of its native asset, or its CAIP-2 id
    #[arg(long, value_name = "CHAIN")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chain: Option<String>,
    /// The kind of all indicators, for example domain
    #[arg(long, value_name = "KIND")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// The crime, for example ransomware
    #[arg(long, value_name = "TYPOLOGY")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    typology: Option<String>,
    /// The grading, for example B2
    #[arg(long, value_name = "GRADING")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    grading: Option<String>,
    /// Traffic-light marking
    #[arg(long, value_name = "MARKING")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tlp: Option<String>,
    /// Handling codes, for example "H1; H3: ask first"
    #[arg(long, value_name = "CODES")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    handling: Option<String>,
    /// The case reference
    #[arg(long, value_name = "REF")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    case: Option<String>,
    /// perpetrator, victim, intermediary or service
    #[arg(long, value_name = "ROLE")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    /// Permissible actions: red, amber, green or clear
    #[arg(long, value_name = "PAP")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pap: Option<String>,
    /// routine, priority, immediate or flash
    #[arg(long, value_name = "PRECEDENCE")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    precedence: Option<String>,
}

fn format(word: &str) -> Result<Format, String> {
    let words = || Format::ALL.map(Format::word).join(", ");
    Format::parse(word).ok_or_else(|| format!("it is one of {}", words()))
}

pub(super) fn mapping(text: &str) -> Result<(String, Column), String> {
    let (column, field) = text.rsplit_once('=').ok_or("write COLUMN=FIELD")?;
    let told =
        Column::parse(field).ok_or_else(|| format!("no field is called {field:?}; there are {}", Column::names()))?;
    Ok((column.to_owned(), told))
}

impl Assume {
    /// Nothing but the chain.
    pub(super) fn on(chain: Option<String>) -> Assume {
        Assume { chain, ..Assume::default() }
    }

    /// These options before others.
    fn or(self, other: Assume) -> Assume {
        Assume {
            chain: self.chain.or(other.chain),
            kind: self.kind.or(other.kind),
            typology: self.typology.or(other.typology),
            grading: self.grading.or(other.grading),
            tlp: self.tlp.or(other.tlp),
            handling: self.handling.or(other.handling),
            case: self.case.or(other.case),
            role: self.role.or(other.role),
            pap: self.pap.or(other.pap),
            precedence: self.precedence.or(other.precedence),
        }
    }

    fn defaults(&self, source: Option<&str>) -> Result<Defaults, CliError> {
        let mut draft = Draft::default();
        for (field, text) in [
            (Field::Typology, Some(self.typology.as_deref().unwrap_or("unclassified"))),
            (Field::Grading, Some(self.grading.as_deref().unwrap_or("X4"))),
            (Field::Marking, Some(self.tlp.as_deref().unwrap_or("amber"))),
            (Field::Handling, self.handling.as_deref()),
            (Field::Case, self.case.as_deref()),
            (Field::Role, self.role.as_deref()),
            (Field::Pap, self.pap.as_deref()),
            (Field::Precedence, self.precedence.as_deref()),
            (Field::Source, source),
        ] {
            let set = text.map(|text| draft.set(field, text)).transpose();
            set.map_err(|error| CliError::Option { what: error.to_string() })?;
        }
        let chain = self.chain.as_deref().map(Chain::parse).transpose();
        let kind = self.kind.as_deref().filter(|word| *word != "address");
        let kind = kind.map(|word| Kind::parse(word).ok_or("kind: no kind of indicator is called that")).transpose();
        Ok(Defaults {
            chain: chain.map_err(|source| CliError::Chain { source })?,
            kind: kind.map_err(|what| CliError::Option { what: what.to_owned() })?,
            draft,
        })
    }
}

/// A file, how it is read, and what it is called.
pub(super) struct Input<'a> {
    file: &'a Path,
    format: Option<Format>,
    settings: Settings,
}

impl<'a> Input<'a> {
    /// A file whose rows say what is assumed where they do not say otherwise.
    pub(super) fn new(
        file: &'a Path,
        format: Option<Format>,
        map: BTreeMap<String, Column>,
        assume: &Assume,
    ) -> Result<Self, CliError> {
        Ok(Self { file, format, settings: Settings { defaults: assume.defaults(None)?, map } })
    }

    /// The name of the file, without its folders.
    pub(super) fn name(&self) -> String {
        let name = self.file.file_name().map(|name| name.to_string_lossy().into_owned());
        name.filter(|name| name != STANDARD).unwrap_or_else(|| "standard input".to_owned())
    }

    /// Opens it, and a bar that shows how far it was read.
    pub(super) fn open<'s>(&'s self, bar: &ProgressBar) -> Result<Opened<'s>, CliError> {
        let failed = |source| CliError::Read { path: self.file.to_owned(), source };
        if self.file.is_dir() {
            let manifest = self.file.join("manifest.json");
            let text =
                std::fs::read_to_string(&manifest).map_err(|source| CliError::Read { path: manifest, source })?;
            let event = |name: &str| std::fs::read(self.file.join(name));
            return entente_formats::open_directory(&text, event, &self.settings)
                .map_err(|source| self.unreadable(source));
        }
        let reader: Box<dyn BufRead> = if self.file.as_os_str() == STANDARD {
            open(self.file)?
        } else {
            let file = File::open(self.file).map_err(failed)?;
            bar.set_length(file.metadata().map_err(failed)?.len());
            Box::new(BufReader::new(bar.wrap_read(file)))
        };
        entente_formats::open(reader, &self.name(), self.format, &self.settings)
            .map_err(|source| self.unreadable(source))
    }

    pub(super) fn unreadable(&self, source: entente_formats::row::FileError) -> CliError {
        CliError::Unreadable { path: self.file.to_owned(), source }
    }
}

/// A bar for a file that is read, on a terminal.
pub(super) fn bar(what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("   {prefix} {bar:30} {bytes} of {total_bytes}, {eta} left")
        .expect("the template is constant");
    ProgressBar::new(0).with_style(style).with_prefix(what)
}

pub(crate) fn run(args: &ImportArgs, globals: &Globals, out: &Output) -> Result<(), CliError> {
    let saved = args.profile.as_deref().map(|name| profile::load(name, globals)).transpose()?;
    let mut map: BTreeMap<String, Column> = BTreeMap::new();
    let mut assume = args.assume.clone();
    let (mut file_format, mut source) = (args.format, args.source.clone());
    if let Some(saved) = saved {
        map.extend(saved.map()?);
        assume = assume.or(saved.assume.clone());
        file_format = file_format.or(saved.format.as_deref().and_then(Format::parse));
        source = source.or(saved.source);
    }
    map.extend(args.map.iter().cloned());
    if let Some(name) = &args.save_profile {
        let path = profile::save(name, file_format, &map, &assume, source.as_deref(), globals)?;
        out.note(&format!("saved as {}", path.display()));
    }
    let defaults = assume.defaults(source.as_deref())?;
    let input = Input { file: &args.file, format: file_format, settings: Settings { defaults, map } };
    let source = source.unwrap_or_else(|| input.name());
    if args.dry_run {
        return dry_run(args, &input, &source, globals, out);
    }
    if args.agreements.is_empty() {
        return Err(CliError::ImportWhere);
    }
    file(args, &input, &source, globals, out)
}

/// Shows what would come of each row, and to whom it would go.
fn dry_run(
    args: &ImportArgs,
    input: &Input<'_>,
    source: &str,
    globals: &Globals,
    out: &Output,
) -> Result<(), CliError> {
    let node = if args.agreements.is_empty() { None } else { Some(Node::find_or_open(args, source, globals, out)?) };
    let told = Told { rows: true, problems: true };
    let (judge, _) = pass(args, input, node.as_ref(), told, out)?;
    judge.show_first(out);
    if let Some(node) = &node {
        node.show_recipients(out);
    }
    judge.end(None, out)
}

/// Files the rows, after showing what would come of it where a person can be asked.
fn file(args: &ImportArgs, input: &Input<'_>, source: &str, globals: &Globals, out: &Output) -> Result<(), CliError> {
    let ask = !args.yes && prompt::is_interactive() && args.file.as_os_str() != STANDARD;
    if ask {
        let node = Node::find(args, source, globals, out)?.trying();
        let (judge, _) = pass(args, input, Some(&node), Told { rows: false, problems: true }, out)?;
        judge.show_first(out);
        node.show_recipients(out);
        let counts = judge.counts();
        out.note(&counts.sentence());
        let fit = counts.accepted + counts.repaired;
        prompt::confirm(
            &format!("file {}?", text::count(usize::try_from(fit).unwrap_or(usize::MAX), "report")),
            false,
        )?;
    }
    let node = Node::find(args, source, globals, out)?;
    let told = Told { rows: out.is_json(), problems: !ask };
    let (judge, mut outcome) = pass(args, input, Some(&node), told, out)?;
    if args.retract_missing {
        retract_missing(args, &node, &judge, &mut outcome, out)?;
    }
    judge.end(Some(&outcome), out)
}

/// Reads the file once, judges its rows, and hands the fit ones to the node.
fn pass(
    args: &ImportArgs,
    input: &Input<'_>,
    node: Option<&Node>,
    told: Told,
    out: &Output,
) -> Result<(Judge, Outcome), CliError> {
    let bar = bar("reading");
    let mut opened = input.open(&bar)?;
    if told.problems {
        show_columns(&opened, out);
    }
    let (mut judge, mut outcome) = (Judge::new(told), Outcome::default());
    let settle = |judge: &mut Judge, answered: send::Answered| -> Result<(), CliError> {
        let (rows, results) = answered?;
        for (verdict, result) in rows.into_iter().zip(results) {
            match result {
                Some(Err(reason)) => judge.denied(verdict, &reason, out)?,
                Some(Ok(filed)) => {
                    outcome.add(&filed);
                    judge.fit(&verdict, out)?;
                }
                None => judge.fit(&verdict, out)?,
            }
        }
        Ok(())
    };
    send::in_batches(node, args.confirm_benign, &mut judge, settle, |judge, batches| {
        for item in opened.by_ref() {
            let item = item.map_err(|source| input.unreadable(source))?;
            if let Some(verdict) = judge.row(item, out)? {
                batches.push(verdict, judge)?;
            }
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    judge.beside(&opened.beside);
    Ok((judge, outcome))
}

/// Retracts what this source said before and says no more.
fn retract_missing(
    args: &ImportArgs,
    node: &Node,
    judge: &Judge,
    outcome: &mut Outcome,
    out: &Output,
) -> Result<(), CliError> {
    let gone = node.missing(&outcome.seen)?;
    if gone.is_empty() {
        out.note("nothing of this source is gone");
        return Ok(());
    }
    let refused = judge.counts().refused;
    if refused > 0 {
        out.warn(&format!("{refused} rows of this file were refused: what they said before counts as gone, too"));
    }
    let reports = text::count(gone.len(), "report");
    if !args.yes && !prompt::is_interactive() {
        return Err(CliError::WouldRetract { reports });
    }
    prompt::confirm(&format!("retract {reports} whose rows are gone?"), args.yes)?;
    for id in &gone {
        node.retract(id)?;
        outcome.retracted += 1;
    }
    Ok(())
}
