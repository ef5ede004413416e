//! What can go wrong in a command, with its exit status and the hint that goes with it.
//!
//! A message states what is the case; what to do about it is the hint, on its own line. The exit status
//! tells a script whom to blame: 1 what was asked, 2 how it was asked, 3 the way to the node.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use entente_node::RunError;
use entente_node::init::{DataIdentityError, InitError};
use entente_protocol::identity::{FingerprintError, IdentityError};
use serde::Deserialize;
use thiserror::Error;

use crate::commands::ExerciseError;
use crate::passphrase::PassphraseError;
use crate::terms::TermsError;
use crate::text;

/// Why a command did not do what it was asked.
#[derive(Debug, Error)]
pub(crate) enum CliError {
    #[error("no node is named")]
    NoNode,
    #[error("no data directory is named")]
    NoData,
    #[error("--url needs --token-file")]
    UrlWithoutToken,
    #[error("{url} is not of the form http://HOST:PORT")]
    Url { url: String },
    #[error("nothing is given to change")]
    NothingToChange,
    #[error("the card is read from standard input, and so is the fingerprint")]
    StandardInputTaken,

    #[error("no node is running on {}", data.display())]
    NotRunning { data: PathBuf },
    #[error("no node answers at {base}")]
    Unreachable { base: String },
    #[error("the node at {base} did not answer within {seconds} s")]
    Timeout { base: String, seconds: u64 },
    #[error("the connection to {base} broke before the answer was whole")]
    Broken { base: String },

    #[error("{0}")]
    Problem(Box<Problem>),
    #[error("what answers at {base} is no node of this version (status {status})")]
    Foreign { base: String, status: u16 },
    #[error("the node's answer is not of the expected form: {0}")]
    Shape(#[from] serde_json::Error),
    #[error("the node's answer is longer than {limit} bytes")]
    AnswerTooLong { limit: u64 },
    #[error("the node answered {answered} of {asked} lookups")]
    Incomplete { answered: usize, asked: usize },

    #[error("{what}")]
    Option { what: String },
    #[error("{}: {source}", path.display())]
    Unreadable { path: PathBuf, source: entente_formats::row::FileError },
    #[error("name the agreement under which the rows are to be filed")]
    ImportWhere,
    #[error("{reports} of this source would be retracted, and nobody is here to be asked")]
    WouldRetract { reports: String },
    #[error("{error}")]
    Desk { error: Box<entente_node::desk::DeskError> },
    #[error("--chain: {source}")]
    Chain { source: entente_protocol::address::ChainError },
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} is longer than {limit} bytes", path.display())]
    TooLong { path: PathBuf, limit: u64 },
    #[error("{}: {why}", path.display())]
    Bundle { path: PathBuf, why: &'static str },
    #[error("{} is not text in UTF-8", path.display())]
    NotText { path: PathBuf },
    #[error("{} does not hold a token", path.display())]
    TokenForm { path: PathBuf },
    #[error("{} does not hold the address of an API", path.display())]
    ApiForm { path: PathBuf },
    #[error("{} exists", path.display())]
    Exists { path: PathBuf },

    #[error(transparent)]
    Terms(#[from] TermsError),
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    #[error("{} is no valid card: {source}", path.display())]
    Card { path: PathBuf, source: IdentityError },
    #[error(transparent)]
    Fingerprint(#[from] FingerprintError),
    #[error("a card is imported only with the fingerprint that its agency told you")]
    NoFingerprint,
    #[error("nothing was filed: {denied} of the named agreements deny this report")]
    Denied { denied: usize },
    #[error("report {id} was retracted already")]
    Retracted { id: String },
    #[error("{} versions of the agreement wait for an answer: {}", open.len(), open.join(", "))]
    SeveralVersions { open: Vec<String> },
    #[error("not confirmed, nothing was done")]
    NotConfirmed,
    #[error("{input} cannot be looked up: {why}")]
    NothingToLookUp { input: String, why: String },
    #[error("nothing was filed: it is listed as {label}, by the list {list}")]
    Listed { label: String, list: String },

    #[error(transparent)]
    Init(#[from] InitError),
    #[error(transparent)]
    Identity(#[from] DataIdentityError),
    #[error("{} found", text::count(*faults, "fault"))]
    Unsound { faults: usize },
    #[error(transparent)]
    Run(#[from] RunError),

    #[error("cannot start the HTTP client: {0}")]
    Client(reqwest::Error),
    #[error("cannot print: {0}")]
    Print(io::Error),

    #[error("the exercise ended early: {0}")]
    Exercise(Box<ExerciseError>),
    #[error("the exercise did not show what it promises: {broken}")]
    ExercisePromises { broken: String },
}

impl CliError {
    /// 1 refused or failed, 2 usage, 3 node unreachable.
    pub(crate) fn status(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::NoNode
            | Self::NoData
            | Self::UrlWithoutToken
            | Self::Chain { .. }
            | Self::Option { .. }
            | Self::ImportWhere
            | Self::Url { .. }
            | Self::NothingToChange
            | Self::StandardInputTaken => 2,
            error if error.unreachable() => 3,
            _ => 1,
        })
    }

    /// True where the node may well exist, and was not reached.
    pub(crate) fn unreachable(&self) -> bool {
        matches!(self, Self::NotRunning { .. } | Self::Unreachable { .. } | Self::Timeout { .. } | Self::Broken { .. })
    }

    /// True where whoever reads our output has read enough.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Print(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// What to do about it, where there is something.
    pub(crate) fn hint(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Self::NoNode => "name its data directory with --data DIR or ENTENTE_DATA, or give --url and --token-file".into(),
            Self::NoData => "name it with --data DIR or ENTENTE_DATA".into(),
            Self::UrlWithoutToken => "the token of a node is in the file `token` of its data directory".into(),
            Self::Url { .. } => "TLS is left to a tunnel or to the agency's own proxy".into(),
            Self::NothingToChange => "`entente revise --help` lists what can be".into(),
            Self::StandardInputTaken => "give --fingerprint \"WORDS\", or import from a file".into(),
            Self::NotRunning { data } => format!("start it: entente run --data {}", data.display()).into(),
            Self::Unreachable { .. } => "is it running? `entente run` starts it".into(),
            Self::Timeout { .. } => "wait longer with --timeout SECONDS".into(),
            Self::Broken { .. } => "what was asked may have been done: look before you repeat it".into(),
            Self::Problem(problem) => return problem.hint(),
            Self::Foreign { .. } => "compare --url, or the file `api` of the data directory, with where the node listens".into(),
            Self::TokenForm { .. } => "it is one line of printable characters".into(),
            Self::ApiForm { .. } => "a running node writes it, as HOST:PORT".into(),
            Self::Exists { .. } => "name another file, or remove that one first".into(),
            Self::Terms(error) => return error.hint().map(Cow::Borrowed),
            Self::Passphrase(error) => return error.hint().map(Cow::Borrowed),
            Self::Fingerprint(_) => "ask the agency again: the card may not be theirs".into(),
            Self::NoFingerprint => "call the agency on a number you already know, let them read out the fingerprint of `entente card show`, and give it with --fingerprint \"WORDS\"".into(),
            Self::Exercise(_) | Self::ExercisePromises { .. } => {
                "with --keep DIR the agencies' data and logs stay for inspection".into()
            }
            Self::SeveralVersions { .. } => {
                "read each with `entente agreement show VERSION`, then sign or reject it by its version".into()
            }
            Self::Denied { .. } => "leave those agreements out, or change what they deny".into(),
            Self::Retracted { .. } => "`entente show` tells when and why".into(),
            Self::ImportWhere => "--agreement ID files them; --dry-run shows what would come of it".into(),
            Self::WouldRetract { .. } => "--yes retracts them without a question".into(),
            Self::Desk { error } => return error.hint().map(Cow::Borrowed),
            Self::Unreadable { .. } => "--format says which format it is, --map which column is which".into(),
            Self::Listed { .. } => "if it is meant nevertheless, say so with --confirm-benign".into(),
            Self::NothingToLookUp { .. } => "write it as CHAIN:ADDRESS or as KIND:VALUE, for example bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa or domain:evil.example".into(),
            Self::Init(error) => return init_hint(error).map(Cow::Borrowed),
            Self::Identity(DataIdentityError::NoAgency { .. }) => "found one with `entente init`, or compare --data".into(),
            Self::Identity(_) => "put it back from the backup of the data directory".into(),
            Self::Unsound { .. } => "what to do stands beside each".into(),
            _ => return None,
        })
    }
}

fn init_hint(error: &InitError) -> Option<&'static str> {
    Some(match error {
        InitError::Exists { .. } => {
            "nothing was changed: run it with `entente run`, or name another directory with --data"
        }
        InitError::Remnant { .. } => {
            "nothing was changed: if an interrupted `entente init` left it, no one knows that agency: remove it, and \
             repeat; else put agency.card back from the backup"
        }
        InitError::Address { .. } => "write it as /ip4/192.0.2.7/udp/7441/quic-v1 or /dns4/node.example.org/tcp/7441",
        InitError::NotDialable { .. } => "give what partners dial with --announce",
        InitError::NoPort { .. } => "name places that are free with --api and --listen",
        _ => return None,
    })
}

/// Problem details, as the node answers them (RFC 9457).
#[derive(Debug, Deserialize)]
pub(crate) struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: String,
    detail: Option<String>,
    hint: Option<String>,
    /// The term of the agreement that denied.
    term: Option<String>,
    #[serde(default)]
    errors: Vec<RowProblem>,
}

/// What is wrong with one row of several.
#[derive(Debug, Deserialize)]
struct RowProblem {
    index: u64,
    detail: String,
}

impl Problem {
    const PREFIX: &'static str = "urn:entente:problem:";

    /// The last part of the type, if this is a problem of ours.
    pub(crate) fn slug(&self) -> Option<&str> {
        self.kind.strip_prefix(Self::PREFIX)
    }

    fn hint(&self) -> Option<Cow<'_, str>> {
        match (&self.hint, self.slug()) {
            (Some(hint), _) => Some(hint.as_str().into()),
            (None, Some("unauthorized")) => {
                Some("the token is that of another node, or was replaced: compare DIR/token, or --token-file".into())
            }
            (None, Some("not-ready")) => Some("the node is starting: `entente status` tells what it waits for".into()),
            (None, Some("busy")) => Some("repeat it a little later".into()),
            _ => None,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail.as_deref().unwrap_or(&self.title))?;
        if let Some(term) = &self.term {
            write!(f, " (term: {term})")?;
        }
        self.errors.iter().try_for_each(|row| write!(f, "; row {}: {}", row.index, row.detail))
    }
}
