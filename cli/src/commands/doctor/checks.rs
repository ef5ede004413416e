//! What surrounds the store: permissions, configuration, identity, keys, token, clock, room on the disk.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use entente_node::clock;
use entente_node::config::Config;
use entente_node::init::{CARD_FILE, DataIdentityError, TOKEN_FILE, TOKEN_HASH_FILE};
use entente_node::vault::{NodeSecrets, Vault, VaultError};
use entente_protocol::crypto::keyfile::KeyfileError;
use entente_protocol::id::{Hash, Mode};
use entente_protocol::identity::CardExport;
use entente_protocol::time::Time;

use super::Finding;

/// Less room than this, and the next segment of a journal (64 MiB) and a new index may not fit: a fault.
const SCARCE_BYTES: u64 = 256 << 20;
/// Less than this is told.
const LOW_BYTES: u64 = 2 << 30;

const RESTORE: &str = "put it back from the backup of the data directory";

pub(super) fn directory(data: &Path) -> Finding {
    const CHECK: &str = "directory";
    let shown = data.display();
    match fs::metadata(data) {
        Err(error) => Finding::fault(CHECK, format!("{shown}: {error}"), "run this as the user that the node runs as"),
        Ok(found) if found.mode() & 0o077 != 0 => {
            let mode = found.mode() & 0o7777;
            let detail = format!("{shown} can be entered by other users (mode {mode:04o})");
            Finding::note(CHECK, detail, format!("chmod 700 {shown}"))
        }
        Ok(_) => Finding::sound(CHECK, format!("{shown} is its owner's alone")),
    }
}

pub(super) fn configuration(data: &Path) -> Finding {
    const CHECK: &str = "configuration";
    match Config::read(data) {
        Err(error) => {
            let next = "correct that line; config/entente.toml in the sources explains every key";
            Finding::fault(CHECK, error.to_string().trim_end(), next)
        }
        Ok(config) if !config.api.ip().is_loopback() => {
            let detail = format!("the API listens on {}, where the token travels unencrypted", config.api);
            Finding::note(CHECK, detail, "set `api` to 127.0.0.1 and put a TLS proxy before it")
        }
        Ok(config) => Finding::sound(CHECK, format!("API on {}, network on {}", config.api, config.listen.join(" "))),
    }
}

pub(super) fn card(export: Result<&CardExport, &DataIdentityError>) -> Finding {
    const CHECK: &str = "card";
    match export {
        Err(error) => Finding::fault(CHECK, error.to_string(), RESTORE),
        Ok(export) => {
            let card = export.card();
            let (name, serial) = (&card.card().name, card.serial());
            Finding::sound(CHECK, format!("{name}, {}, serial {serial}, {}", card.mode(), card.agency()))
        }
    }
}

/// Whether the keys open, and are those that the card names.
pub(super) fn keys(data: &Path, secrets: &Result<NodeSecrets, VaultError>, export: Option<&CardExport>) -> Finding {
    const CHECK: &str = "keys";
    let secrets = match secrets {
        Ok(secrets) => secrets,
        Err(error @ VaultError::Keyfile { error: KeyfileError::WrongPassphrase, .. }) => {
            return Finding::fault(CHECK, error.to_string(), "repeat it with the right passphrase");
        }
        Err(error) => return Finding::fault(CHECK, error.to_string(), RESTORE),
    };
    if let Some(exposed) = exposed(CHECK, &Vault::of(data).node_file()) {
        return exposed;
    }
    let Some(export) = export else {
        return Finding::note(CHECK, "they open; there is no card to compare them with", "see to the card first");
    };
    let card = export.card().card();
    let (signing, encryption) = (secrets.signing_key().public(), secrets.encryption_secret().public());
    let (transport, agreement) = (secrets.transport_key().public(), secrets.agreement_key().public());
    let node = card
        .nodes
        .iter()
        .find(|node| node.signing == signing && node.encryption == encryption && node.transport.contains(&transport));
    match node {
        Some(node) if card.agreement_keys.iter().any(|entry| entry.key == agreement) => {
            Finding::sound(CHECK, format!("they open, and are those of node {} on the card", node.writer))
        }
        _ => {
            let detail = format!("the keys in keys/node.age are not those that {CARD_FILE} names");
            Finding::fault(CHECK, detail, "put keys and card back from one and the same backup")
        }
    }
}

/// A live agency's roots do not belong on the machine that is on the network.
pub(super) fn roots(data: &Path, export: Option<&CardExport>) -> Option<Finding> {
    const CHECK: &str = "offline keys";
    if export.is_some_and(|export| export.card().mode() == Mode::Exercise) {
        return None;
    }
    let vault = Vault::of(data);
    let here: Vec<_> = [vault.root_file(), vault.recovery_file()].into_iter().filter(|path| path.exists()).collect();
    if here.is_empty() {
        return Some(Finding::sound(CHECK, "neither root lies on this machine"));
    }
    if let Some(exposed) = here.iter().find_map(|path| exposed(CHECK, path)) {
        return Some(exposed);
    }
    let shown: Vec<_> = here.iter().map(|path| path.display().to_string()).collect();
    let detail = format!("still on this machine: {}", shown.join(" and "));
    Some(Finding::note(CHECK, detail, "move each to an offline storage of its own; the node needs neither"))
}

/// The token of this machine's commands is the one that the node takes.
pub(super) fn token(data: &Path) -> Finding {
    const CHECK: &str = "token";
    let (token, hash) = (data.join(TOKEN_FILE), data.join(TOKEN_HASH_FILE));
    let expected = match fs::read_to_string(&hash) {
        Ok(expected) => expected,
        Err(error) => return Finding::fault(CHECK, format!("{}: {error}", hash.display()), RESTORE),
    };
    let text = match fs::read_to_string(&token) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let detail = format!("{} is not there: commands on this machine need --token-file", token.display());
            return Finding::note(CHECK, detail, "nothing, if it was taken away on purpose");
        }
        Err(error) => return Finding::fault(CHECK, format!("{}: {error}", token.display()), RESTORE),
    };
    if Hash::of(&[text.trim().as_bytes()]).to_string() != expected.trim() {
        let detail = format!("{} is not the token of {}", token.display(), hash.display());
        return Finding::fault(CHECK, detail, "put both back from one and the same backup");
    }
    exposed(CHECK, &token).unwrap_or_else(|| Finding::sound(CHECK, "the node takes the token that lies there"))
}

/// A clock that stands before the own card was made is wrong; partners refuse what is dated wrongly.
pub(super) fn clock(export: Option<&CardExport>) -> Finding {
    const CHECK: &str = "clock";
    let now = clock::now();
    match export.map(|export| export.card().card().issued) {
        Some(issued) if now < issued => {
            let detail = format!("the clock says {}, but the own card was made {}", utc(now), utc(issued));
            Finding::fault(CHECK, detail, "set the clock, and keep it by NTP")
        }
        _ => Finding::sound(CHECK, utc(now)),
    }
}

fn utc(time: Time) -> String {
    let moment = i64::try_from(time.ms()).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    moment.map_or_else(|| time.to_string(), |moment| moment.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

pub(super) fn space(data: &Path) -> Finding {
    const CHECK: &str = "room";
    let free = match rustix::fs::statvfs(data) {
        Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize),
        Err(error) => return Finding::fault(CHECK, format!("{}: {error}", data.display()), "see to the file system"),
    };
    let detail = format!("{} MiB free", free >> 20);
    let next = "make room: a node whose disk is full takes no reports";
    match free {
        ..SCARCE_BYTES => Finding::fault(CHECK, detail, next),
        SCARCE_BYTES..LOW_BYTES => Finding::note(CHECK, detail, next),
        _ => Finding::sound(CHECK, detail),
    }
}

/// A secret that others on this machine can read.
fn exposed(check: &'static str, path: &Path) -> Option<Finding> {
    let mode = fs::metadata(path).ok()?.mode() & 0o7777;
    let shown = path.display();
    (mode & 0o077 != 0).then(|| {
        let detail = format!("{shown} can be read by other users (mode {mode:04o})");
        Finding::fault(check, detail, format!("chmod 600 {shown}, and consider it seen"))
    })
}
