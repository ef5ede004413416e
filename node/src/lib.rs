//! The node: desk, store, network and local API, put together here and nowhere else.
//!
//! ```text
//!   api ──▶ desk ──▶ store
//!            │  └──▶ protocol
//!   network ─┘ (joined by the federation task)
//! ```
//!
//! `node/README.md` is the code map.

pub mod api;
pub mod clock;
pub mod config;
pub mod desk;
pub mod federation;
pub mod files;
pub mod init;
pub mod network;
pub mod store;
pub mod telemetry;
pub mod vault;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use entente_protocol::crypto::sign::SigningKey;
use entente_protocol::id::{Hash, Mode};
use entente_protocol::identity::CardExport;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use api::{ApiState, ConnectionsView};
use config::{Config, ConfigError};
use desk::{Desk, DeskError, Me};
use federation::{Connections, Federation};
use store::{Disk, Options, Progress, RealDisk, Store, StoreError, StoreKeys};
use vault::{NodeSecrets, Vault, VaultError};

/// How a node is started.
pub struct RunOptions {
    /// The data directory.
    pub data: PathBuf,
    /// Opens the node's keys.
    pub passphrase: Zeroizing<String>,
    /// Whether to record every decrypted inbound byte; exercise agencies only.
    pub tap: bool,
}

/// Why a node did not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The keys.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The agency's own card file.
    #[error(transparent)]
    Identity(#[from] init::DataIdentityError),
    /// The card certifies other keys.
    #[error("the card in agency.card does not certify the keys in keys/node.age")]
    OtherKeys,
    /// A live agency is never tapped.
    #[error("a tap records what partners send, and exists for exercise agencies only")]
    LiveTap,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The desk.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// The network.
    #[error(transparent)]
    Network(#[from] network::NetworkError),
    /// The API's address cannot be listened on.
    #[error("the API cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// Why.
        error: std::io::Error,
    },
    /// The file that says which token opens the API.
    #[error("{}: is not the SHA-256 of a token in hexadecimal digits", path.display())]
    TokenHash {
        /// Which file.
        path: PathBuf,
    },
    /// A file in the data directory.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The runtime, or the API while it served.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Runs the node of a data directory until it is asked to stop (SIGINT or SIGTERM).
pub fn run(options: &RunOptions) -> Result<(), RunError> {
    let config = Config::read(&options.data)?;
    telemetry::start(config.log);
    let node = Node::open(options, config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(serve(&node));
    runtime.shutdown_timeout(SHUTDOWN);
    node.desk.store().close()?;
    tracing::info!("stopped");
    ended
}

/// How long jobs at the desk may take to end.
const SHUTDOWN: std::time::Duration = std::time::Duration::from_secs(10);

/// A node whose desk is open, and which is not connected yet.
pub struct Node {
    data: PathBuf,
    tap: bool,
    config: Config,
    secrets: NodeSecrets,
    desk: Arc<Desk>,
}

/// A node's part in the federation, while it runs.
pub struct Federated {
    /// Who is connected.
    pub connections: Arc<Connections>,
    /// What the network counts.
    pub stats: Arc<network::Stats>,
    /// Ends once it was asked to stop.
    pub task: JoinHandle<()>,
}

impl Node {
    /// Opens the keys, the store and the desk of a data directory.
    pub fn open(options: &RunOptions, config: Config) -> Result<Node, RunError> {
        Self::open_on(Arc::new(RealDisk), options, config)
    }

    /// The same, with the store's journals on this disk.
    pub fn open_on(disk: Arc<dyn Disk>, options: &RunOptions, config: Config) -> Result<Node, RunError> {
        let secrets = Vault::of(&options.data).open_node(&options.passphrase)?;
        let card = init::data_identity(&options.data)?;
        let me = identify(&card, &secrets)?;
        if options.tap && me.mode == Mode::Live {
            return Err(RunError::LiveTap);
        }
        tracing::info!(agency = %me.agency, mode = %me.mode, "starting");
        let store = open_store(disk, &options.data, &secrets, &config)?;
        let desk = Arc::new(Desk::open(store, me, card)?);
        Ok(Node { data: options.data.clone(), tap: options.tap, config, secrets, desk })
    }

    /// The desk.
    pub fn desk(&self) -> &Arc<Desk> {
        &self.desk
    }

    /// Connects with partners until `stop`; to be called within a runtime.
    pub fn federate(&self, stop: CancellationToken) -> Result<Federated, RunError> {
        let network_config = network::Config {
            transport_seed: self.secrets.transport,
            listen: self.config.listen.clone(),
            announce: self.config.announce.clone(),
            tap: self.tap.then(|| self.data.join("tap")),
        };
        let (network, events) = network::spawn(&network_config)?;
        let connections = Arc::new(Connections::default());
        let stats = Arc::clone(network.stats());
        let card_file = self.data.join(init::CARD_FILE);
        let federation = Federation::new(Arc::clone(&self.desk), network, Arc::clone(&connections), card_file)?;
        let task = tokio::spawn(federation.run(events, stop));
        Ok(Federated { connections, stats, task })
    }
}

/// The node that the newest card certifies with these keys.
fn identify(card: &CardExport, secrets: &NodeSecrets) -> Result<Me, RunError> {
    let (signing, agreement) = (secrets.signing_key(), secrets.agreement_key());
    let newest = card.card();
    let certifies = |key: &SigningKey| newest.card().nodes.iter().find(|node| node.signing == key.public());
    let node = certifies(&signing).ok_or(RunError::OtherKeys)?;
    let signs = newest.card().agreement_keys.iter().any(|listed| listed.key == agreement.public());
    let encryption = secrets.encryption_secret();
    if !signs || node.encryption != encryption.public() {
        return Err(RunError::OtherKeys);
    }
    Ok(Me {
        agency: newest.agency(),
        mode: newest.mode(),
        card_serial: newest.serial(),
        writer: node.writer,
        signing,
        agreement,
        encryption,
        mark: Hash::of(&[b"entente.retraction-mark.v1", &secrets.records]).0,
    })
}

fn open_store(disk: Arc<dyn Disk>, data: &Path, secrets: &NodeSecrets, config: &Config) -> Result<Store, RunError> {
    let keys = StoreKeys { index: secrets.index, records: secrets.records };
    let options = Options { cache_bytes: config.cache_mib << 20, disk, ..Options::default() };
    let mut told = 0;
    let mut progress = |progress: Progress| {
        let percent = (progress.done * 100).checked_div(progress.total).unwrap_or(100);
        if percent >= told + 10 {
            told = percent;
            tracing::info!(step = ?progress.step, percent, "preparing the store");
        }
    };
    let store = Store::open(&config::store_dir(data), &keys, options, &mut progress)?;
    let report = store.open_report();
    for torn in &report.torn {
        tracing::warn!(file = %torn.file.display(), bytes = torn.bytes, "a tail that was never acknowledged was cut");
    }
    for damage in &report.damage {
        tracing::error!(file = %damage.file.display(), offset = damage.offset, bytes = damage.bytes,
            "the journal is damaged; partners are asked for what is missing");
    }
    if let Some(why) = report.rebuilt {
        tracing::warn!(?why, "the index was built anew");
    }
    Ok(store)
}

async fn serve(node: &Node) -> Result<(), RunError> {
    let stop = CancellationToken::new();
    let address = node.config.api;
    let listener = TcpListener::bind(address).await.map_err(|error| RunError::Listen { address, error })?;
    let Federated { connections, stats, task } = node.federate(stop.clone())?;
    let view = ConnectionsView::new(move || connections.view(&stats));
    let token = token_hash(&node.data)?;
    let state = ApiState::new(Arc::clone(&node.desk), view, token, node.config.open_metrics);
    let bound = listener.local_addr()?;
    let api_file = node.data.join(files::API);
    let written = files::replace(&api_file, format!("{bound}\n").as_bytes());
    written.map_err(|error| RunError::File { path: api_file.clone(), error })?;
    tracing::info!(api = %bound, "ready");
    let served = tokio::spawn(api::serve(listener, state, stop.clone()));
    stopped().await;
    tracing::info!("stopping");
    stop.cancel();
    let served = served.await.map_err(std::io::Error::other)?;
    task.await.map_err(std::io::Error::other)?;
    // A file that names a dead node's address would send the token to whoever listens there next.
    std::fs::remove_file(&api_file).map_err(|error| RunError::File { path: api_file, error })?;
    Ok(served?)
}

/// The hash of the token that opens the API.
fn token_hash(data: &Path) -> Result<[u8; 32], RunError> {
    let path = data.join(init::TOKEN_HASH_FILE);
    let text = std::fs::read_to_string(&path).map_err(|error| RunError::File { path: path.clone(), error })?;
    text.trim().parse::<Hash>().map(|hash| hash.0).map_err(|_| RunError::TokenHash { path })
}

/// Waits until the process is asked to stop.
async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut term = signal(SignalKind::terminate()).expect("signal handlers can be set once a runtime is there");
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = term.recv() => {}
    }
}
