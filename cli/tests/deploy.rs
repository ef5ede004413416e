//! What lies in `deploy/`: accepted by the tools that will read it, and run as it stands there, without a container engine.
//!
//! A tool that is missing is told and passed over, and a failure where `ENTENTE_CI` is set.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_yaml_ng::Value;
use tempfile::TempDir;

/// Whom the image runs as.
const NOBODY: u32 = 10001;

/// How often something is looked for that takes a while, a quarter of a second apart.
const TRIES: usize = 240;

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy")
}

/// Runs a tool in the folder; `None` where it is missing.
fn tool(name: &str, args: &[&str]) -> Option<Output> {
    match Command::new(name).args(args).current_dir(deploy()).output() {
        Ok(output) => Some(output),
        Err(error) => {
            assert!(std::env::var_os("ENTENTE_CI").is_none(), "{name}: {error}");
            eprintln!("skipped: {name} is not there ({error})");
            None
        }
    }
}

fn accepted(name: &str, args: &[&str]) {
    if let Some(output) = tool(name, args) {
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{name} {args:?}: {}", String::from_utf8_lossy(&said));
    }
}

#[test]
fn systemd_finds_the_unit_locked_down() {
    accepted("systemd-analyze", &["security", "--offline=yes", "--threshold=20", "entente.service"]);
}

#[test]
fn prometheus_accepts_scraping_and_rules_and_the_rules_fire() {
    accepted("promtool", &["check", "config", "--syntax-only", "prometheus.yml"]);
    accepted("promtool", &["check", "rules", "alerts.yml"]);
    accepted("promtool", &["test", "rules", "alerts.test.yml"]);
}

/// The compose file, with what its anchors stand for in its place.
fn compose() -> Value {
    let text = fs::read_to_string(deploy().join("compose.yaml")).unwrap();
    let mut compose: Value = serde_yaml_ng::from_str(&text).unwrap();
    for _ in 0..2 {
        compose.apply_merge().unwrap();
    }
    compose
}

fn strings(list: &Value) -> Vec<String> {
    list.as_sequence().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

#[test]
fn containers_run_as_nobody_on_a_read_only_root_and_publish_no_port() {
    let compose = compose();
    let services = compose["services"].as_mapping().unwrap();
    assert_eq!(services.len(), 6);
    for (name, service) in services {
        let name = name.as_str().unwrap();
        assert_eq!(service["user"], format!("{NOBODY}:{NOBODY}"), "{name}");
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(strings(&service["cap_drop"]), ["ALL"], "{name}");
        assert_eq!(strings(&service["security_opt"]), ["no-new-privileges:true"], "{name}");
        assert!(service.get("ports").is_none() && service.get("privileged").is_none(), "{name}");
        let agency = name.split('-').next().unwrap();
        assert_eq!(strings(&service["secrets"]), [format!("{agency}-passphrase")], "{name}");
        assert_eq!(strings(&service["volumes"]), [format!("{agency}-data:/data")], "{name}");
    }
    let image = fs::read_to_string(deploy().join("Containerfile")).unwrap();
    let last = image.rsplit("\nFROM ").next().unwrap();
    assert!(last.contains(&format!("\nUSER {NOBODY}:{NOBODY}\n")) && !last.contains("RUN"), "{last}");
    assert!(last.contains("HEALTHCHECK") && last.contains("ENTRYPOINT [\"/usr/bin/entente\"]"));
}

/// One agency of the compose file, in a plain directory.
struct Agency {
    root: PathBuf,
    found: Vec<String>,
    run: Vec<String>,
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

/// Without privileges: as the user of the image where this is root, else as whoever this is.
fn plain(program: &Path) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let (user, group) = (format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"));
    let mut command = Command::new("setpriv");
    command
        .args([&user, &group, "--clear-groups", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"])
        .arg(program);
    command
}

impl Agency {
    fn command(&self, args: &[String]) -> Command {
        let mut command = plain(&self.root.join("../entente"));
        command.args(args).env_clear().current_dir(self.root.join("data")).stdin(Stdio::null());
        command.env("ENTENTE_DATA", self.root.join("data/entente"));
        command.env("ENTENTE_PASSPHRASE_FILE", self.root.join("secret"));
        command
    }

    fn attempt(&self, args: &[&str]) -> Result<String, String> {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        let output = self.command(&args).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }

    fn say(&self, args: &[&str]) -> String {
        self.attempt(args).unwrap_or_else(|error| panic!("{args:?}: {error}"))
    }

    fn until(&self, args: &[&str], expected: &str) -> String {
        let mut last = Err(String::new());
        for _ in 0..TRIES {
            last = self.attempt(args);
            if let Ok(said) = &last
                && said.contains(expected)
            {
                return said.clone();
            }
            std::thread::sleep(Duration::from_millis(250));
        }
        panic!("{args:?} never said {expected:?}: {last:?}")
    }
}

/// The agencies of the compose file: a port for each name and transport, on loopback.
fn agencies(dir: &Path) -> BTreeMap<String, Agency> {
    let compose = compose();
    let mut agencies = BTreeMap::new();
    for name in ["a", "b", "c"] {
        let service = |suffix: &str| &compose["services"][format!("{name}{suffix}").as_str()];
        let root = dir.join(name);
        fs::create_dir_all(root.join("data")).unwrap();
        fs::write(root.join("secret"), "a passphrase of the tests\n").unwrap();
        for (path, mode) in [("data", 0o700), ("secret", 0o400)] {
            fs::set_permissions(root.join(path), Permissions::from_mode(mode)).unwrap();
            if rustix::process::geteuid().is_root() {
                chown(root.join(path), Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        let script = strings(&service("-found")["entrypoint"]);
        assert!(script[2].contains("exec /usr/bin/entente init"), "{script:?}");
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let here = |arg: String| {
            arg.replace("/ip4/0.0.0.0/", "/ip4/127.0.0.1/")
                .replace(&format!("/dns4/{name}/"), "/ip4/127.0.0.1/")
                .replace("udp/7441", &format!("udp/{udp}"))
                .replace("tcp/7441", &format!("tcp/{tcp}"))
        };
        let arguments = strings(&service("-found")["command"]).into_iter().map(here);
        let found = std::iter::once("init".to_owned()).chain(arguments).collect();
        let run = strings(&service("")["command"]);
        agencies.insert(name.to_owned(), Agency { root, found, run, node: None });
    }
    agencies
}

#[test]
fn the_agencies_of_the_compose_file_share_as_an_unprivileged_user() {
    if rustix::process::geteuid().is_root() && tool("setpriv", &["--version"]).is_none() {
        return;
    }
    let dir = TempDir::new().unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_entente"), dir.path().join("entente")).unwrap();
    let mut agencies = agencies(dir.path());
    for agency in agencies.values_mut() {
        let founded = agency.command(&agency.found).output().unwrap();
        assert!(founded.status.success(), "{}", String::from_utf8_lossy(&founded.stderr));
        agency.node = Some(agency.command(&agency.run).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        agency.until(&["status"], "");
    }
    // As the page says: cards, fingerprints, then an agreement.
    for (name, agency) in &agencies {
        for (_, other) in agencies.iter().filter(|(other, _)| *other != name) {
            let card = agency.root.join("data").join("partner.card");
            fs::write(&card, other.say(&["card", "export", "-"])).unwrap();
            let shown: serde_json::Value = serde_json::from_str(&other.say(&["card", "show", "--json"])).unwrap();
            let words = shown.get("agency").unwrap_or(&shown)["fingerprint"].as_str().unwrap().to_owned();
            agency.say(&["card", "import", card.to_str().unwrap(), "--fingerprint", &words]);
        }
    }
    let (a, b, c) = (&agencies["a"], &agencies["b"], &agencies["c"]);
    let terms = a.root.join("data").join("terms.toml");
    fs::write(
        &terms,
        "title = \"Trial\"\npurpose = \"trial\"\nlegal_basis = \"none\"\nvalid_from = 2026-01-01\nvalid_until = 2099-01-01\n\
         retention_days = 30\nmarking_ceiling = \"amber\"\nstatement_kinds = [\"report\"]\ntypologies = []\n\
         [[party]]\nagency = \"Cyber Unit A\"\n[[party]]\nagency = \"FIU B\"\n[[party]]\nagency = \"Prosecutor C\"\n",
    )
    .unwrap();
    let proposed: serde_json::Value =
        serde_json::from_str(&a.say(&["agreement", "propose", terms.to_str().unwrap(), "--json"])).unwrap();
    let id = proposed["id"].as_str().unwrap();
    for agency in [b, c] {
        agency.until(&["agreement", "sign", id, "--yes"], "signed");
    }
    a.until(&["agreement", "show", id, "--json"], "\"in_force\"");
    let address = "bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa";
    a.say(&[
        "report",
        address,
        "--typology",
        "ransomware",
        "--grading",
        "B2",
        "--tlp",
        "amber",
        "--agreement",
        id,
        "--yes",
    ]);
    for agency in [b, c] {
        agency.until(&["lookup", address], "Cyber Unit A");
    }
    // Nothing was written beside the volumes, and all of it belongs to the user of the image.
    for agency in agencies.values() {
        let mut names: Vec<_> = fs::read_dir(&agency.root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["data", "secret"]);
        let owner = fs::metadata(agency.root.join("data/entente/store")).unwrap().uid();
        assert_eq!(owner, fs::metadata(agency.root.join("data")).unwrap().uid());
    }
}
