//! The log: for people or as JSON, on standard error. `RUST_LOG` chooses what is told, "info" where it is unset.
//!
//! No address, case reference or key is logged above the level "debug".

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogFormat;

/// Begins to log. A second call changes nothing.
pub fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let begun = match format {
        LogFormat::Text => log.with_ansi(false).with_target(false).finish().try_init(),
        LogFormat::Json => log.json().finish().try_init(),
    };
    if begun.is_err() {
        tracing::debug!("the log had begun already");
    }
}
