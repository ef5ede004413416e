//! The way to the node: its local API over HTTP with a bearer token.
//!
//! The address and the token lie in the data directory (`DIR/api`, `DIR/token`) or are named by `--url` and
//! `--token-file`. The token goes nowhere else: no proxy of the environment is asked, no redirect is followed,
//! and a token of the data directory is never sent to a `--url`. Answers are bounded, and kept as the text that
//! came, so that `--json` passes on what the node said, with keys that this version does not know.
//! Deliberately absent: TLS. The API listens on loopback; what leads there from elsewhere is the agency's own.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use reqwest::blocking::{Client as Http, RequestBuilder, Response};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Url, redirect};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::args::Globals;
use crate::error::{CliError, Problem};
use crate::output::Output;

/// An answer that is read at once: a page of 500 reports of 64 KiB each is half of it.
const ANSWER_BYTES: u64 = 64 << 20;
/// What the files `api` and `token` hold is one line.
const SMALL_FILE_BYTES: usize = 1024;
/// Items asked for in one page; the node's own maximum.
const PAGE: usize = 500;
/// How long to wait when a busy node does not say.
const BUSY_WAIT: Duration = Duration::from_secs(1);

/// A node's local API.
pub(crate) struct Client {
    http: Http,
    base: Url,
    token: Zeroizing<String>,
    timeout: Duration,
}

/// An answer in JSON, as the text that came.
pub(crate) struct Answer(pub(crate) String);

impl Answer {
    pub(crate) fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, CliError> {
        Ok(serde_json::from_str(&self.0)?)
    }
}

/// The items of a list, and whether there are more of them than were asked for.
pub(crate) struct Items {
    pub(crate) items: Vec<Box<RawValue>>,
    pub(crate) more: bool,
}

impl Items {
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<Vec<T>, CliError> {
        self.items.iter().map(|item| Ok(serde_json::from_str(item.get())?)).collect()
    }
}

/// One page of a list.
#[derive(Deserialize)]
struct Page {
    items: Vec<Box<RawValue>>,
    next: Option<String>,
}

impl Client {
    /// Finds the node that the command line names; does not talk to it yet.
    pub(crate) fn find(globals: &Globals, out: &Output) -> Result<Self, CliError> {
        let (base, token_file) = match (&globals.url, &globals.data) {
            (Some(url), _) => {
                let token_file = globals.token_file.clone().ok_or(CliError::UrlWithoutToken)?;
                (parse_base(url)?, token_file)
            }
            (None, Some(data)) => {
                let token_file = globals.token_file.clone().unwrap_or_else(|| data.join("token"));
                (read_api(data)?, token_file)
            }
            (None, None) => return Err(CliError::NoNode),
        };
        if !is_loopback(&base) {
            out.warn(&format!("the token and all answers travel unencrypted to {base}"));
        }
        let timeout = Duration::from_secs(globals.timeout);
        let http = Http::builder()
            .user_agent(concat!("entente/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .redirect(redirect::Policy::none())
            .timeout(timeout)
            .build()
            .map_err(CliError::Client)?;
        Ok(Self { http, base, token: read_token(&token_file, out)?, timeout })
    }

    /// `GET`, with the path in segments, which are escaped here.
    pub(crate) fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Answer, CliError> {
        let url = self.url(path, query);
        let response = self.send(|| self.http.get(url.clone()))?;
        self.whole(response)
    }

    /// A list, page after page, up to `limit` items.
    pub(crate) fn list(&self, path: &[&str], query: &[(&str, &str)], limit: usize) -> Result<Items, CliError> {
        let mut items = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let size = PAGE.min(limit - items.len()).to_string();
            let mut query = query.to_vec();
            query.push(("limit", &size));
            query.extend(after.as_deref().map(|after| ("after", after)));
            let page: Page = self.get(path, &query)?.read()?;
            let room = limit - items.len();
            let more = page.next.is_some() || page.items.len() > room;
            let ended = page.items.is_empty() || page.next.is_none();
            items.extend(page.items.into_iter().take(room));
            if ended || items.len() == limit {
                return Ok(Items { items, more });
            }
            after = page.next;
        }
    }

    /// Every item of a list, page after page, as it comes. A page may be empty before the end.
    pub(crate) fn each(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        mut take: impl FnMut(&RawValue) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        let mut after: Option<String> = None;
        let size = PAGE.to_string();
        loop {
            let mut query = query.to_vec();
            query.push(("limit", &size));
            query.extend(after.as_deref().map(|after| ("after", after)));
            let page: Page = self.get(path, &query)?.read()?;
            page.items.iter().try_for_each(|item| take(item))?;
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }

    /// `DELETE`.
    pub(crate) fn delete(&self, path: &[&str]) -> Result<Answer, CliError> {
        let url = self.url(path, &[]);
        let response = self.send(|| self.http.delete(url.clone()))?;
        self.whole(response)
    }

    /// A write: `POST` with an idempotency key, so that asking a busy node again cannot do it twice.
    pub(crate) fn write(&self, path: &[&str], body: &impl Serialize) -> Result<Answer, CliError> {
        let key = format!("{:032x}", u128::from_be_bytes(entente_node::clock::random()));
        let response = self.post(path, body, Some(&key))?;
        self.whole(response)
    }

    /// A `POST` that only reads, answered line by line; each line is bounded like an answer.
    pub(crate) fn stream(&self, path: &[&str], body: &impl Serialize) -> Result<Lines, CliError> {
        let reader = BufReader::new(self.post(path, body, None)?);
        Ok(Lines { reader, base: self.base.to_string() })
    }

    fn post(&self, path: &[&str], body: &impl Serialize, key: Option<&str>) -> Result<Response, CliError> {
        let url = self.url(path, &[]);
        let body = serde_json::to_vec(body)?;
        self.send(|| {
            let request = self.http.post(url.clone()).header(CONTENT_TYPE, "application/json");
            let request = match key {
                Some(key) => request.header("Idempotency-Key", key),
                None => request,
            };
            request.body(body.clone())
        })
    }

    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        url.path_segments_mut().expect("the base is http, which has a path").clear().extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// Sends; asks a busy node again as long as the timeout allows.
    fn send(&self, request: impl Fn() -> RequestBuilder) -> Result<Response, CliError> {
        let mut left = self.timeout;
        loop {
            let response =
                request().bearer_auth(self.token.as_str()).send().map_err(|error| self.unanswered(&error))?;
            if response.status().is_success() {
                return Ok(response);
            }
            let wait = retry_after(&response);
            let problem = self.problem(response)?;
            match left.checked_sub(wait) {
                Some(rest) if problem.slug() == Some("busy") => left = rest,
                _ => return Err(CliError::Problem(Box::new(problem))),
            }
            thread::sleep(wait);
        }
    }

    fn unanswered(&self, error: &reqwest::Error) -> CliError {
        let base = self.base.to_string();
        if error.is_connect() {
            CliError::Unreachable { base }
        } else if error.is_timeout() {
            CliError::Timeout { base, seconds: self.timeout.as_secs() }
        } else {
            CliError::Broken { base }
        }
    }

    fn problem(&self, response: Response) -> Result<Problem, CliError> {
        let status = response.status().as_u16();
        let foreign = || CliError::Foreign { base: self.base.to_string(), status };
        let answer = self.whole(response)?;
        let problem: Problem = answer.read().map_err(|_| foreign())?;
        if problem.slug().is_some() { Ok(problem) } else { Err(foreign()) }
    }

    fn whole(&self, response: Response) -> Result<Answer, CliError> {
        let mut text = Vec::new();
        let read = response.take(ANSWER_BYTES + 1).read_to_end(&mut text);
        read.map_err(|_| CliError::Broken { base: self.base.to_string() })?;
        if text.len() as u64 > ANSWER_BYTES {
            return Err(CliError::AnswerTooLong { limit: ANSWER_BYTES });
        }
        Ok(Answer(String::from_utf8_lossy(&text).into_owned()))
    }
}

/// The lines of a streamed answer.
pub(crate) struct Lines {
    reader: BufReader<Response>,
    base: String,
}

impl Iterator for Lines {
    type Item = Result<Answer, CliError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = Vec::new();
        let limited = self.reader.by_ref().take(ANSWER_BYTES + 1).read_until(b'\n', &mut line);
        match limited {
            Ok(0) => None,
            Ok(_) if line.len() as u64 > ANSWER_BYTES => Some(Err(CliError::AnswerTooLong { limit: ANSWER_BYTES })),
            Ok(_) => Some(Ok(Answer(String::from_utf8_lossy(&line).into_owned()))),
            Err(_) => Some(Err(CliError::Broken { base: self.base.clone() })),
        }
    }
}

fn retry_after(response: &Response) -> Duration {
    let header = response.headers().get(RETRY_AFTER);
    let seconds = header.and_then(|value| value.to_str().ok()?.parse().ok());
    seconds.map_or(BUSY_WAIT, |seconds: u64| Duration::from_secs(seconds.max(1)))
}

fn parse_base(url: &str) -> Result<Url, CliError> {
    let refused = || CliError::Url { url: url.to_owned() };
    let base = Url::parse(url).map_err(|_| refused())?;
    let plain = base.scheme() == "http"
        && base.host().is_some()
        && base.path() == "/"
        && base.query().is_none()
        && base.fragment().is_none()
        && base.username().is_empty()
        && base.password().is_none();
    if plain { Ok(base) } else { Err(refused()) }
}

fn is_loopback(base: &Url) -> bool {
    match base.host_str() {
        Some("localhost") => true,
        Some(host) => {
            host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        None => false,
    }
}

/// The address that a running node leaves in its data directory.
fn read_api(data: &Path) -> Result<Url, CliError> {
    let path = data.join("api");
    let text = match read_line(&path) {
        Err(CliError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            return Err(CliError::NotRunning { data: data.to_owned() });
        }
        other => other?.0,
    };
    let address: SocketAddr = text.parse().map_err(|_| CliError::ApiForm { path: path.clone() })?;
    parse_base(&format!("http://{address}")).map_err(|_| CliError::ApiForm { path })
}

fn read_token(path: &Path, out: &Output) -> Result<Zeroizing<String>, CliError> {
    let (token, mode) = read_line(path)?;
    if mode & 0o077 != 0 {
        out.warn(&format!("{} can be read by other users (mode {:04o}): chmod 600 it", path.display(), mode & 0o7777));
    }
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(CliError::TokenForm { path: path.to_owned() });
    }
    Ok(token)
}

/// A small file's text without white space around it, and the file's mode.
fn read_line(path: &Path) -> Result<(Zeroizing<String>, u32), CliError> {
    let failed = |source| CliError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.mode();
    let mut text = Zeroizing::new(String::with_capacity(SMALL_FILE_BYTES + 1));
    file.take(SMALL_FILE_BYTES as u64 + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() > SMALL_FILE_BYTES {
        return Err(CliError::TooLong { path: path.to_owned(), limit: SMALL_FILE_BYTES as u64 });
    }
    Ok((Zeroizing::new(text.trim().to_owned()), mode))
}
