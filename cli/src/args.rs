//! The command line: what is common to all commands, and the list of them.
//!
//! Each command's own options stand in its file under `commands/`, beside the code that reads them, so
//! that this file stays a table. Deliberately absent: a default data directory. An analyst's machine may
//! hold an exercise beside the real thing, and a report must never go out through the wrong one.

use std::path::{Path, PathBuf};

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand};

use crate::commands::{
    address, agencies, agreement, benign, bundle, card, completions, doctor, exercise, export, import, init, lookup,
    peers, quarantine, report, reports, retention, retract, revise, run, show, status, vocabulary,
};
use crate::error::CliError;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const AFTER_HELP: &str = "\
Exit status: 0 done, also when nothing was found; 1 refused or failed; 2 wrong usage; 3 the node is \
unreachable.

`entente COMMAND --help` explains a command and gives an example.";

/// Share crypto-crime reports with the agencies that an agreement names, and look addresses up.
#[derive(Debug, Parser)]
#[command(name = "entente", version, styles = STYLES, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command: which node, and in which form to answer.
#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Globals {
    /// The node's data directory: its API's address and token lie there
    #[arg(long, global = true, env = "ENTENTE_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The node's API where its data directory is out of reach, as http://HOST:PORT (needs --token-file)
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// A file holding the API token, instead of DIR/token
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Answer in JSON, one object a line
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// How long to wait for the node, in seconds
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 30,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) timeout: u64,
}

impl Globals {
    /// The data directory, for commands that work inside it.
    pub(crate) fn data_dir(&self) -> Result<&Path, CliError> {
        self.data.as_deref().ok_or(CliError::NoData)
    }
}

/// Why something is read; the node's audit log keeps it.
#[derive(Args, Debug)]
#[command(next_help_heading = "Justification")]
pub(crate) struct Reading {
    /// The case for which this is consulted
    #[arg(long, value_name = "REF")]
    pub(crate) case: Option<String>,
    /// The reason of the consultation, in words
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

impl Reading {
    /// As query parameters; what is absent is left out.
    pub(crate) fn query(&self) -> Vec<(&'static str, &str)> {
        let case = self.case.as_deref().map(|case| ("case", case));
        let reason = self.reason.as_deref().map(|reason| ("reason", reason));
        case.into_iter().chain(reason).collect()
    }
}

/// The commands, in the order in which an agency meets them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Found an agency: make its keys, its card and its data directory
    Init(init::InitArgs),
    /// Run the node
    Run(run::RunArgs),
    /// Check the data directory of a stopped node, and rebuild its index
    Doctor(doctor::DoctorArgs),
    /// Show, export and import cards: who an agency is, and by which keys it is known
    #[command(subcommand)]
    Card(card::CardCommand),
    /// Propose, read, sign and reject sharing agreements
    #[command(subcommand)]
    Agreement(agreement::AgreementCommand),
    /// List the agencies whose cards this node knows
    Agencies(agencies::AgenciesArgs),
    /// File a report on an address or another indicator, to the parties of an agreement
    Report(report::ReportArgs),
    /// Replace an own report with a newer revision
    Revise(revise::ReviseArgs),
    /// Withdraw an own report from everyone who holds it
    Retract(retract::RetractArgs),
    /// Import a file of addresses and other indicators as reports
    Import(import::ImportArgs),
    /// Export reports as STIX, MISP, CSV or JSON lines
    Export(export::ExportArgs),
    /// List the own reports
    Reports(reports::ReportsArgs),
    /// Show one report whole
    Show(show::ShowArgs),
    /// Look addresses and other indicators up in all that this agency and its partners reported
    Lookup(lookup::LookupArgs),
    /// Say what texts are as addresses, without a node
    #[command(subcommand)]
    Address(address::AddressCommand),
    /// Load and show lists that say who an address is anyway
    #[command(subcommand)]
    Benign(benign::BenignCommand),
    /// Carry what parties share by file, where no network joins them
    #[command(subcommand)]
    Bundle(bundle::BundleCommand),
    /// Show what was deleted here, when, and on whose word
    #[command(subcommand)]
    Retention(retention::RetentionCommand),
    /// List the words that reports may use
    Vocabulary(vocabulary::VocabularyArgs),
    /// Show the partners, and how far each has what the others published
    Peers(peers::PeersArgs),
    /// Show what the node refused or holds back, and why
    Quarantine(quarantine::QuarantineArgs),
    /// Show the state of the node
    Status(status::StatusArgs),
    /// Play a federation of four agencies through on this machine, with real data
    Exercise(exercise::ExerciseArgs),
    /// Print a completion script for a shell
    Completions(completions::CompletionsArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example() {
        fn check(command: &clap::Command) {
            let children: Vec<_> = command.get_subcommands().collect();
            if children.is_empty() {
                let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains("entente "), "{}", command.get_name());
            }
            children.into_iter().for_each(check);
        }
        Cli::command().get_subcommands().for_each(check);
    }
}
