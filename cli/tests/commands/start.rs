//! Founding an agency and examining its data directory, with the real program on a real disk.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use entente_node::config::store_dir;
use entente_node::store::{Item, Options, Store, StoreKeys};
use entente_node::vault::Vault;
use entente_protocol::id::Hash;
use entente_protocol::identity::Fingerprint;
use serde_json::Value;
use tempfile::TempDir;

const PASSPHRASE: &str = "correct horse battery staple";

/// A place for a data directory, with a passphrase file beside it.
struct Site {
    dir: TempDir,
}

/// What a command said.
struct Said {
    status: i32,
    out: String,
    err: String,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).expect(&self.out)
    }

    /// The finding of one check of the doctor.
    fn finding(&self, check: &str) -> Value {
        let json = self.json();
        let findings = json["findings"].as_array().unwrap();
        findings.iter().find(|finding| finding["check"] == check).expect(&self.out).clone()
    }
}

impl Site {
    fn new() -> Self {
        let site = Self { dir: TempDir::new().unwrap() };
        site.write_passphrase(PASSPHRASE);
        site
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn write_passphrase(&self, passphrase: &str) {
        let path = self.dir.path().join("passphrase");
        fs::write(&path, format!("{passphrase}\n")).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    }

    /// Runs a command; a passphrase is given only as these arguments say.
    fn bare(&self, args: &[&str]) -> Said {
        let output = Command::new(env!("CARGO_BIN_EXE_entente"))
            .args(args)
            .current_dir(self.dir.path())
            .env_clear()
            .env("ENTENTE_DATA", "data")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Said { status: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    fn entente(&self, args: &[&str]) -> Said {
        self.bare(&[args, &["--passphrase-file", "passphrase"]].concat())
    }

    fn init(&self, more: &[&str]) -> Said {
        self.entente(&[&INIT[..], more].concat())
    }

    /// An exercise agency with something in its store; gives the journal's first segment.
    fn with_store(&self) -> PathBuf {
        assert_eq!(self.init(&["--exercise"]).status, 0);
        let dir = store_dir(&self.data());
        let secrets = Vault::of(&self.data()).open_node(PASSPHRASE).unwrap();
        let keys = StoreKeys { index: secrets.index, records: secrets.records };
        let store = Store::open(&dir, &keys, Options::default(), &mut |_| ()).unwrap();
        for n in 0..20_u8 {
            let bytes = vec![n; 500];
            let item = Item::Object { scope: Hash([1; 32]), kind: 1, hash: Hash([n; 32]), bytes };
            store.commit(vec![item]).unwrap();
        }
        store.close().unwrap();
        let mut segments: Vec<_> =
            fs::read_dir(dir.join("federation")).unwrap().map(|entry| entry.unwrap().path()).collect();
        segments.sort();
        segments.remove(0)
    }
}

const INIT: [&str; 9] =
    ["init", "--name", "Cyber Unit A", "--country", "FR", "--kind", "police", "--contact", "soc@example.org"];

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn an_agency_is_founded_once() {
    let site = Site::new();
    let made = site.init(&["--json"]);
    assert_eq!((made.status, made.err.as_str()), (0, ""));
    let told = made.json();
    let mut keys: Vec<_> = told.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["api", "data", "fingerprint", "id", "listen", "qr"]);
    let fingerprint = Fingerprint::of(told["id"].as_str().unwrap().parse().unwrap());
    assert_eq!(
        (&told["fingerprint"], &told["qr"]),
        (&fingerprint.to_string().into(), &fingerprint.qr_payload().into())
    );

    let data = site.data();
    assert_eq!((mode(&data), mode(&data.join("keys"))), (0o700, 0o700));
    for file in
        ["token", "token.hash", "entente.toml", "agency.card", "keys/root.age", "keys/recovery.age", "keys/node.age"]
    {
        assert_eq!(mode(&data.join(file)), 0o600, "{file}");
    }
    let card = fs::read(data.join("agency.card")).unwrap();
    let again = site.init(&[]);
    assert_eq!((again.status, again.out.as_str()), (1, ""));
    assert!(again.err.starts_with("error: data already holds an agency\nhint: nothing was changed"), "{}", again.err);
    assert_eq!(fs::read(data.join("agency.card")).unwrap(), card);

    let shown = site.bare(&["card", "show", "--json"]).json();
    assert_eq!((&shown["id"], &shown["mode"]), (&told["id"], &"live".into()));
}

#[test]
fn people_are_told_what_was_made_and_what_to_do() {
    let site = Site::new();
    let live = site.init(&[]).out;
    let id = site.bare(&["card", "show", "--json"]).json()["id"].as_str().unwrap().to_owned();
    let words = Fingerprint::of(id.parse().unwrap()).to_string();
    for part in
        [&id, &words, "founded Cyber Unit A", "live", "data/keys/root.age", "offline", "entente run --data data"]
    {
        assert!(live.contains(part), "{part}: {live}");
    }
    assert!(live.contains("only this machine can reach the node"), "{live}");

    let site = Site::new();
    let place = "/ip4/192.0.2.7/udp/7441/quic-v1";
    let exercise = site.init(&["--exercise", "--listen", place, "--api", "127.0.0.1:7440"]).out;
    for part in ["exercise", place, "127.0.0.1:7440"] {
        assert!(exercise.contains(part), "{part}: {exercise}");
    }
    assert!(!exercise.contains("offline") && !exercise.contains("only this machine"), "{exercise}");
    assert_eq!(site.bare(&["card", "show", "--json"]).json()["mode"], "exercise");
}

#[test]
fn what_no_agency_can_be_founded_with_is_refused_and_nothing_is_made() {
    let site = Site::new();
    let mut lower = INIT;
    lower[4] = "fr";
    let mut kind = INIT;
    kind[6] = "Secret Service";
    let mut nameless = INIT;
    nameless[2] = "";
    for (args, status, error) in [
        (&lower, 2, "a country is two upper-case letters"),
        (&kind, 2, "a kind of agency is a word"),
        (&nameless, 1, "the name has 0 bytes, a card takes 1 to 512"),
    ] {
        let said = site.entente(args);
        assert_eq!(said.status, status, "{}", said.err);
        assert!(said.err.contains(error), "{}", said.err);
    }
    for (more, error) in [
        (&["--listen", "192.0.2.7:7441"][..], "is not a multiaddress"),
        (&["--listen", "/ip4/0.0.0.0/tcp/7441"][..], "hint: give what partners dial with --announce"),
    ] {
        let said = site.init(more);
        assert_eq!(said.status, 1);
        assert!(said.err.contains(error), "{}", said.err);
    }
    let said = site.bare(&INIT);
    assert_eq!(said.status, 1);
    assert!(
        said.err.starts_with("error: no passphrase is given, and there is no terminal to ask at\n"),
        "{}",
        said.err
    );
    assert!(!site.data().exists());
}

#[test]
fn a_remnant_is_told_and_kept() {
    let site = Site::new();
    fs::create_dir_all(site.data().join("keys")).unwrap();
    let said = site.init(&[]);
    assert_eq!(said.status, 1);
    assert!(said.err.starts_with("error: data/keys lies there, but no agency.card\nhint: "), "{}", said.err);
    assert!(!site.data().join("token").exists());
}

#[test]
fn a_fresh_directory_is_sound() {
    let site = Site::new();
    site.init(&[]);
    let said = site.entente(&["doctor", "--json"]);
    assert_eq!((said.status, said.json()["sound"].as_bool()), (0, Some(true)), "{}{}", said.out, said.err);
    assert_eq!(said.finding("keys")["detail"], "they open, and are those of node 1 on the card");
    assert_eq!(said.finding("offline keys")["state"], "note");
    assert_eq!(said.finding("store")["detail"], "empty: the node has not run yet");
    assert!(!store_dir(&site.data()).exists());

    let said = site.entente(&["doctor"]);
    assert!(said.out.starts_with("CHECK") && said.out.contains("move each to an offline storage"), "{}", said.out);
}

#[test]
fn what_is_wrong_around_the_store_is_told_all_at_once() {
    let site = Site::new();
    site.init(&["--exercise"]);
    let data = site.data();
    fs::write(data.join("token"), "another\n").unwrap();
    fs::set_permissions(data.join("keys/node.age"), Permissions::from_mode(0o644)).unwrap();
    let config = fs::read_to_string(data.join("entente.toml")).unwrap();
    fs::write(data.join("entente.toml"), format!("{config}\ncolour = 1\n")).unwrap();
    let said = site.entente(&["doctor", "--json"]);
    assert_eq!((said.status, said.json()["sound"].as_bool()), (1, Some(false)));
    assert_eq!(said.err, "error: 3 faults found\nhint: what to do stands beside each\n");
    for (check, part) in [("token", "is not the token of"), ("keys", "mode 0644"), ("configuration", "colour")] {
        let finding = said.finding(check);
        assert_eq!(finding["state"], "fault");
        assert!(finding["detail"].as_str().unwrap().contains(part), "{finding}");
        assert!(!finding["next"].as_str().unwrap().is_empty());
    }

    site.write_passphrase("correct mule");
    let said = site.entente(&["doctor", "--json"]);
    assert_eq!(said.finding("keys")["next"], "repeat it with the right passphrase");
    assert_eq!(said.finding("store")["state"], "fault");
}

#[test]
fn keys_of_another_agency_are_found_out() {
    let (site, other) = (Site::new(), Site::new());
    site.init(&["--exercise"]);
    other.init(&["--exercise"]);
    fs::copy(other.data().join("agency.card"), site.data().join("agency.card")).unwrap();
    let said = site.entente(&["doctor", "--json"]);
    assert_eq!(said.status, 1);
    assert_eq!(said.finding("keys")["detail"], "the keys in keys/node.age are not those that agency.card names");
}

#[test]
fn a_sound_store_is_told_and_its_index_made_anew() {
    let site = Site::new();
    site.with_store();
    let said = site.entente(&["doctor", "--json"]);
    assert_eq!(said.status, 0, "{}{}", said.out, said.err);
    assert_eq!(said.finding("journal")["state"], "sound");
    assert_eq!(said.finding("index")["detail"], "agrees with the journals");
    let said = site.entente(&["doctor", "--rebuild-index", "--json"]);
    assert_eq!(said.status, 0, "{}{}", said.out, said.err);
    assert_eq!(said.finding("index")["detail"], "built anew, and agrees with the journals");
}

#[test]
fn a_damaged_segment_is_told_and_nothing_is_changed() {
    let site = Site::new();
    let segment = site.with_store();
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&segment, &bytes).unwrap();
    let said = site.entente(&["doctor", "--json"]);
    assert_eq!(said.status, 1, "{}{}", said.out, said.err);
    let finding = said.finding("journal");
    let name = segment.file_name().unwrap().to_str().unwrap();
    assert!(finding["detail"].as_str().unwrap().contains(name), "{finding}");
    assert!(finding["next"].as_str().unwrap().starts_with("start the node"), "{finding}");
    assert_eq!(fs::read(&segment).unwrap(), bytes);
}

#[test]
fn a_running_node_is_noticed() {
    let site = Site::new();
    site.with_store();
    let secrets = Vault::of(&site.data()).open_node(PASSPHRASE).unwrap();
    let keys = StoreKeys { index: secrets.index, records: secrets.records };
    let running = Store::open(&store_dir(&site.data()), &keys, Options::default(), &mut |_| ()).unwrap();
    let said = site.entente(&["doctor", "--json"]);
    assert_eq!(said.status, 1);
    assert_eq!(said.finding("store")["next"], "the node is running: stop it, then repeat this");
    drop(running);
    assert_eq!(site.entente(&["doctor"]).status, 0);
}

#[test]
fn a_directory_without_an_agency_is_told_as_such() {
    let site = Site::new();
    for command in ["doctor", "run"] {
        let said = site.entente(&[command]);
        assert_eq!(said.status, 1, "{}", said.err);
    }
    let said = site.entente(&["doctor"]);
    assert_eq!(said.err, "error: data holds no agency\nhint: found one with `entente init`, or compare --data\n");
}
