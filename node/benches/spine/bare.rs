//! libp2p alone, over the transport that nodes use: what no federation can undercut.

use std::io;
use std::sync::mpsc as std_mpsc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::gossipsub::{self, IdentTopic, MessageAuthenticity, ValidationMode};
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, StreamProtocol, Swarm, SwarmBuilder};
use tokio::sync::mpsc;

use crate::now;

const EXCHANGE: StreamProtocol = StreamProtocol::new("/bare/1");

/// A gossip message, and a page of so many bytes for whoever asks.
#[derive(NetworkBehaviour)]
struct Bare {
    gossip: gossipsub::Behaviour,
    exchange: request_response::Behaviour<Pages>,
}

/// Asked for a length, answers with so many bytes.
#[derive(Clone, Default)]
struct Pages;

impl request_response::Codec for Pages {
    type Protocol = StreamProtocol;
    type Request = u32;
    type Response = Vec<u8>;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<u32>
    where
        T: AsyncRead + Unpin + Send,
    {
        let mut length = [0; 4];
        io.read_exact(&mut length).await?;
        Ok(u32::from_be_bytes(length))
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        let mut bytes = Vec::new();
        io.read_to_end(&mut bytes).await?;
        Ok(bytes)
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, io: &mut T, length: u32) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        io.write_all(&length.to_be_bytes()).await
    }

    async fn write_response<T>(&mut self, _: &StreamProtocol, io: &mut T, bytes: Vec<u8>) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        io.write_all(&bytes).await
    }
}

fn swarm() -> Swarm<Bare> {
    let config = gossipsub::ConfigBuilder::default()
        .validation_mode(ValidationMode::Anonymous)
        .heartbeat_initial_delay(Duration::from_millis(200))
        .flood_publish(true)
        .message_id_fn(|message| gossipsub::MessageId::new(&message.data))
        .build()
        .unwrap();
    let mut gossip = gossipsub::Behaviour::new(MessageAuthenticity::Anonymous, config).unwrap();
    gossip.subscribe(&topic()).unwrap();
    let exchange = request_response::Behaviour::new(
        [(EXCHANGE, ProtocolSupport::Full)],
        request_response::Config::default().with_request_timeout(Duration::from_mins(1)),
    );
    let behaviour = Bare { gossip, exchange };
    let builder = SwarmBuilder::with_new_identity().with_tokio().with_quic();
    let builder = builder.with_behaviour(|_| behaviour).unwrap();
    builder.with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_mins(10))).build()
}

fn topic() -> IdentTopic {
    IdentTopic::new("e")
}

async fn listening(swarm: &mut Swarm<Bare>) -> Multiaddr {
    swarm.listen_on("/ip4/127.0.0.1/udp/0/quic-v1".parse().unwrap()).unwrap();
    loop {
        if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
            return address;
        }
    }
}

/// From publishing to the arrival at the last of two partners, for so many messages of a length.
pub(crate) async fn gossip(length: usize, rounds: usize) -> Vec<Duration> {
    let (mut a, mut b, mut c) = (swarm(), swarm(), swarm());
    let address = listening(&mut a).await;
    b.dial(address.clone()).unwrap();
    c.dial(address).unwrap();
    let (arrived, arrivals) = std_mpsc::sync_channel::<Instant>(2);
    for mut partner in [b, c] {
        let arrived = arrived.clone();
        tokio::spawn(async move {
            loop {
                let event = partner.select_next_some().await;
                if let SwarmEvent::Behaviour(BareEvent::Gossip(gossipsub::Event::Message { .. })) = event
                    && arrived.send(now()).is_err()
                {
                    return;
                }
            }
        });
    }
    let mut subscribed = 0;
    while subscribed < 2 {
        let event = a.select_next_some().await;
        if matches!(event, SwarmEvent::Behaviour(BareEvent::Gossip(gossipsub::Event::Subscribed { .. }))) {
            subscribed += 1;
        }
    }
    let (order, mut orders) = mpsc::channel::<Vec<u8>>(1);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                message = orders.recv() => match message {
                    Some(message) => drop(a.behaviour_mut().gossip.publish(topic(), message).unwrap()),
                    None => return,
                },
                _ = a.select_next_some() => {}
            }
        }
    });
    let measured = tokio::task::spawn_blocking(move || {
        (0..rounds)
            .map(|round| {
                let mut message = vec![0; length];
                message[..8].copy_from_slice(&(round as u64).to_be_bytes());
                let begun = now();
                order.blocking_send(message).unwrap();
                let last = [(); 2].map(|()| arrivals.recv().unwrap()).into_iter().max().unwrap();
                last - begun
            })
            .collect()
    });
    measured.await.unwrap()
}

/// How long it takes to ask for pages of these lengths, so many at a time.
pub(crate) async fn transfer(lengths: Vec<u32>, at_a_time: usize) -> Duration {
    let (mut a, mut b) = (swarm(), swarm());
    let address = listening(&mut a).await;
    let source = *a.local_peer_id();
    tokio::spawn(async move {
        loop {
            if let SwarmEvent::Behaviour(BareEvent::Exchange(request_response::Event::Message {
                message: request_response::Message::Request { request, channel, .. },
                ..
            })) = a.select_next_some().await
            {
                a.behaviour_mut().exchange.send_response(channel, vec![7; request as usize]).unwrap();
            }
        }
    });
    b.dial(address).unwrap();
    while !matches!(b.select_next_some().await, SwarmEvent::ConnectionEstablished { .. }) {}
    let begun = now();
    let (mut wanted, mut open) = (lengths.into_iter(), 0);
    for length in wanted.by_ref().take(at_a_time) {
        b.behaviour_mut().exchange.send_request(&source, length);
        open += 1;
    }
    while open > 0 {
        match b.select_next_some().await {
            SwarmEvent::Behaviour(BareEvent::Exchange(request_response::Event::Message { .. })) => {
                open -= 1;
                if let Some(length) = wanted.next() {
                    b.behaviour_mut().exchange.send_request(&source, length);
                    open += 1;
                }
            }
            SwarmEvent::Behaviour(BareEvent::Exchange(other)) => panic!("{other:?}"),
            _ => {}
        }
    }
    begun.elapsed()
}
