//! One agency of the exercise: a node in a process of its own, and what its people ask of it over its local API.
//!
//! Everything goes the way of every other user: the commands `entente init` and `entente run`, and HTTP with the
//! token of the data directory. Nothing here reaches around the API.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::error::ExerciseError;
use super::plan::{Draft, Party};
use super::process::{Child, Interrupt, Site, until};
use crate::args::Globals;
use crate::client::{Answer, Client};
use crate::error::CliError;
use crate::output::Output;
use crate::views::{Agreement, Card, Imported, Lookup, Peer, Proposed, Report, Status};

/// How long a node may take from its start to being ready, on a slow and busy machine.
const START: Duration = Duration::from_mins(1);
/// How long one request may take.
const ANSWER_SECONDS: u64 = 120;
/// Reports in one request, the API's own maximum.
pub(super) const BATCH: usize = 500;
/// What the exercise's consultations give as their reason.
const REASON: [(&str, &str); 2] = [("case", "EXERCISE"), ("reason", "exercise")];

/// One agency.
pub(super) struct Agency {
    pub(super) party: Party,
    pub(super) data: PathBuf,
    /// Its agency id, once it runs.
    pub(super) id: String,
    /// Where its API answers.
    pub(super) api: String,
    node: Option<(Child, Client)>,
}

/// What became of one row of a batch.
#[derive(Deserialize)]
pub(super) struct RowResult {
    pub(super) id: Option<String>,
    pub(super) problem: Option<RowProblem>,
}

/// Why a row was refused.
#[derive(Deserialize)]
pub(super) struct RowProblem {
    title: String,
    detail: Option<String>,
}

impl RowProblem {
    pub(super) fn text(self) -> String {
        self.detail.unwrap_or(self.title)
    }
}

#[derive(Deserialize)]
struct BatchResults {
    results: Vec<RowResult>,
}

#[derive(Deserialize)]
struct Filed {
    id: String,
}

impl Agency {
    /// `entente init`: keys, card and configuration, with ports of the loopback that are free.
    pub(super) fn found(party: Party, site: &Site) -> Result<Self, ExerciseError> {
        let profile = party.profile();
        let data = site.of(profile.slug);
        let mut command = Command::new(&site.program);
        command.arg("init").arg("--data").arg(&data).arg("--exercise");
        command.args(["--name", profile.name, "--country", profile.country]);
        command.args(["--kind", profile.kind, "--contact", profile.contact]);
        command.arg("--passphrase-file").arg(&site.passphrase);
        let output =
            command.output().map_err(|source| ExerciseError::System { what: "start `entente init`", source })?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(ExerciseError::Init { party, status: output.status, said });
        }
        Ok(Self { party, data, id: String::new(), api: String::new(), node: None })
    }

    /// `entente run`, with the tap that exercise agencies have; ready when this returns.
    pub(super) fn start(&mut self, site: &Site, out: &Output, interrupt: &Interrupt) -> Result<(), ExerciseError> {
        let mut child = self.spawn(site)?;
        let globals = Globals {
            data: Some(self.data.clone()),
            url: None,
            token_file: None,
            json: false,
            timeout: ANSWER_SECONDS,
        };
        let party = self.party;
        let client = until("a ready node", START, interrupt, || {
            if let Some(status) = child.ended() {
                return Err(ExerciseError::Ended { party, status });
            }
            let client = Client::find(&globals, out).ok();
            Ok(client.filter(|client| client.get(&["readyz"], &[]).is_ok()))
        })?;
        self.node = Some((child, client));
        let status = self.status()?;
        self.id = status.agency.id;
        let path = self.data.join("api");
        let api = std::fs::read_to_string(&path).map_err(|source| ExerciseError::File { path, source })?;
        self.api = format!("http://{}", api.trim());
        Ok(())
    }

    fn spawn(&self, site: &Site) -> Result<Child, ExerciseError> {
        // What a killed node left behind says nothing of the new one.
        let path = self.data.join("api");
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(ExerciseError::File { path, source });
            }
            _ => {}
        }
        let mut command = Command::new(&site.program);
        command.args(["run", "--tap", "--data"]).arg(&self.data).arg("--passphrase-file").arg(&site.passphrase);
        Child::start(command, &self.log())
    }

    /// Where the node's output goes.
    pub(super) fn log(&self) -> PathBuf {
        self.data.join("node.log")
    }

    /// Where the node records what partners sent it.
    pub(super) fn tap(&self) -> PathBuf {
        self.data.join("tap")
    }

    /// SIGKILL; the process that was.
    pub(super) fn kill(&mut self) -> Result<Option<u32>, ExerciseError> {
        let Some((child, _)) = self.node.take() else { return Ok(None) };
        let id = child.id();
        child.kill().map(|()| Some(id))
    }

    /// Takes the running node out, to end it.
    pub(super) fn take_node(&mut self) -> Option<Child> {
        self.node.take().map(|(child, _)| child)
    }

    pub(super) fn card(&self) -> Result<Card, ExerciseError> {
        self.get(&["v1", "card"], &[])
    }

    /// Imports a card with the fingerprint that its agency read out.
    pub(super) fn import(&self, card: &Card) -> Result<(), ExerciseError> {
        let body = json!({ "card": card.export, "fingerprint": card.agency.fingerprint, "vouched": false });
        self.write::<Imported>(&["v1", "cards"], &body).map(drop)
    }

    pub(super) fn propose(&self, terms: &serde_json::Value) -> Result<Agreement, ExerciseError> {
        self.write::<Proposed>(&["v1", "agreements"], terms).map(|proposed| proposed.agreement)
    }

    /// An agreement, if this agency knows of it.
    pub(super) fn agreement(&self, id: &str) -> Result<Option<Agreement>, ExerciseError> {
        let answer = self.client()?.get(&["v1", "agreements", id], &REASON);
        self.read_known(answer)
    }

    pub(super) fn sign(&self, id: &str) -> Result<(), ExerciseError> {
        self.write::<serde_json::Value>(&["v1", "agreements", id, "signature"], &json!({})).map(drop)
    }

    pub(super) fn status(&self) -> Result<Status, ExerciseError> {
        self.get(&["v1", "status"], &[])
    }

    pub(super) fn peers(&self) -> Result<Vec<Peer>, ExerciseError> {
        let list = self.client()?.list(&["v1", "peers"], &[], usize::MAX).and_then(|items| items.read());
        list.map_err(|error| self.failed(error))
    }

    /// Files up to [`BATCH`] reports; the results are in their order.
    pub(super) fn file_batch(&self, drafts: &[Draft], under: &[&str]) -> Result<Vec<RowResult>, ExerciseError> {
        let body = json!({ "reports": drafts, "agreements": under });
        let BatchResults { results } = self.write(&["v1", "reports", "batch"], &body)?;
        if results.len() == drafts.len() {
            Ok(results)
        } else {
            Err(ExerciseError::Batch { party: self.party, answered: results.len(), asked: drafts.len() })
        }
    }

    /// Files one report; its id.
    pub(super) fn file(&self, draft: &Draft, under: &str) -> Result<String, ExerciseError> {
        let mut body = json!(draft);
        body["agreements"] = json!([under]);
        self.write::<Filed>(&["v1", "reports"], &body).map(|filed| filed.id)
    }

    pub(super) fn retract(&self, report: &str, reason: &str) -> Result<(), ExerciseError> {
        self.write::<serde_json::Value>(&["v1", "reports", report, "retraction"], &json!({ "reason": reason }))
            .map(drop)
    }

    /// One of its own reports, whole.
    pub(super) fn report(&self, id: &str) -> Result<Report, ExerciseError> {
        self.get(&["v1", "reports", id], &REASON)
    }

    pub(super) fn look_up(&self, caip10: &str) -> Result<Lookup, ExerciseError> {
        self.get(&["v1", "addresses", caip10], &REASON)
    }

    /// The same, as the text that came.
    pub(super) fn look_up_text(&self, caip10: &str) -> Result<String, ExerciseError> {
        let answer = self.client()?.get(&["v1", "addresses", caip10], &REASON);
        answer.map(|answer| answer.0).map_err(|error| self.failed(error))
    }

    fn get<T: for<'a> Deserialize<'a>>(&self, path: &[&str], query: &[(&str, &str)]) -> Result<T, ExerciseError> {
        let answer = self.client()?.get(path, query).and_then(|answer| answer.read());
        answer.map_err(|error| self.failed(error))
    }

    fn write<T: for<'a> Deserialize<'a>>(&self, path: &[&str], body: &serde_json::Value) -> Result<T, ExerciseError> {
        let answer = self.client()?.write(path, body).and_then(|answer| answer.read());
        answer.map_err(|error| self.failed(error))
    }

    /// An answer, or nothing where the node knows of no such thing.
    fn read_known<T: for<'a> Deserialize<'a>>(
        &self,
        answer: Result<Answer, CliError>,
    ) -> Result<Option<T>, ExerciseError> {
        match answer {
            Err(CliError::Problem(problem)) if problem.slug() == Some("not-found") => Ok(None),
            answer => answer.and_then(|answer| answer.read()).map(Some).map_err(|error| self.failed(error)),
        }
    }

    fn client(&self) -> Result<&Client, ExerciseError> {
        let running = self.node.as_ref().map(|(_, client)| client);
        running.ok_or_else(|| self.failed(CliError::NotRunning { data: self.data.clone() }))
    }

    fn failed(&self, error: CliError) -> ExerciseError {
        ExerciseError::Api { party: self.party, source: Box::new(error) }
    }
}
