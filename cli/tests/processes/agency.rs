//! An agency with its data directory, the process of its node, and agreements with others.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use reqwest::blocking::{Client, Response};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::internet::Host;

/// Reports filed together: all of them are there, or none.
pub(crate) const TOGETHER: usize = 20;

/// How long anything may take to come true.
const DEADLINE: Duration = Duration::from_mins(3);

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The machine's: these tests take turns, since each fills it.
static MACHINE: Mutex<()> = Mutex::new(());

/// To be held while a test runs.
pub(crate) fn machine() -> MutexGuard<'static, ()> {
    MACHINE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until there is something.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < DEADLINE, "never came true: {what}");
        thread::sleep(LOOK_EVERY);
    }
}

#[expect(clippy::disallowed_methods, reason = "the deadline of a test is real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// An agency and the process of its node.
pub(crate) struct Agency {
    dir: TempDir,
    client: Client,
    host: Option<Host>,
    node: Option<Child>,
}

impl Drop for Agency {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Agency {
    /// An agency with a running node on loopback.
    pub(crate) fn found(name: &str) -> Agency {
        Agency::found_with(name, None, &[])
    }

    /// An agency whose node runs on a host of its own.
    pub(crate) fn found_at(name: &str, host: Host) -> Agency {
        let [all, told] = [addresses("0.0.0.0"), addresses(&host.address(0))];
        let options = all.iter().map(|address| ["--listen", address]);
        let options: Vec<&str> = options.chain(told.iter().map(|address| ["--announce", address])).flatten().collect();
        Agency::found_with(name, Some(host), &options)
    }

    /// Starts the node anew with other addresses to tell partners.
    pub(crate) fn announce(&mut self, from: &str, to: &str) {
        self.stop();
        let config = self.data().join("entente.toml");
        let text = fs::read_to_string(&config).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(&config, text.replace(from, to)).unwrap();
        self.start();
    }

    fn found_with(name: &str, host: Option<Host>, more: &[&str]) -> Agency {
        let dir = TempDir::new().unwrap();
        let passphrase = dir.path().join("passphrase");
        fs::write(&passphrase, "a passphrase of the tests\n").unwrap();
        fs::set_permissions(passphrase, Permissions::from_mode(0o600)).unwrap();
        let client = || Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
        let client = host.as_ref().map_or_else(client, |host| host.inside(client));
        let mut agency = Agency { dir, client, host, node: None };
        let contact = ["--country", "FR", "--kind", "police", "--contact", "soc@example.org", "--exercise"];
        agency.run(&[&["init", "--name", name], &contact[..], more].concat());
        agency.start();
        agency
    }

    /// The same agency for another thread, without its process.
    pub(crate) fn desk(&self) -> Agency {
        let desk = Agency { dir: TempDir::new().unwrap(), client: self.client.clone(), host: None, node: None };
        std::os::unix::fs::symlink(self.data(), desk.data()).unwrap();
        desk
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let program = env!("CARGO_BIN_EXE_entente");
        let mut command = match &self.host {
            Some(host) => host.command(program),
            None => Command::new(program),
        };
        command.args(args).env("ENTENTE_DATA", self.data()).stdin(Stdio::null());
        command.env("ENTENTE_PASSPHRASE_FILE", self.dir.path().join("passphrase"));
        command
    }

    /// What a command prints; it must end well.
    pub(crate) fn run(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The same, as JSON.
    pub(crate) fn value(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.run(&[args, &["--json"]].concat())).unwrap()
    }

    /// Starts the node and waits until it is ready.
    pub(crate) fn start(&mut self) {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.dir.path().join("log")).unwrap();
        self.node = Some(self.command(&["run"]).stdout(Stdio::null()).stderr(log).spawn().unwrap());
        until("the node is ready", || self.get("/readyz").filter(|answer| answer.status().is_success()));
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        if let Some(mut node) = self.node.take() {
            node.kill().unwrap();
            node.wait().unwrap();
        }
    }

    /// SIGTERM, to an end without an error.
    pub(crate) fn stop(&mut self) {
        let node = self.node.as_mut().unwrap();
        let pid = rustix::process::Pid::from_child(node);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(node.wait().unwrap().success());
        self.node = None;
    }

    /// Stops the node and looks whether all it left is sound.
    pub(crate) fn stop_sound(&mut self) {
        self.stop();
        let doctor = self.value(&["doctor"]);
        assert_eq!(doctor["sound"], true, "{doctor}");
    }

    /// Resident memory of the node, MB.
    pub(crate) fn resident_mb(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.node.as_ref().unwrap().id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1000
    }

    /// The address of the node's API, for a client of one's own.
    pub(crate) fn url(&self, path: &str) -> Option<String> {
        let api = fs::read_to_string(self.data().join("api")).ok()?;
        Some(format!("http://{}{path}", api.trim()))
    }

    pub(crate) fn token(&self) -> String {
        fs::read_to_string(self.data().join("token")).unwrap().trim().to_owned()
    }

    fn get(&self, path: &str) -> Option<Response> {
        self.client.get(self.url(path)?).bearer_auth(self.token()).send().ok()
    }

    /// What the node answers at a path.
    pub(crate) fn answer(&self, path: &str) -> Value {
        until(path, || serde_json::from_str(&self.get(path)?.text().ok()?).ok())
    }

    /// How the node is.
    pub(crate) fn status(&self) -> Value {
        self.answer("/v1/status")
    }

    /// A number of what the store holds.
    pub(crate) fn holds(&self, what: &str) -> u64 {
        self.status()["store"][what].as_u64().unwrap()
    }

    /// Where a partner says that it can be dialled.
    pub(crate) fn addresses_of(&self, partner: &str) -> String {
        let peers = self.answer("/v1/peers?limit=500");
        let found = peers["items"].as_array().unwrap().iter().find(|peer| peer["agency"]["name"] == partner);
        found.unwrap()["addresses"].to_string()
    }

    /// How far each partner is behind and ahead, in entries over all agreements, by name.
    pub(crate) fn partners(&self) -> Vec<(String, u64, u64)> {
        let peers = self.answer("/v1/peers?limit=500");
        let row = |peer: &Value| {
            let of = |what| -> u64 {
                let agreements = peer["agreements"].as_array().unwrap();
                agreements.iter().map(|agreement| agreement[what].as_u64().unwrap()).sum()
            };
            (peer["agency"]["name"].as_str().unwrap().to_owned(), of("lag"), of("behind"))
        };
        peers["items"].as_array().unwrap().iter().map(row).collect()
    }

    /// Files the batch of a number until the node says that it did; a node that was killed is asked again, with the
    /// same key.
    pub(crate) fn file(&self, number: usize) -> Vec<String> {
        self.file_rows(number * TOGETHER, TOGETHER)
    }

    /// Files so many reports from a number on, one on each address.
    pub(crate) fn file_rows(&self, first: usize, count: usize) -> Vec<String> {
        let row = |n: usize| {
            let address = format!("ethereum:{}", address(n));
            json!({ "address": address, "typology": "ransomware", "grading": "B2", "marking": "amber" })
        };
        let body = json!({ "reports": (first..first + count).map(row).collect::<Vec<_>>() }).to_string();
        let answer: Value = until("a batch is filed", || {
            let request = self.client.post(self.url("/v1/reports/batch")?).bearer_auth(self.token());
            let request = request.header("Idempotency-Key", format!("from-{first}"));
            let answer = request.header("Content-Type", "application/json").body(body.clone()).send().ok()?;
            let text = answer.text().ok()?;
            serde_json::from_str(&text).ok().filter(|answer: &Value| answer["results"].is_array())
        });
        let id = |result: &Value| result["id"].as_str().unwrap_or_else(|| panic!("{result}")).to_owned();
        answer["results"].as_array().unwrap().iter().map(id).collect()
    }

    /// Which reports this agency finds on an address.
    pub(crate) fn finds(&self, number: usize) -> Vec<String> {
        let answer = self.answer(&lookup_path(number));
        let reports = answer["reports"].as_array().unwrap();
        reports.iter().map(|report| report["id"].as_str().unwrap().to_owned()).collect()
    }
}

/// The address of a number.
fn address(number: usize) -> String {
    format!("0x{number:040x}")
}

/// Where it is looked up.
pub(crate) fn lookup_path(number: usize) -> String {
    format!("/v1/addresses/eip155:1:{}", address(number))
}

/// Where a node of a host is reached, QUIC first.
fn addresses(host: &str) -> [String; 2] {
    [format!("/ip4/{host}/udp/7441/quic-v1"), format!("/ip4/{host}/tcp/7441")]
}

/// Lets each know all others, and puts one agreement of all into force.
pub(crate) fn ally(agencies: &[&Agency]) {
    for one in agencies {
        for other in agencies.iter().filter(|other| !std::ptr::eq(**other, *one)) {
            introduce(one, other);
        }
    }
    let (first, others) = agencies.split_first().unwrap();
    let names = agencies.iter().map(|agency| name(agency)).collect::<Vec<_>>();
    let id = propose(first, &names);
    for other in others {
        let signed = || other.command(&["agreement", "sign", &id, "--yes"]).output().unwrap().status.success();
        until("the proposal arrives", || signed().then_some(()));
    }
    for agency in agencies {
        until("the agreement is in force", || (agency.status()["agreements"]["in_force"] == 1).then_some(()));
    }
}

fn name(agency: &Agency) -> String {
    agency.status()["agency"]["name"].as_str().unwrap().to_owned()
}

/// Gives one agency the other's card, which was compared.
fn introduce(one: &Agency, other: &Agency) {
    let card = one.dir.path().join(format!("{}.card", name(other)));
    other.run(&["card", "export", card.to_str().unwrap()]);
    let shown = other.value(&["card", "show"]);
    let words = shown.get("agency").unwrap_or(&shown)["fingerprint"].as_str().unwrap().to_owned();
    one.run(&["card", "import", card.to_str().unwrap(), "--fingerprint", &words]);
}

fn propose(first: &Agency, names: &[String]) -> String {
    let terms = first.dir.path().join("terms.toml");
    let parties: Vec<String> = names.iter().map(|name| format!("[[party]]\nagency = \"{name}\"\n")).collect();
    let text = format!(
        "title = \"Joint\"\npurpose = \"crypto crime\"\nlegal_basis = \"treaty\"\nvalid_from = 2026-01-01\n\
         valid_until = 2099-12-31\nretention_days = 365\nmarking_ceiling = \"amber\"\n\
         statement_kinds = [\"report\", \"revision\"]\ntypologies = []\nstatements_per_day = 10_000_000\n{}",
        parties.concat()
    );
    fs::write(&terms, text).unwrap();
    first.value(&["agreement", "propose", terms.to_str().unwrap()])["id"].as_str().unwrap().to_owned()
}
