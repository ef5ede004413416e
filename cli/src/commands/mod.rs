//! The commands, one file each. A file begins with the command's own options and ends with what a person sees.

pub(crate) mod address;
pub(crate) mod agencies;
pub(crate) mod agreement;
pub(crate) mod benign;
pub(crate) mod bundle;
pub(crate) mod card;
pub(crate) mod completions;
pub(crate) mod doctor;
pub(crate) mod exercise;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod lookup;
pub(crate) mod peers;
pub(crate) mod quarantine;
pub(crate) mod report;
pub(crate) mod reports;
pub(crate) mod retention;
pub(crate) mod retract;
pub(crate) mod revise;
pub(crate) mod run;
pub(crate) mod show;
pub(crate) mod status;
pub(crate) mod vocabulary;

pub(crate) use exercise::ExerciseError;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use crate::args::{Command, Globals};
use crate::error::CliError;
use crate::output::Output;

/// Does what the command line asks.
pub(crate) fn run(command: &Command, globals: &Globals, out: &Output) -> Result<(), CliError> {
    match command {
        Command::Init(args) => init::run(args, globals, out),
        Command::Run(args) => run::run(args, globals, out),
        Command::Doctor(args) => doctor::run(args, globals, out),
        Command::Card(args) => card::run(args, globals, out),
        Command::Agreement(args) => agreement::run(args, globals, out),
        Command::Agencies(args) => agencies::run(args, globals, out),
        Command::Report(args) => report::run(args, globals, out),
        Command::Revise(args) => revise::run(args, globals, out),
        Command::Retract(args) => retract::run(args, globals, out),
        Command::Reports(args) => reports::run(args, globals, out),
        Command::Show(args) => show::run(args, globals, out),
        Command::Lookup(args) => lookup::run(args, globals, out),
        Command::Address(args) => address::run(args, out),
        Command::Import(args) => import::run(args, globals, out),
        Command::Export(args) => export::run(args, globals, out),
        Command::Benign(args) => benign::run(args, globals, out),
        Command::Bundle(args) => bundle::run(args, globals, out),
        Command::Retention(args) => retention::run(args, globals, out),
        Command::Vocabulary(args) => vocabulary::run(args, out),
        Command::Peers(args) => peers::run(args, globals, out),
        Command::Quarantine(args) => quarantine::run(args, globals, out),
        Command::Status(args) => status::run(args, globals, out),
        Command::Exercise(args) => exercise::run(args, out),
        Command::Completions(args) => completions::run(args, out),
    }
}

/// How `-` is written: standard input or output.
const STANDARD: &str = "-";

/// A file, or standard input, for reading line by line.
fn open(path: &Path) -> Result<Box<dyn BufRead>, CliError> {
    if path.as_os_str() == STANDARD {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(path).map_err(|source| CliError::Read { path: path.to_owned(), source })?;
    Ok(Box::new(BufReader::new(file)))
}

/// The next line without its end, if there is one; of a line that is longer than the limit, one byte more than that.
fn next_line(reader: &mut impl BufRead, limit: usize, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    if reader.by_ref().take(limit as u64 + 1).read_until(b'\n', line)? == 0 {
        return Ok(false);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        line.pop_if(|last| *last == b'\r');
    } else if line.len() > limit {
        reader.skip_until(b'\n')?;
    }
    Ok(true)
}

/// The text of a file, or of standard input for `-`.
fn read_text(path: &Path, limit: u64) -> Result<String, CliError> {
    let failed = |source| CliError::Read { path: path.to_owned(), source };
    let reader: Box<dyn Read> = if path.as_os_str() == STANDARD {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(failed)?)
    };
    let mut bytes = Vec::new();
    reader.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(CliError::TooLong { path: path.to_owned(), limit });
    }
    String::from_utf8(bytes).map_err(|_| CliError::NotText { path: path.to_owned() })
}
