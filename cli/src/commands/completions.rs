//! `entente completions`: a completion script, made from the same table as the help.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::args::Cli;
use crate::error::CliError;
use crate::output::Output;

const EXAMPLE: &str = "\
Example:
  entente completions bash > ~/.local/share/bash-completion/completions/entente";

#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLE)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &CompletionsArgs, out: &Output) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "entente", &mut script);
    out.bytes(&script)
}
