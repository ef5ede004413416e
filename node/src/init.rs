//! Founding an agency: its keys, its first card, and the data directory of its first node.
//!
//! ```text
//!   keys/root.age, keys/recovery.age, keys/node.age     secrets (vault)
//!   token, token.hash                                   the API token; its SHA-256, which is all that the node reads
//!   entente.toml                                        the configuration
//!   agency.card                                         inception, card and address record: written last
//! ```
//!
//! All that can be refused is refused before the first byte is written, and the card comes last: a directory with a
//! card holds a whole agency, and one without never was one, since no one can have seen its id. Such a remnant is
//! told and not cleared away: what looks like one may be an agency whose card was mislaid, and it holds root keys.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entente_protocol::crypto::sign::SigningKey;
use entente_protocol::id::{AgencyId, Hash, Mode};
use entente_protocol::identity::{
    AddressRecord, AgreementKey, Card, CardExport, Country, Fingerprint, IdentityError, Kind, NodeKeys,
    SignedAddressRecord, SignedCard, SignedInception, Validity,
};
use entente_protocol::limits;
use entente_protocol::time::Time;
use zeroize::Zeroizing;

use crate::clock;
use crate::config::{self, Config, store_dir};
use crate::network;
use crate::vault::{NodeSecrets, Vault, VaultError, sync_dir, write_new};

/// The export of the agency's own card.
pub const CARD_FILE: &str = "agency.card";
/// The API token in clear, for the commands of this machine.
pub const TOKEN_FILE: &str = "token";
/// The SHA-256 of the token, in hex: what the node compares with.
pub const TOKEN_HASH_FILE: &str = "token.hash";

/// The number of an agency's first node.
const FIRST_WRITER: u32 = 1;

/// Ports are drawn below those that systems give to outgoing connections (Linux from 32768, IANA from 49152), so that
/// a port that is free today is not taken by chance at the next start.
const PORTS: std::ops::Range<u16> = 16_384..32_768;

/// How many ports are tried before giving up.
const PORT_TRIES: usize = 64;

/// What an agency is founded with.
#[derive(Clone, Debug)]
pub struct InitOptions {
    /// The data directory.
    pub data: PathBuf,
    /// The agency's name.
    pub name: String,
    /// Its country.
    pub country: Country,
    /// Its kind.
    pub kind: Kind,
    /// How people reach people there.
    pub contact: String,
    /// Whether it exists for exercises only.
    pub exercise: bool,
    /// Multiaddresses to listen on; empty for a free port on loopback.
    pub listen: Vec<String>,
    /// Multiaddresses to tell partners; empty for those listened on.
    pub announce: Vec<String>,
    /// Where the local API listens; `None` for a free port on loopback.
    pub api: Option<SocketAddr>,
    /// What protects the keys.
    pub passphrase: Zeroizing<String>,
}

/// An agency that was founded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Initialised {
    /// Its id.
    pub agency: AgencyId,
    /// What people compare.
    pub fingerprint: Fingerprint,
    /// Where its local API will listen.
    pub api: SocketAddr,
    /// Where its node will listen.
    pub listen: Vec<String>,
    /// Whether partners on other machines can reach it there, as far as the addresses tell.
    pub reachable: bool,
}

/// Why no agency was founded.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// An agency lives here.
    #[error("{} already holds an agency", data.display())]
    Exists {
        /// The data directory.
        data: PathBuf,
    },
    /// Parts of an agency lie here, without its card.
    #[error("{} lies there, but no {CARD_FILE}", found.display())]
    Remnant {
        /// The first part found.
        found: PathBuf,
    },
    /// A text does not fit the card.
    #[error("the {what} has {found} bytes, a card takes 1 to {}", limits::SHORT_TEXT_BYTES)]
    Length {
        /// Which text.
        what: &'static str,
        /// Its length in bytes.
        found: usize,
    },
    /// A text is no multiaddress.
    #[error("{address:?} is not a multiaddress of at most {} bytes", limits::ADDRESS_BYTES)]
    Address {
        /// The text.
        address: String,
    },
    /// Too many addresses.
    #[error("{found} addresses are more than the {} that an address record takes", limits::ADDRESSES_PER_NODE)]
    TooManyAddresses {
        /// How many.
        found: usize,
    },
    /// Nobody can dial "all interfaces".
    #[error("{address} stands for all interfaces, which is nothing that partners can dial")]
    NotDialable {
        /// The address that partners would be told.
        address: String,
    },
    /// The card or the address record breaks a rule of the protocol.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// No port is free.
    #[error("none of {PORT_TRIES} ports tried on 127.0.0.1 is free: {error}")]
    NoPort {
        /// What the last try met.
        error: io::Error,
    },
    /// The secrets cannot be written.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The file system.
    #[error("{}: {error}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
}

/// Founds an agency in a directory that holds none. Nothing that exists is overwritten.
pub fn init(options: &InitOptions) -> Result<Initialised, InitError> {
    refuse_taken(&options.data)?;
    let (api, listen) = places(options)?;
    let announce = told(options, &listen)?;
    let founding = Founding::new(options, announce)?;
    let config = Config::template(api, &listen, &options.announce);
    let token = Zeroizing::new(URL_SAFE_NO_PAD.encode(clock::random::<32>()));

    let data = &options.data;
    let created = !data.exists();
    DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(file_error(data))?;
    let Founding { root, recovery, node, export } = &founding;
    Vault::of(data).create(&options.passphrase, export.card().mode(), root, recovery, node)?;
    write(data, TOKEN_FILE, format!("{}\n", *token).as_bytes())?;
    write(data, TOKEN_HASH_FILE, format!("{}\n", hex::encode(Hash::of(&[token.as_bytes()]).as_bytes())).as_bytes())?;
    write(data, config::FILE, config.as_bytes())?;
    sync_dir(data).map_err(file_error(data))?;
    let card = export.to_armour().map_err(IdentityError::from)?;
    write(data, CARD_FILE, card.as_bytes())?;
    sync_dir(data).map_err(file_error(data))?;
    if let Some(parent) = data.parent().filter(|_| created) {
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        sync_dir(parent).map_err(file_error(parent))?;
    }
    let agency = export.card().agency();
    let reachable = announce.iter().any(|address| !is_loopback(address));
    Ok(Initialised { agency, fingerprint: Fingerprint::of(agency), api, listen, reachable })
}

/// Why a data directory does not say whose it is.
#[derive(Debug, thiserror::Error)]
pub enum DataIdentityError {
    /// There is no card.
    #[error("{} holds no agency", data.display())]
    NoAgency {
        /// The data directory.
        data: PathBuf,
    },
    /// The file system.
    #[error("{}: {error}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// The card is damaged or was altered.
    #[error("{}: {error}", path.display())]
    Card {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: IdentityError,
    },
}

/// Whose data directory this is: reads and verifies its card.
pub fn data_identity(data: &Path) -> Result<CardExport, DataIdentityError> {
    let path = data.join(CARD_FILE);
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => DataIdentityError::NoAgency { data: data.to_owned() },
        _ => DataIdentityError::File { path: path.clone(), error },
    };
    let mut text = Vec::new();
    let file = File::open(&path).map_err(failed)?;
    file.take(limits::CARD_FILE_BYTES as u64 + 1).read_to_end(&mut text).map_err(failed)?;
    CardExport::from_armour(&text).map_err(|error| DataIdentityError::Card { path, error })
}

/// Everything that is signed or secret, before anything is written.
struct Founding {
    root: Zeroizing<[u8; 32]>,
    recovery: Zeroizing<[u8; 32]>,
    node: NodeSecrets,
    export: CardExport,
}

impl Founding {
    fn new(options: &InitOptions, announce: &[String]) -> Result<Founding, InitError> {
        for (what, text) in [("name", &options.name), ("contact", &options.contact)] {
            if !(1..=limits::SHORT_TEXT_BYTES).contains(&text.len()) {
                return Err(InitError::Length { what, found: text.len() });
            }
        }
        let root = Zeroizing::new(clock::random());
        let recovery = Zeroizing::new(clock::random());
        let node = NodeSecrets::generate();
        let export = introduce(options, &root, &recovery, &node, announce, clock::now())?;
        Ok(Founding { root, recovery, node, export })
    }
}

/// The inception document, the first card and the first address record.
fn introduce(
    options: &InitOptions,
    root: &[u8; 32],
    recovery: &[u8; 32],
    node: &NodeSecrets,
    announce: &[String],
    now: Time,
) -> Result<CardExport, IdentityError> {
    let mode = if options.exercise { Mode::Exercise } else { Mode::Live };
    let root = SigningKey::from_seed(root);
    let recovery = SigningKey::from_seed(recovery).public();
    let inception = SignedInception::create(&root, &recovery, mode, clock::random())?;
    let (agency, validity) = (inception.agency(), Validity::starting(now));
    let keys = NodeKeys {
        writer: FIRST_WRITER,
        signing: node.signing_key().public(),
        encryption: node.encryption_secret().public(),
        transport: vec![node.transport_key().public()],
        validity,
    };
    let card = Card {
        agency,
        serial: 1,
        predecessor: None,
        name: options.name.clone(),
        country: options.country,
        kind: options.kind.clone(),
        contact: options.contact.clone(),
        issued: now,
        agreement_keys: vec![AgreementKey { key: node.agreement_key().public(), validity }],
        nodes: vec![keys],
        revoked: Vec::new(),
    };
    let card = SignedCard::issue(&inception, &card, &root)?;
    let addresses = announce.to_vec();
    let record = AddressRecord { agency, writer: FIRST_WRITER, serial: 1, addresses, created: now };
    let record = SignedAddressRecord::issue(&card, &record, &node.signing_key())?;
    CardExport::new(inception, vec![card], vec![record])
}

fn refuse_taken(data: &Path) -> Result<(), InitError> {
    let there = |path: &Path| match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(InitError::File { path: path.to_owned(), error }),
    };
    if there(&data.join(CARD_FILE))? {
        return Err(InitError::Exists { data: data.to_owned() });
    }
    let parts = ["keys", TOKEN_FILE, TOKEN_HASH_FILE, config::FILE].map(|name| data.join(name));
    for found in parts.into_iter().chain([store_dir(data)]) {
        if there(&found)? {
            return Err(InitError::Remnant { found });
        }
    }
    Ok(())
}

/// Where the API and the node listen: as asked, or on free ports of loopback.
fn places(options: &InitOptions) -> Result<(SocketAddr, Vec<String>), InitError> {
    let api = match options.api {
        Some(api) => api,
        None => SocketAddr::from((Ipv4Addr::LOCALHOST, free_port(0)?)),
    };
    if !options.listen.is_empty() {
        return Ok((api, options.listen.clone()));
    }
    let port = free_port(api.port())?;
    Ok((api, vec![format!("/ip4/127.0.0.1/udp/{port}/quic-v1"), format!("/ip4/127.0.0.1/tcp/{port}")]))
}

/// A port that is free on loopback for TCP and for UDP, and is not this one.
fn free_port(taken: u16) -> Result<u16, InitError> {
    let mut error = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..PORT_TRIES {
        let port = PORTS.start + u16::from_be_bytes(clock::random()) % (PORTS.end - PORTS.start);
        let place = (Ipv4Addr::LOCALHOST, port);
        match TcpListener::bind(place).and_then(|_held| UdpSocket::bind(place)) {
            Ok(_) if port != taken => return Ok(port),
            Ok(_) => {}
            Err(met) => error = met,
        }
    }
    Err(InitError::NoPort { error })
}

/// The addresses that partners are told, checked like those listened on.
fn told<'a>(options: &'a InitOptions, listen: &'a [String]) -> Result<&'a [String], InitError> {
    for addresses in [listen, &options.announce] {
        if addresses.len() > limits::ADDRESSES_PER_NODE {
            return Err(InitError::TooManyAddresses { found: addresses.len() });
        }
        if let Some(address) = addresses.iter().find(|text| !is_address(text)) {
            return Err(InitError::Address { address: address.clone() });
        }
    }
    let told = if options.announce.is_empty() { listen } else { &options.announce };
    match told.iter().find(|address| is_unspecified(address)) {
        Some(address) => Err(InitError::NotDialable { address: address.clone() }),
        None => Ok(told),
    }
}

fn is_address(text: &str) -> bool {
    text.len() <= limits::ADDRESS_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic()) && network::is_address(text)
}

fn is_unspecified(address: &str) -> bool {
    ip_of(address).is_some_and(|ip| ip.is_unspecified())
}

fn is_loopback(address: &str) -> bool {
    ip_of(address).is_some_and(|ip| ip.is_loopback())
}

/// The IP address that a multiaddress begins with, if it does.
fn ip_of(address: &str) -> Option<std::net::IpAddr> {
    let rest = address.strip_prefix("/ip4/").or_else(|| address.strip_prefix("/ip6/"))?;
    rest.split('/').next()?.parse().ok()
}

fn write(data: &Path, name: &str, bytes: &[u8]) -> Result<(), InitError> {
    let path = data.join(name);
    write_new(&path, bytes).map_err(file_error(&path))
}

fn file_error(path: &Path) -> impl FnOnce(io::Error) -> InitError + '_ {
    |error| InitError::File { path: path.to_owned(), error }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn options(data: &Path) -> InitOptions {
        InitOptions {
            data: data.to_owned(),
            name: "Cyber Unit A".to_owned(),
            country: "FR".parse().unwrap(),
            kind: "police".parse().unwrap(),
            contact: "soc@example.org".to_owned(),
            exercise: true,
            listen: Vec::new(),
            announce: Vec::new(),
            api: None,
            passphrase: Zeroizing::new("correct horse".to_owned()),
        }
    }

    #[test]
    fn an_agency_is_whole_and_agrees_with_its_keys() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("deep/data");
        let made = init(&options(&data)).unwrap();

        let export = data_identity(&data).unwrap();
        let card = export.card();
        assert_eq!((card.agency(), card.serial(), card.mode()), (made.agency, 1, Mode::Exercise));
        assert_eq!(export.addresses()[0].record().addresses, made.listen);
        let keys = Vault::of(&data).open_node("correct horse").unwrap();
        let node = card.node(FIRST_WRITER).unwrap();
        assert_eq!(node.signing, keys.signing_key().public());
        assert_eq!(node.encryption, keys.encryption_secret().public());
        assert_eq!(node.transport, [keys.transport_key().public()]);
        assert_eq!(card.card().agreement_keys[0].key, keys.agreement_key().public());

        let config = Config::read(&data).unwrap();
        assert_eq!((config.api, &config.listen), (made.api, &made.listen));
        assert!(config.api.ip().is_loopback() && !made.reachable);
        let token = fs::read_to_string(data.join(TOKEN_FILE)).unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(token.trim()).unwrap().len(), 32);
        let hash = hex::encode(Hash::of(&[token.trim().as_bytes()]).as_bytes());
        assert_eq!(fs::read_to_string(data.join(TOKEN_HASH_FILE)).unwrap().trim(), hash);
    }

    #[test]
    fn only_the_owner_reads_the_directory() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        init(&options(&data)).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&data), mode(&data.join("keys"))), (0o700, 0o700));
        for name in [CARD_FILE, TOKEN_FILE, TOKEN_HASH_FILE, config::FILE] {
            assert_eq!(mode(&data.join(name)), 0o600, "{name}");
        }
    }

    #[test]
    fn an_agency_is_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let first = init(&options(dir.path())).unwrap();
        assert!(matches!(init(&options(dir.path())), Err(InitError::Exists { .. })));
        assert_eq!(data_identity(dir.path()).unwrap().card().agency(), first.agency);

        fs::remove_file(dir.path().join(CARD_FILE)).unwrap();
        let refused = init(&options(dir.path())).unwrap_err();
        assert!(matches!(&refused, InitError::Remnant { found } if found.ends_with("keys")), "{refused}");
    }

    #[test]
    fn what_is_refused_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let refused = |change: &dyn Fn(&mut InitOptions)| {
            let mut changed = options(&data);
            change(&mut changed);
            let error = init(&changed).unwrap_err();
            assert!(!data.exists(), "{error}");
            error.to_string()
        };
        assert_eq!(refused(&|o| o.name.clear()), "the name has 0 bytes, a card takes 1 to 512");
        assert_eq!(refused(&|o| o.contact = "x".repeat(513)), "the contact has 513 bytes, a card takes 1 to 512");
        assert!(refused(&|o| o.name = "Unit\u{202e}A".to_owned()).starts_with("a name or contact point is one line"));
        let listen = |text: &str| refused(&|o| o.listen = vec![text.to_owned()]);
        assert_eq!(listen("192.0.2.7:7441"), "\"192.0.2.7:7441\" is not a multiaddress of at most 256 bytes");
        assert!(listen("/ip4/0.0.0.0/udp/7441/quic-v1").contains("stands for all interfaces"));
        let twice = vec!["/ip4/192.0.2.7/tcp/1".to_owned(); 2];
        assert_eq!(refused(&|o| o.announce = twice.clone()), IdentityError::AddressTwice.to_string());
        let many: Vec<_> = (1..=17).map(|port| format!("/ip4/192.0.2.7/tcp/{port}")).collect();
        assert!(refused(&|o| o.listen = many.clone()).starts_with("17 addresses are more than the 16"));
    }

    #[test]
    fn partners_are_told_what_is_announced() {
        let dir = tempfile::tempdir().unwrap();
        let told = ["/dns4/node.example.org/udp/7441/quic-v1".to_owned()];
        let listen = vec!["/ip4/0.0.0.0/udp/7441/quic-v1".to_owned()];
        let api = Some("127.0.0.1:0".parse().unwrap());
        let asked = InitOptions { listen: listen.clone(), announce: told.to_vec(), api, ..options(dir.path()) };
        let made = init(&asked).unwrap();
        assert!(made.reachable);
        assert_eq!((made.listen, Some(made.api)), (listen, api));
        assert_eq!(data_identity(dir.path()).unwrap().addresses()[0].record().addresses, told);
        assert_eq!(Config::read(dir.path()).unwrap().announce, told);
    }

    #[test]
    fn a_card_that_was_altered_is_not_taken() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(data_identity(dir.path()), Err(DataIdentityError::NoAgency { .. })));
        init(&options(dir.path())).unwrap();
        let path = dir.path().join(CARD_FILE);
        let text = fs::read_to_string(&path).unwrap();
        let (head, letters) = text.split_at(text.len() / 2);
        let altered = format!("{head}{}", letters.replacen('A', "B", 1));
        fs::write(&path, altered).unwrap();
        assert!(matches!(data_identity(dir.path()), Err(DataIdentityError::Card { .. })));
    }
}
