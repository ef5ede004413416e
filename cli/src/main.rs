//! `entente`, the one binary: the node (`entente run`), and the commands that talk to its local API.
//!
//! This file only joins the parts: the arguments name a command, the command does its work, and what
//! went wrong becomes a message, a hint and an exit status. Nothing here decides anything.

mod args;
mod client;
mod commands;
mod error;
mod output;
mod passphrase;
mod prompt;
mod terms;
mod text;
mod views;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let args::Cli { globals, command } = args::Cli::parse();
    let out = output::Output::new(globals.json);
    match commands::run(&command, &globals, &out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => out.fail(&error),
    }
}
