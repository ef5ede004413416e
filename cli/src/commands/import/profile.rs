//! Saved profiles: how files of one kind are read. TOML, in `profiles/` of the data directory, or any file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use entente_formats::Format;
use entente_formats::columns::Column;
use serde::{Deserialize, Serialize};

use super::Assume;
use crate::args::Globals;
use crate::commands::read_text;
use crate::error::CliError;

/// No profile is longer.
const BYTES: u64 = 64 << 10;

/// What a profile says.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Profile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<String>,
    /// Column and field.
    #[serde(default)]
    map: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) assume: Assume,
}

impl Profile {
    pub(super) fn map(&self) -> Result<Vec<(String, Column)>, CliError> {
        let read = |(column, field): (&String, &String)| match Column::parse(field) {
            Some(told) => Ok((column.clone(), told)),
            None => Err(CliError::Option {
                what: format!("profile: no field is called {field:?}; there are {}", Column::names()),
            }),
        };
        self.map.iter().map(read).collect()
    }
}

/// The file of a profile.
fn path(name: &str, globals: &Globals) -> Result<PathBuf, CliError> {
    if Path::new(name).extension().is_some_and(|extension| extension == "toml") {
        return Ok(PathBuf::from(name));
    }
    let plain =
        !name.is_empty() && name.chars().all(|found| found.is_alphanumeric() || matches!(found, '-' | '_' | ' '));
    if !plain {
        return Err(CliError::Option { what: "profile: a name has letters, digits, spaces and hyphens".to_owned() });
    }
    Ok(globals.data_dir()?.join("profiles").join(format!("{name}.toml")))
}

pub(super) fn load(name: &str, globals: &Globals) -> Result<Profile, CliError> {
    let path = path(name, globals)?;
    let text = read_text(&path, BYTES)?;
    toml::from_str(&text).map_err(|error| CliError::Option { what: format!("{}: {}", path.display(), error.message()) })
}

pub(super) fn save(
    name: &str,
    format: Option<Format>,
    map: &BTreeMap<String, Column>,
    assume: &Assume,
    source: Option<&str>,
    globals: &Globals,
) -> Result<PathBuf, CliError> {
    let path = path(name, globals)?;
    let profile = Profile {
        format: format.map(|format| format.word().to_owned()),
        source: source.map(str::to_owned),
        map: map.iter().map(|(column, told)| (column.clone(), told.name().to_owned())).collect(),
        assume: assume.clone(),
    };
    let text = toml::to_string_pretty(&profile).expect("a profile is texts and tables of texts");
    let failed = |source| CliError::Write { path: path.clone(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(&path, text).map_err(failed)?;
    Ok(path)
}
