//! `entente init`: found an agency and its first node.

use std::net::SocketAddr;

use clap::Args;
use entente_node::init::{InitOptions, Initialised, init};
use entente_protocol::identity::{Country, Kind};
use serde_json::json;

use crate::args::Globals;
use crate::error::CliError;
use crate::output::Output;
use crate::passphrase::{self, PassphraseArgs, Use};

const EXAMPLE: &str = "\
Example:
  entente init --data /var/lib/entente --name \"Cyber Unit A\" --country FR --kind police --contact soc@example.org

To be reached by partners on other machines, behind a firewall that forwards the port:
  entente init … --listen /ip4/0.0.0.0/udp/7441/quic-v1 --listen /ip4/0.0.0.0/tcp/7441 \\
    --announce /dns4/node.example.org/udp/7441/quic-v1 --announce /dns4/node.example.org/tcp/7441";

/// Found an agency: make its keys, its card, its data directory and the API token.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLE)]
pub(crate) struct InitArgs {
    /// The agency's name
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    /// Its country, as two letters of ISO 3166
    #[arg(long, value_name = "CC")]
    pub(crate) country: Country,
    /// Its kind: police, fiu, prosecutor, exchange, other, or another word
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Kind,
    /// How people reach people there
    #[arg(long, value_name = "CONTACT")]
    pub(crate) contact: String,
    /// Found an exercise agency, which never mixes with live ones
    #[arg(long)]
    pub(crate) exercise: bool,
    /// Where partners reach the node, as a multiaddress; may be repeated, QUIC first. Without it a free port on
    /// loopback
    #[arg(long, value_name = "MULTIADDR")]
    pub(crate) listen: Vec<String>,
    /// What to tell partners instead, behind NAT or to give them a name; may be repeated
    #[arg(long, value_name = "MULTIADDR")]
    pub(crate) announce: Vec<String>,
    /// Where the local API listens. Without it a free port on loopback
    #[arg(long, value_name = "IP:PORT")]
    pub(crate) api: Option<SocketAddr>,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,
}

pub(crate) fn run(args: &InitArgs, globals: &Globals, out: &Output) -> Result<(), CliError> {
    let data = globals.data_dir()?;
    let options = InitOptions {
        data: data.to_owned(),
        name: args.name.clone(),
        country: args.country,
        kind: args.kind.clone(),
        contact: args.contact.clone(),
        exercise: args.exercise,
        listen: args.listen.clone(),
        announce: args.announce.clone(),
        api: args.api,
        passphrase: passphrase::obtain(&args.passphrase, Use::Choose, "the agency's keys", out)?,
    };
    let made = init(&options)?;
    if out.is_json() {
        return out.value(&json!({
            "id": made.agency.to_string(),
            "fingerprint": made.fingerprint.to_string(),
            "qr": made.fingerprint.qr_payload(),
            "api": made.api.to_string(),
            "listen": made.listen,
            "data": data.display().to_string(),
        }));
    }
    show(args, &options, &made, out)
}

fn show(args: &InitArgs, options: &InitOptions, made: &Initialised, out: &Output) -> Result<(), CliError> {
    let data = options.data.display();
    let at = |name: &str| format!("{data}/{name}");
    out.heading(&format!("founded {}", args.name))?;
    out.fields(vec![
        ("id", made.agency.to_string().into()),
        ("mode", if args.exercise { "exercise" } else { "live" }.into()),
        ("fingerprint", made.fingerprint.to_string().into()),
        ("card", at("agency.card").into()),
        ("API", format!("{} (token in {})", made.api, at("token")).into()),
        ("network", made.listen.join(" ").into()),
        ("configuration", at("entente.toml").into()),
        ("node's keys", at("keys/node.age").into()),
        ("root key", at("keys/root.age").into()),
        ("recovery root", at("keys/recovery.age").into()),
    ])?;
    out.line("")?;
    out.heading("what to do next")?;
    if args.exercise {
        out.line("1. an exercise agency has nothing to protect: its keys may stay where they are")?;
    } else {
        out.line("1. move the root key and the recovery root to two offline storages: the node needs neither;")?;
        out.line("   and keep the passphrase in a third place: without it nobody opens any of the three keys")?;
    }
    out.line(&format!("2. entente run --data {data}"))?;
    out.line(&format!(
        "3. entente card export --data {data} FILE, send it to partners, and read them the fingerprint"
    ))?;
    if !made.reachable {
        out.line("")?;
        out.line("only this machine can reach the node; for partners elsewhere, change entente.toml before `run`:")?;
        out.line("  listen    where to listen, such as /ip4/0.0.0.0/udp/7441/quic-v1")?;
        out.line("  announce  what partners dial, such as /dns4/node.example.org/udp/7441/quic-v1")?;
    }
    Ok(())
}
