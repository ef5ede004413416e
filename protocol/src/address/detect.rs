//! Which addresses a text may be: on the chain that is named, or on every chain whose rules it fits.

use super::chain::Family;
use super::debris::{self, Tidied};
use super::reading::{Fault, MAX_MEMO_BYTES, Read, SubAccount};
use super::text::{Text, without_0x};
use super::{Address, AddressError, Chain, ChainError, MAX_INPUT_BYTES, evm, explained, move_vm, read, secret};

/// One address that a text may be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reading {
    /// The address.
    pub address: Address,
    /// The form it was written in, such as `P2WPKH`.
    pub form: &'static str,
    /// Who is meant at it, where many share it.
    pub sub_account: Option<SubAccount>,
}

impl Reading {
    /// Reads a text that names its chain: CAIP-10, `chain:address` or a payment URI.
    pub fn parse(text: &str) -> Result<Reading, AddressError> {
        let Examined { mut readings, chain_named, refused, .. } = examine(text, None);
        match refused {
            None if chain_named => Ok(readings.swap_remove(0)),
            None => Err(AddressError::NoChain),
            Some(AddressError::Form { .. } | AddressError::NoForm) if !chain_named => Err(AddressError::NoChain),
            Some(error) => Err(error),
        }
    }
}

/// What a text says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Examined {
    /// Every address it may be, the likeliest first. More than one means that nobody can tell by the text.
    pub readings: Vec<Reading>,
    /// What was done to it before it fitted.
    pub changed: Vec<&'static str>,
    /// Whether the text itself names the chain.
    pub chain_named: bool,
    /// Why it is none.
    pub refused: Option<AddressError>,
}

impl Examined {
    /// Of a text that is no address.
    pub fn refused(why: AddressError) -> Examined {
        Examined { readings: Vec::new(), changed: Vec::new(), chain_named: false, refused: Some(why) }
    }

    /// Whether more was done than to write it in its canonical form.
    pub fn was_repaired(&self) -> bool {
        self.changed.iter().any(|change| !change.starts_with(CANONICAL))
    }
}

/// How the changes begin that any text undergoes which is not in its canonical form.
const CANONICAL: &str = "written in ";

/// Reads a text of which the chain may be unknown. `among` restricts the chains; a chain that the text names itself
/// must be one of them.
pub fn examine(text: &str, among: Option<&[Chain]>) -> Examined {
    let refused = Examined::refused;
    if secret::is_phrase(text) {
        return refused(AddressError::SeedPhrase);
    }
    if text.len() > MAX_INPUT_BYTES {
        return refused(AddressError::TooLong { bytes: text.len() });
    }
    let tidied = debris::tidy(text);
    if tidied.text.is_empty() && tidied.chain.is_none() {
        return refused(AddressError::Empty);
    }
    let own_chain = match &tidied.chain {
        Some(Err(error)) => return refused(error.clone().into()),
        Some(Ok(chain)) => Some(*chain),
        None => None,
    };
    let probe = Text::new(&tidied.text);
    if secret::is_key(&probe) {
        return refused(AddressError::PrivateKey);
    }
    let named: Vec<Chain> = match (own_chain, among) {
        (Some(chain), Some(among)) if !among.contains(&chain) => {
            let asked = among.first().copied().unwrap_or(chain);
            return refused(AddressError::Form { chain: asked, fault: Fault::OtherChain { other: chain } });
        }
        (Some(chain), _) => vec![chain],
        (None, Some(among)) => among.to_vec(),
        (None, None) => Vec::new(),
    };
    match named.as_slice() {
        [] => unnamed(&probe, &tidied),
        named => on_these(named, &probe, &tidied),
    }
}

/// On chains that were named: the first refusal is told if none fits.
fn on_these(named: &[Chain], probe: &Text<'_>, tidied: &Tidied) -> Examined {
    let mut readings: Vec<(Chain, Read)> = Vec::new();
    let mut first = None;
    for chain in named {
        // Of a chain's networks, those that write alike cannot be told apart: the main one stands for all.
        let alike =
            |(other, _): &(Chain, Read)| !other.is_test() && chain.is_test() && !tells_network(*chain, probe.written);
        match read(*chain, probe) {
            Ok(_) if readings.iter().any(alike) => {}
            Ok(found) => readings.push((*chain, found)),
            Err(fault) => first = first.or(Some((*chain, fault))),
        }
    }
    match first.filter(|_| readings.is_empty()) {
        Some((_, Fault::PrivateKey)) => finish(readings, tidied, Some(AddressError::PrivateKey)),
        Some((chain, fault)) => {
            let fault = explained(chain, probe, fault);
            finish(readings, tidied, Some(AddressError::Form { chain, fault }))
        }
        None => finish(readings, tidied, None),
    }
}

/// On every chain that fits.
fn unnamed(probe: &Text<'_>, tidied: &Tidied) -> Examined {
    if secret::may_be_key(probe.written) {
        return finish(Vec::new(), tidied, Some(AddressError::MayBeKey));
    }
    let fits = |chain: Chain| {
        let likely = may_be(chain, probe) && (!chain.is_test() || tells_network(chain, probe.written));
        likely.then(|| read(chain, probe).ok()).flatten().map(|found| (chain, found))
    };
    let mut readings: Vec<_> = Chain::listed().filter_map(fits).collect();
    // Most EVM chains write alike: what is an account on one is on all, and is read once.
    let account = is_evm_like(probe.written).then(|| probe.evm().ok()).flatten();
    readings.extend(Chain::named_evm().filter_map(|chain| match chain.evm_number() {
        Some(number) if evm::has_own_form(number) => fits(chain),
        _ => account.clone().map(|account| (chain, account)),
    }));
    let refused = readings.is_empty().then(|| why_none(probe));
    finish(readings, tidied, refused)
}

/// The most telling reason why a text without a chain is no address.
fn why_none(probe: &Text<'_>) -> AddressError {
    if let Err(error @ ChainError::Token { .. }) = Chain::parse(probe.written) {
        return error.into();
    }
    let near = |chain: &Chain| may_be(*chain, probe);
    let fault = |chain: Chain| read(chain, probe).err().map(|fault| (chain, fault));
    let all: Vec<_> = Chain::all().filter(near).filter_map(fault).collect();
    let worst = all.iter().find(|(_, fault)| *fault == Fault::PrivateKey);
    if worst.is_some() {
        return AddressError::PrivateKey;
    }
    let told = all
        .iter()
        .find(|(_, fault)| !matches!(fault, Fault::Prefix | Fault::Version { .. } | Fault::OtherNetwork { .. }));
    match told.or(all.first()) {
        Some((chain, fault)) => AddressError::Form { chain: *chain, fault: *fault },
        None => AddressError::NoForm,
    }
}

fn finish(found: Vec<(Chain, Read)>, tidied: &Tidied, refused: Option<AddressError>) -> Examined {
    let mut changed = tidied.changed.clone();
    if let Some((_, read)) = found.first()
        && *read.canonical != *tidied.text
    {
        let by_case = read.canonical.eq_ignore_ascii_case(&tidied.text);
        changed.push(if by_case { "written in lower case" } else { "written in the canonical form" });
    }
    let reading = |(chain, read): (Chain, Read)| {
        let sub_account = read.sub_account.or_else(|| tidied.tag.as_deref().and_then(|tag| beside(chain, tag)));
        let address = Address { chain, canonical: read.canonical };
        Reading { address, form: read.form, sub_account }
    };
    let chain_named = matches!(tidied.chain, Some(Ok(_)));
    Examined { readings: found.into_iter().map(reading).collect(), changed, chain_named, refused }
}

/// A tag that stood beside an address in a URI.
fn beside(chain: Chain, tag: &str) -> Option<SubAccount> {
    match chain.family() {
        Family::Ripple(_) => tag.parse().ok().map(SubAccount::DestinationTag),
        Family::Stellar => (1..=MAX_MEMO_BYTES).contains(&tag.len()).then(|| SubAccount::Memo(tag.into())),
        Family::Monero(_) => {
            let mut id = [0; 8];
            hex::decode_to_slice(tag, &mut id).ok().map(|()| SubAccount::PaymentId(id))
        }
        _ => None,
    }
}

/// Whether a text of a test network says that it is of one; many write as their main network does.
fn tells_network(chain: Chain, text: &str) -> bool {
    match chain.family() {
        Family::Bitcoin(_)
        | Family::BitcoinCash(_)
        | Family::Kaspa(_)
        | Family::Zcash(_)
        | Family::Monero(_)
        | Family::Cardano(_)
        | Family::Filecoin(_)
        | Family::Stacks(_)
        | Family::Cosmos(_)
        | Family::Conflux(_)
        | Family::Waves(_)
        | Family::Ergo(_)
        | Family::Evm => true,
        Family::Ripple(_) => text.starts_with('T'),
        Family::Ton(_) => !text.contains(':'),
        Family::Near(_) => text.contains('.'),
        Family::Hedera(_) => text.contains('-'),
        _ => false,
    }
}

/// Whether a text without a chain looks like one of a family, cheaply, and firmly enough to be told as one.
pub(super) fn may_be(chain: Chain, probe: &Text<'_>) -> bool {
    let text = probe.written;
    let length = text.len();
    let starts = |starts: &[&str]| {
        starts.iter().any(|start| text.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start)))
    };
    let (digits, _) = without_0x(text);
    match chain.family() {
        Family::Bitcoin(network) => network.may_be(text) || (26..=36).contains(&length) && probe.base58().is_ok(),
        Family::BitcoinCash(_) => {
            starts(&["bitcoincash:", "bchtest:"])
                || matches!(length, 42 | 61..=62) && starts(&["q", "p", "z", "r"])
                || (26..=36).contains(&length) && probe.base58().is_ok()
        }
        Family::Kaspa(_) => starts(&["kaspa:", "kaspatest:"]) || matches!(length, 61 | 63) && starts(&["q", "p"]),
        Family::Zcash(_) => {
            starts(&["zs1", "ztestsapling1", "u1", "utest1", "tex1", "textest1"])
                || length == 35 && starts(&["t"])
                || length == 95 && starts(&["z"])
        }
        Family::Monero(_) => matches!(length, 95 | 106) && !starts(&["z"]),
        Family::Evm => {
            let number = chain.evm_number().unwrap_or_default();
            (starts(&["xdc"]) && evm::XDC.contains(&number))
                || (starts(&["one1"]) && evm::HARMONY.contains(&number))
                || is_evm_like(text)
        }
        Family::Tron => starts(&["t"]) && (33..=35).contains(&length) || digits.len() == 42 && digits.starts_with("41"),
        Family::Solana => (32..=44).contains(&length) && probe.base58().is_ok_and(|bytes| bytes.len() == 32),
        Family::Ripple(_) => {
            (starts(&["r"]) && (25..=46).contains(&length)) || starts(&["x", "t"]) && (46..=48).contains(&length)
        }
        Family::Stellar => {
            matches!(length, 56 | 69) && starts(&["g", "m", "c"])
                || starts(&["g"]) && text.as_bytes().get(56) == Some(&b'-')
        }
        Family::Cardano(_) => {
            starts(&["addr1", "addr_test1", "stake1", "stake_test1"])
                || (59..=128).contains(&length) && starts(&["Ae2", "DdzFF", "37bt", "2cWKMJ", "5oP9i", "KjgoiX"])
        }
        Family::Ss58(_) => {
            (46..=50).contains(&length) && probe.base58().is_ok_and(|bytes| matches!(bytes.len(), 35 | 36))
        }
        Family::Cosmos(letters) => super::bitcoin::has_hrp(text, letters),
        Family::Ton(_) => length == 48 && starts(&["E", "U", "k", "0"]) || starts(&["0:", "-1:"]),
        Family::Near(_) => is_name_of_near(text),
        Family::Algorand => length == 58 && !starts(&["6P"]),
        Family::Tezos => length == 36 && starts(&["tz", "KT1", "sr1"]),
        Family::Move | Family::Starknet => move_vm::speaks_for_itself(text),
        Family::Filecoin(_) => {
            starts(&["f1", "f2", "f3", "f4", "t1", "t2", "t3", "t4"]) && length >= 39
                || is_number_after(text, &['f', 't'])
        }
        Family::Hedera(_) => text.split('-').next().is_some_and(|number| number.split('.').count() == 3),
        Family::Antelope => length == 12 && text.bytes().any(|byte| byte.is_ascii_digit()),
        Family::Stacks(_) => starts(&["SP", "SM", "ST", "SN"]) && (28..=82).contains(&length),
        Family::Nano => starts(&["nano_", "xrb_"]),
        Family::MultiversX => super::bitcoin::has_hrp(text, "erd"),
        // It writes as EVM chains do, and is meant only where it is named.
        Family::VeChain => false,
        Family::Conflux(_) => starts(&["cfx:", "cfxtest:"]) || length == 42 && starts(&["a"]),
        Family::Waves(_) => length == 35 && starts(&["3"]) && probe.base58().is_ok_and(|bytes| bytes.len() == 26),
        Family::Ergo(_) => {
            matches!(length, 38..=41 | 51..=52)
                && starts(&["9", "8", "3"])
                && probe.base58().is_ok_and(|bytes| matches!(bytes.len(), 29 | 38))
        }
        Family::Alephium => {
            (43..=45).contains(&length)
                && probe.base58().is_ok_and(|bytes| matches!(bytes, [0 | 2 | 3, rest @ ..] if rest.len() == 32))
        }
    }
}

/// Whether a text is written as an account of EVM chains, perhaps with a digit too many or too few.
fn is_evm_like(text: &str) -> bool {
    let (digits, skipped) = without_0x(text);
    match skipped {
        0 => digits.len() == 40 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        _ => (38..=42).contains(&digits.len()),
    }
}

fn is_name_of_near(text: &str) -> bool {
    let end = text.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase());
    end.is_some_and(|end| end == "near" || end == "testnet")
}

/// `f0` and digits.
fn is_number_after(text: &str, letters: &[char]) -> bool {
    let rest = text.strip_prefix(letters).and_then(|rest| rest.strip_prefix('0'));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}
