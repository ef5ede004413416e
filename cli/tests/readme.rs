//! The commands of the README's "Run a node", run as they stand there, by two agencies on this machine.
//!
//! Each line goes through a shell. Only what the README leaves open is filled in: `DIR`, `ID`, `REF`, and what is
//! cut with `…`. People answer questions at a terminal; here `--yes` does, and a passphrase file speaks for them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

const README: &str = include_str!("../../README.md");
const ADDRESS: &str = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq";

/// How often a command is tried that waits for something to arrive, a quarter of a second apart.
const TRIES: usize = 240;

/// The commands of the section, in order.
fn commands() -> Vec<&'static str> {
    let section = README.split("\n## ").find(|section| section.starts_with("Run a node\n")).unwrap();
    let blocks = section.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
    blocks.flat_map(str::lines).collect()
}

/// An agency: its letter, its directory, its node, and the variables that its operator set.
struct Agency {
    letter: char,
    desk: PathBuf,
    data: Option<PathBuf>,
    node: Option<Child>,
}

impl Drop for Agency {
    fn drop(&mut self) {
        if let Some(mut node) = self.node.take() {
            node.kill().unwrap();
            node.wait().unwrap();
        }
    }
}

impl Agency {
    fn new(letter: char, desk: &Path) -> Agency {
        Agency { letter, desk: desk.to_owned(), data: None, node: None }
    }

    fn dir(&self) -> PathBuf {
        self.desk.join(format!("data-{}", self.letter))
    }

    fn shell(&self, line: &str) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_entente"));
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", line]).current_dir(&self.desk).env_clear();
        shell.env("PATH", program.parent().unwrap()).env("ENTENTE_PASSPHRASE_FILE", self.desk.join("passphrase"));
        shell.envs(self.data.iter().map(|data| ("ENTENTE_DATA", data))).stdin(Stdio::null());
        shell
    }

    /// Runs a line; what it printed, if it went well.
    fn attempt(&self, line: &str) -> Result<String, String> {
        let output = self.shell(line).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }

    fn run(&self, line: &str) -> String {
        self.attempt(line).unwrap_or_else(|error| panic!("{}: {line}: {error}", self.letter))
    }

    /// Runs a line until it prints what is waited for.
    fn wait(&self, line: &str, expected: &str) -> String {
        let mut last = Err(String::new());
        for _ in 0..TRIES {
            last = self.attempt(line);
            if let Ok(text) = &last
                && text.contains(expected)
            {
                return text.clone();
            }
            std::thread::sleep(Duration::from_millis(250));
        }
        panic!("{}: {line}: never printed {expected:?}: {last:?}", self.letter)
    }

    /// A field of this agency's card.
    fn card(&self, field: &str) -> String {
        let shown: Value = serde_json::from_str(&self.run("entente card show --json")).unwrap();
        shown.get("agency").unwrap_or(&shown)[field].as_str().unwrap().to_owned()
    }

    /// A line of A's, as this agency writes it.
    fn own(&self, line: &str) -> String {
        let upper = self.letter.to_uppercase();
        let dir = self.dir();
        line.replace("Unit A", &format!("Unit {upper}"))
            .replace("a.card", &format!("{}.card", self.letter))
            .replace("DIR", dir.to_str().unwrap())
    }
}

fn terms(a: &Agency, b: &Agency) -> String {
    format!(
        "title = \"Joint\"\npurpose = \"crypto crime\"\nlegal_basis = \"treaty\"\nvalid_from = 2026-01-01\n\
         valid_until = 2099-12-31\nretention_days = 365\nmarking_ceiling = \"amber\"\n\
         statement_kinds = [\"report\", \"revision\"]\ntypologies = []\n\
         [[party]]\nagency = \"{}\"\n[[party]]\nagency = \"{}\"\n",
        a.card("id"),
        b.card("id"),
    )
}

fn check_terms(a: &Agency, b: &Agency, desk: &Path, line: &str) {
    fs::write(desk.join("terms.toml"), terms(a, b)).unwrap();
    assert!(a.run(line).contains("Under \"Joint\""));
}

#[test]
fn the_commands_of_the_readme_work() {
    let desk = TempDir::new().unwrap();
    let passphrase = desk.path().join("passphrase");
    fs::write(&passphrase, "correct horse battery staple\n").unwrap();
    fs::set_permissions(&passphrase, Permissions::from_mode(0o600)).unwrap();
    let (mut a, mut b) = (Agency::new('a', desk.path()), Agency::new('b', desk.path()));
    let mut id = String::new();
    let commands = commands();
    assert!(commands.len() > 10, "{commands:?}");
    for line in commands {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["export", assignment] => {
                assert_eq!(assignment, "ENTENTE_DATA=DIR");
                for agency in [&mut a, &mut b] {
                    agency.data = Some(agency.dir());
                }
            }
            ["entente", "run", ..] => {
                for agency in [&mut a, &mut b] {
                    let exec = format!("exec {}", agency.own(line));
                    let mut node = agency.shell(&exec);
                    agency.node = Some(node.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
                    agency.wait(&agency.own("entente status --data DIR"), "");
                }
            }
            ["entente", "init", ..] | ["entente", "card", "show" | "export", ..] => {
                for agency in [&a, &b] {
                    agency.run(&agency.own(line));
                }
            }
            ["entente", "card", "import", "b.card", ..] => {
                a.run(&line.replace('…', &b.card("fingerprint")));
                b.run(&line.replace("b.card", "a.card").replace('…', &a.card("fingerprint")));
            }
            ["entente", "agreement", "check", "terms.toml"] => check_terms(&a, &b, desk.path(), line),
            ["entente", "agreement", "propose", "terms.toml"] => {
                let proposed: Value = serde_json::from_str(&a.run(&format!("{line} --json"))).unwrap();
                proposed["id"].as_str().unwrap().clone_into(&mut id);
            }
            ["entente", "agreement", "list"] => drop(b.wait(line, &id[..8])),
            ["entente", "agreement", "explain", "ID"] => drop(b.run(&line.replace("ID", &id))),
            ["entente", "agreement", "sign", "ID"] => {
                b.wait(&format!("{} --yes", line.replace("ID", &id)), "");
                a.wait(&format!("entente agreement show {id} --json"), "in_force");
            }
            ["entente", "report", ..] => {
                let line = line.replace("ID", &id).replace("bc1q…", ADDRESS).replace("REF", "2026/17");
                a.run(&format!("{line} --yes"));
            }
            ["entente", "lookup", "ADDRESS…", ..] => {
                let line = line.replace("ADDRESS…", &format!("bitcoin:{ADDRESS}")).replace("REF", "2026/17");
                b.wait(&line.replace('…', "an arrest"), "Cyber Unit A");
            }
            ["entente", "lookup", "--file", "addresses.txt", ..] => {
                fs::write(desk.path().join("addresses.txt"), format!("bitcoin:{ADDRESS}\n")).unwrap();
                let answer = b.run(line);
                let mut lines = answer.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
                let found = lines.next().unwrap();
                assert_eq!(lines.next().unwrap()["known"], 1);
                assert_eq!(found["reports"][0]["originator"]["name"], "Cyber Unit A");
                assert_eq!(found["distinct_originators"], 1);
            }
            _ => files_come_and_go(&a, desk.path(), &line.replace("ID", &id)),
        }
    }
    for agency in [&a, &b] {
        agency.run("entente peers");
        agency.run("entente status");
    }
}

/// The commands that read and write others' files.
fn files_come_and_go(agency: &Agency, desk: &Path, line: &str) {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        ["entente", "import", "FILE", ..] => {
            let file = "address,chain\nTR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t,tron\n";
            fs::write(desk.join("victims.csv"), file).unwrap();
            assert!(agency.run(&line.replace("FILE", "victims.csv")).contains("1 rows: 1 accepted"));
        }
        ["entente", "benign", "import", "exchanges.csv", ..] => {
            fs::write(desk.join("exchanges.csv"), format!("address,label\n{ADDRESS},Exchange\n")).unwrap();
            assert!(agency.run(line).contains("1 entries of 1 rows"));
        }
        ["entente", "export", ..] => {
            agency.run(line);
            let bundle: Value = serde_json::from_slice(&fs::read(desk.join("reports.json")).unwrap()).unwrap();
            assert_eq!(bundle["type"], "bundle");
        }
        ["entente", "bundle", ..] => drop(agency.run(line)),
        _ => panic!("the README has a command that this test does not know: {line}"),
    }
}
