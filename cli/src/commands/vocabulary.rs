//! `entente vocabulary`: the words that reports may use, and where they come from. No node is asked.

use clap::Args;
use entente_protocol::vocabulary::{self, Vocabulary};
use serde::Serialize;

use crate::error::CliError;
use crate::output::Output;

const EXAMPLE: &str = "\
Examples:
  entente vocabulary
  entente vocabulary typology --json";

/// List the words that reports may use: typologies, roles, gradings, markings, kinds of indicators.
///
/// A partner's term that is not listed is kept and shown as it came, and never taken for another.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLE)]
pub(crate) struct VocabularyArgs {
    /// One vocabulary alone, for example typology
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

#[derive(Serialize)]
struct Told<'a> {
    name: &'a str,
    scheme: &'a str,
    version: &'a str,
    source: &'a str,
    terms: Vec<TermTold<'a>>,
}

#[derive(Serialize)]
struct TermTold<'a> {
    id: &'a str,
    name: &'a str,
}

pub(crate) fn run(args: &VocabularyArgs, out: &Output) -> Result<(), CliError> {
    let all = vocabulary::all();
    let wanted: Vec<&Vocabulary> =
        all.iter().filter(|vocabulary| args.name.as_ref().is_none_or(|name| vocabulary.name == name)).collect();
    if wanted.is_empty() {
        let names: Vec<&str> = all.iter().map(|vocabulary| vocabulary.name).collect();
        return Err(CliError::Option { what: format!("no vocabulary is called that; there are {}", names.join(", ")) });
    }
    for vocabulary in wanted {
        let Vocabulary { name, scheme, version, source, terms } = vocabulary;
        if out.is_json() {
            let terms = terms.iter().map(|term| TermTold { id: &term.id, name: &term.name }).collect();
            out.value(&Told { name, scheme, version, source, terms })?;
            continue;
        }
        out.heading(&format!("{name}: {scheme}, version {version} ({source})"))?;
        let rows = terms.iter().map(|term| vec![term.id.as_str().into(), term.name.as_str().into()]);
        out.table(&["WORD", "MEANING"], rows.collect())?;
    }
    Ok(())
}
