//! Transports: QUIC, and TCP with TLS 1.3 and yamux where UDP does not pass.
//!
//! Both take their TLS from libp2p-tls 0.7, whose only provider is aws-lc-rs with its default key exchange
//! groups: X25519MLKEM768 first, sent by clients with the first message and chosen by servers before any other;
//! the handshake's transcript is signed, so nobody on the path can talk two of our nodes out of it. A test below
//! observes the group negotiated on TCP. quinn shows none, so for QUIC the test looks at the settings it is given.
//! Noise is absent because it knows X25519 only: blocking UDP would have been a downgrade.
//!
//! libp2p-tls writes session secrets to the file that `SSLKEYLOGFILE` names; a node refuses to start with it
//! (see [`super::spawn`]). DNS names resolve by the system's configuration; without one, only IP addresses dial.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use libp2p::core::Transport;
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::{Boxed, DialOpts, ListenerId, TransportError, TransportEvent};
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::{Multiaddr, PeerId, dns, quic, tcp, tls, yamux};

use super::limits::{HANDSHAKE_TIMEOUT, QUIC_CONNECTION_WINDOW, QUIC_STREAM_WINDOW, SUBSTREAMS, TCP_DELAY};
use super::tap::Tap;

pub(super) type Connections = Boxed<(PeerId, StreamMuxerBox)>;

/// Why the transports could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TransportFailure {
    /// The certificate that carries the transport key could not be made.
    #[error("the transport certificate could not be made: {0}")]
    Certificate(#[from] tls::certificate::GenError),
    /// The system's resolver configuration could not be read.
    #[error("the resolver configuration could not be read: {0}")]
    Resolver(#[from] io::Error),
}

/// All transports as one, recorded by the tap if there is one.
pub(super) fn build(keypair: &Keypair, tap: Option<Tap>) -> Result<Connections, TransportFailure> {
    let quic = quic::tokio::Transport::new(quic_config(keypair))
        .map(|(peer, connection), _| (peer, StreamMuxerBox::new(connection)));
    let mut yamux = yamux::Config::default();
    yamux.set_max_num_streams(SUBSTREAMS);
    let tcp = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
        .upgrade(Version::V1Lazy)
        .authenticate(tls::Config::new(keypair)?)
        .multiplex(yamux)
        .timeout(HANDSHAKE_TIMEOUT)
        .map(|(peer, connection), _| (peer, StreamMuxerBox::new(connection)))
        .boxed();
    let both = quic
        .or_transport(Patient(tcp))
        .map(move |either, _| {
            let (peer, connection) = either.into_inner();
            match &tap {
                Some(tap) => (peer, tap.wrap(connection)),
                None => (peer, connection),
            }
        })
        .boxed();
    with_names(both)
}

fn quic_config(keypair: &Keypair) -> quic::Config {
    let mut config = quic::Config::new(keypair);
    config.handshake_timeout = HANDSHAKE_TIMEOUT;
    config.max_concurrent_stream_limit = u32::try_from(SUBSTREAMS).expect("a few hundred");
    config.max_stream_data = QUIC_STREAM_WINDOW;
    config.max_connection_data = QUIC_CONNECTION_WINDOW;
    config
}

fn with_names(transport: Connections) -> Result<Connections, TransportFailure> {
    // `system` keeps the transport even when it fails, so a first call asks whether it would.
    if let Err(error) = dns::tokio::Transport::system(()) {
        tracing::warn!(%error, "no resolver is configured: partners are reached by IP address only");
        return Ok(transport);
    }
    Ok(dns::tokio::Transport::system(transport)?.boxed())
}

/// A transport that dials a little later than asked, so that QUIC, asked at the same time, comes first. The
/// swarm dials all addresses of a partner at once, takes the first that succeeds and drops the others.
struct Patient(Connections);

impl Transport for Patient {
    type Output = (PeerId, StreamMuxerBox);
    type Error = io::Error;
    type ListenerUpgrade = <Connections as Transport>::ListenerUpgrade;
    type Dial = BoxFuture<'static, io::Result<Self::Output>>;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<io::Error>> {
        self.0.listen_on(id, address)
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.0.remove_listener(id)
    }

    fn dial(&mut self, address: Multiaddr, options: DialOpts) -> Result<Self::Dial, TransportError<io::Error>> {
        let dial = self.0.dial(address, options)?;
        Ok(tokio::time::sleep(TCP_DELAY).then(|()| dial).boxed())
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<TransportEvent<Self::ListenerUpgrade, io::Error>> {
        Pin::new(&mut self.0).poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;
    use libp2p::core::Endpoint;
    use libp2p::core::transport::PortUse;
    use libp2p::core::upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade, UpgradeInfo};

    use super::*;

    const HYBRID: &str = "X25519MLKEM768";

    #[tokio::test]
    async fn tcp_negotiates_the_hybrid_group() {
        let mut listener = tcp::tokio::Transport::new(tcp::Config::default());
        let address = "/ip4/127.0.0.1/tcp/0".parse().expect("an address");
        listener.listen_on(ListenerId::next(), address).expect("listening");
        let mut listener = listener.boxed();
        let event = listener.select_next_some().await;
        let address = event.into_new_address().expect("the address first");
        let mut dialer = tcp::tokio::Transport::new(tcp::Config::default());
        let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
        let dial = dialer.dial(address, options).expect("an address of this transport");
        let accept = async {
            let (upgrade, _) = listener.select_next_some().await.into_incoming().expect("a connection");
            upgrade.await
        };
        let (near, far) = tokio::join!(dial, accept);
        let (near_tls, far_tls) = (config(), config());
        let name = near_tls.protocol_info().next().expect("one name");
        let (near, far) = tokio::join!(
            near_tls.upgrade_outbound(near.expect("dialled"), name),
            far_tls.upgrade_inbound(far.expect("accepted"), name),
        );
        for (_, stream) in [near.expect("handshake"), far.expect("handshake")] {
            let group = stream.get_ref().1.negotiated_key_exchange_group().expect("after the handshake");
            assert_eq!(format!("{:?}", group.name()), HYBRID);
        }
    }

    #[test]
    fn quic_is_given_the_hybrid_group_first() {
        let keypair = Keypair::generate_ed25519();
        let client = tls::make_client_config(&keypair, None).expect("settings");
        let server = tls::make_server_config(&keypair).expect("settings");
        for provider in [client.crypto_provider(), server.crypto_provider()] {
            assert_eq!(format!("{:?}", provider.kx_groups[0].name()), HYBRID);
        }
    }

    fn config() -> tls::Config {
        tls::Config::new(&Keypair::generate_ed25519()).expect("a certificate")
    }
}
