//! The log: for people or as JSON, on standard error. `RUST_LOG` chooses what is told.
//!
//! No address, case reference or key is logged above the level "debug".

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogFormat;

/// What is told where `RUST_LOG` does not say. Gossip that found no room is counted, and caught up with: the library's
/// word on every such message would drown the rest.
const DEFAULT: &str = "info,libp2p_gossipsub=error";

/// Begins to log. A second call changes nothing.
pub fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let begun = match format {
        LogFormat::Text => log.with_ansi(false).with_target(false).finish().try_init(),
        LogFormat::Json => log.json().finish().try_init(),
    };
    if begun.is_err() {
        tracing::debug!("the log had begun already");
    }
}
