//! `entente run`: the node.

use clap::Args;
use entente_node::RunOptions;

use crate::args::Globals;
use crate::error::CliError;
use crate::output::Output;
use crate::passphrase::{self, PassphraseArgs, Use};

const EXAMPLE: &str = "\
Example:
  entente run --data /var/lib/entente --passphrase-file /run/credentials/passphrase";

/// Run the node until it is told to stop (SIGINT, SIGTERM).
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLE)]
pub(crate) struct RunArgs {
    /// Record every decrypted byte that arrives, for looking through it after an exercise; live agencies refuse
    #[arg(long)]
    pub(crate) tap: bool,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,
}

pub(crate) fn run(args: &RunArgs, globals: &Globals, out: &Output) -> Result<(), CliError> {
    let data = globals.data_dir()?.to_owned();
    let passphrase = passphrase::obtain(&args.passphrase, Use::Open, "the node's keys", out)?;
    Ok(entente_node::run(&RunOptions { data, passphrase, tap: args.tap })?)
}
