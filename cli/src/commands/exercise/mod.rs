//! `entente exercise`: the whole federation on one machine, with real data, told in plain words.
//!
//! Four agencies run as processes of this same program, each with its own keys and store, and do everything over
//! their local APIs as people do. This file is the story in its order; each step says what happens, why it matters,
//! and whether what it promises held. The parts are: [`plan`] who files what, [`agency`] one agency, [`process`]
//! processes and patience, [`founding`] nodes, cards and agreements, [`traffic`] reports on their way, [`proof`]
//! lookups and the outsider, [`canary`] the search at the outsider, [`report`] the result, [`story`] the telling.

mod agency;
mod canary;
mod error;
mod founding;
mod plan;
mod process;
mod proof;
mod report;
mod rows;
mod story;
mod traffic;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use entente_node::clock;

use self::agency::Agency;
pub(crate) use self::error::ExerciseError;
use self::plan::{Draft, Party, Plan};
use self::process::{Interrupt, Site};
use self::report::{AgencyOutcome, LookupOutcome, Outcome, Percentiles, Promises};
use self::rows::Rejected;
use self::story::Story;
use self::traffic::{Filed, Load};
use crate::error::CliError;
use crate::output::Output;
use crate::text;
use crate::views::Agreement;

const TRIO_TITLE: &str = "Crypto-crime addresses of A, B and C";
const PAIR_TITLE: &str = "Crypto-crime addresses of A and D";
const RETRACTION: &str = "the address was listed by mistake";

const EXAMPLE: &str = "\
Examples:
  entente exercise
  entente exercise --once --json --keep ./exercise";

/// Play the federation through: four agencies on this machine, real data, a crash, a retraction, an outsider.
///
/// Each step is told in plain words. At the end the four nodes stay up, with commands to try, until Ctrl-C. The exit
/// status is 0 only if everything held that the exercise promises.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLE)]
pub(crate) struct ExerciseArgs {
    /// End after the last step
    #[arg(long)]
    once: bool,
    /// Keep the agencies' data, and the passphrase of their keys, in this new or empty directory
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

pub(crate) fn run(args: &ExerciseArgs, out: &Output) -> Result<(), CliError> {
    let mut story = Story::new(out);
    let mut agencies = Vec::new();
    let failed = |error| CliError::Exercise(Box::new(error));
    let interrupt = Interrupt::listen().map_err(failed)?;
    let site = Site::open(args.keep.as_deref()).map_err(failed)?;
    let played = play(&mut story, &mut agencies, &site, &interrupt);
    let told = played.and_then(|(outcome, promises)| {
        if !args.once {
            outcome.print(out)?;
            story.explore(&agencies, &site, &outcome, &interrupt)?;
        }
        story.stop(&mut agencies)?;
        if args.once {
            outcome.print(out)?;
        }
        Ok(promises)
    });
    match told {
        Ok(promises) if promises.all_held() => Ok(()),
        Ok(promises) => Err(CliError::ExercisePromises { broken: promises.broken() }),
        Err(error) => {
            story.failed(&error, &agencies);
            Err(failed(error))
        }
    }
}

/// The story, step by step.
fn play(
    story: &mut Story<'_>,
    agencies: &mut Vec<Agency>,
    site: &Site,
    interrupt: &Interrupt,
) -> Result<(Outcome, Promises), ExerciseError> {
    let plan = plan::make(|| format!("canary-{:032x}", u128::from_be_bytes(clock::random())));
    let mut promises = Promises::default();

    story.step("Four agencies set up their nodes")?;
    story.tell(
        "Each is a process of its own with its own keys and store. Their cards say that they exercise, so no live \
         node will ever talk to them.",
    )?;
    founding::found(agencies, site, story.out, interrupt)?;
    for agency in agencies.iter() {
        story.tell(&format!("{} runs at {} on {}", agency.party.name(), agency.api, agency.data.display()))?;
    }

    story.step("They exchange cards and compare fingerprints")?;
    story.tell(
        "Trust begins between people: each reads out its fingerprint over the phone. A, B and C know each other; \
         D knows A alone.",
    )?;
    founding::introduce(agencies)?;

    story.step("They sign two agreements")?;
    story.tell(
        "One of A, B and C, one of A and D. From now on the agreements decide who receives what, and every node \
         enforces them on the way out and on the way in.",
    )?;
    let trio = founding::agree(agencies, &Party::TRIO, TRIO_TITLE, interrupt)?;
    let pair = founding::agree(agencies, &Party::PAIR, PAIR_TITLE, interrupt)?;
    story.tell(&format!(
        "in force: {} ({TRIO_TITLE}), {} ({PAIR_TITLE})",
        text::short(&trio.id),
        text::short(&pair.id)
    ))?;

    let mut filed = file(story, agencies, &plan, (&trio, &pair), interrupt)?;
    let caught_up = come_back(story, agencies, &plan, &trio, &mut filed, site, interrupt)?;
    promises.hold("all agencies caught up", caught_up);
    let visible = measure(story, agencies, &plan, &trio, &mut filed, interrupt)?;
    promises.hold("single reports became visible", !visible.is_empty());
    let confirmed = retract(story, agencies, &plan, &filed, interrupt)?;
    let holders = [Party::B, Party::C].map(Party::name);
    promises.hold("B and C confirmed the retraction", holders.iter().all(|name| confirmed.iter().any(|by| by == name)));
    let lookups = look_up(story, agencies, &plan, &mut promises, interrupt)?;
    let outsider_saw = search_outsider(story, agencies, &plan, &trio, &mut promises)?;

    story.step("What came of it")?;
    let refused: Vec<Rejected> = filed.values().flat_map(|filed| filed.refused.clone()).collect();
    promises.hold("every well-formed row was filed", refused.is_empty());
    let rejected_rows: Vec<Rejected> = plan.rejected.values().flatten().cloned().chain(refused).collect();
    let mut summaries = Vec::new();
    for agency in agencies.iter() {
        let summary = summary(agency, &plan, &filed, &rejected_rows, &visible)?;
        let whole = summary.reports_admitted == expected(&plan, &filed, agency.party) - withdrawn(agency.party);
        promises.hold(format!("{} holds what partners filed", summary.name), whole);
        promises.hold(format!("{} quarantined nothing", summary.name), summary.quarantined == 0);
        summaries.push(summary);
    }
    let all: Vec<f64> = visible.values().flatten().copied().collect();
    let visible_ms = Percentiles::of(&all).unwrap_or(Percentiles { p50: 0.0, p99: 0.0 });
    let outcome = Outcome {
        agencies: summaries,
        rejected_rows,
        caught_up,
        retraction_confirmed_by: confirmed,
        outsider_saw,
        lookups,
        visible_ms,
        ok: promises.all_held(),
    };
    Ok((outcome, promises))
}

type FiledBy = BTreeMap<Party, Filed>;

/// All file what they know, and one is killed in the middle.
fn file(
    story: &mut Story<'_>,
    agencies: &mut [Agency],
    plan: &Plan,
    (trio, pair): (&Agreement, &Agreement),
    interrupt: &Interrupt,
) -> Result<FiledBy, ExerciseError> {
    story.step("They file what they know, and one of them is killed")?;
    let rejected = plan.rejected.values().map(Vec::len).sum();
    story.tell(&format!(
        "{} of the real data are malformed, name no crime or are on chains not read yet: they are not filed, and each \
         is told at the end.",
        text::count(rejected, "row")
    ))?;
    story.tell(
        "Every report is signed, encrypted for the parties of its agreement, and on disk before the node says so. \
         A tells D a few of its reports too: the same report, under two agreements.",
    )?;
    let [a, b, c, d] = agencies else { unreachable!("there are four agencies") };
    let shared = Load { by: a, drafts: &plan.shared, under: vec![&trio.id, &pair.id] };
    let shared = shared.file(&traffic::Bars::new(), interrupt, None)?;
    let others = [
        Load { by: a, drafts: &plan.trio[&Party::A], under: vec![&trio.id] },
        Load { by: b, drafts: &plan.trio[&Party::B], under: vec![&trio.id] },
        Load { by: d, drafts: &plan.outsiders, under: vec![&pair.id] },
    ];
    let outage = traffic::file_through_a_kill(&others, c, first_half(plan), &trio.id, interrupt)?;
    let killed = outage.killed.map_or_else(String::new, |pid| format!(" (process {pid})"));
    story.tell(&format!(
        "{}{killed} was killed with SIGKILL in the middle of it; the others went on filing without it.",
        Party::C.name()
    ))?;
    let mut filed = outage.filed;
    filed.entry(Party::A).or_default().add(shared);
    Ok(filed)
}

fn first_half(plan: &Plan) -> &[Draft] {
    let drafts = &plan.trio[&Party::C];
    &drafts[..drafts.len() / 2]
}

/// The killed one comes back, catches up, and files the rest.
fn come_back(
    story: &mut Story<'_>,
    agencies: &mut [Agency],
    plan: &Plan,
    trio: &Agreement,
    filed: &mut FiledBy,
    site: &Site,
    interrupt: &Interrupt,
) -> Result<bool, ExerciseError> {
    story.step("The killed node comes back")?;
    story.tell(
        "It finds every report that it acknowledged, compares its logs with its partners', and fetches what it \
         missed. Then it files the rest of its own.",
    )?;
    let start = clock::monotonic();
    agencies[Party::C as usize].start(site, story.out, interrupt)?;
    let own = |filed: &FiledBy, party| own_records(plan, filed, party);
    let whole = |filed: &FiledBy| {
        traffic::caught_up(agencies, |party| own(filed, party), |party| expected(plan, filed, party), interrupt)
    };
    let caught_up = whole(filed)?;
    if caught_up {
        story.tell(&format!("everyone holds everything again after {:.1} s", start.elapsed().as_secs_f64()))?;
    }
    let rest = &plan.trio[&Party::C][first_half(plan).len()..];
    let rest = Load { by: &agencies[Party::C as usize], drafts: rest, under: vec![&trio.id] };
    let rest = rest.file(&traffic::Bars::new(), interrupt, None)?;
    filed.entry(Party::C).or_default().add(rest);
    let caught_up = whole(filed)? && caught_up;
    if !caught_up {
        for agency in agencies.iter() {
            let (has, should) =
                (traffic::admitted(agency, own(filed, agency.party))?, expected(plan, filed, agency.party));
            story.tell(&format!("{} holds {has} of {should} reports of partners", agency.party.name()))?;
        }
    }
    Ok(caught_up)
}

/// How many of its own a party's store counts: one for each report and agreement.
fn own_records(plan: &Plan, filed: &FiledBy, party: Party) -> usize {
    filed[&party].ids.len() + if party == Party::A { plan.shared.len() } else { 0 }
}

/// How many reports of others a party should hold.
fn expected(plan: &Plan, filed: &FiledBy, party: Party) -> usize {
    let of = |party: Party| filed.get(&party).map_or(0, |filed| filed.ids.len());
    match party {
        Party::A => of(Party::B) + of(Party::C) + of(Party::D),
        Party::B => of(Party::A) + of(Party::C),
        Party::C => of(Party::A) + of(Party::B),
        Party::D => plan.shared.len(),
    }
}

/// How many of those were withdrawn since.
const fn withdrawn(party: Party) -> usize {
    match party {
        Party::B | Party::C => 1,
        Party::A | Party::D => 0,
    }
}

type Waits = BTreeMap<Party, Vec<f64>>;

/// How soon a report is seen by partners.
fn measure(
    story: &mut Story<'_>,
    agencies: &[Agency],
    plan: &Plan,
    trio: &Agreement,
    filed: &mut FiledBy,
    interrupt: &Interrupt,
) -> Result<Waits, ExerciseError> {
    story.step("A single report is seen by the partners at once")?;
    let reports = text::count(plan.singles.len(), "report");
    story.tell(&format!("A files {reports} one by one; B and C look each address up until they find it."))?;
    let watchers = [&agencies[Party::B as usize], &agencies[Party::C as usize]];
    let visible = traffic::watch_singles(&agencies[Party::A as usize], &watchers, &plan.singles, &trio.id, interrupt)?;
    for (party, waits) in &visible.waits {
        let Some(ms) = Percentiles::of(waits) else { continue };
        story.tell(&format!(
            "{} found half of them within {:.1} ms, 99 of 100 within {:.1} ms",
            party.name(),
            ms.p50,
            ms.p99
        ))?;
    }
    filed.entry(Party::A).or_default().add(visible.filed);
    Ok(visible.waits)
}

/// A takes a report back, and the partners confirm that they no longer have it.
fn retract(
    story: &mut Story<'_>,
    agencies: &[Agency],
    plan: &Plan,
    filed: &FiledBy,
    interrupt: &Interrupt,
) -> Result<Vec<String>, ExerciseError> {
    story.step("A withdraws a report")?;
    story.tell("A retraction reaches every holder, and each confirms it with a signed receipt.")?;
    let address = plan.retracted.caip10();
    let draft = plan.trio[&Party::A].iter().find(|draft| draft.address == address).expect("A filed it");
    let Some(id) = filed[&Party::A].ids.get(&(draft.file, draft.line)) else { return Ok(Vec::new()) };
    let holders = [&agencies[Party::B as usize], &agencies[Party::C as usize]];
    let confirmed = traffic::retract(&agencies[Party::A as usize], id, RETRACTION, &holders, interrupt)?;
    story.tell(&format!("report {} is gone; confirmed by {}", text::short(id), confirmed.join(" and ")))?;
    Ok(confirmed)
}

/// What analysts see.
fn look_up(
    story: &mut Story<'_>,
    agencies: &[Agency],
    plan: &Plan,
    promises: &mut Promises,
    interrupt: &Interrupt,
) -> Result<Vec<LookupOutcome>, ExerciseError> {
    story.step("Analysts look addresses up")?;
    let lookups = proof::look_up(agencies, plan, interrupt)?;
    for lookup in &lookups {
        let (case, who, address) = (lookup.case, lookup.asked_by, &lookup.address);
        let (found, by) = (text::count(lookup.reports, "report"), lookup.distinct_originators);
        let retracted = if lookup.retracted > 0 { format!(", {} retracted", lookup.retracted) } else { String::new() };
        story.tell(&format!("{case}: {who} asks for {address}: {found}, {by} independent{retracted}"))?;
        promises.hold(format!("the lookup \"{case}\" finds what it should"), proof::as_promised(lookup, plan));
    }
    Ok(lookups)
}

/// What the outsider has of the agreement of three.
fn search_outsider(
    story: &mut Story<'_>,
    agencies: &[Agency],
    plan: &Plan,
    trio: &Agreement,
    promises: &mut Promises,
) -> Result<usize, ExerciseError> {
    story.step("The outsider is searched")?;
    story.tell(
        "D shares an agreement with A, and nothing else. Every byte that reached D, decrypted and of all \
         protocols, and every file of its data directory is searched for what belongs to A, B and C. The same \
         search runs at B, to show that it finds.",
    )?;
    let search = proof::search(agencies, plan, trio)?;
    for class in canary::Class::ALL {
        let count = |found: &canary::Found| found.get(&class).map_or(0, std::collections::BTreeSet::len);
        story.tell(&format!("{}: {} at B, {} at D", class.words(), count(&search.party), count(&search.outsider)))?;
    }
    let (saw, blind) = (canary::count(&search.outsider), search.blind());
    story.tell(&format!("of {} byte strings D has {saw}", search.canaries))?;
    promises.hold("the outsider saw nothing", saw == 0);
    promises.hold(format!("the search finds at B: {}", blind.join(", ")), blind.is_empty());
    Ok(saw)
}

fn summary(
    agency: &Agency,
    plan: &Plan,
    filed: &FiledBy,
    rejected: &[Rejected],
    visible: &Waits,
) -> Result<AgencyOutcome, ExerciseError> {
    let own = filed[&agency.party].ids.len();
    // The withdrawn report is no longer in its store.
    let gone = usize::from(agency.party == Party::A);
    let held = own_records(plan, filed, agency.party) - gone;
    let mut summary = AgencyOutcome {
        name: agency.party.name().to_owned(),
        data_dir: agency.data.display().to_string(),
        api: agency.api.clone(),
        reports_filed: own,
        reports_admitted: traffic::admitted(agency, held)?,
        quarantined: agency.status()?.store.quarantined,
        refused: 0,
        visible: visible.get(&agency.party).and_then(|waits| Percentiles::of(waits)),
    };
    summary.count_refused(rejected, agency.party);
    Ok(summary)
}
