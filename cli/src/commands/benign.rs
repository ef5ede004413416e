//! `entente benign`: lists that say who an address is anyway.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use entente_formats::Format;
use entente_node::clock;
use serde::{Deserialize, Serialize};

use super::import::{Assume, Input, bar};
use crate::args::Globals;
use crate::client::Client;
use crate::error::CliError;
use crate::output::Output;
use crate::prompt;

/// Entries in one request.
const TOGETHER: usize = 2000;

const EXAMPLE_IMPORT: &str = "\
Examples:
  entente benign import exchanges.csv --name exchanges --from \"DefiLlama, 2026-11\" --date 2026-11-01
  entente benign import bridges.txt --chain ethereum --label \"bridge\"";
const EXAMPLE_LIST: &str = "Example:\n  entente benign list --json";
const EXAMPLE_REMOVE: &str = "Example:\n  entente benign remove exchanges";

#[derive(Debug, Subcommand)]
pub(crate) enum BenignCommand {
    /// Load a list of wallets of exchanges, bridges, burn addresses, token contracts or big services
    Import(ImportArgs),
    /// Show the lists that are loaded
    List(ListArgs),
    /// Forget a list
    Remove(RemoveArgs),
}

/// Load a list that says who addresses are: exchanges, bridges, mixers, burn addresses, token contracts.
///
/// Reads what `entente import` reads. A lookup shows what the lists say beside the reports, and a report on a listed
/// address asks for a confirmation. Lists are not truth, and nothing is hidden by them. They stay on this node.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLE_IMPORT)]
pub(crate) struct ImportArgs {
    /// The file, or standard input for `-`
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What the list is called here; a list of that name is replaced. The file's name without it
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Where it comes from; the file's name without it
    #[arg(long = "from", value_name = "SOURCE")]
    from: Option<String>,
    /// Of when it is, as its source says
    #[arg(long, value_name = "DAY")]
    date: Option<String>,
    /// What entries are where the file does not say
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// csv, tsv, list, json, tagpack, stix or misp; told by the content without it
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Which column is which, for example Wallet=indicator or Exchange=label; repeatable
    #[arg(long, value_name = "COLUMN=FIELD", value_parser = super::import::mapping)]
    map: Vec<(String, entente_formats::columns::Column)>,
    /// The chain where a row names none
    #[arg(long, value_name = "CHAIN")]
    chain: Option<String>,
}

#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLE_LIST)]
pub(crate) struct ListArgs {}

#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLE_REMOVE)]
pub(crate) struct RemoveArgs {
    /// The list's name
    name: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

#[derive(Serialize)]
struct Part<'a> {
    name: &'a str,
    source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<&'a str>,
    edition: u64,
    entries: &'a [Entry],
    last: bool,
}

#[derive(Serialize)]
struct Entry {
    indicator: String,
    label: String,
}

#[derive(Deserialize)]
struct Taken {
    entries: u64,
}

#[derive(Deserialize)]
struct List {
    name: String,
    source: String,
    date: Option<String>,
    loaded: String,
    entries: u64,
}

#[derive(Serialize)]
struct Loaded<'a> {
    name: &'a str,
    rows: u64,
    entries: u64,
    refused: u64,
}

pub(crate) fn run(command: &BenignCommand, globals: &Globals, out: &Output) -> Result<(), CliError> {
    match command {
        BenignCommand::Import(args) => import(args, globals, out),
        BenignCommand::List(_) => list(globals, out),
        BenignCommand::Remove(args) => remove(args, globals, out),
    }
}

fn import(args: &ImportArgs, globals: &Globals, out: &Output) -> Result<(), CliError> {
    let client = Client::find(globals, out)?;
    let assume = Assume::on(args.chain.clone());
    let format = args.format.as_deref().map(|word| Format::parse(word).ok_or("format: there is none of that name"));
    let format = format.transpose().map_err(|what| CliError::Option { what: what.to_owned() })?;
    let input = Input::new(&args.file, format, args.map.iter().cloned().collect(), &assume)?;
    let file = input.name();
    let stem = file.rsplit_once('.').map_or(file.as_str(), |(stem, _)| stem).to_owned();
    let name = args.name.clone().unwrap_or(stem);
    let source = args.from.clone().unwrap_or_else(|| file.clone());
    let edition = clock::now().ms();
    let send = |entries: &[Entry], last: bool| -> Result<u64, CliError> {
        let part = Part { name: &name, source: &source, date: args.date.as_deref(), edition, entries, last };
        Ok(client.write(&["v1", "benign"], &part)?.read::<Taken>()?.entries)
    };
    let bar = bar("reading");
    let mut opened = input.open(&bar)?;
    super::import::show_columns(&opened, out);
    let (mut rows, mut refused, mut waiting) = (0, 0, Vec::with_capacity(TOGETHER));
    for item in opened.by_ref() {
        rows += 1;
        match item.map_err(|error| input.unreadable(error))? {
            Ok(row) => {
                let indicator = row.draft.indicator.map(|(indicator, _)| indicator.to_string()).unwrap_or_default();
                let label = row.label.or_else(|| args.label.clone()).unwrap_or_else(|| name.clone());
                waiting.push(Entry { indicator, label });
            }
            Err(problem) => {
                refused += 1;
                let column = problem.place.column;
                out.note(&format!("line {}, {column}: {:?}: {}", problem.place.line, problem.value, problem.reason));
            }
        }
        if waiting.len() == TOGETHER {
            send(&waiting, false)?;
            waiting.clear();
        }
    }
    let entries = send(&waiting, true)?;
    bar.finish_and_clear();
    if out.is_json() {
        return out.value(&Loaded { name: &name, rows, entries, refused });
    }
    out.line(&format!("{name}: {entries} entries of {rows} rows, {refused} refused"))
}

fn list(globals: &Globals, out: &Output) -> Result<(), CliError> {
    #[derive(Deserialize)]
    struct Lists {
        items: Vec<List>,
    }
    let client = Client::find(globals, out)?;
    let answer = client.get(&["v1", "benign"], &[])?;
    if out.is_json() {
        return out.raw(&answer.0);
    }
    let lists: Lists = answer.read()?;
    if lists.items.is_empty() {
        return out.line("no benign list is loaded");
    }
    let rows = lists.items.into_iter().map(|list| {
        vec![
            list.name.into(),
            list.entries.to_string().into(),
            list.source.into(),
            out.when_or(list.date.as_deref(), "not told").into(),
            out.when(&list.loaded).into(),
        ]
    });
    out.table(&["NAME", "ENTRIES", "FROM", "DATE", "LOADED"], rows.collect())
}

fn remove(args: &RemoveArgs, globals: &Globals, out: &Output) -> Result<(), CliError> {
    let client = Client::find(globals, out)?;
    prompt::confirm(&format!("forget the list {}?", args.name), args.yes)?;
    let answer = client.delete(&["v1", "benign", &args.name])?;
    if out.is_json() {
        return out.raw(&answer.0);
    }
    let list: List = answer.read()?;
    out.line(&format!("{} is gone, with {} entries", list.name, list.entries))
}
