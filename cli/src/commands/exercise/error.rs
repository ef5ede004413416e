//! Why an exercise could not be played to its end.

use std::path::PathBuf;
use std::process::ExitStatus;

use thiserror::Error;

use super::plan::Party;
use crate::error::CliError;

/// What went wrong; the narration says in which step.
#[derive(Debug, Error)]
pub(crate) enum ExerciseError {
    #[error("{} is not empty", path.display())]
    NotEmpty { path: PathBuf },
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("cannot {what}: {source}")]
    System { what: &'static str, source: std::io::Error },
    #[error("`entente init` of {} ended with {status}: {said}", party.name())]
    Init { party: Party, status: ExitStatus, said: String },
    #[error("the node of {} ended with {status}", party.name())]
    Ended { party: Party, status: ExitStatus },
    #[error("{what} did not come within {seconds} s")]
    Late { what: &'static str, seconds: u64 },
    #[error("{} answers: {source}", party.name())]
    Api { party: Party, source: Box<CliError> },
    #[error("{} answered {answered} of {asked} reports of a batch", party.name())]
    Batch { party: Party, answered: usize, asked: usize },
    #[error("the canaries do not make a search: {0}")]
    Search(#[from] aho_corasick::BuildError),
    #[error("{id} is no id: {source}")]
    Id { id: String, source: entente_protocol::id::IdError },
    #[error("interrupted")]
    Interrupted,
    #[error(transparent)]
    Print(Box<CliError>),
}

impl ExerciseError {
    /// Whose log tells more, where it is one agency's.
    pub(super) const fn party(&self) -> Option<Party> {
        match self {
            Self::Init { party, .. }
            | Self::Ended { party, .. }
            | Self::Api { party, .. }
            | Self::Batch { party, .. } => Some(*party),
            _ => None,
        }
    }
}

impl From<CliError> for ExerciseError {
    fn from(error: CliError) -> Self {
        Self::Print(Box::new(error))
    }
}
