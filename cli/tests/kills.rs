//! Two nodes that share reports, and of which one or the other is killed at random moments, again and again: nothing
//! that was acknowledged is lost, nothing is there twice or by half.
//!
//! `ENTENTE_KILL_ROUNDS` sets how often; without it, often enough to meet every phase of publishing and admitting.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use reqwest::blocking::{Client, Response};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How often a node is killed.
const ROUNDS: u64 = 50;

/// Reports filed together: all of them are there, or none.
const TOGETHER: usize = 20;

/// Between two batches, so that others may come in between.
const PAUSE: Duration = Duration::from_millis(1);

/// How long anything may take to come true.
const DEADLINE: Duration = Duration::from_mins(2);

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Waits until there is something.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
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
fn now() -> Instant {
    Instant::now()
}

/// A sequence of numbers that look random, and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// An agency and the process of its node.
struct Agency {
    dir: TempDir,
    client: Client,
    node: Option<Child>,
}

impl Drop for Agency {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Agency {
    fn found(name: &str) -> Agency {
        let dir = TempDir::new().unwrap();
        let passphrase = dir.path().join("passphrase");
        fs::write(&passphrase, "a passphrase of the tests\n").unwrap();
        fs::set_permissions(passphrase, Permissions::from_mode(0o600)).unwrap();
        let client = Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
        let mut agency = Agency { dir, client, node: None };
        let contact = ["--country", "FR", "--kind", "police", "--contact", "soc@example.org", "--exercise"];
        agency.run(&[&["init", "--name", name], &contact[..]].concat());
        agency.start();
        agency
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_entente"));
        command.args(args).env_clear().env("ENTENTE_DATA", self.data());
        command.env("ENTENTE_PASSPHRASE_FILE", self.dir.path().join("passphrase")).stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn value(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.run(&[args, &["--json"]].concat())).unwrap()
    }

    fn start(&mut self) {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.dir.path().join("log")).unwrap();
        self.node = Some(self.command(&["run"]).stdout(Stdio::null()).stderr(log).spawn().unwrap());
        until("the node is ready", || self.get("/readyz").filter(|answer| answer.status().is_success()));
    }

    fn kill(&mut self) {
        if let Some(mut node) = self.node.take() {
            node.kill().unwrap();
            node.wait().unwrap();
        }
    }

    fn stop(&mut self) {
        let node = self.node.as_mut().unwrap();
        let pid = rustix::process::Pid::from_child(node);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(node.wait().unwrap().success());
        self.node = None;
    }

    fn url(&self, path: &str) -> Option<String> {
        let api = fs::read_to_string(self.data().join("api")).ok()?;
        Some(format!("http://{}{path}", api.trim()))
    }

    fn token(&self) -> String {
        fs::read_to_string(self.data().join("token")).unwrap().trim().to_owned()
    }

    fn get(&self, path: &str) -> Option<Response> {
        self.client.get(self.url(path)?).bearer_auth(self.token()).send().ok()
    }

    fn status(&self) -> Value {
        until("the node says how it is", || serde_json::from_str(&self.get("/v1/status")?.text().ok()?).ok())
    }

    fn reports(&self) -> u64 {
        self.status()["store"]["reports"].as_u64().unwrap()
    }

    /// Files a batch until the node says that it did; a node that was killed is asked again, with the same key.
    fn file(&self, number: usize) -> Vec<String> {
        let row = |n: usize| {
            let address = format!("ethereum:0x{:040x}", number * TOGETHER + n);
            json!({ "address": address, "typology": "ransomware", "grading": "B2", "marking": "amber" })
        };
        let body = json!({ "reports": (0..TOGETHER).map(row).collect::<Vec<_>>() }).to_string();
        let answer: Value = until("a batch is filed", || {
            let request = self.client.post(self.url("/v1/reports/batch")?).bearer_auth(self.token());
            let request = request.header("Idempotency-Key", format!("batch-{number}"));
            let answer = request.header("Content-Type", "application/json").body(body.clone()).send().ok()?;
            let text = answer.text().ok()?;
            serde_json::from_str(&text).ok().filter(|answer: &Value| answer["results"].is_array())
        });
        let id = |result: &Value| result["id"].as_str().unwrap_or_else(|| panic!("{result}")).to_owned();
        answer["results"].as_array().unwrap().iter().map(id).collect()
    }

    /// Which report this agency finds on an address.
    fn finds(&self, number: usize) -> Vec<String> {
        let path = format!("/v1/addresses/eip155:1:0x{number:040x}");
        let answer: Value = serde_json::from_str(&self.get(&path).unwrap().text().unwrap()).unwrap();
        let reports = answer["reports"].as_array().unwrap();
        reports.iter().map(|report| report["id"].as_str().unwrap().to_owned()).collect()
    }
}

/// Two agencies that share.
fn world() -> [Agency; 2] {
    let [a, b] = ["Unit A", "Unit B"].map(Agency::found);
    for (one, other) in [(&a, &b), (&b, &a)] {
        let card = other.dir.path().join("card");
        other.run(&["card", "export", card.to_str().unwrap()]);
        let shown = other.value(&["card", "show"]);
        let words = shown.get("agency").unwrap_or(&shown)["fingerprint"].as_str().unwrap().to_owned();
        one.run(&["card", "import", card.to_str().unwrap(), "--fingerprint", &words]);
    }
    let terms = a.dir.path().join("terms.toml");
    fs::write(
        &terms,
        "title = \"Joint\"\npurpose = \"crypto crime\"\nlegal_basis = \"treaty\"\nvalid_from = 2026-01-01\n\
         valid_until = 2099-12-31\nretention_days = 365\nmarking_ceiling = \"amber\"\n\
         statement_kinds = [\"report\", \"revision\"]\ntypologies = []\nstatements_per_day = 10_000_000\n\
         [[party]]\nagency = \"Unit A\"\n[[party]]\nagency = \"Unit B\"\n",
    )
    .unwrap();
    let id = a.value(&["agreement", "propose", terms.to_str().unwrap()])["id"].as_str().unwrap().to_owned();
    let signed = || b.command(&["agreement", "sign", &id, "--yes"]).output().unwrap().status.success().then_some(());
    until("the proposal arrives", signed);
    for agency in [&a, &b] {
        until("the agreement is in force", || (agency.status()["agreements"]["in_force"] == 1).then_some(()));
    }
    [a, b]
}

/// Tells the publisher to end, also when the test fails.
struct Over(AtomicBool);

struct AtTheEnd<'a>(&'a Over);

impl Over {
    fn at_the_end(&self) -> AtTheEnd<'_> {
        AtTheEnd(self)
    }
}

impl Drop for AtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn nodes_that_are_killed_at_any_moment_lose_nothing_and_keep_nothing_by_half() {
    let rounds = std::env::var("ENTENTE_KILL_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let [mut a, mut b] = world();
    let desk = Agency { dir: TempDir::new().unwrap(), client: a.client.clone(), node: None };
    std::os::unix::fs::symlink(a.data(), desk.data()).unwrap();
    let over = Over(AtomicBool::new(false));
    // Whoever holds it knows that no batch is under way.
    let filed: Mutex<Vec<Vec<String>>> = Mutex::new(Vec::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.0.load(Ordering::SeqCst) {
                let mut filed = filed.lock().unwrap();
                let ids = desk.file(filed.len());
                filed.push(ids);
                drop(filed);
                thread::sleep(PAUSE);
            }
        });
        let _over = over.at_the_end();
        let mut dice = Dice(rounds);
        for round in 0..rounds {
            thread::sleep(Duration::from_millis(dice.below(120)));
            let victim = if dice.below(3) == 0 { &mut b } else { &mut a };
            victim.kill();
            victim.start();
            let filed = filed.lock().unwrap();
            let count = (filed.len() * TOGETHER) as u64;
            // What is acknowledged after a start waits in the outbox until the partner was asked.
            let held =
                until(&format!("round {round}: {count} reports"), || Some(a.reports()).filter(|held| *held >= count));
            assert_eq!(held, count, "round {round}: what was acknowledged, once each");
        }
    });
    let filed = filed.into_inner().unwrap();

    let count = (filed.len() * TOGETHER) as u64;
    until("all of it is at the partner", || (b.reports() == count).then_some(()));
    for agency in [&a, &b] {
        assert_eq!(agency.status()["store"]["quarantined"], 0);
        for (number, ids) in filed.iter().enumerate() {
            for (n, id) in ids.iter().enumerate() {
                assert_eq!(agency.finds(number * TOGETHER + n), std::slice::from_ref(id));
            }
        }
    }
    println!("{rounds} kills, {count} reports");
    for agency in [&mut a, &mut b] {
        agency.stop();
        let doctor = agency.value(&["doctor"]);
        assert_eq!(doctor["sound"], true, "{doctor}");
    }
}
