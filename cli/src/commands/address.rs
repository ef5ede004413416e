//! `entente address`: what texts say about addresses, without a node.

use std::borrow::Cow;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use entente_protocol::address::{AddressError, Chain, Examined, MAX_INPUT_BYTES, Reading, examine};
use serde::Serialize;

use super::{STANDARD, next_line, open};
use crate::error::CliError;
use crate::output::Output;

/// No text around an address is longer; of a longer line only this much is held.
const LINE_BYTES: usize = 16 * MAX_INPUT_BYTES;

const EXAMPLE: &str = "\
Examples:
  entente address check addresses.txt > checked.jsonl
  echo 'bc1qwz2lhc40s8ty3l5jg3plpve3y3l82x9l42q7fk' | entente address check
  cut -d, -f3 export.csv | entente address check - --chain tron | jq 'select(.valid | not)'";

#[derive(Debug, Subcommand)]
pub(crate) enum AddressCommand {
    /// Say of each line which address it is, on which chains, and what had to be changed
    Check(CheckArgs),
}

/// Say of each line of a file which address it is, on which chains, and what had to be changed.
///
/// Every line is answered by one JSON object on one line. Without a chain, every chain that fits is named, the
/// likeliest first: more than one means that the text alone does not tell. Private keys and seed phrases are refused
/// and not repeated.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLE)]
pub(crate) struct CheckArgs {
    /// The file, one address a line; standard input for `-` and without it
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Try this chain alone: its name, the ticker of its native asset (its test networks are tried, too), or its CAIP-2 id
    #[arg(long, value_name = "CHAIN")]
    chain: Option<String>,
}

/// What is said of a line.
#[derive(Serialize)]
struct Checked<'a> {
    input: &'a str,
    valid: bool,
    chains: Vec<OnChain>,
    changed: Vec<&'static str>,
    reason: Option<String>,
}

#[derive(Serialize)]
struct OnChain {
    chain: String,
    name: String,
    canonical: String,
    caip10: String,
    form: &'static str,
    network: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_account: Option<SubAccount>,
}

#[derive(Serialize)]
struct SubAccount {
    kind: &'static str,
    value: String,
}

pub(crate) fn run(command: &AddressCommand, out: &Output) -> Result<(), CliError> {
    match command {
        AddressCommand::Check(args) => check(args, out),
    }
}

fn check(args: &CheckArgs, out: &Output) -> Result<(), CliError> {
    let among = args.chain.as_deref().map(chains).transpose()?;
    let path = args.file.clone().unwrap_or_else(|| STANDARD.into());
    let mut reader = open(&path)?;
    let mut line = Vec::new();
    while next_line(&mut reader, LINE_BYTES, &mut line)
        .map_err(|source| CliError::Read { path: path.clone(), source })?
    {
        tell(&line, among.as_deref(), out)?;
    }
    Ok(())
}

/// The chains that `--chain` asks for.
fn chains(text: &str) -> Result<Vec<Chain>, CliError> {
    let chain = Chain::parse(text).map_err(|source| CliError::Chain { source })?;
    Ok(if text.contains(':') { vec![chain] } else { chain.networks() })
}

fn tell(line: &[u8], among: Option<&[Chain]>, out: &Output) -> Result<(), CliError> {
    let text = String::from_utf8_lossy(line);
    let examined = match &text {
        Cow::Borrowed(text) => examine(text, among),
        Cow::Owned(_) => Examined::refused(AddressError::NotText),
    };
    let secret = examined.refused.as_ref().is_some_and(AddressError::is_secret);
    let shown = if secret { "[redacted]" } else { bounded(&text) };
    out.value(&Checked {
        input: shown,
        valid: examined.refused.is_none(),
        chains: examined.readings.iter().map(OnChain::of).collect(),
        changed: examined.changed,
        reason: examined.refused.map(|error| error.to_string()),
    })
}

/// What is shown of a line that is far too long.
fn bounded(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_INPUT_BYTES)]
}

impl OnChain {
    fn of(reading: &Reading) -> Self {
        let chain = reading.address.chain();
        let sub_account = reading.sub_account.as_ref();
        Self {
            chain: chain.caip2(),
            name: chain.name(),
            canonical: reading.address.canonical().to_owned(),
            caip10: reading.address.caip10(),
            form: reading.form,
            network: if chain.is_test() { "testnet" } else { "mainnet" },
            sub_account: sub_account.map(|sub| SubAccount { kind: sub.kind(), value: sub.to_string() }),
        }
    }
}
