//! `entente.toml`: what differs between agencies, and nothing else. Unknown keys are refused.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The name of the file in the data directory.
pub const FILE: &str = "entente.toml";

/// Where the store of a data directory lies.
pub fn store_dir(data: &Path) -> PathBuf {
    data.join("store")
}

/// The node's configuration; `config/entente.toml` explains every key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the local API listens.
    pub api: SocketAddr,
    /// Where partners reach the node: multiaddrs to listen on, QUIC first.
    pub listen: Vec<String>,
    /// The addresses to tell partners, where they differ from `listen`.
    #[serde(default)]
    pub announce: Vec<String>,
    /// Whether `/metrics` answers without a token.
    #[serde(default)]
    pub open_metrics: bool,
    /// How the log is written.
    #[serde(default)]
    pub log: LogFormat,
    /// Memory for the index's cache, MiB.
    #[serde(default = "default_cache_mib")]
    pub cache_mib: u64,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

const fn default_cache_mib() -> u64 {
    256
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file system.
    #[error("{}: {error}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What it said.
        error: std::io::Error,
    },
    /// The text.
    #[error("{}: {error}", path.display())]
    Toml {
        /// Which file.
        path: PathBuf,
        /// What is wrong, and where.
        error: Box<toml::de::Error>,
    },
}

impl Config {
    /// Reads the configuration of a data directory.
    pub fn read(data: &Path) -> Result<Self, ConfigError> {
        let path = data.join(FILE);
        let text = std::fs::read_to_string(&path).map_err(|error| ConfigError::File { path: path.clone(), error })?;
        toml::from_str(&text).map_err(|error| ConfigError::Toml { path, error: Box::new(error) })
    }

    /// The text of a new agency's configuration.
    pub fn template(api: SocketAddr, listen: &[String], announce: &[String]) -> String {
        let quoted = |item: &String| toml::Value::String(item.clone()).to_string();
        let list = |items: &[String]| items.iter().map(quoted).collect::<Vec<_>>().join(", ");
        include_str!("../../config/entente.toml")
            .replace("api = \"127.0.0.1:7440\"", &format!("api = \"{api}\""))
            .replace(
                "listen = [\"/ip4/127.0.0.1/udp/7441/quic-v1\", \"/ip4/127.0.0.1/tcp/7441\"]",
                &format!("listen = [{}]", list(listen)),
            )
            .replace("announce = []", &format!("announce = [{}]", list(announce)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_explained_configuration_is_the_one_that_is_read() {
        let listen = ["/ip4/192.0.2.1/udp/9/quic-v1".to_owned()];
        let api: SocketAddr = "127.0.0.1:9".parse().unwrap();
        let config: Config = toml::from_str(&Config::template(api, &listen, &listen)).unwrap();
        assert_eq!((config.api, &config.listen[..], &config.announce[..]), (api, &listen[..], &listen[..]));
        let plain: Config = toml::from_str(include_str!("../../config/entente.toml")).unwrap();
        assert_eq!(plain.cache_mib, default_cache_mib());
    }

    #[test]
    fn no_address_breaks_out_of_its_string() {
        let odd = [r#"/dns4/a"]
open_metrics = true #\"#
            .to_owned()];
        let config: Config = toml::from_str(&Config::template("127.0.0.1:9".parse().unwrap(), &odd, &odd)).unwrap();
        assert_eq!((&config.listen[..], &config.announce[..], config.open_metrics), (&odd[..], &odd[..], false));
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let text = format!("{}\ncolour = 1\n", include_str!("../../config/entente.toml"));
        assert!(toml::from_str::<Config>(&text).unwrap_err().to_string().contains("colour"));
    }
}
