//! The network: moves bytes between pinned partners, and knows nothing of what they mean.
//!
//! It is the only place that names libp2p, and is joined to the rest by two bounded channels:
//!
//! ```text
//!            Command (256)              ┌─────────────── driver: one task ───────────────┐
//!   desk ────────────────────────────▶ │ partners   who is pinned, connected, to dial    │
//!        ◀──────────────────────────── │ behaviour  allow ▸ ping ▸ exchange ▸ gate       │
//!            Event (256)                │ transport  QUIC, or TCP + TLS; (tap)            │
//!                                       └────────────────────────────────────────────────┘
//! ```
//!
//! **When the desk is slow**, memory does not grow: a gossip message that finds the channel full is dropped and
//! not passed on (catch-up brings it), a request is answered with "busy", and all other events wait, few in
//! number, while the network takes nothing more from its connections. A partner above its rate gets the same:
//! gossip dropped, requests answered with "busy". No request is lost without an answer or a failure.
//!
//! **Tickets** answer what an event asked, each once: a value that is consumed. A request ticket that is
//! dropped closes the request without a response; a gossip ticket that is dropped lets the message lapse.
//!
//! **Deliberately absent**: discovery (DHT, mDNS), relays, NAT traversal, identify, Noise, peer scoring; any
//! opinion on whether a partner may have what it asks for, which the desk decides per request.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;

use entente_protocol::id::{AgencyId, AgreementId};
use libp2p::identity::{Keypair, ed25519};
use libp2p::request_response::ResponseChannel;
use libp2p::swarm;
use libp2p::{Multiaddr, Swarm};
use tokio::sync::mpsc;
use zeroize::{Zeroize, ZeroizeOnDrop};

mod allow;
mod behaviour;
mod bucket;
mod driver;
mod exchange;
mod gate;
mod limits;
mod partners;
mod stats;
mod tap;
mod translate;
mod transport;

pub use limits::{
    GOSSIP_BYTES, REQUEST_BYTES, REQUEST_TIMEOUT, REQUESTS_IN_FLIGHT, REQUESTS_PER_AGENCY, RESPONSE_BYTES,
};
pub use stats::{Counter, Stats};
pub use tap::read as read_tap;
pub use transport::TransportFailure;

/// What the network is started with.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Config {
    /// Seed of the Ed25519 transport key, whose public half the agency's card lists.
    pub transport_seed: [u8; 32],
    /// Multiaddresses to listen on, such as `/ip4/0.0.0.0/udp/7100/quic-v1` and `/ip4/0.0.0.0/tcp/7100`.
    #[zeroize(skip)]
    pub listen: Vec<String>,
    /// Multiaddresses to tell partners instead of those listened on; empty for the same.
    #[zeroize(skip)]
    pub announce: Vec<String>,
    /// Where to record every decrypted inbound byte. Exercise agencies only.
    #[zeroize(skip)]
    pub tap: Option<PathBuf>,
}

/// A pinned partner.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Partner {
    /// Whose card it is.
    pub agency: AgencyId,
    /// Ed25519 transport keys of its nodes.
    pub peers: Vec<[u8; 32]>,
    /// Multiaddresses to dial, with or without a peer id at their end; none if they dial us.
    pub addresses: Vec<String>,
}

/// An agreement whose gossip runs here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Group {
    /// Which agreement.
    pub agreement: AgreementId,
    /// Its parties; those that are no partners of ours, and we ourselves, do no harm in it.
    pub parties: BTreeSet<AgencyId>,
}

/// What the desk asks of the network.
#[derive(Debug)]
pub enum Command {
    /// These are the partners and agreements now. Peers that are gone are disconnected at once; peers whose
    /// agreements changed are reconnected; the others notice nothing.
    Topology {
        /// All partners.
        partners: Vec<Partner>,
        /// All agreements.
        groups: Vec<Group>,
    },
    /// Tell the parties. A hint that may be lost; at most [`GOSSIP_BYTES`].
    Publish {
        /// Whose parties.
        agreement: AgreementId,
        /// The message.
        bytes: Vec<u8>,
    },
    /// Judge a gossip message, within about five seconds of its arrival.
    Verdict {
        /// Of which message.
        ticket: GossipTicket,
        /// What becomes of it.
        verdict: Verdict,
    },
    /// Ask an agency something; at most [`REQUEST_BYTES`]. Answered by one [`Event::Response`].
    Request {
        /// Whom.
        agency: AgencyId,
        /// The desk's name for the request.
        id: RequestId,
        /// The request.
        bytes: Vec<u8>,
    },
    /// Answer a request, within [`REQUEST_TIMEOUT`] of its sending; at most [`RESPONSE_BYTES`].
    Respond {
        /// Which request.
        ticket: RequestTicket,
        /// The response.
        bytes: Vec<u8>,
    },
    /// Refuse a request; the asker is told so, and no reason.
    Refuse {
        /// Which request.
        ticket: RequestTicket,
    },
    /// Say goodbye and end; the channel of events then closes.
    Shutdown,
}

/// What becomes of a gossip message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// True and new: pass it on.
    Accept,
    /// Of no use: do not pass it on.
    Ignore,
    /// False: do not pass it on, and count it.
    Reject,
}

/// What the network tells the desk.
#[derive(Debug)]
pub enum Event {
    /// Where this node can be dialled: what it announces, or else what it listens on.
    Listening {
        /// Multiaddresses.
        addresses: Vec<String>,
    },
    /// A partner answered on its first connection. Comes before anything else from that partner.
    Connected {
        /// Which.
        agency: AgencyId,
        /// The address of its end.
        address: String,
    },
    /// A partner's last connection is gone.
    Disconnected {
        /// Which.
        agency: AgencyId,
    },
    /// A dial of all of a partner's keys and addresses failed; it goes on, ever more slowly.
    Unreachable {
        /// Which.
        agency: AgencyId,
        /// Why the last address failed.
        reason: UnreachableReason,
    },
    /// A partner listens to an agreement's gossip from now on. May be lost, like gossip.
    Joined {
        /// Under which agreement.
        agreement: AgreementId,
        /// Who.
        agency: AgencyId,
    },
    /// A gossip message, not yet passed on.
    Gossip {
        /// Under which agreement.
        agreement: AgreementId,
        /// Who handed it over; not necessarily who wrote it.
        from: AgencyId,
        /// For the [`Command::Verdict`].
        ticket: GossipTicket,
        /// The message.
        bytes: Vec<u8>,
    },
    /// A partner asks something.
    Request {
        /// Who.
        from: AgencyId,
        /// For [`Command::Respond`] or [`Command::Refuse`].
        ticket: RequestTicket,
        /// The request.
        bytes: Vec<u8>,
    },
    /// What came of an own request.
    Response {
        /// Whom it went to.
        agency: AgencyId,
        /// Which request.
        id: RequestId,
        /// The response.
        result: Result<Vec<u8>, RequestFailure>,
    },
}

/// The desk's name for a request of its own.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RequestId(pub u64);

/// A gossip message to be judged.
#[derive(Debug)]
pub struct GossipTicket(gate::Source);

/// A request to be answered.
#[derive(Debug)]
pub struct RequestTicket(ResponseChannel<exchange::Answer>);

/// Why a request has no response.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RequestFailure {
    /// No connection with the agency.
    #[error("the partner is not connected")]
    NotConnected,
    /// The request is larger than the protocol carries.
    #[error("the request has more than {REQUEST_BYTES} bytes")]
    TooLarge,
    /// Too many own requests are in flight.
    #[error("more than {REQUESTS_PER_AGENCY} requests to the partner, or {REQUESTS_IN_FLIGHT} in all, are in flight")]
    InFlight,
    /// The partner asks to be asked later.
    #[error("the partner is busy")]
    Busy,
    /// The partner will not answer this.
    #[error("the partner refused the request")]
    Refused,
    /// No response in time.
    #[error("the partner did not respond within {} s", REQUEST_TIMEOUT.as_secs())]
    Timeout,
    /// The connection ended first.
    #[error("the connection with the partner ended")]
    Disconnected,
    /// The partner closed the request without a response, or in the middle of one.
    #[error("the partner closed the request without a whole response")]
    Cut,
    /// The response breaks the protocol's form or bounds.
    #[error("the partner's response is malformed, or has more than {RESPONSE_BYTES} bytes")]
    Malformed,
    /// The partner does not speak this protocol.
    #[error("the partner's node does not speak this protocol")]
    Unsupported,
}

/// Why a partner is not reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum UnreachableReason {
    /// Nobody answered at any address.
    #[error("no address answered")]
    NoAnswer,
    /// Somebody with another transport key answered.
    #[error("the node at the address has another transport key")]
    Stranger,
    /// The partner closed the connection before any protocol, as a node does that has not pinned us.
    #[error("the partner's node turned the connection away, perhaps because it has not pinned this agency")]
    TurnedAway,
    /// Our own limit of connections is reached.
    #[error("the limit of connections with the partner is reached")]
    Limit,
}

/// Why the network did not start.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The variable makes the TLS library write session secrets to a file.
    #[error(
        "the environment variable SSLKEYLOGFILE is set, which would write the secrets of all connections to a file"
    )]
    KeyLog,
    /// A text in the configuration is no multiaddress.
    #[error("{0:?} is not a multiaddress")]
    Address(String),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// The transports could not be made.
    #[error(transparent)]
    Transport(#[from] TransportFailure),
    /// The tap's file could not be opened.
    #[error("cannot open the tap: {0}")]
    Tap(std::io::Error),
}

/// The desk's end of the network. The network ends when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Handle {
    commands: mpsc::Sender<Command>,
    stats: Arc<Stats>,
}

impl Handle {
    /// Hands a command over, waiting for room. `false` if the network has ended.
    pub async fn send(&self, command: Command) -> bool {
        self.commands.send(command).await.is_ok()
    }

    /// A place for one command, once there is room. `None` if the network has ended.
    pub async fn room(&self) -> Option<Place<'_>> {
        self.commands.reserve().await.ok().map(Place)
    }

    /// Hands a command over from a thread that may block.
    pub fn blocking_send(&self, command: Command) -> bool {
        self.commands.blocking_send(command).is_ok()
    }

    /// What the network did so far.
    pub fn stats(&self) -> &Arc<Stats> {
        &self.stats
    }
}

/// Room for one command.
pub struct Place<'a>(mpsc::Permit<'a, Command>);

impl Place<'_> {
    /// Hands a command over.
    pub fn send(self, command: Command) {
        self.0.send(command);
    }
}

/// Starts the network on the present tokio runtime: it listens, and knows no partner until the first
/// [`Command::Topology`].
pub fn spawn(config: &Config) -> Result<(Handle, mpsc::Receiver<Event>), NetworkError> {
    refuse_key_log(std::env::var_os("SSLKEYLOGFILE").as_deref())?;
    let announce = config.announce.iter().map(|text| parse(text)).collect::<Result<Vec<_>, _>>()?;
    let tap = config.tap.as_deref().map(tap::Tap::open).transpose().map_err(NetworkError::Tap)?;
    let keypair = keypair(&config.transport_seed);
    let transport = transport::build(&keypair, tap)?;
    let settings = swarm::Config::with_tokio_executor()
        // Partners stay connected while both want it; a dead connection is found by ping.
        .with_idle_connection_timeout(std::time::Duration::MAX)
        .with_dial_concurrency_factor(limits::DIALS_AT_ONCE)
        .with_max_negotiating_inbound_streams(limits::SUBSTREAMS);
    let peer = keypair.public().to_peer_id();
    let mut swarm = Swarm::new(transport, behaviour::Behaviour::new(), peer, settings);
    for text in &config.listen {
        swarm
            .listen_on(parse(text)?)
            .map_err(|error| NetworkError::Listen { address: text.clone(), source: std::io::Error::other(error) })?;
    }
    let (commands, inbox) = mpsc::channel(limits::COMMANDS);
    let (outbox, events) = mpsc::channel(limits::EVENTS);
    let stats = Arc::new(Stats::default());
    tokio::spawn(driver::Driver::new(swarm, announce, inbox, outbox, stats.clone()).run());
    Ok((Handle { commands, stats }, events))
}

/// How libp2p writes the name of a transport key, as in `/p2p/12D3Koo…` at the end of a multiaddress.
pub fn peer_id_text(public: &[u8; 32]) -> String {
    translate::peer_id(public).to_base58()
}

/// Whether a text is a multiaddress, as [`Config`] takes it.
pub fn is_address(text: &str) -> bool {
    translate::address(text).is_some()
}

fn parse(text: &str) -> Result<Multiaddr, NetworkError> {
    translate::address(text).ok_or_else(|| NetworkError::Address(text.to_owned()))
}

fn keypair(seed: &[u8; 32]) -> Keypair {
    let mut copy = *seed;
    let secret = ed25519::SecretKey::try_from_bytes(&mut copy).expect("32 bytes are an Ed25519 seed");
    ed25519::Keypair::from(secret).into()
}

fn refuse_key_log(variable: Option<&OsStr>) -> Result<(), NetworkError> {
    variable.map_or(Ok(()), |_| Err(NetworkError::KeyLog))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_log_is_refused() {
        assert!(matches!(refuse_key_log(Some(OsStr::new("keys.log"))), Err(NetworkError::KeyLog)));
        assert!(refuse_key_log(None).is_ok());
    }

    #[test]
    fn a_transport_key_has_the_peer_id_that_libp2p_gives_it() {
        let keypair = keypair(&[7; 32]);
        let public = keypair.public().try_into_ed25519().expect("an Ed25519 key").to_bytes();
        assert_eq!(peer_id_text(&public), keypair.public().to_peer_id().to_base58());
    }
}
