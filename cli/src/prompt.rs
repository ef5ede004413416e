//! Questions to a person. They are asked on standard error, and only where a person sits at the terminal;
//! a script is never kept waiting.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use crate::error::CliError;
use crate::text;

/// An answer is a word, or the words of a fingerprint.
const ANSWER_BYTES: u64 = 4096;

/// True where standard input is a terminal.
pub(crate) fn is_interactive() -> bool {
    io::stdin().is_terminal()
}

/// One line from the terminal.
pub(crate) fn ask(question: &str) -> Result<String, CliError> {
    let _ = write!(io::stderr(), "{} ", text::line(question));
    let mut answer = String::new();
    io::stdin().lock().take(ANSWER_BYTES).read_line(&mut answer).map_err(|_| CliError::NotConfirmed)?;
    Ok(answer.trim().to_owned())
}

/// Goes on only at a clear yes. Where nobody sits, or `yes` was given beforehand, nothing is asked.
pub(crate) fn confirm(question: &str, yes: bool) -> Result<(), CliError> {
    if yes || !is_interactive() {
        return Ok(());
    }
    let answer = ask(&format!("{question} [y/N]"))?.to_lowercase();
    if answer == "y" || answer == "yes" { Ok(()) } else { Err(CliError::NotConfirmed) }
}
