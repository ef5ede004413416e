//! Every number of the network, once, with its unit and reason.
//!
//! They bound what one partner can cost: memory, sockets, processor time. What exceeds them is delayed, refused
//! with a typed answer, or (gossip alone, which is a hint) dropped for catch-up to bring; nothing else is lost.

use std::num::NonZeroU8;
use std::time::Duration;

/// One gossip message in bytes: a signed header with a body of up to 32 KiB inline, and room for growth.
pub const GOSSIP_BYTES: usize = GOSSIP_RPC_BYTES - 1024;

/// One gossipsub frame in bytes: a message and its envelope.
pub(super) const GOSSIP_RPC_BYTES: usize = 64 << 10;

/// One request in bytes: a list of heads of 200 authors is about 15 KB.
pub const REQUEST_BYTES: usize = 64 << 10;

/// One response in bytes: a catch-up page of 1 MiB that ends with a body of 1 MiB.
pub const RESPONSE_BYTES: usize = 2 << 20;

/// How long a request may take from sending to the last byte of its response: a full page at 1 Mbit/s.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// Requests and responses in flight on one connection, both directions: bounds a partner to 1 MiB of requests.
pub(super) const STREAMS_PER_CONNECTION: usize = 16;

/// Own requests in flight to one agency: more brings no speed (measured: 1 to 4 fill the line).
pub const REQUESTS_PER_AGENCY: usize = 4;

/// Own requests in flight altogether: bounds the memory of their responses to 64 times [`RESPONSE_BYTES`].
pub const REQUESTS_IN_FLIGHT: usize = 64;

/// Requests a second that one agency may put, on average; a catch-up at full speed needs about 300.
pub(super) const REQUESTS_PER_SECOND: u64 = 500;

/// Requests that one agency may put at once after a pause.
pub(super) const REQUESTS_AT_ONCE: u64 = 1000;

/// Gossip in bytes a second that one agency may send on average: far above any quota, below what hurts.
pub(super) const GOSSIP_PER_SECOND: u64 = 8 << 20;

/// Gossip in bytes that one agency may send at once after a pause.
pub(super) const GOSSIP_AT_ONCE: u64 = 32 << 20;

/// What a gossip message costs at least, in bytes of the two limits above: small ones cost time, not bytes.
pub(super) const GOSSIP_LEAST_COST: u64 = 1 << 10;

/// Messages that wait for one slow peer under one agreement; gossipsub's own 5000 could hold 320 MiB.
pub(super) const GOSSIP_QUEUE: usize = 256;

/// How long gossipsub waits after its start before it builds a mesh; its own 5 s delays the first relays.
pub(super) const GOSSIP_FIRST_HEARTBEAT: Duration = Duration::from_secs(1);

/// Events that wait for the desk; with gossip and requests of at most 64 KiB these are at most 16 MiB.
pub(super) const EVENTS: usize = 256;

/// Commands that wait for the network: enough that a burst of publishing does not stop the desk.
pub(super) const COMMANDS: usize = 256;

/// Events that must not be lost and found the channel full; beyond it no further command is taken.
pub(super) const BACKLOG: usize = 64;

/// Connections with one peer: both may dial at once, and an old one may linger until its timeout.
pub(super) const CONNECTIONS_PER_PEER: u32 = 4;

/// Inbound handshakes at once: strangers can fill this, and can only delay partners by the handshake timeout.
pub(super) const HANDSHAKES: u32 = 128;

/// How long a connection may take to be encrypted and multiplexed.
pub(super) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Substreams of one connection: one a direction and agreement for gossip, those of requests, and ping.
pub(super) const SUBSTREAMS: usize = 512;

/// Bytes that a QUIC peer may send ahead of our reading, on one stream and on one connection.
pub(super) const QUIC_STREAM_WINDOW: u32 = 4 << 20;

/// See [`QUIC_STREAM_WINDOW`].
pub(super) const QUIC_CONNECTION_WINDOW: u32 = 8 << 20;

/// How much later than QUIC the TCP addresses are dialled: one slow round trip (RFC 8305 advises 250 ms).
pub(super) const TCP_DELAY: Duration = Duration::from_millis(300);

/// How often a partner is asked whether it is alive, and how long it may take to answer.
pub(super) const PING_INTERVAL: Duration = Duration::from_secs(10);

/// Pause after the first failed dial; it doubles with each further one.
pub(super) const FIRST_REDIAL: Duration = Duration::from_secs(1);

/// Longest pause between dials.
pub(super) const LAST_REDIAL: Duration = Duration::from_mins(1);

/// A partner that dials us while a connection of this age is open has lost that one: its node was restarted. Of a
/// younger one it may just not have known.
pub(super) const OLD_LINK: Duration = Duration::from_secs(1);

/// A connection that lasted this long was a good one: the next dial follows at once.
pub(super) const STEADY: Duration = Duration::from_secs(10);

/// Addresses of one partner that are dialled at once.
pub(super) const DIALS_AT_ONCE: NonZeroU8 = NonZeroU8::new(16).expect("16 is not zero");

/// Addresses dialled for one partner; further ones are left out.
pub(super) const ADDRESSES_PER_PARTNER: usize = 64;

/// How long open connections may take to say goodbye at shutdown.
pub(super) const GOODBYE: Duration = Duration::from_secs(1);

/// One address as text, in bytes.
pub(super) const ADDRESS_BYTES: usize = 512;
