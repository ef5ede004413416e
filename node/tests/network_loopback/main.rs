//! The network between real nodes on loopback: real sockets, no sleeps.

mod exchange;
mod gate;
mod support;
