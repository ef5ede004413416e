//! OFAC's advanced sanctions list (`sdn_advanced.xml`), streamed: the addresses of digital currency of each party.
//!
//! By its schema (`sdn_advanced.xsd`): a feature type `Digital Currency Address - XBT` among the reference values, and
//! features of that type within the profile of a distinct party, each with the address as the detail of its version.
//! The names of a party stand in its profile, too. All else of the list is passed over.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::io::BufRead;

use entente_protocol::statement::draft::Field;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::open::Settings;
use crate::row::{FileError, Item, Making};

/// How feature types of addresses are called, before the asset.
const FEATURE: &str = "Digital Currency Address";

/// Feature types, parties' addresses and texts beyond these are no list of OFAC.
const TYPES: usize = 10_000;
const ADDRESSES: usize = 100_000;
const TEXT_BYTES: usize = 4096;

/// The list that is being read.
pub(crate) struct Ofac<'a> {
    reader: Reader<Box<dyn BufRead + 'a>>,
    settings: &'a Settings,
    /// The assets of feature types, by id.
    assets: HashMap<String, String>,
    ready: VecDeque<Item>,
    party: Party,
    /// The element whose text is read.
    inside: Inside,
    text: String,
    buffer: Vec<u8>,
    line: u64,
    seen: bool,
    ended: bool,
}

#[derive(Default)]
struct Party {
    id: String,
    names: Vec<String>,
    parts: Vec<String>,
    /// Asset and address.
    addresses: Vec<(String, String, u64)>,
    /// The asset of the feature that is being read.
    asset: Option<String>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Inside {
    Nothing,
    FeatureType,
    NamePart,
    Detail,
}

impl<'a> Ofac<'a> {
    pub(crate) fn open(reader: Box<dyn BufRead + 'a>, settings: &'a Settings) -> Self {
        Self {
            reader: Reader::from_reader(reader),
            settings,
            assets: HashMap::new(),
            ready: VecDeque::new(),
            party: Party::default(),
            inside: Inside::Nothing,
            text: String::new(),
            buffer: Vec::new(),
            line: 1,
            seen: false,
            ended: false,
        }
    }

    /// The next event, whatever it is; `false` at the end.
    fn step(&mut self) -> Result<bool, FileError> {
        self.buffer.clear();
        let mut buffer = std::mem::take(&mut self.buffer);
        let event = self.reader.read_event_into(&mut buffer);
        let event = event.map_err(|error| FileError::Format(format!("it is no XML: {error}")))?;
        let go_on = match &event {
            Event::Start(element) => self.begin(element).map(|()| true),
            Event::Text(text) => {
                self.line += text.bytes().filter(|byte| *byte == b'\n').count() as u64;
                self.add(text)
            }
            Event::GeneralRef(reference) => {
                let plain = match &**reference {
                    "amp" => "&",
                    "lt" => "<",
                    "gt" => ">",
                    "quot" => "\"",
                    "apos" => "'",
                    _ => "",
                };
                self.add(plain)
            }
            Event::End(element) => {
                let name = element.local_name();
                self.end(name.as_ref());
                Ok(true)
            }
            Event::DocType(_) => {
                Err(FileError::Format("it declares entities, which no sanctions list does".to_owned()))
            }
            Event::Eof => {
                if !self.seen {
                    return Err(FileError::Format(
                        "it is no advanced sanctions list of OFAC: it has no element Sanctions".to_owned(),
                    ));
                }
                Ok(false)
            }
            _ => Ok(true),
        };
        drop(event);
        self.buffer = buffer;
        go_on
    }

    fn add(&mut self, text: &str) -> Result<bool, FileError> {
        if self.inside != Inside::Nothing {
            if self.text.len() + text.len() > TEXT_BYTES {
                return Err(FileError::Format(format!("line {}: a text has more than {TEXT_BYTES} bytes", self.line)));
            }
            self.text.push_str(text);
        }
        Ok(true)
    }

    fn begin(&mut self, element: &BytesStart<'_>) -> Result<(), FileError> {
        let attribute = |name: &str| {
            let found = element.attributes().flatten().find(|attribute| attribute.key.local_name().as_ref() == name);
            found.map(|attribute| attribute.value.into_owned())
        };
        match element.local_name().as_ref() {
            "Sanctions" => self.seen = true,
            "FeatureType" => {
                self.inside = Inside::FeatureType;
                self.party.id = attribute("ID").unwrap_or_default();
            }
            "DistinctParty" => {
                self.party = Party { id: attribute("FixedRef").unwrap_or_default(), ..Party::default() };
            }
            "Feature" => {
                self.party.asset = attribute("FeatureTypeID").and_then(|id| self.assets.get(&id).cloned());
            }
            "NamePartValue" => self.inside = Inside::NamePart,
            "VersionDetail" if self.party.asset.is_some() => self.inside = Inside::Detail,
            _ => return Ok(()),
        }
        self.text.clear();
        if self.assets.len() > TYPES || self.party.addresses.len() > ADDRESSES {
            return Err(FileError::Format("it has more of one thing than any sanctions list".to_owned()));
        }
        Ok(())
    }

    fn end(&mut self, name: &str) {
        let text = self.text.trim().to_owned();
        match (name, self.inside) {
            ("FeatureType", Inside::FeatureType) => {
                if let Some(asset) = text.strip_prefix(FEATURE) {
                    let asset = asset.trim_start_matches([' ', '-', '–']).to_owned();
                    self.assets.insert(std::mem::take(&mut self.party.id), asset);
                }
            }
            ("NamePartValue", Inside::NamePart) => self.party.parts.push(text),
            ("VersionDetail", Inside::Detail) => {
                if let Some(asset) = &self.party.asset {
                    self.party.addresses.push((asset.clone(), text, self.line));
                }
            }
            ("DocumentedName", _) => {
                let name = std::mem::take(&mut self.party.parts).join(" ");
                if !name.is_empty() && self.party.names.len() < 32 {
                    self.party.names.push(name);
                }
            }
            ("Feature", _) => self.party.asset = None,
            ("DistinctParty", _) => self.finish_party(),
            _ => return,
        }
        self.inside = Inside::Nothing;
    }

    fn finish_party(&mut self) {
        let party = std::mem::take(&mut self.party);
        for (asset, address, line) in &party.addresses {
            let mut making = Making::new(&self.settings.defaults, *line, "VersionDetail");
            making.indicator("VersionDetail", address);
            making.chain(asset);
            if let Some(name) = party.names.first() {
                making.note(name);
            }
            if party.names.len() > 1 {
                making.note(&format!("also known as {}", party.names[1..].join("; ")));
            }
            making.typology("urn:entente:import:ofac", "sanction");
            making.set(Field::Source, "source", "OFAC SDN");
            making.set(Field::Reference, "FixedRef", &format!("OFAC SDN {}", party.id));
            making.id = Some(format!("{}/{asset}/{address}", party.id));
            self.ready.push_back(making.finish());
        }
    }
}

impl Iterator for Ofac<'_> {
    type Item = Result<Item, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Some(Ok(item));
            }
            if self.ended {
                return None;
            }
            match self.step() {
                Ok(true) => {}
                Ok(false) => self.ended = true,
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
    }
}
